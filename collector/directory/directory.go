// Package directory owns what is known of the centres: their OPDs, kecamatan and categories, and the names by which
// sources speak of them. It resolves a name to an id or says that it does not know; it never guesses. It reads no clock
// and does no IO: files are handed to it as bytes.
package directory

import (
	"maps"
	"slices"
	"time"
)

// Unknown is the metric label and the scope of what the directory does not know.
const Unknown = "unknown"

// Scope says in whose power an OPD stands.
type Scope string

// The scopes of an OPD.
const (
	Own          Scope = "own"      // under the regency's head
	Vertical     Scope = "vertical" // a national or provincial body: measured apart, never paged
	ScopeUnknown Scope = Unknown
)

// HoursMode says when an OPD works.
type HoursMode string

// The modes of work of an OPD.
const (
	AllDay  HoursMode = "24h"
	OnCall  HoursMode = "on_call"
	Working HoursMode = "working"
)

// Directory is an immutable directory; it is safe for concurrent use.
type Directory struct {
	defaultCenter string
	codes         []string // in the order of the file
	centers       map[string]*entry
	bps           map[string]Kecamatan
	kemendagri    map[string]Kecamatan
}

// Center is what is known of one call centre.
type Center struct {
	Code         string `yaml:"code"`
	Name         string `yaml:"name"`
	Location     *time.Location
	Historical   bool            `yaml:"historical"` // records of the past: no board, no metrics, no alerts
	Open         bool            `yaml:"open"`       // names that are not listed are expected: no review
	Population   int             `yaml:"population"` // 0 when it is not stated
	Shifts       []time.Duration // starts since local midnight, ascending
	AnswerTarget time.Duration   // a call should be answered within
	ShortAbandon time.Duration   // callers who hang up before it count as short abandons
	Policy       string          `yaml:"policy"`   // name of the policy; empty: no clocks
	Calendar     string          `yaml:"calendar"` // name of the calendar; empty: always open
}

// OPD is a department of the regency or an agency that works with it.
type OPD struct {
	ID    string    `yaml:"id"`
	Name  string    `yaml:"name"`
	Scope Scope     `yaml:"scope"`
	Hours HoursMode `yaml:"hours"`
}

// Kecamatan is a district. Its id in events is Code.
type Kecamatan struct {
	Code     string  `yaml:"code"` // Kemendagri, for example 35.15.08
	BPS      string  `yaml:"bps"`  // for example 3515110; empty when it is not stated
	Name     string  `yaml:"name"`
	Located  bool    // Lat and Lon are known
	Lat, Lon float64 // a point within it, degrees
}

// Category is a kind of report.
type Category struct {
	ID        string `yaml:"id"`
	Name      string `yaml:"name"`
	Priority  string `yaml:"priority"`  // of a ticket whose source states none; empty when there is none
	OPD       string `yaml:"opd"`       // proposal, empty when there is none
	Sensitive bool   `yaml:"sensitive"` // its exact places are never stored
	// Other priorities, of tickets that begin on that day of the centre's zone or later; in order of From.
	Priorities []DatedPriority `yaml:"priorities"`
}

// DatedPriority is a category's priority from a day on.
type DatedPriority struct {
	From     string `yaml:"from"` // 2027-01-01
	Priority string `yaml:"priority"`
}

type entry struct {
	center     Center
	opds       names[OPD]
	kecamatan  names[Kecamatan]
	categories names[Category]
	suffixes   []string            // folded
	ambiguous  map[string]struct{} // folded
}

// names is a list with every way to write an element of it.
type names[T any] struct {
	list   []T
	exact  map[string]int // index by name as the file writes it: saves folding on the usual path
	folded map[string]int // index by folded name
	ids    []string
}

func (n *names[T]) byID(id string) (t T, ok bool) {
	if i, found := n.exact[id]; found && n.ids[i] == id {
		return n.list[i], true
	}
	return t, false
}

// DefaultCenter returns the code of the centre of events that name none; empty when the directory has no such centre.
func (d *Directory) DefaultCenter() string { return d.defaultCenter }

// Centers returns all centres in the order of the file.
func (d *Directory) Centers() []Center {
	out := make([]Center, 0, len(d.codes))
	for _, code := range d.codes {
		out = append(out, d.centers[code].center)
	}
	return out
}

// DefaultPriority returns the priority of a ticket of that category that begins at an instant and whose source states
// none; empty where the category has none. known is false for a category that the centre does not list.
func (d *Directory) DefaultPriority(center, category string, at time.Time) (priority string, known bool) {
	e := d.centers[center]
	if e == nil {
		return "", false
	}
	id, what := resolve(e, &e.categories, category, "")
	if what != found {
		return "", false
	}
	c, _ := e.categories.byID(id)
	priority = c.Priority
	if len(c.Priorities) > 0 {
		day := at.In(e.center.Location).Format(time.DateOnly)
		for _, p := range c.Priorities {
			if p.From <= day {
				priority = p.Priority
			}
		}
	}
	return priority, true
}

// Scopes returns what gives the scope of an OPD of a centre, as a source names it.
func (d *Directory) Scopes(center string) func(opd string) string {
	return func(opd string) string {
		id, _ := d.ResolveOPD(center, opd)
		return string(d.ScopeOf(center, id))
	}
}

// Center returns the centre of that code.
func (d *Directory) Center(code string) (Center, bool) {
	if e := d.centers[code]; e != nil {
		return e.center, true
	}
	return Center{}, false
}

// Location returns the time zone of a centre, nil when it is not known.
func (d *Directory) Location(center string) *time.Location {
	c, _ := d.Center(center)
	return c.Location
}

// Historical reports whether the centre is known and holds records of the past only.
func (d *Directory) Historical(center string) bool {
	e := d.centers[center]
	return e != nil && e.center.Historical
}

// OPDs returns the OPDs of a centre in the order of the file.
func (d *Directory) OPDs(center string) []OPD {
	if e := d.centers[center]; e != nil {
		return slices.Clone(e.opds.list)
	}
	return nil
}

// OPD returns the OPD of that id.
func (d *Directory) OPD(center, id string) (OPD, bool) {
	if e := d.centers[center]; e != nil {
		return e.opds.byID(id)
	}
	return OPD{}, false
}

// AllKecamatan returns the kecamatan of a centre in the order of the file.
func (d *Directory) AllKecamatan(center string) []Kecamatan {
	if e := d.centers[center]; e != nil {
		return slices.Clone(e.kecamatan.list)
	}
	return nil
}

// Kecamatan returns the kecamatan of that Kemendagri code.
func (d *Directory) Kecamatan(center, code string) (Kecamatan, bool) {
	if e := d.centers[center]; e != nil {
		return e.kecamatan.byID(code)
	}
	return Kecamatan{}, false
}

// KecamatanByBPS returns the kecamatan of any centre by its BPS code.
func (d *Directory) KecamatanByBPS(bps string) (Kecamatan, bool) {
	k, ok := d.bps[bps]
	return k, ok
}

// KecamatanByCode returns the kecamatan of any centre by its Kemendagri code.
func (d *Directory) KecamatanByCode(code string) (Kecamatan, bool) {
	k, ok := d.kemendagri[code]
	return k, ok
}

// Categories returns the categories of a centre in the order of the file.
func (d *Directory) Categories(center string) []Category {
	if e := d.centers[center]; e != nil {
		return slices.Clone(e.categories.list)
	}
	return nil
}

// Category returns the category of that id.
func (d *Directory) Category(center, id string) (Category, bool) {
	if e := d.centers[center]; e != nil {
		return e.categories.byID(id)
	}
	return Category{}, false
}

// ScopeOf returns the scope of the OPD of that id; ScopeUnknown when the directory does not know it.
func (d *Directory) ScopeOf(center, opd string) Scope {
	if o, ok := d.OPD(center, opd); ok {
		return o.Scope
	}
	return ScopeUnknown
}

// OPDLabel returns the metric label of an OPD: its id, or Unknown. It bounds the label set to the directory's.
func (d *Directory) OPDLabel(center, opd string) string {
	if o, ok := d.OPD(center, opd); ok {
		return o.ID
	}
	return Unknown
}

// CategoryLabel is OPDLabel for categories.
func (d *Directory) CategoryLabel(center, category string) string {
	if c, ok := d.Category(center, category); ok {
		return c.ID
	}
	return Unknown
}

// KecamatanLabel is OPDLabel for kecamatan.
func (d *Directory) KecamatanLabel(center, kecamatan string) string {
	if k, ok := d.Kecamatan(center, kecamatan); ok {
		return k.Code
	}
	return Unknown
}

// CenterLabel returns code when the directory knows that centre, else Unknown.
func (d *Directory) CenterLabel(code string) string {
	if e := d.centers[code]; e != nil {
		return e.center.Code
	}
	return Unknown
}

// Policies returns the names of the policies and calendars that the centres use, sorted and without repetition.
func (d *Directory) Policies() (policies, calendars []string) {
	p, c := make(map[string]struct{}), make(map[string]struct{})
	for _, e := range d.centers {
		if e.center.Policy != "" {
			p[e.center.Policy] = struct{}{}
		}
		if e.center.Calendar != "" {
			c[e.center.Calendar] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(p)), slices.Sorted(maps.Keys(c))
}

// ShiftStart returns when the shift of t began, in the centre's local time and as an instant. A centre without shifts
// has one a day, from midnight.
func (c *Center) ShiftStart(t time.Time) time.Time {
	local := t.In(c.Location)
	for back := 0; back <= 1; back++ {
		day := local.AddDate(0, 0, -back)
		for i := len(c.Shifts) - 1; i >= 0; i-- {
			m := int(c.Shifts[i] / time.Minute)
			start := time.Date(day.Year(), day.Month(), day.Day(), m/60, m%60, 0, 0, c.Location)
			if !start.After(t) {
				return start
			}
		}
	}
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, c.Location)
}
