package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DefinitionVersion names the formulas of the views monev_*, as docs/definitions.md has them. It changes with any change
// of a figure's meaning, and is kept beside every frozen figure.
const DefinitionVersion = "1"

// ErrFrozen is a month that was frozen before: its figures stand.
var ErrFrozen = errors.New("the month is frozen")

// Figure is one figure of one month: what monev_figures gives and what the table frozen keeps.
type Figure struct {
	Center, Name, Dims     string
	Numerator, Denominator float64
	N                      uint64
	Value                  *float64 // nil where there is nothing to measure
}

// FigureTargets are the parameters of the service level, in seconds.
type FigureTargets struct{ Answer, Short uint32 }

// Figures computes every figure of a centre's month; month is any instant whose year and month are meant.
func (s *Store) Figures(ctx context.Context, center string, month time.Time, targets FigureTargets) ([]Figure, error) {
	since, until := monthOf(month)
	sql := fmt.Sprintf(`SELECT center, figure, dims, numerator, denominator, n, value::Nullable(Float64)
		FROM monev_figures(since = %s, until = %s, target = %d, short = %d) WHERE center = %s ORDER BY figure, dims`,
		quote(since), quote(until), targets.Answer, targets.Short, quote(center))
	return s.figures(ctx, "compute figures", sql)
}

// Frozen returns the figures that were frozen for a centre's month; none when it was not.
func (s *Store) Frozen(ctx context.Context, center string, month time.Time) ([]Figure, error) {
	since, _ := monthOf(month)
	sql := fmt.Sprintf(`SELECT center, figure, dims, numerator, denominator, n, value FROM frozen FINAL
		WHERE center = %s AND month = %s ORDER BY figure, dims`, quote(center), quote(since))
	return s.figures(ctx, "read frozen figures", sql)
}

// Freeze computes and keeps the figures of a centre's month as they are now, and returns them. It refuses a month that
// was frozen with ErrFrozen. What a later recomputation changes is found by comparing Figures with Frozen.
func (s *Store) Freeze(ctx context.Context, center string, month time.Time, targets FigureTargets, now time.Time) ([]Figure, error) {
	old, err := s.Frozen(ctx, center, month)
	if err != nil {
		return nil, err
	}
	if len(old) > 0 {
		return old, fmt.Errorf("centre %s, month %s: %w", center, month.Format("2006-01"), ErrFrozen)
	}
	figures, err := s.Figures(ctx, center, month, targets)
	if err != nil || len(figures) == 0 {
		return figures, err
	}
	y, m, _ := month.Date()
	first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	return figures, s.insert(ctx, block{"frozen", []blockColumn{
		all("month", "Date", columnOf(figures, func(*Figure) time.Time { return first })),
		texts("center", columnOf(figures, func(f *Figure) string { return f.Center })),
		texts("figure", columnOf(figures, func(f *Figure) string { return f.Name })),
		texts("dims", columnOf(figures, func(f *Figure) string { return f.Dims })),
		all("numerator", "Float64", columnOf(figures, func(f *Figure) float64 { return f.Numerator })),
		all("denominator", "Float64", columnOf(figures, func(f *Figure) float64 { return f.Denominator })),
		all("n", "UInt64", columnOf(figures, func(f *Figure) uint64 { return f.N })),
		all("value", "Nullable(Float64)", columnOf(figures, func(f *Figure) *float64 { return f.Value })),
		texts("definition_version", columnOf(figures, func(*Figure) string { return DefinitionVersion })),
		instants("frozen_at", columnOf(figures, func(*Figure) time.Time { return now })),
	}}, len(figures), "")
}

// Difference is a figure that is no longer what was frozen. Frozen or Now is nil where one of them has no such figure.
type Difference struct{ Frozen, Now *Figure }

// Differences compares figures of one month by name and dims. Both must be in the order that Figures and Frozen give.
func Differences(frozen, now []Figure) []Difference {
	var out []Difference
	for len(frozen) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(frozen) > 0 && before(&frozen[0], &now[0]):
			out = append(out, Difference{Frozen: &frozen[0]})
			frozen = frozen[1:]
		case len(frozen) == 0 || before(&now[0], &frozen[0]):
			out = append(out, Difference{Now: &now[0]})
			now = now[1:]
		default:
			if !sameFigure(&frozen[0], &now[0]) {
				out = append(out, Difference{&frozen[0], &now[0]})
			}
			frozen, now = frozen[1:], now[1:]
		}
	}
	return out
}

func before(a, b *Figure) bool { return a.Name < b.Name || a.Name == b.Name && a.Dims < b.Dims }

func sameFigure(a, b *Figure) bool {
	if a.Numerator != b.Numerator || a.Denominator != b.Denominator || a.N != b.N || (a.Value == nil) != (b.Value == nil) {
		return false
	}
	return a.Value == nil || *a.Value == *b.Value
}

func (s *Store) figures(ctx context.Context, what, sql string) (out []Figure, err error) {
	err = s.query(ctx, what, sql, func(scan func(...any) error) error {
		var f Figure
		if err := scan(&f.Center, &f.Name, &f.Dims, &f.Numerator, &f.Denominator, &f.N, &f.Value); err != nil {
			return err
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

// monthOf returns the first day of a month and of the next, as dates.
func monthOf(month time.Time) (since, until string) {
	y, m, _ := month.Date()
	first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	return first.Format(time.DateOnly), first.AddDate(0, 1, 0).Format(time.DateOnly)
}
