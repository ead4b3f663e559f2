package event

import (
	"slices"
	"strconv"
	"strings"
)

// maskedPhone stands in the quarantine where something looked like a telephone number. The decoder refuses it, since
// two masked ids would be one.
const maskedPhone = maskedPrefix + "phone"

// Pseudonymise returns what of a refused event may be kept: one line of JSON that holds the fields of the vocabulary
// and the allowed attributes, as far as each alone has the shape that it should have. The caller is replaced by a token
// that a Decoder with AcceptTokens takes; what looks like a telephone number is masked; free text, unknown keys and
// exact places are left out, for nobody has judged how sensitive they are. So a replay may succeed with fewer fields
// than were sent. Of bytes that are no JSON object nothing is kept but their number. raw is not modified.
func (d *Decoder) Pseudonymise(raw []byte) []byte {
	ds := d.pool.Get().(*decodeState)
	defer d.pool.Put(ds)
	k := keeper{state: ds}
	if len(raw) <= MaxEventBytes && depthOf(raw) <= MaxDepth {
		ds.first = violation{}
		ds.read(raw)
		if ds.json.PeekKind() == '{' {
			ds.members(k.attribute)
			ds.end()
			if ds.broken == nil {
				return k.bytes()
			}
		}
	}
	return append(strconv.AppendInt([]byte(`{"unreadable_bytes":`), int64(len(raw)), 10), '}')
}

// AppendPseudonymised appends a decoded event in the form of Pseudonymise, for one that only a later station refused.
func AppendPseudonymised(dst []byte, e *Event) []byte {
	dst = append(dst, `{"specversion":"1.0"`...)
	dst = appendMember(dst, FieldID, e.ID)
	dst = appendMember(dst, FieldSource, e.Source)
	dst = append(append(dst, `,"type":"`+TypePrefix...), e.Type.String()...)
	dst = append(append(append(dst, `","subject":"`...), e.Kind.String()...), '/')
	dst = append(appendQuotedBody(dst, e.Subject), '"')
	dst = appendTimeMember(dst, FieldTime, e.OccurredAt)
	dst = append(dst, `,"data":`...)
	from := len(dst)
	if e.Caller.Key != "" {
		dst = appendMember(dst, FieldCaller, string(appendToken(nil, e.Caller)))
	}
	place := *e
	place.Lat, place.Lon = nil, nil
	dst = closeMembers(appendDataMembers(dst, &place), from)
	return append(dst, '}')
}

// keeper collects what may be kept of one event.
type keeper struct {
	state  *decodeState
	top    []byte
	data   []byte
	hasAny bool
}

func (k *keeper) bytes() []byte {
	out := append([]byte(nil), k.top...)
	if k.hasAny {
		out = append(out, `,"data":`...)
		from := len(out)
		out = closeMembers(append(out, k.data...), from)
	}
	if len(out) == 0 {
		return []byte("{}")
	}
	out[0] = '{'
	return append(out, '}')
}

func (k *keeper) attribute(name string) {
	switch f := Field(name); f {
	case FieldSpecVersion:
		k.top = k.text(k.top, f, 8, shapeCode)
	case FieldID:
		k.top = k.text(k.top, f, MaxIDBytes, shapeText)
	case FieldSource:
		k.top = k.text(k.top, f, MaxSourceBytes, shapeURI)
	case FieldType:
		k.top = k.text(k.top, f, MaxCodeBytes, shapeCode)
	case FieldSubject:
		k.subject()
	case FieldTime:
		k.top = k.time(k.top, f)
	case FieldDataContentType:
		k.top = k.text(k.top, f, MaxCodeBytes, shapeURI)
	case FieldData:
		if k.state.json.PeekKind() == '{' {
			k.hasAny = true
			k.state.members(k.datum)
			return
		}
		k.state.skip()
	default:
		k.state.skip()
	}
}

func (k *keeper) datum(name string) {
	switch f := Field(name); f {
	case FieldCaller:
		k.caller()
	case FieldAgent:
		k.data = k.text(k.data, f, MaxCodeBytes, shapeAgent)
	case FieldQueue, FieldPosition, FieldCategory, FieldOPD, FieldKecamatan:
		k.data = k.text(k.data, f, MaxNameBytes, shapeText)
	case FieldChannel, FieldClass, FieldPriority, FieldReason, FieldResult, FieldCenter:
		k.data = k.text(k.data, f, MaxCodeBytes, shapeCode)
	case FieldMaster, FieldReplaces:
		k.data = k.text(k.data, f, MaxIDBytes, shapeText)
	case FieldCalls:
		k.calls()
	case FieldDue:
		k.data = k.time(k.data, f)
	case FieldRingMS, FieldWaitMS, FieldRevision:
		if kind, s := k.state.scalar(); kind == '0' {
			if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 && n <= MaxDurationMS {
				k.data = append(append(append(k.data, ',', '"'), name...), '"', ':')
				k.data = strconv.AppendInt(k.data, n, 10)
			}
		}
	default:
		if key, ok := k.state.d.attributes[name]; ok {
			k.data = k.text(k.data, Field(key), MaxAttributeBytes, shapeText)
			return
		}
		k.state.skip()
	}
}

// text keeps a string that has the right shape, masks it when it looks like a telephone number, and drops it otherwise.
func (k *keeper) text(dst []byte, f Field, limit int, sh shape) []byte {
	s, ok := k.state.string(f, limit)
	if !ok || s != maskedPhone && !sh.fits(s) {
		return dst
	}
	return appendMember(dst, f, k.masked(s))
}

func (k *keeper) masked(s string) string {
	if looksLikePhone(s) && !k.state.d.allowed(s) {
		return maskedPhone
	}
	return s
}

func (k *keeper) subject() {
	s, ok := k.state.string(FieldSubject, MaxIDBytes+len("ticket/"))
	if !ok || !shapeText.fits(s) {
		return
	}
	kind, id, ok := strings.Cut(s, "/")
	if _, known := ParseKind(kind); ok && known {
		s = kind + "/" + k.masked(id)
	}
	k.top = appendMember(k.top, FieldSubject, k.masked(s))
}

// time keeps what begins like a date of ISO 8601, so that a person sees what is wrong with the rest.
func (k *keeper) time(dst []byte, f Field) []byte {
	s, ok := k.state.string(f, 40)
	if !ok || len(s) < 10 || s[4] != '-' || s[7] != '-' || looksLikePhone(s) {
		return dst
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isDigit(c) && !strings.ContainsRune("TZ:+-. ", rune(c)) {
			return dst
		}
	}
	return appendMember(dst, f, s)
}

func (k *keeper) calls() {
	if k.state.json.PeekKind() != '[' {
		k.state.skip()
		return
	}
	if _, err := k.state.json.ReadToken(); err != nil {
		k.state.broken = err
		return
	}
	var ids []string
	for k.state.broken == nil && k.state.json.PeekKind() != ']' {
		if id, ok := k.state.string(FieldCalls, MaxIDBytes); ok && shapeText.fits(id) && len(ids) <= MaxCalls {
			ids = append(ids, k.masked(id))
		}
	}
	if k.state.broken == nil {
		_, k.state.broken = k.state.json.ReadToken()
	}
	if len(ids) == 0 || len(ids) > MaxCalls {
		return
	}
	slices.Sort(ids)
	k.data = append(k.data, `,"calls":`...)
	for i, id := range slices.Compact(ids) {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		k.data = append(appendQuotedBody(append(k.data, sep, '"'), id), '"')
	}
	k.data = append(k.data, ']')
}

// caller replaces a number, also one that came as a JSON number, by its token.
func (k *keeper) caller() {
	kind, raw := k.state.scalar()
	s := raw
	if kind == '0' {
		if strings.ContainsAny(raw, ".eE") { // a rounded number is another number
			return
		}
	} else {
		var ok bool
		if s, ok = k.state.text(FieldCaller, kind, raw, MaxCallerBytes); !ok {
			return
		}
	}
	c, ok, known := k.state.d.keys.parseToken(s)
	if !ok {
		if s = strings.TrimSpace(s); noCaller(s) {
			return
		}
		c, known = k.state.pseudonymise(s)
	}
	if known {
		k.data = appendMember(k.data, FieldCaller, string(appendToken(nil, c)))
	}
}
