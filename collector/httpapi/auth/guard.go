package auth

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/monev112/monev112/collector/internal/keyfile"
)

// Guard tells a running service whose key a request carries. It follows the key file, so that a revoked key works at
// most keyfile.Recheck longer, and is safe for concurrent use.
type Guard struct {
	now     func() time.Time
	enabled atomic.Bool // a key exists or existed
	keys    *keyfile.Watched[map[[sha256.Size]byte]*Key]
}

// Open is NewGuard for a service that starts on the data folder dataDir and listens on listen. It refuses a key file
// that is lost or another installation's, and an address that others can reach while no key exists.
func Open(dataDir, listen string, now func() time.Time, log *slog.Logger) (*Guard, error) {
	f := FileIn(dataDir)
	if err := f.open(now()); err != nil {
		return nil, err
	}
	g, err := NewGuard(f.Path, now, log)
	if err != nil {
		return nil, err
	}
	if err := CheckListen(listen, !g.AuthDisabled()); err != nil {
		return nil, err
	}
	if g.AuthDisabled() {
		log.Warn("no API keys: authentication disabled, listening on loopback only", "component", "auth")
	}
	return g, nil
}

// NewGuard reads the key file at path; without one authentication is disabled. now is the service's clock. The log
// says when a changed file could not be read; nil discards.
func NewGuard(path string, now func() time.Time, log *slog.Logger) (*Guard, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Guard{now: now}
	if _, err := os.Lstat(path + keyfile.LockSuffix); err == nil {
		g.enabled.Store(true) // keys were created here: a lost key file must not open the service
	}
	read := func() (map[[sha256.Size]byte]*Key, error) {
		keys, err := File{path}.List()
		byHash := make(map[[sha256.Size]byte]*Key, len(keys))
		for i := range keys {
			byHash[keys[i].storedHash()] = &keys[i]
		}
		if len(keys) > 0 {
			g.enabled.Store(true)
		}
		return byHash, err
	}
	var err error
	g.keys, err = keyfile.Watch(read, now(), log.With("component", "auth"), path)
	return g, err
}

// AuthDisabled reports that no key was ever created, so that none is asked for.
func (g *Guard) AuthDisabled() bool {
	g.keys.Get(g.now())
	return !g.enabled.Load()
}

// Authenticate returns the live key that secret is, or false. The time it takes tells nothing about other keys: the
// look-up is by the hash of the secret.
func (g *Guard) Authenticate(secret string) (*Key, bool) {
	if !strings.HasPrefix(secret, Prefix) || len(secret) > maxSecretBytes {
		return nil, false
	}
	now := g.now()
	if k := g.keys.Get(now)[hash(secret)]; k != nil && k.Live(now) {
		return k, true
	}
	return nil, false
}

// Current returns a key that passed before as the file has it now, or false once it was revoked or has expired.
func (g *Guard) Current(before *Key) (*Key, bool) {
	now := g.now()
	if k := g.keys.Get(now)[before.storedHash()]; k != nil && k.Live(now) {
		return k, true
	}
	return nil, false
}

// SecretOf returns the key that a request carries in its header, empty when there is none.
func SecretOf(r *http.Request) string {
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	return r.Header.Get("X-Api-Key")
}

// CheckListen refuses an address that others can reach while no key exists.
func CheckListen(addr string, haveKeys bool) error {
	if haveKeys || Loopback(addr) {
		return nil
	}
	return fmt.Errorf("no API key exists, so the service may listen on loopback only, not on %q: "+
		"create a key (monev112 key create) or listen on 127.0.0.1", addr)
}

// Loopback reports whether addr (host:port, or a host alone) names this machine's loopback and nothing else.
func Loopback(addr string) bool {
	host := addr
	if h, _, err := net.SplitHostPort(addr); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
