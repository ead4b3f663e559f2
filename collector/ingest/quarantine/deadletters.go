package quarantine

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
)

// DeadLetters holds what was accepted and is not in ClickHouse: rows that it can never store, and conflicts. Nothing of
// it exists elsewhere once the journal's segment is gone, so each entry is made durable and none is dropped for room.
//
// One number bounds it, the room that the journal leaves free on the disk (floor):
//
//	below twice the floor   a source whose entries take much room is told to wait (HeldBack); the others go on
//	below the floor         the journal accepts nothing more from anybody
//	below half the floor    Add fails: what cannot be kept waits in the journal, and shipping with it
type DeadLetters struct {
	*Store           // rows
	Conflicts *Store // accepted events that contradict an earlier one
	floor     int64
}

// muchRoom is the share of the floor that the entries of one source must take before it is held back.
const muchRoom = 16

// OpenDeadLetters opens the dead letters and conflicts of a data folder. floor is how many bytes of the disk the
// journal leaves free: 0 is the journal's default, below 0 there is no bound.
func OpenDeadLetters(dataDir string, floor int64, fsys disk.FS) (*DeadLetters, error) {
	floor = cmp.Or(floor, journal.DefaultMinFreeBytes)
	opts := Options{
		Dir: filepath.Join(dataDir, FolderName), Name: DeadName, Keep: true, MinFreeBytes: floor / 2, FS: fsys,
	}
	rows, err := Open(opts)
	if err != nil {
		return nil, err
	}
	opts.Name = ConflictsName
	conflicts, err := Open(opts)
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return &DeadLetters{rows, conflicts, floor}, nil
}

// Close releases both stores.
func (d *DeadLetters) Close() error { return errors.Join(d.Store.Close(), d.Conflicts.Close()) }

// AddRows keeps rows of a table that ClickHouse refuses, each for a reason of its own. A payload is the journal's form
// of an event, or the key of a case, which has no source.
func (d *DeadLetters) AddRows(table string, payloads [][]byte, sources, reasons []string, at time.Time) error {
	entries := make([]Entry, len(payloads))
	for i := range payloads {
		entries[i] = Entry{At: at, Source: sources[i], Reason: reasons[i], Table: table, Payload: payloads[i]}
	}
	return d.Store.Add(entries...)
}

// AddConflicts keeps accepted events that contradict an earlier one.
func (d *DeadLetters) AddConflicts(events []*event.Event, payloads [][]byte, reason string, at time.Time) error {
	entries := make([]Entry, len(events))
	for i, e := range events {
		entries[i] = Entry{
			At: at, Source: e.Source, Field: string(event.FieldID), Reason: reason, Table: eventsTable, Payload: payloads[i],
		}
	}
	return d.Conflicts.Add(entries...)
}

// eventsTable is the table whose rows have an event as their payload.
const eventsTable = "events"

// sourceOf returns who sent an entry; the first stage did not write it beside a payload.
func sourceOf(e *Entry) string {
	if e.Source == "" && e.Table == eventsTable {
		var of event.Event
		if event.DecodeBinary(e.Payload, &of) == nil {
			return of.Source
		}
	}
	return e.Source
}

// EachPayload calls fn with the table and payload of everything that is kept.
func (d *DeadLetters) EachPayload(fn func(table string, payload []byte)) error {
	give := func(e Entry) error { fn(e.Table, e.Payload); return nil }
	return errors.Join(d.Store.Each(give), d.Conflicts.Each(give))
}

// Requeued gives at most limit entries that an operator marked to retry, as Store.Requeue does; later is ErrLater.
func (d *DeadLetters) Requeued(limit int,
	retry func(payload []byte, table string) (later bool, err error)) (int, error) {
	try := func(e Entry) error {
		later, err := retry(e.Payload, e.Table)
		if later {
			err = fmt.Errorf("%w: %w", ErrLater, err)
		}
		return err
	}
	rows, rowsErr := d.Store.Requeue(limit, try)
	conflicts, conflictsErr := d.Conflicts.Requeue(limit, try)
	return rows + conflicts, errors.Join(rowsErr, conflictsErr)
}

// HeldBack reports whether a source has to wait: the disk is nearly full, and its dead letters and conflicts take a
// good part of what is missing.
func (d *DeadLetters) HeldBack(source string) bool {
	if d.floor <= 0 {
		return false
	}
	// First what takes no lock: with room, no request waits for an fsync of the stores.
	if free, err := d.opts.FS.FreeBytes(d.opts.Dir); err != nil || free >= 2*uint64(d.floor) {
		return false
	}
	return d.Store.Source(source).Bytes+d.Conflicts.Source(source).Bytes >= d.floor/muchRoom
}

// Redact blanks callers and attributes in the events that happened before an instant, each unless it is zero, and
// returns how much was due. Without apply it only counts. The event stays what it was: its digest does not cover the
// caller and is kept beside the attributes.
func (d *DeadLetters) Redact(callersBefore, attributesBefore time.Time,
	apply bool) (callers, attributes Due, err error) {
	blank := func(e *Entry) change {
		var of event.Event
		if e.Table != eventsTable || event.DecodeBinary(e.Payload, &of) != nil {
			return unchanged
		}
		was := unchanged
		if of.Caller != (event.Caller{}) && of.OccurredAt.Before(callersBefore) {
			callers.add(of.OccurredAt)
			of.Caller, was = event.Caller{}, edited
		}
		if len(of.Attributes) > 0 && of.OccurredAt.Before(attributesBefore) {
			attributes.add(of.OccurredAt)
			of.Attributes, was = nil, edited
		}
		if was == edited {
			e.Payload = event.AppendBinary(nil, &of)
		}
		return was
	}
	for _, s := range []*Store{d.Store, d.Conflicts} {
		if apply {
			err = cmp.Or(err, s.rewrite(blank))
			continue
		}
		err = cmp.Or(err, s.Each(func(e Entry) error { blank(&e); return nil }))
	}
	return callers, attributes, err
}

// Due counts what is due to go.
type Due struct {
	Entries int
	Oldest  time.Time // when the oldest of it happened
}

func (d *Due) add(at time.Time) {
	d.Entries++
	if d.Oldest.IsZero() || at.Before(d.Oldest) {
		d.Oldest = at
	}
}

// Observe returns what metrics ask at each scrape.
func Observe(r *Rejected, d *DeadLetters) func() metrics.QuarantineState {
	return func() metrics.QuarantineState {
		refused, dead, conflicts := r.Stats(), d.Store.Stats(), d.Conflicts.Stats()
		return metrics.QuarantineState{
			Refused: refused.Entries, Dropped: refused.Dropped, DeadLetters: dead.Entries, Conflicts: conflicts.Entries,
			KeptBytes: dead.Bytes + conflicts.Bytes,
		}
	}
}
