package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// Sink is a Store as the shipper sees it: it takes the rows of the board and keeps calls_hourly in step with the calls,
// clocks_daily and tickets_daily with the tickets and their clocks.
// One shipper at a time may use it; Run may go on beside it.
type Sink struct {
	*Store
	// Boards are the centres that have a board: those that are not historical.
	Boards []string
	// Scope says whose power an OPD of a centre is in: own, vertical or unknown.
	Scope func(center, opd string) string

	// held by Upsert and by a recomputation, so that no hour is recomputed between its mark and its calls
	mu      sync.Mutex
	pending map[CenterHour]struct{}
	days    map[CenterDay]struct{} // pending
	version uint64                 // of the latest upsert
	marks   uint64                 // the latest mark in hours_pending and days_pending
	running bool                   // Run recomputes; without it Upsert does
}

// RecomputeEvery is how far the roll-ups, and with them the views monev_*, may lag behind the cases while Run runs: to
// recompute with every batch would cost a fast import as much as the batch. Where a recomputation takes long, the pause
// after it is restTimes as long, up to maxRecomputePause: no row is stored while one runs.
const (
	RecomputeEvery    = 3 * time.Second
	maxRecomputePause = 30 * time.Second
	restTimes         = 4
)

// Prepare brings the schema up to date and recomputes the hours and days that an earlier process left, unless a restore
// into this database has not ended.
func (s *Sink) Prepare(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	// Of half the rows the roll-ups would be wrong, and the marks gone that make them follow the rest: whoever ships
	// waits.
	restores, err := s.Restores(ctx)
	if err != nil || slices.ContainsFunc(restores, func(r Restore) bool { return r.EndedAt.IsZero() }) {
		return err
	}
	hours, ofHours, err := s.pendingHours(ctx)
	if err != nil {
		return err
	}
	days, ofDays, err := s.pendingDays(ctx)
	s.marks = max(s.marks, ofHours, ofDays)
	if err != nil || len(hours) == 0 && len(days) == 0 {
		return err
	}
	if s.version, err = s.MaxVersion(ctx); err != nil {
		return err
	}
	s.pending, _ = remember(s.pending, hours)
	s.days, _ = remember(s.days, days)
	if err := s.recompute(ctx); err != nil && !s.running {
		return err
	}
	return nil // what failed stays pending for Run: figures may lag, no event waits for them
}

// Run recomputes the hours and days whose cases changed, every RecomputeEvery or slower, until ctx ends; what is left
// then is done by the next Prepare. A failure is counted by Config.Failed and tried again. Without a Run every Upsert
// recomputes its hours.
func (s *Sink) Run(ctx context.Context) {
	s.setRunning(true)
	defer s.setRunning(false)
	pause := RecomputeEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			s.mu.Lock()
			began := time.Now()
			_ = s.recompute(ctx)
			pause = min(max(RecomputeEvery, restTimes*time.Since(began)), maxRecomputePause)
			s.mu.Unlock()
		}
	}
}

func (s *Sink) setRunning(running bool) {
	s.mu.Lock()
	s.running = running
	s.mu.Unlock()
}

// remember adds hours or days to those that are pending and returns them all, and the new ones.
func remember[T comparable](pending map[T]struct{}, list []T) (all map[T]struct{}, added []T) {
	if pending == nil {
		pending = map[T]struct{}{}
	}
	for _, h := range list {
		if _, known := pending[h]; !known {
			pending[h] = struct{}{}
			added = append(added, h)
		}
	}
	return pending, added
}

// recompute brings the pending hours and days up to date.
func (s *Sink) recompute(ctx context.Context) error {
	if len(s.pending) > 0 {
		hours := slices.Collect(maps.Keys(s.pending))
		if err := s.RecomputeHours(ctx, hours, s.version); err != nil {
			return err
		}
		if err := s.markPending(ctx, hours, s.nextMark(), true); err != nil {
			return err
		}
		clear(s.pending)
	}
	if len(s.days) > 0 {
		days := slices.Collect(maps.Keys(s.days))
		if err := s.RecomputeDays(ctx, days, s.version); err != nil {
			return err
		}
		if err := s.markDaysPending(ctx, days, s.nextMark(), true); err != nil {
			return err
		}
		clear(s.days)
	}
	return nil
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

// Upsert stores the rows of cases and of their clocks under version, which must be greater than that of every row
// before. The hours and days that they belong to or have left follow (see Run).
func (s *Sink) Upsert(ctx context.Context, rows []tracker.Row, version uint64) error {
	calls := make([]casefile.Call, 0, len(rows))
	var tickets []TicketRow
	clocks := make([]CaseClocks, 0, len(rows))
	var unsure []event.Key // calls of which the board does not know where their rows stood
	var left []CenterHour
	var days []CenterDay
	var withDays []event.Key // tickets
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Call != nil:
			calls = append(calls, *r.Call)
			switch {
			case !r.ClocksOnly:
				unsure = append(unsure, r.Key)
			case !r.WasAt.IsZero():
				left = append(left, CenterHour{r.Key.Center, hourOf(r.WasAt)})
			}
		case r.Ticket != nil:
			tickets, withDays = append(tickets, s.ticketRow(r)), append(withDays, r.Key)
			if at := ticketAt(r.Ticket); !at.IsZero() {
				days = append(days, s.dayOf(r.Key.Center, at))
			}
			for j := range r.Clocks {
				if c := &r.Clocks[j]; !c.StartedAt.IsZero() {
					days = append(days, s.dayOf(r.Key.Center, c.StartedAt))
				}
			}
			// Where a call stands in the funnel depends on its tickets' OPDs: its hour follows although its own row does not
			// change.
			for _, id := range r.Ticket.Calls {
				unsure = append(unsure, event.Key{Center: r.Key.Center, Kind: event.KindCall, ID: id})
			}
		default:
			return fmt.Errorf("row of %s %s: neither call nor ticket", r.Key.Kind, r.Key.ID)
		}
		clocks = append(clocks, CaseClocks{Key: r.Key, Clocks: r.Clocks, New: r.ClocksOnly})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var hoursBefore []CenterHour
	var daysBefore []CenterDay
	var g errgroup.Group
	g.Go(func() (err error) { hoursBefore, err = s.storedHours(ctx, unsure); return err })
	g.Go(func() (err error) { daysBefore, err = s.storedDays(ctx, withDays); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	s.version = version
	if err := s.mark(ctx, slices.Concat(hoursOf(calls), left, hoursBefore), slices.Concat(days, daysBefore)); err != nil {
		return err
	}
	// Each table is one request; none waits for another, and a failure repeats them all.
	g = errgroup.Group{}
	g.Go(func() error { return s.UpsertTickets(ctx, tickets, version) })
	g.Go(func() error { return s.UpsertCalls(ctx, calls, version) })
	g.Go(func() error { return s.UpsertClocks(ctx, clocks, version) })
	if err := g.Wait(); err != nil {
		return err
	}
	if s.running {
		return nil
	}
	return s.recompute(ctx)
}

// mark makes hours and days pending, in the database before in memory: one counts as marked when both know it.
func (s *Sink) mark(ctx context.Context, hours []CenterHour, days []CenterDay) error {
	var newHours []CenterHour
	var newDays []CenterDay
	s.pending, newHours = remember(s.pending, hours)
	s.days, newDays = remember(s.days, days)
	mark := s.nextMark()
	var g errgroup.Group
	g.Go(func() error { return s.markPending(ctx, newHours, mark, false) })
	g.Go(func() error { return s.markDaysPending(ctx, newDays, mark, false) })
	err := g.Wait()
	if err != nil {
		for _, h := range newHours {
			delete(s.pending, h)
		}
		for _, d := range newDays {
			delete(s.days, d)
		}
	}
	return err
}

func (s *Sink) nextMark() uint64 {
	s.marks++
	return s.marks
}

// hoursOf returns the hours that calls belong to, each once.
func hoursOf(calls []casefile.Call) (hours []CenterHour) {
	seen := map[CenterHour]struct{}{}
	for i := range calls {
		c := &calls[i]
		at := c.At()
		if at.IsZero() {
			continue
		}
		h := CenterHour{c.Key.Center, hourOf(at)}
		if _, twice := seen[h]; !twice {
			seen[h] = struct{}{}
			hours = append(hours, h)
		}
	}
	return hours
}

// OpenCases returns the open tickets and the cases that had an event since, of the centres that have a board.
func (s *Sink) OpenCases(ctx context.Context, since time.Time) ([]event.Key, error) {
	return s.Store.OpenCases(ctx, s.Boards, since)
}

// Permanent reports whether err is the fault of a row, so that no repetition helps.
func (s *Sink) Permanent(err error) bool { return KindOf(err) == Value }
