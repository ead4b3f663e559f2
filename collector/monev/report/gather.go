package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/store"
)

// gather fetches all that a report says, each number once; z is the freeze of the month, nil where there is none.
func (r *Runner) gather(ctx context.Context, c freeze.Center, month, now time.Time, z *store.Freeze) (*Facts, error) {
	db, dir := r.cfg.Database, r.cfg.Directory
	named, _ := dir.Center(c.Code)
	f := &Facts{
		Center: c.Code, CenterName: named.Name, Zone: c.Location.String(), Month: month, Now: now,
		Ends: freeze.Begins(month.AddDate(0, 1, 0), c.Location), AnswerTarget: int(c.Targets.Answer),
		ShortAbandon: int(c.Targets.Short), DefinitionVersion: store.DefinitionVersion,
	}
	for _, o := range dir.OPDs(c.Code) {
		f.OPDs = append(f.OPDs, Named{ID: o.ID, Name: o.Name, Scope: string(o.Scope)})
	}
	for _, k := range dir.AllKecamatan(c.Code) {
		f.Kecamatan = append(f.Kecamatan, Named{ID: k.Code, Name: k.Name})
	}
	for _, k := range dir.Categories(c.Code) {
		f.Categories = append(f.Categories, Named{ID: k.ID, Name: k.Name, Private: dir.Private(c.Code, k.ID)})
	}
	targets := c.Targets
	if z != nil {
		targets = freeze.Targets(z.Figures, targets)
		f.ShortAbandon = int(targets.Short)
	}
	first := month.AddDate(0, -12, 0)
	var figures, more []store.Figure
	var bases []store.ClockBasis
	var trend []store.MonthFigure
	var frozen []store.FrozenFigure
	var causes []CauseSet
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(3) // of the store's six connections, for which nobody waits long; causes take two of their own
	fetch := func(do func(ctx context.Context) error) { g.Go(func() error { return do(ctx) }) }
	if err := db.FlushRollups(ctx); err != nil { // of a frozen month too: the months before it are told as they are now
		return nil, err
	}
	if z == nil {
		fetch(func(ctx context.Context) (err error) {
			figures, err = db.Figures(ctx, c.Code, month, c.Targets, time.Time{})
			return err
		})
		fetch(func(ctx context.Context) (err error) {
			bases, err = db.ClockBases(ctx, c.Code, month, now, now)
			return err
		})
	}
	if z == nil || !freeze.HasReport(z.Figures) {
		fetch(func(ctx context.Context) (err error) {
			more, err = db.ReportFigures(ctx, c.Code, month, targets, time.Time{})
			return err
		})
	}
	fetch(func(ctx context.Context) (err error) {
		trend, err = db.Indicators(ctx, c.Code, first, month, c.Targets)
		return err
	})
	fetch(func(ctx context.Context) (err error) {
		frozen, err = db.FrozenIndicators(ctx, c.Code, first, month)
		return err
	})
	fetch(func(ctx context.Context) error {
		changed, err := r.changed(ctx, c, []time.Time{month.AddDate(0, -1, 0), month}, now)
		f.Changed = changed
		return err
	})
	var asked *Information
	fetch(func(ctx context.Context) (err error) {
		asked, err = informationOf(ctx, db, dir, c.Code, month)
		return err
	})
	if r.cfg.Kendala != nil {
		fetch(func(ctx context.Context) (err error) {
			causes, err = causesOf(ctx, r.cfg.Kendala, kendala.Request{Center: c.Code, Month: month.Format(monthLayout)},
				func(category string) bool { return dir.Private(c.Code, category) })
			return err
		})
	}
	if r.cfg.Office != nil {
		fetch(func(ctx context.Context) error {
			return written(ctx, r.cfg.Office, &f.Sections, c.Code, month, now.In(c.Location).Format(time.DateOnly))
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if z != nil {
		figures = z.Figures
		f.Frozen = &Frozen{z.Revision, z.Reason, z.FrozenAt, z.DefinitionVersion, freeze.HasReport(z.Figures)}
		for i := range z.Figures {
			of := &z.Figures[i]
			f.Policies, f.Calendars = freeze.Union(f.Policies, of.Policies), freeze.Union(f.Calendars, of.Calendars)
		}
	}
	for i := range bases {
		f.Policies, f.Calendars = freeze.Union(f.Policies, bases[i].Policies), freeze.Union(f.Calendars, bases[i].Calendars)
	}
	f.Figures, f.Causes, f.Information = append(slices.Clip(figures), more...), causes, asked
	if empty(f.Figures) {
		return nil, &RefusedError{fmt.Sprintf("%s of centre %s holds no call and no ticket: there is nothing to report",
			month.Format(monthLayout), c.Code), true, indonesian.Month(month) + " tidak memuat panggilan maupun tiket: tidak " +
			"ada yang dapat dilaporkan."}
	}
	f.Trend, f.TrendTargets = months(trend, frozen, f.Figures, month, c, f.Frozen != nil)
	return f, nil
}

// empty reports whether the figures count no call and no ticket.
func empty(figures []store.Figure) bool {
	return !slices.ContainsFunc(figures, func(f store.Figure) bool {
		return f.Denominator > 0 && (f.Name == "funnel" || f.Name == "tickets_opd" || f.Name == "on_time" ||
			f.Name == "coverage")
	})
}

// months puts the indicators of thirteen months together: of the month itself from its figures, of a frozen month as
// frozen, of the others as they are now.
func months(now []store.MonthFigure, frozen []store.FrozenFigure, own []store.Figure, month time.Time, c freeze.Center,
	ownFrozen bool) (out []MonthFigure, targets map[string]int) {
	targets = map[string]int{}
	derived := map[string][]Figure{}
	add := func(month string, figures []Figure) {
		if target := answerTarget(figures); target != 0 {
			targets[month] = target
		}
		derived[month] = slices.DeleteFunc(derive(figures), func(f Figure) bool { return f.Name != indicatorFigure })
	}
	byMonth := map[string][]Figure{}
	for _, f := range frozen {
		m := f.Month.Format(monthLayout)
		byMonth[m] = append(byMonth[m], figureOf(&f.Figure))
	}
	for m, figures := range byMonth {
		add(m, figures)
	}
	this := month.Format(monthLayout)
	var figures []Figure
	for i := range own {
		figures = append(figures, figureOf(&own[i]))
	}
	add(this, figures)
	for _, f := range now {
		m := f.Month.Format(monthLayout)
		dims := indicatorDims(f.Indicator)
		if !slices.ContainsFunc(derived[m], func(g Figure) bool { return g.Dims == dims }) {
			if f.Indicator == Answer {
				targets[m] = int(c.Targets.Answer)
			}
			out = append(out, MonthFigure{m, false, Figure{indicatorFigure, dims, f.Numerator, f.Denominator, f.N, f.Value}})
		}
	}
	for m, list := range derived {
		for _, f := range list {
			out = append(out, MonthFigure{m, m != this || ownFrozen, f})
		}
	}
	slices.SortFunc(out, func(a, b MonthFigure) int {
		return cmp.Or(strings.Compare(a.Month, b.Month), strings.Compare(a.Dims, b.Dims))
	})
	return out, targets
}

func figureOf(f *store.Figure) Figure {
	return Figure{f.Name, f.Dims, f.Numerator, f.Denominator, f.N, f.Value}
}

// changed compares frozen months with what their figures are now. Months of which nothing came in since and nothing
// that decides was edited are told apart first, with a small question: comparing costs as much as a freeze.
func (r *Runner) changed(ctx context.Context, c freeze.Center, months []time.Time, now time.Time) ([]freeze.Report,
	error) {
	var out []freeze.Report
	for _, m := range months {
		may, err := freeze.MayDiffer(ctx, r.cfg.Database, c, m, now)
		if err != nil {
			return nil, err
		}
		if !may {
			continue
		}
		rep, err := freeze.Compare(ctx, r.cfg.Database, c, m.Format(monthLayout), now, time.Time{})
		if err != nil {
			return nil, err
		}
		out = append(out, rep)
	}
	return out, nil
}
