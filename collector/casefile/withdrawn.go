package casefile

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Flags of a case of which something was taken back.
const (
	FlagEventWithdrawn   = "event_withdrawn"   // an event of it was withdrawn: it counts nowhere
	FlagOpeningWithdrawn = "opening_withdrawn" // so was every opening of the open ticket, and nobody has confirmed it
)

// ConfirmSource is the source of the events by which a signed-in key confirms that a ticket was never opened: each is
// an event.EventWithdrawn that replaces the withdrawn opening, of another source than the opening's.
//
// PageSource is the source of what an OPD says with the button of its page.
//
// Both are reserved: events of them come from the service itself, or from a key that may confirm.
const (
	ConfirmSource = "monev112/confirm"
	PageSource    = "monev112/page"
)

// withdrawnOpenings returns the openings of a ticket that were withdrawn, where it has no other, and whether a
// signed-in key has confirmed each of them, with the receipt of the last confirmation.
func (tl *timeline) withdrawnOpenings() (openings []*event.Event, confirmed bool, at time.Time) {
	if !tl.earliestAt(event.TicketOpened).IsZero() {
		return nil, false, at
	}
	confirmed = true
	for _, e := range tl.taken {
		if e.Type == event.TicketOpened {
			openings = append(openings, e)
			heard, ok := tl.confirms[e.ID]
			if confirmed = confirmed && ok; heard.After(at) {
				at = heard
			}
		}
	}
	return openings, confirmed, at
}

// heardAfter reports whether an event that counts was received after that instant.
func (tl *timeline) heardAfter(at time.Time) bool {
	return slices.ContainsFunc(tl.events, func(e *event.Event) bool { return e.ReceivedAt.After(at) })
}

// foldWithdrawal makes of t, which was folded from tl, what is left of it where its opening was withdrawn.
//
// Confirmed, there is no such ticket, unless somebody spoke of it after that: then it is as any ticket whose opening is
// not known (FlagNotOpened). Until then what was open stays listed: an emergency must not vanish by a mistake in a
// file. Where nothing else of it is left, it is shown as it was, without stamps: no clock runs, no figure counts it
// (Events is 0).
func (t *Ticket) foldWithdrawal(tl timeline, calls CallFacts) {
	openings, confirmed, at := tl.withdrawnOpenings()
	if openings == nil {
		return
	}
	switch {
	case confirmed && tl.heardAfter(at):
		return
	case confirmed:
		*t = Ticket{Key: t.Key, State: Opened, Flags: t.Flags}
	case t.Events > 0:
		t.Withdrawn = t.State.Open()
	default:
		was := foldTicket(t.Key, tl.beforeWithdrawal(), calls)
		if t.Withdrawn = was.State.Open(); t.Withdrawn {
			t.State, t.OPD, t.Category, t.Priority, t.Kecamatan = was.State, was.OPD, was.Category, was.Priority, was.Kecamatan
			t.LastEventAt = was.LastEventAt
		}
	}
	if !t.Withdrawn {
		return
	}
	t.Flags = append(flagSet(t.Flags), FlagOpeningWithdrawn).sorted()
	for _, e := range openings {
		t.Openings = append(t.Openings, e.ID)
	}
}

// beforeWithdrawal returns tl as it was before anything was withdrawn.
func (tl *timeline) beforeWithdrawal() timeline {
	all := slices.Concat(tl.events, tl.taken)
	slices.SortFunc(all, inOrder)
	return timeline{events: all, facts: distinct(all)}
}

// Listed reports whether the ticket is shown as open: somebody has to work on it, or to confirm that nobody has.
func (t *Ticket) Listed() bool { return t.State.Open() && (t.Events > 0 || t.Withdrawn) && !t.Test() }

// Test reports whether the ticket is of test calls alone (FlagTest).
func (t *Ticket) Test() bool { return slices.Contains(t.Flags, FlagTest) }

// Standing sorts events of one subject in place and returns those that count, in the order in which they take effect.
func Standing(evs []*event.Event) []*event.Event { return slices.Clone(newTimeline(evs).events) }

// Voided returns the events that others of the same case correct or withdraw: they count for nothing. A withdrawal
// itself cannot be taken back: what is true after all is said anew, under an id of its own.
func Voided(evs []*event.Event) map[*event.Event]bool {
	out, v := map[*event.Event]bool{}, voidedBy(evs)
	for _, e := range evs {
		if _, void := v[eventID{e.Source, e.ID}]; void && e.Type != event.EventWithdrawn {
			out[e] = true
		}
	}
	return out
}
