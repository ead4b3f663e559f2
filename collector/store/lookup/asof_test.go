package lookup

import (
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// The trend of an OPD counts the tickets too that came under a name which the directory learned only later.
func TestTheMonthsOfAnOPDCountEveryNameOfIt(t *testing.T) {
	cases, sink := open(t)
	damkar, _ := directory.MustLoad("directory.yaml", deploy.Directory).OPD("35.15", "damkar")
	eight := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	var rows []tracker.Row
	for id, opd := range map[string]string{"a": "damkar", "b": damkar.Name, "c": "dishub"} {
		var events []*event.Event
		for i, typ := range []event.Type{event.TicketOpened, event.TicketAssigned, event.TicketAcknowledged} {
			events = append(events, &event.Event{
				Source: "s", ID: id + string(rune('0'+i)), Type: typ, Kind: event.KindTicket, Subject: id, Center: "35.15",
				OPD: opd, Priority: event.PriorityDarurat, OccurredAt: eight.Add(time.Duration(i) * time.Second),
			})
		}
		row, _ := cases.Board.Fold(tracker.Loaded{Key: events[0].Key(), Events: events}, nil)
		row.Clocks = []sla.Clock{{Key: row.Key, Name: sla.Acknowledge, OPD: opd, Scope: sla.ScopeOwn, StartedAt: eight,
			DueAt: eight.Add(time.Hour), BreachAt: eight.Add(time.Hour), StoppedAt: eight.Add(time.Second)}}
		rows = append(rows, row)
	}
	if err := sink.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	months, err := cases.OPDMonths(t.Context(), "35.15", "damkar", eight.AddDate(0, 0, -1), eight.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range months {
		if m.Clock == sla.Acknowledge {
			n++
			if m.Numerator != 2 || m.Denominator != 2 {
				t.Errorf("%+v", m)
			}
		}
	}
	if n != 1 || damkar.Name == "damkar" {
		t.Errorf("%+v", months)
	}
}

// open returns an empty database behind a board.
func open(t *testing.T) (*Cases, *store.Sink) {
	t.Helper()
	addr, password := enginetest.Start(t)
	s, err := store.Open(t.Context(), store.Config{Addr: addr, Password: password, Database: enginetest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	book, err := sla.Load(nil, sla.Config{})
	if err != nil {
		t.Fatal(err)
	}
	board := tracker.New(tracker.Rules(directory.MustLoad("directory.yaml", deploy.Directory), book))
	sink := &store.Sink{Store: s, Scope: func(string, string) string { return "own" }}
	return &Cases{Board: board, Stored: sink, Centers: []string{"35.15"}, Incomplete: func() string { return "" }}, sink
}

// The list of tickets as of an instant says what the view tickets_at says: what a later correction or withdrawal voids,
// of the ticket or of its call, had not happened.
func TestTicketsAsOfAnInstantVoidWhatIsKnownToBeWrong(t *testing.T) {
	cases, sink := open(t)
	board, s := cases.Board, sink.Store

	eight := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	var events []*event.Event
	say := func(typ event.Type, kind event.Kind, subject, id, replaces string, after time.Duration, calls ...string) {
		events = append(events, &event.Event{
			Source: "s", ID: id, Type: typ, Kind: kind, Subject: subject, Center: "35.15", OccurredAt: eight.Add(after),
			ReceivedAt: eight.Add(3 * time.Hour), Replaces: replaces, Calls: calls, Digest: event.Digest{byte(len(events) + 1)},
		})
	}
	say(event.CallReceived, event.KindCall, "c", "c1", "", -time.Hour)
	say(event.CallAnswered, event.KindCall, "c", "c2", "", 0)
	say(event.CallAnswered, event.KindCall, "c", "c3", "c2", time.Hour)
	say(event.TicketOpened, event.KindTicket, "arrived", "a1", "", -30*time.Minute, "c")
	say(event.TicketArrived, event.KindTicket, "arrived", "a2", "", 0)
	say(event.TicketArrived, event.KindTicket, "arrived", "a3", "a2", time.Hour)
	say(event.TicketOpened, event.KindTicket, "closed", "b1", "", -30*time.Minute)
	say(event.TicketClosed, event.KindTicket, "closed", "b2", "", 0)
	say(event.EventWithdrawn, event.KindTicket, "closed", "b3", "b2", 2*time.Hour)
	if err := s.InsertEvents(t.Context(), events, "x"); err != nil {
		t.Fatal(err)
	}
	by := map[event.Key][]*event.Event{}
	for _, e := range events {
		by[e.Key()] = append(by[e.Key()], e)
	}
	var rows []tracker.Row
	for key, evs := range by {
		with := []tracker.Loaded{}
		if key.ID == "arrived" {
			call := event.Key{Center: "35.15", Kind: event.KindCall, ID: "c"}
			with = append(with, tracker.Loaded{Key: call, Events: by[call]})
		}
		row, _ := board.Fold(tracker.Loaded{Key: key, Events: evs}, with)
		rows = append(rows, row)
	}
	if err := sink.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}

	got, err := cases.TicketsAsOf(t.Context(), tracker.TicketFilter{}, eight.Add(30*time.Minute), event.Key{}, 10)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d tickets: %v", len(got), err)
	}
	for _, row := range got {
		k := row.Ticket
		if k.State != casefile.Opened || !k.ArrivedAt.IsZero() || !k.ClosedAt.IsZero() || !k.AnsweredAt.IsZero() {
			t.Errorf("%s is %s, arrived %v, closed %v, answered %v", row.Key.ID, k.State, k.ArrivedAt, k.ClosedAt,
				k.AnsweredAt)
		}
	}
}
