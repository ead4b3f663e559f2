package chart

import (
	"fmt"
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

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
