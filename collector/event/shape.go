package event

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// shape says which characters a text field may have, and what becomes of a text that does not fit.
type shape uint8

// The event is refused.
const (
	shapeText shape = iota // printable, no space at the ends: ids
	shapeURI               // printable ASCII without spaces: source
	shapeCode              // A-Z a-z 0-9 . _ -: center
	shapeID                // as shapeAgent, by the same rule: the id of an agent
)

// The field is blanked and the event kept. None of these texts may have more than MaxTextDigits digits.
const (
	shapeAgent  shape = iota + shapeID + 1 // A-Z a-z 0-9 . _ @ / -
	shapeLabel                             // A-Z a-z 0-9 . _ / -, or a word, a space and a number: queue, position
	shapeLower                             // a-z 0-9 _
	shapeListed                            // as shapeCode: a word of a closed list, which is looked up afterwards
	shapeName                              // printable; the directory judges it: category, opd, kecamatan
	shapeNote                              // printable: attributes
)

var shapeDetails = [...]string{
	shapeText: "printable characters without spaces at the ends are allowed",
	shapeURI:  "printable ASCII characters without spaces are allowed",
	shapeCode: "a code of letters, digits and . _ - is allowed",
	shapeID:   "an agent is named by a code of letters, digits and . _ @ / -, never by a personal name",
}

// blanks reports whether a text that does not fit costs the field alone.
func (sh shape) blanks() bool { return sh > shapeID }

// fits reports whether s has the characters of the shape.
func (sh shape) fits(s string) bool {
	switch sh {
	case shapeText, shapeName, shapeNote:
		return fitsText(s)
	case shapeLabel:
		if isNumbered(s) {
			return true
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		fits := isDigit(c) || c >= 'a' && c <= 'z' || c == '_'
		switch sh {
		case shapeURI:
			fits = c > 0x20 && c < 0x7f
		case shapeAgent, shapeID:
			fits = fits || isLetter(c) || c == '.' || c == '-' || c == '@' || c == '/'
		case shapeLabel:
			fits = fits || isLetter(c) || c == '.' || c == '-' || c == '/'
		case shapeCode, shapeListed:
			fits = fits || isLetter(c) || c == '.' || c == '-'
		}
		if !fits {
			return false
		}
	}
	return true
}

// keeps reports whether s, sent for a field that blanks, may be kept: it is as long as the field allows, has its shape,
// and holds neither a telephone number nor an address.
func (sh shape) keeps(s string, limit int) bool {
	if len(s) > limit || strings.HasPrefix(s, maskedPrefix) || !sh.fits(s) || looksLikePhone(s) {
		return false
	}
	switch sh {
	case shapeName: // BPS and Kemendagri codes of places have more digits
		return !HoldsNumber(s) || onlyDigits(strings.ReplaceAll(s, ".", "")) && s[0] != '0'
	case shapeNote:
		return !HoldsNumber(s) || isDate(s) || isTicketNumber(s)
	case shapeAgent, shapeID:
		return (!HoldsNumber(s) || isChannel(s) || isStaffCode(s) || len(s) == 36 && isUUID(s, 0)) &&
			(!hasAddress(s, codeAddress) || len(wordsOf(s)) == 1) // alone they are initials
	case shapeLabel:
		return (!HoldsNumber(s) || isChannel(s)) && !hasAddress(s, codeAddress)
	}
	return !HoldsNumber(s) && !hasAddress(s, codeAddress)
}

// KeepsLabel reports whether a queue or position is kept as it is.
func KeepsLabel(s string) bool { return shapeLabel.keeps(s, MaxWordBytes) }

// KeepsAgent reports whether the code of an agent is kept as it is, in data and as a subject.
func KeepsAgent(s string) bool { return shapeAgent.keeps(s, MaxCodeBytes) }

// HoldsNumber reports whether s may hold a telephone number: more than MaxTextDigits digits, in any writing that
// Unicode takes for one (NFKC), whatever stands between them. A time of day or a house number has fewer, a telephone
// number with its area code more.
func HoldsNumber(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			s = norm.NFKC.String(s)
			break
		}
	}
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n > MaxTextDigits
}

// isDate reports whether s is a date or a time and nothing else.
func isDate(s string) bool {
	for _, layout := range [...]string{time.DateOnly, time.DateTime, time.RFC3339, "02/01/2006", "02-01-2006",
		"2006-01-02 15:04", "2006-01-02T15:04", "02/01/2006 15:04", "02/01/2006 15:04:05", "02-01-2006 15:04",
		"02-01-2006 15:04:05", "2006-01-02 15.04", "02/01/2006 15.04", "02-01-2006 15.04", "15:04-15:04", "15.04-15.04",
		"15:04 - 15:04", "15.04 - 15.04"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// isChannel reports whether s is the name of a channel as Asterisk makes it: technology, an extension or the name of an
// endpoint with at most five digits, and a counter of eight hex digits that is below 2^20, as in SIP/7009-0000001a and
// PJSIP/op12-0000001a.
func isChannel(s string) bool {
	technology, rest, ok := strings.Cut(s, "/")
	dash := strings.LastIndexByte(rest, '-')
	if !ok || dash < 0 || technology == "" || strings.ContainsFunc(technology, notAlphanumeric) {
		return false
	}
	endpoint, counter := rest[:dash], rest[dash+1:]
	digits := onlyThe(endpoint, isDigit)
	return len(digits) <= 5 && len(counter) == 8 && isHex(counter) && strings.HasPrefix(counter, "000") &&
		!looksLikePhone(digits+counter)
}

// isNumbered reports whether s is one word, a space and a number of at most three digits: "Antrean 112", "meja 3".
// Words that stand before a house number are none.
func isNumbered(s string) bool {
	word, number, ok := strings.Cut(s, " ")
	return ok && word != "" && len(onlyThe(word, isLetter)) == len(word) && number != "" && len(number) <= 3 &&
		onlyDigits(number) && !hasAddress(word, nameAddress) && !hasAddress(word, houseWords)
}

// isStaffCode reports whether s is the code of an employee: letters, then seven or eight digits that begin with a year
// or with 112, as in AGT-2026001. No telephone number of Indonesia has so few digits and begins so.
func isStaffCode(s string) bool {
	letters := 0
	for letters < len(s) && isLetter(s[letters]) {
		letters++
	}
	if letters < 2 || letters > 8 || hasAddress(s[:letters], phoneWords) {
		return false
	}
	digits := onlyThe(s[letters:], isDigit)
	if len(digits)+strings.Count(s[letters:], "-")+strings.Count(s[letters:], ".")+strings.Count(s[letters:], "_") !=
		len(s)-letters || len(digits) > 8 {
		return false
	}
	return strings.HasPrefix(digits, "112") || strings.HasPrefix(digits, "19") ||
		strings.HasPrefix(digits, "20") && digits[2] <= '3'
}

// isTicketNumber reports whether s is the number of a ticket or letter: letters, a year, perhaps a month, and a counter
// of at most six digits, as in SDA-2026-00123 and SDA/2026/11/00123.
func isTicketNumber(s string) bool {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' })
	if n := len(parts); n < 3 || n > 4 || len(strings.Join(parts, "-")) != len(s) || looksLikePhone(s) {
		return false
	}
	word, year, counter := parts[0], parts[1], parts[len(parts)-1]
	if len(parts) == 4 && (len(parts[2]) != 2 || parts[2] < "01" || parts[2] > "12" || !onlyDigits(parts[2])) {
		return false
	}
	return len(word) >= 2 && len(word) <= 8 && len(onlyThe(word, isLetter)) == len(word) &&
		!hasAddress(word, phoneWords) &&
		len(year) == 4 && onlyDigits(year) && year >= "2000" && year < "2040" && len(counter) <= 6 && onlyDigits(counter)
}

// onlyThe returns the bytes of s that is holds for.
func onlyThe(s string, is func(byte) bool) string {
	out := make([]byte, 0, 16)
	for i := 0; i < len(s); i++ {
		if is(s[i]) {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func notAlphanumeric(r rune) bool {
	return r >= utf8.RuneSelf || !isDigit(byte(r)) && !isLetter(byte(r))
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
