package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// CSV reads rows as RFC 4180 describes them, with any one-byte separator and \n or \r\n line ends. Memory is bounded by
// Limits.RowBytes. A quote inside a cell that does not start with one is kept as it stands, as spreadsheets do; text
// behind a closing quote refuses the row. After a row that cannot be read, reading goes on at the line behind the one
// on which it started, so that a stray quote costs its own row and not the rest of the file.
type CSV struct {
	file   string
	src    io.Reader
	sep    byte
	limits Limits

	buf    []byte
	r, w   int // buf[r:w] is read and not yet used
	srcErr error
	line   int // line of buf[r]
	skip   bool
	cells  []cell // of the row at hand
}

// cell is the place of a cell within its row's bytes.
type cell struct {
	from, to int
	doubled  bool // holds doubled quotes
}

// NewCSV returns a reader of the rows of src, which must be UTF-8 without a byte order mark (see OpenText). file is the
// name that rows and errors carry.
func NewCSV(file string, src io.Reader, sep byte, limits Limits) *CSV {
	return &CSV{file: file, src: src, sep: sep, limits: limits.withDefaults(), line: 1}
}

var errNeedMore = errors.New("row goes on beyond the buffer")

// Next returns the next row, blank ones included.
func (c *CSV) Next() (Row, error) {
	if c.skip {
		if err := c.skipLine(); err != nil {
			return Row{}, err
		}
	}
	for {
		data := c.buf[c.r:c.w]
		if len(data) == 0 && c.srcErr != nil {
			return Row{}, c.end()
		}
		// No more than a longest row and one byte is looked at, so that what is refused, and why, does not depend on how
		// much of the file happens to be in memory.
		tooLong := len(data) > c.limits.RowBytes
		if tooLong {
			data = data[:c.limits.RowBytes+1]
		}
		end, size, err := c.scan(data, errors.Is(c.srcErr, io.EOF) && !tooLong)
		switch {
		case err == nil:
			return c.take(data[:end], size)
		case !errors.Is(err, errNeedMore):
			return c.refuse(CodeQuote, err.Error())
		case tooLong:
			return c.refuse(CodeTooLarge,
				fmt.Sprintf("the row is longer than %d bytes; is a quote not closed?", c.limits.RowBytes))
		case c.srcErr != nil && !errors.Is(c.srcErr, io.EOF):
			return Row{}, c.end()
		case errors.Is(c.srcErr, io.EOF):
			return c.refuse(CodeQuote, "a quote is opened and never closed")
		}
		c.fill()
	}
}

// scan finds the row at the start of data: where its text ends, how many bytes it takes with its line end, and its
// cells. It returns errNeedMore when data does not hold the whole row.
func (c *CSV) scan(data []byte, atEOF bool) (end, size int, err error) {
	c.cells = c.cells[:0]
	nl := bytes.IndexByte(data, '\n')
	if nl < 0 && !atEOF {
		return 0, 0, errNeedMore
	}
	end, size = nl, nl+1
	if nl < 0 {
		end, size = len(data), len(data)
	}
	if bytes.IndexByte(data[:end], '"') < 0 {
		end = trimCR(data, end)
		from := 0
		for {
			i := bytes.IndexByte(data[from:end], c.sep)
			if i < 0 {
				break
			}
			c.cells = append(c.cells, cell{from: from, to: from + i})
			from += i + 1
		}
		c.cells = append(c.cells, cell{from: from, to: end})
		return end, size, nil
	}
	return c.scanQuoted(data, atEOF)
}

// scanQuoted is scan for a row that holds a quote, the only kind that may go over several lines.
func (c *CSV) scanQuoted(data []byte, atEOF bool) (end, size int, err error) {
	i := 0
	for {
		if i < len(data) && data[i] == '"' {
			i++
			one := cell{from: i}
			for {
				q := bytes.IndexByte(data[i:], '"')
				if q < 0 {
					return 0, 0, errNeedMore
				}
				i += q + 1
				if i >= len(data) && !atEOF {
					return 0, 0, errNeedMore
				}
				if i < len(data) && data[i] == '"' {
					one.doubled = true
					i++
					continue
				}
				break
			}
			one.to = i - 1
			c.cells = append(c.cells, one)
			if i+1 < len(data) && data[i] == '\r' && data[i+1] == '\n' || i+1 == len(data) && data[i] == '\r' && atEOF {
				i++
			}
			switch {
			case i >= len(data):
				if !atEOF {
					return 0, 0, errNeedMore
				}
				return i, i, nil
			case data[i] == '\n':
				return i, i + 1, nil
			case data[i] == c.sep:
				i++
			case data[i] == '\r' && i+1 == len(data):
				return 0, 0, errNeedMore
			default:
				return 0, 0, errors.New("text follows a closing quote; a quote inside a quoted cell is written twice")
			}
			continue
		}
		from := i
		for i < len(data) && data[i] != c.sep && data[i] != '\n' {
			i++
		}
		switch {
		case i >= len(data) && !atEOF:
			return 0, 0, errNeedMore
		case i >= len(data) || data[i] == '\n':
			end = trimCR(data, i)
			c.cells = append(c.cells, cell{from: from, to: max(from, end)})
			return i, min(i+1, len(data)), nil
		}
		c.cells = append(c.cells, cell{from: from, to: i})
		i++
	}
}

func trimCR(data []byte, end int) int {
	if end > 0 && data[end-1] == '\r' {
		return end - 1
	}
	return end
}

// take turns the scanned row into a Row and moves behind it, also when the row is refused: its end is known.
func (c *CSV) take(text []byte, size int) (Row, error) {
	row := Row{File: c.file, Line: c.line}
	refuse := func(code Code, format string, args ...any) (Row, error) {
		return Row{}, &RowError{File: c.file, Line: row.Line, Code: code, Reason: fmt.Sprintf(format, args...)}
	}
	c.line += bytes.Count(c.buf[c.r:c.r+size], []byte{'\n'})
	c.r += size
	switch {
	case size > c.limits.RowBytes:
		return refuse(CodeTooLarge, "the row is longer than %d bytes", c.limits.RowBytes)
	case len(c.cells) > c.limits.Columns:
		return refuse(CodeTooLarge, "the row has more than %d cells", c.limits.Columns)
	case !utf8.Valid(text):
		return refuse(CodeEncoding, "the row is not valid UTF-8; a file saved by Excel on Windows is often windows-1252: "+
			"say so in the mapping (table.encoding)")
	case bytes.IndexByte(text, 0) >= 0:
		return refuse(CodeEncoding, "the row holds a NUL byte; is this a text file?")
	}
	whole := string(text)
	row.Cells = make([]string, len(c.cells))
	for i, p := range c.cells {
		if p.to-p.from > c.limits.CellBytes {
			return refuse(CodeTooLarge, "cell %d is longer than %d bytes", i+1, c.limits.CellBytes)
		}
		row.Cells[i] = whole[p.from:p.to]
		if p.doubled {
			row.Cells[i] = strings.ReplaceAll(row.Cells[i], `""`, `"`)
		}
		row.Cells[i] = CleanCell(row.Cells[i])
	}
	return row, nil
}

func (c *CSV) refuse(code Code, reason string) (Row, error) {
	c.skip = true
	return Row{}, &RowError{File: c.file, Line: c.line, Code: code, Reason: reason}
}

// skipLine moves behind the next line end.
func (c *CSV) skipLine() error {
	for {
		if i := bytes.IndexByte(c.buf[c.r:c.w], '\n'); i >= 0 {
			c.r += i + 1
			c.line++
			c.skip = false
			return nil
		}
		c.r = c.w
		if c.srcErr != nil {
			c.skip = false
			return c.end()
		}
		c.fill()
	}
}

func (c *CSV) end() error {
	if errors.Is(c.srcErr, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read %s near line %d: %w", c.file, c.line, c.srcErr)
}

// fill reads more of the source, after making room.
func (c *CSV) fill() {
	if c.r > 0 {
		copy(c.buf, c.buf[c.r:c.w])
		c.w -= c.r
		c.r = 0
	}
	if len(c.buf)-c.w < 32<<10 {
		grown := make([]byte, max(256<<10, 2*len(c.buf)))
		copy(grown, c.buf[:c.w])
		c.buf = grown
	}
	for range 100 { // a reader may return nothing a few times, not for ever
		n, err := c.src.Read(c.buf[c.w:])
		c.w += n
		if err != nil {
			c.srcErr = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	c.srcErr = io.ErrNoProgress
}
