// Package document is the model of a report: headings, prose, tables with typed cells, figures, signatures. The
// packages below it write one model as HTML, DOCX, XLSX and PDF, and read the numbers of finished files back.
//
// A model is a value: no IO, no clock. The same model gives the same bytes in every format but PDF. Every number that a
// reader could check carries a Key that says which figure it is; Compare holds a finished file against the figures.
package document

import (
	"strings"
	"time"
)

// Document is one report.
type Document struct {
	Title    string // "Laporan Kinerja Call Center 112"
	Subtitle string // "Kabupaten Sidoarjo"
	Period   string // "Oktober 2023"; stands in the head of every page
	Author   string // the institution; stands in the head of every page
	// Mark stands on every page and sheet, "SEMENTARA"; empty is none.
	Mark string
	// Made is when the figures were computed; it goes into the properties of the files, and zero leaves it out.
	Made       time.Time
	Letterhead Letterhead
	// Facts are the lines below the title: "Data sampai", "Revisi", "Checksum".
	Facts  []Fact
	Blocks []Block
	// Contents puts a table of contents before the first heading; what stands above it is the first page.
	Contents bool
}

// Letterhead is the kop surat. Without lines the place for it stays free.
type Letterhead struct {
	Lines []string // the first is the government's name, the last the address
	Logo  []byte   // PNG; empty is none
}

// Fact is one line of the title block.
type Fact struct {
	Label string
	Value Line
}

// Line is running text with numbers in it: Text cells and others in turn. Spaces between them stand in the texts.
type Line []Cell

// Block is one part of a document: Heading, Paragraph, List, Table, Figure, PageBreak or Signatures.
type Block interface{ block() }

// Heading opens a section. A heading of level 1 opens a page, and a sheet of the XLSX.
type Heading struct {
	Level int    // 1 to 3
	ID    string // a letter, then letters, digits and hyphens; unique among headings, tables and figures
	Text  string
	// Sheet names the sheet of a heading of level 1; empty takes Text. It is cut to what a spreadsheet allows.
	Sheet string
	// Plain leaves the number out: "Pengesahan", an appendix that numbers itself.
	Plain bool
}

// Paragraph is running text.
type Paragraph struct {
	Line  Line
	Style Style
}

// Style is the role of a paragraph.
type Style int

// Normal is prose; Note explains, smaller and paler; Lead is a sentence to read aloud; Warning must not be overlooked.
const (
	Normal Style = iota
	Note
	Lead
	Warning
)

// List is points, numbered when Ordered.
type List struct {
	Items   []Line
	Ordered bool
}

// Table is a table with a caption, "Tabel 1. ...".
type Table struct {
	ID      string
	Caption string
	Columns []Column
	Rows    []Row
	Note    Line // below the table; empty is none
	// Plot draws the table's numbers as a native chart in the XLSX.
	Plot *Plot
	// SheetOnly leaves the table to the XLSX: the numbers of a figure that shows them itself.
	SheetOnly bool
}

// Column is a column's head, and its share of the width; columns without a share divide what is left. Cells of numbers
// and their heads stand on the right by themselves.
type Column struct {
	Head  string
	Width float64
}

// Row is one cell a column. A Total is a sum or an average of the rows above it; a Group has a single cell over the
// whole width, the heading of the rows below it.
type Row struct {
	Cells        []Cell
	Total, Group bool
}

// Plot names what a native chart shows: a column of labels and columns of numbers. Totals and groups are left out.
type Plot struct {
	Kind   PlotKind
	Title  string
	Label  int
	Series []int
}

// PlotKind is the shape of a native chart.
type PlotKind int

// Lines over time, Bars that lie, Columns that stand, and a Heat of coloured cells.
const (
	Lines PlotKind = iota
	Bars
	Columns
	Heat
)

// Figure is a picture with a caption, "Gambar 1. ...".
type Figure struct {
	ID      string
	Caption string
	Picture Picture
	// Table is the ID of a table with a Plot that stands for the picture in the XLSX; empty puts the picture there.
	Table string
}

// Picture is what package chart draws.
type Picture interface {
	Size() (width, height float64) // CSS pixels
	Alt() string                   // the picture in words
	SVG(id string) string          // an element without style attributes; id makes the ids in it unique
	PNG(scale float64) []byte      // scale is device pixels to a CSS pixel
}

// PageBreak begins a page.
type PageBreak struct{}

// Signatures is the place where officials sign, side by side.
type Signatures struct {
	Place  string // "Sidoarjo, ...... November 2023"
	People []Signatory
}

// Signatory is who signs. An empty name leaves a dotted line.
type Signatory struct{ Role, Office, Name, Rank, Number string }

func (Heading) block()    {}
func (Paragraph) block()  {}
func (List) block()       {}
func (Table) block()      {}
func (Figure) block()     {}
func (PageBreak) block()  {}
func (Signatures) block() {}

// Printed is the signatory as a page shows it, harmless, with a dotted line for the name that is not known.
func (s Signatory) Printed() Signatory {
	s = Signatory{Clean(s.Role), Clean(s.Office), Clean(s.Name), Clean(s.Rank), Clean(s.Number)}
	if s.Name == "" {
		s.Name = "........................................"
	}
	if s.Number != "" && !strings.HasPrefix(s.Number, "NIP") {
		s.Number = "NIP " + s.Number
	}
	return s
}
