package report

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/docx"
	"github.com/monev112/monev112/collector/monev/document/html"
	"github.com/monev112/monev112/collector/monev/document/xlsx"
)

// Check reads a finished file back and holds every number of it against the figures: r is the report that the file
// should hold, now has the figures as they are kept in the database. It returns how many numbers were compared, and
// every difference in words.
func Check(r, now *Report, opd, format string, file []byte) (compared int, differences []string, err error) {
	if format == "json" {
		return checkJSON(r, now, file)
	}
	read, ok := readers[format]
	if !ok {
		return 0, nil, ErrFormat
	}
	found, err := read(file)
	if err != nil {
		return 0, nil, fmt.Errorf("the file cannot be read as %s: %w", format, err)
	}
	want := r.Document(opd).Numbers(format == "xlsx")
	for _, c := range want {
		v, absent, known := now.Number(c.Key)
		is := c.Kind == document.AbsentCell
		switch {
		case !known:
			differences = append(differences, fmt.Sprintf("%s: no figure is behind it", c.Key))
		case c.Key.Part == document.Value && is: // a reason in words stands for it, as "tidak tercatat"
			if !absent && !r.unrecorded(c.Key) {
				differences = append(differences, fmt.Sprintf("%s is absent, the figures say %g", c.Key, v))
			}
		case is != absent || !is && !same(c.Value, v):
			differences = append(differences, fmt.Sprintf("%s is %s, the figures say %g", c.Key, c.String(), v))
		}
	}
	compared, wrong := document.Compare(want, found)
	for _, d := range wrong {
		differences = append(differences, d.String())
	}
	return compared, differences, nil
}

// unrecorded reports whether a share is withheld because nobody records what it is a share of.
func (r *Report) unrecorded(k document.Key) bool {
	f := r.figure(k.Figure, k.Dims)
	return f == nil || f.Denominator == 0
}

// same reports whether two numbers are one: the terms of a mean are added in any order.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// readers read the numbers of a file.
var readers = map[string]func([]byte) ([]document.Reading, error){"html": html.Read, "xlsx": xlsx.Read,
	"docx": docx.Read}

// checkJSON compares the figures and indicators of a JSON file.
func checkJSON(r, now *Report, file []byte) (compared int, differences []string, err error) {
	var got Report
	if err := json.Unmarshal(file, &got); err != nil {
		return 0, nil, fmt.Errorf("the file cannot be read as json: %w", err)
	}
	if got.Center != r.Center || got.Month != r.Month {
		return 0, []string{fmt.Sprintf("the file is of %s of centre %s, not of %s of centre %s", got.Month, got.Center,
			r.Month, r.Center)}, nil
	}
	number := func(what string, is, want float64, isThere, wantThere bool) {
		compared++
		switch {
		case isThere != wantThere, isThere && !same(is, want):
			say := func(v float64, there bool) string {
				if !there {
					return "none"
				}
				return fmt.Sprintf("%g", v)
			}
			differences = append(differences, fmt.Sprintf("%s is %s, the figures say %s", what, say(is, isThere),
				say(want, wantThere)))
		}
	}
	deref := func(p *float64) (float64, bool) {
		if p == nil {
			return 0, false
		}
		return *p, true
	}
	pair := func(what string, a, b *float64) {
		x, is := deref(a)
		y, want := deref(b)
		number(what, x, y, is, want)
	}
	figures := func(at string, a, b Figure) {
		at += a.Name + " " + a.Dims + " "
		number(at+"numerator", a.Numerator, b.Numerator, true, true)
		number(at+"denominator", a.Denominator, b.Denominator, true, true)
		number(at+"n", float64(a.N), float64(b.N), true, true)
		pair(at+"value", a.Value, b.Value)
	}
	for i := range now.Figures {
		f := &now.Figures[i]
		if g := got.figure(f.Name, f.Dims); g != nil {
			figures("", *g, *f)
		} else {
			differences = append(differences, fmt.Sprintf("%s %s is missing", f.Name, f.Dims))
		}
	}
	for i := range got.Figures {
		if f := &got.Figures[i]; now.figure(f.Name, f.Dims) == nil {
			differences = append(differences, fmt.Sprintf("%s %s is no figure of this report", f.Name, f.Dims))
		}
	}
	if len(got.Indicators) != len(now.Indicators) {
		return compared, append(differences, fmt.Sprintf("%d indicators, there are %d", len(got.Indicators),
			len(now.Indicators))), nil
	}
	for i := range got.Indicators {
		a, b := &got.Indicators[i], &now.Indicators[i]
		for part, p := range map[string][2]*float64{
			"target": {a.Target, b.Target}, "value": {a.Value, b.Value}, "low": {a.Low, b.Low}, "high": {a.High, b.High},
			"last_month": {a.Before, b.Before}, "last_year": {a.Year, b.Year}, "attained": {a.Attained, b.Attained},
		} {
			pair("indicator "+a.ID+" "+part, p[0], p[1])
		}
		number("indicator "+a.ID+" numerator", a.Numerator, b.Numerator, true, true)
		number("indicator "+a.ID+" n", a.N, b.N, true, true)
	}
	for i := range got.Trend {
		if f := now.trendOf(&got.Trend[i]); f != nil {
			figures(got.Trend[i].Month+" ", got.Trend[i].Figure, f.Figure)
		} else {
			differences = append(differences, fmt.Sprintf("%s %s is no month of this report", got.Trend[i].Month,
				got.Trend[i].Dims))
		}
	}
	for i := range now.Trend {
		if f := &now.Trend[i]; got.trendOf(f) == nil {
			differences = append(differences, fmt.Sprintf("%s %s is missing", f.Month, f.Dims))
		}
	}
	return compared, differences, nil
}

func (r *Report) trendOf(f *MonthFigure) *MonthFigure {
	for i := range r.Trend {
		if t := &r.Trend[i]; t.Month == f.Month && t.Name == f.Name && t.Dims == f.Dims {
			return t
		}
	}
	return nil
}
