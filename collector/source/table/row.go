package table

import (
	"fmt"
	"strings"
)

// Row is one row of a table. Cells are valid UTF-8 and not yet trimmed.
type Row struct {
	File  string // as the caller named it
	Line  int    // physical line on which the row starts, from 1 (for a workbook: the number of the row)
	Cells []string

	since   int64  // of a workbook's row: see Workbook.since; 0 for a text table
	numeric []bool // of a workbook's row: the cell is a number and not a text that looks like one
}

// isNumber reports whether cell i is a number of a workbook.
func (r *Row) isNumber(i int) bool { return i < len(r.numeric) && r.numeric[i] }

// blank reports whether no cell of r says anything.
func (r Row) blank() bool {
	for _, c := range r.Cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// Reader yields the rows of one table in their order. Next returns io.EOF after the last row and a *RowError for a row
// that cannot be read but may be skipped: the next call goes on behind it. Any other error ends the table. A Reader is
// used by one goroutine.
type Reader interface {
	Next() (Row, error)
}

// Code names why a row was refused; it is a closed set, used to count.
type Code string

// The codes of refused rows.
const (
	CodeQuote     Code = "bad_quote"        // a quote that is not closed, or text behind a closing quote
	CodeTooLarge  Code = "too_large"        // a row, a cell, an id or the number of columns beyond its limit
	CodeEncoding  Code = "bad_encoding"     // bytes that are not text of the stated encoding, or NUL
	CodeColumns   Code = "wrong_cell_count" // more or fewer cells than the header
	CodeMissing   Code = "missing_value"    // a required value is empty
	CodeTime      Code = "bad_time"         // a time that fits none of the formats or does not exist
	CodeNumber    Code = "bad_number"       // a number that cannot be read or is out of range
	CodeValue     Code = "unknown_value"    // a value that the value map does not list
	CodeNoEvent   Code = "no_event"         // the row gives no event at all
	CodeSameID    Code = "same_id"          // one row gives two different events with one id
	CodeTimeRange Code = "time_out_of_range"
	CodeServer    Code = "refused_by_server"
	CodeConflict  Code = "conflict" // the server holds the same id with another content
)

// RowError says why a row is refused. Its text holds no cell content but what mask leaves of it.
type RowError struct {
	File   string
	Line   int
	Code   Code
	Column string // header of the column at fault; empty when the row as a whole is
	Reason string
}

// Error gives the place, the column and the reason.
func (e *RowError) Error() string {
	if e.Column != "" {
		return fmt.Sprintf("%s:%d: column %q: %s", e.File, e.Line, e.Column, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
}

// Limits bound what one table may ask of memory. The zero value of a field means its default.
type Limits struct {
	RowBytes  int   // one row, all its cells; default 1 MiB
	CellBytes int   // one cell; default 64 KiB
	Columns   int   // cells of one row; default 1024
	FileBytes int64 // one text file, unpacked; default 16 GiB
	// WorkbookBytes is one workbook, unpacked (default 1 GiB), SharedBytes what its shared texts may take of memory
	// (default 256 MiB).
	WorkbookBytes int64
	SharedBytes   int64
	GroupBytes    int64 // what grouping several rows into cases may hold, and the same for corrections; default 512 MiB
	StateIDs      int   // events that the memory of earlier imports may hold; default 4,000,000
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.RowBytes, 1<<20)
	def(&l.CellBytes, 64<<10)
	def(&l.Columns, 1024)
	def(&l.StateIDs, 4_000_000)
	if l.FileBytes <= 0 {
		l.FileBytes = 16 << 30
	}
	if l.WorkbookBytes <= 0 {
		l.WorkbookBytes = 1 << 30
	}
	if l.SharedBytes <= 0 {
		l.SharedBytes = 256 << 20
	}
	if l.GroupBytes <= 0 {
		l.GroupBytes = 512 << 20
	}
	return l
}
