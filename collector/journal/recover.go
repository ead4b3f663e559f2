package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
)

// Recovery says what Open found and did.
type Recovery struct {
	// TornBytes were cut off the end of the last segment: a group that was being written, and so never acknowledged,
	// when the process or the machine stopped.
	TornBytes   int64
	TornSegment string
	// LostFrom and LostTo are the range that Options.Expect says was durable and that is not there. Equal when nothing
	// is lost.
	LostFrom, LostTo Position
	// Corrupt lists damage in the last segment with sound groups behind it. Readers will stop there.
	Corrupt []*CorruptError
}

// Open opens the journal in Options.Dir, creating it when there is none, and takes the folder's lock. It reads only the
// headers and the last segment. Errors: ErrLocked when another process has the folder, *CorruptError when a segment's
// header is damaged; any other error is the disk's.
func Open(opts Options) (*Journal, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	if err := finishRenewal(opts.FS, opts.Dir); err != nil {
		return nil, err
	}
	if err := opts.FS.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create journal folder: %w", err)
	}
	lock, err := lockDir(opts.FS, opts.Dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{opts: opts, lock: lock, grown: make(chan struct{})}
	if err := j.recover(); err != nil {
		j.dropFile()
		return nil, errors.Join(err, lock.Close())
	}
	return j, nil
}

func lockDir(fsys disk.FS, dir string) (io.Closer, error) {
	lock, err := fsys.Lock(filepath.Join(dir, "LOCK"))
	if errors.Is(err, disk.ErrLocked) {
		return nil, fmt.Errorf(
			"journal folder %s is in use by another monev112 (%w); stop that one or choose another data folder", dir, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("lock journal folder %s: %w", dir, err)
	}
	return lock, nil
}

// Recovery returns what Open found and did.
func (j *Journal) Recovery() Recovery { return j.recovery }

func (j *Journal) recover() error {
	fsys, dir := j.opts.FS, j.opts.Dir
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list journal folder: %w", err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, segmentSuffix+disk.TempSuffix) {
			// Never got its name, so never held anything acknowledged.
			if err := fsys.Remove(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("remove unfinished segment: %w", err)
			}
		}
	}
	if j.id, err = loadIdentity(fsys, dir, names); err != nil {
		return err
	}
	if j.skips, err = loadSkips(fsys, dir); err != nil {
		return err
	}
	headers, damaged, err := listSegments(fsys, dir, j.id.Birth)
	if err != nil {
		return err
	}
	if len(damaged) > 0 {
		return damaged[0]
	}
	var floor Position
	if j.Continues(j.opts.ExpectUUID) {
		floor = j.opts.Expect
	}
	for _, s := range j.skips {
		floor = max(floor, s.To)
	}
	for i, h := range headers {
		end := h.first
		if i+1 < len(headers) {
			end = max(h.first, headers[i+1].prevEnd)
		}
		j.segments = append(j.segments,
			&segment{name: h.name, first: h.first, prevEnd: h.prevEnd, end: end, birth: h.created})
		j.nextSeq = max(j.nextSeq, h.seq+1)
	}
	if len(headers) > 0 {
		if err := j.recoverTail(headers[len(headers)-1]); err != nil {
			return err
		}
		if err := j.removeVoid(); err != nil {
			return err
		}
	}
	if j.end < floor {
		j.recovery.LostFrom, j.recovery.LostTo = j.end, floor
		j.opts.Logger.Error("journal ends before a position that was durable; the range is lost and skipped",
			"journal_end", uint64(j.end), "expected", uint64(floor))
		if err := j.createSegment(j.end, floor, nil); err != nil {
			return fmt.Errorf("skip lost range: %w", err)
		}
	}
	return nil
}

// recoverTail finds the end of the last segment and makes it true: whatever Readers are about to see must survive the
// next power loss.
func (j *Journal) recoverTail(h namedHeader) error {
	image, err := readSegment(j.opts.FS, filepath.Join(j.opts.Dir, h.name))
	if err != nil {
		return err
	}
	end, lastStart := h.first, h.first // of the last sound group
	damaged, _ := walk(h, image, imageEnd(h.first, image), func(g group) error {
		lastStart, end = g.start, g.end()
		return nil
	})
	if n := len(damaged); n > 0 && damaged[n-1].To == 0 {
		// What does not parse is a torn tail when no sound group follows, and damage when one does: only the last group can
		// have been in the making.
		damaged = damaged[:n-1]
	}
	s := j.segments[len(j.segments)-1]
	s.end, j.end = end, end
	j.recovery.Corrupt = damaged
	for _, c := range damaged {
		if skipTo(j.skips, c.Position) == c.Position {
			j.opts.Logger.Error("journal corrupt", "segment", c.Segment, "offset", c.Offset, "position", uint64(c.Position),
				"reason", c.Reason)
		}
	}
	if torn := int64(len(image)) - fileOffset(h.first, end); torn > 0 {
		j.recovery.TornBytes, j.recovery.TornSegment = torn, h.name
		j.opts.Logger.Warn("journal tail cut: a group was being written when the process stopped", "segment", h.name, "bytes",
			torn)
	}
	if end == h.first {
		return nil // nothing in it; what lies before it was durable before it was created
	}
	// The last group may be in the page cache only: its writer died before the fsync, or its fsync failed and the kernel
	// now calls the pages clean, in which case another fsync would succeed and write nothing. Groups before it are safe:
	// each was fsynced before the next was written. So the last one is copied to a new file, whose header voids the
	// original; that also cuts a torn tail for good. Writing over the original would put acknowledged bytes at risk.
	last := image[fileOffset(h.first, lastStart):fileOffset(h.first, end)]
	if err := j.createSegment(lastStart, lastStart, last); err != nil {
		return fmt.Errorf("secure the last group: %w", err)
	}
	return nil
}

// removeVoid removes segments that their successors void entirely, so that restarts do not pile up files.
func (j *Journal) removeVoid() error {
	kept, removed := j.segments[:0:0], false
	for i, s := range j.segments {
		if i+1 == len(j.segments) || s.end > s.first {
			kept = append(kept, s)
			continue
		}
		if err := j.opts.FS.Remove(filepath.Join(j.opts.Dir, s.name)); err != nil {
			return fmt.Errorf("remove void segment: %w", err)
		}
		removed = true
	}
	j.segments = kept
	if removed {
		if err := j.opts.FS.SyncDir(j.opts.Dir); err != nil {
			return fmt.Errorf("remove void segments: fsync of the folder: %w", err)
		}
	}
	return nil
}

// namedHeader is a segment's header with its file's name.
type namedHeader struct {
	segmentHeader
	name string
}

// listSegments reads the headers of all segments, in order. Of a segment whose header is damaged it returns the damage,
// and what its name and the rules of the format say of it.
func listSegments(fsys disk.FS, dir string, birth uuid.UUID) (list []namedHeader, damaged []*CorruptError, err error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("list journal folder: %w", err)
	}
	for _, name := range names {
		first, seq, ok := parseSegmentName(name)
		if !ok {
			continue
		}
		h, reason, err := readHeader(fsys, dir, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a live journal deleted it since it was listed
		}
		if err != nil {
			return nil, nil, err
		}
		if reason != "" {
			damaged = append(damaged, &CorruptError{Segment: name, Position: first, Reason: reason})
			h = segmentHeader{version: formatVersion, birth: birth, first: first, prevEnd: first, seq: seq}
		}
		bad := func(reason string) error {
			return &CorruptError{Segment: name, Position: first, Reason: reason, Misplaced: true}
		}
		switch {
		case h.version != formatVersion:
			return nil, nil, fmt.Errorf("segment %s has format version %d, this program reads %d: run the version that wrote it",
				name, h.version, formatVersion)
		case h.first != first || h.seq != seq:
			return nil, nil, bad(fmt.Sprintf("the header is that of %s", segmentName(h.first, h.seq)))
		case h.birth != birth:
			return nil, nil, bad("the segment belongs to another journal")
		case len(list) > 0 && h.seq <= list[len(list)-1].seq:
			return nil, nil, bad("the segment is older than the one before it")
		}
		list = append(list, namedHeader{h, name})
	}
	// A segment voids what lies above its prevEnd in all earlier ones, not only in the one before.
	for i := len(list) - 2; i >= 0; i-- {
		if next := list[i+1].prevEnd; next < list[i].prevEnd {
			list[i].prevEnd = next
		}
	}
	return list, damaged, nil
}

// readHeader reads the header of a segment; the reason is empty when it is sound.
func readHeader(fsys disk.FS, dir, name string) (h segmentHeader, reason string, err error) {
	f, err := fsys.OpenFile(filepath.Join(dir, name), 0, 0)
	if err != nil {
		return h, "", fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	b := make([]byte, segmentHeaderBytes)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return h, "", fmt.Errorf("read header of segment %s: %w", name, err)
	}
	h, reason = parseSegmentHeader(b[:n])
	return h, reason, nil
}

// readSegment returns a whole segment file.
func readSegment(fsys disk.FS, path string) ([]byte, error) {
	f, err := fsys.OpenFile(path, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("size of segment %s: %w", path, err)
	}
	b := make([]byte, size)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read segment %s: %w", path, err)
	}
	return b[:n], nil
}

// fileOffset is where position p lies in the file of a segment that begins at first.
func fileOffset(first, p Position) int64 { return segmentHeaderBytes + int64(p-first) }
