package casefile

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// AsOf returns what of the events of one case had happened by an instant, of what is known today: a correction or a
// withdrawal from after the instant still voids what it names. A withdrawal itself, and what it takes back, stays, so
// that a withdrawn opening is still told from one that never was.
func AsOf(evs []*event.Event, until time.Time) []*event.Event {
	void := Voided(evs)
	withdrawn := voidedBy(evs)
	voidings := map[eventID]int{} // by how many of the events that stay
	var gone []*event.Event
	for _, e := range evs {
		if e.Replaces != "" && e.Replaces != e.ID {
			voidings[eventID{e.Source, e.Replaces}]++
		}
		counts := !void[e] && e.Type != event.EventWithdrawn
		if e.OccurredAt.After(until) && (counts || withdrawn[eventID{e.Source, e.ID}]) {
			gone = append(gone, e)
		}
	}
	named := map[eventID][]*event.Event{} // what is void
	for e := range void {
		named[eventID{e.Source, e.ID}] = append(named[eventID{e.Source, e.ID}], e)
	}
	out := map[*event.Event]bool{}
	for len(gone) > 0 {
		e := gone[len(gone)-1]
		gone = gone[:len(gone)-1]
		if out[e] {
			continue
		}
		out[e] = true
		if e.Replaces == "" || e.Replaces == e.ID {
			continue
		}
		// What nothing that stays voids any more must not come back.
		id := eventID{e.Source, e.Replaces}
		if voidings[id]--; voidings[id] == 0 {
			gone = append(gone, named[id]...)
		}
	}
	return slices.DeleteFunc(slices.Clone(evs), func(e *event.Event) bool { return out[e] })
}

// CorrectedAsOf forgets the corrections that were received after an instant.
func (t *Ticket) CorrectedAsOf(until time.Time) {
	t.Corrected = slices.DeleteFunc(t.Corrected, func(c Correction) bool { return c.ReceivedAt.After(until) })
	if len(t.Corrected) == 0 {
		t.Flags = slices.DeleteFunc(t.Flags, func(f string) bool { return f == FlagCorrectedAfterLate })
	}
}
