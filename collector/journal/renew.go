package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/monev112/monev112/collector/internal/disk"
)

// newSuffix ends the name of the folder in which Renew builds. identityName is written last: a folder that holds it is
// complete.
const newSuffix = ".new"

// RenewReport says what Renew did or, in a dry run, would do.
type RenewReport struct {
	UUID       uuid.UUID       // of the new journal; zero in a dry run
	Aside      string          // the folder that keeps the old journal, untouched
	Kept       Readable        // brought over
	Lost       []*CorruptError // not brought over: it cannot be read
	TailBytes  int64           // not brought over either: an unfinished write at the old journal's end
	First, End Position        // of the new journal
	Shipped    Position        // up to where ClickHouse has everything; 0 when no cursor of this journal tells
}

// Loses reports whether anything is not brought over that may have been acknowledged.
func (r *RenewReport) Loses() bool { return len(r.Lost) > 0 || r.TailBytes > 0 }

// Renew makes a new journal of what can be read of a damaged one and keeps the old folder beside it. Every group keeps
// its position and damage becomes a hole: cursor and checkpoint stay right, and the new UUID continues the old one.
// Positions that may have named other records are named by another UUID from now on. A run that was killed leaves the
// old journal, or the new one whole, which Open or another Renew puts in its place.
func Renew(r Repair) (rep RenewReport, err error) {
	if err := finishRenewal(r.FS, r.Dir); err != nil {
		return rep, err
	}
	if !r.DryRun {
		lock, err := lockDir(r.FS, r.Dir)
		if err != nil {
			return rep, err
		}
		defer lock.Close()
	}
	id, named, err := identityOrBirth(r.FS, r.Dir)
	if err != nil {
		return rep, err
	}
	next := identity{Continues: id.Continues}
	if next.UUID, err = uuid.NewRandom(); err != nil {
		return rep, fmt.Errorf("make a journal id: %w", err)
	}
	next.Birth = next.UUID
	w := rewriter{fs: r.FS, dir: r.Dir + newSuffix, dryRun: r.DryRun, birth: next.Birth, end: 1<<64 - 1}
	var expect Position
	if named {
		next.Continues = append(next.Continues, id.UUID)
		if id.names(r.Of) {
			rep.Shipped, w.end, expect = r.Shipped, r.Shipped, max(r.Shipped, r.Expect)
		}
	}
	if err := w.clear(); err != nil {
		return rep, err
	}
	found, err := inspect(r.FS, r.Dir, id, func(_ string, g group) error {
		rep.Kept.add(g, rep.Shipped)
		return w.add(g)
	})
	if err == nil {
		err = w.finish(expect)
	}
	if err != nil {
		return rep, errors.Join(err, w.clear())
	}
	rep.First, rep.End, rep.TailBytes = w.first, w.end, found.TailBytes
	if rep.Shipped > 0 && found.First > rep.Shipped {
		rep.Lost = append(rep.Lost, &CorruptError{Position: rep.Shipped, To: found.First, Reason: "segments are missing"})
	}
	for _, c := range found.Corrupt {
		if c.Offset > 0 { // a damaged header alone costs nothing
			rep.Lost = append(rep.Lost, c)
		}
	}
	if expect > found.End {
		rep.Lost = append(rep.Lost, &CorruptError{Position: found.End, To: expect,
			Reason: "the journal ends before what cursor or checkpoint saw"})
	}
	rep.Aside = r.Dir + ".old-" + r.Now.UTC().Format("20060102T150405Z")
	if r.DryRun {
		return rep, nil
	}
	rep.UUID = next.UUID
	if rep.Loses() {
		if err := r.beforeLoss(); err != nil {
			return rep, errors.Join(err, w.clear())
		}
	}
	if err := writeIdentity(r.FS, filepath.Join(w.dir, identityName), next); err != nil {
		return rep, err
	}
	if err := r.FS.SyncDir(filepath.Dir(r.Dir)); err != nil {
		return rep, fmt.Errorf("fsync of the folder of %s: %w", w.dir, err)
	}
	if err := r.FS.Rename(r.Dir, rep.Aside); err != nil {
		return rep, fmt.Errorf("keep the old journal: %w", err)
	}
	return rep, finishRenewal(r.FS, r.Dir)
}

// finishRenewal gives a new journal that is complete its name, when the old one was moved aside already.
func finishRenewal(fsys disk.FS, dir string) error {
	if names, err := fsys.ReadDir(dir); len(names) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := readIdentity(fsys, filepath.Join(dir+newSuffix, identityName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := fsys.Rename(dir+newSuffix, dir); err != nil {
		return fmt.Errorf("put the renewed journal in its place: %w", err)
	}
	if err := fsys.SyncDir(filepath.Dir(dir)); err != nil {
		return fmt.Errorf("put the renewed journal in its place: fsync of the folder: %w", err)
	}
	return nil
}

// identityOrBirth returns the identity of a journal, or, when its file is lost or damaged, the birth that a segment
// names; named is false then.
func identityOrBirth(fsys disk.FS, dir string) (id identity, named bool, err error) {
	id, err = readIdentity(fsys, filepath.Join(dir, identityName))
	if err == nil {
		return id, true, nil
	}
	names, _ := fsys.ReadDir(dir) // its error would be that of the identity
	for _, name := range names {
		if IsSegment(name) {
			if h, reason, herr := readHeader(fsys, dir, name); herr == nil && reason == "" {
				return identity{Birth: h.birth}, false, nil
			}
		}
	}
	return id, false, err
}

// rewriter writes groups at their own positions into the segments of a new journal, in a folder that no reader sees
// yet.
type rewriter struct {
	fs     disk.FS
	dir    string
	dryRun bool
	birth  uuid.UUID

	seq        uint64 // segments begun
	header     segmentHeader
	groups     []byte    // of the segment under way
	last       time.Time // when the last group was appended
	first, end Position
}

func (w *rewriter) add(g group) error {
	if w.seq == 0 {
		w.first, w.end = g.start, min(w.end, g.start)
	}
	if g.start < w.end {
		return nil // void: a later segment says otherwise, or its damaged header did
	}
	if w.seq == 0 || g.start > w.end || len(w.groups) >= DefaultSegmentBytes {
		if err := w.begin(g.start, g.time); err != nil {
			return err
		}
	}
	w.groups, w.end, w.last = append(w.groups, g.image...), g.end(), g.time
	return nil
}

// begin writes the segment under way and begins another, before which a hole may lie. Retain takes created for a time
// after the last append to the segment before.
func (w *rewriter) begin(first Position, created time.Time) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.header = segmentHeader{birth: w.birth, first: first, prevEnd: w.end, seq: w.seq, created: created}
	w.groups = w.groups[:0]
	w.seq++
	return nil
}

// finish writes what is left. The journal goes on at expect or behind its last group.
func (w *rewriter) finish(expect Position) error {
	if w.seq == 0 {
		w.first, w.end = expect, min(w.end, expect)
	}
	if expect > w.end {
		if err := w.begin(expect, w.last); err != nil {
			return err
		}
		w.end = expect
	}
	return w.flush()
}

func (w *rewriter) flush() error {
	if w.seq == 0 || w.dryRun {
		return nil
	}
	if free, err := w.fs.FreeBytes(w.dir); err == nil && free < uint64(DefaultMinFreeBytes+len(w.groups)) {
		return fmt.Errorf("%w: %d bytes free for the new journal, %d are kept; make room and run it again", ErrDiskFull, free,
			DefaultMinFreeBytes)
	}
	name := filepath.Join(w.dir, segmentName(w.header.first, w.header.seq))
	return disk.Replace(w.fs, name, 0o600, func(to io.Writer) error {
		if _, err := to.Write(w.header.append(nil)); err != nil {
			return err
		}
		_, err := to.Write(w.groups)
		return err
	})
}

// clear empties the folder of what a killed run left: identityName first, so that what is left never counts as
// complete.
func (w *rewriter) clear() error {
	if w.dryRun {
		return nil
	}
	if err := w.fs.MkdirAll(w.dir, 0o700); err != nil {
		return fmt.Errorf("create the new journal's folder: %w", err)
	}
	names, err := w.fs.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("list the new journal's folder: %w", err)
	}
	for _, name := range slices.Backward(names) {
		if err := w.fs.Remove(filepath.Join(w.dir, name)); err != nil {
			return fmt.Errorf("empty the new journal's folder: %w", err)
		}
		if err := w.fs.SyncDir(w.dir); err != nil {
			return fmt.Errorf("empty the new journal's folder: fsync: %w", err)
		}
	}
	return nil
}
