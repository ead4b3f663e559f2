package store

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/tracker"
)

// share is a numerator and its denominator.
type share struct{ num, den int }

// figures counts calls in Go as docs/definitions.md defines the figures, independent of the SQL.
type figures struct {
	offered, timed, within, shortAbandoned   int
	answered, unclassified, hoax, noEmergent int
}

func (f *figures) count(c *casefile.Call, target, short time.Duration) {
	if c.Events == 0 || c.Test() {
		return
	}
	if !c.OfferedAt().IsZero() {
		wait, known := c.AnswerTime()
		if known || c.AnsweredAt.IsZero() { // else its stamps contradict each other: it is in neither number
			f.offered++
		}
		if known {
			f.timed++
			if wait <= target {
				f.within++
			}
		} else if wait, ok := c.AbandonTime(); ok && wait < short {
			f.shortAbandoned++
		}
	}
	if !c.Answered() {
		return
	}
	f.answered++
	switch {
	case !c.Classified():
		f.unclassified++
	case c.Hoax():
		f.hoax++
	case slices.Contains([]string{"ghost", "pocket", "informasi"}, c.Class):
		f.noEmergent++
	}
}

func (f *figures) shares() map[string]share {
	classified := f.answered - f.unclassified
	return map[string]share{
		"ketat":             {f.within, f.offered},
		"standar":           {f.within, f.offered - f.shortAbandoned},
		"terjawab":          {f.within, f.timed},
		"rasio_hoaks":       {f.hoax, classified},
		"rasio_non_darurat": {f.hoax + f.noEmergent, classified},
		"belum":             {f.unclassified, f.answered},
	}
}

// wilson is the 95 % score interval (E. B. Wilson, 1927), as schema.WilsonLow and WilsonHigh state it in SQL.
func wilson(k, n int) (low, high float64) {
	const z = 1.959963984540054
	p, m := float64(k)/float64(n), float64(n)
	middle, reach, scale := p+z*z/(2*m), z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m)), 1+z*z/m
	return max(0, (middle-reach)/scale), min(1, (middle+reach)/scale)
}

// The views count what a loop over the calls counts, of calls of every shape; and their intervals are Wilson's.
func TestFiguresAreThoseOfTheDefinitions(t *testing.T) {
	s := openSink(t)
	gen := rapid.Custom(drawCall)
	const target, short = 15 * time.Second, 5 * time.Second
	var want figures
	var rows []tracker.Row
	for i := range 1000 {
		c := gen.Example(i)
		c.Key = callKey(fmt.Sprint(i))
		if c.At().IsZero() {
			c.ReceivedAt = clockStart // else it belongs to no day
		}
		want.count(&c, target, short)
		rows = append(rows, callRow(c))
	}
	if want.hoax == 0 || want.shortAbandoned == 0 || want.within == 0 || want.unclassified == 0 {
		t.Fatalf("the calls drawn are of too few shapes: %+v", want)
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	got := map[string]share{}
	err := s.query(t.Context(), "test", `SELECT measure::String, toInt64(numerator), toInt64(denominator), low, high FROM (
			SELECT measure, numerator, denominator, low, high
			FROM monev_service_level(since = '2026-09-30', until = '2026-10-03', step = 'all', target = 15, short = 5)
			UNION ALL
			SELECT measure, numerator, denominator, low, high
			FROM monev_hoax(since = '2026-09-30', until = '2026-10-03', step = 'all'))`,
		func(scan func(...any) error) error {
			var measure string
			var k, n int64
			var low, high *float64
			if err := scan(&measure, &k, &n, &low, &high); err != nil {
				return err
			}
			got[measure] = share{int(k), int(n)}
			wantLow, wantHigh := wilson(int(k), int(n))
			if low == nil || high == nil || math.Abs(*low-wantLow) > 1e-15 || math.Abs(*high-wantHigh) > 1e-15 {
				t.Errorf("%s: %d of %d has an interval other than %v to %v", measure, k, n, wantLow, wantHigh)
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.shares(), got, cmp.AllowUnexported(share{})); d != "" {
		t.Error(d)
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want string
	}{{23, 25, "75-98"}, {9, 10, "60-98"}, {0, 10, "0-28"}, {10, 10, "72-100"}, {1, 1, "21-100"}} {
		low, high := wilson(c.k, c.n)
		if got := fmt.Sprintf("%.0f-%.0f", low*100, high*100); got != c.want {
			t.Errorf("%d of %d: %s %%, want %s", c.k, c.n, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1_000_000).Draw(t, "n")
		k := rapid.IntRange(0, n).Draw(t, "k")
		p := float64(k) / float64(n)
		low, high := wilson(k, n)
		if low > p+1e-12 || high < p-1e-12 || low < 0 || high > 1 {
			t.Fatalf("%d of %d: %v to %v", k, n, low, high)
		}
		if l, h := wilson(4*k, 4*n); h-l > high-low {
			t.Fatalf("%d of %d: four times as many give a wider interval", k, n)
		}
		if l, _ := wilson(n-k, n); math.Abs(l-(1-high)) > 1e-12 {
			t.Fatalf("%d of %d is not the mirror of %d", k, n, n-k)
		}
	})
}
