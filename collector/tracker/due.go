package tracker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// DueSummary is the work of one OPD that is late or at risk. Its numbers agree with Snapshot: stale tickets are in
// none, and a ticket that is late on two clocks counts in both.
type DueSummary struct {
	Open    int
	AtRisk  int          // tickets with a clock at risk
	Overdue []LabelCount // tickets late on each clock, in the order in which clocks are shown; those with none left out
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
		for _, g := range c.groups {
			if g.opd != opd {
				continue
			}
			for i := range g.tickets {
				t := &g.tickets[i]
				if t.lastEventAt < staleBefore || t.entry.key.Center != center {
					continue
				}
				out.Open++
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
					out.Tickets = append(out.Tickets, DueTicket{t.entry.key, since != 0, time.UnixMilli(first).UTC()})
				}
				if next := t.next(at); since == 0 && next != 0 && next-at <= SoonWithin.Milliseconds() {
					out.Soon = append(out.Soon, DueTicket{t.entry.key, false, time.UnixMilli(next).UTC()})
				}
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
	return cmp.Or(a.At.Compare(b.At), compareKeys(a.Key, b.Key))
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
	slices.SortFunc(found, compareKeys)
	return found[:min(limit, len(found))]
}
