package document

import (
	"bytes"
	"fmt"
	"image/png"
	"regexp"
	"strconv"
)

// Numbering is what the parts of a document are called: "2.1", "Tabel 3", "Gambar 1".
type Numbering struct {
	labels map[string]string // by ID
}

// Label returns what the part with an ID is called; empty for a heading without a number.
func (n Numbering) Label(id string) string { return n.labels[id] }

var validID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,39}$`)

// Number counts headings, tables and figures in their order, and says what is wrong with a document: the first heading
// that skips a level, an ID that is no ID or stands twice, a row with other cells than columns, a plot or figure that
// names no column or table, a logo that is no PNG.
func (d *Document) Number() (Numbering, error) {
	n := Numbering{labels: map[string]string{}}
	if _, err := png.DecodeConfig(bytes.NewReader(d.Letterhead.Logo)); err != nil && len(d.Letterhead.Logo) > 0 {
		return n, fmt.Errorf("the logo of the letterhead is no PNG: %w", err)
	}
	plotted := map[string]bool{}
	seen := map[string]bool{}
	var level [4]int
	tables, figures, above := 0, 0, 0
	name := func(kind, id, label string) error {
		if !validID.MatchString(id) {
			return fmt.Errorf("%s has the id %q: a letter, then up to 39 letters, digits and hyphens", kind, id)
		}
		if seen[id] {
			return fmt.Errorf("two parts of the document have the id %q", id)
		}
		seen[id], n.labels[id] = true, label
		return nil
	}
	for _, b := range d.Blocks {
		var err error
		switch b := b.(type) {
		case Heading:
			if b.Level < 1 || b.Level > 3 || b.Level > above+1 {
				return n, fmt.Errorf("heading %q has level %d below one of level %d", b.Text, b.Level, above)
			}
			above = b.Level
			label := ""
			if !b.Plain {
				level[b.Level]++
				clear(level[b.Level+1:])
				for l := 1; l <= b.Level; l++ {
					if l > 1 {
						label += "."
					}
					label += strconv.Itoa(level[l])
				}
			}
			err = name("a heading", b.ID, label)
		case Table:
			if !b.SheetOnly {
				tables++
			}
			plotted[b.ID] = b.Plot != nil
			label := "Tabel " + strconv.Itoa(tables)
			if b.SheetOnly {
				label = ""
			}
			if err = name("a table", b.ID, label); err == nil {
				err = b.check()
			}
		case Figure:
			figures++
			err = name("a figure", b.ID, "Gambar "+strconv.Itoa(figures))
		}
		if err != nil {
			return n, err
		}
	}
	for _, b := range d.Blocks {
		if f, ok := b.(Figure); ok && f.Table != "" && !plotted[f.Table] {
			return n, fmt.Errorf("figure %q stands for the plot of table %q, which has none", f.ID, f.Table)
		}
	}
	return n, nil
}

func (t Table) check() error {
	if len(t.Columns) == 0 {
		return fmt.Errorf("table %q has no columns", t.ID)
	}
	for i, r := range t.Rows {
		if want := len(t.Columns); r.Group && len(r.Cells) != 1 || !r.Group && len(r.Cells) != want {
			return fmt.Errorf("row %d of table %q has %d cells", i+1, t.ID, len(r.Cells))
		}
	}
	if t.Plot != nil {
		if len(t.Plot.Series) == 0 {
			return fmt.Errorf("the plot of table %q has no series", t.ID)
		}
		for _, c := range append([]int{t.Plot.Label}, t.Plot.Series...) {
			if c < 0 || c >= len(t.Columns) {
				return fmt.Errorf("the plot of table %q names column %d of %d", t.ID, c, len(t.Columns))
			}
		}
	}
	return nil
}

// Widths are the shares of the columns; they add up to 1.
func (t Table) Widths() []float64 {
	given, without := 0.0, 0
	for _, c := range t.Columns {
		given += c.Width
		if c.Width <= 0 {
			without++
		}
	}
	rest := max(1-given, 0.08*float64(without)) // a column is never narrower than 8 %
	out := make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Width
		if c.Width <= 0 {
			out[i] = rest / float64(without)
		}
		out[i] /= given + map[bool]float64{true: rest}[without > 0]
	}
	return out
}

// RightAligned says which columns stand on the right: those whose cells are numbers. Empty cells and absent numbers
// belong to either.
func (t Table) RightAligned() []bool {
	out := make([]bool, len(t.Columns))
	for i := range out {
		for _, r := range t.Rows {
			if r.Group || r.Cells[i].Kind == TextCell && r.Cells[i].Text == "" {
				continue
			}
			absent := r.Cells[i].Kind == AbsentCell
			if out[i] = out[i] || absent || r.Cells[i].Numeric(); !absent && !r.Cells[i].Numeric() {
				out[i] = false
				break
			}
		}
	}
	return out
}

// Numbers are the cells with a key, in the order of the document; sheets takes those of tables that only a spreadsheet
// shows as well.
func (d *Document) Numbers(sheets bool) []Cell {
	var out []Cell
	d.eachCell(sheets, func(c Cell) {
		if c.Key != (Key{}) {
			out = append(out, c)
		}
	})
	return out
}

func (d *Document) eachCell(sheets bool, f func(Cell)) {
	line := func(l Line) {
		for _, c := range l {
			f(c)
		}
	}
	for _, x := range d.Facts {
		line(x.Value)
	}
	for _, b := range d.Blocks {
		switch b := b.(type) {
		case Paragraph:
			line(b.Line)
		case List:
			for _, l := range b.Items {
				line(l)
			}
		case Table:
			if b.SheetOnly && !sheets {
				continue
			}
			for _, r := range b.Rows {
				line(r.Cells)
			}
			line(b.Note)
		}
	}
}
