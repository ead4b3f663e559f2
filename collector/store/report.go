package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/store/schema"
)

// ReportFigures computes what the monthly report says of a centre's month beside Figures, as of an instant, as things
// are now when it is zero.
func (s *Store) ReportFigures(ctx context.Context, center string, month time.Time, targets FigureTargets,
	asOf time.Time) ([]Figure, error) {
	since, until := monthOf(month)
	view := viewAt("monev_report", asOf, fmt.Sprintf("center = %s, since = %s, until = %s, target = %d, zone = %s",
		quote(center), quote(since), quote(until), targets.Answer, quote(s.cfg.Location(center).String())))
	sql := `SELECT center, figure, dims, numerator, denominator, n, value::Nullable(Float64) FROM ` + view +
		` ORDER BY figure, dims`
	return queryAll(ctx, s, "compute figures of the report", sql, func(f *Figure) []any {
		return []any{&f.Center, &f.Name, &f.Dims, &f.Numerator, &f.Denominator, &f.N, &f.Value}
	})
}

// MonthFigure is one indicator of a month.
type MonthFigure struct {
	Month                  time.Time // its first day, UTC
	Indicator              string    // answer, fire, acknowledge, resolve or hoax
	Numerator, Denominator float64
	N                      uint64
	Value                  *float64 // nil where there is nothing to measure
}

// Indicators computes the five indicators of the report for each month from first to last, both included, in the order
// of months. A month without a case has none.
func (s *Store) Indicators(ctx context.Context, center string, first, last time.Time,
	targets FigureTargets) ([]MonthFigure, error) {
	since, _ := monthOf(first)
	_, until := monthOf(last)
	view := viewAt("monev_indicators", time.Time{}, fmt.Sprintf("center = %s, since = %s, until = %s, "+
		"target = %d, short = %d", quote(center), quote(since), quote(until), targets.Answer, targets.Short))
	sql := `SELECT month::Date, indicator::String, numerator, denominator, n, value::Nullable(Float64) FROM ` + view +
		` ORDER BY month, indicator`
	return queryAll(ctx, s, "compute indicators", sql, func(f *MonthFigure) []any {
		return []any{&f.Month, &f.Indicator, &f.Numerator, &f.Denominator, &f.N, &f.Value}
	})
}

// FrozenFigure is a figure of a month as the latest freeze of it keeps it.
type FrozenFigure struct {
	Month time.Time // its first day, UTC
	Figure
}

// FrozenIndicators returns the figures that indicators follow from, as frozen, of the months from first to last, both
// included; months without a freeze are left out.
func (s *Store) FrozenIndicators(ctx context.Context, center string, first, last time.Time) ([]FrozenFigure, error) {
	since, _ := monthOf(first)
	_, until := monthOf(last)
	where := "center = " + quote(center) + " AND month >= " + quote(since) + " AND month < " + quote(until)
	sql := `SELECT month, center::String, figure::String, dims, numerator, denominator, n, value FROM frozen FINAL WHERE ` +
		where + ` AND figure IN ('service_level', 'hoax', 'on_time', 'arrived_within') AND (month, revision) IN
		(SELECT month, max(revision) FROM frozen WHERE ` + where + ` GROUP BY month) ORDER BY month, figure, dims`
	return queryAll(ctx, s, "read frozen indicators", sql, func(f *FrozenFigure) []any {
		return []any{&f.Month, &f.Center, &f.Name, &f.Dims, &f.Numerator, &f.Denominator, &f.N, &f.Value}
	})
}

// MonthsWithCalls returns the months of a centre in which a call was received, ascending, with how many.
func (s *Store) MonthsWithCalls(ctx context.Context, center string) (months []time.Time, received []uint64, err error) {
	sql := `SELECT toStartOfMonth(day) AS month, sum(received) FROM calls_hourly_now WHERE center = ` + quote(center) +
		` GROUP BY month ORDER BY month`
	err = s.query(ctx, "read months", sql, func(scan func(...any) error) error {
		var month time.Time
		var n uint64
		if err := scan(&month, &n); err != nil {
			return err
		}
		months, received = append(months, month), append(received, n)
		return nil
	})
	return months, received, err
}

// SortFigures puts figures into the order in which Figures and Frozen give them.
func SortFigures(list []Figure) {
	slices.SortFunc(list, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Dims, b.Dims))
	})
}

// viewAt writes a view of figures with its arguments, read as of an instant; the twin of the present where it is zero.
func viewAt(view string, asOf time.Time, arguments string) string {
	if asOf.IsZero() {
		return fmt.Sprintf("%s(%s)", schema.Present(view), arguments)
	}
	return fmt.Sprintf("%s(%s, as_of = %s)", view, arguments, quote(asOf.UTC().Format(time.RFC3339Nano)))
}
