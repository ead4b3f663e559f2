package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// recheck is how often a guard looks whether the file changed: a revoked key works at most that much longer.
const recheck = time.Second

// Guard answers, for a running service, who a key belongs to. It is safe for concurrent use.
type Guard struct {
	file   File
	now    func() time.Time
	logger *slog.Logger

	mu      sync.RWMutex
	checked time.Time
	stamp   stamp
	closed  bool // a key exists or existed
	keys    map[[sha256.Size]byte]*Key
}

// stamp tells one state of the file from another.
type stamp struct {
	info fs.FileInfo
	err  string
}

func (s stamp) same(o stamp) bool {
	if s.err != o.err || (s.info == nil) != (o.info == nil) {
		return false
	}
	return s.info == nil || os.SameFile(s.info, o.info) && s.info.ModTime().Equal(o.info.ModTime()) &&
		s.info.Size() == o.info.Size() && s.info.Mode() == o.info.Mode()
}

// NewGuard reads the key file at path; a file that does not exist leaves the service open. now is the service's clock
// and logger hears of a change that could not be read.
func NewGuard(path string, now func() time.Time, logger *slog.Logger) (*Guard, error) {
	g := &Guard{file: File{path}, now: now, logger: logger}
	if g.logger == nil {
		g.logger = slog.New(slog.DiscardHandler)
	}
	if _, err := os.Lstat(path + ".lock"); err == nil {
		g.closed = true // keys were created here: a lost key file must not open the service
	}
	st := look(path)
	keys, err := g.file.List()
	if err != nil {
		return nil, err
	}
	g.take(keys, st, now())
	return g, nil
}

func look(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return stamp{err: "absent"}
		}
		return stamp{err: err.Error()}
	}
	return stamp{info: info}
}

func (g *Guard) take(keys []Key, st stamp, now time.Time) {
	m := make(map[[sha256.Size]byte]*Key, len(keys))
	for i := range keys {
		var h [sha256.Size]byte
		if _, err := hex.Decode(h[:], []byte(keys[i].SHA256)); err != nil {
			continue // parse has checked it
		}
		m[h] = &keys[i]
	}
	g.keys, g.stamp, g.checked = m, st, now
	g.closed = g.closed || len(keys) > 0
}

// Open reports whether no key was ever created, so that no key is asked for.
func (g *Guard) Open() bool {
	g.refresh()
	g.mu.RLock()
	defer g.mu.RUnlock()
	return !g.closed
}

// Who returns the live key that secret is, or false. The time it takes tells nothing about other keys: the lookup is by
// the hash of the secret.
func (g *Guard) Who(secret string) (*Key, bool) {
	if !strings.HasPrefix(secret, Prefix) || len(secret) > 128 {
		return nil, false
	}
	g.refresh()
	h := hash(secret)
	g.mu.RLock()
	k := g.keys[h]
	g.mu.RUnlock()
	if k == nil || !k.Live(g.now()) {
		return nil, false
	}
	var stored [sha256.Size]byte
	if _, err := hex.Decode(stored[:], []byte(k.SHA256)); err != nil || subtle.ConstantTimeCompare(stored[:], h[:]) != 1 {
		return nil, false
	}
	return k, true
}

// refresh reads the file again when it changed. A file that cannot be read leaves the keys as they were, except that a
// file that has gone leaves none.
func (g *Guard) refresh() {
	now := g.now()
	g.mu.RLock()
	fresh := now.Sub(g.checked) < recheck && !now.Before(g.checked)
	g.mu.RUnlock()
	if fresh {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.checked) < recheck && !now.Before(g.checked) {
		return
	}
	g.checked = now
	st := look(g.file.Path)
	if st.same(g.stamp) {
		return
	}
	keys, err := g.file.List()
	if err != nil {
		g.stamp = st
		g.logger.Error("the changed key file cannot be read; the keys stay as they were", "error", err)
		return
	}
	g.take(keys, st, now)
	g.logger.Info("the key file was read again", "keys", len(keys))
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
