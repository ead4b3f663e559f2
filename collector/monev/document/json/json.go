// Package json writes a report as JSON, with every value exact and as people read it, and reads the numbers of such a
// file back. docs/report.md has its shape.
package json

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/monev112/monev112/collector/monev/document"
)

// file is the whole document. Fields are only added.
type file struct {
	Title    string     `json:"title"`
	Subtitle string     `json:"subtitle,omitempty"`
	Period   string     `json:"period"`
	Author   string     `json:"author,omitempty"`
	Mark     string     `json:"mark,omitempty"`
	Made     *time.Time `json:"made,omitempty"`
	Facts    []fact     `json:"facts,omitempty"`
	Blocks   []block    `json:"blocks"`
}

type fact struct {
	Label string `json:"label"`
	Line  []cell `json:"line"`
}

// block has the fields that its type needs.
type block struct {
	Type    string               `json:"type"` // heading, paragraph, list, table, figure, page_break, signatures
	ID      string               `json:"id,omitempty"`
	Label   string               `json:"label,omitempty"` // "2.1", "Tabel 3", "Gambar 1"
	Level   int                  `json:"level,omitempty"`
	Text    string               `json:"text,omitempty"`
	Style   string               `json:"style,omitempty"` // of a paragraph: note, lead, warning
	Ordered bool                 `json:"ordered,omitempty"`
	Line    []cell               `json:"line,omitempty"`
	Items   [][]cell             `json:"items,omitempty"`
	Columns []string             `json:"columns,omitempty"`
	Rows    []row                `json:"rows,omitempty"`
	Note    []cell               `json:"note,omitempty"`
	Alt     string               `json:"alt,omitempty"` // of a figure, in words
	People  []document.Signatory `json:"people,omitempty"`
}

type row struct {
	Kind  string `json:"kind,omitempty"` // total, group
	Cells []cell `json:"cells"`
}

// cell is a value. Value is null where a number with a key is absent.
type cell struct {
	Kind  string        `json:"kind"` // text, number, percent (a share of 1), duration (seconds), date, absent, reference
	Text  string        `json:"text"`
	Value *float64      `json:"value,omitempty"`
	Unit  string        `json:"unit,omitempty"`
	Time  *time.Time    `json:"time,omitempty"`
	Key   *document.Key `json:"key,omitempty"`
}

var (
	kinds = [...]string{
		document.TextCell: "text", document.NumberCell: "number", document.PercentCell: "percent",
		document.DurationCell: "duration",
		document.DateCell:     "date", document.AbsentCell: "absent", document.ReferenceCell: "reference",
	}
	styles = [...]string{document.Normal: "", document.Note: "note", document.Lead: "lead", document.Warning: "warning"}
)

// Write writes a document.
func Write(w io.Writer, d *document.Document) error {
	n, err := d.Number()
	if err != nil {
		return err
	}
	f := file{
		Title: document.Clean(d.Title), Subtitle: document.Clean(d.Subtitle), Period: document.Clean(d.Period),
		Author: document.Clean(d.Author), Mark: document.Clean(d.Mark), Blocks: []block{},
	}
	if !d.Made.IsZero() {
		f.Made = &d.Made
	}
	for _, x := range d.Facts {
		f.Facts = append(f.Facts, fact{document.Clean(x.Label), line(n, x.Value)})
	}
	for _, b := range d.Blocks {
		f.Blocks = append(f.Blocks, blockOf(n, b))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(f)
}

func blockOf(n document.Numbering, b document.Block) block {
	switch b := b.(type) {
	case document.Heading:
		return block{Type: "heading", ID: b.ID, Label: n.Label(b.ID), Level: b.Level, Text: document.Clean(b.Text)}
	case document.Paragraph:
		return block{Type: "paragraph", Style: styles[b.Style], Line: line(n, b.Line)}
	case document.List:
		x := block{Type: "list", Ordered: b.Ordered}
		for _, l := range b.Items {
			x.Items = append(x.Items, line(n, l))
		}
		return x
	case document.Table:
		x := block{Type: "table", ID: b.ID, Label: n.Label(b.ID), Text: document.Clean(b.Caption), Note: line(n, b.Note)}
		for _, c := range b.Columns {
			x.Columns = append(x.Columns, document.Clean(c.Head))
		}
		for _, r := range b.Rows {
			y := row{Cells: line(n, r.Cells)}
			switch {
			case r.Group:
				y.Kind = "group"
			case r.Total:
				y.Kind = "total"
			}
			x.Rows = append(x.Rows, y)
		}
		return x
	case document.Figure:
		return block{Type: "figure", ID: b.ID, Label: n.Label(b.ID), Text: document.Clean(b.Caption), Alt: b.Picture.Alt()}
	case document.Signatures:
		x := block{Type: "signatures", Text: document.Clean(b.Place)}
		for _, p := range b.People {
			x.People = append(x.People, p.Printed())
		}
		return x
	}
	return block{Type: "page_break"}
}

func line(n document.Numbering, l document.Line) []cell {
	var out []cell
	for _, c := range l {
		x := cell{Kind: kinds[c.Kind], Text: n.Say(c)}
		switch c.Kind {
		case document.NumberCell, document.PercentCell, document.DurationCell:
			v := c.Value
			x.Value, x.Unit = &v, document.Clean(c.Unit)
		case document.DateCell:
			at := c.At
			x.Time = &at
		}
		if k := c.Key; k != (document.Key{}) {
			k.Dims, k.Figure, k.Period, k.Part = document.Clean(k.Dims), document.Clean(k.Figure), document.Clean(k.Period),
				document.Part(document.Clean(string(k.Part)))
			x.Key = &k
		}
		out = append(out, x)
	}
	return out
}

// Read reads the numbers of a finished file: their exact values. Where is the block that they stand in. A number whose
// words say something else than its value is no figure's.
func Read(b []byte) ([]document.Reading, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	var out []document.Reading
	add := func(where string, cells []cell) {
		for _, c := range cells {
			if c.Key == nil {
				continue
			}
			r := document.Parse(c.Key.ID(), c.Text, where)
			switch v := c.Value; {
			case v == nil:
			case !r.Absent && r.Low <= *v && *v <= r.High:
				r = document.Exact(c.Key.ID(), c.Text, where, *v)
			default: // holds nothing
				r = document.Reading{ID: r.ID, Text: fmt.Sprintf("%g, %s", *v, c.Text), Where: where, Low: 1, High: -1}
			}
			out = append(out, r)
		}
	}
	for _, x := range f.Facts {
		add("facts", x.Line)
	}
	for i, x := range f.Blocks {
		where := x.ID
		if where == "" {
			where = fmt.Sprintf("blocks[%d]", i)
		}
		add(where, x.Line)
		for _, l := range x.Items {
			add(where, l)
		}
		for _, r := range x.Rows {
			add(where, r.Cells)
		}
		add(where, x.Note)
	}
	return out, nil
}
