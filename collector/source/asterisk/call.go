package asterisk

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// call is what is remembered of a call between its lines. Its JSON is part of the position file.
type call struct {
	Queue    string `json:"q,omitempty"`
	Waiting  bool   `json:"w,omitempty"`
	Answered bool   `json:"a,omitempty"`
	Done     bool   `json:"d,omitempty"`  // no line is awaited, though one may come
	Agent    string `json:"g,omitempty"`  // the code of who talks with the caller
	Entered  int64  `json:"e,omitempty"`  // Unix milliseconds, of the queue that it waits in or waited in last
	Left     int64  `json:"l,omitempty"`  // likewise
	Stays    int    `json:"s,omitempty"`  // queues that it waited in
	Waited   int64  `json:"m,omitempty"`  // milliseconds in earlier queues and between them
	Unserved string `json:"u,omitempty"`  // id of the call.unserved that a further queue would prove wrong
	Outside  bool   `json:"x,omitempty"`  // its caller is no extension of the telephone system
	Outbound bool   `json:"o,omitempty"`  // an agent has called out
	Of       string `json:"of,omitempty"` // id of the call about which its agent asks a colleague by this one
	Moved    bool   `json:"mv,omitempty"` // the caller of that call has taken the agent's place in this one
	// Seen counts events of one type and second, so that each has an id of its own.
	Seen map[string]int `json:"n,omitempty"`
}

// Limits of what is remembered. The calls longest finished go first; a line of a forgotten call still becomes an event.
const (
	maxFinished   = 1000
	maxCalls      = 10_000
	maxSeen       = 1000 // of one call
	maxCallsAfter = maxCalls - maxCalls/10
	maxWait       = 3600 * second // who waits longer has left without a line
)

// apart reports whether no caller of the centre is in the call: nothing is told of it.
func (c *call) apart() bool { return c.Outbound || c.Of != "" }

// id is unique to type, second and ordinal of a call: the same line has the same id whenever it is read.
func (c *call) id(uid string, t event.Type, unix int64) string {
	name := t.String() + "." + strconv.FormatInt(unix, 10)
	n := c.Seen[name]
	if c.Seen == nil || len(c.Seen) >= maxSeen {
		c.Seen = map[string]int{}
	}
	c.Seen[name] = n + 1
	return eventID(uid, name, n)
}

func eventID(uid, name string, n int) string {
	if n > 0 {
		name += ".n" + strconv.Itoa(n)
	}
	return uid + "." + name
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
		c.Waited += max(0, w.l.ms()-c.Left)
	} else if caller := strings.TrimSpace(w.l.param(1)); len(caller) > maxExtension && isNumber(caller) {
		c.Outside = true
	} else if of := w.m.consulting(caller); of != "" && of != w.l.UniqueID {
		c.Of = of
		w.m.tally.Legs++
	}
	c.Queue, c.Entered, c.Waiting, c.Done = w.l.Queue, w.l.ms(), true, false
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
	if c.Outbound && !c.Answered {
		w.m.tally.OutboundAnswered++
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
	c.Answered, c.Waiting, c.Left, c.Unserved = true, false, w.l.ms(), ""
	if c.Stays == 0 {
		c.Stays, c.Entered = 1, w.l.ms()
	}
	c.Agent = w.agent
	if a := w.known(); a != nil && !(c.Outbound && a.Gone) {
		if !c.Outbound { // who calls out is in no queue by that
			a.join(w.l.Queue)
		}
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
	c.Left, c.Agent = w.l.ms(), ""
	w.m.finish(w.l.UniqueID, c)
}

// transfer is an agent who hands a caller on: that of the call that the agent is on, whatever the line names. An
// ATTENDEDTRANSFER may name the call by which the agent asked a colleague (leg): it was no caller of its own, what was
// told of it is withdrawn, and the caller takes the agent's place in it.
func (w *work) transfer() {
	a, leg := w.m.agents[w.agent], w.m.calls[w.l.UniqueID]
	if a == nil || a.On == "" || a.On == w.l.UniqueID || leg != nil && (leg.Outside || leg.Agent == w.agent) {
		w.ended(ReasonTransfer)
		if a != nil {
			a.On = "" // whichever it was
		}
		w.release()
		return
	}
	legID, callID := w.l.UniqueID, a.On
	line := *w.l
	line.UniqueID = callID
	w.l = &line
	c := w.call()
	w.ended(ReasonTransfer)
	w.release()
	if leg == nil {
		return
	}
	if !leg.apart() {
		w.withdraw(legID, leg)
		w.m.tally.Legs++
	}
	if other := w.m.agents[leg.Agent]; leg.Agent != "" && other != nil && other.On == legID {
		other.On, c.Agent = callID, leg.Agent
	}
	c.Queue, c.Entered, c.Waiting, c.Done = leg.Queue, leg.Entered, leg.Waiting, leg.Done
	leg.Of, leg.Moved = callID, true
	w.m.finish(legID, leg)
}

// withdraw takes back what was told of a call.
func (w *work) withdraw(uid string, c *call) {
	for _, name := range slices.Sorted(maps.Keys(c.Seen)) {
		for n := range c.Seen[name] {
			id := eventID(uid, name, n)
			w.out = append(w.out, event.RawEvent{
				Source: w.m.cfg.Source, Center: w.m.cfg.Center, Type: event.EventWithdrawn, Kind: event.KindCall, Subject: uid,
				Time: w.l.Time(), ID: id + ".withdrawn", Replaces: id,
			})
		}
	}
}

// outbound is CALLOUTBOUND|number: an agent calls out. Its further lines are those of any call.
func (w *work) outbound() {
	if c := w.call(); c != nil && !c.apart() && c.Stays == 0 {
		c.Outbound, c.Entered, c.Stays = true, w.l.ms(), 1
		w.m.tally.Outbound++
	}
}

// maxExtension is the longest number of a telephone within the house.
const maxExtension = 6

// consulting returns the call of the agent whose extension is number, while the agent is on one: who calls then asks
// a colleague about it. Numbers that the public knows are never taken for an extension.
func (m *Mapper) consulting(number string) (callID string) {
	if number == "" || slices.Contains(publicNumbers, number) {
		return ""
	}
	for code, a := range m.agents {
		if a.On != "" && m.names.Rings(code, number) && (callID == "" || a.On < callID) {
			callID = a.On
		}
	}
	return callID
}

// publicNumbers are the short numbers of emergency services, which may call or be handed on themselves.
var publicNumbers = []string{"110", "112", "113", "115", "117", "118", "119", "122", "123", "129"}

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
	c.Left = w.l.ms()
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
		c.Waited += max(0, w.l.ms()-c.Entered)
	}
	c.Waiting, c.Left = false, w.l.ms()
	c.Stays = cmp.Or(c.Stays, 1)
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
