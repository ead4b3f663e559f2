package kendala

import (
	"cmp"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// Group is what the causes of an indicator are counted by.
type Group struct{ Indicator, Scope, OPD string }

func compareCases(a, b store.CauseCase) int {
	return cmp.Or(cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Seq, b.Seq))
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

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// within returns t, or last where t is unknown or later.
func within(t, last time.Time) time.Time {
	if t.IsZero() || t.After(last) {
		return last
	}
	return t
}

// part is how much of a span lies between two instants.
func part(from, to, begun, last time.Time) time.Duration {
	return max(0, within(to, last).Sub(later(from, begun)))
}

// ticketCause tells why a clock is late, and of a pause its reason.
func (p *partition) ticketCause(k *sla.Clock) (cause, reason string) {
	t := p.f.Tickets[k.Key.ID]
	if t == nil {
		return Data, ""
	}
	begun, last := k.StartedAt, within(k.StoppedAt, p.f.At)
	stopped := !k.StoppedAt.IsZero() && !k.StoppedAt.After(p.f.At)
	due := first(k.GrossDueAt, k.BreachAt)
	target := due.Sub(begun)
	handled := t.HandledAt()
	segment := func(from, to time.Time, own map[string]time.Duration) bool {
		return within(to, last).Sub(from) > p.limits.Of(own, k.Priority)
	}
	pauses := p.pauses(t)
	paused := func(from time.Time) (sum time.Duration) {
		for _, s := range pauses {
			sum += part(s.From, s.To, from, last)
		}
		return sum
	}
	switch {
	case t.OpenedAt.IsZero(), before(t.OpenedAt, t.ReceivedAt), before(t.AssignedAt, t.OpenedAt),
		before(handled, t.OpenedAt),
		before(t.ArrivedAt, t.DepartedAt), before(t.ArrivedAt, first(t.ReceivedAt, t.OpenedAt)),
		!stopped && k.Name == sla.Arrive && !handled.IsZero(),
		!stopped && k.Name == sla.Confirm && !t.ClosedAt.IsZero() && !t.LastResolvedAt.IsZero() &&
			!t.ClosedAt.Before(t.LastResolvedAt):
		return Data, ""
	case first(t.AssignedAt, last).After(begun) &&
		segment(first(t.AnsweredAt, t.OpenedAt), t.AssignedAt, p.limits.Dispatch):
		return Dispatch, ""
	case k.Name != sla.Acknowledge && time.Duration(p.limits.BounceTimes)*elsewhere(t, begun, last) > target:
		return Bounce, ""
	case k.Name == sla.Acknowledge, slices.ContainsFunc(p.f.LateAcknowledged[t.Key.ID], func(at time.Time) bool {
		return at.After(begun) && at.Before(last)
	}):
		return Acknowledge, ""
	case !t.AcknowledgedAt.IsZero() && !t.AcknowledgedAt.Before(begun) &&
		(!t.DepartedAt.IsZero() && !t.DepartedAt.Before(t.AcknowledgedAt) ||
			t.DepartedAt.IsZero() && k.Name == sla.Arrive && t.ArrivedAt.IsZero()) &&
		segment(t.AcknowledgedAt, t.DepartedAt, p.limits.Turnout):
		return Turnout, ""
	case !t.DepartedAt.IsZero() && !t.DepartedAt.Before(begun) && (!t.ArrivedAt.IsZero() || k.Name == sla.Arrive) &&
		segment(t.DepartedAt, t.ArrivedAt, p.limits.Travel):
		return Travel, ""
	case k.BreachAt.After(due) && last.Sub(due) <= paused(begun):
		return Pause, longest(pauses, begun, last)
	}
	if k.Name == sla.Resolve || k.Name == sla.ResolveTotal || k.Name == sla.Given {
		work := first(t.ArrivedAt, t.DepartedAt, t.AcknowledgedAt)
		if n := len(t.Assignments); work.IsZero() && n > 0 {
			work = t.Assignments[n-1].At
		}
		if work = later(begun, work); last.Sub(work)-paused(work) > target {
			return Work, ""
		}
	}
	return Unexplained, ""
}

// pauses are those of a ticket that may let a clock stand still.
func (p *partition) pauses(t *casefile.Ticket) []casefile.Pause {
	return slices.DeleteFunc(slices.Clone(t.PausedSpans()), func(s casefile.Pause) bool {
		return !p.limits.Paused(s.Reason)
	})
}

// longest is the reason of the pause that lasted longest between two instants.
func longest(pauses []casefile.Pause, begun, last time.Time) (reason string) {
	most := time.Duration(-1)
	for _, s := range pauses {
		if d := part(s.From, s.To, begun, last); d > most || d == most && s.Reason < reason {
			most, reason = d, s.Reason
		}
	}
	return reason
}

// elsewhere is how long a ticket was at OPDs that were not the last.
func elsewhere(t *casefile.Ticket, begun, last time.Time) (sum time.Duration) {
	n := len(t.Assignments)
	for _, a := range t.Assignments {
		if a.OPD != t.Assignments[n-1].OPD {
			sum += part(a.At, a.EndedAt, begun, last)
		}
	}
	return sum
}
