package auth

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

// FileName is the key file's name in the data folder.
const FileName = "api-keys.json"

// File is the key file at a path. Its methods may be called from several processes at once; changes are atomic.
type File struct {
	Path string
}

// FileIn returns the key file of the data folder dataDir.
func FileIn(dataDir string) File { return File{Path: filepath.Join(dataDir, FileName)} }

// ErrNotFound is returned by Revoke for a key that does not exist.
var ErrNotFound = errors.New("no such key")

type content struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
}

const version = 1

// List returns all keys, revoked and expired ones included, the oldest first. A file that does not exist has none.
func (f File) List() ([]Key, error) {
	keys, err := f.file().Read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return keys, err
}

func (f File) file() keyfile.File[[]Key] {
	return keyfile.File[[]Key]{Path: f.Path, Name: "key file", MaxBytes: maxFileBytes, Parse: parse, Format: format}
}

func parse(text []byte) ([]Key, error) {
	var c content
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if c.Version != version {
		return nil, fmt.Errorf("version %d is not known here; this program reads version %d", c.Version, version)
	}
	if len(c.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys, at most %d are read", len(c.Keys), maxKeys)
	}
	ids := map[string]bool{}
	for i := range c.Keys {
		k := &c.Keys[i]
		if err := k.validate(); err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if b, err := hex.DecodeString(k.SHA256); err != nil || len(b) != 32 {
			return nil, fmt.Errorf("key %d: sha256 is not 64 hexadecimal digits", i+1)
		}
		if k.ID == "" || ids[k.ID] {
			return nil, fmt.Errorf("key %d: id %q is empty or there twice", i+1, k.ID)
		}
		ids[k.ID] = true
	}
	return c.Keys, nil
}

func format(keys []Key) ([]byte, error) {
	text, err := json.Marshal(content{version, keys}, jsontext.WithIndent("  "))
	return append(text, '\n'), err
}

// Create adds a key with the name, scopes, source, centre and expiry of want and returns it with its secret, which is
// shown once and kept nowhere.
func (f File) Create(want Key, now time.Time) (Key, string, error) {
	secret := newSecret()
	h := hash(secret)
	key := Key{
		ID: "k" + hex.EncodeToString(h[:4]), Name: want.Name, Scopes: want.Scopes, Source: want.Source, Center: want.Center,
		CreatedAt: now.UTC().Truncate(time.Second), SHA256: hex.EncodeToString(h[:]),
	}
	if !want.ExpiresAt.IsZero() {
		key.ExpiresAt = want.ExpiresAt.UTC()
		if !now.Before(key.ExpiresAt) {
			return Key{}, "", fmt.Errorf("the key would expire at %s, which is past", key.ExpiresAt.Format(time.RFC3339))
		}
	}
	if err := key.validate(); err != nil {
		return Key{}, "", err
	}
	err := f.file().Change(func(keys []Key) ([]Key, error) {
		if len(keys) >= maxKeys {
			return nil, fmt.Errorf("%d keys exist, which is the limit: remove old ones from %s", len(keys), f.Path)
		}
		for i := range keys {
			if keys[i].Name == key.Name && keys[i].Live(now) {
				return nil, fmt.Errorf("a live key is named %q: revoke it or take another name", key.Name)
			}
			if keys[i].ID == key.ID {
				return nil, fmt.Errorf("id %s is taken: try again", key.ID)
			}
		}
		return append(keys, key), nil
	})
	if err != nil {
		return Key{}, "", err
	}
	keys, err := f.List()
	if err != nil {
		return Key{}, "", err
	}
	return key, secret, keyfile.KnownIn(filepath.Dir(f.Path)).Note(filepath.Base(f.Path), ids(keys), now)
}

func ids(keys []Key) (out []string) {
	for i := range keys {
		out = append(out, keys[i].ID)
	}
	return out
}

// open reads the file for a start. It refuses one that is lost: a service that lets nobody in turns every sender away,
// which some take for an end, while nobody is told.
func (f File) open(now time.Time) error {
	_, err := keyfile.ReadKnown(f.file(), keyfile.Dependent{
		What: "without its keys no sender and no reader is let in",
		Remedy: "move what is left of it aside, then monev112 key create NAME --scope SCOPE --data " + filepath.Dir(f.Path) +
			" for each of them",
		Evidence: func() bool { _, err := os.Lstat(f.Path + keyfile.LockSuffix); return err == nil }, // made by the first key
		Any:      true,
	}, ids, now)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no key was ever created
	}
	return err
}

// Revoke ends the key with the given id, or the live key of that name, at now. Revoking twice changes nothing. It
// returns ErrNotFound for a key that does not exist.
func (f File) Revoke(idOrName string, now time.Time) (Key, error) {
	// Without a key nothing is changed, not even a lock file made: that would close a service which asks for no key.
	if keys, err := f.List(); err == nil && len(keys) == 0 {
		return Key{}, fmt.Errorf("%q: %w", idOrName, ErrNotFound)
	}
	var revoked Key
	err := f.file().Change(func(keys []Key) ([]Key, error) {
		at := -1
		for i := range keys {
			if keys[i].ID == idOrName || keys[i].Name == idOrName && keys[i].Live(now) {
				at = i
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("%q: %w", idOrName, ErrNotFound)
		}
		if keys[at].RevokedAt.IsZero() {
			keys[at].RevokedAt = now.UTC().Truncate(time.Second)
		}
		revoked = keys[at]
		return keys, nil
	})
	return revoked, err
}
