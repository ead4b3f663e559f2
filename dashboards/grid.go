package dashboards

import "fmt"

// columns is the width of Grafana's grid.
const columns = 24

// grid lays panels out from left to right and begins a new line where one does not fit. It numbers them in order, so
// that an id changes only when the page does. The zero value is an empty page.
type grid struct {
	panels  []Panel
	x, y, h int // the next free place, and the height of the line so far
}

// heading ends the line and writes a title across the page.
func (g *grid) heading(title string) {
	g.newLine()
	open := false
	g.panels = append(g.panels,
		Panel{ID: len(g.panels) + 1, Type: "row", Title: title, Collapsed: &open, Panels: []Panel{},
			GridPos: GridPos{H: 1, W: columns, X: 0, Y: g.y}})
	g.y++
}

// add puts p into the line, w columns wide and h rows high.
func (g *grid) add(w, h int, p Panel) {
	if w < 1 || w > columns || h < 1 {
		panic(fmt.Sprintf("panel %q: %d columns, %d rows", p.Title, w, h))
	}
	if g.x+w > columns {
		g.newLine()
	}
	p.ID = len(g.panels) + 1
	p.GridPos = GridPos{H: h, W: w, X: g.x, Y: g.y}
	g.panels = append(g.panels, p)
	g.x += w
	g.h = max(g.h, h)
}

// tall is a panel with its height.
type tall struct {
	h int
	p Panel
}

// column puts panels above each other into the line, each w columns wide.
func (g *grid) column(w int, cells ...tall) {
	total := 0
	for _, c := range cells {
		total += c.h
	}
	if g.x+w > columns {
		g.newLine()
	}
	x, y := g.x, g.y
	for _, c := range cells {
		c.p.ID = len(g.panels) + 1
		c.p.GridPos = GridPos{H: c.h, W: w, X: x, Y: y}
		g.panels = append(g.panels, c.p)
		y += c.h
	}
	g.x += w
	g.h = max(g.h, total)
}

func (g *grid) newLine() {
	g.y += g.h
	g.x, g.h = 0, 0
}
