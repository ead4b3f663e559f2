package mapping

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/yamlfile"
	"github.com/monev112/monev112/collector/source/tabular"
)

// fieldKind says how the text of a field is read.
type fieldKind uint8

const (
	textField fieldKind = iota
	timeField
	numberField
	durationField // num in milliseconds
	phoneField
)

// field is a compiled fieldSpec: a named value taken from one column, or from several joined.
type field struct {
	name    string
	kind    fieldKind
	columns []yamlfile.Texts // one entry for each column; each lists the headers it may have
	join    string
	formats []*pattern
	nulls   map[string]bool
	firstOf bool              // the first column that is filled counts, instead of all joined
	values  map[string]string // nil when the text is kept
	globs   []glob            // of values, the most definite first
	fold    bool              // keys of values are in lower case
	// what happens to a value that values does not list: refuse, keep, empty or the value itself
	unknown  string
	required bool
	optional bool // the column may be absent
	names    bool // it names a case: two cases must not become one
	decimal  byte
	multiply float64
	follows  int         // index of the field that this time follows, or -1
	roll     int64       // seconds, see rollSpec
	plus     int         // index of the duration that this time lies behind the one that it follows, or -1
	night    *nightShift // nil when dates are those of the day
}

// nightShift says which times carry the date on which their shift began instead of their own: those before until, of
// the rows whose field holds one of in (any row without a field).
type nightShift struct {
	until int64 // seconds since midnight
	field int   // -1 for none
	in    map[string]bool
}

func (n *nightShift) covers(wall int64, all []value) bool {
	if wall-floorDiv(wall, 86400)*86400 >= n.until {
		return false
	}
	return n.field < 0 || all[n.field].set && n.in[strings.ToLower(all[n.field].text)]
}

// value is what a field says in one row.
type value struct {
	set  bool
	text string
	unix int64 // timeField: milliseconds since 1970 UTC
	wall int64 // timeField: local seconds, to compare with a time that has no date of its own
	num  float64

	moved bool // timeField: night_shift put it on the next day
}

// Notes counts what was read with a rule that the reader of a summary should know of.
type Notes struct {
	AmbiguousTimes   int // times in the hour that the clocks show twice
	NonexistentTimes int // times in the hour that the clocks skip, moved by the offset before it
	RolledDays       int // times moved to the next day because they follow another (roll_day)
	NightShift       int // times moved to the next day because the night shift carries the date on which it began
	LostCallers      int // callers' numbers that a spreadsheet has spoilt (8,12E+10) or that are no numbers
	RepairedCallers  int // callers' numbers that got back the 0 or the digits that a spreadsheet hides
	StepsBack        int // times before the one that they follow, by too little to be behind midnight: left as they are
	Unchanged        int // rows that give no event because they say what the row before them said
	RowOrder         int // times equal to that of another row of their case, moved by milliseconds into the rows' order
}

// Add adds the counts of o.
func (n *Notes) Add(o Notes) {
	n.AmbiguousTimes += o.AmbiguousTimes
	n.NonexistentTimes += o.NonexistentTimes
	n.RolledDays += o.RolledDays
	n.StepsBack += o.StepsBack
	n.RowOrder += o.RowOrder
	n.Unchanged += o.Unchanged
	n.NightShift += o.NightShift
	n.LostCallers += o.LostCallers
	n.RepairedCallers += o.RepairedCallers
}

// What may be shown of a cell in the rejects file, a message or a summary: never a digit, and of a text little more
// than its beginning, since a name or an address may stand where a code was expected.
const (
	shownCode = 20 // characters of a value that a value map should list
	shownText = 3  // characters of any other text
)

// Mask replaces every digit by # and cuts the text behind most characters.
func Mask(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == most {
			fmt.Fprintf(&b, "… (%d characters)", utf8.RuneCountInString(s))
			break
		}
		switch {
		case unicode.IsNumber(r):
			r = '#'
		case unicode.IsControl(r):
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// shape is Mask for a cell that should be a time or a number: letters become x, so that only the form is left.
func shape(s string) string {
	return Mask(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return 'x'
		}
		return r
	}, s), 40)
}

// read evaluates f in row. cols are the indexes of its columns, -1 for one that the table lacks. values holds the
// fields that come before it.
func (f *field) read(m *Mapper, row tabular.Row, cols []int, all []value) (value, *tabular.RowError) {
	if f.plus >= 0 {
		from, took := &all[f.follows], &all[f.plus]
		if !from.set || !took.set {
			return value{}, nil
		}
		v := value{set: true, unix: from.unix + int64(took.num), wall: from.wall + int64(took.num)/1000}
		return v, f.checkRange(row, v)
	}
	if f.firstOf {
		cols = f.firstFilled(row, cols)
	}
	raw, serials, present, lastEmpty := "", "", 0, false
	number, part, fault := false, false, ""
	for i, col := range cols {
		text := ""
		if col >= 0 && col < len(row.Cells) {
			text = oneLine(row.Cells[col])
		}
		if lastEmpty = f.nulls[text]; lastEmpty {
			continue
		}
		present++
		if i > 0 && raw != "" {
			raw += f.join
			serials += " "
		}
		raw += text
		if !row.IsNumber(col) {
			serials += text
			continue
		}
		number = true
		if f.kind == timeField {
			shown, wrong := row.DateText(col)
			serials += shown
			fault = cmp.Or(fault, wrong)
			part = part || strings.ContainsAny(text, ".E")
		}
	}
	if present < len(cols) && lastEmpty && f.kind == timeField {
		present = 0 // a date without a time of day says nothing about when: the column of dates serves several fields
	}
	if present == 0 {
		if mapped, ok := f.values[""]; ok {
			return value{set: mapped != "", text: mapped}, nil
		}
		if f.required {
			return value{}, f.refuse(row, CodeMissing, "the value is missing")
		}
		return value{}, nil
	}
	switch f.kind {
	case timeField:
		if present < len(cols) {
			return value{}, f.refuse(row, CodeTime,
				fmt.Sprintf("only %d of the %d parts of the time are given", present, len(cols)))
		}
		if !number {
			serials = ""
		}
		return f.readTime(m, row, raw, serials, part, fault, all)
	case numberField:
		decimal := f.decimal
		if number {
			decimal = '.' // as the file holds it, whatever the sign that the program shows
			if v, err := strconv.ParseFloat(raw, 64); err == nil {
				raw = strconv.FormatFloat(v, 'f', -1, 64)
			}
		}
		return f.readNumber(row, raw, decimal)
	case durationField:
		d, ok := parseDuration(raw)
		if number && len(cols) == 1 {
			if d, ok = numberDuration(raw); !ok {
				return value{}, f.refuse(row, CodeNumber,
					fmt.Sprintf("%q is neither days nor whole seconds: format the column as text", shape(raw)))
			}
		}
		if !ok {
			return value{}, f.refuse(row, CodeNumber, fmt.Sprintf("%q is no duration", shape(raw)))
		}
		return value{set: true, text: strconv.FormatInt(d, 10), num: float64(d)}, nil
	case phoneField:
		if number {
			raw = wholeNumber(raw)
		}
		phone, repaired, ok := repairPhone(raw)
		if !ok {
			m.Notes.LostCallers++
			return value{}, nil
		}
		if repaired {
			m.Notes.RepairedCallers++
		}
		return value{set: true, text: phone}, nil
	}
	if f.names && lostDigits(raw, number) {
		return value{}, f.refuse(row, CodeNumber, fmt.Sprintf("%q: the spreadsheet kept only the first digits, so that "+
			"several cases have this number: export it again, with the column formatted as text", shape(raw)))
	}
	if number {
		raw = wholeNumber(raw)
	}
	return f.readText(row, raw)
}

// exponent is how a spreadsheet shows a number that is wider than its column.
var exponent = regexp.MustCompile(`^[0-9]([.,][0-9]+)?E\+[0-9]{2,3}$`)

// lostDigits reports whether a text is a number of which a spreadsheet kept only the first digits. Of a number that a
// workbook holds the digits behind 2^53 are lost, however it is written.
func lostDigits(s string, number bool) bool {
	if number {
		v, err := strconv.ParseFloat(s, 64)
		return err == nil && math.Abs(v) >= 1<<53
	}
	if !strings.Contains(s, "E+") || !exponent.MatchString(s) {
		return false
	}
	mantissa, e, _ := strings.Cut(s, "E")
	_, shown := allShown(mantissa, e)
	return !shown
}

// wholeNumber writes a workbook's number without an exponent when it is whole: 8.123456789E10 is how a file holds what
// the program shows as 81234567890.
func wholeNumber(s string) string {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(v) >= 1<<53 || v != math.Trunc(v) {
		return s
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// oneLine trims a cell and makes one space of each run of white space that holds more than plain spaces: line ends and
// no-break spaces come from typing, and the collector rejects them.
func oneLine(s string) string {
	s = strings.TrimSpace(s)
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf {
			if strings.ContainsFunc(s[i:], func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }) {
				return strings.Join(strings.Fields(s), " ")
			}
			return s
		}
	}
	return s
}

func (f *field) refuse(row tabular.Row, code tabular.Code, reason string) *tabular.RowError {
	heads := make([]string, len(f.columns))
	for i, c := range f.columns {
		heads[i] = c[0]
	}
	return &tabular.RowError{File: row.File, Line: row.Line, Code: code, Column: strings.Join(heads, "+"), Reason: reason}
}

func (f *field) readText(row tabular.Row, raw string) (value, *tabular.RowError) {
	if f.values == nil {
		return value{set: true, text: raw}, nil
	}
	mapped, ok := f.mapped(raw)
	if !ok {
		switch f.unknown {
		case "refuse":
			return value{}, f.refuse(row, CodeValue, fmt.Sprintf("the value map does not list %q", Mask(raw, shownCode)))
		case "keep":
			mapped = raw
		case "empty":
			return value{}, nil
		default:
			mapped = f.unknown
		}
	}
	return value{set: mapped != "", text: mapped}, nil
}

// readTime reads raw by the formats. serials is raw with a workbook's numbers written as dates and times, empty where
// there are none; part says that one of these is no whole number, and fault what is wrong with one.
func (f *field) readTime(m *Mapper, row tabular.Row, raw, serials string, part bool, fault string, all []value) (value,
	*tabular.RowError) {
	var st stamp
	ok, clock := false, false
	shows := part && fault == "" // 0.25 is six o'clock, not 25 minutes past midnight; 1430 may be what was typed
	for _, text := range [...]string{raw, serials} {
		for _, p := range f.formats {
			if shows && text == raw && !p.kind.ofNumbers() {
				continue
			}
			if st, ok = p.parse(text); ok {
				clock = p.kind == clockOnly
				break
			}
			if p.kind == officeForm && fault == "" {
				_, fault, _ = parseOffice(text, officeForm)
			}
		}
		if ok || serials == "" {
			break
		}
	}
	if !ok && serials != "" && fault == "" {
		st, fault, ok = parseOffice(serials, officeForm)
	}
	switch {
	case !ok && fault != "":
		return value{}, f.refuse(row, CodeTime, fmt.Sprintf("%q: %s", shape(raw), fault))
	case !ok:
		return value{}, f.refuse(row, CodeTime, fmt.Sprintf("%q fits none of the formats %s", shape(raw), f.formatList()))
	}
	var after *value
	if f.follows >= 0 && all[f.follows].set {
		after = &all[f.follows]
	}
	if clock {
		if after == nil {
			return value{}, f.refuse(row, CodeTime, "a time of day alone needs the time that it follows, for its date")
		}
		st.wall += after.wall - after.wall%86400
	}
	if st.zone != 0 {
		st.wall += int64(m.zone.offsetAt(st.wall-st.zone)) - st.zone
	}
	v := value{set: true}
	if st.fixed {
		v.unix, v.wall = st.wall*1000+st.ms, st.wall+int64(m.zone.offsetAt(st.wall))
		return v, f.checkRange(row, v)
	}
	if f.night != nil && f.night.covers(st.wall, all) {
		st.wall += 86400
		v.moved = true
		m.Notes.NightShift++
	}
	if f.roll > 0 && after != nil && st.wall < after.wall {
		switch next := st.wall + 86400; {
		case next < after.wall:
			return value{}, f.refuse(row, CodeTime, "the time is more than a day before the one that it follows")
		case next-after.wall <= f.roll:
			st.wall = next
			m.Notes.RolledDays++
		default:
			m.Notes.StepsBack++
		}
	}
	when := m.zone.resolve(st.wall)
	chosen := when.first
	switch {
	case when.gap:
		if m.mapping.nonexistent == refuse {
			return value{}, f.refuse(row, CodeTime, "the local time never was: the clocks were put forward over it")
		}
		m.Notes.NonexistentTimes++
	case when.first != when.second:
		if m.mapping.ambiguous == refuse {
			return value{}, f.refuse(row, CodeTime, "the local time was shown twice: the clocks were put back")
		}
		m.Notes.AmbiguousTimes++
		if m.mapping.ambiguous == later || after != nil && when.first*1000+st.ms < after.unix {
			chosen = when.second
		}
	}
	v.unix, v.wall = chosen*1000+st.ms, st.wall
	return v, f.checkRange(row, v)
}

func (f *field) formatList() string {
	list := make([]string, len(f.formats))
	for i, p := range f.formats {
		list[i] = strconv.Quote(p.text)
	}
	return strings.Join(list, ", ")
}

// The times that the collector accepts. 1900-01-01 and 9999-12-31 are what databases write for "not known": a mapping
// that means them as empty lists them under nulls.
var (
	earliestMS = time.Date(event.MinYear, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	latestMS   = time.Date(event.MaxYear+1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

func (f *field) checkRange(row tabular.Row, v value) *tabular.RowError {
	if v.unix < 0 {
		return f.refuse(row, CodeTimeRange, fmt.Sprintf("the time lies in the year %d, before 1970: a clock that was not "+
			"set, "+
			"or what a database writes for an empty time (then list it under nulls)", time.UnixMilli(v.unix).UTC().Year()))
	}
	if v.unix < earliestMS || v.unix >= latestMS {
		return f.refuse(row, CodeTimeRange,
			fmt.Sprintf("the time is not between %d and %d; if it stands for an empty value, list it under nulls", event.MinYear,
				event.MaxYear))
	}
	return nil
}

func (f *field) readNumber(row tabular.Row, raw string, decimal byte) (value, *tabular.RowError) {
	text, ok := plainNumber(raw, decimal)
	n, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return value{}, f.refuse(row, CodeNumber,
			fmt.Sprintf("%q is not a number with %q as decimal sign", shape(raw), string(decimal)))
	}
	if f.multiply != 0 {
		n *= f.multiply
	}
	return value{set: true, text: text, num: n}, nil
}

// plainNumber rewrites a number to a point as decimal sign. Thousands are accepted where they stand in groups of three
// with the other sign; anything else is refused, because a guess would be off by a factor of a thousand.
func plainNumber(s string, decimal byte) (string, bool) {
	if whole, fraction, has := strings.Cut(strings.TrimPrefix(s, "-"), "."); decimal == '.' && allDigits(whole) &&
		(!has || allDigits(fraction)) {
		return s, true
	}
	thousands := byte(',')
	if decimal == ',' {
		thousands = '.'
	}
	whole, fraction, hasFraction := strings.Cut(s, string(decimal))
	sign := ""
	if whole != "" && (whole[0] == '-' || whole[0] == '+') {
		sign, whole = strings.TrimPrefix(whole[:1], "+"), whole[1:]
	}
	groups := strings.Split(whole, string(thousands))
	for i, g := range groups {
		if !allDigits(g) || i > 0 && len(g) != 3 || i == 0 && len(groups) > 1 && len(g) > 3 {
			return "", false
		}
	}
	if hasFraction && !allDigits(fraction) {
		return "", false
	}
	out := sign + strings.Join(groups, "")
	if hasFraction {
		out += "." + fraction
	}
	return out, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// repairPhone undoes what spreadsheets do to telephone numbers: an apostrophe in front, a lost leading 0, ".0" behind,
// and scientific notation as long as it shows every digit (8,1234567890E+10). 8,12E+10 has lost its digits and is not
// guessed. repaired says that the number was another text in the cell.
func repairPhone(s string) (number string, repaired, ok bool) {
	s = strings.TrimPrefix(s, "'")
	s = strings.TrimSuffix(s, ".0")
	if i := strings.IndexAny(s, "eE"); i > 0 {
		if s, ok = allShown(s[:i], s[i+1:]); !ok {
			return "", false, false
		}
		repaired = true
	}
	digits := make([]byte, 0, len(s))
	plus := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		case c == '+' && len(digits) == 0:
			plus = true
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')':
		default:
			return "", false, false
		}
	}
	if len(digits) < 3 || len(digits) > 17 {
		return "", false, false
	}
	number = string(digits)
	switch {
	case plus, strings.HasPrefix(number, "62") && len(number) >= 10:
		return "+" + number, repaired, true
	case number[0] == '8' && len(number) >= 9 && len(number) <= 13: // an Indonesian mobile number without its 0
		return "0" + number, true, true
	}
	return number, repaired, true
}

// allShown writes a number in scientific notation out, if its mantissa shows every digit.
func allShown(mantissa, exponent string) (string, bool) {
	e, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	whole, fraction, _ := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	if err != nil || e < 2 || len(whole) != 1 || !allDigits(whole) || len(fraction) != e || !allDigits(fraction) {
		return "", false
	}
	return whole + fraction, true
}
