package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// CenterHour is one hour of one centre, the unit of calls_hourly. Hour is any instant within it.
type CenterHour struct {
	Center string
	Hour   time.Time
}

// HoursOf returns the hours that calls belong to by their At; zero instants belong to none. Give it the calls as they are
// now and as they were (CaseRecord.At): a correction that moves a call changes both hours.
func HoursOf(center string, at ...time.Time) []CenterHour {
	out := make([]CenterHour, 0, len(at))
	for _, t := range at {
		if !t.IsZero() {
			out = append(out, CenterHour{center, hourOf(t)})
		}
	}
	return out
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// maxHourGap joins hours of a centre that lie close together into one statement; the hours between are recomputed too,
// which changes nothing.
const maxHourGap = 48 * time.Hour

// RecomputeHours writes the rows of calls_hourly anew from the calls as they are stored, and empties the rows of hours
// that no longer have any. version must be greater than that of every earlier recomputation.
func (s *Store) RecomputeHours(ctx context.Context, hours []CenterHour, version uint64) error {
	for _, r := range hourRanges(hours) {
		where := fmt.Sprintf("center = %s, since = %s, until = %s", quote(r.center), literal(r.since), literal(r.until))
		sql := fmt.Sprintf("INSERT INTO calls_hourly (%[1]s, version) SELECT %[1]s, %[2]d FROM calls_rollup(%[3]s)", hourlyColumns, version, where)
		if err := s.exec(ctx, "recompute hours", sql); err != nil {
			return err
		}
		gone := fmt.Sprintf(`INSERT INTO calls_hourly (center, hour, day, version) SELECT center, hour, day, %d FROM calls_hourly FINAL
			WHERE center = %s AND hour >= %s AND hour < %s AND received > 0 AND version < %d`,
			version, quote(r.center), literal(r.since), literal(r.until), version)
		if err := s.exec(ctx, "empty hours", gone); err != nil {
			return err
		}
	}
	return nil
}

const hourlyColumns = `center, hour, day, received, offered, answered, stamped, abandoned, unserved, blocked, classified, hoax,
	normal, informasi, prank, prank_palsu, ghost, pocket, misrouted, putus, duplikat,
	to_hoax, to_own, to_vertical, to_centre, to_none, to_unclassified, to_unanswered, answer_ms, abandon_ms`

type hourRange struct {
	center       string
	since, until time.Time
}

// hourRanges unites hours into ranges that each lie within one centre.
func hourRanges(hours []CenterHour) []hourRange {
	hours = slices.Clone(hours)
	for i := range hours {
		hours[i].Hour = hourOf(hours[i].Hour)
	}
	slices.SortFunc(hours, func(a, b CenterHour) int {
		return cmp.Or(cmp.Compare(a.Center, b.Center), a.Hour.Compare(b.Hour))
	})
	var out []hourRange
	for _, h := range hours {
		if n := len(out); n > 0 && out[n-1].center == h.Center && h.Hour.Sub(out[n-1].until) <= maxHourGap {
			out[n-1].until = h.Hour.Add(time.Hour)
			continue
		}
		out = append(out, hourRange{h.Center, h.Hour, h.Hour.Add(time.Hour)})
	}
	return out
}

// literal writes a whole second as ClickHouse reads a time in UTC.
func literal(t time.Time) string { return quote(t.UTC().Format(time.DateTime)) }
