package store

import (
	"fmt"
	"testing"
	"time"
)

// An import of many years leaves many hours to recompute. They are done in portions of a month, the earliest first, so
// that rows can be stored in between.
func TestRollupsOfManyYearsAreRecomputedInPortions(t *testing.T) {
	p := pending{periods: map[Period]struct{}{}}
	start := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)
	for h := 0; h < 10*365*24; h += 7 {
		for c := range 2 {
			p.periods[Period{fmt.Sprint("35.", c), start.Add(time.Duration(h) * time.Hour)}] = struct{}{}
		}
	}
	done := time.Time{}
	for n := 0; len(p.periods) > 0; n++ {
		portion := p.portion()
		first, last := portion[0].Start, portion[0].Start
		for _, period := range portion {
			if _, pending := p.periods[period]; !pending {
				t.Fatalf("%v twice", period)
			}
			delete(p.periods, period)
			if period.Start.Before(first) {
				first = period.Start
			}
			if period.Start.After(last) {
				last = period.Start
			}
		}
		if last.Sub(first) >= portionSpan || first.Before(done) || n > 130 {
			t.Fatalf("portion %d is from %v to %v, after %v", n, first, last, done)
		}
		done = last
	}
}
