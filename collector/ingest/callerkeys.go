package ingest

import (
	"crypto/rand"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

// CallerKeysFile is the name, in the data folder, of the file of the keys that replace callers' numbers.
const CallerKeysFile = "caller-keys"

const maxCallerKeysBytes = 64 << 10

// CallerKeys reads the keys that replace callers' numbers from the data folder dataDir. The error wraps fs.ErrNotExist
// in a folder in which no service was started yet.
func CallerKeys(dataDir string) (*event.Keys, error) { return callerKeys(dataDir).Read() }

// ReadOrCreateCallerKeys is CallerKeys for the service itself: the first start makes the keys.
func ReadOrCreateCallerKeys(dataDir string, now time.Time) (*event.Keys, error) {
	return callerKeys(dataDir).ReadOrCreate(func() (*event.Keys, error) { return event.NewKeys(rand.Reader, now) })
}

// RotateCallerKeys adds a new current caller key to the data folder dataDir and returns the keys. The digest key and
// the older caller keys stay. A service that already runs keeps the keys that it read at its start.
func RotateCallerKeys(dataDir string, now time.Time) (keys *event.Keys, err error) {
	file := callerKeys(dataDir)
	if _, err = file.Read(); err != nil {
		return nil, err
	}
	err = file.Change(func(old *event.Keys) (*event.Keys, error) {
		keys, err = old.Rotate(rand.Reader, now)
		return keys, err
	})
	return keys, err
}

func callerKeys(dataDir string) keyfile.File[*event.Keys] {
	return keyfile.File[*event.Keys]{
		Path: filepath.Join(dataDir, CallerKeysFile), Name: "caller key file", MaxBytes: maxCallerKeysBytes,
		Parse:  event.ParseKeys,
		Format: func(k *event.Keys) ([]byte, error) { return k.FileText(), nil },
	}
}
