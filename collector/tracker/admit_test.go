package tracker

import (
	"fmt"
	"testing"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// What filled a case by mistake can be taken back, each event once, and leaves the reserve to others.
func TestAFullCaseCanBeTakenBack(t *testing.T) {
	b := newBoard(nil)
	n := 0
	sent := func(e *event.Event) bool {
		n++
		if b.Admit([]*event.Event{e}) != nil {
			return false
		}
		b.Apply(e, event.AppendBinary(nil, e), uint64(n), true)
		return true
	}
	withdrawal := func(id, replaces string) *event.Event {
		e := stormEvent(event.EventWithdrawn, "t", n)
		e.Kind, e.ID, e.Replaces = event.KindTicket, id, replaces
		return e
	}
	for i := range casefile.MaxEvents + 50 {
		sent(stormEvent(event.TicketResumed, "t", i))
	}
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t"}
	if got := len(b.cases[key].events); got != casefile.MaxEvents {
		t.Fatalf("the case took %d events", got)
	}
	for i := range casefile.MaxEvents {
		if w := withdrawal(fmt.Sprint("w", i), fmt.Sprint("e", i)); !sent(w) {
			t.Fatalf("withdrawal %d found no room", i)
		}
	}
	for _, w := range []*event.Event{
		withdrawal("x1", "e0"), withdrawal("x2", "w0"), withdrawal("x3", "never"), withdrawal("x4", "e1"),
	} {
		if sent(w) {
			t.Errorf("%s withdraws %s", w.ID, w.Replaces)
		}
	}
	for i := range casefile.ReserveEvents { // of others, the whole reserve is there still
		e := stormEvent(event.TicketResumed, "t", casefile.MaxEvents+50+i)
		e.Source = fmt.Sprint("other", i/casefile.ReservedEvents)
		if !sent(e) {
			t.Fatalf("event %d of the reserve found no room", i)
		}
	}
	last := stormEvent(event.TicketResumed, "t", n)
	last.Source = "another"
	if sent(last) {
		t.Error("the reserve has no end")
	}
	twice := []*event.Event{withdrawal("y1", "e0"), withdrawal("y2", "e0")}
	if got := b.Admit(twice); got == nil || got[0] != nil || got[1] != nil {
		t.Errorf("%v", got)
	}
}
