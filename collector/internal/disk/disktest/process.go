package disktest

import (
	"errors"
	"io"
	"io/fs"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Process returns the file system as one process has it: after the next Kill or PowerLoss every call fails, so that
// what is left of a killed program can do no more. The FS itself always acts for the process that is alive now.
func (d *FS) Process() disk.FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return process{d, d.epoch}
}

type process struct {
	d     *FS
	epoch int
}

// anybody is the epoch of calls on FS itself.
const anybody = -1

var errKilled = errors.New("the process was killed")

func (d *FS) alive(epoch int) error {
	if epoch != anybody && epoch != d.epoch {
		return errKilled
	}
	return nil
}

// OpenFile opens or creates a file; the flags of os.OpenFile for creation, exclusion and truncation are kept.
func (d *FS) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	return d.openFile(anybody, name, flag)
}

// MkdirAll does nothing: folders are names.
func (d *FS) MkdirAll(string, fs.FileMode) error { return nil }

// ReadDir lists the files directly in dir.
func (d *FS) ReadDir(dir string) ([]string, error) { return d.readDir(anybody, dir) }

// Rename gives a file another name.
func (d *FS) Rename(oldName, newName string) error { return d.rename(anybody, oldName, newName) }

// Remove removes a file.
func (d *FS) Remove(name string) error { return d.remove(anybody, name) }

// SyncDir makes names durable.
func (d *FS) SyncDir(dir string) error { return d.syncDir(anybody, dir) }

// FreeBytes answers what SetFree said.
func (d *FS) FreeBytes(string) (uint64, error) { return d.freeBytes(), nil }

// Lock takes a lock that Kill releases.
func (d *FS) Lock(name string) (io.Closer, error) { return d.takeLock(anybody, name) }

func (p process) OpenFile(name string, flag int, _ fs.FileMode) (disk.File, error) {
	return p.d.openFile(p.epoch, name, flag)
}

func (p process) MkdirAll(string, fs.FileMode) error { return nil }

func (p process) ReadDir(dir string) ([]string, error) { return p.d.readDir(p.epoch, dir) }

func (p process) Rename(oldName, newName string) error { return p.d.rename(p.epoch, oldName, newName) }

func (p process) Remove(name string) error { return p.d.remove(p.epoch, name) }

func (p process) SyncDir(dir string) error { return p.d.syncDir(p.epoch, dir) }

func (p process) FreeBytes(string) (uint64, error) { return p.d.freeBytes(), nil }

func (p process) Lock(name string) (io.Closer, error) { return p.d.takeLock(p.epoch, name) }

func (d *FS) freeBytes() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free
}
