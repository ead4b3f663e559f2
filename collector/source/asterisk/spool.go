package asterisk

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Spool keeps events on disk until the collector has taken them: a queue of files, each of lines
//
//	<CRC-32 (IEEE) of the event, 8 hex digits> <event, one JSON object>
//
// A file is removed when all of its events are taken, so that callers' numbers stay no longer than they must; files
// have mode 0600. After a restart the first file is given again from its beginning: the collector knows what it took.
// Append and the reading side may be used by two goroutines at once.
type Spool struct {
	fs       disk.FS
	dir      string
	maxBytes int64

	mu      sync.Mutex
	files   []spoolFile // the last one is written
	next    int64       // number of the next file
	bytes   int64
	out     disk.File // of the last of files; nil when the next Append makes a new one
	taken   int64     // of the first file
	damaged int
	more    chan struct{}
}

type spoolFile struct {
	number int64
	size   int64 // up to where it is whole and on disk
}

// ErrSpoolFull says that the collector has been away for so long that the spool has no room. The log is read on when it
// has.
var ErrSpoolFull = errors.New("the spool is full; the log is read on when the collector is back")

// Limits of a Spool.
const (
	DefaultSpoolBytes = 256 << 20 // half a million events: four months of 140 calls a day
	spoolFileBytes    = 4 << 20
	spoolPrefix       = "spool-"
	spoolSuffix       = ".ndjson"
	crcBytes          = 8 + 1
)

// OpenSpool reads what an earlier run left in dir. maxBytes 0 means DefaultSpoolBytes.
func OpenSpool(fsys disk.FS, dir string, maxBytes int64) (*Spool, error) {
	fsys = cmp.Or[disk.FS](fsys, disk.OS{})
	if maxBytes <= 0 {
		maxBytes = DefaultSpoolBytes
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{fs: fsys, dir: dir, maxBytes: maxBytes, next: 1, more: make(chan struct{}, 1)}
	for _, name := range names {
		digits, begins := strings.CutPrefix(name, spoolPrefix)
		digits, ends := strings.CutSuffix(digits, spoolSuffix)
		if !begins || !ends {
			continue
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number <= 0 || s.name(number) != filepath.Join(dir, name) {
			continue
		}
		size, err := sizeOf(fsys, filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		s.files = append(s.files, spoolFile{number, size})
		s.next = max(s.next, number+1)
		s.bytes += size
	}
	slices.SortFunc(s.files, func(a, b spoolFile) int { return int(a.number - b.number) })
	return s, nil
}

func sizeOf(fsys disk.FS, name string) (int64, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Size()
}

func (s *Spool) name(number int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%012d%s", spoolPrefix, number, spoolSuffix))
}

// Append adds events and returns when they are on disk. After an error none of them counts as added.
func (s *Spool) Append(events [][]byte) error {
	var b bytes.Buffer
	for _, e := range events {
		fmt.Fprintf(&b, "%08x ", crc32.ChecksumIEEE(e))
		b.Write(e)
		b.WriteByte('\n')
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+int64(b.Len()) > s.maxBytes && s.bytes > 0 {
		return ErrSpoolFull
	}
	if s.out != nil && s.files[len(s.files)-1].size >= spoolFileBytes {
		s.closeOut()
	}
	if s.out == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	last := &s.files[len(s.files)-1]
	_, err := s.out.WriteAt(b.Bytes(), last.size)
	if err == nil {
		err = s.out.Sync()
	}
	if err != nil {
		s.closeOut() // what an fsync refused is never trusted again: the next events go into a file of their own
		return fmt.Errorf("spool: %w", err)
	}
	last.size += int64(b.Len())
	s.bytes += int64(b.Len())
	select {
	case s.more <- struct{}{}:
	default:
	}
	return nil
}

func (s *Spool) create() error {
	name := s.name(s.next)
	f, err := s.fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		s.next++ // a number is used once, even by what is in the way
		return fmt.Errorf("spool: %w", err)
	}
	s.next++
	if err := s.fs.SyncDir(s.dir); err != nil {
		f.Close()
		return fmt.Errorf("spool: %w", err)
	}
	s.files, s.out = append(s.files, spoolFile{number: s.next - 1}), f
	return nil
}

func (s *Spool) closeOut() {
	if s.out != nil {
		s.out.Close()
		s.out = nil
	}
}

// More is signalled when events were added.
func (s *Spool) More() <-chan struct{} { return s.more }

// Empty reports whether every event was taken.
func (s *Spool) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files) == 0
}

// Bytes is how much waits on disk.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Damaged is how many lines were left out because their checksum did not fit.
func (s *Spool) Damaged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.damaged
}

// Portion is the earliest events of a Spool.
type Portion struct {
	Body  []byte // NDJSON
	Count int
	file  int64
	end   int64
	bad   int
}

// Peek returns the earliest events, at most so many events and about so many bytes; Count is 0 when the spool is empty.
func (s *Spool) Peek(maxEvents, maxBytes int) (Portion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.files) > 0 {
		p, err := s.peek(maxEvents, maxBytes)
		if err != nil || p.Count > 0 {
			return p, err
		}
		s.take(p)
	}
	return Portion{}, nil
}

func (s *Spool) peek(maxEvents, maxBytes int) (Portion, error) {
	first := s.files[0]
	p := Portion{file: first.number, end: s.taken}
	f, err := s.fs.OpenFile(s.name(first.number), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		p.end = first.size
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("spool: %w", err)
	}
	defer f.Close()
	b := make([]byte, min(first.size-s.taken, int64(maxBytes+MaxLineBytes)))
	n, err := f.ReadAt(b, s.taken)
	if err != nil && !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("spool: %w", err)
	}
	short := n < len(b)
	for b = b[:n]; len(b) > 0 && p.Count < maxEvents && len(p.Body) < maxBytes; {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		line := b[:end]
		b, p.end = b[end+1:], p.end+int64(end+1)
		if event, ok := checked(line); ok {
			p.Body = append(append(p.Body, event...), '\n')
			p.Count++
		} else {
			p.bad++
		}
	}
	// A part of a line at the end of a file was never promised to anybody; neither is what has no line end for so long.
	if p.Count == 0 && (p.end == s.taken || short) {
		p.end = first.size
	}
	return p, nil
}

func checked(line []byte) ([]byte, bool) {
	if len(line) < crcBytes || line[crcBytes-1] != ' ' {
		return nil, false
	}
	sum, err := strconv.ParseUint(string(line[:crcBytes-1]), 16, 32)
	event := line[crcBytes:]
	return event, err == nil && uint32(sum) == crc32.ChecksumIEEE(event)
}

// Take says that the collector has taken p, the Portion that Peek returned last.
func (s *Spool) Take(p Portion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.take(p)
}

func (s *Spool) take(p Portion) {
	if len(s.files) == 0 || s.files[0].number != p.file {
		return
	}
	s.taken = p.end
	s.damaged += p.bad
	first := s.files[0]
	if s.taken < first.size {
		return
	}
	if len(s.files) == 1 {
		s.closeOut()
	}
	_ = s.fs.Remove(s.name(first.number)) // one that stays is given again after a restart, and known to the collector
	s.files, s.taken, s.bytes = s.files[1:], 0, s.bytes-first.size
}

// Close lets go of the file that is written.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeOut()
	return nil
}
