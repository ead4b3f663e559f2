package sla

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// typeOf is the type of event that states a fact which stops a clock.
var typeOf = map[Fact]event.Type{
	FactAnswered: event.CallAnswered, FactAcknowledged: event.TicketAcknowledged, FactDeparted: event.TicketDeparted,
	FactArrived: event.TicketArrived, FactResolved: event.TicketResolved, FactConfirmed: event.TicketConfirmed,
	FactClosed: event.TicketClosed,
}

// proof returns the facts that tell when a clock stopped. The end of the work stops an acknowledge clock, but says only
// that the OPD had taken the ticket by then: who records no more has not said when.
func proof(clock string, stops []Fact) []Fact {
	if clock != Acknowledge {
		return stops
	}
	return slices.DeleteFunc(slices.Clone(stops), func(f Fact) bool { return f == FactResolved || f == FactClosed })
}

// carried reports whether one of the facts is not lacking.
func carried(lacks event.TypeSet, facts []Fact) bool {
	return slices.ContainsFunc(facts, func(f Fact) bool { return !lacks.Has(typeOf[f]) })
}

// observe marks the clocks of a ticket that nobody can stop, each by its own fact: no source that opened or assigned
// the ticket carries it, and it came from nowhere. A fact that comes can only make clocks of its own ticket observed.
func (b *Book) observe(clocks []Clock, t *casefile.Ticket) {
	for i := range clocks {
		c := &clocks[i]
		c.Sources = t.Sources
		if t.Lacks == 0 {
			continue
		}
		l := b.lineOf(c)
		if l == nil {
			continue
		}
		facts := proof(c.Name, l.Stop)
		c.Lacking = !carried(t.Lacks, facts)
		c.Unobserved = c.Lacking && !came(c, t, facts)
	}
}

// came reports whether one of the facts is known, wherever it came from.
func came(c *Clock, t *casefile.Ticket, facts []Fact) bool {
	var at time.Time
	switch c.Name {
	case Acknowledge:
		at = acknowledged(&t.Assignments[c.Seq-1], t, facts)
	case Confirm:
		at = t.ConfirmedAt
	default:
		at = stopAt(t, facts)
	}
	return !at.IsZero()
}
