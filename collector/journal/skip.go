package journal

import (
	"encoding/json"
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

const (
	skipsName = "skips.json"
	// asideSuffix ends the name of a file that keeps damaged bytes as they were found. No reader looks at it and Retain
	// does not delete it: an operator does.
	asideSuffix = ".damaged"
)

// Skip is a damaged range that an operator gave up. Readers go from From to To.
type Skip struct {
	From    Position  `json:"from"`
	To      Position  `json:"to"`
	Segment string    `json:"segment"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// Repair says which journal SkipDamage and Renew work on. The journal must be closed, unless DryRun is set.
type Repair struct {
	FS  disk.FS
	Dir string
	// Shipped is the position up to which ClickHouse has everything, Expect the highest position that a checkpoint saw,
	// both of the journal named Of; ignored when that is another one. Zero when nothing is known.
	Shipped, Expect Position
	Of              uuid.UUID
	Now             time.Time
	DryRun          bool // report what would be done and change nothing; needs no lock
	// BeforeLoss is called, with the journal locked, before records are given up; nil does nothing. An error stops the
	// repair.
	BeforeLoss func() error
}

func (r Repair) beforeLoss() error {
	if r.BeforeLoss == nil {
		return nil
	}
	return r.BeforeLoss()
}

// Readable counts what can still be read.
type Readable struct {
	Records int
	Shipped int // of these, records that ClickHouse already has
}

func (r *Readable) add(g group, shipped Position) {
	r.Records += int(g.count)
	if g.end() <= shipped {
		r.Shipped += int(g.count)
	}
}

// SkipReport says what SkipDamage did or, in a dry run, would do.
type SkipReport struct {
	Skip              // what is given up: nothing, From equal to To, when the segment's header alone is damaged
	Aside    string   // the file in the journal's folder that keeps the damaged bytes
	Behind   Readable // can be read behind it
	Shipped  Position // up to where ClickHouse has everything; 0 when no cursor of this journal tells
	Repeated bool     // the range was given up before: nothing is to be done
}

// SkipDamage makes readers pass over the damage at a position that Verify or a CorruptError named: they go on at the
// next sound group, or at the next segment. A damaged segment header is written anew from the file's name, which costs
// no record. The damaged bytes are copied aside first. A run that was killed leaves the journal as it was or done; it
// may be repeated.
func SkipDamage(r Repair, at Position) (rep SkipReport, err error) {
	if !r.DryRun {
		lock, err := lockDir(r.FS, r.Dir)
		if err != nil {
			return rep, err
		}
		defer lock.Close()
	}
	id, err := readIdentity(r.FS, filepath.Join(r.Dir, identityName))
	if err != nil {
		return rep, err
	}
	if id.names(r.Of) {
		rep.Shipped = r.Shipped
	}
	created := r.Now
	found, err := inspect(r.FS, r.Dir, id, func(_ string, g group) error {
		if g.start >= at {
			if rep.Behind.Records == 0 {
				created = g.time
			}
			rep.Behind.add(g, rep.Shipped)
		}
		return nil
	})
	if err != nil {
		return rep, err
	}
	if to := skipTo(found.Skips, at); to != at {
		rep.Skip, rep.Repeated = Skip{From: at, To: to}, true
		return rep, nil
	}
	i := slices.IndexFunc(found.Corrupt, func(c *CorruptError) bool { return c.Position == at })
	if i < 0 {
		return rep, fmt.Errorf("no damage begins at position %d; journal verify lists where it does, and an unfinished "+
			"write at the journal's end is cut by the next start", at)
	}
	c := found.Corrupt[i]
	rep.Skip = Skip{From: at, To: max(at, c.To), Segment: c.Segment, Reason: c.Reason, At: r.Now.UTC()}
	path := filepath.Join(r.Dir, c.Segment)
	image, err := readSegment(r.FS, path)
	if err != nil {
		return rep, err
	}
	replace := func(name string, b ...[]byte) error {
		return disk.Replace(r.FS, name, 0o600, func(w io.Writer) error {
			for _, part := range b {
				if _, err := w.Write(part); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if c.Offset == 0 {
		rep.Aside = c.Segment + asideSuffix
		if r.DryRun {
			return rep, nil
		}
		if err := replace(filepath.Join(r.Dir, rep.Aside), image); err != nil {
			return rep, err
		}
		first, seq, _ := parseSegmentName(c.Segment)
		header := segmentHeader{birth: id.Birth, first: first, prevEnd: first, seq: seq, created: created}
		return rep, replace(path, header.append(nil), image[min(segmentHeaderBytes, len(image)):])
	}
	rep.Aside = fmt.Sprintf("%020d-%020d%s", rep.From, rep.To, asideSuffix)
	if r.DryRun {
		return rep, nil
	}
	if err := r.beforeLoss(); err != nil {
		return rep, err
	}
	size := int64(len(image))
	if err := replace(filepath.Join(r.Dir, rep.Aside),
		image[min(c.Offset, size):min(c.Offset+int64(rep.To-rep.From), size)]); err != nil {
		return rep, err
	}
	return rep, writeJSON(r.FS, filepath.Join(r.Dir, skipsName), append(found.Skips, rep.Skip))
}

func loadSkips(fsys disk.FS, dir string) ([]Skip, error) {
	path := filepath.Join(dir, skipsName)
	b, err := disk.ReadFile(fsys, path, maxSmallBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read skipped ranges: %w", err)
	}
	var skips []Skip
	if err := json.Unmarshal(b, &skips); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w); move it away and skip the damage again", path, err)
	}
	return skips, nil
}

// skipTo returns where a reader that stands at p goes on.
func skipTo(skips []Skip, p Position) Position {
	for range skips {
		i := slices.IndexFunc(skips, func(s Skip) bool { return p >= s.From && p < s.To })
		if i < 0 {
			break
		}
		p = skips[i].To
	}
	return p
}
