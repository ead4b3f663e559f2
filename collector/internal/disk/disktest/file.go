package disktest

import (
	"io"
	"io/fs"

	"github.com/monev112/monev112/collector/internal/disk"
)

type lock struct {
	fs    *FS
	name  string
	epoch int
}

func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if l.epoch == l.fs.epoch {
		delete(l.fs.locks, l.name)
	}
	return nil
}

// file is an open file; after a Kill every call on it fails, as the process that held it is gone.
type file struct {
	fs    *FS
	ino   *inode
	name  string
	epoch int
}

func (f *file) alive(op string) error {
	if err := f.fs.alive(f.epoch); err != nil {
		return &fs.PathError{Op: op, Path: f.name, Err: err}
	}
	return nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("read"); err != nil {
		return 0, err
	}
	if off >= int64(len(f.ino.seen)) {
		return 0, io.EOF
	}
	n := copy(p, f.ino.seen[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("write"); err != nil {
		return 0, err
	}
	n := len(p)
	fault := f.fs.fault(Write, f.name)
	if fault != nil {
		n = int(float64(len(p)) * fault.Part)
	}
	ino := f.ino
	if end := int(off) + n; end > len(ino.seen) {
		ino.seen = append(ino.seen, make([]byte, end-len(ino.seen))...)
		ino.resized = true
	}
	copy(ino.seen[off:], p[:n])
	if ino.dirty == nil {
		ino.dirty = map[int]bool{}
	}
	for s := int(off) / SectorBytes; s*SectorBytes < int(off)+n; s++ {
		ino.dirty[s] = true
	}
	if fault != nil && !fault.Silent {
		return n, &fs.PathError{Op: "write", Path: f.name, Err: fault.Err}
	}
	return n, nil
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("sync"); err != nil {
		return err
	}
	ino := f.ino
	if fault := f.fs.fault(Sync, f.name); fault != nil {
		// The kernel tried, and then calls its pages clean: programs still read them, the disk has what luck gave it.
		seen := ino.seen
		ino.lose(f.fs.rng)
		ino.seen, ino.doubted = seen, true
		return &fs.PathError{Op: "sync", Path: f.name, Err: fault.Err}
	}
	if len(ino.durable) < len(ino.seen) {
		ino.durable = append(ino.durable, make([]byte, len(ino.seen)-len(ino.durable))...)
	}
	for s := range ino.dirty {
		ino.flush(s)
	}
	ino.dirty, ino.resized = nil, false
	return nil
}

func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("stat"); err != nil {
		return 0, err
	}
	return int64(len(f.ino.seen)), nil
}

func (f *file) Close() error { return nil }

var (
	_ disk.FS = (*FS)(nil)
	_ disk.FS = process{}
)
