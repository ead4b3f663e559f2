package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendFold appends what of a name counts when names are compared: letters and digits, small, without diacritics.
func appendFold(dst []byte, name string) []byte {
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			dst = append(dst, c)
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c|0x20)
		case c >= utf8.RuneSelf:
			for _, r := range name[i:] {
				dst = appendFoldRune(dst, r)
			}
			return dst
		}
	}
	return dst
}

// plain pairs each base letter with the letters that carry a mark over it: those of Latin-1 and Latin Extended-A, which
// cover the names of the languages that are met here.
var plain = [...]struct{ base, marked string }{
	{"a", "àáâãäåāăą"}, {"ae", "æ"}, {"c", "çćĉċč"}, {"d", "ďđð"}, {"e", "èéêëēĕėęě"}, {"g", "ĝğġģ"}, {"h", "ĥħ"},
	{"i", "ìíîïĩīĭįı"}, {"j", "ĵ"}, {"k", "ķ"}, {"l", "ĺļľŀł"}, {"n", "ñńņňŉ"}, {"o", "òóôõöøōŏő"}, {"oe", "œ"},
	{"r", "ŕŗř"}, {"s", "śŝşš"}, {"ss", "ß"}, {"t", "ţťŧ"}, {"th", "þ"}, {"u", "ùúûüũūŭůűų"}, {"w", "ŵ"},
	{"y", "ýÿŷ"}, {"z", "źżž"},
}

func appendFoldRune(dst []byte, r rune) []byte {
	r = unicode.ToLower(r)
	if r < utf8.RuneSelf {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			dst = append(dst, byte(r))
		}
		return dst
	}
	if !unicode.IsLetter(r) { // marks that combine with the letter before them, dashes, quotation marks
		return dst
	}
	for _, p := range plain {
		if strings.ContainsRune(p.marked, r) {
			return append(dst, p.base...)
		}
	}
	return utf8.AppendRune(dst, r)
}

func fold(name string) string { return string(appendFold(nil, name)) }
