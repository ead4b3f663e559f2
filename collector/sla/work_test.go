package sla

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// restless are tickets of ever more well-formed events, made to be judged for as long as possible.
var restless = map[string]func(i int, e *event.Event){
	"changes hands and priority": func(i int, e *event.Event) {
		e.Type, e.OPD = event.TicketAssigned, []string{"dishub", "damkar", "pln"}[i%3]
		e.Priority = []string{"darurat", "non_darurat"}[i%2]
	},
	"changes priority and category at one OPD": func(i int, e *event.Event) {
		e.Type, e.Priority = event.TicketResumed, []string{"darurat", "non_darurat", "mendesak", "informasi"}[i%4]
		e.Category = []string{"pju", "kebakaran", "sampah"}[i%3]
	},
	"is paused and an emergency in turn": func(i int, e *event.Event) {
		switch i % 4 {
		case 0:
			e.Type, e.Reason = event.TicketPaused, []string{"cuaca", "material"}[i/4%2]
		case 1:
			e.Type, e.Priority = event.TicketDeparted, "darurat"
		case 2:
			e.Type, e.Reason = event.TicketPaused, "material"
		case 3:
			e.Type, e.Priority = event.TicketAssigned, "non_darurat"
			e.OPD = []string{"dishub", "damkar"}[i%2]
		}
	},
	"is reopened": func(i int, e *event.Event) {
		e.Type, e.OPD = []event.Type{event.TicketAssigned, event.TicketResolved, event.TicketReopened}[i%3], ""
		if i%3 == 0 {
			e.OPD = []string{"dishub", "damkar"}[i/3%2]
		}
	},
}

// restlessTicket folds a ticket of n events; each was received alone, long after it happened.
func restlessTicket(n int, every time.Duration, make func(i int, e *event.Event)) casefile.Ticket {
	began := time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)
	var evs []*event.Event
	for i := range n {
		at := began.Add(time.Duration(i) * every)
		e := &event.Event{
			Source: "s", ID: fmt.Sprint(i), Kind: event.KindTicket, Subject: "R", Center: "35.15", OccurredAt: at,
			ReceivedAt: at.Add(time.Duration(n-i)*time.Hour + time.Duration(i)*time.Second),
		}
		if make(i, e); i == 0 {
			e.Type, e.Category = event.TicketOpened, "pju"
		}
		evs = append(evs, e)
	}
	return casefile.FoldTicket(evs[0].Key(), evs, casefile.CallFacts{})
}

// Work for a ticket that fills its case does not multiply with what its events say: an alternation of priorities once
// doubled the targets with each. Allocations are counted, not time.
func TestAFullCaseIsJudgedInBoundedWork(t *testing.T) {
	book := shippedBook(t)
	for name, make := range restless {
		for _, every := range []time.Duration{time.Second, 5 * time.Minute} {
			t.Run(fmt.Sprint(name, " every ", every), func(t *testing.T) {
				allocs := func(n int) float64 {
					tk := restlessTicket(n, every, make)
					return testing.AllocsPerRun(1, func() {
						if len(book.Ticket(&tk, ownScope)) == 0 {
							t.Fatal("no clocks")
						}
					})
				}
				few, full := allocs(100), allocs(casefile.MaxEvents)
				t.Logf("%v allocations for 100 events, %v for %d", few, full, casefile.MaxEvents)
				if full > 10*few+10_000 {
					t.Errorf("%v allocations for 100 events, %v for %d", few, full, casefile.MaxEvents)
				}
			})
		}
	}
}

// A ticket with more stays, pauses or changes than are looked at says so; its latest stay has a clock all the same, and
// a pause too many stops none.
func TestWhatIsNotLookedAtIsFlagged(t *testing.T) {
	book := shippedBook(t)
	for name, make := range restless {
		tk := restlessTicket(400, time.Minute, make)
		if !slices.Contains(tk.Flags, casefile.FlagCaseFull) {
			t.Errorf("%s: flags %v", name, tk.Flags)
		}
		if few := restlessTicket(12, time.Minute, make); slices.Contains(few.Flags, casefile.FlagCaseFull) {
			t.Errorf("%s: of 12 events flagged %v", name, few.Flags)
		}
		stays := 0
		latest := false
		for _, k := range book.Ticket(&tk, ownScope) {
			if k.Name == Acknowledge {
				stays++
				latest = latest || k.Seq == len(tk.Assignments)
			}
		}
		if n := len(tk.Assignments); n > 0 && (!latest || stays > casefile.MaxStays+1) {
			t.Errorf("%s: %d stays, %d with a clock, the latest among them: %v", name, n, stays, latest)
		}
		if len(tk.Pauses) > casefile.MaxPauses {
			t.Errorf("%s: %d pauses", name, len(tk.Pauses))
		}
	}
}

func BenchmarkFullCase(b *testing.B) {
	book := shippedBook(b)
	for name, make := range restless {
		for _, n := range []int{10, 100, casefile.MaxEvents} {
			tk := restlessTicket(n, 5*time.Minute, make)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					book.Ticket(&tk, ownScope)
				}
			})
		}
	}
}
