package tracker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// DueSummary is the work of one OPD that is late or at risk. Its numbers agree with Snapshot: stale tickets are in
// none, and a ticket that is late on two clocks counts in both.
type DueSummary struct {
	Open int
	// Unrecorded are those of the open tickets that no clock may watch; see CenterSnapshot.Unrecorded.
	Unrecorded int
	AtRisk     int          // tickets with a clock at risk
	Overdue    []LabelCount // tickets late on each clock, in the order in which clocks are shown; those with none left out
	// Tickets are all that are late or at risk: the longest late first, then those at risk, the nearest to its due time
	// first.
	Tickets []DueTicket
	// Soon are those that are late on no clock and will be within SoonWithin, the nearest to its due time first.
	Soon []DueTicket
}

// SoonWithin is what due soon means: a weekend and the working day after it are within.
const SoonWithin = 72 * time.Hour

// DueTicket is an open ticket that is late, at risk, or due soon.
type DueTicket struct {
	Key  event.Key
	Late bool
	At   time.Time // when the clock that counts for the order became late, or will
}

// DueSummary returns the late and endangered tickets of the OPD with that label.
func (b *Board) DueSummary(center, opd string, now time.Time) DueSummary {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var (
		out             DueSummary
		late            [len(clockNames)]int
		at, staleBefore = now.UnixMilli(), now.Add(-b.cfg.StaleAfter).UnixMilli()
	)
	for _, c := range b.centers {
		open, unrecorded := c.openOf(center, opd, staleBefore)
		out.Open, out.Unrecorded = out.Open+open, out.Unrecorded+unrecorded
		for en := range c.due.until(at + SoonWithin.Milliseconds()) {
			t := en.openTicket()
			if en.slot.group.opd != opd || t.lastEventAt < staleBefore || en.key.Center != center {
				continue
			}
			on, since, risk := t.standing(at)
			for j, is := range on {
				if is {
					late[j]++
				}
			}
			if risk != 0 {
				out.AtRisk++
			}
			if first := cmp.Or(since, risk); first != 0 {
				out.Tickets = append(out.Tickets, DueTicket{en.key, since != 0, time.UnixMilli(first).UTC()})
			}
			if next := t.next(at); since == 0 && next != 0 && next-at <= SoonWithin.Milliseconds() {
				out.Soon = append(out.Soon, DueTicket{en.key, false, time.UnixMilli(next).UTC()})
			}
		}
	}
	for _, c := range b.centers {
		for en, clocks := range c.elsewhere {
			since := int64(0)
			for _, e := range clocks {
				if e.opd == opd && en.key.Center == center && e.level(at) == pastDue &&
					en.openTicket().lastEventAt >= staleBefore {
					late[e.name]++
					since = e.breach
				}
			}
			if since != 0 {
				out.Tickets = append(out.Tickets, DueTicket{en.key, true, time.UnixMilli(since).UTC()})
			}
		}
	}
	for j, n := range late {
		if n > 0 {
			out.Overdue = append(out.Overdue, LabelCount{clockNames[j], n})
		}
	}
	slices.SortFunc(out.Tickets, compareDue)
	slices.SortFunc(out.Soon, compareDue)
	return out
}

func compareDue(a, b DueTicket) int {
	if a.Late != b.Late {
		if a.Late {
			return -1
		}
		return 1
	}
	return cmp.Or(a.At.Compare(b.At), a.Key.Compare(b.Key))
}

// OpenMatching returns open tickets of the OPD with that label whose id holds text, in whatever case its letters are,
// by id, at most limit.
func (b *Board) OpenMatching(center, opd, text string, limit int) (found []event.Key) {
	text = strings.ToLower(text)
	b.mu.RLock()
	for _, c := range b.centers {
		for _, g := range c.groups {
			for i := range g.tickets {
				if key := g.tickets[i].entry.key; g.opd == opd && key.Center == center &&
					strings.Contains(strings.ToLower(key.ID), text) {
					found = append(found, key)
				}
			}
		}
	}
	b.mu.RUnlock()
	slices.SortFunc(found, event.Key.Compare)
	return found[:min(limit, len(found))]
}

// openOf counts the open tickets of an OPD that are not stale. Tickets of centres that the directory does not know lie
// together.
func (c *center) openOf(center, opd string, staleBefore int64) (open, unrecorded int) {
	count := func(n int, t *openTicket) {
		open, unrecorded = open+n, unrecorded+n*one(t.unrecorded)
	}
	for _, g := range c.groups {
		switch {
		case g.opd != opd:
		case c.label == center && center != UnknownLabel:
			open, unrecorded = open+len(g.tickets), unrecorded+g.unrecorded
		case c.label == UnknownLabel:
			for i := range g.tickets {
				if t := &g.tickets[i]; t.entry.key.Center == center && t.lastEventAt >= staleBefore {
					count(1, t)
				}
			}
		}
	}
	if c.label == center && center != UnknownLabel {
		for en := range c.quiet.until(staleBefore) {
			if t := en.openTicket(); en.slot.group.opd == opd && t.lastEventAt < staleBefore {
				count(-1, t)
			}
		}
	}
	return open, unrecorded
}

// Due is an open ticket that is late or at risk.
type Due struct {
	Key        event.Key
	OPD, Scope string // label of its OPD, and who directs it
	Priority   string
	Category   string // as the ticket names it
	Kecamatan  string // likewise
	Marks      []Marks
}

// Marks are the instants, in Unix milliseconds, from which a running clock has reached a level, of Breach after it; 0
// is never.
type Marks struct{ Risk, Breach, Escalated, Escalated2 int64 }

// Level is that of the clock at an instant; see sla.Clock.Level.
func (m *Marks) Level(at int64) sla.Level {
	reached := func(mark int64) bool { return mark != 0 && at >= mark }
	switch {
	case reached(m.Escalated2):
		return sla.LevelEscalated2
	case reached(m.Escalated):
		return sla.LevelEscalated
	case at > m.Breach:
		return sla.LevelOverdue
	case reached(m.Risk):
		return sla.LevelRisk
	}
	return ""
}

// MarksOf returns the marks of the clocks that run, and for which somebody within the regency's power answers.
func MarksOf(clocks []sla.Clock) (out []Marks) {
	for i := range clocks {
		k := &clocks[i]
		if k.Void || k.Unobserved || !k.StoppedAt.IsZero() || k.BreachAt.IsZero() || k.Scope == sla.ScopeVertical {
			continue
		}
		at := func(t time.Time) int64 {
			if t.IsZero() {
				return 0
			}
			return t.UnixMilli()
		}
		if out == nil {
			out = make([]Marks, 0, len(clocks)-i)
		}
		out = append(out, Marks{at(k.RiskAt), at(k.BreachAt), at(k.EscalatedAt), at(k.Escalated2At)})
	}
	return out
}

// Due returns the open tickets that OpenTickets chooses as late or at risk, in no order. It walks no other.
func (b *Board) Due(now time.Time) []Due {
	b.mu.RLock()
	defer b.mu.RUnlock()
	f, n := TicketFilter{Overdue: true, AtRisk: true}, 0
	for _, c := range b.centers {
		n += c.due.upTo(now.UnixMilli())
	}
	out := make([]Due, 0, n)
	for _, c := range b.centers {
		for en := range c.due.until(now.UnixMilli()) {
			if t, g := en.openTicket(), en.slot.group; c.chosen(t, f, now, b.cfg.StaleAfter) {
				out = append(out, Due{en.key, g.opd, g.scope, g.priority, t.category, t.kecamatan, t.marks})
			}
		}
	}
	return out
}
