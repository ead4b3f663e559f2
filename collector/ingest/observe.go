package ingest

import (
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
		Ready: func(reason error) {
			if reason != nil {
				log.Error("events are refused", "reason", reason)
			} else {
				log.Info("events are accepted")
			}
		},
	}
}
