package chart

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"slices"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// faces are Liberation Sans, which measures like the Arial that the SVG names: regular and bold.
var faces = sync.OnceValue(func() (f [2]*sfnt.Font) {
	for i, ttf := range [][]byte{liberationsansregular.TTF, liberationsansbold.TTF} {
		var err error
		if f[i], err = sfnt.Parse(ttf); err != nil {
			panic(err) // compiled in
		}
	}
	return f
})

// em is the size that glyphs are loaded at, then scaled from.
const em = 1000

// advances are the widths of the letters that Indonesian is written with, at size em.
var advances = sync.OnceValue(func() *[2][0x250]float64 {
	w := new([2][0x250]float64)
	for k := range w {
		for r := range w[k] {
			w[k][r] = advance(faces()[k], rune(r))
		}
	}
	return w
})

func advance(f *sfnt.Font, r rune) float64 {
	var buf sfnt.Buffer
	g, _ := f.GlyphIndex(&buf, r)
	a, _ := f.GlyphAdvance(&buf, g, fixed.I(em), xfont.HintingNone)
	return float64(a) / 64
}

// textWidth is how wide a text is in CSS pixels.
func textWidth(s string, size float64, bold bool) float64 {
	known, f := &advances()[0], faces()[0]
	if bold {
		known, f = &advances()[1], faces()[1]
	}
	w := 0.0
	for _, r := range s {
		if int(r) < len(known) {
			w += known[r]
		} else {
			w += advance(f, r)
		}
	}
	return w / em * size
}

// PNG draws with so many device pixels to a CSS pixel (96 dpi): 2.0833 is 200 dpi.
func (p *Picture) PNG(scale float64) []byte {
	w, h := int(math.Ceil(p.width*scale)), int(math.Ceil(p.height*scale))
	r := &raster{img: image.NewRGBA(image.Rect(0, 0, w, h)), scale: scale}
	draw.Draw(r.img, r.img.Bounds(), image.White, image.Point{}, draw.Src)
	for i := range p.items {
		it := &p.items[i]
		if it.text != "" {
			r.text(it)
			continue
		}
		if it.fill != none {
			r.fill(it.rings, it.fill)
		}
		if it.width > 0 {
			for _, ring := range it.rings {
				r.stroke(ring, it.closed, it)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, r.img); err != nil {
		panic(err) // a picture has a size, and a Buffer never fails
	}
	return withDensity(b.Bytes(), scale*96)
}

// withDensity puts a pHYs chunk after IHDR, so that office programs know the size on paper.
func withDensity(in []byte, dpi float64) []byte {
	const header = 33 // signature and IHDR
	perMetre := uint32(math.Round(dpi / 0.0254))
	c := binary.BigEndian.AppendUint32(nil, 9)
	c = append(c, "pHYs"...)
	c = binary.BigEndian.AppendUint32(c, perMetre)
	c = binary.BigEndian.AppendUint32(c, perMetre)
	c = append(c, 1)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	return bytes.Join([][]byte{in[:header], c, in[header:]}, nil)
}

type raster struct {
	img   *image.RGBA
	scale float64
	buf   sfnt.Buffer
}

// paint fills what add draws, into a rasterizer no larger than the box around it.
func (r *raster) paint(pts []point, pad float64, c colour,
	add func(z *vector.Rasterizer, at func(point) (x, y float32))) {
	low, high := bounds(pts)
	box := image.Rect(
		int(math.Floor((low.x-pad)*r.scale))-1, int(math.Floor((low.y-pad)*r.scale))-1,
		int(math.Ceil((high.x+pad)*r.scale))+1, int(math.Ceil((high.y+pad)*r.scale))+1,
	).Intersect(r.img.Bounds()) // Draw does not clip: outside it panics
	if len(pts) == 0 || box.Empty() {
		return
	}
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	dx, dy := float64(box.Min.X), float64(box.Min.Y)
	add(z, func(q point) (x, y float32) { return float32(q.x*r.scale - dx), float32(q.y*r.scale - dy) })
	solid := image.NewUniform(color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255})
	z.Draw(r.img, box, solid, image.Point{})
}

func (r *raster) fill(rings [][]point, c colour) {
	r.paint(slices.Concat(rings...), 0, c, func(z *vector.Rasterizer, at func(point) (x, y float32)) {
		for _, ring := range rings {
			for i, q := range ring {
				if i == 0 {
					z.MoveTo(at(q))
				} else {
					z.LineTo(at(q))
				}
			}
			z.ClosePath()
		}
	})
}

func (r *raster) stroke(pts []point, closed bool, it *item) {
	if closed && len(pts) > 0 {
		pts = append(append([]point{}, pts...), pts[0])
	}
	runs := [][]point{pts}
	if len(it.dash) > 0 {
		runs = dashes(pts, it.dash)
	}
	half := it.width / 2
	for _, run := range runs {
		r.paint(run, it.width, it.stroke, func(z *vector.Rasterizer, at func(point) (x, y float32)) {
			for i := 1; i < len(run); i++ {
				a, b := run[i-1], run[i]
				l := math.Hypot(b.x-a.x, b.y-a.y)
				if l == 0 {
					continue
				}
				nx, ny := -(b.y-a.y)/l*half, (b.x-a.x)/l*half
				// Every piece turns the same way: their areas add up, and the rasterizer stops at full cover.
				z.MoveTo(at(point{a.x + nx, a.y + ny}))
				z.LineTo(at(point{a.x - nx, a.y - ny}))
				z.LineTo(at(point{b.x - nx, b.y - ny}))
				z.LineTo(at(point{b.x + nx, b.y + ny}))
				z.ClosePath()
				if it.width > 1 && (i < len(run)-1 || closed) { // a round joint
					z.MoveTo(at(point{b.x + half, b.y}))
					for k := 1; k < 12; k++ {
						s, c := math.Sincos(float64(k) * math.Pi / 6)
						z.LineTo(at(point{b.x + half*c, b.y + half*s}))
					}
					z.ClosePath()
				}
			}
		})
	}
}

// dashes cuts a line into the pieces that are drawn.
func dashes(pts []point, dash []float64) (runs [][]point) {
	k, left := 0, dash[0]
	var run []point
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		l := math.Hypot(b.x-a.x, b.y-a.y)
		on := func(s float64) point { return point{a.x + (b.x-a.x)*s/l, a.y + (b.y-a.y)*s/l} }
		for at := 0.0; at < l; {
			step := min(left, l-at)
			if k%2 == 0 {
				if len(run) == 0 {
					run = append(run, on(at))
				}
				run = append(run, on(at+step))
			}
			at += step
			if left -= step; left <= 1e-9 {
				if k%2 == 0 {
					runs, run = append(runs, run), nil
				}
				k++
				left = dash[k%len(dash)]
			}
		}
	}
	if len(run) > 1 {
		runs = append(runs, run)
	}
	return runs
}

// arguments is how many points a piece of a glyph has.
var arguments = [...]int{
	sfnt.SegmentOpMoveTo: 1, sfnt.SegmentOpLineTo: 1, sfnt.SegmentOpQuadTo: 2, sfnt.SegmentOpCubeTo: 3,
}

func (r *raster) text(it *item) {
	f := faces()[0]
	if it.font.bold {
		f = faces()[1]
	}
	x := 0.0
	if it.font.anchor != start {
		x = -textWidth(it.text, it.font.size, it.font.bold) * float64(it.font.anchor) / 2
	}
	sin, cos := math.Sincos(it.font.turn * math.Pi / 180)
	k := it.font.size / em
	for _, ch := range it.text {
		g, _ := f.GlyphIndex(&r.buf, ch)
		place := func(p fixed.Point26_6) point {
			px, py := x+float64(p.X)/64*k, float64(p.Y)/64*k
			return point{it.at.x + px*cos - py*sin, it.at.y + px*sin + py*cos}
		}
		if segments, err := f.LoadGlyph(&r.buf, g, fixed.I(em), nil); err == nil && len(segments) > 0 {
			var all []point
			for _, s := range segments {
				for _, a := range s.Args[:arguments[s.Op]] {
					all = append(all, place(a))
				}
			}
			r.paint(all, 0, it.font.colour, func(z *vector.Rasterizer, at func(point) (x, y float32)) {
				glyph(z, segments, func(p fixed.Point26_6) (x, y float32) { return at(place(p)) })
			})
		}
		x += advance(f, ch) * k
	}
}

func glyph(z *vector.Rasterizer, segments sfnt.Segments, at func(fixed.Point26_6) (x, y float32)) {
	for i, s := range segments {
		ax, ay := at(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				z.ClosePath()
			}
			z.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			z.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := at(s.Args[1])
			z.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := at(s.Args[1])
			cx, cy := at(s.Args[2])
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	z.ClosePath()
}
