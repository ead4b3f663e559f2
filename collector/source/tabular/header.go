package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Layout says where in a file a table stands.
type Layout struct {
	Columns    []Column // that the table must have
	HeaderRows int      // how many rows are searched for the header
	Separator  byte     // of a text table; 0: the first under which the header is found
	Encoding   Encoding // of a text table
	Sheets     []string // of a workbook, by name; empty: all that have the header
}

// Column is one column of a table, by the headers that it may have.
type Column struct {
	Headers  []string
	Optional bool
}

// Header is the row that names the columns of a table.
type Header struct {
	Cells   []string // as written
	Columns []int    // for each column of the layout the index of its cell, -1 where an optional one is absent
}

// NormalHeader makes headers comparable: case, runs of white space and a byte order mark do not count.
func NormalHeader(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(s, "\ufeff")), " "))
}

// match finds the columns of the layout in a row. missing lists what is not there; twice lists headers that stand
// twice.
func (l *Layout) match(row Row) (h Header, missing, twice []string) {
	at := map[string]int{}
	double := map[string]bool{}
	for i, c := range row.Cells {
		name := NormalHeader(c)
		if _, seen := at[name]; seen {
			double[name] = true
		}
		at[name] = i
	}
	h = Header{Cells: row.Cells, Columns: make([]int, len(l.Columns))}
	for i, col := range l.Columns {
		h.Columns[i] = -1
		for _, head := range col.Headers {
			if n, ok := at[NormalHeader(head)]; ok {
				h.Columns[i] = n
				if double[NormalHeader(head)] {
					twice = append(twice, head)
				}
				break
			}
		}
		if h.Columns[i] < 0 && !col.Optional {
			missing = append(missing, strings.Join(col.Headers, " or "))
		}
	}
	return h, missing, twice
}

// separators are tried in this order when the layout names none.
var separators = []byte{',', ';', '\t', '|'}

// Separators lists the separators that a text table may have.
func Separators() []byte { return bytes.Clone(separators) }

// headSearch bounds the bytes that are searched for the header.
const headSearch = 256 << 10

// CSV finds the table in src, which must be UTF-8 without a byte order mark. file is the name that rows and errors
// carry.
func (l *Layout) CSV(file string, src io.Reader, limits Limits) (Table, error) {
	head := bufio.NewReaderSize(src, headSearch)
	start, err := head.Peek(headSearch)
	if err != nil && !errors.Is(err, io.EOF) {
		return Table{}, fmt.Errorf("read %s: %w", file, err)
	}
	tried := separators
	if l.Separator != 0 {
		tried = []byte{l.Separator}
	}
	var closest *HeaderError
	for _, sep := range tried {
		_, fault, err := l.findHeader(NewCSV(file, bytes.NewReader(start), sep, limits))
		if err != nil {
			return Table{}, err
		}
		if fault != nil {
			closest = closer(closest, fault)
			continue
		}
		rows := NewCSV(file, head, sep, limits)
		h, fault, err := l.findHeader(rows)
		if fault != nil {
			err = fault
		}
		return Table{Reader: rows, Header: h}, err
	}
	closest.file = file
	return Table{}, closest
}

// findHeader reads rows until one holds every column of the layout. err is what ended the reading but for its plain
// end.
func (l *Layout) findHeader(rows Reader) (h Header, fault *HeaderError, err error) {
	for range l.HeaderRows {
		row, err := rows.Next()
		var bad *RowError
		if errors.As(err, &bad) {
			continue // a title may hold anything
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return h, nil, err
		}
		h, missing, twice := l.match(row)
		if len(missing) == 0 && len(twice) == 0 {
			return h, nil, nil
		}
		fault = closer(fault, &HeaderError{
			file: row.File, line: row.Line, missing: missing, twice: twice, cells: len(row.Cells), rows: l.HeaderRows,
		})
	}
	if fault == nil {
		fault = &HeaderError{missing: []string{"any column"}, rows: l.HeaderRows}
	}
	return h, fault, nil
}

// HeaderError says that no row holds the columns of the layout, with the row that comes nearest.
type HeaderError struct {
	file           string
	line           int
	missing, twice []string
	cells, rows    int
}

// closer returns the one of two errors that misses fewer columns, the first of equals; best may be nil.
func closer(best, other *HeaderError) *HeaderError {
	if best == nil || len(other.missing) < len(best.missing) {
		return other
	}
	return best
}

// Error names the file, what the nearest row lacks, and what would be right.
func (e *HeaderError) Error() string {
	switch {
	case e.line == 0:
		return fmt.Sprintf("%s: the table is empty", e.file)
	case len(e.missing) == 0:
		return fmt.Sprintf("%s:%d: the header names %q twice; rename one of the columns", e.file, e.line, e.twice)
	}
	return fmt.Sprintf("%s: none of the first %d rows holds every column of the mapping; nearest is line %d (%d cells), "+
		"which lacks %q; correct the mapping's columns, or its table.separator", e.file, e.rows, e.line, e.cells, e.missing)
}
