package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Journal measures the journal.
type Journal struct {
	appended    prometheus.Observer
	state, loop *probe
}

// JournalState is the journal at one instant. Lag is the age of the oldest record not yet stored, 0 when all is.
type JournalState struct {
	Bytes         int64
	LagBytes      int64
	Lag           time.Duration
	DiskFreeBytes int64
	Damaged       bool // a reader stands at damage
}

func newJournal(b *builder) *Journal {
	j := &Journal{
		appended: b.histogram("journal_append_seconds").WithLabelValues(),
		state:    b.probe("journal_bytes", "journal_lag_bytes", "journal_lag_seconds", "disk_free_bytes", "journal_damaged"),
		loop:     b.probe("ingest_stalled_seconds"),
	}
	j.WatchLoop(func() time.Duration { return 0 }) // there is none yet
	return j
}

// WatchLoop gives the function that says, at each scrape, for how long the loop that takes events in has been at one
// piece of work.
func (j *Journal) WatchLoop(stalled func() time.Duration) {
	j.loop.watch(func() []float64 { return []float64{stalled().Seconds()} })
}

// Appended records the duration of one append with its fsync.
func (j *Journal) Appended(d time.Duration) { j.appended.Observe(d.Seconds()) }

// Watch gives the function that is asked at each scrape, so that a lag grows although nothing moves; it must be quick
// and safe for concurrent use.
func (j *Journal) Watch(state func() JournalState) {
	j.state.watch(func() []float64 {
		s := state()
		damaged := 0.0
		if s.Damaged {
			damaged = 1
		}
		return []float64{float64(s.Bytes), float64(s.LagBytes), s.Lag.Seconds(), float64(s.DiskFreeBytes), damaged}
	})
}

// Store measures requests to ClickHouse.
type Store struct {
	seconds       *prometheus.HistogramVec
	rows, errors  *prometheus.CounterVec
	rollups       *probe
	tables, kinds closed
}

func newStore(b *builder, v *Vocabulary) *Store {
	s := &Store{
		seconds: b.histogram("store_insert_seconds"),
		rows:    b.counter("store_rows_total"),
		errors:  b.counter("store_errors_total"),
		rollups: b.probe("rollup_lag_seconds"),
		tables:  newClosed(v.Tables, Other, ""),
		kinds:   newClosed(v.StoreErrorKinds, Other, ""),
	}
	create(s.seconds.MetricVec, s.tables.values)
	create(s.rows.MetricVec, s.tables.values)
	create(s.errors.MetricVec, s.kinds.values)
	return s
}

// Inserted records one insert that ClickHouse acknowledged.
func (s *Store) Inserted(table string, rows int, d time.Duration) {
	t := s.tables.of(table)
	s.seconds.WithLabelValues(t).Observe(d.Seconds())
	s.rows.WithLabelValues(t).Add(float64(max(0, rows)))
}

// Failed counts one failed request.
func (s *Store) Failed(kind string) { s.errors.WithLabelValues(s.kinds.of(kind)).Inc() }

// WatchRollups gives the function that says, at each scrape, how long the oldest period of the roll-ups has waited to
// be recomputed, and whether that is known; it must be quick and safe for concurrent use.
func (s *Store) WatchRollups(lag func() (time.Duration, bool)) {
	s.rollups.watch(func() []float64 {
		d, known := lag()
		if !known {
			return nil
		}
		return []float64{d.Seconds()}
	})
}

// Shipper measures what could not go the usual way.
type Shipper struct {
	deadLetters            prometheus.Counter
	quarantine, unresolved *probe
}

// QuarantineState is what the quarantine holds at one instant.
type QuarantineState struct {
	Refused     int    // events that were never accepted
	Dropped     uint64 // of them, since the start, because there was no room
	DeadLetters int    // rows that ClickHouse refuses
	Conflicts   int    // accepted events that contradict an earlier one
	KeptBytes   int64  // of dead letters and conflicts, which nothing drops
}

func newShipper(b *builder) *Shipper {
	return &Shipper{b.counter("dead_letters_total").WithLabelValues(),
		b.probe("quarantine_events", "quarantine_dropped_total", "dead_letters_held", "conflicts_held", "dead_letters_bytes"),
		b.probe("unresolved_names")}
}

// DeadLetters counts n events set aside.
func (s *Shipper) DeadLetters(n int) { s.deadLetters.Add(float64(max(0, n))) }

// WatchQuarantine gives the function that is asked at each scrape.
func (s *Shipper) WatchQuarantine(state func() QuarantineState) {
	s.quarantine.watch(func() []float64 {
		q := state()
		return []float64{float64(q.Refused), float64(q.Dropped), float64(q.DeadLetters), float64(q.Conflicts),
			float64(q.KeptBytes)}
	})
}

// WatchUnresolved gives the function that says how many names wait for the directory.
func (s *Shipper) WatchUnresolved(n func() int) {
	s.unresolved.watch(func() []float64 { return []float64{float64(n())} })
}

// Pager measures the pushes of ticket alerts. Until the first push its gauges are absent.
type Pager struct {
	lastPush, alerts *prometheus.GaugeVec
	failures         *prometheus.CounterVec
	levels           closed
	servers          map[string]bool
}

func newPager(b *builder, v *Vocabulary) *Pager {
	p := &Pager{
		lastPush: b.gauge("pager_last_push_timestamp_seconds"), alerts: b.gauge("pager_alerts"),
		failures: b.counter("pager_failures_total"), levels: newClosed(v.PagerLevels, Other, ""), servers: map[string]bool{},
	}
	for _, name := range v.Alertmanagers {
		p.servers[name] = true
	}
	create(p.failures.MetricVec, v.Alertmanagers)
	return p
}

// Failed counts a push that an Alertmanager of the vocabulary did not take.
func (p *Pager) Failed(alertmanager string) {
	if p.servers[alertmanager] {
		p.failures.WithLabelValues(alertmanager).Inc()
	}
}

// Pushed records a push that Alertmanager accepted and how many alerts of each level it held.
func (p *Pager) Pushed(at time.Time, alerts map[string]int) {
	byLevel := map[string]int{}
	for level, n := range alerts {
		byLevel[p.levels.of(level)] += n
	}
	for _, level := range p.levels.values {
		p.alerts.WithLabelValues(level).Set(float64(byLevel[level]))
	}
	p.lastPush.WithLabelValues().Set(unixSeconds(at))
}

// Calendar says how far the known holidays reach. Until CoveredUntil is called it is absent.
type Calendar struct{ until *prometheus.GaugeVec }

// CoveredUntil sets the instant at which the known holidays end.
func (c *Calendar) CoveredUntil(t time.Time) { c.until.WithLabelValues().Set(unixSeconds(t)) }

// Expected is the usual number of calls of the present hour, per centre.
type Expected struct {
	calls   *prometheus.GaugeVec
	never   *prometheus.GaugeVec
	centers closed
}

// Never states how many clocks of a centre's OPDs were never stopped by a fact that a feed is said to carry; unknown
// centres are ignored. A negative number makes the figure absent.
func (e *Expected) Never(center string, clocks int) {
	switch {
	case center == Unknown || !e.centers.has(center):
	case clocks < 0:
		e.never.DeleteLabelValues(center)
	default:
		e.never.WithLabelValues(center).Set(float64(clocks))
	}
}

// Set states the median and the median absolute deviation for a centre; unknown centres are ignored.
func (e *Expected) Set(center string, median, deviation float64) {
	if center == Unknown || !e.centers.has(center) {
		return
	}
	e.calls.WithLabelValues(center, "median").Set(median)
	e.calls.WithLabelValues(center, "mad").Set(deviation)
}

// Clear makes the figures of a centre absent: too little history, or the query failed.
func (e *Expected) Clear(center string) {
	e.calls.DeletePartialMatch(prometheus.Labels{"center": center})
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
