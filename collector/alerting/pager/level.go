package pager

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/sla"
)

// Level is the value of the label "level": how far a ticket has come up the ladder of its policy.
type Level string

// The levels. The shares are the usual ones; the policy's ladder says.
const (
	Risk       Level = "risk"       // 75 % of the clock
	Overdue    Level = "overdue"    // past the due time
	Escalated  Level = "escalated"  // 150 %
	Escalated2 Level = "escalated2" // 200 %
	Closed     Level = "closed"     // a ticket that was paged is closed
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

// levelOf says where a ticket stands at now. Only clocks that run count, paused ones among them; a level is a comparison
// of instants, the same as that of the view clocks_now.
func levelOf(clocks []sla.Clock, now time.Time) clockLevel {
	var r clockLevel
	at := now.UnixMilli()
	reached := func(t time.Time) bool { return !t.IsZero() && at >= t.UnixMilli() }
	for i := range clocks {
		c := &clocks[i]
		if c.Void || !c.StoppedAt.IsZero() || c.BreachAt.IsZero() {
			continue
		}
		var l Level
		late := at > c.BreachAt.UnixMilli()
		switch {
		case reached(c.Escalated2At):
			l = Escalated2
		case reached(c.EscalatedAt):
			l = Escalated
		case late:
			l = Overdue
		case reached(c.RiskAt):
			l = Risk
		default:
			continue
		}
		if late {
			r.Overdue = true
		} else if reached(c.RiskAt) {
			r.AtRisk = true
		}
		if l.rank() > r.Level.rank() || l == r.Level && c.BreachAt.Before(r.DueAt) {
			r.Level, r.DueAt = l, c.BreachAt
		}
	}
	return r
}
