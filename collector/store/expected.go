package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The look-back of CallsExpected.
const (
	expectedWeeks    = 8
	expectedMinWeeks = 4
)

// CallsExpected says how many calls a centre usually receives in the hour of now: median and median absolute deviation
// of the same weekday and hour, in the centre's own time, of the 8 weeks before. ok is false while fewer than 4 of them
// lie after the centre's first call. An hour without calls counts as 0.
func (s *Store) CallsExpected(ctx context.Context, center string, now time.Time) (median, mad float64, ok bool, err error) {
	hours := sameHours(now, s.cfg.Location(center))
	starts := make([]string, len(hours))
	for i, h := range hours {
		starts[i] = literal(h)
	}
	// The first row is the centre's first call, as an hour of its own with n = 0; then the hours that had calls.
	sql := fmt.Sprintf(`SELECT toStartOfHour(toDateTime(assumeNotNull(min(at)), 'UTC')) AS hour, toUInt64(0) AS n, true AS first
		FROM calls_now WHERE center = %[1]s AND at IS NOT NULL HAVING count() > 0
		UNION ALL
		SELECT toStartOfHour(toDateTime(assumeNotNull(at), 'UTC')) AS hour, toUInt64(count()) AS n, false AS first
		FROM calls_now WHERE center = %[1]s AND at >= %[2]s AND at < %[3]s GROUP BY hour HAVING hour IN (%[4]s)`,
		quote(center), instant(hours[len(hours)-1]), instant(hours[0].Add(time.Hour)), strings.Join(starts, ", "))
	var earliest time.Time
	counts := map[time.Time]uint64{}
	err = s.query(ctx, "read expected calls", sql, func(scan func(...any) error) error {
		var hour time.Time
		var n uint64
		var first bool
		if err := scan(&hour, &n, &first); err != nil {
			return err
		}
		if first {
			earliest = hour.UTC()
			return nil
		}
		counts[hour.UTC()] = n
		return nil
	})
	if err != nil || earliest.IsZero() {
		return 0, 0, false, err
	}
	var values []float64
	for _, h := range hours {
		if !h.Before(earliest) {
			values = append(values, float64(counts[h]))
		}
	}
	if len(values) < expectedMinWeeks {
		return 0, 0, false, nil
	}
	median, mad = medianAndMAD(values)
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

// medianAndMAD returns the median of values and the median of their distances from it. It sorts values.
func medianAndMAD(values []float64) (median, mad float64) {
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
