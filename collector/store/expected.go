package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// The look-back of CallsExpected.
const (
	expectedWeeks    = 8
	expectedMinWeeks = 4
	expectedAround   = 12 * time.Hour
)

// CallsExpected says how many calls a centre usually receives in the hour of now: median and median absolute deviation
// of the same weekday and hour, in the centre's own time, of the 8 weeks before. ok is false while data are at hand for
// fewer than 4 of them: a week counts when a call was received within 12 hours before or after that hour. Then an hour
// without calls counts as 0; a feed that was silent for days says nothing of what is usual.
func (s *Store) CallsExpected(ctx context.Context, center string, now time.Time) (median, mad float64, ok bool,
	err error) {
	hours := sameHours(now, s.cfg.Location(center))
	sql := fmt.Sprintf(`SELECT toStartOfHour(toDateTime(assumeNotNull(at), 'UTC')) AS hour, toUInt64(count()) AS n
		FROM calls_now WHERE center = %s AND at >= %s AND at < %s GROUP BY hour`,
		quote(center), instant(hours[len(hours)-1].Add(-expectedAround)), instant(hours[0].Add(time.Hour+expectedAround)))
	type hourCount struct {
		hour  time.Time
		calls uint64
	}
	rows, err := queryAll(ctx, s, "read expected calls", sql, func(h *hourCount) []any { return []any{&h.hour, &h.calls} })
	if err != nil {
		return 0, 0, false, err
	}
	counts := map[time.Time]uint64{}
	for _, h := range rows {
		counts[h.hour.UTC()] = h.calls
	}
	var values []float64
	for _, h := range hours {
		for near := h.Add(-expectedAround); !near.After(h.Add(expectedAround)); near = near.Add(time.Hour) {
			if counts[near] > 0 {
				values = append(values, float64(counts[h]))
				break
			}
		}
	}
	if len(values) < expectedMinWeeks {
		return 0, 0, false, nil
	}
	median, mad = MedianAndMAD(values)
	return median, mad, true, nil
}

// sameHours returns the starts of the hour of now in each of the weeks before, the latest first. A week is seven
// calendar days: daylight saving does not shift the hour.
func sameHours(now time.Time, loc *time.Location) []time.Time {
	local := now.In(loc)
	y, m, d := local.Date()
	out := make([]time.Time, 0, expectedWeeks)
	for week := 1; week <= expectedWeeks; week++ {
		out = append(out, hourOf(time.Date(y, m, d-7*week, local.Hour(), 0, 0, 0, loc)))
	}
	return out
}

// MedianAndMAD returns the median of values and the median of their distances from it. It sorts values.
func MedianAndMAD(values []float64) (median, mad float64) {
	median = middle(values)
	for i := range values {
		if values[i] -= median; values[i] < 0 {
			values[i] = -values[i]
		}
	}
	return median, middle(values)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return (values[n/2-1] + values[n/2]) / 2
}
