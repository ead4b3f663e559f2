package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// probe exposes gauges that a station computes when asked. Until Watch is called they are absent.
type probe[T any] struct {
	descs []*prometheus.Desc
	ask   atomic.Pointer[func() T]
	show  func(T) []float64 // one value per desc
}

func (p *probe[T]) watch(ask func() T) { p.ask.Store(&ask) }

// Describe implements prometheus.Collector.
func (p *probe[T]) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (p *probe[T]) Collect(ch chan<- prometheus.Metric) {
	ask := p.ask.Load()
	if ask == nil {
		return
	}
	for i, v := range p.show((*ask)()) {
		ch <- &gauge{desc: p.descs[i], value: v}
	}
}

// Journal measures the journal. JournalState is asked at scrape, so that a lag grows although nothing moves.
type Journal struct {
	appended prometheus.Histogram
	probe    *probe[JournalState]
}

// JournalState is the journal at one instant. Lag is the age of the oldest record not yet stored, 0 when all is.
type JournalState struct {
	Bytes         int64
	LagBytes      int64
	Lag           time.Duration
	DiskFreeBytes int64
}

func newJournal(b *builder) *Journal {
	j := &Journal{
		appended: b.histogramVec("journal_append_seconds").WithLabelValues().(prometheus.Histogram),
		probe: &probe[JournalState]{
			descs: []*prometheus.Desc{
				b.desc("journal_bytes"), b.desc("journal_lag_bytes"), b.desc("journal_lag_seconds"), b.desc("disk_free_bytes"),
			},
			show: func(s JournalState) []float64 {
				return []float64{float64(s.Bytes), float64(s.LagBytes), s.Lag.Seconds(), float64(s.DiskFreeBytes)}
			},
		},
	}
	b.register(j.probe)
	return j
}

// Appended records the duration of one append with its fsync.
func (j *Journal) Appended(d time.Duration) { j.appended.Observe(d.Seconds()) }

// Watch gives the function that is asked at each scrape; it must be quick and safe for concurrent use.
func (j *Journal) Watch(state func() JournalState) { j.probe.watch(state) }

// Store measures requests to ClickHouse.
type Store struct {
	seconds      *prometheus.HistogramVec
	rows, errors *prometheus.CounterVec
	tables       closed
	kinds        closed
}

func newStore(b *builder, s *sets) *Store {
	st := &Store{
		seconds: b.histogramVec("store_insert_seconds"),
		rows:    b.counterVec("store_rows_total"),
		errors:  b.counterVec("store_errors_total"),
		tables:  s.tables,
		kinds:   s.errors,
	}
	for _, t := range s.tables.values {
		st.seconds.WithLabelValues(t)
		st.rows.WithLabelValues(t)
	}
	for _, k := range s.errors.values {
		st.errors.WithLabelValues(k)
	}
	return st
}

// Inserted records one insert that ClickHouse acknowledged.
func (s *Store) Inserted(table string, rows int, d time.Duration) {
	t := s.tables.of(table)
	s.seconds.WithLabelValues(t).Observe(d.Seconds())
	s.rows.WithLabelValues(t).Add(float64(max(0, rows)))
}

// Failed counts one failed request.
func (s *Store) Failed(kind string) { s.errors.WithLabelValues(s.kinds.of(kind)).Inc() }

// Shipper measures what could not go the usual way.
type Shipper struct {
	deadLetters prometheus.Counter
	quarantine  *probe[int]
}

func newShipper(b *builder) *Shipper {
	s := &Shipper{
		deadLetters: b.counter("dead_letters_total"),
		quarantine: &probe[int]{
			descs: []*prometheus.Desc{b.desc("quarantine_events")},
			show:  func(n int) []float64 { return []float64{float64(n)} },
		},
	}
	b.register(s.quarantine)
	return s
}

// DeadLetters counts n events set aside.
func (s *Shipper) DeadLetters(n int) { s.deadLetters.Add(float64(max(0, n))) }

// WatchQuarantine gives the function that says how many refused events are held.
func (s *Shipper) WatchQuarantine(n func() int) { s.quarantine.watch(n) }

// Pager measures the pushes of ticket alerts. Until the first push its gauges are absent.
type Pager struct {
	lastPush, alerts *prometheus.Desc
	failures         *prometheus.CounterVec
	levels           closed
	servers          map[string]bool
	last             atomic.Pointer[push]
}

type push struct {
	at     time.Time
	levels map[string]int
}

func newPager(b *builder, s *sets) *Pager {
	p := &Pager{
		lastPush: b.desc("pager_last_push_timestamp_seconds"), alerts: b.desc("pager_alerts"),
		failures: b.counterVec("pager_failures_total"), levels: s.levels, servers: map[string]bool{},
	}
	for _, name := range s.alertmanagers {
		p.servers[name] = true
		p.failures.WithLabelValues(name)
	}
	b.register(p)
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
	l := make(map[string]int, len(p.levels.values))
	for level, n := range alerts {
		l[p.levels.of(level)] += n
	}
	p.last.Store(&push{at, l})
}

// Describe implements prometheus.Collector.
func (p *Pager) Describe(ch chan<- *prometheus.Desc) {
	ch <- p.lastPush
	ch <- p.alerts
}

// Collect implements prometheus.Collector.
func (p *Pager) Collect(ch chan<- prometheus.Metric) {
	last := p.last.Load()
	if last == nil {
		return
	}
	ch <- &gauge{desc: p.lastPush, value: unix(last.at)}
	for _, level := range p.levels.values {
		ch <- prometheus.MustNewConstMetric(p.alerts, prometheus.GaugeValue, float64(last.levels[level]), level)
	}
}

// Calendar says how far the known holidays reach.
type Calendar struct{ probe *probe[time.Time] }

func newCalendar(b *builder) *Calendar {
	c := &Calendar{&probe[time.Time]{
		descs: []*prometheus.Desc{b.desc("calendar_covered_until_timestamp_seconds")},
		show:  func(t time.Time) []float64 { return []float64{unix(t)} },
	}}
	b.register(c.probe)
	return c
}

// CoveredUntil sets the instant at which the known holidays end.
func (c *Calendar) CoveredUntil(t time.Time) { c.probe.watch(func() time.Time { return t }) }

// Expected is the usual number of calls of the present hour, per centre.
type Expected struct {
	gauge   *prometheus.GaugeVec
	centers closed
}

func newExpected(b *builder, s *sets) *Expected {
	return &Expected{b.gaugeVec("calls_expected"), s.centers}
}

// Set states the median and the median absolute deviation for a centre; unknown centres are ignored.
func (e *Expected) Set(center string, median, deviation float64) {
	if center == Unknown || !e.centers.has(center) {
		return
	}
	e.gauge.WithLabelValues(center, "median").Set(median)
	e.gauge.WithLabelValues(center, "mad").Set(deviation)
}

// Clear makes the figures of a centre absent: too little history, or the query failed.
func (e *Expected) Clear(center string) {
	e.gauge.DeletePartialMatch(prometheus.Labels{"center": center})
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
