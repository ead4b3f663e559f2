package event

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	phoneDetail  = "it looks like a telephone number, which belongs into caller alone; see AllowIDs if it is none"
	maskedPrefix = "masked:"
)

// skip passes over one value.
func (w *work) skip() {
	if err := w.json.SkipValue(); err != nil {
		w.broken = err
	}
}

// own returns the bytes of the value that was read last as a string that aliases the frame: jsontext promises its own
// slice only until the next read.
func (w *work) own(raw jsontext.Value) string {
	end := int(w.json.InputOffset())
	return alias(w.frame[end-len(raw) : end : end])
}

// scalar reads one value whole and returns its kind as jsontext names it ('"', '0', 'n', 't', 'f', '{', '['), and its
// bytes. Values that nest are read too: MaxDepth was checked before.
func (w *work) scalar() (kind byte, s string) {
	raw, err := w.json.ReadValue()
	if err != nil {
		w.broken = err
		return 0, ""
	}
	kind = raw[0]
	if kind == '-' || isDigit(kind) {
		kind = '0'
	}
	return kind, w.own(raw)
}

// string reads a text of at most limit bytes; ok is false when it is absent (null or empty) or refused.
func (w *work) string(f Field, limit int) (s string, ok bool) {
	kind, s := w.scalar()
	return w.text(f, kind, s, limit)
}

// text unquotes a value that scalar has read.
func (w *work) text(f Field, kind byte, quoted string, limit int) (s string, ok bool) {
	if kind != '"' {
		if kind != 'n' {
			w.fail(f, WrongType, "it is a JSON string")
		}
		return "", false
	}
	s = quoted[1 : len(quoted)-1]
	if strings.IndexByte(s, '\\') >= 0 {
		unquoted, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			w.broken = err
			return "", false
		}
		s = alias(unquoted)
	}
	if s == "" {
		return "", false
	}
	if len(s) > limit {
		w.fail(f, TooLong, "it has at most "+strconv.Itoa(limit)+" bytes")
		return "", false
	}
	return s, true
}

// checked reads a text of a shape that must not look like a telephone number.
func (w *work) checked(f Field, limit int, sh shape) (string, bool) {
	s, ok := w.string(f, limit)
	if !ok || !w.judge(f, s, limit, sh) {
		return "", false
	}
	return s, true
}

func (w *work) identifier(f Field) (string, bool) { return w.checked(f, MaxIDBytes, shapeText) }

// judge says what is wrong with a text.
func (w *work) judge(f Field, s string, limit int, sh shape) bool {
	switch {
	case len(s) > limit:
		w.fail(f, TooLong, "it has at most "+strconv.Itoa(limit)+" bytes")
	case strings.HasPrefix(s, maskedPrefix):
		w.fail(f, Masked, "the value was masked in the quarantine because it looked like a telephone number")
	case !sh.fits(s):
		w.fail(f, BadCharacters, shapeDetails[sh])
	case looksLikePhone(s) && !w.d.allowed(s):
		w.fail(f, PhoneLike, phoneDetail)
	default:
		return true
	}
	return false
}

func (d *Decoder) allowed(id string) bool {
	for _, re := range d.allowIDs {
		if re.MatchString(id) {
			return true
		}
	}
	return false
}

// code reads a word of a closed list.
func (w *work) code(f Field, list []string) string {
	s, ok := w.string(f, MaxCodeBytes)
	if !ok {
		return ""
	}
	code, ok := listed(list, s)
	if !ok {
		w.fail(f, UnknownCode, "one of "+strings.Join(list, ", "))
	}
	return code
}

func (w *work) time(f Field) (time.Time, bool) {
	s, ok := w.string(f, MaxCodeBytes)
	if !ok {
		return time.Time{}, false
	}
	t, reason := parseTime(s)
	switch reason {
	case "":
		return t, true
	case MissingOffset:
		w.fail(f, reason, "a time ends with its offset, for example +07:00 or Z")
	default:
		w.fail(f, reason, "a time is RFC 3339, for example 2026-11-23T07:30:00+07:00")
	}
	return time.Time{}, false
}

// number reads a JSON number as it was written.
func (w *work) number(f Field) (string, bool) {
	kind, s := w.scalar()
	if kind == '0' {
		return s, true
	}
	if kind != 'n' {
		w.fail(f, WrongType, "it is a JSON number")
	}
	return "", false
}

// integer reads a whole number from 0 to limit, however it was written: languages without integers send 12.0.
func (w *work) integer(f Field, limit int64) (int64, bool) {
	s, ok := w.number(f)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || x != math.Trunc(x) || x < 0 || x > float64(limit) {
			n = -1
		} else {
			n = int64(x)
		}
	}
	if n < 0 || n > limit {
		w.fail(f, OutOfRange, "it is a whole number from 0 to "+strconv.FormatInt(limit, 10))
		return 0, false
	}
	return n, true
}

func (w *work) optional() *optional {
	if w.opt == nil {
		w.opt = new(optional)
	}
	return w.opt
}

func (w *work) degrees(f Field, limit float64) *float64 {
	s, ok := w.number(f)
	if !ok {
		return nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x < -limit || x > limit {
		w.fail(f, OutOfRange, "it lies between -"+strconv.Itoa(int(limit))+" and "+strconv.Itoa(int(limit))+" degrees")
		return nil
	}
	x += 0 // -0 and 0 are one place
	o := w.optional()
	if f == FieldLat {
		o.lat = x
		return &o.lat
	}
	o.lon = x
	return &o.lon
}

// calls reads the ids of a ticket's calls: a set, kept sorted.
func (w *work) calls() {
	switch w.json.PeekKind() {
	case '[':
	case 'n':
		w.skip()
		return
	default:
		w.fail(FieldCalls, WrongType, "it is a JSON array of strings")
		w.skip()
		return
	}
	if _, err := w.json.ReadToken(); err != nil {
		w.broken = err
		return
	}
	count := 0
	for w.json.PeekKind() != ']' {
		if count++; count > MaxCalls {
			w.fail(FieldCalls, TooMany, "at most 256 calls")
		}
		if kind := w.json.PeekKind(); kind != '"' {
			w.fail(FieldCalls, WrongType, "it is a JSON array of strings")
			w.skip()
		} else if id, ok := w.identifier(FieldCalls); ok && count <= MaxCalls {
			w.e.Calls = append(w.e.Calls, id)
		} else if w.broken == nil && w.first.reason == "" {
			w.fail(FieldCalls, MissingField, "an id is not empty")
		}
		if w.broken != nil {
			return
		}
	}
	if _, err := w.json.ReadToken(); err != nil {
		w.broken = err
		return
	}
	if len(w.e.Calls) > 1 {
		slices.Sort(w.e.Calls)
		w.e.Calls = slices.Compact(w.e.Calls)
	}
}

// caller reads the raw number and leaves its keyed hash in the event. No fault of it repeats a digit.
func (w *work) caller() {
	s, ok := w.string(FieldCaller, MaxCallerBytes)
	if !ok {
		return
	}
	if strings.HasPrefix(s, tokenPrefix) && w.d.acceptTokens {
		c, ok, known := w.d.keys.parseToken(s)
		switch {
		case !ok:
			w.fail(FieldCaller, BadCaller, "the token is not hmac:<key id>:<hash>:<last three digits>")
		case !known:
			w.fail(FieldCaller, UnknownCallerKey, "the key of this replaced caller is not in the key file")
		default:
			w.e.Caller = c
		}
		return
	}
	s = strings.TrimSpace(s)
	if noCaller(s) {
		return
	}
	if w.e.Caller, ok = w.pseudonymise(s); !ok {
		w.fail(FieldCaller, BadCaller, "a telephone number of 3 to 15 digits, or nothing when it is not known")
	}
}
