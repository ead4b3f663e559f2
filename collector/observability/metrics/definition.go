package metrics

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
)

// Prefix stands before every metric name of monev112.
const Prefix = "monev112_"

// Type is the kind of a metric in Prometheus's words.
type Type string

// The kinds of metric in use.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Definition describes one metric: what a dashboard or an alert may rely on.
type Definition struct {
	Name     string    // with Prefix
	Type     Type      //
	Board    bool      // a gauge that exists only while the board is complete
	Labels   []string  // in the order in which values are given; "center" first where a centre is meant
	Unit     string    // of the value: seconds, bytes, or what is counted
	Buckets  []float64 // classic bucket bounds of a histogram, in seconds
	Help     string    // one sentence; part of the exposition
	Audience string    // who looks at it: floor, opd, leadership, operations
}

//go:embed metrics.yaml
var definitionsYAML []byte

// Definitions returns every metric of monev112, in the order of metrics.yaml and docs/metrics.md. The slice is the
// caller's own. It panics when metrics.yaml, which is part of the program, cannot be read.
func Definitions() []Definition {
	var list []struct {
		Name, Type, Unit, Buckets, Help, Audience string
		Labels                                    []string
	}
	if err := yaml.UnmarshalWithOptions(definitionsYAML, &list, yaml.Strict()); err != nil {
		panic(fmt.Errorf("metrics.yaml: %w", err))
	}
	out := make([]Definition, len(list))
	for i, d := range list {
		out[i] = Definition{
			Name: Prefix + d.Name, Type: Type(d.Type), Labels: d.Labels, Unit: d.Unit, Help: d.Help, Audience: d.Audience,
		}
		switch d.Type {
		case "board_gauge":
			out[i].Type, out[i].Board = Gauge, true
		case "histogram":
			out[i].Unit, out[i].Buckets = "seconds", bounds(d.Buckets)
		}
	}
	return out
}

// bounds are the classic bucket bounds of a set of intervals, in seconds. Each set contains the thresholds of its
// interval exactly, so that "within 15 s" is a bucket's count and no estimate.
func bounds(set string) []float64 {
	const hour, day = 3600, 24 * 3600
	switch set {
	case "answer":
		return []float64{5, 10, 15, 20, 30, 40, 60, 90, 120}
	case "processing":
		return []float64{30, 60, 64, 90, 120, 180}
	case "talk": // no law behind it: talks of a few seconds (silent, dropped) apart from those of minutes
		return []float64{5, 15, 30, 60, 120, 180, 300, 600, 900, 1800}
	case "ticket":
		// The union of the bounds of processing, acknowledgement, arrival and resolution. One histogram name must have one
		// bucket set, else a sum over the interval label would add buckets that do not mean the same.
		b := slices.Concat(bounds("processing"),
			[]float64{60, 120, 180, 300, 600, 900, 1800, 3600}, []float64{300, 420, 600, 900, 1200, 1800, 2700, 3600},
			[]float64{
				0.5 * hour, 1 * hour, 2 * hour, 4 * hour, 8 * hour, 24 * hour, 3 * day, 5 * day, 14 * day, 30 * day, 60 * day,
			})
		slices.Sort(b)
		return slices.Compact(b)
	case "io": // fsyncs, inserts and requests
		return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	}
	panic("metrics.yaml: there are no buckets " + set)
}

// Native histograms: about 10 % between neighbouring bounds, at most 160 buckets, then resolution is halved.
const (
	nativeFactor     = 1.1
	nativeMaxBuckets = 160
	nativeMinReset   = time.Hour
)
