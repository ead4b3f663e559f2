package chart

import (
	"fmt"
	"math"
	"slices"
)

// Trend is a line over time, with a band around it and a target.
type Trend struct {
	Title  string
	Note   string // what must be known to read it
	Unit   Unit
	Line   string // what the line is, "median"
	Band   string // what the band is, "selang 95 %"; empty is none
	Points []Point
	Target Target
	// Gap says what a missing value means; empty is "tidak tercatat".
	Gap string
}

// Point is one value over time. NaN is missing: the line is broken there.
type Point struct {
	Label            string // "Okt 2023"
	Value, Low, High float64
	N                uint64
}

// DrawTrend draws a trend.
func DrawTrend(on Basis, t Trend) *Picture {
	p, y := newPicture(on, t.Title, t.Note)
	low, top, known := math.Inf(1), 0.0, 0
	for _, q := range append([]Point{{Value: t.Target.Value, Low: math.NaN(), High: math.NaN()}}, t.Points...) {
		for _, v := range []float64{q.Value, q.Low, q.High} {
			if !math.IsNaN(v) {
				low, top = min(low, v), max(top, v)
			}
		}
	}
	for _, q := range t.Points {
		if !math.IsNaN(q.Value) {
			known++
		}
	}
	if known == 0 {
		return p.empty(y)
	}
	ticks := t.Unit.ticks(min(low, 0), top, 5)
	if t.Unit.Percent && low >= 0.55 && top <= 1 { // a line may begin above zero, when it says so
		ticks = []float64{0.5, 0.6, 0.7, 0.8, 0.9, 1}
		p.text(0, y+11, "sumbu mulai pada 50 %", font{size: 11, colour: soft})
	}
	f := frame{gutter(ticks, t.Unit), y + 20, pageWidth - t.right(), y + 180}
	at := p.vertical(f, ticks, t.Unit)
	p.axisName(f, t.Unit)
	w := (f.x1 - f.x0) / float64(len(t.Points))
	x := func(i int) float64 { return f.x0 + w*(float64(i)+0.5) }
	for i := 0; i < len(t.Points); {
		j := i + 1
		missing := math.IsNaN(t.Points[i].Value)
		for j < len(t.Points) && math.IsNaN(t.Points[j].Value) == missing {
			j++
		}
		if missing {
			p.gap(frame{f.x0 + w*float64(i), f.y0, f.x0 + w*float64(j), f.y1}, t.Gap)
		} else {
			p.run(t, i, j, x, at)
		}
		i = j
	}
	if !math.IsNaN(t.Target.Value) {
		p.line([]point{{f.x0, at(t.Target.Value)}, {f.x1, at(t.Target.Value)}}, orange, 1.5, 6, 4)
	}
	p.names(t, f, at)
	labels := make([]string, len(t.Points))
	for i, q := range t.Points {
		labels[i] = q.Label
	}
	p.height = f.y1 + p.horizontal(f, labels) + 4
	p.desc += t.words(known)
	return p
}

// right is the room for the names at the end of the lines.
func (t Trend) right() float64 {
	w := textWidth(t.Line, 11, true)
	if !math.IsNaN(t.Target.Value) {
		w = max(w, textWidth(t.Target.Label, 11, true))
	}
	return min(150, max(w, textWidth(t.Band, 11, false)+14)+10)
}

func (p *Picture) gap(f frame, why string) {
	why = missing(why)
	p.absent(rect(f.x0, f.y0, f.x1-f.x0, f.y1-f.y0), why)
	at := point{(f.x0 + f.x1) / 2, (f.y0 + f.y1) / 2}
	long := textWidth(why, 10, false)
	switch {
	case f.x1-f.x0 > long+10:
		p.area(rect(at.x-long/2-4, at.y-9, long+8, 16), pen{fill: paper})
		p.text(at.x, at.y+3, why, font{size: 10, colour: soft, anchor: middle})
	case f.x1-f.x0 > 12:
		p.area(rect(at.x-6, at.y-long/2-4, 13, long+8), pen{fill: paper})
		p.text(at.x+4, at.y, why, font{size: 10, colour: soft, anchor: middle, turn: -90})
	}
}

// run draws the points from i to before j, which have values: the band of those that have one, the line, the dots.
func (p *Picture) run(t Trend, i, j int, x func(int) float64, at func(float64) float64) {
	var line, lower, upper []point
	band := func() {
		if len(upper) > 1 {
			slices.Reverse(lower)
			p.area([][]point{slices.Concat(upper, lower)}, pen{fill: 0xdce8f5, stroke: 0x9dbfe0, width: 0.8})
		} else if len(upper) == 1 {
			p.line([]point{lower[0], upper[0]}, 0x7aa7d6, 4)
		}
		lower, upper = nil, nil
	}
	for k := i; k < j; k++ {
		q := t.Points[k]
		line = append(line, point{x(k), at(q.Value)})
		if t.Band == "" || math.IsNaN(q.Low) || math.IsNaN(q.High) {
			band()
			continue
		}
		lower, upper = append(lower, point{x(k), at(q.Low)}), append(upper, point{x(k), at(q.High)})
	}
	band()
	p.line(line, blue, 2)
	for k, q := range line {
		d := t.Points[i+k]
		tip := fmt.Sprintf("%s: %s, n = %d", d.Label, t.Unit.withName(d.Value), d.N)
		if t.Band != "" && !math.IsNaN(d.Low) && !math.IsNaN(d.High) {
			tip += fmt.Sprintf(", %s %s sampai %s", t.Band, t.Unit.number(d.Low), t.Unit.number(d.High))
		}
		p.dot(q.x, q.y, 2.6, pen{fill: blue, tip: tip})
	}
}

// names stand at the right end: the line at its last value, the target at its own, the band where there is room.
func (p *Picture) names(t Trend, f frame, at func(float64) float64) {
	x, room := f.x1+6, pageWidth-f.x1-6
	last := math.NaN()
	for _, q := range t.Points {
		if !math.IsNaN(q.Value) {
			last = q.Value
		}
	}
	y := at(last) + 4
	goal := y
	if !math.IsNaN(t.Target.Value) {
		goal = at(t.Target.Value) + 4
		if math.Abs(goal-y) < 14 {
			if y < goal {
				y = goal - 14
			} else {
				y = goal + 14
			}
		}
		p.text(x, goal, shorten(t.Target.Label, 11, true, room), font{size: 11, bold: true, colour: orange})
	}
	p.text(x, y, shorten(t.Line, 11, true, room), font{size: 11, bold: true, colour: blue})
	if t.Band == "" {
		return
	}
	down := max(y, goal) + 16
	if down > f.y1 {
		down = min(y, goal) - 16
	}
	p.area(rect(x, down-9, 10, 10), pen{fill: 0xdce8f5, stroke: 0x9dbfe0, width: 0.8})
	p.text(x+14, down, shorten(t.Band, 11, false, room-14), font{size: 11, colour: soft})
}

func (t Trend) words(known int) string {
	low, high := -1, -1
	for i, q := range t.Points {
		if math.IsNaN(q.Value) {
			continue
		}
		if low < 0 || q.Value < t.Points[low].Value {
			low = i
		}
		if high < 0 || q.Value > t.Points[high].Value {
			high = i
		}
	}
	s := fmt.Sprintf(". Terendah %s (%s), tertinggi %s (%s)", t.Unit.withName(t.Points[low].Value), t.Points[low].Label,
		t.Unit.withName(t.Points[high].Value), t.Points[high].Label)
	if !math.IsNaN(t.Target.Value) {
		s += "; " + t.Target.Label
	}
	if m := len(t.Points) - known; m > 0 {
		s += fmt.Sprintf("; %d tanpa data", m)
	}
	return s + "."
}
