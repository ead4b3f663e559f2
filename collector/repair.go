package collector

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/shipper"
)

// JournalRepair returns what the repair commands of the journal must know of a data folder: how far ClickHouse is, by
// the cursor, how far the checkpoint reaches, and that it must not outlive records that are given up.
func JournalRepair(dataDir string, dryRun bool) (journal.Repair, error) {
	fsys := disk.OS{}
	r := journal.Repair{
		FS: fsys, Dir: filepath.Join(dataDir, JournalDir), Now: time.Now(), DryRun: dryRun,
		BeforeLoss: func() error { return ingest.ForgetCheckpoints(fsys, dataDir) },
	}
	r.Of, r.Expect, _ = ingest.CheckpointPosition(fsys, dataDir)
	named, shipped, ok, err := shipper.ReadCursor(fsys, dataDir)
	if err != nil || !ok {
		return r, err
	}
	of, err := uuid.Parse(named)
	if err != nil {
		return r, fmt.Errorf("cursor: %w; delete it to ship the whole journal again", err)
	}
	if of != r.Of {
		r.Of, r.Expect = of, shipped // a checkpoint of another journal says nothing of this one
	}
	r.Shipped = shipped
	return r, nil
}
