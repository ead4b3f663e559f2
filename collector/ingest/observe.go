package ingest

import (
	"errors"
	"log/slog"

	"github.com/monev112/monev112/collector/observability/metrics"
)

// Observe returns an Observer that counts what the loop does and logs when events are refused.
func Observe(m *metrics.Registry, log *slog.Logger) Observer {
	return Observer{
		Group: func(g GroupStats) {
			m.CountEvents(metrics.Accepted, g.Accepted)
			m.CountEvents(metrics.Duplicate, g.Duplicates)
			m.CountEvents(metrics.Conflict, g.Conflicts)
			if g.Append > 0 {
				m.Journal.Appended(g.Append)
			}
		},
		Watch: m.Journal.WatchLoop,
		Ready: func(reason error) {
			switch {
			case reason == nil:
				log.Info("events are accepted")
			case errors.Is(reason, errStopping): // nobody has to do anything about it
				log.Info("events are no longer accepted", "reason", reason)
			default:
				log.Error("events are refused", "reason", reason)
			}
		},
	}
}
