package simulate

import (
	"strconv"

	"github.com/monev112/monev112/collector/event"
)

// advance plans what happens on the floor by itself until an instant: shifts, breaks, heartbeats.
func (g *Generator) advance(at int64) {
	for shiftStart(g.shifts.nextShift)-10*minute <= at {
		roster := g.shifts.roster(g.shifts.nextShift)
		g.callAway(roster)
		for _, a := range roster {
			a.on = max(a.on, g.start) // who is on duty at the start logs in then, for all we know
			a.freeAt = max(a.freeAt, a.on)
			a.rested = a.pauseFrom < g.start
			g.shifts.agents = append(g.shifts.agents, a)
			g.agentState(a, event.AgentAvailable, a.on)
		}
		g.shifts.nextShift++
	}
	for _, a := range g.shifts.agents {
		if !a.rested && a.pauseFrom <= at {
			a.rested = true
			length := a.pauseTo - a.pauseFrom
			a.pauseFrom = max(a.pauseFrom, a.freeAt+1, a.on+1) // after the call in hand
			a.pauseTo = a.pauseFrom + length
			a.freeAt = max(a.freeAt, a.pauseTo)
			g.agentState(a, event.AgentPaused, a.pauseFrom)
			g.agentState(a, event.AgentAvailable, a.pauseTo)
		}
	}
	g.shifts.leave(at, func(a *agent) { g.agentState(a, event.AgentOffline, max(a.off, a.freeAt+1)) })
	if g.preset == Sidoarjo2023 {
		g.plantedBeats(at)
	}
	if g.preset != Live {
		return
	}
	for ; g.beat <= at; g.beat += minute {
		for _, source := range []string{g.source, g.second} {
			g.tell(event.RawEvent{
				Source: source, ID: g.tag + ".beat-" + strconv.FormatInt(g.beat/minute, 36), Type: event.FeedHeartbeat,
				Subject: source[len("simulate/"):], Time: g.moment(g.beat), Center: g.o.Center,
			}, g.beat)
		}
	}
}

// agentState says what an agent does from an instant on.
func (g *Generator) agentState(a *agent, state string, at int64) {
	g.agentNo++
	if at < g.o.From.UnixMilli() {
		return
	}
	g.tell(event.RawEvent{
		Source: g.source, ID: g.tag + "." + a.id + "-" + strconv.Itoa(g.agentNo), Type: event.AgentState, Subject: a.id,
		Time: g.moment(at), Center: g.o.Center, Agent: a.id, Position: a.position, Queue: queueName, Result: state,
	}, at)
}

// tell plans a message that belongs to no case.
func (g *Generator) tell(d event.RawEvent, at int64) {
	g.planned.push(planned{deliver: at, draft: d})
}
