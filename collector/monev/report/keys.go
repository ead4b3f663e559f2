package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
)

// The figures of the sections that are neither frozen nor counted as figures: their keys, and what stands behind them.
const (
	causeFigure      = "kendala"            // dims indicator, and cause where it is one; of a set: failing of decided
	changeFigure     = "kendala_change"     // dims indicator
	statedFigure     = "kendala_stated"     // dims indicator
	askedFigure      = "information_asked"  // dims measure
	outcomeFigure    = "information_result" // dims row, from 1
	gapFigure        = "information_gap"    // dims list and row
	followFigure     = "rtl"                // dims id
	typedFigure      = "typed"              // dims table, row and column, from 1
	differenceFigure = "changed"            // dims month, and row where it is one
	answerTargetName = "answer_target"      // seconds
	shortFigure      = "short_abandon"      // seconds
	saidFigure       = "said"               // sentences without a figure of their own; dims say which
)

// The parts of figures of sections that are not those of a share.
const (
	unknownPart document.Part = "unknown"
	repeatsPart document.Part = "repeats"
	duePart     document.Part = "due"
	frozenPart  document.Part = "frozen"
	presentPart document.Part = "now"
)

func key(figure string, part document.Part, dims ...any) document.Key {
	var b strings.Builder
	for i := 0; i+1 < len(dims); i += 2 {
		fmt.Fprintf(&b, ",%v=%v", dims[i], dims[i+1])
	}
	return document.Key{Figure: figure, Dims: strings.TrimPrefix(b.String(), ","), Part: part}
}

// sentence is a text of the program with numbers in it.
func sentence(k document.Key, format string, args ...any) document.Cell {
	return document.Verbatim(fmt.Sprintf(format, args...), k)
}

// FixedByFreeze reports whether a number cannot move while the freeze of a report stands: the others are counted when a
// report is made.
func (r *Report) FixedByFreeze(k document.Key) bool {
	switch k.Figure {
	case causeFigure, changeFigure, statedFigure, askedFigure, outcomeFigure, gapFigure, followFigure, typedFigure,
		differenceFigure, answerTargetName, shortFigure, saidFigure, targetFigure:
		return false
	}
	if k.Period != "" {
		f := r.trend(k.Period, strings.TrimPrefix(k.Dims, "indicator="))
		return f != nil && f.Frozen
	}
	return r.Frozen != nil && r.Frozen.Details
}

// counted finds what a key of a section names; ok is false for a key of a figure.
func (r *Report) counted(k document.Key) (v float64, absent, ok bool) {
	f := Figure{Dims: k.Dims}
	at := func(dim string) int { n, _ := strconv.Atoi(f.dim(dim)); return n - 1 }
	switch k.Figure {
	case answerTargetName:
		return float64(r.AnswerTarget), false, true
	case shortFigure:
		return float64(r.ShortAbandon), false, true
	case causeFigure:
		v, ok = r.causeNumber(f.dim("indicator"), f.dim("cause"), k.Part)
	case askedFigure, outcomeFigure, gapFigure:
		if r.Information != nil {
			v, ok = r.Information.number(k.Figure, &f, at("row"), k.Part)
		}
	case typedFigure:
		if t, row := at("table"), at("row"); t >= 0 && t < len(r.Typed) && row >= 0 && row < len(r.Typed[t].Values) {
			if c := at("column"); c >= 0 && c < len(r.Typed[t].Values[row]) && r.Typed[t].Values[row][c] != nil {
				v, ok = *r.Typed[t].Values[row][c], true
			}
		}
	case differenceFigure:
		for _, c := range r.Changed {
			if c.Month == f.dim("month") {
				v, ok = float64(c.Count), true
			}
		}
	default:
		return 0, false, false
	}
	return v, !ok, true
}

func (r *Report) causeNumber(indicator, cause string, part document.Part) (float64, bool) {
	for i := range r.Causes {
		set := &r.Causes[i]
		if set.Indicator != indicator {
			continue
		}
		if cause == "" {
			return map[document.Part]float64{document.Numerator: float64(set.Failing),
				document.Denominator: float64(set.Decided)}[part], true
		}
		for _, c := range set.Causes {
			if c.Code != cause {
				continue
			}
			if part == document.Value {
				return float64(c.N) / float64(set.Failing), set.Failing > 0
			}
			return float64(c.N), true
		}
	}
	return 0, false
}

func (in *Information) number(figure string, dims *Figure, row int, part document.Part) (float64, bool) {
	var list []Gap
	switch figure {
	case outcomeFigure:
		if row < 0 || row >= len(in.Outcomes) {
			return 0, false
		}
		return float64(in.Outcomes[row].N), true
	case gapFigure:
		if list = in.Gaps; dims.dim("list") == listOutside {
			list = in.Outside
		}
		if row < 0 || row >= len(list) {
			return 0, false
		}
		g := list[row]
		return float64(map[document.Part]uint64{unknownPart: g.Unknown, repeatsPart: g.Repeats, document.N: g.Calls}[part]),
			true
	}
	s := map[string]*Share{askedTold: in.Told, askedFirst: in.First, askedAgain: in.Repeated}[dims.dim("measure")]
	switch {
	case dims.dim("measure") == askedAll:
		return float64(in.Calls), true
	case s == nil:
		return 0, false
	case part == document.Numerator:
		return float64(s.Numerator), true
	case part == document.Denominator:
		return float64(s.Denominator), true
	}
	return float64(s.Numerator) / float64(s.Denominator), s.Denominator > 0
}

// The lists of topics, and the measures of questions.
const (
	listLacking = "lacking"
	listOutside = "outside"
	askedAll    = "all"
	askedTold   = "told"
	askedFirst  = "first_contact"
	askedAgain  = "repeated"
)
