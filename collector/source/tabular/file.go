package tabular

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Table is one table of a file: its header, and a Reader of the rows below it.
type Table struct {
	Reader
	Header Header
}

// File is an opened file with one table (text) or several (the sheets of a workbook). Next is for one goroutine;
// ReadBytes may be asked by another at any time.
type File struct {
	path   string
	layout *Layout
	limits Limits

	text *Text
	book *Workbook

	wanted  []string // sheets that are still to come
	hidden  []string // sheets that are not read
	open    *Sheet
	found   bool
	closest *HeaderError // of the sheets without the header
	skipped []string
}

// Open opens a text file or a workbook, told apart by the first bytes.
func (l *Layout) Open(path string, limits Limits) (*File, error) {
	magic, err := peek(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, layout: l, limits: limits}
	if !isWorkbook(magic) {
		f.text, err = OpenText(path, l.Encoding, limits)
		return f, err
	}
	if f.book, err = OpenWorkbook(path, limits); err != nil {
		return nil, err
	}
	if f.wanted = l.Sheets; len(f.wanted) == 0 {
		// A hidden sheet is often an older copy of what is seen: it is read when it is named.
		f.wanted, f.hidden = f.book.Sheets()
	}
	return f, nil
}

// IsWorkbook reports whether a file begins like a workbook (xlsx).
func IsWorkbook(path string) (bool, error) {
	magic, err := peek(path)
	return isWorkbook(magic), err
}

// peek returns the first bytes of a file; none of a pipe, which can be read once.
func peek(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	magic := make([]byte, 8)
	n, err := io.ReadFull(f, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return magic[:n], nil
}

// Next returns the next table, io.EOF after the last. It ends the table before it. A file without any table is an
// error, and so is a sheet without the header when the layout names it.
func (f *File) Next() (Table, error) {
	if f.book == nil {
		if f.found {
			return Table{}, io.EOF
		}
		f.found = true
		return f.layout.CSV(f.path, f.text, f.limits)
	}
	for len(f.wanted) > 0 {
		f.closeSheet()
		name := f.wanted[0]
		f.wanted = f.wanted[1:]
		var err error
		if f.open, err = f.book.Sheet(name); err != nil {
			return Table{}, err
		}
		h, fault, err := f.layout.findHeader(f.open)
		switch {
		case err != nil:
			return Table{}, err
		case fault == nil:
			f.found = true
			return Table{Reader: f.open, Header: h}, nil
		case len(f.layout.Sheets) > 0:
			return Table{}, fault
		}
		f.closest = closer(f.closest, fault)
		f.skipped = append(f.skipped, f.path+"#"+name)
	}
	switch {
	case f.found:
		return Table{}, io.EOF
	case f.closest == nil && len(f.hidden) > 0:
		return Table{}, fmt.Errorf("%s has hidden sheets only (%s); show the one that counts, or name it in the mapping "+
			"(table.sheets)", f.path, strings.Join(f.hidden, ", "))
	case f.closest == nil:
		return Table{}, fmt.Errorf("%s holds no worksheet", f.path)
	}
	f.closest.file = cmp.Or(f.closest.file, f.path)
	return Table{}, f.closest
}

func (f *File) closeSheet() {
	if f.open != nil {
		f.open.Close()
		f.open = nil
	}
}

// Skipped lists the sheets without the header that Next has left out, as file#sheet.
func (f *File) Skipped() []string { return f.skipped }

// Hidden lists the hidden sheets that were not read, as file#sheet.
func (f *File) Hidden() []string {
	out := make([]string, len(f.hidden))
	for i, name := range f.hidden {
		out[i] = f.path + "#" + name
	}
	return out
}

// ReadBytes is how many bytes of a text file, as it lies on the disk, have been read; 0 of a workbook.
func (f *File) ReadBytes() int64 {
	if f.text == nil {
		return 0
	}
	return f.text.ReadBytes()
}

// Close closes the file. It may be called twice.
func (f *File) Close() error {
	f.closeSheet()
	if f.text != nil {
		return f.text.Close()
	}
	return f.book.Close()
}
