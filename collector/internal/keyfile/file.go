package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gofrs/flock"

	"github.com/monev112/monev112/collector/internal/disk"
)

// LockSuffix ends the name of the file under whose lock a File is changed. It stays when the File is removed, and so
// tells that there was one.
const LockSuffix = ".lock"

// File is a private file, mode 0600, that holds a T. Several processes may use it at once; a change is on disk whole or
// not at all. A file that root makes belongs to the owner of its folder.
type File[T any] struct {
	Path     string
	Name     string // in errors, for example "link key file"
	MaxBytes int64
	Parse    func(text []byte) (T, error) // its errors show no secret
	Format   func(value T) ([]byte, error)
}

// Read returns what the file holds. The error wraps fs.ErrNotExist when there is none. A symbolic link to nowhere is a
// file that is away, not one to be made: other keys in its place would make other tokens of the same callers.
func (f File[T]) Read() (value T, err error) {
	text, err := ReadPrivate(f.Path, f.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		if info, lerr := os.Lstat(f.Path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return value, fmt.Errorf("%s %s is a link to nowhere: bring back what it leads to, or remove it", f.Name, f.Path)
		}
	}
	if err != nil {
		return value, fmt.Errorf("%s: %w", f.Name, err)
	}
	if value, err = f.Parse(text); err != nil {
		return value, fmt.Errorf("%s %s: %w", f.Name, f.Path, err)
	}
	return value, nil
}

// ReadOrCreate is Read, and makes the file first when there is none; its folder must exist. Processes that start at
// once agree on one file.
func (f File[T]) ReadOrCreate(create func() (T, error)) (T, error) {
	value, err := f.Read()
	if !errors.Is(err, fs.ErrNotExist) {
		return value, err
	}
	err = f.locked(func() error {
		if value, err = f.Read(); !errors.Is(err, fs.ErrNotExist) {
			return err // another process was first
		}
		if value, err = create(); err != nil {
			return err
		}
		return f.write(value)
	})
	return value, err
}

// Change replaces what the file holds by what edit makes of it. Without a file, edit gets the zero value of T.
func (f File[T]) Change(edit func(T) (T, error)) error {
	return f.locked(func() error {
		value, err := f.Read()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if value, err = edit(value); err != nil {
			return err
		}
		return f.write(value)
	})
}

func (f File[T]) locked(change func() error) error {
	lock := flock.New(f.Path+LockSuffix, flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the %s: %w", f.Name, err)
	}
	defer lock.Unlock()
	if err := giveToFolder(lock.Path()); err != nil {
		return fmt.Errorf("lock the %s: %w", f.Name, err)
	}
	return change()
}

func (f File[T]) write(value T) error {
	text, err := f.Format(value)
	if err != nil {
		return fmt.Errorf("write the %s: %w", f.Name, err)
	}
	return disk.WriteFile(folderOwned{}, f.Path, 0o600, text)
}
