package tabular

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Workbook is an opened .xlsx file (ECMA-376). Its sheets are read as streams; its shared texts are held in memory, up
// to Limits.SharedBytes. Nothing of it is ever written to a temporary folder. It is for one goroutine.
type Workbook struct {
	file   string
	disk   *os.File // nil once closed
	zip    *zip.Reader
	parts  map[string]*zip.File
	sheets []sheetPart
	shared []string
	epoch  int64 // days between 1970-01-01 and the day that serial number 0 stands for, negative
	limits Limits
}

type sheetPart struct {
	name, part string
	hidden     bool
}

// What a workbook may ask for beside Limits.
const (
	maxParts      = 10_000  // files within the archive
	maxElement    = 4 << 20 // bytes of one XML tag or text
	maxXMLDepth   = 64
	maxSheets     = 500
	maxSharedText = 32 << 20 // bytes of one text of the shared table, before cells are cut to Limits.CellBytes
)

// OpenWorkbook opens a workbook and reads its list of sheets and its shared texts.
func OpenWorkbook(file string, limits Limits) (*Workbook, error) {
	limits = limits.withDefaults()
	f, z, err := openArchive(file)
	if errors.Is(err, errDirectory) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s begins like a workbook (xlsx) but cannot be opened: %w; was it copied whole?", file, err)
	}
	w := &Workbook{file: file, disk: f, zip: z, parts: map[string]*zip.File{}, limits: limits, epoch: days1900}
	if err := w.open(); err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// isWorkbook reports whether a file begins like a zip archive.
func isWorkbook(magic []byte) bool { return strings.HasPrefix(string(magic), "PK\x03\x04") }

// Incomplete reports whether a file begins like a workbook but lacks the end of one, as while it is being copied.
func Incomplete(file string) bool {
	magic, err := peek(file)
	if err != nil || !isWorkbook(magic) {
		return false
	}
	f, _, err := openArchive(file)
	if err != nil {
		return !errors.Is(err, errDirectory)
	}
	f.Close()
	return false
}

func (w *Workbook) open() error {
	if len(w.zip.File) > maxParts {
		return fmt.Errorf("%s: %w", w.file, errDirectory)
	}
	size := uint64(0)
	for _, f := range w.zip.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		w.parts[name] = f
		if size += f.UncompressedSize64; size > uint64(w.limits.WorkbookBytes) || f.UncompressedSize64 > 1<<62 {
			return fmt.Errorf("%s unpacks to more than %d bytes; split it, or save the sheet as CSV", w.file,
				w.limits.WorkbookBytes)
		}
	}
	book := "xl/workbook.xml"
	if rels, err := w.relations("_rels/.rels", ""); err == nil {
		for _, r := range rels {
			if strings.HasSuffix(r.kind, "/officeDocument") {
				book = r.target
			}
		}
	}
	if w.parts[book] == nil {
		return fmt.Errorf("%s is a zip archive but no workbook (xlsx); unpack it first, or save the sheet as CSV", w.file)
	}
	rels, err := w.relations(path.Join(path.Dir(book), "_rels", path.Base(book)+".rels"), path.Dir(book))
	if err != nil {
		return err
	}
	if err := w.readBook(book, rels); err != nil {
		return err
	}
	for _, r := range rels {
		if strings.HasSuffix(r.kind, "/sharedStrings") {
			return w.readShared(r.target)
		}
	}
	return nil
}

type relation struct{ id, kind, target string }

func (w *Workbook) relations(part, folder string) ([]relation, error) {
	var out []relation
	err := w.walk(part, func(_ *xmlPart, t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "Relationship" {
			return nil
		}
		target := attr(e, "Target")
		if strings.HasPrefix(target, "/") {
			target = strings.TrimPrefix(target, "/")
		} else {
			target = path.Join(folder, target)
		}
		out = append(out, relation{attr(e, "Id"), attr(e, "Type"), strings.ToLower(path.Clean(target))})
		if len(out) > maxParts {
			return w.broken(part, "too many relations")
		}
		return nil
	})
	return out, err
}

func (w *Workbook) readBook(part string, rels []relation) error {
	return w.walk(part, func(_ *xmlPart, t xml.Token) error {
		e, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		switch e.Name.Local {
		case "workbookPr":
			if v := attr(e, "date1904"); v == "1" || v == "true" {
				w.epoch = days1904
			}
		case "sheet":
			id := attr(e, "id")
			for _, r := range rels {
				if r.id == id && strings.HasSuffix(r.kind, "/worksheet") {
					state := attr(e, "state")
					w.sheets = append(w.sheets, sheetPart{attr(e, "name"), r.target, state == "hidden" || state == "veryHidden"})
				}
			}
			if len(w.sheets) > maxSheets {
				return w.broken(part, fmt.Sprintf("more than %d sheets", maxSheets))
			}
		}
		return nil
	})
}

// readShared reads the table of texts that cells refer to by number. Phonetic guides are left out.
func (w *Workbook) readShared(part string) error {
	var text strings.Builder
	inText, phonetic, total := false, 0, int64(0)
	return w.walk(part, func(_ *xmlPart, t xml.Token) error {
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "si":
				text.Reset()
			case "rPh":
				phonetic++
			case "t":
				inText = phonetic == 0
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "rPh":
				phonetic--
			case "t":
				inText = false
			case "si":
				if total += int64(text.Len()) + 16; total > w.limits.SharedBytes {
					return fmt.Errorf("%s: the texts of the workbook take more than %d bytes; split it, or save the sheet as CSV",
						w.file, w.limits.SharedBytes)
				}
				w.shared = append(w.shared, unescapeCell(text.String()))
			}
		case xml.CharData:
			if inText {
				if text.Len()+len(e) > maxSharedText {
					return w.broken(part, "a text is too long")
				}
				text.Write(e)
			}
		}
		return nil
	})
}

// cellEscapes are the control characters that Excel writes into texts as _xHHHH_.
var cellEscapes = strings.NewReplacer("_x000D_", "\r", "_x000A_", "\n", "_x0009_", "\t", "_x005F_", "_")

func unescapeCell(s string) string {
	if !strings.Contains(s, "_x00") {
		return s
	}
	return cellEscapes.Replace(s)
}

// Sheets lists the names of the worksheets in their order: those that a person sees, and those that are hidden.
func (w *Workbook) Sheets() (visible, hidden []string) {
	for _, s := range w.sheets {
		if s.hidden {
			hidden = append(hidden, s.name)
		} else {
			visible = append(visible, s.name)
		}
	}
	return visible, hidden
}

// Close closes the file. It may be called twice.
func (w *Workbook) Close() error {
	if w.disk == nil {
		return nil
	}
	f := w.disk
	w.disk = nil
	return f.Close()
}

func (w *Workbook) broken(part, what string) error {
	return fmt.Errorf("%s: %s of the workbook cannot be read: %s; open it in a spreadsheet program and save it again",
		w.file, part, what)
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// xmlPart reads the tokens of one part under limits: of the whole, of one token, of depth. Tags that do not match, an
// early end and anything else that is not well-formed are errors: a sheet cut short must not look like a whole one.
type xmlPart struct {
	w     *Workbook
	part  string
	body  io.ReadCloser
	dec   *xml.Decoder
	left  int64
	token int64 // bytes read since the last token
	depth int
	root  bool // the root element has been closed
}

func (w *Workbook) openPart(part string) (*xmlPart, error) {
	f := w.parts[part]
	if f == nil {
		return nil, w.broken(part, "it is missing")
	}
	body, err := f.Open()
	if err != nil {
		return nil, w.broken(part, err.Error())
	}
	x := &xmlPart{w: w, part: part, body: body, left: w.limits.WorkbookBytes}
	text := bufio.NewReader(x)
	if mark, _ := text.Peek(2); utf16Mark(mark) {
		x.dec = xml.NewDecoder(transform.NewReader(text, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()))
		x.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded already
	} else {
		x.dec = xml.NewDecoder(text)
	}
	return x, nil
}

// utf16Mark reports whether a part begins with the byte order mark of UTF-16.
func utf16Mark(mark []byte) bool {
	return bytes.Equal(mark, []byte{0xff, 0xfe}) || bytes.Equal(mark, []byte{0xfe, 0xff})
}

// Read implements io.Reader for the decoder.
func (x *xmlPart) Read(p []byte) (int, error) {
	if x.left <= 0 {
		return 0, fmt.Errorf("it unpacks to more than %d bytes", x.w.limits.WorkbookBytes)
	}
	if x.token > maxElement {
		return 0, fmt.Errorf("one element is longer than %d bytes", maxElement)
	}
	n, err := x.body.Read(p[:min(int64(len(p)), x.left)])
	x.left -= int64(n)
	x.token += int64(n)
	return n, err
}

// next returns the next token, valid until the following call, and io.EOF after a well-formed end.
func (x *xmlPart) next() (xml.Token, error) {
	x.token = 0
	t, err := x.dec.Token()
	if errors.Is(err, io.EOF) {
		if !x.root {
			return nil, x.w.broken(x.part, "it ends in the middle")
		}
		return nil, io.EOF
	}
	if err != nil {
		return nil, x.w.broken(x.part, err.Error())
	}
	switch t.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxXMLDepth {
			return nil, x.w.broken(x.part, fmt.Sprintf("elements nest deeper than %d", maxXMLDepth))
		}
	case xml.EndElement:
		if x.depth--; x.depth == 0 {
			x.root = true
		}
	}
	return t, nil
}

func (x *xmlPart) close() {
	if x.body != nil {
		_ = x.body.Close() // only read; a fault of the archive came with the last token
		x.body = nil
	}
}

// walk calls do for every token of a part.
func (w *Workbook) walk(part string, do func(*xmlPart, xml.Token) error) error {
	x, err := w.openPart(part)
	if err != nil {
		return err
	}
	defer x.close()
	for {
		t, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(x, t)
		}
		if err != nil {
			return err
		}
	}
}

// Sheet reads the rows of one worksheet; it implements Reader. Rows that the sheet leaves out are left out, cells that
// it leaves out are empty. A formula counts as the value that was stored with it.
type Sheet struct {
	w    *Workbook
	name string
	xml  *xmlPart
	row  int
	done bool
}

// Sheet opens a worksheet by its name.
func (w *Workbook) Sheet(name string) (*Sheet, error) {
	for _, s := range w.sheets {
		if s.name != name {
			continue
		}
		x, err := w.openPart(s.part)
		if err != nil {
			return nil, err
		}
		return &Sheet{w: w, name: name, xml: x}, nil
	}
	visible, hidden := w.Sheets()
	return nil, fmt.Errorf("%s has no sheet %q; it has %s", w.file, name,
		strings.Join(quoted(append(visible, hidden...)), ", "))
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strconv.Quote(n)
	}
	return out
}

// Close ends the reading of the sheet. It may be called twice.
func (s *Sheet) Close() { s.xml.close() }

// Next implements Reader. Line is the row's number in the sheet.
func (s *Sheet) Next() (Row, error) {
	for !s.done {
		t, err := s.xml.next()
		if errors.Is(err, io.EOF) {
			s.done = true
			break
		}
		if err != nil {
			s.done = true
			return Row{}, err
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "row" {
			row, err := s.readRow(e)
			var bad *RowError
			if err != nil && !errors.As(err, &bad) {
				s.done = true
			}
			return row, err
		}
	}
	return Row{}, io.EOF
}

// readRow reads up to the end of the row, also of one that is refused.
func (s *Sheet) readRow(e xml.StartElement) (Row, error) {
	number := s.row + 1
	if r := attr(e, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n <= s.row {
			return Row{}, s.w.broken(s.xml.part, fmt.Sprintf("row %d is followed by a row %.20q", s.row, r))
		}
		number = n
	}
	s.row = number
	row := Row{File: s.w.file + "#" + s.name, Line: number, epoch: s.w.epoch}
	var refused *RowError
	size := 0
	refuse := func(reason string) {
		if refused == nil {
			refused = &RowError{File: row.File, Line: number, Code: CodeTooLarge, Reason: reason}
		}
	}
	column := 0
	for {
		t, err := s.xml.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = s.w.broken(s.xml.part, "a row does not end")
			}
			return Row{}, err
		}
		switch e := t.(type) {
		case xml.EndElement:
			if e.Name.Local == "row" {
				if refused != nil {
					return Row{}, refused
				}
				return row, nil
			}
		case xml.StartElement:
			if e.Name.Local != "c" {
				continue
			}
			column++
			if ref := attr(e, "r"); ref != "" {
				n, ok := columnOf(ref, number)
				if !ok || n < column {
					return Row{}, s.w.broken(s.xml.part, fmt.Sprintf("row %d holds a cell %.20q", number, ref))
				}
				column = n
			}
			text, numeric, err := s.readCell(attr(e, "t"), number)
			if err != nil {
				return Row{}, err
			}
			size += len(text)
			switch {
			case text == "":
			case column > s.w.limits.Columns:
				refuse(fmt.Sprintf("the row has more than %d cells", s.w.limits.Columns))
			case len(text) > s.w.limits.CellBytes:
				refuse(fmt.Sprintf("cell %d is longer than %d bytes", column, s.w.limits.CellBytes))
			case size > s.w.limits.RowBytes:
				refuse(fmt.Sprintf("the row is longer than %d bytes", s.w.limits.RowBytes))
			default:
				for len(row.Cells) < column {
					row.Cells = append(row.Cells, "")
					row.numeric = append(row.numeric, false)
				}
				row.Cells[column-1], row.numeric[column-1] = text, numeric
			}
		}
	}
}

// readCell reads up to the end of a cell.
func (s *Sheet) readCell(kind string, row int) (text string, numeric bool, err error) {
	var value, inline strings.Builder
	var into *strings.Builder
	phonetic := 0
	for {
		t, err := s.xml.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = s.w.broken(s.xml.part, "a cell does not end")
			}
			return "", false, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "c", "row", "sheetData":
				return "", false, s.w.broken(s.xml.part, fmt.Sprintf("row %d holds a cell within a cell", row))
			case "v":
				into = &value
			case "t":
				if phonetic == 0 {
					into = &inline
				}
			case "rPh":
				phonetic++
			}
		case xml.CharData:
			if into != nil {
				into.Write(e)
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "v", "t":
				into = nil
			case "rPh":
				phonetic--
			case "c":
				return s.cellText(kind, value.String(), inline.String(), row)
			}
		}
	}
}

func (s *Sheet) cellText(kind, value, inline string, row int) (text string, numeric bool, err error) {
	trimmed := strings.TrimSpace(value)
	switch kind {
	case "", "n":
		if _, err := strconv.ParseFloat(trimmed, 64); err != nil || strings.ContainsAny(trimmed, "xXpPiInN_") {
			return CleanCell(unescapeCell(value)), false, nil // some exporters write texts without their kind
		}
		return trimmed, true, nil
	case "s":
		if trimmed == "" || trimmed == "-1" { // empty cells of some exporters
			return "", false, nil
		}
		n, err := strconv.Atoi(trimmed)
		if err != nil || n < 0 || n >= len(s.w.shared) {
			return "", false, s.w.broken(s.xml.part, fmt.Sprintf("row %d names a text that the workbook does not hold", row))
		}
		return CleanCell(s.w.shared[n]), false, nil
	case "inlineStr":
		return CleanCell(unescapeCell(inline)), false, nil
	case "b":
		switch trimmed {
		case "":
			return "", false, nil
		case "1":
			return "TRUE", false, nil
		}
		return "FALSE", false, nil
	case "e": // #REF! and its like
		return "", false, nil
	case "str", "d":
		return CleanCell(unescapeCell(value)), false, nil
	}
	return "", false, s.w.broken(s.xml.part, fmt.Sprintf("row %d holds a cell of the unknown kind %.20q", row, kind))
}

// columnOf reads the column, from 1, of a cell reference such as "AB12", whose row must be the given one.
func columnOf(ref string, row int) (int, bool) {
	n, i := 0, 0
	for i < len(ref) && i < 3 && ref[i] >= 'A' && ref[i] <= 'Z' {
		n = n*26 + int(ref[i]-'A') + 1
		i++
	}
	r, err := strconv.Atoi(ref[i:])
	return n, i > 0 && err == nil && r == row
}
