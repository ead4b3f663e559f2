// Package html writes a report as one HTML file that needs nothing else, runs no script and prints on A4, and reads the
// numbers of such a file back.
package html

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"

	"github.com/monev112/monev112/collector/monev/document"
)

//go:embed report.css
var style string

//go:embed report.html
var page string

var tmpl = template.Must(template.New("").Parse(page))

// denseColumns is from how many columns a table is set smaller.
const denseColumns = 9

// shortRows is up to how many rows a table stays on one page.
const shortRows = 12

// Policy is the Content-Security-Policy of a document: its one style sheet, known by its hash, and pictures within the
// file. It stands in the file; a server sends the same in the header.
func Policy(d *document.Document) string {
	sum := sha256.Sum256([]byte(styleOf(d)))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}

// styleOf adds what stands in the margins of every printed page.
func styleOf(d *document.Document) string {
	const font = ";font:8pt Arial,'Liberation Sans',sans-serif;color:#555}"
	box := func(name, content string) string {
		return "@" + name + "{content:" + content + font
	}
	s := style + "@page{" + box("top-left", quote(d.Author)) + box("top-right", quote(d.Period)) +
		box("bottom-left", quote(d.Title)) + box("bottom-right", `"Halaman " counter(page) " dari " counter(pages)`)
	if d.Mark != "" {
		s += "@top-center{content:" + quote(d.Mark) + ";font:bold 11pt Arial,'Liberation Sans',sans-serif;color:#8a1f1f}"
	}
	return s + "}\n"
}

// quote writes a CSS string in which nothing but letters and digits stands for itself.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range document.Clean(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\%06x", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

type view struct {
	Title, Subtitle, Period, Mark, Policy string
	Style                                 template.CSS
	Logo                                  template.URL
	Kop                                   []string
	Facts                                 []fact
	Blocks                                []block
}

type fact struct {
	Label string
	Line  []cell
}

// block is any part of the document; Kind says which fields it has.
type block struct {
	Kind, ID, Number, Text, Class string
	Level, Tag                    int
	Line, Note                    []cell
	Items                         [][]cell
	Ordered                       bool
	Columns                       []column
	Rows                          []row
	Contents                      []block // headings
	SVG                           template.HTML
	People                        []document.Signatory
}

type column struct {
	Head  string
	Width string
	Right bool
}

type row struct {
	Class string
	Cells []cell
}

type cell struct {
	Text, Key, Class string
	Header           string // the scope of a heading
	Span             int
	Strong           bool
}

// Write writes a document.
func Write(w io.Writer, d *document.Document) error {
	n, err := d.Number()
	if err != nil {
		return err
	}
	v := view{
		Title: document.Clean(d.Title), Subtitle: document.Clean(d.Subtitle), Period: document.Clean(d.Period),
		Mark: document.Clean(d.Mark), Policy: Policy(d), Style: template.CSS(styleOf(d)),
	}
	if logo := d.Letterhead.Logo; len(logo) > 0 {
		v.Logo = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(logo))
	}
	for _, l := range d.Letterhead.Lines {
		v.Kop = append(v.Kop, document.Clean(l))
	}
	for _, f := range d.Facts {
		v.Facts = append(v.Facts, fact{document.Clean(f.Label), line(f.Value)})
	}
	contents := -1 // where they stand
	for _, b := range d.Blocks {
		x := blockOf(n, b)
		switch {
		case x.Kind == "":
			continue
		case x.Kind == "heading" && d.Contents && contents < 0:
			contents = len(v.Blocks)
			v.Blocks = append(v.Blocks, block{Kind: "contents"})
		}
		v.Blocks = append(v.Blocks, x)
		if contents >= 0 && x.Kind == "heading" && x.Level < 3 {
			v.Blocks[contents].Contents = append(v.Blocks[contents].Contents, x)
		}
	}
	return tmpl.Execute(w, v)
}

var (
	styles = [...]string{document.Normal: "", document.Note: "note", document.Lead: "lead", document.Warning: "warning"}
	tones  = [...]string{document.Plain: "", document.Good: "good", document.Bad: "bad", document.Attention: "attention"}
)

// blockOf returns no kind for what a page does not show.
func blockOf(n document.Numbering, b document.Block) block {
	switch b := b.(type) {
	case document.Heading:
		return block{
			Kind: "heading", ID: b.ID, Number: n.Label(b.ID), Text: document.Clean(b.Text), Level: b.Level, Tag: b.Level + 1,
		}
	case document.Paragraph:
		return block{Kind: "paragraph", Class: styles[b.Style], Line: line(b.Line)}
	case document.List:
		x := block{Kind: "list", Ordered: b.Ordered}
		for _, l := range b.Items {
			x.Items = append(x.Items, line(l))
		}
		return x
	case document.Table:
		if b.SheetOnly {
			return block{}
		}
		return tableOf(n, b)
	case document.Figure:
		return block{
			Kind: "figure", ID: b.ID, Number: n.Label(b.ID), Text: document.Clean(b.Caption),
			SVG: template.HTML(b.Picture.SVG(b.ID + "-svg")),
		}
	case document.Signatures:
		x := block{Kind: "signatures", Text: document.Clean(b.Place)}
		for _, p := range b.People {
			x.People = append(x.People, p.Printed())
		}
		return x
	}
	return block{Kind: "break"}
}

func tableOf(n document.Numbering, t document.Table) block {
	x := block{
		Kind: "table", ID: t.ID, Number: n.Label(t.ID), Text: document.Clean(t.Caption), Note: line(t.Note),
	}
	if len(t.Columns) >= denseColumns {
		x.Class = "dense "
	}
	if len(t.Rows) <= shortRows {
		x.Class += "short"
	}
	x.Class = strings.TrimSpace(x.Class)
	right, widths := t.RightAligned(), t.Widths()
	for i, c := range t.Columns {
		x.Columns = append(x.Columns, column{document.Clean(c.Head), fmt.Sprintf("%.1f", widths[i]*100), right[i]})
	}
	for _, r := range t.Rows {
		y := row{}
		for i, c := range r.Cells {
			said := cellOf(c)
			if right[i] && !r.Group {
				said.Class = strings.TrimSpace("r " + said.Class)
			}
			if i == 0 && c.Kind == document.TextCell {
				said.Header = "row"
			}
			y.Cells = append(y.Cells, said)
		}
		switch {
		case r.Group:
			y.Class, y.Cells[0].Header, y.Cells[0].Span = "group", "rowgroup", len(t.Columns)
		case r.Total:
			y.Class = "total"
		}
		x.Rows = append(x.Rows, y)
	}
	if len(t.Rows) == 0 {
		x.Rows = []row{{Cells: []cell{{Text: document.NoRows, Span: len(t.Columns)}}}}
	}
	return x
}

func line(l document.Line) []cell {
	var out []cell
	for _, c := range l {
		x := cellOf(c)
		if x.Strong && x.Class == "" {
			x.Class = "strong"
		}
		out = append(out, x)
	}
	return out
}

func cellOf(c document.Cell) cell {
	x := cell{Text: c.String(), Class: tones[c.Tone], Strong: c.Strong}
	if c.Key != (document.Key{}) {
		x.Key = c.Key.String()
	}
	return x
}
