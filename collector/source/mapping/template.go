package mapping

import (
	"fmt"
	"strings"
	"time"
)

// template is a text with {field} references, compiled.
type template struct {
	parts []tmplPart
}

// tmplPart is a literal, or with field >= 0 a reference.
type tmplPart struct {
	literal string
	field   int
}

// compileTemplate reads "text {field} text"; {{ and }} stand for the braces themselves.
func compileTemplate(text string, index map[string]int) (template, error) {
	var t template
	lit := strings.Builder{}
	flush := func() {
		if lit.Len() > 0 {
			t.parts = append(t.parts, tmplPart{literal: lit.String(), field: -1})
			lit.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "{{"), strings.HasPrefix(text[i:], "}}"):
			lit.WriteByte(text[i])
			i += 2
		case text[i] == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return t, fmt.Errorf("{ is not closed")
			}
			name := text[i+1 : i+end]
			n, ok := index[name]
			if !ok {
				return t, fmt.Errorf("there is no field %q", name)
			}
			flush()
			t.parts = append(t.parts, tmplPart{field: n})
			i += end + 1
		case text[i] == '}':
			return t, fmt.Errorf("} closes nothing")
		default:
			lit.WriteByte(text[i])
			i++
		}
	}
	flush()
	return t, nil
}

// only returns the field that the template consists of, or -1.
func (t template) only() int {
	if len(t.parts) == 1 {
		return t.parts[0].field
	}
	return -1
}

// constant returns the text of a template without references.
func (t template) constant() (string, bool) {
	switch len(t.parts) {
	case 0:
		return "", true
	case 1:
		return t.parts[0].literal, t.parts[0].field < 0
	}
	return "", false
}

// appendTo renders t; ok is false when a field that it names is empty.
func (t template) appendTo(dst []byte, fields []field, values []value) (out []byte, ok bool) {
	for _, p := range t.parts {
		if p.field < 0 {
			dst = append(dst, p.literal...)
			continue
		}
		v := values[p.field]
		if !v.set {
			return dst, false
		}
		if fields[p.field].kind == timeField {
			dst = appendTime(dst, v.unix)
			continue
		}
		dst = append(dst, v.text...)
	}
	return dst, true
}

// appendTime writes milliseconds since 1970 as RFC 3339 in UTC, with a fraction only where there is one. The year has
// four digits, as checkRange sees to.
func appendTime(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(two(two(dst, year/100), year%100), '-')
	dst = append(two(dst, int(month)), '-')
	dst = append(two(dst, day), 'T')
	dst = append(two(dst, hour), ':')
	dst = append(two(dst, minute), ':')
	dst = two(dst, second)
	if rest := int(ms - floorDiv(ms, 1000)*1000); rest != 0 {
		dst = append(dst, '.', byte('0'+rest/100))
		dst = two(dst, rest%100)
	}
	return append(dst, 'Z')
}

// two appends a number below 100 in two digits.
func two(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }
