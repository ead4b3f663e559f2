package collector

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/tracker"
)

// metricsConfig names what the labels of metrics may say.
func (a *App) metricsConfig() metrics.Config {
	cfg := metrics.Config{
		Version: a.cfg.Version, Revision: a.cfg.Revision, GoVersion: a.cfg.GoVersion, Vocabulary: metrics.DefaultVocabulary(),
		Logger: a.cfg.Log,
	}
	v := &cfg.Vocabulary
	v.Routes, v.Categories = httpapi.Routes(), nil
	for i := range a.cfg.File.Pager.Alertmanagers {
		v.Alertmanagers = append(v.Alertmanagers, a.cfg.File.Pager.Alertmanagers[i].Name())
	}
	for _, c := range a.boardCenters() {
		m := metrics.Center{Code: c.Code}
		for _, o := range a.dir.OPDs(c.Code) {
			m.OPDs = append(m.OPDs, metrics.OPD{ID: o.ID, Scope: string(o.Scope)})
			m.Names = append(m.Names, metrics.Name{Label: "opd", Value: o.ID, Name: o.Name})
		}
		for _, k := range a.dir.AllKecamatan(c.Code) {
			v.Kecamatan = append(v.Kecamatan, k.Code)
			m.Names = append(m.Names, metrics.Name{Label: "kecamatan", Value: k.Code, Name: k.Name})
		}
		for _, k := range a.dir.Categories(c.Code) {
			m.Names = append(m.Names, metrics.Name{Label: "category", Value: k.ID, Name: k.Name})
			if !slices.Contains(v.Categories, k.ID) {
				v.Categories = append(v.Categories, k.ID)
			}
		}
		cfg.Centers = append(cfg.Centers, m)
	}
	return cfg
}

// ingestObserver moves the metrics of the door and logs whether it accepts.
func (a *App) ingestObserver() ingest.Observer {
	return ingest.Observer{
		Group: func(g ingest.GroupStats) {
			a.metrics.CountEvents(metrics.Accepted, g.Accepted)
			a.metrics.CountEvents(metrics.Duplicate, g.Duplicates)
			a.metrics.CountEvents(metrics.Conflict, g.Conflicts)
			if g.Append > 0 {
				a.metrics.Journal.Appended(g.Append)
			}
		},
		Ready: func(reason error) {
			if reason != nil {
				a.cfg.Log.Error("events cannot be accepted", "reason", reason)
			} else {
				a.cfg.Log.Info("events are accepted")
			}
		},
	}
}

// watch hands the gauges what they ask at each scrape.
func (a *App) watch() {
	a.metrics.SetBoard(func() tracker.Snapshot { return feeds(a.board.Snapshot(a.cfg.Now())) })
	a.metrics.Journal.Watch(func() metrics.JournalState {
		st := a.journal.Stats()
		free, _ := a.journal.FreeBytes()
		s := metrics.JournalState{Bytes: st.Bytes, DiskFreeBytes: int64(free), Damaged: a.journal.Damage() != nil}
		shipped := a.shippedTo()
		s.LagBytes = int64(st.End - min(shipped, st.End))
		if at, ok := a.journal.AppendedAt(shipped); ok {
			s.Lag = max(0, a.cfg.Now().Sub(at))
		}
		return s
	})
	a.metrics.Shipper.WatchQuarantine(a.rejected.Len)
	if until, ok := a.book.CoveredUntil(a.dir.DefaultCenter()); ok {
		a.metrics.Calendar.CoveredUntil(until)
	}
}

// BatchStored, DeadLetter and BatchFailed make App the shipper's observer.
func (a *App) BatchStored(start, end journal.Position, events, rows int, took time.Duration) {
	a.cfg.Log.Debug("batch stored", "events", events, "cases", rows, "took", took, "end", uint64(end))
}

// DeadLetter counts a row that can never be stored.
func (a *App) DeadLetter(string) { a.metrics.Shipper.DeadLetters(1) }

// BatchFailed counts an attempt that failed for a reason other than ClickHouse's answer, which the store counts.
func (a *App) BatchFailed(error) {}
