package casefile

import (
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Span is a time from an instant on; To is zero while it lasts.
type Span struct{ From, To time.Time }

// Pause is an interval in which a ticket's clocks may stand still. To is zero while it lasts.
type Pause struct {
	From, To time.Time
	Reason   string
	HeardAt  time.Time // when the pause was first received
}

// Paused reports whether the ticket is paused at its latest known fact.
func (t *Ticket) Paused() bool { return !t.PausedSince().IsZero() }

// PausedSince is when the pause that lasts began, zero when none does.
func (t *Ticket) PausedSince() time.Time {
	for _, p := range t.Pauses {
		if p.To.IsZero() {
			return p.From
		}
	}
	return time.Time{}
}

// PausedSpans returns the time that the ticket was paused, each instant once: disjoint, by From. Where pauses overlap a
// span ends, and the next has the reasons of all of them, joined by "+".
func (t *Ticket) PausedSpans() []Pause {
	if len(t.Pauses) < 2 {
		return t.Pauses
	}
	var cuts []time.Time
	open := false
	for _, p := range t.Pauses {
		cuts = append(cuts, p.From)
		if p.To.IsZero() {
			open = true
		} else {
			cuts = append(cuts, p.To)
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	if open {
		cuts = append(cuts, time.Time{})
	}
	var spans []Pause
	for i := range len(cuts) - 1 {
		var reasons []string
		span := Pause{From: cuts[i], To: cuts[i+1]}
		for _, p := range t.Pauses {
			if !p.From.After(span.From) && (p.To.IsZero() || p.To.After(span.From)) {
				reasons = append(reasons, p.Reason)
				span.HeardAt = earliest(span.HeardAt, p.HeardAt)
			}
		}
		if reasons == nil {
			continue
		}
		slices.Sort(reasons)
		span.Reason = strings.Join(slices.Compact(reasons), "+")
		if n := len(spans); n > 0 && spans[n-1].To.Equal(span.From) && spans[n-1].Reason == span.Reason {
			spans[n-1].To = span.To
		} else {
			spans = append(spans, span)
		}
	}
	return spans
}

// foldPauses finds the pauses. Each runs until the next resumption, resolution or closing: what is handled no longer
// waits. A pause within another of the same reason counts only where it was heard of earlier than that one.
func (t *Ticket) foldPauses(tl timeline, flags *flagSet) {
	facts := tl.facts
	var running []int // of t.Pauses
	orphan := false   // a resumption of nothing
	for i := 0; i < len(tl.events); {
		instant := tl.events[i].OccurredAt
		var paused, resumed []*event.Event
		done := false
		for ; i < len(tl.events) && tl.events[i].OccurredAt.Equal(instant); i++ {
			e := tl.events[i]
			fact := len(facts) > 0 && facts[0] == e
			if fact {
				facts = facts[1:]
			}
			switch {
			case e.Type == event.TicketPaused:
				paused = append(paused, e)
			case e.Type == event.TicketResumed && fact:
				resumed = append(resumed, e)
			case e.Type == event.TicketResolved || e.Type == event.TicketClosed:
				done = true
			}
		}
		if paused == nil && resumed == nil && !done {
			continue
		}
		orphan = orphan || resumed != nil && paused == nil && len(running) == 0
		if resumed != nil || done {
			for _, p := range running {
				t.Pauses[p].To = instant
			}
			running = running[:0]
		}
		if paused == nil || done {
			continue
		}
		if resumed != nil {
			last, chosen := resumedLast(paused, resumed)
			flags.add(chosen, FlagPauseAndResumeAtOnce)
			if last {
				continue
			}
		}
		for _, e := range paused {
			p := Pause{From: instant, Reason: e.Reason, HeardAt: e.ReceivedAt}
			if !slices.ContainsFunc(running, func(i int) bool {
				q := &t.Pauses[i]
				return q.Reason == p.Reason && !q.HeardAt.After(p.HeardAt)
			}) {
				t.Pauses = append(t.Pauses, p)
				running = append(running, len(t.Pauses)-1)
			}
		}
	}
	// A state log writes a resumption whenever work goes on: of a ticket that was never paused it says nothing.
	flags.add(orphan && len(t.Pauses) > 0, FlagResumedWithoutPause)
}

// resumedLast reports whether, of pauses and resumptions of one instant, a resumption came last: one that its own
// source ordered behind every pause, by revision, else by id. Else the pause did; chosen says that no order of the
// source told so.
func resumedLast(paused, resumed []*event.Event) (last, chosen bool) {
	for _, r := range resumed {
		behind := true
		for _, p := range paused {
			if p.Source != r.Source {
				behind, chosen = false, true
			} else if p.Revision == r.Revision {
				behind = behind && compareIDs(p.ID, r.ID) < 0
				chosen = true
			} else {
				behind = behind && p.Revision < r.Revision
			}
		}
		if behind {
			return true, false
		}
	}
	return false, chosen
}
