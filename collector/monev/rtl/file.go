package rtl

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/event/form"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/source/tabular"
)

// SheetName is the sheet of a workbook with the recommendations, as a report writes and an import reads it.
const SheetName = "RTL"

// Column is one column of the sheet.
type Column struct {
	Header string // stable: an import finds the column by it
	Member string // of a record; empty for the id
}

// Columns are the columns of the sheet, in their order. A report may add columns of its own behind them: an import
// reads these alone.
var Columns = []Column{
	{"ID", ""}, {"Rekomendasi", event.RecordText}, {"Penanggung jawab", event.RecordOwner}, {"Rapat", event.RecordMonth},
	{"Batas waktu", event.RecordDue}, {"Status", event.RecordStatus}, {"Selesai", event.RecordCompleted},
	{"Indikator", event.RecordIndicator}, {"OPD", event.RecordOPD}, {"Kategori", event.RecordCategory},
	{"Prioritas", event.RecordPriority}, {"Kecamatan", event.RecordKecamatan}, {"Bulan dasar", event.RecordBaseline},
	{"Catatan", event.RecordRemarks},
}

// Cells returns the texts of r's row, in the order of Columns.
func (r *Recommendation) Cells() []string {
	record := r.Record()
	out := make([]string, len(Columns))
	for i, c := range Columns {
		out[i] = record[c.Member]
		if c.Member == "" {
			out[i] = r.ID
		}
	}
	return out
}

// clearMark in a cell or a YAML value clears a member; an empty cell leaves it as it is, so that last time's sheet
// takes nothing back that was written since.
const clearMark = "-"

// Entry is one recommendation of a file: what it sets, and where it stands.
type Entry struct {
	Place string // for people: "rtl.xlsx, sheet RTL, row 4"
	ID    string // empty: none is given
	Set   map[string]string
}

func (e *Entry) set(member, text string) {
	switch text = strings.TrimSpace(text); text {
	case "":
	case clearMark:
		e.Set[member] = ""
	default:
		e.Set[member] = text
	}
}

const maxFileBytes = 1 << 20

var limits = tabular.Limits{WorkbookBytes: 64 << 20, SharedBytes: 16 << 20, Columns: 200, CellBytes: 16 << 10}

// ReadFile reads recommendations from YAML or from the sheet RTL of a workbook, told apart by their first bytes. An
// entry without an id has that of NewID.
func ReadFile(path string) ([]Entry, error) {
	book, err := tabular.IsWorkbook(path)
	if err != nil {
		return nil, err
	}
	read := readYAML
	if book {
		read = readSheet
	}
	entries, err := read(path)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s holds no recommendation", path)
	}
	places := map[string]string{}
	for i := range entries {
		e := &entries[i]
		if e.ID == "" {
			if e.Set[event.RecordText] == "" {
				return nil, fmt.Errorf("%s: it has neither an id nor a text; give one of them", e.Place)
			}
			e.ID = NewID(e.Set[event.RecordMonth], e.Set[event.RecordText])
		}
		if at, twice := places[e.ID]; twice {
			return nil, fmt.Errorf("%s: %s is there twice, also at %s; leave one out", e.Place, e.ID, at)
		}
		places[e.ID] = e.Place
	}
	return entries, nil
}

type yamlEntry struct {
	ID        string `yaml:"id"`
	Text      string `yaml:"text"`
	Owner     string `yaml:"owner"`
	Month     string `yaml:"month"`
	Due       string `yaml:"due"`
	Status    string `yaml:"status"`
	Completed string `yaml:"completed"`
	Indicator string `yaml:"indicator"`
	OPD       string `yaml:"opd"`
	Category  string `yaml:"category"`
	Priority  string `yaml:"priority"`
	Kecamatan string `yaml:"kecamatan"`
	Baseline  string `yaml:"baseline"`
	Remarks   string `yaml:"remarks"`
}

func readYAML(path string) ([]Entry, error) {
	text, err := readAll(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		RTL []yamlEntry `yaml:"rtl"`
	}
	f, err := yamlfile.Read(path, text, maxFileBytes, &file)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for i, y := range file.RTL {
		field := fmt.Sprintf("rtl[%d]", i)
		e := Entry{Place: fmt.Sprintf("%s:%d", path, f.Line(field)), ID: y.ID, Set: map[string]string{}}
		for member, text := range map[string]string{
			event.RecordText: y.Text, event.RecordOwner: y.Owner, event.RecordMonth: y.Month, event.RecordDue: y.Due,
			event.RecordStatus: y.Status, event.RecordCompleted: y.Completed, event.RecordIndicator: y.Indicator,
			event.RecordOPD: y.OPD, event.RecordCategory: y.Category, event.RecordPriority: y.Priority,
			event.RecordKecamatan: y.Kecamatan, event.RecordBaseline: y.Baseline, event.RecordRemarks: y.Remarks,
		} {
			e.set(member, text)
		}
		out = append(out, e)
	}
	return out, nil
}

func readAll(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFileBytes+1)) // yamlfile says what is wrong with more
}

// table is a sheet whose header was found: its columns by their normal names. The first cell that cannot be read is
// kept in err.
type table struct {
	file, sheet string
	columns     map[string]int
	rows        []tabular.Row
	err         error
}

// errNoSheet is a workbook without the sheet that is asked for.
var errNoSheet = errors.New("no such sheet")

const (
	maxTitleRows = 30 // above the header
	maxSheetRows = 5000
)

// readTable reads a sheet of a workbook whose header has a column of that name.
func readTable(path, sheet, header string) (*table, error) {
	w, err := tabular.OpenWorkbook(path, limits)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	visible, _ := w.Sheets()
	if len(visible) == 0 {
		return nil, fmt.Errorf("%s holds no sheet: give a workbook (.xlsx) or YAML", path)
	}
	i := slices.IndexFunc(visible, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), sheet) })
	if i < 0 {
		return nil, fmt.Errorf("%w: %s has no sheet %s, but %s", errNoSheet, path, sheet, strings.Join(visible, ", "))
	}
	s, err := w.Sheet(visible[i])
	if err != nil {
		return nil, err
	}
	defer s.Close()
	t := &table{file: path, sheet: visible[i]}
	for n := 0; ; n++ {
		row, err := s.Next()
		var bad *tabular.RowError
		switch {
		case errors.Is(err, io.EOF):
			if t.columns == nil {
				return nil, fmt.Errorf("%s, sheet %s: no row has the column %s; keep the header as the report writes it", path,
					t.sheet,
					header)
			}
			return t, nil
		case errors.As(err, &bad):
			return nil, bad
		case err != nil:
			return nil, err
		}
		row.Cells = slices.Clone(row.Cells)
		switch {
		case t.columns != nil:
			if !slices.ContainsFunc(row.Cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
				continue
			}
			if t.rows = append(t.rows, row); len(t.rows) > maxSheetRows {
				return nil, fmt.Errorf("%s, sheet %s has more than %d rows", path, t.sheet, maxSheetRows)
			}
		case n < maxTitleRows:
			columns := map[string]int{}
			for i, c := range row.Cells {
				if name := tabular.NormalHeader(c); name != "" {
					if _, twice := columns[name]; !twice {
						columns[name] = i
					}
				}
			}
			if _, ok := columns[tabular.NormalHeader(header)]; ok {
				t.columns = columns
			}
		}
	}
}

// cell returns a cell of a row by the header of its column; empty where there is no such column.
func (t *table) cell(row *tabular.Row, header string) string {
	i, ok := t.columns[tabular.NormalHeader(header)]
	if !ok || i >= len(row.Cells) {
		return ""
	}
	return strings.TrimSpace(row.Cells[i])
}

func (t *table) place(row *tabular.Row) string {
	return fmt.Sprintf("%s, sheet %s, row %d", t.file, t.sheet, row.Line)
}

func readSheet(path string) ([]Entry, error) {
	t, err := readTable(path, SheetName, "Rekomendasi")
	if err != nil {
		return nil, err
	}
	var out []Entry
	for i := range t.rows {
		row := &t.rows[i]
		e := Entry{Place: t.place(row), ID: t.cell(row, "ID"), Set: map[string]string{}}
		for _, c := range Columns[1:] {
			text := t.cell(row, c.Header)
			switch c.Member {
			case event.RecordDue, event.RecordCompleted:
				text, err = dayOf(row, t.columns[tabular.NormalHeader(c.Header)], text)
			case event.RecordMonth, event.RecordBaseline:
				text, err = monthOf(row, t.columns[tabular.NormalHeader(c.Header)], text)
			case event.RecordStatus, event.RecordPriority, event.RecordIndicator:
				text = strings.ToLower(text)
			}
			if err != nil {
				return nil, fmt.Errorf("%s, column %s: %w", e.Place, c.Header, err)
			}
			e.set(c.Member, text)
		}
		out = append(out, e)
	}
	return out, nil
}

var dayLayouts = []string{
	time.DateOnly, "02/01/2006", "2/1/2006", "02-01-2006", "2 January 2006", "2006-01-02 15:04:05",
}

// dayOf reads a cell with a day: a date of the spreadsheet, or a text.
func dayOf(row *tabular.Row, column int, text string) (string, error) {
	if text == "" || text == clearMark {
		return text, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		if day, fault := row.DateText(column); fault == "" {
			text = day
		}
	}
	text, _, _ = strings.Cut(text, "T")
	english := text
	for i, name := range indonesian.Months {
		english = strings.Replace(english, name, time.Month(i+1).String(), 1)
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, english); err == nil {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", fmt.Errorf("%q is no day; write it as 2026-10-31", text)
}

// monthOf reads a cell with a month: 2026-10, or a date of it.
func monthOf(row *tabular.Row, column int, text string) (string, error) {
	if _, err := time.Parse("2006-01", text); err == nil || text == "" || text == clearMark {
		return text, nil
	}
	name, year, _ := strings.Cut(text, " ")
	if i := slices.IndexFunc(indonesian.Months[:], func(m string) bool {
		return strings.EqualFold(m, name)
	}); i >= 0 && len(year) == 4 {
		return fmt.Sprintf("%s-%02d", year, i+1), nil
	}
	day, err := dayOf(row, column, text)
	if err != nil {
		return "", fmt.Errorf("%q is no month; write it as 2026-10", text)
	}
	return day[:7], nil
}

// ReadForms reads the data of a month's forms from YAML (keys sdm, anggaran, skm) or from a workbook (sheets SDM,
// Anggaran, SKM). A form that the file does not have is not returned: its section is absent.
func ReadForms(path string) (out []form.Data, err error) {
	book, err := tabular.IsWorkbook(path)
	if err != nil {
		return nil, err
	}
	if book {
		out, err = formsOfWorkbook(path)
	} else {
		out, err = formsOfYAML(path)
	}
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has none of the sections sdm, anggaran and skm", path)
	}
	for _, f := range out {
		if err := f.Check(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.FormName(), err)
		}
	}
	return out, nil
}

type yamlForms struct {
	Staff []struct {
		Function string `yaml:"fungsi"`
		Count    int    `yaml:"jumlah"`
		Needed   *int   `yaml:"kebutuhan"`
		PerShift *int   `yaml:"per_sif"`
		Note     string `yaml:"keterangan"`
	} `yaml:"sdm"`
	Budget []struct {
		Code    string `yaml:"kode"`
		Item    string `yaml:"uraian"`
		Granted string `yaml:"pagu"`
		Spent   string `yaml:"realisasi"`
		Note    string `yaml:"keterangan"`
	} `yaml:"anggaran"`
	Survey *struct {
		Respondents int `yaml:"responden"`
		Answers     struct {
			U1 []int `yaml:"U1"`
			U2 []int `yaml:"U2"`
			U3 []int `yaml:"U3"`
			U4 []int `yaml:"U4"`
			U5 []int `yaml:"U5"`
			U6 []int `yaml:"U6"`
			U7 []int `yaml:"U7"`
			U8 []int `yaml:"U8"`
			U9 []int `yaml:"U9"`
		} `yaml:"unsur"`
	} `yaml:"skm"`
}

func formsOfYAML(path string) (out []form.Data, err error) {
	text, err := readAll(path)
	if err != nil {
		return nil, err
	}
	var y yamlForms
	f, err := yamlfile.Read(path, text, maxFileBytes, &y)
	if err != nil {
		return nil, err
	}
	if f.Has("sdm") {
		s := &form.Staff{}
		for _, r := range y.Staff {
			s.Rows = append(s.Rows, form.StaffRow(r))
		}
		out = append(out, s)
	}
	if f.Has("anggaran") {
		b := &form.Budget{}
		for i, r := range y.Budget {
			row := form.BudgetRow{Code: r.Code, Item: r.Item, Note: r.Note}
			for _, sum := range []struct {
				field, text string
				to          *int64
			}{{"pagu", r.Granted, &row.Granted}, {"realisasi", r.Spent, &row.Spent}} {
				if *sum.to, err = rupiah(sum.text); err != nil {
					f.Wrong(fmt.Sprintf("anggaran[%d].%s", i, sum.field), strconv.Quote(sum.text), "write whole rupiah, such as "+
						"1250000000")
				}
			}
			b.Rows = append(b.Rows, row)
		}
		out = append(out, b)
	}
	if y.Survey != nil {
		s := &form.Survey{Respondents: y.Survey.Respondents}
		a := &y.Survey.Answers
		for u, list := range [9][]int{a.U1, a.U2, a.U3, a.U4, a.U5, a.U6, a.U7, a.U8, a.U9} {
			if copy(s.Answers[u][:], list) != 4 || len(list) != 4 {
				f.Wrong(fmt.Sprintf("skm.unsur.U%d", u+1), fmt.Sprintf("%d numbers", len(list)),
					"give how many answered 1, 2, 3 and 4, such as [2, 10, 80, 58]")
			}
		}
		out = append(out, s)
	}
	return out, f.Err()
}

func formsOfWorkbook(path string) (out []form.Data, err error) {
	for _, read := range []func(string) (form.Data, error){staffSheet, budgetSheet, surveySheet} {
		f, err := read(path)
		switch {
		case errors.Is(err, errNoSheet):
		case err != nil:
			return nil, err
		default:
			out = append(out, f)
		}
	}
	return out, nil
}

func staffSheet(path string) (form.Data, error) {
	t, err := readTable(path, "SDM", "Fungsi")
	if err != nil {
		return nil, err
	}
	s := &form.Staff{}
	for i := range t.rows {
		row := &t.rows[i]
		some := func(header string) *int { // nil for an empty cell
			if t.cell(row, header) == "" {
				return nil
			}
			n := int(t.whole(row, header))
			return &n
		}
		s.Rows = append(s.Rows, form.StaffRow{Function: t.cell(row, "Fungsi"), Count: int(t.whole(row, "Jumlah")),
			Needed: some("Kebutuhan"), PerShift: some("Per sif"), Note: t.cell(row, "Keterangan")})
	}
	return s, t.err
}

func budgetSheet(path string) (form.Data, error) {
	t, err := readTable(path, "Anggaran", "Uraian")
	if err != nil {
		return nil, err
	}
	b := &form.Budget{}
	for i := range t.rows {
		row := &t.rows[i]
		b.Rows = append(b.Rows, form.BudgetRow{Code: t.cell(row, "Kode"), Item: t.cell(row, "Uraian"),
			Granted: t.whole(row, "Pagu"), Spent: t.whole(row, "Realisasi"), Note: t.cell(row, "Keterangan")})
	}
	return b, t.err
}

// surveySheet reads a row for each element, U1 to U9, with how many answered 1, 2, 3 and 4; a row Responden has how
// many were asked in the column 1, or it is the most answers of any element.
func surveySheet(path string) (form.Data, error) {
	t, err := readTable(path, "SKM", "Unsur")
	if err != nil {
		return nil, err
	}
	s := &form.Survey{}
	most := 0
	for i := range t.rows {
		row := &t.rows[i]
		name := strings.ToUpper(t.cell(row, "Unsur"))
		if name == "RESPONDEN" {
			s.Respondents = int(t.whole(row, "1"))
			continue
		}
		if len(name) < 2 || name[0] != 'U' || name[1] < '1' || name[1] > '9' || len(name) > 2 && name[2] != ' ' &&
			name[2] != '.' {
			t.wrong(fmt.Errorf("%s, column Unsur: %q; name the elements U1 to U9, and Responden", t.place(row), name))
			break
		}
		sum := 0
		for a, header := range []string{"1", "2", "3", "4"} {
			n := int(t.whole(row, header))
			s.Answers[name[1]-'1'][a] = n
			sum += n
		}
		most = max(most, sum)
	}
	if s.Respondents == 0 {
		s.Respondents = most
	}
	return s, t.err
}

// whole reads a cell with a whole number.
func (t *table) whole(row *tabular.Row, header string) int64 {
	text := t.cell(row, header)
	n, err := rupiah(text)
	if err != nil {
		t.wrong(fmt.Errorf("%s, column %s: %q is no whole number; write it in digits, such as 1250000000", t.place(row),
			header, text))
	}
	return n
}

func (t *table) wrong(err error) {
	if t.err == nil {
		t.err = err
	}
}

var (
	groupedNumber = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{3})+(,0+|,-)?$`)
	currency      = regexp.MustCompile(`(?i)^rp\.? ?`)
)

// rupiah reads a whole number from 0 as a spreadsheet holds it or as people write a sum of money.
func rupiah(text string) (int64, error) {
	s := currency.ReplaceAllString(strings.TrimSpace(text), "")
	if groupedNumber.MatchString(s) {
		s, _, _ = strings.Cut(s, ",")
		s = strings.ReplaceAll(s, ".", "")
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != math.Trunc(v) || v < 0 || v > form.MaxRupiah {
		return 0, errors.New("no whole number")
	}
	return int64(v), nil
}
