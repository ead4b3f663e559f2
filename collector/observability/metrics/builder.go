package metrics

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// builder makes collectors from Definitions, so that a name, its labels and its help stand in one place, and notices
// a definition that nothing was made for.
type builder struct {
	reg      *prometheus.Registry
	unmade   map[string]Definition // by name without Prefix
	problems []error
}

func newBuilder() *builder {
	b := &builder{reg: prometheus.NewRegistry(), unmade: map[string]Definition{}}
	for _, d := range Definitions() {
		b.unmade[d.Name[len(Prefix):]] = d
	}
	return b
}

func (b *builder) take(name string, want Type) Definition {
	d, ok := b.unmade[name]
	if !ok || d.Type != want {
		b.problems = append(b.problems, fmt.Errorf("metrics: %s %s is not defined, or is made twice", want, name))
	}
	delete(b.unmade, name)
	return d
}

func (b *builder) register(c prometheus.Collector) {
	if err := b.reg.Register(c); err != nil {
		b.problems = append(b.problems, fmt.Errorf("metrics: %w", err))
	}
}

func (b *builder) finish() error {
	for name := range b.unmade {
		b.problems = append(b.problems, fmt.Errorf("metrics: %s is defined and not made", name))
	}
	return errors.Join(b.problems...)
}

func (b *builder) counter(name string) *prometheus.CounterVec {
	d := b.take(name, Counter)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
	b.register(v)
	return v
}

func (b *builder) gauge(name string) *prometheus.GaugeVec {
	d := b.take(name, Gauge)
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
	b.register(v)
	return v
}

func (b *builder) histogram(name string) *prometheus.HistogramVec {
	d := b.take(name, Histogram)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            d.Name,
		Help:                            d.Help,
		Buckets:                         d.Buckets,
		NativeHistogramBucketFactor:     nativeFactor,
		NativeHistogramMaxBucketNumber:  nativeMaxBuckets,
		NativeHistogramMinResetDuration: nativeMinReset,
	}, d.Labels)
	b.register(v)
	return v
}

// desc is for gauges that are computed at scrape.
func (b *builder) desc(name string) *prometheus.Desc {
	d := b.take(name, Gauge)
	return prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
}

// probe exposes metrics without labels that somebody is asked for at each scrape. Until watch is called they are
// absent.
type probe struct {
	descs []*prometheus.Desc
	types []prometheus.ValueType
	ask   atomic.Pointer[func() []float64] // one value for each desc; none: not known now
}

func (b *builder) probe(names ...string) *probe {
	p := new(probe)
	for _, name := range names {
		of := prometheus.GaugeValue
		if b.unmade[name].Type == Counter {
			of = prometheus.CounterValue
		}
		d := b.take(name, b.unmade[name].Type)
		p.descs, p.types = append(p.descs, prometheus.NewDesc(d.Name, d.Help, nil, nil)), append(p.types, of)
	}
	b.register(p)
	return p
}

func (p *probe) watch(ask func() []float64) { p.ask.Store(&ask) }

// Describe implements prometheus.Collector.
func (p *probe) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (p *probe) Collect(ch chan<- prometheus.Metric) {
	if ask := p.ask.Load(); ask != nil {
		for i, v := range (*ask)() {
			ch <- prometheus.MustNewConstMetric(p.descs[i], p.types[i], v)
		}
	}
}

// create makes the series of every combination of label values, at zero, so that the first failure is visible to
// increase().
func create(v *prometheus.MetricVec, sets ...[]string) {
	for _, l := range combinations(sets...) {
		_, _ = v.GetMetricWithLabelValues(l...) // fails at a wrong number of labels alone, and its first use panics then
	}
}

// combinations is the cross product of sets.
func combinations(sets ...[]string) [][]string {
	all := [][]string{nil}
	for _, set := range sets {
		var longer [][]string
		for _, begun := range all {
			for _, v := range set {
				longer = append(longer, append(begun[:len(begun):len(begun)], v))
			}
		}
		all = longer
	}
	return all
}
