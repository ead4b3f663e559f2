package collector

import (
	"context"

	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/retention"
)

// database asks a ClickHouse what it is, for the shipper of the journal named. Its tables' own retention follows the
// policy.
func database(st *store.Store, of string, keep retention.Policy) func(context.Context) (shipper.Database, error) {
	return func(ctx context.Context) (shipper.Database, error) {
		if err := st.FollowRetention(ctx, keep); err != nil {
			return shipper.Database{}, err
		}
		id, err := st.Identity(ctx)
		if err != nil {
			return shipper.Database{}, err
		}
		db := shipper.Database{ID: id.String()}
		restores, err := st.Restores(ctx)
		for _, r := range restores {
			switch {
			case r.EndedAt.IsZero():
				db.Unfinished = r.Backup.String()
			case r.Journal == of:
				db.RestorePoint = shipper.RestorePoint{Journal: r.Journal, UpTo: journal.Position(r.Position)}
			}
		}
		return db, err
	}
}
