package withdrawal

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
)

var noon = time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)

// house is a service that holds the events of one ticket.
type house struct {
	events  []*event.Event
	running bool
}

var ticketKey = event.Key{Center: "35.15", Kind: event.KindTicket, ID: "T-1"}

func (h *house) SourceEvents(_ context.Context, _, source string, _, _ time.Time, _ event.Key) (out []store.SourceEvent,
	_ *event.Key, _ error) {
	void := casefile.Voided(slices.Clone(h.events))
	for _, e := range h.events {
		if e.Source == source && !void[e] && e.Type != event.EventWithdrawn {
			out = append(out, store.SourceEvent{Case: e.Key(), ID: e.ID, Type: e.Type.String(), At: e.OccurredAt})
		}
	}
	return out, nil, nil
}

func (h *house) service() *Service {
	return &Service{
		Stored: h, Now: func() time.Time { return noon },
		Forget: func(string, string) error {
			if h.running {
				return errors.New("another import of the source runs")
			}
			return nil
		},
		Find: func(context.Context, event.Kind, string, string) ([]lookup.Case, error) {
			t := casefile.FoldTicket(ticketKey, slices.Clone(h.events), casefile.CallFacts{})
			return []lookup.Case{{Row: tracker.Row{Key: ticketKey, Ticket: &t}}}, nil
		},
		Submit: func(_ context.Context, raw ...event.RawEvent) (r event.Receipt, _ error) {
			for i, e := range raw {
				at := slices.IndexFunc(h.events, func(o *event.Event) bool { return o.Source == e.Source && o.ID == e.ID })
				switch {
				case at >= 0 && h.events[at].Agent == e.Agent:
					r.Duplicates++
				case at >= 0:
					r.Rejected = append(r.Rejected, event.Refusal{Index: i, ID: e.ID, Reason: event.Conflict})
				default:
					h.say(e.Type, e.Source, e.ID, e.Replaces, e.Agent)
					r.Accepted++
				}
			}
			return r, nil
		},
	}
}

func (h *house) say(typ event.Type, source, id, replaces, agent string) {
	at := noon.Add(time.Duration(len(h.events)) * time.Second)
	h.events = append(h.events, &event.Event{
		Source: source, ID: id, Type: typ, Kind: event.KindTicket, Subject: "T-1", Center: "35.15", OccurredAt: at, ReceivedAt: at,
		Replaces: replaces, Agent: agent,
	})
}

// An import is taken back, once; its open ticket stays listed until it is confirmed, by whom is kept.
func TestAnImportIsTakenBackAndItsTicketConfirmed(t *testing.T) {
	h := &house{}
	h.say(event.TicketOpened, "import/a", "ticket/T-1.opened", "", "")
	h.say(event.TicketOpened, "import/a", "ticket/T-1.opened~r1-abcdefghijkl", "ticket/T-1.opened", "")
	h.say(event.TicketAssigned, "import/a", "ticket/T-1.assigned", "", "")
	s := h.service()
	listed := func() *casefile.Ticket {
		found, _ := s.Find(t.Context(), event.KindTicket, "", "")
		return found[0].Row.Ticket
	}
	var no *RefusedError
	if _, err := s.Confirm(t.Context(), "", "T-1", "k1"); !errors.As(err, &no) {
		t.Errorf("a ticket that stands is confirmed: %v", err)
	}
	if _, err := s.Confirm(t.Context(), "", "", "k1"); !errors.As(err, &no) || no.Reason != "Name a ticket." {
		t.Errorf("no ticket is confirmed: %v", err)
	}
	h.running = true
	if _, err := s.Withdraw(t.Context(), Query{Source: "import/a"}, "k1"); !errors.As(err, &no) || !no.Wait {
		t.Errorf("while an import runs: %v", err)
	}
	h.running = false
	d, err := s.Withdraw(t.Context(), Query{Source: "import/a"}, "k1")
	if err != nil || d.Withdrawn != 2 || d.Already != 0 || len(h.events) != 5 {
		t.Fatalf("%+v, %v", d, err)
	}
	if e := h.events[3]; e.ID != "ticket/T-1.opened~r2-aaaaaaaaaaaa" || e.Agent != "key-k1" {
		t.Errorf("%+v", e)
	}
	if d, err = s.Withdraw(t.Context(), Query{Source: "import/a"}, "k1"); err != nil || d.Withdrawn+d.Already != 0 {
		t.Errorf("again: %+v, %v", d, err)
	}
	if k := listed(); !k.Withdrawn || !k.Listed() {
		t.Fatalf("the ticket has vanished: %+v", k)
	}
	c, err := s.Confirm(t.Context(), "", "T-1", "k2")
	if err != nil || c.Openings != 1 || h.events[len(h.events)-1].Agent != "key-k2" {
		t.Fatalf("%+v, %v", c, err)
	}
	if k := listed(); k.Listed() {
		t.Errorf("it is still listed: %+v", k)
	}
	before := len(h.events)
	if c, err = s.Confirm(t.Context(), "", "T-1", "k2"); err != nil || c.Openings != 0 || len(h.events) != before {
		t.Errorf("again: %+v, %v", c, err)
	}
	if _, err := s.Withdraw(t.Context(), Query{Source: casefile.ConfirmSource}, ""); !errors.As(err, &no) {
		t.Errorf("a confirmation is taken back: %v", err)
	}
}

// What ClickHouse has not heard of yet is asked again and changes nothing, whoever asks.
func TestASecondRunBeforeClickHouseKnows(t *testing.T) {
	h := &house{}
	h.say(event.TicketOpened, "import/a", "x", "", "")
	s := h.service()
	page, _, _ := h.SourceEvents(t.Context(), "", "import/a", noon, noon, event.Key{})
	s.Stored = lagging(page)
	for i, by := range []string{"k1", "k1", "k2"} {
		d, err := s.Withdraw(t.Context(), Query{Source: "import/a"}, by)
		if want := min(i, 1); err != nil || d.Already != want || d.Withdrawn != 1-want || len(d.Rejected) > 0 {
			t.Errorf("%s: %+v, %v", by, d, err)
		}
	}
}

type lagging []store.SourceEvent

func (l lagging) SourceEvents(context.Context, string, string, time.Time, time.Time, event.Key) ([]store.SourceEvent,
	*event.Key, error) {
	return l, nil, nil
}
