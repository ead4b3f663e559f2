package journal

import (
	"fmt"
	"path/filepath"
	"sort"
	"time"
)

// Stats describes the journal at one instant.
type Stats struct {
	First, End Position
	Bytes      int64 // of all segments, headers included
	Segments   int
	Poisoned   int // segments given up since Open because a write or fsync failed
	TornBytes  int64
}

// Stats returns counts and sizes without touching the disk.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	st := Stats{End: j.end, First: j.end, Segments: len(j.segments), Poisoned: j.poisoned, TornBytes: j.recovery.TornBytes}
	for i, s := range j.segments {
		if i == 0 {
			st.First = s.first
		}
		st.Bytes += segmentHeaderBytes + int64(s.end-s.first)
	}
	return st
}

// FreeBytes returns the free space of the journal's file system.
func (j *Journal) FreeBytes() (uint64, error) { return j.opts.FS.FreeBytes(j.opts.Dir) }

// AppendedAt returns when the record after p was appended, for the age of the oldest unshipped record. It is right to
// about a second; for segments of an earlier process it is the segment's creation, which is earlier. It is false when
// nothing lies after p.
func (j *Journal) AppendedAt(p Position) (time.Time, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p >= j.end || len(j.segments) == 0 {
		return time.Time{}, false
	}
	i := sort.Search(len(j.segments), func(i int) bool { return j.segments[i].end > p })
	if i == len(j.segments) {
		return time.Time{}, false
	}
	s := j.segments[i]
	k := sort.Search(len(s.marks), func(k int) bool { return s.marks[k].pos > p })
	if k == 0 {
		return s.birth, true
	}
	return s.marks[k-1].at, true
}

// Retain deletes whole segments, oldest first, that lie below upTo and got their last record before keepAfter. The
// segment being written always stays. It returns how many were deleted, also beside an error.
func (j *Journal) Retain(upTo Position, keepAfter time.Time) (removed int, err error) {
	j.retain.Lock()
	defer j.retain.Unlock()
	for {
		j.mu.Lock()
		if j.closed || len(j.segments) < 2 {
			j.mu.Unlock()
			return removed, nil
		}
		s, next := j.segments[0], j.segments[1]
		j.mu.Unlock()
		// The next segment was created after the last append to this one.
		if s.end > upTo || !next.birth.Before(keepAfter) {
			return removed, nil
		}
		if err := j.opts.FS.Remove(filepath.Join(j.opts.Dir, s.name)); err != nil {
			return removed, fmt.Errorf("delete segment %s: %w", s.name, err)
		}
		j.mu.Lock()
		j.segments = j.segments[1:]
		j.mu.Unlock()
		removed++
		// One fsync for each: a power loss must not bring an older segment back while a younger one stays gone.
		if err := j.opts.FS.SyncDir(j.opts.Dir); err != nil {
			return removed, fmt.Errorf("delete segment %s: fsync of the folder: %w", s.name, err)
		}
	}
}
