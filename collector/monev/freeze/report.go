package freeze

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/monev112/monev112/collector/store"
)

// Report compares a frozen month with what its figures are now.
type Report struct {
	Center          string       `json:"center"`
	Month           string       `json:"month"`
	Revision        int          `json:"revision"`
	Reason          string       `json:"reason"` // of that revision
	FrozenAt        time.Time    `json:"frozen_at"`
	DefinitionThen  string       `json:"definition_then"`
	DefinitionNow   string       `json:"definition_now"`
	Figures         int          `json:"figures"` // frozen
	LateCalls       uint64       `json:"late_calls"`
	LateTickets     uint64       `json:"late_tickets"`
	Differences     []Difference `json:"differences"`
	FrozenPolicies  []string     `json:"frozen_policies"`
	PresentPolicies []string     `json:"present_policies"`
}

// Difference is one figure that is no longer what was frozen, and why.
type Difference struct {
	Figure string `json:"figure"`
	Dims   string `json:"dims"`
	Frozen *Value `json:"frozen"` // null: the freeze has no such figure
	Now    *Value `json:"now"`    // null: there is no such figure any more
	// Why holds every reason that is known to bear on the figure, never none.
	Why []string `json:"why"`
	// Sebab is Why in Indonesian.
	Sebab []string `json:"sebab,omitempty"`
}

// Value is a figure's numbers.
type Value struct {
	Numerator   float64  `json:"numerator"`
	Denominator float64  `json:"denominator"`
	N           uint64   `json:"n"`
	Value       *float64 `json:"value"` // null: nothing to measure
}

func valueOf(f *store.Figure) *Value {
	if f == nil {
		return nil
	}
	return &Value{f.Numerator, f.Denominator, f.N, f.Value}
}

// Months returns the months of a centre that are frozen.
func Months(ctx context.Context, db Database, center string) ([]string, error) {
	months, err := db.FrozenMonths(ctx, center)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(months))
	for _, m := range months {
		out = append(out, m.Format(monthLayout))
	}
	return out, nil
}

// Compare reports what a frozen month's figures are now, or as of a past instant; where asOf is zero, as of the instant
// that the freeze names, if it does. It returns ErrNotFrozen when there is no freeze of the month.
func Compare(ctx context.Context, db Database, c Center, month string, now, asOf time.Time) (Report, error) {
	first, err := parseMonth(month)
	if err != nil {
		return Report{}, err
	}
	z, err := db.Frozen(ctx, c.Code, first)
	if err != nil {
		return Report{}, err
	}
	if z == nil {
		return Report{}, fmt.Errorf("centre %s, month %s: %w", c.Code, month, ErrNotFrozen)
	}
	if asOf.After(now) {
		return Report{}, refuse(false, "as_of lies in the future: nothing is known of it")
	}
	if asOf.IsZero() && len(z.Figures) > 0 {
		asOf = asOfOf(&z.Figures[0])
	}
	present, err := compute(ctx, db, c, first, z.FrozenAt, now, asOf)
	if err != nil {
		return Report{}, err
	}
	if !HasReport(z.Figures) {
		present = slices.DeleteFunc(present, func(f store.Figure) bool { return OfReport(f.Name) })
	}
	w := why{freeze: z, center: c}
	if w.bases, err = db.ClockBases(ctx, c.Code, first, z.FrozenAt, now); err != nil {
		return Report{}, err
	}
	if w.calls, w.tickets, err = db.LateCases(ctx, c.Code, first, z.FrozenAt); err != nil {
		return Report{}, err
	}
	r := Report{
		Center: c.Code, Month: month, Revision: z.Revision, Reason: z.Reason, FrozenAt: z.FrozenAt,
		DefinitionThen: z.DefinitionVersion,
		DefinitionNow:  store.DefinitionVersion, Figures: len(z.Figures), LateCalls: w.calls, LateTickets: w.lateTickets(""),
		Differences:    []Difference{},
		FrozenPolicies: []string{}, PresentPolicies: []string{},
	}
	for i := range z.Figures {
		r.FrozenPolicies = Union(Union(r.FrozenPolicies, z.Figures[i].Policies), z.Figures[i].Calendars)
	}
	for i := range present {
		r.PresentPolicies = Union(Union(r.PresentPolicies, present[i].Policies), present[i].Calendars)
	}
	for _, d := range store.Differences(z.Figures, present) {
		r.Differences = append(r.Differences, w.explain(d))
	}
	return r, nil
}

// MayDiffer reports whether the figures of a frozen month may have moved since: an event of it came in, a clock passed
// its due time, or what judges it was given a new version. It costs far less than Compare, and it does not see what was
// edited without a new version. A month that is not frozen cannot differ.
func MayDiffer(ctx context.Context, db Database, c Center, month, now time.Time) (bool, error) {
	z, err := db.Frozen(ctx, c.Code, month)
	if err != nil || z == nil {
		return false, err
	}
	if z.DefinitionVersion != store.DefinitionVersion {
		return true, nil
	}
	calls, tickets, err := db.LateCases(ctx, c.Code, month, z.FrozenAt)
	if err != nil || calls > 0 || len(tickets) > 0 {
		return err == nil, err
	}
	bases, err := db.ClockBases(ctx, c.Code, month, z.FrozenAt, now)
	if err != nil {
		return false, err
	}
	for i := range z.Figures {
		f := &z.Figures[i]
		switch b := basisOf(bases, f.Dims); {
		case f.Name == serviceLevel && (!strings.HasSuffix(f.Dims, fmt.Sprintf("target=%d", c.Targets.Answer)) ||
			!strings.HasSuffix(f.Parameters, fmt.Sprintf("short=%d", c.Targets.Short))):
			return true, nil
		case f.Name != onTime:
		case b == nil && len(f.Policies)+len(f.Calendars) > 0, b != nil && (b.Passed > 0 ||
			!slices.Equal(b.Policies, f.Policies) || !slices.Equal(b.Calendars, f.Calendars)):
			return true, nil
		}
	}
	return false, nil
}

// why is what the reasons of differences are read from.
type why struct {
	freeze  *store.Freeze
	center  Center
	bases   []store.ClockBasis
	calls   uint64
	tickets map[string]uint64
}

// lateTickets counts the tickets of an OPD that had a late event; of all, when opd is empty.
func (w *why) lateTickets(opd string) (n uint64) {
	if opd != "" {
		return w.tickets[opd]
	}
	for _, k := range w.tickets {
		n += k
	}
	return n
}

func (w *why) explain(d store.Difference) Difference {
	f := d.Frozen
	if f == nil {
		f = d.Now
	}
	out := Difference{Figure: f.Name, Dims: f.Dims, Frozen: valueOf(d.Frozen), Now: valueOf(d.Now)}
	add := func(english, indonesian string, args ...any) {
		out.Why = append(out.Why, fmt.Sprintf(english, args...))
		out.Sebab = append(out.Sebab, fmt.Sprintf(indonesian, args...))
	}
	if was := w.freeze.DefinitionVersion; was != store.DefinitionVersion {
		add("definition version %s is now %s", "definisi versi %s kini %s", was, store.DefinitionVersion)
	}
	switch f.Name {
	case onTime:
		w.explainClocks(d, f.Dims, add)
	case serviceLevel:
		w.explainTargets(d, add)
		fallthrough
	default:
		w.explainCases(f, add)
	}
	if len(out.Why) == 0 {
		add("neither definition, versions nor events changed: a policy, a calendar or the directory was edited without a "+
			"new version, or this version of the program reads the events otherwise",
			"definisi, versi, dan peristiwa tidak berubah: kebijakan, kalender, atau direktori disunting tanpa versi baru, "+
				"atau versi program ini membaca peristiwa secara lain")
	}
	return out
}

// adder takes a reason in English and in Indonesian, with the same arguments.
type adder func(english, indonesian string, args ...any)

func (w *why) explainClocks(d store.Difference, dims string, add adder) {
	b := basisOf(w.bases, dims)
	var then, now store.Figure
	if d.Frozen != nil {
		then = *d.Frozen
	}
	if b != nil {
		now.Policies, now.Calendars = b.Policies, b.Calendars
	}
	if !slices.Equal(then.Policies, now.Policies) {
		add("policy %s is now %s", "kebijakan %s kini %s", list(then.Policies), list(now.Policies))
	}
	if !slices.Equal(then.Calendars, now.Calendars) {
		add("calendar %s is now %s", "kalender %s kini %s", list(then.Calendars), list(now.Calendars))
	}
	if b == nil {
		return
	}
	if b.Late > 0 {
		add("events about %d of its clocks came in after the freeze",
			"peristiwa tentang %d batas waktunya masuk setelah dibekukan", b.Late)
	}
	if b.Passed > 0 {
		add("%d clocks that ran in time at the freeze have passed their due time since",
			"%d batas waktu yang masih berjalan saat dibekukan kini terlampaui", b.Passed)
	}
}

func (w *why) explainTargets(d store.Difference, add adder) {
	if d.Frozen != nil && d.Now == nil {
		if was, ok := store.Dim(d.Frozen.Dims, "target"); ok && was != fmt.Sprint(w.center.Targets.Answer) {
			add("the answer target of %s s is now %d s", "batas jawab %s detik kini %d detik", was, w.center.Targets.Answer)
		}
	}
	if d.Frozen == nil {
		add("the freeze has no answer target of %d s", "batas jawab %d detik tidak ikut dibekukan", w.center.Targets.Answer)
	}
	if d.Frozen != nil && d.Now != nil && d.Frozen.Parameters != d.Now.Parameters {
		add("%s is now %s", "%s kini %s", d.Frozen.Parameters, d.Now.Parameters)
	}
}

func (w *why) explainCases(f *store.Figure, add adder) {
	opd, byOPD := store.Dim(f.Dims, "opd")
	interval, ofInterval := store.Dim(f.Dims, "interval")
	ofCalls := !ofInterval && !ofTickets(f.Name) || interval == "answer" || interval == "classify" || interval == "talk"
	if ofCalls && w.calls > 0 {
		add("events about %d calls of the month came in after the freeze",
			"peristiwa tentang %d panggilan bulan itu masuk setelah dibekukan", w.calls)
	}
	if n := w.lateTickets(opd); (!ofCalls || f.Name == "funnel") && n > 0 {
		if byOPD && opd != "" {
			add("events about %d tickets of %s came in after the freeze",
				"peristiwa tentang %d tiket %s masuk setelah dibekukan", n, opd)
		} else {
			add("events about %d tickets of the month came in after the freeze",
				"peristiwa tentang %d tiket bulan itu masuk setelah dibekukan", n)
		}
	} else if all := w.lateTickets(""); byOPD && n == 0 && all > 0 {
		add("events about %d tickets of other OPDs came in after the freeze, which may have moved tickets here or away",
			"peristiwa tentang %d tiket OPD lain masuk setelah dibekukan, yang dapat memindahkan tiket ke sini atau dari sini",
			all)
	}
}

// ofTickets reports whether a figure of the report counts tickets.
func ofTickets(name string) bool {
	return OfReport(name) && !strings.HasPrefix(name, "calls_") && !strings.HasPrefix(name, "hoax_")
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " and ")
}

// Write prints the report for an operator, at most most differences (0: all).
func (r *Report) Write(w io.Writer, most int, loc *time.Location) {
	fmt.Fprintf(w, "%s, centre %s: frozen at %s, revision %d, %d figures, definition %s", r.Month, r.Center,
		r.FrozenAt.In(loc).Format("2006-01-02 15:04 MST"), r.Revision, r.Figures, r.DefinitionThen)
	if r.Reason != "" {
		fmt.Fprintf(w, " (%s)", r.Reason)
	}
	fmt.Fprintln(w)
	if len(r.Differences) == 0 {
		fmt.Fprintln(w, "every figure is what was frozen")
		return
	}
	fmt.Fprintf(w, "%d figures are no longer what was frozen\n", len(r.Differences))
	shown := r.Differences
	if most > 0 && len(shown) > most {
		shown = shown[:most]
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIGURE\tOF\tFROZEN\tNOW\tWHY")
	for _, d := range shown {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", d.Figure, d.Dims, d.Frozen, d.Now, strings.Join(d.Why, "; "))
	}
	_ = t.Flush() // a printer that fails is seen by its owner
	if n := len(r.Differences) - len(shown); n > 0 {
		fmt.Fprintf(w, "and %d more: monev112 freeze --report --month %s --center %s\n", n, r.Month, r.Center)
	}
}

// String renders a value as "numerator/denominator = share", or a measure with its n.
func (v *Value) String() string {
	switch {
	case v == nil:
		return "none"
	case v.Value == nil:
		return fmt.Sprintf("%g/%g", v.Numerator, v.Denominator)
	}
	return fmt.Sprintf("%g/%g = %.4g", v.Numerator, v.Denominator, *v.Value)
}
