package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Report is what Inspect and Verify found. They take no lock and change nothing, so they may be run beside a live
// journal; what is appended or deleted meanwhile may or may not be in the report.
type Report struct {
	UUID       uuid.UUID
	Continues  []uuid.UUID `json:",omitempty"` // former UUIDs under which a position means the same
	First, End Position
	Bytes      int64
	Groups     int
	Records    int
	Segments   []SegmentReport
	Corrupt    []*CorruptError // each stops a Reader, unless it lies in one of Skips
	Skips      []Skip
	// TailBytes lie behind the last sound group: a group being written just now, or a torn tail that the next Open cuts.
	TailBytes int64
}

// SegmentReport describes one segment file.
type SegmentReport struct {
	Name       string
	First, End Position
	Bytes      int64
	Groups     int
	Records    int
	Created    time.Time
}

// Verify checks every byte of the journal in dir that a Reader would read.
func Verify(dir string) (Report, error) { return Inspect(dir, nil) }

// Inspect is Verify that also calls fn with every record; an error of fn ends it and is returned.
func Inspect(dir string, fn func(segment string, rec Record) error) (Report, error) {
	return inspectRecords(disk.OS{}, dir, fn)
}

func inspectRecords(fsys disk.FS, dir string, fn func(segment string, rec Record) error) (Report, error) {
	id, err := readIdentity(fsys, filepath.Join(dir, identityName))
	if errors.Is(err, fs.ErrNotExist) {
		return Report{}, fmt.Errorf("%s holds no journal (%s is missing)", dir, identityName)
	}
	if err != nil {
		return Report{}, err
	}
	return inspect(fsys, dir, id, func(segment string, g group) error {
		if fn == nil {
			return nil
		}
		pos := FirstRecord(g.start)
		for rest := g.body; len(rest) > 0; {
			var record []byte
			record, rest = nextRecord(rest)
			pos = AfterRecord(pos, len(record))
			if err := fn(segment, Record{Payload: record, End: pos, Time: g.time}); err != nil {
				return err
			}
		}
		return nil
	})
}

// inspect calls each with every sound group, in order.
func inspect(fsys disk.FS, dir string, id identity, each func(segment string, g group) error) (rep Report, err error) {
	rep.UUID, rep.Continues = id.UUID, id.Continues
	if rep.Skips, err = loadSkips(fsys, dir); err != nil {
		return rep, err
	}
	headers, damaged, err := listSegments(fsys, dir, id.Birth)
	if err != nil {
		return rep, err
	}
	rep.Corrupt = damaged
	for i, h := range headers {
		image, err := readSegment(fsys, filepath.Join(dir, h.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since it was listed
		}
		if err != nil {
			return rep, err
		}
		s := SegmentReport{Name: h.name, First: h.first, End: h.first, Bytes: int64(len(image)), Created: h.created}
		last := i+1 == len(headers)
		end := imageEnd(h.first, image)
		if !last {
			end = max(h.first, headers[i+1].prevEnd)
		}
		damaged, err := walk(h, image, end, func(g group) error {
			s.Groups, s.Records, s.End = s.Groups+1, s.Records+int(g.count), g.end()
			return each(h.name, g)
		})
		if err != nil {
			return rep, err
		}
		if n := len(damaged); n > 0 && damaged[n-1].To == 0 {
			if last {
				damaged = damaged[:n-1]
				rep.TailBytes = int64(end - s.End)
			} else {
				damaged[n-1].To = headers[i+1].first
			}
		}
		if !last {
			s.End = end
		}
		rep.Corrupt = append(rep.Corrupt, damaged...)
		rep.Bytes, rep.Groups, rep.Records = rep.Bytes+s.Bytes, rep.Groups+s.Groups, rep.Records+s.Records
		rep.Segments = append(rep.Segments, s)
	}
	if n := len(rep.Segments); n > 0 {
		rep.First, rep.End = rep.Segments[0].First, rep.Segments[n-1].End
	}
	return rep, nil
}

// imageEnd is the position at which the file of a segment that begins at first ends.
func imageEnd(first Position, image []byte) Position {
	return first + Position(max(0, len(image)-segmentHeaderBytes))
}

// walk calls each with the sound groups of a segment in [first, end), in order, and returns the stretches between them
// that do not parse. The last of these has no To when no sound group follows it in the segment.
func walk(h namedHeader, image []byte, end Position, each func(group) error) (damaged []*CorruptError, err error) {
	stop := min(int64(len(image)), fileOffset(h.first, end))
	for at := h.first; at < end; {
		off := fileOffset(h.first, at)
		g, reason := parseGroup(image[min(off, stop):stop], at)
		if reason == "" {
			if err := each(g); err != nil {
				return damaged, err
			}
			at = g.end()
			continue
		}
		next, ok := findGroup(image, h.first, at+1, end)
		damaged = append(damaged,
			&CorruptError{Segment: h.name, Offset: off, Position: at, To: next, Reason: reason})
		if !ok {
			break
		}
		at = next
	}
	return damaged, nil
}

// findGroup looks for the first sound group that begins in [from, below) of a segment's image. Magic, its own position
// and a checksum must agree, so that bytes of a record that look like a group are not taken for one.
func findGroup(image []byte, first, from, below Position) (Position, bool) {
	for off := fileOffset(first, from); off < int64(len(image)); off++ {
		i := bytes.Index(image[off:], groupMagic[:])
		if i < 0 {
			return 0, false
		}
		off += int64(i)
		at := first + Position(off-segmentHeaderBytes)
		if at >= below {
			return 0, false
		}
		if _, reason := parseGroup(image[off:], at); reason == "" {
			return at, true
		}
	}
	return 0, false
}

// Files returns the names of the files in dir that make up the journal now: those that name it, then its segments, the
// oldest first. A copy made in this order beside a live journal is a journal: only the last segment may still grow, and
// Open cuts a write that the copy holds in part. The first segments may be gone before they are reached, since Retain
// deletes them.
func Files(fsys disk.FS, dir string) ([]string, error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list journal folder: %w", err)
	}
	files := []string{identityName}
	for _, name := range names {
		if name == skipsName {
			files = append(files, name)
		}
	}
	for _, name := range names {
		if IsSegment(name) {
			files = append(files, name)
		}
	}
	return files, nil
}

// IsSegment reports whether a file of that name in a journal's folder is a segment.
func IsSegment(name string) bool {
	_, _, ok := parseSegmentName(name)
	return ok
}
