// Package disktest owns a file system in memory for tests: it fails chosen calls, knows for every byte and every name
// whether an fsync covered it, and can be killed (the page cache survives) or lose power (it does not).
//
// It models the parts of a real disk on which programs are wrong: a failed write may have written a part; after a failed
// fsync the pages count as clean although the disk may have some, all or none of them, and the next fsync succeeds; a new
// or renamed file is there after a power loss only if its folder was fsynced, or by luck; unsynced bytes survive in
// sectors, any subset of them, not in order.
package disktest

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/monev112/monev112/collector/disk"
)

// SectorBytes is the unit in which unsynced bytes survive a power loss.
const SectorBytes = 64

// Fault is how a call fails.
type Fault struct {
	Err error
	// Part of a write that is done before the error, from 0 to 1.
	Part float64
	// Silent makes a write return the short count with a nil error.
	Silent bool
}

// EIO is the error of a broken disk, ENOSPC that of a full one.
var (
	EIO    error = syscall.EIO
	ENOSPC error = syscall.ENOSPC
)

// Op is the kind of a call.
type Op string

// The calls that can be made to fail.
const (
	Write   Op = "write"
	Sync    Op = "sync"
	Create  Op = "create"
	Rename  Op = "rename"
	Remove  Op = "remove"
	SyncDir Op = "syncdir"
)

// FS is the file system. The zero value is not usable; see New. Safe for concurrent use.
type FS struct {
	mu    sync.Mutex
	rng   *rand.Rand
	names map[string]*inode // as running programs see it
	stale map[string]*inode // as a power loss would show it
	queue []dirOp           // not yet in stale
	locks map[string]bool
	epoch int // grows with each Kill: files and locks of before are dead
	calls int
	free  uint64

	// Fail is asked before each call that changes something; n counts these calls from 1. A nil *Fault lets it pass.
	// Set it before use or between calls.
	Fail func(n int, op Op, name string) *Fault
}

// inode is the content of a file: what programs see, what the disk holds, and which sectors differ.
type inode struct {
	seen    []byte
	durable []byte
	dirty   map[int]bool // sectors that the next successful Sync brings to durable
	resized bool
	doubted bool // an fsync failed: clean pages may differ from the disk
}

// dirOp is a change of names that no SyncDir has covered.
type dirOp struct {
	dir   string
	apply func(map[string]*inode)
}

// New returns an empty file system whose chances follow seed.
func New(seed int64) *FS {
	return &FS{
		rng:   rand.New(rand.NewSource(seed)),
		names: map[string]*inode{}, stale: map[string]*inode{}, locks: map[string]bool{},
		free: 1 << 40,
	}
}

// Calls returns how many calls that change something were made.
func (d *FS) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// SetFree sets what FreeBytes answers.
func (d *FS) SetFree(bytes uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = bytes
}

// Kill ends the process: open files and locks die, the page cache stays, except that after a failed fsync the kernel may
// have dropped clean pages and show what the disk has.
func (d *FS) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill()
}

func (d *FS) kill() {
	d.epoch++
	clear(d.locks)
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if ino := d.names[name]; ino.doubted && len(ino.dirty) == 0 && d.rng.Intn(2) == 0 {
			ino.seen = slices.Clone(ino.durable)
		}
	}
}

// PowerLoss ends the process and throws the page cache away: of what no fsync covered, a random part survives.
func (d *FS) PowerLoss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill()
	kept := d.rng.Intn(len(d.queue) + 1)
	for _, op := range d.queue[:kept] {
		op.apply(d.stale)
	}
	d.queue = nil
	for _, name := range slices.Sorted(maps.Keys(d.stale)) {
		d.stale[name].lose(d.rng)
		d.stale[name].doubted = false
	}
	d.names = maps.Clone(d.stale)
}

// lose makes what the disk holds what programs see, after luck decided about each dirty sector.
func (ino *inode) lose(rng *rand.Rand) {
	if ino.resized && len(ino.seen) > len(ino.durable) && rng.Intn(2) == 0 {
		size := len(ino.durable) + rng.Intn(len(ino.seen)-len(ino.durable)+1)
		ino.durable = append(ino.durable, make([]byte, size-len(ino.durable))...)
	}
	for _, s := range slices.Sorted(maps.Keys(ino.dirty)) {
		if rng.Intn(2) == 0 {
			ino.flush(s)
		}
	}
	ino.seen = slices.Clone(ino.durable)
	ino.dirty, ino.resized = nil, false
}

// flush brings one sector to the disk, as far as the file's durable length reaches.
func (ino *inode) flush(sector int) {
	from := sector * SectorBytes
	to := min(from+SectorBytes, len(ino.seen), len(ino.durable))
	if from < to {
		copy(ino.durable[from:to], ino.seen[from:to])
	}
}

// fault counts a call and returns how it is to fail.
func (d *FS) fault(op Op, name string) *Fault {
	d.calls++
	if d.Fail == nil {
		return nil
	}
	return d.Fail(d.calls, op, filepath.Base(name))
}

// Bytes returns what programs see of a file.
func (d *FS) Bytes(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ino := d.names[name]; ino != nil {
		return slices.Clone(ino.seen)
	}
	return nil
}

// SetBytes damages or makes a file, durably.
func (d *FS) SetBytes(name string, b []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ino := &inode{seen: slices.Clone(b), durable: slices.Clone(b)}
	d.names[name], d.stale[name] = ino, ino
}

// Names returns the paths of all files, sorted.
func (d *FS) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (d *FS) change(dir string, apply func(map[string]*inode)) {
	apply(d.names)
	d.queue = append(d.queue, dirOp{dir, apply})
}

// OpenFile opens or creates a file; the flags of os.OpenFile for creation, exclusion and truncation are kept.
func (d *FS) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ino := d.names[name]
	switch {
	case ino == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case ino != nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case ino == nil:
		if f := d.fault(Create, name); f != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: f.Err}
		}
		ino = &inode{}
		d.change(filepath.Dir(name), func(m map[string]*inode) { m[name] = ino })
	case flag&os.O_TRUNC != 0:
		// A truncated file is modelled as a new one under the old name: nothing here relies on less.
		ino = &inode{}
		d.change(filepath.Dir(name), func(m map[string]*inode) { m[name] = ino })
	}
	return &file{fs: d, ino: ino, name: name, epoch: d.epoch}, nil
}

// MkdirAll does nothing: folders are names.
func (d *FS) MkdirAll(string, fs.FileMode) error { return nil }

// ReadDir lists the files directly in dir.
func (d *FS) ReadDir(dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name := range d.names {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// Rename gives a file another name.
func (d *FS) Rename(oldName, newName string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[oldName] == nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	if f := d.fault(Rename, newName); f != nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: f.Err}
	}
	d.change(filepath.Dir(newName), func(m map[string]*inode) {
		if ino := m[oldName]; ino != nil {
			m[newName] = ino
			delete(m, oldName)
		}
	})
	return nil
}

// Remove removes a file.
func (d *FS) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if f := d.fault(Remove, name); f != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: f.Err}
	}
	d.change(filepath.Dir(name), func(m map[string]*inode) { delete(m, name) })
	return nil
}

// SyncDir makes the names in dir durable, with all earlier changes of names, as journalling file systems do. A failing
// one makes some of them durable.
func (d *FS) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.fault(SyncDir, dir); f != nil {
		kept := d.rng.Intn(len(d.queue) + 1)
		for _, op := range d.queue[:kept] {
			op.apply(d.stale)
		}
		d.queue = d.queue[kept:]
		return &fs.PathError{Op: "sync", Path: dir, Err: f.Err}
	}
	for _, op := range d.queue {
		op.apply(d.stale)
	}
	d.queue = nil
	return nil
}

// FreeBytes answers what SetFree said.
func (d *FS) FreeBytes(string) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free, nil
}

// Lock takes a lock that Kill releases.
func (d *FS) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[name] {
		return nil, disk.ErrLocked
	}
	d.locks[name] = true
	return &lock{d, name, d.epoch}, nil
}

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
	if f.epoch != f.fs.epoch {
		return &fs.PathError{Op: op, Path: f.name, Err: fmt.Errorf("the process was killed")}
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

var _ disk.FS = (*FS)(nil)
