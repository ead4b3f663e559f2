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
func (b *Board) hidePlaces(en *entry, master string) {
	if b.cfg.Private == nil {
		return
	}
	b.setMaster(en, master)
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
	add(event.KindTicket, en.mergedInto)
	add(event.KindTicket, b.merged[en.key]...)
	b.worked(len(out))
	return out
}

// setMaster notes what a ticket was merged into, and that it was with the master.
func (b *Board) setMaster(en *entry, master string) {
	if master == en.mergedInto {
		return
	}
	key := event.Key{Center: en.key.Center, Kind: event.KindTicket, ID: en.mergedInto}
	if of := slices.DeleteFunc(b.merged[key], func(id string) bool { return id == en.key.ID }); len(of) == 0 {
		delete(b.merged, key)
	} else {
		b.merged[key] = of
	}
	en.mergedInto = string([]byte(master)) // own it: a fact's strings lie in its event
	if master != "" {
		key.ID = en.mergedInto
		b.merged[key] = append(b.merged[key], en.key.ID)
	}
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
