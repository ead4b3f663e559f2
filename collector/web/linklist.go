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
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

// LinkListFile is the name of the file of listed links, of displays and of persons, in the data folder. It holds no
// secret.
const LinkListFile = "display-links.json"

// What a listed link opens: the wallboard of a centre, or the pages of one OPD of a centre.
const (
	ToWallboard = "papan"
	ToOPD       = "opd"
)

const (
	linkListVersion  = 1
	maxListedLinks   = 1000
	maxLinkListBytes = 1 << 20
	maxHolderBytes   = 64
)

// ListedLink is one link that was made for a display on a wall, or for a person of an OPD. It opens while it is
// listed, not revoked, and not expired.
type ListedLink struct {
	ID        string    `json:"id"` // stands in the link, for people: list and revoke by it
	To        string    `json:"to"` // ToWallboard or ToOPD
	Center    string    `json:"center"`
	OPD       string    `json:"opd,omitzero"`  // id in the directory
	Name      string    `json:"name,omitzero"` // of the holder, written down with what is recorded through the link
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// Live reports whether the link is neither revoked nor expired at now.
func (l *ListedLink) Live(now time.Time) bool {
	return l.RevokedAt.IsZero() && now.Before(l.ExpiresAt)
}

// LinkList are the listed links of the data folder Dir. Its methods may be called from several processes at once; a
// running service sees a change at the next request.
type LinkList struct{ Dir string }

type linkListContent struct {
	Version int          `json:"version"`
	Links   []ListedLink `json:"links"`
}

func (d LinkList) file() keyfile.File[[]ListedLink] {
	return keyfile.File[[]ListedLink]{
		Path: filepath.Join(d.Dir, LinkListFile), Name: "file of listed links", MaxBytes: maxLinkListBytes,
		Parse: parseLinkList, Format: func(links []ListedLink) ([]byte, error) {
			text, err := json.Marshal(linkListContent{linkListVersion, links}, jsontext.WithIndent("  "))
			return append(text, '\n'), err
		},
	}
}

func parseLinkList(text []byte) ([]ListedLink, error) {
	var c linkListContent
	if err := json.Unmarshal(text, &c, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if c.Version != linkListVersion {
		return nil, fmt.Errorf("version %d is not known here; this program reads version %d", c.Version, linkListVersion)
	}
	return c.Links, nil
}

// List returns all links, revoked and expired ones included, the oldest first.
func (d LinkList) List() ([]ListedLink, error) {
	links, err := d.file().Read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return links, err
}

// Create makes a link to the wallboard of a centre and returns it with its token. Expired links are forgotten.
func (d LinkList) Create(center string, lifetime time.Duration, now time.Time) (ListedLink, string, error) {
	return d.create(ListedLink{To: ToWallboard, Center: center}, lifetime, now)
}

// CreateOPD makes a link to the pages of an OPD for a person, and returns it with its token: opd is the directory's id,
// name the holder's, best an office such as "Kepala Dinas Perhubungan".
func (d LinkList) CreateOPD(center, opd, name string, lifetime time.Duration, now time.Time) (ListedLink, string,
	error) {
	if n := len(name); n == 0 || n > maxHolderBytes || strings.TrimSpace(name) != name || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) || event.HoldsNumber(name) ||
		strings.HasPrefix(name, byLink) {
		return ListedLink{}, "", fmt.Errorf("name %q: use 1 to %d printable characters without a telephone or identity "+
			"number, best an office such as Kepala Dinas Perhubungan", name, maxHolderBytes)
	}
	return d.create(ListedLink{To: ToOPD, Center: center, OPD: opd, Name: name}, lifetime, now)
}

func (d LinkList) create(link ListedLink, lifetime time.Duration, now time.Time) (ListedLink, string, error) {
	if lifetime < time.Minute || lifetime > maxListedLife {
		return ListedLink{}, "", fmt.Errorf("a link for %s: use one minute to %d days", lifetime,
			maxListedLife/(24*time.Hour))
	}
	keys, err := LinkKeysIn(d.Dir).keyring(now, slog.New(slog.DiscardHandler))
	if err != nil {
		return ListedLink{}, "", err
	}
	kind, letter := byte(kindDisplay), "d"
	if link.To == ToOPD {
		kind, letter = kindPerson, "o"
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	now = now.UTC().Truncate(time.Second)
	link.ID, link.CreatedAt, link.ExpiresAt = letter+hex.EncodeToString(b[:]), now, now.Add(lifetime)
	token := keys.Get(now).sign(target{
		kind: kind, center: link.Center, opd: link.OPD, id: link.ID, expires: link.ExpiresAt,
	})
	if token == "" {
		return ListedLink{}, "", fmt.Errorf("centre %q and OPD %q cannot be named in a link", link.Center, link.OPD)
	}
	err = d.file().Change(func(links []ListedLink) ([]ListedLink, error) {
		links = slices.DeleteFunc(links, func(l ListedLink) bool { return !now.Before(l.ExpiresAt) })
		if len(links) >= maxListedLinks {
			return nil, fmt.Errorf("%d links exist, which is the limit: wait until some expire", len(links))
		}
		if slices.ContainsFunc(links, func(l ListedLink) bool { return l.ID == link.ID }) {
			return nil, fmt.Errorf("id %s is taken: try again", link.ID)
		}
		return append(links, link), nil
	})
	return link, token, err
}

// ErrNoLink is returned by Revoke for a link that does not exist.
var ErrNoLink = errors.New("no such link")

// Revoke ends the link with that id at now. Revoking twice changes nothing.
func (d LinkList) Revoke(id string, now time.Time) (revoked ListedLink, err error) {
	links, err := d.List()
	if err != nil {
		return ListedLink{}, err
	}
	is := func(l ListedLink) bool { return l.ID == id }
	if !slices.ContainsFunc(links, is) {
		return ListedLink{}, fmt.Errorf("%q: %w", id, ErrNoLink)
	}
	err = d.file().Change(func(links []ListedLink) ([]ListedLink, error) {
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

// ListedLinks tells a running service what a listed link opens. It is safe for concurrent use.
type ListedLinks struct {
	keys  *keyfile.Watched[keyring]
	links *keyfile.Watched[map[string]ListedLink]
}

// OpenListedLinks reads the listed links of the data folder dir, and follows them.
func OpenListedLinks(dir string, now time.Time, log *slog.Logger) (*ListedLinks, error) {
	keys, err := LinkKeysIn(dir).keyring(now, log)
	if err != nil {
		return nil, err
	}
	d := LinkList{dir}
	links, err := keyfile.Watch(func() (map[string]ListedLink, error) {
		list, err := d.List()
		byID := make(map[string]ListedLink, len(list))
		for _, l := range list {
			byID[l.ID] = l
		}
		return byID, err
	}, now, log.With("component", "web"), d.file().Path)
	if err != nil {
		return nil, err
	}
	return &ListedLinks{keys, links}, nil
}

// OpenWallboard returns the link of a display that a token is, while it opens.
func (d *ListedLinks) OpenWallboard(token string, now time.Time) (ListedLink, bool) {
	return d.listed(token, kindDisplay, now)
}

// OpenOPD returns the link of a person that a token is, while it opens.
func (d *ListedLinks) OpenOPD(token string, now time.Time) (ListedLink, bool) {
	return d.listed(token, kindPerson, now)
}

func (d *ListedLinks) listed(token string, kind byte, now time.Time) (ListedLink, bool) {
	t, err := d.keys.Get(now).open(token, now)
	if err != nil || t.kind != kind {
		return ListedLink{}, false
	}
	l, listed := d.links.Fresh(now)[t.id]
	return l, listed && l.Center == t.center && l.OPD == t.opd && l.Live(now)
}
