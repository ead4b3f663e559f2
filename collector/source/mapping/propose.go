package mapping

import (
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
			content := contentOf(s.column(i), o.Directory, o.Center)
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

// Meanings are what a word in the column of a role may mean; none for a role whose words are kept as they stand.
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
		p.contents = append(p.contents, contentOf(p.s.column(i), p.o.Directory, p.o.Center))
	}
	for i, content := range p.contents {
		role, free := used[i], used[i] == ""
		switch {
		case p.s.said[i]:
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

// facts are what the template asks for. Columns are the headers of the roles that were found, quoted.
type facts struct {
	Name, Source, Center, Timezone string
	Kind                           string
	Windows1252                    bool
	Several                        bool // a case stands on several rows
	Column                         map[string]string
	Used                           map[string]bool // roles that an event or a rule uses
	Formats                        map[string]string
	Night                          []string // words of the night shift, when its rows carry the date on which it began
	Shift                          bool     // the column tells the night shift from the others
	Times                          []string // roles of times after the first, in the order of a case's life
	OwnDate                        map[string]bool
	EndsAfter                      string // the time that lies a duration behind the first
	DecimalComma                   bool
	Classes, Priorities            map[string]string
	States                         map[string]string // of a log of states: its words, by the events that they stand for
	NewestFirst                    bool              // of a log of states: its rows stand in that order
	Later                          string            // the field to which classification and ticket are dated
}

// Calls and Tickets report what the events of a row are about.
func (f facts) Calls() bool   { return f.Kind != kindTickets && f.Kind != kindStates }
func (f facts) Tickets() bool { return f.Kind != kindCalls || f.Column["opd"] != "" }

// Pick says which of several rows of a case counts for an event.
func (f facts) Pick(role string) string {
	switch {
	case !f.Several:
		return ""
	case role == "resolved" || role == "closed" || role == "ended" || role == "class":
		return ", pick: latest"
	}
	return ", pick: earliest"
}

// StateEvents are the events that the words of a log of states stand for, in the order of a ticket's life.
func (f facts) StateEvents() (out []string) {
	for _, typ := range []string{
		"assigned", "acknowledged", "rejected", "departed", "arrived", "paused", "resumed", "resolved", "closed", "reopened",
	} {
		if slices.Contains(slices.Collect(maps.Values(f.States)), typ) && (typ != "assigned" || f.Column["opd"] != "") {
			out = append(out, typ)
		}
	}
	return out
}

// ticketTimes are the roles of a ticket's times in the order of its life, and their events.
var ticketTimes = []struct{ Role, Event string }{
	{"assigned", "assigned"}, {"acknowledged", "acknowledged"}, {"departed", "departed"}, {"arrived", "arrived"},
	{"resolved", "resolved"}, {"closed", "closed"},
}

// TicketTimes are the times of a ticket that the file has, but for its assignment.
func (f facts) TicketTimes() (out []struct{ Role, Event string }) {
	for _, t := range ticketTimes[1:] {
		if f.Column[t.Role] != "" || f.EndsAfter == t.Role {
			out = append(out, t)
		}
	}
	return out
}

// facts finds everything out, and notes what a person should look at.
func (p *proposer) facts() facts {
	p.tellEndFromResolved()
	f := facts{
		Name: p.o.Name, Source: p.o.Source, Center: p.o.Center, Timezone: p.o.Timezone, Kind: p.kind(),
		Windows1252: p.s.enc == tabular.Windows1252, Column: map[string]string{}, Formats: map[string]string{},
		OwnDate: map[string]bool{}, Later: "received", Used: map[string]bool{"number": true},
	}
	f.Several = distinct(p.cells("number")) < 0.9
	switch {
	case f.Several && p.changesState():
		f.Kind, f.States = kindStates, p.states()
		p.note("satu nomor ada di beberapa baris dengan %s yang berbeda: satu baris adalah satu perubahan status, dan hanya "+
			"yang berbeda dari baris sebelumnya yang menjadi kejadian",
			"a number stands in several rows with another %s: a row of this file is a change of state; it gives the event "+
				"that its word stands for, when it differs from the row before", p.head("status"))
	case f.Several:
		p.note("satu baris berkas ini tampaknya tentang "+kindID[f.Kind]+", dan satu nomor ada di beberapa baris, misalnya "+
			"satu "+
			"baris per unit: yang paling awal dihitung, untuk akhir yang paling akhir%.0s",
			"a row of this file seems to be about %s, and a case stands on several rows, as with a row for each unit: of "+
				"each event the earliest row counts, of an end the latest", f.Kind)
	default:
		p.note("satu baris berkas ini tampaknya tentang "+kindID[f.Kind]+"%.0s", "a row of this file seems to be about %s",
			f.Kind)
	}
	for role := range p.s.cols {
		f.Column[role] = p.head(role)
	}
	p.times(&f)
	if p.has("shift") && !p.has("received_full") {
		words := p.nightWords()
		if f.Shift = len(words) > 0; f.Shift && p.nightMended(words) {
			f.Night = words
			p.note("baris shift malam setelah tengah malam tampaknya memakai tanggal awal shift: baris itu dipindahkan ke hari "+
				"berikutnya", "rows of the night shift after midnight seem to carry the date on which the shift began: "+
				"night_shift "+
				"moves them to the next day; remove it if that is wrong")
		}
	}
	f.DecimalComma = slices.ContainsFunc(p.cells("wait"), func(c string) bool { return strings.Contains(c, ",") })
	if f.Kind == kindStates {
		f.Times, f.EndsAfter, f.Used["status"], f.NewestFirst = nil, "", true, p.newestFirst()
	}
	if p.has("class") && f.Calls() {
		f.Classes = p.classes()
	}
	if p.has("priority") && f.Tickets() {
		f.Priorities = p.priorities()
	}
	if f.Calls() && f.Later != "ended" {
		p.note("tidak ada kolom akhir bicara: jenis panggilan dan tiket memakai waktu %s", "no column says when the talk "+
			"ended: classification and ticket are dated to the field %s", f.Later)
	}
	if f.Calls() && !p.has("class") {
		p.note("tidak ada kolom jenis panggilan: semua panggilan tidak terklasifikasi",
			"no column says what kind of call it was: every call stays unclassified")
	}
	p.use(&f)
	for i := range p.s.header {
		if strings.TrimSpace(p.s.header[i]) == "" {
			continue
		}
		role := ""
		for r, at := range p.s.cols {
			if at == i {
				role = r
			}
		}
		if !f.Used[role] {
			whyID, why := p.why(i, role, f)
			p.note("kolom %s tidak dipakai: isinya tampaknya "+contentID[p.contents[i]]+"%.0s"+whyID+"%.0s",
				"the column %s is not used: it seems to hold %s%s", p.quoted(i), p.contents[i], why)
		}
	}
	return f
}

// why says why a column is not used, where that is known.
func (p *proposer) why(column int, role string, f facts) (indonesian, english string) {
	switch {
	case role == "status":
		return "; perjalanan kasus dibaca dari waktunya", "; what happened to a case is told by the times of its events"
	case role == "caller":
		return "; tiket tidak memuat penelepon", "; tickets carry no caller"
	case role == "lat" || role == "lon":
		return "; tempat dicatat pada tiket", "; a place belongs to a ticket"
	case role == "duration":
		return "; akhirnya punya kolom sendiri", "; the end has a column of its own"
	case role != "":
		return "; tidak ada kejadian untuk itu dalam berkas tentang " + kindID[f.Kind],
			"; it was taken for " + role + ", which an export of " + f.Kind + " has no event for"
	case p.contents[column] == ofTimes || p.contents[column] == ofClocks || p.contents[column] == ofDates:
		return "; bila itu waktu suatu kejadian, pilih artinya",
			"; if an event happens then, name the column in the mapping"
	}
	return "", ""
}

// kind tells by the columns that are there what a row is.
func (p *proposer) kind() string {
	ticket := slices.ContainsFunc(ticketTimes, func(t struct{ Role, Event string }) bool { return p.has(t.Role) })
	call := p.has("answered") || p.has("ended") || p.has("class") || p.has("wait")
	switch {
	case ticket && call:
		return kindBoth
	case ticket:
		return kindTickets
	}
	return kindCalls
}

// longestTalk is the length in seconds from which an end is that of the work and not of a talk.
const longestTalk = 30 * 60

// tellEndFromResolved settles what "Waktu Selesai" is: beside times of a ticket the end of the work, when half of the
// rows have it longer after the start than anybody talks or when nothing else of a call is there.
func (p *proposer) tellEndFromResolved() {
	at, has := p.s.cols["ended"]
	if !has || p.has("resolved") || p.s.said[at] {
		return
	}
	if !p.has("assigned") && !p.has("acknowledged") && !p.has("departed") && !p.has("arrived") {
		return
	}
	call := p.has("answered") || p.has("class") || p.has("wait")
	if long, n := p.longEnds(at); !call || n > 0 && 2*long > n {
		delete(p.s.cols, "ended")
		p.s.cols["resolved"] = at
		p.note("kolom %s dibaca sebagai akhir penanganan, bukan akhir bicara",
			"the column %s is taken for the end of the work, not of a talk", p.quoted(at))
	}
}

// longEnds counts the rows in which a column of full times lies longer than a talk after the first time.
func (p *proposer) longEnds(column int) (long, n int) {
	from, full := p.s.cols["received_full"]
	if !full {
		return 0, 0
	}
	office := pattern{kind: officeForm}
	for _, r := range p.s.rows {
		if from >= len(r.Cells) || column >= len(r.Cells) {
			continue
		}
		a, okA := office.parse(oneLine(r.Cells[from]))
		b, okB := office.parse(oneLine(r.Cells[column]))
		if okA && okB {
			if n++; b.wall-a.wall > longestTalk {
				long++
			}
		}
	}
	return long, n
}

// times chooses the formats of each time, and which have a date of their own.
func (p *proposer) times(f *facts) {
	date := "date"
	if p.has("received_full") {
		date = "received_full"
	}
	f.Formats["received"] = p.formats(date, "received")
	if strings.HasPrefix(f.Formats["received"], `["M/`) {
		p.note("tanggal di %s dibaca bulan lebih dahulu: tidak ada angka di atas 12 di depan",
			"the dates of %s are read month before day: no day above 12 stands first", p.head(date))
	} else {
		p.note("tanggal di %s dibaca hari lebih dahulu", "the dates of %s are read day before month", p.head(date))
	}
	if date == "date" && !p.has("received") {
		p.note("tidak ada kolom jam: semua dihitung dari tengah malam, dan lama tunggu tidak diketahui",
			"no column says at what time of day a row began: it counts from midnight, and no wait can be told")
	}
	for _, role := range []string{
		"answered", "ended", "assigned", "acknowledged", "departed", "arrived", "resolved", "closed",
	} {
		if !p.has(role) {
			continue
		}
		f.OwnDate[role] = !p.has("date") || p.fullTimes(role)
		if f.OwnDate[role] {
			f.Formats[role] = p.formats(role, "")
		} else {
			f.Formats[role] = p.formats("date", role)
		}
		f.Times = append(f.Times, role)
		if role == "answered" || role == "ended" {
			f.Later = role
		}
	}
	if p.has("duration") && share(p.cells("duration"), isDuration) >= most {
		switch {
		case f.Kind == kindTickets && !p.has("resolved"):
			f.EndsAfter = "resolved"
			if slices.ContainsFunc(p.cells("duration"), func(c string) bool {
				parts := strings.Split(c, ":")
				return len(parts) == 2 && allClock(parts)
			}) {
				p.note("lama di %s seperti 01:30 dibaca sebagai menit dan detik; bila maksudnya jam dan menit, tulis 01:30:00",
					"a duration of %s such as 01:30 is read as minutes and seconds; if hours and minutes are meant, write "+
						"01:30:00", p.head("duration"))
			}
		case f.Kind != kindTickets && !p.has("ended"):
			f.EndsAfter, f.Later = "ended", "ended"
		}
	}
}

// formats are the first of formatChoices that read a column, joined with a column of clocks where the two make a time.
func (p *proposer) formats(date, clock string) string {
	cells := p.cells(date)
	if i, ok := p.s.cols[clock]; ok && date == "date" {
		cells = nil
		for _, r := range p.s.rows {
			if at := p.s.cols[date]; at < len(r.Cells) && i < len(r.Cells) && oneLine(r.Cells[i]) != "" {
				cells = append(cells, oneLine(r.Cells[at])+" "+oneLine(r.Cells[i]))
			}
		}
	}
	bestShare, best := 0.0, formatChoices[0]
	for _, choice := range formatChoices {
		if s := share(cells, parsedBy(choice)); s > bestShare+0.01 {
			bestShare, best = s, choice
		}
	}
	if slices.Equal(best, formatChoices[0]) || !strings.HasPrefix(best[0], "M/") {
		return "[" + strings.Join(best, ", ") + "]"
	}
	return `["` + strings.Join(best, `", "`) + `"]`
}

// use notes which roles the template uses.
func (p *proposer) use(f *facts) {
	use := func(roles ...string) {
		for _, r := range roles {
			f.Used[r] = f.Column[r] != ""
		}
	}
	use(f.Times...)
	if use("received_full"); !f.Used["received_full"] {
		use("date", "received")
	} else if slices.ContainsFunc(f.Times, func(r string) bool { return !f.OwnDate[r] }) {
		use("date")
	}
	if f.Shift {
		use("shift")
	}
	if f.Calls() {
		use("caller", "class")
		if f.Column["answered"] != "" {
			use("wait")
		}
	}
	if f.Column["class"] != "" && f.Calls() || f.Tickets() {
		use("category")
	}
	use("district", "opd")
	if f.Tickets() {
		use("priority")
		if f.Column["lat"] != "" && f.Column["lon"] != "" {
			use("lat", "lon")
		}
	}
	f.Used["duration"] = f.EndsAfter != ""
	if !f.Calls() || f.Column["class"] == "" {
		f.Used["class"] = false
	}
}

// changesState reports whether the file is a log: most words of its column of states are known, and a case has several.
func (p *proposer) changesState() bool {
	known := share(p.cells("status"), func(c string) bool { return stateOf(c) != "" })
	at, ok := p.s.cols["status"]
	if !ok || known < few {
		return false
	}
	first := map[string]string{}
	for _, r := range p.s.rows {
		if n := p.s.cols["number"]; n < len(r.Cells) && at < len(r.Cells) {
			number, state := oneLine(r.Cells[n]), stateOf(oneLine(r.Cells[at]))
			if before, seen := first[number]; seen && before != state {
				return true
			}
			first[number] = state
		}
	}
	return false
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
