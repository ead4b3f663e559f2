// Package disk owns the thin file layer under journal, checkpoint, cursor and quarantine: the few calls that can fail
// in ways that cost data, behind an interface, so that tests can fail each of them (see disktest). It caches nothing
// and retries nothing: what a failure means is for the caller to know.
package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// ErrLocked says that another process holds the lock of a folder.
var ErrLocked = errors.New("locked by another process")

// File is an open file. ReadAt and WriteAt may be called concurrently; a WriteAt that fails may have written a part.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when the file's content and size are on stable storage. After an error nothing may be assumed about
	// what was written since the last successful Sync, and a later success proves nothing about it: the kernel may have
	// dropped the dirty pages.
	Sync() error
	// Size returns the file's length in bytes.
	Size() (int64, error)
}

// FS is the file system as far as this program needs it. OS is the real one. Names are paths. An error for a missing
// file satisfies errors.Is(err, fs.ErrNotExist). All methods may be called concurrently.
type FS interface {
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	MkdirAll(dir string, perm fs.FileMode) error
	// ReadDir returns the names in dir, sorted, without the path.
	ReadDir(dir string) ([]string, error)
	Rename(oldName, newName string) error
	Remove(name string) error
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
	// FreeBytes returns how many bytes an unprivileged process may still write on dir's file system.
	FreeBytes(dir string) (uint64, error)
	// Lock takes an exclusive advisory lock on the file name, creating it, and keeps it until Close or the end of the
	// process. It does not wait: when another holder has the lock the error is ErrLocked.
	Lock(name string) (io.Closer, error)
}

// TempSuffix ends the name of a file that Replace has not yet renamed. Such a file found at start is rubbish.
const TempSuffix = ".tmp"

// Replace writes the file name whole or not at all: to a temporary file beside it, which is fsynced, renamed over name,
// and made durable by an fsync of the folder. After an error the old content stands, except that an error from the
// folder's fsync leaves it open which of the two a power loss would show.
func Replace(fsys FS, name string, perm fs.FileMode, write func(io.Writer) error) error {
	temp := name + TempSuffix
	if err := writeSynced(fsys, temp, perm, write); err != nil {
		_ = fsys.Remove(temp) // best effort: the next Replace truncates it
		return err
	}
	if err := fsys.Rename(temp, name); err != nil {
		_ = fsys.Remove(temp)
		return fmt.Errorf("replace %s: %w", name, err)
	}
	if err := fsys.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("replace %s: fsync of its folder: %w", name, err)
	}
	return nil
}

// WriteFile writes content to the file name, whole or not at all; see Replace.
func WriteFile(fsys FS, name string, perm fs.FileMode, content []byte) error {
	return Replace(fsys, name, perm, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func writeSynced(fsys FS, name string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	f, err := fsys.OpenFile(name, createTruncate, perm)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close %s: %w", name, cerr)
		}
	}()
	w := bufio.NewWriterSize(&offsetWriter{f: f}, 256<<10)
	if err := write(w); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("fsync %s: %w", name, err)
	}
	return nil
}

// ReadFile returns the content of name, refusing with an error a file above maxBytes.
func ReadFile(fsys FS, name string, maxBytes int64) ([]byte, error) {
	f, err := fsys.OpenFile(name, readOnly, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("size of %s: %w", name, err)
	}
	if size > maxBytes {
		return nil, fmt.Errorf("%s has %d bytes, limit %d", name, size, maxBytes)
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b[:n], nil
}

// offsetWriter turns WriteAt into a stream from offset 0.
type offsetWriter struct {
	f   io.WriterAt
	off int64
}

func (w *offsetWriter) Write(p []byte) (int, error) {
	n, err := w.f.WriteAt(p, w.off)
	w.off += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}
