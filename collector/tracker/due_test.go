package tracker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

// Whatever is on the board, an OPD's list has the numbers of the gauges, and the tickets that OpenTickets chooses.
func TestAttentionHasTheNumbersOfTheGauges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &feed{b: newBoard(nil)}
		for i := range rapid.IntRange(0, 30).Draw(r, "tickets") {
			id := fmt.Sprint("t", i)
			opened := noon.Add(-time.Duration(rapid.IntRange(0, 120).Draw(r, "minutes")) * time.Minute)
			if rapid.IntRange(0, 9).Draw(r, "stale") == 0 {
				opened = noon.Add(-181 * 24 * time.Hour)
			}
			where := opd(rapid.SampledFrom([]string{"dishub", "pln", "x"}).Draw(r, "opd"))
			center := inCenter(rapid.SampledFrom([]string{"35.15", "35.78"}).Draw(r, "center"))
			f.say(event.TicketOpened, id, opened, center)
			f.say(event.TicketAssigned, id, opened, where, center)
			if rapid.Bool().Draw(r, "resolved") {
				f.say(event.TicketResolved, id, opened.Add(time.Minute), center)
			}
		}
		snap := f.b.Snapshot(noon)
		for _, c := range snap.Centers {
			for _, o := range []string{"dishub", "pln", UnknownLabel} {
				sum := func(counts []TicketCount, clock string) (n int) {
					for _, k := range counts {
						if k.OPD == o && k.Clock == clock {
							n += k.N
						}
					}
					return n
				}
				a := f.b.DueSummary(c.Center, o, noon)
				if a.Open != sum(c.Open, "") || a.AtRisk != sum(c.AtRisk, "") {
					r.Fatalf("%s %s: open %d, at risk %d; the gauges %+v", c.Center, o, a.Open, a.AtRisk, c)
				}
				overdue := 0
				for _, k := range a.Overdue {
					if overdue += k.N; k.N != sum(c.Overdue, k.Label) {
						r.Fatalf("%s %s: %+v; the gauges %+v", c.Center, o, a.Overdue, c.Overdue)
					}
				}
				if overdue != sum(c.Overdue, "resolve") { // the board of the test has one clock
					r.Fatalf("%s %s: %+v; the gauges %+v", c.Center, o, a.Overdue, c.Overdue)
				}
				var got, want []string
				for i, d := range a.Tickets {
					got = append(got, d.Key.ID)
					if i > 0 && (d.Late && !a.Tickets[i-1].Late || d.Late == a.Tickets[i-1].Late && d.At.Before(a.Tickets[i-1].At)) {
						r.Fatalf("order: %+v", a.Tickets)
					}
				}
				for _, row := range f.b.OpenTickets(TicketFilter{Center: c.Center, OPD: o, Overdue: true, AtRisk: true}, noon,
					event.Key{}, 100) {
					want = append(want, row.Key.ID)
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					r.Fatalf("%s %s: %v, want %v", c.Center, o, got, want)
				}
			}
		}
	})
}
