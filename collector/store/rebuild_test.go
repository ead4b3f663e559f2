package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// What was written does not differ, each change of a field does, and what is absent does.
func TestDifferFindsEveryRowThatWouldChange(t *testing.T) {
	s := openSink(t)
	var rows []tracker.Row
	calls, tickets := rapid.Custom(drawCall), rapid.Custom(drawTicket)
	for i := range 60 {
		c, k := calls.Example(i), tickets.Example(i)
		c.Key, k.Key = callKey(fmt.Sprint(i)), ticketKey(fmt.Sprint(i))
		rows = append(rows, callRow(c), ticketOf(k))
	}
	if err := s.Upsert(t.Context(), rows[:100], 1); err != nil {
		t.Fatal(err)
	}
	got, err := s.ChangedRows(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if got[rows[i].Key] != (i >= 100) {
			t.Errorf("%v: differs %v", rows[i].Key, got[rows[i].Key])
		}
	}
	changed := slices.Clone(rows[:40])
	for i := range changed {
		if changed[i].Call != nil {
			c := *changed[i].Call
			c.Flags = append(slices.Clone(c.Flags), "x")
			changed[i].Call = &c
		} else {
			k := *changed[i].Ticket
			k.Assignments = append(slices.Clone(k.Assignments), casefile.Assignment{OPD: "bpbd", At: at("2026-10-01 00:00:00")})
			changed[i].Ticket = &k
		}
	}
	if got, err = s.ChangedRows(t.Context(), changed); err != nil || len(got) != len(changed) {
		t.Errorf("%d of %d changed rows found, %v", len(got), len(changed), err)
	}
}

func TestStoredClocksAreWhatWasWritten(t *testing.T) {
	s := open(t)
	gen := rapid.Custom(drawClock)
	want := map[event.Key][]sla.Clock{}
	var cases []caseClocks
	var keys []event.Key
	for i := range 200 {
		c := gen.Example(i)
		c.Key, c.Name, c.Seq, c.Policy, c.PolicyVersion, c.PolicyLine, c.OPD, c.CalendarVersion = ticketKey(fmt.Sprint(i)),
			sla.Resolve, 1, "p", "3", i, "bpbd", "id/2"
		cases = append(cases, caseClocks{Key: c.Key, Clocks: []sla.Clock{c}, New: true})
		keys, want[c.Key] = append(keys, c.Key), []sla.Clock{c}
	}
	if err := s.upsertClocks(t.Context(), cases, 1); err != nil {
		t.Fatal(err)
	}
	got, err := s.StoredClocks(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCasesOfASpanComeInOrderAndOnce(t *testing.T) {
	s := openSink(t)
	evs := sample(400, 0) // 80 calls of five seconds each, from 2026-10-01 00:00:00
	ticket := *evs[0]
	ticket.ID, ticket.Kind, ticket.Subject, ticket.Type, ticket.Calls = "t", event.KindTicket, "t'1", event.TicketOpened,
		[]string{"c-00000003", "none"}
	ticket.OccurredAt = at("2026-10-05 00:00:00")
	if err := s.InsertEvents(t.Context(), append(evs, &ticket), "a"); err != nil {
		t.Fatal(err)
	}
	row := ticketOf(casefile.Ticket{
		Key: ticketKey("t'1"), State: casefile.Opened, ReceivedAt: at("2026-10-01 00:00:15"), OpenedAt: ticket.OccurredAt,
		Events: 1,
	})
	if err := s.Upsert(t.Context(), []tracker.Row{row}, 1); err != nil {
		t.Fatal(err)
	}
	pages := func(span Span) (all []event.Key) {
		var after event.Key
		for {
			page, err := s.CaseKeys(t.Context(), "35.15", span, after, 7)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			all, after = append(all, page...), page[len(page)-1]
		}
		if n, err := s.CountCases(t.Context(), "35.15", span); err != nil || int(n) != len(all) {
			t.Errorf("counted %d, came %d, %v", n, len(all), err)
		}
		return all
	}
	if got := pages(Span{}); len(got) != 81 || got[80] != ticketKey("t'1") ||
		!slices.IsSortedFunc(got, func(a, b event.Key) int {
			return slices.Compare([]string{fmt.Sprint(a.Kind), a.ID}, []string{fmt.Sprint(b.Kind), b.ID})
		}) {
		t.Errorf("all: %v", got)
	}
	// The calls that begin at 10, 15, 20 s, that of 5 s which ends at 9 s not; and the ticket, by its earliest call.
	want := []event.Key{callKey("c-00000002"), callKey("c-00000003"), ticketKey("t'1")}
	if got := pages(Span{at("2026-10-01 00:00:10"), at("2026-10-01 00:00:20")}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := pages(Span{Since: at("2026-10-02 00:00:00")}); !slices.Equal(got, []event.Key{ticketKey("t'1")}) {
		t.Errorf("the ticket's own event: %v", got)
	}
	links, err := s.TicketsOf(t.Context(), "35.15", []string{"c-00000003", "c-00000004", "none"})
	if d := cmp.Diff(map[string][]string{"c-00000003": {"t'1"}, "none": {"t'1"}}, links); d != "" || err != nil {
		t.Error(d, err)
	}
	events, err := s.CaseEvents(t.Context(), []event.Key{callKey("c-00000003"), ticketKey("t'1"), callKey("gone")})
	if err != nil || len(events) != 2 || len(events[callKey("c-00000003")]) != 5 {
		t.Errorf("events %v, %v", events, err)
	}
}

func drawTicket(t *rapid.T) casefile.Ticket {
	e := drawEvent(0).Draw(t, "event")
	k := casefile.Ticket{
		State: casefile.Assigned, OPD: e.OPD, Category: e.Category, Priority: e.Priority, OpenedAt: e.OccurredAt, Due: e.Due,
		Lat: e.Lat, Lon: e.Lon, Calls: e.Calls, Master: e.Master, Events: 3, LastEventAt: e.ReceivedAt,
	}
	for range rapid.IntRange(0, 3).Draw(t, "stays") {
		k.Assignments = append(k.Assignments,
			casefile.Assignment{OPD: "damkar", At: drawTime(t, "at"), AcknowledgedAt: e.Due})
		k.Pauses = append(k.Pauses, casefile.Pause{From: drawTime(t, "from"), To: drawTime(t, "to"), Reason: "cuaca"})
	}
	return k
}
