package asterisk

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/monev112/monev112/collector/event"
)

// The reasons of a call.unserved.
const (
	ReasonTimeout = "timeout" // EXITWITHTIMEOUT
	ReasonEmpty   = "empty"   // EXITEMPTY: the queue lost its agents
	ReasonKey     = "key"     // EXITWITHKEY: the caller took another way out
	ReasonRestart = "restart" // QUEUESTART: the telephone system started anew while the caller waited
)

// ReasonTransfer is the reason of a call.ended whose caller was handed on.
const ReasonTransfer = "transfer"

// ReasonOutbound is the reason of an agent.state busy on a call out of the house.
const ReasonOutbound = "outbound"

// Mapper turns the lines of one log, in their order, into events. It does no IO and reads no clock: the same lines
// give the same events, with the same ids. It is for one goroutine.
type Mapper struct {
	cfg   Config
	names *Names

	calls    map[string]*call
	finished []string // ids of calls that have ended, the earliest first; those at the front may have waited again since
	agents   map[string]*agent
	tally    Tally
}

// Tally counts what a Mapper saw.
type Tally struct {
	Lines     int
	Events    int
	Malformed map[ParseError]int // lines that are none of a queue_log
	// lines of events that mean nothing here, by event; at most maxUnknown names, then "other"
	Unknown map[string]int
	Numbers int            // parameters that are no number, or a negative one; the event goes without it
	Callers int            // callers' numbers that are no telephone numbers, left out
	Unnamed map[string]int // lines of agents without a code, by the code that hides the name; at most maxUnknown
	// Outbound calls, and those of them that were answered: no caller of the centre is in them, and no event tells of
	// them but their agents' states.
	Outbound, OutboundAnswered int
	Legs                       int // calls by which an agent asked a colleague: no caller is in them either
}

// maxUnknown bounds the lists of a Tally.
const maxUnknown = 64

// NewMapper returns a Mapper that expects the first line of a log.
func NewMapper(c Config, names *Names) *Mapper {
	return &Mapper{
		cfg: c.WithDefaults(), names: names, calls: map[string]*call{}, agents: map[string]*agent{},
		tally: Tally{Malformed: map[ParseError]int{}, Unknown: map[string]int{}, Unnamed: map[string]int{}},
	}
}

// Tally returns what was counted so far.
func (m *Mapper) Tally() Tally {
	t := m.tally
	t.Malformed, t.Unknown, t.Unnamed = maps.Clone(t.Malformed), maps.Clone(t.Unknown), maps.Clone(t.Unnamed)
	return t
}

// MapText parses a line and maps it; a malformed one is counted and returned as a ParseError. An empty line says
// nothing.
func (m *Mapper) MapText(dst []event.RawEvent, text []byte) ([]event.RawEvent, error) {
	if len(text) > 0 && text[len(text)-1] == '\r' {
		text = text[:len(text)-1]
	}
	if len(text) == 0 {
		return dst, nil
	}
	l, err := ParseLine(text)
	if err != nil {
		parse, _ := errors.AsType[ParseError](err)
		m.Reject(parse)
		return dst, err
	}
	return m.Map(dst, &l), nil
}

// Reject counts a line that never became a Line.
func (m *Mapper) Reject(e ParseError) {
	m.tally.Lines++
	m.tally.Malformed[e]++
}

func count(in map[string]int, name string) {
	if _, ok := in[name]; !ok && len(in) >= maxUnknown {
		name = "other"
	}
	in[name]++
}

// Map appends the events that l gives rise to.
func (m *Mapper) Map(dst []event.RawEvent, l *Line) []event.RawEvent {
	m.tally.Lines++
	before := len(dst)
	if leg := m.calls[l.UniqueID]; leg != nil && leg.Moved { // the caller has taken the place of the agent who asked
		moved := *l
		moved.UniqueID = leg.Of
		l = &moved
	}
	w := work{m: m, l: l, out: dst}
	if l.Agent != "" {
		code, listed := m.names.Code(l.Agent)
		w.agent = code
		if !listed {
			count(m.tally.Unnamed, code)
		}
	}
	w.line()
	m.tally.Events += len(w.out) - before
	return w.out
}

// work is the mapping of one line.
type work struct {
	m     *Mapper
	l     *Line
	agent string // the code
	out   []event.RawEvent
	apart event.RawEvent // the latest of a call that is apart
}

func (w *work) line() {
	m, l := w.m, w.l
	switch l.Event {
	case "ENTERQUEUE":
		w.enter()
	case "CONNECT":
		w.connect()
	case "COMPLETECALLER", "COMPLETEAGENT":
		w.ended("")
		w.release()
	case "TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER":
		w.transfer()
	case "CALLOUTBOUND":
		w.outbound()
	case "AGENTDUMP": // hung up before the caller was put through
		w.release()
	case "ABANDON":
		w.abandon()
	case "EXITWITHTIMEOUT":
		w.exit(ReasonTimeout, 2)
	case "EXITEMPTY":
		w.exit(ReasonEmpty, 2)
	case "EXITWITHKEY":
		w.exit(ReasonKey, 3)
	case "RINGNOANSWER":
		w.rang(event.CallRingNoAnswer)
	case "RINGCANCELED":
		w.rang(event.CallRinging)
	case "AGENTLOGIN":
		w.agentLine(func(a *agent) { a.Login, a.Gone = true, false })
	case "AGENTCALLBACKLOGIN":
		w.agentLine(func(a *agent) { a.Gone = false })
	case "AGENTLOGOFF", "AGENTCALLBACKLOGOFF":
		w.agentLine(func(a *agent) { *a = agent{Said: a.Said, Last: a.Last, Gone: true} })
	case "ADDMEMBER":
		w.agentLine(func(a *agent) {
			a.join(l.Queue)
			if l.param(0) == "PAUSED" {
				a.pause(l.Queue)
			} else {
				a.unpause(l.Queue)
			}
		})
	case "REMOVEMEMBER":
		w.agentLine(func(a *agent) { a.leave(l.Queue) })
	case "PAUSE":
		w.pauseLine(func(a *agent) { a.pause(l.Queue) })
	case "UNPAUSE":
		w.pauseLine(func(a *agent) { a.unpause(l.Queue) })
	case "PAUSEALL":
		w.pauseLine(func(a *agent) { a.pause("") })
	case "UNPAUSEALL":
		w.pauseLine(func(a *agent) { a.unpause("") })
	case "QUEUESTART":
		w.restart()
	default:
		if _, known := events[l.Event]; !known {
			count(m.tally.Unknown, l.Event)
		}
	}
}

// restart is the start of the telephone system: whoever waited then was cut off, and no agent is in a call.
func (w *work) restart() {
	m := w.m
	for _, id := range slices.Sorted(maps.Keys(m.calls)) {
		c := m.calls[id]
		if waited := w.l.ms() - c.Entered; c.Waiting && !c.Answered && waited <= maxWait && waited >= -maxWait {
			c.Left = w.l.ms()
			w.unserved(id, c, c.Queue, ReasonRestart)
		}
		if !c.Done {
			m.finish(id, c)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(m.agents)) {
		a := m.agents[code]
		if a.On != "" || a.Login {
			a.Gone = a.Gone || a.Login // the call by which the agent was logged in is gone
			a.On, a.Login = "", false
			w.agentState(code, a)
		}
	}
}

// number reads parameter i as a count of units, which may have a fraction; absent and malformed ones are not known.
func (w *work) number(i int, unitMS int64) (ms int64, ok bool) {
	s := strings.TrimSpace(w.l.param(i))
	if s == "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n <= float64(event.MaxDurationMS/unitMS)) || strings.Trim(s, "0123456789.") != "" {
		w.m.tally.Numbers++
		return 0, false
	}
	return int64(math.Round(n * float64(unitMS))), true
}

const (
	second      = 1000 // milliseconds
	millisecond = 1
)

// draft starts an event of the line's call. The pointer is good until the next one.
func (w *work) draft(t event.Type, c *call) *event.RawEvent {
	return w.draftOf(t, c, w.l.UniqueID, w.l.Queue)
}

func (w *work) draftOf(t event.Type, c *call, uid, queue string) *event.RawEvent {
	d := event.RawEvent{
		Source: w.m.cfg.Source, Center: w.m.cfg.Center, Type: t, Subject: uid, Time: w.l.Time(), ID: c.id(uid, t, w.l.Unix),
	}
	if event.KeepsLabel(queue) {
		d.Queue = queue
	}
	if c.apart() {
		w.apart = d
		return &w.apart
	}
	w.out = append(w.out, d)
	return &w.out[len(w.out)-1]
}

// caller returns a number in a form that the collector reads, else nothing: "anonymous" must not cost the event.
func (m *Mapper) caller(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	if !isNumber(s) {
		m.tally.Callers++
		return ""
	}
	return s
}

// isNumber reports whether s is a telephone number that the collector reads.
func isNumber(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '+' && i == 0:
		case strings.IndexByte(" -.()/", c) >= 0:
		default:
			return false
		}
	}
	// 14 digits, so that a country code in the place of a leading 0 stays within the 15 of E.164.
	return len(s) <= event.MaxCallerBytes && digits >= 3 && digits <= 14
}
