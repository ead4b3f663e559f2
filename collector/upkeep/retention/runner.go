package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

// How often a run is due, and how often it is checked whether one is.
const (
	runEvery   = 24 * time.Hour
	checkEvery = time.Minute
)

// Config is what a Runner works with. Every field is required.
type Config struct {
	DataDir  string // of the local record
	Policy   Policy
	Store    *store.Store
	Prepared func() bool // whether ClickHouse can be asked
	Board    *tracker.Board
	Rejected *quarantine.Rejected
	Dead     *quarantine.DeadLetters
	Journal  *journal.Journal
	// StableNow is the latest instant at which the clock had run for a while without a jump; zero when there is none.
	StableNow func() time.Time
	Now       func() time.Time
	Log       *slog.Logger
}

// Runner deletes what is older than the policy allows. It is safe for concurrent use.
type Runner struct {
	cfg Config
	mu  sync.Mutex // one run at a time
}

// New returns a Runner.
func New(cfg Config) *Runner { return &Runner{cfg: cfg} }

// Run deletes what is due once a day until ctx ends, for the first time a day after the first start: whoever imports
// the past has that long to look at it.
func (r *Runner) Run(ctx context.Context) {
	log := r.cfg.Log
	if LastRun(r.cfg.DataDir).IsZero() {
		if err := Record(r.cfg.DataDir, Report{At: r.now()}); err != nil {
			log.Warn("record of retention not written", "error", err)
		}
	}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !r.cfg.Prepared() || !due(r.cfg.Now(), r.cfg.StableNow(), LastRun(r.cfg.DataDir)) {
			continue
		}
		if report, err := r.Apply(ctx, false); err != nil && ctx.Err() == nil {
			log.Warn("personal data not deleted, will retry", "error", err, "left", report.Left())
		}
	}
}

// due reports whether a run is due. It skips runs while the clock is unstable: a wrong clock would delete every caller
// key, and what is deleted does not come back.
func due(now, stable, last time.Time) bool {
	return !stable.IsZero() && now.Sub(stable).Abs() < 2*checkEvery && now.Sub(last).Abs() >= runEvery
}

func (r *Runner) now() time.Time { return r.cfg.Now().UTC().Truncate(time.Millisecond) }

// Count counts what is due and deletes nothing.
func (r *Runner) Count(ctx context.Context) (Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{At: r.now()}
	tables, elsewhere, err := r.count(ctx, report.At, false)
	report.Items = append(tables, elsewhere...)
	for i := range report.Items {
		report.Items[i].Left = report.Items[i].Due
	}
	return report, err
}

// Apply counts what is due, deletes it, counts again by the same instants and records the result. Dead letters and
// conflicts stay unless deadLetters asks for them to go.
func (r *Runner) Apply(ctx context.Context, deadLetters bool) (Report, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{At: r.now(), Applied: true}
	tables, elsewhere, err := r.count(ctx, report.At, true)
	if err != nil {
		return report, err
	}
	var errs []error
	for _, i := range tables {
		if i.Due > 0 {
			errs = append(errs, r.cfg.Store.Redact(ctx, i))
		}
	}
	if cutoff, ok := r.cfg.Policy.Cutoff(Entry, report.At); ok {
		errs = append(errs, r.cfg.Rejected.Expire(cutoff))
		if deadLetters {
			errs = append(errs, r.cfg.Dead.Expire(cutoff), r.cfg.Dead.Conflicts.Expire(cutoff))
		}
	}
	errs = append(errs, ingest.RemoveIgnored(disk.OS{}, r.cfg.DataDir),
		r.cfg.Journal.Probe()) // closes a segment that is old enough, so that it can be deleted
	tablesLeft, elsewhereLeft, err := r.count(ctx, report.At, false)
	errs = append(errs, err)
	report.Items = append(tables, elsewhere...)
	for i := range report.Items {
		item := &report.Items[i]
		item.Left = item.Due
		for _, left := range slices.Concat(tablesLeft, elsewhereLeft) {
			if left.DuePlace == item.DuePlace {
				item.Left = left.Due
			}
		}
	}
	errs = append(errs, Record(r.cfg.DataDir, report), r.cfg.Store.RecordRetention(ctx, report.At, report.Items))
	err = errors.Join(errs...)
	if late := report.Left() - report.Kept(); err == nil && late > 0 {
		err = fmt.Errorf("%d are left: they came while the rest was deleted; run it again", late)
	}
	r.cfg.Log.Info("retention applied", "due", report.Due(), "left", report.Left(), "dead_letters_kept", report.Kept())
	return report, err
}

// count counts what is due in ClickHouse's tables and elsewhere. With redact it blanks the share of the board and of
// the quarantine as it counts: the board comes before the tables, so that what it upserts afterwards is blank.
func (r *Runner) count(ctx context.Context, now time.Time, redact bool) (tables, elsewhere []store.DueItem, err error) {
	if !r.cfg.Prepared() {
		return nil, nil, store.ErrNotReady
	}
	elsewhere = r.countBoard(now, redact)
	entries, err := r.countEntries(now, redact)
	if err != nil {
		return nil, nil, err
	}
	tables, err = r.cfg.Store.Due(ctx, func(kind string) (time.Time, bool) { return r.cfg.Policy.Cutoff(kind, now) })
	return tables, append(elsewhere, entries...), err
}

// cutoffs are the instants before which callers and attributes are due; zero: they are kept for ever.
func (r *Runner) cutoffs(now time.Time) (callers, attributes time.Time) {
	of := func(kind string) time.Time {
		cutoff, ok := r.cfg.Policy.Cutoff(kind, now)
		if !ok {
			return time.Time{}
		}
		return cutoff
	}
	return of(Caller), of(Attributes)
}

// found appends what is due of a kind in a place, unless it is kept for ever there.
func found(items []store.DueItem, where, kind string, cutoff time.Time, n uint64, oldest time.Time) []store.DueItem {
	if cutoff.IsZero() {
		return items
	}
	return append(items, store.DueItem{
		DuePlace: store.DuePlace{Where: where, Kind: kind}, Cutoff: cutoff, Due: n, Oldest: oldest,
	})
}

func (r *Runner) countBoard(now time.Time, redact bool) (out []store.DueItem) {
	callersBefore, attributesBefore := r.cutoffs(now)
	callers, attributes := r.cfg.Board.Redact(callersBefore, attributesBefore, redact)
	out = found(out, "board", Caller, callersBefore, callers.Events, callers.Oldest)
	return found(out, "board", Attributes, attributesBefore, attributes.Events, attributes.Oldest)
}

func (r *Runner) countEntries(now time.Time, redact bool) (out []store.DueItem, err error) {
	callersBefore, attributesBefore := r.cutoffs(now)
	callers, attributes, err := r.cfg.Dead.Redact(callersBefore, attributesBefore, redact)
	if err != nil {
		return nil, err
	}
	refused, err := r.cfg.Rejected.RedactCallers(callersBefore, redact)
	if err != nil {
		return nil, err
	}
	out = found(out, quarantine.RejectedName, Caller, callersBefore, uint64(refused.Entries), refused.Oldest)
	out = found(out, quarantine.DeadName, Caller, callersBefore, uint64(callers.Entries), callers.Oldest)
	out = found(out, quarantine.DeadName, Attributes, attributesBefore, uint64(attributes.Entries), attributes.Oldest)
	cutoff, ok := r.cfg.Policy.Cutoff(Entry, now)
	if !ok {
		return out, nil
	}
	for _, q := range []struct {
		name  string
		store *quarantine.Store
		asks  bool
	}{
		{quarantine.RejectedName, r.cfg.Rejected.Store, false}, {quarantine.DeadName, r.cfg.Dead.Store, true},
		{quarantine.ConflictsName, r.cfg.Dead.Conflicts, true},
	} {
		n, oldest, err := q.store.Older(cutoff)
		if err != nil {
			return nil, err
		}
		out = found(out, q.name, Entry, cutoff, uint64(n), oldest)
		out[len(out)-1].Asks = q.asks
	}
	return out, nil
}
