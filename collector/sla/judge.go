package sla

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// Details that choose a clock's target change while it runs, and what applied at an instant judges that instant:
//
//   - A clock that has stopped keeps its verdict.
//   - A clock that is late stays late, with the OPD that had the ticket at its due time.
//   - Else the new details give the target. Where it falls due earlier than the old one, due is the earlier of the old
//     due time and the new target counted from the change (an upgrade), and no later than any due time that the clock
//     had at that priority or above. Where it falls due later, due is the new target counted from the start (a
//     downgrade).
//   - What was first received when the clock was late already (a change or a pause dated back) heals nothing, if the
//     clock's start had been received before it was due: its feed was followed. An import of history was not.
//
// A correction says what was true all along: it is no change.

// limits of what is judged. Beyond maxChecks receipts those are looked at that came the latest after their event.
const maxChecks = 16

// Segment is a time in which the same details applied.
type Segment struct {
	From               time.Time
	OPD, Scope         string
	Category, Priority string
	Policy             string // that the target of these details is of; empty where they have no such clock
	Target             string
	DueAt              time.Time // that the clock has from From on; zero where it has none
	Effect             Effect
}

// Effect is what a change of details did to a clock.
type Effect string

// The effects.
const (
	EffectBegins    Effect = "begins"
	EffectNone      Effect = "none" // the due time stays
	EffectUpgrade   Effect = "upgrade"
	EffectDowngrade Effect = "downgrade"
	EffectRemoved   Effect = "removed" // these details have no such clock
	EffectLate      Effect = "late"    // it was late already, and stays so
)

// target is a line counted from an instant.
type target struct {
	line *Line
	from int64
	rank int // of the priority that it was set with

	t        timing
	ok       bool // the calendar knows the instants
	reckoned int  // the round of the course in which t was computed; 0: it was not
}

// covers reports whether t is late no later than o, whatever the pauses, and was set with no less a priority: beside t
// nobody needs o.
func (t *target) covers(o *target) bool {
	return t.line == o.line && t.from <= o.from && t.rank >= o.rank
}

// with adds a target to those of a set that no other covers: it grows with the lines of a policy, not with the changes
// of a ticket.
func with(set []target, t target) []target {
	for i := range set {
		if set[i].covers(&t) {
			return set
		}
	}
	return append(slices.DeleteFunc(set, func(o target) bool { return t.covers(&o) }), t)
}

// details are what lines are chosen by, from an instant on.
type details struct {
	from int64
	dims [dims]string
}

// judge finds the target of one clock of a ticket.
type judge struct {
	era      *era
	calendar *Calendar
	ticket   *casefile.Ticket
	scopeOf  func(string) string

	name  string // of the clock
	clock int    // its index
	seq   int
	stay  *casefile.Assignment // of an acknowledge clock
	heard time.Time            // when the fact that starts the clock was first received

	changes  []casefile.Change // of the ticket
	late     []receipt         // of what was received after it happened, the latest after it first; nil: not looked for
	segments []details         // memory that is used again
	target   [1]target
}

// receipt is when something was received, and how long after it happened.
type receipt struct {
	at  time.Time
	lag time.Duration
}

// ruling is what a judge finds.
type ruling struct {
	line             *Line // in force at the end: its facts start and stop the clock; nil when there is no clock
	by               target
	dims             [dims]string // that applied when the clock was judged: at its stop, its due time, or the latest
	t                timing
	ok               bool // the calendar knows the instants
	start, stop, end time.Time
	pauses           []casefile.Pause
	segments         []Segment
}

// ended is when the clock stopped or its case ended, never while it runs.
func (r *ruling) ended() int64 { return endOf(r.stop, r.end) }

func endOf(stop, end time.Time) int64 {
	switch {
	case !stop.IsZero():
		return stop.UnixMilli()
	case !end.IsZero():
		return end.UnixMilli()
	}
	return never
}

// rule judges the clock by all that is known, and by what was known whenever something was received late.
func (j *judge) rule(explain bool) (r ruling, frozen time.Time) {
	for _, at := range j.checks() {
		r = j.until(at, false)
		if r.line == nil || !r.ok || j.heard.IsZero() || j.heard.UnixMilli() >= r.t.breach {
			continue
		}
		if min(r.ended(), at.UnixMilli()) > r.t.breach {
			if explain {
				r = j.until(at, true)
			}
			return r, at
		}
	}
	return j.until(time.Time{}, explain), time.Time{}
}

// checks are the receipts of what was received after it happened and after the fact that starts the clock, in order.
func (j *judge) checks() []time.Time {
	if j.late == nil {
		j.late = lateReceipts(j.ticket)
	}
	var out []time.Time
	for i := range j.late {
		if j.late[i].at.After(j.heard) {
			if out = append(out, j.late[i].at); len(out) == maxChecks {
				break
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

func lateReceipts(t *casefile.Ticket) []receipt {
	late := []receipt{}
	add := func(heard, at time.Time) {
		if lag := heard.Sub(at); !heard.IsZero() && lag > 0 {
			late = append(late, receipt{heard, lag})
		}
	}
	for i := range t.Changes {
		add(t.Changes[i].HeardAt, t.Changes[i].At)
	}
	for i := range t.Pauses {
		add(t.Pauses[i].HeardAt, t.Pauses[i].From)
	}
	slices.SortFunc(late, func(a, b receipt) int { return cmp.Or(cmp.Compare(b.lag, a.lag), a.at.Compare(b.at)) })
	return late
}

// until judges by what was received before an instant, by everything where it is zero.
func (j *judge) until(heardBefore time.Time, explain bool) (r ruling) {
	known := func(heard time.Time) bool { return heardBefore.IsZero() || heard.Before(heardBefore) }
	segments := j.details(known)
	pauses := j.ticket.Pauses
	if !heardBefore.IsZero() && len(pauses) > 0 {
		pauses = slices.DeleteFunc(slices.Clone(pauses), func(p casefile.Pause) bool { return !known(p.HeardAt) })
	}
	c := course{judge: j, pauses: pauses, targets: j.target[:0], round: 1}
	n := 0 // segments that applied before the clock stopped or was late
	for i := range segments {
		d := &segments[i]
		was := r
		if i > 0 && was.line != nil {
			r.t, r.by, r.ok = c.earliest(c.targets)
			if !r.ok || r.ended() <= d.from {
				break
			}
			if r.t.breach < d.from {
				if explain {
					r.segments = append(r.segments, j.segment(d, r.line, r.t.due, EffectLate))
				}
				break
			}
		}
		n = i + 1
		c.enter(d, i == 0)
		l := j.era.line(j.clock, &d.dims)
		if l == nil {
			c.leave()
			r.line = nil
			if explain {
				r.segments = append(r.segments, j.segment(d, nil, 0, EffectRemoved))
			}
			continue
		}
		r.line = l
		r.start, r.stop, r.end = j.facts(l)
		if r.start.IsZero() {
			r.line = nil
			return r
		}
		if ended := r.ended(); ended != c.stop {
			c.stop = ended
			c.again()
		}
		start, now := r.start.UnixMilli(), max(r.start.UnixMilli(), d.from)
		fresh := target{line: l, from: start, rank: rankOf(d.dims[dimPriority])}
		effect := EffectBegins
		switch {
		case i == 0:
			c.set(fresh)
		case len(c.targets) == 0 && r.ended() <= d.from: // it would begin when all is done
			r.line = nil
			continue
		case len(c.targets) == 0:
			fresh.from = now
			c.recall(fresh.rank)
			c.set(fresh)
		case l == was.line && fresh.rank == c.latest().rank:
			effect = EffectNone
		default:
			old, _, ok := c.earliest(c.targets)
			one := [...]target{fresh}
			new, _, okNew := c.earliest(one[:])
			switch {
			case !ok || !okNew || new.due == old.due:
				effect = EffectNone
				c.latest().rank = max(c.latest().rank, fresh.rank)
			case new.due < old.due:
				effect = EffectUpgrade
				fresh.from = now
				c.recall(fresh.rank)
				c.set(fresh)
			default:
				effect = EffectDowngrade
				c.leave()
				c.set(fresh)
			}
		}
		if explain {
			t, _, _ := c.earliest(c.targets)
			r.segments = append(r.segments, j.segment(d, l, t.due, effect))
		}
	}
	if r.line == nil {
		return r
	}
	segments = segments[:n]
	r.t, r.by, r.ok = c.earliest(c.targets)
	if explain {
		r.pauses = c.counted(r.by.line)
	}
	r.dims = segments[holder(segments, min(r.ended(), r.t.breach))].dims
	return r
}

// course is a clock on its way through the segments of its ticket. What it computes is computed again only where the
// pauses that apply have changed.
type course struct {
	*judge
	pauses      []casefile.Pause
	emergencies []stretch // so far: an emergency never pauses
	stop        int64
	round       int // moves whenever what was computed holds no longer

	// of targets the last was set last; the others, and the past ones, are those that no other of them covers
	targets, past []target
}

// stretch is a time in milliseconds.
type stretch struct{ from, until int64 }

// enter notes where a segment begins.
func (c *course) enter(d *details, first bool) {
	n := len(c.emergencies)
	is, was := d.dims[dimPriority] == emergency, n > 0 && c.emergencies[n-1].until == never
	switch {
	case is == was:
		return
	case was:
		c.emergencies[n-1].until = d.from
	case first:
		c.emergencies = append(c.emergencies, stretch{math.MinInt64, never})
	default:
		c.emergencies = append(c.emergencies, stretch{d.from, never})
	}
	c.again()
}

func (c *course) again() {
	if len(c.pauses) > 0 {
		c.round++
	}
}

func (c *course) latest() *target { return &c.targets[len(c.targets)-1] }

// set adds a target as the latest.
func (c *course) set(t target) {
	if n := len(c.targets); n > 0 {
		c.targets = with(c.targets[:n-1], c.targets[n-1])
	}
	c.targets = append(c.targets, t)
}

// leave makes all targets past ones.
func (c *course) leave() {
	for _, t := range c.targets {
		c.past = with(c.past, t)
	}
	c.targets = c.targets[:0]
}

// recall adds the past targets that were set with that priority or one above. Another is set next.
func (c *course) recall(rank int) {
	for _, t := range c.past {
		if t.rank >= rank {
			c.set(t)
		}
	}
}

// earliest returns the timing of the target that is late first.
func (c *course) earliest(targets []target) (first timing, by target, ok bool) {
	first.breach = math.MaxInt64
	for i := range targets {
		at := &targets[i]
		if at.reckoned != c.round {
			at.t = timing{}
			at.ok = at.line.compute(&at.t, c.calendar, at.from, c.stop, c.counted(at.line))
			at.reckoned = c.round
		}
		if !at.ok {
			continue
		}
		if !ok || at.t.breach < first.breach || at.t.breach == first.breach && at.t.due < first.due {
			first, by, ok = at.t, *at, true
		}
	}
	if !ok && len(targets) > 0 {
		by = targets[0]
	}
	return first, by, ok
}

// counted returns the pauses that a line counts, disjoint, less the times of emergency.
func (c *course) counted(l *Line) []casefile.Pause {
	all := l.Pauses.listed(c.pauses)
	if len(all) == 0 || len(c.emergencies) == 0 {
		return all
	}
	var out []casefile.Pause
	cuts := c.emergencies
	for _, p := range all {
		from, until := p.From.UnixMilli(), int64(never)
		if !p.To.IsZero() {
			until = p.To.UnixMilli()
		}
		for len(cuts) > 0 && cuts[0].until <= from {
			cuts = cuts[1:]
		}
		for _, cut := range cuts {
			if cut.from >= until {
				break
			}
			if from < cut.from {
				q := p
				q.From, q.To = instant(from), instant(cut.from)
				out = append(out, q)
			}
			from = cut.until
		}
		if from < until {
			q := p
			q.From = instant(from)
			out = append(out, q)
		}
	}
	return out
}

// holder returns which of the segments applied at an instant.
func holder(segments []details, at int64) int {
	for i := len(segments) - 1; i > 0; i-- {
		if segments[i].from <= at {
			return i
		}
	}
	return 0
}

// rankOf orders priorities, the most urgent highest; 0 for none.
func rankOf(priority string) int {
	if i := slices.Index(priorities[:], priority); i >= 0 {
		return len(priorities) - i
	}
	return 0
}

func (j *judge) segment(d *details, l *Line, due int64, effect Effect) Segment {
	s := Segment{
		From: instant(d.from), OPD: d.dims[dimOPD], Scope: d.dims[dimScope], Category: d.dims[dimCategory],
		Priority: d.dims[dimPriority], Effect: effect,
	}
	if l != nil {
		s.Policy, s.Target = l.profile.Name, l.TargetText()
		s.DueAt = instant(due)
	}
	return s
}

// details lays out which details applied when, as far as the changes are known. The first segment is what held when the
// clock had started and the ticket was open; a clock may start with the call, before anyone knows the details.
func (j *judge) details(known func(heard time.Time) bool) []details {
	t := j.ticket
	if j.changes == nil {
		if j.changes = t.Changes; t.Changes == nil {
			j.changes = withoutHistory(t)
		}
	}
	changes := j.changes
	base := int64(math.MinInt64)
	if j.stay != nil {
		base = j.stay.At.UnixMilli()
	} else if at := firstOf(t.OpenedAt, t.AssignedAt); !at.IsZero() {
		base = at.UnixMilli()
	}
	if l := j.era.lines[j.clock]; len(l) > 0 && j.stay == nil {
		if start, _, _ := j.facts(l[0]); !start.IsZero() {
			base = max(base, start.UnixMilli())
		}
	}
	var opd, category, priority, byCategory, least string
	if j.stay != nil {
		opd = j.stay.OPD
	}
	until := time.Time{} // of a stay: what is said after it does not matter to it
	if j.stay != nil && j.stay.EndedAt.After(j.stay.At) {
		until = j.stay.EndedAt
	}
	out := append(j.segments[:0], details{from: math.MinInt64})
	for i := range changes {
		c := &changes[i]
		if !until.IsZero() && !c.At.Before(until) {
			break
		}
		if !known(c.HeardAt) {
			continue
		}
		if c.Category != "" {
			category, byCategory = c.Category, c.CategoryPriority
		}
		if c.Priority != "" {
			priority = c.Priority
		}
		if rankOf(c.AtLeast) > rankOf(least) {
			least = c.AtLeast
		}
		if c.Moved && j.stay == nil {
			opd = c.OPD
		}
		d := details{from: c.At.UnixMilli()}
		d.dims = [dims]string{t.Key.Center, scopeIn(opd, j.scopeOf), opd, category, firstText(priority, byCategory)}
		if rankOf(least) > rankOf(d.dims[dimPriority]) {
			d.dims[dimPriority] = least
		}
		switch last := &out[len(out)-1]; {
		case len(out) == 1 && d.from <= base, d.from == last.from, len(out) == casefile.MaxChanges:
			last.dims = d.dims
		case d.dims != last.dims:
			out = append(out, d)
		}
	}
	if first := &out[0]; first.dims[dimScope] == "" { // nothing is known of the beginning
		first.dims = [dims]string{dimCenter: t.Key.Center, dimScope: ScopeOwn}
		if j.stay != nil {
			first.dims[dimScope], first.dims[dimOPD] = scopeIn(opd, j.scopeOf), opd
		}
	}
	j.segments = out
	return out
}

func firstText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// withoutHistory makes changes of a ticket that was not folded from events.
func withoutHistory(t *casefile.Ticket) []casefile.Change {
	changes := []casefile.Change{{Category: t.Category, Priority: t.Priority}}
	for _, s := range t.Assignments {
		changes = append(changes, casefile.Change{At: s.At, HeardAt: s.HeardAt, Moved: true, OPD: s.OPD})
	}
	return changes
}
