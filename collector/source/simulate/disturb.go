package simulate

import "github.com/monev112/monev112/collector/event"

// What imperfect feeds do to a message, per mille.
const (
	repeatedShare   = 15 // sent again, to the letter
	secondShare     = 60 // of the facts that a second source sees: told by it as well
	slipShare       = 12 // of the facts that people type: wrong at first, then corrected
	lateShare       = 12 // handed over minutes or hours late
	lateCallShare   = 4  // of calls: all their messages are
	sameFactWithin  = 1900
	deliveryLeastMS = 40
	deliveryMostMS  = 700
)

func lateness() spread { return seconds(60, 120, 480, 3600, 14_400, 28_800) }

// disturbIncident makes the messages of an incident what a collector really gets: delayed, repeated, told twice, wrong
// and corrected. None of it changes what is true.
func (g *Generator) disturbIncident(inc *incident) {
	var callLate int64
	if g.disturb.permille(lateCallShare) {
		callLate = g.disturb.draw(lateness())
	}
	for i := range len(inc.messages) { // what is appended below is not disturbed again
		p := &inc.messages[i]
		p.deliver += g.disturb.between(deliveryLeastMS, deliveryMostMS)
		switch {
		case callLate > 0 && p.draft.Type.Kind() == event.KindCall:
			p.late = true
			p.deliver += callLate
		case g.disturb.permille(lateShare) && !endsWaiting(p.draft.Type):
			p.late = true
			p.deliver += g.disturb.draw(lateness())
		}
		if wrong, ok := g.slip(inc.ticket, p); ok {
			inc.messages = append(inc.messages, wrong)
			continue // a corrected fact is not repeated as well
		}
		if g.disturb.permille(repeatedShare) {
			r := inc.messages[i]
			r.kind = repetition
			r.deliver += g.disturb.draw(seconds(1, 2, 10, 120, 3600, 14_400))
			inc.messages = append(inc.messages, r)
		}
		if s := inc.messages[i]; seenTwice(s.draft.Type) && g.disturb.permille(secondShare) {
			s.kind = secondSource
			apart := g.disturb.Int64N(sameFactWithin)
			s.deliver += apart
			s.draft.Source = g.second
			s.draft.ID += "b"
			s.draft.Time = g.moment(s.draft.Time.UnixMilli() + apart)
			inc.messages = append(inc.messages, s)
		}
	}
}

// endsWaiting is what is never late by itself: a floor on which callers seem to wait for hours would show nothing else.
func endsWaiting(t event.Type) bool {
	switch t {
	case event.CallAnswered, event.CallAbandoned, event.CallUnserved, event.CallBlocked:
		return true
	}
	return false
}

// seenTwice is what both the call platform and its PBX know.
func seenTwice(t event.Type) bool {
	switch t {
	case event.CallReceived, event.CallQueued, event.CallAnswered, event.CallAbandoned, event.CallEnded,
		event.TicketOpened, event.TicketArrived, event.TicketResolved, event.TicketClosed:
		return true
	}
	return false
}

// slip makes p, a message that is true, the correction of a wrong one, which it returns.
func (g *Generator) slip(t *ticketTruth, p *planned) (planned, bool) {
	if !g.disturb.permille(slipShare) {
		return planned{}, false
	}
	wrong := *p
	wrong.kind = slip
	d := &wrong.draft
	switch at := d.Time.UnixMilli(); d.Type {
	case event.CallClassified:
		switch d.Class {
		case event.ClassUji:
			return planned{}, false
		case event.ClassMisrouted:
			d.Class = event.ClassPrank
		default:
			d.Class = event.ClassMisrouted
		}
	case event.CallAnswered:
		d.Agent, d.WaitMS = "op-00", nil // nobody logged in at that position
	case event.TicketAssigned:
		if d.OPD == t.work.OPD {
			d.OPD = t.work.MistakenFor
		} else {
			d.OPD = t.work.OPD
		}
	case event.TicketArrived, event.TicketAcknowledged:
		d.Time = g.moment(at - 30*minute)
	case event.TicketResolved:
		d.Time = g.moment(at - 24*hour) // yesterday's date
	default:
		return planned{}, false
	}
	p.kind = correction
	p.draft.Replaces = p.draft.ID
	p.draft.ID += "c"
	p.draft.Revision = 1
	p.deliver = wrong.deliver + g.disturb.draw(seconds(30, 120, 600, 3600, 14_400, 28_800))
	return wrong, true
}
