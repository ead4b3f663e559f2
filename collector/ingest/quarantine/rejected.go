package quarantine

import (
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
)

// The folder of the service's stores, below its data folder, and their names.
const (
	FolderName    = "quarantine"
	RejectedName  = "refused"   // events that the intake did not accept, pseudonymised
	DeadName      = "dead"      // rows that ClickHouse can never store
	ConflictsName = "conflicts" // accepted events that turned out to contradict an earlier one
)

// Rejected is the store of events that the intake did not accept.
type Rejected struct{ *Store }

// OpenRejected opens the rejected events of a data folder; the oldest are dropped when they take more than maxBytes.
func OpenRejected(dataDir string, maxBytes int64) (*Rejected, error) {
	s, err := Open(Options{Dir: filepath.Join(dataDir, FolderName), Name: RejectedName, MaxBytes: maxBytes})
	return &Rejected{s}, err
}

// AddRefusals keeps refused events; decoder makes of each what may be kept.
func (r *Rejected) AddRefusals(decoder *event.Decoder, refused []event.Refusal, at time.Time) error {
	entries := make([]Entry, 0, len(refused))
	for i := range refused {
		f := &refused[i]
		entries = append(entries, Entry{
			At: at, Source: f.Source, Field: string(f.Field), Reason: string(f.Reason), Event: decoder.Pseudonymise(f.Raw),
		})
	}
	return r.Add(entries...)
}

// AddEvents keeps events that were read and are refused all the same.
func (r *Rejected) AddEvents(events []*event.Event, field event.Field, reason event.Reason, at time.Time) error {
	entries := make([]Entry, 0, len(events))
	for _, e := range events {
		entries = append(entries, Entry{
			At: at, Source: e.Source, Field: string(field), Reason: string(reason),
			Event: event.AppendPseudonymised(nil, e),
		})
	}
	return r.Add(entries...)
}

// RedactCallers blanks the callers of events that were refused before an instant, and returns how many were due;
// without apply it only counts. When they happened is no guide: the time may be what was wrong.
func (r *Rejected) RedactCallers(before time.Time, apply bool) (due Due, err error) {
	blank := func(e *Entry) change {
		if !e.At.Before(before) {
			return unchanged
		}
		text, ok := withoutCaller(e.Event)
		if !ok {
			return unchanged
		}
		due.add(e.At)
		e.Event = text
		return edited
	}
	if apply {
		err = r.rewrite(blank)
		return due, err
	}
	err = r.Each(func(e Entry) error { blank(&e); return nil })
	return due, err
}

// MarkIn is MarkRequeue for a store of the service whose data folder is dataDir.
func MarkIn(dataDir, name string, ids ...string) error {
	return MarkRequeue(disk.OS{}, filepath.Join(dataDir, FolderName), name, ids...)
}
