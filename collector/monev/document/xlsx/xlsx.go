// Package xlsx writes a report as a workbook: a sheet a section, numbers as numbers, native charts, printable. It reads
// the numbers of such a file back, also after an office program has saved it.
//
// Where a number stands is kept in a hidden defined name, which moves with its cell when rows are added:
//
//	k_<Key.ID>_<place in the document>_<how the cell holds it>
//
// how is n for a number or a text, d for a length of time in days, t for a date, p<offset> for what begins within a
// text.
package xlsx

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/monev/document"
)

const (
	family   = "Arial"
	deep     = "0B3C73"
	maxText  = 32767 // characters of a cell
	maxWidth = 46    // of a column, in characters
)

// Write writes a document.
func Write(w io.Writer, d *document.Document) error {
	n, err := d.Number()
	if err != nil {
		return err
	}
	f := excelize.NewFile()
	defer f.Close()
	b := &book{f: f, n: n, d: d, styles: map[style]int{}}
	for i, s := range sections(d) {
		if b.sheet(i, s); b.err != nil {
			return fmt.Errorf("sheet %q: %w", s.name, b.err)
		}
	}
	f.SetActiveSheet(0)
	props := &excelize.DocProperties{Title: document.Clean(d.Title), Creator: document.Clean(d.Author), Language: "id-ID"}
	if !d.Made.IsZero() {
		props.Created = d.Made.UTC().Format(time.RFC3339)
		props.Modified = props.Created
	}
	if err := f.SetDocProps(props); err != nil {
		return err
	}
	raw, err := f.WriteToBuffer()
	if err != nil {
		return err
	}
	return pack(w, raw.Bytes(), b.names)
}

// section is what stands on one sheet.
type section struct {
	name   string
	blocks []document.Block
}

// sections cuts a document at its headings of level 1; the first section is the cover.
func sections(d *document.Document) []section {
	out := []section{{name: "Sampul"}}
	used := map[string]bool{"sampul": true, "history": true}
	for _, b := range d.Blocks {
		if h, ok := b.(document.Heading); ok && h.Level == 1 {
			out = append(out, section{name: sheetName(cmp.Or(h.Sheet, h.Text), used)})
		}
		s := &out[len(out)-1]
		s.blocks = append(s.blocks, b)
	}
	return out
}

// sheetName makes a name that a workbook takes: at most 31 characters, some forbidden, no name twice.
func sheetName(s string, used map[string]bool) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) {
			return ' '
		}
		return r
	}, document.Clean(s))
	s = strings.Trim(strings.Join(strings.Fields(s), " "), "' ")
	s = cmp.Or(s, "Bagian")
	for i := 1; ; i++ {
		suffix := ""
		if i > 1 {
			suffix = fmt.Sprintf(" (%d)", i)
		}
		name := strings.TrimRight(cut(s, 31-len(suffix)), "' ") + suffix
		if !used[strings.ToLower(name)] {
			used[strings.ToLower(name)] = true
			return name
		}
	}
}

// cut shortens a text to so many UTF-16 units, as office programs count.
func cut(s string, units int) string {
	n := 0
	for i, r := range s {
		if n += 1 + map[bool]int{true: 1}[r > 0xffff]; n > units {
			return s[:i]
		}
	}
	return s
}

// style is what a cell looks like.
type style struct {
	format                                  string
	bold, head, wrap, right, border, indent bool
	size                                    float64
	colour, fill                            string
}

// book is the workbook that is being written. What the library refuses is kept in err, and ends the writing of a sheet
// at its end: every later step would write into a workbook that nobody gets.
type book struct {
	f      *excelize.File
	n      document.Numbering
	d      *document.Document
	styles map[style]int
	names  []name
	err    error // the first

	// The sheet that is being written.
	sheetName string
	row       int
	widths    []float64
}

func (b *book) keep(err error) {
	if b.err == nil {
		b.err = err
	}
}

// name is a hidden defined name.
type name struct{ name, refersTo string }

func (b *book) style(s style) int {
	if id, ok := b.styles[s]; ok {
		return id
	}
	x := &excelize.Style{
		Font:      &excelize.Font{Family: family, Size: cmp.Or(s.size, 10), Bold: s.bold || s.head, Color: s.colour},
		Alignment: &excelize.Alignment{Vertical: "top", WrapText: s.wrap || s.head},
	}
	if s.format != "" {
		x.CustomNumFmt = &s.format
	}
	if s.right {
		x.Alignment.Horizontal = "right"
	}
	if s.indent {
		x.Alignment.Horizontal, x.Alignment.Indent = "left", 1
	}
	if s.head {
		x.Font.Color, s.fill, x.Alignment.Vertical = "FFFFFF", deep, "bottom"
	}
	if s.fill != "" {
		x.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{s.fill}}
	}
	if s.border {
		x.Border = []excelize.Border{{Type: "bottom", Color: "BFBFBF", Style: 1}}
	}
	id, err := b.f.NewStyle(x)
	b.keep(err)
	b.styles[s] = id
	return id
}

func (b *book) sheet(i int, s section) {
	if i == 0 {
		b.keep(b.f.SetSheetName("Sheet1", s.name))
	} else {
		_, err := b.f.NewSheet(s.name)
		b.keep(err)
	}
	b.sheetName, b.row, b.widths = s.name, 1, columnWidths(s.blocks)
	b.page()
	if i == 0 {
		b.cover()
	} else if b.d.Mark != "" {
		b.say(b.d.Mark+" · "+b.d.Period, style{bold: true, colour: "8A1F1F"})
	}
	for _, x := range s.blocks {
		b.block(x)
	}
	if i == 0 && b.d.Contents {
		b.contents()
	}
}

// page sets how the sheet prints: A4, as wide as the paper, with the mark on every page.
func (b *book) page() {
	orientation := "portrait"
	if len(b.widths) > 10 {
		orientation = "landscape"
	}
	a4, one, zero, yes := 9, 1, 0, true
	margin := func(v float64) *float64 { return &v }
	running := func(t string) string { return strings.ReplaceAll(cut(document.Clean(t), 60), "&", "&&") }
	head := "&L&8 " + running(b.d.Author) + "&C&B&10 " + running(b.d.Mark) + "&B&R&8 " + running(b.d.Period)
	foot := "&L&8 " + running(b.d.Title) + "&R&8 Halaman &P dari &N"
	for j, w := range b.widths {
		col, err := excelize.ColumnNumberToName(j + 1)
		b.keep(err)
		b.keep(b.f.SetColWidth(b.sheetName, col, col, w))
	}
	off := false
	b.keep(b.f.SetPageLayout(b.sheetName, &excelize.PageLayoutOptions{
		Size: &a4, Orientation: &orientation, FitToWidth: &one, FitToHeight: &zero,
	}))
	b.keep(b.f.SetSheetProps(b.sheetName, &excelize.SheetPropsOptions{FitToPage: &yes}))
	b.keep(b.f.SetPageMargins(b.sheetName, &excelize.PageLayoutMarginsOptions{
		Left: margin(0.6), Right: margin(0.6), Top: margin(0.8), Bottom: margin(0.7), Header: margin(0.35),
		Footer: margin(0.35),
	}))
	b.keep(b.f.SetHeaderFooter(b.sheetName,
		&excelize.HeaderFooterOptions{OddHeader: cut(head, 255), OddFooter: cut(foot, 255)}))
	b.keep(b.f.SetSheetView(b.sheetName, -1, &excelize.ViewOptions{ShowGridLines: &off}))
}

// columnWidths are as wide as the cells of the sheet's tables need, in characters.
func columnWidths(blocks []document.Block) []float64 {
	widths := []float64{18, 11, 11, 11, 11, 11}
	for _, x := range blocks {
		t, ok := x.(document.Table)
		if !ok {
			continue
		}
		for j, c := range t.Columns {
			need := 6.0
			for _, w := range strings.Fields(document.Clean(c.Head)) {
				need = max(need, float64(utf8.RuneCountInString(w))+3)
			}
			for _, r := range t.Rows {
				if !r.Group {
					need = max(need, float64(utf8.RuneCountInString(r.Cells[j].String()))+2)
				}
			}
			limit := 26.0
			if j == 0 {
				limit = maxWidth
			}
			if need = min(need, limit); j >= len(widths) {
				widths = append(widths, need)
			}
			widths[j] = max(widths[j], need)
		}
	}
	return widths
}

// at is the name of a cell in the present row.
func (b *book) at(column int) string {
	s, _ := excelize.CoordinatesToCellName(column+1, b.row) // both are above zero
	return s
}

// say is prose of a text without numbers.
func (b *book) say(text string, s style) { b.prose(document.Line{document.Text(text)}, s) }

// prose writes a line of text over the width of the sheet, in as many rows of text as it needs.
func (b *book) prose(l document.Line, s style) {
	text := ""
	for _, c := range l {
		if c.Key != (document.Key{}) {
			b.name(c.Key, fmt.Sprintf("p%d", utf8.RuneCountInString(text)), 0)
		}
		text += c.String()
	}
	s.wrap = true
	size := cmp.Or(s.size, 10)
	wide := 0.0
	last := 0
	for j, w := range b.widths {
		if j < 6 || wide < 90 {
			wide, last = wide+w, j
		}
	}
	lines := math.Ceil(float64(utf8.RuneCountInString(text)) * size / 10 / (wide * 0.95))
	b.text(0, text, s)
	b.keep(b.f.MergeCell(b.sheetName, b.at(0), b.at(last)))
	b.height(max(1, lines)*size*1.35 + 2)
	b.row++
}

// height makes the row as high as its text, in points; 400 is near what a workbook takes.
func (b *book) height(points float64) { b.keep(b.f.SetRowHeight(b.sheetName, b.row, min(400, points))) }

// escaped are words that a workbook takes for the code of a character.
var escaped = regexp.MustCompile(`_(x[0-9A-Fa-f]{4}_)`)

func (b *book) text(column int, s string, look style) {
	s = escaped.ReplaceAllString(cut(s, maxText), "_x005F_$1")
	b.keep(b.f.SetCellStr(b.sheetName, b.at(column), s))
	b.look(column, look)
}

func (b *book) look(column int, look style) {
	b.keep(b.f.SetCellStyle(b.sheetName, b.at(column), b.at(column), b.style(look)))
}

// name keeps where a number stands.
func (b *book) name(k document.Key, how string, column int) {
	ref, _ := excelize.CoordinatesToCellName(column+1, b.row, true)
	b.names = append(b.names, name{
		fmt.Sprintf("k_%s_%d_%s", k.ID(), len(b.names), how), quoted(b.sheetName) + ref,
	})
}

func (b *book) cover() {
	d := b.d
	for _, l := range d.Letterhead.Lines {
		b.say(l, style{bold: true})
	}
	if d.Mark != "" {
		b.say(d.Mark, style{bold: true, size: 12, colour: "8A1F1F"})
	}
	b.row++
	b.say(d.Title, style{bold: true, size: 18, colour: deep})
	b.say(strings.Trim(document.Clean(d.Subtitle)+", "+document.Clean(d.Period), ", "), style{size: 12, colour: "555555"})
	b.row++
	for _, f := range d.Facts {
		b.prose(append(document.Line{document.Text(f.Label + ": ")}, f.Value...), style{})
	}
	b.row++
}

func (b *book) contents() {
	b.row++
	b.say("Daftar Isi", style{bold: true, size: 13, colour: deep})
	for _, s := range sections(b.d)[1:] {
		h := s.blocks[0].(document.Heading)
		cell := b.at(0)
		b.say(b.titleOf(h), style{colour: "0B4F8A"})
		b.keep(b.f.SetCellHyperLink(b.sheetName, cell, quoted(s.name)+"A1", "Location"))
	}
	b.row++
}

func (b *book) titleOf(h document.Heading) string {
	return strings.TrimSpace(b.n.Label(h.ID) + " " + document.Clean(h.Text))
}

// quoted is how a formula names a sheet.
func quoted(sheet string) string { return "'" + strings.ReplaceAll(sheet, "'", "''") + "'!" }

var looks = [...]style{
	document.Normal: {}, document.Note: {size: 9, colour: "555555"}, document.Lead: {size: 12, bold: true},
	document.Warning: {bold: true, colour: "8A1F1F"},
}

func (b *book) block(x document.Block) {
	switch x := x.(type) {
	case document.Heading:
		if x.Level > 1 {
			b.row++
		}
		b.say(b.titleOf(x), style{bold: true, size: float64(18 - 2*x.Level), colour: deep})
	case document.Paragraph:
		b.prose(x.Line, looks[x.Style])
	case document.List:
		for i, l := range x.Items {
			mark := "• "
			if x.Ordered {
				mark = fmt.Sprintf("%d. ", i+1)
			}
			b.prose(append(document.Line{document.Text(mark)}, l...), style{})
		}
	case document.Table:
		b.table(x)
	case document.Figure:
		if x.Table == "" {
			b.picture(x)
		}
	case document.Signatures:
		b.signatures(x)
	}
}

func (b *book) picture(x document.Figure) {
	const scale = 1.5
	_, h := x.Picture.Size()
	b.keep(b.f.AddPictureFromBytes(b.sheetName, b.at(0), &excelize.Picture{
		Extension: ".png", File: x.Picture.PNG(scale),
		Format: &excelize.GraphicOptions{
			AltText: x.Picture.Alt(), ScaleX: 1 / scale, ScaleY: 1 / scale, Positioning: "oneCell",
		},
	}))
	b.row += int(h/20) + 2
	b.caption(x.ID, x.Caption)
}

func (b *book) caption(id, text string) {
	if label := b.n.Label(id); label != "" {
		text = label + ". " + text
	}
	b.say(text, style{size: 9, bold: true, colour: "555555"})
}

func (b *book) signatures(x document.Signatures) {
	b.row++
	b.say(x.Place, style{})
	for k := range 6 {
		for i, p := range x.People {
			p = p.Printed()
			words := [...]string{p.Role, p.Office, "", p.Name, p.Rank, p.Number}[k]
			b.text(i*3, words, style{bold: k == 3})
		}
		if k == 2 {
			b.height(60)
		}
		b.row++
	}
}

func (b *book) table(t document.Table) {
	b.row++
	b.caption(t.ID, t.Caption)
	right := t.RightAligned()
	for j, c := range t.Columns {
		b.text(j, document.Clean(c.Head), style{head: true, right: right[j], indent: !right[j] && j > 0})
	}
	head := b.row
	b.row++
	first, last := 0, 0 // rows of the plot
	for _, r := range t.Rows {
		if !r.Group && !r.Total {
			if first == 0 {
				first = b.row
			}
			last = b.row
		}
		b.tableRow(t, r, right)
	}
	if len(t.Rows) == 0 {
		b.say(document.NoRows, looks[document.Note])
	}
	if len(t.Note) > 0 {
		b.prose(t.Note, looks[document.Note])
	}
	b.row++
	if t.Plot != nil && first != 0 {
		b.plot(t, head, first, last)
	}
}

func (b *book) tableRow(t document.Table, r document.Row, right []bool) {
	lines := 1.0
	for j, c := range r.Cells {
		look := style{
			border: true, bold: c.Strong || r.Total || r.Group, wrap: true, right: right[j] && !r.Group,
			indent: !right[j] && j > 0,
		}
		if r.Group {
			look.fill = "EEF3F9"
		}
		look.colour = [...]string{"", "1C5E2C", "8A1F1F", "6B4700"}[c.Tone]
		// A word in a line of numbers would be drawn as zero: an empty cell is a gap.
		if c.Kind == document.AbsentCell && t.Plot != nil && t.Plot.Kind == document.Lines &&
			slices.Contains(t.Plot.Series, j) {
			c.Text = ""
		}
		if !r.Group { // programs do not agree on who makes a row higher for text that wraps
			lines = max(lines, math.Ceil(float64(utf8.RuneCountInString(c.String()))*1.1/b.widths[j]))
		}
		b.cell(j, c, look)
	}
	if lines > 1 {
		b.height(13*lines + 3)
	}
	if r.Group {
		b.keep(b.f.MergeCell(b.sheetName, b.at(0), b.at(len(t.Columns)-1)))
	}
	b.row++
}

// cell writes a value as a value.
func (b *book) cell(j int, c document.Cell, look style) {
	if c.Key != (document.Key{}) {
		how := "n"
		switch c.Kind {
		case document.DurationCell:
			how = "d"
		case document.DateCell:
			how = "t"
		}
		b.name(c.Key, how, j)
	}
	var value any
	switch c.Kind {
	case document.NumberCell:
		value, look.format = c.Value, numberFormat(c)
	case document.PercentCell:
		value, look.format = c.Value, "0"+fraction(c.Decimals)+"%"
	case document.DurationCell:
		value, look.format = c.Value/86400, "[h]:mm:ss"
	case document.DateCell:
		_, offset := c.At.Zone()
		at := c.At.UTC().Add(time.Duration(offset) * time.Second)
		look.format = "[$-421]d mmmm yyyy"
		if c.Clock {
			look.format += " hh.mm"
		} else {
			at = at.Truncate(24 * time.Hour)
		}
		value = at
	default:
		b.text(j, c.String(), look)
		return
	}
	look.wrap = false
	id := b.style(look) // before the value: of an instant it makes a style of its own
	b.keep(b.f.SetCellValue(b.sheetName, b.at(j), value))
	b.keep(b.f.SetCellStyle(b.sheetName, b.at(j), b.at(j), id))
}

func fraction(decimals int) string {
	if decimals <= 0 {
		return ""
	}
	return "." + strings.Repeat("0", decimals)
}

// numberFormat shows a number with its unit, as a text that the format quotes.
func numberFormat(c document.Cell) string {
	number := "#,##0" + fraction(c.Decimals)
	unit := cut(strings.NewReplacer(`"`, "", `\`, "").Replace(document.Clean(c.Unit)), 40)
	switch unit {
	case "":
		return number
	case "Rp":
		return `"Rp "` + number
	}
	return number + `" ` + unit + `"`
}
