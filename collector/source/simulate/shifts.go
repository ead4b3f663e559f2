package simulate

import (
	"fmt"
	"slices"
)

// shifts is who is on duty at the call floor, and when each can take the next call. A call waits because an agent is
// busy with another one, not because a table says so.
type shifts struct {
	s         stream
	perShift  int
	agents    []*agent
	nextShift int64   // number of the next shift to plan
	waiting   []int64 // when those in the queue will leave it
}

type agent struct {
	id, position string
	on, off      int64
	freeAt       int64
	pauseFrom    int64
	pauseTo      int64
	rested       bool // the break has been planned
}

// Shifts begin at 07:00, 14:00 and 21:00 WIB.
func shiftStart(n int64) int64 {
	return n/3*day - wibOffset + [...]int64{7 * hour, 14 * hour, 21 * hour}[n%3]
}

// shiftOf is the number of the shift that runs at an instant.
func shiftOf(at int64) int64 {
	n := dayNumber(at)*3 + 2
	for shiftStart(n) > at {
		n--
	}
	return n
}

// roster is the agents of shift n. Three groups take turns and move on by a shift each week; nobody works two in a row.
func (d *shifts) roster(n int64) []*agent {
	group := (n + n/21) % 3
	agents := make([]*agent, d.perShift)
	for i := range agents {
		no := int(group)*d.perShift + i + 1
		start, end := shiftStart(n), shiftStart(n+1)
		a := &agent{id: "op-" + pad(no, 2), position: "pos-" + pad(i+1, 2)}
		a.on = start - d.s.Int64N(5*minute)
		a.off = end + d.s.Int64N(3*minute) // stays until the next shift sits
		// One break in the middle half of the shift, staggered so that the floor is never empty.
		room := (end - start) / 2
		a.pauseFrom = start + room/2 + room*int64(i)/int64(d.perShift) + d.s.Int64N(5*minute)
		a.pauseTo = a.pauseFrom + d.s.between(10*minute, 20*minute)
		a.freeAt = a.on
		agents[i] = a
	}
	return agents
}

// readyAt is when a can take a call that waits since from; ok is false when a goes home before.
func (a *agent) readyAt(from int64) (at int64, ok bool) {
	at = max(from, a.on, a.freeAt)
	if at >= a.pauseFrom && at < a.pauseTo {
		at = a.pauseTo
	}
	return at, at < a.off
}

// pick returns the agent who is ready first, of several the one idle for longest, and never the one called but.
func (d *shifts) pick(from int64, but *agent) (*agent, int64) {
	var best *agent
	var bestAt int64
	for _, a := range d.agents {
		at, ok := a.readyAt(from)
		if !ok || a == but {
			continue
		}
		if best == nil || at < bestAt || at == bestAt && a.freeAt < best.freeAt {
			best, bestAt = a, at
		}
	}
	return best, bestAt
}

// leave lets go of the agents whose shift was over before at, and tells gone of each.
func (d *shifts) leave(at int64, gone func(*agent)) {
	d.agents = slices.DeleteFunc(d.agents, func(a *agent) bool {
		if a.off <= at {
			gone(a)
		}
		return a.off <= at
	})
}

// queueLength is how many callers wait at an instant; instants must not go back by much.
func (d *shifts) queueLength(at int64) int {
	d.waiting = slices.DeleteFunc(d.waiting, func(until int64) bool { return until <= at })
	return len(d.waiting)
}

// pad writes n with at least width digits.
func pad(n, width int) string { return fmt.Sprintf("%0*d", width, n) }
