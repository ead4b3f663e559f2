package rtl

import (
	"math"
	"slices"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/sla"
)

// Indicator is a share that a recommendation may be meant to move.
type Indicator struct {
	Code string
	// Name in Indonesian and English, as people read it.
	Name, English string
	Rises         bool // larger is better
	Calls         bool // of calls, which lie at no OPD and have no priority
}

// indicators by their codes; those of clocks are the names of the clocks.
var indicators = []Indicator{
	{sla.Answer, "panggilan dijawab tepat waktu", "calls answered on time", true, true},
	{sla.Acknowledge, "tiket diterima OPD tepat waktu", "tickets acknowledged on time", true, false},
	{sla.Arrive, "petugas tiba tepat waktu", "arrived on time", true, false},
	{sla.Resolve, "tiket diselesaikan tepat waktu", "tickets resolved on time", true, false},
	{sla.ResolveTotal, "tiket diselesaikan tepat waktu, dengan pembukaan kembali",
		"tickets resolved on time, reopenings included", true, false},
	{sla.Confirm, "penyelesaian dikonfirmasi tepat waktu", "resolutions confirmed on time", true, false},
	{sla.Given, "batas waktu dari sumber ditepati", "due times of the source kept", true, false},
	{"tidak_terjawab", "panggilan tidak terjawab", "calls not answered", false, true},
	{"rasio_hoaks", "rasio hoaks", "hoax ratio", false, true},
	{"rasio_non_darurat", "rasio non-darurat", "ratio of calls that are no emergency", false, true},
	{"belum", "panggilan belum diklasifikasi", "calls not yet classified", false, true},
}

// Indicators returns the indicators that a recommendation may name.
func Indicators() []Indicator { return slices.Clone(indicators) }

// IndicatorOf returns the indicator of a code.
func IndicatorOf(code string) (Indicator, bool) {
	i := slices.IndexFunc(indicators, func(i Indicator) bool { return i.Code == code })
	if i < 0 {
		return Indicator{}, false
	}
	return indicators[i], true
}

// Count is a share: K of N.
type Count struct {
	K uint64 `json:"numerator"`
	N uint64 `json:"denominator"`
}

// Share is K/N; 0 where N is 0.
func (c Count) Share() float64 {
	if c.N == 0 {
		return 0
	}
	return float64(c.K) / float64(c.N)
}

// Interval is an estimate with its 95 % interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// ExcludesZero reports whether 0 lies outside of the interval: the difference is more than chance gives.
func (i Interval) ExcludesZero() bool { return i.Low > 0 || i.High < 0 }

// Difference is the share after less the share before, with Newcombe's 95 % interval from Wilson's two (R. G. Newcombe,
// Statistics in Medicine 17, 1998, method 10): with p the shares and l, u their Wilson bounds,
//
//	low  = d - sqrt((p1 - l1)^2 + (u0 - p0)^2)
//	high = d + sqrt((u1 - p1)^2 + (p0 - l0)^2)
//
// It is nil where one of the two has no case.
func Difference(before, after Count) *Interval {
	if before.N == 0 || after.N == 0 {
		return nil
	}
	d, low, high := share.Difference(share.Share(before), share.Share(after))
	return &Interval{d, low, high}
}

// Beyond is the difference inside a scope less the difference outside of it, with the interval that both of theirs give
// (the same construction once more: G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008): with d the differences
// and l, u their Newcombe bounds,
//
//	low  = d1 - d0 - sqrt((d1 - l1)^2 + (u0 - d0)^2)
//	high = d1 - d0 + sqrt((u1 - d1)^2 + (d0 - l0)^2)
func Beyond(inside, outside *Interval) *Interval {
	if inside == nil || outside == nil {
		return nil
	}
	d := inside.Value - outside.Value
	return &Interval{d, d - math.Hypot(inside.Value-inside.Low, outside.High-outside.Value),
		d + math.Hypot(inside.High-inside.Value, outside.Value-outside.Low)}
}

// Verdict says in one word what was measured.
type Verdict string

// The verdicts.
const (
	Better     Verdict = "membaik"        // the interval excludes 0, in the wanted direction
	Worse      Verdict = "memburuk"       // the same in the other
	NoEvidence Verdict = "belum_terbukti" // the interval holds 0
	FewData    Verdict = "data_terbatas"  // a denominator below share.Few
	NotYet     Verdict = "belum_diukur"   // not completed, or no indicator or baseline is named
)

// Effect is what was measured of a recommendation.
type Effect struct {
	Indicator string `json:"indicator"`
	// Inside the scope: the baseline month, and from the day after completion on.
	Before Count `json:"before"`
	After  Count `json:"after"`
	// The same outside of the scope; both are empty where the scope is the whole centre.
	OutsideBefore Count `json:"outside_before"`
	OutsideAfter  Count `json:"outside_after"`
	// The days of After: Since <= day < Until.
	Since string `json:"since"`
	Until string `json:"until"`
	// Frozen says that Before is as the baseline month was frozen; else it is computed from what is known now.
	Frozen bool `json:"baseline_frozen"`

	Difference        *Interval `json:"difference"` // inside
	OutsideDifference *Interval `json:"outside_difference"`
	Beyond            *Interval `json:"beyond"` // inside less outside; nil without enough data outside
	Verdict           Verdict   `json:"verdict"`
}

// Judge fills in the differences and the verdict of e from its counts. The verdict is by Beyond where there are enough
// cases outside to compare with, else by Difference.
func (e *Effect) Judge() {
	e.Difference, e.OutsideDifference = Difference(e.Before, e.After), Difference(e.OutsideBefore, e.OutsideAfter)
	e.Beyond = nil
	if min(e.OutsideBefore.N, e.OutsideAfter.N) >= share.Few {
		e.Beyond = Beyond(e.Difference, e.OutsideDifference)
	}
	by := e.Difference
	if e.Beyond != nil {
		by = e.Beyond
	}
	indicator, _ := IndicatorOf(e.Indicator)
	switch {
	case min(e.Before.N, e.After.N) < share.Few:
		e.Verdict = FewData
	case !by.ExcludesZero():
		e.Verdict = NoEvidence
	case by.Value > 0 == indicator.Rises:
		e.Verdict = Better
	default:
		e.Verdict = Worse
	}
}

// Sentence says in Indonesian what was measured. It says "setelah" and never "karena": what else happened since the
// baseline is not known.
func (e *Effect) Sentence() string {
	indicator, _ := IndicatorOf(e.Indicator)
	of := func(c Count) string {
		if c.N == 0 {
			return "tidak tercatat"
		}
		return indonesian.Decimal(100*c.Share(), 1) + " % (" + indonesian.Number(int64(c.K)) + " dari " +
			indonesian.Number(int64(c.N)) + ")"
	}
	points := func(i *Interval) string {
		return indonesian.Decimal(100*i.Value, 1) + " poin persen (95 %: " + indonesian.Decimal(100*i.Low, 1) + " s.d. " +
			indonesian.Decimal(100*i.High, 1) + ")"
	}
	switch e.Verdict {
	case NotYet, "":
		return "Belum diukur."
	case FewData:
		return "Setelah selesai, " + indicator.Name + " " + of(e.After) + ", sebelumnya " + of(e.Before) +
			". Data terbatas: kurang dari " + indonesian.Number(share.Few) + " kasus, belum dapat dinilai."
	}
	s := "Setelah selesai, " + indicator.Name + " " + of(e.After) + ", sebelumnya " + of(e.Before) + ": selisih " +
		points(e.Difference) + "."
	switch {
	case e.Beyond != nil:
		s += " Di luar cakupan " + of(e.OutsideAfter) + ", sebelumnya " + of(e.OutsideBefore) + ". Di atas perubahan di " +
			"luar " +
			"cakupan: " + points(e.Beyond) + "."
	case e.OutsideBefore.N+e.OutsideAfter.N > 0:
		s += " Di luar cakupan data terbatas, tidak dibandingkan."
	}
	switch e.Verdict {
	case Better:
		return s + " Membaik."
	case Worse:
		return s + " Memburuk."
	}
	return s + " Perubahan belum terbukti: selang memuat 0."
}
