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

// timeline is the set of a case's events made canonical: each id once, voided ones left out, by time.
type timeline struct {
	said  []*event.Event // every event that is not void: what details are read from
	facts []*event.Event // said, less the repetitions of a fact by another source: what stamps and counts are read from
}

// newTimeline sorts evs in place. The result depends on the set of events only, never on their order.
func newTimeline(evs []*event.Event) timeline {
	slices.SortFunc(evs, inOrder)
	var corrections []*event.Event
	for _, e := range evs {
		if e.Replaces != "" {
			corrections = append(corrections, e)
		}
	}
	said := make([]*event.Event, 0, len(evs))
	for i, e := range evs {
		if i > 0 && sameID(evs[i-1], e) || voided(corrections, e) {
			continue
		}
		said = append(said, e)
	}
	return timeline{said: said, facts: distinct(said)}
}

// inOrder is the order in which events take effect: by time, then a rejection before the assignment that answers it,
// then by type as a case lives, then by revision and id, so that the greater one counts as the later.
func inOrder(a, b *event.Event) int {
	return cmp.Or(
		a.OccurredAt.Compare(b.OccurredAt),
		cmp.Compare(rank(a.Type), rank(b.Type)),
		cmp.Compare(a.Revision, b.Revision),
		strings.Compare(a.ID, b.ID),
		strings.Compare(a.Source, b.Source),
		slices.Compare(a.Digest[:], b.Digest[:]),
	)
}

func rank(t event.Type) int {
	if t == event.TicketRejected {
		return 2*int(event.TicketAssigned) - 1
	}
	return 2 * int(t)
}

func sameID(a, b *event.Event) bool { return a.ID == b.ID && a.Source == b.Source }

// voided reports whether one of the corrections, all events that replace another, is of e's source and replaces e. They
// are few: a scan beats an index.
func voided(corrections []*event.Event, e *event.Event) bool {
	for _, r := range corrections {
		if r.Replaces == e.ID && r.Source == e.Source && r.ID != e.ID {
			return true
		}
	}
	return false
}

func distinct(said []*event.Event) []*event.Event {
	var kept []*event.Event
	for i, e := range said {
		repeated := false
		for j := i - 1; j >= 0 && e.OccurredAt.Sub(said[j].OccurredAt) <= SameFactWithin; j-- {
			f := said[j]
			if f.Type == e.Type && f.Source != e.Source && value(f) == value(e) && (kept == nil || slices.Contains(kept, f)) {
				repeated = true
				break
			}
		}
		if repeated && kept == nil {
			kept = append(make([]*event.Event, 0, len(said)), said[:i]...)
		}
		if !repeated && kept != nil {
			kept = append(kept, e)
		}
	}
	if kept == nil {
		return said
	}
	return kept
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

// earliest returns the first fact of type t; of several at that instant the one with the higher revision, then id.
func (tl timeline) earliest(t event.Type) *event.Event {
	var first *event.Event
	for _, e := range tl.facts {
		if e.Type == t && (first == nil || e.OccurredAt.Equal(first.OccurredAt)) {
			first = e
		}
	}
	return first
}

func (tl timeline) latest(t event.Type) *event.Event {
	for _, e := range slices.Backward(tl.facts) {
		if e.Type == t {
			return e
		}
	}
	return nil
}

func (tl timeline) earliestAt(t event.Type) time.Time { return at(tl.earliest(t)) }
func (tl timeline) latestAt(t event.Type) time.Time   { return at(tl.latest(t)) }

func at(e *event.Event) time.Time {
	if e == nil {
		return time.Time{}
	}
	return e.OccurredAt
}

// detail returns the latest non-empty value that field reads from the events.
func (tl timeline) detail(field func(*event.Event) string) string {
	for _, e := range slices.Backward(tl.said) {
		if v := field(e); v != "" {
			return v
		}
	}
	return ""
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
