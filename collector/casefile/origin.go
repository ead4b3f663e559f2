package casefile

import (
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/event"
)

// Origin is what can be known of a case: where it came from, and what those sources carry.
type Origin struct {
	Sources string        // of the events that brought it, sorted, a space between (a source has none)
	Lacks   event.TypeSet // what none of them carries; nothing, where one does not say
}

// foldOrigin reads it from the events of the given types.
func foldOrigin(tl timeline, types ...event.Type) (o Origin) {
	var (
		sources []string
		carries event.TypeSet
	)
	for _, e := range tl.events {
		if slices.Contains(types, e.Type) {
			carries |= e.Carried()
			if !slices.Contains(sources, e.Source) {
				sources = append(sources, e.Source)
			}
		}
	}
	if sources != nil {
		o.Lacks = ^carries
	}
	slices.Sort(sources)
	o.Sources = strings.Join(sources, " ")
	return o
}
