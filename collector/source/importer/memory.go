package importer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/gofrs/flock"
)

// memory is what imports of one source into one server have sent: for each event, by its first id, the version that the
// server holds. It is the file <key>.state of the state folder:
//
//	{"format":"monev112-import","version":1,"server":...,"source":...,"center":...}
//	<hash> <hash before> <revision> <row> <id>      one line for each event: hex, hex, decimal, unix ms, the rest of the line
//	end <SHA-256 of everything above, hex>
//
// It is replaced as a whole (written beside, fsynced, renamed). While an import runs, <key>.open lies beside it: an
// import that finds it was preceded by one that did not come to an end, and asks the server about what it does not
// remember. It holds no caller: the hash leaves the caller out.
type memory struct {
	path  string
	key   memoryKey
	limit int
	lock  *flock.Flock
	dir   string

	mu    sync.Mutex
	known map[string]remembered // what the server has said it holds

	plans    map[string]remembered // what this run has decided to send
	deferred map[string]*correction
	order    []string // of deferred
	bytes    int64    // of deferred
	maxBytes int64
	ask      bool  // what is not known here may be known to the server
	from, to int64 // the rows of this run lie between, when spanned
	spanned  bool
}

type memoryKey struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Server  string `json:"server"`
	Source  string `json:"source"`
	Center  string `json:"center"`
}

// remembered is one version of an event. Revision 0 is the event under its first id; revision n replaces n-1.
type remembered struct {
	id       string
	hash     uint64
	before   uint64 // hash of the version that it replaces
	revision uint32
	row      int64
}

const memoryFormat, memoryVersion = "monev112-import", 1

// hashMask keeps 48 bits of a content hash: what twelve letters of an id hold. Two contents of one event look alike
// with a probability of 4e-15.
const hashMask = 1<<48 - 1

// versionID is the id of a version: the first id, or that with ~r<revision>-<hash>. The hash is written in the letters
// a to p, so that it never looks like a telephone number.
func versionID(id string, revision uint32, hash uint64) string {
	if revision == 0 {
		return id
	}
	letters := make([]byte, 12)
	for i := range letters {
		letters[i] = 'a' + byte(hash>>(44-4*i)&15)
	}
	return id + "~r" + strconv.FormatUint(uint64(revision), 10) + "-" + string(letters)
}

// parseVersion undoes versionID for versions of id; ok is false for another event.
func parseVersion(id, of string) (revision uint32, hash uint64, ok bool) {
	rest, ok := strings.CutPrefix(of, id)
	if !ok || rest == "" {
		return 0, 0, ok
	}
	number, letters, ok := strings.Cut(strings.TrimPrefix(rest, "~r"), "-")
	n, err := strconv.ParseUint(number, 10, 32)
	if !ok || !strings.HasPrefix(rest, "~r") || err != nil || n == 0 || len(letters) != 12 {
		return 0, 0, false
	}
	for i := range len(letters) {
		if letters[i] < 'a' || letters[i] > 'p' {
			return 0, 0, false
		}
		hash = hash<<4 | uint64(letters[i]-'a')
	}
	return uint32(n), hash, true
}

func openMemory(dir string, key memoryKey, limits Limits) (_ *memory, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w; name one that this user may write to with --state", err)
	}
	key.Format, key.Version = memoryFormat, memoryVersion
	key.Server = strings.TrimSuffix(key.Server, "/")
	sum := sha256.Sum256([]byte(key.Server + "\x00" + key.Source + "\x00" + key.Center))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(key.Source))
	m := &memory{
		dir: dir, key: key, limit: limits.StateIDs, maxBytes: limits.GroupBytes,
		path:  filepath.Join(dir, name[:min(len(name), 60)]+"-"+hex.EncodeToString(sum[:6])+".state"),
		known: map[string]remembered{}, plans: map[string]remembered{}, deferred: map[string]*correction{},
	}
	m.lock = flock.New(m.path + ".lock")
	ok, err := m.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("another import of the source %q is running; wait for its end", key.Source)
	}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	if _, err := os.Stat(m.path + ".open"); err == nil {
		m.ask = true
	}
	switch err := m.load(); {
	case errors.Is(err, fs.ErrNotExist):
		m.ask = true
	case errors.Is(err, errDamaged):
		m.ask = true
		clear(m.known)
		if err := os.Rename(m.path, m.path+".damaged"); err != nil {
			return nil, fmt.Errorf("state file: %w", err)
		}
	case err != nil:
		return nil, err
	}
	f, err := os.OpenFile(m.path+".open", os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close(), syncDir(dir)); err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	}
	return m, nil
}

var errDamaged = errors.New("the state file is damaged")

func (m *memory) load() error {
	f, err := os.Open(m.path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	lines := bufio.NewReaderSize(f, 1<<20)
	first, err := lines.ReadSlice('\n')
	if err != nil {
		return errDamaged
	}
	_, _ = sum.Write(first)
	var key memoryKey
	if json.Unmarshal(first, &key) != nil || key != m.key {
		return errDamaged
	}
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return errDamaged
		}
		text := string(bytes.TrimSuffix(line, []byte("\n")))
		if end, ok := strings.CutPrefix(text, "end "); ok {
			if end != hexSum(sum) {
				return errDamaged
			}
			_, err := lines.ReadByte()
			if err != io.EOF {
				return errDamaged
			}
			return nil
		}
		_, _ = sum.Write(line)
		parts := strings.SplitN(text, " ", 5)
		if len(parts) != 5 || len(m.known) >= m.limit {
			return errDamaged
		}
		hash, err1 := strconv.ParseUint(parts[0], 16, 64)
		before, err2 := strconv.ParseUint(parts[1], 16, 64)
		revision, err3 := strconv.ParseUint(parts[2], 10, 32)
		row, err4 := strconv.ParseInt(parts[3], 10, 64)
		if errors.Join(err1, err2, err3, err4) != nil || parts[4] == "" {
			return errDamaged
		}
		m.known[parts[4]] = remembered{parts[4], hash, before, uint32(revision), row}
	}
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// save replaces the file and removes the mark of an import that runs.
func (m *memory) save() (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := os.CreateTemp(m.dir, filepath.Base(m.path)+".new-*")
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("state file: %w", err)
		}
	}()
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<20)
	head, err := json.Marshal(m.key)
	if err != nil {
		return err
	}
	_, _ = out.Write(append(head, '\n')) // a bufio.Writer keeps its error for Flush
	for id, v := range m.known {
		fmt.Fprintf(out, "%x %x %d %d %s\n", v.hash, v.before, v.revision, v.row, id)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f, "end %s\n", hexSum(sum)); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), m.path); err != nil {
		return err
	}
	if err := os.Remove(m.path + ".open"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(m.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (m *memory) close() {
	if m.lock != nil {
		_ = m.lock.Unlock() // the file is this process's own; its end unlocks it in any case
		m.lock = nil
	}
}

// taken remembers a version that the server has.
func (m *memory) taken(v remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[v.id] = v
}

func (m *memory) find(id string) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.known[id]
	return v, ok
}

func (m *memory) full(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.known[id]
	return !ok && max(len(m.known), len(m.plans)) >= m.limit
}

// recall finds out, where the memory is not whole, whether the server knows more.
func (im *importer) recall(ctx context.Context) error {
	if im.memory == nil || !im.memory.ask {
		return nil
	}
	sources, err := im.client.Sources(ctx)
	switch {
	case isMayNotRead(err):
		im.sum.Blind, im.memory.ask = true, false
		return nil
	case err != nil:
		return err
	}
	_, known := sources[im.m.Source]
	_, crowded := sources["other"]
	im.memory.ask = known || crowded
	return nil
}
