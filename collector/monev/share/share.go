// Package share has the arithmetic of shares k of n: their 95 % intervals, and that of a difference between two.
package share

import "math"

// Few is the n below which a share says little: "data terbatas".
const Few = 20

// Share is K of N. K lies between 0 and N.
type Share struct {
	K uint64 `json:"k"`
	N uint64 `json:"n"`
}

// Value is K / N; NaN of nothing.
func (s Share) Value() float64 { return float64(s.K) / float64(s.N) }

// Few reports whether n is so small that the share says little.
func (s Share) Few() bool { return s.N < Few }

// z is the 97.5 % quantile of the normal distribution.
const z = 1.959963984540054

// Wilson is the 95 % score interval (E. B. Wilson, 1927), as the views monev_... have it; 0 to 1 of nothing.
func (s Share) Wilson() (low, high float64) {
	if s.N == 0 {
		return 0, 1
	}
	n, p := float64(s.N), s.Value()
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, (middle-half)/(1+z*z/n)), min(1, (middle+half)/(1+z*z/n))
}

// Difference is after less before, with its 95 % interval by Newcombe's hybrid score method (R. G. Newcombe, 1998,
// method 10). NaN where one of them is of nothing.
func Difference(before, after Share) (d, low, high float64) {
	p, q := before.Value(), after.Value()
	l, u := before.Wilson()
	m, v := after.Wilson()
	d = q - p
	return d, d - math.Hypot(q-m, u-p), d + math.Hypot(v-q, p-l)
}
