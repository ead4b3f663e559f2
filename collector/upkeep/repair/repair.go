// Package repair compares the journal of a data folder with what stands beside it: the checkpoint and the cursor know
// how far the journal reached. So a start recognises a journal that lost what was acknowledged, and the repair commands
// can say which of the lost records ClickHouse has.
package repair

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

// Expected returns the highest journal position that checkpoint and cursor call durable, and the journal that it is of:
// one that ends below it has lost what was acknowledged.
func Expected(dataDir string) (at journal.Position, of uuid.UUID, err error) {
	of, at, _ = ingest.CheckpointPosition(disk.OS{}, dataDir)
	named, shipped, ok, err := shipper.ReadCursor(disk.OS{}, dataDir)
	if err != nil || !ok {
		return at, of, err
	}
	if id, perr := uuid.Parse(named); perr == nil && (id == of || at == 0) {
		return max(at, shipped), id, nil
	}
	return at, of, nil
}

// Journal returns what the repair commands of the journal must know of a data folder: how far ClickHouse is, by the
// cursor, how far the checkpoint reaches, and that it must not outlive records that are given up.
func Journal(dataDir string, dryRun bool) (journal.Repair, error) {
	fsys := disk.OS{}
	r := journal.Repair{
		FS: fsys, Dir: filepath.Join(dataDir, journal.FolderName), Now: time.Now(), DryRun: dryRun,
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
