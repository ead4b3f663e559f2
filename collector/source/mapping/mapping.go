package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
	_ "time/tzdata" // a mapping names IANA zones; a slim machine may have no zone files

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/source/tabular"
)

// Mapping says which columns of a table make which events. It is immutable and safe for concurrent use.
type Mapping struct {
	Name        string
	Description string
	Source      string // CloudEvents source of every event
	Center      string // code of the centre
	Several     bool   // a case may stand on several rows; see TakesLatest

	text        string // as it was read
	location    *time.Location
	ambiguous   policy
	nonexistent policy
	layout      tabular.Layout
	padShort    bool
	fields      []field
	order       []int // of evaluation: a field comes after the one it follows
	rules       []eventRule
	sequence    *sequence // nil when the order of rows means nothing
}

// eventRule is a compiled eventSpec.
type eventRule struct {
	typ      string // "call.received"
	subject  template
	id       template
	hasID    bool
	kind     string // "call"
	time     int
	required bool
	latest   bool // of several rows the latest is taken, else the earliest
	by       int  // field that tells which row is later, or -1 for the time of the event
	when     []condition
	data     []dataItem
	head     []byte // JSON from source to subject, the same for every event of the rule
}

// condition is one line of when; all must hold. Of a field exactly one of in, not_in (of the same texts, none of them
// empty) and empty: true holds; the empty text among the texts stands for the empty field.
type condition struct {
	field   int
	empty   *bool
	in      map[string]bool
	not     bool
	changed int // bit of the sequence that says whether the field has changed, or -1
}

// dataItem is one key of an event's data.
type dataItem struct {
	key  string
	kind dataKind
	tmpl []template // several for a list
	num  string     // a constant number, already JSON
}

type dataKind uint8

const (
	dataText dataKind = iota
	dataTime
	dataNumber
	dataInteger
	dataList
	dataCaller
)

// dataKeys are the keys that data may have. center is the mapping's own.
var dataKeys = map[string]dataKind{
	"caller": dataCaller, "agent": dataText, "queue": dataText, "position": dataText, "channel": dataText,
	"class": dataText, "category": dataText, "priority": dataText, "opd": dataText, "kecamatan": dataText,
	"reason": dataText, "result": dataText, "outcome": dataText, "calls": dataList, "master": dataText, "due": dataTime,
	"lat": dataNumber, "lon": dataNumber, "ring_ms": dataInteger, "wait_ms": dataInteger, "revision": dataInteger,
}

// codes returns the words of a key that is a closed list; nil for any other key.
func codes(key string) []string {
	switch key {
	case "class":
		return event.Classes()
	case "priority":
		return event.Priorities()
	case "outcome":
		return event.Outcomes()
	}
	return nil
}

// Load reads a mapping by the path of a file or by the name of a built-in one; builtin may be nil.
func Load(pathOrName string, builtin fs.FS) (*Mapping, error) {
	if builtin != nil && !strings.ContainsAny(pathOrName, "/.\\") {
		text, err := fs.ReadFile(builtin, path.Join(builtinFolder, pathOrName+".yaml"))
		if err == nil {
			return Parse(pathOrName+".yaml", text)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read built-in mapping %s: %w", pathOrName, err)
		}
	}
	text, err := os.ReadFile(pathOrName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no mapping %q: give the path of a YAML file or one of the built-in names: %s",
			pathOrName, strings.Join(Builtin(builtin), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	return Parse(pathOrName, text)
}

// builtinFolder is where the built-in mappings lie in the file system that Load is given.
const builtinFolder = "defaults/mappings"

// Builtin lists the names of the built-in mappings.
func Builtin(builtin fs.FS) []string {
	if builtin == nil {
		return nil
	}
	found, _ := fs.Glob(builtin, builtinFolder+"/*.yaml") // the pattern is well formed, the only error there is
	for i, f := range found {
		found[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	return found
}

// Parse reads a mapping. The error is yamlfile.Problems.
func Parse(name string, text []byte) (*Mapping, error) {
	c := &compiler{m: &Mapping{text: string(text)}, index: map[string]int{}}
	var err error
	if c.File, err = yamlfile.Read(name, text, maxMappingBytes, &c.spec); err != nil {
		return nil, err
	}
	c.compile()
	if err := c.Err(); err != nil {
		return nil, err
	}
	return c.m, nil
}

// Layout says where the table stands in a file.
func (m *Mapping) Layout() *tabular.Layout { return &m.layout }

// EventType is the type of the events of a rule, for example call.received.
func (m *Mapping) EventType(rule int) string { return m.rules[rule].typ }

// Day returns when the day of an instant begins and when the next one does, in the zone of the table; all are
// milliseconds since 1970.
func (m *Mapping) Day(ms int64) (from, to int64) {
	y, month, d := time.UnixMilli(ms).In(m.location).Date()
	return time.Date(y, month, d, 0, 0, 0, 0, m.location).UnixMilli(),
		time.Date(y, month, d+1, 0, 0, 0, 0, m.location).UnixMilli()
}

// Local returns an instant, milliseconds since 1970, in the zone of the table.
func (m *Mapping) Local(ms int64) time.Time { return time.UnixMilli(ms).In(m.location) }

// TakesLatest reports whether of several rows of a case the latest counts for a rule, else the earliest.
func (m *Mapping) TakesLatest(rule int) bool { return m.rules[rule].latest }

// IsDataKey reports whether key is one of an event's data and no attribute of the mapping's own.
func IsDataKey(key string) bool { _, ok := dataKeys[key]; return ok }

// WithSource returns the mapping with another CloudEvents source.
func (m *Mapping) WithSource(source string) *Mapping {
	other := *m
	other.Source = source
	other.rules = slices.Clone(m.rules)
	for i := range other.rules {
		other.rules[i].head = headOf(source, other.rules[i].typ)
	}
	return &other
}

// Version tells mappings apart: it changes with the text of the mapping and with its source.
func (m *Mapping) Version() string {
	sum := sha256.Sum256([]byte(m.text + "\x00" + m.Source))
	return hex.EncodeToString(sum[:8])
}

// compiler turns a spec into a Mapping and checks what the values mean.
type compiler struct {
	*yamlfile.File
	spec  spec
	m     *Mapping
	index map[string]int
}

// word checks a word against a list; the first is the default.
func (c *compiler) word(field, what, got string, allowed ...string) string {
	if got == "" {
		return allowed[0]
	}
	c.OneOf(field, what, got, allowed...)
	return got
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

func (c *compiler) compile() {
	s, m := &c.spec, c.m
	if s.Version != 1 {
		c.Wrong("version", fmt.Sprintf("version %d is not known", s.Version), "write version: 1")
	}
	for _, need := range []struct{ key, val string }{
		{"name", s.Name}, {"source", s.Source}, {"center", s.Center},
	} {
		if strings.TrimSpace(need.val) == "" {
			c.Wrong(need.key, "the value is missing", "every mapping names it")
		} else if len(need.val) > event.MaxSourceBytes {
			c.Wrong(need.key, "the value is longer than 128 bytes", "shorten it")
		}
	}
	m.Name, m.Description, m.Source, m.Center = s.Name, s.Description, s.Source, s.Center
	var zone yamlfile.Zone
	if err := zone.UnmarshalText([]byte(s.Timezone)); err != nil {
		c.Report("timezone", err)
	}
	m.location = zone.Location
	m.ambiguous = policy(c.word("ambiguous", "policy", s.Ambiguous, string(earlier), string(later), string(refuse)))
	m.nonexistent = policy(c.word("nonexistent", "policy", s.Nonexistent, string(shift), string(refuse)))
	m.layout.Encoding = tabular.Encoding(c.word("table.encoding", "encoding", strings.ToLower(s.Table.Encoding),
		string(tabular.UTF8), string(tabular.Windows1252)))
	m.Several = c.word("table.rows_per_case", "word", s.Table.RowsPerCase, "one", "several") == "several"
	m.padShort = c.word("table.short_rows", "word", s.Table.ShortRows, "refuse", "pad") == "pad"
	switch sep := c.word("table.separator", "separator", s.Table.Separator, "auto", ",", ";", "|", "tab"); sep {
	case "auto":
	case "tab":
		m.layout.Separator = '\t'
	default:
		m.layout.Separator = sep[0]
	}
	m.layout.HeaderRows = cmp.Or(s.Table.HeaderRows, 30)
	if m.layout.HeaderRows < 1 || m.layout.HeaderRows > 1000 {
		c.Wrong("table.header_rows", "the number is not between 1 and 1000",
			"it says how many rows are searched for the header")
	}
	m.layout.Sheets = s.Table.Sheets
	c.compileFields()
	c.compileSequence()
	if len(s.Events) == 0 || len(s.Events) > 100 {
		c.Wrong("events", fmt.Sprintf("there are %d events", len(s.Events)), "a mapping lists 1 to 100")
		return
	}
	for i := range s.Events {
		c.compileEvent(i)
	}
}

func (c *compiler) compileFields() {
	all := make([]string, 0, len(c.spec.Fields))
	for name := range c.spec.Fields {
		all = append(all, name)
	}
	sort.Strings(all)
	if len(all) == 0 || len(all) > 200 {
		c.Wrong("fields", fmt.Sprintf("there are %d fields", len(all)), "a mapping lists 1 to 200")
		return
	}
	for i, name := range all {
		c.index[name] = i
	}
	c.m.fields = make([]field, len(all))
	for i, name := range all {
		c.m.fields[i] = c.compileField(name, c.spec.Fields[name])
	}
	for _, f := range c.m.fields {
		for _, col := range f.columns {
			c.m.layout.Columns = append(c.m.layout.Columns, tabular.Column{Headers: col, Optional: f.optional})
		}
	}
	c.orderFields()
}

func (c *compiler) compileField(name string, s fieldSpec) field {
	at := "fields." + name
	f := field{
		name: name, follows: -1, plus: -1, required: s.Required, optional: s.Optional, join: " ", multiply: s.Multiply,
		roll: int64(time.Duration(s.RollDay) / time.Second), fold: s.IgnoreCase, firstOf: len(s.FirstOf) > 0,
	}
	given := 0
	for _, n := range []int{len(s.Column), len(s.Columns), len(s.FirstOf)} {
		given += min(n, 1)
	}
	if !fieldName.MatchString(name) {
		c.Wrong(at, "the name is not lower-case letters, digits and _", "rename the field")
	}
	switch {
	case s.Plus != "" && given > 0:
		c.Wrong(at, "a time with plus has no column of its own", "remove column, or plus")
	case s.Plus != "": // computed
	case given != 1:
		c.Wrong(at, "a field has exactly one of column, columns and first_of", "column names one column (or lists the "+
			"headers it may have), columns are joined, first_of takes the first that is filled")
	case len(s.Column) > 0:
		f.columns = []yamlfile.Texts{s.Column}
	default:
		for _, col := range append(s.Columns, s.FirstOf...) {
			f.columns = append(f.columns, yamlfile.Texts{col})
		}
	}
	for _, col := range f.columns {
		for _, head := range col {
			if tabular.NormalHeader(head) == "" {
				c.Wrong(at, "a column has an empty name", "write the header as it stands in the file")
			}
		}
	}
	if s.Join != nil {
		f.join = *s.Join
	}
	switch c.word(at+".type", "type", s.Type, "text", "time", "number", "phone", "duration") {
	case "time":
		f.kind = timeField
	case "number":
		f.kind = numberField
	case "phone":
		f.kind = phoneField
	case "duration":
		f.kind = durationField
	}
	if s.Plus != "" {
		n, ok := c.index[s.Plus]
		switch {
		case f.kind != timeField || s.Follows == "" || len(s.Formats) > 0:
			c.Wrong(at+".plus", "plus makes a time of the one that it follows and a duration",
				"write type: time, follows and plus, and no formats")
		case !ok || c.spec.Fields[s.Plus].Type != "duration":
			c.Wrong(at+".plus", fmt.Sprintf("there is no field %q with type: duration", s.Plus), "name one")
		default:
			f.plus = n
		}
	}
	if f.kind == timeField && len(s.Formats) == 0 && s.Plus == "" {
		c.Wrong(at+".formats", "a time lists no formats", `for example formats: ["dd/MM/yyyy HH:mm:ss"]`)
	}
	if f.kind != timeField && (len(s.Formats) > 0 || s.Follows != "" || s.RollDay != 0) {
		c.Wrong(at, "formats, follows and roll_day belong to type: time", "set the type or remove them")
	}
	for i, text := range s.Formats {
		p, err := compilePattern(text)
		if err != nil {
			c.Wrong(fmt.Sprintf("%s.formats[%d]", at, i), fmt.Sprintf("%q: %v", text, err), "docs/import.md lists the letters")
			continue
		}
		f.formats = append(f.formats, p)
	}
	if s.Follows != "" {
		n, ok := c.index[s.Follows]
		if !ok {
			c.Wrong(at+".follows", fmt.Sprintf("there is no field %q", s.Follows), "name another time field")
		} else {
			f.follows = n
		}
	}
	if s.Follows == "" && slices.ContainsFunc(f.formats, func(p *pattern) bool { return p.kind == clockOnly }) {
		c.Wrong(at+".formats", "clock needs follows, for the date", "name the time that comes before this one")
	}
	if s.RollDay != 0 && s.Follows == "" {
		c.Wrong(at+".roll_day", "roll_day needs follows", "name the time that comes before this one")
	}
	if s.NightShift != nil {
		f.night = c.compileNight(at+".night_shift", s.NightShift)
		if f.kind != timeField {
			c.Wrong(at+".night_shift", "night_shift belongs to type: time", "set the type or remove it")
		}
	}
	f.nulls = map[string]bool{"": true}
	for _, n := range slices.Concat(c.spec.Nulls, s.Nulls) {
		f.nulls[strings.TrimSpace(n)] = true
	}
	if (s.Values != nil || s.Otherwise != nil) && f.kind != textField {
		c.Wrong(at, "values and otherwise belong to type: text", "remove them")
	}
	if s.Values != nil {
		c.compileValues(at+".values", s.Values, &f)
	}
	f.unknown = "refuse"
	if s.Otherwise != nil {
		f.unknown = *s.Otherwise
		if s.Values == nil {
			c.Wrong(at+".otherwise", "otherwise needs values", "add the value map")
		}
		if _, both := s.Values["*"]; both {
			c.Wrong(at+".otherwise", `otherwise and the value "*" say the same`, "remove one of them")
		}
	}
	switch s.Decimal {
	case "", ".":
		f.decimal = '.'
	case ",":
		f.decimal = ','
	default:
		c.Wrong(at+".decimal", fmt.Sprintf("%q is no decimal sign", s.Decimal), `use "." or ","`)
	}
	return f
}

func (c *compiler) compileNight(at string, s *nightSpec) *nightShift {
	n := &nightShift{field: -1, in: map[string]bool{}}
	p := officeText{rest: s.Until}
	until, _, ok := p.clock()
	if !ok || until < 3600 || until > 12*3600 {
		c.Wrong(at+".until", fmt.Sprintf("%q is no end of a night shift", s.Until),
			`write a time of day from "01.00" to "12.00"`)
	}
	n.until = int64(until)
	for _, v := range s.In {
		n.in[strings.ToLower(strings.TrimSpace(v))] = true
	}
	if (s.Field == "") != (len(s.In) == 0) {
		c.Wrong(at, "field and in go together",
			"name the field that holds the shift and the words that mean the night shift, or neither")
	}
	if s.Field != "" {
		i, ok := c.index[s.Field]
		if !ok {
			c.Wrong(at+".field", fmt.Sprintf("there is no field %q", s.Field), "name a field with type: text")
			return n
		}
		if typ := c.spec.Fields[s.Field].Type; typ != "" && typ != "text" {
			c.Wrong(at+".field", "the field named is no text", "name a field with type: text")
		}
		n.field = i
	}
	return n
}

// orderFields sorts the fields so that each comes after those that it needs.
func (c *compiler) orderFields() {
	done := make([]bool, len(c.m.fields))
	for len(c.m.order) < len(c.m.fields) {
		before := len(c.m.order)
		for i, f := range c.m.fields {
			if !done[i] && (f.follows < 0 || done[f.follows]) && (f.plus < 0 || done[f.plus]) &&
				(f.night == nil || f.night.field < 0 || done[f.night.field]) {
				done[i] = true
				c.m.order = append(c.m.order, i)
				if f.follows >= 0 && c.m.fields[f.follows].kind != timeField {
					c.Wrong("fields."+f.name+".follows", "the field named is no time", "name a field with type: time")
				}
			}
		}
		if len(c.m.order) == before {
			for i, f := range c.m.fields {
				if !done[i] {
					c.Wrong("fields."+f.name+".follows", "fields follow each other in a circle", "break the circle")
					return
				}
			}
		}
	}
}

// Types returns the types of event that the mapping can make, without their prefix.
func (m *Mapping) Types() []string {
	out := make([]string, len(m.rules))
	for i := range m.rules {
		out[i] = m.rules[i].typ
	}
	return out
}
