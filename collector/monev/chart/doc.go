// Package chart draws the pictures of the report: a trend with band and target, bars with intervals, a funnel, a
// heat map of hour and weekday, a map of kecamatan.
//
// One drawing is a list of shapes and texts with two writers: SVG as text, and PNG. The SVG has no style attributes and
// no script, so that a strict Content-Security-Policy lets it stand in a page; its ground is white on dark pages too.
// Everything can be told apart on a black-and-white printer: by hatching, position or words, never by colour alone.
//
// No chart is drawn without a Basis: its period, and how many cases it rests on. A NaN is a value that is not there and
// is drawn as that, never as zero. The same data gives the same bytes.
package chart

import (
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

// Basis is what a chart rests on; it stands below every title. The zero value says that nothing is known of it.
type Basis struct {
	period string
	n      uint64
	of     string
}

// NewBasis is the basis of a chart: a period as people write it, "Oktober 2023", and n cases of a kind, "panggilan".
func NewBasis(period string, n uint64, of string) Basis { return Basis{period, n, of} }

func (b Basis) String() string {
	period := b.period
	if period == "" {
		period = "periode tidak diketahui"
	}
	s := period + " · n = " + indonesian.Number(int64(min(b.n, math.MaxInt64)))
	if b.of != "" {
		s += " " + b.of
	}
	return s
}

// Unit is how the numbers of a chart are written.
type Unit struct {
	Name     string // "detik", "tiket"
	Decimals int
	Percent  bool // values are shares of 1 and the axis ends at 100 %
}

func (u Unit) number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case u.Percent:
		return indonesian.Decimal(v*100, u.Decimals) + " %"
	}
	return indonesian.Decimal(v, u.Decimals)
}

func (u Unit) withName(v float64) string {
	if u.Percent || u.Name == "" || math.IsNaN(v) {
		return u.number(v)
	}
	return u.number(v) + " " + u.Name
}

// Target is the line that should be reached. A NaN value is none.
type Target struct {
	Value float64
	Label string // "target 90 %"
}

// NoTarget is a chart without one.
var NoTarget = Target{Value: math.NaN()}

const (
	pageWidth = 680 // of every picture, in CSS pixels: the text width of A4
	maxHeight = 960 // fits on a page with its caption
)
