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
	shapeID                // as shapeAgent: the id of an agent
)

// The field is blanked and the event kept. None of these texts may have more than MaxTextDigits digits.
const (
	shapeAgent  shape = iota + shapeID + 1 // A-Z a-z 0-9 . _ @ / -
	shapeLabel                             // A-Z a-z 0-9 . _ / -: queue, position
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
		return !HoldsNumber(s) || isDate(s)
	case shapeAgent, shapeLabel:
		return (!HoldsNumber(s) || isChannel(s)) && !hasAddress(s, codeAddress)
	}
	return !HoldsNumber(s) && !hasAddress(s, codeAddress)
}

// HoldsNumber reports whether s may hold a telephone number: more than MaxTextDigits digits, in any writing that Unicode
// takes for one (NFKC), whatever stands between them. A time of day or a house number has fewer, a telephone number with its area code more.
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
		"15:04-15:04", "15.04-15.04", "15:04 - 15:04", "15.04 - 15.04"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}

// isChannel reports whether s is the name of a channel as Asterisk makes it: technology, extension of at most five
// digits, and a counter of eight hex digits that is below 2^20, as in SIP/7009-0000001a.
func isChannel(s string) bool {
	_, rest, _ := strings.Cut(s, "/")
	extension, counter, ok := strings.Cut(rest, "-")
	return ok && len(extension) <= 5 && onlyDigits(extension) && len(counter) == 8 && isHex(counter) &&
		strings.HasPrefix(counter, "000") && !looksLikePhone(extension+counter)
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
