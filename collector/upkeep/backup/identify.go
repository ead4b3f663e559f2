package backup

import (
	"context"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/store"
)

// Identify says which ClickHouse st reaches and what the backups that filled it mean for the journal j.
func Identify(ctx context.Context, st *store.Store, j *journal.Journal) (db shipper.Database, err error) {
	id, err := st.Identity(ctx)
	if err != nil {
		return db, err
	}
	db.ID = id.String()
	restores, err := st.Restores(ctx)
	db.RestorePoint, db.Unfinished = restored(restores, j)
	return db, err
}

// restored says up to where of a journal, or of one that it continues, backups filled ClickHouse, and which backup's
// restore has not ended.
func restored(restores []store.Restore, j *journal.Journal) (at shipper.RestorePoint, unfinished string) {
	for _, r := range restores {
		of, err := uuid.Parse(r.Journal)
		switch {
		case r.EndedAt.IsZero():
			unfinished = r.Backup.String()
		case err == nil && j.Continues(of):
			at = shipper.RestorePoint{Journal: j.UUID().String(), UpTo: journal.Position(r.Position)}
		}
	}
	return at, unfinished
}
