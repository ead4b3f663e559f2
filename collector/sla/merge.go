package sla

import (
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// Member is a ticket that counts on its master from At on.
type Member struct {
	ID      string
	At      time.Time
	Open    bool              // at At, or reopened since
	Changes []casefile.Change // of its details
	Clocks  []Clock           // that it has on its own
}

// joins reports whether a clock of a member counts on its master: it runs when the ticket is merged, or is late.
func (m *Member) joins(k *Clock) bool {
	return !k.Void && (k.StoppedAt.IsZero() || k.StoppedAt.After(m.At) || k.StoppedAt.After(k.BreachAt))
}

// counterparts finds the master's clock that a member's counts on: the one of its name, of an OPD's own clocks the last
// of that OPD.
type counterparts map[[2]string]int // places among the master's clocks

func counterpartsOf(clocks []Clock) counterparts {
	c := counterparts{}
	for i := range clocks {
		c[nameOf(&clocks[i])] = i
	}
	return c
}

func nameOf(k *Clock) [2]string {
	if k.Name == Acknowledge {
		return [2]string{k.Name, k.OPD}
	}
	return [2]string{k.Name}
}

// Restarts reports whether a merger at an instant would end a citizen's clock of a member for nothing: it runs or is
// late, and the master's had stopped.
func Restarts(member, master []Clock, at time.Time) bool {
	m, counterparts := Member{At: at}, counterpartsOf(master)
	for i := range member {
		k := &member[i]
		if k.Name != Arrive && k.Name != Resolve && k.Name != Given || !m.joins(k) {
			continue
		}
		if n, ok := counterparts[nameOf(k)]; ok && !master[n].StoppedAt.IsZero() && master[n].StoppedAt.Before(at) {
			return true
		}
	}
	return false
}

// RaisePriority gives a master the highest priority of its open members, from when they were merged into it.
func RaisePriority(t *casefile.Ticket, members []Member) {
	var first [len(priorities) + 1]time.Time // by rank: when a member first had it
	for i := range members {
		m := &members[i]
		if !m.Open {
			continue
		}
		var priority, byCategory string
		raise := func(at time.Time) {
			rank := rankOf(firstText(priority, byCategory))
			first[rank] = earliest(first[rank], at)
		}
		merged := false
		for _, c := range m.Changes {
			if c.At.After(m.At) && !merged {
				raise(m.At)
				merged = true
			}
			if c.Priority == "" && c.CategoryPriority == "" {
				continue
			}
			priority, byCategory = firstText(c.Priority, priority), firstText(c.CategoryPriority, byCategory)
			if merged {
				raise(c.At)
			}
		}
		if !merged {
			raise(m.At)
		}
	}
	var since time.Time // from then on it has a more urgent one
	for _, priority := range priorities {
		at := first[rankOf(priority)]
		if !at.IsZero() && (since.IsZero() || at.Before(since)) {
			t.Raise(at, priority, rankOf)
			since = at
		}
	}
}

// Join returns the clocks of a master with those of its members: of each name the one that is due first counts, and it
// stops when the master's does. kept says that one of the master's had stopped before a member came: it keeps its
// verdict.
func Join(t *casefile.Ticket, clocks []Clock, members []Member) (joined []Clock, kept bool) {
	counterparts := counterpartsOf(clocks)
	for i := range members {
		m := &members[i]
		for n := range m.Clocks {
			k := &m.Clocks[n]
			if k.Name == Confirm || !m.joins(k) {
				continue
			}
			at, ok := counterparts[nameOf(k)]
			if !ok && k.Name == Acknowledge {
				continue
			}
			if !ok {
				a := *k
				a.Key, a.Member = t.Key, m.ID
				a.StoppedAt = stopOf(t, k.Name)
				a.Void = contradicts(&a)
				counterparts[nameOf(&a)] = len(clocks)
				clocks = append(clocks, a)
				continue
			}
			c := &clocks[at]
			switch {
			case !c.StoppedAt.IsZero() && c.StoppedAt.Before(m.At):
				kept = true
			case k.Unobserved && !c.Unobserved: // nobody can stop it: it takes no clock that somebody can out of sight
			case c.Unobserved && !k.Unobserved, k.BreachAt.Before(c.BreachAt):
				a := *k
				a.Key, a.Seq, a.Member, a.StoppedAt, a.Kecamatan = c.Key, c.Seq, m.ID, c.StoppedAt, c.Kecamatan
				if !m.At.After(k.BreachAt) {
					a.OPD, a.Scope = c.OPD, c.Scope
				}
				a.Void = contradicts(&a) || c.Void && !c.StoppedAt.After(a.BreachAt)
				a.begin(c.StartedAt)
				*c = a
			default:
				c.begin(k.StartedAt)
			}
		}
	}
	return clocks, kept
}

// begin makes a clock start where another did, if that was earlier; its target counts from where it did.
func (c *Clock) begin(at time.Time) {
	if at.Before(c.StartedAt) {
		c.CountedFrom, c.StartedAt = c.countedFrom(), at
	}
}

// stopOf is where a clock of that name stops by the defaults.
func stopOf(t *casefile.Ticket, name string) time.Time {
	switch name {
	case Arrive:
		return t.ArrivedAt
	case ResolveTotal:
		return lastHandled(t, []Fact{FactResolved, FactClosed})
	}
	return t.HandledAt()
}
