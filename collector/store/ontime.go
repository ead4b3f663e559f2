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
func (s *Store) OPDMonths(ctx context.Context, center, opd string, since, until time.Time) ([]OPDMonth, error) {
	view := func(name string) string {
		return fmt.Sprintf(`SELECT period::Date, clock::String, toUInt64(numerator), toUInt64(denominator), toUInt64(unobserved)
			FROM %s(since = %s, until = %s, as_of = NULL, step = 'month') WHERE center = %s AND opd = %s`, name,
			quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)), quote(center), quote(opd))
	}
	sql := view("monev_on_time_tickets") + " UNION ALL " + view("monev_on_time_outside")
	return queryAll(ctx, s, "count clocks in time by month", "SELECT * FROM ("+sql+") ORDER BY 2, 1",
		func(m *OPDMonth) []any {
			return []any{&m.Month, &m.Clock, &m.Numerator, &m.Denominator, &m.Unobserved}
		})
}
