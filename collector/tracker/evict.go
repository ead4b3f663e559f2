package tracker

import (
	"container/list"
	"time"
)

// place makes a touched case the last that Evict would drop; an open ticket, and one that waits for an open master, is
// none that it drops.
func (b *Board) place(en *entry) {
	b.unplace(en)
	if !en.complete || !en.open() && !en.waits {
		list := b.idle
		if en.late {
			list = b.late
		}
		en.idle = list.PushBack(en)
	}
}

func (b *Board) unplace(en *entry) {
	if en.idle != nil {
		b.idle.Remove(en.idle) // it stands in one of them
		b.late.Remove(en.idle)
		en.idle = nil
	}
}

// evictable gives the cases that Evict may drop, the longest untouched of each list first.
func (b *Board) evictable(yield func(*entry) bool) {
	for _, list := range []*list.List{b.late, b.idle} {
		for el := list.Front(); el != nil; el = el.Next() {
			if !yield(el.Value.(*entry)) {
				return
			}
		}
	}
}

// Evict drops cases without an open ticket, the longest untouched first, while there are more than CacheCases of them,
// or CacheLate of the late ones, or they were untouched for KeepCases. It drops no case that an event behind shipped
// acted on: of the others ClickHouse has events and row. It also drops what no window can show any more, and agents
// that were silent for long.
func (b *Board) Evict(shipped uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shipped = shipped
	for _, c := range b.centers {
		c.prune(now)
	}
	oldest := quarterOf(now.Add(-windowsReach))
	for key, con := range b.evictedCounts {
		if con.quarter < oldest {
			delete(b.evictedCounts, key)
		}
	}
	for key, a := range b.agents {
		if now.Sub(a.heard) > 2*agentSilentAfter {
			delete(b.agents, key)
		}
	}
	b.evict(b.idle, b.cfg.CacheCases, now, oldest)
	b.evict(b.late, b.cfg.CacheLate, now, oldest)
}

// evict drops from the front of a list while it has more than so many cases, or they were untouched for long.
func (b *Board) evict(list *list.List, most int, now time.Time, oldest int32) {
	for el := list.Front(); el != nil; el = list.Front() {
		en := el.Value.(*entry)
		if list.Len() <= most && now.Sub(en.touched) < b.cfg.KeepCases || en.end > b.shipped {
			return
		}
		b.unplace(en)
		b.rememberSize(en)
		delete(b.cases, en.key)
		delete(b.linked, en.key)
		if en.center != nil {
			en.center.forget(en)
			if en.counts.bits != 0 && en.counts.quarter >= oldest {
				b.evictedCounts[en.key] = en.counts
			}
		}
	}
}

// Size returns how many cases are in memory, and how many of them are open tickets.
func (b *Board) Size() (cases, openTickets int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, c := range b.centers {
		openTickets += c.openTickets()
	}
	return len(b.cases), openTickets
}
