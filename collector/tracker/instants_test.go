package tracker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// randomTickets says what becomes of some tickets, in any order, and returns an instant at which to look.
func randomTickets(r *rapid.T, f *feed) (now time.Time) {
	centers := []string{"35.15", "35.78", "nowhere"}
	for range rapid.IntRange(0, 60).Draw(r, "events") {
		at := noon.Add(-time.Duration(rapid.IntRange(0, 200).Draw(r, "minutes")) * time.Minute)
		if rapid.IntRange(0, 9).Draw(r, "long ago") == 0 {
			at = noon.Add(-181 * 24 * time.Hour)
		}
		id := rapid.IntRange(0, 11).Draw(r, "ticket")
		f.say(rapid.SampledFrom([]event.Type{
			event.TicketOpened, event.TicketOpened, event.TicketAssigned, event.TicketRejected, event.TicketResolved,
			event.TicketReopened, event.TicketClosed, event.TicketMerged,
		}).Draw(r, "type"), fmt.Sprint("t", id), at, inCenter(centers[id%3]), func(e *event.Event) {
			switch e.Type {
			case event.TicketAssigned:
				e.OPD = rapid.SampledFrom([]string{"dishub", "pln", "x"}).Draw(r, "opd")
			case event.TicketOpened:
				e.Priority = rapid.SampledFrom([]string{"", event.PriorityDarurat}).Draw(r, "priority")
			case event.TicketMerged:
				e.Master = fmt.Sprint("t", id%3)
			}
		})
		if rapid.IntRange(0, 19).Draw(r, "evict") == 0 {
			f.b.Evict(uint64(f.n), noon.Add(72*time.Hour))
		}
	}
	return noon.Add(time.Duration(rapid.IntRange(-150, 150).Draw(r, "now")) * time.Minute)
}

// twoClocks has a ticket answered for by two OPDs: acknowledged within twenty minutes, resolved within an hour.
func twoClocks(t *casefile.Ticket) (out []sla.Clock) {
	add := func(name string, seq int, opd, scope string, start time.Time, target time.Duration, stop time.Time) {
		due := start.Add(target)
		out = append(out, sla.Clock{Key: t.Key, Name: name, Seq: seq, OPD: opd, Scope: scope, StartedAt: start, DueAt: due,
			BreachAt: due, RiskAt: start.Add(target / 4 * 3), EscalatedAt: start.Add(target / 2 * 3),
			Escalated2At: start.Add(2 * target), StoppedAt: stop})
	}
	first := ""
	for i, a := range t.Assignments {
		if i == 0 {
			first = a.OPD
		}
		add(sla.Acknowledge, i+1, a.OPD, sla.ScopeOwn, a.At, 20*time.Minute, a.EndedAt)
	}
	if !t.OpenedAt.IsZero() {
		add(sla.Resolve, 1, t.OPD, "", t.OpenedAt, time.Hour, t.ResolvedAt)
		if first != "" && first != t.OPD { // it was late while another had it
			add(sla.ResolveTotal, 1, first, sla.ScopeOwn, t.OpenedAt, 30*time.Minute, t.ResolvedAt)
		}
	}
	return out
}

// TestTheIndexFindsWhatAFullWalkFinds: the figures of the board, the late tickets of OpenTickets and of Due are those
// of a walk over all open tickets, whatever became of them and whenever it is asked.
func TestTheIndexFindsWhatAFullWalkFinds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := &feed{b: newBoard(nil)}
		f.b.cfg.TicketClocks = twoClocks
		now := randomTickets(r, f)
		snapshot := f.b.Snapshot(now)
		at, staleBefore := now.UnixMilli(), now.Add(-f.b.cfg.StaleAfter).UnixMilli()
		filters := []TicketFilter{
			{Overdue: true}, {AtRisk: true}, {Overdue: true, AtRisk: true}, {OPD: "dishub", Overdue: true},
		}
		want := make([][]event.Key, len(filters))
		held := 0
		for _, s := range snapshot.Centers {
			c := f.b.centers[s.Center]
			open, blind, risk, over := map[TicketCount]int{}, map[TicketCount]int{}, map[TicketCount]int{}, map[TicketCount]int{}
			stale := 0
			for _, g := range c.groups {
				for i := range g.tickets {
					k := &g.tickets[i]
					held++
					for j, filter := range filters {
						if c.chosen(k, filter, now, f.b.cfg.StaleAfter) {
							want[j] = append(want[j], k.entry.key)
						}
					}
					if k.lastEventAt < staleBefore {
						stale++
						continue
					}
					open[TicketCount{OPD: g.opd, Priority: g.priority, Scope: g.scope}]++
					blind[TicketCount{OPD: g.opd, Priority: g.priority, Scope: g.scope}] += one(k.unrecorded)
					on, _, riskAt := k.standing(at)
					risk[TicketCount{OPD: g.opd, Scope: g.scope}] += one(riskAt != 0)
					for n, is := range on {
						over[TicketCount{OPD: g.opd, Clock: clockNames[n], Priority: g.priority, Scope: g.scope}] += one(is)
					}
					for _, e := range c.elsewhere[k.entry] {
						over[TicketCount{OPD: e.opd, Clock: clockNames[e.name], Priority: e.priority, Scope: e.scope}] += one(
							e.level(at) == pastDue)
					}
				}
			}
			walked := [][]TicketCount{ticketCounts(open), ticketCounts(blind), ticketCounts(risk), ticketCounts(over)}
			if d := cmp.Diff(walked, [][]TicketCount{s.Open, s.Unrecorded, s.AtRisk, s.Overdue}); d != "" || stale != s.Stale {
				r.Fatalf("%s, %d stale, the snapshot %d\n%s", s.Center, stale, s.Stale, d)
			}
			quiet := 0
			for range c.quiet.until(1 << 60) {
				quiet++
			}
			if held -= quiet; held != 0 {
				r.Fatalf("%s: of its open tickets %d are not held by the index", s.Center, held)
			}
		}
		for j, filter := range filters {
			var got []event.Key
			for _, row := range f.b.OpenTickets(filter, now, event.Key{}, 100) {
				got = append(got, row.Key)
			}
			slices.SortFunc(want[j], event.Key.Compare)
			if !slices.Equal(got, want[j]) {
				r.Fatalf("%+v: %v, want %v", filter, got, want[j])
			}
		}
		for _, center := range []string{"35.15", "nowhere"} {
			summary, open := f.b.DueSummary(center, "dishub", now), 0
			var got, want []event.Key
			for _, c := range f.b.centers {
				for _, g := range c.groups {
					for i := range g.tickets {
						k := &g.tickets[i]
						if g.opd != "dishub" || k.entry.key.Center != center || k.lastEventAt < staleBefore {
							continue
						}
						open++
						_, since, _ := k.standing(at)
						if next := k.next(at); since == 0 && next != 0 && next-at <= SoonWithin.Milliseconds() {
							want = append(want, k.entry.key)
						}
					}
				}
			}
			for _, d := range summary.Soon {
				got = append(got, d.Key)
			}
			slices.SortFunc(got, event.Key.Compare)
			slices.SortFunc(want, event.Key.Compare)
			if summary.Open != open || !slices.Equal(got, want) {
				r.Fatalf("%s: %d open, %v due soon, want %d, %v", center, summary.Open, got, open, want)
			}
		}
		var due []event.Key
		for _, d := range f.b.Due(now) {
			due = append(due, d.Key)
			row, _, _ := f.b.Case(d.Key)
			if d.Priority != row.Ticket.Priority || d.Category != row.Ticket.Category ||
				!slices.Equal(d.Marks, MarksOf(row.Clocks)) {
				r.Fatalf("%+v, the case is %+v", d, row.Ticket)
			}
		}
		slices.SortFunc(due, event.Key.Compare)
		if !slices.Equal(due, want[2]) {
			r.Fatalf("due are %v, want %v", due, want[2])
		}
	})
}

// TestMarksReachTheLevelsOfTheirClock: whatever the clock and the instant.
func TestMarksReachTheLevelsOfTheirClock(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		instant := func(name string) time.Time {
			if n := rapid.IntRange(0, 9).Draw(r, name); n > 0 {
				return noon.Add(time.Duration(n) * time.Millisecond)
			}
			return time.Time{}
		}
		k := sla.Clock{
			RiskAt: instant("risk"), BreachAt: instant("breach"), EscalatedAt: instant("escalated"),
			Escalated2At: instant("escalated2"), Void: rapid.IntRange(0, 9).Draw(r, "void") == 0,
			Unobserved: rapid.IntRange(0, 9).Draw(r, "unobserved") == 0,
		}
		now := noon.Add(time.Duration(rapid.IntRange(0, 10).Draw(r, "now")) * time.Millisecond)
		var got sla.Level
		for _, m := range MarksOf([]sla.Clock{k}) {
			got = m.Level(now.UnixMilli())
		}
		if want := k.Level(now); got != want {
			r.Fatalf("%q, the clock says %q: %+v", got, want, k)
		}
	})
}
