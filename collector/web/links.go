package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/auth"
)

// Bounds of links.
const (
	DefaultLifetime = 7 * 24 * time.Hour
	MinLifetime     = 24 * time.Hour
	MaxLifetime     = 31 * 24 * time.Hour
	MaxLinkBytes    = 400 // a link stands in an annotation of an alert
	MaxURLBytes     = 100 // of the public URL

	// DefaultLinkKeysFile is the usual name of the key file in the data folder.
	DefaultLinkKeysFile = "link-keys.json"
)

// A token is the base64url form, without padding, of
//
//	version (1 byte, 1) | key id (4) | kind (1: 'l' list, 't' ticket) | expiry (4, seconds since 1970, big endian)
//	| length of center (1) | center | length of opd (1) | opd | ticket id (the rest, empty for a list) | MAC (16)
//
// where MAC is the first 16 bytes of HMAC-SHA256 of "monev112 link" | 0 | all that stands before it.
const (
	tokenVersion = 1
	kidBytes     = 4
	macBytes     = 16
	headBytes    = 1 + kidBytes + 1 + 4
	kindList     = 'l'
	kindTicket   = 't'
)

// LinkConfig is what Links are made of. File and PublicURL are required.
type LinkConfig struct {
	File string // key file, made when there is none
	// PublicURL is where telephones reach the service: https://host or https://host/folder; http only for loopback.
	PublicURL string
	Lifetime  time.Duration // of a link; 0 is DefaultLifetime
	Log       *slog.Logger  // hears of a changed key file that could not be read; nil discards
}

// Check refuses a configuration that cannot work, without touching the key file.
func (c *LinkConfig) Check() error {
	if c.Lifetime != 0 && (c.Lifetime < MinLifetime || c.Lifetime > MaxLifetime) {
		return fmt.Errorf("lifetime of links %s: use %s to %s", c.Lifetime, MinLifetime, MaxLifetime)
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return fmt.Errorf("public_url %q: use https://host or https://host/folder", c.PublicURL)
	case u.Scheme != "https" && (u.Scheme != "http" || !auth.Loopback(u.Host)):
		return fmt.Errorf("public_url %q: use https: who reads a link on its way may use it", c.PublicURL)
	case len(c.PublicURL) > MaxURLBytes:
		return fmt.Errorf("public_url has %d bytes; at most %d leave room for the link", len(c.PublicURL), MaxURLBytes)
	}
	return nil
}

// Links makes and checks the links that alerts carry. Who has a link may see what it names until it expires, and
// nothing else; it is bound to one centre and one OPD. It is safe for concurrent use.
type Links struct {
	keys     LinkKeys
	base     string
	lifetime time.Duration
	log      *slog.Logger

	mu      sync.RWMutex
	checked time.Time
	stamp   string
	current linkKey
	secrets map[[kidBytes]byte][]byte
}

// NewLinks reads the key file, or makes it.
func NewLinks(cfg LinkConfig, now time.Time) (*Links, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	l := &Links{
		keys: LinkKeys{cfg.File}, base: strings.TrimRight(cfg.PublicURL, "/") + "/p/", lifetime: cfg.Lifetime, log: cfg.Log,
	}
	if l.lifetime == 0 {
		l.lifetime = DefaultLifetime
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	keys, err := l.keys.loadOrCreate(now)
	if err != nil {
		return nil, err
	}
	l.take(keys, l.look(), now)
	return l, nil
}

// List returns the link to the list of an OPD's late tickets; opd is the directory's id. It is the same all day (by the
// clock of WIB), because an alert that changes is sent again. It is empty when it would be longer than MaxLinkBytes.
func (l *Links) List(center, opd string, now time.Time) string {
	return l.link(target{kind: kindList, center: center, opd: opd, expires: l.expiry(now)}, now)
}

// Ticket returns the link to one ticket as that OPD sees it, likewise stable for a day.
func (l *Links) Ticket(center, opd, id string, now time.Time) string {
	return l.link(target{kind: kindTicket, center: center, opd: opd, id: id, expires: l.expiry(now)}, now)
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
	if token == "" || len(l.base)+len(token) > MaxLinkBytes {
		return ""
	}
	return l.base + token
}

// sign returns the token of a target, empty when the target cannot be named.
func (l *Links) sign(t target, now time.Time) string {
	if t.center == "" || t.opd == "" || len(t.center) > 255 || len(t.opd) > 255 || len(t.id) > event.MaxIDBytes ||
		(t.id == "") != (t.kind == kindList) {
		return ""
	}
	l.refresh(now)
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := []byte{tokenVersion}
	kid, err := hex.AppendDecode(nil, []byte(l.current.ID))
	if err != nil {
		return "" // the file was checked
	}
	b = append(append(b, kid...), t.kind)
	b = binary.BigEndian.AppendUint32(b, uint32(t.expires.Unix()))
	b = append(append(b, byte(len(t.center))), t.center...)
	b = append(append(b, byte(len(t.opd))), t.opd...)
	b = append(b, t.id...)
	b = append(b, mac(l.secrets[[kidBytes]byte(kid)], "link", b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// errLink is the one answer to a link that does not open: it does not tell why.
var errLink = errors.New("the link is not valid or has expired")

// open returns what a token names. It compares in constant time.
func (l *Links) open(token string, now time.Time) (target, error) {
	if len(token) > MaxLinkBytes {
		return target{}, errLink
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < headBytes+2+macBytes || b[0] != tokenVersion {
		return target{}, errLink
	}
	l.refresh(now)
	l.mu.RLock()
	secret := l.secrets[[kidBytes]byte(b[1:1+kidBytes])]
	l.mu.RUnlock()
	said, body := b[len(b)-macBytes:], b[:len(b)-macBytes]
	if secret == nil || !hmac.Equal(said, mac(secret, "link", body)) {
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
	if !ok || !now.Before(t.expires) || (t.kind != kindList && t.kind != kindTicket) ||
		(t.id == "") != (t.kind == kindList) {
		return target{}, errLink
	}
	return t, nil
}

// form returns what the page behind token puts into its form, so that the button works on that page alone: what says
// which state of the ticket was shown.
func (l *Links) form(token, what string) string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < headBytes {
		return ""
	}
	secret := l.secrets[[kidBytes]byte(b[1:1+kidBytes])]
	if secret == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(mac(secret, "form", []byte(token+"\x00"+what)))
}

// checkForm reports whether said is what form returned for the same page and state. It compares in constant time.
func (l *Links) checkForm(token, what, said string) bool {
	want := l.form(token, what)
	return want != "" && hmac.Equal([]byte(want), []byte(said))
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

// recheck is how often the key file is looked at: a dropped key works at most that much longer.
const recheck = time.Second

func (l *Links) look() string {
	info, err := os.Stat(l.keys.Path)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size(), info.Mode())
}

func (l *Links) take(keys []linkKey, stamp string, now time.Time) {
	secrets := map[[kidBytes]byte][]byte{}
	for _, k := range keys {
		kid, _ := hex.DecodeString(k.ID) // parseLinkKeys has checked both
		secret, _ := hex.DecodeString(k.Secret)
		secrets[[kidBytes]byte(kid)] = secret
	}
	l.current, l.secrets, l.stamp, l.checked = keys[len(keys)-1], secrets, stamp, now
}

// refresh reads the key file again when it changed. A file that cannot be read leaves the keys as they were.
func (l *Links) refresh(now time.Time) {
	l.mu.RLock()
	fresh := now.Sub(l.checked) < recheck && !now.Before(l.checked)
	l.mu.RUnlock()
	if fresh {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checked = now
	stamp := l.look()
	if stamp == l.stamp {
		return
	}
	keys, err := l.keys.read()
	if err != nil {
		l.stamp = stamp
		l.log.Error("the changed link key file cannot be read; the keys stay as they were", "error", err)
		return
	}
	l.take(keys, stamp, now)
	l.log.Info("the link key file was read again", "keys", len(keys))
}
