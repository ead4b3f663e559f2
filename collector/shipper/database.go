package shipper

import (
	"context"
	"fmt"

	"github.com/monev112/monev112/collector/journal"
)

// Database is what a ClickHouse says of itself.
type Database struct {
	ID string // its name, made when it was first used
	// RestorePoint says up to where of which journal a restored backup brought every event; the zero value is no backup.
	RestorePoint RestorePoint
	// Unfinished names a backup whose restore began and did not end; empty is none.
	Unfinished string
}

// RestorePoint is how far a restored backup reaches.
type RestorePoint struct {
	Journal string // UUID
	UpTo    journal.Position
}

// checkDatabase compares the ClickHouse that was found with the one that the cursor is about. In another one nothing
// counts as shipped but what a restored backup brought: the rest of the journal is sent again, as after a host that
// went down.
func (s *Shipper) checkDatabase(ctx context.Context) error {
	if s.cfg.Database == nil {
		return nil
	}
	db, err := s.cfg.Database(ctx)
	if err != nil {
		return err
	}
	if db.Unfinished != "" {
		return fmt.Errorf("the restore of backup %s into this ClickHouse did not end: run the same monev112 restore again",
			db.Unfinished)
	}
	c, first := s.cursor, s.journal.Stats().First
	if c.Database == db.ID {
		return nil
	}
	filled := db.RestorePoint.UpTo > 0 && db.RestorePoint.Journal == c.Journal
	if c.Database != "" || filled { // a cursor from before databases had names is believed
		from := first
		if filled {
			if from = db.RestorePoint.UpTo; from < first {
				return fmt.Errorf(
					"the backup in this ClickHouse ends at position %d of the journal, which begins at %d by now: what came in "+
						"between is in neither. "+
						"Take a new backup of the former ClickHouse and restore it into an empty database", from, first)
			}
		}
		if c.Start > from {
			s.cfg.Log.Warn("another ClickHouse than before, sending the journal again",
				"from", uint64(from), "to", uint64(c.Start), "filled_by_a_backup", filled, "database", db.ID, "before", c.Database)
			c.Again = max(c.Again, c.Start)
			c.Start, c.End = from, from
		}
		s.resetBoard = true // what it knows of the former one means nothing here, also where nothing was shipped to it
	}
	c.Database = db.ID
	if err := s.writeCursor(c); err != nil {
		return err
	}
	s.progress.set(c.Start)
	return nil
}
