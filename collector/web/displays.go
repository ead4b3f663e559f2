package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

// DisplayLinksFile is the name of the file of the links of displays in the data folder. It holds no secret.
const DisplayLinksFile = "display-links.json"

// ToWallboard is what a display's link opens: the wallboard of a centre.
const ToWallboard = "papan"

const (
	displayVersion  = 1
	maxDisplays     = 1000
	maxDisplayBytes = 1 << 20
)

// DisplayLink is one link that was made for a display on a wall. It opens while it is listed, not revoked, and not
// expired.
type DisplayLink struct {
	ID        string    `json:"id"` // stands in the link, for people: list and revoke by it
	To        string    `json:"to"` // papan
	Center    string    `json:"center"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// Live reports whether the link is neither revoked nor expired at now.
func (l *DisplayLink) Live(now time.Time) bool {
	return l.RevokedAt.IsZero() && now.Before(l.ExpiresAt)
}

// DisplayLinks are the links of displays of the data folder Dir. Its methods may be called from several processes at
// once; a running service sees a change within keyfile.Recheck.
type DisplayLinks struct{ Dir string }

type displayContent struct {
	Version int           `json:"version"`
	Links   []DisplayLink `json:"links"`
}

func (d DisplayLinks) file() keyfile.File[[]DisplayLink] {
	return keyfile.File[[]DisplayLink]{
		Path: filepath.Join(d.Dir, DisplayLinksFile), Name: "file of display links", MaxBytes: maxDisplayBytes,
		Parse: parseDisplays, Format: func(links []DisplayLink) ([]byte, error) {
			text, err := json.Marshal(displayContent{displayVersion, links}, jsontext.WithIndent("  "))
			return append(text, '\n'), err
		},
	}
}

func parseDisplays(text []byte) ([]DisplayLink, error) {
	var c displayContent
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if c.Version != displayVersion {
		return nil, fmt.Errorf("version %d is not known here; this program reads version %d", c.Version, displayVersion)
	}
	return c.Links, nil
}

// List returns all links, revoked and expired ones included, the oldest first.
func (d DisplayLinks) List() ([]DisplayLink, error) {
	links, err := d.file().Read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return links, err
}

// Create makes a link to the wallboard of a centre and returns it with its token. Expired links are forgotten.
func (d DisplayLinks) Create(center string, lifetime time.Duration, now time.Time) (DisplayLink, string, error) {
	if lifetime < time.Minute || lifetime > maxDisplay {
		return DisplayLink{}, "", fmt.Errorf("a link for %s: use one minute to %d days", lifetime, maxDisplay/(24*time.Hour))
	}
	keys, err := LinkKeysIn(d.Dir).keyring(now, slog.New(slog.DiscardHandler))
	if err != nil {
		return DisplayLink{}, "", err
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	now = now.UTC().Truncate(time.Second)
	link := DisplayLink{
		ID: "d" + hex.EncodeToString(b[:]), To: ToWallboard, Center: center, CreatedAt: now, ExpiresAt: now.Add(lifetime),
	}
	token := keys.Get(now).sign(target{kind: kindDisplay, center: center, id: link.ID, expires: link.ExpiresAt})
	if token == "" {
		return DisplayLink{}, "", fmt.Errorf("centre %q cannot be named in a link", center)
	}
	err = d.file().Change(func(links []DisplayLink) ([]DisplayLink, error) {
		links = slices.DeleteFunc(links, func(l DisplayLink) bool { return !now.Before(l.ExpiresAt) })
		if len(links) >= maxDisplays {
			return nil, fmt.Errorf("%d links exist, which is the limit: wait until some expire", len(links))
		}
		if slices.ContainsFunc(links, func(l DisplayLink) bool { return l.ID == link.ID }) {
			return nil, fmt.Errorf("id %s is taken: try again", link.ID)
		}
		return append(links, link), nil
	})
	return link, token, err
}

// ErrNoLink is returned by Revoke for a link that does not exist.
var ErrNoLink = errors.New("no such link")

// Revoke ends the link with that id at now. Revoking twice changes nothing.
func (d DisplayLinks) Revoke(id string, now time.Time) (revoked DisplayLink, err error) {
	links, err := d.List()
	if err != nil {
		return DisplayLink{}, err
	}
	is := func(l DisplayLink) bool { return l.ID == id }
	if !slices.ContainsFunc(links, is) {
		return DisplayLink{}, fmt.Errorf("%q: %w", id, ErrNoLink)
	}
	err = d.file().Change(func(links []DisplayLink) ([]DisplayLink, error) {
		i := slices.IndexFunc(links, is)
		if i < 0 {
			return nil, fmt.Errorf("%q: %w", id, ErrNoLink)
		}
		if links[i].RevokedAt.IsZero() {
			links[i].RevokedAt = now.UTC().Truncate(time.Second)
		}
		revoked = links[i]
		return links, nil
	})
	return revoked, err
}

// Displays tells a running service what the link of a display opens. It is safe for concurrent use.
type Displays struct {
	keys  *keyfile.Watched[keyring]
	links *keyfile.Watched[map[string]DisplayLink]
}

// OpenDisplays reads the links of the data folder dir, and follows them.
func OpenDisplays(dir string, now time.Time, log *slog.Logger) (*Displays, error) {
	keys, err := LinkKeysIn(dir).keyring(now, log)
	if err != nil {
		return nil, err
	}
	d := DisplayLinks{dir}
	links, err := keyfile.Watch(func() (map[string]DisplayLink, error) {
		list, err := d.List()
		byID := make(map[string]DisplayLink, len(list))
		for _, l := range list {
			byID[l.ID] = l
		}
		return byID, err
	}, now, log.With("component", "web"), d.file().Path)
	if err != nil {
		return nil, err
	}
	return &Displays{keys, links}, nil
}

// Open returns the link that a token is, while it opens.
func (d *Displays) Open(token string, now time.Time) (DisplayLink, bool) {
	t, err := d.keys.Get(now).open(token, now)
	if err != nil || t.kind != kindDisplay {
		return DisplayLink{}, false
	}
	l, listed := d.links.Get(now)[t.id]
	return l, listed && l.Center == t.center && l.Live(now)
}
