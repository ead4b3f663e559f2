package store

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
)

// DefinitionVersion names the formulas of the views monev_*, as docs/definitions.md has them. It changes with any
// change of a figure's meaning, and is kept beside every frozen figure.
const DefinitionVersion = "2"

// Figure is one figure of one month: what monev_figures gives and what the table frozen keeps.
type Figure struct {
	Center, Name, Dims     string
	Numerator, Denominator float64
	N                      uint64
	Value                  *float64 // nil where there is nothing to measure
	// What the figure was computed with; only a figure that was frozen has these.
	Parameters          string   // sorted "name=value" pairs that Dims does not have
	Policies, Calendars []string // "name/version", sorted
}

// Dim returns the value of one dimension of a figure, "bpbd" of opd in "clock=arrive,opd=bpbd", and whether there is
// one. A word that a source gave may hold anything, also ",scope=own": that of an OPD ends where the last scope begins,
// which follows it; a category, kecamatan or priority goes on to the end, since none but the category of arrived_within
// has a dimension behind it. Of that one the category comes with its seconds, and seconds alone are not found.
func Dim(dims, name string) (value string, ok bool) {
	for dims != "" {
		dim, rest, found := strings.Cut(dims, "=")
		if !found {
			return "", false
		}
		end := -1
		switch dim {
		case "opd":
			end = strings.LastIndex(rest, ",scope=")
		case "category", "kecamatan", "priority":
		default:
			end = strings.IndexByte(rest, ',')
		}
		value, dims = rest, ""
		if end >= 0 {
			value, dims = rest[:end], rest[end+1:]
		}
		if dim == name {
			return value, true
		}
	}
	return "", false
}

// FigureTargets are the parameters of the service level, in seconds.
type FigureTargets struct{ Answer, Short uint32 }

// Freeze is one revision of a month's figures.
type Freeze struct {
	Center            string
	Month             time.Time // its first day, UTC
	Revision          int       // 1 for the first
	Reason            string    // why it was frozen again
	DefinitionVersion string
	FrozenAt          time.Time
	Figures           []Figure // in order of name and dims
}

// Figures computes every figure of a centre's month as of an instant, as they are now when it is zero; month is any
// instant whose year and month are meant.
func (s *Store) Figures(ctx context.Context, center string, month time.Time, targets FigureTargets,
	asOf time.Time) ([]Figure, error) {
	since, until := monthOf(month)
	return s.figures(ctx, center, since, until, targets, asOf)
}

// FiguresBetween is Figures for the days since <= day < until.
func (s *Store) FiguresBetween(ctx context.Context, center string, since, until time.Time, targets FigureTargets,
	asOf time.Time) ([]Figure, error) {
	return s.figures(ctx, center, since.Format(time.DateOnly), until.Format(time.DateOnly), targets, asOf)
}

func (s *Store) figures(ctx context.Context, center, since, until string, targets FigureTargets,
	asOf time.Time) ([]Figure, error) {
	view := viewAt("monev_figures", asOf, fmt.Sprintf("since = %s, until = %s, target = %d, short = %d", quote(since),
		quote(until), targets.Answer, targets.Short))
	sql := `SELECT center, figure, dims, numerator, denominator, n, value::Nullable(Float64) FROM ` + view +
		` WHERE center = ` + quote(center) + ` ORDER BY figure, dims`
	return queryAll(ctx, s, "compute figures", sql, func(f *Figure) []any {
		return []any{&f.Center, &f.Name, &f.Dims, &f.Numerator, &f.Denominator, &f.N, &f.Value}
	})
}

// Frozen returns the latest revision of a centre's month; nil when it was not frozen.
func (s *Store) Frozen(ctx context.Context, center string, month time.Time) (*Freeze, error) {
	since, _ := monthOf(month)
	where := "center = " + quote(center) + " AND month = " + quote(since)
	sql := `SELECT center, month, revision, reason, definition_version::String, frozen_at, figure, dims, numerator,
		denominator, n, value,
			parameters, policy_versions::Array(String), calendar_versions::Array(String)
		FROM frozen FINAL WHERE ` + where + ` AND revision = (SELECT max(revision) FROM frozen WHERE
			` + where + `) ORDER BY figure, dims`
	var out *Freeze
	err := s.query(ctx, "read frozen figures", sql, func(scan func(...any) error) error {
		var z Freeze
		var f Figure
		var revision uint16
		if err := scan(&z.Center, &z.Month, &revision, &z.Reason, &z.DefinitionVersion, &z.FrozenAt, &f.Name, &f.Dims,
			&f.Numerator,
			&f.Denominator, &f.N, &f.Value, &f.Parameters, &f.Policies, &f.Calendars); err != nil {
			return err
		}
		if out == nil {
			z.Revision, z.FrozenAt = int(revision), z.FrozenAt.UTC()
			out = &z
		}
		f.Center = z.Center
		out.Figures = append(out.Figures, f)
		return nil
	})
	return out, err
}

// FrozenMonths returns the months of a centre that were frozen, ascending.
func (s *Store) FrozenMonths(ctx context.Context, center string) ([]time.Time, error) {
	return queryAll(ctx, s, "read frozen months",
		"SELECT DISTINCT month FROM frozen WHERE center = "+quote(center)+" ORDER BY month",
		func(month *time.Time) []any { return []any{month} })
}

// KeepFrozen stores a revision in one insert: all of it or nothing. A revision that stands is never written again; the
// caller makes sure that its number is new.
func (s *Store) KeepFrozen(ctx context.Context, z *Freeze) error {
	if len(z.Figures) > maxInsertRows {
		return fmt.Errorf("%d figures; a month has at most %d", len(z.Figures), maxInsertRows)
	}
	rows := z.Figures
	return s.insert(ctx, block{"frozen", []blockColumn{
		all("month", "Date", columnOf(rows, func(*Figure) time.Time { return z.Month })),
		texts("center", columnOf(rows, func(*Figure) string { return z.Center })),
		texts("figure", columnOf(rows, func(f *Figure) string { return f.Name })),
		texts("dims", columnOf(rows, func(f *Figure) string { return f.Dims })),
		all("numerator", "Float64", columnOf(rows, func(f *Figure) float64 { return f.Numerator })),
		all("denominator", "Float64", columnOf(rows, func(f *Figure) float64 { return f.Denominator })),
		all("n", "UInt64", columnOf(rows, func(f *Figure) uint64 { return f.N })),
		all("value", "Nullable(Float64)", columnOf(rows, func(f *Figure) *float64 { return f.Value })),
		texts("definition_version", columnOf(rows, func(*Figure) string { return z.DefinitionVersion })),
		instants("frozen_at", columnOf(rows, func(*Figure) time.Time { return z.FrozenAt })),
		all("revision", "UInt16", columnOf(rows, func(*Figure) uint16 { return uint16(z.Revision) })),
		texts("reason", columnOf(rows, func(*Figure) string { return z.Reason })),
		texts("parameters", columnOf(rows, func(f *Figure) string { return f.Parameters })),
		each("policy_versions", "Array(String)", columnOf(rows, func(f *Figure) []string { return f.Policies })),
		each("calendar_versions", "Array(String)", columnOf(rows, func(f *Figure) []string { return f.Calendars })),
	}}, len(rows), "")
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
	return a.Value == nil || math.Abs(*a.Value-*b.Value) <= sameWithin*max(math.Abs(*a.Value), math.Abs(*b.Value))
}

// sameWithin is the relative difference up to which two values are one: the terms of a mean are added in whatever order
// ClickHouse reads them, which moves its last digits.
const sameWithin = 1e-9

// ClockBasis says what the clocks behind one figure of monev_on_time are judged by, and what came to them since an
// instant.
type ClockBasis struct {
	Clock, OPD, Scope   string
	Policies, Calendars []string // "name/version", sorted
	Late                uint64   // clocks of cases of which an event came in since
	// clocks that were not late at the instant and have passed their due time since, unstopped
	Passed uint64
}

// ClockBases returns the bases of a centre's month, as they are at now with what came since an instant.
func (s *Store) ClockBases(ctx context.Context, center string, month, since, now time.Time) ([]ClockBasis, error) {
	from, until := monthOf(month)
	sql := `SELECT clock, ifNull(opd, '')::String AS opd, ifNull(scope, 'own')::String AS scope,
			arraySort(groupUniqArray(if(policy_version = '', policy::String, concat(policy, '/', policy_version)))),
			arraySort(groupUniqArrayIf(assumeNotNull(calendar_version)::String, calendar_version IS NOT NULL)),
			countIf((subject_kind::String, subject) IN (` + lateCases(center, since) + `)),
			countIf(stopped_at IS NULL AND breach_at >= ` + instant(since) + ` AND breach_at < ` + instant(now) + `)
		FROM (SELECT * FROM clocks FINAL WHERE center =
		` + quote(center) + ` AND NOT void AND day >= ` + quote(from) + ` AND day < ` + quote(until) + `)
		GROUP BY clock, opd, scope`
	return queryAll(ctx, s, "read what clocks rest on", sql, func(b *ClockBasis) []any {
		return []any{&b.Clock, &b.OPD, &b.Scope, &b.Policies, &b.Calendars, &b.Late, &b.Passed}
	})
}

// LateCases counts the calls and, by OPD, the tickets of a centre's month of which an event came in since an instant.
func (s *Store) LateCases(ctx context.Context, center string, month, since time.Time) (calls uint64,
	tickets map[string]uint64, err error) {
	from, until := monthOf(month)
	sql := `SELECT kind, opd, count() FROM (
			SELECT 'call' AS kind, '' AS opd, id FROM calls FINAL WHERE center =
			` + quote(center) + ` AND day >= ` + quote(from) + ` AND day < ` + quote(until) + `
			UNION ALL SELECT 'ticket' AS kind, ifNull(opd, '')::String AS opd, id FROM tickets FINAL WHERE center =
			` + quote(center) + ` AND day >= ` + quote(from) + ` AND day < ` + quote(until) + `
		) WHERE (kind, id) IN (` + lateCases(center, since) + `) GROUP BY kind, opd`
	tickets = map[string]uint64{}
	err = s.query(ctx, "count late cases", sql, func(scan func(...any) error) error {
		var kind, opd string
		var n uint64
		if err := scan(&kind, &opd, &n); err != nil {
			return err
		}
		if kind == "call" {
			calls += n
		} else {
			tickets[opd] += n
		}
		return nil
	})
	return calls, tickets, err
}

// lateCases selects kind and id of the cases of which an event came in since an instant, or one of a call of theirs.
func lateCases(center string, since time.Time) string {
	late := "center = " + quote(center) + " AND received_at > " + instant(since)
	return "SELECT subject_kind::String AS k, subject FROM events WHERE " + late +
		" UNION ALL SELECT 'ticket' AS k, arrayJoin(tickets) FROM calls FINAL WHERE center = " + quote(center) +
		" AND id IN (SELECT subject FROM events WHERE subject_kind = 'call' AND " + late + ")" +
		" UNION ALL SELECT 'call' AS k, arrayJoin(calls) FROM events WHERE subject_kind = 'ticket' AND " + late
}

// MonthStart is the first day of the month that t's date lies in, as a date in UTC.
func MonthStart(t time.Time) time.Time {
	y, m, _ := t.Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// monthOf returns the first day of a month and of the next, as dates.
func monthOf(month time.Time) (since, until string) {
	first := MonthStart(month)
	return first.Format(time.DateOnly), first.AddDate(0, 1, 0).Format(time.DateOnly)
}
