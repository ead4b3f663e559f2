package sla

import (
	"slices"
	"sync"
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
	k.Sources = c.Sources
	k.Lacking = !carried(c.Lacks, l.Stop)
	k.Unobserved = k.Lacking && stop.IsZero() && end.IsZero()
	return append(dst, k)
}

// Ticket returns the clocks of a ticket: one of each stay at an OPD (acknowledge) and one of each other name for which
// a policy line applies and a start is known. scopeOf gives the scope of an OPD. The result depends on the facts only.
//
// Details that change while a clock runs are judged as judge.go says; the clock's details are those that applied when
// it stopped or was due, and the present ones while it runs in time. A clock whose case ended without the fact that
// stops it (a stay that ended unacknowledged, a closing without arrival) is void when that was in time, and breached
// when it was late. One that stopped before it started is void: the facts contradict each other. One that nobody can
// stop is unobserved.
func (b *Book) Ticket(t *casefile.Ticket, scopeOf func(opd string) string) []Clock {
	room := clockRoom.Get().(*[]Clock)
	defer clockRoom.Put(room)
	*room = b.AppendTicket((*room)[:0], t, scopeOf)
	clocks := slices.Clone(*room)
	clear(*room) // their texts are the ticket's
	return clocks
}

// clockRoom is where clocks are made before as many as there are get memory of their own: a clock takes half a KiB, and
// few tickets have all.
var clockRoom = sync.Pool{New: func() any { return new([]Clock) }}

// AppendTicket appends what Ticket returns to dst.
func (b *Book) AppendTicket(dst []Clock, t *casefile.Ticket, scopeOf func(opd string) string) []Clock {
	from := len(dst)
	rules := b.rulesOf(t.Key.Center)
	if dst == nil {
		dst = make([]Clock, 0, 5+min(len(t.Assignments), casefile.MaxStays+1))
	}
	j := judge{era: rules.at(t.At().UnixMilli()), calendar: rules.calendar, ticket: t, scopeOf: scopeOf}
	for i := range t.Assignments {
		if casefile.MaxStays <= i && i < len(t.Assignments)-1 {
			continue
		}
		j.judge(Acknowledge, i)
		dst = j.append(dst)
	}
	for _, name := range [...]string{Arrive, Resolve, ResolveTotal, Confirm} {
		j.judge(name, -1)
		dst = j.append(dst)
	}
	dst = b.appendGiven(dst, &j)
	b.observe(dst[from:], t)
	return dst
}

// judge turns to a clock: of a stay, or -1.
func (j *judge) judge(name string, stay int) {
	j.name, j.clock, j.stay, j.seq, j.heard = name, clockIndex(name), nil, 1, j.ticket.OpenedHeardAt
	switch {
	case stay >= 0:
		j.stay, j.seq = &j.ticket.Assignments[stay], stay+1
		j.heard = j.stay.HeardAt
	case name == Confirm:
		j.heard = j.ticket.ResolvedHeard
	}
}

// facts returns the instants that a line makes of the ticket: when its clock starts, when it stops, and when the case
// ended without what stops it. A zero start means that there is no such clock.
func (j *judge) facts(l *Line) (start, stop, end time.Time) {
	t := j.ticket
	start = startAt(t, l.Start)
	switch j.name {
	case Acknowledge:
		s := j.stay
		if start, end = s.At, s.EndedAt; end.IsZero() {
			end = within(s.At, s.EndedAt, t.ResolvedAt, t.FirstClosedAt, t.LastResolvedAt, t.ClosedAt)
		}
		stop = acknowledged(s, t, l.Stop)
		// What is handled waits for nobody until it is reopened.
		for _, h := range t.Handled {
			if h.From.Before(s.At) && (h.To.IsZero() || h.To.After(s.At)) {
				if h.To.IsZero() || !s.EndedAt.IsZero() && !h.To.Before(s.EndedAt) {
					return start, time.Time{}, s.At
				}
				return h.To, stop, end
			}
		}
	case Arrive:
		stop, end = stopAt(t, l.Stop), earliest(t.ResolvedAt, t.FirstClosedAt)
	case Resolve, Given:
		stop = handled(t, l.Stop)
	case ResolveTotal:
		stop = lastHandled(t, l.Stop)
	case Confirm:
		start, stop = t.LastResolvedAt, t.ConfirmedAt
		if t.Reopened > 0 && !t.LastResolvedAt.After(t.ReopenedAt) {
			end = t.ReopenedAt
		}
	}
	return start, stop, end
}

// append judges the clock and appends it, if there is one. Clocks are filled in where they will stay: they are large.
func (j *judge) append(dst []Clock) []Clock {
	r, frozen := j.rule(false)
	if r.line == nil {
		return dst
	}
	dst = append(dst, Clock{})
	c := &dst[len(dst)-1]
	c.Key, c.Name, c.Seq, c.Kecamatan = j.ticket.Key, j.name, j.seq, j.ticket.Kecamatan
	c.OPD, c.Scope, c.Category, c.Priority = r.dims[dimOPD], r.dims[dimScope], r.dims[dimCategory], r.dims[dimPriority]
	c.StartedAt, c.StoppedAt = r.start, r.stop
	c.of(r.by.line, j.calendar)
	if unstamped := r.stop.IsZero() && !r.end.IsZero(); unstamped {
		c.StoppedAt = r.end
	}
	if r.ok {
		c.fill(&r.t)
	}
	if from := r.by.from; from != r.start.UnixMilli() {
		c.CountedFrom = instant(from)
	}
	c.FrozenAt = frozen
	c.Void = !r.ok || j.ticket.State == casefile.Merged || j.ticket.Test() || c.StoppedAt != r.stop &&
		!r.end.After(c.BreachAt) ||
		contradicts(c)
	return dst
}

// contradicts reports whether c stopped before it started.
func contradicts(c *Clock) bool { return !c.StoppedAt.IsZero() && c.StoppedAt.Before(c.StartedAt) }

// appendGiven appends the clock against the due time that the source states, if it states one.
func (b *Book) appendGiven(dst []Clock, j *judge) []Clock {
	t := j.ticket
	if t.Due.IsZero() {
		return dst
	}
	j.judge(Given, -1)
	q := j.details(func(time.Time) bool { return true })
	l := j.era.line(j.clock, &q[len(q)-1].dims)
	if l == nil {
		l = b.stated
	}
	c := Clock{Key: t.Key, Name: Given, Seq: 1, Kecamatan: t.Kecamatan}
	c.of(l, nil)
	c.StartedAt, c.StoppedAt, _ = j.facts(l)
	if c.StartedAt.IsZero() {
		return dst
	}
	due, opd := j.stated(endOf(c.StoppedAt, time.Time{}))
	d := &q[holder(q, min(endOf(c.StoppedAt, time.Time{}), due.UnixMilli()))]
	c.OPD, c.Scope, c.Category, c.Priority = d.dims[dimOPD], d.dims[dimScope], d.dims[dimCategory], d.dims[dimPriority]
	if opd != "" {
		c.OPD, c.Scope = opd, scopeIn(opd, j.scopeOf)
	}
	c.DueAt, c.GrossDueAt, c.BreachAt = due, due, due
	if start, target := c.StartedAt.UnixMilli(), due.Sub(c.StartedAt).Milliseconds(); target > 0 {
		c.RiskAt = instant(start + share(target, l.Ladder.Risk))
		c.EscalatedAt = instant(start + share(target, l.Ladder.Escalated))
		c.Escalated2At = instant(start + share(target, l.Ladder.Escalated2))
	} else {
		c.RiskAt, c.EscalatedAt, c.Escalated2At = c.StartedAt, c.StartedAt, c.StartedAt
	}
	c.Void = t.State == casefile.Merged || t.Test() || contradicts(&c)
	return append(dst, c)
}

// stated returns the due time that the source states, and the OPD that it was given with. A later one counts unless the
// clock had stopped or was late by the one before, when it was stated or when it was first received.
func (j *judge) stated(stop int64) (due time.Time, opd string) {
	for i := range j.ticket.Changes {
		c := &j.ticket.Changes[i]
		if c.Due.IsZero() {
			continue
		}
		if !due.IsZero() {
			late := func(at time.Time) bool { return !at.IsZero() && min(stop, at.UnixMilli()) > due.UnixMilli() }
			followed := !j.heard.IsZero() && j.heard.Before(due)
			if stop <= c.At.UnixMilli() || late(c.At) || followed && late(c.HeardAt) {
				continue
			}
		}
		due, opd = c.Due, c.OPD
	}
	if due.IsZero() { // not folded from events
		return j.ticket.Due, j.ticket.DueOPD
	}
	return due, opd
}

// set fills in the instants of a clock of one target. end is when the case ended without the fact that stops the clock;
// it is looked at only without a stop.
func (c *Clock) set(l *Line, cal *Calendar, start, stop, end time.Time, pauses []casefile.Pause) {
	c.of(l, cal)
	c.StartedAt, c.StoppedAt = start, stop
	unstamped := stop.IsZero() && !end.IsZero()
	if unstamped {
		c.StoppedAt = end
	}
	var t timing
	if !l.compute(&t, cal, start.UnixMilli(), endOf(stop, end), pauses) {
		c.Void = true
		return
	}
	c.fill(&t)
	c.Void = unstamped && !end.After(c.BreachAt) || contradicts(c)
}

// of fills in where the target comes from.
func (c *Clock) of(l *Line, cal *Calendar) {
	c.Kind, c.Policy, c.PolicyVersion, c.PolicyLine = l.Kind, l.profile.Name, l.profile.Version, l.Number
	if l.Kind == Hours || l.Kind == Days {
		c.CalendarVersion = cal.id
	}
}

// fill fills in when c is due.
func (c *Clock) fill(t *timing) {
	c.DueAt, c.GrossDueAt, c.BreachAt = instant(t.due), instant(t.gross), instant(t.breach)
	if t.running {
		c.PausedSince, c.PauseEndsAt = instant(t.pausedSince), instant(t.pauseEnds)
	}
	c.PausedSeconds = t.paused / 1000
	c.RiskAt, c.EscalatedAt, c.Escalated2At = instant(t.marks[0]), instant(t.marks[1]), instant(t.marks[2])
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

// PredatesPolicies reports whether a ticket began before every policy of its centre: only a due time that its source
// states can judge it.
func (b *Book) PredatesPolicies(t *casefile.Ticket) bool {
	rules := b.rulesOf(t.Key.Center)
	return len(rules.eras) > 1 && rules.at(t.At().UnixMilli()) == &rules.eras[0]
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

// handled returns the first resolution, else the first closing, of those among the facts.
func handled(t *casefile.Ticket, facts []Fact) time.Time {
	if slices.Contains(facts, FactResolved) && !t.ResolvedAt.IsZero() {
		return t.ResolvedAt
	}
	if slices.Contains(facts, FactClosed) {
		return t.FirstClosedAt
	}
	return time.Time{}
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
