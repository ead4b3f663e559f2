package chart

import (
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

// Funnel is a total and the stages that it ends in, each beginning where the one above ends, so that the eye sees them
// add up.
type Funnel struct {
	Title  string
	Note   string
	Of     string // what is counted, "panggilan masuk"
	Total  uint64
	Stages []Stage
}

// Stage is one of the places where a case ends.
type Stage struct {
	Name string
	N    uint64
}

// DrawFunnel draws a funnel. Stages that do not add up to the total get a row that says how many are missing or too
// many.
func DrawFunnel(on Basis, d Funnel) *Picture {
	p, y := newPicture(on, d.Title, d.Note)
	sum, top := uint64(0), d.Total
	for _, s := range d.Stages {
		sum += s.N
	}
	if top = max(top, sum); top == 0 {
		return p.empty(y)
	}
	names := textWidth(d.Of, 11, true)
	for _, s := range d.Stages {
		names = max(names, textWidth(s.Name, 11, false))
	}
	const height, numbers = 30, 124
	f := frame{min(names, 220) + 10, y + 4, pageWidth - numbers, 0}
	x := func(n uint64) float64 { return f.x0 + (f.x1-f.x0)*float64(n)/float64(top) }
	count := func(n uint64, row float64, bold bool) {
		share := math.NaN()
		if d.Total > 0 {
			share = float64(n) / float64(d.Total)
		}
		percent := Unit{Decimals: 1, Percent: true}.number(share)
		p.text(pageWidth-62, row+4, indonesian.Number(int64(n)), font{size: 11.5, bold: true, colour: ink, anchor: end})
		p.text(pageWidth, row+4, percent, font{size: 11.5, bold: bold, colour: soft, anchor: end})
	}
	row := f.y0 + height/2
	p.text(f.x0-8, row+4, shorten(d.Of, 11, true, f.x0-10), font{size: 11, bold: true, colour: ink, anchor: end})
	p.area(rect(f.x0, row-10, x(d.Total)-f.x0, 20), pen{fill: 0x3d3d3d, tip: d.Of})
	count(d.Total, row, true)
	at := uint64(0)
	p.desc += ". " + d.Of + ": " + indonesian.Number(int64(d.Total)) + "."
	for k, s := range d.Stages {
		row += height
		lines := wrap(s.Name, 11, false, f.x0-10, 2)
		for i, l := range lines {
			p.text(f.x0-8, row+4+float64(i)*12-float64(len(lines)-1)*6, l, font{size: 11, colour: ink, anchor: end})
		}
		p.line([]point{{x(at), row - height + 10}, {x(at), row + 10}}, 0x9a9a9a, 0.8, 2, 2)
		if s.N > 0 {
			tip := s.Name + ": " + indonesian.Number(int64(s.N))
			p.textured(k, rect(x(at), row-10, max(x(at+s.N)-x(at), 0.8), 20), tip)
		}
		at += s.N
		count(s.N, row, false)
		p.desc += " " + s.Name + ": " + indonesian.Number(int64(s.N)) + "."
	}
	p.line([]point{{x(at), row + 10}, {x(at), row + 18}}, 0x9a9a9a, 0.8, 2, 2)
	row += height
	p.line([]point{{0, row - height/2 + 1}, {pageWidth, row - height/2 + 1}}, soft, 1)
	words := "jumlah tahap, sama dengan " + d.Of
	switch {
	case sum < d.Total:
		words = "jumlah tahap: kurang " + indonesian.Number(int64(d.Total-sum)) + " dari " + d.Of
	case sum > d.Total:
		words = "jumlah tahap: lebih " + indonesian.Number(int64(sum-d.Total)) + " dari " + d.Of
	}
	p.text(0, row+4, shorten(words, 11, true, f.x1), font{size: 11, bold: true, colour: ink})
	count(sum, row, true)
	p.desc += " " + words + "."
	p.height = row + 16
	return p
}
