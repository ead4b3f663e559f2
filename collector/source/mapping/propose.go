package mapping

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/source/tabular"
)

// ProposeOptions say what to propose a mapping for.
type ProposeOptions struct {
	File      string
	Name      string // of the mapping
	Source    string // CloudEvents source
	Center    string
	Timezone  string // IANA name
	Limits    tabular.Limits
	Directory *directory.Directory
}

// Proposal is a mapping that fits a file, as far as its header and first rows tell.
type Proposal struct {
	YAML    string
	Columns []ProposedColumn // in the order of the file
	Notes   []string         // what a person should look at
	Sheet   string           // of a workbook
	Line    int              // of the header
}

// ProposedColumn says what a column was taken for; Role is empty for one that is not used.
type ProposedColumn struct{ Header, Role string }

// ErrNoHeader is returned by Propose when no row looks like a header.
var ErrNoHeader = errors.New(
	"no row looks like a header: a table needs a column of case numbers and one of dates or times")

// sampleRows is how many rows are looked at; headerSearch how many may stand above the header.
const (
	sampleRows   = 1000
	headerSearch = 50
)

// words.yaml says what each is.
type words struct {
	Roles []struct {
		Name    string   `yaml:"name"`
		Headers []string `yaml:"headers"`
	} `yaml:"roles"`
	Classes map[string][]string `yaml:"classes"`
	Usual   []string            `yaml:"usual"`
}

//go:embed words.yaml
var wordsYAML []byte

var knownWords = sync.OnceValue(func() (w words) {
	if err := yaml.UnmarshalWithOptions(wordsYAML, &w, yaml.Strict()); err != nil {
		panic(fmt.Errorf("mapping: words.yaml: %w", err)) // part of the program
	}
	return w
})

// classOf is the class that a word of an export stands for, empty when it is not known.
func classOf(word string) string {
	for class, list := range knownWords().Classes {
		if slices.Contains(list, word) {
			return class
		}
	}
	if slices.Contains(event.Classes(), word) {
		return word
	}
	return ""
}

// plainHeader makes a header comparable with those of roles.
func plainHeader(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	}), " ")
}

func roleOf(header string) string {
	plain := plainHeader(header)
	for _, r := range knownWords().Roles {
		if slices.Contains(r.Headers, plain) {
			return r.Name
		}
	}
	return ""
}

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
}

// Propose reads a file's header and first rows and writes a mapping for it. It sends nothing and shows no cell but
// words that stand in for codes. What it could not tell is in Notes.
func Propose(ctx context.Context, o ProposeOptions) (Proposal, error) {
	s, err := takeSample(ctx, o)
	if err != nil {
		return Proposal{}, err
	}
	p := &proposer{o: o, s: s}
	text := strings.Builder{}
	if err := proposalText.Execute(&text, p.facts()); err != nil {
		return Proposal{}, err
	}
	out := Proposal{YAML: text.String(), Notes: p.notes, Sheet: s.sheet, Line: s.line}
	for i, h := range s.header {
		col := ProposedColumn{Header: h}
		for r, at := range s.cols {
			if at == i {
				col.Role = r
			}
		}
		out.Columns = append(out.Columns, col)
	}
	if _, err := Parse(o.Name+".yaml", []byte(out.YAML)); err != nil {
		return out, fmt.Errorf("the proposal has to be corrected by hand: %w", err)
	}
	return out, nil
}

func takeSample(ctx context.Context, o ProposeOptions) (*sample, error) {
	book, err := tabular.IsWorkbook(o.File)
	if err != nil {
		return nil, err
	}
	var best *sample
	consider := func(s *sample) {
		if s != nil && (best == nil || len(s.cols) > len(best.cols)) {
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
	if best == nil {
		return nil, fmt.Errorf("%s: %w", o.File, ErrNoHeader)
	}
	best.file = o.File
	return best, nil
}

// sampleOf finds the row whose cells name the most roles, a case number and a date among them.
func sampleOf(rows tabular.Reader) (*sample, error) {
	var head []tabular.Row
	for len(head) < headerSearch+sampleRows {
		row, err := rows.Next()
		var bad *tabular.RowError
		if errors.As(err, &bad) {
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
		cols := map[string]int{}
		for c, cell := range row.Cells {
			if r := roleOf(cell); r != "" {
				if _, taken := cols[r]; !taken {
					cols[r] = c
				}
			}
		}
		_, numbered := cols["number"]
		_, full := cols["received_full"]
		_, date := cols["date"]
		_, clock := cols["received"]
		if !numbered || !full && !(date && clock) && !date || best != nil && len(cols) <= len(best.cols) {
			continue
		}
		best = &sample{line: row.Line, header: row.Cells, cols: cols, rows: head[i+1:]}
	}
	return best, nil
}

type proposer struct {
	o     ProposeOptions
	s     *sample
	notes []string
}

func (p *proposer) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (p *proposer) has(role string) bool { _, ok := p.s.cols[role]; return ok }

func (p *proposer) head(role string) string {
	return strconv.Quote(strings.Join(strings.Fields(p.s.header[p.s.cols[role]]), " "))
}

// cells returns what a role's column holds in the sample.
func (p *proposer) cells(role string) []string {
	var out []string
	for _, r := range p.s.rows {
		if slices.Equal(r.Cells, p.s.header) {
			continue
		}
		if i, ok := p.s.cols[role]; ok && i < len(r.Cells) {
			if c := oneLine(r.Cells[i]); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// monthFirst reports whether the dates can only be read month first.
func (p *proposer) monthFirst(role string) bool {
	first, second := 0, 0
	for _, c := range p.cells(role) {
		parts := strings.FieldsFunc(c, func(r rune) bool { return r == '/' || r == '-' || r == ' ' })
		if len(parts) < 3 {
			continue
		}
		a, err1 := strconv.Atoi(parts[0])
		b, err2 := strconv.Atoi(parts[1])
		if err1 != nil || err2 != nil || a > 31 {
			continue
		}
		if a > 12 {
			first++
		}
		if b > 12 {
			second++
		}
	}
	return second > 0 && first == 0
}

//go:embed proposal.yaml.tmpl
var proposalTemplate string

// proposalText writes a mapping from facts.
var proposalText = texttemplate.Must(texttemplate.New("proposal").Funcs(texttemplate.FuncMap{"quote": strconv.Quote}).
	Parse(proposalTemplate))

// facts are what the template asks for. Columns are the headers of the roles that were found, quoted.
type facts struct {
	Name, Source, Center, Timezone string
	Windows1252                    bool
	Column                         map[string]string
	Formats                        string
	Night                          []string // words of the night shift, when its rows carry the date on which it began
	Shift                          bool     // the column tells the night shift from the others
	OwnDate                        map[string]bool
	DecimalComma                   bool
	Classes                        map[string]string
	Later                          string // the field to which classification and ticket are dated
}

// facts finds everything out, and notes what a person should look at.
func (p *proposer) facts() facts {
	f := facts{
		Name: p.o.Name, Source: p.o.Source, Center: p.o.Center, Timezone: p.o.Timezone,
		Windows1252: p.s.enc == tabular.Windows1252, Column: map[string]string{}, Formats: "[office]",
		OwnDate: map[string]bool{}, Later: "received",
	}
	for role := range p.s.cols {
		f.Column[role] = p.head(role)
	}
	date := "date"
	if p.has("received_full") {
		date = "received_full"
	}
	if p.monthFirst(date) {
		f.Formats = `["M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M/d/yyyy H.mm", "M/d/yyyy h:mm a", "M/d/yyyy h:mm:ss a"]`
		p.note("the dates of %s are read month before day: no day above 12 stands first", p.head(date))
	} else {
		p.note("the dates of %s are read day before month", p.head(date))
	}
	if p.has("shift") && !p.has("received_full") {
		words := p.nightWords()
		if f.Shift = len(words) > 0; f.Shift && p.nightMended(words) {
			f.Night = words
			p.note("rows of the night shift after midnight seem to carry the date on which the shift began: night_shift " +
				"moves them to the next day; remove it if that is wrong")
		}
	}
	for _, role := range []string{"answered", "ended"} {
		if p.has(role) {
			f.OwnDate[role] = !p.has("date") || p.fullTimes(role)
			f.Later = role
		}
	}
	f.DecimalComma = slices.ContainsFunc(p.cells("wait"), func(c string) bool { return strings.Contains(c, ",") })
	if p.has("class") {
		f.Classes = p.classes()
	}
	if f.Later != "ended" {
		p.note("no column says when the talk ended: classification and ticket are dated to the field %s", f.Later)
	}
	if !p.has("class") {
		p.note("no column says what kind of call it was: every call stays unclassified")
	}
	for i, h := range p.s.header {
		used := strings.TrimSpace(h) == ""
		for _, at := range p.s.cols {
			used = used || at == i
		}
		if !used {
			p.note("the column %s is not used", strconv.Quote(strings.Join(strings.Fields(h), " ")))
		}
	}
	return f
}

// fullTimes reports whether a column holds dates with its times.
func (p *proposer) fullTimes(role string) bool {
	full, all := 0, 0
	for _, c := range p.cells(role) {
		all++
		if v, err := strconv.ParseFloat(c, 64); err == nil && p.s.book {
			if v > 61 {
				full++
			}
			continue
		}
		if _, _, ok := parseOffice(c); ok {
			full++
		}
	}
	return full*2 > all
}

func (p *proposer) nightWords() []string {
	words := map[string]bool{}
	for _, c := range p.cells("shift") {
		if l := strings.ToLower(c); strings.Contains(l, "malam") || strings.Contains(l, "night") || l == "3" || l == "iii" ||
			strings.HasSuffix(l, " 3") {
			words[c] = true
		}
	}
	return slices.Sorted(maps.Keys(words))
}

// nightMended reports whether moving the night rows to the next day mends the order of the sample.
func (p *proposer) nightMended(words []string) bool {
	f := field{
		kind: timeField, formats: []*pattern{{text: "office", kind: officeForm}}, join: " ", follows: -1,
		nulls: map[string]bool{"": true, "-": true}, columns: []yamlfile.Texts{{"date"}, {"time"}},
	}
	m := (&Mapping{}).NewMapper(&Binding{})
	cols := []int{p.s.cols["date"], p.s.cols["received"]}
	if !p.has("received") {
		return false
	}
	m.zone.loc = time.UTC
	var o nightOrder
	for _, row := range p.s.rows {
		v, refused := f.read(m, row, cols, nil)
		if refused != nil || !v.set {
			continue
		}
		at := p.s.cols["shift"]
		if at < len(row.Cells) && slices.Contains(words, oneLine(row.Cells[at])) &&
			v.wall-floorDiv(v.wall, 86400)*86400 < 7*3600 {
			v.wall, v.moved = v.wall+86400, true
		}
		o.add(v, "")
	}
	return o.rows > 0 && min(o.backMoved, o.upMoved) < min(o.backWritten, o.upWritten)
}

// classes are the words of the class column that are known, and the usual ones.
func (p *proposer) classes() map[string]string {
	found := map[string]string{}
	unknown := map[string]int{}
	for _, c := range p.cells("class") {
		key := strings.ToLower(c)
		if class := classOf(key); class != "" {
			found[key] = class
		} else if c != "-" {
			unknown[Mask(key, shownCode)]++
		}
	}
	for _, word := range knownWords().Usual {
		found[word] = classOf(word)
	}
	for _, k := range slices.Sorted(maps.Keys(unknown)) {
		p.note("the class %q (%d rows of those looked at) is not known: add it to the values of class, its rows are "+
			"refused until then", k, unknown[k])
	}
	return found
}
