package rebuild

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// Findings count what a rebuild changed (with a dry run: would change).
type Findings struct {
	Cases   int64    `json:"cases"`  // of which anything changed
	Rows    int64    `json:"rows"`   // rows of calls and tickets that changed
	Clocks  int64    `json:"clocks"` // clocks that changed, appeared or vanished
	Changes []Change `json:"changes"`
	// Policies and Calendars count the clocks that changed by the versions they went by before and go by now.
	Policies  []Versions `json:"policies"`
	Calendars []Versions `json:"calendars"`
	// SilentlyMoved counts clocks whose due time changed although policy and calendar versions and start did not: a policy
	// was edited without a new version.
	SilentlyMoved int64 `json:"silently_moved"`
	// Merged says that there were more than MaxChanges kinds of change: the rest stands under the OPD "(others)".
	Merged bool `json:"merged,omitzero"`
}

// Change counts clocks that changed in one way.
type Change struct {
	Center string `json:"center"`
	Clock  string `json:"clock"`
	OPD    string `json:"opd"`    // empty where no OPD has the clock
	Before string `json:"before"` // state at the start of the rebuild by the row as it was; none: there was no such clock
	After  string `json:"after"`  // likewise by the row as it is now
	Due    string `json:"due"`    // same, earlier or later; empty where one side has none
	Count  int64  `json:"count"`
}

// None is the state of a clock that does not exist.
const None = "none"

// Versions counts clocks whose version changed.
type Versions struct {
	Before string `json:"before"`
	After  string `json:"after"`
	Count  int64  `json:"count"`
}

// MaxChanges bounds how many kinds of change are told apart.
const MaxChanges = 2000

// others is the OPD of the changes beyond MaxChanges.
const others = "(others)"

func (f *Findings) clone() Findings {
	c := *f
	c.Changes, c.Policies, c.Calendars = slices.Clone(f.Changes), slices.Clone(f.Policies), slices.Clone(f.Calendars)
	return c
}

// add adds what another portion found.
func (f *Findings) add(o *Findings) {
	f.Cases += o.Cases
	f.Rows += o.Rows
	f.Clocks += o.Clocks
	f.SilentlyMoved += o.SilentlyMoved
	f.Merged = f.Merged || o.Merged
	for _, c := range o.Changes {
		f.count(c)
	}
	f.Policies, f.Calendars = addVersions(f.Policies, o.Policies), addVersions(f.Calendars, o.Calendars)
}

func (f *Findings) count(c Change) {
	for range 2 {
		i, found := slices.BinarySearchFunc(f.Changes, c, compareChanges)
		if found {
			f.Changes[i].Count += c.Count
			return
		}
		if len(f.Changes) < MaxChanges || c.OPD == others {
			f.Changes = slices.Insert(f.Changes, i, c)
			return
		}
		f.Merged, c.OPD = true, others
	}
}

func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(a.Center, b.Center), cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.OPD, b.OPD),
		cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After), cmp.Compare(a.Due, b.Due))
}

func addVersions(to, from []Versions) []Versions {
	for _, v := range from {
		i := slices.IndexFunc(to, func(o Versions) bool { return o.Before == v.Before && o.After == v.After })
		if i < 0 {
			to = append(to, v)
		} else {
			to[i].Count += v.Count
		}
	}
	return to
}

type clockID struct {
	name string
	seq  int
}

// compare counts how the clocks of a case differ at an instant and reports whether any does. A stored clock that is
// void and that the case no longer has is as it should be.
func (f *Findings) compare(key event.Key, before, after []sla.Clock, at time.Time) bool {
	was := make(map[clockID]*sla.Clock, len(before))
	for i := range before {
		was[clockID{before[i].Name, before[i].Seq}] = &before[i]
	}
	changed := false
	note := func(b, a *sla.Clock) {
		changed = true
		f.Clocks++
		f.count(changeOf(key.Center, b, a, at))
		if b == nil || a == nil {
			return
		}
		if v := (Versions{policyOf(b), policyOf(a), 1}); v.Before != v.After {
			f.Policies = addVersions(f.Policies, []Versions{v})
		}
		if v := (Versions{b.CalendarVersion, a.CalendarVersion, 1}); v.Before != v.After {
			f.Calendars = addVersions(f.Calendars, []Versions{v})
		}
		if !b.Void && !a.Void && policyOf(b) == policyOf(a) && b.CalendarVersion == a.CalendarVersion &&
			same(b.StartedAt, a.StartedAt) &&
			b.PausedSeconds == a.PausedSeconds && !same(b.GrossDueAt, a.GrossDueAt) && b.Kind != sla.Stated {
			f.SilentlyMoved++
		}
	}
	for i := range after {
		a := &after[i]
		id := clockID{a.Name, a.Seq}
		b := was[id]
		delete(was, id)
		if b == nil || !equal(b, a) {
			note(b, a)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(was), func(a, b clockID) int {
		return cmp.Or(cmp.Compare(a.name, b.name), a.seq-b.seq)
	}) {
		if b := was[id]; !b.Void {
			note(b, nil)
		}
	}
	return changed
}

func policyOf(c *sla.Clock) string {
	if c.PolicyVersion == "" {
		return c.Policy
	}
	return c.Policy + "/" + c.PolicyVersion
}

func changeOf(center string, b, a *sla.Clock, at time.Time) Change {
	c := Change{Center: center, Before: None, After: None, Count: 1}
	if b != nil {
		c.Clock, c.OPD, c.Before = b.Name, b.OPD, b.State(at)
	}
	if a != nil {
		c.Clock, c.OPD, c.After = a.Name, a.OPD, a.State(at)
	}
	if a != nil && b != nil && !a.DueAt.IsZero() && !b.DueAt.IsZero() {
		c.Due = []string{"earlier", "same", "later"}[1+cmp.Compare(a.DueAt.UnixMilli(), b.DueAt.UnixMilli())]
	}
	return c
}

// same compares instants as ClickHouse holds them.
func same(a, b time.Time) bool {
	return a.IsZero() == b.IsZero() && (a.IsZero() || a.UnixMilli() == b.UnixMilli())
}

// equal reports whether the row of a would be the row of b.
func equal(a, b *sla.Clock) bool {
	x, y := *a, *b
	for _, c := range []*sla.Clock{&x, &y} {
		c.CountedFrom, c.FrozenAt, c.Member = time.Time{}, time.Time{}, "" // they explain a due time and are not stored
		for _, t := range []*time.Time{&c.StartedAt, &c.DueAt, &c.GrossDueAt, &c.PausedSince, &c.PauseEndsAt, &c.BreachAt,
			&c.StoppedAt, &c.RiskAt, &c.EscalatedAt, &c.Escalated2At} {
			if !t.IsZero() {
				*t = time.UnixMilli(t.UnixMilli()).UTC()
			}
		}
	}
	return x == y
}

// Write prints the findings for an operator.
func (f *Findings) Write(w io.Writer, dryRun bool) {
	verb := "changed"
	if dryRun {
		verb = "would change"
	}
	if f.Cases == 0 {
		fmt.Fprintf(w, "Nothing %s.\n", verb)
		return
	}
	fmt.Fprintf(w, "%s: %d cases, of them %d rows of calls and tickets and %d clocks\n", verb, f.Cases, f.Rows, f.Clocks)
	if len(f.Changes) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "CENTRE\tCLOCK\tOPD\tWAS\tNOW\tDUE\tCLOCKS")
		for _, c := range f.Changes {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", c.Center, c.Clock, cmp.Or(c.OPD, "-"), c.Before, c.After,
				cmp.Or(c.Due, "-"), c.Count)
		}
		_ = t.Flush() // a printer that fails is seen by its owner
	}
	for _, v := range f.Policies {
		fmt.Fprintf(w, "policy %s -> %s: %d clocks\n", v.Before, v.After, v.Count)
	}
	for _, v := range f.Calendars {
		fmt.Fprintf(w, "calendar %s -> %s: %d clocks\n", cmp.Or(v.Before, "none"), cmp.Or(v.After, "none"), v.Count)
	}
	if f.SilentlyMoved > 0 {
		fmt.Fprintf(w, "warning: %d clocks have another due time under the same policy and calendar version: %s\n",
			f.SilentlyMoved, "a file was edited without a new version, so rows no longer tell by which rule they were judged")
	}
	if f.Merged {
		fmt.Fprintf(w, "there are more than %d kinds of change; the rest is counted under %s\n", MaxChanges, others)
	}
}
