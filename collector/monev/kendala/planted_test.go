package kendala

import (
	"cmp"
	"flag"
	"fmt"
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

// seeds is how many simulated worlds are looked at: -args -seeds 50 takes minutes, 200 half an hour.
var seeds = flag.Uint64("seeds", 1, "simulated worlds in which planted causes are looked for")

// planted are the causes that the simulation plants, by month of 2023.
func planted() map[time.Month]string {
	return map[time.Month]string{time.April: Staff, time.June: Surge, time.August: Hoax, time.September: Data,
		time.October: Acknowledge}
}

// month counts what failed in a month by cause: cases, of which a ticket may have one an indicator, and by, in which it
// counts once. calls and tickets, those of the regency, are what causes are counted of.
type month struct {
	cases, by      map[string]int
	calls, tickets int
}

// of is what a cause is counted of.
func (m *month) of(cause string) float64 {
	if slices.Contains(CallCauses(), cause) {
		return float64(m.calls)
	}
	return float64(m.tickets)
}

// outcome is what a simulated 2023 came to.
type outcome struct {
	months  map[time.Month]*month
	effects map[string]rtl.Effect // of the planted recommendations that are completed
}

// outcomes are those of the worlds looked at so far: a world takes seconds, and two tests ask about it.
var outcomes = map[uint64]outcome{}

func lookAt(t *testing.T, seed uint64) outcome {
	t.Helper()
	if _, known := outcomes[seed]; !known {
		facts := world(t, defaultBook(t), seed)
		o := outcome{simulated(facts), map[string]rtl.Effect{}}
		for _, d := range simulate.Recommendations("35.15") {
			if d.Record[event.RecordCompleted] != "" {
				o.effects[d.Subject] = effect(facts, d.Record)
			}
		}
		outcomes[seed] = o
	}
	return outcomes[seed]
}

// world gives what is known of a simulated 2023.
func world(t *testing.T, book *sla.Book, seed uint64) *store.CauseFacts {
	t.Helper()
	g, err := simulate.New(simulate.Sidoarjo2023, simulate.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	f := make(events, 60_000)
	var room []event.Event // one allocation for many: 200 worlds have 60 million events
	for m := range g.All() {
		d := &m.Draft
		k := event.Key{Center: d.Center, Kind: d.Type.Kind(), ID: d.Subject}
		if len(room) == cap(room) {
			room = make([]event.Event, 0, 4096)
		}
		room = append(room, event.Event{Source: d.Source, ID: d.ID, Type: d.Type, Kind: k.Kind, Subject: k.ID,
			Center: k.Center, OccurredAt: d.Time.UTC(), ReceivedAt: d.Time.UTC(), Agent: d.Agent, Class: d.Class,
			Category: d.Category, Priority: d.Priority, OPD: d.OPD, Kecamatan: d.Kecamatan, Reason: d.Reason, Result: d.Result,
			Calls: d.Calls, WaitMS: d.WaitMS, Replaces: d.Replaces, Revision: d.Revision, Due: d.Due})
		f[k] = append(f[k], &room[len(room)-1])
	}
	since := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	return f.facts(f.rows(book), since, since.AddDate(0, 10, 0), since.AddDate(3, 0, 0))
}

// simulated gives the causes of each month of a simulated 2023, by the pure function, on the clocks of the monev meeting.
func simulated(facts *store.CauseFacts) map[time.Month]*month {
	cases, _ := Late(facts, targets)
	out := map[time.Month]*month{}
	for m := time.January; m <= time.October; m++ {
		out[m] = &month{cases: map[string]int{}, by: map[string]int{}}
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
		if !slices.Contains([]string{Answer, sla.Acknowledge, sla.Arrive, sla.Resolve}, c.Indicator) || c.Scope != sla.ScopeOwn {
			continue
		}
		m := out[c.At.In(wib).Month()]
		m.cases[c.Cause]++
		if key := [2]string{c.ID, c.Cause}; !seen[key] {
			seen[key] = true
			m.by[c.Cause]++
		}
	}
	return out
}

// usual is what months count of a cause, and of how many cases.
func usual(months map[time.Month]*month, which []time.Month, cause string, count func(*month) map[string]int) (k int, n float64) {
	for _, m := range which {
		k, n = k+count(months[m])[cause], n+months[m].of(cause)
	}
	return k, n
}

// band is the middle 95 % of the counts that a month may have of total cases, each of which falls into it with
// probability p, and the probability that chance alone puts its count outside: at most 2.5 % below and 2.5 % above.
func band(total int, p float64) (low, high int, outside float64) {
	below, at := 0.0, math.Pow(1-p, float64(total)) // P(count < k), P(count = k)
	low, high = -1, total
	for k := range total + 1 {
		if low < 0 && below+at > 0.025 {
			low, outside = k, below
		}
		if above := 1 - below - at; above <= 0.025 {
			return low, k, outside + max(above, 0)
		}
		below, at = below+at, at*float64(total-k)/float64(k+1)*p/(1-p)
	}
	return low, high, outside
}

func TestBand(t *testing.T) {
	for _, c := range []struct {
		total     int
		p         float64
		low, high int
		outside   float64
	}{
		{0, 0.2, 0, 0, 0},
		{10, 0.5, 2, 8, 22.0 / 1024}, // 1, 10, 45, ... of 1,024
		{4, 0.2, 0, 3, 0.0016},
		{800, 0.2, 138, 182, 0.0467},
	} {
		low, high, outside := band(c.total, c.p)
		if low != c.low || high != c.high || math.Abs(outside-c.outside) > 5e-4 {
			t.Errorf("%d x %g: %d to %d, %.4f outside; want %d to %d, %.4f", c.total, c.p, low, high, outside, c.low, c.high, c.outside)
		}
	}
}

// Each planted cause has the largest excess of its month over the months without, of all causes of failing cases. In a
// month without a planted cause no count lies outside of the 95 % band that the other months without give it, but for
// the few that chance puts there.
func TestPlantedCausesAreFound(t *testing.T) {
	var calm []time.Month
	for m := time.January; m <= time.October; m++ {
		if planted()[m] == "" {
			calm = append(calm, m)
		}
	}
	causes := slices.Compact(slices.Sorted(slices.Values(append(CallCauses(), TicketCauses()...))))
	looked, outside, expected := 0, 0, 0.0
	closest, where := math.Inf(1), ""
	for seed := uint64(1); seed <= *seeds; seed++ {
		months := lookAt(t, seed).months
		for m, cause := range planted() {
			excess := map[string]float64{}
			for _, c := range causes {
				k, n := usual(months, calm, c, func(m *month) map[string]int { return m.cases })
				excess[c] = float64(months[m].cases[c]) - float64(k)/n*months[m].of(c)
			}
			slices.SortFunc(causes, func(a, b string) int { return cmp.Compare(excess[b], excess[a]) })
			next := causes[0]
			if next == cause {
				next = causes[1]
			}
			says := fmt.Sprintf("seed %d: of %s %s is %.0f more than usual, %s %.0f", seed, m, cause, excess[cause], next, excess[next])
			if causes[0] != cause {
				t.Errorf("%s: %v", says, months[m].cases)
			}
			if lead := excess[cause] - excess[next]; lead < closest {
				closest, where = lead, says
			}
		}
		for _, m := range calm {
			others := slices.DeleteFunc(slices.Clone(calm), func(o time.Month) bool { return o == m })
			for _, c := range causes {
				got := months[m].by[c]
				k, n := usual(months, others, c, func(m *month) map[string]int { return m.by })
				low, high, p := band(k+got, months[m].of(c)/(n+months[m].of(c)))
				if looked++; got < low || got > high {
					outside++
					t.Logf("seed %d: %s: %s %d, its band is %d to %d", seed, m, c, got, low, high)
				}
				expected += p
			}
		}
	}
	t.Logf("%d worlds: every planted cause by at least %.0f cases (%s)", *seeds, closest, where)
	t.Logf("%d worlds: %d of %d counts of calm months lie outside of their band, chance puts %.1f there", *seeds, outside, looked,
		expected)
	if most := expected + 3*math.Sqrt(expected); float64(outside) > most {
		t.Errorf("%d counts of calm months lie outside of their band, more than %.1f", outside, most)
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
		inside := true
		for scope, has := range map[string]string{event.RecordOPD: k.OPD, event.RecordPriority: k.Priority} {
			inside = inside && (r[scope] == "" || r[scope] == has)
		}
		if inside {
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
// in at least 90 %, that of the second in at most 7 %, also where data are too few for a verdict.
func TestPlantedRecommendationsAreToldApart(t *testing.T) {
	works, idle, few := uint64(0), uint64(0), uint64(0)
	for seed := uint64(1); seed <= *seeds; seed++ {
		effects := lookAt(t, seed).effects
		real, none := effects["konfirmasi-dishub"], effects["edaran-konfirmasi"]
		if *seeds == 1 {
			t.Log(real.Sentence())
			t.Log(none.Sentence())
		}
		if real.Beyond.ExcludesZero() && real.Verdict == rtl.Better {
			works++
		}
		if none.Beyond.ExcludesZero() {
			idle++
		}
		if none.Verdict == rtl.FewData {
			few++
		}
	}
	t.Logf("%d worlds: the interval of what works excludes 0 in %d, that of what does not in %d (in %d without a verdict)", *seeds,
		works, idle, few)
	if works*100 < *seeds*90 || idle*100 > *seeds*7 {
		t.Errorf("of %d worlds: %d that works, %d that does not", *seeds, works, idle)
	}
}
