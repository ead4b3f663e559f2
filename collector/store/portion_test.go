package store

import (
	"fmt"
	"testing"
	"time"
)

// An import of many years leaves many hours to recompute. They are done in portions of a month, the earliest first, so
// that rows can be stored in between.
func TestRollupsOfManyYearsAreRecomputedInPortions(t *testing.T) {
	p := pending{periods: map[Period]time.Time{}, done: &Period{}}
	start := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)
	for h := 0; h < 10*365*24; h += 7 {
		for c := range 2 {
			p.periods[Period{fmt.Sprint("35.", c), start.Add(time.Duration(h) * time.Hour)}] = time.Time{}
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
		if last.Sub(first) >= portionSpan && len(portion) > fewPeriods || first.Before(done) || n > 130 {
			t.Fatalf("portion %d is from %v to %v, after %v", n, first, last, done)
		}
		done = last
	}
}

// An import that marks its old months again between any two portions does not keep the hours of today from being
// recomputed, nor the old ones.
func TestRollupsOfTodayHaveTheirTurnDuringAnImport(t *testing.T) {
	clock := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	today := Period{"35.15", clock}
	old := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	s := Sink{}
	p := s.pending()[0]
	importing := func() {
		for month := range 3 {
			for h := range 31 * 24 {
				p.add([]Period{{"35.15", old.AddDate(0, month, 0).Add(time.Duration(h) * time.Hour)}})
			}
		}
	}
	for round := range 5 {
		p.add([]Period{today})
		portions := 0
		turns := map[time.Month]bool{}
		for {
			importing()
			q := s.pending()[0] // as every portion has it
			portions++
			for _, period := range q.portion() {
				delete(q.periods, period)
				turns[period.Start.Month()] = true
			}
			if _, pending := q.periods[today]; !pending {
				break
			}
			if portions > 5 {
				t.Fatalf("round %d: today still waits after %d portions", round, portions)
			}
		}
		for _, m := range []time.Month{time.January, time.February, time.March} {
			if !turns[m] {
				t.Errorf("round %d: month %d had no turn", round, m)
			}
		}
	}
}

// More periods than a portion takes lie within its span: the next one goes on where it ended.
func TestAPortionThatIsFullLeavesNothingOut(t *testing.T) {
	s := Sink{}
	p := s.pending()[0]
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for h := range 30 * 24 {
		for c := range 38 {
			p.add([]Period{{fmt.Sprint("35.", c), start.Add(time.Duration(h) * time.Hour)}})
		}
	}
	seen := map[Period]bool{}
	for range 2 {
		for _, period := range p.portion() { // stays pending, as if it was marked again
			if seen[period] {
				t.Fatalf("%v twice", period)
			}
			seen[period] = true
		}
	}
	if len(seen) != len(p.periods) {
		t.Errorf("%d of %d periods had their turn", len(seen), len(p.periods))
	}
}

// Periods that lie far apart are done many at a time, and none spans more than a year.
func TestStrewnPeriodsAreRecomputedInFewPortions(t *testing.T) {
	p := pending{periods: map[Period]time.Time{}, done: &Period{}}
	start := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := 0; d < 9*365; d += 3 {
		p.periods[Period{"us-sf", start.AddDate(0, 0, d)}] = time.Time{}
	}
	portions := 0
	for ; len(p.periods) > 0; portions++ {
		portion := p.portion()
		if first, last := portion[0], portion[len(portion)-1]; last.Start.Sub(first.Start) >= widePortion {
			t.Errorf("a portion from %v to %v", first.Start, last.Start)
		}
		for _, period := range portion {
			delete(p.periods, period)
		}
	}
	if portions != 9 {
		t.Errorf("%d portions", portions)
	}
}

// A small centre's year takes a portion of a month no longer than its statements take: the next ones are wider, until
// one takes long.
func TestPortionsWidenWhileTheyAreQuick(t *testing.T) {
	const quick, slow = quickPortion / 2, 3 * quickPortion
	span := time.Duration(0)
	for i, c := range []struct {
		took   time.Duration
		more   bool
		months int
	}{
		{quick, true, 2}, {quick, true, 4}, {quickPortion, true, 4}, {slow, true, 2}, {slow, true, 1}, {slow, true, 1},
		{quick, true, 2}, {quick, false, 1},
	} {
		if span = nextSpan(span, c.took, c.more); span != time.Duration(c.months)*portionSpan {
			t.Errorf("%d: %v", i, span)
		}
	}
	if got := nextSpan(widePortion, quick, true); got != widePortion {
		t.Errorf("wider than a year: %v", got)
	}
	p := pending{periods: map[Period]time.Time{}, done: &Period{}, span: 3 * portionSpan}
	start := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	for h := range 304 * 24 {
		p.periods[Period{"35.15", start.Add(time.Duration(h) * time.Hour)}] = time.Time{}
	}
	if n := len(p.portion()); n != 93*24 {
		t.Errorf("a portion of three months has %d hours", n)
	}
}
