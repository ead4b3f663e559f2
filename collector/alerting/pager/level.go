package pager

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
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
func (l Level) rank() int { return slices.Index(ranks[:], l) }

var ranks = [...]Level{"", Risk, Overdue, Escalated, Escalated2}

// clockLevel is what the running clocks of a ticket say at an instant.
type clockLevel struct {
	Level   Level     // the highest that a clock has reached; empty when none has reached any
	DueAt   time.Time // of that clock: late after this instant. Of several the earliest
	AtRisk  bool      // some clock is at risk, as the gauge tickets_at_risk counts it
	Overdue bool      // some clock is late, as the gauge tickets_overdue counts it
}

// levelOf says where a ticket stands at now, by its running clocks, paused ones among them. A clock of an agency
// outside the regency's power is never paged.
func levelOf(clocks []tracker.Marks, now time.Time) clockLevel {
	var r clockLevel
	at, due := now.UnixMilli(), int64(0) // the precision of stored times
	for i := range clocks {
		c := &clocks[i]
		l := Level(c.Level(at))
		if l == "" {
			continue
		}
		r.Overdue = r.Overdue || at > c.Breach
		r.AtRisk = r.AtRisk || at <= c.Breach && c.Risk != 0 && at >= c.Risk
		if l.rank() > r.Level.rank() || l == r.Level && c.Breach < due {
			r.Level, due = l, c.Breach
		}
	}
	if r.Level != "" {
		r.DueAt = time.UnixMilli(due).UTC()
	}
	return r
}
