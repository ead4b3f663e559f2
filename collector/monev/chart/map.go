package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
)

// Map is a value for each area.
type Map struct {
	Title string
	Note  string
	Unit  Unit // "tiket per 10.000 penduduk"
	Areas []Area
	// Borders may be nil, or lack an area: then every area is a tile, in the place that it has or in the order given.
	Borders *Borders
}

// Area is one kecamatan.
type Area struct {
	Code, Name string
	Value      float64 // NaN is missing
	N          uint64
	// Missing says why there is no value, "kurang dari 5"; empty is "tidak tercatat".
	Missing string
	// Column and Row place the tile, counted from 1 in the north-west; zero is no place.
	Column, Row int
}

// DrawMap draws borders with shades, or tiles.
func DrawMap(on Basis, m Map) *Picture {
	note := m.Note
	shapes := m.shapes()
	if shapes == nil && len(m.Areas) > 0 {
		note = strings.TrimPrefix(note+" · susunan kotak, bukan peta", " · ")
	}
	p, y := newPicture(on, m.Title, note)
	top, known := 0.0, 0
	for _, a := range m.Areas {
		if !math.IsNaN(a.Value) {
			top, known = max(top, a.Value), known+1
		}
	}
	if known == 0 {
		return p.empty(y)
	}
	if shapes != nil {
		y = p.borders(m, shapes, y+6, top)
	} else {
		y = p.tiles(m, y+6, top)
	}
	p.height = p.scale(12, y+10, top, m.Unit)
	if known < len(m.Areas) {
		box := rect(pageWidth-110, y+10, 22, 11)
		p.absent(box, "")
		p.text(pageWidth-82, y+20, "tidak ditampilkan", font{size: 10, colour: soft})
	}
	p.desc += "."
	for _, a := range m.Areas {
		p.desc += " " + a.words(m.Unit) + "."
	}
	return p
}

func (a Area) words(u Unit) string {
	if math.IsNaN(a.Value) {
		return a.Name + ": " + missing(a.Missing)
	}
	return fmt.Sprintf("%s: %s, n = %d", a.Name, u.withName(a.Value), a.N)
}

// missing says why there is no value.
func missing(why string) string { return cmp.Or(why, document.NotRecorded) }

// shapes are the borders of each area, nil when one has none.
func (m Map) shapes() [][][]point {
	if m.Borders == nil {
		return nil
	}
	out := make([][][]point, len(m.Areas))
	for i, a := range m.Areas {
		for _, b := range m.Borders.areas {
			if b.code == plainCode(a.Code) {
				out[i] = append(out[i], b.rings...)
			}
		}
		if out[i] == nil {
			return nil
		}
	}
	return out
}

// borders draws the areas to scale at their middle latitude, north up, and returns the y below them.
func (p *Picture) borders(m Map, shapes [][][]point, y, top float64) float64 {
	low, high := bounds(slices.Concat(shapes...)...)
	narrow := math.Cos((low.y + high.y) / 2 * math.Pi / 180)
	k := min((pageWidth-2)/((high.x-low.x)*narrow), 480/(high.y-low.y))
	indent := (pageWidth - (high.x-low.x)*narrow*k) / 2
	place := func(q point) point { return point{indent + (q.x-low.x)*narrow*k, y + (high.y-q.y)*k} }
	for i, a := range m.Areas {
		rings := make([][]point, len(shapes[i]))
		for r, ring := range shapes[i] {
			rings[r] = thin(ring, place)
		}
		shapes[i] = rings
		if math.IsNaN(a.Value) {
			p.absent(rings, a.words(m.Unit))
		} else {
			ground, _ := shade(a.Value, top)
			p.area(rings, pen{fill: ground, tip: a.words(m.Unit)})
		}
		p.area(rings, pen{fill: none, stroke: 0x6a6a6a, width: 0.8})
	}
	for i, a := range m.Areas { // above every area
		c, room := inside(shapes[i])
		p.areaLabel(a, m.Unit, c, room, top)
	}
	return y + (high.y-low.y)*k
}

// thin places a ring and leaves out corners that no eye can tell apart.
func thin(ring []point, place func(point) point) []point {
	var out []point
	for i, q := range ring {
		q = place(q)
		if i == 0 || i == len(ring)-1 || math.Hypot(q.x-out[len(out)-1].x, q.y-out[len(out)-1].y) > 0.4 {
			out = append(out, q)
		}
	}
	return out
}

// inside is a place for a label: the middle of the widest stretch inside the area near its middle height, and that
// width. The centroid of a bent area may lie outside of it.
func inside(rings [][]point) (c point, room float64) {
	low, high := bounds(rings...)
	best := -1.0
	for step := 1; step < 12; step++ {
		y := low.y + (high.y-low.y)*float64(step)/12
		xs := crossings(rings, y)
		for i := 0; i+1 < len(xs); i += 2 {
			w := xs[i+1] - xs[i]
			off := math.Abs(y-(low.y+high.y)/2) / (high.y - low.y)
			if score := min(w, 90) * (1 - off); score > best {
				best, c, room = score, point{(xs[i] + xs[i+1]) / 2, y}, w
			}
		}
	}
	return c, room
}

func (p *Picture) areaLabel(a Area, u Unit, c point, room, top float64) {
	letters, value := ink, u.number(a.Value)
	if math.IsNaN(a.Value) {
		value = "–"
	} else {
		_, letters = shade(a.Value, top)
	}
	size := 11.0
	for size > 8 && textWidth(a.Name, size, false) > room-4 {
		size -= 0.5
	}
	name := shorten(a.Name, size, false, max(room-4, 34))
	if math.IsNaN(a.Value) { // hatching under letters is hard to read
		w := max(textWidth(name, size, false), 12) + 6
		p.area(rect(c.x-w/2, c.y-13, w, 27), pen{fill: 0xf4f4f4})
	}
	p.text(c.x, c.y-2, name, font{size: size, colour: letters, anchor: middle})
	p.text(c.x, c.y+11, value, font{size: size, bold: true, colour: letters, anchor: middle})
}

// tiles draws one square an area.
func (p *Picture) tiles(m Map, y, top float64) float64 {
	placed := slices.IndexFunc(m.Areas, func(a Area) bool {
		return a.Column < 1 || a.Row < 1 || a.Column > 12 || a.Row > 40
	}) < 0
	columns, rows := 6, (len(m.Areas)+5)/6
	if placed {
		columns, rows = 1, 1
		for _, a := range m.Areas {
			columns, rows = max(columns, a.Column), max(rows, a.Row)
		}
	}
	w := pageWidth / float64(columns)
	h := min(64, max(30, (maxHeight-y-60)/float64(rows)))
	for i, a := range m.Areas {
		col, row := i%columns, i/columns
		if placed {
			col, row = a.Column-1, a.Row-1
		}
		box := rect(w*float64(col)+1, y+h*float64(row)+1, w-2, h-2)
		if math.IsNaN(a.Value) {
			p.absent(box, a.words(m.Unit))
		} else {
			ground, _ := shade(a.Value, top)
			p.area(box, pen{fill: ground, stroke: 0x8a8a8a, width: 0.6, tip: a.words(m.Unit)})
		}
		p.areaLabel(a, m.Unit, point{w * (float64(col) + 0.5), y + h*(float64(row)+0.5)}, w-8, top)
	}
	return y + h*float64(rows)
}
