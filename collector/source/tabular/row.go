package tabular

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Row is one row of a table. Cells are valid UTF-8, not trimmed, and clean (see CleanCell).
type Row struct {
	File  string // as the caller named it
	Line  int    // physical line on which the row starts, from 1 (for a workbook: the number of the row)
	Cells []string

	epoch   int64  // of a workbook's row: see Workbook.epoch; 0 for a text table
	numeric []bool // of a workbook's row: the cell is a number and not a text that looks like one
}

// FromWorkbook reports whether the row is one of a sheet, which keeps no empty cells at its end.
func (r *Row) FromWorkbook() bool { return r.epoch != 0 }

// IsNumber reports whether cell i is a number of a workbook and not a text that looks like one.
func (r *Row) IsNumber(i int) bool { return i >= 0 && i < len(r.numeric) && r.numeric[i] }

// Blank reports whether every cell is empty.
func (r *Row) Blank() bool {
	for _, c := range r.Cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// errorWords are what spreadsheets show in place of a value that they cannot compute.
var errorWords = []string{
	"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#GETTING_DATA",
}

// CleanCell undoes what spreadsheets and exporters write around a value: ="0234" and '0234 keep a leading 0, and an
// error word or a row of # (a column too narrow) stands where there is no value. One # alone heads a column of numbers.
func CleanCell(s string) string {
	if s == "" || s[0] > ' ' && strings.IndexByte("='#E", s[0]) < 0 && s[0] < utf8.RuneSelf {
		return s // nearly all are
	}
	text := strings.TrimSpace(s)
	if text == "" {
		return s
	}
	switch text[0] {
	case '=':
		if inner, ok := strings.CutPrefix(text, `="`); ok && strings.HasSuffix(inner, `"`) {
			return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
		}
	case '\'':
		if len(text) > 1 && strings.IndexByte("0123456789+-=", text[1]) >= 0 {
			return text[1:]
		}
	case '#':
		if len(text) > 1 && strings.Trim(text, "#") == "" || slices.ContainsFunc(errorWords, func(w string) bool {
			return strings.EqualFold(w, text)
		}) {
			return ""
		}
	case 'E': // LibreOffice
		if code, ok := strings.CutPrefix(text, "Err:"); ok && len(code) == 3 && strings.Trim(code, "0123456789") == "" {
			return ""
		}
	}
	return s
}

// Reader yields the rows of one table in their order. Next returns io.EOF after the last row and a *RowError for a row
// that cannot be read but may be skipped: the next call goes on behind it. Any other error ends the table. A Reader is
// used by one goroutine.
type Reader interface {
	Next() (Row, error)
}

// Code names why a row is refused. The packages that refuse rows declare their codes; together they are a closed set,
// used to count.
type Code string

// The codes of rows that cannot be read.
const (
	CodeQuote    Code = "bad_quote"    // a quote that is not closed, or text behind a closing quote
	CodeTooLarge Code = "too_large"    // a row, a cell, an id or the number of columns beyond its limit
	CodeEncoding Code = "bad_encoding" // bytes that are not text of the stated encoding, or NUL
)

// RowError says why a row is refused. Its text shows no cell content, or only what mapping.Mask leaves of it.
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
}

func (l Limits) withDefaults() Limits {
	return Limits{
		RowBytes: cmp.Or(l.RowBytes, 1<<20), CellBytes: cmp.Or(l.CellBytes, 64<<10), Columns: cmp.Or(l.Columns, 1024),
		FileBytes: cmp.Or(l.FileBytes, 16<<30), WorkbookBytes: cmp.Or(l.WorkbookBytes, 1<<30),
		SharedBytes: cmp.Or(l.SharedBytes, 256<<20),
	}
}
