package tracker

import "time"

// place puts a touched case where eviction finds it, or out of its reach while someone still has to work on it.
func (b *Board) place(en *entry) {
	b.unplace(en)
	if !en.complete || !en.open() {
		en.idle = b.idle.PushBack(en)
	}
}

func (b *Board) unplace(en *entry) {
	if en.idle != nil {
		b.idle.Remove(en.idle)
		en.idle = nil
	}
}

// Evict drops cases that nobody works on, the longest untouched first, while there are more than CacheCases or they
// were untouched for KeepCases. Only a case on which everything up to shipped acted can go: ClickHouse has its events
// and its row, though the board may not know it, since a row was stored by the process before this one. It also drops
// what no window can show any more, and agents long silent.
func (b *Board) Evict(shipped uint64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shipped = shipped
	for _, c := range b.centers {
		c.prune(now)
	}
	oldest := now.Add(-windowsReach).Unix() / int64(Quarter/time.Second)
	for key, con := range b.evictedCounts {
		if con.quarter < oldest {
			delete(b.evictedCounts, key)
		}
	}
	for key, a := range b.agents {
		if now.Sub(a.state.Since) > 2*agentSilentAfter {
			delete(b.agents, key)
		}
	}
	for el := b.idle.Front(); el != nil; el = b.idle.Front() {
		en := el.Value.(*entry)
		if b.idle.Len() <= b.cfg.CacheCases && now.Sub(en.touched) < b.cfg.KeepCases {
			return
		}
		if en.end > shipped {
			return
		}
		b.unplace(en)
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

// Size says how much the board holds.
func (b *Board) Size() (cases, openTickets int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, c := range b.centers {
		openTickets += c.openTickets()
	}
	return len(b.cases), openTickets
}
