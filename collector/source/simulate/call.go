package simulate

import "github.com/monev112/monev112/collector/event"

// How the floor works, in milliseconds unless said otherwise.
const (
	queueLimit     = 25           // callers waiting; one more is turned away
	queueTimeout   = 180 * second // the longest anyone waits
	ringTimeout    = 18 * second  // then the telephone of the next agent rings
	shortAbandon   = 5 * second   // who hangs up sooner did not wait
	queueName      = "112"
	reasonOverflow = "overflow"
	reasonTimeout  = "timeout"
	reasonNoAgents = "no_agents"
)

func pickup() spread   { return spread{1200, 2200, 4000, 8500, 16_000, 30_000} }
func patience() spread { return spread{1500, 20_000, 60_000, 150_000, 300_000, 400_000} }

// planCall lives through a call and says what a call platform would.
func (g *Generator) planCall(inc *incident, a arrival) {
	c := &inc.call
	var n nature
	if a.again != nil {
		n = nature{class: event.ClassDuplikat, scope: a.again.ticket.scope, work: a.again.ticket.work}
	} else {
		n = g.nature.draw(g.preset, a)
	}
	g.callNo++
	c.id = g.tag + "-" + pad(g.callNo, 6)
	c.class = n.class
	if inc.invented = n.hoax; inc.invented {
		c.class = event.ClassNormal
	}
	c.received = a.at
	c.caller = g.caller(n, a)
	where := g.place()
	if a.again != nil {
		c.kecamatan = a.again.call.kecamatan
	} else if n.scope != "" || n.class == event.ClassPrank && g.places.permille(300) || n.class == event.ClassInformasi {
		c.kecamatan = figures().Kecamatan[where].Code
	}

	d := g.say(inc, event.CallReceived, c.id, c.received)
	d.Caller, d.Channel = c.caller, event.ChannelPhone
	if g.preset == Live && n.class == event.ClassPrank && g.calls.permille(20) {
		c.blocked = c.received + g.calls.between(200, 900)
		c.class = ""
		g.say(inc, event.CallBlocked, c.id, c.blocked).Reason = "daftar_blokir"
		return
	}
	c.queued = c.received + g.calls.between(1500, 6000)
	d = g.say(inc, event.CallQueued, c.id, c.queued)
	d.Queue = queueName
	who := g.ring(inc)
	if who == nil {
		c.class = ""
		return
	}
	g.converse(inc, n, who)
	if n.scope == "" || c.firstClass == 0 {
		return
	}
	if a.again != nil {
		g.planDuplicate(inc, n, a.again)
		return
	}
	g.planTicket(inc, n, where)
}

// caller is the number that calls; tests have none.
func (g *Generator) caller(n nature, a arrival) string {
	switch {
	case n.class == event.ClassUji:
		return ""
	case a.flood:
		return g.callers.repeatCaller()
	case n.class == event.ClassPrank:
		return g.callers.prankster()
	case n.class == event.ClassGhost && g.calls.permille(300):
		return g.callers.prankster()
	}
	return g.callers.anyone()
}

// ring takes a queued call to the agent who answers it, or to its end without an answer (nil).
func (g *Generator) ring(inc *incident) *agent {
	c := &inc.call
	live := g.preset == Live
	if live && g.shifts.queueLength(c.queued) >= queueLimit {
		g.unserved(inc, c.queued+g.calls.between(200, 900), reasonOverflow)
		return nil
	}
	if live && g.calls.permille(3) { // the switch loses its agents for a moment
		g.unserved(inc, c.queued+g.calls.between(2000, 9000), reasonNoAgents)
		return nil
	}
	givesUp := int64(1) << 62
	if live {
		givesUp = c.queued + g.calls.draw(patience())
	}
	who, ready := g.shifts.pick(c.queued, nil)
	if who == nil {
		g.unserved(inc, c.queued+g.calls.between(2000, 9000), reasonNoAgents)
		return nil
	}
	rings := max(c.queued+300, ready+800)
	missShare := 8
	if live {
		missShare = 25
	}
	misses := g.calls.permille(missShare)
	answers := rings + g.calls.draw(g.pickupOf(c.queued))
	if misses && rings+ringTimeout < givesUp && rings+ringTimeout < c.queued+queueTimeout {
		g.rings(inc, who, rings)
		missed := rings + ringTimeout
		d := g.say(inc, event.CallRingNoAnswer, c.id, missed)
		d.Agent, d.Position = who.id, who.position
		d.RingMS = ptr(ringTimeout)
		c.ringNoAnswers++
		who.freeAt = max(who.freeAt, missed+second)
		if other, at := g.shifts.pick(missed, who); other != nil {
			who, ready = other, at
		} else {
			ready = missed + second
		}
		rings = max(missed+300, ready+800)
		answers = rings + g.calls.draw(g.pickupOf(c.queued))
	}
	until := min(answers, givesUp, c.queued+queueTimeout)
	g.shifts.waiting = append(g.shifts.waiting, until)
	if rings < until {
		g.rings(inc, who, rings)
	}
	switch {
	case live && until == givesUp:
		c.abandoned = givesUp
		d := g.say(inc, event.CallAbandoned, c.id, c.abandoned)
		d.WaitMS = ptr(c.abandoned - c.queued)
		g.callBack(inc)
		if rings < until {
			who.freeAt = until + second
		}
		return nil
	case live && until < answers:
		g.unserved(inc, until, reasonTimeout)
		return nil
	}
	c.answered = answers
	c.agent, c.position = who.id, who.position
	d := g.say(inc, event.CallAnswered, c.id, answers)
	d.Agent, d.Position = who.id, who.position
	d.RingMS = ptr(answers - rings)
	if g.calls.permille(900) { // some platforms leave the wait to be computed
		d.WaitMS = ptr(answers - c.queued)
	}
	return who
}

func (g *Generator) rings(inc *incident, who *agent, at int64) {
	d := g.say(inc, event.CallRinging, inc.call.id, at)
	d.Agent, d.Position, d.Queue = who.id, who.position, queueName
}

func (g *Generator) unserved(inc *incident, at int64, reason string) {
	inc.call.unserved, inc.call.unservedReason = at, reason
	g.say(inc, event.CallUnserved, inc.call.id, at).Reason = reason
}

// callBack lets an agent ring back who waited in vain, six times in ten.
func (g *Generator) callBack(inc *incident) {
	c := &inc.call
	if c.abandoned-c.queued < shortAbandon || !g.calls.permille(600) || len(g.shifts.agents) == 0 {
		return
	}
	c.calledBack = c.abandoned + g.calls.draw(seconds(60, 120, 420, 1200, 3000, 5400))
	g.say(inc, event.CallCalledBack, c.id, c.calledBack).Agent = g.shifts.agents[g.calls.IntN(len(g.shifts.agents))].id
}

// converse is the talk, its classification and its end.
func (g *Generator) converse(inc *incident, n nature, who *agent) {
	c := &inc.call
	c.ended = c.answered + g.calls.draw(g.talkOf(n.class, c.received))
	toClass := seconds(4, 12, 35, 90, 180, 600)
	if event.Hoax(n.class) && !n.hoax || n.class == event.ClassGhost || n.class == event.ClassPocket {
		toClass = seconds(3, 6, 14, 40, 90, 240)
	}
	classifies := c.answered + g.calls.draw(toClass)
	busyUntil := max(c.ended, classifies)
	late := g.preset == Live && n.scope == "" && g.calls.permille(25)
	switch {
	case n.class == "":
		busyUntil = c.ended
	case late: // left for the end of the shift
		busyUntil = c.ended
		classifies = c.ended + g.calls.draw(seconds(300, 900, 3600, 10800, 25200, 28800))
	}
	who.freeAt = busyUntil + g.calls.between(2*second, 9*second)

	if n.class != "" {
		first := n.class
		switch {
		case n.hoax: // nobody knows yet
			first = event.ClassNormal
		case g.preset == Live && n.scope == "" && g.calls.permille(25):
			first = [...]string{event.ClassPutus, event.ClassGhost, event.ClassNormal}[g.calls.IntN(3)]
		}
		c.firstClass = classifies
		g.classify(inc, n, classifies, first)
		if first != n.class && !n.hoax {
			c.reclassified++
			g.classify(inc, n, classifies+g.calls.draw(seconds(30, 120, 900, 3600, 14400, 28800)), n.class)
		}
	}
	if g.preset == Live && g.calls.permille(8) {
		c.ended = 0 // the platform lost it
	} else {
		g.say(inc, event.CallEnded, c.id, c.ended).Agent = who.id
	}
	if g.preset == Live {
		g.agentState(who, event.AgentBusy, c.answered)
		if c.ended != 0 {
			g.agentState(who, event.AgentWrapup, c.ended)
		}
		g.agentState(who, event.AgentAvailable, who.freeAt)
	}
}

func (g *Generator) classify(inc *incident, n nature, at int64, class string) {
	d := g.say(inc, event.CallClassified, inc.call.id, at)
	d.Class, d.Agent, d.Kecamatan = class, inc.call.agent, inc.call.kecamatan
	d.Category = n.work.Category
	if class == event.ClassInformasi {
		g.answer(d, n)
	}
}

func ptr(n int64) *int64 { return &n }
