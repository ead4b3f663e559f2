package kendala

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// Database is ClickHouse as causes need it; *store.Store is one.
type Database interface {
	CauseSums(ctx context.Context, r store.CauseRange, opd string) ([]store.CauseSum, error)
	CauseParts(ctx context.Context, r store.CauseRange, opd, zone string) ([]store.CausePart, error)
	CauseCounts(ctx context.Context, r store.CauseRange) ([]store.CauseCount, error)
	CauseCases(ctx context.Context, r store.CauseRange) ([]store.CauseCase, error)
	CauseFacts(ctx context.Context, r store.CauseRange, now time.Time) (*store.CauseFacts, error)
	AnswersStamped(ctx context.Context, r store.CauseRange) (bool, error)
	Frozen(ctx context.Context, center string, month time.Time) (*store.Freeze, error)
	Reached(ctx context.Context) (store.Reached, error)
}

// Request asks for the causes of a month.
type Request struct {
	Center  string // empty is the default centre
	Month   string // 2026-10
	Against string // the month to explain the change from; empty is the one before
	OPD     string // only this one
	AsOf    time.Time
	Check   bool // recompute by the pure function and compare
}

// checks is how often a check that finds differences is done while cases are stored beside it: its statements read one
// after the other, and what is stored in between differs.
const checks = 3

// RefusedError is a request that makes no sense, or for more than is answered at a time.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Runner answers requests, two at a time; more wait. It is safe for concurrent use.
type Runner struct {
	database  Database
	directory *directory.Directory
	now       func() time.Time
	slots     chan struct{}
}

// NewRunner returns a Runner.
func NewRunner(db Database, dir *directory.Directory, now func() time.Time) *Runner {
	return &Runner{db, dir, now, make(chan struct{}, 2)}
}

// Result tells the causes of a month. A *RefusedError says what is wrong with the request, a *store.UnavailableError
// that they cannot be told now: a check never gives differences that cases stored beside it may have made.
func (r *Runner) Result(ctx context.Context, q Request) (out Result, err error) {
	center, month, against, err := r.read(q, r.now())
	if err != nil {
		return out, err
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	if !q.Check {
		return r.result(ctx, q, center, month, against)
	}
	for range checks {
		before, err := r.database.Reached(ctx)
		if err != nil {
			return out, err
		}
		if out, err = r.result(ctx, q, center, month, against); err != nil || out.Check.Differences == 0 {
			return out, err
		}
		if after, err := r.database.Reached(ctx); err != nil || after == before {
			return out, err
		}
	}
	return Result{}, &store.UnavailableError{Reason: fmt.Sprintf("The check found differences each of %d times, but "+
		"cases were stored meanwhile, so they prove nothing: check again when no import runs.", checks)}
}

// result answers once what read makes of a request.
func (r *Runner) result(ctx context.Context, q Request, center directory.Center, month, against time.Time) (out Result,
	err error) {
	now := r.now().UTC().Truncate(time.Millisecond)
	ask := store.CauseRange{Center: center.Code, Since: month, Until: month.AddDate(0, 1, 0), AsOf: q.AsOf,
		Targets: store.FigureTargets{Answer: uint32(center.AnswerTarget / time.Second),
			Short: uint32(center.ShortAbandon / time.Second)}}
	z, err := r.database.Frozen(ctx, center.Code, month)
	if err != nil {
		return out, refused(err)
	}
	if z != nil { // why calls failed is told by the target by which they are counted as failed
		ask.Targets = freeze.Targets(z.Figures, ask.Targets)
	}
	if ask.Judged = now; q.Check && ask.AsOf.IsZero() {
		ask.AsOf = now // the facts are read as of an instant
	}
	was := ask
	was.Since, was.Until = against, against.AddDate(0, 1, 0)
	out = Result{Center: center.Code, Month: month.Format(monthLayout), Against: against.Format(monthLayout), OPD: q.OPD,
		AsOf: q.AsOf, Target: ask.Targets.Answer, Short: ask.Targets.Short, DefinitionVersion: store.DefinitionVersion}
	if z != nil {
		out.Frozen = z.Revision
	}
	scope := sla.ScopeOwn
	if q.OPD != "" {
		scope = string(r.directory.ScopeOf(center.Code, q.OPD))
	}
	zone := center.Location.String()
	var sums []store.CauseSum
	var present, past []store.CausePart
	// Where nobody stamps answers, whether a call was answered in time is not recorded: it has not failed.
	var stamped, wasStamped bool
	g, asking := errgroup.WithContext(ctx)
	g.SetLimit(2) // the store has six connections, for which nobody waits long
	g.Go(func() (err error) { sums, err = r.database.CauseSums(asking, ask, q.OPD); return err })
	g.Go(func() (err error) { present, err = r.database.CauseParts(asking, ask, q.OPD, zone); return err })
	g.Go(func() (err error) { past, err = r.database.CauseParts(asking, was, q.OPD, zone); return err })
	g.Go(func() (err error) { stamped, err = r.database.AnswersStamped(asking, ask); return err })
	g.Go(func() (err error) { wasStamped, err = r.database.AnswersStamped(asking, was); return err })
	if err := g.Wait(); err != nil {
		return out, refused(err)
	}
	if !stamped {
		sums = slices.DeleteFunc(sums, func(s store.CauseSum) bool { return s.Indicator == Answer })
		present = withoutCalls(present)
	}
	if !wasStamped {
		past = withoutCalls(past)
	}
	n := names{r.directory, center}
	out.Indicators = n.assemble(sums, n.parts(present, scope), n.parts(past, scope), scope)
	if q.Check {
		if out.Check, err = r.check(ctx, ask, now, stamped, sums, present, q.OPD); err != nil {
			return out, refused(err)
		}
	}
	return out, nil
}

func withoutCalls(parts []store.CausePart) []store.CausePart {
	return slices.DeleteFunc(parts, func(p store.CausePart) bool { return p.Indicator == Answer })
}

const monthLayout = "2006-01"

// read checks a request as far as the directory and the calendar can tell.
func (r *Runner) read(q Request, now time.Time) (center directory.Center, month, against time.Time, err error) {
	code := cmp.Or(q.Center, r.directory.DefaultCenter())
	center, known := r.directory.Center(code)
	if !known {
		return center, month, against, refuse("the directory knows no centre %q", code)
	}
	var ok bool
	if month, ok = freeze.ParseMonth(q.Month); !ok {
		return center, month, against, refuse("month %q: give a month such as 2026-10", q.Month)
	}
	if freeze.Begins(month, center.Location).After(now) {
		return center, month, against, refuse("%s lies in the future: nothing is known of it", q.Month)
	}
	against = month.AddDate(0, -1, 0)
	if q.Against != "" {
		if against, ok = freeze.ParseMonth(q.Against); !ok {
			return center, month, against, refuse("against %q: give a month such as 2026-09", q.Against)
		}
	}
	if against.Equal(month) {
		return center, month, against, refuse("against %s: a month has not changed against itself", q.Against)
	}
	if _, known := r.directory.OPD(center.Code, q.OPD); q.OPD != "" && !known {
		return center, month, against, refuse("the directory of centre %s knows no OPD %q", center.Code, q.OPD)
	}
	return center, month, against, nil
}

func refused(err error) error {
	var many *store.TooManyCasesError
	if errors.As(err, &many) {
		return refuse("%s", many.Error())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &store.UnavailableError{Reason: "ClickHouse took too long to count the causes.", Err: err}
	}
	return err
}

// check recomputes the causes of a range by the pure function and compares them, case by case, with the view, and what
// is counted of them with monev_kendala and with what the result was made from; of calls only where answers are
// stamped.
func (r *Runner) check(ctx context.Context, ask store.CauseRange, now time.Time, stamped bool, sums []store.CauseSum,
	present []store.CausePart, opd string) (*Check, error) {
	facts, err := r.database.CauseFacts(ctx, ask, now)
	if err != nil {
		return nil, err
	}
	view, err := r.database.CauseCases(ctx, ask)
	if err != nil {
		return nil, err
	}
	counts, err := r.database.CauseCounts(ctx, ask)
	if err != nil {
		return nil, err
	}
	pure, decided := Late(facts, ask.Targets)
	if !stamped {
		ofCalls := func(c store.CauseCase) bool { return c.Indicator == Answer }
		pure, view = slices.DeleteFunc(pure, ofCalls), slices.DeleteFunc(view, ofCalls)
		delete(decided, Group{Answer, sla.ScopeOwn, ""})
	}
	c := &Check{Examples: []string{}}
	c.cases(pure, view)
	c.counts(pure, decided, counts)
	c.result(pure, decided, sums, present, opd)
	return c, nil
}

// cases compares two lists of cases in order.
func (c *Check) cases(pure, view []store.CauseCase) {
	for len(pure) > 0 || len(view) > 0 {
		order := 0
		switch {
		case len(view) == 0:
			order = -1
		case len(pure) == 0:
			order = 1
		default:
			order = compareCases(pure[0], view[0])
		}
		c.Cases++
		switch {
		case order < 0:
			c.differ("%s %s: the function counts it as late (%s), the view does not", pure[0].Indicator, pure[0].ID,
				pure[0].Cause)
		case order > 0:
			c.differ("%s %s: the view counts it as late (%s), the function does not", view[0].Indicator, view[0].ID,
				view[0].Cause)
		case pure[0] != view[0]:
			c.differ("%s %s: %s by the function, %s by the view", pure[0].Indicator, pure[0].ID, pure[0].Cause, view[0].Cause)
		}
		if order <= 0 {
			pure = pure[1:]
		}
		if order >= 0 {
			view = view[1:]
		}
	}
}

// counted names a number of monev_kendala.
type counted struct {
	Group
	Cause, Reason string
}

// counts compares monev_kendala with the cases.
func (c *Check) counts(pure []store.CauseCase, decided map[Group]int, counts []store.CauseCount) {
	want, late := map[counted]uint64{}, map[Group]uint64{}
	for _, k := range pure {
		g := Group{k.Indicator, k.Scope, k.OPD}
		want[counted{g, k.Cause, k.Reason}]++
		late[g]++
	}
	for _, k := range counts {
		g := Group{k.Indicator, k.Scope, k.OPD}
		key := counted{g, k.Cause, k.Reason}
		c.number(fmt.Sprintf("monev_kendala %v", key), k.Numerator, want[key])
		c.number(fmt.Sprintf("monev_kendala denominator of %v", g), k.Denominator, late[g])
		c.number(fmt.Sprintf("monev_kendala n of %v", g), k.N, uint64(decided[g]))
		delete(want, key)
	}
	for key, n := range want {
		c.number(fmt.Sprintf("monev_kendala %v", key), 0, n)
	}
}

// result compares what the result was made from with the cases.
func (c *Check) result(pure []store.CauseCase, decided map[Group]int, sums []store.CauseSum, present []store.CausePart,
	opd string) {
	type summed struct {
		counted
		Stated string
	}
	want := map[summed]uint64{}
	for _, k := range pure {
		if opd == "" || k.OPD == opd {
			want[summed{counted{Group{k.Indicator, k.Scope, k.OPD}, k.Cause, k.Reason}, k.Stated}]++
		}
	}
	for _, s := range sums {
		key := summed{counted{Group{s.Indicator, s.Scope, s.OPD}, s.Cause, s.Reason}, s.Stated}
		c.number(fmt.Sprintf("sum of %v", key), s.N, want[key])
		delete(want, key)
	}
	for key, n := range want {
		c.number(fmt.Sprintf("sum of %v", key), 0, n)
	}
	type of struct{ indicator, scope string }
	n := map[of]uint64{}
	for g, k := range decided {
		if opd == "" || g.OPD == opd {
			n[of{g.Indicator, g.Scope}] += uint64(k)
		}
	}
	got := map[of]map[string]uint64{}
	for _, p := range present {
		key := of{p.Indicator, p.Scope}
		if got[key] == nil {
			got[key] = map[string]uint64{}
		}
		got[key][p.Dimension] += p.N
	}
	for key, dims := range got {
		for d, k := range dims {
			c.number(fmt.Sprintf("%s of %v", d, key), k, n[key])
		}
		delete(n, key)
	}
	for key, k := range n {
		c.number(fmt.Sprintf("parts of %v", key), 0, k)
	}
	slices.Sort(c.Examples)
}

func (c *Check) number(what string, got, want uint64) {
	if c.Counts++; got != want {
		c.differ("%s is %d, the function gives %d", what, got, want)
	}
}
