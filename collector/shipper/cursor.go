package shipper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
)

// CursorFile is the name of the cursor file in Config.Dir.
const CursorFile = "cursor.json"

// cursor says how far ClickHouse is: it has everything below Start. End, when beyond Start, is the end of the batch
// that was being sent: it is recorded before the first attempt, so that every attempt, also after a restart, sends the
// same rows.
type cursor struct {
	Journal string           `json:"journal"` // UUID
	Start   journal.Position `json:"start"`
	End     journal.Position `json:"end"`
	// Boot is the boot of the host in which this was written, Closed that the shipper ended in order after it.
	Boot   string `json:"boot,omitempty"`
	Closed bool   `json:"closed,omitempty"`
	// Again, when beyond Start, is where sending again ends: what lies before it was in ClickHouse once, until the host
	// went down without a stop and may have taken it back, or until another ClickHouse took its place.
	Again journal.Position `json:"again,omitempty"`
	// Database names the ClickHouse that this is about; empty when it was not asked.
	Database string `json:"database,omitempty"`
}

// sentAny reports whether anything of the journal may ever have been sent to a ClickHouse.
func (c cursor) sentAny() bool { return c.End > 0 || c.Again > 0 }

// afterBoot returns the cursor to go on from in a boot of the host. After one that ended without a stop, ClickHouse may
// have lost what it had answered: everything that the journal still holds is sent again.
func (c cursor) afterBoot(boot string, first journal.Position) (cursor, bool) {
	sent := max(c.Start, c.End) // the batch that was under way may have been answered too, and its token be known
	lost := boot != "" && c.Boot != "" && c.Boot != boot && !c.Closed && sent > first
	if lost {
		c.Again = max(c.Again, sent)
		c.Start, c.End = first, first
	}
	c.Boot, c.Closed = boot, false
	return c, lost
}

// ReadCursor returns the journal's UUID and the position up to which ClickHouse has everything, as the cursor file of
// dir says; ok is false when there is none.
func ReadCursor(fsys disk.FS, dir string) (of string, shipped journal.Position, ok bool, err error) {
	c, err := loadCursor(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, false, nil
	}
	return c.Journal, c.Start, err == nil, err
}

// CursorDatabase returns the name of the ClickHouse that the cursor file of dir is about; empty when it says none.
func CursorDatabase(fsys disk.FS, dir string) (string, error) {
	c, err := loadCursor(fsys, dir)
	return c.Database, err
}

// readCursor returns the cursor of j, or one at the beginning of j where there is none yet or it is of another journal:
// what a new or restored journal holds is sent under its own tokens.
func readCursor(fsys disk.FS, dir string, j *journal.Journal) (cursor, error) {
	fresh := cursor{Journal: j.UUID().String(), Start: j.Stats().First}
	c, err := loadCursor(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if of, perr := uuid.Parse(c.Journal); err == nil && (perr != nil || !j.Continues(of)) {
		return fresh, nil
	}
	c.Journal = fresh.Journal // of a renewed journal: positions mean the same
	return c, err
}

// BootID names the running boot of the host; empty where it cannot be told.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}

func loadCursor(fsys disk.FS, dir string) (c cursor, err error) {
	name := filepath.Join(dir, CursorFile)
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return c, fmt.Errorf("open the cursor: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return c, fmt.Errorf("read %s: %w", name, err)
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, min(size, 1<<16)))
	if err != nil {
		return c, fmt.Errorf("read %s: %w", name, err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s: %w; delete it to ship the whole journal again (ClickHouse absorbs what it has)", name, err)
	}
	return c, nil
}

func (s *Shipper) writeCursor(c cursor) error {
	err := disk.Replace(s.cfg.FS, filepath.Join(s.cfg.Dir, CursorFile), 0o600, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(c)
	})
	if err != nil {
		return fmt.Errorf("write the cursor: %w", err)
	}
	s.cursor = c
	return nil
}
