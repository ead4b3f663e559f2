package metrics

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/monev112/monev112/collector/tracker"
)

func testConfig() Config {
	v := DefaultVocabulary()
	v.Categories = []string{"banjir", "pju"}
	v.Kecamatan = []string{"Waru", "Taman"}
	v.RejectReasons = []string{"conflict", "unknown_type"}
	v.Routes = []string{"/v1/events", "/metrics"}
	return Config{
		Version: "1.2.3", Revision: "abc", GoVersion: "go1.26",
		Centers: []Center{{
			Code: "35.15", OPDs: []OPD{{"damkar", "own"}, {"dishub", "own"}, {"pln", "vertical"}},
			Names: []Name{{"kecamatan", "35.15.18", "Waru"}, {"opd", "dishub", "Dinas Perhubungan"}},
		}},
		Vocabulary: v,
	}
}

func newTest(t testing.TB) *Registry { return newOf(t, testConfig()) }

func newOf(t testing.TB, cfg Config) *Registry {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// full returns a registry in which every metric has at least one series.
func full(t testing.TB) *Registry {
	cfg := testConfig()
	cfg.Vocabulary.Alertmanagers = []string{"am:9093"}
	r := newOf(t, cfg)
	r.SetBoard(func() tracker.Snapshot {
		return tracker.Snapshot{
			Complete: true,
			Sources:  []tracker.SourceSnapshot{{Source: "pbx", LastEventAt: time.Unix(1700000000, 0)}},
			Centers: []tracker.CenterSnapshot{{
				Center: "35.15", CallsWaiting: 2, OldestWaiting: 1500 * time.Millisecond,
				Agents:             []tracker.LabelCount{{Label: "available", N: 3}},
				RingNoAnswerRecent: []tracker.LabelCount{{Label: "4", N: 1}},
				SameEvent:          []tracker.SameEventCount{{Category: "banjir", Kecamatan: "Waru", N: 4}},
				Open:               []tracker.TicketCount{{OPD: "damkar", Priority: "darurat", Scope: "own", N: 5}},
				Overdue: []tracker.TicketCount{{
					OPD: "dishub", Clock: "resolve", Priority: "non_darurat", Scope: "own", N: 2,
				}},
				OldestOverdue: []tracker.OldestOverdue{{OPD: "dishub", By: time.Hour}},
				Windows:       []tracker.WindowCount{{Window: "hour", Measure: "received", N: 7}},
			}},
		}
	})
	r.Journal.Watch(func() JournalState {
		return JournalState{Bytes: 10, LagBytes: 5, Lag: 2 * time.Second, DiskFreeBytes: 99, Damaged: true}
	})
	r.HTTP.WatchStreams(func() (open, refused int) { return 0, 0 })
	r.HTTP.WatchAudit(func() int64 { return 6 })
	r.Store.WatchRollups(func() (time.Duration, bool) { return 1500 * time.Millisecond, true })
	r.Shipper.WatchQuarantine(func() QuarantineState {
		return QuarantineState{Refused: 3, Dropped: 7, DeadLetters: 2, Conflicts: 5, KeptBytes: 900}
	})
	r.CountConflicts("/crm", AfterAcceptance, 4)
	r.CountHeldBack("/crm")
	r.Shipper.WatchUnresolved(func() int { return 4 })
	r.Pager.Pushed(time.Unix(1700000000, 0), map[string]int{"overdue": 2, "odd": 1})
	r.Delivery.Watch(func() DeliveryState {
		return DeliveryState{
			Waiting: 2, Refused: map[string]bool{"whatsapp": true}, Stopped: []string{"monev112_uji"},
			Undelivered: map[Undelivered]time.Duration{{"35.15", "dishub", "whatsapp"}: time.Hour},
		}
	}, true)
	r.Calendar.CoveredUntil(time.Unix(1800000000, 0))
	r.Expected.Never("35.15", 2)
	r.Expected.Set("35.15", 6, 1.5)
	return r
}

func gather(t testing.TB, r *Registry) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := r.prom.Gather()
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]*dto.MetricFamily{}
	for _, f := range all {
		m[f.GetName()] = f
	}
	return m
}

// series returns the metric of a family that has all the given labels ("opd", "damkar", ...); it must be the only one.
func series(t testing.TB, m map[string]*dto.MetricFamily, name string, pairs ...string) *dto.Metric {
	t.Helper()
	var found *dto.Metric
next:
	for _, s := range m[Prefix+name].GetMetric() {
		for i := 0; i < len(pairs); i += 2 {
			if !slices.ContainsFunc(s.Label, func(l *dto.LabelPair) bool {
				return l.GetName() == pairs[i] && l.GetValue() == pairs[i+1]
			}) {
				continue next
			}
		}
		if found != nil {
			t.Fatalf("%s%v: more than one series", name, pairs)
		}
		found = s
	}
	return found
}

func value(t testing.TB, m map[string]*dto.MetricFamily, name string, pairs ...string) float64 {
	t.Helper()
	s := series(t, m, name, pairs...)
	switch {
	case s == nil:
		t.Fatalf("%s%v is absent", name, pairs)
	case s.Counter != nil:
		return s.Counter.GetValue()
	case s.Gauge != nil:
		return s.Gauge.GetValue()
	case s.Histogram != nil:
		return float64(s.Histogram.GetSampleCount())
	}
	t.Fatalf("%s%v has no value", name, pairs)
	return 0
}

func TestEveryDefinitionIsExposedAsDefined(t *testing.T) {
	m := gather(t, full(t))
	types := map[Type]dto.MetricType{
		Counter: dto.MetricType_COUNTER, Gauge: dto.MetricType_GAUGE, Histogram: dto.MetricType_HISTOGRAM,
	}
	for _, d := range Definitions() {
		f := m[d.Name]
		if f == nil {
			t.Errorf("%s is not exposed", d.Name)
			continue
		}
		if f.GetType() != types[d.Type] || f.GetHelp() != d.Help {
			t.Errorf("%s: exposed as %s %q", d.Name, f.GetType(), f.GetHelp())
		}
		var got []string
		for _, l := range f.Metric[0].Label {
			got = append(got, l.GetName())
		}
		want := slices.Sorted(slices.Values(d.Labels))
		if !slices.Equal(got, want) {
			t.Errorf("%s: labels %v, want %v", d.Name, got, want)
		}
		delete(m, d.Name)
	}
	for name := range m {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is exposed and not defined", name)
		}
	}
}

func TestNamesPassTheLinter(t *testing.T) {
	all, err := full(t).prom.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(all).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestConfigIsRefused(t *testing.T) {
	for name, edit := range map[string]func(*Config){
		"centre twice":    func(c *Config) { c.Centers = append(c.Centers, Center{Code: "35.15"}) },
		"centre unnamed":  func(c *Config) { c.Centers[0].Code = "" },
		"opd twice":       func(c *Config) { c.Centers[0].OPDs = append(c.Centers[0].OPDs, OPD{"damkar", "own"}) },
		"opd named none":  func(c *Config) { c.Centers[0].OPDs[0].ID = None },
		"negative target": func(c *Config) { c.Vocabulary.AnswerTargets = []time.Duration{-time.Second} },
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig()
			edit(&c)
			if _, err := New(c); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// A board that is locked hides its own figures, and no other metric.
func TestAScrapeDoesNotWaitForALockedBoard(t *testing.T) {
	r, err := New(Config{Vocabulary: DefaultVocabulary()})
	if err != nil {
		t.Fatal(err)
	}
	r.Journal.WatchLoop(func() time.Duration { return 7 * time.Second })
	r.board.patience = time.Millisecond
	locked, entered := make(chan struct{}), make(chan struct{}, 2)
	r.SetBoard(func() tracker.Snapshot {
		entered <- struct{}{}
		<-locked
		return tracker.Snapshot{Complete: true}
	})
	for range 2 { // the second does not ask again
		m := gather(t, r)
		if value(t, m, "ingest_stalled_seconds") != 7 || value(t, m, "board_complete") != 0 {
			t.Error("the scrape does not say that the loop stands still")
		}
	}
	if <-entered; len(entered) != 0 {
		t.Errorf("%d snapshots more wait", len(entered))
	}
	close(locked)
	for len(*r.board.late.Load()) == 0 {
		runtime.Gosched()
	}
	r.board.patience = time.Minute
	if value(t, gather(t, r), "board_complete") != 1 {
		t.Error("the board is not shown again")
	}
}
