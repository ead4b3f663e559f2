package event

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// RawEvent is an event on its way to the door, as a source writes it: every data field of the vocabulary, with the
// caller still raw. Zero values are left out of the JSON. A RawEvent is never stored; the door's Decoder judges it like
// any other sender's event.
type RawEvent struct {
	Source  string
	ID      string
	Type    Type
	Subject string    // the id without the kind's prefix, which follows from Type
	Time    time.Time // written with the offset of its location, whole milliseconds

	Caller    string // raw number
	Agent     string
	Queue     string
	Position  string
	Channel   string
	Class     string
	Category  string
	Priority  string
	OPD       string
	Kecamatan string
	Reason    string
	Result    string
	Calls     []string
	Master    string
	Due       time.Time
	Lat, Lon  *float64
	Center    string
	RingMS    *int64
	WaitMS    *int64
	Replaces  string
	Revision  uint32

	Attributes map[string]string // written as further keys of data; the door keeps those that its configuration allows
}

// AppendCloudEvent appends d as one CloudEvents 1.0 JSON object, without a newline, and returns the extended slice.
// Bytes that are not UTF-8 become U+FFFD. It is deterministic and safe for concurrent use on one d.
func (d *RawEvent) AppendCloudEvent(dst []byte) []byte {
	dst = append(dst, `{"specversion":"1.0"`...)
	dst = appendMember(dst, FieldID, d.ID)
	dst = appendMember(dst, FieldSource, d.Source)
	dst = append(dst, `,"type":"`+TypePrefix...)
	dst = append(dst, d.Type.String()...)
	dst = append(dst, `","subject":"`...)
	dst = append(dst, d.Type.Kind().String()...)
	dst = append(dst, '/')
	dst = append(appendQuotedBody(dst, d.Subject), '"')
	dst = appendTimeMember(dst, FieldTime, d.Time)
	dst = append(dst, `,"data":`...)
	from := len(dst)
	dst = appendMember(dst, FieldCaller, d.Caller)
	dst = appendDataMembers(dst, &Event{
		Agent: d.Agent, Queue: d.Queue, Position: d.Position, Channel: d.Channel, Class: d.Class, Category: d.Category,
		Priority: d.Priority, OPD: d.OPD, Kecamatan: d.Kecamatan, Reason: d.Reason, Result: d.Result, Calls: d.Calls,
		Master: d.Master, Due: d.Due, Lat: d.Lat, Lon: d.Lon, Center: d.Center, RingMS: d.RingMS, WaitMS: d.WaitMS,
		Replaces: d.Replaces, Revision: d.Revision, Attributes: d.Attributes,
	})
	dst = closeMembers(dst, from)
	return append(dst, '}')
}

// AppendJSON appends e as one CloudEvents 1.0 JSON object for people and programs to read: times in UTC, the time of
// receipt as the extension attribute "receivedtime", the caller as {"last3":"123"} and never its key.
func AppendJSON(dst []byte, e *Event) []byte {
	dst = append(dst, `{"specversion":"1.0"`...)
	dst = appendMember(dst, FieldID, e.ID)
	dst = appendMember(dst, FieldSource, e.Source)
	dst = append(dst, `,"type":"`+TypePrefix...)
	dst = append(dst, e.Type.String()...)
	dst = append(dst, `","subject":"`...)
	dst = append(dst, e.Kind.String()...)
	dst = append(dst, '/')
	dst = append(appendQuotedBody(dst, e.Subject), '"')
	dst = appendTimeMember(dst, FieldTime, e.OccurredAt)
	dst = appendTimeMember(dst, "receivedtime", e.ReceivedAt)
	dst = append(dst, `,"data":`...)
	from := len(dst)
	if e.Caller.Last3 != "" {
		dst = append(dst, `,"caller":{"last3":"`...)
		dst = append(appendQuotedBody(dst, e.Caller.Last3), `"}`...)
	}
	dst = appendDataMembers(dst, e)
	dst = closeMembers(dst, from)
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

func appendDataMembers(dst []byte, e *Event) []byte {
	dst = appendMember(dst, FieldAgent, e.Agent)
	dst = appendMember(dst, FieldQueue, e.Queue)
	dst = appendMember(dst, FieldPosition, e.Position)
	dst = appendMember(dst, FieldChannel, e.Channel)
	dst = appendMember(dst, FieldClass, e.Class)
	dst = appendMember(dst, FieldCategory, e.Category)
	dst = appendMember(dst, FieldPriority, e.Priority)
	dst = appendMember(dst, FieldOPD, e.OPD)
	dst = appendMember(dst, FieldKecamatan, e.Kecamatan)
	dst = appendMember(dst, FieldReason, e.Reason)
	dst = appendMember(dst, FieldResult, e.Result)
	if len(e.Calls) > 0 {
		dst = append(dst, `,"calls":`...)
		for i, id := range e.Calls {
			sep := byte(',')
			if i == 0 {
				sep = '['
			}
			dst = append(appendQuotedBody(append(dst, sep, '"'), id), '"')
		}
		dst = append(dst, ']')
	}
	dst = appendMember(dst, FieldMaster, e.Master)
	dst = appendTimeMember(dst, FieldDue, e.Due)
	if e.Lat != nil {
		dst = strconv.AppendFloat(append(dst, `,"lat":`...), *e.Lat, 'f', -1, 64)
	}
	if e.Lon != nil {
		dst = strconv.AppendFloat(append(dst, `,"lon":`...), *e.Lon, 'f', -1, 64)
	}
	dst = appendMember(dst, FieldCenter, e.Center)
	if e.RingMS != nil {
		dst = strconv.AppendInt(append(dst, `,"ring_ms":`...), *e.RingMS, 10)
	}
	if e.WaitMS != nil {
		dst = strconv.AppendInt(append(dst, `,"wait_ms":`...), *e.WaitMS, 10)
	}
	dst = appendMember(dst, FieldReplaces, e.Replaces)
	if e.Revision != 0 {
		dst = strconv.AppendUint(append(dst, `,"revision":`...), uint64(e.Revision), 10)
	}
	if len(e.Attributes) > 0 {
		keys := make([]string, 0, len(e.Attributes))
		for k := range e.Attributes {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			dst = append(appendQuotedBody(append(dst, ',', '"'), k), '"', ':', '"')
			dst = append(appendQuotedBody(dst, e.Attributes[k]), '"')
		}
	}
	return dst
}

func appendMember(dst []byte, name Field, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, ',', '"'), name...), '"', ':', '"')
	return append(appendQuotedBody(dst, value), '"')
}

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

func appendTimeMember(dst []byte, name Field, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(append(append(dst, ',', '"'), name...), '"', ':', '"')
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
