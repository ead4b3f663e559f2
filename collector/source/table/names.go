package table

import (
	"cmp"
	"maps"
	"slices"

	"github.com/monev112/monev112/collector/directory"
)

// Unknown is a name of a table that the directory does not know or knows to mean several things.
type Unknown struct {
	Kind string // opd, kecamatan or category
	Name string // digits hidden, cut
	Rows int    // rows taken that say it
}

func (u Unknown) remark() string {
	if u.Kind == "kecamatan" && len(u.Name) <= 3 {
		return " (a short name may mean several places)"
	}
	return ""
}

// What the list of unknown names may hold and show.
const (
	maxUnknownKept = 10_000 // different names; further ones are not counted
	maxUnknown     = 50
	shownName      = 40 // characters
)

var nameKeys = map[string]bool{"opd": true, "kecamatan": true, "category": true}

// nameCount counts, row by row, the names that the directory does not know. A row is counted when count is called: what
// a refused row said is forgotten by the next begin.
type nameCount struct {
	dir    *directory.Directory
	center string
	row    []nameOf
	counts map[nameOf]int
	known  map[nameOf]bool
}

type nameOf struct{ kind, name string }

func (n *nameCount) begin() { n.row = n.row[:0] }

func (n *nameCount) hear(kind, name string) {
	of := nameOf{kind, name}
	if n.dir == nil || slices.Contains(n.row, of) {
		return
	}
	n.row = append(n.row, of)
}

func (n *nameCount) count() {
	for _, of := range n.row {
		known, looked := n.known[of]
		if !looked {
			switch of.kind {
			case "opd":
				_, known = n.dir.ResolveOPD(n.center, of.name)
			case "kecamatan":
				_, known = n.dir.ResolveKecamatan(n.center, of.name)
			default:
				_, known = n.dir.ResolveCategory(n.center, of.name)
			}
			if c, ok := n.dir.Center(n.center); ok && c.Open {
				known = true // names that are not listed are expected
			}
			if n.known == nil {
				n.known, n.counts = map[nameOf]bool{}, map[nameOf]int{}
			}
			if len(n.known) >= maxUnknownKept {
				continue
			}
			n.known[of] = known
		}
		if !known {
			n.counts[of]++
		}
	}
}

// list returns the unknown names, the most frequent first.
func (n *nameCount) list() []Unknown {
	var out []Unknown
	for _, of := range slices.SortedFunc(maps.Keys(n.counts), func(a, b nameOf) int {
		return cmp.Or(cmp.Compare(n.counts[b], n.counts[a]), cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	}) {
		if len(out) == maxUnknown {
			break
		}
		out = append(out, Unknown{of.kind, mask(of.name, shownName), n.counts[of]})
	}
	return out
}
