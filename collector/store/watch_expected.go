package store

import (
	"context"
	"time"

	"github.com/monev112/monev112/collector/observability/metrics"
)

// expectedCallsEvery is how often the usual number of calls of the hour is computed.
const expectedCallsEvery = 5 * time.Minute

// WatchExpectedCalls keeps the usual number of calls of this hour, of every centre with a board, up to date in m until
// ctx ends.
func (s *Sink) WatchExpectedCalls(ctx context.Context, m *metrics.Expected, now func() time.Time) {
	tick := time.NewTicker(expectedCallsEvery)
	defer tick.Stop()
	for {
		for _, center := range s.Boards {
			median, deviation, ok, err := s.CallsExpected(ctx, center, now())
			if err != nil || !ok {
				m.Clear(center)
				continue
			}
			m.Set(center, median, deviation)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
