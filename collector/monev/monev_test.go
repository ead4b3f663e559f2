package monev

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
)

var begin = time.Date(2026, 7, 6, 1, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }

func TestPublishedFunnelOf2023(t *testing.T) {
	f := Funnel{Received: 40318, Hoax: 32543, OPD: 1597, Vertical: 6178}
	if !f.Closes() {
		t.Error("the funnel does not close")
	}
	if got := percent(t, f.HoaxRatio(), 1); got != "80.7" {
		t.Errorf("hoax ratio %s %%, want 80.7", got)
	}
	if f.OPD++; f.Closes() {
		t.Error("a funnel with one call too many closes")
	}
}

func percent(t *testing.T, s Share, digits int) string {
	t.Helper()
	r, ok := s.Ratio()
	if !ok {
		t.Fatal("no ratio")
	}
	return fmt.Sprintf("%.*f", digits, r*100)
}

func TestThreeServiceLevels(t *testing.T) {
	var calls []*casefile.Call
	for _, s := range []int{3, 8, 12, 14, 16, 19, 25} {
		calls = append(calls, &casefile.Call{QueuedAt: begin, AnsweredAt: after(s)})
	}
	for _, s := range []int{2, 4, 30} {
		calls = append(calls, &casefile.Call{QueuedAt: begin, AbandonedAt: after(s)})
	}
	// None of these is offered.
	calls = append(calls, &casefile.Call{QueuedAt: begin, AnsweredAt: after(1), Class: casefile.ClassTest},
		&casefile.Call{ReceivedAt: begin, BlockedAt: begin})
	count := func(target time.Duration) (s ServiceLevel) {
		for _, c := range calls {
			s.Count(c, target, 5*time.Second)
		}
		return s
	}
	s := count(15 * time.Second)
	for _, c := range []struct {
		what string
		got  Share
		want Share
	}{{"ketat", s.Strict(), Share{4, 10}}, {"standar", s.Standard(), Share{4, 8}}, {
		"terjawab", s.OfAnswered(), Share{4, 7},
	}, {"coverage", s.Coverage(), Share{7, 7}}} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
	if asa, ok := s.AverageAnswer(); !ok || fmt.Sprintf("%.3f", asa.Seconds()) != "13.857" {
		t.Errorf("ASA %v, want 13.857 s", asa)
	}
	if s = count(20 * time.Second); s.Strict() != (Share{6, 10}) {
		t.Errorf("ketat with 20 s is %v, want 6/10", s.Strict())
	}
}

func TestLimitsOfAServiceLevelAreExact(t *testing.T) {
	var s ServiceLevel
	s.Count(&casefile.Call{ReceivedAt: begin, AnsweredAt: after(15)}, 15*time.Second, 5*time.Second) // just within
	s.Count(&casefile.Call{ReceivedAt: begin, AbandonedAt: after(5)}, 15*time.Second, 5*time.Second) // not short any more
	// nobody knows when it came in
	s.Count(&casefile.Call{AnsweredAt: after(1)}, 15*time.Second, 5*time.Second)
	if s.Strict() != (Share{1, 2}) || s.Standard() != (Share{1, 2}) {
		t.Errorf("ketat %v, standar %v, want 1/2 twice", s.Strict(), s.Standard())
	}
	wait := int64(22000) // the queue log's own waiting time beats a CDR that says answered at once
	s.Count(&casefile.Call{QueuedAt: begin, AnsweredAt: begin, WaitMS: &wait}, 15*time.Second, 5*time.Second)
	if s.Strict() != (Share{1, 3}) {
		t.Errorf("a call that waited 22 s counts as %v", s.Strict())
	}
}

func TestHoaxRatioNamesItsDenominator(t *testing.T) {
	var k Classes
	for _, class := range []string{
		"prank", "prank", "prank_palsu", "ghost", "pocket", "informasi", "normal", "belum", "", "uji",
	} {
		k.Count(&casefile.Call{ReceivedAt: begin, AnsweredAt: after(3), Class: class})
	}
	k.Count(&casefile.Call{ReceivedAt: begin, AbandonedAt: after(3)}) // not answered
	k.Count(&casefile.Call{ReceivedAt: begin, Class: "normal"})       // a class implies an answer
	if k.HoaxRatio() != (Share{3, 8}) || k.NoEmergencyRatio() != (Share{6, 8}) || k.UnclassifiedShare() != (Share{2, 10}) {
		t.Errorf("hoax %v, no emergency %v, unclassified %v; want 3/8, 6/8, 2/10", k.HoaxRatio(), k.NoEmergencyRatio(),
			k.UnclassifiedShare())
	}
}

func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		k, n int
		want string
	}{{23, 25, "75-98"}, {9, 10, "60-98"}, {0, 10, "0-28"}, {10, 10, "72-100"}, {1, 1, "21-100"}} {
		i, ok := Wilson(tt.k, tt.n)
		if got := fmt.Sprintf("%.0f-%.0f", i.Low*100, i.High*100); !ok || got != tt.want {
			t.Errorf("%d of %d: %s %%, want %s", tt.k, tt.n, got, tt.want)
		}
	}
	a, _ := Wilson(23, 25)
	b, _ := Wilson(9, 10)
	if !a.Overlaps(b) || !b.Overlaps(a) {
		t.Error("23 of 25 and 9 of 10 are ranked apart")
	}
	low, _ := Wilson(10, 1000)
	if low.Overlaps(a) {
		t.Error("1 % of 1,000 is not told apart from 92 % of 25")
	}
	for _, bad := range []Share{{0, 0}, {1, 0}, {2, 1}, {-1, 5}, {1, -5}} {
		if i, ok := bad.Wilson(); ok {
			t.Errorf("%v has interval %v", bad, i)
		}
	}
	if _, ok := (Share{0, 0}).Ratio(); ok {
		t.Error("a share of nothing has a ratio")
	}
}

func TestWilsonHoldsTheShareAndNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1_000_000).Draw(t, "n")
		k := rapid.IntRange(0, n).Draw(t, "k")
		i, ok := Wilson(k, n)
		p := float64(k) / float64(n)
		if !ok || i.Low > p || i.High < p || i.Low < 0 || i.High > 1 {
			t.Fatalf("%d of %d: %v", k, n, i)
		}
		if more, _ := Wilson(4*k, 4*n); more.High-more.Low > i.High-i.Low {
			t.Fatalf("%d of %d: four times as many give a wider interval", k, n)
		}
		if mirror, _ := Wilson(n-k, n); mirror.Low-(1-i.High) > 1e-12 || (1-i.High)-mirror.Low > 1e-12 {
			t.Fatalf("%d of %d: %v is not the mirror of %v", k, n, i, mirror)
		}
	})
}
