package importer

import (
	"bytes"
	"fmt"

	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
)

// grouper holds, over whole files, the one event of each id that counts: several rows of a case (one for each unit,
// say) give one departure, the earliest. What it holds does not depend on the order of the rows: of two events with one
// time the one whose JSON sorts first is taken.
type grouper struct {
	mapping *mapping.Mapping
	best    map[string]*grouped
	order   []string // ids as they came first, so that events of a case stay near each other
	bytes   int64
	limit   int64
	merged  int
}

// grouped is the event that counts so far, and its row.
type grouped struct {
	event mapping.Event
	from  place
}

// groupOverhead is what one event costs beside its text: map entry, structure, order. It is an estimate from measuring
// a heap of a million.
const groupOverhead = 200

// add takes the events of a row: all of them or, with an error, none. A *tabular.RowError refuses the row; another
// error says that the limit is reached.
func (g *grouper) add(row tabular.Row, events []mapping.Event) error {
	need := int64(0)
	for _, e := range events {
		old, ok := g.best[e.ID]
		switch {
		case !ok:
			need += int64(len(e.ID)+len(e.JSON)) + groupOverhead
		case old.event.Rule != e.Rule:
			return &tabular.RowError{File: row.File, Line: row.Line, Code: mapping.CodeSameID, Reason: fmt.Sprintf(
				"%s and %s of different rows have one id; give one of them an id of its own in the mapping",
				g.mapping.EventType(old.event.Rule), g.mapping.EventType(e.Rule))}
		}
	}
	if g.bytes+need > g.limit {
		return fmt.Errorf("%s:%d: grouping the rows into cases needs more than %d bytes of memory; "+
			"import the file in parts that hold whole cases, or raise the limit", row.File, row.Line, g.limit)
	}
	g.bytes += need
	for _, e := range events {
		old, ok := g.best[e.ID]
		switch {
		case !ok:
			old = &grouped{}
			g.best[e.ID] = old
			g.order = append(g.order, e.ID)
		case !g.better(e, old.event):
			g.merged++
			continue
		default:
			g.merged++
			g.bytes += int64(len(e.JSON) - len(old.event.JSON))
		}
		e.JSON = append(old.event.JSON[:0], e.JSON...)
		*old = grouped{e, place{row.File, row.Line}}
	}
	return nil
}

// better reports whether e counts instead of old.
func (g *grouper) better(e, old mapping.Event) bool {
	switch {
	case e.Rank == old.Rank:
		return bytes.Compare(e.JSON, old.JSON) < 0
	case g.mapping.TakesLatest(e.Rule):
		return e.Rank > old.Rank
	}
	return e.Rank < old.Rank
}
