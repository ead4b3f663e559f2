package casefile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// SameFactWithin is how far apart two sources may stamp one and the same fact: equal type and value of one subject
// within it, from different sources, count once.
const SameFactWithin = 2 * time.Second

// timeline is the set of a case's events made canonical, by time.
type timeline struct {
	events []*event.Event // each id once, without those that another voids: what details are read from
	facts  []*event.Event // events, less what another source repeats: what stamps and counts are read from

	voided voided
	taken  []*event.Event // the events that another withdraws, by time
	// confirms are the first receipts of ConfirmSource's withdrawals, by the id that each replaces
	confirms map[string]time.Time
	full     bool // the case has reached a bound
}

// newTimeline sorts evs in place, and shares it where all of them stand. The result depends on the set of events only,
// never on their order.
func newTimeline(evs []*event.Event) timeline {
	slices.SortFunc(evs, inOrder)
	tl := timeline{voided: voidedBy(evs), full: fullCase(evs)}
	for i, e := range evs {
		if e.Type == event.EventWithdrawn && e.Source == ConfirmSource {
			if tl.confirms == nil {
				tl.confirms = map[string]time.Time{}
			}
			tl.confirms[e.Replaces] = earliest(tl.confirms[e.Replaces], e.ReceivedAt)
		}
		if e.Type == event.EventWithdrawn || i > 0 && evs[i-1].ID == e.ID && evs[i-1].Source == e.Source {
			continue // it speaks of another event alone, or stands here twice
		}
		switch withdrawn, void := tl.voided[eventID{e.Source, e.ID}]; {
		case !void && len(tl.events) == i:
			tl.events = evs[: i+1 : i+1]
		case !void:
			tl.events = append(tl.events, e)
		case withdrawn:
			tl.taken = append(tl.taken, e)
		}
	}
	tl.facts = distinct(tl.events)
	return tl
}

// eventID is what a correction names an event by: its own source, and an id.
type eventID struct{ source, id string }

// voided are the events that others of the case void, true where one withdraws it. No event voids itself.
type voided map[eventID]bool

// voidedBy returns what the events void; nil where they void nothing.
func voidedBy(evs []*event.Event) (v voided) {
	for _, e := range evs {
		if e.Replaces == "" || e.Replaces == e.ID {
			continue
		}
		if v == nil {
			v = voided{}
		}
		id := eventID{e.Source, e.Replaces}
		v[id] = v[id] || e.Type == event.EventWithdrawn
	}
	return v
}

// inOrder is the order in which events take effect: by time, then a rejection before the assignment that answers it,
// then by type as a case lives, then by revision and id, so that the greater one counts as the later. Of one event that
// came twice the first receipt stands first.
func inOrder(a, b *event.Event) int {
	if c := a.OccurredAt.Compare(b.OccurredAt); c != 0 {
		return c // nearly always
	}
	return cmp.Or(
		cmp.Compare(rank(a.Type), rank(b.Type)),
		cmp.Compare(a.Revision, b.Revision),
		compareIDs(a.ID, b.ID),
		strings.Compare(a.Source, b.Source),
		slices.Compare(a.Digest[:], b.Digest[:]),
		a.ReceivedAt.Compare(b.ReceivedAt),
	)
}

// compareIDs compares ids as people number them: digits in a row by their value, so that 9 stands before 10.
func compareIDs(a, b string) int {
	for x, y := a, b; x != "" && y != ""; {
		n, m := digits(x), digits(y)
		if n == 0 || m == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		u, v := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
		if c := cmp.Or(cmp.Compare(len(u), len(v)), strings.Compare(u, v)); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func rank(t event.Type) int {
	if t == event.TicketRejected {
		return 2*int(event.TicketAssigned) - 1
	}
	return 2 * int(t)
}

// distinct leaves out what another source says again, in one pass: however many events lie within SameFactWithin.
func distinct(events []*event.Event) []*event.Event {
	if !slices.ContainsFunc(events, func(e *event.Event) bool { return e.Source != events[0].Source }) {
		return events
	}
	said := map[fact]lastSaid{}
	facts := make([]*event.Event, 0, len(events))
	for _, e := range events {
		f := fact{e.Type, value(e)}
		last, known := said[f]
		by := last.at // when another source said so last
		if last.source == e.Source {
			by = last.otherAt
		}
		if known && !by.IsZero() && e.OccurredAt.Sub(by) <= SameFactWithin {
			continue
		}
		if known && last.source != e.Source {
			last.otherAt = last.at
		}
		last.source, last.at = e.Source, e.OccurredAt
		said[f] = last
		facts = append(facts, e)
	}
	return facts
}

// fact is what two sources may say of one case.
type fact struct {
	typ   event.Type
	value string
}

// lastSaid is when a fact was said last, by which source, and when last by any other.
type lastSaid struct {
	source      string
	at, otherAt time.Time
}

// value is what makes two events of one type the same fact.
func value(e *event.Event) string {
	switch e.Type {
	case event.CallClassified:
		return e.Class
	case event.CallRinging, event.CallRingNoAnswer:
		return e.Position + "\x00" + e.Agent
	case event.CallUnserved, event.TicketPaused:
		return e.Reason
	case event.TicketAssigned:
		return e.OPD
	case event.TicketConfirmed, event.AgentState:
		return e.Result
	case event.TicketMerged:
		return e.Master
	}
	return ""
}

// none is the event where there is none; it is never written to.
var none event.Event

// earliest returns the first fact of type t, else none; of several at that instant the one with the higher revision,
// then id.
func (tl timeline) earliest(t event.Type) *event.Event {
	first := &none
	for _, e := range tl.facts {
		if e.Type == t && (first == &none || e.OccurredAt.Equal(first.OccurredAt)) {
			first = e
		}
	}
	return first
}

// latest returns the last fact of type t, else none.
func (tl timeline) latest(t event.Type) *event.Event {
	for _, e := range slices.Backward(tl.facts) {
		if e.Type == t {
			return e
		}
	}
	return &none
}

func (tl timeline) earliestAt(t event.Type) time.Time { return tl.earliest(t).OccurredAt }
func (tl timeline) latestAt(t event.Type) time.Time   { return tl.latest(t).OccurredAt }

// detail returns the latest non-empty value that field reads from the events.
func (tl timeline) detail(field func(*event.Event) string) string {
	for _, e := range slices.Backward(tl.events) {
		if v := field(e); v != "" {
			return v
		}
	}
	return ""
}

// lastOutcome returns the latest event that says what came of a question, else none.
func (tl timeline) lastOutcome() *event.Event {
	for _, e := range slices.Backward(tl.events) {
		if e.Outcome != "" {
			return e
		}
	}
	return &none
}

// heardAt is when the fact of e was first received, from whichever source; zero for none.
func (tl timeline) heardAt(e *event.Event) time.Time {
	heard := e.ReceivedAt
	at, _ := slices.BinarySearchFunc(tl.events, e.OccurredAt.Add(-SameFactWithin), func(f *event.Event, t time.Time) int {
		return f.OccurredAt.Compare(t)
	})
	for _, f := range tl.events[at:] {
		if f.OccurredAt.Sub(e.OccurredAt) > SameFactWithin {
			break
		}
		if f.Type == e.Type && value(f) == value(e) && f.ReceivedAt.Before(heard) {
			heard = f.ReceivedAt
		}
	}
	return heard
}

// first returns the first of the instants that is known.
func first(instants ...time.Time) time.Time {
	for _, t := range instants {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// earliest returns the earliest of the instants that are known.
func earliest(instants ...time.Time) (first time.Time) {
	for _, t := range instants {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// before reports whether both instants are known and a lies before b.
func before(a, b time.Time) bool { return !a.IsZero() && !b.IsZero() && a.Before(b) }

// flagSet collects flags; sorted returns them in a fixed order.
type flagSet []string

func (f *flagSet) add(when bool, flag string) {
	if when {
		*f = append(*f, flag)
	}
}

func (f flagSet) sorted() []string {
	slices.Sort(f)
	return slices.Compact(f)
}
