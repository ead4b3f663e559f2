package store

import (
	"context"
	"fmt"
	"time"
)

// OPDMonth is how many clocks of one kind, of one OPD, that began in a month were in time, of those that are decided.
type OPDMonth struct {
	Month                  time.Time // its first day, UTC
	Clock                  string
	Numerator, Denominator uint64
	Unobserved             uint64 // that nobody can stop: in neither number
}

// OPDMonths returns them for each month of the days since <= day < until in which a clock began, by clock and month.
// The OPD is given by all names that its clocks may have, at least one.
func (s *Store) OPDMonths(ctx context.Context, center string, names []string, since, until time.Time) ([]OPDMonth,
	error) {
	days := fmt.Sprintf("since = %s, until = %s, step = 'month'", quote(since.Format(time.DateOnly)),
		quote(until.Format(time.DateOnly)))
	view := func(name string) string {
		return fmt.Sprintf(`SELECT period::Date AS month, clock::String AS of, numerator, denominator, unobserved
			FROM %s WHERE center = %s AND opd IN (%s)`, viewAt(name, time.Time{}, days), quote(center), quoteList(names))
	}
	sql := view("monev_on_time_tickets") + " UNION ALL " + view("monev_on_time_outside")
	return queryAll(ctx, s, "count clocks in time by month", "SELECT month, of, toUInt64(sum(numerator)), "+
		"toUInt64(sum(denominator)), toUInt64(sum(unobserved)) FROM ("+sql+") GROUP BY month, of ORDER BY of, month",
		func(m *OPDMonth) []any {
			return []any{&m.Month, &m.Clock, &m.Numerator, &m.Denominator, &m.Unobserved}
		})
}
