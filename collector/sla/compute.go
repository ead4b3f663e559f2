package sla

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// The scopes of an OPD.
const (
	ScopeOwn      = "own"      // within the regency's power; also a ticket that is at the centre
	ScopeVertical = "vertical" // PLN, Polresta and others: measured and shown apart, never paged
	ScopeUnknown  = "unknown"
)

// Call returns the clocks of a call: one, answer, or none where no policy line applies or no start is known.
//
// The clock stops at the answer; as late as the source measured it where it did (casefile.Call.WaitMS). A caller who
// hung up, or whom the centre did not serve, before the due time voids it; after the due time it stays breached. It is
// also void for a blocked call, a test, and a call that ended or was classified although nobody stamped its answer: how
// long that caller waited is not known.
func (b *Book) Call(c *casefile.Call) []Clock {
	return b.AppendCall(nil, c)
}

// AppendCall appends what Call returns to dst.
func (b *Book) AppendCall(dst []Clock, c *casefile.Call) []Clock {
	rules := b.rulesOf(c.Key.Center)
	q := [dims]string{dimCenter: c.Key.Center}
	l := rules.at(c.At().UnixMilli()).line(clockIndex(Answer), &q)
	if l == nil {
		return dst
	}
	start := c.ReceivedAt
	if slices.Contains(l.Start, FactQueued) {
		start = firstOf(c.QueuedAt, c.ReceivedAt)
	}
	if start.IsZero() {
		return dst
	}
	var stop, end time.Time
	switch {
	case !c.AnsweredAt.IsZero():
		stop = c.AnsweredAt
		if from := firstOf(c.QueuedAt, c.ReceivedAt); c.WaitMS != nil && !from.IsZero() {
			stop = from.Add(time.Duration(*c.WaitMS) * time.Millisecond)
		}
	default:
		end = earliest(c.AbandonedAt, c.UnservedAt)
	}
	k := Clock{Key: c.Key, Name: Answer, Seq: 1, Scope: ScopeOwn, Category: c.Category, Kecamatan: c.Kecamatan}
	k.set(l, rules.calendar, start, stop, end, nil)
	if stop.IsZero() && end.IsZero() && (!c.EndedAt.IsZero() || c.Classified()) || !c.BlockedAt.IsZero() || c.Test() {
		k.Void = true
	}
	return append(dst, k)
}

// Ticket returns the clocks of a ticket: one of each stay at an OPD (acknowledge) and one of each other name for which
// a policy line applies and a start is known. scopeOf gives the scope of an OPD. The result depends on the facts only.
//
// Which line gives a citizen's clock its target is settled by the OPD that the ticket came to first: a change of OPD
// neither restarts nor lengthens it. The clock's OPD and scope are those of the present OPD. A clock whose case ended
// without the fact that stops it (a stay that ended unacknowledged, a closing without arrival) is void when that was in
// time, and breached when it was late.
func (b *Book) Ticket(t *casefile.Ticket, scopeOf func(opd string) string) []Clock {
	return b.AppendTicket(nil, t, scopeOf)
}

// AppendTicket appends what Ticket returns to dst.
func (b *Book) AppendTicket(dst []Clock, t *casefile.Ticket, scopeOf func(opd string) string) []Clock {
	rules := b.rulesOf(t.Key.Center)
	e := rules.at(startOf(t).UnixMilli())
	if dst == nil {
		dst = make([]Clock, 0, 5+len(t.Assignments))
	}
	scope := scopeIn(t.OPD, scopeOf)
	base := Clock{
		Key: t.Key, Seq: 1, OPD: t.OPD, Scope: scope, Category: t.Category, Priority: t.Priority, Kecamatan: t.Kecamatan,
	}
	pauses := t.Pauses
	if t.Priority == emergency {
		pauses = nil
	}
	merged := !t.MergedAt.IsZero()
	// The clocks are filled in where they will stay: they are large.
	add := func(l *Line, name string, start, stop, end time.Time) *Clock {
		dst = append(dst, base)
		c := &dst[len(dst)-1]
		c.Name = name
		c.set(l, rules.calendar, start, stop, end, pauses)
		c.Void = c.Void || merged
		return c
	}

	q := query(t, scopeOf)
	for i := range t.Assignments {
		s := &t.Assignments[i]
		own := [dims]string{t.Key.Center, scopeIn(s.OPD, scopeOf), s.OPD, t.Category, t.Priority}
		l := e.line(clockIndex(Acknowledge), &own)
		if l == nil {
			continue
		}
		end := s.EndedAt
		if end.IsZero() {
			end = within(s.At, s.EndedAt, t.ResolvedAt, t.FirstClosedAt, t.LastResolvedAt, t.ClosedAt)
		}
		c := add(l, Acknowledge, s.At, acknowledged(s, t, l.Stop), end)
		c.Seq, c.OPD, c.Scope = i+1, s.OPD, own[dimScope]
	}
	for _, name := range [...]string{Arrive, Resolve, ResolveTotal, Confirm} {
		l := e.line(clockIndex(name), &q)
		if l == nil {
			continue
		}
		var stop, end time.Time
		start := startAt(t, l.Start)
		switch name {
		case Arrive, Resolve:
			stop, end = stopAt(t, l.Stop), earliest(t.ResolvedAt, t.FirstClosedAt)
		case ResolveTotal:
			stop = lastHandled(t, l.Stop)
		case Confirm:
			start, stop = t.LastResolvedAt, t.ConfirmedAt
			if t.Reopened > 0 && !t.LastResolvedAt.After(t.ReopenedAt) {
				end = t.ReopenedAt
			}
		}
		if !start.IsZero() {
			add(l, name, start, stop, end)
		}
	}
	return b.appendGiven(dst, t, e.line(clockIndex(Given), &q), base, scopeOf)
}

// appendGiven appends the clock against the due time that the source states, if it states one.
func (b *Book) appendGiven(dst []Clock, t *casefile.Ticket, l *Line, c Clock, scopeOf func(string) string) []Clock {
	if t.Due.IsZero() {
		return dst
	}
	if l == nil {
		l = b.stated
	}
	c.Name, c.Kind, c.Policy, c.PolicyVersion, c.PolicyLine = Given, Stated, l.profile.Name, l.profile.Version, l.Number
	c.StartedAt = startAt(t, l.Start)
	if c.StartedAt.IsZero() {
		return dst
	}
	if t.DueOPD != "" {
		c.OPD, c.Scope = t.DueOPD, scopeIn(t.DueOPD, scopeOf)
	}
	c.DueAt, c.GrossDueAt, c.BreachAt = t.Due, t.Due, t.Due
	c.StoppedAt = stopAt(t, l.Stop)
	if start, target := c.StartedAt.UnixMilli(), t.Due.Sub(c.StartedAt).Milliseconds(); target > 0 {
		c.RiskAt = instant(start + share(target, l.Ladder.Risk))
		c.EscalatedAt = instant(start + share(target, l.Ladder.Escalated))
		c.Escalated2At = instant(start + share(target, l.Ladder.Escalated2))
	} else {
		c.RiskAt, c.EscalatedAt, c.Escalated2At = c.StartedAt, c.StartedAt, c.StartedAt
	}
	c.Void = !t.MergedAt.IsZero()
	return append(dst, c)
}

// set fills in the instants. end is when the case ended without the fact that stops the clock; it is looked at only
// without a stop.
func (c *Clock) set(l *Line, cal *Calendar, start, stop, end time.Time, pauses []casefile.Pause) {
	c.Kind, c.Policy, c.PolicyVersion, c.PolicyLine = l.Kind, l.profile.Name, l.profile.Version, l.Number
	if l.Kind == Hours || l.Kind == Days {
		c.CalendarVersion = cal.id
	}
	c.StartedAt, c.StoppedAt = start, stop
	unstamped := stop.IsZero() && !end.IsZero()
	if unstamped {
		c.StoppedAt = end
	}
	until := int64(never)
	if !c.StoppedAt.IsZero() {
		until = c.StoppedAt.UnixMilli()
	}
	if len(l.Pauses.Reasons) == 0 {
		pauses = nil
	}
	var t timing
	if !l.compute(&t, cal, start.UnixMilli(), until, pauses) {
		c.Void = true
		return
	}
	c.DueAt, c.GrossDueAt, c.BreachAt = instant(t.due), instant(t.gross), instant(t.breach)
	if t.running {
		c.PausedSince, c.PauseEndsAt = instant(t.pausedSince), instant(t.pauseEnds)
	}
	c.PausedSeconds = t.paused / 1000
	c.RiskAt, c.EscalatedAt, c.Escalated2At = instant(t.marks[0]), instant(t.marks[1]), instant(t.marks[2])
	c.Void = unstamped && !end.After(c.BreachAt)
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// acknowledged returns the earliest fact within a stay that shows that the OPD took the ticket.
func acknowledged(s *casefile.Assignment, t *casefile.Ticket, facts []Fact) time.Time {
	at := s.AcknowledgedAt
	for _, f := range facts {
		switch f {
		case FactDeparted, FactArrived:
			at = earliest(at, within(s.At, s.EndedAt, stamp(t, f)))
		case FactResolved:
			at = earliest(at, within(s.At, s.EndedAt, t.ResolvedAt, t.LastResolvedAt))
		case FactClosed:
			at = earliest(at, within(s.At, s.EndedAt, t.FirstClosedAt, t.ClosedAt))
		}
	}
	return at
}

// startOf is when a ticket begins: it settles which version of a policy judges it.
func startOf(t *casefile.Ticket) time.Time {
	return firstOf(t.OpenedAt, t.ReceivedAt, t.AssignedAt, t.LastEventAt)
}

// firstOf returns the first stamp that is known.
func firstOf(stamps ...time.Time) time.Time {
	for _, at := range stamps {
		if !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// query is what a citizen's clocks are matched by.
func query(t *casefile.Ticket, scopeOf func(string) string) [dims]string {
	opd := t.OPD
	if len(t.Assignments) > 0 {
		opd = t.Assignments[0].OPD
	}
	return [dims]string{t.Key.Center, scopeIn(opd, scopeOf), opd, t.Category, t.Priority}
}

func scopeIn(opd string, scopeOf func(string) string) string {
	if opd == "" {
		return ScopeOwn
	}
	if s := scopeOf(opd); s != "" {
		return s
	}
	return ScopeUnknown
}

// stamp returns a fact of a ticket; of those that may come again the first.
func stamp(t *casefile.Ticket, f Fact) time.Time {
	switch f {
	case FactReceived:
		return t.ReceivedAt
	case FactOpened:
		return t.OpenedAt
	case FactAssigned:
		return t.AssignedAt
	case FactDeparted:
		return t.DepartedAt
	case FactArrived:
		return t.ArrivedAt
	case FactResolved:
		return t.ResolvedAt
	case FactClosed:
		return t.FirstClosedAt
	}
	return time.Time{}
}

// stopAt returns the earliest of the facts that is known.
func stopAt(t *casefile.Ticket, facts []Fact) time.Time {
	var at time.Time
	for _, f := range facts {
		at = earliest(at, stamp(t, f))
	}
	return at
}

// lastHandled returns the latest resolution, else the latest closing; neither counts once the ticket was reopened.
func lastHandled(t *casefile.Ticket, facts []Fact) time.Time {
	for _, f := range [...]Fact{FactResolved, FactClosed} {
		at := t.LastResolvedAt
		if f == FactClosed {
			at = t.ClosedAt
		}
		if slices.Contains(facts, f) && !at.IsZero() && (t.Reopened == 0 || at.After(t.ReopenedAt)) {
			return at
		}
	}
	return time.Time{}
}

// startAt returns the first of the facts that is known.
func startAt(t *casefile.Ticket, facts []Fact) time.Time {
	for _, f := range facts {
		if at := stamp(t, f); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// within returns the earliest of the stamps that lies in [from, to); a zero to bounds nothing.
func within(from, to time.Time, stamps ...time.Time) time.Time {
	var at time.Time
	for _, s := range stamps {
		if !s.IsZero() && !s.Before(from) && (to.IsZero() || s.Before(to)) {
			at = earliest(at, s)
		}
	}
	return at
}
