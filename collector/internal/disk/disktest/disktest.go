// Package disktest owns a file system in memory for tests: it fails chosen calls, knows for every byte and every name
// whether an fsync covered it, and can be killed (the page cache survives) or lose power (it does not).
//
// It models the parts of a real disk on which programs are wrong: a failed write may have written a part; after a
// failed fsync the pages count as clean although the disk may have some, all or none of them, and the next fsync
// succeeds; a new or renamed file is there after a power loss only if its folder was fsynced, or by luck; unsynced
// bytes survive in sectors, any subset of them, not in order.
package disktest

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/monev112/monev112/collector/internal/disk"
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
	// Set it before use or between calls, or with SetFail at any time.
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
		rng: rand.New(rand.NewPCG(uint64(seed), 0)), names: map[string]*inode{}, stale: map[string]*inode{},
		locks: map[string]bool{}, free: 1 << 40,
	}
}

// SetFail sets Fail while calls may be running.
func (d *FS) SetFail(fail func(n int, op Op, name string) *Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Fail = fail
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

// Kill ends the process: open files and locks die, the page cache stays, except that after a failed fsync the kernel
// may have dropped clean pages and show what the disk has.
func (d *FS) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill()
}

func (d *FS) kill() {
	d.epoch++
	clear(d.locks)
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if ino := d.names[name]; ino.doubted && len(ino.dirty) == 0 && d.rng.IntN(2) == 0 {
			ino.seen = slices.Clone(ino.durable)
		}
	}
}

// PowerLoss ends the process and throws the page cache away: of what no fsync covered, a random part survives.
func (d *FS) PowerLoss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill()
	kept := d.rng.IntN(len(d.queue) + 1)
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
	if ino.resized && len(ino.seen) > len(ino.durable) && rng.IntN(2) == 0 {
		size := len(ino.durable) + rng.IntN(len(ino.seen)-len(ino.durable)+1)
		ino.durable = append(ino.durable, make([]byte, size-len(ino.durable))...)
	}
	for _, s := range slices.Sorted(maps.Keys(ino.dirty)) {
		if rng.IntN(2) == 0 {
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

// openFile opens or creates a file; the flags of os.OpenFile for creation, exclusion and truncation are kept.
func (d *FS) openFile(epoch int, name string, flag int) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(epoch); err != nil {
		return nil, err
	}
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

// readDir lists the files directly in dir.
func (d *FS) readDir(epoch int, dir string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(epoch); err != nil {
		return nil, err
	}
	var names []string
	for name := range d.names {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// rename gives a file, or a folder with all that is in it, another name.
func (d *FS) rename(epoch int, oldName, newName string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(epoch); err != nil {
		return err
	}
	named := func(name string) bool { return name == oldName || strings.HasPrefix(name, oldName+"/") }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(d.names)), named) {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	if f := d.fault(Rename, newName); f != nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: f.Err}
	}
	d.change(filepath.Dir(newName), func(m map[string]*inode) {
		for name, ino := range maps.Clone(m) {
			if named(name) {
				m[newName+strings.TrimPrefix(name, oldName)] = ino
				delete(m, name)
			}
		}
	})
	return nil
}

// remove removes a file.
func (d *FS) remove(epoch int, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(epoch); err != nil {
		return err
	}
	if d.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if f := d.fault(Remove, name); f != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: f.Err}
	}
	d.change(filepath.Dir(name), func(m map[string]*inode) { delete(m, name) })
	return nil
}

// syncDir makes the names in dir durable, with all earlier changes of names, as journalling file systems do. A failing
// one makes some of them durable.
func (d *FS) syncDir(epoch int, dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(epoch); err != nil {
		return err
	}
	if f := d.fault(SyncDir, dir); f != nil {
		kept := d.rng.IntN(len(d.queue) + 1)
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

// takeLock takes a lock that Kill releases.
func (d *FS) takeLock(epoch int, name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.alive(epoch); err != nil {
		return nil, err
	}
	if d.locks[name] {
		return nil, disk.ErrLocked
	}
	d.locks[name] = true
	return &lock{d, name, d.epoch}, nil
}
