package chart

import (
	"fmt"
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

// Stack is counts that add up, one column a month: causes of late cases, calls by class.
type Stack struct {
	Title  string
	Note   string
	Of     string   // what is counted, "tiket terlambat"
	Parts  []string // from the bottom up
	Groups []Group
}

// Group is one column. No parts means that the group is missing; there are as many parts as names else.
type Group struct {
	Label string
	Parts []uint64
}

// DrawStack draws stacked columns.
func DrawStack(on Basis, s Stack) *Picture {
	p, y := newPicture(on, s.Title, s.Note)
	top, known := uint64(0), 0
	for _, g := range s.Groups {
		if len(g.Parts) > 0 {
			known++
			top = max(top, total(g.Parts))
		}
	}
	if known == 0 || len(s.Parts) == 0 {
		return p.empty(y)
	}
	y = p.legend(y+6, s.Parts)
	unit := Unit{Name: s.Of}
	ticks := unit.ticks(0, float64(top), 5)
	f := frame{gutter(ticks, unit), y + 14, pageWidth, y + 230}
	at := p.vertical(f, ticks, unit)
	p.axisName(f, unit)
	w := (f.x1 - f.x0) / float64(len(s.Groups))
	thick := min(w*0.72, 70)
	labels := make([]string, len(s.Groups))
	p.desc += "."
	for i, g := range s.Groups {
		labels[i] = g.Label
		x := f.x0 + w*(float64(i)+0.5) - thick/2
		if len(g.Parts) == 0 {
			p.gap(frame{f.x0 + w*float64(i), f.y0, f.x0 + w*float64(i+1), f.y1}, "")
			continue
		}
		sum := uint64(0)
		for k, n := range g.Parts[:min(len(g.Parts), len(s.Parts))] {
			if n > 0 {
				tip := fmt.Sprintf("%s, %s: %s", g.Label, s.Parts[k], indonesian.Number(int64(n)))
				p.textured(k, rect(x, at(float64(sum+n)), thick, at(float64(sum))-at(float64(sum+n))), tip)
			}
			sum += n
		}
		words := indonesian.Number(int64(sum))
		if textWidth(words, 10, false) <= w+2 {
			p.text(x+thick/2, at(float64(sum))-5, words, font{size: 10, colour: ink, anchor: middle})
		}
		if i < 12 {
			p.desc += " " + g.Label + ": " + words + "."
		}
	}
	p.height = f.y1 + p.horizontal(f, labels) + 4
	return p
}

func total(ns []uint64) uint64 {
	sum := uint64(0)
	for _, n := range ns {
		sum += n
	}
	return sum
}

// Heat is a value for each hour of each weekday. NaN is missing.
type Heat struct {
	Title string
	Note  string
	Unit  Unit           // "panggilan per jam"
	Cells [7][24]float64 // Monday first
}

var weekdays = [7]string{"Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"}

// DrawHeat draws a heat map of hours and weekdays.
func DrawHeat(on Basis, h Heat) *Picture {
	p, y := newPicture(on, h.Title, h.Note)
	top, known, peak := 0.0, 0, ""
	for d, row := range h.Cells {
		for hour, v := range row {
			if math.IsNaN(v) {
				continue
			}
			known++
			if v > top {
				top, peak = v, fmt.Sprintf("%s pukul %02d.00", weekdays[d], hour)
			}
		}
	}
	if known == 0 {
		return p.empty(y)
	}
	f := frame{56, y + 4, pageWidth, y + 4 + 7*25}
	w, t := (f.x1-f.x0)/24, 25.0
	for d, row := range h.Cells {
		p.text(f.x0-8, f.y0+t*(float64(d)+0.5)+4, weekdays[d], font{size: 11, colour: ink, anchor: end})
		for hour, v := range row {
			box := rect(f.x0+w*float64(hour), f.y0+t*float64(d), w, t)
			tip := fmt.Sprintf("%s %02d.00: %s", weekdays[d], hour, h.Unit.withName(v))
			if math.IsNaN(v) {
				p.absent(box, tip+" (tidak tercatat)")
				continue
			}
			ground, letters := shade(v, top)
			p.area(box, pen{fill: ground, stroke: paper, width: 1, tip: tip})
			words := h.Unit
			if !words.Percent && v >= 9.95 {
				words.Decimals = 0
			}
			number := indonesian.Decimal(v*map[bool]float64{true: 100, false: 1}[words.Percent], words.Decimals)
			number = shorten(number, 10, false, w)
			p.text(f.x0+w*(float64(hour)+0.5), f.y0+t*(float64(d)+0.5)+3.5, number,
				font{size: 10, colour: letters, anchor: middle})
		}
	}
	for hour := range 24 {
		p.text(f.x0+w*(float64(hour)+0.5), f.y1+14, fmt.Sprintf("%02d", hour), font{size: 10, colour: soft, anchor: middle})
	}
	p.text(f.x0-8, f.y1+14, "pukul", font{size: 10, colour: soft, anchor: end})
	p.height = p.scale(f.x0, f.y1+28, top, h.Unit)
	if peak != "" {
		p.desc += ". Tertinggi " + h.Unit.withName(top) + ", " + peak + "."
	} else {
		p.desc += ". Semua nol."
	}
	return p
}

// blues go from light to dark, in grey as well.
var blues = []colour{0xf1f5fb, 0xd6e4f3, 0xaccbe6, 0x77aad4, 0x4585bd, 0x1f5fa0, 0x0b3c73}

// shade is the ground of a value, and the colour of letters on it.
func shade(v, top float64) (ground, letters colour) {
	k := 0
	if top > 0 {
		k = max(0, min(len(blues)-1, int(v/top*float64(len(blues)))))
	}
	if k >= 4 {
		return blues[k], paper
	}
	return blues[k], ink
}

// scale draws what the shades mean, and returns the y below it.
func (p *Picture) scale(x, y, top float64, u Unit) float64 {
	if top == 0 {
		p.text(x, y+9, "semua nol", font{size: 10, colour: soft})
		return y + 16
	}
	u.Decimals = max(u.Decimals, 1)
	const w = 40
	for i, c := range blues {
		p.area(rect(x+float64(i)*w, y, w, 10), pen{fill: c, stroke: 0xa0a0a0, width: 0.5})
		v := top * float64(i) / float64(len(blues))
		p.text(x+float64(i)*w, y+21, u.number(v), font{size: 9.5, colour: soft, anchor: middle})
	}
	end := x + float64(len(blues))*w
	p.text(end, y+21, u.number(top), font{size: 9.5, colour: soft, anchor: middle})
	p.text(end+16, y+10, shorten(u.Name, 10.5, false, pageWidth-120-end-16), font{size: 10.5, colour: soft})
	return y + 28
}
