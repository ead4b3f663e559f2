package event

import (
	"time"
	"unicode"
	"unicode/utf8"
)

// shape says which characters a text field may have.
type shape uint8

const (
	shapeText  shape = iota // printable, no space at the ends: ids and names
	shapeURI                // printable ASCII without spaces: source
	shapeAgent              // A-Z a-z 0-9 . _ @ / -
	shapeCode               // A-Z a-z 0-9 . _ -
	shapeLower              // a-z 0-9 _
)

var shapeDetails = [...]string{
	shapeText:  "printable characters without spaces at the ends are allowed",
	shapeURI:   "printable ASCII characters without spaces are allowed",
	shapeAgent: "an agent is named by a code of letters, digits and . _ @ / -, never by a personal name",
	shapeCode:  "a code of letters, digits and . _ - is allowed",
	shapeLower: "a code of small letters, digits and _ is allowed",
}

func (sh shape) fits(s string) bool {
	if sh == shapeText {
		return fitsText(s)
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isDigit(c) || c >= 'a' && c <= 'z' || c == '_' {
			continue
		}
		ok := false
		switch sh {
		case shapeURI:
			ok = c > 0x20 && c < 0x7f
		case shapeAgent:
			ok = isLetter(c) || c == '.' || c == '-' || c == '@' || c == '/'
		case shapeCode:
			ok = isLetter(c) || c == '.' || c == '-'
		}
		if !ok {
			return false
		}
	}
	return true
}

func fitsText(s string) bool {
	if s == "" {
		return true
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			return fitsUnicode(s[i:])
		}
	}
	return true
}

// fitsUnicode refuses what cannot be seen, and digits of other scripts, in which a telephone number could hide.
func fitsUnicode(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) || r >= utf8.RuneSelf && unicode.IsNumber(r) {
			return false
		}
	}
	return true
}

// parseTime reads RFC 3339 with its mandatory offset and cuts what is finer than a millisecond. The reason is empty
// when the time is good.
func parseTime(s string) (time.Time, Reason) {
	if len(s) < len("2006-01-02T15:04:05") || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, BadTime
	}
	century, ok1 := two(s, 0)
	year, ok2 := two(s, 2)
	month, ok3 := two(s, 5)
	day, ok4 := two(s, 8)
	hour, ok5 := two(s, 11)
	minute, ok6 := two(s, 14)
	second, ok7 := two(s, 17)
	year += 100 * century
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) ||
		month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, BadTime
	}
	if day > daysIn(year, month) {
		return time.Time{}, BadTime
	}
	p, ms := 19, 0
	if p < len(s) && s[p] == '.' {
		from := p + 1
		for p++; p < len(s) && isDigit(s[p]); p++ {
			switch p - from {
			case 0:
				ms += 100 * int(s[p]-'0')
			case 1:
				ms += 10 * int(s[p]-'0')
			case 2:
				ms += int(s[p] - '0')
			}
		}
		if p == from || p-from > 18 {
			return time.Time{}, BadTime
		}
	}
	if p == len(s) {
		return time.Time{}, MissingOffset
	}
	offset := 0
	switch {
	case s[p] == 'Z' && p+1 == len(s):
	case (s[p] == '+' || s[p] == '-') && p+6 == len(s) && s[p+3] == ':':
		h, okH := two(s, p+1)
		m, okM := two(s, p+4)
		if !okH || !okM || h > 14 || m > 59 {
			return time.Time{}, BadTime
		}
		offset = h*3600 + m*60
		if s[p] == '-' {
			offset = -offset
		}
	default:
		return time.Time{}, BadTime
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second-offset, ms*int(time.Millisecond), time.UTC)
	return t, ""
}

func two(s string, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
