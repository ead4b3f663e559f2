package simulate

import (
	"maps"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// tally adds up a world as it is invented.
type tally struct {
	t       Totals
	pending int64
	byType  [64]int64
	center  *centerTally
	code    string // of the centre
}

// centerTally is a CenterTotals in the making.
type centerTally struct {
	totals    CenterTotals
	wait      durations
	classify  durations
	talk      map[string]durations
	intervals map[[2]string]durations
	hour      int64 // the hour of the key below, in WIB since 1970
	hourKey   string
}

func newTally(p Preset, o Options) *tally {
	return &tally{
		t:      Totals{Preset: p, Seed: o.Seed, From: o.From, To: o.To, Rate: o.Rate, TimeScale: o.TimeScale},
		center: newCenterTally(),
		code:   o.Center,
	}
}

func newCenterTally() *centerTally {
	n := func() map[string]int64 { return map[string]int64{} }
	return &centerTally{
		totals: CenterTotals{
			Calls: CallTotals{UnservedByReason: n(), ByClass: n(), ByKecamatan: n(), ByAgent: n()},
			Tickets: TicketTotals{
				ByOPD: n(), ByScope: n(), ByPriority: n(), ByCategory: n(), ByKecamatan: n(), ByState: n(), ByResult: n(),
			},
			Months: map[string]Sums{}, Hours: map[string]Sums{},
		},
		wait: durations{}, classify: durations{}, talk: map[string]durations{}, intervals: map[[2]string]durations{},
	}
}

// sent counts a message.
func (y *tally) sent(p *planned) {
	m := &y.t.Messages
	m.Sent++
	switch p.kind {
	case repetition:
		m.Repetitions++
		return
	case secondSource:
		m.SecondSource++
	case slip:
		m.Slips++
	case correction:
		m.Corrections++
	}
	m.Events++
	if p.late && p.kind != correction {
		m.Late++
	}
	y.byType[p.draft.Type]++
}

// addCase adds a case of which everything has been told.
func (y *tally) addCase(inc *incident) {
	y.pending--
	if !inc.told {
		y.center.addCall(&inc.call)
	}
	if inc.ticket != nil {
		y.center.addTicket(&inc.call, inc.ticket)
	}
}

func (y *tally) totals() Totals {
	t := y.t
	t.Pending = y.pending
	t.Messages.ByType = map[string]int64{}
	for typ, n := range y.byType {
		if n > 0 {
			t.Messages.ByType[event.Type(typ).String()] = n
		}
	}
	t.Centers = map[string]*CenterTotals{y.code: y.center.copy()}
	return t
}

func (c *centerTally) copy() *CenterTotals {
	t := c.totals
	for _, m := range []*map[string]int64{
		&t.Calls.UnservedByReason, &t.Calls.ByClass, &t.Calls.ByKecamatan, &t.Calls.ByAgent, &t.Tickets.ByOPD,
		&t.Tickets.ByScope, &t.Tickets.ByPriority, &t.Tickets.ByCategory, &t.Tickets.ByKecamatan, &t.Tickets.ByState,
		&t.Tickets.ByResult,
	} {
		*m = maps.Clone(*m)
	}
	t.Months, t.Hours = maps.Clone(t.Months), maps.Clone(t.Hours)
	t.Calls.AnswerWait = c.wait.quantiles()
	t.Calls.Classify = c.classify.quantiles()
	t.Calls.Talk = map[string]Quantiles{}
	for class, d := range c.talk {
		t.Calls.Talk[class] = d.quantiles()
	}
	t.Tickets.Intervals = map[string]map[string]Quantiles{}
	for k, d := range c.intervals {
		if t.Tickets.Intervals[k[0]] == nil {
			t.Tickets.Intervals[k[0]] = map[string]Quantiles{}
		}
		t.Tickets.Intervals[k[0]][k[1]] = d.quantiles()
	}
	return &t
}

func (c *centerTally) addCall(k *callTruth) {
	t := &c.totals.Calls
	test := k.class == event.ClassUji
	var s Sums
	s.Received = 1
	if !test && k.blocked == 0 {
		s.Offered = 1
	}
	if test {
		s.Tests = 1
	}
	entered := k.queued
	if entered == 0 {
		entered = k.received
	}
	switch {
	case k.answered != 0:
		s.Answered = 1
		t.ByAgent[k.agent]++
		if wait := k.answered - entered; !test {
			c.wait[wait]++
			s.Within10 = oneIf(wait <= 10*second)
			s.Within15 = oneIf(wait <= 15*second)
			s.Within20 = oneIf(wait <= 20*second)
		}
		class := k.class
		switch {
		case class == "":
			s.Unclassified = 1
			class = event.ClassBelum
		case !test:
			s.Classified = 1
			s.Hoax = oneIf(event.Hoax(class))
			s.Ghost = oneIf(class == event.ClassGhost)
		}
		t.ByClass[class]++
		if k.firstClass != 0 {
			c.classify[k.firstClass-k.answered]++
		}
		if k.ended != 0 {
			if c.talk[class] == nil {
				c.talk[class] = durations{}
			}
			c.talk[class][k.ended-k.answered]++
			if event.Hoax(class) {
				t.HoaxTalk += k.ended - k.answered
			}
		}
	case k.abandoned != 0:
		s.Abandoned = 1
		s.AbandonedShort = oneIf(k.abandoned-entered < shortAbandon)
		if k.calledBack != 0 {
			t.CalledBack++
		} else {
			t.ToCallBack++
		}
	case k.unserved != 0:
		s.Unserved = 1
		t.UnservedByReason[k.unservedReason]++
	case k.blocked != 0:
		s.Blocked = 1
	}
	if k.kecamatan != "" && k.answered != 0 {
		t.ByKecamatan[k.kecamatan]++
	}
	t.Reclassified += int64(k.reclassified)
	t.RingNoAnswers += int64(k.ringNoAnswers)
	c.add(k.received, s)
}

func (c *centerTally) addTicket(k *callTruth, k2 *ticketTruth) {
	t := &c.totals.Tickets
	t.Opened++
	t.Open += oneIf(k2.open())
	opd := k2.opd()
	t.ByOPD[opd]++
	if opd == "" {
		t.ByScope[""]++
	} else {
		t.ByScope[k2.scope]++
	}
	t.ByPriority[k2.work.Priority]++
	t.ByCategory[k2.work.Category]++
	if k2.kecamatan != "" {
		t.ByKecamatan[k2.kecamatan]++
	}
	t.ByState[k2.state]++
	if k2.result != "" {
		t.ByResult[k2.result]++
	}
	t.Bounced += oneIf(k2.bounces() > 0)
	t.Bounces += int64(k2.bounces())
	t.Rejected += int64(k2.rejections)
	t.Reopened += int64(k2.reopened)
	t.Merged += oneIf(k2.merged != 0)
	t.Paused += oneIf(len(k2.pauses) > 0)
	for _, p := range k2.pauses {
		if p.to == 0 {
			t.PausedNow++
		} else {
			t.PausedMS += p.to - p.from
		}
	}
	c.addIntervals(k, k2)
	s := Sums{TicketsOpened: 1, TicketsOwn: oneIf(k2.scope == scopeOwn), TicketsVertical: oneIf(k2.scope == scopeVertical)}
	c.add(k2.opened, s)
}

// addIntervals adds the steps of a ticket that have both ends. Steps of an OPD count for the OPD that has the ticket in
// the end, except the acknowledgement, which counts for each stay.
func (c *centerTally) addIntervals(k *callTruth, t *ticketTruth) {
	add := func(interval, opd string, from, to int64) {
		if from == 0 || to == 0 {
			return
		}
		for _, who := range []string{"", opd} {
			key := [2]string{interval, who}
			if c.intervals[key] == nil {
				c.intervals[key] = durations{}
			}
			c.intervals[key][to-from]++
			if opd == "" {
				return
			}
		}
	}
	opd := t.opd()
	var last stay
	for i, s := range t.stays {
		if i == 0 {
			add("dispatch", s.opd, k.answered, s.assigned)
		}
		add("acknowledge", s.opd, s.assigned, s.acknowledged)
		last = s
	}
	add("turnout", opd, last.acknowledged, t.departed)
	add("travel", opd, t.departed, t.arrived)
	add("respond", opd, k.received, t.arrived)
	add("resolve", opd, t.opened, t.resolved)
	add("confirm", opd, t.lastResolved, t.confirmed)
	if t.work.Category == "kebakaran" && t.arrived != 0 {
		c.totals.Tickets.FireArrived++
		c.totals.Tickets.FireInTime += oneIf(t.arrived-k.received <= 15*minute)
	}
}

// add adds s to the whole, its month and its hour.
func (c *centerTally) add(at int64, s Sums) {
	c.totals.Calls.Sums.plus(s)
	if h := (at + wibOffset) / hour; h != c.hour || c.hourKey == "" {
		c.hour, c.hourKey = h, time.UnixMilli(h*hour).UTC().Format("2006-01-02T15")
	}
	sums := c.totals.Months[c.hourKey[:7]]
	sums.plus(s)
	c.totals.Months[c.hourKey[:7]] = sums
	sums = c.totals.Hours[c.hourKey]
	sums.plus(s)
	c.totals.Hours[c.hourKey] = sums
}

func (s *Sums) plus(o Sums) {
	s.Received += o.Received
	s.Offered += o.Offered
	s.Answered += o.Answered
	s.Within10 += o.Within10
	s.Within15 += o.Within15
	s.Within20 += o.Within20
	s.Abandoned += o.Abandoned
	s.AbandonedShort += o.AbandonedShort
	s.Unserved += o.Unserved
	s.Blocked += o.Blocked
	s.Classified += o.Classified
	s.Hoax += o.Hoax
	s.Unclassified += o.Unclassified
	s.Ghost += o.Ghost
	s.Tests += o.Tests
	s.TicketsOpened += o.TicketsOpened
	s.TicketsOwn += o.TicketsOwn
	s.TicketsVertical += o.TicketsVertical
}

func oneIf(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
