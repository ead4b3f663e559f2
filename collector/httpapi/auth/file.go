package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/flock"

	"github.com/monev112/monev112/collector/internal/disk"
)

// FileName is the key file's usual name in the data folder.
const FileName = "api-keys.json"

// File is the key file at a path. Its methods may be called from several processes at once; changes are atomic.
type File struct {
	Path string
}

// ErrNotFound is returned by Revoke for a key that does not exist.
var ErrNotFound = errors.New("no such key")

type content struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
}

const version = 1

// List returns all keys, revoked and expired ones included, the oldest first. A file that does not exist has none.
func (f File) List() ([]Key, error) {
	text, err := disk.ReadPrivate(f.Path, maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	keys, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", f.Path, err)
	}
	return keys, nil
}

func parse(text []byte) ([]Key, error) {
	var c content
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if c.Version != version {
		return nil, fmt.Errorf("version %d is not known here; this program reads version %d", c.Version, version)
	}
	if len(c.Keys) > MaxKeys {
		return nil, fmt.Errorf("%d keys, at most %d are read", len(c.Keys), MaxKeys)
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

// Create adds a key with the name, scopes, source, centre and expiry of want and returns it with its secret, which is
// shown once and kept nowhere.
func (f File) Create(want Key, now time.Time) (Key, string, error) {
	return f.create(want, now, defaultRandom())
}

func (f File) create(want Key, now time.Time, random io.Reader) (Key, string, error) {
	secret, err := newSecret(random)
	if err != nil {
		return Key{}, "", err
	}
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
	err = f.change(func(keys []Key) ([]Key, error) {
		if len(keys) >= MaxKeys {
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
	return key, secret, nil
}

// Revoke ends the key with the given id, or the live key of that name, at now. Revoking twice changes nothing. It
// returns ErrNotFound for a key that does not exist.
func (f File) Revoke(idOrName string, now time.Time) (Key, error) {
	// Without a key nothing is changed, not even a lock file made: that would close a service which asks for no key.
	if keys, err := f.List(); err == nil && len(keys) == 0 {
		return Key{}, fmt.Errorf("%q: %w", idOrName, ErrNotFound)
	}
	var revoked Key
	err := f.change(func(keys []Key) ([]Key, error) {
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

// change reads, edits and replaces the file under a lock of its own. The new file is complete on disk before it takes
// the name.
func (f File) change(edit func([]Key) ([]Key, error)) error {
	lock := flock.New(f.Path+".lock", flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the key file: %w", err)
	}
	defer lock.Unlock()
	if err := disk.GiveToFolder(lock.Path()); err != nil {
		return fmt.Errorf("lock the key file: %w", err)
	}
	keys, err := f.List()
	if err != nil {
		return err
	}
	if keys, err = edit(keys); err != nil {
		return err
	}
	text, err := json.Marshal(content{version, keys}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	return disk.Replace(disk.Owned{}, f.Path, 0o600, func(w io.Writer) error {
		_, err := w.Write(append(bytes.TrimSpace(text), '\n'))
		return err
	})
}
