package metrics

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// Fallback label values. A value outside a closed set is counted under one of them.
const (
	Unknown = "unknown" // a name, class or code that the directory or vocabulary does not have
	Other   = "other"   // a reason or key outside the set
	None    = "none"    // nothing was said: a ticket that no OPD has yet, a priority not given
)

// OPD is one department as labels need it.
type OPD struct {
	ID    string
	Scope string // own or vertical
}

// Center is a live (not historical) centre and the OPDs it can give tickets to.
type Center struct {
	Code  string
	OPDs  []OPD
	Names []Name // for directory_info
}

// Name is what people call the value of a label: of "opd", "category" or "kecamatan".
type Name struct{ Label, Value, Name string }

// Vocabulary holds the closed sets of label values besides centres and OPDs. Fallback values need not be listed.
type Vocabulary struct {
	Channels        []string
	Classes         []string
	Priorities      []string
	UnservedReasons []string
	AgentStates     []string
	Categories      []string
	Kecamatan       []string
	AnswerTargets   []time.Duration // for calls_within_target_total; label values are seconds
	Clocks          []string
	Intervals       []string
	RejectReasons   []string
	Tables          []string
	StoreErrorKinds []string
	PagerLevels     []string
	Alertmanagers   []string // those that the pager pushes to, by host and port
	Routes          []string // HTTP route patterns
}

// DefaultVocabulary returns the words of the domain. The caller replaces what its directory, decoder and store know
// better (categories, kecamatan, reject reasons, routes).
func DefaultVocabulary() Vocabulary {
	return Vocabulary{
		Channels:        event.Channels(),
		Classes:         event.Classes(),
		Priorities:      event.Priorities(),
		UnservedReasons: []string{"timeout", "empty", "overflow"},
		AgentStates:     event.AgentStates(),
		RejectReasons:   rejectReasons(),
		Categories: []string{
			"kebakaran", "darurat_medis", "kecelakaan", "kriminal", "banjir", "pohon_tumbang", "odgj", "kdrt", "evakuasi_hewan",
			"pju",
			"jalan_rusak", "lampu_lalu_lintas", "sampah", "listrik_padam", "air", "ketertiban", "administrasi", "info_layanan",
			"lainnya",
		},
		AnswerTargets:   tracker.AnswerTargets(),
		Clocks:          []string{"answer", "acknowledge", "arrive", "resolve", "resolve_total", "confirm", "given"},
		Intervals:       []string{"dispatch", "acknowledge", "turnout", "travel", "respond", "resolve", "confirm"},
		Tables:          []string{"events", "calls", "tickets", "clocks"},
		StoreErrorKinds: []string{"unavailable", "timeout", "refused", "value", "query"},
		PagerLevels:     []string{"risk", "overdue", "escalated", "escalated2", "closed"},
	}
}

func rejectReasons() []string {
	var out []string
	for _, r := range event.Reasons() {
		out = append(out, string(r))
	}
	return out
}

// closed is a set of label values with the value that stands for the rest.
type closed struct {
	values   []string // sorted, the fallback and None (if any) included
	fallback string
	none     string // what an empty value becomes
	index    map[string]string
}

func newClosed(values []string, fallback, none string) closed {
	all := append(slices.Clone(values), fallback, none)
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	all = slices.Compact(all)
	c := closed{values: all, fallback: fallback, none: cmp.Or(none, fallback), index: make(map[string]string, len(all))}
	for _, v := range all {
		c.index[v] = v
	}
	return c
}

func (c closed) of(v string) string {
	if v == "" {
		return c.none
	}
	if known, ok := c.index[v]; ok {
		return known // the set's own string: a label must not pin a request body in memory
	}
	return c.fallback
}

func (c closed) has(v string) bool {
	_, ok := c.index[v]
	return ok
}

// secondsLabel writes a duration as the label value of a target: "15", "7.5".
func secondsLabel(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
