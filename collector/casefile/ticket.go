package casefile

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Flags of a ticket. A flag marks facts that contradict each other or are missing; it changes no fact and voids no
// clock.
const (
	FlagNotOpened                   = "not_opened" // no ticket.opened is known
	FlagOpenedBeforeReceived        = "opened_before_received"
	FlagClosedBeforeOpened          = "closed_before_opened"
	FlagResolvedBeforeOpened        = "resolved_before_opened"
	FlagAssignedBeforeOpened        = "assigned_before_opened"
	FlagAcknowledgedWithoutAssigned = "acknowledged_without_assignment"
	FlagArrivedBeforeDeparted       = "arrived_before_departed"
	FlagReopenedWithoutResolution   = "reopened_without_resolution"
	FlagResumedWithoutPause         = "resumed_without_pause"
	FlagArrivedBeforeReceived       = "arrived_before_received"  // before its call, else before it was opened
	FlagPauseAndResumeAtOnce        = "pause_and_resume_at_once" // no revision tells which came first: the pause
	// A ticket was merged, and stays where it was: its master, or it itself, is not known as a ticket that was opened; the
	// reference leads back to it, or too far; its master had been resolved or closed; its master is younger, and has
	// stopped clocks that still ran here.
	FlagMasterUnknown      = "master_unknown"
	FlagMergedInCycle      = "merged_in_cycle"
	FlagMasterClosed       = "master_closed"
	FlagMasterYounger      = "master_younger"
	FlagMergedAfterStop    = "merged_after_stop"    // of a master: a clock had stopped before a ticket was merged into it
	FlagPriorityFromMember = "priority_from_member" // of a master: a ticket that was merged into it is more urgent
	// A correction or withdrawal that was first received when a clock was late took the lateness away.
	FlagCorrectedAfterLate   = "corrected_after_late"
	FlagPriorityFromCategory = "priority_from_category" // no event states one: its category's default
	FlagPriorityAssumed      = "priority_assumed"       // nor does the directory know its category: mendesak
	// Every call that it names is known and was a test: the ticket is on no board and in no measure.
	FlagTest = "test"
)

// CallFacts is what a ticket takes from its calls: their earliest t0 and t3, zero when none is known, and how many of
// them were test calls.
type CallFacts struct {
	ReceivedAt, AnsweredAt time.Time
	Tests                  int
}

// Facts returns what the call gives its tickets.
func (c *Call) Facts() CallFacts {
	f := CallFacts{ReceivedAt: c.ReceivedAt, AnsweredAt: c.AnsweredAt}
	if c.Test() {
		f.Tests = 1
	}
	return f
}

// Add takes in the facts of one more call.
func (f *CallFacts) Add(c CallFacts) {
	f.ReceivedAt = earliest(f.ReceivedAt, c.ReceivedAt)
	f.AnsweredAt = earliest(f.AnsweredAt, c.AnsweredAt)
	f.Tests += c.Tests
}

// FoldTicket folds the events of one ticket; calls is what its calls give it. It sorts evs in place and keeps
// references to their strings and places alone. Where no event is left that another does not void, Events is 0: then
// there is no such ticket.
func FoldTicket(key event.Key, evs []*event.Event, calls CallFacts) Ticket {
	tl := newTimeline(evs)
	t := foldTicket(key, tl, calls)
	t.foldWithdrawal(tl, calls)
	return t
}

func foldTicket(key event.Key, tl timeline, calls CallFacts) Ticket {
	t := Ticket{
		Key:        key,
		ReceivedAt: calls.ReceivedAt,
		AnsweredAt: calls.AnsweredAt,
		OpenedAt:   tl.earliestAt(event.TicketOpened),
		DepartedAt: tl.earliestAt(event.TicketDeparted),
		ArrivedAt:  tl.earliestAt(event.TicketArrived),
		ClosedAt:   tl.latestAt(event.TicketClosed),
		RejectedAt: tl.latestAt(event.TicketRejected),
		Category:   tl.detail(func(e *event.Event) string { return e.Category }),
		Priority:   tl.detail(func(e *event.Event) string { return e.Priority }),
		Kecamatan:  tl.detail(func(e *event.Event) string { return e.Kecamatan }),
		Events:     len(tl.events),
		Origin:     foldOrigin(tl, event.TicketOpened, event.TicketAssigned),
	}
	t.FirstClosedAt = tl.earliestAt(event.TicketClosed)
	t.ResolvedAt = tl.earliestAt(event.TicketResolved)
	last := tl.latest(event.TicketResolved)
	t.LastResolvedAt, t.ResolvedHeard = last.OccurredAt, tl.heardAt(last)
	t.OpenedHeardAt = tl.heardAt(tl.earliest(event.TicketOpened))
	merged := tl.latest(event.TicketMerged)
	t.MergedAt, t.Master = merged.OccurredAt, merged.Master
	for _, e := range tl.events {
		t.Calls = append(t.Calls, e.Calls...)
		if !e.Due.IsZero() {
			t.Due, t.DueOPD = e.Due, e.OPD
		}
		if e.Lat != nil && e.Lon != nil {
			t.Lat, t.Lon = e.Lat, e.Lon
		}
		t.LastEventAt = e.OccurredAt
	}
	slices.Sort(t.Calls)
	t.Calls = slices.Compact(t.Calls)

	var flags flagSet
	t.foldStays(tl, &flags)
	t.foldPauses(tl, &flags)
	t.foldChanges(tl)
	reopened := t.foldReopenings(tl, &flags)
	t.foldConfirmation(tl)
	t.State = t.state(tl.facts[reopened:])

	flags.add(len(tl.taken) > 0, FlagEventWithdrawn)
	flags.add(len(t.Calls) >= MaxCalls || len(t.Assignments) > MaxStays || len(t.Pauses) > MaxPauses ||
		len(t.Changes) > MaxChanges || tl.full, FlagCaseFull)
	t.Pauses = t.Pauses[:min(len(t.Pauses), MaxPauses)]
	flags.add(len(t.Calls) > 0 && calls.Tests == len(t.Calls), FlagTest)
	flags.add(t.OpenedAt.IsZero(), FlagNotOpened)
	flags.add(before(t.OpenedAt, t.ReceivedAt), FlagOpenedBeforeReceived)
	flags.add(before(t.ClosedAt, t.OpenedAt), FlagClosedBeforeOpened)
	flags.add(before(t.ResolvedAt, t.OpenedAt), FlagResolvedBeforeOpened)
	flags.add(before(t.AssignedAt, t.OpenedAt), FlagAssignedBeforeOpened)
	flags.add(before(t.ArrivedAt, t.DepartedAt), FlagArrivedBeforeDeparted)
	flags.add(tl.blanked(), FlagFieldBlanked)
	flags.add(before(t.ArrivedAt, first(t.ReceivedAt, t.OpenedAt)), FlagArrivedBeforeReceived)
	t.Flags = flags.sorted()
	return t
}

// foldStays reads where the ticket was: a stay begins with a change of OPD and ends with the next or with a rejection,
// which sends the ticket back to the centre. An acknowledgement belongs to the stay that lasts.
func (t *Ticket) foldStays(tl timeline, flags *flagSet) {
	for _, e := range tl.facts {
		stay, n := t.stay(), len(t.Assignments)
		switch e.Type {
		case event.TicketAssigned:
			if stay != nil {
				if stay.OPD == e.OPD {
					continue
				}
				stay.EndedAt = e.OccurredAt
			}
			if n > 0 && t.Assignments[n-1].OPD != e.OPD {
				t.Bounces++
			}
			t.Assignments = append(t.Assignments, Assignment{OPD: e.OPD, At: e.OccurredAt, HeardAt: tl.heardAt(e)})
		case event.TicketRejected:
			if stay != nil {
				stay.EndedAt = e.OccurredAt
			}
		case event.TicketAcknowledged:
			flags.add(stay == nil, FlagAcknowledgedWithoutAssigned)
			if stay != nil {
				stay.AcknowledgedAt = earliest(stay.AcknowledgedAt, e.OccurredAt)
			} else if n == 0 {
				t.AcknowledgedAt = earliest(t.AcknowledgedAt, e.OccurredAt)
			}
		}
	}
	if n := len(t.Assignments); n > 0 {
		t.AssignedAt = t.Assignments[0].At
		t.AcknowledgedAt = t.Assignments[n-1].AcknowledgedAt
	}
	if stay := t.stay(); stay != nil {
		t.OPD = stay.OPD
	}
}

// stay returns the assignment that lasts, nil while the ticket is at the centre.
func (t *Ticket) stay() *Assignment {
	if n := len(t.Assignments); n > 0 && t.Assignments[n-1].EndedAt.IsZero() {
		return &t.Assignments[n-1]
	}
	return nil
}

// foldReopenings finds when the ticket was handled, counts the reopenings that follow a resolution or closing, and
// returns how many facts there are up to and with the last of them.
func (t *Ticket) foldReopenings(tl timeline, flags *flagSet) (upTo int) {
	done := false
	for i, e := range tl.facts {
		switch e.Type {
		case event.TicketResolved, event.TicketClosed:
			if !done {
				t.Handled = append(t.Handled, Span{From: e.OccurredAt})
			}
			done = true
		case event.TicketReopened:
			flags.add(!done, FlagReopenedWithoutResolution)
			if done {
				t.Handled[len(t.Handled)-1].To = e.OccurredAt
				t.Reopened++
				t.ReopenedAt = e.OccurredAt
				done, upTo = false, i+1
			}
		}
	}
	return upTo
}

// foldConfirmation finds the earliest confirmation after the latest resolution.
func (t *Ticket) foldConfirmation(tl timeline) {
	for _, e := range tl.facts {
		if e.Type == event.TicketConfirmed && !e.OccurredAt.Before(t.LastResolvedAt) {
			t.ConfirmedAt, t.Result = e.OccurredAt, e.Result
			return
		}
	}
}

// state is the furthest the ticket has come since it last went back: to the centre, to another OPD or by reopening.
// facts are those after the last reopening that counts.
func (t *Ticket) state(facts []*event.Event) State {
	var since time.Time
	reached := func(typ event.Type) bool {
		return slices.ContainsFunc(facts, func(e *event.Event) bool {
			return e.Type == typ && !e.OccurredAt.Before(since)
		})
	}
	n := len(t.Assignments)
	switch {
	case reached(event.TicketClosed):
		return Closed
	case !t.ConfirmedAt.IsZero() && !t.ConfirmedAt.Before(t.ReopenedAt):
		return Confirmed
	case reached(event.TicketResolved):
		return Resolved
	case t.OPD == "" && !t.RejectedAt.IsZero():
		return Rejected
	}
	if n > 0 {
		since = t.Assignments[n-1].At
	}
	switch {
	case reached(event.TicketArrived):
		return Arrived
	case reached(event.TicketDeparted):
		return Departed
	case !t.AcknowledgedAt.IsZero():
		return Acknowledged
	case n > 0:
		return Assigned
	}
	return Opened
}
