package event

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendCloudEvent appends r as one CloudEvents 1.0 JSON object, without a newline, and returns the extended slice.
// Bytes that are not UTF-8 become U+FFFD. It is deterministic and safe for concurrent use on one r.
func (r *RawEvent) AppendCloudEvent(dst []byte) []byte {
	return appendCloudEvent(dst, r.event(), func(dst []byte) []byte {
		return appendTextMember(dst, FieldCaller, r.Caller)
	})
}

// AppendJSON appends e as one CloudEvents 1.0 JSON object for people and programs to read: times in UTC, the time of
// receipt as the extension attribute "receivedtime", the caller as {"last3":"123"} and never its key.
func AppendJSON(dst []byte, e *Event) []byte {
	return appendCloudEvent(dst, e, func(dst []byte) []byte {
		if e.Caller.Last3 == "" {
			return dst
		}
		return append(appendQuotedBody(append(dst, `,"caller":{"last3":"`...), e.Caller.Last3), `"}`...)
	})
}

// appendCloudEvent appends e; appendCaller appends the member of its caller, led by a comma, where it has one.
func appendCloudEvent(dst []byte, e *Event, appendCaller func([]byte) []byte) []byte {
	dst = append(dst, `{"specversion":"1.0"`...)
	dst = appendTextMember(dst, FieldID, e.ID)
	dst = appendTextMember(dst, FieldSource, e.Source)
	dst = append(append(dst, `,"type":"`+TypePrefix...), e.Type.String()...)
	dst = append(append(append(dst, `","subject":"`...), e.Kind.String()...), '/')
	dst = append(appendQuotedBody(dst, e.Subject), '"')
	dst = appendTimeMember(dst, FieldTime, e.OccurredAt)
	dst = appendTimeMember(dst, "receivedtime", e.ReceivedAt)
	dst = append(dst, `,"data":`...)
	from := len(dst)
	dst = closeMembers(appendMembers(appendCaller(dst), e), from)
	return append(dst, '}')
}

// closeMembers turns the members appended since from, each led by a comma, into an object.
func closeMembers(dst []byte, from int) []byte {
	if len(dst) == from {
		return append(dst, '{', '}')
	}
	dst[from] = '{'
	return append(dst, '}')
}

// appendName appends a comma and the name of a member.
func appendName(dst []byte, name Field) []byte {
	return append(append(append(dst, ',', '"'), name...), '"', ':')
}

func appendTextMember(dst []byte, name Field, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(appendName(dst, name), '"')
	return append(appendQuotedBody(dst, value), '"')
}

func appendFloatMember(dst []byte, name Field, f *float64) []byte {
	if f == nil {
		return dst
	}
	return strconv.AppendFloat(appendName(dst, name), *f, 'f', -1, 64)
}

func appendIntMember(dst []byte, name Field, n *int64) []byte {
	if n == nil {
		return dst
	}
	return strconv.AppendInt(appendName(dst, name), *n, 10)
}

func appendUint32Member(dst []byte, name Field, n uint32) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendUint(appendName(dst, name), uint64(n), 10)
}

func appendTextsMember(dst []byte, name Field, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = appendName(dst, name)
	sep := byte('[')
	for _, s := range list {
		dst = append(appendQuotedBody(append(dst, sep, '"'), s), '"')
		sep = ','
	}
	return append(dst, ']')
}

func appendAttributeMembers(dst []byte, attributes map[string]string) []byte {
	if len(attributes) == 0 {
		return dst
	}
	var stack [MaxAttributes]string
	for _, k := range sortedKeys(stack[:0], attributes) {
		dst = append(appendQuotedBody(append(dst, ',', '"'), k), '"', ':', '"')
		dst = append(appendQuotedBody(dst, attributes[k]), '"')
	}
	return dst
}

// appendAttributesMember appends a member that is an object of texts.
func appendAttributesMember(dst []byte, name Field, texts map[string]string) []byte {
	if len(texts) == 0 {
		return dst
	}
	dst = appendName(dst, name)
	from := len(dst)
	return closeMembers(appendAttributeMembers(dst, texts), from)
}

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func appendTimeMember(dst []byte, name Field, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(appendName(dst, name), '"')
	return append(t.AppendFormat(dst, timeLayout), '"')
}

// appendQuotedBody appends s as the inside of a JSON string.
func appendQuotedBody(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
			i++
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, w := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += w
		}
	}
	return dst
}
