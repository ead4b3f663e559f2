package web

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/keyfile"
)

// Bounds of links.
const (
	defaultLifetime = 7 * 24 * time.Hour
	minLifetime     = 24 * time.Hour
	maxLifetime     = 31 * 24 * time.Hour  // of a link in an alert
	maxListedLife   = 400 * 24 * time.Hour // of a link that is listed: of a display, or of a person
	maxLinkBytes    = 400                  // a link stands in an annotation of an alert
	maxURLBytes     = 100                  // of the public URL

	// LinkKeysFile is the name of the key file in the data folder.
	LinkKeysFile = "link-keys.json"
)

// A token is the base64url form, without padding, of
//
//	version (1 byte, 1) | key id (4) | kind (1: 'l' list, 't' ticket, 'd' display, 'r' report, 'o' person) | expiry
//	(4, seconds since 1970, big endian) | length of center (1) | center | length of opd (1, 0 for a display or report) |
//	opd | id (the rest: of the ticket, empty for a list, of the link for a display or a person, month/edition of a
//	report) | MAC (16)
//
// where MAC is the first 16 bytes of HMAC-SHA256 of "monev112 link" | 0 | all that stands before it.
const (
	tokenVersion = 1
	kidBytes     = 4
	macBytes     = 16
	headBytes    = 1 + kidBytes + 1 + 4
	kindList     = 'l'
	kindTicket   = 't'
	kindDisplay  = 'd'
	kindReport   = 'r'
	kindPerson   = 'o'
)

// LinkConfig is what Links are made of. File and PublicURL are required.
type LinkConfig struct {
	File string // key file, made when there is none
	// PublicURL is where telephones reach the service: https://host or https://host/folder; http only for loopback.
	PublicURL string
	Lifetime  time.Duration // of a link; 0 is defaultLifetime
	Log       *slog.Logger  // says when a changed key file cannot be read; nil discards
}

// Check refuses a configuration that cannot work, without touching the key file.
func (c *LinkConfig) Check() error {
	if c.Lifetime != 0 && (c.Lifetime < minLifetime || c.Lifetime > maxLifetime) {
		return fmt.Errorf("lifetime of links %s: use %s to %s", c.Lifetime, minLifetime, maxLifetime)
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return fmt.Errorf("public_url %q: use https://host or https://host/folder", c.PublicURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !auth.Loopback(u.Host)):
		return fmt.Errorf("public_url %q: use https: who reads a link on its way may use it", c.PublicURL)
	case len(c.PublicURL) > maxURLBytes:
		return fmt.Errorf("public_url has %d bytes; at most %d leave room for the link", len(c.PublicURL), maxURLBytes)
	}
	return nil
}

// Base is the address below which the pages behind links lie, ending in a slash; empty when nobody could reach them.
func (l *Links) Base() string {
	if l == nil {
		return ""
	}
	return l.base
}

// Links makes and checks the links that alerts carry. Who has a link may see what it names until it expires, and
// nothing else; it is bound to one centre and one OPD. It is safe for concurrent use.
type Links struct {
	base     string // a link without its token
	lifetime time.Duration
	keys     *keyfile.Watched[keyring] // a dropped key works at most keyfile.Recheck longer
}

// keyring is the content of the key file, ready for use.
type keyring struct {
	current keyID // signs
	secrets map[keyID][]byte
}

type keyID [kidBytes]byte

// NewLinks reads the key file, or makes it.
func NewLinks(cfg LinkConfig, now time.Time) (*Links, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	keys, err := LinkKeys{cfg.File}.keyring(now, log)
	if err != nil {
		return nil, err
	}
	return &Links{
		base: strings.TrimRight(cfg.PublicURL, "/") + "/p/", lifetime: cmp.Or(cfg.Lifetime, defaultLifetime), keys: keys,
	}, nil
}

func newKeyring(keys []linkKey) (r keyring) {
	r.secrets = make(map[keyID][]byte, len(keys))
	for _, k := range keys {
		id, _ := hex.DecodeString(k.ID) // parseLinkKeys has checked both
		r.current = keyID(id)
		r.secrets[r.current], _ = hex.DecodeString(k.Secret)
	}
	return r
}

// List returns the link to the list of an OPD's late tickets; opd is the directory's id. It is the same all day (by the
// clock of WIB), because an alert that changes is sent again. It is empty when it would be longer than maxLinkBytes.
func (l *Links) List(center, opd string, now time.Time) string {
	return l.link(target{kind: kindList, center: center, opd: opd, expires: l.expiry(now)}, now)
}

// Ticket returns the link to one ticket as that OPD sees it, likewise stable for a day.
func (l *Links) Ticket(center, opd, id string, now time.Time) string {
	return l.link(target{kind: kindTicket, center: center, opd: opd, id: id, expires: l.expiry(now)}, now)
}

// Report returns the link to a report that was handed out. Who has it sees the report whole and nothing else.
func (l *Links) Report(center, month string, edition int, now time.Time) string {
	return l.link(target{kind: kindReport, center: center, id: fmt.Sprintf("%s/%d", month, edition),
		expires: l.expiry(now)}, now)
}

// expiry is the end of the day in WIB at which the lifetime of a link that is made now ends.
func (l *Links) expiry(now time.Time) time.Time {
	const day = 24 * time.Hour
	const wib = 7 * time.Hour
	return now.Add(l.lifetime + wib).Truncate(day).Add(day - wib)
}

// target is what a link names.
type target struct {
	kind        byte
	center, opd string
	id          string // of the ticket; empty for a list
	expires     time.Time
}

func (l *Links) link(t target, now time.Time) string {
	token := l.sign(t, now)
	if token == "" || len(l.base)+len(token) > maxLinkBytes {
		return ""
	}
	return l.base + token
}

func (l *Links) sign(t target, now time.Time) string { return l.keys.Get(now).sign(t) }

// open returns what the token of an alert's link names.
func (l *Links) open(token string, now time.Time) (target, error) {
	if l == nil {
		return target{}, errLink
	}
	t, err := l.keys.Get(now).open(token, now)
	if t.kind == kindDisplay || t.kind == kindPerson { // these are listed, and open while they stand there
		return target{}, errLink
	}
	return t, err
}

// named reports whether the target names what its kind does.
func (t *target) named() bool {
	switch t.kind {
	case kindList:
		return t.opd != "" && t.id == ""
	case kindTicket, kindPerson:
		return t.opd != "" && t.id != ""
	}
	return (t.kind == kindDisplay || t.kind == kindReport) && t.opd == "" && t.id != ""
}

// sign returns the token of a target, empty when the target cannot be named.
func (r keyring) sign(t target) string {
	if t.center == "" || len(t.center) > 255 || len(t.opd) > 255 || len(t.id) > event.MaxIDBytes || !t.named() {
		return ""
	}
	b := append([]byte{tokenVersion}, r.current[:]...)
	b = append(b, t.kind)
	b = binary.BigEndian.AppendUint32(b, uint32(t.expires.Unix()))
	b = append(append(b, byte(len(t.center))), t.center...)
	b = append(append(b, byte(len(t.opd))), t.opd...)
	b = append(b, t.id...)
	b = append(b, mac(r.secrets[r.current], "link", b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// errLink is the one answer to a link that does not open: it does not tell why.
var errLink = errors.New("the link is not valid or has expired")

// open returns what a token names. It compares in constant time.
func (r keyring) open(token string, now time.Time) (target, error) {
	if len(token) > maxLinkBytes {
		return target{}, errLink
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < headBytes+2+macBytes || b[0] != tokenVersion {
		return target{}, errLink
	}
	secret := r.secrets[keyID(b[1:1+kidBytes])]
	got, body := b[len(b)-macBytes:], b[:len(b)-macBytes]
	if secret == nil || !hmac.Equal(got, mac(secret, "link", body)) {
		return target{}, errLink
	}
	t := target{kind: body[1+kidBytes], expires: time.Unix(int64(binary.BigEndian.Uint32(body[headBytes-4:headBytes])), 0)}
	rest, ok := body[headBytes:], true
	cut := func() (s string) {
		if len(rest) == 0 || len(rest) < 1+int(rest[0]) {
			ok = false
			return ""
		}
		n := 1 + int(rest[0])
		s, rest = string(rest[1:n]), rest[n:]
		return s
	}
	t.center, t.opd, t.id = cut(), cut(), string(rest)
	if !ok || !now.Before(t.expires) || !t.named() {
		return target{}, errLink
	}
	return t, nil
}

// formKey returns what a page puts into its form, so that the button works on that page alone: link is its address
// below the folder, which begins with token; stay says which state of the ticket was shown. It is empty for a token
// that does not open.
func (r keyring) formKey(token, link, stay string) string {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < headBytes {
		return ""
	}
	secret := r.secrets[keyID(b[1:1+kidBytes])]
	if secret == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(mac(secret, "form", []byte(link+"\x00"+stay)))
}

// checkForm reports whether got is the formKey of the same page and state. It compares in constant time.
func (r keyring) checkForm(token, link, stay, got string) bool {
	want := r.formKey(token, link, stay)
	return want != "" && hmac.Equal([]byte(want), []byte(got))
}

// linkID names a link in the record of reads without opening it.
func linkID(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:6])
}

func mac(secret []byte, use string, text []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("monev112 " + use + "\x00"))
	h.Write(text)
	return h.Sum(nil)[:macBytes]
}
