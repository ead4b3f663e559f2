//go:build linux || darwin

package disk

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/monev112/monev112/collector/internal/faultpoint"
)

const (
	createTruncate = os.O_CREATE | os.O_TRUNC | os.O_WRONLY
	readOnly       = os.O_RDONLY
)

// OS is the operating system's file system.
type OS struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// WriteAt is os.File's, unless a test makes it fail.
func (f osFile) WriteAt(p []byte, off int64) (int, error) {
	fault := faultpoint.Fail("write", f.Name())
	if fault == nil {
		return f.File.WriteAt(p, off)
	}
	n, _ := f.File.WriteAt(p[:int(fault.Part*float64(len(p)))], off)
	return n, &fs.PathError{Op: "write", Path: f.Name(), Err: fault.Err}
}

// Sync is os.File's, unless a test makes it fail.
func (f osFile) Sync() error {
	if err := failed("sync", f.Name()); err != nil {
		return err
	}
	if err := f.File.Sync(); err != nil {
		return err
	}
	faultpoint.Synced(f.File)
	return nil
}

// failed is the error with which a test makes a call fail; nil in a normal build.
func failed(op, name string) error {
	if fault := faultpoint.Fail(op, name); fault != nil {
		return &fs.PathError{Op: op, Path: name, Err: fault.Err}
	}
	return nil
}

// OpenFile opens name as os.OpenFile does.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if flag&os.O_CREATE != 0 {
		if err := failed("create", name); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// MkdirAll creates dir and its parents.
func (OS) MkdirAll(dir string, perm fs.FileMode) error { return os.MkdirAll(dir, perm) }

// ReadDir returns the names in dir, sorted.
func (OS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Rename renames a file, replacing one that has the new name.
func (OS) Rename(oldName, newName string) error {
	if err := failed("rename", newName); err != nil {
		return err
	}
	return os.Rename(oldName, newName)
}

// Remove removes a file.
func (OS) Remove(name string) error {
	if err := failed("remove", name); err != nil {
		return err
	}
	return os.Remove(name)
}

// SyncDir fsyncs the folder itself.
func (OS) SyncDir(dir string) error {
	if err := failed("syncdir", dir); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// FreeBytes returns the bytes that statfs calls available.
func (OS) FreeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// Lock takes an flock on the file name. The kernel releases it when the process ends, however it ends.
func (OS) Lock(name string) (io.Closer, error) {
	l := flock.New(name, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrLocked
	}
	return l, nil
}
