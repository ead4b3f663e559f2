package asterisk

import (
	"slices"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// call is what is remembered of a call between its lines. Its JSON is part of the position file.
type call struct {
	Queue    string `json:"q,omitempty"`
	Waiting  bool   `json:"w,omitempty"`
	Answered bool   `json:"a,omitempty"`
	Done     bool   `json:"d,omitempty"` // no line is awaited, though one may come
	Agent    string `json:"g,omitempty"` // the code of who talks with the caller
	Entered  int64  `json:"e,omitempty"` // unix seconds, of the queue that it waits in or waited in last
	Left     int64  `json:"l,omitempty"`
	Stays    int    `json:"s,omitempty"` // queues that it waited in
	Waited   int64  `json:"m,omitempty"` // milliseconds in earlier queues and between them
	Unserved string `json:"u,omitempty"` // id of the call.unserved that a further queue would prove wrong
	// Seen counts events of one type and second, so that each has an id of its own.
	Seen map[string]int `json:"n,omitempty"`
}

// Limits of what is remembered. The calls longest finished go first; a line of a forgotten call still becomes an event.
const (
	maxFinished   = 1000
	maxCalls      = 10_000
	maxSeen       = 1000 // of one call
	maxCallsAfter = maxCalls - maxCalls/10
	maxWait       = 3600 // seconds; who waits longer has left without a line
)

// id is unique to type, second and ordinal of a call: the same line has the same id whenever it is read.
func (c *call) id(uid string, t event.Type, unix int64) string {
	name := t.String() + "." + strconv.FormatInt(unix, 10)
	n := c.Seen[name]
	if c.Seen == nil || len(c.Seen) >= maxSeen {
		c.Seen = map[string]int{}
	}
	c.Seen[name] = n + 1
	id := uid + "." + name
	if n > 0 {
		id += ".n" + strconv.Itoa(n)
	}
	return id
}

// call returns the call of the line, nil when the line names none.
func (w *work) call() *call {
	uid := w.l.UniqueID
	if uid == "" {
		return nil
	}
	c := w.m.calls[uid]
	if c == nil {
		w.m.bound()
		c = &call{}
		w.m.calls[uid] = c
	}
	return c
}

// bound forgets calls: those finished longest, and, should ten thousand be under way, those whose queue was entered
// first.
func (m *Mapper) bound() {
	for len(m.finished) > maxFinished {
		id := m.finished[0]
		m.finished = m.finished[1:]
		if c := m.calls[id]; c != nil && c.Done && !slices.Contains(m.finished, id) {
			delete(m.calls, id)
		}
	}
	if len(m.calls) < maxCalls {
		return
	}
	ids := make([]string, 0, len(m.calls))
	for id := range m.calls {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, y := m.calls[a], m.calls[b]
		if x.Entered != y.Entered {
			return int(min(max(x.Entered-y.Entered, -1), 1))
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, id := range ids[:len(ids)-maxCallsAfter] {
		delete(m.calls, id)
	}
}

func (m *Mapper) finish(id string, c *call) {
	if !c.Done {
		m.finished = append(m.finished, id)
	}
	c.Done, c.Waiting = true, false
}

// enter is ENTERQUEUE|url|caller|position.
func (w *work) enter() {
	c := w.call()
	if c == nil {
		return
	}
	w.freeFrom(c)
	if c.Stays > 0 {
		c.Waited += max(0, w.l.Unix-c.Left) * second
	}
	c.Queue, c.Entered, c.Waiting, c.Done = w.l.Queue, w.l.Unix, true, false
	c.Stays++
	if c.Answered { // handed on: the caller was answered and is not offered anew
		return
	}
	d := w.draft(event.CallQueued, c)
	d.Caller = w.m.caller(w.l.param(1))
	d.Channel = event.ChannelPhone
	d.Replaces, c.Unserved = c.Unserved, ""
}

// freeFrom lets the agent go whose caller waits again.
func (w *work) freeFrom(c *call) {
	if a := w.m.agents[c.Agent]; c.Agent != "" && a != nil && a.On == w.l.UniqueID {
		a.On = ""
		w.agentState(c.Agent, a)
	}
	c.Agent = ""
}

// connect is CONNECT|hold seconds|bridged id|ring seconds: the answer, whatever a call detail record says.
func (w *work) connect() {
	c := w.call()
	if c == nil {
		return
	}
	hold, known := w.number(0, second)
	ring, rang := w.number(2, second)
	if rang {
		d := w.draft(event.CallRinging, c)
		d.Time = d.Time.Add(-time.Duration(ring) * time.Millisecond)
		d.Agent, d.Position = w.agent, w.m.names.Position(w.l.Agent, w.agent)
	}
	if !c.Answered {
		d := w.draft(event.CallAnswered, c)
		d.Agent, d.Position = w.agent, w.m.names.Position(w.l.Agent, w.agent)
		if wait := c.Waited + hold; known && wait <= event.MaxDurationMS {
			d.WaitMS = &wait
		}
		if rang {
			d.RingMS = &ring
		}
	}
	c.Answered, c.Waiting, c.Left, c.Unserved = true, false, w.l.Unix, ""
	if c.Stays == 0 {
		c.Stays, c.Entered = 1, w.l.Unix
	}
	c.Agent = w.agent
	if a := w.known(); a != nil {
		a.join(w.l.Queue)
		a.On = w.l.UniqueID
		w.agentState(w.agent, a)
	}
}

// ended is COMPLETECALLER and COMPLETEAGENT|hold|talk|position, and the transfers.
func (w *work) ended(reason string) {
	c := w.call()
	if c == nil {
		return
	}
	d := w.draft(event.CallEnded, c)
	d.Agent, d.Reason = w.agent, reason
	c.Left, c.Agent = w.l.Unix, ""
	w.m.finish(w.l.UniqueID, c)
}

// abandon is ABANDON|position|original position|wait seconds. A caller who was answered before has not given up.
func (w *work) abandon() {
	c := w.call()
	if c == nil {
		return
	}
	if c.Answered {
		w.draft(event.CallEnded, c)
	} else {
		d := w.draft(event.CallAbandoned, c)
		wait, known := w.number(2, second)
		if wait += c.Waited; known && wait <= event.MaxDurationMS {
			d.WaitMS = &wait
		}
	}
	c.Left = w.l.Unix
	w.m.finish(w.l.UniqueID, c)
}

// exit is a queue that lets a caller go: EXITWITHTIMEOUT and EXITEMPTY|position|original position|wait seconds,
// EXITWITHKEY|key|position|original position|wait seconds. What comes next is the dialplan's; a further queue voids it.
func (w *work) exit(reason string, waitAt int) {
	c := w.call()
	if c == nil {
		return
	}
	if wait, known := w.number(waitAt, second); known {
		c.Waited += wait
	} else if c.Waiting {
		c.Waited += max(0, w.l.Unix-c.Entered) * second
	}
	c.Waiting, c.Left = false, w.l.Unix
	if c.Stays == 0 {
		c.Stays = 1
	}
	if !c.Answered {
		w.unserved(w.l.UniqueID, c, w.l.Queue, reason)
	}
	w.m.finish(w.l.UniqueID, c)
}

func (w *work) unserved(uid string, c *call, queue, reason string) {
	d := w.draftOf(event.CallUnserved, c, uid, queue)
	d.Reason = reason
	c.Unserved = d.ID
}

// rang is RINGNOANSWER and RINGCANCELED|ring milliseconds. A telephone that rang for 0 ms was busy or away.
func (w *work) rang(t event.Type) {
	c := w.call()
	if c == nil {
		return
	}
	ring, known := w.number(0, millisecond)
	if known && ring == 0 {
		return
	}
	d := w.draft(t, c)
	d.Agent, d.Position = w.agent, w.m.names.Position(w.l.Agent, w.agent)
	if known {
		d.RingMS = &ring
		if t == event.CallRinging {
			d.Time = d.Time.Add(-time.Duration(ring) * time.Millisecond)
		}
	}
}
