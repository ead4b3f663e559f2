package ingest

import (
	"cmp"
	"slices"
	"sync"

	"github.com/monev112/monev112/collector/directory"
)

// UnresolvedName is a name of which the directory does not know what it means.
type UnresolvedName struct {
	Kind   string `json:"kind"`   // center, opd, kecamatan or category; any member of data where Name is empty
	Center string `json:"center"` // empty for a centre
	Name   string `json:"name"`   // empty: it was no code or name and was not kept
	Count  int    `json:"count"`  // events that used it since the start
}

// maxUnresolved bounds the list; further names are not listed.
const maxUnresolved = 1000

// unresolved counts names. It is safe for concurrent use.
type unresolved struct {
	mu     sync.Mutex
	counts map[UnresolvedName]int // Count is 0 in the key
}

func (u *unresolved) add(names []directory.Review) {
	if len(names) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts == nil {
		u.counts = map[UnresolvedName]int{}
	}
	for _, n := range names {
		k := UnresolvedName{Kind: string(n.Field), Center: n.Center, Name: n.Name}
		if _, ok := u.counts[k]; ok || len(u.counts) < maxUnresolved {
			u.counts[k]++
		}
	}
}

// UnresolvedNames counts the different names that the directory could not resolve, without those that were not kept.
func (in *Intake) UnresolvedNames() (n int) {
	u := &in.unresolved
	u.mu.Lock()
	defer u.mu.Unlock()
	for k := range u.counts {
		if k.Name != "" {
			n++
		}
	}
	return n
}

// Unresolved returns the names that the directory could not resolve, the most frequent first.
func (in *Intake) Unresolved() []UnresolvedName {
	u := &in.unresolved
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make([]UnresolvedName, 0, len(u.counts))
	for k, n := range u.counts {
		k.Count = n
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b UnresolvedName) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Center, b.Center),
			cmp.Compare(a.Name, b.Name))
	})
	return out
}
