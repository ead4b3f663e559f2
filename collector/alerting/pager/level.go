package pager

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/sla"
)

// Level is the value of the label "level": that of a clock, or Closed.
type Level string

// The levels.
const (
	Risk       = Level(sla.LevelRisk)
	Overdue    = Level(sla.LevelOverdue)
	Escalated  = Level(sla.LevelEscalated)
	Escalated2 = Level(sla.LevelEscalated2)
	Closed     = Level("closed") // a ticket that was paged is closed
)

// rank orders the levels of open tickets; 0 is none.
func (l Level) rank() int { return slices.Index([]Level{"", Risk, Overdue, Escalated, Escalated2}, l) }

// clockLevel is what the running clocks of a ticket say at an instant.
type clockLevel struct {
	Level   Level     // the highest that a clock has reached; empty when none has reached any
	DueAt   time.Time // of that clock: late after this instant. Of several the earliest
	AtRisk  bool      // some clock is at risk, as the gauge tickets_at_risk counts it
	Overdue bool      // some clock is late, as the gauge tickets_overdue counts it
}

// levelOf says where a ticket stands at now. Only clocks that run count, paused ones among them.
func levelOf(clocks []sla.Clock, now time.Time) clockLevel {
	var r clockLevel
	now = now.Truncate(time.Millisecond) // the precision of stored times
	for i := range clocks {
		c := &clocks[i]
		l := Level(c.Level(now))
		// A clock of an agency outside the regency's power is never paged.
		if l == "" || !c.StoppedAt.IsZero() || c.Scope == sla.ScopeVertical {
			continue
		}
		r.Overdue = r.Overdue || c.Overdue(now)
		r.AtRisk = r.AtRisk || c.AtRisk(now)
		if l.rank() > r.Level.rank() || l == r.Level && c.BreachAt.Before(r.DueAt) {
			r.Level, r.DueAt = l, c.BreachAt
		}
	}
	return r
}
