// Package quarantine owns what was refused and must stay in sight: bad events at the door, and rows that ClickHouse
// will never take (dead letters). It is a bounded store of NDJSON files, one Entry a line, readable with a pager;
// entries can be looked at, removed, and given back for another try. It judges nothing and never sees a caller's
// number: who adds an entry has replaced it.
package quarantine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Entry is one refused thing. Event or Payload holds it; the other is empty.
type Entry struct {
	ID      string          `json:"id"`               // given by Add; unique and ascending within a store
	At      time.Time       `json:"at"`               // when it was refused
	Source  string          `json:"source,omitempty"` // who sent it
	Field   string          `json:"field,omitempty"`  // what was wrong
	Reason  string          `json:"reason"`           // why it was refused
	Table   string          `json:"table,omitempty"`  // dead letters: where it should have gone
	Event   json.RawMessage `json:"event,omitempty"`  // pseudonymised JSON
	Payload []byte          `json:"payload,omitempty"`
}

// Defaults and limits of Options.
const (
	DefaultMaxBytes      = 64 << 20
	DefaultFileBytes     = 4 << 20
	DefaultMaxEntries    = 100_000
	DefaultMaxEntryBytes = 256 << 10
	maxFiles             = 4096 // each process begins a new one
)

// Options says where a store lies and how much it may hold. Dir and Name must be set.
type Options struct {
	Dir           string
	Name          string // begins every file's name; several stores may share a folder
	MaxBytes      int64  // of all files; above it the oldest file is dropped with what is in it; 0 means DefaultMaxBytes
	FileBytes     int64  // a file of this size gets no further line; 0 means DefaultFileBytes
	MaxEntries    int    // above it the oldest file is dropped; 0 means DefaultMaxEntries
	MaxEntryBytes int    // an entry with a longer line is kept without its Event or Payload; 0 means DefaultMaxEntryBytes

	// Fsync makes Add and Remove return only when the entries are on stable storage, for entries that exist nowhere else.
	Fsync bool
	FS    disk.FS // nil means disk.OS
}

// Stats counts a store.
type Stats struct {
	Entries int
	Bytes   int64
	Dropped uint64 // entries lost since Open because a limit was reached
	Cut     uint64 // entries kept since Open without their Event or Payload
	Damaged int    // lines that could not be read at Open
}

// Store is an open store; one process at a time. All methods may be called concurrently.
type Store struct {
	opts Options

	mu      sync.Mutex
	files   []*file // oldest first
	entries map[string]place
	order   []string // ids, oldest first; may name removed ones
	last    disk.File
	nextID  uint64
	stats   Stats
}

type file struct {
	seq  uint64
	size int64
	live int // entries not removed
}

type place struct {
	file   *file
	offset int64
	length int
}

// line is what stands in a file: an entry, or the ids that were removed.
type line struct {
	Entry
	Removed []string `json:"removed,omitempty"`
}

// Open reads the store, creating the folder when there is none.
func Open(opts Options) (*Store, error) {
	set := func(field *int64, value int64) {
		if *field == 0 {
			*field = value
		}
	}
	set(&opts.MaxBytes, DefaultMaxBytes)
	set(&opts.FileBytes, DefaultFileBytes)
	if opts.MaxEntries == 0 {
		opts.MaxEntries = DefaultMaxEntries
	}
	if opts.MaxEntryBytes == 0 {
		opts.MaxEntryBytes = DefaultMaxEntryBytes
	}
	if opts.FS == nil {
		opts.FS = disk.OS{}
	}
	if opts.Dir == "" || opts.Name == "" {
		return nil, errors.New("quarantine: Dir and Name must be set")
	}
	if opts.MaxBytes < 2*opts.FileBytes || opts.FileBytes < int64(opts.MaxEntryBytes) || opts.MaxEntries < 1 {
		return nil, fmt.Errorf(
			"quarantine: limits do not fit: MaxBytes %d must be at least twice FileBytes %d, and that at least MaxEntryBytes %d",
			opts.MaxBytes, opts.FileBytes, opts.MaxEntryBytes)
	}
	if err := opts.FS.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder of %s: %w", opts.Name, err)
	}
	s := &Store{opts: opts, entries: map[string]place{}, nextID: 1}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) path(seq uint64) string {
	return filepath.Join(s.opts.Dir, fileName(s.opts.Name, seq))
}

func fileName(name string, seq uint64) string { return fmt.Sprintf("%s-%010d.ndjson", name, seq) }

// sequences returns the numbers of the store's files, ascending.
func sequences(fsys disk.FS, dir, name string) ([]uint64, error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	var seqs []uint64
	for _, n := range names {
		stem, ok := strings.CutSuffix(n, ".ndjson")
		stem, ok2 := strings.CutPrefix(stem, name+"-")
		if seq, err := strconv.ParseUint(stem, 10, 64); ok && ok2 && err == nil && len(stem) == 10 {
			seqs = append(seqs, seq)
		}
	}
	return seqs, nil // ReadDir sorts, and the width is fixed
}

// load builds the index.
func (s *Store) load() error {
	seqs, err := sequences(s.opts.FS, s.opts.Dir, s.opts.Name)
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		// A file may exceed FileBytes by one Add; nothing but this store should make it much longer.
		b, err := disk.ReadFile(s.opts.FS, s.path(seq), s.opts.MaxBytes+s.opts.FileBytes)
		if err != nil {
			return fmt.Errorf("read %s: %w", s.opts.Name, err)
		}
		f := &file{seq: seq, size: int64(len(b))}
		s.files = append(s.files, f)
		s.stats.Bytes += f.size
		eachLine(b, func(offset int, text []byte, ended bool) {
			var l line
			if !ended || json.Unmarshal(text, &l) != nil {
				s.stats.Damaged++
				return
			}
			s.index(f, l, int64(offset), len(text))
		})
	}
	return nil
}

// eachLine calls fn with each line; ended is false for a last one without its newline.
func eachLine(b []byte, fn func(offset int, text []byte, ended bool)) {
	for offset := 0; offset < len(b); {
		n := bytes.IndexByte(b[offset:], '\n')
		if n < 0 {
			fn(offset, b[offset:], false)
			return
		}
		fn(offset, b[offset:offset+n], true)
		offset += n + 1
	}
}

func (s *Store) index(f *file, l line, offset int64, length int) {
	for _, id := range append(l.Removed, l.ID) {
		if n, err := strconv.ParseUint(id, 10, 63); err == nil {
			s.nextID = max(s.nextID, n+1)
		}
	}
	for _, id := range l.Removed {
		s.forget(id)
	}
	if l.ID == "" {
		return
	}
	s.forget(l.ID) // only a file made by hand says an id twice
	s.entries[l.ID] = place{f, offset, length}
	s.order = append(s.order, l.ID)
	f.live++
	s.stats.Entries++
}

func (s *Store) forget(id string) {
	if p, ok := s.entries[id]; ok {
		delete(s.entries, id)
		p.file.live--
		s.stats.Entries--
	}
}

// Stats returns the counts.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Len returns how many entries the store holds.
func (s *Store) Len() int { return s.Stats().Entries }

// Add stores entries in one write, giving each its ID. When a limit is reached the oldest file is dropped and its
// entries are counted in Stats.Dropped. After an error none, some or all of them may be found again.
func (s *Store) Add(entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var text []byte
	lines := make([]line, len(entries))
	ends := make([]int, len(entries))
	for i, e := range entries {
		e.ID = strconv.FormatUint(s.nextID, 10)
		s.nextID++
		b, err := json.Marshal(e)
		if err != nil || len(b) > s.opts.MaxEntryBytes {
			// What was refused may be no JSON, or huge; that it was refused is kept all the same.
			e.Event, e.Payload = nil, nil
			e.Source, e.Field, e.Reason, e.Table = clip(e.Source), clip(e.Field), clip(e.Reason), clip(e.Table)
			s.stats.Cut++
			if b, err = json.Marshal(e); err != nil {
				return fmt.Errorf("encode entry of %s: %w", s.opts.Name, err)
			}
		}
		text = append(append(text, b...), '\n')
		lines[i], ends[i] = line{Entry: e}, len(text)
	}
	f, base, err := s.write(text)
	if err != nil {
		return err
	}
	from := 0
	for i, l := range lines {
		s.index(f, l, base+int64(from), ends[i]-from-1)
		from = ends[i]
	}
	s.compactOrder()
	return s.shrink()
}

func clip(s string) string { return s[:min(len(s), 256)] }

// write appends text to the newest file, or to a new one. A file of an earlier process gets nothing more: what that one
// wrote last may be in the page cache only, and a gap in front of a line would take the line with it.
func (s *Store) write(text []byte) (*file, int64, error) {
	if s.last == nil || s.files[len(s.files)-1].size >= s.opts.FileBytes {
		if err := s.create(); err != nil {
			return nil, 0, err
		}
	}
	f := s.files[len(s.files)-1]
	offset := f.size
	n, err := s.last.WriteAt(text, offset)
	if err == nil && n < len(text) {
		err = fmt.Errorf("short write: %d of %d bytes", n, len(text))
	}
	if err == nil && s.opts.Fsync {
		err = s.last.Sync()
	}
	if err != nil {
		// Half a line may stand there: the next entry begins a new file.
		_ = s.last.Close()
		s.last = nil
		f.size += int64(len(text))
		s.stats.Bytes += int64(len(text))
		return nil, 0, fmt.Errorf("write to %s: %w", s.opts.Name, err)
	}
	f.size += int64(len(text))
	s.stats.Bytes += int64(len(text))
	return f, offset, nil
}

func (s *Store) create() error {
	if s.last != nil {
		_ = s.last.Close()
		s.last = nil
	}
	seq := uint64(1)
	if n := len(s.files); n > 0 {
		seq = s.files[n-1].seq + 1
	}
	f, err := s.opts.FS.OpenFile(s.path(seq), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("create file of %s: %w", s.opts.Name, err)
	}
	if s.opts.Fsync {
		if err := s.opts.FS.SyncDir(s.opts.Dir); err != nil {
			_ = f.Close()
			return fmt.Errorf("create file of %s: fsync of the folder: %w", s.opts.Name, err)
		}
	}
	s.last = f
	s.files = append(s.files, &file{seq: seq})
	return nil
}

// shrink drops the oldest files until the limits hold, and those in which nothing is left.
func (s *Store) shrink() error {
	for len(s.files) > 1 {
		f := s.files[0]
		over := s.stats.Bytes > s.opts.MaxBytes || s.stats.Entries > s.opts.MaxEntries || len(s.files) > maxFiles
		if !over && f.live > 0 {
			return nil
		}
		if err := s.opts.FS.Remove(s.path(f.seq)); err != nil {
			return fmt.Errorf("drop oldest file of %s: %w", s.opts.Name, err)
		}
		for id, p := range s.entries {
			if p.file == f {
				s.forget(id)
				s.stats.Dropped++
			}
		}
		s.stats.Bytes -= f.size
		s.files = s.files[1:]
	}
	return nil
}

// compactOrder forgets the removed ids once they are the most.
func (s *Store) compactOrder() {
	if len(s.order) < 2*len(s.entries)+64 {
		return
	}
	kept := s.order[:0]
	for _, id := range s.order {
		if _, ok := s.entries[id]; ok {
			kept = append(kept, id)
		}
	}
	s.order = kept
}

// Get returns the entry with an id; it is false when there is none.
func (s *Store) Get(id string) (Entry, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.entries[id]
	if !ok {
		return Entry{}, false, nil
	}
	f, err := s.opts.FS.OpenFile(s.path(p.file.seq), os.O_RDONLY, 0)
	if err != nil {
		return Entry{}, false, fmt.Errorf("open %s: %w", s.opts.Name, err)
	}
	defer f.Close()
	b := make([]byte, p.length)
	if _, err := f.ReadAt(b, p.offset); err != nil {
		return Entry{}, false, fmt.Errorf("read entry %s of %s: %w", id, s.opts.Name, err)
	}
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return Entry{}, false, fmt.Errorf("entry %s of %s: %w", id, s.opts.Name, err)
	}
	return e, true, nil
}

// Each calls fn with the entries that the store holds at the call, oldest first; fn may call the store. An error of fn
// ends it and is returned.
func (s *Store) Each(fn func(Entry) error) error {
	s.mu.Lock()
	ids := append([]string(nil), s.order...)
	s.mu.Unlock()
	for _, id := range ids {
		e, ok, err := s.Get(id)
		if err != nil {
			return err
		}
		if ok {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Remove takes entries out; ids that are not there are ignored.
func (s *Store) Remove(ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var known []string
	for _, id := range ids {
		if _, ok := s.entries[id]; ok {
			known = append(known, id)
		}
	}
	if len(known) == 0 {
		return nil
	}
	text, err := json.Marshal(struct {
		Removed []string `json:"removed"`
	}{known})
	if err != nil {
		return fmt.Errorf("encode removal from %s: %w", s.opts.Name, err)
	}
	if _, _, err := s.write(append(text, '\n')); err != nil {
		return err
	}
	for _, id := range known {
		s.forget(id)
	}
	s.compactOrder()
	return s.shrink()
}

// Close releases the store's file. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return nil
	}
	err := s.last.Close()
	s.last = nil
	return err
}
