package journal

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/faultpoint"
)

// Defaults of Options.
const (
	DefaultSegmentBytes = 64 << 20
	DefaultGroupBytes   = 16 << 20
	DefaultMinFreeBytes = 256 << 20
	DefaultSegmentAge   = 24 * time.Hour
)

// Options says where a journal lies and what its limits are. Only Dir must be set.
type Options struct {
	Dir          string
	SegmentBytes int64 // a segment of at least this size gets no further group; 0 means DefaultSegmentBytes
	// one that old gets none either, so that where little comes Retain still finds something to delete; 0 means
	// DefaultSegmentAge
	SegmentAge time.Duration
	GroupBytes int // a larger group is refused with ErrTooLarge; 0 means DefaultGroupBytes; at most 64 MiB
	// an Append that would leave less free is refused, so that ClickHouse beside it can drain; 0 means
	// DefaultMinFreeBytes, below 0 no floor
	MinFreeBytes int64

	// Expect is the highest position that anybody (a checkpoint, a shipper's cursor) saw as durable. A journal that ends
	// below it has lost acknowledged records (a disk that lied, a restored folder): the range is reported by Recovery
	// and skipped, so that no position is used again for other content. It counts only when ExpectUUID is this journal's.
	Expect     Position
	ExpectUUID uuid.UUID

	FS     disk.FS          // nil means disk.OS
	Now    func() time.Time // stamps groups; nil means time.Now
	Logger *slog.Logger     // nil discards
}

func (o *Options) setDefaults() error {
	o.SegmentBytes = cmp.Or(o.SegmentBytes, DefaultSegmentBytes)
	o.SegmentAge = cmp.Or(o.SegmentAge, DefaultSegmentAge)
	o.GroupBytes = cmp.Or(o.GroupBytes, DefaultGroupBytes)
	o.MinFreeBytes = cmp.Or(o.MinFreeBytes, DefaultMinFreeBytes)
	o.FS = cmp.Or[disk.FS](o.FS, disk.OS{})
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	switch {
	case o.Dir == "":
		return errors.New("journal: Dir is empty; name the folder to keep it in")
	case o.SegmentBytes < 0:
		return fmt.Errorf("journal: SegmentBytes is %d; it must be positive", o.SegmentBytes)
	case o.GroupBytes < groupHeaderBytes || o.GroupBytes > maxGroupBytes:
		return fmt.Errorf("journal: GroupBytes is %d; it must be between %d and %d", o.GroupBytes, groupHeaderBytes,
			maxGroupBytes)
	}
	return nil
}

// segment is what the process knows of one file. Guarded by Journal.mu, except that first and name never change.
type segment struct {
	name    string
	first   Position
	prevEnd Position // what lies at or above it in earlier segments is void
	end     Position // everything in [first, end) is durable; nothing at or above it is ever shown
	birth   time.Time
	marks   []mark // when positions were appended, at most one mark a second; only for groups of this process
}

type mark struct {
	pos Position
	at  time.Time
}

// Journal is an open journal. Append and Probe may be called concurrently but are serialised; readers do not wait for
// them. Close may be called twice.
type Journal struct {
	opts     Options
	id       identity
	lock     interface{ Close() error }
	recovery Recovery
	skips    []Skip
	damage   atomic.Pointer[CorruptError] // at which a Reader stands

	write   sync.Mutex // held over a write and its fsync
	file    disk.File  // the segment being written, nil when the next Append must create one
	size    int64      // of file
	nextSeq uint64
	buf     []byte

	retain sync.Mutex // held over the deletion of segments

	mu       sync.Mutex // never held over IO
	segments []*segment // in order; the last is the one being written
	end      Position
	grown    chan struct{} // closed and replaced when end grows or the journal closes
	closed   bool
	poisoned int
}

// UUID names this journal. It is new at creation, after Renew and in a restored copy, so that a position of another
// journal is never taken for one of this.
func (j *Journal) UUID() uuid.UUID { return j.id.UUID }

// Continues reports whether a position of the journal named u means the same here: u names this one, or one that Renew
// made this of.
func (j *Journal) Continues(u uuid.UUID) bool { return j.id.names(u) }

// Damage returns the damage at which a Reader stands, nil when none does. Append goes on.
func (j *Journal) Damage() *CorruptError { return j.damage.Load() }

// GroupBytes returns the limit of one group, record and group headers included.
func (j *Journal) GroupBytes() int { return j.opts.GroupBytes }

// GroupSize returns the bytes that records of payloadBytes together take as one group.
func GroupSize(records, payloadBytes int) int {
	return groupHeaderBytes + records*recordHeaderBytes + payloadBytes
}

// End returns the position after the last durable record.
func (j *Journal) End() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.end
}

// Append adds records as one group: one write, one fsync. When it returns nil the whole group is on stable storage and
// lies in [start, end); see FirstRecord and AfterRecord for where each record is. On any error nothing of the group was
// acknowledged and no Reader of this process will ever show it; after a crash it may reappear whole, never in part.
// Errors are ErrUnavailable (may work later), ErrTooLarge and ErrClosed.
func (j *Journal) Append(records [][]byte) (start, end Position, err error) {
	j.write.Lock()
	defer j.write.Unlock()
	j.mu.Lock()
	start, closed := j.end, j.closed
	j.mu.Unlock()
	if closed {
		return 0, 0, ErrClosed
	}
	size := groupHeaderBytes
	for _, r := range records {
		// Checked while adding: the sum of many lengths must not overflow before it is compared.
		if size += recordHeaderBytes + len(r); size > j.opts.GroupBytes {
			return 0, 0, fmt.Errorf("%w of %d bytes (%d records)", ErrTooLarge, j.opts.GroupBytes, len(records))
		}
	}
	if err := j.checkFloor(size); err != nil {
		return 0, 0, err
	}
	if j.file == nil || j.size >= j.opts.SegmentBytes || j.size > segmentHeaderBytes &&
		j.opts.Now().Sub(j.opened()) >= j.opts.SegmentAge {
		if err := j.createSegment(start, start, nil); err != nil {
			return 0, 0, unavailable(err)
		}
	}
	now := j.opts.Now()
	j.buf = appendGroup(j.buf[:0], start, now, records)
	if err := j.writeGroup(j.buf); err != nil {
		// Which of these bytes are on disk is unknown, and the kernel may forget its dirty pages and still report the
		// next fsync as good. The file is never written again; the next segment voids whatever stands at start.
		j.dropFile()
		j.mu.Lock()
		j.poisoned++
		j.mu.Unlock()
		return 0, 0, unavailable(err)
	}
	j.size += int64(len(j.buf))
	end = start + Position(len(j.buf))
	if cap(j.buf) > j.opts.GroupBytes/2 {
		j.buf = nil // one huge group should not hold its memory for ever
	}
	j.publish(end, now)
	return start, end, nil
}

// opened is when the segment being written was created.
func (j *Journal) opened() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segments); n > 0 {
		return j.segments[n-1].birth
	}
	return time.Time{}
}

// Probe tests that the journal can write, by appending an empty group, which no Reader shows.
func (j *Journal) Probe() error {
	_, _, err := j.Append(nil)
	return err
}

func (j *Journal) writeGroup(b []byte) error {
	n, err := j.file.WriteAt(b, j.size)
	if err == nil && n < len(b) {
		err = fmt.Errorf("short write: %d of %d bytes", n, len(b))
	}
	if err != nil {
		return fmt.Errorf("append to segment: %w", err)
	}
	faultpoint.Hit("journal.write")
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("fsync of segment: %w", err)
	}
	faultpoint.Hit("journal.fsync")
	return nil
}

// publish makes [.., end) visible to readers.
func (j *Journal) publish(end Position, at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.segments[len(j.segments)-1]
	if n := len(s.marks); n == 0 || at.Sub(s.marks[n-1].at).Abs() >= time.Second {
		s.marks = append(s.marks, mark{s.end, at})
	}
	s.end, j.end = end, end
	close(j.grown)
	j.grown = make(chan struct{})
}

func (j *Journal) checkFloor(size int) error {
	if j.opts.MinFreeBytes < 0 {
		return nil
	}
	free, err := j.opts.FS.FreeBytes(j.opts.Dir)
	if err != nil {
		return nil // the write itself will tell
	}
	if need := uint64(j.opts.MinFreeBytes) + uint64(size); free < need {
		return fmt.Errorf("%w: %w: %d bytes free in %s, %d are kept", ErrUnavailable, ErrDiskFull, free, j.opts.Dir,
			j.opts.MinFreeBytes)
	}
	return nil
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }

// dropFile forgets the segment being written; the next Append creates another.
func (j *Journal) dropFile() {
	if j.file != nil {
		_ = j.file.Close() // its fate no longer matters
	}
	j.file, j.size = nil, 0
}

// createSegment makes a new segment, which voids everything at or above prevEnd in earlier ones, and makes it the one
// being written. It may begin with a copy of a group. The file gets its name only when it is complete and fsynced, so a
// name in the folder is a promise. Everything below first must be durable. The caller holds j.write or is Open.
func (j *Journal) createSegment(prevEnd, first Position, copied []byte) error {
	// From here on the earlier file must not grow, even if this fails: the new name may turn up after a power loss and
	// would void what was appended meanwhile.
	j.dropFile()
	seq := j.nextSeq
	j.nextSeq++
	j.mu.Lock()
	if n := len(j.segments); n > 0 && j.segments[n-1].first == first {
		// The one before is void from now on and will be removed: what its header says of earlier ones must live on.
		prevEnd = min(prevEnd, j.segments[n-1].prevEnd)
	}
	j.mu.Unlock()
	created := j.opts.Now()
	if g, reason := parseGroup(copied, first); reason == "" {
		created = g.time // never later than what the segment holds
	}
	h := segmentHeader{birth: j.id.Birth, first: first, prevEnd: prevEnd, seq: seq, created: created}
	name := segmentName(first, seq)
	path := filepath.Join(j.opts.Dir, name)
	temp := path + disk.TempSuffix
	f, err := j.opts.FS.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("create segment: %w", err)
	}
	fail := func(what string, err error) error {
		_ = f.Close()
		_ = j.opts.FS.Remove(temp)
		return fmt.Errorf("%s new segment %s: %w", what, name, err)
	}
	content := append(h.append(nil), copied...)
	if n, err := f.WriteAt(content, 0); err != nil {
		return fail("write", err)
	} else if n < len(content) {
		return fail("write", fmt.Errorf("short write: %d of %d bytes", n, len(content)))
	}
	if err := f.Sync(); err != nil {
		return fail("fsync", err)
	}
	if err := j.opts.FS.Rename(temp, path); err != nil {
		return fail("name", err)
	}
	if err := j.opts.FS.SyncDir(j.opts.Dir); err != nil {
		_ = j.opts.FS.Remove(path) // if it comes back after a crash it is an empty segment, which does no harm
		return fail("fsync of the folder for", err)
	}
	end := first + Position(len(copied))
	j.file, j.size = f, int64(len(content))
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segments); n > 0 {
		j.segments[n-1].end = min(j.segments[n-1].end, max(prevEnd, j.segments[n-1].first))
	}
	j.segments = append(j.segments, &segment{name: name, first: first, prevEnd: prevEnd, end: end, birth: created})
	j.end = end
	return nil
}

// Close closes the files and releases the folder; readers end with ErrClosed. It waits for a running Append.
func (j *Journal) Close() error {
	j.write.Lock()
	defer j.write.Unlock()
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.grown)
	j.mu.Unlock()
	j.dropFile()
	return j.lock.Close()
}
