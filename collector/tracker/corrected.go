package tracker

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// foldTicket folds a ticket and adds what the rules say of it. It sorts evs.
func (c *Config) foldTicket(key event.Key, evs []*event.Event, from casefile.CallFacts) casefile.Ticket {
	t := casefile.FoldTicket(key, evs, from)
	c.Details(&t)
	if slices.ContainsFunc(evs, corrects) && c.correctedAfterLate(&t, evs, from) {
		t.AddFlag(casefile.FlagCorrectedAfterLate)
	}
	return t
}

func corrects(e *event.Event) bool { return e.Replaces != "" }

// Bounds of how many corrections of a ticket are looked at, the latest, and of the events folded for it.
const (
	maxCorrections     = 16
	maxCorrectedEvents = 8192
)

// correctedAfterLate reports whether one of the corrections and withdrawals took a lateness away when it was received:
// a clock was late then, by what had been received before, and with the correction beside that it was not.
func (c *Config) correctedAfterLate(t *casefile.Ticket, evs []*event.Event, from casefile.CallFacts) bool {
	var heard []time.Time // the latest first; those of one instant are one
	for _, e := range evs {
		if corrects(e) {
			heard = append(heard, e.ReceivedAt)
		}
	}
	slices.SortFunc(heard, func(a, b time.Time) int { return b.Compare(a) })
	heard = slices.CompactFunc(heard, time.Time.Equal)
	most := min(maxCorrections, 1+maxCorrectedEvents/len(evs))
	for _, at := range heard[:min(len(heard), most)] {
		late := c.lateClocks(t.Key, evs, from, at, func(e *event.Event) bool { return e.ReceivedAt.Before(at) })
		if len(late) == 0 {
			continue
		}
		with := c.lateClocks(t.Key, evs, from, at, func(e *event.Event) bool {
			return e.ReceivedAt.Before(at) || corrects(e) && e.ReceivedAt.Equal(at)
		})
		for _, k := range late {
			if !slices.ContainsFunc(with, func(n sla.Clock) bool { return n.Name == k.Name && n.Seq == k.Seq }) {
				return true
			}
		}
	}
	return false
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
