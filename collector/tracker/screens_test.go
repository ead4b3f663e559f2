package tracker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// What the wallboard shows of emergencies is a number of tickets: one that is late on several clocks, at OPDs of now and
// before, is one, and the list of late tickets has the same.
func TestALateEmergencyIsCountedOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &feed{b: newBoard(nil)}
		resolve := f.b.cfg.TicketClocks
		f.b.cfg.TicketClocks = func(k *casefile.Ticket) (clocks []sla.Clock) {
			clocks = resolve(k)
			for i, stay := range k.Assignments { // each stays with its OPD
				due := stay.At.Add(10 * time.Minute)
				clocks = append(clocks, sla.Clock{Key: k.Key, Name: sla.Acknowledge, Seq: i + 1, OPD: stay.OPD,
					StartedAt: stay.At, DueAt: due, BreachAt: due, RiskAt: stay.At.Add(8 * time.Minute),
					StoppedAt: stay.AcknowledgedAt})
			}
			return clocks
		}
		for i := range rapid.IntRange(0, 20).Draw(r, "tickets") {
			id, at := fmt.Sprint("t", i), noon.Add(-time.Duration(rapid.IntRange(0, 120).Draw(r, "minutes"))*time.Minute)
			f.say(event.TicketOpened, id, at, func(e *event.Event) {
				e.Priority = rapid.SampledFrom([]string{"darurat", "mendesak"}).Draw(r, "priority")
			})
			for range rapid.IntRange(0, 3).Draw(r, "steps") {
				if at = at.Add(time.Duration(rapid.IntRange(0, 15).Draw(r, "later")) * time.Minute); at.After(noon) {
					break
				}
				switch typ := rapid.SampledFrom([]event.Type{
					event.TicketAssigned, event.TicketAcknowledged, event.TicketResolved, event.TicketReopened,
				}).Draw(r, "type"); typ {
				case event.TicketAssigned:
					f.say(typ, id, at, opd(rapid.SampledFrom([]string{"dishub", "pln"}).Draw(r, "opd")))
				default:
					f.say(typ, id, at)
				}
			}
		}
		want := 0
		for _, row := range f.b.OpenTickets(TicketFilter{Overdue: true}, noon, event.Key{}, 100) {
			if row.Ticket.Priority == event.PriorityDarurat {
				want++
			}
		}
		got := 0
		for _, c := range f.b.Snapshot(noon).Centers {
			got += c.EmergenciesOverdue
		}
		if got != want {
			r.Fatalf("%d late emergencies, the list has %d", got, want)
		}
	})
}

// The callers to be called back that are listed are those that are counted, of one centre, the longest waiting first.
func TestCallBacksAreThoseThatAreCounted(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &feed{b: newBoard(nil)}
		f.say(event.CallQueued, "x", noon, inCenter("35.78"))
		f.say(event.CallAbandoned, "x", noon, inCenter("35.78"))
		for i := range rapid.IntRange(0, 12).Draw(r, "calls") {
			id, at := fmt.Sprint("c", i), noon.Add(-time.Duration(rapid.IntRange(0, 60).Draw(r, "hours"))*time.Hour)
			f.say(event.CallQueued, id, at)
			if rapid.Bool().Draw(r, "abandoned") {
				f.say(event.CallAbandoned, id, at.Add(time.Minute))
			}
			if rapid.Bool().Draw(r, "called back") {
				f.say(event.CallCalledBack, id, at.Add(2*time.Minute))
			}
		}
		now := noon.Add(3 * time.Minute)
		counted := 0
		for _, c := range f.b.Snapshot(now).Centers {
			if c.Center == "35.15" {
				counted = c.CallsToCallBack
			}
		}
		all := f.b.CallBacks("35.15", now, 100)
		if len(all) != counted || !slices.IsSortedFunc(all, func(a, b CallBack) int {
			return a.AbandonedAt.Compare(b.AbandonedAt)
		}) || slices.ContainsFunc(all, func(c CallBack) bool { return c.ID == "x" }) {
			r.Fatalf("%d are counted, listed are %v", counted, all)
		}
		limit := rapid.IntRange(0, 12).Draw(r, "limit")
		if some := f.b.CallBacks("35.15", now, limit); !slices.Equal(some, all[:min(limit, len(all))]) {
			r.Fatalf("the first %d: %v of %v", limit, some, all)
		}
		f.b.SetComplete(false)
		if some := f.b.CallBacks("35.15", now, 100); some != nil {
			r.Fatalf("a board that is being restored lists %v", some)
		}
	})
}
