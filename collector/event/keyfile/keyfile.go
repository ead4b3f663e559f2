// Package keyfile owns the file on disk that holds the secrets of event.Keys. The format is event's; this package makes
// the file on first start, outside of the database's folder, and refuses one that others could read.
package keyfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
)

// maxBytes bounds what is read of a key file.
const maxBytes = 64 << 10

// LoadOrCreate reads the key file at path, or makes it with mode 0600 when there is none; its folder must exist. A file
// that group or others may read or write, a link to nowhere, or one that does not parse is refused with the path and
// the remedy. Two processes that start at once agree on one file.
func LoadOrCreate(path string, now time.Time) (*event.Keys, error) {
	keys, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if keys, err = event.NewKeys(rand.Reader, now); err != nil {
		return nil, err
	}
	if err := create(path, keys); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	// Read back rather than trust: another process may have been first, and what counts is what the next start will find.
	return Load(path)
}

// Load reads the key file at path. The error wraps fs.ErrNotExist when there is none.
func Load(path string) (*event.Keys, error) {
	text, err := disk.ReadPrivate(path, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	keys, err := event.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return keys, nil
}

// Rotate adds a new current caller key to the file at path and returns the keys. The digest key and the older caller
// keys stay. A process that already runs keeps the keys it loaded.
func Rotate(path string, now time.Time) (*event.Keys, error) {
	keys, err := Load(path)
	if err != nil {
		return nil, err
	}
	if keys, err = keys.Rotate(rand.Reader, now); err != nil {
		return nil, err
	}
	temp, err := writeTemp(path, keys)
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp)
	if err := os.Rename(temp, path); err != nil {
		return nil, fmt.Errorf("replace key file: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return keys, nil
}

// create writes a new file whole or not at all. It links instead of renaming, because a rename would replace the file
// of a process that was faster.
func create(path string, keys *event.Keys) error {
	temp, err := writeTemp(path, keys)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Link(temp, path); err != nil {
		return fmt.Errorf("create key file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func writeTemp(path string, keys *event.Keys) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // CreateTemp uses mode 0600
	if err != nil {
		return "", fmt.Errorf("create key file: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = disk.GiveToFolder(f.Name()); err != nil {
		return "", fmt.Errorf("create key file: %w", err)
	}
	if _, err = f.Write(keys.FileText()); err != nil {
		return "", fmt.Errorf("write key file: %w", err)
	}
	if err = f.Sync(); err != nil {
		return "", fmt.Errorf("sync key file: %w", err)
	}
	if err = f.Close(); err != nil {
		return "", fmt.Errorf("close key file: %w", err)
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder of the key file: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder of the key file: %w", err)
	}
	return nil
}
