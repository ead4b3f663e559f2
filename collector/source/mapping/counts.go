package mapping

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/monev112/monev112/collector/source/tabular"
)

// ErrCounts is returned for a table whose rows are hours, days or months with counts. No call can be made of them.
var ErrCounts = errors.New("from counts nobody can tell which call waited how long, so no call is made up of them; " +
	"export the list that has a row for each call or ticket")

// hourForm is an hour of the day or a span of one, as recapitulations name them: 08, 08.00, Jam 8, 08:00 - 08:59, 00.00
// s/d 01.00, 7 PM.
var hourForm = regexp.MustCompile(`^(?:jam|pukul|pkl|hour|h)?[ .]*(?:ke)?[ -]*(\d{1,2})(?:[.:]00){0,2} ?(am|pm|wib)?` +
	`(?: ?(?:-|–|—|s/d|s\.d\.?|sd|sampai|hingga|to|until) ?\d{1,2}(?:[.:](?:00|59)){0,2} ?(?:am|pm|wib)?)?$`)

var hourHeader = regexp.MustCompile(`(?i)jam|hour|pukul|waktu|time|interval|periode`)

// totals begin the last rows of a recapitulation.
var totals = regexp.MustCompile(`(?i)^(grand )?(jumlah|total|rata|average|sum)`)

// period numbers the hour, day or month that a cell names, so that neighbours differ by one.
type period struct {
	unit string
	n    int64
}

// The units of periods.
const (
	byHour  = "hours"
	byDay   = "days"
	byMonth = "months"
)

var wholeTimes = []*pattern{{kind: officeForm}, {kind: isoForm}}

func periodOf(cell string) (period, bool) {
	low := strings.ToLower(cell)
	if m := hourForm.FindStringSubmatch(low); m != nil {
		if h, _ := strconv.Atoi(m[1]); h <= 24 {
			if m[2] == "pm" {
				h = h%12 + 12
			}
			return period{byHour, int64(h % 24)}, true
		}
	}
	for _, p := range wholeTimes {
		if st, ok := p.parse(cell); ok && st.wall%3600 == 0 && st.wall%86400 != 0 {
			return period{byHour, st.wall / 3600 % 24}, true
		}
	}
	if st, _, ok := parseOffice(cell, officeDate); ok {
		return period{byDay, st.wall / 86400}, true
	}
	name, year, _ := strings.Cut(low, " ")
	if m, ok := months[name]; ok && (year == "" || allDigits(year)) {
		y, _ := strconv.Atoi(year)
		return period{byMonth, int64(12*y + m)}, true
	}
	return period{}, false
}

// CheckCases refuses, with ErrCounts, a table that holds counts by hour, day or month instead of cases: a column steps
// from one period to the next, others hold numbers, and none names a case or a caller. Few rows suffice.
func CheckCases(header []string, rows []tabular.Row) error {
	if unit := steps(header, most); unit == byHour {
		return fmt.Errorf("the columns of this table are hours, with counts below them: %w", ErrCounts)
	}
	column, unit, counts := "", "", 0
	for i, head := range header {
		var cells []string
		for j := range rows {
			if c := shownCell(&rows[j], i); c != "" {
				cells = append(cells, c)
			}
		}
		// One step of six may fail, as from the end of one day to the first hour of the next, or to a row of totals.
		of := steps(cells, 5.0/6)
		if of == byHour && share(cells, allDigits) > few && !hourHeader.MatchString(head) {
			of = "" // 1, 2, 3 may count anything
		}
		switch {
		case roleOf(head) == "number" && !(plainHeader(head) == "id" && countsUp(cells)):
			return nil
		case of != "" && (unit == "" || of == byHour):
			column, unit = head, of
		case of != "", len(cells) == 0: // the date beside the hour
		case share(cells, namesCase) >= few, share(cells, phoneForm.MatchString) >= few:
			return nil
		case share(cells, isCount) >= most:
			counts++
		}
	}
	if unit == "" || counts == 0 {
		return nil
	}
	return fmt.Errorf("the rows of this table are %s (column %q) with counts, not calls or tickets: %w", unit,
		oneLine(column), ErrCounts)
}

// steps tells whether cells go from one period to the next, and of which unit.
func steps(cells []string, least float64) (unit string) {
	good, all := 0, 0
	var before period
	for _, c := range cells {
		p, ok := periodOf(oneLine(c))
		by := p.n - before.n
		switch {
		case totals.MatchString(c):
		case !ok:
			all++
		case before.unit == "":
		case p.unit == before.unit && (by == 1 || by == -1 || p.unit == byHour && (by == -23 || by == 23)):
			good++
			all++
		default:
			all++
		}
		if ok {
			before = p
		}
	}
	if good >= 2 && float64(good) >= least*float64(all) {
		return before.unit
	}
	return ""
}

// namesCase reports whether a cell may be the number of a case: with a letter and a digit, or five digits and more.
func namesCase(c string) bool {
	if _, isPeriod := periodOf(c); isPeriod || !idForm.MatchString(c) || dated(c) || isDuration(c) && !allDigits(c) {
		return false
	}
	return len(c) >= 5 && allDigits(c) || strings.ContainsFunc(c, unicode.IsLetter)
}

func isCount(c string) bool {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.NewReplacer(".", "", ",", "").Replace(c), "%"), 64)
	return err == nil && n >= 0 && len(c) < 8
}

// shownCell is a cell as a person sees it: a workbook's number that stands for a time as a time.
func shownCell(row *tabular.Row, i int) string {
	if i >= len(row.Cells) {
		return ""
	}
	if v, err := strconv.ParseFloat(row.Cells[i], 64); err == nil && row.IsNumber(i) && (v > 0 && v < 1 || v > 36525) {
		if text, fault := row.DateText(i); fault == "" {
			return text
		}
	}
	return oneLine(row.Cells[i])
}

// sampledRows gives the rows that were looked at before the others.
type sampledRows struct {
	tabular.Reader
	rows []tabular.Row
	errs []error
}

// Next returns what was looked at, then the rest.
func (s *sampledRows) Next() (tabular.Row, error) {
	if len(s.rows) == 0 {
		return s.Reader.Next()
	}
	row, err := s.rows[0], s.errs[0]
	s.rows, s.errs = s.rows[1:], s.errs[1:]
	return row, err
}

// lookedAt is how many rows CheckTable looks at.
const lookedAt = 100

// CheckTable is CheckCases for a table that is about to be read; the table that it returns gives every row.
func CheckTable(t tabular.Table) (tabular.Table, error) {
	s := &sampledRows{Reader: t.Reader}
	var good []tabular.Row
	for range lookedAt {
		row, err := t.Next()
		s.rows, s.errs = append(s.rows, row), append(s.errs, err)
		var refused *tabular.RowError
		if err == nil {
			good = append(good, row)
		} else if !errors.As(err, &refused) {
			break // the end, or what the reader will say again
		}
	}
	if err := CheckCases(t.Header.Cells, good); err != nil {
		return t, err
	}
	t.Reader = s
	return t, nil
}
