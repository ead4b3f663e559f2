package chart

import (
	"fmt"
	"math"
	"slices"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/share"
)

// Bars is one value a row, with its interval: tickets on time by OPD, the effect of a change by category. Values may be
// negative.
type Bars struct {
	Title  string
	Note   string
	Unit   Unit
	Rows   []Bar
	Target Target
	// Counts writes "41 dari 43" at the end of a row, else "n = 43".
	Counts bool
}

// Bar is one row. A NaN value is missing, a NaN interval is none.
type Bar struct {
	Name                   string
	Value, Low, High       float64
	Numerator, Denominator uint64
	// Missing says why there is no value; empty is "tidak tercatat".
	Missing string
}

// rowsOnPage is how many bars a picture holds; the table beside it has them all.
const rowsOnPage = 64

// DrawBars draws bars that lie, in the order given.
func DrawBars(on Basis, b Bars) *Picture {
	p, y := newPicture(on, b.Title, b.Note)
	rows := slices.Clone(b.Rows)
	for i, r := range rows {
		if b.Counts && r.Denominator == 0 { // a share of nothing
			rows[i].Value, rows[i].Low, rows[i].High = math.NaN(), math.NaN(), math.NaN()
			if r.Missing == "" {
				rows[i].Missing = "tidak ada kasus"
			}
		}
	}
	if len(rows) == 0 {
		return p.empty(y)
	}
	left := 0
	if len(rows) > rowsOnPage {
		left = len(rows) - rowsOnPage
		rows = rows[:rowsOnPage]
	}
	low, high, few := 0.0, 0.0, false
	names, counts, values := 0.0, 0.0, 0.0
	for _, r := range rows {
		for _, v := range []float64{r.Value, r.Low, r.High} {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
		few = few || r.Denominator < share.Few && !math.IsNaN(r.Value)
		names = max(names, textWidth(r.Name, 11, false))
		counts = max(counts, textWidth(b.count(r), 11, false))
		values = max(values, textWidth(b.Unit.number(r.Value), 11, true))
	}
	if !math.IsNaN(b.Target.Value) {
		low, high = min(low, b.Target.Value), max(high, b.Target.Value)
	}
	ticks := b.Unit.ticks(low, high, 5)
	if few {
		p.area(rect(0, y-8, 22, 11), pen{fill: paper, stroke: blue, width: 1})
		p.hatch(rect(0, y-8, 22, 11), 45, 5, blue, 0.8)
		p.text(28, y+1, fmt.Sprintf("n di bawah %d: data terbatas", share.Few), font{size: 11, colour: ink})
		y += 16
	}
	height := min(26, max(13, (maxHeight-y-60)/float64(len(rows))))
	if names > 220 && len(rows) <= 30 {
		height = max(height, 28) // two lines
	}
	f := frame{min(names, 220) + 10, y + 20, pageWidth - counts - values - 34, 0}
	f.y1 = f.y0 + height*float64(len(rows))
	first, last := ticks[0], ticks[len(ticks)-1]
	x := func(v float64) float64 { return f.x0 + (f.x1-f.x0)*(v-first)/(last-first) }
	free := 0.0
	for _, v := range ticks {
		c := grid
		if v == 0 {
			c = soft
		}
		p.line([]point{{x(v), f.y0}, {x(v), f.y1}}, c, 1)
		words := b.Unit.tick(v, ticks)
		half := textWidth(words, 11, false) / 2
		if at := min(max(half, x(v)), pageWidth-half); at-half >= free {
			p.text(at, f.y1+15, words, font{size: 11, colour: soft, anchor: middle})
			free = at + half + 4
		}
	}
	for i, r := range rows {
		p.bar(b, r, f, x, f.y0+height*(float64(i)+0.5), height, f.x1+18+values)
	}
	if t := b.Target; !math.IsNaN(t.Value) {
		p.line([]point{{x(t.Value), f.y0 - 4}, {x(t.Value), f.y1}}, orange, 1.5, 6, 4)
		half := textWidth(t.Label, 11, true) / 2
		p.text(min(x(t.Value), pageWidth-half), f.y0-8, t.Label, font{size: 11, bold: true, colour: orange, anchor: middle})
	}
	p.height = f.y1 + 24
	if left > 0 {
		p.text(0, p.height+8, fmt.Sprintf("dan %d baris lain, lihat tabel", left), font{size: 11, colour: soft})
		p.height += 16
	}
	p.desc += b.words(rows)
	return p
}

func (b Bars) count(r Bar) string {
	n := indonesian.Number(int64(r.Denominator))
	if b.Counts {
		return indonesian.Number(int64(r.Numerator)) + " dari " + n
	}
	return "n = " + n
}

func (p *Picture) bar(b Bars, r Bar, f frame, x func(float64) float64, y, height, right float64) {
	size := 11.0
	if height < 15 {
		size = 9.5
	}
	lines := wrap(r.Name, size, false, f.x0-10, max(1, int(height/13)))
	for k, l := range lines {
		p.text(f.x0-8, y+4+float64(k)*12-float64(len(lines)-1)*6, l, font{size: size, colour: ink, anchor: end})
	}
	p.text(pageWidth, y+4, b.count(r), font{size: size, colour: soft, anchor: end})
	tip := r.Name + ": " + b.Unit.withName(r.Value) + ", " + b.count(r)
	thick := height * 0.62
	if math.IsNaN(r.Value) {
		why := missing(r.Missing)
		box := rect(f.x0+1, y-thick/2, textWidth(why, size, false)+12, thick)
		p.area(box, pen{fill: paper, tip: r.Name + ": " + why})
		p.text(f.x0+6, y+4, why, font{size: size, colour: soft})
		return
	}
	if !math.IsNaN(r.Low) && !math.IsNaN(r.High) {
		tip += ", selang " + b.Unit.number(r.Low) + " sampai " + b.Unit.number(r.High)
	}
	x0, x1 := min(x(0), x(r.Value)), max(x(0), x(r.Value))
	box := rect(x0, y-thick/2, max(x1-x0, 0.5), thick)
	if r.Denominator < share.Few {
		p.area(box, pen{fill: paper, stroke: blue, width: 1, tip: tip})
		p.hatch(box, 45, 5, blue, 0.8)
	} else {
		p.area(box, pen{fill: pale, stroke: blue, width: 0.6, tip: tip})
	}
	if !math.IsNaN(r.Low) && !math.IsNaN(r.High) {
		p.line([]point{{x(r.Low), y}, {x(r.High), y}}, ink, 1.5)
		for _, e := range []float64{r.Low, r.High} {
			p.line([]point{{x(e), y - thick/4}, {x(e), y + thick/4}}, ink, 1.5)
		}
	}
	p.text(right, y+4, b.Unit.number(r.Value), font{size: size, bold: true, colour: ink, anchor: end})
}

func (b Bars) words(rows []Bar) string {
	s := "."
	for i, r := range rows {
		if i == 12 {
			return s + fmt.Sprintf(" Dan %d lainnya.", len(b.Rows)-i)
		}
		s += fmt.Sprintf(" %s: %s, %s.", r.Name, b.Unit.withName(r.Value), b.count(r))
	}
	return s
}
