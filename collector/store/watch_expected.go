package store

import (
	"context"
	"time"

	"github.com/monev112/monev112/collector/observability/metrics"
)

// expectedCallsEvery is how often the usual number of calls of the hour is computed.
const expectedCallsEvery = 5 * time.Minute

// neverRecordedEvery is how often, in times of that, it is asked what feeds never bring; it reads half a year.
const neverRecordedEvery = 12

// NeverRecorded counts the clocks of a centre's OPDs whose stopping fact a feed is said to carry and never brought, in
// 60 days and 20 tickets of the half year before.
func (s *Store) NeverRecorded(ctx context.Context, center string, now time.Time) (n int, err error) {
	day := func(days int) string { return quote(now.UTC().AddDate(0, 0, days).Format(time.DateOnly)) }
	var clocks uint64
	err = s.queryOne(ctx, "read what is never recorded", `SELECT uniqExact(opd, clock)
		FROM present_monev_not_recorded(since = `+day(-182)+`, until = `+day(2)+`)
		WHERE center = `+quote(center)+` AND opd != '' AND never AND clock IN ('acknowledge', 'arrive', 'resolve', 'confirm')`,
		&clocks)
	return int(clocks), err
}

// WatchExpectedCalls keeps the usual number of calls of this hour, of every centre with a board, up to date in m until
// ctx ends; and what its feeds never bring.
func (s *Sink) WatchExpectedCalls(ctx context.Context, m *metrics.Expected, now func() time.Time) {
	tick := time.NewTicker(expectedCallsEvery)
	defer tick.Stop()
	for beat := 0; ; beat++ {
		for _, center := range s.Boards {
			median, deviation, ok, err := s.CallsExpected(ctx, center, now())
			if err != nil || !ok {
				m.Clear(center)
				continue
			}
			m.Set(center, median, deviation)
		}
		if beat%neverRecordedEvery == 0 {
			for _, center := range s.Boards {
				n, err := s.NeverRecorded(ctx, center, now())
				if err != nil {
					n = -1
				}
				m.Never(center, n)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
