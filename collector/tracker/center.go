package tracker

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// Quarter is the grain of the window counts: windows begin and end on a multiple of it.
const Quarter = 15 * time.Minute

// How long a case stays in a live gauge. A call that waits longer than maxWaiting has lost its end event: no caller
// holds the line for an hour.
const (
	maxWaiting       = time.Hour
	callBackWithin   = 24 * time.Hour
	recentReach      = 15 * time.Minute
	agentSilentAfter = 24 * time.Hour
	windowsReach     = 72 * time.Hour // the longest window, the day, and the previous shift lie within it
)

// center is the board of one centre.
type center struct {
	label    string
	cfg      CenterConfig
	quarters map[int32]*[measures]int32
	recent   map[*entry]recentCase
	groups   map[groupKey]*openGroup // open tickets
	// of open tickets that have some, beside the clocks in their group
	elsewhere map[*entry][]elsewhere
	due       instants // open tickets by when they are first at risk or late
	quiet     instants // open tickets by their last event
}

// recentCase is what the live gauges show of a case, beside open tickets. Zero times are shown nowhere.
type recentCase struct {
	waitingSince        time.Time
	unclassified        time.Time // answered and ended without a class: when it came in
	callBack            time.Time // abandoned and not called back: when it was abandoned
	rings               []casefile.Ring
	openedAt            time.Time
	category, kecamatan string // of the ticket opened
}

func newCenter(label string, cfg CenterConfig) *center {
	return &center{
		label: label, cfg: cfg, quarters: map[int32]*[measures]int32{}, recent: map[*entry]recentCase{},
		groups: map[groupKey]*openGroup{}, elsewhere: map[*entry][]elsewhere{},
		due:   instants{map[int64][]*entry{}, func(en *entry) *instantSlot { return &en.slot.due }},
		quiet: instants{map[int64][]*entry{}, func(en *entry) *instantSlot { return &en.slot.quiet }},
	}
}

// setRecent shows a case in the gauges, or no longer when nothing of it is to be shown.
func (c *center) setRecent(en *entry, r recentCase) {
	if r.waitingSince.IsZero() && r.unclassified.IsZero() && r.callBack.IsZero() && r.openedAt.IsZero() && r.rings == nil {
		delete(c.recent, en)
	} else {
		c.recent[en] = r
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
	quarter int32 // its instant divided by Quarter
	bits    uint16
}

func quarterOf(t time.Time) int32 { return int32(t.Unix() / int64(Quarter/time.Second)) }

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
	is[ghost] = call.Class == event.ClassGhost
	is[unclassified] = is[answered] && !call.Classified()
	con := contribution{quarter: quarterOf(call.At())}
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
	var r recentCase
	at := call.OfferedAt()
	gone := !call.AbandonedAt.IsZero() || !call.UnservedAt.IsZero() || !call.EndedAt.IsZero() || call.Answered()
	if !at.IsZero() && !gone {
		r.waitingSince = at
	}
	if !call.AnsweredAt.IsZero() && !call.EndedAt.IsZero() && !call.Classified() && !call.Test() {
		r.unclassified = call.At()
	}
	if !at.IsZero() && !call.Answered() && call.CalledBackAt.IsZero() {
		r.callBack = call.AbandonedAt
	}
	if len(call.RingNoAnswers) > 0 {
		r.rings = call.RingNoAnswers
	}
	c.setRecent(en, r)
}

// showTicket brings the live gauges up to date with a ticket's facts; opd gives label and scope of an OPD.
func (c *center) showTicket(en *entry, t *casefile.Ticket, clocks []sla.Clock, opd func(string) (string, string)) {
	var r recentCase
	if t.State != casefile.Merged && !t.Test() {
		r = recentCase{openedAt: t.OpenedAt, category: t.Category, kecamatan: t.Kecamatan}
	}
	c.setRecent(en, r)
	if t.Listed() {
		c.setOpen(en, t, clocks, opd)
	} else {
		c.clearOpen(en)
	}
}

// forget takes an evicted case out of the gauges; its window counts stay.
func (c *center) forget(en *entry) {
	delete(c.recent, en)
	c.clearOpen(en)
}

// prune drops what no window and no gauge can show any more.
func (c *center) prune(now time.Time) {
	for en, r := range c.recent {
		rang := len(r.rings) > 0 && !r.rings[len(r.rings)-1].At.Before(now.Add(-recentReach))
		if !rang && r.waitingSince.Before(now.Add(-maxWaiting)) && r.unclassified.Before(now.Add(-windowsReach)) &&
			r.callBack.Before(now.Add(-callBackWithin)) && r.openedAt.Before(now.Add(-recentReach)) {
			delete(c.recent, en)
		}
	}
	oldest := quarterOf(now.Add(-windowsReach))
	for q := range c.quarters {
		if q < oldest {
			delete(c.quarters, q)
		}
	}
}
