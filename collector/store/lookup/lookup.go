// Package lookup finds single cases: on the board while they are in memory, else in ClickHouse, folded by the same
// rules. It writes nothing and remembers nothing.
package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

// Case is a ticket or a call with its events.
type Case struct {
	Row    tracker.Row    // one of Call and Ticket is set; Clocks are its clocks
	Events []*event.Event // in the order in which they take effect
}

// Cases answers questions about cases. Its methods are safe for concurrent use; they return a *store.UnavailableError
// when what they need is away.
type Cases struct {
	Board   *tracker.Board
	Stored  *store.Sink
	Centers []string // codes of all centres
	// Incomplete says, as the end of a sentence, what the board still waits for.
	Incomplete func() string
}

// Snapshot returns the board at now.
func (c *Cases) Snapshot(now time.Time) tracker.Snapshot { return c.Board.Snapshot(now) }

// Tickets returns at most limit open tickets behind after, by centre and id.
func (c *Cases) Tickets(f tracker.TicketFilter, now time.Time, after event.Key, limit int) ([]tracker.Row, error) {
	if reason := c.Incomplete(); reason != "" {
		return nil, &store.UnavailableError{Reason: fmt.Sprintf("The board is not complete yet: %s.", reason)}
	}
	return c.Board.OpenTickets(f, now, after, limit), nil
}

// TicketsAsOf returns at most limit tickets that were open at a past instant, behind after, by centre and id: each as
// the events that had happened by then make it, of those that are known today.
func (c *Cases) TicketsAsOf(ctx context.Context, f tracker.TicketFilter, at time.Time, after event.Key,
	limit int) ([]tracker.Row, error) {
	away := func(err error) error {
		return &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	var opds []string
	if f.OPD != "" && f.OPD != tracker.NoOPD {
		var err error
		if opds, err = c.named(ctx, f.Center, f.OPD); err != nil {
			return nil, away(err)
		}
		if len(opds) == 0 {
			return nil, nil
		}
	}
	keys, err := c.Stored.OpenTicketsAt(ctx, f, opds, at, after, limit)
	if err != nil {
		return nil, away(err)
	}
	found, err := c.stored(ctx, keys, at)
	if err != nil {
		return nil, err
	}
	rows := make([]tracker.Row, len(found))
	for i := range found {
		rows[i] = found[i].Row
	}
	slices.SortFunc(rows, func(a, b tracker.Row) int {
		return cmp.Or(cmp.Compare(a.Key.Center, b.Key.Center), cmp.Compare(a.Key.ID, b.Key.ID))
	})
	return rows, nil
}

// named returns what tickets call the OPD of a label: its id, and names that the directory did not know when they came.
func (c *Cases) named(ctx context.Context, center, label string) (opds []string, err error) {
	names, err := c.Stored.OPDNames(ctx, center)
	for _, n := range names {
		if c.Board.OPDLabel(n[0], n[1]) == label {
			opds = append(opds, n[1])
		}
	}
	return opds, err
}

// OPDMonths counts the clocks in time of an OPD by month, under whatever name; see store.Store.OPDMonths.
func (c *Cases) OPDMonths(ctx context.Context, center, opd string, since, until time.Time) ([]store.OPDMonth, error) {
	names, err := c.named(ctx, center, c.Board.OPDLabel(center, opd))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	return c.Stored.OPDMonths(ctx, center, names, since, until)
}

// Flags counts which sources contradict themselves; see store.Store.Flags.
func (c *Cases) Flags(ctx context.Context, center string, since, until, asOf time.Time) ([]store.FlagCount, error) {
	counts, err := c.Stored.Flags(ctx, center, since, until, asOf)
	if err != nil {
		return nil, &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	return counts, nil
}

// NotRecorded counts what no source records; see store.Store.NotRecorded.
func (c *Cases) NotRecorded(ctx context.Context, center string, since, until time.Time) ([]store.NotRecorded, error) {
	rows, err := c.Stored.NotRecorded(ctx, center, since, until)
	if err != nil {
		return nil, &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	return rows, nil
}

// Corrected lists what was late before it was corrected; see store.Store.Corrected.
func (c *Cases) Corrected(ctx context.Context, center string, since, until time.Time) ([]store.Corrected, error) {
	rows, err := c.Stored.Corrected(ctx, center, since, until)
	if err != nil {
		return nil, &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	return rows, nil
}

// WithdrawnTickets lists what waits for a confirmation; see store.Store.WithdrawnTickets.
func (c *Cases) WithdrawnTickets(ctx context.Context, center string) ([]store.WithdrawnTicket, error) {
	rows, err := c.Stored.WithdrawnTickets(ctx, center)
	if err != nil {
		return nil, &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	return rows, nil
}

// Told counts the messages of the service itself; see store.Store.Told.
func (c *Cases) Told(ctx context.Context, center string, since, until time.Time) ([]store.Told, error) {
	rows, err := c.Stored.Told(ctx, center, since, until)
	if err != nil {
		return nil, &store.UnavailableError{Reason: "ClickHouse does not answer now.", Err: err}
	}
	return rows, nil
}

// Find returns every case of a kind and id: of one centre, or of all when center is empty.
func (c *Cases) Find(ctx context.Context, kind event.Kind, center, id string) ([]Case, error) {
	centers := c.Centers
	if center != "" {
		centers = []string{center}
	}
	var found []Case
	var keys []event.Key // of cases that are not in memory
	for _, code := range centers {
		key := event.Key{Center: code, Kind: kind, ID: id}
		if row, events, ok := c.Board.Case(key); ok {
			found = append(found, Case{row, events})
		} else {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return found, nil
	}
	stored, err := c.stored(ctx, keys, time.Time{})
	if err != nil && len(found) > 0 {
		return found, nil // another centre's case of the same id cannot be looked up now
	}
	return append(found, stored...), err
}

// FindAsOf returns a case as the events that had happened by an instant make it, of those that are known today; false
// where it had not begun.
func (c *Cases) FindAsOf(ctx context.Context, key event.Key, at time.Time) (Case, bool, error) {
	found, err := c.stored(ctx, []event.Key{key}, at)
	if err != nil || len(found) == 0 {
		return Case{}, false, err
	}
	return found[0], true, nil
}

// Events is Find for the events alone.
func (c *Cases) Events(ctx context.Context, kind event.Kind, center, id string) (out []*event.Event, err error) {
	found, err := c.Find(ctx, kind, center, id)
	for _, f := range found {
		out = append(out, f.Events...)
	}
	return out, err
}

// stored reads cases from ClickHouse and folds them; with an instant, what had happened by then.
func (c *Cases) stored(ctx context.Context, keys []event.Key, until time.Time) (out []Case, err error) {
	loaded, err := c.read(ctx, keys, until)
	if err != nil {
		return nil, err
	}
	for _, l := range loaded {
		if len(l.Events) == 0 {
			continue
		}
		with, err := tracker.Group(l, func(keys []event.Key) ([]tracker.Loaded, error) { return c.read(ctx, keys, until) })
		if err != nil {
			return nil, err
		}
		row, events := c.Board.Fold(l, with)
		if !until.IsZero() && row.Ticket != nil {
			row.Ticket.CorrectedAsOf(until)
		}
		out = append(out, Case{row, events})
	}
	return out, nil
}

func (c *Cases) read(ctx context.Context, keys []event.Key, until time.Time) ([]tracker.Loaded, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	loaded, err := c.Stored.ReadCases(ctx, keys)
	if err != nil {
		return nil, &store.UnavailableError{
			Reason: "The case is not in memory, and ClickHouse does not answer now.", Err: err,
		}
	}
	out := make([]tracker.Loaded, 0, len(loaded))
	for _, l := range loaded {
		if !until.IsZero() {
			all := l.Events
			l.Events = casefile.AsOf(all, until)
			l.Later = slices.DeleteFunc(slices.Clone(all), func(e *event.Event) bool { return slices.Contains(l.Events, e) })
		}
		out = append(out, l)
	}
	return out, nil
}
