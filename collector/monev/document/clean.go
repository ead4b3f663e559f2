package document

import (
	"strings"
	"unicode"
)

// Clean makes a text of people harmless and keeps it readable: one line, no control characters, no marks that turn the
// direction of reading, nothing that XML cannot hold. Markup and formulas are text and stay; each renderer escapes
// them.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\ufeff':
			return -1
		case r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef:
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
