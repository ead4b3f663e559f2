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

type grouped struct {
	unix int64
	rule int
	json []byte
	hash uint64
	from origin
}

// origin is the row that an event stands for.
type origin struct {
	file string
	line int
}

// groupOverhead is what one event costs beside its text: map entry, structure, order. It is an estimate from measuring
// a heap of a million.
const groupOverhead = 200

// add takes the events of a row: all of them or, with an error, none. A *tabular.RowError refuses the row; another error says
// that the limit is reached.
func (g *grouper) add(row tabular.Row, events []mapping.Event) error {
	need := int64(0)
	for _, e := range events {
		old, ok := g.best[e.ID]
		switch {
		case !ok:
			need += int64(len(e.ID)+len(e.JSON)) + groupOverhead
		case old.rule != e.Rule:
			return &tabular.RowError{File: row.File, Line: row.Line, Code: mapping.CodeSameID, Reason: fmt.Sprintf(
				"%s and %s of different rows have one id; give one of them an id of its own in the mapping", g.mapping.EventType(old.rule),
				g.mapping.EventType(e.Rule))}
		}
	}
	if g.bytes+need > g.limit {
		return fmt.Errorf(
			"%s:%d: grouping the rows into cases needs more than %d bytes of memory; import the file in parts that hold whole cases, or raise the limit",
			row.File, row.Line, g.limit)
	}
	g.bytes += need
	for _, e := range events {
		old, ok := g.best[e.ID]
		if !ok {
			g.best[e.ID] = &grouped{
				unix: e.Unix, rule: e.Rule, json: bytes.Clone(e.JSON), hash: e.Hash, from: origin{row.File, row.Line},
			}
			g.order = append(g.order, e.ID)
			continue
		}
		g.merged++
		better := e.Unix < old.unix
		if g.mapping.TakesLatest(e.Rule) {
			better = e.Unix > old.unix
		}
		if e.Unix == old.unix {
			better = bytes.Compare(e.JSON, old.json) < 0
		}
		if better {
			g.bytes += int64(len(e.JSON) - len(old.json))
			old.unix, old.json, old.hash, old.from = e.Unix, append(old.json[:0], e.JSON...), e.Hash, origin{row.File, row.Line}
		}
	}
	return nil
}
