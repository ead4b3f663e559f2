package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zones must be there on a bare container too

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/monev112/monev112/collector/event"
)

// Limits of a directory file.
const (
	MaxFileBytes    = 16 << 20
	MaxCenters      = 1000
	MaxOPDs         = 256 // of one centre; each is a metric label
	MaxKecamatan    = 256 // of one centre
	MaxCategories   = 128 // of one centre
	MaxAliases      = 64  // of one name
	MaxProblems     = 20  // reported at once
	shiftStep       = 15 * time.Minute
	defaultTarget   = 15 * time.Second // NENA-STA-020
	defaultAbandon  = 5 * time.Second
	maxAnswerTarget = time.Hour
)

// Problem is one mistake in a file: where it stands and what would be right.
type Problem struct {
	File    string
	Line    int    // from 1; 0 when it is not known
	Field   string // path, for example centers[0].opds[3].scope; empty for the file as a whole
	Message string // what is wrong
	Remedy  string // what would be right
}

// Error is "file:line: field: message; remedy".
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// code is a text that may look like a number: 35.10 without quotes is the code 35.10, not the number 35.1.
type code string

// UnmarshalYAML takes the text as it stands in the file.
func (c *code) UnmarshalYAML(n ast.Node) error {
	switch n.Type() {
	case ast.StringType, ast.IntegerType, ast.FloatType:
		*c = code(n.GetToken().Value)
		return nil
	}
	return &yaml.SyntaxError{Message: "a code is plain text", Token: n.GetToken()}
}

type fileForm struct {
	Version       int          `yaml:"version"`
	DefaultCenter code         `yaml:"default_center"`
	Centers       []centerForm `yaml:"centers"`
}

type centerForm struct {
	Code       code            `yaml:"code"`
	Name       string          `yaml:"name"`
	Timezone   string          `yaml:"timezone"`
	Historical bool            `yaml:"historical"`
	Open       bool            `yaml:"open"`
	Population int             `yaml:"population"`
	Shifts     []string        `yaml:"shifts"`
	Answer     *answerForm     `yaml:"answer"`
	Policy     string          `yaml:"policy"`
	Calendar   string          `yaml:"calendar"`
	Suffixes   []string        `yaml:"suffixes"`
	Ambiguous  []ambiguousForm `yaml:"ambiguous"`
	OPDs       []opdForm       `yaml:"opds"`
	Kecamatan  []kecamatanForm `yaml:"kecamatan"`
	Categories []categoryForm  `yaml:"categories"`
}

type answerForm struct {
	Target  *int  `yaml:"target_seconds"`
	Display []int `yaml:"display_seconds"`
	Abandon *int  `yaml:"short_abandon_seconds"`
}

type ambiguousForm struct {
	Name    string `yaml:"name"`
	Meaning string `yaml:"meaning"`
}

type opdForm struct {
	ID      code     `yaml:"id"`
	Name    string   `yaml:"name"`
	Scope   string   `yaml:"scope"`
	Hours   string   `yaml:"hours"`
	Aliases []string `yaml:"aliases"`
}

type kecamatanForm struct {
	Code    code     `yaml:"code"`
	BPS     code     `yaml:"bps"`
	Name    string   `yaml:"name"`
	Lat     *float64 `yaml:"lat"`
	Lon     *float64 `yaml:"lon"`
	Aliases []string `yaml:"aliases"`
}

type categoryForm struct {
	ID        code     `yaml:"id"`
	Name      string   `yaml:"name"`
	Priority  string   `yaml:"priority"`
	OPD       code     `yaml:"opd"`
	Sensitive bool     `yaml:"sensitive"`
	Aliases   []string `yaml:"aliases"`
}

// Load reads a directory file; name is what errors call it. The error joins up to MaxProblems *Problem values. Unknown
// and repeated keys are mistakes.
func Load(name string, text []byte) (*Directory, error) {
	if len(text) > MaxFileBytes {
		return nil, &Problem{
			File: name, Message: fmt.Sprintf("%d bytes", len(text)),
			Remedy: fmt.Sprintf("a directory has at most %d", MaxFileBytes),
		}
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, SyntaxProblem(name, err, syntaxRemedy)
	}
	var form fileForm
	if err := yaml.UnmarshalWithOptions(text, &form, yaml.Strict()); err != nil {
		return nil, SyntaxProblem(name, err, syntaxRemedy)
	}
	l := &loader{file: name, tree: tree}
	d := l.directory(&form)
	if len(l.problems) > 0 {
		return nil, errors.Join(l.problems...)
	}
	return d, nil
}

const syntaxRemedy = "see the embedded default for every key and its form"

// SyntaxProblem returns what the YAML reader says of the file name as a Problem, with its line where err tells it.
func SyntaxProblem(name string, err error, remedy string) *Problem {
	p := &Problem{File: name, Message: err.Error(), Remedy: remedy}
	var at yaml.Error
	if errors.As(err, &at) {
		p.Message = at.GetMessage()
		if tok := at.GetToken(); tok != nil && tok.Position != nil {
			p.Line = tok.Position.Line
		}
	}
	return p
}

type loader struct {
	file     string
	tree     *ast.File
	problems []error
}

func (l *loader) wrong(field, message, remedy string) {
	switch {
	case len(l.problems) < MaxProblems:
		l.problems = append(l.problems,
			&Problem{File: l.file, Line: l.line(field), Field: field, Message: message, Remedy: remedy})
	case len(l.problems) == MaxProblems:
		l.problems = append(l.problems, &Problem{File: l.file, Message: "and more mistakes"})
	}
}

// line finds where a field stands; for a key that is missing, where the thing stands that should have it.
func (l *loader) line(field string) int {
	for field != "" {
		if path, err := yaml.PathString("$." + field); err == nil {
			if node, err := path.FilterFile(l.tree); err == nil && node != nil && node.GetToken() != nil {
				return node.GetToken().Position.Line
			}
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return 0
}

func (l *loader) directory(f *fileForm) *Directory {
	d := &Directory{
		defaultCenter: string(f.DefaultCenter), centers: make(map[string]*entry),
		bps: make(map[string]Kecamatan), kemendagri: make(map[string]Kecamatan),
	}
	if f.Version != 1 {
		l.wrong("version", fmt.Sprintf("version %d", f.Version), "write version: 1")
	}
	if len(f.Centers) == 0 {
		l.wrong("centers", "no centre", "list at least one with code, name and timezone")
	}
	if len(f.Centers) > MaxCenters {
		l.wrong("centers", fmt.Sprintf("%d centres", len(f.Centers)), fmt.Sprintf("at most %d", MaxCenters))
		return d
	}
	for i := range f.Centers {
		at := fmt.Sprintf("centers[%d]", i)
		c, code := &f.Centers[i], string(f.Centers[i].Code)
		e := l.center(at, c)
		if _, twice := d.centers[code]; twice {
			l.wrong(at+".code", fmt.Sprintf("the centre %q is listed twice", code), "give each centre a code of its own")
			continue
		}
		d.codes = append(d.codes, code)
		d.centers[code] = e
		for j, k := range e.kecamatan.list {
			atK := fmt.Sprintf("%s.kecamatan[%d]", at, j)
			if other, twice := d.kemendagri[k.Code]; twice {
				l.wrong(atK+".code", fmt.Sprintf("the code %s is also %s's", k.Code, other.Name),
					"every kecamatan has one code and belongs to one centre")
			}
			d.kemendagri[k.Code] = k
			if k.BPS == "" {
				continue
			}
			if other, twice := d.bps[k.BPS]; twice {
				l.wrong(atK+".bps", fmt.Sprintf("the code %s is also %s's", k.BPS, other.Name),
					"every kecamatan has one code and belongs to one centre")
			}
			d.bps[k.BPS] = k
		}
	}
	if f.DefaultCenter != "" {
		if e := d.centers[string(f.DefaultCenter)]; e == nil {
			l.wrong("default_center", fmt.Sprintf("no centre has the code %q", f.DefaultCenter),
				"write the code of a listed centre")
		} else if e.center.Historical {
			l.wrong("default_center", "it is historical", "events that name no centre belong to one that works")
		}
	}
	return d
}

func (l *loader) center(at string, f *centerForm) *entry {
	e := &entry{ambiguous: make(map[string]struct{})}
	c := &e.center
	*c = Center{
		Code: string(f.Code), Name: f.Name, Historical: f.Historical, Open: f.Open, Population: f.Population,
		AnswerTarget: defaultTarget, ShortAbandon: defaultAbandon, Policy: f.Policy, Calendar: f.Calendar,
	}
	l.id(at+".code", f.Code)
	l.name(at+".name", f.Name)
	var err error
	if c.Location, err = time.LoadLocation(f.Timezone); err != nil || f.Timezone == "" || f.Timezone == "Local" {
		l.wrong(at+".timezone", fmt.Sprintf("%q is no time zone", f.Timezone),
			"write its IANA name, for example Asia/Jakarta")
		c.Location = time.UTC
	}
	if f.Population < 0 {
		l.wrong(at+".population", "it is negative", "leave it out when it is not known")
	}
	l.shifts(at+".shifts", f.Shifts, c)
	l.answer(at+".answer", f.Answer, c)
	for i, a := range f.Ambiguous {
		field := fmt.Sprintf("%s.ambiguous[%d].name", at, i)
		if folded := fold(a.Name); l.name(field, a.Name) && folded != "" {
			e.ambiguous[folded] = struct{}{}
		}
	}
	for i, s := range f.Suffixes {
		if folded := fold(s); l.name(fmt.Sprintf("%s.suffixes[%d]", at, i), s) && folded != "" {
			e.suffixes = append(e.suffixes, folded)
		}
	}
	slices.SortStableFunc(e.suffixes, func(a, b string) int { return len(b) - len(a) })

	l.count(at+".opds", len(f.OPDs), MaxOPDs)
	for i, o := range f.OPDs {
		field := fmt.Sprintf("%s.opds[%d]", at, i)
		l.id(field+".id", o.ID)
		switch Scope(o.Scope) {
		case Own, Vertical:
		default:
			l.wrong(field+".scope", fmt.Sprintf("%q is no scope", o.Scope), "write own or vertical")
		}
		switch HoursMode(o.Hours) {
		case AllDay, OnCall, Working:
		default:
			l.wrong(field+".hours", fmt.Sprintf("%q is no mode of work", o.Hours), "write 24h, on_call or working")
		}
		if o.ID == Unknown {
			l.wrong(field+".id", "this word stands for what is not known", "choose another id")
		}
		add(l, e, &e.opds, field, OPD{string(o.ID), o.Name, Scope(o.Scope), HoursMode(o.Hours)}, string(o.ID), o.Name,
			o.Aliases)
	}
	l.count(at+".kecamatan", len(f.Kecamatan), MaxKecamatan)
	for i, k := range f.Kecamatan {
		field := fmt.Sprintf("%s.kecamatan[%d]", at, i)
		l.id(field+".code", k.Code)
		place := Kecamatan{Code: string(k.Code), BPS: string(k.BPS), Name: k.Name}
		if k.Lat == nil || k.Lon == nil || *k.Lat < -90 || *k.Lat > 90 || *k.Lon < -180 || *k.Lon > 180 {
			l.wrong(field+".lat", "no point within the kecamatan",
				"write lat and lon in degrees, for example lat: -7.4652, lon: 112.7482")
		} else {
			place.Lat, place.Lon = *k.Lat, *k.Lon
		}
		aliases := k.Aliases
		if k.BPS != "" {
			l.id(field+".bps", k.BPS)
			aliases = append([]string{string(k.BPS)}, aliases...)
		}
		add(l, e, &e.kecamatan, field, place, string(k.Code), k.Name, aliases)
	}
	l.count(at+".categories", len(f.Categories), MaxCategories)
	for i, k := range f.Categories {
		field := fmt.Sprintf("%s.categories[%d]", at, i)
		l.id(field+".id", k.ID)
		if k.Priority != "" && !slices.Contains(event.Priorities(), k.Priority) {
			l.wrong(field+".priority", fmt.Sprintf("%q is no priority", k.Priority),
				"write one of "+strings.Join(event.Priorities(), ", "))
		}
		if _, ok := e.opds.byID(string(k.OPD)); k.OPD != "" && !ok {
			l.wrong(field+".opd", fmt.Sprintf("no OPD of this centre has the id %q", k.OPD), "write the id of a listed OPD")
		}
		add(l, e, &e.categories, field, Category{string(k.ID), k.Name, k.Priority, string(k.OPD), k.Sensitive}, string(k.ID),
			k.Name, k.Aliases)
	}
	return e
}

func (l *loader) shifts(at string, list []string, c *Center) {
	for i, s := range list {
		t, err := time.Parse("15:04", s)
		start := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
		switch {
		case err != nil || start%shiftStep != 0:
			l.wrong(fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf("%q is no start of a shift", s),
				`write "HH:MM" in quotes, a multiple of 15 minutes, for example "07:00"`)
		case len(c.Shifts) > 0 && c.Shifts[len(c.Shifts)-1] >= start:
			l.wrong(fmt.Sprintf("%s[%d]", at, i), "it does not come after the one before",
				"write the starts of one day in ascending order")
		default:
			c.Shifts = append(c.Shifts, start)
		}
	}
}

func (l *loader) answer(at string, f *answerForm, c *Center) {
	if f == nil {
		c.Displays = []time.Duration{defaultTarget}
		return
	}
	seconds := func(field string, n int) time.Duration {
		d := time.Duration(n) * time.Second
		if n < 1 || d > maxAnswerTarget {
			l.wrong(field, fmt.Sprintf("%d seconds", n), "write whole seconds from 1 to 3600")
		}
		return d
	}
	if f.Target != nil {
		c.AnswerTarget = seconds(at+".target_seconds", *f.Target)
	}
	if f.Abandon != nil {
		if c.ShortAbandon = time.Duration(*f.Abandon) * time.Second; *f.Abandon < 0 || c.ShortAbandon > maxAnswerTarget {
			l.wrong(at+".short_abandon_seconds", fmt.Sprintf("%d seconds", *f.Abandon), "write whole seconds from 0 to 3600")
		}
	}
	for i, n := range f.Display {
		c.Displays = append(c.Displays, seconds(fmt.Sprintf("%s.display_seconds[%d]", at, i), n))
	}
	if len(c.Displays) == 0 {
		c.Displays = []time.Duration{c.AnswerTarget}
	}
	if !slices.IsSorted(c.Displays) {
		l.wrong(at+".display_seconds", "the targets are not in ascending order", "sort them")
	}
	if !slices.Contains(c.Displays, c.AnswerTarget) {
		l.wrong(at+".display_seconds", "the target itself is not among them", "add target_seconds to display_seconds")
	}
}

func (l *loader) count(field string, n, limit int) {
	if n > limit {
		l.wrong(field, fmt.Sprintf("%d entries", n), fmt.Sprintf("at most %d", limit))
	}
}

// id checks what becomes part of stored data and metric labels.
func (l *loader) id(field string, id code) {
	s := string(id)
	ok := s != "" && len(s) <= event.MaxCodeBytes
	for i := 0; i < len(s); i++ {
		c := s[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		l.wrong(field, fmt.Sprintf("%q is no code", s),
			"write letters, digits and . _ -, at most 64; quote what looks like a number")
	}
}

func (l *loader) name(field, s string) bool {
	if s == "" || len(s) > event.MaxNameBytes || strings.TrimSpace(s) != s {
		l.wrong(field, fmt.Sprintf("%q is no name", s), "write 1 to 128 bytes without spaces at the ends")
		return false
	}
	return true
}

// add enters one element under its id, name and aliases. Two elements may not share a name: the sources' word for one
// would be a guess.
func add[T any](l *loader, e *entry, n *names[T], field string, element T, id, name string, aliases []string) {
	if n.exact == nil {
		n.exact, n.fold = make(map[string]int), make(map[string]int)
	}
	index := len(n.list)
	n.list, n.ids = append(n.list, element), append(n.ids, id)
	l.name(field+".name", name)
	l.count(field+".aliases", len(aliases), MaxAliases)
	enter := func(where, word string) {
		folded := fold(word)
		if folded == "" {
			return
		}
		if _, ok := e.ambiguous[folded]; ok {
			l.wrong(where, fmt.Sprintf("%q is listed as ambiguous", word), "keep it in one of the two places")
			return
		}
		if other, ok := n.fold[folded]; ok && other != index {
			l.wrong(where, fmt.Sprintf("%q is also a name of %s", word, n.ids[other]),
				"one name means one thing: keep it in one place, or list it under ambiguous")
			return
		}
		n.exact[word], n.fold[folded] = index, index
	}
	enter(field, id)
	enter(field+".name", name)
	for i, a := range aliases {
		where := fmt.Sprintf("%s.aliases[%d]", field, i)
		if l.name(where, a) {
			enter(where, a)
		}
	}
}
