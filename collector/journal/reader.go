package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
)

// readAheadBytes is how much a Reader asks the file for at once.
const readAheadBytes = 256 << 10

// Record is one record as a Reader gives it.
type Record struct {
	// Payload is never written to again and may be kept; it shares memory with its neighbours (up to 256 KiB, or one
	// group), so whoever keeps a few out of many for long should copy them.
	Payload []byte
	End     Position  // where the next record begins: the position to go on from
	Time    time.Time // when its group was appended, to the millisecond, by the writer's clock
}

// Reader reads records in order, following the journal as it grows. It is for one goroutine; many Readers may read one
// journal. An error does not move it: after a disk error or a cancelled context Next may be called again.
type Reader struct {
	j    *Journal
	pos  Position // after the last record returned
	seg  *segment
	file disk.File

	group group // what is left of the group at pos
	left  []byte
	ahead []byte   // sound or unsound bytes of the file from aheadAt on
	from  Position // where ahead begins
}

// NewReader returns a Reader whose first record is the one after position from, which must be the position of a record,
// of a group, or 0. Errors: *GoneError when it was deleted, ErrNotBoundary, *CorruptError when from lies inside damage.
func (j *Journal) NewReader(from Position) (*Reader, error) {
	r := &Reader{j: j, pos: from}
	if err := j.gone(from); err != nil {
		return nil, err
	}
	if from > j.End() {
		return nil, fmt.Errorf("%w: %d is beyond the end %d", ErrNotBoundary, from, j.End())
	}
	if err := r.seek(from); err != nil {
		r.noteDamage(err)
		r.Close()
		return nil, err
	}
	return r, nil
}

// seek puts the reader at from by walking the groups of its segment.
func (r *Reader) seek(from Position) error {
	seg, start, ok := r.j.locate(from)
	if !ok {
		return nil // at the end: the next group begins there
	}
	if start > from {
		r.pos = start // from is where a skipped or lost range begins; a group begins behind it
		return nil
	}
	r.pos = seg.first
	for r.pos < from {
		g, err := r.loadGroup(seg)
		var damage *CorruptError
		if errors.As(err, &damage) {
			// Damage before from does not concern this reader.
			next, ok, serr := r.resync(seg, r.pos)
			if serr != nil {
				return serr
			}
			if !ok || next > from {
				return err
			}
			r.pos = next
			continue
		}
		if err != nil {
			return err
		}
		if g.end() <= from {
			r.pos = g.end()
			continue
		}
		r.group, r.left, r.pos = g, g.body, FirstRecord(g.start)
		for r.pos < from && len(r.left) > 0 {
			r.cut()
		}
	}
	if r.pos != from {
		return fmt.Errorf("%w: %d", ErrNotBoundary, from)
	}
	return nil
}

// cut takes the first record off the group.
func (r *Reader) cut() []byte {
	record, rest := nextRecord(r.left)
	r.pos = AfterRecord(r.pos, len(record))
	r.left = rest
	return record
}

// Position returns where the reader stands: after the last record it returned.
func (r *Reader) Position() Position { return r.pos }

// Next returns the next record, waiting until there is one. Errors: the context's, ErrClosed, *CorruptError,
// *GoneError, or the disk's.
func (r *Reader) Next(ctx context.Context) (Record, error) {
	for {
		grown, closed := r.j.watch()
		rec, ok, err := r.TryNext()
		if ok || err != nil {
			return rec, err
		}
		if closed {
			return Record{}, ErrClosed
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return Record{}, ctx.Err()
		}
	}
}

// TryNext is Next without waiting: ok is false when the reader has all there is.
func (r *Reader) TryNext() (rec Record, ok bool, err error) {
	for len(r.left) == 0 {
		if err := r.j.gone(r.pos); err != nil {
			return Record{}, false, err
		}
		seg, at, ok := r.j.locate(r.pos)
		if !ok {
			return Record{}, false, nil
		}
		r.pos = at
		g, err := r.loadGroup(seg)
		r.noteDamage(err)
		if err != nil {
			return Record{}, false, err
		}
		r.group, r.left = g, g.body
		if g.count == 0 {
			r.pos = g.end()
		} else {
			r.pos = FirstRecord(g.start)
		}
	}
	record := r.cut()
	return Record{Payload: record, End: r.pos, Time: r.group.time}, true, nil
}

// noteDamage tells Journal.Damage that the reader stands at damage, or that it got past the place.
func (r *Reader) noteDamage(err error) {
	var damage *CorruptError
	if errors.As(err, &damage) {
		r.j.damage.Store(damage)
	} else if d := r.j.damage.Load(); err == nil && d != nil && d.Position == r.pos {
		r.j.damage.CompareAndSwap(d, nil)
	}
}

// Close releases the reader's file. It may be called twice.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file, r.seg, r.ahead = nil, nil, nil
	return err
}

func (j *Journal) watch() (grown <-chan struct{}, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.grown, j.closed
}

// gone returns a *GoneError when records after p were deleted. What a lost range held is not deleted but lost: Recovery
// told.
func (j *Journal) gone(p Position) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.segments) == 0 || p >= j.segments[0].prevEnd {
		return nil
	}
	return &GoneError{Asked: p, First: j.segments[0].first}
}

// Gap reports whether a reader at p passes over a skipped or lost range: what it gives from there on is not all that
// was ever appended.
func (j *Journal) Gap(p Position) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.ContainsFunc(j.skips, func(s Skip) bool { return s.To > p && s.From < j.end }) ||
		slices.ContainsFunc(j.segments, func(s *segment) bool { return s.prevEnd < s.first && s.first > p })
}

// locate returns the segment that holds what follows p, and p itself, or the start of the group that follows when p is
// where a skipped or lost range begins. It is false when nothing follows p.
func (j *Journal) locate(p Position) (*segment, Position, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p = skipTo(j.skips, p)
	if p >= j.end {
		return nil, 0, false
	}
	i := sort.Search(len(j.segments), func(i int) bool { return j.segments[i].end > p })
	for _, s := range j.segments[i:] {
		if start := max(p, s.first); start < s.end { // else it is empty, behind a lost range
			return s, start, true
		}
	}
	return nil, 0, false
}

// limit is the end of what may be read of seg.
func (j *Journal) limit(s *segment) Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return s.end
}

// loadGroup reads and checks the group at r.pos.
func (r *Reader) loadGroup(seg *segment) (group, error) {
	if err := r.open(seg); err != nil {
		return group{}, err
	}
	limit := r.j.limit(seg)
	at := r.pos
	b, err := r.bytes(at, groupHeaderBytes, limit)
	if err != nil {
		return group{}, err
	}
	damage := func(reason string) (group, error) {
		return group{}, &CorruptError{Segment: seg.name, Offset: fileOffset(seg.first, at), Position: at, Reason: reason}
	}
	if len(b) < groupHeaderBytes {
		return damage(fmt.Sprintf("the file ends here; data up to position %d should follow", limit))
	}
	n, reason := groupBodyBytes(b, at)
	if reason != "" {
		return damage(reason)
	}
	if b, err = r.bytes(at, groupHeaderBytes+n, limit); err != nil {
		return group{}, err
	}
	g, reason := parseGroup(b, at)
	if reason != "" {
		r.ahead = nil // a flipped bit on the way from the disk deserves another read
		return damage(reason)
	}
	return g, nil
}

func (r *Reader) open(seg *segment) error {
	if r.seg == seg {
		return nil
	}
	_ = r.Close()
	f, err := r.j.opts.FS.OpenFile(filepath.Join(r.j.opts.Dir, seg.name), 0, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if first := r.j.Stats().First; first > r.pos {
			return &GoneError{Asked: r.pos, First: first}
		}
		return &CorruptError{Segment: seg.name, Position: seg.first, Reason: "the file is gone"}
	}
	if err != nil {
		return fmt.Errorf("open segment %s: %w", seg.name, err)
	}
	r.seg, r.file, r.ahead = seg, f, nil
	return nil
}

// bytes returns n bytes of the open segment from position at, fewer where the file or the durable part ends. Memory
// once returned is never written again.
func (r *Reader) bytes(at Position, n int, limit Position) ([]byte, error) {
	if have := r.from + Position(len(r.ahead)); r.ahead != nil && at >= r.from && at+Position(n) <= have {
		return r.ahead[at-r.from:][:n:n], nil
	}
	if limit <= at {
		return nil, nil
	}
	want := min(uint64(max(n, readAheadBytes)), uint64(limit-at))
	b := make([]byte, want)
	got, err := r.file.ReadAt(b, fileOffset(r.seg.first, at))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read segment %s at %d: %w", r.seg.name, fileOffset(r.seg.first, at), err)
	}
	r.ahead, r.from = b[:got], at
	return r.ahead[:min(n, got)], nil
}

// resync finds the next sound group of seg after the damage at p.
func (r *Reader) resync(seg *segment, p Position) (Position, bool, error) {
	image, err := readSegment(r.j.opts.FS, filepath.Join(r.j.opts.Dir, seg.name))
	if err != nil {
		return 0, false, err
	}
	next, ok := findGroup(image, seg.first, p+1, r.j.limit(seg))
	return next, ok, nil
}
