package kendala

import (
	"cmp"
	"math"
	"slices"

	"github.com/monev112/monev112/collector/monev/share"
)

// Change is the difference of a share between two periods, split by the values of one dimension (E. M. Kitagawa, 1955):
// Mix, what the cases' moving between the values did, and Rate, what the values' own shares did. Mix + Rate is Delta.
type Change struct {
	Dimension string      `json:"dimension"`
	Before    share.Share `json:"before"`
	After     share.Share `json:"after"`
	Delta     float64     `json:"delta"` // after less before
	Low       float64     `json:"low"`   // of its 95 % interval, after Newcombe
	High      float64     `json:"high"`
	Mix       float64     `json:"mix"`
	Rate      float64     `json:"rate"`
	Few       bool        `json:"few"` // fewer than 20 cases in one of the periods: data terbatas
	// Parts are the values; the one that moved the share most stands first.
	Parts []Part `json:"parts"`
}

// Part is what one value of a dimension has to do with a change.
type Part struct {
	Value  string      `json:"value"`
	Name   string      `json:"name"` // for people
	Before share.Share `json:"before"`
	After  share.Share `json:"after"`
	Mix    float64     `json:"mix"`
	Rate   float64     `json:"rate"`
	Few    bool        `json:"few"`
}

// moved is how much a part moved the share.
func (p *Part) moved() float64 { return math.Abs(p.Mix + p.Rate) }

// Explain splits the change of a share between two periods, each given by the values of a dimension. ok is false where
// one of the periods has no case.
func Explain(dimension string, before, after map[string]share.Share) (c Change, ok bool) {
	c = Change{Dimension: dimension, Before: sum(before), After: sum(after)}
	if c.Before.N == 0 || c.After.N == 0 {
		return c, false
	}
	c.Delta, c.Low, c.High = share.Difference(c.Before, c.After)
	c.Few = c.Before.Few() || c.After.Few()
	overall := (c.Before.Value() + c.After.Value()) / 2
	values := map[string]bool{}
	for v, s := range before {
		values[v] = s.N > 0
	}
	for v, s := range after {
		values[v] = values[v] || s.N > 0
	}
	for v, any := range values {
		if !any {
			continue
		}
		p := Part{Value: v, Before: before[v], After: after[v]}
		p.Few = p.Before.Few() || p.After.Few()
		w0, w1 := float64(p.Before.N)/float64(c.Before.N), float64(p.After.N)/float64(c.After.N)
		r0, r1 := p.Before.Value(), p.After.Value()
		switch { // a value that one period does not have, has no share there that could have changed
		case p.Before.N == 0:
			r0 = r1
		case p.After.N == 0:
			r1 = r0
		}
		// The weights' changes add up to 0: taken against the overall share, a part says what its own moving did.
		p.Mix = (w1 - w0) * ((r0+r1)/2 - overall)
		p.Rate = (r1 - r0) * (w0 + w1) / 2
		c.Parts = append(c.Parts, p)
	}
	slices.SortFunc(c.Parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.moved(), a.moved()), cmp.Compare(a.Value, b.Value))
	})
	for i := range c.Parts {
		c.Mix, c.Rate = c.Mix+c.Parts[i].Mix, c.Rate+c.Parts[i].Rate
	}
	return c, true
}

func sum(parts map[string]share.Share) (s share.Share) {
	for _, p := range parts {
		s.K, s.N = s.K+p.K, s.N+p.N
	}
	return s
}
