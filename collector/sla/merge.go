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

// counterpart returns the master's clock that a member's counts on, nil for none: the one of its name, of an OPD's own
// clocks the last of that OPD.
func counterpart(clocks []Clock, k *Clock) (c *Clock) {
	for i := range clocks {
		if o := &clocks[i]; o.Name == k.Name && (k.Name != Acknowledge || o.OPD == k.OPD) {
			c = o
		}
	}
	return c
}

// Restarts reports whether a merger at an instant would end a citizen's clock of a member for nothing: it runs or is
// late, and the master's had stopped.
func Restarts(member, master []Clock, at time.Time) bool {
	m := Member{At: at}
	for i := range member {
		k := &member[i]
		if k.Name != Arrive && k.Name != Resolve && k.Name != Given || !m.joins(k) {
			continue
		}
		if c := counterpart(master, k); c != nil && !c.StoppedAt.IsZero() && c.StoppedAt.Before(at) {
			return true
		}
	}
	return false
}

// RaisePriority gives a master the highest priority of its open members, from when they were merged into it.
func RaisePriority(t *casefile.Ticket, members []Member) {
	for i := range members {
		m := &members[i]
		if !m.Open {
			continue
		}
		var priority, byCategory string
		raise := func(at time.Time) {
			if p := firstText(priority, byCategory); p != "" {
				t.Raise(at, p, rankOf)
			}
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
}

// Join returns the clocks of a master with those of its members: of each name the one that is due first counts, and it
// stops when the master's does. kept says that one of the master's had stopped before a member came: it keeps its
// verdict.
func Join(t *casefile.Ticket, clocks []Clock, members []Member) (joined []Clock, kept bool) {
	for i := range members {
		m := &members[i]
		for n := range m.Clocks {
			k := &m.Clocks[n]
			if k.Name == Confirm || !m.joins(k) {
				continue
			}
			c := counterpart(clocks, k)
			switch {
			case c == nil && k.Name == Acknowledge:
			case c == nil:
				a := *k
				a.Key, a.Member = t.Key, m.ID
				a.StoppedAt = stopOf(t, k.Name)
				a.Void = contradicts(&a)
				clocks = append(clocks, a)
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
