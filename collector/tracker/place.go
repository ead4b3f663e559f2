package tracker

import (
	"slices"

	"github.com/monev112/monev112/collector/event"
)

// A case is private when an event of it, be it voided by now, names a category whose exact places are not stored, or
// when it is linked with a private case: a call with the tickets that name it, a ticket with what it was merged into.
// It stays private: what was taken away does not come back, so the order of arrival cannot matter. The board keeps no
// exact place of a private case, and no checkpoint has one; ClickHouse follows (store.Sink).

// private reports whether one of a case's own events makes it so.
func (c *Config) private(evs []*event.Event) bool {
	return c.Private != nil && slices.ContainsFunc(evs, func(e *event.Event) bool {
		return e.Category != "" && c.Private(e.Center, e.Category)
	})
}

// hidePlaces takes the exact places from a case that was just folded, if it is private, and from those linked with it.
// Each case becomes private once, so that no event walks the same links again.
func (b *Board) hidePlaces(en *entry) {
	if b.cfg.Private == nil {
		return
	}
	was := en.private
	en.private = was || b.cfg.private(b.scratch.refs) || slices.ContainsFunc(b.kin(en), func(n *entry) bool {
		return n.private
	})
	if !en.private {
		return
	}
	b.redactPlaces(en)
	todo := b.kin(en)
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if n.private {
			continue
		}
		n.private = true
		b.redactPlaces(n)
		todo = append(todo, b.kin(n)...)
	}
}

// kin returns the cases in memory that a case is linked with.
func (b *Board) kin(en *entry) (out []*entry) {
	add := func(kind event.Kind, ids ...string) {
		for _, id := range ids {
			if n := b.cases[event.Key{Center: en.key.Center, Kind: kind, ID: id}]; n != nil && id != "" && n != en {
				out = append(out, n)
			}
		}
	}
	if en.key.Kind == event.KindCall {
		add(event.KindTicket, en.tickets...)
		return out
	}
	add(event.KindCall, en.calls...)
	add(event.KindTicket, en.master)
	add(event.KindTicket, en.tickets...)
	b.worked(len(out))
	return slices.DeleteFunc(out, func(n *entry) bool { // a ticket that only an event of it that is void refers to en
		return n.key.Kind == event.KindTicket && n.master != en.key.ID && n.key.ID != en.master
	})
}

// redactPlaces puts every exact place among the events of a case to the point of its kecamatan.
func (b *Board) redactPlaces(en *entry) {
	b.worked(len(en.events))
	var e event.Event
	copied := false
	for i := range en.events {
		if event.DecodeBinary(en.events[i].payload, &e) != nil || e.Lat == nil && e.Lon == nil {
			continue // it was decoded before it came here
		}
		lat, lon := *e.Lat, *e.Lon
		b.cfg.SnapPlace(&e)
		if e.Lat != nil && *e.Lat == lat && *e.Lon == lon {
			continue
		}
		if !copied { // a checkpoint that is being written shares the list
			en.events, copied = slices.Clone(en.events), true
		}
		en.events[i].payload = event.AppendBinary(nil, &e)
	}
	if copied {
		en.changed()
		b.linked[en.key] = struct{}{}
	}
}
