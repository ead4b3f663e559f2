package asterisk

import (
	"slices"
	"strconv"

	"github.com/monev112/monev112/collector/event"
)

// agent is what is remembered of an agent between the lines. Its JSON is part of the position file.
type agent struct {
	Queues []string `json:"q,omitempty"` // sorted: the queues that a line showed the agent in
	Paused []string `json:"p,omitempty"` // sorted: of these, where the agent takes no call
	All    bool     `json:"all,omitempty"`
	Login  bool     `json:"in,omitempty"`   // by AGENTLOGIN
	Gone   bool     `json:"gone,omitempty"` // logged off or removed from every queue
	On     string   `json:"on,omitempty"`   // unique id of the call that the agent talks on
	Said   string   `json:"said,omitempty"` // the state that was sent last
	// Last are the latest seconds in which a state was sent, and how many: of one second, the last one counts.
	Last []secondCount `json:"last,omitempty"`
}

type secondCount struct {
	Unix int64 `json:"t"`
	N    int   `json:"n"`
}

// Limits of what is remembered of agents. Calls of further agents are events all the same; their states are not
// followed.
const (
	maxAgents         = 2000
	maxQueuesOfAgent  = 64
	maxSecondsOfAgent = 32
)

func insert(set []string, s string) []string {
	at, found := slices.BinarySearch(set, s)
	if s == "" || found || len(set) >= maxQueuesOfAgent {
		return set
	}
	return slices.Insert(set, at, s)
}

func remove(set []string, s string) []string {
	if at, found := slices.BinarySearch(set, s); found {
		return slices.Delete(set, at, at+1)
	}
	return set
}

func (a *agent) join(queue string) { a.Queues, a.Gone = insert(a.Queues, queue), false }

func (a *agent) pause(queue string) {
	if queue == "" {
		a.All = true
		return
	}
	if a.signedIn() {
		a.join(queue)
	}
	a.Paused = insert(a.Paused, queue)
}

func (a *agent) unpause(queue string) {
	if queue == "" {
		a.All, a.Paused = false, nil
		return
	}
	if a.signedIn() {
		a.join(queue)
	}
	a.Paused, a.All = remove(a.Paused, queue), false
}

// signedIn reports whether a line has shown the agent at work since the last log-off.
func (a *agent) signedIn() bool { return a.Said != "" && !a.Gone }

// leave takes the agent out of one queue; out of the last one, the agent is gone.
func (a *agent) leave(queue string) {
	a.Queues, a.Paused = remove(a.Queues, queue), remove(a.Paused, queue)
	if len(a.Queues) == 0 && !a.Login {
		a.Gone, a.On, a.All = true, "", false
	}
}

// state is where the agent stands: paused only who takes no call of any queue.
func (a *agent) state() string {
	switch {
	case a.Gone:
		return event.AgentOffline
	case a.On != "":
		return event.AgentBusy
	case a.All, len(a.Queues) > 0 && len(a.Paused) >= len(a.Queues):
		return event.AgentPaused
	}
	return event.AgentAvailable
}

// known returns the agent of the line, nil when it names none or too many are known.
func (w *work) known() *agent {
	if w.agent == "" {
		return nil
	}
	a := w.m.agents[w.agent]
	if a == nil && len(w.m.agents) < maxAgents {
		a = &agent{}
		w.m.agents[w.agent] = a
	}
	return a
}

// agentLine applies a line that speaks of an agent alone.
func (w *work) agentLine(change func(*agent)) {
	if a := w.known(); a != nil {
		change(a)
		w.agentState(w.agent, a)
	}
}

// pauseLine applies a line of PAUSE and its kin, which do not sign anybody in: who has gone stays gone, and of an agent
// whom no line has shown at work the pause is remembered until one does.
func (w *work) pauseLine(change func(*agent)) {
	a := w.known()
	if a == nil || a.Gone {
		return
	}
	if change(a); a.signedIn() {
		w.agentState(w.agent, a)
	}
}

// release ends the talk of the line's agent.
func (w *work) release() {
	a := w.known()
	if a == nil {
		return
	}
	if a.On == w.l.UniqueID {
		a.On = ""
	}
	w.agentState(w.agent, a)
}

// agentState says where an agent stands, when that has changed.
func (w *work) agentState(code string, a *agent) {
	state := a.state()
	if state == a.Said {
		return
	}
	a.Said = state
	n := a.ordinal(w.l.Unix)
	id := "agent." + code + ".state." + strconv.FormatInt(w.l.Unix, 10)
	if n > 0 {
		id += ".n" + strconv.Itoa(n)
	}
	w.out = append(w.out, event.RawEvent{
		Source: w.m.cfg.Source, Center: w.m.cfg.Center, Type: event.AgentState, Subject: code, Agent: code, ID: id,
		Time: w.l.Time(), Result: state, Revision: uint32(n), Position: w.m.names.Position(w.l.Agent, code),
	})
	if on := w.m.calls[a.On]; state == event.AgentBusy && on != nil && on.Outbound {
		w.out[len(w.out)-1].Reason = ReasonOutbound
	}
	if w.agent != code { // the line is of another agent
		w.out[len(w.out)-1].Position = w.m.names.Position("", code)
	}
}

// ordinal counts the states of one second.
func (a *agent) ordinal(unix int64) int {
	for i := range a.Last {
		if a.Last[i].Unix == unix {
			a.Last[i].N++
			return a.Last[i].N
		}
	}
	if len(a.Last) >= maxSecondsOfAgent {
		a.Last = slices.Delete(a.Last, 0, 1)
	}
	a.Last = append(a.Last, secondCount{unix, 0})
	return 0
}
