// Package report makes the monthly report of the monev meeting from the figures of a month: what was achieved, what
// not, and what stood in the way.
//
// Model turns figures and settings into a Report, Document a Report into a document that the renderers of package
// document write. Both are pure: the same figures give the same pages. A Report holds all that its pages say, so that
// one that was handed out can be written again whatever has changed since. Runner fetches the figures and keeps what
// was handed out.
package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/store"
)

// Figure is one figure of the month, with the names that store.Figure has. Value is nil where there is nothing to
// measure.
type Figure struct {
	Name        string   `json:"figure"`
	Dims        string   `json:"dims"`
	Numerator   float64  `json:"numerator"`
	Denominator float64  `json:"denominator"`
	N           uint64   `json:"n"`
	Value       *float64 `json:"value"`
}

// MonthFigure is an indicator of a month.
type MonthFigure struct {
	Month  string `json:"month"` // 2023-10
	Frozen bool   `json:"frozen"`
	Figure
}

// Frozen is the freeze that the figures come from.
type Frozen struct {
	Revision          int       `json:"revision"`
	Reason            string    `json:"reason,omitempty"` // of a further revision
	At                time.Time `json:"at"`
	DefinitionVersion string    `json:"definition_version"`
	// Details reports whether the freeze keeps all that the report says; one of an earlier program lacks some figures,
	// which were computed when the report was made.
	Details bool `json:"details"`
}

// Named is an OPD, a kecamatan or a category and what it is called.
type Named struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Scope string `json:"scope,omitempty"` // of an OPD: own or vertical
	// Private is set of categories whose small counts are not shown.
	Private bool `json:"private,omitempty"`
}

// Facts are what a report is made of beside its settings.
type Facts struct {
	Center     string
	CenterName string
	Zone       string
	Month      time.Time // its first day, UTC
	Now        time.Time // when the figures were fetched
	Ends       time.Time // the end of the month in the centre's zone
	Frozen     *Frozen   // nil: the figures are of now, and the report is provisional
	Figures    []store.Figure
	// Trend holds the indicators of the month and the twelve before it, months without a case left out.
	Trend []MonthFigure
	// TrendTargets are the answer targets of those months, in seconds.
	TrendTargets      map[string]int
	AnswerTarget      int // seconds, as the directory has it now
	ShortAbandon      int // seconds
	DefinitionVersion string
	Policies          []string
	Calendars         []string
	OPDs              []Named
	Kecamatan         []Named
	Categories        []Named
	// Changed are frozen months whose figures are no longer what was frozen.
	Changed []freeze.Report
	Sections
}

// Report is the model of a monthly report. It is kept as JSON: fields are added, never changed.
type Report struct {
	// Layout is the version of what is keyed on the pages; see Check.
	Layout       int       `json:"layout,omitempty"`
	Center       string    `json:"center"`
	CenterName   string    `json:"center_name"`
	Zone         string    `json:"zone"`
	Month        string    `json:"month"` // 2023-10
	MadeAt       time.Time `json:"made_at"`
	Provisional  bool      `json:"provisional"`     // the month is not frozen
	Draft        bool      `json:"draft,omitempty"` // it is, and this was not handed out
	Running      bool      `json:"running"`         // the month is not over
	Frozen       *Frozen   `json:"frozen,omitempty"`
	AnswerTarget int       `json:"answer_target_seconds"`
	// where the directory has another now
	PresentTarget     int            `json:"present_answer_target_seconds,omitempty"`
	TrendTargets      map[string]int `json:"trend_answer_target_seconds,omitempty"` // of months that have another
	ShortAbandon      int            `json:"short_abandon_seconds"`
	DefinitionVersion string         `json:"definition_version"`
	Policies          []string       `json:"policies"`
	Calendars         []string       `json:"calendars"`
	Checksum          string         `json:"checksum"` // of the figures: SHA-256, hex
	Settings          Settings       `json:"settings"`
	Logo              []byte         `json:"logo,omitempty"`
	Borders           []byte         `json:"borders,omitempty"` // of the kecamatan, GeoJSON
	Indicators        []Indicator    `json:"indicators"`
	Figures           []Figure       `json:"figures"`
	Trend             []MonthFigure  `json:"trend"`
	OPDs              []Named        `json:"opds"`
	Kecamatan         []Named        `json:"kecamatan"`
	Categories        []Named        `json:"categories"`
	Changed           []ChangedMonth `json:"changed"`
	Sections

	index map[[2]string]*Figure
}

// ChangedMonth is a frozen month of which figures moved after its freeze.
type ChangedMonth struct {
	Month    string    `json:"month"`
	Revision int       `json:"revision"`
	FrozenAt time.Time `json:"frozen_at"`
	// Count is how many figures moved; Differences are the first of them.
	Count       int                 `json:"count"`
	Differences []freeze.Difference `json:"differences"`
}

// maxDifferences bounds the differences of a frozen month that a report names.
const maxDifferences = 10

const monthLayout = "2006-01"

// layout rises whenever a page gains or loses a number with a key.
const layout = 2

// Model makes a report. It refuses nothing: a month with three tickets is a report that says so.
func Model(f Facts, s Settings, logo []byte) *Report {
	r := &Report{
		Layout: layout, Center: f.Center, CenterName: f.CenterName, Zone: f.Zone, Month: f.Month.Format(monthLayout),
		MadeAt: f.Now.UTC().Truncate(time.Second), Provisional: f.Frozen == nil, Running: f.Now.Before(f.Ends),
		Frozen: f.Frozen, AnswerTarget: f.AnswerTarget, ShortAbandon: f.ShortAbandon,
		DefinitionVersion: f.DefinitionVersion, Policies: nonNil(f.Policies), Calendars: nonNil(f.Calendars),
		Settings: s.withDefaults(), Logo: logo, OPDs: nonNil(f.OPDs), Kecamatan: nonNil(f.Kecamatan),
		Categories: nonNil(f.Categories), Trend: nonNil(f.Trend), Changed: []ChangedMonth{}, Sections: f.Sections,
	}
	for _, g := range f.Figures {
		r.Figures = append(r.Figures, Figure{g.Name, g.Dims, g.Numerator, g.Denominator, g.N, g.Value})
	}
	r.Checksum = checksum(r.Figures)
	if was := answerTarget(r.Figures); was != 0 && was != r.AnswerTarget {
		r.AnswerTarget, r.PresentTarget = was, r.AnswerTarget
	}
	for m, target := range f.TrendTargets {
		if target != r.AnswerTarget {
			if r.TrendTargets == nil {
				r.TrendTargets = map[string]int{}
			}
			r.TrendTargets[m] = target
		}
	}
	r.Figures = append(r.Figures, derive(r.Figures)...)
	r.safe()
	for _, c := range f.Changed {
		if len(c.Differences) > 0 {
			told := r.tellable(c.Differences)
			r.Changed = append(r.Changed, ChangedMonth{c.Month, c.Revision, c.FrozenAt, len(c.Differences),
				told[:min(len(told), maxDifferences)]})
		}
	}
	r.Indicators = r.indicators()
	return r
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// checksum names the figures, whatever order they come in.
func checksum(figures []Figure) string {
	lines := make([]string, 0, len(figures))
	for _, f := range figures {
		value := "null"
		if f.Value != nil {
			value = fmt.Sprintf("%.9g", *f.Value)
		}
		lines = append(lines, fmt.Sprintf("%s|%s|%.15g|%.15g|%d|%s\n", f.Name, f.Dims, f.Numerator, f.Denominator, f.N,
			value))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}

// figure finds a figure of the month, nil when there is none.
func (r *Report) figure(name, dims string) *Figure {
	if r.index == nil {
		r.index = make(map[[2]string]*Figure, len(r.Figures))
		for i := range r.Figures {
			r.index[[2]string{r.Figures[i].Name, r.Figures[i].Dims}] = &r.Figures[i]
		}
	}
	return r.index[[2]string{name, dims}]
}

// named returns the figures of one name, in their order.
func (r *Report) named(name string) (out []*Figure) {
	for i := range r.Figures {
		if r.Figures[i].Name == name {
			out = append(out, &r.Figures[i])
		}
	}
	return out
}

// trend finds an indicator of a month, nil when there is none.
func (r *Report) trend(month, indicator string) *MonthFigure {
	for i := range r.Trend {
		if r.Trend[i].Month == month && r.Trend[i].Dims == indicatorDims(indicator) {
			return &r.Trend[i]
		}
	}
	return nil
}

// dim returns the value of one dimension.
func (f *Figure) dim(name string) string {
	value, _ := store.Dim(f.Dims, name)
	return value
}

// first returns the first day of the month.
func (r *Report) first() time.Time {
	t, _ := time.Parse(monthLayout, r.Month)
	return t
}

// Location is the zone of the report's centre.
func (r *Report) Location() *time.Location {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// opdName says an OPD's name.
func (r *Report) opdName(id string) string { return nameOf(r.OPDs, id, "(pusat layanan)") }

func nameOf(list []Named, id, none string) string {
	if id == "" {
		return none
	}
	if i := slices.IndexFunc(list, func(n Named) bool { return n.ID == id }); i >= 0 {
		return list[i].Name
	}
	return id
}

// wilson is share.Share's interval of a figure's counts; NaN of nothing.
func wilson(k, n float64) (low, high float64) {
	if n <= 0 {
		return math.NaN(), math.NaN()
	}
	return share.Share{K: uint64(k), N: uint64(n)}.Wilson()
}

// ForOPD is the report as one OPD may see it: its own figures and nothing of another's. An empty opd is the whole.
func (r *Report) ForOPD(opd string) *Report {
	if opd == "" {
		return r
	}
	p := *r
	p.index, p.Indicators, p.Trend, p.Changed = nil, []Indicator{}, []MonthFigure{}, []ChangedMonth{}
	p.TrendTargets = nil
	p.Kecamatan, p.Categories, p.Borders = []Named{}, []Named{}, nil
	p.Figures = slices.DeleteFunc(slices.Clone(r.Figures), func(f Figure) bool { return f.dim("opd") != opd })
	p.OPDs = slices.DeleteFunc(slices.Clone(r.OPDs), func(n Named) bool { return n.ID != opd })
	p.Sections = Sections{Recommendations: slices.DeleteFunc(slices.Clone(r.Recommendations),
		func(m Recommendation) bool { return m.Owner != opd })}
	return &p
}
