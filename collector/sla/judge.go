package sla

import (
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
	segments []details         // memory that is used again
	target   [1]target
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

// checks are the receipts of what was received after it happened, in order.
func (j *judge) checks() []time.Time {
	if len(j.ticket.Changes)+len(j.ticket.Pauses) == 0 {
		return nil
	}
	type receipt struct {
		at  time.Time
		lag time.Duration
	}
	var late []receipt
	add := func(heard, at time.Time) {
		if lag := heard.Sub(at); !heard.IsZero() && lag > 0 && heard.After(j.heard) {
			late = append(late, receipt{heard, lag})
		}
	}
	for i := range j.ticket.Changes {
		add(j.ticket.Changes[i].HeardAt, j.ticket.Changes[i].At)
	}
	for i := range j.ticket.Pauses {
		add(j.ticket.Pauses[i].HeardAt, j.ticket.Pauses[i].From)
	}
	if late == nil {
		return nil
	}
	if len(late) > maxChecks {
		slices.SortFunc(late, func(a, b receipt) int {
			if a.lag != b.lag {
				return int(min(max(b.lag-a.lag, -1), 1))
			}
			return a.at.Compare(b.at)
		})
		late = late[:maxChecks]
	}
	out := make([]time.Time, len(late))
	for i := range late {
		out[i] = late[i].at
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// until judges by what was received before an instant, by everything where it is zero.
func (j *judge) until(heardBefore time.Time, explain bool) (r ruling) {
	known := func(heard time.Time) bool { return heardBefore.IsZero() || heard.Before(heardBefore) }
	segments := j.details(known)
	pauses := j.ticket.Pauses
	if !heardBefore.IsZero() && len(pauses) > 0 {
		pauses = slices.DeleteFunc(slices.Clone(pauses), func(p casefile.Pause) bool { return !known(p.HeardAt) })
	}
	var past []target
	targets := j.target[:0]
	n := 0 // segments that applied before the clock stopped or was late
	for i := range segments {
		d := &segments[i]
		was := r
		if i > 0 && was.line != nil {
			r.t, r.by, r.ok = j.earliest(targets, r.ended(), j.pauses(pauses, segments[:i]))
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
		l := j.era.line(j.clock, &d.dims)
		if l == nil {
			past = append(past, targets...)
			targets, r.line = nil, nil
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
		start, now := r.start.UnixMilli(), max(r.start.UnixMilli(), d.from)
		fresh := target{l, start, rankOf(d.dims[dimPriority])}
		effect := EffectBegins
		applied := j.pauses(pauses, segments[:i+1])
		switch {
		case i == 0:
			targets = append(targets, fresh)
		case len(targets) == 0 && r.ended() <= d.from: // it would begin when all is done
			r.line = nil
			continue
		case len(targets) == 0:
			fresh.from = now
			targets = append(atLeast(past, fresh.rank), fresh)
		case l == was.line && fresh.rank == targets[len(targets)-1].rank:
			effect = EffectNone
		default:
			old, _, ok := j.earliest(targets, r.ended(), applied)
			one := [...]target{fresh}
			new, _, okNew := j.earliest(one[:], r.ended(), applied)
			switch {
			case !ok || !okNew || new.due == old.due:
				effect = EffectNone
				targets[len(targets)-1].rank = max(targets[len(targets)-1].rank, fresh.rank)
			case new.due < old.due:
				effect = EffectUpgrade
				fresh.from = now
				targets = append(append(slices.Clone(targets), atLeast(past, fresh.rank)...), fresh)
			default:
				effect = EffectDowngrade
				past = append(past, targets...)
				targets = []target{fresh}
			}
		}
		if explain {
			t, _, _ := j.earliest(targets, r.ended(), applied)
			r.segments = append(r.segments, j.segment(d, l, t.due, effect))
		}
	}
	if r.line == nil {
		return r
	}
	segments = segments[:n]
	r.pauses = j.pauses(pauses, segments)
	r.t, r.by, r.ok = j.earliest(targets, r.ended(), r.pauses)
	r.dims = segments[holder(segments, min(r.ended(), r.t.breach))].dims
	return r
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

// earliest returns the timing of the target that is late first.
func (j *judge) earliest(targets []target, stop int64, pauses []casefile.Pause) (first timing, by target, ok bool) {
	first.breach = math.MaxInt64
	for _, at := range targets {
		var t timing
		if !at.line.compute(&t, j.calendar, at.from, stop, pauses) {
			continue
		}
		if !ok || t.breach < first.breach || t.breach == first.breach && t.due < first.due {
			first, by, ok = t, at, true
		}
	}
	if !ok && len(targets) > 0 {
		by = targets[0]
	}
	return first, by, ok
}

// atLeast returns the targets that were set with that priority or one above.
func atLeast(past []target, rank int) (out []target) {
	for _, t := range past {
		if t.rank >= rank {
			out = append(out, t)
		}
	}
	return out
}

// rankOf orders priorities, the most urgent highest; 0 for none.
func rankOf(priority string) int {
	if i := slices.Index(priorities[:], priority); i >= 0 {
		return len(priorities) - i
	}
	return 0
}

// pauses leaves out what lies in a time of emergency: an emergency never pauses. The last of the segments lasts.
func (j *judge) pauses(all []casefile.Pause, segments []details) []casefile.Pause {
	if len(all) == 0 {
		return nil
	}
	out := all
	for i := range segments {
		if segments[i].dims[dimPriority] != emergency {
			continue
		}
		from, until := int64(math.MinInt64), int64(never)
		if i > 0 {
			from = segments[i].from
		}
		if i+1 < len(segments) {
			until = segments[i+1].from
		}
		out = withoutSpan(out, from, until)
	}
	return out
}

// withoutSpan takes [from, until) out of pauses.
func withoutSpan(all []casefile.Pause, from, until int64) (out []casefile.Pause) {
	for _, p := range all {
		begins, ends := p.From.UnixMilli(), int64(never)
		if !p.To.IsZero() {
			ends = p.To.UnixMilli()
		}
		if begins < from {
			q := p
			if ends > from {
				q.To = instant(from)
			}
			out = append(out, q)
		}
		if ends > until {
			q := p
			q.From = instant(max(begins, until))
			out = append(out, q)
		}
	}
	slices.SortStableFunc(out, func(a, b casefile.Pause) int { return a.From.Compare(b.From) })
	return out
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
	out := append(j.segments[:0], details{from: math.MinInt64})
	for i := range changes {
		c := &changes[i]
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
		case len(out) == 1 && d.from <= base, d.from == last.from:
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
