package sla

import "time"

// Level is how far a clock that runs has come up the ladder of its policy. The zero value is below all levels.
type Level string

// The levels, with the shares of the usual ladder.
const (
	LevelRisk       Level = "risk"       // 75 % of the target
	LevelOverdue    Level = "overdue"    // past the due time
	LevelEscalated  Level = "escalated"  // 150 %
	LevelEscalated2 Level = "escalated2" // 200 %
)

// Level returns the highest level that c has reached at now; none for a clock that is void, unobserved or has stopped.
// It is a comparison of instants, the same as that of the view clocks_now.
func (c *Clock) Level(now time.Time) Level {
	reached := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	switch {
	case c.Void || c.Unobserved || reached(c.StoppedAt) || c.BreachAt.IsZero():
		return ""
	case reached(c.Escalated2At):
		return LevelEscalated2
	case reached(c.EscalatedAt):
		return LevelEscalated
	case c.Overdue(now):
		return LevelOverdue
	case reached(c.RiskAt):
		return LevelRisk
	}
	return ""
}
