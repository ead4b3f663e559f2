package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

const (
	linkKeyVersion  = 1
	linkSecretBytes = 32
	maxLinkKeys     = 512
	maxKeyFileBytes = 256 << 10
)

// LinkKeys is the file at Path that holds the keys that sign links. It lies outside of the database, has mode 0600, and
// is made on the first start. Its methods may be called from several processes at once.
type LinkKeys struct {
	Path string
}

// LinkKeysIn returns the file in the data folder dataDir.
func LinkKeysIn(dataDir string) LinkKeys { return LinkKeys{Path: filepath.Join(dataDir, LinkKeysFile)} }

// LinkKey is a key without its secret. Links are signed with the newest key of the file and checked with all of them.
type LinkKey struct {
	ID        string
	CreatedAt time.Time
}

// linkKey is a key as the file has it.
type linkKey struct {
	ID        string    `json:"id"` // 4 bytes in hexadecimal digits; stands in each link
	CreatedAt time.Time `json:"created_at"`
	Secret    string    `json:"secret"` // 32 bytes in hexadecimal digits
}

// String keeps the secret out of whatever prints a key.
func (k linkKey) String() string { return "link key " + k.ID }

// GoString keeps the secret out of whatever prints a key.
func (k linkKey) GoString() string { return k.String() }

type linkKeyContent struct {
	Version int       `json:"version"`
	Keys    []linkKey `json:"keys"`
}

// List returns the keys, the oldest first.
func (f LinkKeys) List() ([]LinkKey, error) {
	keys, err := f.file().Read()
	if err != nil {
		return nil, err
	}
	out := make([]LinkKey, len(keys))
	for i, k := range keys {
		out[i] = LinkKey{k.ID, k.CreatedAt}
	}
	return out, nil
}

// Rotate adds a new key, with which new links are signed from the next second on. The older keys stay for as long as a
// link that they signed may live, so that links that were already sent open until they expire. With drop the older keys
// go at once, and no link that was ever sent opens any more: that is for a stolen file.
func (f LinkKeys) Rotate(now time.Time, drop bool) (LinkKey, error) {
	if _, err := f.file().Read(); errors.Is(err, fs.ErrNotExist) && !drop {
		if last, _, err := keyfile.KnownIn(filepath.Dir(f.Path)).Last(filepath.Base(f.Path)); err != nil ||
			len(last.IDs) > 0 {
			return LinkKey{}, errors.Join(fmt.Errorf("%s is lost, and with it what opens the links sent before: bring it "+
				"back, or "+
				"begin with a new key: monev112 link-key begin", f.Path), err)
		}
	}
	var made linkKey
	err := f.file().Change(func(keys []linkKey) ([]linkKey, error) {
		made = newLinkKey(now)
		if drop {
			return []linkKey{made}, nil
		}
		// The clock may be behind the one that made the newest key, and the newest stands last.
		if n := len(keys); n > 0 && made.CreatedAt.Before(keys[n-1].CreatedAt) {
			made.CreatedAt = keys[n-1].CreatedAt
		}
		// A key signs until its successor is made.
		for len(keys) > 1 && now.Sub(keys[1].CreatedAt) > maxListedLife+48*time.Hour {
			keys = keys[1:]
		}
		if len(keys) >= maxLinkKeys {
			return nil, fmt.Errorf("%d link keys exist, which is the limit: wait until old ones are past, or drop them all",
				len(keys))
		}
		return append(keys, made), nil
	})
	if err != nil {
		return LinkKey{}, err
	}
	return LinkKey{made.ID, made.CreatedAt}, f.note(now)
}

// note records the keys that the file holds now, which a start expects.
func (f LinkKeys) note(now time.Time) error {
	keys, err := f.file().Read()
	if err != nil {
		return err
	}
	return keyfile.KnownIn(filepath.Dir(f.Path)).Note(filepath.Base(f.Path), linkKeyIDs(keys), now)
}

// keyring follows the file, and makes it on the first start.
func (f LinkKeys) keyring(now time.Time, log *slog.Logger) (*keyfile.Watched[keyring], error) {
	if err := f.open(now); err != nil {
		return nil, err
	}
	return keyfile.Watch(func() (keyring, error) {
		keys, err := f.file().Read()
		return newKeyring(keys), err
	}, now, log.With("component", "web"), f.Path)
}

// open reads the file for a start, and makes it on the first.
func (f LinkKeys) open(now time.Time) error {
	dataDir := filepath.Dir(f.Path)
	_, err := keyfile.ReadOrMake(f.file(), keyfile.Dependent{
		What:   "without its keys no link opens that was sent before",
		Remedy: "monev112 link-key begin --data " + dataDir,
		Evidence: func() bool {
			_, err := os.Lstat(f.Path + keyfile.LockSuffix)
			return err == nil && ingest.HasData(dataDir)
		},
		Any: true,
	}, linkKeyIDs, now, func() ([]linkKey, error) { return []linkKey{newLinkKey(now)}, nil })
	return err
}

// Begin puts a new key in the place of a file that is lost, damaged or another installation's, and records it; what
// lies there is kept aside, under the name that is returned. A dry run changes nothing.
func (f LinkKeys) Begin(now time.Time, dryRun bool) (aside string, key LinkKey, err error) {
	aside, keys, err := f.file().Begin(func() ([]linkKey, error) {
		return []linkKey{newLinkKey(now)}, nil
	}, linkKeyIDs, now,
		dryRun)
	if len(keys) > 0 {
		key = LinkKey{keys[0].ID, keys[0].CreatedAt}
	}
	return aside, key, err
}

func linkKeyIDs(keys []linkKey) (ids []string) {
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	return ids
}

func (f LinkKeys) file() keyfile.File[[]linkKey] {
	return keyfile.File[[]linkKey]{
		Path: f.Path, Name: "link key file", MaxBytes: maxKeyFileBytes, Parse: parseLinkKeys, Format: formatLinkKeys,
	}
}

func parseLinkKeys(text []byte) ([]linkKey, error) {
	var c linkKeyContent
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New("it is not the JSON that this program writes") // the error of the parser could show a secret
	}
	switch {
	case c.Version != linkKeyVersion:
		return nil, fmt.Errorf("version %d is not known here; this program reads version %d", c.Version, linkKeyVersion)
	case len(c.Keys) == 0:
		return nil, errors.New("it holds no key")
	case len(c.Keys) > maxLinkKeys:
		return nil, fmt.Errorf("%d keys, at most %d are read", len(c.Keys), maxLinkKeys)
	}
	seen := map[string]bool{}
	for i, k := range c.Keys {
		if b, err := hex.DecodeString(k.ID); err != nil || len(b) != kidBytes || seen[k.ID] {
			return nil, fmt.Errorf("key %d: its id is not %d hexadecimal digits, or is there twice", i+1, 2*kidBytes)
		}
		if b, err := hex.DecodeString(k.Secret); err != nil || len(b) != linkSecretBytes {
			return nil, fmt.Errorf("key %d: its secret is not %d hexadecimal digits", i+1, 2*linkSecretBytes)
		}
		if i > 0 && k.CreatedAt.Before(c.Keys[i-1].CreatedAt) {
			return nil, fmt.Errorf("key %d: it is older than the one before; the newest stands last", i+1)
		}
		seen[k.ID] = true
	}
	return c.Keys, nil
}

func formatLinkKeys(keys []linkKey) ([]byte, error) {
	text, err := json.Marshal(linkKeyContent{linkKeyVersion, keys}, jsontext.WithIndent("  "))
	return append(text, '\n'), err
}

func newLinkKey(now time.Time) linkKey {
	var b [kidBytes + linkSecretBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return linkKey{
		ID: hex.EncodeToString(b[:kidBytes]), CreatedAt: now.UTC().Truncate(time.Second),
		Secret: hex.EncodeToString(b[kidBytes:]),
	}
}
