package metrics

import (
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// Fallback label values. A value outside a closed set is counted under one of them.
const (
	Unknown = "unknown" // a name, class or code that the directory or vocabulary does not have
	Other   = "other"   // a reason or key outside the set
	None    = "none"    // nothing was said: a ticket that no OPD has yet, a priority not given
)

// OPD is one department as labels need it.
type OPD struct {
	ID    string
	Scope string // own or vertical
}

// Center is a live (not historical) centre and the OPDs it can give tickets to.
type Center struct {
	Code  string
	OPDs  []OPD
	Names []Name // for directory_info
}

// Name is what people call the value of a label: of "opd", "category" or "kecamatan".
type Name struct{ Label, Value, Name string }

// Vocabulary holds the closed sets of label values besides centres and OPDs. Fallback values need not be listed.
type Vocabulary struct {
	Channels        []string
	Classes         []string
	Priorities      []string
	UnservedReasons []string
	AgentStates     []string
	Categories      []string
	Kecamatan       []string
	AnswerTargets   []time.Duration // for calls_within_target_total; label values are seconds
	Clocks          []string
	Intervals       []string
	RejectReasons   []string
	Tables          []string
	StoreErrorKinds []string
	PagerLevels     []string
	Alertmanagers   []string // those that the pager pushes to, by host and port
	Routes          []string // HTTP route patterns
}

// DefaultVocabulary returns the words of the domain. The caller adds those of its directory and configuration:
// categories, kecamatan, Alertmanagers and routes.
func DefaultVocabulary() Vocabulary {
	var reasons []string
	for _, r := range event.Reasons() {
		reasons = append(reasons, string(r))
	}
	return Vocabulary{
		Channels:        event.Channels(),
		Classes:         event.Classes(),
		Priorities:      event.Priorities(),
		UnservedReasons: []string{"timeout", "empty", "overflow"},
		AgentStates:     event.AgentStates(),
		RejectReasons:   reasons,
		AnswerTargets:   tracker.AnswerTargets(),
		Clocks:          []string{"answer", "acknowledge", "arrive", "resolve", "resolve_total", "confirm", "given"},
		Intervals:       []string{"dispatch", "acknowledge", "turnout", "travel", "respond", "resolve", "confirm"},
		Tables:          []string{"events", "calls", "tickets", "clocks"},
		StoreErrorKinds: []string{"unavailable", "timeout", "refused", "value", "query"},
		PagerLevels:     []string{"risk", "overdue", "escalated", "escalated2", "closed"},
	}
}
