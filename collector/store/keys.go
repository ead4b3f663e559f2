package store

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/event"
)

// keyConditions yields SQL conditions that together select exactly keys, each short enough for one query. kindCol is
// empty for tables of one kind. No keys give no condition.
func keyConditions(keys []event.Key, centerCol, kindCol, idCol string) iter.Seq[string] {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, event.Key.Compare)
	keys = slices.Compact(keys)
	return func(yield func(string) bool) {
		var b strings.Builder
		for i, k := range keys {
			sameGroup := i > 0 && keys[i-1].Center == k.Center && (keys[i-1].Kind == k.Kind || kindCol == "")
			if b.Len() > maxQueryBytes {
				b.WriteString("))")
				if !yield(b.String()) {
					return
				}
				b.Reset()
			}
			switch {
			case b.Len() > 0 && sameGroup:
				b.WriteString(", ")
			default:
				if b.Len() > 0 {
					b.WriteString(")) OR ")
				}
				b.WriteString("(" + centerCol + " = ")
				appendQuoted(&b, k.Center)
				if kindCol != "" {
					b.WriteString(" AND " + kindCol + " = ")
					appendQuoted(&b, k.Kind.String())
				}
				b.WriteString(" AND " + idCol + " IN (")
			}
			appendQuoted(&b, k.ID)
		}
		if b.Len() > 0 {
			b.WriteString("))")
			yield(b.String())
		}
	}
}

// quotedSet is a set of texts for the brackets of an IN.
type quotedSet map[string]struct{}

// add returns by how many bytes the list grew.
func (q *quotedSet) add(text string) int {
	if *q == nil {
		*q = quotedSet{}
	}
	text = quote(text)
	if _, known := (*q)[text]; known {
		return 0
	}
	(*q)[text] = struct{}{}
	return len(text) + len(",")
}

func (q quotedSet) list() string { return strings.Join(slices.Sorted(maps.Keys(q)), ",") }
