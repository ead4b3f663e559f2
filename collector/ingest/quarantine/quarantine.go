// Package quarantine owns what was refused and must stay in sight: bad events at the door, rows that ClickHouse will
// never take (dead letters), and accepted events that turned out to contradict an earlier one (conflicts). It is a
// store of NDJSON files, one Entry a line, readable with a pager; entries can be looked at, removed, and given back for
// another try. It judges nothing and never sees a caller's number: who adds an entry has replaced it.
//
// What a sender still has is bounded: the oldest files go first, and are counted. What exists nowhere else (Keep) is
// never dropped for room. The index costs a bit an entry, so that the disk is its only bound.
package quarantine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
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
	ID     string    `json:"id"`               // given by Add; unique and ascending within a store
	At     time.Time `json:"at"`               // when it was refused
	Source string    `json:"source,omitempty"` // who sent it
	Field  string    `json:"field,omitempty"`  // what was wrong
	Reason string    `json:"reason"`           // why it was refused
	Table  string    `json:"table,omitempty"`  // dead letters: where it should have gone
	// Format says what a caller in Event is: see formatOwnTokens. Add sets it.
	Format  int             `json:"format,omitempty"`
	Event   json.RawMessage `json:"event,omitempty"` // pseudonymised JSON
	Payload []byte          `json:"payload,omitempty"`
}

// formatOwnTokens is the Format of entries in whose Event a caller is a token that this service made from a number.
// Before it, a caller could be whatever token the sender wrote.
const formatOwnTokens = 2

// Defaults and limits of Options.
const (
	DefaultMaxBytes      = 64 << 20
	DefaultFileBytes     = 4 << 20
	DefaultMaxEntries    = 100_000
	DefaultMaxEntryBytes = 256 << 10
	maxFiles             = 4096    // each process begins a new one
	maxFileBytes         = 1 << 30 // of a file that is read: none is written so long
	maxReasonBytes       = 4096    // of an entry that is kept whole
	// maxFileIDs bounds the index of one file: ids further from its first were written by hand.
	maxFileIDs = 1 << 22
	// maxSources bounds the sources that are told apart in Stats.
	maxSources = 1000
)

// ErrNoRoom says that so little of the disk is free that an entry was not added.
var ErrNoRoom = errors.New("too little of the disk is free")

// Options says where a store lies and how much it may hold. Dir and Name must be set.
type Options struct {
	Dir       string
	Name      string // begins every file's name; several stores may share a folder
	FileBytes int64  // a file of this size gets no further line; 0 means DefaultFileBytes

	// Keep is for entries that exist nowhere else: nothing is ever dropped or cut, and Add and Remove return only when
	// the entries are on stable storage. Add returns ErrNoRoom rather than leave less than MinFreeBytes of the disk free.
	Keep         bool
	MinFreeBytes int64

	// Without Keep:
	MaxBytes      int64 // of all files; above it the oldest file is dropped with what is in it; 0 means DefaultMaxBytes
	MaxEntries    int   // above it the oldest file is dropped; 0 means DefaultMaxEntries
	MaxEntryBytes int   // an entry with a longer line is kept without its Event or Payload; 0 means DefaultMaxEntryBytes

	FS disk.FS // nil means disk.OS
}

// Stats counts a store.
type Stats struct {
	Entries int
	Bytes   int64
	Dropped uint64 // entries lost since Open because a limit was reached
	Cut     uint64 // entries kept since Open without their Event or Payload
	Damaged int    // lines that could not be read at Open
}

// SourceStats counts the entries of one source.
type SourceStats struct {
	Entries int
	Bytes   int64 // of their lines
}

// Store is an open store; one process at a time. All methods may be called concurrently.
type Store struct {
	opts Options

	mu      sync.Mutex
	files   []*file // oldest first
	last    disk.File
	nextID  uint64
	top     uint64 // the greatest id indexed
	stats   Stats
	sources map[string]SourceStats
	resume  map[string]resume // of the marks whose entries were not all tried
}

// file is the index of one file: which ids stand in it and were not removed.
type file struct {
	seq   uint64
	size  int64
	first uint64   // id of bit 0
	ids   []uint64 // bits
	live  int
}

func (f *file) has(id uint64) bool {
	n := id - f.first
	return id >= f.first && n/64 < uint64(len(f.ids)) && f.ids[n/64]&(1<<(n%64)) != 0
}

// add notes an id, unless it stands too far from the first or is there.
func (f *file) add(id uint64) bool {
	if len(f.ids) == 0 {
		f.first = id
	}
	n := id - f.first
	if id < f.first || n >= maxFileIDs || f.has(id) {
		return false
	}
	for uint64(len(f.ids)) <= n/64 {
		f.ids = append(f.ids, 0)
	}
	f.ids[n/64] |= 1 << (n % 64)
	f.live++
	return true
}

func (f *file) remove(id uint64) {
	n := id - f.first
	f.ids[n/64] &^= 1 << (n % 64)
	f.live--
}

// line is what stands in a file: an entry, the ids that were removed, or at the head the next id, so that none is given
// twice however many entries go.
type line struct {
	Entry
	Removed []string `json:"removed,omitempty"`
	Next    uint64   `json:"next,omitempty"`
}

// number returns the number of an id; ids are positive.
func number(id string) (uint64, bool) {
	n, err := strconv.ParseUint(id, 10, 63)
	return n, err == nil && n > 0
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
	if !opts.Keep &&
		(opts.MaxBytes < 2*opts.FileBytes || opts.FileBytes < int64(opts.MaxEntryBytes) || opts.MaxEntries < 1) {
		return nil, fmt.Errorf(
			"quarantine: limits do not fit: MaxBytes %d must be at least twice FileBytes %d, and that at least MaxEntryBytes %d",
			opts.MaxBytes, opts.FileBytes, opts.MaxEntryBytes)
	}
	if err := opts.FS.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder of %s: %w", opts.Name, err)
	}
	s := &Store{opts: opts, nextID: 1, sources: map[string]SourceStats{}, resume: map[string]resume{}}
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
	removed := map[*file][]uint64{} // later lines remove entries of earlier files
	for _, seq := range seqs {
		b, err := disk.ReadFile(s.opts.FS, s.path(seq), maxFileBytes)
		if err != nil {
			return fmt.Errorf("read %s: %w", s.opts.Name, err)
		}
		f := &file{seq: seq, size: int64(len(b))}
		s.files = append(s.files, f)
		s.stats.Bytes += f.size
		eachLine(b, func(text []byte, ended bool) {
			var l line
			if !ended || json.Unmarshal(text, &l) != nil {
				s.stats.Damaged++
				return
			}
			s.nextID = max(s.nextID, min(l.Next, math.MaxInt64))
			for _, id := range append(l.Removed, l.ID) {
				if n, ok := number(id); ok {
					s.nextID = max(s.nextID, n+1)
				}
			}
			for _, id := range l.Removed {
				n, ok := number(id)
				if in := s.find(n); ok && in != nil {
					in.remove(n)
					s.stats.Entries--
					removed[in] = append(removed[in], n)
				}
			}
			if l.ID != "" && !s.index(f, &l.Entry, len(text)) {
				s.stats.Damaged++
			}
		})
	}
	for f, ids := range removed { // what they weighed stands in their lines
		gone := map[uint64]bool{}
		for _, id := range ids {
			gone[id] = true
		}
		err := s.lines(f, func(l *line, text []byte) error {
			if n, _ := number(l.ID); gone[n] {
				s.weigh(&l.Entry, len(text), -1)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachLine calls fn with each line; ended is false for a last one without its newline.
func eachLine(b []byte, fn func(text []byte, ended bool)) {
	for len(b) > 0 {
		text, rest, ended := bytes.Cut(b, []byte{'\n'})
		fn(text, ended)
		b = rest
	}
}

// lines calls fn with the lines of a file that can be read. An error of fn ends it and is returned; a file that is gone
// has none.
func (s *Store) lines(f *file, fn func(l *line, text []byte) error) error {
	b, err := disk.ReadFile(s.opts.FS, s.path(f.seq), maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", s.opts.Name, err)
	}
	eachLine(b, func(text []byte, ended bool) {
		var l line
		if err == nil && ended && json.Unmarshal(text, &l) == nil {
			err = fn(&l, text)
		}
	})
	return err
}

// index notes an entry of a file; it is false when its id is none, or there already.
func (s *Store) index(f *file, e *Entry, length int) bool {
	n, ok := number(e.ID)
	if !ok || n <= s.top && s.find(n) != nil || !f.add(n) {
		return false
	}
	s.top = max(s.top, n)
	s.stats.Entries++
	s.weigh(e, length, 1)
	return true
}

// weigh counts an entry with its source, or with sign -1 no longer.
func (s *Store) weigh(e *Entry, length, sign int) {
	source := sourceOf(e)
	if _, known := s.sources[source]; !known {
		if source = strings.Clone(source); len(s.sources) >= maxSources { // it may lie in a batch
			source = ""
		}
	}
	w := s.sources[source]
	w.Entries += sign
	w.Bytes += int64(sign * length)
	if s.sources[source] = w; w.Entries <= 0 {
		delete(s.sources, source)
	}
}

// find returns the file in which an entry stands that was not removed.
func (s *Store) find(id uint64) *file {
	for i := len(s.files) - 1; i >= 0; i-- {
		if s.files[i].has(id) {
			return s.files[i]
		}
	}
	return nil
}

// Stats returns the counts.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Sources returns the counts of each source that has entries; beyond a thousand sources the rest counts under "".
func (s *Store) Sources() map[string]SourceStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.sources)
}

// Source returns the counts of one source.
func (s *Store) Source(name string) SourceStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sources[name]
}

// Len returns how many entries the store holds.
func (s *Store) Len() int { return s.Stats().Entries }

// Add stores entries, giving each its ID. Without Keep the oldest file is dropped when a limit is reached, and its
// entries are counted in Stats.Dropped. After an error none, some or all of them may be found again.
func (s *Store) Add(entries ...Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(entries) > 0 {
		n, err := s.addSome(entries)
		if err != nil {
			return err
		}
		entries = entries[n:]
	}
	if s.opts.Keep {
		return nil
	}
	return s.shrink()
}

// addSome stores as many of the entries as one file should get at once, and returns how many.
func (s *Store) addSome(entries []Entry) (n int, err error) {
	var text []byte
	var lengths []int
	for ; n < len(entries) && int64(len(text)) < s.opts.FileBytes; n++ {
		e := entries[n]
		e.ID = strconv.FormatUint(s.nextID, 10)
		e.Format = formatOwnTokens
		s.nextID++
		b, err := s.encode(&e)
		if err != nil {
			return 0, err
		}
		text = append(append(text, b...), '\n')
		entries[n], lengths = e, append(lengths, len(b))
	}
	if s.opts.Keep && s.opts.MinFreeBytes > 0 {
		free, err := s.opts.FS.FreeBytes(s.opts.Dir)
		if err != nil {
			return 0, fmt.Errorf("free space for %s: %w", s.opts.Name, err)
		}
		if free < uint64(s.opts.MinFreeBytes)+uint64(len(text)) {
			return 0, fmt.Errorf("%w for %s: %d bytes, %d must stay", ErrNoRoom, s.opts.Name, free, s.opts.MinFreeBytes)
		}
	}
	f, err := s.write(text)
	if err != nil {
		return 0, err
	}
	for i := range lengths {
		s.index(f, &entries[i], lengths[i])
	}
	return n, nil
}

// encode returns the line of an entry, and makes e what it says.
func (s *Store) encode(e *Entry) ([]byte, error) {
	if s.opts.Keep { // a server's error may be long; what was refused stays whole
		e.Reason = clip(e.Reason, maxReasonBytes)
	}
	b, err := json.Marshal(e)
	if !s.opts.Keep && (err != nil || len(b) > s.opts.MaxEntryBytes) {
		// What was refused may be no JSON, or huge; that it was refused is kept all the same.
		e.Event, e.Payload = nil, nil
		for _, text := range []*string{&e.Source, &e.Field, &e.Reason, &e.Table} {
			*text = clip(*text, 256)
		}
		s.stats.Cut++
		b, err = json.Marshal(e)
	}
	if err != nil {
		return nil, fmt.Errorf("encode entry of %s: %w", s.opts.Name, err)
	}
	return b, nil
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// write appends text to the newest file, or to a new one. A file of an earlier process gets nothing more: what that one
// wrote last may be in the page cache only, and a gap in front of a line would take the line with it.
func (s *Store) write(text []byte) (*file, error) {
	if s.last == nil || s.files[len(s.files)-1].size >= s.opts.FileBytes {
		if err := s.create(); err != nil {
			return nil, err
		}
	}
	f := s.files[len(s.files)-1]
	if f.size == 0 {
		text = append(s.head(), text...)
	}
	n, err := s.last.WriteAt(text, f.size)
	if err == nil && n < len(text) {
		err = fmt.Errorf("short write: %d of %d bytes", n, len(text))
	}
	if err == nil && s.opts.Keep {
		err = s.last.Sync()
	}
	f.size += int64(len(text))
	s.stats.Bytes += int64(len(text))
	if err != nil {
		// Half a line may stand there: the next entry begins a new file.
		_ = s.last.Close()
		s.last = nil
		return nil, fmt.Errorf("write to %s: %w", s.opts.Name, err)
	}
	return f, nil
}

// head is the first line of a file.
func (s *Store) head() []byte { return fmt.Appendf(nil, "{\"next\":%d}\n", s.nextID) }

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
	if s.opts.Keep {
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
		if f.live > 0 && (s.opts.Keep || !over) {
			return nil
		}
		if f.live > 0 {
			err := s.lines(f, func(l *line, text []byte) error {
				if n, ok := number(l.ID); ok && f.has(n) {
					s.weigh(&l.Entry, len(text), -1)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if err := s.opts.FS.Remove(s.path(f.seq)); err != nil {
			return fmt.Errorf("drop oldest file of %s: %w", s.opts.Name, err)
		}
		s.stats.Entries -= f.live
		s.stats.Dropped += uint64(f.live)
		s.stats.Bytes -= f.size
		s.files = s.files[1:]
	}
	return nil
}

// Get returns the entry with an id; it is false when there is none.
func (s *Store) Get(id string) (e Entry, found bool, err error) {
	n, ok := number(id)
	if !ok {
		return e, false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.find(n)
	if f == nil {
		return e, false, nil
	}
	err = s.lines(f, func(l *line, _ []byte) error {
		if l.ID == id {
			e, found = l.Entry, true
		}
		return nil
	})
	return e, found, err
}

// Each calls fn with the entries that the store holds at the call, oldest first; fn may call the store. An error of fn
// ends it and is returned.
func (s *Store) Each(fn func(Entry) error) error { return s.from(0, fn) }

// from is Each for the entries with an id above after.
func (s *Store) from(after uint64, fn func(Entry) error) error {
	s.mu.Lock()
	files, end := append([]*file(nil), s.files...), s.nextID
	s.mu.Unlock()
	for _, f := range files {
		s.mu.Lock()
		skip := f.live == 0 || f.first+uint64(len(f.ids))*64 <= after
		s.mu.Unlock()
		if skip {
			continue
		}
		err := s.lines(f, func(l *line, _ []byte) error {
			n, ok := number(l.ID)
			if !ok || n <= after || n >= end {
				return nil
			}
			s.mu.Lock()
			live := f.has(n)
			s.mu.Unlock()
			if !live {
				return nil
			}
			return fn(l.Entry)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Remove takes entries out; ids that are not there are ignored.
func (s *Store) Remove(ids ...string) error {
	for _, id := range ids {
		e, ok, err := s.Get(id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := s.remove(&e); err != nil {
			return err
		}
	}
	return nil
}

// remove takes an entry out that was read.
func (s *Store) remove(e *Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := number(e.ID)
	f := s.find(n)
	if f == nil {
		return nil
	}
	text, err := json.Marshal(struct {
		Removed []string `json:"removed"`
	}{[]string{e.ID}})
	if err != nil {
		return fmt.Errorf("encode removal from %s: %w", s.opts.Name, err)
	}
	if _, err := s.write(append(text, '\n')); err != nil {
		return err
	}
	f.remove(n)
	s.stats.Entries--
	entry, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode entry of %s: %w", s.opts.Name, err)
	}
	s.weigh(e, len(entry), -1)
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
