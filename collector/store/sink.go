package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// Sink is a Store as the shipper sees it: it stores the rows of the board and keeps the roll-ups up to date with them:
// calls_hourly with the calls, clocks_daily and tickets_daily with the tickets and their clocks.
// One shipper at a time may use it, beside Run.
type Sink struct {
	*Store
	// Boards are the centres that have a board: those that are not historical.
	Boards []string
	// Scope says whose power an OPD of a centre is in: own, vertical or unknown.
	Scope func(center, opd string) string
	// Directory says which categories have no exact places; nil: no place is hidden.
	Directory *directory.Directory
	// Log is told why Run cannot recompute, and when it can again; nil: nobody is.
	Log *slog.Logger

	// held by Upsert and by a recomputation, so that no hour is recomputed between its mark and its calls
	mu          sync.Mutex
	hours, days map[Period]time.Time // pending, and since when
	done        [2]Period            // the last hour and the last day of the latest portions: where the next ones begin
	span        time.Duration        // see pending.span
	version     uint64               // of the latest upsert
	marks       uint64               // the latest mark in hours_pending and days_pending
	running     bool                 // Run recomputes; without it Upsert does
	large       time.Time            // the latest upsert of burstRows or more; zero once BurstEnded

	failing bool                      // Run's latest recomputation failed; of Run alone
	oldest  atomic.Pointer[time.Time] // the least of hours and days, zero when none is pending; nil before Prepare's look

	burstEnded    chan struct{} // BurstEnded was called; made by Run
	becamePrivate chan struct{} // a row was stored whose case is private; made by Run
}

// pending are the periods of a unit that have to be recomputed, and how.
type pending struct {
	unit
	periods   map[Period]time.Time
	done      *Period       // see Sink.done
	span      time.Duration // of a portion, where it is more than portionSpan
	recompute func(ctx context.Context, periods []Period, version uint64) error
}

func (s *Sink) pending() [2]pending {
	if s.hours == nil {
		s.hours, s.days = map[Period]time.Time{}, map[Period]time.Time{}
	}
	return [2]pending{
		{hourly, s.hours, &s.done[0], s.span, s.RecomputeHours},
		{daily, s.days, &s.done[1], s.span, s.RecomputeDays},
	}
}

// The pause between recomputations is how far the roll-ups, and with them the views monev_*, may lag behind the cases
// while Run runs: to recompute with every batch would cost a fast import as much as the batch. After a recomputation
// that took long the pause is pauseFactor as long, up to maxRecomputePause: no row is stored while a portion of it
// runs. In a burst it is maxRecomputePause: while upserts of burstRows come, each within burstPause of the one before,
// until BurstEnded is called.
const (
	RecomputeEvery    = 3 * time.Second
	maxRecomputePause = 30 * time.Second
	pauseFactor       = 4
	burstRows         = 2_000
	burstPause        = 6 * time.Second
)

// pace says when the roll-ups are recomputed next.
type pace struct {
	ended time.Time // the latest recomputation
	took  time.Duration
}

func (p pace) due(now time.Time, burst bool) bool {
	pause := min(max(RecomputeEvery, pauseFactor*p.took), maxRecomputePause)
	if burst {
		pause = maxRecomputePause
	}
	return now.Sub(p.ended) >= pause
}

func (s *Sink) inBurst(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.large) < burstPause
}

// Prepare brings the schema up to date and recomputes the hours and days that an earlier process left, unless a restore
// into this database has not ended.
func (s *Sink) Prepare(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Migrate(ctx); err != nil {
		return err
	}
	// From half of the rows the roll-ups would come out wrong, and the marks that say so would be gone.
	restores, err := s.Restores(ctx)
	if err != nil || slices.ContainsFunc(restores, func(r Restore) bool { return r.EndedAt.IsZero() }) {
		return err
	}
	left := 0
	for _, p := range s.pending() {
		periods, mark, err := s.pendingPeriods(ctx, p.unit)
		if err != nil {
			return err
		}
		maps.Copy(p.periods, periods)
		s.marks = max(s.marks, mark)
		left += len(periods)
	}
	s.noteOldest()
	if left == 0 {
		return nil
	}
	if s.version, err = s.MaxVersion(ctx); err != nil {
		return err
	}
	if err := s.recompute(ctx); err != nil && !s.running {
		return err
	}
	return nil // what failed stays pending for Run: roll-ups may lag, events must not wait for them
}

// Run hides places, and recomputes the hours and days whose cases changed, every RecomputeEvery or slower, until ctx
// ends; what is left then is done by the next Prepare. A failure is counted by Config.Failed and tried again. Without a
// Run every Upsert recomputes its hours.
func (s *Sink) Run(ctx context.Context) {
	s.setRunning(true)
	defer s.setRunning(false)
	var places sync.WaitGroup
	defer places.Wait()
	places.Go(func() { s.hidePlaces(ctx) })
	p := pace{ended: time.Now()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.burstEnded:
		case <-time.After(RecomputeEvery):
		}
		if now := time.Now(); !p.due(now, s.inBurst(now)) {
			continue
		}
		p.took = 0
		for more := true; more; {
			s.mu.Lock() // for a portion alone: an import of many years must not keep rows from being stored
			began := time.Now()
			var err error
			more, err = s.recomputePortion(ctx) // what fails stays pending
			p.took += time.Since(began)
			s.mu.Unlock()
			s.logFailure(ctx, err)
		}
		p.ended = time.Now()
	}
}

// logFailure logs the first of several failures, and the end of them.
func (s *Sink) logFailure(ctx context.Context, err error) {
	if s.Log == nil || ctx.Err() != nil || s.failing == (err != nil) {
		return
	}
	if s.failing = err != nil; s.failing {
		s.Log.Warn("roll-ups cannot be recomputed, what changed waits", "error", err)
		return
	}
	s.Log.Info("roll-ups are recomputed again")
}

// RollupLag returns how long the oldest pending hour or day has waited to be recomputed, 0 when none is pending, and
// false while that is not known: ClickHouse was not asked yet, or a restore into it has not ended. It does not wait for
// requests to ClickHouse.
func (s *Sink) RollupLag() (lag time.Duration, known bool) {
	oldest := s.oldest.Load()
	if oldest == nil || oldest.IsZero() {
		return 0, oldest != nil
	}
	return time.Since(*oldest), true
}

// noteOldest is called with mu held, after what is pending has changed.
func (s *Sink) noteOldest() {
	var oldest time.Time
	for _, p := range s.pending() {
		for _, since := range p.periods {
			if oldest.IsZero() || since.Before(oldest) {
				oldest = since
			}
		}
	}
	s.oldest.Store(&oldest)
}

func (s *Sink) setRunning(running bool) {
	s.mu.Lock()
	s.running = running
	if s.becamePrivate == nil {
		s.becamePrivate = make(chan struct{}, 1)
		s.burstEnded = make(chan struct{}, 1)
	}
	s.mu.Unlock()
}

// add adds periods and returns those that are new.
func (p *pending) add(periods []Period) (added []Period) {
	now := time.Now()
	for _, period := range periods {
		if _, known := p.periods[period]; !known {
			p.periods[period] = now
			added = append(added, period)
		}
	}
	return added
}

// recompute brings all pending hours and days up to date.
func (s *Sink) recompute(ctx context.Context) error {
	for {
		if more, err := s.recomputePortion(ctx); err != nil || !more {
			return err
		}
	}
}

// recomputePortion brings a portion of the pending hours and one of the pending days up to date, whether or not the
// other fails, and reports whether more are left.
func (s *Sink) recomputePortion(ctx context.Context) (more bool, err error) {
	began := time.Now()
	defer func() {
		s.span = nextSpan(s.span, time.Since(began), more)
		if s.oldest.Load() != nil {
			s.noteOldest()
		}
	}()
	for _, p := range s.pending() {
		if len(p.periods) == 0 {
			continue
		}
		periods := p.portion()
		failed := p.recompute(ctx, periods, s.version)
		if failed == nil {
			failed = s.markPeriods(ctx, p.unit, periods, s.nextMark(), true)
		}
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		for _, period := range periods {
			delete(p.periods, period)
		}
		more = more || len(p.periods) > 0
	}
	return more && err == nil, err
}

// What one portion has at most: periods, and the span from its first period on. A portion of few periods may span more:
// a statement costs about as much as the rows of a quiet year, and an import of nine years with a ticket every other
// day would be recomputed in a hundred portions. So may one that follows a portion which took less than quickPortion.
const (
	portionPeriods = 20_000
	portionSpan    = 31 * 24 * time.Hour
	fewPeriods     = 31 * 24
	widePortion    = 366 * 24 * time.Hour
	quickPortion   = time.Second
)

// nextSpan returns the span of the portion that follows one of span that took so long. The first after all was
// recomputed has portionSpan: it may be of a far busier time.
func nextSpan(span, took time.Duration, more bool) time.Duration {
	switch span = max(span, portionSpan); {
	case !more:
		return portionSpan
	case took < quickPortion:
		return min(2*span, widePortion)
	case took > 2*quickPortion:
		return max(span/2, portionSpan)
	}
	return span
}

// portion returns the earliest of the pending periods behind the portion before, from the beginning again where none
// is, and those that follow it closely. So every period has its turn, however often an import marks its old months
// again.
func (p *pending) portion() (periods []Period) {
	first, again := Period{}, Period{} // behind the portion before, and of all
	for period := range p.periods {
		if again == (Period{}) || comparePeriods(period, again) < 0 {
			again = period
		}
		if comparePeriods(period, *p.done) > 0 && (first == (Period{}) || comparePeriods(period, first) < 0) {
			first = period
		}
	}
	if first == (Period{}) {
		first = again
	}
	dense := 0 // periods within portionSpan
	for period := range p.periods {
		if after := period.Start.Sub(first.Start); comparePeriods(period, first) >= 0 && after < widePortion {
			periods = append(periods, period)
			if after < max(p.span, portionSpan) {
				dense++
			}
		}
	}
	slices.SortFunc(periods, comparePeriods)
	periods = periods[:min(len(periods), max(fewPeriods, min(dense, portionPeriods)))]
	if len(periods) > 0 {
		*p.done = periods[len(periods)-1] // also where recomputing it fails: others must not wait for it
	}
	return periods
}

func comparePeriods(a, b Period) int {
	return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Center, b.Center))
}

// ReadCases returns what is stored of the cases; of a case that is not stored it returns nothing.
func (s *Sink) ReadCases(ctx context.Context, keys []event.Key) ([]tracker.Loaded, error) {
	cases, err := s.Store.ReadCases(ctx, keys)
	return slices.Collect(maps.Values(cases)), err
}

// StoredDigests is Store.StoredDigests.
func (s *Sink) StoredDigests(ctx context.Context, events []*event.Event) ([]event.Digest, error) {
	return s.Store.StoredDigests(ctx, events)
}

// Upsert stores the rows of cases and of their clocks under version, which must be greater than that of every row
// before. The hours and days that they belong to or have left follow (see Run).
func (s *Sink) Upsert(ctx context.Context, rows []tracker.Row, version uint64) error {
	calls := make([]*casefile.Call, 0, len(rows))
	var tickets []ticketRow
	clocks := make([]caseClocks, 0, len(rows))
	var hours, days []Period // that the cases belong to, or belonged to as far as the board knows
	var moved []event.Key    // calls that may have belonged to another hour before
	var withDays []event.Key // tickets that may have belonged to other days before
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Call != nil:
			calls = append(calls, r.Call)
			if at := r.Call.At(); !at.IsZero() {
				hours = append(hours, Period{r.Key.Center, hourOf(at)})
			}
			switch {
			case !r.ClocksOnly:
				moved = append(moved, r.Key)
			case !r.WasAt.IsZero():
				hours = append(hours, Period{r.Key.Center, hourOf(r.WasAt)})
			}
		case r.Ticket != nil:
			tickets = append(tickets, s.ticketRowOf(r))
			if !r.New {
				withDays = append(withDays, r.Key)
			}
			if at := r.Ticket.At(); !at.IsZero() {
				days = append(days, s.dayOf(r.Key.Center, at))
			}
			for j := range r.Clocks {
				if c := &r.Clocks[j]; !c.StartedAt.IsZero() {
					days = append(days, s.dayOf(r.Key.Center, c.StartedAt))
				}
			}
			// The stage of a call in the funnel depends on its tickets' OPDs: its hour has to follow although its own row does
			// not change.
			for _, id := range r.Ticket.Calls {
				moved = append(moved, event.Key{Center: r.Key.Center, Kind: event.KindCall, ID: id})
			}
		default:
			return fmt.Errorf("row of %s %s: neither call nor ticket", r.Key.Kind, r.Key.ID)
		}
		clocks = append(clocks, caseClocks{Key: r.Key, Clocks: r.Clocks, New: r.ClocksOnly})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(rows) >= burstRows {
		s.large = time.Now()
	}
	var hoursBefore, daysBefore []Period
	var g errgroup.Group
	g.Go(func() (err error) { hoursBefore, err = s.storedHours(ctx, moved); return err })
	g.Go(func() (err error) { daysBefore, err = s.storedDays(ctx, withDays); return err })
	if err := g.Wait(); err != nil {
		return err
	}
	s.version = version
	if err := s.mark(ctx, append(hours, hoursBefore...), append(days, daysBefore...)); err != nil {
		return err
	}
	// Each table is one request; none waits for another, and a failure repeats them all.
	g = errgroup.Group{}
	g.Go(func() error { return s.upsertTickets(ctx, tickets, version) })
	g.Go(func() error { return s.upsertCalls(ctx, calls, version) })
	g.Go(func() error { return s.upsertClocks(ctx, clocks, version) })
	if err := g.Wait(); err != nil {
		return err
	}
	if slices.ContainsFunc(rows, func(r tracker.Row) bool { return r.Private }) {
		tell(s.becamePrivate)
	}
	if s.running {
		return nil
	}
	return s.recompute(ctx)
}

// mark makes hours and days pending, in the database before in memory: one counts as marked when both know it.
func (s *Sink) mark(ctx context.Context, hours, days []Period) error {
	mark := s.nextMark()
	var added [2][]Period
	var g errgroup.Group
	for i, p := range s.pending() {
		added[i] = p.add([2][]Period{hours, days}[i])
		g.Go(func() error { return s.markPeriods(ctx, p.unit, added[i], mark, false) })
	}
	err := g.Wait()
	if err != nil {
		for i, p := range s.pending() {
			for _, period := range added[i] {
				delete(p.periods, period)
			}
		}
		return err
	}
	if oldest := s.oldest.Load(); oldest != nil && oldest.IsZero() { // else what is added is not the oldest
		s.noteOldest()
	}
	return nil
}

func (s *Sink) nextMark() uint64 {
	s.marks++
	return s.marks
}

// OpenCases returns the open tickets and the cases that had an event since, of the centres that have a board.
func (s *Sink) OpenCases(ctx context.Context, since time.Time) ([]event.Key, error) {
	return s.Store.OpenCases(ctx, s.Boards, since)
}

// BurstEnded frees the memory that inserts left for the next ones, and lets the roll-ups follow without the pause of a
// burst. It is called when no large batch follows the ones before.
func (s *Sink) BurstEnded() {
	s.reuse.trim()
	s.renewInserts()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.large = time.Time{}
	tell(s.burstEnded)
}

// tell wakes who waits for c, unless nobody runs or it is told already.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Permanent reports whether err is the fault of a row, so that no repetition helps.
func (s *Sink) Permanent(err error) bool { return KindOf(err) == Value }
