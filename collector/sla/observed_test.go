package sla

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// stopTypes are the types of event that can stop a clock of a ticket, and one that cannot.
var stopTypes = []event.Type{
	event.TicketAcknowledged, event.TicketDeparted, event.TicketArrived, event.TicketResolved, event.TicketConfirmed,
	event.TicketClosed, event.TicketPaused,
}

// emergencyOf folds a fire that was opened and assigned at noon by sources that carry what is given (nil: they never
// said), and the events given.
func emergencyOf(carries []string, more ...*event.Event) casefile.Ticket {
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "T"}
	events := append([]*event.Event{
		{Source: "x", ID: "o", Type: event.TicketOpened, OccurredAt: noon, Priority: "darurat", Category: "kebakaran",
			Carries: carries},
		{Source: "x", ID: "a", Type: event.TicketAssigned, OccurredAt: noon, OPD: "damkar", Carries: carries},
	}, more...)
	return casefile.FoldTicket(key, events, casefile.CallFacts{ReceivedAt: noon})
}

var noon = time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)

func statesAt(b *Book, t *casefile.Ticket, now time.Time) map[string]string {
	out := map[string]string{}
	for _, c := range b.Ticket(t, own) {
		out[c.Name] = c.State(now)
	}
	return out
}

func own(string) string { return ScopeOwn }

func TestAClockThatNobodyStopsIsUnobserved(t *testing.T) {
	b := shippedBook(t, "sidoarjo")
	now := noon.Add(time.Hour)
	for _, c := range []struct {
		name    string
		carries []string
		events  []*event.Event
		want    string // acknowledge arrive resolve
	}{
		{"a live feed is believed", nil, nil, "breached breached running"},
		{"an export of calls", []string{"ticket.opened", "ticket.assigned"}, nil, "unobserved unobserved unobserved"},
		{"carries closings: they tell nothing of the acknowledgement", []string{"ticket.opened", "ticket.closed"}, nil,
			"unobserved unobserved running"},
		{"an OPD presses the button", []string{"ticket.opened"},
			[]*event.Event{{
				Source: "monev112/page", ID: "k", Type: event.TicketAcknowledged, OccurredAt: noon.Add(time.Minute),
			}},
			"met unobserved unobserved"},
		{"arrived late, which nobody carries", []string{"ticket.opened"},
			[]*event.Event{{Source: "y", ID: "k", Type: event.TicketArrived, OccurredAt: noon.Add(30 * time.Minute)}},
			"breached breached unobserved"},
		{"closed without arrival", []string{"ticket.opened", "ticket.closed"},
			[]*event.Event{{Source: "x", ID: "k", Type: event.TicketClosed, OccurredAt: noon.Add(50 * time.Minute)}},
			"unobserved unobserved met"},
	} {
		k := emergencyOf(c.carries, c.events...)
		s := statesAt(b, &k, now)
		if got := s[Acknowledge] + " " + s[Arrive] + " " + s[Resolve]; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	k := emergencyOf([]string{"ticket.opened"})
	for _, c := range b.Ticket(&k, own) {
		if c.AtRisk(now) || c.Overdue(now) || c.Level(now) != "" {
			t.Errorf("%s is at risk, overdue or paged though nobody records it", c.Name)
		}
		if text := strings.Join(b.Explain(&c, &k, own, now, "id"), "\n"); !strings.Contains(text, "tidak tercatat") {
			t.Errorf("explain says %q", text)
		}
	}
}

// TestAFactOnlyMakesItsOwnTicketObserved draws what sources carry and what came: a fact takes no clock out of sight,
// and what is carried is judged without any fact.
func TestAFactOnlyMakesItsOwnTicketObserved(t *testing.T) {
	b := shippedBook(t, "sidoarjo")
	rapid.Check(t, func(t *rapid.T) {
		carries := []string{"ticket.opened"}
		for _, typ := range stopTypes {
			if rapid.Bool().Draw(t, typ.String()) {
				carries = append(carries, typ.String())
			}
		}
		var came []*event.Event
		for i := range rapid.IntRange(0, 3).Draw(t, "facts") {
			came = append(came, &event.Event{
				Source: "y", ID: string(rune('a' + i)), Type: rapid.SampledFrom(stopTypes).Draw(t, "fact"), Result: "benar",
				OccurredAt: noon.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "after")) * time.Second),
			})
		}
		before, after := emergencyOf(carries), emergencyOf(carries, came...)
		was := map[string]bool{}
		for _, c := range b.Ticket(&before, own) {
			was[c.Name] = c.Unobserved
		}
		for _, c := range b.Ticket(&after, own) {
			if unobserved, had := was[c.Name]; had && !unobserved && c.Unobserved {
				t.Fatalf("%s was observed, and is not any more since facts came", c.Name)
			}
		}
		for _, c := range b.Ticket(&before, own) {
			if now := noon.Add(60 * 24 * time.Hour); !c.Unobserved && !c.Overdue(now) && c.Kind == Elapsed {
				t.Fatalf("%s is carried, has run for 60 days, and is not overdue", c.Name)
			}
		}
	})
}
