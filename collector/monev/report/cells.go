package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
)

// The cells of figures. A figure that is not there is absent, never zero.

func keyOf(f *Figure, part document.Part) document.Key {
	return document.Key{Figure: f.Name, Dims: f.Dims, Part: part}
}

// number gives one of a figure's counts.
func (r *Report) number(name, dims string, part document.Part) document.Cell {
	f := r.figure(name, dims)
	if f == nil {
		return document.Absent(document.NotApplicable, document.Key{Figure: name, Dims: dims, Part: part})
	}
	return f.number(part)
}

func (f *Figure) number(part document.Part) document.Cell {
	switch part {
	case document.Numerator:
		return document.Count(f.Numerator, keyOf(f, part))
	case document.Denominator:
		return document.Count(f.Denominator, keyOf(f, part))
	}
	return document.Count(float64(f.N), keyOf(f, part))
}

// nothing is what stands for a share that is not there: not recorded, where there was something to record.
func (f *Figure) nothing() string {
	if f.Denominator > 0 {
		return document.NotRecorded
	}
	return document.NotApplicable
}

// share gives a figure's value as a percentage.
func (r *Report) share(name, dims string) document.Cell {
	f := r.figure(name, dims)
	if f == nil {
		return document.Absent(document.NotApplicable, document.Key{Figure: name, Dims: dims, Part: document.Value})
	}
	return f.share()
}

func (f *Figure) share() document.Cell {
	if f.Value == nil {
		return document.Absent(f.nothing(), keyOf(f, document.Value))
	}
	return document.Percent(*f.Value, 1, keyOf(f, document.Value))
}

// interval gives the bounds of a figure's share.
func (r *Report) interval(name, dims string) (low, high document.Cell) {
	f := r.figure(name, dims)
	if f == nil {
		f = &Figure{Name: name, Dims: dims}
	}
	return f.interval()
}

func (f *Figure) interval() (low, high document.Cell) {
	l, h := math.NaN(), math.NaN()
	if f.Value != nil {
		l, h = wilson(f.Numerator, f.Denominator)
	}
	return document.Percent(l, 0, keyOf(f, document.Low)), document.Percent(h, 0, keyOf(f, document.High))
}

// duration gives a figure's value, seconds, as a length of time.
func (r *Report) duration(name, dims string) document.Cell {
	k := document.Key{Figure: name, Dims: dims, Part: document.Value}
	f := r.figure(name, dims)
	if f == nil || f.Value == nil {
		return document.Absent(document.NotApplicable, k)
	}
	return document.Duration(*f.Value, 1, k)
}

// monthKey names a number of an indicator of another month.
func monthKey(month, indicator string, part document.Part) document.Key {
	return document.Key{Period: month, Figure: indicatorFigure, Dims: indicatorDims(indicator), Part: part}
}

// monthShare gives an indicator of another month.
func (r *Report) monthShare(month, indicator string) document.Cell {
	k := monthKey(month, indicator, document.Value)
	f := r.trend(month, indicator)
	if f == nil || f.Value == nil {
		return document.Absent(document.NotApplicable, k)
	}
	return document.Percent(*f.Value, 1, k)
}

// Number finds what a key names in a report, as Check holds it against the cells of a file: its figures as they were
// fetched, or what follows from them by one of the formulas below. known is false for a key that no figure stands
// behind; absent for one whose number is not there.
func (r *Report) Number(k document.Key) (v float64, absent, known bool) {
	if v, absent, known = r.counted(k); known {
		return v, absent, known
	}
	f := r.figure(k.Figure, k.Dims)
	if k.Period != "" {
		f = nil
		for i := range r.Trend {
			if t := &r.Trend[i]; t.Month == k.Period && t.Name == k.Figure && t.Dims == k.Dims {
				f = &t.Figure
			}
		}
	}
	switch {
	case k.Figure == targetFigure:
		for i := range r.Indicators {
			in := &r.Indicators[i]
			if indicatorDims(in.ID) != k.Dims {
				continue
			}
			p := in.Target
			if k.Part == attained {
				p = in.Attained
			}
			if p == nil {
				return 0, true, true
			}
			return *p, false, true
		}
		return 0, true, false
	case f == nil:
		return 0, true, true
	case k.Part == document.Numerator:
		return f.Numerator, false, true
	case k.Part == document.Denominator:
		return f.Denominator, false, true
	case k.Part == document.N:
		return float64(f.N), false, true
	case f.Value == nil:
		return 0, true, true
	case k.Part == document.Value:
		return *f.Value, false, true
	}
	low, high := wilson(f.Numerator, f.Denominator)
	switch k.Part {
	case document.Low:
		return low, math.IsNaN(low), true
	case document.High:
		return high, math.IsNaN(high), true
	}
	return 0, true, false
}

const (
	targetFigure = "target" // what an indicator aims at
	// attained is the part of a target that says how much of it was reached.
	attained document.Part = "attained"
)

// target is within how many seconds a call is to be answered.
func (r *Report) target() document.Cell {
	return document.Number(float64(r.AnswerTarget), 0, "detik", key(answerTargetName, document.Value))
}

// causeCell gives a number of a cause, or of the whole set where c is nil.
func (r *Report) causeCell(set *CauseSet, c *Cause, part document.Part) document.Cell {
	k := key(causeFigure, part, "indicator", set.Indicator)
	if c != nil {
		k = key(causeFigure, part, "cause", c.Code, "indicator", set.Indicator)
	}
	v, _, _ := r.counted(k)
	if part == document.Value {
		return document.Percent(v, 1, k)
	}
	return document.Count(v, k)
}

func (i *Indicator) target() document.Cell {
	k := document.Key{Figure: targetFigure, Dims: indicatorDims(i.ID), Part: document.Value}
	if i.Target == nil {
		return document.Absent("belum ada", k)
	}
	return document.Percent(*i.Target, 1, k)
}

func (i *Indicator) attained() document.Cell {
	k := document.Key{Figure: targetFigure, Dims: indicatorDims(i.ID), Part: attained}
	if i.Attained == nil {
		return document.Absent(document.NotApplicable, k)
	}
	return document.Percent(*i.Attained, 1, k)
}

func text(format string, args ...any) document.Cell {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return document.Text(format)
}

// line is running text with a cell in the place of each {}.
func line(words string, cells ...document.Cell) (out document.Line) {
	for i, part := range strings.Split(words, "{}") {
		if i > 0 {
			out = append(out, cells[i-1])
		}
		if part != "" {
			out = append(out, document.Text(part))
		}
	}
	return out
}

func row(cells ...document.Cell) document.Row { return document.Row{Cells: cells} }

func paragraph(style document.Style, line ...document.Cell) document.Paragraph {
	return document.Paragraph{Line: line, Style: style}
}
