package kendala

import (
	"flag"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/source/simulate"
	"github.com/monev112/monev112/collector/store"
)

// seeds is how many simulated worlds are looked at: -args -seeds 50 takes minutes.
var seeds = flag.Uint64("seeds", 1, "simulated worlds in which planted causes are looked for")

// planted are the causes that the simulation plants, by month of 2023.
func planted() map[time.Month]string {
	return map[time.Month]string{time.April: Staff, time.June: Surge, time.August: Hoax, time.September: Data,
		time.October: Acknowledge}
}

// month counts the cases of a month by cause, a ticket once, and what they are of: calls, and tickets of the regency.
type month struct {
	by             map[string]int
	calls, tickets int
}

// of is what a cause is counted of.
func (m *month) of(cause string) float64 {
	if slices.Contains(CallCauses(), cause) {
		return float64(m.calls)
	}
	return float64(m.tickets)
}

// world gives what is known of a simulated 2023.
func world(t *testing.T, book *sla.Book, seed uint64) *store.CauseFacts {
	t.Helper()
	g, err := simulate.New(simulate.Sidoarjo2023, simulate.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	f := events{}
	for m := range g.All() {
		d := &m.Draft
		k := event.Key{Center: d.Center, Kind: d.Type.Kind(), ID: d.Subject}
		f[k] = append(f[k], &event.Event{Source: d.Source, ID: d.ID, Type: d.Type, Kind: k.Kind, Subject: k.ID,
			Center: k.Center, OccurredAt: d.Time.UTC(), ReceivedAt: d.Time.UTC(), Agent: d.Agent, Class: d.Class,
			Category: d.Category, Priority: d.Priority, OPD: d.OPD, Kecamatan: d.Kecamatan, Reason: d.Reason, Result: d.Result,
			Calls: d.Calls, WaitMS: d.WaitMS, Replaces: d.Replaces, Revision: d.Revision, Due: d.Due})
	}
	since := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	return f.facts(f.rows(book), since, since.AddDate(0, 10, 0), since.AddDate(3, 0, 0))
}

// simulated gives the causes of each month of a simulated 2023, by the pure function, on the clocks of the monev meeting.
func simulated(facts *store.CauseFacts) map[time.Month]*month {
	cases, _ := Late(facts, targets)
	out := map[time.Month]*month{}
	for m := time.January; m <= time.October; m++ {
		out[m] = &month{by: map[string]int{}}
	}
	for i := range facts.Calls {
		out[facts.Calls[i].At().In(wib).Month()].calls++
	}
	for i := range facts.Clocks {
		if k := &facts.Clocks[i]; k.Name == sla.Resolve && k.Scope == sla.ScopeOwn {
			out[k.StartedAt.In(wib).Month()].tickets++
		}
	}
	seen := map[[2]string]bool{}
	for _, c := range cases {
		if !slices.Contains([]string{Answer, sla.Acknowledge, sla.Arrive, sla.Resolve}, c.Indicator) || c.Scope != sla.ScopeOwn ||
			seen[[2]string{c.ID, c.Cause}] {
			continue
		}
		seen[[2]string{c.ID, c.Cause}] = true
		out[c.At.In(wib).Month()].by[c.Cause]++
	}
	return out
}

// Each planted cause has, of the causes of its cases, the largest excess of its month over the months without, and in a month without one
// no cause lies outside the 95 % band that the other months without give, but for the few that chance puts there.
func TestPlantedCausesAreFound(t *testing.T) {
	book := defaultBook(t)
	looked, outside := 0, 0
	for seed := uint64(1); seed <= *seeds; seed++ {
		months := simulated(world(t, book, seed))
		calm := []time.Month{}
		for m := range months {
			if planted()[m] == "" {
				calm = append(calm, m)
			}
		}
		// What is usual of a cause in a month, from the months without a planted one, and how many cases say so.
		usual := func(cause string, of time.Month) (expected, share float64) {
			var k, n float64
			for _, m := range calm {
				if m != of {
					k, n = k+float64(months[m].by[cause]), n+months[m].of(cause)
				}
			}
			return k / n * months[of].of(cause), months[of].of(cause) / n
		}
		for m, cause := range planted() {
			best, most := "", math.Inf(-1)
			of := TicketCauses() // those of the same cases: the chance of thousands of calls outweighs a hundred tickets
			if slices.Contains(CallCauses(), cause) {
				of = CallCauses()
			}
			for _, c := range of {
				expected, _ := usual(c, m)
				if excess := float64(months[m].by[c]) - expected; excess > most {
					best, most = c, excess
				}
			}
			if best != cause {
				t.Errorf("seed %d: of %s the largest excess has %s (%.0f), want %s: %v", seed, m, best, most, cause, months[m].by)
			}
		}
		for _, m := range calm {
			for _, c := range append(CallCauses(), TicketCauses()[1:len(TicketCauses())-1]...) {
				expected, share := usual(c, m)
				band := 1.96*math.Sqrt(max(expected, 1)*(1+share)) + 0.5 // of a count
				looked++
				if math.Abs(float64(months[m].by[c])-expected) > band {
					outside++
					t.Logf("seed %d: %s: %s %d, usually %.1f ± %.1f", seed, m, c, months[m].by[c], expected, band)
				}
			}
		}
	}
	t.Logf("%d worlds: %d of %d counts lie outside their band", *seeds, outside, looked)
	// 5 % are expected; three standard deviations more are not.
	if most := 0.05*float64(looked) + 3*math.Sqrt(0.05*0.95*float64(looked)); float64(outside) > most {
		t.Errorf("%d of %d counts of months without a planted cause lie outside their 95 %% band", outside, looked)
	}
}

// effect measures a planted recommendation on the clocks of a world, as rtl.Measure does in the database.
func effect(facts *store.CauseFacts, r map[string]string) rtl.Effect {
	e := rtl.Effect{Indicator: r[event.RecordIndicator]}
	for i := range facts.Clocks {
		k := &facts.Clocks[i]
		state := k.State(facts.At)
		if k.Name != e.Indicator || k.Scope != sla.ScopeOwn || state != sla.Met && state != sla.Breached {
			continue
		}
		day := k.StartedAt.In(wib).Format(time.DateOnly)
		before, after := &e.OutsideBefore, &e.OutsideAfter
		if k.OPD == r[event.RecordOPD] {
			before, after = &e.Before, &e.After
		}
		c := after
		if day <= r[event.RecordCompleted] {
			if c = before; day[:7] != r[event.RecordBaseline] {
				continue
			}
		}
		if c.N++; state == sla.Met {
			c.K++
		}
	}
	e.Judge()
	return e
}

// The recommendation that works is told from the one that does not: over 200 worlds the interval of the first excludes 0
// in at least 90 %, that of the second in at most 7 %.
func TestPlantedRecommendationsAreToldApart(t *testing.T) {
	book := defaultBook(t)
	excludes := map[string]uint64{}
	for seed := uint64(1); seed <= *seeds; seed++ {
		facts := world(t, book, seed)
		for _, d := range simulate.Recommendations("35.15") {
			if d.Record[event.RecordCompleted] == "" {
				continue
			}
			e := effect(facts, d.Record)
			if *seeds == 1 {
				t.Logf("%s: %s", d.Subject, e.Sentence())
			}
			if by := e.Beyond; by != nil && by.ExcludesZero() && e.Verdict != rtl.FewData {
				excludes[d.Subject]++
			}
		}
	}
	works, idle := excludes["konfirmasi-dishub"], excludes["edaran-damkar"]
	t.Logf("of %d worlds: %d that works, %d that does not", *seeds, works, idle)
	if works*100 < *seeds*90 || idle*100 > *seeds*7 {
		t.Errorf("of %d worlds: %d that works, %d that does not", *seeds, works, idle)
	}
}
