package journal

import (
	"cmp"
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
func Verify(fsys disk.FS, dir string) (Report, error) { return Inspect(fsys, dir, nil) }

// Inspect is Verify that also calls fn with every record; an error of fn ends it and is returned.
func Inspect(fsys disk.FS, dir string, fn func(segment string, rec Record) error) (Report, error) {
	fsys = cmp.Or[disk.FS](fsys, disk.OS{})
	var rep Report
	id, err := readIdentity(fsys, filepath.Join(dir, identityName))
	if errors.Is(err, fs.ErrNotExist) {
		return rep, fmt.Errorf("%s holds no journal (%s is missing)", dir, identityName)
	}
	if err != nil {
		return rep, err
	}
	rep.UUID = id.uuid
	if rep.Skips, err = loadSkips(fsys, dir); err != nil {
		return rep, err
	}
	headers, err := listSegments(fsys, dir, id.birth)
	if err != nil {
		return rep, err
	}
	for i, h := range headers {
		end, last := Position(0), i+1 == len(headers)
		if !last {
			end = max(h.first, headers[i+1].prevEnd)
		}
		if err := rep.addSegment(fsys, dir, h, end, last, fn); err != nil {
			return rep, err
		}
	}
	if len(rep.Segments) > 0 {
		rep.First, rep.End = rep.Segments[0].First, rep.Segments[len(rep.Segments)-1].End
	}
	return rep, nil
}

func (rep *Report) addSegment(fsys disk.FS, dir string, h namedHeader, end Position, last bool,
	fn func(string, Record) error) error {
	image, err := readSegment(fsys, filepath.Join(dir, h.name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted since it was listed
	}
	if err != nil {
		return err
	}
	s := SegmentReport{Name: h.name, First: h.first, Bytes: int64(len(image)), Created: h.created}
	if last {
		scan := scanTail(h.name, h.first, image)
		end = scan.end
		rep.TailBytes = int64(len(image)) - fileOffset(h.first, end)
	}
	s.End = end
	for at := h.first; at < end; {
		var rest []byte
		if off := fileOffset(h.first, at); off < int64(len(image)) {
			rest = image[off:min(int64(len(image)), fileOffset(h.first, end))]
		}
		g, reason := parseGroup(rest, at)
		if reason != "" {
			rep.Corrupt = append(rep.Corrupt,
				&CorruptError{Segment: h.name, Offset: fileOffset(h.first, at), Position: at, Reason: reason})
			next, ok := findGroup(image, h.first, at+1, end)
			if !ok {
				break
			}
			at = next
			continue
		}
		s.Groups++
		s.Records += int(g.count)
		if fn != nil {
			if err := recordsOf(g, func(r Record) error { return fn(h.name, r) }); err != nil {
				return err
			}
		}
		at = g.end()
	}
	rep.Bytes += s.Bytes
	rep.Groups += s.Groups
	rep.Records += s.Records
	rep.Segments = append(rep.Segments, s)
	return nil
}

// StepOver tells the closed journal in dir to go on behind the damage at position at, as a CorruptError or Verify named
// it: from the next sound group, or from the next segment. What lies between is given up; the file is kept. It is an
// operator's decision, never this program's.
func StepOver(fsys disk.FS, dir string, at Position, now time.Time) (Skip, error) {
	lock, err := lockDir(fsys, dir)
	if err != nil {
		return Skip{}, err
	}
	defer lock.Close()
	id, err := readIdentity(fsys, filepath.Join(dir, identityName))
	if err != nil {
		return Skip{}, err
	}
	skips, err := loadSkips(fsys, dir)
	if err != nil {
		return Skip{}, err
	}
	headers, err := listSegments(fsys, dir, id.birth)
	if err != nil {
		return Skip{}, err
	}
	for i, h := range headers {
		end, next := Position(1<<63), Position(0)
		if i+1 < len(headers) {
			end, next = max(h.first, headers[i+1].prevEnd), headers[i+1].first
		}
		if at < h.first || at >= end {
			continue
		}
		image, err := readSegment(fsys, filepath.Join(dir, h.name))
		if err != nil {
			return Skip{}, err
		}
		reason := "the file ends before this position"
		if off := fileOffset(h.first, at); off < int64(len(image)) {
			if _, reason = parseGroup(image[off:], at); reason == "" {
				return Skip{}, fmt.Errorf("nothing to step over: a sound group begins at position %d", at)
			}
		}
		to, ok := findGroup(image, h.first, at+1, end)
		if !ok {
			if to = next; next == 0 {
				return Skip{}, fmt.Errorf("nothing to step over: no sound group follows position %d, the next start cuts it off",
					at)
			}
		}
		skip := Skip{From: at, To: to, Segment: h.name, Reason: reason, At: now.UTC()}
		return skip, writeJSON(fsys, filepath.Join(dir, skipsName), append(skips, skip))
	}
	return Skip{}, fmt.Errorf("position %d lies in no segment", at)
}

// Files returns the names of the files in dir that together are the journal as of now: what names it first, then its
// segments, the oldest first. Who copies them in this order, beside a live journal, has a journal: only the last
// segment of the list may still grow, and a copy that ends in the middle of a write is cut by the next Open. The first
// ones may be gone before they are reached, since Retain deletes them.
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
