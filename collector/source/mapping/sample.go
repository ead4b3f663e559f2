package mapping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/monev112/monev112/collector/source/tabular"
)

// sample is the header and the first rows of a table.
type sample struct {
	file   string
	sheet  string
	sep    byte
	enc    tabular.Encoding
	line   int
	header []string
	rows   []tabular.Row
	cols   map[string]int // of a role
	book   bool
	said   map[int]bool // columns of which a person said what they are
	unread int          // rows that could not be read, as in a wrong encoding
}

// CheckFile returns ErrCounts, with what was found, when a file that has not the header of a mapping (err says so)
// holds counts instead of cases. nil otherwise.
func CheckFile(ctx context.Context, path string, limits tabular.Limits, err error) error {
	var header *tabular.HeaderError
	if !errors.As(err, &header) {
		return nil
	}
	if _, err := takeSample(ctx, ProposeOptions{File: path, Limits: limits}); errors.Is(err, ErrCounts) {
		return err
	}
	return nil
}

func takeSample(ctx context.Context, o ProposeOptions) (*sample, error) {
	book, err := tabular.IsWorkbook(o.File)
	if err != nil {
		return nil, err
	}
	var best, widest *sample
	var counts error // a table of them
	consider := func(s *sample) {
		if s == nil {
			return
		}
		if widest == nil || len(s.header) > len(widest.header) {
			widest = s
		}
		if err := CheckCases(s.header, s.rows[:min(len(s.rows), lookedAt)]); err != nil {
			counts = err
			return
		}
		if s.complete(o) && (best == nil || len(s.cols) > len(best.cols) ||
			len(s.cols) == len(best.cols) && s.unread < best.unread) {
			best = s
		}
	}
	if book {
		w, err := tabular.OpenWorkbook(o.File, o.Limits)
		if err != nil {
			return nil, err
		}
		defer w.Close()
		visible, _ := w.Sheets()
		for _, name := range visible {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			sheet, err := w.Sheet(name)
			if err != nil {
				return nil, err
			}
			s, err := sampleOf(sheet)
			sheet.Close()
			if err != nil {
				return nil, err
			}
			if s != nil {
				s.sheet, s.book = name, true
			}
			consider(s)
		}
	} else {
		for _, enc := range []tabular.Encoding{tabular.UTF8, tabular.Windows1252} {
			for _, sep := range tabular.Separators() {
				src, err := tabular.OpenText(o.File, enc, o.Limits)
				if err != nil {
					return nil, err
				}
				s, err := sampleOf(tabular.NewCSV(o.File, src, sep, o.Limits))
				src.Close()
				if err != nil {
					return nil, err
				}
				if s != nil {
					s.sep, s.enc = sep, enc
				}
				consider(s)
			}
		}
	}
	if best == nil && counts != nil {
		return nil, fmt.Errorf("%s: %w", o.File, counts)
	}
	if best == nil {
		return widest, fmt.Errorf("%s: %w%s", o.File, ErrNoHeader, widest.seen(o))
	}
	best.file = o.File
	return best, nil
}

// seen says of each column of a table without a header that fits what its cells seem to be.
func (s *sample) seen(o ProposeOptions) string {
	if s == nil {
		return "; the file has no row with two cells"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "; line %d looks most like one, and its columns hold:", s.line)
	for i, h := range s.header {
		fmt.Fprintf(&b, "\n  %q: %s", Mask(oneLine(h), shownCode), s.content(i, o))
		if !s.named(i) {
			b.WriteString(", not usable without a header: write one into the file")
		}
	}
	return b.String()
}

// sampleOf finds the row whose cells name the most roles, a case number and a date among them.
func sampleOf(rows tabular.Reader) (*sample, error) {
	var head []tabular.Row
	unread := 0
	for len(head) < headerSearch+sampleRows {
		row, err := rows.Next()
		var bad *tabular.RowError
		if errors.As(err, &bad) {
			unread++
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		head = append(head, row)
	}
	var best *sample
	for i, row := range head[:min(len(head), headerSearch)] {
		cols, names := map[string]int{}, 0
		for c, cell := range row.Cells {
			if r := roleOf(cell); r != "" {
				if _, taken := cols[r]; !taken {
					cols[r] = c
				}
			}
			if text := oneLine(cell); text != "" && strings.ContainsFunc(text, unicode.IsLetter) {
				names++
			}
		}
		// Without a word that is known, the first row of names over other rows is the header.
		if names < 2 && steps(row.Cells, most) != byHour || best != nil && len(cols) <= len(best.cols) {
			continue
		}
		best = &sample{line: row.Line, header: row.Cells, cols: cols, rows: head[i+1:], unread: unread}
	}
	return best, nil
}

// complete finds, where the header's words do not say, the columns of case numbers and times by their cells, and
// reports whether both are there.
func (s *sample) complete(o ProposeOptions) bool {
	s.said = s.obey(o.Roles)
	used := maps.Clone(s.said)
	for _, at := range s.cols {
		used[at] = true
	}
	for i := range s.header {
		used[i] = used[i] || !s.named(i)
	}
	first := func(role, content string) {
		for i := range s.header {
			if _, has := s.cols[role]; !has && !used[i] && s.content(i, o) == content {
				s.cols[role], used[i] = i, true
			}
		}
	}
	has := func(role string) bool { _, ok := s.cols[role]; return ok }
	if !has("number") {
		first("number", ofIDs)
	}
	if !has("received_full") && !has("date") {
		if first("received_full", ofTimes); !has("received_full") {
			first("date", ofDates)
			first("received", ofClocks)
		}
	}
	return has("number") && (has("received_full") || has("date"))
}

// shown are the first rows as a person may see them who wants to say what the columns are.
func (s *sample) shown() (out [][]string) {
	for _, row := range s.rows[:min(len(s.rows), 5)] {
		cells := make([]string, min(len(row.Cells), len(s.header)))
		for i := range cells {
			cells[i] = Mask(shownCell(&row, i), shownText)
		}
		out = append(out, cells)
	}
	return out
}

// named reports whether a column has a header: a mapping cannot name one that has none.
func (s *sample) named(i int) bool { return tabular.NormalHeader(s.header[i]) != "" }

// obey gives columns the roles that a person says they have, and returns these columns.
func (s *sample) obey(roles map[string]string) map[int]bool {
	said := map[int]bool{}
	for i, h := range s.header {
		role, ok := roles[h]
		if !ok {
			continue
		}
		said[i] = true
		maps.DeleteFunc(s.cols, func(_ string, at int) bool { return at == i })
		if role != NoRole {
			s.cols[role] = i
		}
	}
	return said
}

// content says what the cells of column i are.
func (s *sample) content(i int, o ProposeOptions) string {
	return contentOf(s.header[i], s.column(i), o.Directory, o.Center)
}

// column returns what column i holds in the sample, without empty cells.
func (s *sample) column(i int) (out []string) {
	for _, r := range s.rows {
		if i < len(r.Cells) && !slices.Equal(r.Cells, s.header) {
			if c := oneLine(r.Cells[i]); c != "" && !slices.Contains(emptyWords, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// emptyWords are what exports write into a cell for nothing; the proposal lists them as nulls.
var emptyWords = []string{"-", "--", "N/A", "#N/A", "NULL"}
