package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// binding says where the fields of a mapping stand in one table.
type binding struct {
	header []string // as written, for messages
	line   int
	cols   [][]int  // for each field the indexes of its columns, -1 where an optional one is absent
	by     []*field // for each column the field that reads it; of several the one that keeps most to itself
}

// normalHeader makes headers comparable: case, runs of white space and a byte order mark do not count.
func normalHeader(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(s, "\ufeff")), " "))
}

// bind finds the mapping's columns in a row. missing lists what is not there; twice lists headers that stand twice.
func (m *Mapping) bind(row Row) (b *binding, missing, twice []string) {
	at := map[string]int{}
	double := map[string]bool{}
	for i, c := range row.Cells {
		name := normalHeader(c)
		if _, seen := at[name]; seen {
			double[name] = true
		}
		at[name] = i
	}
	b = &binding{header: row.Cells, line: row.Line, cols: make([][]int, len(m.fields)), by: make([]*field, len(row.Cells))}
	for i := range m.fields {
		f := &m.fields[i]
		for _, alternatives := range f.columns {
			found := -1
			for _, head := range alternatives {
				if n, ok := at[normalHeader(head)]; ok {
					found = n
					if double[normalHeader(head)] {
						twice = append(twice, head)
					}
					break
				}
			}
			if found < 0 && !f.optional {
				missing = append(missing, strings.Join(alternatives, " or "))
			}
			if found >= 0 {
				if old := b.by[found]; old == nil || f.kind == phoneField || f.values == nil && old.kind != phoneField {
					b.by[found] = f
				}
			}
			b.cols[i] = append(b.cols[i], found)
		}
	}
	return b, missing, twice
}

// separators are tried in this order when the mapping does not name one; the first under which the header is found
// wins.
var separators = []byte{',', ';', '\t', '|'}

// headSearch bounds the bytes that are searched for the header.
const headSearch = 256 << 10

// csvTable opens a text table by the mapping: finds separator and header, and leaves the reader at the first row behind
// the header.
func (m *Mapping) csvTable(file string, src io.Reader, limits Limits) (*CSV, *binding, error) {
	head := bufio.NewReaderSize(src, headSearch)
	start, err := head.Peek(headSearch)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read %s: %w", file, err)
	}
	tried := separators
	if m.separator != 0 {
		tried = []byte{m.separator}
	}
	var closest *headerError
	for _, sep := range tried {
		b, fault, err := m.findHeader(NewCSV(file, bytes.NewReader(start), sep, limits))
		if err != nil {
			return nil, nil, err
		}
		if fault != nil {
			if closest == nil || len(fault.missing) < len(closest.missing) {
				closest = fault
			}
			continue
		}
		rows := NewCSV(file, head, sep, limits)
		switch _, fault, err := m.findHeader(rows); {
		case err != nil:
			return nil, nil, err
		case fault != nil:
			return nil, nil, fault
		}
		return rows, b, nil
	}
	closest.file = file
	return nil, nil, closest
}

// findHeader reads rows until one holds every column of the mapping. err is what ended the reading but for its plain
// end.
func (m *Mapping) findHeader(rows Reader) (b *binding, fault *headerError, err error) {
	var closest *headerError
	for range m.headerRows {
		row, err := rows.Next()
		var bad *RowError
		if errors.As(err, &bad) {
			continue // a title may hold anything
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		b, missing, twice := m.bind(row)
		if len(missing) == 0 && len(twice) == 0 {
			return b, nil, nil
		}
		if closest == nil || len(missing) < len(closest.missing) {
			closest = &headerError{
				file: row.File, line: row.Line, missing: missing, twice: twice, cells: len(row.Cells), rows: m.headerRows,
			}
		}
	}
	if closest == nil {
		closest = &headerError{missing: []string{"any column"}, rows: m.headerRows}
	}
	return nil, closest, nil
}

// headerError says that no row holds the mapping's columns, with the row that comes nearest.
type headerError struct {
	file           string
	line           int
	missing, twice []string
	cells, rows    int
}

func (e *headerError) Error() string {
	switch {
	case e.line == 0:
		return fmt.Sprintf("%s: the table is empty", e.file)
	case len(e.missing) == 0:
		return fmt.Sprintf("%s:%d: the header names %q twice; rename one of the columns", e.file, e.line, e.twice)
	}
	return fmt.Sprintf(
		"%s: none of the first %d rows holds every column of the mapping; nearest is line %d (%d cells), which lacks %q; correct the mapping's columns, or its table.separator",
		e.file, e.rows, e.line, e.cells, e.missing)
}
