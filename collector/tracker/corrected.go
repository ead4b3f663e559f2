package tracker

import (
	"cmp"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// foldTicket folds a ticket and adds what the rules say of it. It sorts evs. steps is how many events it has folded.
func (c *Config) foldTicket(key event.Key, evs []*event.Event, from casefile.CallFacts) (t casefile.Ticket, steps int) {
	t = casefile.FoldTicket(key, evs, from)
	c.Details(&t)
	steps = len(evs)
	if slices.ContainsFunc(evs, corrects) {
		var more int
		if t.Corrected, more = c.correctedAfterLate(key, evs, from); t.Corrected != nil {
			t.AddFlag(casefile.FlagCorrectedAfterLate)
		}
		steps += more
	}
	return t, steps
}

func corrects(e *event.Event) bool { return e.Replaces != "" }

// maxCorrections bounds how many receipts of corrections of a ticket are looked at, the latest. Of a ticket with more
// than casefile.MaxEvents / maxCorrections events they are fewer, so that all of it takes no more than two full cases.
const maxCorrections = 16

// correctedAfterLate returns the lateness that corrections and withdrawals took away when they were received: a clock
// was late then, by what had been received before, and with the correction beside that it was not.
func (c *Config) correctedAfterLate(key event.Key, evs []*event.Event, from casefile.CallFacts) (
	out []casefile.Correction, steps int) {
	var heard []time.Time // the latest first; those of one instant are one
	for _, e := range evs {
		if corrects(e) {
			heard = append(heard, e.ReceivedAt)
		}
	}
	slices.SortFunc(heard, func(a, b time.Time) int { return b.Compare(a) })
	heard = slices.CompactFunc(heard, time.Time.Equal)
	heard = heard[:min(len(heard), maxCorrections, max(1, casefile.MaxEvents/len(evs)))]
	for _, at := range heard {
		steps += len(evs)
		late := c.lateClocks(key, evs, from, at, func(e *event.Event) bool { return e.ReceivedAt.Before(at) })
		if len(late) == 0 {
			continue
		}
		steps += len(evs)
		with := c.lateClocks(key, evs, from, at, func(e *event.Event) bool {
			return e.ReceivedAt.Before(at) || corrects(e) && e.ReceivedAt.Equal(at)
		})
		for i := range late {
			k := &late[i]
			if sla.Find(with, k.Name, k.Seq) != nil {
				continue
			}
			was := casefile.Correction{
				ReceivedAt: at, Clock: k.Name, Seq: k.Seq, OPD: k.OPD, Scope: k.Scope, StartedAt: k.StartedAt, DueAt: k.BreachAt,
			}
			if !k.StoppedAt.After(at) {
				was.StoppedAt = k.StoppedAt
			}
			out = append(out, was)
		}
	}
	slices.SortFunc(out, func(a, b casefile.Correction) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Seq, b.Seq))
	})
	return out, steps
}

// lateClocks returns the clocks that are late at an instant by some of a ticket's events.
func (c *Config) lateClocks(key event.Key, evs []*event.Event, from casefile.CallFacts, at time.Time,
	known func(*event.Event) bool) []sla.Clock {
	evs = slices.DeleteFunc(slices.Clone(evs), func(e *event.Event) bool { return !known(e) })
	if len(evs) == 0 {
		return nil
	}
	t := casefile.FoldTicket(key, evs, from)
	c.Details(&t)
	return slices.DeleteFunc(c.TicketClocks(&t), func(k sla.Clock) bool { return k.State(at) != sla.Breached })
}
