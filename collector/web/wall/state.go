package wall

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// State is what a screen shows of one centre. Counts are of tracker.Snapshot; a number that is not known is absent.
type State struct {
	Center   string `json:"center"`
	Name     string `json:"name"`
	Complete bool   `json:"complete"` // false while the board is being restored: no counts then
	Version  string `json:"version"`  // of the program: a screen that holds another one's page loads it again
	// Counts is nil until the board is complete.
	Counts *Counts `json:"counts,omitzero"`
	// LastEventAt is the time of the latest event of any source; zero before the first.
	LastEventAt time.Time `json:"last_event_at,omitzero"`
	// CallBacks are the callers to be called back, the longest waiting first; for whoever is signed in.
	CallBacks []CallBack `json:"call_backs,omitzero"`
}

// Counts are the numbers of the board. Windows are those of the current hour and shift.
type Counts struct {
	CallsWaiting       int          `json:"calls_waiting"`
	OldestWaitingSince time.Time    `json:"oldest_waiting_since,omitzero"` // zero when nobody waits
	CallsToCallBack    int          `json:"calls_to_call_back"`
	EmergenciesOverdue int          `json:"emergencies_overdue"`
	Agents             []StateCount `json:"agents"` // by state, each of event.AgentStates
	TargetSeconds      float64      `json:"target_seconds"`
	Hour               Window       `json:"hour"`
	Shift              Window       `json:"shift"`
}

// StateCount counts agents of one state.
type StateCount struct {
	State string `json:"state"`
	N     int    `json:"n"`
}

// Window are the calls of one window: the share answered within the target is WithinTarget of Offered (service level
// ketat), the classes are of those received.
type Window struct {
	Received     int `json:"received"`
	Offered      int `json:"offered"`
	WithinTarget int `json:"within_target"`
	Answered     int `json:"answered"`
	Abandoned    int `json:"abandoned"`
	Hoax         int `json:"hoax"`
	Ghost        int `json:"ghost"`
	OtherClass   int `json:"other_class"` // classified, neither hoax nor ghost
	Unclassified int `json:"unclassified"`
}

// CallBack is a caller to be called back.
type CallBack struct {
	Call  string    `json:"call"`
	Since time.Time `json:"since"`
}

// counts says what a snapshot has of a centre; a centre of which nothing was heard has zeros.
func counts(snap tracker.Snapshot, center string, target time.Duration) *Counts {
	c := &tracker.CenterSnapshot{}
	if i := slices.IndexFunc(snap.Centers, func(c tracker.CenterSnapshot) bool { return c.Center == center }); i >= 0 {
		c = &snap.Centers[i]
	}
	out := &Counts{
		CallsWaiting: c.CallsWaiting, CallsToCallBack: c.CallsToCallBack, EmergenciesOverdue: c.EmergenciesOverdue,
		TargetSeconds: target.Seconds(), Hour: window(c, "hour"), Shift: window(c, "shift"),
	}
	if c.CallsWaiting > 0 {
		out.OldestWaitingSince = snap.At.Add(-c.OldestWaiting).UTC().Truncate(time.Millisecond)
	}
	for _, state := range event.AgentStates() {
		out.Agents = append(out.Agents, StateCount{state, number(c.Agents, state)})
	}
	return out
}

func number(counts []tracker.LabelCount, label string) int {
	for _, c := range counts {
		if c.Label == label {
			return c.N
		}
	}
	return 0
}

func window(c *tracker.CenterSnapshot, name string) (w Window) {
	n := map[string]int{}
	for _, count := range c.Windows {
		if count.Window == name {
			n[count.Measure] = count.N
		}
	}
	return Window{
		Received: n["received"], Offered: n["offered"], WithinTarget: n["within_target"], Answered: n["answered"],
		Abandoned: n["abandoned"], Hoax: n["hoax"], Ghost: n["ghost"],
		OtherClass: n["classified"] - n["hoax"] - n["ghost"], Unclassified: n["unclassified"],
	}
}

// lastEvent is the time of the latest event of any source but those that people's buttons make.
func lastEvent(snap tracker.Snapshot, people string) time.Time {
	var last time.Time
	for _, s := range snap.Sources {
		if s.Source != people && s.LastEventAt.After(last) {
			last = s.LastEventAt
		}
	}
	return last.UTC()
}
