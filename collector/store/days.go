package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/event"
)

// CenterDay is one calendar day of one centre, the unit of clocks_daily and tickets_daily. Day is that date at midnight
// UTC.
type CenterDay struct {
	Center string
	Day    time.Time
}

// dayOf is the calendar day of an instant in a centre's own time zone.
func (s *Store) dayOf(center string, at time.Time) CenterDay {
	y, m, d := at.In(s.cfg.Location(center)).Date()
	return CenterDay{center, time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

// maxDaysAtOnce bounds the text and the memory of one recomputation.
const maxDaysAtOnce = 1000

// RecomputeDays writes the rows of clocks_daily and tickets_daily anew from the clocks and tickets as they are stored.
// version must not be less than that of any earlier recomputation.
func (s *Store) RecomputeDays(ctx context.Context, days []CenterDay, version uint64) error {
	days = slices.Clone(days)
	// By centre, so that a statement reads few of them.
	slices.SortFunc(days, func(a, b CenterDay) int {
		return cmp.Or(strings.Compare(a.Center, b.Center), a.Day.Compare(b.Day))
	})
	for chunk := range slices.Chunk(slices.Compact(days), maxDaysAtOnce) {
		arguments := daysArguments(chunk)
		var g errgroup.Group
		for _, r := range dailyRollups {
			g.Go(func() error {
				return s.exec(ctx, "recompute days of "+r.table,
					fmt.Sprintf("INSERT INTO %s (%s, version) SELECT %[2]s, %d FROM %s(%s)",
						r.table, r.columns, version, r.view, arguments))
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// dailyRollups are the tables of one row a day, and the views that compute it.
var dailyRollups = []struct{ table, view, columns string }{
	{"clocks_daily", "clocks_rollup",
		"center, clock, day, opds, scopes, met_counts, late_counts, open_breach_at, open_stopped_at"},
	{"tickets_daily", "tickets_rollup",
		"center, day, scope, opds, priorities, dispatch_ms, acknowledge_ms, turnout_ms, travel_ms, respond_ms, own_ms, resolve_ms, resolve_net_ms, confirm_ms"},
}

// daysArguments writes sorted days as the arguments of the views that compute rows of days.
func daysArguments(days []CenterDay) string {
	var centers []string
	var b strings.Builder
	for i, d := range days {
		if i > 0 {
			b.WriteString(", ")
		}
		if len(centers) == 0 || centers[len(centers)-1] != d.Center {
			centers = append(centers, d.Center)
		}
		b.WriteString("(")
		appendQuoted(&b, d.Center)
		b.WriteString(", '" + d.Day.Format(time.DateOnly) + "')")
	}
	return "centers = [" + quoteList(centers) + "], days = [" + b.String() + "]"
}

// markDaysPending is markPending for days.
func (s *Store) markDaysPending(ctx context.Context, days []CenterDay, mark uint64, done bool) error {
	return s.insert(ctx, block{"days_pending", []blockColumn{
		texts("center", columnOf(days, func(d *CenterDay) string { return d.Center })),
		all("day", "Date", columnOf(days, func(d *CenterDay) time.Time { return d.Day })),
		all("version", "UInt64", columnOf(days, func(*CenterDay) uint64 { return mark })),
		all("done", "Bool", columnOf(days, func(*CenterDay) bool { return done })),
	}}, len(days), "")
}

// pendingDays returns the days that a process which ended left to be recomputed, and the greatest mark of any day.
func (s *Store) pendingDays(ctx context.Context) (days []CenterDay, mark uint64, err error) {
	err = s.query(ctx, "read the greatest mark of days", "SELECT max(version) FROM days_pending",
		func(scan func(...any) error) error { return scan(&mark) })
	if err != nil {
		return nil, 0, err
	}
	days, err = s.queryDays(ctx, "read pending days", "SELECT center, day FROM days_pending FINAL WHERE NOT done")
	return days, mark, err
}

// storedDays returns every day on which one of the tickets was opened or a clock of it began, also in rows that are not
// merged away yet.
func (s *Store) storedDays(ctx context.Context, tickets []event.Key) (days []CenterDay, err error) {
	const sql = "SELECT DISTINCT center, assumeNotNull(day) FROM %s WHERE day IS NOT NULL AND (%s)"
	for cond := range keyConditions(tickets, "center", "subject_kind", "subject") {
		found, err := s.queryDays(ctx, "read days of clocks", fmt.Sprintf(sql, "clocks", cond))
		if err != nil {
			return nil, err
		}
		days = append(days, found...)
	}
	for cond := range keyConditions(tickets, "center", "", "id") {
		found, err := s.queryDays(ctx, "read days of tickets", fmt.Sprintf(sql, "tickets", cond))
		if err != nil {
			return nil, err
		}
		days = append(days, found...)
	}
	return days, nil
}

func (s *Store) queryDays(ctx context.Context, what, sql string) (days []CenterDay, err error) {
	err = s.query(ctx, what, sql, func(scan func(...any) error) error {
		var d CenterDay
		if err := scan(&d.Center, &d.Day); err != nil {
			return err
		}
		days = append(days, CenterDay{d.Center, d.Day.UTC()})
		return nil
	})
	return days, err
}
