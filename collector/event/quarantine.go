package event

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// maskedPhone replaces in the quarantine what looked like a telephone number. The decoder refuses it, since
// two masked ids would be one.
const maskedPhone = maskedPrefix + "phone"

// Pseudonymise returns what of a refused event may be kept: one line of JSON that holds the fields of the vocabulary
// and the allowed attributes, as far as each alone has the shape that it should have. The caller is replaced by a token
// that a Decoder with AcceptTokens takes; what looks like a telephone number is masked; free text, unknown keys and
// exact places are left out, for nobody has checked how sensitive they are. So a replay may succeed with fewer fields
// than were sent. Of bytes that are no JSON object nothing is kept but their number. raw is not modified.
func (d *Decoder) Pseudonymise(raw []byte) []byte {
	ds := d.pool.Get().(*decodeState)
	defer d.pool.Put(ds)
	k := keeper{state: ds}
	if len(raw) <= MaxEventBytes && depthOf(raw) <= MaxDepth {
		ds.current = current{}
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

// AppendPseudonymised appends a decoded event in the form of Decoder.Pseudonymise, for one that is refused after it was
// decoded.
func AppendPseudonymised(dst []byte, e *Event) []byte {
	kept := *e
	kept.ReceivedAt, kept.Lat, kept.Lon = time.Time{}, nil, nil
	return appendCloudEvent(dst, &kept, func(dst []byte) []byte {
		if e.Caller.Key == "" {
			return dst
		}
		return appendTextMember(dst, FieldCaller, string(appendToken(nil, e.Caller)))
	})
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

// integer keeps a whole number up to the limit of its field.
func (k *keeper) integer(f Field, limit int64) {
	kind, s := k.state.scalar()
	if n, ok := wholeNumber(s, limit); kind == '0' && ok {
		k.data = appendIntMember(k.data, f, &n)
	}
}

// other keeps an attribute that the configuration allows.
func (k *keeper) other(name string) {
	if key, ok := k.state.d.attributes[name]; ok {
		k.data = k.text(k.data, Field(key), MaxAttributeBytes, shapeNote)
		return
	}
	k.state.skip()
}

// text keeps a string that has the right shape, masks it when it looks like a telephone number, and drops it otherwise.
func (k *keeper) text(dst []byte, f Field, limit int, sh shape) []byte {
	if sh == shapeLower { // a code in capitals says what is wrong with it
		sh = shapeListed
	}
	s, ok := k.state.string(f, limit)
	switch {
	case !ok || s != maskedPhone && !sh.fits(s):
		return dst
	case !sh.blanks() || k.state.d.allowed(s):
		s = k.masked(s)
	case !sh.keeps(s, limit):
		s = maskedPhone
	case sh == shapeName && !LooksLikeName(f, s):
		return dst
	}
	return appendTextMember(dst, f, s)
}

func (k *keeper) masked(s string) string {
	if looksLikePhone(s) && !k.state.d.allowed(s) {
		return maskedPhone
	}
	return s
}

func (k *keeper) subject() {
	s, ok := k.state.string(FieldSubject, maxSubjectBytes)
	if !ok || !shapeText.fits(s) {
		return
	}
	kind, id, ok := strings.Cut(s, "/")
	if _, known := ParseKind(kind); ok && known {
		if kind == KindAgent.String() && !shapeID.keeps(id, MaxCodeBytes) && !k.state.d.allowed(id) {
			id = maskedPhone
		}
		s = kind + "/" + k.masked(id)
	}
	k.top = appendTextMember(k.top, FieldSubject, k.masked(s))
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
	return appendTextMember(dst, f, s)
}

func (k *keeper) ids(f Field, limit int) {
	var ids []string
	k.state.elements(func() {
		if id, ok := k.state.string(f, MaxIDBytes); ok && shapeText.fits(id) && len(ids) <= limit {
			ids = append(ids, k.masked(id))
		}
	})
	if len(ids) <= limit {
		slices.Sort(ids)
		k.data = appendTextsMember(k.data, f, slices.Compact(ids))
	}
}

// caller replaces a number, also one that came as a JSON number, by its token. Whatever else was sent goes, a token
// above all: kept, it would look like one of ours, and its sender would name whom he likes when it is replayed.
func (k *keeper) caller() {
	kind, raw := k.state.scalar()
	s := raw
	if kind == '0' {
		if strings.ContainsAny(raw, ".eE") { // a rounded number is another number
			return
		}
	} else {
		var ok bool
		if s, ok = k.state.unquote(FieldCaller, kind, raw, MaxCallerBytes); !ok {
			return
		}
	}
	if s = strings.TrimSpace(s); noCaller(s) {
		return
	}
	if c, ok := k.state.pseudonymise(s); ok {
		k.data = appendTextMember(k.data, FieldCaller, string(appendToken(nil, c)))
	}
}
