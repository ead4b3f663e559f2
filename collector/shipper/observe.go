package shipper

import (
	"log/slog"
	"time"

	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
)

// Observe returns an Observer that counts what could not be stored and logs each batch.
func Observe(m *metrics.Registry, log *slog.Logger) Observer { return observer{m, log} }

type observer struct {
	metrics *metrics.Registry
	log     *slog.Logger
}

func (o observer) BatchStored(_, end journal.Position, events, rows int, took time.Duration) {
	o.log.Debug("batch stored", "events", events, "cases", rows, "took", took, "end", uint64(end))
}

func (o observer) DeadLetters(_ string, rows int) { o.metrics.Shipper.DeadLetters(rows) }

func (o observer) Conflicts(source string, events int) {
	o.metrics.CountConflicts(source, metrics.AfterAcceptance, events)
}

// JournalState says how far ClickHouse is behind the journal, for metrics.
func (s *Shipper) JournalState() metrics.JournalState {
	stats, shipped := s.journal.Stats(), s.Shipped()
	free, _ := s.journal.FreeBytes()
	state := metrics.JournalState{
		Bytes: stats.Bytes, DiskFreeBytes: int64(free), LagBytes: int64(stats.End - min(shipped, stats.End)),
		Damaged: s.journal.Damage() != nil,
	}
	if at, ok := s.journal.AppendedAt(shipped); ok {
		state.Lag = max(0, s.cfg.Now().Sub(at))
	}
	return state
}
