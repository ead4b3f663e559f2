package store

import (
	"context"
	"fmt"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// Sink is a Store as the shipper sees it: it takes the rows of the board and keeps calls_hourly in step with the calls.
// One shipper at a time may use it.
type Sink struct {
	*Store
	// Boards are the centres that have a board: those that are not historical.
	Boards []string
	// Scope says whose power an OPD of a centre is in: own, vertical or unknown.
	Scope func(center, opd string) string
}

// Prepare brings the schema up to date and recomputes the hours that an earlier process left.
func (s *Sink) Prepare(ctx context.Context) error {
	if _, err := s.Migrate(ctx); err != nil {
		return err
	}
	hours, err := s.pendingHours(ctx)
	if err != nil || len(hours) == 0 {
		return err
	}
	version, err := s.MaxVersion(ctx)
	if err != nil {
		return err
	}
	if err := s.RecomputeHours(ctx, hours, version); err != nil {
		return err
	}
	return s.markPending(ctx, hours, version, true)
}

// ReadCases returns what is stored of the cases; of a case that is not stored it returns nothing.
func (s *Sink) ReadCases(ctx context.Context, keys []event.Key) ([]tracker.Loaded, error) {
	records, err := s.Store.ReadCases(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]tracker.Loaded, 0, len(records))
	for key, r := range records {
		out = append(out, tracker.Loaded{Key: key, Events: r.Events, Tickets: r.Tickets})
	}
	return out, nil
}

// Upsert stores the rows of cases and of their clocks under version, which must be greater than that of every row before,
// and then the hours that their calls belong to or have left.
func (s *Sink) Upsert(ctx context.Context, rows []tracker.Row, version uint64) error {
	calls := make([]casefile.Call, 0, len(rows))
	var tickets []TicketRow
	clocks := make([]CaseClocks, 0, len(rows))
	var callKeys []event.Key
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Call != nil:
			calls = append(calls, *r.Call)
			callKeys = append(callKeys, r.Key)
		case r.Ticket != nil:
			t := TicketRow{Ticket: *r.Ticket}
			if t.OPD != "" && s.Scope != nil {
				t.Scope = s.Scope(r.Key.Center, t.OPD)
			}
			tickets = append(tickets, t)
		default:
			return fmt.Errorf("row of %s %s: neither call nor ticket", r.Key.Kind, r.Key.ID)
		}
		clocks = append(clocks, CaseClocks{Key: r.Key, Clocks: r.Clocks})
	}
	before, err := s.storedHours(ctx, callKeys)
	if err != nil {
		return err
	}
	hours, left := hoursOf(calls, before)
	if err := s.markPending(ctx, left, version, false); err != nil {
		return err
	}
	if err := s.UpsertTickets(ctx, tickets, version); err != nil {
		return err
	}
	if err := s.UpsertCalls(ctx, calls, version); err != nil {
		return err
	}
	if err := s.UpsertClocks(ctx, clocks, version); err != nil {
		return err
	}
	if err := s.RecomputeHours(ctx, append(hours, left...), version); err != nil {
		return err
	}
	return s.markPending(ctx, left, version, true)
}

// hoursOf returns the hours of calls as they are, and the hours that they leave, each once.
func hoursOf(calls []casefile.Call, before map[event.Key]time.Time) (hours, left []CenterHour) {
	type set = map[CenterHour]struct{}
	now, old := set{}, set{}
	for i := range calls {
		c := &calls[i]
		var hour time.Time
		if at := c.At(); !at.IsZero() {
			hour = hourOf(at)
			now[CenterHour{c.Key.Center, hour}] = struct{}{}
		}
		if was, ok := before[c.Key]; ok && !was.Equal(hour) {
			old[CenterHour{c.Key.Center, was}] = struct{}{}
		}
	}
	for h := range now {
		hours = append(hours, h)
	}
	for h := range old {
		left = append(left, h)
	}
	return hours, left
}

// OpenCases returns the open tickets and the cases that had an event since, of the centres that have a board.
func (s *Sink) OpenCases(ctx context.Context, since time.Time) ([]event.Key, error) {
	return s.Store.OpenCases(ctx, s.Boards, since)
}

// Permanent reports whether err is the fault of a row, so that no repetition helps.
func (s *Sink) Permanent(err error) bool { return KindOf(err) == Value }
