package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// CenterHour is one hour of one centre, the unit of calls_hourly. Hour is any instant within it.
type CenterHour struct {
	Center string
	Hour   time.Time
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// maxHourGap joins hours that lie close together into one statement; the hours between are recomputed too,
// which changes nothing.
const maxHourGap = 48 * time.Hour

// maxHourRanges is how many ranges one recomputation has at most.
const maxHourRanges = 8

// RecomputeHours writes the rows of calls_hourly anew from the calls as they are stored, and empties the rows of hours
// that no longer have any. version must not be less than that of any earlier recomputation.
func (s *Store) RecomputeHours(ctx context.Context, hours []CenterHour, version uint64) error {
	for _, r := range hourRanges(hours) {
		centers := quoteList(r.centers)
		sql := fmt.Sprintf(
			"INSERT INTO calls_hourly (%[1]s, version) SELECT %[1]s, %[2]d FROM calls_rollup(centers = [%[3]s], since = %[4]s, until = %[5]s)",
			hourlyColumns, version, centers, literal(r.since), literal(r.until))
		if err := s.exec(ctx, "recompute hours", sql); err != nil {
			return err
		}
		gone := fmt.Sprintf(
			`INSERT INTO calls_hourly (center, hour, day, version) SELECT center, hour, day, %[1]d FROM calls_hourly FINAL
			WHERE center IN (%[2]s) AND hour >= %[3]s AND hour < %[4]s AND received > 0 AND (center, hour) NOT IN (
				SELECT center, toStartOfHour(toDateTime(assumeNotNull(at), 'UTC')) FROM calls_now
				WHERE center IN (%[2]s) AND at >= %[3]s AND at < %[4]s)`,
			version, centers, literal(r.since), literal(r.until))
		if err := s.exec(ctx, "empty hours", gone); err != nil {
			return err
		}
	}
	return nil
}

// markPending remembers hours whose calls are about to change, until they are recomputed: of
// the marks of an hour the greatest speaks.
func (s *Store) markPending(ctx context.Context, hours []CenterHour, mark uint64, done bool) error {
	if len(hours) == 0 {
		return nil
	}
	return s.insert(ctx, block{"hours_pending", []blockColumn{
		texts("center", columnOf(hours, func(h *CenterHour) string { return h.Center })),
		all("hour", "DateTime('UTC')", columnOf(hours, func(h *CenterHour) time.Time { return h.Hour })),
		all("version", "UInt64", columnOf(hours, func(*CenterHour) uint64 { return mark })),
		all("done", "Bool", columnOf(hours, func(*CenterHour) bool { return done })),
	}}, len(hours), "")
}

// pendingHours returns the hours that a process which ended left to be recomputed, and the greatest mark of any hour.
func (s *Store) pendingHours(ctx context.Context) (hours []CenterHour, mark uint64, err error) {
	err = s.query(ctx, "read the greatest mark", "SELECT max(version) FROM hours_pending",
		func(scan func(...any) error) error { return scan(&mark) })
	if err != nil {
		return nil, 0, err
	}
	const sql = "SELECT center, hour FROM hours_pending FINAL WHERE NOT done"
	err = s.query(ctx, "read pending hours", sql, func(scan func(...any) error) error {
		var h CenterHour
		if err := scan(&h.Center, &h.Hour); err != nil {
			return err
		}
		hours = append(hours, CenterHour{h.Center, hourOf(h.Hour)})
		return nil
	})
	return hours, mark, err
}

// storedHours returns every hour in which one of the calls stands, or stood in a row that is not merged away yet.
func (s *Store) storedHours(ctx context.Context, calls []event.Key) (hours []CenterHour, err error) {
	for cond := range keyConditions(calls, "center", "", "id") {
		sql := "SELECT DISTINCT center, toStartOfHour(toDateTime(assumeNotNull(at), 'UTC')) FROM calls WHERE at IS NOT NULL AND (" + cond + ")"
		err := s.query(ctx, "read hours of calls", sql, func(scan func(...any) error) error {
			var h CenterHour
			if err := scan(&h.Center, &h.Hour); err != nil {
				return err
			}
			hours = append(hours, CenterHour{h.Center, hourOf(h.Hour)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return hours, nil
}

const hourlyColumns = `center, hour, day, received, offered, answered, stamped, abandoned, unserved, blocked, classified, hoax,
	normal, informasi, prank, prank_palsu, ghost, pocket, misrouted, putus, duplikat,
	to_hoax, to_own, to_vertical, to_centre, to_none, to_unclassified, to_unanswered, answer_ms, abandon_ms`

type hourRange struct {
	centers      []string // sorted
	since, until time.Time
}

// hourRanges unites hours that lie close together into ranges, whatever their centre: in live traffic all centres touch
// the same few hours. Hours strewn over years are united more widely, until there are few statements: to read more
// calls costs less than to ask more often.
func hourRanges(hours []CenterHour) []hourRange {
	for gap := maxHourGap; ; gap *= 2 {
		if out := hourRangesWithin(hours, gap); len(out) <= maxHourRanges {
			return out
		}
	}
}

func hourRangesWithin(hours []CenterHour, gap time.Duration) []hourRange {
	hours = slices.Clone(hours)
	for i := range hours {
		hours[i].Hour = hourOf(hours[i].Hour)
	}
	slices.SortFunc(hours, func(a, b CenterHour) int { return a.Hour.Compare(b.Hour) })
	var out []hourRange
	for _, h := range hours {
		if n := len(out); n > 0 && h.Hour.Sub(out[n-1].until) <= gap {
			out[n-1].until = h.Hour.Add(time.Hour)
			out[n-1].centers = append(out[n-1].centers, h.Center)
			continue
		}
		out = append(out, hourRange{[]string{h.Center}, h.Hour, h.Hour.Add(time.Hour)})
	}
	for i := range out {
		slices.Sort(out[i].centers)
		out[i].centers = slices.Compact(out[i].centers)
	}
	return out
}

// literal writes a whole second as ClickHouse reads a time in UTC.
func literal(t time.Time) string { return quote(t.UTC().Format(time.DateTime)) }
