// Package directory owns what is known of the centres: their OPDs, kecamatan and categories, and the names by which
// sources speak of them. It resolves a name to an id or says that it does not know; it never guesses. It reads no clock
// and does no IO: files are handed to it as bytes.
package directory

import (
	"maps"
	"slices"
	"time"

	"github.com/monev112/monev112/deploy"
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
	Code         string
	Name         string
	Location     *time.Location
	Historical   bool            // records of the past: no board, no metrics, no alerts
	Open         bool            // names that are not listed are expected: no review
	Population   int             // 0 when it is not stated
	Shifts       []time.Duration // starts since local midnight, ascending
	AnswerTarget time.Duration
	Displays     []time.Duration // answer targets that are shown beside the contract's
	ShortAbandon time.Duration
	Policy       string // name of the policy file
	Calendar     string // name of the calendar file
}

// OPD is a department of the regency or an agency that works with it.
type OPD struct {
	ID    string
	Name  string
	Scope Scope
	Hours HoursMode
}

// Kecamatan is a district. Its id in events is Code.
type Kecamatan struct {
	Code     string // Kemendagri, for example 35.15.08
	BPS      string // for example 3515110; empty when it is not stated
	Name     string
	Lat, Lon float64 // a point within it, degrees
}

// Category is a kind of report.
type Category struct {
	ID        string
	Name      string
	Priority  string // proposal, empty when there is none
	OPD       string // proposal, empty when there is none
	Sensitive bool   // its exact places are never stored
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
	list  []T
	exact map[string]int // as the file writes it, to save folding on the usual path
	fold  map[string]int
	ids   []string
}

func (n *names[T]) byID(id string) (t T, ok bool) {
	if i, found := n.exact[id]; found && n.ids[i] == id {
		return n.list[i], true
	}
	return t, false
}

// Default returns the embedded directory: Sidoarjo, and the historical centres of the public data sets. It panics when
// the file that was compiled in is broken, which a test of this package rules out.
func Default() *Directory {
	const name = "defaults/directory.yaml"
	text, err := deploy.Defaults.ReadFile(name)
	if err != nil {
		panic(err)
	}
	d, err := Load(name, text)
	if err != nil {
		panic(err)
	}
	return d
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

// Center returns the centre of that code.
func (d *Directory) Center(code string) (Center, bool) {
	if e := d.centers[code]; e != nil {
		return e.center, true
	}
	return Center{}, false
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

// Label returns the metric label of an OPD: its id, or Unknown. It bounds the label set to the directory's.
func (d *Directory) Label(center, opd string) string {
	if o, ok := d.OPD(center, opd); ok {
		return o.ID
	}
	return Unknown
}

// CategoryLabel is Label for categories.
func (d *Directory) CategoryLabel(center, category string) string {
	if c, ok := d.Category(center, category); ok {
		return c.ID
	}
	return Unknown
}

// KecamatanLabel is Label for kecamatan.
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
