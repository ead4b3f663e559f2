package number

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/store"
)

// Database is ClickHouse as a search needs it; *store.Sink is one.
type Database interface {
	FlushRollups(ctx context.Context) error
	FiguresBetween(ctx context.Context, center string, since, until time.Time, targets store.FigureTargets,
		asOf time.Time) ([]store.Figure, error)
	CallCounts(ctx context.Context, center string, since, until, asOf time.Time) (map[string]int64, error)
}

// Request asks what a number may be.
type Request struct {
	Value        string
	Center       string    // empty is the default centre
	Since, Until string    // days, 2023-01-01; until is the day after the last
	AsOf         time.Time // as things stood then, of what is known now; zero: now
}

// Result is what a number may be. Fits is empty where nothing of ours rounds to it; then Nearest holds what comes near.
type Result struct {
	Value   string  `json:"value"`
	Percent float64 `json:"percent"`
	Center  string  `json:"center"`
	Since   string  `json:"since"`
	Until   string  `json:"until"`
	Fits    []Match `json:"fits"`
	Nearest []Match `json:"nearest"`
}

// RefusedError is a request that makes no sense.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// maxDays bounds a range.
const maxDays = 3700

// Runner answers requests, two at a time. It is safe for concurrent use.
type Runner struct {
	database  Database
	directory *directory.Directory
	slots     chan struct{}
}

// NewRunner returns a Runner.
func NewRunner(db Database, dir *directory.Directory) *Runner {
	return &Runner{db, dir, make(chan struct{}, 2)}
}

// Result answers a request. A *RefusedError says what is wrong with it.
func (r *Runner) Result(ctx context.Context, q Request) (out Result, err error) {
	w, err := Parse(q.Value)
	if err != nil {
		return out, refuse("%s", err)
	}
	code := q.Center
	if code == "" {
		code = r.directory.DefaultCenter()
	}
	center, known := r.directory.Center(code)
	if !known {
		return out, refuse("the directory knows no centre %q", code)
	}
	since, err1 := time.Parse(time.DateOnly, q.Since)
	until, err2 := time.Parse(time.DateOnly, q.Until)
	switch {
	case err1 != nil || err2 != nil:
		return out, refuse("since %q, until %q: give days such as 2023-01-01 and 2023-11-01", q.Since, q.Until)
	case !since.Before(until):
		return out, refuse("since %s, until %s: until is the day after the last and lies behind since", q.Since, q.Until)
	case until.Sub(since) > maxDays*24*time.Hour || since.Year() < 2000 || until.Year() > 2200:
		return out, refuse("since %s, until %s: ask for ten years at most", q.Since, q.Until)
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	if q.AsOf.IsZero() { // a past instant reads no roll-up
		if err := r.database.FlushRollups(ctx); err != nil {
			return out, err
		}
	}
	figures, err := r.database.FiguresBetween(ctx, center.Code, since, until, store.FigureTargets{
		Answer: uint32(center.AnswerTarget / time.Second), Short: uint32(center.ShortAbandon / time.Second),
	}, q.AsOf)
	if err != nil {
		return out, err
	}
	counts, err := r.database.CallCounts(ctx, center.Code, since, until, q.AsOf)
	if err != nil {
		return out, err
	}
	out = Result{Value: w.Text, Percent: w.Percent(), Center: center.Code, Since: q.Since, Until: q.Until}
	fits, nearest := Search(w, append(Measures(figures), Pairs(counts)...))
	out.Fits, out.Nearest = append([]Match{}, fits...), append([]Match{}, nearest...) // lists in JSON, empty or not
	return out, nil
}

// Write writes the result as text.
func (r Result) Write(w io.Writer) {
	list := r.Fits
	switch {
	case len(r.Fits) > 0:
		fmt.Fprintf(w, "%s of centre %s, %s up to before %s: %d shares round to it\n\n", r.Value, r.Center, r.Since, r.Until,
			len(r.Fits))
	case len(r.Nearest) > 0:
		list = r.Nearest
		fmt.Fprintf(w, "%s of centre %s, %s up to before %s: no share of ours rounds to it; the nearest are\n\n", r.Value,
			r.Center, r.Since, r.Until)
	default:
		fmt.Fprintf(w, "centre %s has no calls from %s up to before %s: there is nothing to compare %s with\n", r.Center,
			r.Since,
			r.Until, r.Value)
	}
	for _, m := range list {
		fmt.Fprintf(w, "%9.4f %%  %d / %d  (n %d)  %s / %s", m.Percent, m.Counted, m.Of, m.N, m.Numerator.English,
			m.Denominator.English)
		if m.Measure != "" {
			fmt.Fprintf(w, "  [%s]", m.Measure)
		}
		fmt.Fprintln(w)
	}
}
