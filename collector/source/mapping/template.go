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

// appendTime writes milliseconds since 1970 as RFC 3339 in UTC, with a fraction only where there is one.
func appendTime(dst []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	if ms%1000 != 0 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	}
	return t.AppendFormat(dst, time.RFC3339) // the layout that AppendFormat is quick at
}
