package importer

import (
	"cmp"
	"maps"
	"slices"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/mapping"
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

// nameCount counts the rows by the names in them that the directory does not know.
type nameCount struct {
	dir    *directory.Directory
	center string
	counts map[mapping.Name]int
	known  map[mapping.Name]bool
}

// count takes the names of a row that was taken.
func (n *nameCount) count(names []mapping.Name) {
	for _, name := range names {
		known, looked := n.known[name]
		if !looked {
			known = resolve(n.dir, n.center, name) != ""
			if c, ok := n.dir.Center(n.center); ok && c.Open {
				known = true // names that are not listed are expected
			}
			if n.known == nil {
				n.known, n.counts = map[mapping.Name]bool{}, map[mapping.Name]int{}
			}
			if len(n.known) >= maxUnknownKept {
				continue
			}
			n.known[name] = known
		}
		if !known {
			n.counts[name]++
		}
	}
}

// resolve returns what a name means in the directory, empty when it means nothing or several things.
func resolve(dir *directory.Directory, center string, name mapping.Name) string {
	var code string
	var known bool
	switch name.Kind {
	case "opd":
		code, known = dir.ResolveOPD(center, name.Name)
	case "kecamatan":
		code, known = dir.ResolveKecamatan(center, name.Name)
	case "category":
		code, known = dir.ResolveCategory(center, name.Name)
	}
	if !known {
		return ""
	}
	return code
}

// list returns the unknown names, the most frequent first.
func (n *nameCount) list() []Unknown {
	var out []Unknown
	for _, of := range slices.SortedFunc(maps.Keys(n.counts), func(a, b mapping.Name) int {
		return cmp.Or(cmp.Compare(n.counts[b], n.counts[a]), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	}) {
		if len(out) == maxUnknown {
			break
		}
		out = append(out, Unknown{of.Kind, mapping.Mask(of.Name, shownName), n.counts[of]})
	}
	return out
}
