package tracker

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// SetComplete declares whether every open case and every call of the running windows is on the board.
func (b *Board) SetComplete(complete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complete = complete
}

// Complete reports what SetComplete declared last, or the checkpoint.
func (b *Board) Complete() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.complete
}

// Snapshot returns the figures of the board at now.
func (b *Board) Snapshot(now time.Time) Snapshot {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s := Snapshot{At: now, Complete: b.complete}
	for source, at := range b.sources {
		s.Sources = append(s.Sources, SourceSnapshot{source, at})
	}
	slices.SortFunc(s.Sources, func(a, b SourceSnapshot) int { return cmp.Compare(a.Source, b.Source) })
	if !b.complete {
		return s
	}
	agents := map[*center]map[string]int{}
	for _, a := range b.agents {
		if a.state.State == "" || now.Sub(a.state.Since) > agentSilentAfter {
			continue
		}
		if agents[a.center] == nil {
			agents[a.center] = map[string]int{}
		}
		agents[a.center][a.state.State]++
	}
	for _, label := range slices.Sorted(maps.Keys(b.centers)) {
		c := b.centers[label]
		cs := c.snapshot(now, b.cfg.StaleAfter)
		cs.Agents = labelCounts(agents[c])
		s.Centers = append(s.Centers, cs)
	}
	return s
}

// CallBacks returns the callers of a centre whom CallsToCallBack counts, the longest waiting first, at most limit.
func (b *Board) CallBacks(center string, now time.Time, limit int) (out []CallBack) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if !b.complete {
		return nil
	}
	for _, c := range b.centers {
		for en, r := range c.recent {
			if !r.callBack.IsZero() && now.Sub(r.callBack) <= callBackWithin && en.key.Center == center {
				out = append(out, CallBack{en.key.ID, r.callBack})
			}
		}
	}
	slices.SortFunc(out, func(a, b CallBack) int {
		return cmp.Or(a.AbandonedAt.Compare(b.AbandonedAt), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(limit, len(out))]
}

func (c *center) snapshot(now time.Time, staleAfter time.Duration) CenterSnapshot {
	s := CenterSnapshot{Center: c.label}
	s.Windows, s.Within = c.windows(now)
	sinceMidnight := now.Sub(c.midnight(now))
	rings, same := map[string]int{}, map[SameEventCount]int{}
	for _, r := range c.recent {
		shown := func(at time.Time, reach time.Duration) bool { return !at.IsZero() && now.Sub(at) <= reach }
		if shown(r.waitingSince, maxWaiting) {
			s.CallsWaiting++
			s.OldestWaiting = max(s.OldestWaiting, now.Sub(r.waitingSince))
		}
		if shown(r.unclassified, sinceMidnight) {
			s.CallsUnclassified++
		}
		if shown(r.callBack, callBackWithin) {
			s.CallsToCallBack++
		}
		for _, ring := range r.rings {
			if age := now.Sub(ring.At); age >= 0 && age <= recentReach {
				rings[ring.Position]++
			}
		}
		if age := now.Sub(r.openedAt); age >= 0 && age <= recentReach && r.category != "" && r.kecamatan != "" {
			same[SameEventCount{Category: r.category, Kecamatan: r.kecamatan}]++
		}
	}
	s.RingNoAnswerRecent = labelCounts(rings)
	for k, n := range same {
		k.N = n
		s.SameEvent = append(s.SameEvent, k)
	}
	slices.SortFunc(s.SameEvent, func(a, b SameEventCount) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Kecamatan, b.Kecamatan))
	})
	c.snapshotTickets(&s, now, staleAfter)
	return s
}

func ticketCounts(m map[TicketCount]int) []TicketCount {
	out := make([]TicketCount, 0, len(m))
	for k, n := range m {
		if k.N = n; n > 0 {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b TicketCount) int {
		return cmp.Or(cmp.Compare(a.OPD, b.OPD), cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Priority, b.Priority),
			cmp.Compare(a.Scope, b.Scope))
	})
	return out
}

func labelCounts(m map[string]int) []LabelCount {
	out := make([]LabelCount, 0, len(m))
	for _, l := range slices.Sorted(maps.Keys(m)) {
		out = append(out, LabelCount{l, m[l]})
	}
	return out
}

// span is a window: from the first instant to before the last.
type span struct{ from, to time.Time }

func (c *center) midnight(now time.Time) time.Time {
	y, m, d := now.In(c.cfg.Location).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, c.cfg.Location)
}

// shift returns the start of the shift that holds the instant.
func (c *center) shift(at time.Time) time.Time {
	y, m, d := at.In(c.cfg.Location).Date()
	for day := d; ; day-- {
		for _, s := range slices.Backward(c.cfg.Shifts) {
			h, min := int(s/time.Hour), int(s%time.Hour/time.Minute)
			if start := time.Date(y, m, day, h, min, 0, 0, c.cfg.Location); !start.After(at) {
				return start
			}
		}
		if len(c.cfg.Shifts) == 0 {
			return c.midnight(at)
		}
	}
}

// WindowNames are the windows of the exact counts.
var WindowNames = []string{"hour", "previous_hour", "shift", "previous_shift", "day"}

func (c *center) spans(now time.Time) map[string]span {
	local := now.In(c.cfg.Location)
	hour := now.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(
		local.Nanosecond()))
	shift := c.shift(now)
	far := now.Add(windowsReach)
	return map[string]span{
		"hour":           {hour, far},
		"previous_hour":  {hour.Add(-time.Hour), hour},
		"shift":          {shift, far},
		"previous_shift": {c.shift(shift.Add(-time.Second)), shift},
		"day":            {c.midnight(now), far},
	}
}

func (c *center) windows(now time.Time) (counts []WindowCount, within []WithinCount) {
	spans := c.spans(now)
	for _, name := range WindowNames {
		var sum [measures]int32
		from, to := spans[name].from.Unix(), spans[name].to.Unix()
		for q, quarter := range c.quarters {
			if at := int64(q) * int64(Quarter/time.Second); at >= from && at < to {
				for m, n := range quarter {
					sum[m] += n
				}
			}
		}
		for m, n := range sum[:named] {
			counts = append(counts, WindowCount{name, measureNames[m], int(n)})
		}
		for i, n := range sum[named:] {
			within = append(within, WithinCount{name, withinTargets[i], int(n)})
		}
	}
	return counts, within
}

// TicketFilter chooses open tickets; empty fields choose all.
type TicketFilter struct {
	Center, OPD string // OPD as its label
	State       casefile.State
	Overdue     bool // some running clock is past its due time
	AtRisk      bool // some running clock has used its share of warning and is not past due
}

// OpenTickets returns the open tickets on the board that f chooses, in the order of centre and id, at most limit of
// those behind after. Stale ones are among them unless f asks for those late or at risk.
func (b *Board) OpenTickets(f TicketFilter, now time.Time, after event.Key, limit int) []Row {
	chosen := b.openKeys(f, now, after)
	slices.SortFunc(chosen, event.Key.Compare)
	var (
		fold caseFolder
		rows []Row
	)
	for len(chosen) > 0 && len(rows) < limit {
		chosen = b.eachOf(chosen, func(en *entry) {
			if len(rows) == limit || !en.open() || !en.center.chosen(en.openTicket(), f, now, b.cfg.StaleAfter) {
				return
			}
			if r := b.row(&fold, en); f.State == "" || r.Ticket.State == f.State {
				rows = append(rows, r)
			}
		})
	}
	return rows
}

// openKeys returns the open tickets behind after that f chooses, apart from their state, in no order.
func (b *Board) openKeys(f TicketFilter, now time.Time, after event.Key) (chosen []event.Key) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, c := range b.centers {
		for en := range c.candidates(f, now) {
			if (f.Center == "" || f.Center == en.key.Center) && en.key.Compare(after) > 0 &&
				c.chosen(en.openTicket(), f, now, b.cfg.StaleAfter) {
				chosen = append(chosen, en.key)
			}
		}
	}
	return chosen
}

// candidates returns all open tickets among which f chooses.
func (c *center) candidates(f TicketFilter, now time.Time) iter.Seq[*entry] {
	if f.Overdue || f.AtRisk {
		return c.due.until(now.UnixMilli())
	}
	return func(yield func(*entry) bool) {
		for _, g := range c.groups {
			for i := range g.tickets {
				if !yield(g.tickets[i].entry) {
					return
				}
			}
		}
	}
}

// OPDLabel is how TicketFilter writes an OPD that a ticket of a centre names.
func (b *Board) OPDLabel(center, opd string) string {
	label, _ := b.cfg.OPD(center, opd)
	return label
}
