package chart

import (
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
)

// frame is where the data of a chart is drawn.
type frame struct{ x0, y0, x1, y1 float64 }

// ticks are round numbers from at most low to at least high, about n of them; a share ends at 100 %.
func (u Unit) ticks(low, high float64, n int) []float64 {
	if u.Percent && low >= 0 && high <= 1 {
		return []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	}
	least := math.Pow10(-u.Decimals) // no two marks with the same words
	if u.Percent {
		least /= 100
	}
	raw := max((high-low)/float64(n), least)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw*(1-1e-9) {
			step *= m
			break
		}
	}
	var out []float64
	for i := math.Floor(low/step + 1e-9); ; i++ {
		out = append(out, i*step)
		if i*step >= high-step*1e-9 && len(out) > 1 {
			return out
		}
	}
}

// tick writes a mark with no more decimals than the distance of the marks needs.
func (u Unit) tick(v float64, ticks []float64) string {
	step := ticks[1] - ticks[0]
	if u.Percent {
		v, step = v*100, step*100
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	s := indonesian.Decimal(v, decimals)
	if u.Percent {
		s += " %"
	}
	return s
}

// vertical draws the axis on the left with its marks, and returns where a value lies.
func (p *Picture) vertical(f frame, ticks []float64, u Unit) func(float64) float64 {
	low, high := ticks[0], ticks[len(ticks)-1]
	y := func(v float64) float64 { return f.y1 - (f.y1-f.y0)*(v-low)/(high-low) }
	for _, v := range ticks {
		c := grid
		if v == 0 {
			c = soft
		}
		p.line([]point{{f.x0, y(v)}, {f.x1, y(v)}}, c, 1)
		p.text(f.x0-6, y(v)+4, u.tick(v, ticks), font{size: 11, colour: soft, anchor: end})
	}
	return y
}

// gutter is the room that the marks of a vertical axis need.
func gutter(ticks []float64, u Unit) float64 {
	w := 0.0
	for _, v := range ticks {
		w = max(w, textWidth(u.tick(v, ticks), 11, false))
	}
	return w + 8
}

// horizontal writes labels below columns, as many as there is room for, the first always and turned when they are long.
// It returns the height that it took.
func (p *Picture) horizontal(f frame, labels []string) float64 {
	w := (f.x1 - f.x0) / float64(max(1, len(labels)))
	widest := 0.0
	short := make([]string, len(labels))
	for i, l := range labels {
		short[i] = shorten(l, 11, false, 110)
		widest = max(widest, textWidth(short[i], 11, false))
	}
	turned := widest+6 > w && widest > 34
	need := widest + 8
	if turned {
		need = 15
	}
	every := max(1, int(math.Ceil(need/w)))
	for i, l := range short {
		x := f.x0 + w*(float64(i)+0.5)
		switch {
		case i%every != 0:
		case turned:
			p.text(x+4, f.y1+10, l, font{size: 11, colour: soft, anchor: end, turn: -45})
		default:
			p.text(x, f.y1+16, l, font{size: 11, colour: soft, anchor: middle})
		}
	}
	if turned {
		return widest*0.71 + 18
	}
	return 22
}

// axisName writes the unit above the vertical axis.
func (p *Picture) axisName(f frame, u Unit) {
	if !u.Percent {
		p.text(0, f.y0-9, shorten(u.Name, 11, false, 200), font{size: 11, colour: soft})
	}
}
