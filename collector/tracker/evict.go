package tracker

import "time"

// lru is a list of entries, the longest untouched first.
type lru struct {
	front, back *entry
	n           int
}

func (l *lru) remove(en *entry) {
	if !en.inIdle {
		return
	}
	if en.older != nil {
		en.older.newer = en.newer
	} else {
		l.front = en.newer
	}
	if en.newer != nil {
		en.newer.older = en.older
	} else {
		l.back = en.older
	}
	en.older, en.newer, en.inIdle = nil, nil, false
	l.n--
}

func (l *lru) pushBack(en *entry) {
	l.remove(en)
	en.older, en.inIdle = l.back, true
	if l.back != nil {
		l.back.newer = en
	} else {
		l.front = en
	}
	l.back = en
	l.n++
}

// place puts a touched case where eviction finds it, or out of its reach while someone still has to work on it.
func (b *Board) place(en *entry) {
	if en.complete && en.open() {
		b.idle.remove(en)
	} else {
		b.idle.pushBack(en)
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
	for en := b.idle.front; en != nil; {
		next := en.newer
		if b.idle.n <= b.cfg.CacheCases && now.Sub(en.touched) < b.cfg.KeepCases {
			return
		}
		if en.end > shipped {
			return
		}
		b.idle.remove(en)
		delete(b.cases, en.key)
		delete(b.linked, en.key)
		if en.center != nil {
			en.center.forget(en)
			if en.counts.bits != 0 && en.counts.quarter >= oldest {
				b.evictedCounts[en.key] = en.counts
			}
		}
		en = next
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
