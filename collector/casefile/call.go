package casefile

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Flags of a call. A flag marks facts that contradict each other or are missing; it changes no fact.
const (
	FlagAnsweredBeforeReceived = "answered_before_received"
	FlagQueuedBeforeReceived   = "queued_before_received"
	FlagAnsweredBeforeQueued   = "answered_before_queued"
	FlagEndedBeforeAnswered    = "ended_before_answered"
	FlagAnsweredAndAbandoned   = "answered_and_abandoned"
	FlagClassWithoutAnswer     = "class_without_answer" // a class implies an answer that no source stamped
	FlagReferenceIgnored       = "reference_ignored"    // it names calls or a master, which only tickets do
)

// FoldCall folds the events of one call; tickets are the ids of tickets that name it. It sorts evs in place and keeps
// references to their strings alone. Where no event is left that another does not void, Events is 0: then there is no
// such call.
func FoldCall(key event.Key, evs []*event.Event, tickets []string) Call {
	tl := newTimeline(evs)
	c := Call{
		Key:            key,
		ReceivedAt:     tl.earliestAt(event.CallReceived),
		QueuedAt:       tl.earliestAt(event.CallQueued),
		AnsweredAt:     tl.earliestAt(event.CallAnswered),
		AbandonedAt:    tl.earliestAt(event.CallAbandoned),
		UnservedAt:     tl.earliestAt(event.CallUnserved),
		UnservedReason: tl.earliest(event.CallUnserved).Reason,
		BlockedAt:      tl.earliestAt(event.CallBlocked),
		EndedAt:        tl.latestAt(event.CallEnded),
		ClassifiedAt:   tl.latestAt(event.CallClassified),
		FirstClassAt:   tl.earliestAt(event.CallClassified),
		CalledBackAt:   tl.earliestAt(event.CallCalledBack),
		Queue:          tl.detail(func(e *event.Event) string { return e.Queue }),
		Channel:        tl.detail(func(e *event.Event) string { return e.Channel }),
		Kecamatan:      tl.detail(func(e *event.Event) string { return e.Kecamatan }),
		Category:       tl.detail(func(e *event.Event) string { return e.Category }),
		Position:       tl.detail(func(e *event.Event) string { return e.Position }),
		Class:          tl.latestWord(event.CallClassified, func(e *event.Event) string { return e.Class }).Class,
		Outcome:        tl.lastOutcome().Outcome,
		Tickets:        tickets,
		Events:         len(tl.events),
		Origin:         foldOrigin(tl, event.CallReceived, event.CallQueued),
	}
	if c.Outcome == event.OutcomeDirujuk {
		c.ReferredTo = tl.lastOutcome().OPD
	}
	answer := tl.earliest(event.CallAnswered)
	if c.Agent = answer.Agent; c.Agent == "" {
		c.Agent = tl.detail(func(e *event.Event) string {
			switch e.Type {
			case event.CallAnswered, event.CallEnded, event.CallClassified:
				return e.Agent
			}
			return ""
		})
	}
	if c.WaitMS = answer.WaitMS; c.AnsweredAt.IsZero() {
		c.WaitMS = tl.earliest(event.CallAbandoned).WaitMS
	}
	for _, e := range tl.facts {
		if e.Type == event.CallRingNoAnswer {
			c.RingNoAnswers = append(c.RingNoAnswers, Ring{e.OccurredAt, e.Position})
		}
	}
	if i := slices.IndexFunc(tl.events, func(e *event.Event) bool { return e.Caller.Key != "" }); i >= 0 {
		c.Caller = tl.events[i].Caller
	}
	var flags flagSet
	flags.add(len(tl.taken) > 0, FlagEventWithdrawn)
	flags.add(len(tickets) >= MaxTickets || tl.full, FlagCaseFull)
	flags.add(before(c.AnsweredAt, c.ReceivedAt), FlagAnsweredBeforeReceived)
	flags.add(before(c.QueuedAt, c.ReceivedAt), FlagQueuedBeforeReceived)
	flags.add(before(c.AnsweredAt, c.QueuedAt), FlagAnsweredBeforeQueued)
	flags.add(before(c.EndedAt, c.AnsweredAt), FlagEndedBeforeAnswered)
	flags.add(!c.AnsweredAt.IsZero() && !c.AbandonedAt.IsZero(), FlagAnsweredAndAbandoned)
	flags.add(c.Classified() && c.AnsweredAt.IsZero(), FlagClassWithoutAnswer)
	flags.add(tl.blanked(), FlagFieldBlanked)
	flags.add(slices.ContainsFunc(tl.events, func(e *event.Event) bool {
		return len(e.Calls) > 0 || e.Master != ""
	}), FlagReferenceIgnored)
	c.Flags = flags.sorted()
	return c
}

// At is the instant by which the call belongs to an hour, shift, day or month: when it came in (t0), else when it
// entered the queue, else its earliest stamp.
func (c *Call) At() time.Time {
	switch {
	case !c.ReceivedAt.IsZero():
		return c.ReceivedAt
	case !c.QueuedAt.IsZero():
		return c.QueuedAt
	}
	return earliest(c.AnsweredAt, c.AbandonedAt, c.UnservedAt, c.BlockedAt, c.FirstClassAt, c.EndedAt, c.CalledBackAt)
}

// Test reports whether the call was a test call, which no measure counts.
func (c *Call) Test() bool { return c.Class == event.ClassUji }

// Classified reports whether the call has a class that says something.
func (c *Call) Classified() bool { return c.Class != "" && c.Class != event.ClassBelum }

// Hoax reports whether the call is in the numerator of the hoax ratio. A silent caller (ghost) is not.
func (c *Call) Hoax() bool { return event.Hoax(c.Class) }

// Answered reports whether the call was answered: stamped so, or classified, which implies it.
func (c *Call) Answered() bool { return !c.AnsweredAt.IsZero() || c.Classified() }

// OfferedAt is when the call entered the queue, else when it came in; zero when neither is known or the call was
// blocked or a test: such a call was not offered to the call floor.
func (c *Call) OfferedAt() time.Time {
	if !c.BlockedAt.IsZero() || c.Test() {
		return time.Time{}
	}
	return c.queuedOrReceived()
}

// AnswerTime is how long the caller waited for an answer: as the source measured it, else t3-t1, else t3-t0. It is
// absent without an answer stamp or without a start, and where the stamps contradict each other.
func (c *Call) AnswerTime() (time.Duration, bool) { return c.waitUntil(c.AnsweredAt) }

// AbandonTime is how long the caller waited before hanging up; absent as in AnswerTime.
func (c *Call) AbandonTime() (time.Duration, bool) {
	if !c.AnsweredAt.IsZero() {
		return 0, false
	}
	return c.waitUntil(c.AbandonedAt)
}

// waitUntil is how long the caller waited until an instant, which is zero when it is not known.
func (c *Call) waitUntil(at time.Time) (time.Duration, bool) {
	if c.WaitMS != nil && !at.IsZero() {
		return time.Duration(*c.WaitMS) * time.Millisecond, true
	}
	return Between(c.queuedOrReceived(), at)
}

func (c *Call) queuedOrReceived() time.Time {
	if !c.QueuedAt.IsZero() {
		return c.QueuedAt
	}
	return c.ReceivedAt
}

// Between is how long it took from one instant to another; false unless both are known and in order.
func Between(from, to time.Time) (time.Duration, bool) {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return 0, false
	}
	return to.Sub(from), true
}
