// Package monev owns the measures that leadership is shown: shares with numerator, denominator and interval, the three
// service levels, the hoax ratio and the funnel. It is pure: counts in, figures out. It never rounds and never formats,
// and it has no opinion on what is good.
//
// The same formulas stand in SQL for the dashboards; the tests here hold the worked examples that both must give.
package monev

import "math"

// Share is a numerator of a denominator, the n of the share. The zero value is a share of nothing.
type Share struct{ Num, Den int }

// Ratio returns Num/Den; ok is false where the denominator is zero: no share can be said then, in particular not 0 %.
func (s Share) Ratio() (ratio float64, ok bool) {
	if s.Den == 0 {
		return 0, false
	}
	return float64(s.Num) / float64(s.Den), true
}

// Interval is a confidence interval of a share, each bound from 0 to 1.
type Interval struct{ Low, High float64 }

// Overlaps reports whether two intervals share a value: shares whose intervals do are not ranked apart.
func (i Interval) Overlaps(o Interval) bool { return i.Low <= o.High && o.Low <= i.High }

// Wilson returns the 95 % interval of s; ok is false where the denominator is zero or the share is none.
func (s Share) Wilson() (Interval, bool) { return Wilson(s.Num, s.Den) }

// z95 is the two-sided 95 % quantile of the normal distribution.
const z95 = 1.959963984540054

// Wilson returns the 95 % score interval (E. B. Wilson, 1927) of k of n. It holds its level for the small n of a
// department's month, where the usual plus-minus does not, and never leaves 0 to 1. ok is false unless 0 <= k <= n and
// n > 0.
func Wilson(k, n int) (i Interval, ok bool) {
	if n <= 0 || k < 0 || k > n {
		return Interval{}, false
	}
	p, m := float64(k)/float64(n), float64(n)
	middle := p + z95*z95/(2*m)
	reach := z95 * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	scale := 1 + z95*z95/m
	i = Interval{max(0, (middle-reach)/scale), min(1, (middle+reach)/scale)}
	// At the ends the bound is exact; the arithmetic above would miss it by a rounding.
	if k == 0 {
		i.Low = 0
	}
	if k == n {
		i.High = 1
	}
	return i, true
}
