package engine

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/monev112/monev112/collector/internal/disk"
)

const (
	keyBytes   = 32
	maxKeyFile = 1 << 10 // bytes; a key and the space around it are far shorter
)

// ReadKey gives the key of the engine whose data folder is dataDir, for a client on the same machine.
func ReadKey(dataDir string) (string, error) { return readKey(filepath.Join(dataDir, keyName)) }

func readKey(path string) (string, error) {
	text, err := disk.ReadPrivate(path, maxKeyFile)
	if err != nil {
		return "", fmt.Errorf("engine: the key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if raw, err := hex.DecodeString(key); err != nil || len(raw) != keyBytes {
		return "", fmt.Errorf(
			"engine: key file %s does not hold %d hexadecimal digits: delete it and the next start makes a new one", path,
			2*keyBytes)
	}
	return key, nil
}

// loadOrMakeKey reads the key, or makes one: written aside, fsynced and renamed, so that a crash leaves no half key.
func loadOrMakeKey(path string) (string, error) {
	key, err := readKey(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	key = hex.EncodeToString(raw)
	if err := writeFileSynced(path, []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("engine: write the key: %w", err)
	}
	return key, nil
}

// writeFileSynced replaces path by data: readers see the old content or the new.
func writeFileSynced(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// keyMatches compares in constant time.
func keyMatches(want, got string) bool {
	return subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}
