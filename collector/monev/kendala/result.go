package kendala

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// Result is why the cases of a month were late, and what changed against another month.
type Result struct {
	Center  string    `json:"center"`
	Month   string    `json:"month"`
	Against string    `json:"against"`
	OPD     string    `json:"opd"` // empty for all of the regency
	AsOf    time.Time `json:"as_of,omitzero"`
	// Target and Short are seconds: those that the month was frozen with, else the directory's.
	Target            uint32      `json:"target"` // of the answer
	Short             uint32      `json:"short"`
	Frozen            int         `json:"frozen"` // the revision of that freeze; 0: none
	DefinitionVersion string      `json:"definition_version"`
	Indicators        []Indicator `json:"indicators"` // in the order of sla.Names, those with a decided case
	Check             *Check      `json:"check,omitempty"`
}

// Indicator is one indicator: of N decided cases Late failed, each with one of Causes.
type Indicator struct {
	Indicator string  `json:"indicator"` // answer, or a clock of tickets
	Name      string  `json:"name"`
	Scope     string  `json:"scope"` // own, and with an OPD its own one
	N         uint64  `json:"n"`
	Late      uint64  `json:"late"`
	Share     float64 `json:"share"` // late / n
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Few       bool    `json:"few"` // n is below 20: data terbatas
	// Causes add up to Late; in the order in which they are tried, those that occurred.
	Causes []Cause `json:"causes"`
	// Largest is the cause of the most cases, the first tried of several; empty without a late case.
	Largest string `json:"largest"`
	// Changes against the other month; none where one of the months has no decided case.
	Changes []Change `json:"changes"`
}

// Cause is how many of an indicator's late cases have a cause.
type Cause struct {
	Cause string  `json:"cause"`
	Word  string  `json:"word"`
	N     uint64  `json:"n"`
	Share float64 `json:"share"` // n / late
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	// OPD answers for it: the one with the most of these cases; empty for the centre.
	OPD     string            `json:"opd"`
	OPDName string            `json:"opd_name"`
	Reasons map[string]uint64 `json:"reasons"` // of pauses
	// Stated is what the OPDs themselves gave as the reason, by its code, of how many of these cases; see DelayReasons.
	Stated   map[string]uint64 `json:"stated"`
	Examples []string          `json:"examples"` // ids of at most three cases
}

// Of returns the cause of that name; nil where it did not occur.
func (i *Indicator) Of(cause string) *Cause {
	if j := slices.IndexFunc(i.Causes, func(c Cause) bool { return c.Cause == cause }); j >= 0 {
		return &i.Causes[j]
	}
	return nil
}

// Check is what recomputing by the pure function gave.
type Check struct {
	Cases       int      `json:"cases"`  // late cases that were compared
	Counts      int      `json:"counts"` // numbers of monev_kendala and of this result that were compared
	Differences int      `json:"differences"`
	Examples    []string `json:"examples"` // at most 20 of them
}

const maxExamples = 20

func (c *Check) differ(format string, args ...any) {
	if c.Differences++; len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// names gives people's words for the values of the dimensions of one centre.
type names struct {
	dir    *directory.Directory
	center directory.Center
}

func (n names) opd(id string) string {
	if id == "" {
		return "pusat layanan"
	}
	o, _ := n.dir.OPD(n.center.Code, id)
	return cmp.Or(o.Name, id)
}

func (n names) of(dimension, value string) string {
	switch {
	case dimension == "opd":
		return n.opd(value)
	case value == "":
		return "tidak tercatat"
	case dimension == "category":
		c, _ := n.dir.Category(n.center.Code, value)
		return cmp.Or(c.Name, value)
	case dimension == "kecamatan":
		k, _ := n.dir.Kecamatan(n.center.Code, value)
		return cmp.Or(k.Name, value)
	case dimension == "priority":
		return strings.ReplaceAll(value, "_", " ")
	}
	return value
}

// shift names the shift that a quarter of the day lies in.
func (n names) shift(quarter string) string {
	q, err := strconv.Atoi(quarter)
	if err != nil || len(n.center.Shifts) == 0 {
		return ""
	}
	at := time.Duration(q) * 15 * time.Minute
	last := len(n.center.Shifts) - 1
	begun, ends := n.center.Shifts[last], n.center.Shifts[0]
	for i, s := range n.center.Shifts {
		if s <= at {
			begun, ends = s, n.center.Shifts[(i+1)%(last+1)]
		}
	}
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d.%02d", int(d.Hours()), int(d.Minutes())%60) }
	return clock(begun) + "–" + clock(ends)
}

// parts are the values of each dimension of each indicator.
type parts map[string]map[string]map[string]share.Share

func (n names) parts(rows []store.CausePart, scope string) parts {
	out := parts{}
	for _, r := range rows {
		if scope != "" && r.Scope != scope {
			continue
		}
		if out[r.Indicator] == nil {
			out[r.Indicator] = map[string]map[string]share.Share{}
		}
		if out[r.Indicator][r.Dimension] == nil {
			out[r.Indicator][r.Dimension] = map[string]share.Share{}
		}
		value := r.Value
		if r.Dimension == "shift" {
			value = n.shift(value)
		}
		s := out[r.Indicator][r.Dimension][value]
		out[r.Indicator][r.Dimension][value] = share.Share{K: s.K + r.Met, N: s.N + r.N}
	}
	return out
}

// assemble makes the indicators of a result.
func (n names) assemble(sums []store.CauseSum, now, before parts, scope string) []Indicator {
	out := []Indicator{}
	for _, name := range sla.Names() {
		dims := now[name]
		of := sum(dims["category"]) // every case has a category, or the empty one
		if of.N == 0 {
			continue
		}
		late := share.Share{K: of.N - of.K, N: of.N}
		i := Indicator{Indicator: name, Name: IndicatorWords()[name], Scope: cmp.Or(scope, sla.ScopeOwn), N: of.N,
			Late:  late.K,
			Share: late.Value(), Few: late.Few(), Causes: n.causes(name, sums, late.K, scope), Changes: []Change{}}
		i.Low, i.High = late.Wilson()
		var most uint64
		for _, c := range i.Causes {
			if c.N > most {
				most, i.Largest = c.N, c.Cause
			}
		}
		for _, d := range slices.Sorted(maps.Keys(dims)) {
			if d == "shift" && len(n.center.Shifts) == 0 {
				continue
			}
			if c, ok := Explain(d, before[name][d], dims[d]); ok {
				for j := range c.Parts {
					c.Parts[j].Name = n.of(d, c.Parts[j].Value)
				}
				i.Changes = append(i.Changes, c)
			}
		}
		out = append(out, i)
	}
	return out
}

func (n names) causes(indicator string, sums []store.CauseSum, late uint64, scope string) []Cause {
	order := TicketCauses()
	if indicator == Answer {
		order = CallCauses()
	}
	out := []Cause{}
	for _, cause := range order {
		c := Cause{Cause: cause, Word: Words()[cause], Reasons: map[string]uint64{},
			Stated: map[string]uint64{}, Examples: []string{}}
		byOPD := map[string]uint64{}
		for _, s := range sums {
			if s.Indicator != indicator || s.Cause != cause || scope != "" && s.Scope != scope {
				continue
			}
			c.N += s.N
			byOPD[s.OPD] += s.N
			if s.Reason != "" {
				c.Reasons[s.Reason] += s.N
			}
			if s.Stated != "" {
				c.Stated[s.Stated] += s.N
			}
			c.Examples = append(c.Examples, s.Examples...)
		}
		if c.N == 0 {
			continue
		}
		slices.Sort(c.Examples)
		c.Examples = c.Examples[:min(3, len(c.Examples))]
		of := share.Share{K: c.N, N: max(late, c.N)}
		c.Share = of.Value()
		c.Low, c.High = of.Wilson()
		if !ofTheCentre(indicator, cause) {
			var most uint64
			for _, opd := range slices.Sorted(maps.Keys(byOPD)) { // '' is the centre, which has tickets too
				if byOPD[opd] > most {
					most, c.OPD = byOPD[opd], opd
				}
			}
		}
		c.OPDName = n.opd(c.OPD)
		out = append(out, c)
	}
	return out
}
