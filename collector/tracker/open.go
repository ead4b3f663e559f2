package tracker

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// openGroup holds the open tickets of a centre that share every label of the gauges, side by side in memory: a scrape
// reads all of them, and must stay quick with a hundred thousand.
type openGroup struct {
	opd, priority, scope string
	tickets              []openTicket
	unrecorded           int // of tickets
}

// openTicket holds what the gauges read of one open ticket. Times are Unix milliseconds.
type openTicket struct {
	entry       *entry
	lastEventAt int64
	unrecorded  bool                       // see CenterSnapshot.Unrecorded
	clocks      [len(clockNames)]openClock // by the clock's place in clockNames
	// What Due says of it; the strings lie in its events.
	category, kecamatan string
	marks               []Marks
}

// openClock is a clock that runs: from risk on it has used its share of warning, after breach it is late. Zero means
// that there is no such clock, or no such share.
type openClock struct{ risk, breach int64 }

// elsewhere is a running clock for which not the present OPD of its ticket answers, but the one that had the ticket
// when the clock became late.
type elsewhere struct {
	groupKey
	name int // its place in clockNames
	openClock
}

type groupKey struct{ opd, priority, scope string }

// openSlot is the place of a ticket in the groups, and in center.due and center.quiet.
type openSlot struct {
	group      *openGroup
	index      int
	due, quiet instantSlot
}

// open reports whether the case is an open ticket on the board.
func (en *entry) open() bool { return en.slot != nil }

func (en *entry) openTicket() *openTicket { return &en.slot.group.tickets[en.slot.index] }

// setOpen puts the ticket into its group, out of the one it was in. opd gives label and scope of an OPD.
func (c *center) setOpen(en *entry, t *casefile.Ticket, clocks []sla.Clock, opd func(string) (string, string)) {
	label, scope := opd(t.OPD)
	key := groupKey{label, t.Priority, scope}
	g := c.groups[key]
	if g == nil {
		key.priority = string([]byte(key.priority)) // own it: a fact's strings lie in its event
		g = &openGroup{opd: label, priority: key.priority, scope: scope}
		c.groups[key] = g
	}
	if en.slot == nil || en.slot.group != g {
		c.clearOpen(en)
		g.tickets = append(g.tickets, openTicket{entry: en})
		en.slot = &openSlot{group: g, index: len(g.tickets) - 1}
	}
	delete(c.elsewhere, en)
	o := en.openTicket()
	g.unrecorded -= one(o.unrecorded)
	// Without any clock that counts, too, nobody would hear of it.
	watched := slices.ContainsFunc(clocks, func(k sla.Clock) bool {
		return !k.Void && !k.Unobserved && !k.BreachAt.IsZero()
	})
	*o = openTicket{
		entry: en, lastEventAt: t.LastEventAt.UnixMilli(), unrecorded: t.Withdrawn || !watched, category: t.Category,
		kecamatan: t.Kecamatan, marks: MarksOf(clocks),
	}
	for i := range clocks {
		k := &clocks[i]
		n := slices.Index(clockNames[:], k.Name)
		if n < 0 || k.Void || !k.StoppedAt.IsZero() || k.BreachAt.IsZero() {
			continue
		}
		if k.Unobserved {
			o.unrecorded = true
			continue
		}
		if k.OPD != t.OPD && k.Scope != "" {
			if l, s := opd(k.OPD); s != scope || l != label && k.Kind != sla.Stated {
				c.elsewhere[en] = append(c.elsewhere[en], elsewhere{
					groupKey{l, string([]byte(k.Priority)), s}, n, openClock{breach: k.BreachAt.UnixMilli()},
				})
				continue
			}
		}
		if at := k.BreachAt.UnixMilli(); o.clocks[n].breach == 0 || at < o.clocks[n].breach {
			o.clocks[n] = openClock{breach: at}
			if !k.RiskAt.IsZero() {
				o.clocks[n].risk = k.RiskAt.UnixMilli()
			}
		}
	}
	g.unrecorded += one(o.unrecorded)
	c.quiet.put(en, o.lastEventAt)
	if at, ok := o.due(c.elsewhere[en]); ok {
		c.due.put(en, at)
	} else {
		c.due.remove(en)
	}
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// due is the first instant at which the ticket is at risk or late on a clock, its own or one that another OPD answers
// for.
func (o *openTicket) due(elsewhere []elsewhere) (first int64, ok bool) {
	add := func(k *openClock) {
		if k.breach == 0 {
			return
		}
		if at := min(k.breach, cmp.Or(k.risk, k.breach)); !ok || at < first {
			first, ok = at, true
		}
	}
	for i := range o.clocks {
		add(&o.clocks[i])
	}
	for i := range elsewhere {
		add(&elsewhere[i].openClock)
	}
	return first, ok
}

// clearOpen takes the ticket out of its group.
func (c *center) clearOpen(en *entry) {
	delete(c.elsewhere, en)
	if en.slot == nil {
		return
	}
	g := en.slot.group
	c.due.remove(en)
	c.quiet.remove(en)
	g.unrecorded -= one(en.openTicket().unrecorded)
	last := len(g.tickets) - 1
	g.tickets[en.slot.index] = g.tickets[last]
	g.tickets[en.slot.index].entry.slot.index = en.slot.index
	g.tickets[last] = openTicket{}
	g.tickets = g.tickets[:last]
	en.slot = nil
}

func (c *center) openTickets() (n int) {
	for _, g := range c.groups {
		n += len(g.tickets)
	}
	return n
}

// level is how far a running clock has come.
type level uint8

const (
	inTime level = iota
	atRisk
	pastDue
)

// level says where a running clock stands at an instant.
func (k *openClock) level(at int64) level {
	switch {
	case k.breach == 0:
		return inTime
	case at > k.breach:
		return pastDue
	case k.risk != 0 && at >= k.risk:
		return atRisk
	}
	return inTime
}

// standing says on which clocks the ticket is late at an instant, since when on the first of them (0: on none), and
// when the nearest of those at risk becomes late (0: none is).
func (o *openTicket) standing(at int64) (late [len(clockNames)]bool, since, risk int64) {
	for i := range o.clocks {
		switch k := &o.clocks[i]; k.level(at) {
		case pastDue:
			late[i] = true
			if since == 0 || k.breach < since {
				since = k.breach
			}
		case atRisk:
			if risk == 0 || k.breach < risk {
				risk = k.breach
			}
		}
	}
	return late, since, risk
}

// next is when a running clock of the ticket becomes late next after an instant, 0: none does.
func (o *openTicket) next(at int64) (next int64) {
	for i := range o.clocks {
		if b := o.clocks[i].breach; b >= at && b != 0 && (next == 0 || b < next) {
			next = b
		}
	}
	return next
}

// matches reports whether the ticket is late or at risk as f asks. A stale ticket is neither: it is a question of data
// quality, and the gauges do not count it either.
func (o *openTicket) matches(f TicketFilter, now time.Time, staleAfter time.Duration) bool {
	if !f.Overdue && !f.AtRisk {
		return true
	}
	_, since, risk := o.standing(now.UnixMilli())
	return o.lastEventAt >= now.Add(-staleAfter).UnixMilli() && (f.Overdue && since != 0 || f.AtRisk && risk != 0)
}

// chosen reports whether f chooses a ticket of a group, or for a clock that another OPD answers for.
func (c *center) chosen(t *openTicket, f TicketFilter, now time.Time, staleAfter time.Duration) bool {
	if (f.OPD == "" || f.OPD == t.entry.slot.group.opd) && t.matches(f, now, staleAfter) {
		return true
	}
	return f.Overdue && t.lastEventAt >= now.Add(-staleAfter).UnixMilli() &&
		slices.ContainsFunc(c.elsewhere[t.entry], func(e elsewhere) bool {
			return (f.OPD == "" || f.OPD == e.opd) && e.level(now.UnixMilli()) == pastDue
		})
}

// openCount is what the gauges say of the tickets of a group, stale ones left out.
type openCount struct {
	open, unrecorded int
	atRisk, late     int
	overdue          [len(clockNames)]int
	earliest         int64 // since when the first of the late ones is
}

// due counts a ticket whose clocks may be at risk or late.
func (n *openCount) due(t *openTicket, at int64) {
	on, since, risk := t.standing(at)
	for j, is := range on {
		n.overdue[j] += one(is)
	}
	if since != 0 {
		n.earliest = min(n.earliest, since)
		n.late++
	}
	n.atRisk += one(risk != 0)
}

func (c *center) snapshotTickets(s *CenterSnapshot, now time.Time, staleAfter time.Duration) {
	open, risk, over, blind := map[TicketCount]int{}, map[TicketCount]int{}, map[TicketCount]int{}, map[TicketCount]int{}
	oldest := map[string]time.Duration{}
	at, staleBefore := now.UnixMilli(), now.Add(-staleAfter).UnixMilli()
	counts := make(map[*openGroup]*openCount, len(c.groups))
	for _, g := range c.groups {
		counts[g] = &openCount{open: len(g.tickets), unrecorded: g.unrecorded, earliest: at}
	}
	stale := func(t *openTicket, n *openCount) {
		if t.lastEventAt < staleBefore {
			s.Stale++
			n.open--
			n.unrecorded -= one(t.unrecorded)
		}
	}
	due := func(t *openTicket, n *openCount) {
		if t.lastEventAt >= staleBefore {
			n.due(t, at)
		}
	}
	if 4*(c.quiet.upTo(staleBefore)+c.due.upTo(at)) > c.openTickets() {
		for g, n := range counts { // so many are quicker read as they lie in memory
			for i := range g.tickets {
				stale(&g.tickets[i], n)
				due(&g.tickets[i], n)
			}
		}
	} else {
		for en := range c.quiet.until(staleBefore) {
			stale(en.openTicket(), counts[en.slot.group])
		}
		for en := range c.due.until(at) {
			due(en.openTicket(), counts[en.slot.group])
		}
	}
	for g, n := range counts {
		key := TicketCount{OPD: g.opd, Priority: g.priority, Scope: g.scope}
		open[key] += n.open // ticketCounts leaves out what comes to nothing
		blind[key] += n.unrecorded
		risk[TicketCount{OPD: g.opd, Scope: g.scope}] += n.atRisk
		for j, late := range n.overdue {
			over[TicketCount{OPD: g.opd, Clock: clockNames[j], Priority: g.priority, Scope: g.scope}] += late
		}
		if g.priority == event.PriorityDarurat {
			s.EmergenciesOverdue += n.late
		}
		if n.earliest < at {
			oldest[g.opd] = max(oldest[g.opd], time.Duration(at-n.earliest)*time.Millisecond)
		}
	}
	for en, clocks := range c.elsewhere {
		if en.openTicket().lastEventAt < staleBefore {
			continue
		}
		_, counted, _ := en.openTicket().standing(at)
		for _, e := range clocks {
			if e.level(at) == pastDue {
				if counted == 0 && en.slot.group.priority == event.PriorityDarurat {
					s.EmergenciesOverdue++
				}
				counted = e.breach
				over[TicketCount{OPD: e.opd, Clock: clockNames[e.name], Priority: e.priority, Scope: e.scope}]++
				oldest[e.opd] = max(oldest[e.opd], time.Duration(at-e.breach)*time.Millisecond)
			}
		}
	}
	s.Open, s.AtRisk, s.Overdue = ticketCounts(open), ticketCounts(risk), ticketCounts(over)
	s.Unrecorded = ticketCounts(blind)
	for _, opd := range slices.Sorted(maps.Keys(oldest)) {
		s.OldestOverdue = append(s.OldestOverdue, OldestOverdue{opd, oldest[opd]})
	}
}
