package tracker

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/sla"
)

// Quarter is the grain of the window counts: windows begin and end on a multiple of it.
const Quarter = 15 * time.Minute

// How long a case stays in a live gauge. A call that waits longer than maxWaiting has lost its end event: no caller
// holds the line for an hour.
const (
	maxWaiting       = time.Hour
	callBackWithin   = 24 * time.Hour
	recent           = 15 * time.Minute
	agentSilentAfter = 24 * time.Hour
	windowsReach     = 72 * time.Hour // the longest window, the day, and the previous shift lie within it
)

// center is the live side of one centre.
type center struct {
	label        string
	cfg          Center
	quarters     map[int64]*[measures]int32
	waiting      map[*entry]time.Time // since when
	unclassified map[*entry]time.Time // answered and ended without a class: when it came in
	callBack     map[*entry]time.Time // abandoned and not called back: when it was abandoned
	rings        map[*entry][]casefile.Ring
	opened       map[*entry]openedTicket
	groups       map[groupKey]*openGroup // open tickets
}

type openedTicket struct {
	at                  time.Time
	category, kecamatan string
}

func newCenter(label string, cfg Center) *center {
	return &center{
		label:        label,
		cfg:          cfg,
		quarters:     map[int64]*[measures]int32{},
		waiting:      map[*entry]time.Time{},
		unclassified: map[*entry]time.Time{},
		callBack:     map[*entry]time.Time{},
		rings:        map[*entry][]casefile.Ring{},
		opened:       map[*entry]openedTicket{},
		groups:       map[groupKey]*openGroup{},
	}
}

// The measures of the window counts, each as the view calls_rollup counts the column of that name; unclassified is what
// is answered and not classified, within_target the numerator of monev_service_level. A test call is in none.
const (
	received = iota
	offered
	answered
	withinTarget
	abandoned
	unserved
	classified
	hoax
	ghost
	unclassified
	named                                 // how many have a name
	measures = named + len(withinTargets) // then one for each of withinTargets
)

// withinTargets are the answer targets in use beside a centre's own: NFPA 1225 (10 s) and NENA-STA-020 (15 and 20 s).
var withinTargets = [...]time.Duration{10 * time.Second, 15 * time.Second, 20 * time.Second}

// AnswerTargets are the targets of CenterSnapshot.Within, ascending. The slice is the caller's own.
func AnswerTargets() []time.Duration { return slices.Clone(withinTargets[:]) }

var measureNames = [named]string{
	"received", "offered", "answered", "within_target", "abandoned", "unserved", "classified", "hoax", "ghost",
	"unclassified",
}

// contribution is what one call adds to the window counts.
type contribution struct {
	quarter int64 // its instant divided by Quarter
	bits    uint16
}

func (c *center) contribution(call *casefile.Call) contribution {
	if call.Events == 0 || call.Test() {
		return contribution{}
	}
	is := [measures]bool{received: true}
	is[offered] = !call.OfferedAt().IsZero()
	is[answered] = call.Answered()
	wait, known := call.AnswerTime()
	is[withinTarget] = is[offered] && known && wait <= c.cfg.AnswerTarget
	for i, target := range withinTargets {
		is[named+i] = is[offered] && known && wait <= target
	}
	is[abandoned] = !call.AbandonedAt.IsZero() && call.AnsweredAt.IsZero()
	is[unserved] = !call.UnservedAt.IsZero() && call.AnsweredAt.IsZero()
	is[classified] = call.Classified()
	is[hoax] = call.Hoax()
	is[ghost] = call.Class == casefile.ClassGhost
	is[unclassified] = is[answered] && !call.Classified()
	con := contribution{quarter: call.At().Unix() / int64(Quarter/time.Second)}
	for m, yes := range is {
		if yes {
			con.bits |= 1 << m
		}
	}
	return con
}

func (c *center) count(con contribution, by int32) {
	if con.bits == 0 {
		return
	}
	q := c.quarters[con.quarter]
	if q == nil {
		q = new([measures]int32)
		c.quarters[con.quarter] = q
	}
	for m := range measures {
		if con.bits&(1<<m) != 0 {
			q[m] += by
		}
	}
}

// showCall brings the live gauges and window counts up to date with a call's facts.
func (c *center) showCall(en *entry, call *casefile.Call) {
	con := c.contribution(call)
	if con != en.counts {
		c.count(en.counts, -1)
		c.count(con, +1)
		en.counts = con
	}
	show := func(in map[*entry]time.Time, when bool, at time.Time) {
		if when {
			in[en] = at
		} else {
			delete(in, en)
		}
	}
	gone := !call.AbandonedAt.IsZero() || !call.UnservedAt.IsZero() || !call.EndedAt.IsZero() || call.Answered()
	at := call.OfferedAt()
	show(c.waiting, !at.IsZero() && !gone, at)
	show(c.unclassified, !call.AnsweredAt.IsZero() && !call.EndedAt.IsZero() && !call.Classified() && !call.Test(),
		call.At())
	show(c.callBack, !at.IsZero() && !call.AbandonedAt.IsZero() && !call.Answered() && call.CalledBackAt.IsZero(),
		call.AbandonedAt)
	if len(call.RingNoAnswers) > 0 {
		c.rings[en] = call.RingNoAnswers
	} else {
		delete(c.rings, en)
	}
}

// showTicket brings the live gauges up to date with a ticket's facts.
func (c *center) showTicket(en *entry, t *casefile.Ticket, label, scope string, clocks []sla.Clock) {
	if t.OpenedAt.IsZero() || t.State == casefile.Merged {
		delete(c.opened, en)
	} else {
		c.opened[en] = openedTicket{t.OpenedAt, t.Category, t.Kecamatan}
	}
	if t.Events == 0 || !t.State.Open() {
		c.clearOpen(en)
	} else {
		c.setOpen(en, t, label, scope, clocks)
	}
}

// forget takes an evicted case out of the gauges; its window counts stay.
func (c *center) forget(en *entry) {
	delete(c.waiting, en)
	delete(c.unclassified, en)
	delete(c.callBack, en)
	delete(c.rings, en)
	delete(c.opened, en)
	c.clearOpen(en)
}

// prune drops what no window and no gauge can show any more.
func (c *center) prune(now time.Time) {
	dropBefore := func(in map[*entry]time.Time, at time.Time) {
		for en, t := range in {
			if t.Before(at) {
				delete(in, en)
			}
		}
	}
	dropBefore(c.waiting, now.Add(-maxWaiting))
	dropBefore(c.unclassified, now.Add(-windowsReach))
	dropBefore(c.callBack, now.Add(-callBackWithin))
	for en, o := range c.opened {
		if o.at.Before(now.Add(-recent)) {
			delete(c.opened, en)
		}
	}
	for en, rings := range c.rings {
		if rings[len(rings)-1].At.Before(now.Add(-recent)) {
			delete(c.rings, en)
		}
	}
	oldest := now.Add(-windowsReach).Unix() / int64(Quarter/time.Second)
	for q := range c.quarters {
		if q < oldest {
			delete(c.quarters, q)
		}
	}
}
