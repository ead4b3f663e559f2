// Package retention deletes personal data that is older than the policy allows, once a day and on request, and records
// what it found and deleted. How a place deletes is the business of that place.
//
//	place         kind        kept, by default                    how it goes
//	events        caller      13 months after it happened         blanked; the event stays, and its case folds as before
//	calls         caller      13 months after the call            blanked
//	board         caller      13 months after it happened         blanked in memory; the next checkpoints are without it
//	events        attributes  24 months after it happened         blanked
//	board         attributes  24 months after it happened         blanked in memory
//	refused       entry       90 days after it was refused        removed from the quarantine
//	refused       caller      13 months after it was refused      blanked, where entries are kept for longer
//	dead          entry       for ever                            removed on request alone, 90 days after it was kept
//	dead          caller      13 months after it happened         blanked; the event can still be given back
//	dead          attributes  24 months after it happened         blanked
//	journal       -           a day after it was shipped          segments are deleted; a segment is closed after a day
//	checkpoints   -           that were set aside: a day          files are deleted
//
// Conflicts are kept as dead letters are. Both are the only copy of accepted events: time alone never removes them, an
// operator who asks for it does. Rows of cases, clocks and aggregates are kept.
package retention

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/store"
)

// The kinds of what is kept for a time.
const (
	Caller     = store.CallerData
	Attributes = store.AttributesData
	Entry      = "entry" // a rejected event or a dead letter
)

// Policy says for how long personal data is kept. Zero is the default, below zero is for ever.
type Policy struct {
	CallerMonths     int `yaml:"caller_months"`     // 13
	AttributesMonths int `yaml:"attributes_months"` // 24
	RefusedDays      int `yaml:"refused_days"`      // 90
}

// WithDefaults returns the policy with its zeros filled in.
func (p Policy) WithDefaults() Policy {
	for _, f := range []struct {
		v *int
		d int
	}{{&p.CallerMonths, 13}, {&p.AttributesMonths, 24}, {&p.RefusedDays, 90}} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
	return p
}

// maxMonths and maxDays bound what a policy may say: a hundred years.
const (
	maxMonths = 1200
	maxDays   = 36500
)

// Check refuses what cannot be meant.
func (p Policy) Check() error {
	if p.CallerMonths > maxMonths || p.AttributesMonths > maxMonths || p.RefusedDays > maxDays {
		return fmt.Errorf("retention: at most %d months or %d days; below 0 is for ever", maxMonths, maxDays)
	}
	return nil
}

// Months returns how many months a kind is kept; 0 or less is for ever.
func (p Policy) Months(kind string) int {
	p = p.WithDefaults()
	switch kind {
	case Caller:
		return p.CallerMonths
	case Attributes:
		return p.AttributesMonths
	}
	return 0
}

// Cutoff returns the instant before which a kind is due at now; false when it is kept for ever.
func (p Policy) Cutoff(kind string, now time.Time) (time.Time, bool) {
	p = p.WithDefaults()
	if kind == Entry {
		return now.UTC().AddDate(0, 0, -p.RefusedDays), p.RefusedDays > 0
	}
	m := p.Months(kind)
	return monthsBefore(now.UTC(), m), m > 0
}

// monthsBefore goes back to the same day of an earlier month, to its last day when it is shorter: nothing goes too
// early.
func monthsBefore(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()-time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(),
		t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// Report is what a run found and did.
type Report struct {
	At      time.Time       `json:"at"`
	Applied bool            `json:"applied"`
	Items   []store.DueItem `json:"items"`
}

// Due is how much is due in all places.
func (r Report) Due() (n uint64) {
	for _, i := range r.Items {
		n += i.Due
	}
	return n
}

// Kept is how many dead letters and conflicts are due and stay because nobody said to delete them.
func (r Report) Kept() (n uint64) {
	for _, i := range r.Items {
		if i.Asks {
			n += i.Left
		}
	}
	return n
}

// Left is how much of it is left.
func (r Report) Left() (n uint64) {
	for _, i := range r.Items {
		n += i.Left
	}
	return n
}

// Write prints a report; days are shown in zone.
func (r Report) Write(w io.Writer, zone *time.Location) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PLACE\tKIND\tOLDER THAN\tDUE\tOLDEST\tLEFT")
	for _, i := range r.Items {
		oldest := "-"
		if !i.Oldest.IsZero() {
			oldest = i.Oldest.In(zone).Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%d\n", i.Where, i.Kind, i.Cutoff.In(zone).Format(time.DateOnly), i.Due, oldest,
			i.Left)
	}
	return t.Flush()
}

// RecordFile is the name of the local record, one Report as JSON a line, in the data folder.
const RecordFile = "retention.jsonl"

// Record appends a report to the local record and makes it durable.
func Record(dataDir string, r Report) (err error) {
	path := filepath.Join(dataDir, RecordFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("record of retention: %w", err)
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	if err = errors.Join(err, f.Sync(), f.Close(), disk.OS{}.SyncDir(dataDir)); err != nil {
		return fmt.Errorf("record of retention: %w", err)
	}
	return nil
}

// LastRun returns when the record says that data was last deleted, or looked for; the zero time when it has never been.
func LastRun(dataDir string) time.Time {
	info, err := os.Stat(filepath.Join(dataDir, RecordFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
