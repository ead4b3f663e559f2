package backup

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
	"github.com/monev112/monev112/collector/store"
)

// TestABackupReachesIntoARenewedJournal: what a backup brought counts as shipped for a journal that was renewed since.
func TestABackupReachesIntoARenewedJournal(t *testing.T) {
	opts := journal.Options{Dir: t.TempDir() + "/journal", MinFreeBytes: -1}
	j, err := journal.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	former := j.UUID()
	j.Close()
	now := time.UnixMilli(1_770_000_000_000)
	if _, err := journal.Renew(journal.Repair{FS: disk.OS{}, Dir: opts.Dir, Now: now}); err != nil {
		t.Fatal(err)
	}
	if j, err = journal.Open(opts); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	backup := store.Restore{Backup: uuid.New(), Journal: former.String(), Position: 7, EndedAt: now}
	foreign, begun := backup, backup
	foreign.Journal, begun.EndedAt = uuid.NewString(), time.Time{}
	want := shipper.RestorePoint{Journal: j.UUID().String(), UpTo: 7}
	if at, unfinished := restored([]store.Restore{backup, foreign}, j); at != want || unfinished != "" {
		t.Errorf("%+v, %q; want %+v", at, unfinished, want)
	}
	if at, unfinished := restored([]store.Restore{begun}, j); at.UpTo != 0 || unfinished != begun.Backup.String() {
		t.Errorf("%+v, %q", at, unfinished)
	}
}
