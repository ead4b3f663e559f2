package chart

import (
	"math"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
)

// Picture is a finished drawing.
type Picture struct {
	width, height float64
	title, desc   string
	items         []item
}

// Size is in CSS pixels.
func (p *Picture) Size() (width, height float64) { return p.width, p.height }

// Alt is the picture in words: title, basis and what it shows.
func (p *Picture) Alt() string { return document.Clean(p.title + ". " + p.desc) }

type point struct{ x, y float64 }

type anchor int

const (
	start anchor = iota
	middle
	end
)

// colour is 0xRRGGBB.
type colour uint32

const none colour = 1 << 31

const (
	ink    colour = 0x1a1a1a
	soft   colour = 0x555555
	grid   colour = 0xdcdcdc
	paper  colour = 0xffffff
	blue   colour = 0x1f5aa6
	pale   colour = 0xa9c7e6
	orange colour = 0xa84a00
)

// item is a path or a text.
type item struct {
	rings  [][]point
	closed bool
	fill   colour
	stroke colour
	width  float64
	dash   []float64
	text   string
	at     point
	font   font
	tip    string // in words, for who points at the shape
}

type pen struct {
	fill, stroke colour
	width        float64
	dash         []float64
	tip          string
}

type font struct {
	size   float64
	bold   bool
	colour colour
	anchor anchor
	turn   float64 // degrees
}

// newPicture begins a drawing with its title and basis, and returns where the rest may begin.
func newPicture(on Basis, title, note string) (*Picture, float64) {
	p := &Picture{width: pageWidth, title: document.Clean(title), desc: on.String()}
	y := 16.0
	for _, line := range wrap(p.title, 15, true, pageWidth, 2) {
		p.text(0, y, line, font{size: 15, bold: true, colour: ink})
		y += 18
	}
	sub := on.String()
	if note != "" {
		sub += " · " + document.Clean(note)
	}
	for _, line := range wrap(sub, 11.5, false, pageWidth, 3) {
		p.text(0, y, line, font{size: 11.5, colour: soft})
		y += 15
	}
	return p, y
}

func (p *Picture) line(pts []point, c colour, width float64, dash ...float64) {
	p.items = append(p.items, item{rings: [][]point{pts}, fill: none, stroke: c, width: width, dash: dash})
}

func (p *Picture) area(rings [][]point, n pen) {
	p.items = append(p.items, item{
		rings: rings, closed: true, fill: n.fill, stroke: n.stroke, width: n.width, dash: n.dash, tip: document.Clean(n.tip),
	})
}

func rect(x, y, w, h float64) [][]point {
	return [][]point{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}}
}

func (p *Picture) dot(x, y, r float64, n pen) {
	ring := make([]point, 16)
	for i := range ring {
		s, c := math.Sincos(float64(i) * math.Pi / 8)
		ring[i] = point{x + r*c, y + r*s}
	}
	p.area([][]point{ring}, n)
}

func (p *Picture) text(x, y float64, s string, f font) {
	if s = document.Clean(s); s != "" {
		p.items = append(p.items, item{text: s, at: point{x, y}, font: f, fill: none})
	}
}

// bounds is the box around rings; inside out when they have no point.
func bounds(rings ...[]point) (low, high point) {
	low, high = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, ring := range rings {
		for _, q := range ring {
			low, high = point{min(low.x, q.x), min(low.y, q.y)}, point{max(high.x, q.x), max(high.y, q.y)}
		}
	}
	return low, high
}

// crossings are where rings cross a height, from left to right: from each first to the second it is inside.
func crossings(rings [][]point, y float64) (xs []float64) {
	for _, ring := range rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			if (a.y <= y) != (b.y <= y) {
				xs = append(xs, a.x+(y-a.y)/(b.y-a.y)*(b.x-a.x))
			}
		}
	}
	slices.Sort(xs)
	return xs
}

// hatch draws parallel lines inside rings, which may have holes: at an angle in degrees, a distance apart.
func (p *Picture) hatch(rings [][]point, angle, distance float64, c colour, width float64) {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	turn := func(q point) point { return point{q.x*cos + q.y*sin, -q.x*sin + q.y*cos} }
	back := func(q point) point { return point{q.x*cos - q.y*sin, q.x*sin + q.y*cos} }
	turned := make([][]point, len(rings))
	for i, ring := range rings {
		for _, q := range ring {
			turned[i] = append(turned[i], turn(q))
		}
	}
	low, high := bounds(turned...)
	var lines [][]point
	for y := (math.Floor(low.y/distance) + 0.5) * distance; y < high.y; y += distance {
		xs := crossings(turned, y)
		for i := 0; i+1 < len(xs); i += 2 {
			if xs[i+1]-xs[i] > 0.5 {
				lines = append(lines, []point{back(point{xs[i], y}), back(point{xs[i+1], y})})
			}
		}
	}
	if len(lines) > 0 {
		p.items = append(p.items, item{rings: lines, fill: none, stroke: c, width: width})
	}
}

// absent fills an area as one of which nothing is known.
func (p *Picture) absent(rings [][]point, tip string) {
	p.area(rings, pen{fill: 0xf4f4f4, stroke: grid, width: 0.5, tip: tip})
	p.hatch(rings, 45, 6, 0xc4c4c4, 0.8)
}

// texture tells classes apart in grey as well.
type texture struct {
	fill, line      colour
	angle, distance float64
}

// textures alternate dark and light, plain and hatched.
var textures = []texture{
	{fill: 0x0b4f8a}, {0xcfe3f5, 0x1f5aa6, 45, 6}, {fill: 0xd55e00}, {0xfbe3b5, 0x7a5200, 0, 5},
	{0x7a3e8e, 0xffffff, -45, 6}, {fill: 0xbdbdbd}, {0xd8eadb, 0x2c6e49, 90, 5}, {fill: 0x2f2f2f},
	{0xffffff, 0x1a1a1a, 45, 5}, {0xf3c6d6, 0x8a1f4b, -45, 4}, {0x5b8c5a, 0xffffff, 0, 6}, {0xffffff, 0x777777, 0, 4},
}

func (p *Picture) textured(k int, rings [][]point, tip string) {
	t := textures[k%len(textures)]
	p.area(rings, pen{fill: t.fill, tip: tip})
	if t.distance > 0 {
		p.hatch(rings, t.angle, t.distance, t.line, 1)
	}
	p.area(rings, pen{fill: none, stroke: ink, width: 0.5})
}

// empty writes that there is nothing to show, and ends the drawing.
func (p *Picture) empty(y float64) *Picture {
	box := rect(0.5, y+4, pageWidth-1, 70)
	p.absent(box, "")
	p.area(rect(pageWidth/2-120, y+26, 240, 26), pen{fill: paper})
	p.text(pageWidth/2, y+44, "Tidak ada data pada periode ini", font{size: 12, colour: ink, anchor: middle})
	p.desc += ". Tidak ada data."
	p.height = y + 80
	return p
}

// wrap cuts a text into at most so many lines of a width; what does not fit ends in an ellipsis.
func wrap(s string, size float64, bold bool, width float64, lines int) []string {
	var out []string
	line := ""
	words := strings.Fields(s)
	for i, w := range words {
		longer := strings.TrimSpace(line + " " + w)
		if line == "" || textWidth(longer, size, bold) <= width {
			line = longer
			continue
		}
		if len(out) == lines-1 {
			line = strings.Join(append([]string{line}, words[i:]...), " ")
			break
		}
		out, line = append(out, shorten(line, size, bold, width)), w
	}
	if line != "" {
		out = append(out, shorten(line, size, bold, width))
	}
	return out
}

// shorten cuts a text to a width, with an ellipsis where something is lost.
func shorten(s string, size float64, bold bool, width float64) string {
	if textWidth(s, size, bold) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 1 && textWidth(string(runes)+"…", size, bold) > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ") + "…"
}
