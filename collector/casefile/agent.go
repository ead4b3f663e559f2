package casefile

import (
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Agent is the state of a call taker.
type Agent struct {
	State string // the code that the latest agent.state names
	Since time.Time
}

// FoldAgent folds the events of one agent: the latest state that says one counts. It sorts evs in place.
func FoldAgent(evs []*event.Event) Agent {
	e := newTimeline(evs).latestWord(event.AgentState, func(e *event.Event) string { return e.Result })
	return Agent{State: e.Result, Since: e.OccurredAt}
}
