package report

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// How reports are made by themselves.
const (
	lookEvery   = time.Minute
	lookBack    = 3               // frozen months without an edition that are made up for
	AnnounceFor = 3 * time.Hour   // leadership is told for so long, as a digest is
	retryAfter  = 5 * time.Minute // after a report could not be made
)

// Announcement is a report that leadership is told of.
type Announcement struct {
	Center, Month string
	CenterName    string
	Edition       int
	At            time.Time // when it was made
	Missed        int       // indicators that did not reach their target
	Judged        int       // indicators that have a target and a value
}

// told keeps what leadership is told of at the moment. It is read back from the editions after a restart.
type told struct {
	mu   sync.Mutex
	list []Announcement
}

// FirstOpening is when the first working day of a month begins by a calendar, at midnight where there is none. month is
// any instant of the month in its zone.
func FirstOpening(c *sla.Calendar, month time.Time) time.Time {
	first := freeze.Begins(month, month.Location())
	if c == nil {
		return first
	}
	for _, w := range c.WindowsBetween(first, first.AddDate(0, 1, 0)) {
		if !w.Open.Before(first) {
			return w.Open
		}
	}
	return first
}

// Due returns the months of which a report is to be made at now: frozen, over, and none handed out yet, from the first
// working day after the month on; the earliest first.
func Due(now time.Time, calendar *sla.Calendar, zone *time.Location, frozen func(month string) bool,
	handedOut func(month string) bool) (out []string) {
	local := now.In(zone)
	y, m, _ := local.Date()
	for back := lookBack; back >= 1; back-- {
		month := time.Date(y, m-time.Month(back), 1, 0, 0, 0, 0, zone)
		if now.Before(FirstOpening(calendar, month.AddDate(0, 1, 0))) {
			continue
		}
		if name := month.Format(monthLayout); frozen(name) && !handedOut(name) {
			out = append(out, name)
		}
	}
	return out
}

// Run makes reports by itself until ctx ends. Then it ends those that others asked for as well.
func (r *Runner) Run(ctx context.Context) {
	defer r.stop()
	r.recall()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var wait time.Time
	for {
		if now := r.cfg.Now(); r.cfg.Prepared() && !now.Before(wait) {
			if err := r.look(ctx, now); err != nil && ctx.Err() == nil {
				r.cfg.Log.Error("report not made", "error", err)
				wait = now.Add(retryAfter)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look makes what is due of every centre with a board.
func (r *Runner) look(ctx context.Context, now time.Time) error {
	var errs []error
	for _, c := range r.centers {
		if !slices.Contains(r.cfg.Boards, c.Code) {
			continue
		}
		if err := r.guarded(func() error { return r.lookAt(ctx, c, now) }); err != nil {
			errs = append(errs, err)
			var away *store.UnavailableError
			if errors.As(err, &away) {
				break
			}
		}
	}
	return errors.Join(errs...)
}

func (r *Runner) lookAt(ctx context.Context, c freeze.Center, now time.Time) error {
	handedOut := func(month string) bool {
		n, err := r.archive.Editions(c.Code, month)
		return err != nil || len(n) > 0
	}
	all := func(string) bool { return true }
	// The folder is asked first: the database only of months that could be due.
	if len(Due(now, r.cfg.Book.Calendar(c.Code), c.Location, all, handedOut)) == 0 {
		return nil
	}
	months, err := freeze.Months(ctx, r.cfg.Database, c.Code)
	if err != nil {
		return err
	}
	frozen := func(month string) bool { return slices.Contains(months, month) }
	for _, month := range Due(now, r.cfg.Book.Calendar(c.Code), c.Location, frozen, handedOut) {
		if err := r.makeByItself(ctx, c, month); err != nil {
			return err
		}
	}
	return nil
}

// makeByItself hands out the report of a frozen month and has leadership told.
func (r *Runner) makeByItself(ctx context.Context, c freeze.Center, month string) error {
	first, err := time.Parse(monthLayout, month)
	if err != nil {
		return err
	}
	unlock, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if n, err := r.archive.Editions(c.Code, month); err != nil || len(n) > 0 {
		return err // somebody asked for it meanwhile
	}
	rep, err := r.make(ctx, c, first, true)
	if err != nil {
		return err
	}
	if rep.Provisional {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e, err := r.archive.Keep(rep, Automatic, true)
	if err != nil {
		return err
	}
	r.cfg.Log.Info("report made by itself", "center", c.Code, "month", month, "edition", e.Number)
	r.tell(e)
	return nil
}

func (r *Runner) tell(e *Edition) {
	t := Announcement{
		Center: e.Report.Center, CenterName: e.Report.CenterName, Month: e.Report.Month, Edition: e.Number, At: e.MadeAt,
	}
	for i := range e.Report.Indicators {
		switch e.Report.Indicators[i].Verdict {
		case NotAchieved:
			t.Missed++
			fallthrough
		case Achieved:
			t.Judged++
		}
	}
	r.told.mu.Lock()
	defer r.told.mu.Unlock()
	r.told.list = append(r.told.list, t)
}

// recall finds the reports of which leadership was being told when the service stopped.
func (r *Runner) recall() {
	now := r.cfg.Now()
	for _, c := range r.centers {
		y, m, _ := now.In(c.Location).Date()
		for back := lookBack; back >= 1; back-- {
			month := time.Date(y, m-time.Month(back), 1, 0, 0, 0, 0, c.Location).Format(monthLayout)
			list, err := r.archive.Editions(c.Code, month)
			if err != nil || len(list) == 0 {
				continue
			}
			e, err := r.archive.Edition(c.Code, month, list[0]) // the one that is made by itself is the first
			if err == nil && e != nil && e.Auto && now.Before(e.MadeAt.Add(AnnounceFor)) {
				r.tell(e)
			}
		}
	}
}

// Announcements returns the reports that leadership is told of at now.
func (r *Runner) Announcements(now time.Time) []Announcement {
	r.told.mu.Lock()
	defer r.told.mu.Unlock()
	r.told.list = slices.DeleteFunc(r.told.list, func(t Announcement) bool { return !now.Before(t.At.Add(AnnounceFor)) })
	return slices.Clone(r.told.list)
}
