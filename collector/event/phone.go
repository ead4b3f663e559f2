package event

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// looksLikePhone reports whether s holds something that has the shape of a telephone number, wherever in s it stands.
// It guards the fields in which a number has no business, so it must neither let a caller's number pass as an id nor
// refuse the ids that centres really use. Shapes that count, up to three spaces or punctuation marks of any kind
// between groups allowed, as they stand or percent-encoded:
//
//   - "+" and 8 to 15 digits, any country
//   - Indonesian mobile: 08, 628 or 00628 and an assigned prefix (0811, 0812, ...), 10 to 13 digits counted from the 0
//   - the same with the leading 0 lost, as spreadsheets do: 8 and an assigned prefix, 10 to 12 digits
//   - a mobile number as a spreadsheet writes it: 8,1234567890E+10 or 6.281234567890E+12
//   - landlines of 021, 022, 024 and 031 (Jakarta, Bandung, Semarang, Surabaya and Sidoarjo), 10 or 11 digits
//   - landlines whose area code stands in brackets: (0343) 421234
//
// What does not count: longer runs of digits, digits inside a word that goes on with letters (hashes), UUIDs, other
// countries' numbers without "+", and digits that are grouped as nobody groups a telephone number. So "101001240734",
// "090100225", "C5/200207/09738", "1700000000.123", "SDA-08-2026-00123" and "TKT-081126-0001" pass. A centre whose ids
// collide (ddmmyy and a counter without a dash does, on the 8th of November) states their pattern in Config.AllowIDs.
func looksLikePhone(s string) bool {
	if len(s) < 8 {
		return false
	}
	digits := 0
	for i := 0; i < len(s); i++ {
		if isDigit(s[i]) {
			digits++
		}
	}
	if digits < 8 {
		return false
	}
	if strings.IndexByte(s, '%') >= 0 {
		if plain := percentDecoded(s); plain != s && looksLikePhone(plain) {
			return true
		}
	}
	for i := 0; i < len(s); {
		if i+36 <= len(s) && s[i+8] == '-' && (i == 0 || !isDigit(s[i-1]) && !isLetter(s[i-1])) && isUUID(s, i) {
			i += 36
			continue
		}
		c := s[i]
		if !isDigit(c) {
			i++
			continue
		}
		if (c == '0' || c == '6' || c == '8' || i > 0 && s[i-1] == '+') && (phoneAt(s, i) || areaCodeAt(s, i)) {
			return true
		}
		if (c == '6' || c == '8') && scientificPhoneAt(s, i) {
			return true
		}
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	return false
}

// phoneAt reports whether a telephone number starts with the group of digits at i.
func phoneAt(s string, i int) bool {
	if insideWord(s, i) {
		return false
	}
	plus := i > 0 && s[i-1] == '+'
	var digits [15]byte
	n, groups, first, longest := 0, 0, 0, 0
	for {
		from := i
		for i < len(s) && isDigit(s[i]) {
			if n == len(digits) {
				return false
			}
			digits[n] = s[i]
			n++
			i++
		}
		size := i - from
		groups++
		if groups == 1 {
			first = size
		} else {
			if size < 2 {
				return false
			}
			longest = max(longest, size)
		}
		if i == len(s) || !isLetter(s[i]) {
			if phoneShape(digits[:n], plus, groups, first, longest) {
				return true
			}
		}
		sep := afterSeparators(s, i)
		if sep == i || sep == len(s) || !isDigit(s[sep]) {
			return false
		}
		i = sep
	}
}

// areaCodeAt reports whether a landline number starts at i whose area code, of three or four digits, is in brackets.
func areaCodeAt(s string, i int) bool {
	end := i
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	if i == 0 || s[i-1] != '(' || s[i] != '0' || end-i < 3 || end-i > 4 || end == len(s) || s[end] != ')' {
		return false
	}
	n := 0
	for j := afterSeparators(s, end); j < len(s) && isDigit(s[j]); n++ {
		if j++; j < len(s) && !isDigit(s[j]) {
			j = afterSeparators(s, j)
		}
	}
	return n >= 5 && n <= 8
}

// percentDecoded replaces each %XX of s by its byte, once; what is no such escape stays.
func percentDecoded(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// scientificPhoneAt reports whether an Indonesian mobile number in scientific notation starts at i, with so many digits
// that most of it can be read.
func scientificPhoneAt(s string, i int) bool {
	if i > 0 && (isDigit(s[i-1]) || isLetter(s[i-1])) || i+1 >= len(s) || s[i+1] != '.' && s[i+1] != ',' {
		return false
	}
	digits := append(make([]byte, 0, 16), s[i])
	p := i + 2
	for ; p < len(s) && isDigit(s[p]) && len(digits) < cap(digits); p++ {
		digits = append(digits, s[p])
	}
	if len(digits) < 8 || p+1 >= len(s) || s[p]|0x20 != 'e' || s[p+1] != '+' && !isDigit(s[p+1]) {
		return false
	}
	for len(digits) < 9 || digits[0] == '6' && len(digits) < 11 { // cut zeros
		digits = append(digits, '0')
	}
	if digits[0] == '6' {
		return digits[1] == '2' && mobile(digits[2:], 9)
	}
	return mobile(digits, 9)
}

// phoneShape checks digits that were written in groups: the first of that length, the longest of the others of that.
func phoneShape(d []byte, plus bool, groups, first, longest int) bool {
	n := len(d)
	if n < 8 || longest > 8 {
		return false
	}
	if plus {
		return true
	}
	if d[0] == '0' && (n == 10 || n == 11) && d[3] >= '2' && (groups == 1 || first == 3) {
		switch string(d[1:3]) {
		case "21", "22", "24", "31":
			return true
		}
	}
	if longest > 5 {
		return false
	}
	switch {
	case d[0] == '0' && d[1] == '0' && d[2] == '6' && d[3] == '2':
		return first != 2 && mobile(d[4:], 9)
	case d[0] == '6' && d[1] == '2':
		return (first == 2 || first >= 5) && (mobile(d[2:], 9) || d[2] == '0' && mobile(d[3:], 9))
	case d[0] == '0' && d[1] == '8':
		return first >= 4 && !(groups > 1 && dateFirst(d, first)) && mobile(d[1:], 9)
	case d[0] == '8':
		return first >= 3 && mobile(d, 10)
	}
	return false
}

// dateFirst reports whether the first group reads as ddmmyy or ddmmyyyy, as in the ids "081126-0001" and
// "08112026-0001": nobody groups a telephone number so.
func dateFirst(d []byte, first int) bool {
	return first == 6 || first == 8 && d[4] == '2' && d[5] == '0'
}

// mobile reports whether d is an Indonesian mobile number without its leading 0, of least to 12 digits. The prefixes
// are those that the ministry assigned to the operators.
func mobile(d []byte, least int) bool {
	if len(d) < least || len(d) > 12 || d[0] != '8' {
		return false
	}
	switch d[1] {
	case '1', '5', '8':
		return d[2] != '0'
	case '2', '3':
		return d[2] == '1' || d[2] == '2' || d[2] == '3' || d[2] == '8'
	case '7':
		return d[2] >= '7'
	case '9':
		return d[2] >= '5'
	}
	return false
}

// insideWord reports whether the digits at i continue a word that already mixes digits and letters, as hashes do;
// letters alone before them ("hp0812...") do not hide a number.
func insideWord(s string, i int) bool {
	j := i
	for j > 0 && isLetter(s[j-1]) {
		j--
	}
	return j < i && j > 0 && isDigit(s[j-1])
}

// isUUID reports whether a UUID starts at i, from where s has at least 36 bytes.
func isUUID(s string, i int) bool {
	for j := 0; j < 36; j++ {
		c := s[i+j]
		if j == 8 || j == 13 || j == 18 || j == 23 {
			if c != '-' {
				return false
			}
		} else if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// afterSeparators returns the position after at most three separators between groups of digits: spaces, and
// punctuation and symbols of any script.
func afterSeparators(s string, i int) int {
	for range 3 {
		r, w := utf8.DecodeRuneInString(s[i:])
		if w == 0 || r == '+' || r == '%' || r == utf8.RuneError || unicode.IsLetter(r) || unicode.IsNumber(r) {
			break
		}
		i += w
	}
	return i
}

// isPhoneSeparator reports whether a caller's number may have c between its digits.
func isPhoneSeparator(c byte) bool {
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')'
}
func isDigit(c byte) bool  { return c-'0' <= 9 }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// Letters writes bytes in the letters a to p, two each: an id that is made of them cannot be taken for a telephone
// number.
func Letters(b []byte) string {
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, 'a'+c>>4, 'a'+c&15)
	}
	return string(out)
}
