package sla

import (
	"math"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// never stands for a clock that has not stopped.
const never = math.MaxInt64

// meter measures time in milliseconds: all of it (nil calendar) or the open part.
type meter struct{ calendar *Calendar }

func (m meter) before(ms int64) int64 {
	if m.calendar == nil {
		return ms
	}
	return m.calendar.openBefore(ms)
}

// at is the inverse of before, the earliest instant.
func (m meter) at(measure int64) (int64, bool) {
	if m.calendar == nil {
		return measure, true
	}
	return m.calendar.inverse(measure)
}

func meterOf(kind Kind, c *Calendar) meter {
	if kind == Hours || kind == Days {
		return meter{c}
	}
	return meter{}
}

// timing is what a line makes of a start, a stop and pauses; instants in milliseconds.
type timing struct {
	due, gross, breach     int64
	pausedSince, pauseEnds int64 // valid when running
	running                bool  // a counted pause runs on
	paused                 int64 // counted, ended; in the meter's milliseconds
	marks                  [3]int64
	pieces                 []piece // counted pauses in order, the running one last, as far as its cap lets it
}

// piece is a pause as far as it counts.
type piece struct {
	from, until int64
	length      int64 // in the meter's milliseconds

	closing, closings int // of working days: the first closing that it excused, and how many
}

// compute says when a clock is due. stop is never for a clock that runs. ok is false when an instant lies outside the
// years that the calendar knows.
//
// A pause counts from its beginning, or the clock's start, to its end, or the clock's stop, when its reason is listed
// and it begins no later than the due time that holds so far: what is late stays late. The cap ends what counts.
func (l *Line) compute(t *timing, cal *Calendar, start, stop int64, pauses []casefile.Pause) (ok bool) {
	pauses = l.Pauses.listed(pauses)
	if l.Kind == Days {
		ok = l.countClosings(t, cal, start, stop, pauses)
	} else {
		ok = l.countTime(t, cal, start, stop, pauses)
	}
	return ok && l.setMarks(t, meterOf(l.Kind, cal), start)
}

// listed returns the pauses for listed reasons, those that overlap or touch united; pauses must be in order of From.
func (r *PauseRule) listed(pauses []casefile.Pause) []casefile.Pause {
	if len(r.Reasons) == 0 || len(pauses) == 0 {
		return nil
	}
	plain := true // as they are
	for i := range pauses {
		plain = plain && slices.Contains(r.Reasons, pauses[i].Reason) &&
			(i == 0 || !pauses[i-1].To.IsZero() && pauses[i-1].To.Before(pauses[i].From))
	}
	if plain {
		return pauses
	}
	var out []casefile.Pause
	for _, p := range pauses {
		if !slices.Contains(r.Reasons, p.Reason) {
			continue
		}
		if n := len(out); n > 0 && (out[n-1].To.IsZero() || !out[n-1].To.Before(p.From)) {
			if q := &out[n-1]; !q.To.IsZero() && (p.To.IsZero() || p.To.After(q.To)) {
				q.To = p.To
			}
			continue
		}
		out = append(out, p)
	}
	return out
}

// due is compute for a clock without pauses.
func due(l *Line, cal *Calendar, start time.Time) (time.Time, bool) {
	if l.Kind == Stated {
		return time.Time{}, false
	}
	var t timing
	ok := l.compute(&t, cal, start.UnixMilli(), never, nil)
	return time.UnixMilli(t.due).UTC(), ok
}

// countTime moves the due time by the counted length of each pause.
func (l *Line) countTime(t *timing, cal *Calendar, start, stop int64, pauses []casefile.Pause) bool {
	m := meterOf(l.Kind, cal)
	goal := m.before(start) + l.Target.Milliseconds()
	var ok bool
	if t.gross, ok = m.at(goal); !ok {
		return false
	}
	t.due, t.breach = t.gross, t.gross
	limit := l.Pauses.Cap.Milliseconds()
	chained := int64(never) // where the last counted pause ended: one that begins there continues it
	for i := range pauses {
		from, until, open, counts := clip(&pauses[i], start, stop)
		if !counts {
			continue
		}
		left := limit - t.paused
		if left <= 0 || from > t.due && from != chained {
			break
		}
		begun := m.before(from)
		if open {
			t.running, t.pausedSince = true, from
			if t.pauseEnds, ok = m.at(begun + left); !ok {
				return false
			}
			if t.breach, ok = m.at(goal + t.paused + left); !ok {
				return false
			}
			t.pieces = append(t.pieces, piece{from: from, until: t.pauseEnds, length: left})
			break
		}
		length := m.before(until) - begun
		if length >= left {
			length = left
			if until, ok = m.at(begun + left); !ok {
				return false
			}
		}
		chained = until
		t.paused += length
		t.pieces = append(t.pieces, piece{from: from, until: until, length: length})
		if t.due, ok = m.at(goal + t.paused); !ok {
			return false
		}
		t.breach = t.due
	}
	return true
}

// countClosings moves the due time by one closing for each closing that passes while paused.
func (l *Line) countClosings(t *timing, cal *Calendar, start, stop int64, pauses []casefile.Pause) bool {
	first := cal.closingAfterDay(start)
	index := first + l.TargetDays - 1
	if first < 0 || index >= len(cal.closings) {
		return false
	}
	t.gross = cal.closings[index].at
	t.due, t.breach = t.gross, t.gross
	excused := 0
	chained := int64(never)
	for i := range pauses {
		from, until, open, counts := clip(&pauses[i], start, stop)
		if !counts {
			continue
		}
		left := l.Pauses.CapDays - excused
		if left <= 0 || from > t.due && from != chained {
			break
		}
		lo := max(cal.closingFromInstant(from), first)
		if index+left >= len(cal.closings) || lo+left > len(cal.closings) {
			return false
		}
		capEnd := cal.closings[lo+left-1].at
		if open {
			t.running, t.pausedSince, t.pauseEnds = true, from, capEnd
			t.breach = cal.closings[index+left].at
			t.pieces = append(t.pieces, piece{from: from, until: capEnd, length: cal.openBefore(capEnd) - cal.openBefore(from)})
			break
		}
		n := max(cal.closingFromInstant(until), first) - lo
		if n >= left {
			n, until = left, capEnd
		}
		chained = until
		excused += n
		index += n
		length := cal.openBefore(until) - cal.openBefore(from)
		t.paused += length
		t.pieces = append(t.pieces, piece{from, until, length, lo, n})
		t.due = cal.closings[index].at
		t.breach = t.due
	}
	return true
}

// clip returns the part of a pause within a clock's run; open says that it runs on, counts that there is any.
func clip(p *casefile.Pause, start, stop int64) (from, until int64, open, counts bool) {
	from = max(p.From.UnixMilli(), start)
	until, open = stop, stop == never
	if !p.To.IsZero() {
		open = false
		until = min(p.To.UnixMilli(), stop)
	}
	return from, until, open, from < until
}

// setMarks finds when the shares of the ladder are used. What is used is the meter's time since start without the
// counted pauses; all of it is the target, or, for working days, what lies between start and due.
func (l *Line) setMarks(t *timing, m meter, start int64) bool {
	begun := m.before(start)
	target := l.Target.Milliseconds()
	capped := target // of working days: the target once the running pause has used its cap up
	if l.Kind == Days {
		target = m.before(t.due) - begun - t.paused
		capped = target
		if t.running {
			capped = m.before(t.breach) - begun - t.paused - t.pieces[len(t.pieces)-1].length
		}
	}
	for i, of := range [...]percent{l.Ladder.Risk, l.Ladder.Escalated, l.Ladder.Escalated2} {
		at, ok := t.unpaused(m, begun+share(target, of))
		if ok && capped != target && at > t.pausedSince {
			at, ok = t.unpaused(m, begun+share(capped, of))
		}
		if !ok {
			return false
		}
		t.marks[i] = at
	}
	return true
}

// share is percent of a length, rounded up.
func share(length int64, of percent) int64 { return (length*int64(of) + 99) / 100 }

// unpaused returns the earliest instant by which the meter without the counted pauses reaches a measure.
func (t *timing) unpaused(m meter, measure int64) (int64, bool) {
	at, ok := m.at(measure)
	for i := range t.pieces {
		if !ok || at <= t.pieces[i].from {
			break
		}
		measure += t.pieces[i].length
		at, ok = m.at(measure)
	}
	return at, ok
}
