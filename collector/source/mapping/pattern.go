package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// pattern is a compiled time format in the letters of Unicode date patterns (yyyy yy MM M MMM dd d HH H hh h mm m ss s
// SSS a XXX); other characters stand for themselves, text in apostrophes too. A doubled letter wants exactly two
// digits, a single one takes one or two. The words in namedPatterns are whole formats.
type pattern struct {
	text  string
	parts []part
	kind  patternKind
}

type patternKind uint8

const (
	local patternKind = iota
	withOffset
	unixSeconds
	unixMillis
	excelSerial
	officeForm
	officeDate
	dayFraction
	isoForm
	clockOnly
)

// namedPatterns are the formats that have a name.
var namedPatterns = map[string]patternKind{
	"unix":         unixSeconds, // since 1970
	"unix-ms":      unixMillis,
	"excel":        excelSerial, // date serial of a spreadsheet
	"office":       officeForm,  // date and time, see parseOffice
	"office-date":  officeDate,  // a date without a time: its first second
	"day-fraction": dayFraction, // a date and a part of the day, 0,5 or 0.5 for noon
	"clock":        clockOnly,   // a time of day; its date is that of the time that the field follows
	"iso":          isoForm,     // ISO 8601 and what databases print, with or without an offset, see parseISO
}

// part is one letter group (letter, count) or, with letter 0, one literal byte.
type part struct {
	letter  byte
	count   int
	literal byte
}

// stamp is a parsed time: local wall seconds, or an instant when fixed is set.
type stamp struct {
	wall  int64 // seconds since 1970-01-01 00:00 local, or UTC when fixed; of clockOnly since midnight
	ms    int64
	fixed bool
	zone  int64 // seconds east of UTC of the zone that a local text names; 0 for none
}

// ofNumbers reports whether the format reads the number that a workbook holds, not the date or time that it shows.
func (k patternKind) ofNumbers() bool {
	return k == unixSeconds || k == unixMillis || k == excelSerial || k == dayFraction
}

func compilePattern(text string) (*pattern, error) {
	p := &pattern{text: text}
	if kind, named := namedPatterns[text]; named {
		p.kind = kind
		return p, nil
	}
	seen := map[byte]bool{}
	for i := 0; i < len(text); {
		c := text[i]
		if c == '\'' {
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return nil, fmt.Errorf("the apostrophe at position %d is not closed", i+1)
			}
			for _, l := range []byte(text[i+1 : i+1+end]) {
				p.parts = append(p.parts, part{literal: l})
			}
			i += end + 2
			continue
		}
		if c < 'A' || c > 'z' || c > 'Z' && c < 'a' {
			p.parts = append(p.parts, part{literal: c})
			i++
			continue
		}
		n := 1
		for i+n < len(text) && text[i+n] == c {
			n++
		}
		allowed := map[byte][]int{
			'y': {2, 4}, 'M': {1, 2, 3}, 'd': {1, 2}, 'H': {1, 2}, 'h': {1, 2}, 'm': {1, 2}, 's': {1, 2}, 'S': {3}, 'a': {1},
			'X': {3},
		}
		ok := false
		for _, want := range allowed[c] {
			ok = ok || n == want
		}
		if !ok {
			return nil, fmt.Errorf("%q is no part of a time format", text[i:i+n])
		}
		if seen[c] {
			return nil, fmt.Errorf("%q stands twice", string(c))
		}
		seen[c] = true
		if c == 'X' {
			p.kind = withOffset
		}
		p.parts = append(p.parts, part{letter: c, count: n})
		i += n
	}
	switch {
	case !seen['y'] || !seen['M'] || !seen['d']:
		return nil, fmt.Errorf("the format names no full date (y, M and d)")
	case seen['h'] != seen['a']:
		return nil, fmt.Errorf("h and a (am/pm) go together")
	case seen['h'] && seen['H']:
		return nil, fmt.Errorf("h and H exclude each other")
	case seen['m'] && !seen['h'] && !seen['H'], seen['s'] && !seen['m'], seen['S'] && !seen['s']:
		return nil, fmt.Errorf("a finer unit stands without the coarser one")
	case !seen['h'] && !seen['H']:
		return nil, fmt.Errorf("the format names no hour; a date alone is not a time of an event")
	}
	return p, nil
}

// months holds the names, full and short, that exports write; the first three letters are not unique across languages.
var months = map[string]int{
	"jan": 1, "january": 1, "januari": 1, "feb": 2, "february": 2, "februari": 2, "peb": 2, "pebruari": 2, "mar": 3,
	"march": 3, "maret": 3, "apr": 4, "april": 4, "may": 5, "mei": 5, "jun": 6, "june": 6, "juni": 6, "jul": 7, "july": 7,
	"juli": 7, "aug": 8, "august": 8, "agu": 8, "agt": 8, "ags": 8, "agust": 8, "agustus": 8, "sep": 9, "sept": 9,
	"september": 9, "oct": 10, "october": 10, "okt": 10, "oktober": 10, "nov": 11, "november": 11, "nop": 11,
	"nopember": 11, "dec": 12, "december": 12, "des": 12, "desember": 12,
}

// parse reads s, all of it, by the pattern.
func (p *pattern) parse(s string) (stamp, bool) {
	switch p.kind {
	case unixSeconds, unixMillis:
		n, err := strconv.ParseFloat(s, 64)
		if p.kind == unixSeconds {
			n *= 1000
		}
		if err != nil || !(math.Abs(n) < 1e14) || lostDigits(s, false) {
			return stamp{}, false
		}
		ms := int64(math.Round(n))
		return stamp{wall: floorDiv(ms, 1000), ms: ms - floorDiv(ms, 1000)*1000, fixed: true}, true
	case excelSerial:
		n, ok := number(s)
		if !ok || !(n >= 61 && n < 200000) { // before March 1900 Excel's calendar has a day that never was
			return stamp{}, false
		}
		// A serial holds about 5 microseconds of precision; a second is what a spreadsheet means.
		return stamp{wall: int64(math.Round((n - 25569) * 86400))}, true
	case officeForm, officeDate, dayFraction:
		st, _, ok := parseOffice(s, p.kind)
		return st, ok
	case isoForm:
		return parseISO(s)
	case clockOnly:
		text := officeText{rest: strings.ToLower(s)}
		seconds, zone, ok := text.clock()
		return stamp{wall: int64(seconds), zone: zone}, ok
	}
	year, month, date, hour, minute, second, ms, offset := 0, 0, 0, 0, 0, 0, 0, 0
	pm, twelve := false, false
	i := 0
	digits := func(least, most int) (int, bool) {
		n, v := 0, 0
		for i < len(s) && n < most && s[i] >= '0' && s[i] <= '9' {
			v = v*10 + int(s[i]-'0')
			i, n = i+1, n+1
		}
		return v, n >= least
	}
	for _, q := range p.parts {
		if q.letter == 0 {
			if i >= len(s) || s[i] != q.literal {
				return stamp{}, false
			}
			i++
			continue
		}
		least, most := q.count, q.count
		if q.count == 1 {
			most = 2
		}
		ok := true
		switch q.letter {
		case 'y':
			year, ok = digits(least, most)
			if q.count == 2 {
				year += 2000
			}
		case 'M':
			if q.count == 3 {
				from := i
				for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
					i++
				}
				month, ok = months[strings.ToLower(s[from:i])]
			} else {
				month, ok = digits(least, most)
			}
		case 'd':
			date, ok = digits(least, most)
		case 'H':
			hour, ok = digits(least, most)
		case 'h':
			hour, ok = digits(least, most)
			twelve = true
			ok = ok && hour >= 1 && hour <= 12
		case 'm':
			minute, ok = digits(least, most)
		case 's':
			second, ok = digits(least, most)
		case 'S':
			ms, ok = digits(least, most)
		case 'a':
			if i+2 > len(s) {
				return stamp{}, false
			}
			switch strings.ToLower(s[i : i+2]) {
			case "am":
			case "pm":
				pm = true
			default:
				ok = false
			}
			i += 2
		case 'X':
			offset, ok = parseOffset(s, &i)
		}
		if !ok {
			return stamp{}, false
		}
	}
	midnight, exists := day(year, month, date)
	if i != len(s) || !exists || hour > 23 || minute > 59 || second > 59 {
		return stamp{}, false
	}
	if twelve {
		hour %= 12
		if pm {
			hour += 12
		}
	}
	wall := midnight + int64(hour)*3600 + int64(minute)*60 + int64(second)
	if p.kind == withOffset {
		return stamp{wall: wall - int64(offset), ms: int64(ms), fixed: true}, true
	}
	return stamp{wall: wall, ms: int64(ms)}, true
}

// zoneNames are the names of offsets that exports write behind a time, in hours.
var zoneNames = map[string]int{"utc": 0, "gmt": 0, "wib": 7, "wita": 8, "wit": 9}

// parseISO reads 2025-01-01T07:30:00.1234567+07:00 and its relatives: a space or a small t for the T, no seconds, a
// fraction of up to nine digits, an offset as Z, +07, +0700 or +07:00 with or without a space before it, or none.
func parseISO(s string) (stamp, bool) {
	main, offset, fixed := s, 0, false
	if i := strings.LastIndexByte(s, ' '); i >= len("2006-01-02T15:04") {
		if hours, named := zoneNames[strings.ToLower(s[i+1:])]; named {
			main, offset, fixed = s[:i], hours*3600, true
		}
	}
	if i := strings.LastIndexAny(s, "zZ+-"); i >= len("2006-01-02T15:04") && !fixed {
		text := s[i:]
		if len(text) == 3 { // +07
			text += "00"
		}
		at := 0
		seconds, ok := parseOffset(text, &at)
		if !ok || at != len(text) {
			return stamp{}, false
		}
		main, offset, fixed = strings.TrimRight(s[:i], " "), seconds, true
	}
	if len(main) < len("2006-01-02T15:04") || !strings.ContainsAny(main[10:11], "Tt ") {
		return stamp{}, false
	}
	layout := "2006-01-02 15:04"
	if len(main) > len(layout) {
		layout += ":05" // Parse takes a fraction behind it
	}
	date := main[:10]
	if date[4] == '/' && date[7] == '/' {
		date = strings.ReplaceAll(date, "/", "-")
	}
	t, err := time.Parse(layout, strings.Replace(date+" "+main[11:], ",", ".", 1))
	if err != nil {
		return stamp{}, false
	}
	return stamp{wall: t.Unix() - int64(offset), ms: int64(t.Nanosecond()) / 1e6, fixed: fixed}, true
}

// parseOffset reads Z, +07:00 or +0700 at s[*i].
func parseOffset(s string, i *int) (seconds int, ok bool) {
	if *i < len(s) && (s[*i] == 'Z' || s[*i] == 'z') {
		*i++
		return 0, true
	}
	rest := s[*i:]
	if len(rest) >= 6 && rest[3] == ':' {
		rest = rest[:3] + rest[4:6]
		*i += 6
	} else if len(rest) >= 5 {
		rest = rest[:5]
		*i += 5
	} else {
		return 0, false
	}
	t, err := time.Parse("-0700", rest)
	if err != nil {
		return 0, false
	}
	_, seconds = t.Zone()
	return seconds, true
}

// day returns the first second of a day, counted from 1970 as if its zone were UTC; ok is false when there is no such
// day.
func day(year, month, day int) (seconds int64, ok bool) {
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	y, m, d := t.Date()
	return t.Unix(), y == year && int(m) == month && d == day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
