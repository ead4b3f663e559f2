package mapping

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"
	"unicode"
	"unicode/utf8"

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
	// Roles are what a person says of columns, by header: the name of a Role, or NoRole. They go before what is found.
	Roles map[string]string
	// Words are what a person says of words in a column, as "class:bercanda" = "prank"; also of priority and status.
	Words map[string]string
}

// NoRole is said of a column that is not to be used.
const NoRole = "-"

// Proposal is a mapping that fits a file, as far as its header and first rows tell.
type Proposal struct {
	YAML    string
	Kind    string           // what a row of the file is
	Columns []ProposedColumn // in the order of the file
	Notes   []string         // what a person should look at
	NotesID []string         // the same in Indonesian
	Unknown []UnknownWord    // words that stand in for codes and are not known
	Rows    [][]string       // the first rows, masked
	Sheet   string           // of a workbook
	Line    int              // of the header
}

// ProposedColumn says what a column was taken for. Role is empty for one that is not used; Content says what its cells
// seem to be, Indonesian is the same.
type ProposedColumn struct{ Header, Role, Content, Indonesian string }

// UnknownWord is a word in the column of a role that is not known, masked, and how many of the rows looked at have it.
// Key is empty for what is too long, or too much of a number, to be a code.
type UnknownWord struct {
	Role, Key, Shown string
	Rows             int
}

// ErrNoHeader is returned by Propose when no row looks like a header. What was seen in the columns is said with it.
var ErrNoHeader = errors.New(
	"no table was found: it needs a row of column names, a column of case numbers and one of dates or times")

// sampleRows is how many rows are looked at; headerSearch how many may stand above the header.
const (
	sampleRows   = 1000
	headerSearch = 50
)

// words.yaml says what each is.
type words struct {
	Roles   []Role              `yaml:"roles"`
	Classes map[string][]string `yaml:"classes"`
	States  map[string][]string `yaml:"states"`
	Usual   []string            `yaml:"usual"`
}

// Role is what a column may be taken for.
type Role struct {
	Name       string   `yaml:"name"`
	Indonesian string   `yaml:"indonesian"`
	English    string   `yaml:"english"`
	Headers    []string `yaml:"headers"` // how exports call it, in lower case without punctuation
}

// Roles returns all of them, the most usual first.
func Roles() []Role { return knownWords().Roles }

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
	if class := listed(knownWords().Classes, word); class != "" {
		return class
	}
	if slices.Contains(event.Classes(), word) {
		return word
	}
	return ""
}

// listed returns the key whose list has the word.
func listed(of map[string][]string, word string) string {
	for key, list := range of {
		if slices.Contains(list, word) {
			return key
		}
	}
	return ""
}

// begins returns the longest word of the lists with which a text of several words begins, and its key.
func begins(of map[string][]string, text string) (word, key string) {
	for k, list := range of {
		for _, w := range list {
			rest, ok := strings.CutPrefix(text, w)
			r, _ := utf8.DecodeRuneInString(rest)
			if ok && rest != "" && !unicode.IsLetter(r) && (len(w) > len(word) || len(w) == len(word) && k < key) {
				word, key = w, k
			}
		}
	}
	return word, key
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

// Propose reads a file's header and first rows and writes a mapping for it. It sends nothing and shows no cell but
// words that stand in for codes. What it could not tell is in Notes.
func Propose(ctx context.Context, o ProposeOptions) (Proposal, error) {
	if err := o.check(); err != nil {
		return Proposal{}, err
	}
	s, err := takeSample(ctx, o)
	if s == nil {
		return Proposal{}, err
	}
	if wrong := o.fits(s.header); wrong != nil {
		return Proposal{}, wrong
	}
	if err != nil { // what the columns hold, for a person who says what they are
		out := Proposal{Sheet: s.sheet, Line: s.line, Rows: s.shown()}
		for i, h := range s.header {
			content := s.content(i, o)
			out.Columns = append(out.Columns, ProposedColumn{Header: h, Content: content, Indonesian: contentID[content]})
		}
		return out, err
	}
	p := &proposer{o: o, s: s}
	p.assign()
	f := p.facts()
	text := strings.Builder{}
	if err := proposalText.Execute(&text, f); err != nil {
		return Proposal{}, err
	}
	out := Proposal{YAML: text.String(), Kind: f.Kind, Notes: p.notes, NotesID: p.notesID, Unknown: p.unknown,
		Rows: s.shown(), Sheet: s.sheet, Line: s.line}
	for i, h := range s.header {
		col := ProposedColumn{Header: h, Content: p.contents[i], Indonesian: contentID[p.contents[i]]}
		for r, at := range s.cols {
			if at == i && f.Used[r] {
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

// check refuses what a person says of columns and words when it is none of what could be said.
func (o *ProposeOptions) check() error {
	for head, role := range o.Roles {
		if tabular.NormalHeader(head) == "" && role != NoRole {
			return fmt.Errorf("a column without a header is said to be %q: write a header into the file first", role)
		}
		if role != NoRole && !slices.ContainsFunc(Roles(), func(r Role) bool { return r.Name == role }) {
			return fmt.Errorf("the column %q is said to be %q, which is none of the roles of columns", head, role)
		}
	}
	for word, means := range o.Words {
		role, _, _ := strings.Cut(word, ":")
		if !slices.Contains(Meanings(role), means) {
			return fmt.Errorf("%q is said to mean %q, which is none of %v", word, means, Meanings(role))
		}
	}
	return nil
}

// fits refuses what is said of columns that the file has not, and a role that two columns are said to have.
func (o *ProposeOptions) fits(header []string) error {
	taken := map[string]string{}
	for _, head := range slices.Sorted(maps.Keys(o.Roles)) {
		role := o.Roles[head]
		if !slices.Contains(header, head) {
			return fmt.Errorf("the file has no column %q", head)
		}
		if other, twice := taken[role]; twice && role != NoRole {
			return fmt.Errorf("the columns %q and %q are both said to be %q; one of them only", other, head, role)
		}
		taken[role] = head
	}
	return nil
}

// Meanings returns the codes that a word in the column of a role may stand for; none for a role whose words are kept as
// they are.
func Meanings(role string) []string {
	switch role {
	case "class":
		return event.Classes()
	case "priority":
		return event.Priorities()
	case "status":
		return slices.Sorted(maps.Keys(knownWords().States))
	}
	return nil
}

type proposer struct {
	o        ProposeOptions
	s        *sample
	contents []string // of each column
	notes    []string
	notesID  []string
	unknown  []UnknownWord
}

// assign gives roles to columns whose cells say what their header does not, and takes them where cells contradict it.
func (p *proposer) assign() {
	used := map[int]string{}
	for role, at := range p.s.cols {
		used[at] = role
	}
	for i := range p.s.header {
		p.contents = append(p.contents, p.s.content(i, p.o))
	}
	for i, content := range p.contents {
		role, free := used[i], used[i] == ""
		switch {
		case p.s.said[i] || !p.s.named(i):
		case content == ofClasses && !p.has("class") && (free || role == "category" || role == "priority"):
			p.give(i, role, "class")
		case content == ofOPDs && !p.has("opd") && free:
			p.give(i, role, "opd")
		case content == ofDistricts && !p.has("district") && free:
			p.give(i, role, "district")
		case content == ofCategory && !p.has("category") && (free || role == "class"):
			p.give(i, role, "category")
		case content == ofPhones && !p.has("caller") && free:
			p.give(i, role, "caller")
		}
	}
}

func (p *proposer) give(column int, from, to string) {
	if from != "" {
		delete(p.s.cols, from)
	}
	p.s.cols[to] = column
	p.note("kolom %s dibaca sebagai %s menurut isinya", "the column %s is taken for %s by what its cells hold",
		p.quoted(column), to)
}

func (p *proposer) quoted(column int) string {
	return strconv.Quote(strings.Join(strings.Fields(p.s.header[column]), " "))
}

// note says it in both languages; the arguments are those of both. What was said is not said again.
func (p *proposer) note(indonesian, english string, args ...any) {
	if text := fmt.Sprintf(english, args...); !slices.Contains(p.notes, text) {
		p.notes, p.notesID = append(p.notes, text), append(p.notesID, fmt.Sprintf(indonesian, args...))
	}
}

func (p *proposer) has(role string) bool { _, ok := p.s.cols[role]; return ok }

func (p *proposer) head(role string) string { return p.quoted(p.s.cols[role]) }

// cells returns what a role's column holds in the sample.
func (p *proposer) cells(role string) []string {
	if i, ok := p.s.cols[role]; ok {
		return p.s.column(i)
	}
	return nil
}

//go:embed proposal.yaml.tmpl
var proposalTemplate string

// proposalText writes a mapping from facts.
var proposalText = texttemplate.Must(texttemplate.New("proposal").Funcs(texttemplate.FuncMap{"quote": strconv.Quote}).
	Parse(proposalTemplate))

// Kinds of files, by what a row is.
const (
	kindCalls   = "calls"
	kindTickets = "tickets"
	kindBoth    = "calls with their tickets"
	kindStates  = "the states of tickets"
)

var kindID = map[string]string{
	kindCalls: "panggilan", kindTickets: "tiket", kindBoth: "panggilan dengan tiketnya", kindStates: "status tiket",
}

// ticketTimes are the roles of a ticket's times in the order of its life, and their events.
var ticketTimes = []struct{ Role, Event string }{
	{"assigned", "assigned"}, {"acknowledged", "acknowledged"}, {"departed", "departed"}, {"arrived", "arrived"},
	{"resolved", "resolved"}, {"closed", "closed"},
}

// longestTalk is the length in seconds from which an end is that of the work and not of a talk.
const longestTalk = 30 * 60

// changesState reports whether the file is a log: most words of its column of states are known, and a case has several.
// A case with several callers has calls on its rows.
func (p *proposer) changesState() bool {
	if p.has("answered") || p.has("wait") {
		return false
	}
	known := share(p.cells("status"), func(c string) bool { return stateOf(c) != "" })
	if !p.has("status") || known < few {
		return false
	}
	changed, states, callers := false, map[string]string{}, map[string]string{}
	for _, r := range p.s.rows {
		cell := func(role string) string {
			if i, ok := p.s.cols[role]; ok && i < len(r.Cells) {
				return oneLine(r.Cells[i])
			}
			return ""
		}
		number, state, caller := cell("number"), stateOf(cell("status")), cell("caller")
		if before, seen := states[number]; seen && before != state {
			changed = true
		}
		states[number] = state
		if before := callers[number]; before != "" && caller != "" && before != caller {
			return false
		}
		callers[number] = cmp.Or(caller, callers[number])
	}
	return changed
}

// newestFirst reports whether the first row of the file is later than its last.
func (p *proposer) newestFirst() bool {
	cells := append(p.cells("received_full"), p.cells("date")...)
	for _, q := range []*pattern{{kind: isoForm}, {kind: officeForm}, {kind: officeDate}} {
		first, ok1 := q.parse(cells[0])
		last, ok2 := q.parse(cells[len(cells)-1])
		if ok1 && ok2 {
			return first.wall > last.wall
		}
	}
	return false
}

// stateOf is the event that a word of a log stands for, empty when it is not known.
func stateOf(cell string) string { return listed(knownWords().States, strings.ToLower(cell)) }

// states are the words of the column of states that are known. An unknown one is left out.
func (p *proposer) states() map[string]string {
	found := map[string]string{}
	p.words("status", found, stateOf, "status %q tidak dikenal: barisnya tidak dihitung sampai artinya dipilih (%d baris)",
		"the state %q is not known: add it to the values of state, or its rows say nothing (%d rows)")
	return found
}

// words finds out what each word of a role's column means: what a person says, else what is known. It notes the others.
func (p *proposer) words(role string, found map[string]string, known func(string) string, indonesian, english string) {
	unknown := map[string]int{}
	for word, means := range p.o.Words {
		if key, ok := strings.CutPrefix(word, role+":"); ok {
			found[key] = means
		}
	}
	for _, c := range p.cells(role) {
		key := strings.ToLower(c)
		if p.o.Words[role+":"+key] != "" {
			continue
		} else if code := known(c); code != "" {
			found[key] = code
		} else {
			unknown[key]++
		}
	}
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		if word, class := begins(knownWords().Classes, key); role == "class" && word != "" {
			found[word], found[word+"*"] = class, class
			continue
		}
		w := UnknownWord{Role: role, Shown: Mask(key, shownCode), Rows: unknown[key]}
		if utf8.RuneCountInString(key) <= shownCode && strings.Count(w.Shown, "#") < 5 {
			w.Key = key
		}
		p.unknown = append(p.unknown, w)
		p.note(indonesian, english, w.Shown, w.Rows)
	}
}

// priorityWords are how exports call priorities.
var priorityWords = map[string]string{
	"darurat": "darurat", "emergency": "darurat", "gawat darurat": "darurat", "tinggi": "darurat", "high": "darurat",
	"mendesak": "mendesak", "urgent": "mendesak", "sedang": "mendesak", "medium": "mendesak",
	"non darurat": "non_darurat", "non_darurat": "non_darurat", "rendah": "non_darurat", "low": "non_darurat",
	"biasa": "non_darurat", "normal": "non_darurat", "informasi": "informasi", "information": "informasi",
}

// priorities are the words of the priority column that are known. An unknown one is left out of its event.
func (p *proposer) priorities() map[string]string {
	found := map[string]string{}
	p.words("priority", found, func(c string) string { return priorityWords[strings.ToLower(c)] },
		"prioritas %q tidak dikenal dan tidak dicatat sampai artinya dipilih (%d baris)",
		"the priority %q is not known: add it to the values of priority, or it is left out (%d rows)")
	return found
}

// dated reads every time that has a date.
var dated = parsedBy([]string{
	"office", "iso", "office-date", "M/d/yyyy H:mm", "M/d/yyyy H:mm:ss", "M/d/yyyy h:mm a", "M/d/yyyy h:mm:ss a",
})

// clocks reports whether a role's column holds times of day.
func (p *proposer) clocks(role string) bool { return clocks(p.s.header[p.s.cols[role]], p.cells(role)) }

// fullTimes reports whether a column holds dates with its times.
func (p *proposer) fullTimes(role string) bool {
	if p.clocks(role) {
		return false
	}
	full, all := 0, 0
	for _, c := range p.cells(role) {
		all++
		if v, err := strconv.ParseFloat(c, 64); err == nil && p.s.book {
			if v > 61 {
				full++
			}
			continue
		}
		if dated(c) {
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
		kind: timeField, formats: []*pattern{{text: "office", kind: officeForm}}, join: " ", follows: -1, plus: -1,
		nulls: map[string]bool{"": true, "-": true}, columns: []yamlfile.Texts{{"date"}, {"time"}},
	}
	m := (&Mapping{}).NewMapper(&Binding{})
	cols := []int{p.s.cols["date"], p.s.cols["received"]}
	if !p.has("received") {
		return false
	}
	m.zone.loc = time.UTC
	if loc, err := time.LoadLocation(p.o.Timezone); err == nil {
		m.zone.loc = loc
	}
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
	for _, word := range knownWords().Usual {
		found[word] = classOf(word)
	}
	p.words("class", found, func(c string) string { return classOf(strings.ToLower(c)) },
		"jenis panggilan %q tidak dikenal: barisnya ditolak sampai artinya dipilih (%d baris dari yang dilihat)",
		"the class %q is not known: add it to the values of class, its rows are refused until then (%d of the rows looked "+
			"at)")
	return found
}
