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

// correctedAfterLate reports whether a clock was late, without the corrections and withdrawals, when one of them was
// first received, and is not late with them.
func (c *Config) correctedAfterLate(t *casefile.Ticket, evs []*event.Event, from casefile.CallFacts) bool {
	var heard time.Time // of the latest
	for _, e := range evs {
		if corrects(e) && e.ReceivedAt.After(heard) {
			heard = e.ReceivedAt
		}
	}
	before := casefile.FoldTicket(t.Key, slices.DeleteFunc(slices.Clone(evs), corrects), from)
	c.Details(&before)
	var now []sla.Clock
	for _, k := range c.TicketClocks(&before) {
		if k.State(heard) != sla.Breached {
			continue
		}
		if now == nil {
			now = c.TicketClocks(t)
		}
		if !slices.ContainsFunc(now, func(n sla.Clock) bool {
			return n.Name == k.Name && n.Seq == k.Seq && n.State(heard) == sla.Breached
		}) {
			return true
		}
	}
	return false
}
