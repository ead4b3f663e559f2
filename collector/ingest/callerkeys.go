package ingest

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/keyfile"
	"github.com/monev112/monev112/collector/journal"
)

// CallerKeysFile is the name, in the data folder, of the file of the keys that replace callers' numbers.
const CallerKeysFile = "caller-keys"

const maxCallerKeysBytes = 64 << 10

// CallerKeys reads the keys that replace callers' numbers from the data folder dataDir. The error wraps fs.ErrNotExist
// in a folder in which no service was started yet.
func CallerKeys(dataDir string) (*event.Keys, error) { return callerKeys(dataDir).Read() }

// ReadOrCreateCallerKeys is CallerKeys for the service itself: the first start makes the keys. It refuses to make
// others in the place of lost ones: see keyfile.ReadKnown.
func ReadOrCreateCallerKeys(dataDir string, now time.Time) (*event.Keys, error) {
	return keyfile.ReadOrMake(callerKeys(dataDir), keyfile.Dependent{
		What: "without its keys no earlier caller is recognised, and an event of before that comes again looks like a " +
			"conflict instead of a duplicate",
		Remedy:   "monev112 caller-key begin --data " + dataDir,
		Evidence: func() bool { return HasData(dataDir) },
	}, keyIDs, now, func() (*event.Keys, error) { return event.NewKeys(rand.Reader, now) })
}

// keyIDs names all keys of k.
func keyIDs(k *event.Keys) []string {
	ids, _ := k.KeyIDs()
	return append([]string{k.DigestID()}, ids...)
}

// HasData reports whether the data folder dataDir has taken an event in.
func HasData(dataDir string) bool {
	_, at, _ := CheckpointPosition(disk.OS{}, dataDir)
	return at > 0 || journal.HoldsRecords(filepath.Join(dataDir, journal.FolderName))
}

// BeginCallerKeys puts new keys in the place of those of the data folder dataDir that are lost, damaged or another
// installation's, and records it; what lies there is kept aside, under the name that is returned. It refuses to give up
// keys that are whole. A dry run changes nothing.
func BeginCallerKeys(dataDir string, now time.Time, dryRun bool) (aside string, keys *event.Keys, err error) {
	file := callerKeys(dataDir)
	if keys, err := file.Read(); err == nil {
		last, _, err := keyfile.KnownIn(dataDir).Last(CallerKeysFile)
		if err != nil {
			return "", nil, err
		}
		has := keyIDs(keys)
		if !slices.ContainsFunc(last.IDs, func(id string) bool { return !slices.Contains(has, id) }) {
			return "", nil, fmt.Errorf("%s is whole: nothing to begin; monev112 caller-key rotate adds a new current key and "+
				"keeps the earlier ones", file.Path)
		}
	}
	return file.Begin(func() (*event.Keys, error) { return event.NewKeys(rand.Reader, now) }, keyIDs, now, dryRun)
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
