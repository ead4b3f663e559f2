package event

import (
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
		fits := isDigit(c) || c >= 'a' && c <= 'z' || c == '_'
		switch sh {
		case shapeURI:
			fits = c > 0x20 && c < 0x7f
		case shapeAgent:
			fits = fits || isLetter(c) || c == '.' || c == '-' || c == '@' || c == '/'
		case shapeCode:
			fits = fits || isLetter(c) || c == '.' || c == '-'
		}
		if !fits {
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
