package metrics

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// builder makes collectors from Definitions, so that a name, its labels and its help stand in one place, and notices
// a definition that nothing was made for.
type builder struct {
	reg     *prometheus.Registry
	defs    map[string]Definition
	made    map[string]bool
	bounds  map[string][]float64
	problem []error
}

func newBuilder() *builder {
	b := &builder{
		reg: prometheus.NewRegistry(), defs: map[string]Definition{}, made: map[string]bool{}, bounds: map[string][]float64{},
	}
	for _, d := range Definitions() {
		b.defs[d.Name] = d
	}
	for _, h := range bucketBounds() {
		b.bounds[h.name] = h.bounds
	}
	return b
}

func (b *builder) take(name string, want Type) Definition {
	d, ok := b.defs[Prefix+name]
	switch {
	case !ok:
		b.problem = append(b.problem, fmt.Errorf("metrics: %s has no definition", name))
	case d.Type != want:
		b.problem = append(b.problem, fmt.Errorf("metrics: %s is defined as %s, made as %s", name, d.Type, want))
	case b.made[d.Name]:
		b.problem = append(b.problem, fmt.Errorf("metrics: %s is made twice", name))
	}
	b.made[d.Name] = true
	return d
}

func (b *builder) register(c prometheus.Collector) {
	if err := b.reg.Register(c); err != nil {
		b.problem = append(b.problem, fmt.Errorf("metrics: %w", err))
	}
}

func (b *builder) finish() error {
	for name := range b.defs {
		if !b.made[name] {
			b.problem = append(b.problem, fmt.Errorf("metrics: %s is defined and not made", name))
		}
	}
	return errors.Join(b.problem...)
}

func (b *builder) counterVec(name string) *prometheus.CounterVec {
	d := b.take(name, Counter)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
	b.register(v)
	return v
}

func (b *builder) counter(name string) prometheus.Counter {
	return b.counterVec(name).WithLabelValues()
}

func (b *builder) gaugeVec(name string) *prometheus.GaugeVec {
	d := b.take(name, Gauge)
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
	b.register(v)
	return v
}

func (b *builder) histogramVec(name string) *prometheus.HistogramVec {
	d := b.take(name, Histogram)
	if b.bounds[name] == nil {
		b.problem = append(b.problem, fmt.Errorf("metrics: histogram %s has no bounds", name))
	}
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:                            d.Name,
		Help:                            d.Help,
		Buckets:                         b.bounds[name],
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
