package store

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/event"
)

// Period is an hour or a day of a centre, by which the roll-ups are recomputed. Start is the beginning of the hour, or
// the date at midnight, in UTC.
type Period struct {
	Center string
	Start  time.Time
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// dayOf is the calendar day of an instant in a centre's own time zone.
func (s *Store) dayOf(center string, at time.Time) Period {
	y, m, d := at.In(s.cfg.Location(center)).Date()
	return Period{center, time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

// unit is a length of periods: the table that says which of them are behind, the column of Start in it, and its type.
type unit struct {
	table, column string
	wire          column.Type
}

var (
	hourly = unit{"hours_pending", "hour", "DateTime('UTC')"}
	daily  = unit{"days_pending", "day", "Date"}
)

// markPeriods writes that the cases of periods are about to change or, with done, that the periods were recomputed. Of
// the marks of a period the greatest counts.
func (s *Store) markPeriods(ctx context.Context, u unit, periods []Period, mark uint64, done bool) error {
	return s.insert(ctx, block{u.table, []blockColumn{
		texts("center", columnOf(periods, func(p *Period) string { return p.Center })),
		all(u.column, u.wire, columnOf(periods, func(p *Period) time.Time { return p.Start })),
		all("version", "UInt64", columnOf(periods, func(*Period) uint64 { return mark })),
		all("done", "Bool", columnOf(periods, func(*Period) bool { return done })),
	}}, len(periods), "")
}

// pendingPeriods returns the periods that a process which ended left to be recomputed, since when they wait by this
// machine's clock, and the greatest mark of any.
func (s *Store) pendingPeriods(ctx context.Context, u unit) (periods map[Period]time.Time, mark uint64, err error) {
	err = s.queryOne(ctx, "read the greatest mark of "+u.table, "SELECT max(version) FROM "+u.table, &mark)
	if err != nil {
		return nil, 0, err
	}
	type waiting struct {
		Period
		ms int64
	}
	now := time.Now()
	// By ClickHouse's clock alone, which need not be this machine's.
	found, err := queryAll(ctx, s, "read "+u.table,
		fmt.Sprintf("SELECT center, %s, dateDiff('millisecond', since, now64(3)) FROM %s FINAL WHERE NOT done", u.column,
			u.table),
		func(w *waiting) []any { return []any{&w.Center, &w.Start, &w.ms} })
	periods = make(map[Period]time.Time, len(found))
	for _, w := range found {
		periods[Period{w.Center, w.Start.UTC()}] = now.Add(-time.Duration(max(0, w.ms)) * time.Millisecond)
	}
	return periods, mark, err
}

func (s *Store) queryPeriods(ctx context.Context, what, sql string) ([]Period, error) {
	periods, err := queryAll(ctx, s, what, sql, func(p *Period) []any { return []any{&p.Center, &p.Start} })
	for i := range periods {
		periods[i].Start = periods[i].Start.UTC()
	}
	return periods, err
}

// storedHours returns every hour in which one of the calls lies, or lay in a row that is not merged away yet.
func (s *Store) storedHours(ctx context.Context, calls []event.Key) ([]Period, error) {
	return s.storedPeriods(ctx, keyConditions(calls, "center", "", "id"),
		"SELECT DISTINCT center, toStartOfHour(toDateTime(assumeNotNull(at), 'UTC')) FROM calls WHERE at IS NOT NULL AND ")
}

// storedDays returns every day on which one of the tickets was opened or a clock of it began, also in rows that are not
// merged away yet.
func (s *Store) storedDays(ctx context.Context, tickets []event.Key) ([]Period, error) {
	const sql = "SELECT DISTINCT center, assumeNotNull(day) FROM %s WHERE day IS NOT NULL AND "
	ofClocks, err := s.storedPeriods(ctx, keyConditions(tickets, "center", "subject_kind", "subject"),
		fmt.Sprintf(sql, "clocks"))
	if err != nil {
		return nil, err
	}
	ofTickets, err := s.storedPeriods(ctx, keyConditions(tickets, "center", "", "id"), fmt.Sprintf(sql, "tickets"))
	return append(ofClocks, ofTickets...), err
}

func (s *Store) storedPeriods(ctx context.Context, conditions iter.Seq[string], sql string) (out []Period,
	err error) {
	for cond := range conditions {
		found, err := s.queryPeriods(ctx, "read periods of cases", sql+"("+cond+")")
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// countsOfCalls are the columns that calls_hourly and calls_daily share beside center, day and version.
const countsOfCalls = `received, offered, answered, stamped, abandoned, unserved, blocked, classified, hoax,
	normal, informasi, prank, prank_palsu, ghost, pocket, misrouted, putus, duplikat,
	to_hoax, to_own, to_vertical, to_centre, to_none, to_unclassified, to_unanswered, answer_ms, abandon_ms`

// RecomputeHours writes the rows of calls_hourly anew from the calls as they are stored, empties the rows of hours that
// no longer have any, and adds the days of all these hours up in calls_daily. version must not be less than that of any
// earlier recomputation.
func (s *Store) RecomputeHours(ctx context.Context, hours []Period, version uint64) error {
	for _, r := range hourRanges(hours) {
		centers, since, until := quoteList(r.centers), quoteTime(r.since), quoteTime(r.until)
		insert := func(table, keys, view string) error {
			return s.exec(ctx, "recompute "+table, fmt.Sprintf(`INSERT INTO %[1]s (%[2]s, %[3]s, version)
				SELECT %[2]s, %[3]s, %[4]d FROM %[5]s(centers = [%[6]s], since = %[7]s, until = %[8]s)`,
				table, keys, countsOfCalls, version, view, centers, since, until))
		}
		if err := insert("calls_hourly", "center, hour, day", "calls_rollup"); err != nil {
			return err
		}
		empty := fmt.Sprintf(
			`INSERT INTO calls_hourly (center, hour, day, version) SELECT center, hour, day, %[1]d FROM calls_hourly FINAL
			WHERE center IN (%[2]s) AND hour >= %[3]s AND hour < %[4]s AND received > 0 AND (center, hour) NOT IN (
				SELECT center, toStartOfHour(toDateTime(assumeNotNull(at), 'UTC')) FROM calls_now
				WHERE center IN (%[2]s) AND at >= %[3]s AND at < %[4]s)`, version, centers, since, until)
		if err := s.exec(ctx, "empty hours", empty); err != nil {
			return err
		}
		if err := insert("calls_daily", "center, day", "calls_daily_rollup"); err != nil {
			return err
		}
	}
	return nil
}

// maxHourGap joins hours that lie close together into one statement; the hours between are recomputed too, which
// changes nothing.
const maxHourGap = 48 * time.Hour

// maxHourRanges is how many ranges one recomputation has at most.
const maxHourRanges = 8

type hourRange struct {
	centers      []string // sorted
	since, until time.Time
}

// hourRanges unites hours that lie close together into ranges, whatever their centre: in live traffic all centres touch
// the same few hours. Hours scattered over years are united more widely, until there are few statements: to read more
// calls costs less than to ask more often.
func hourRanges(hours []Period) []hourRange {
	for gap := maxHourGap; ; gap *= 2 {
		if out := hourRangesWithin(hours, gap); len(out) <= maxHourRanges {
			return out
		}
	}
}

func hourRangesWithin(hours []Period, gap time.Duration) []hourRange {
	hours = slices.Clone(hours)
	for i := range hours {
		hours[i].Start = hourOf(hours[i].Start)
	}
	slices.SortFunc(hours, func(a, b Period) int { return a.Start.Compare(b.Start) })
	var out []hourRange
	for _, h := range hours {
		if n := len(out); n > 0 && h.Start.Sub(out[n-1].until) <= gap {
			out[n-1].until = h.Start.Add(time.Hour)
			out[n-1].centers = append(out[n-1].centers, h.Center)
			continue
		}
		out = append(out, hourRange{[]string{h.Center}, h.Start, h.Start.Add(time.Hour)})
	}
	for i := range out {
		slices.Sort(out[i].centers)
		out[i].centers = slices.Compact(out[i].centers)
	}
	return out
}

// maxDaysAtOnce bounds the text and the memory of one recomputation.
const maxDaysAtOnce = 1000

// dailyRollups are the tables of one row a day, and the views that compute it.
var dailyRollups = []struct{ table, view, columns string }{
	{"clocks_daily", "clocks_rollup",
		"center, clock, day, opds, scopes, met_counts, late_counts, open_breach_at, open_stopped_at, " +
			"unobserved_counts, `running.ticket`, `running.due_at`, `running.breach_at`, `running.escalated_at`, " +
			"`running.escalated2_at`"},
	{"tickets_daily", "tickets_rollup",
		"center, day, scope, opds, priorities, categories, dispatch_ms, acknowledge_ms, turnout_ms, travel_ms, respond_ms, " +
			"own_ms, resolve_ms, resolve_net_ms, confirm_ms, paused_s, `open.id`, `open.opd`, `open.category`, " +
			"`open.priority`, `open.kecamatan`, `open.last_event_at`"},
}

// RecomputeDays writes the rows of clocks_daily and tickets_daily anew from the clocks and tickets as they are stored.
// version must not be less than that of any earlier recomputation.
func (s *Store) RecomputeDays(ctx context.Context, days []Period, version uint64) error {
	days = slices.Clone(days)
	// By centre, so that a statement reads few of them.
	slices.SortFunc(days, func(a, b Period) int {
		return cmp.Or(strings.Compare(a.Center, b.Center), a.Start.Compare(b.Start))
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

// daysArguments writes sorted days as the arguments of the views that compute rows of days.
func daysArguments(days []Period) string {
	var centers, pairs []string
	for _, d := range days {
		if len(centers) == 0 || centers[len(centers)-1] != d.Center {
			centers = append(centers, d.Center)
		}
		pairs = append(pairs, "("+quote(d.Center)+", '"+d.Start.Format(time.DateOnly)+"')")
	}
	return "centers = [" + quoteList(centers) + "], days = [" + strings.Join(pairs, ", ") + "]"
}
