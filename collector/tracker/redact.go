package tracker

import (
	"maps"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// RedactStats counts the events that Redact found of one kind.
type RedactStats struct {
	Events uint64
	Oldest time.Time
}

func (h *RedactStats) add(at time.Time) {
	h.Events++
	if h.Oldest.IsZero() || at.Before(h.Oldest) {
		h.Oldest = at
	}
}

// Redact counts the events in memory that happened before callersBefore and name a caller, and those before
// attributesBefore that have attributes. With apply it removes callers and attributes from them. A zero time leaves its
// kind alone. Cases, counts and rows do not change.
func (b *Board) Redact(callersBefore, attributesBefore time.Time, apply bool) (callers, attributes RedactStats) {
	b.mu.RLock()
	keys := slices.Collect(maps.Keys(b.cases))
	b.mu.RUnlock()
	var e event.Event
	for len(keys) > 0 { // events come in between
		b.locked(func(more func() bool) {
			for ; len(keys) > 0 && more(); keys = keys[1:] {
				en := b.cases[keys[0]]
				if en == nil {
					continue
				}
				b.worked(1 + len(en.events))
				copied := false
				for i := range en.events {
					if event.DecodeBinary(en.events[i].payload, &e) != nil {
						continue // it was decoded before it came here
					}
					caller := e.Caller != (event.Caller{}) && e.OccurredAt.Before(callersBefore)
					some := len(e.Attributes) > 0 && e.OccurredAt.Before(attributesBefore)
					if caller {
						callers.add(e.OccurredAt)
					}
					if some {
						attributes.add(e.OccurredAt)
					}
					if !apply || !caller && !some {
						continue
					}
					if !copied { // a checkpoint that is being written shares the list
						en.events, copied = slices.Clone(en.events), true
					}
					if caller {
						e.Caller = event.Caller{}
					}
					if some {
						e.Attributes = nil
					}
					en.events[i].payload = event.AppendBinary(nil, &e)
				}
			}
		})
	}
	return callers, attributes
}
