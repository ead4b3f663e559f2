package event

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	phoneDetail  = "it looks like a telephone number, which belongs into caller alone; see AllowIDs if it is none"
	maskedPrefix = "masked:"

	maxFractionBytes = len(".") + 18 // of the seconds of a time
)

// skip passes over one value.
func (ds *decodeState) skip() {
	if err := ds.json.SkipValue(); err != nil {
		ds.broken = err
	}
}

// own returns the value that was read last as a string that aliases the frame: jsontext's own slice is good until the
// next read only.
func (ds *decodeState) own(raw jsontext.Value) string {
	end := int(ds.json.InputOffset())
	return alias(ds.frame[end-len(raw) : end : end])
}

// scalar reads one value whole and returns its kind as jsontext names it ('"', '0', 'n', 't', 'f', '{', '['), and its
// bytes. Values that nest are read too: MaxDepth was checked before.
func (ds *decodeState) scalar() (kind byte, s string) {
	raw, err := ds.json.ReadValue()
	if err != nil {
		ds.broken = err
		return 0, ""
	}
	kind = raw[0]
	if kind == '-' || isDigit(kind) {
		kind = '0'
	}
	return kind, ds.own(raw)
}

// string reads a text of at most limit bytes; ok is false when it is absent (null or empty) or refused.
func (ds *decodeState) string(f Field, limit int) (s string, ok bool) {
	kind, s := ds.scalar()
	return ds.unquote(f, kind, s, limit)
}

// unquote returns the text of a value that scalar has read.
func (ds *decodeState) unquote(f Field, kind byte, quoted string, limit int) (s string, ok bool) {
	if kind != '"' {
		if kind != 'n' {
			ds.fail(f, WrongType, "it is a JSON string")
		}
		return "", false
	}
	s = quoted[1 : len(quoted)-1]
	if strings.IndexByte(s, '\\') >= 0 {
		unquoted, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			ds.broken = err
			return "", false
		}
		s = alias(unquoted)
	}
	if s == "" {
		return "", false
	}
	if len(s) > limit {
		ds.fail(f, TooLong, "it has at most "+strconv.Itoa(limit)+" bytes")
		return "", false
	}
	return s, true
}

// text reads a text of a shape; it is empty when absent or refused. One that is to be blanked is returned: the digest
// is of what was sent, so that a stricter rule makes no conflict of a repeated event.
func (ds *decodeState) text(f Field, limit int, sh shape) string {
	if sh.blanks() {
		s, _ := ds.string(f, MaxEventBytes)
		if sh == shapeName && !fitsText(s) { // spreadsheets hide line breaks and no-break spaces in cells
			s = strings.Join(strings.Fields(s), " ")
		}
		ds.blank(f, s, limit, sh)
		return s
	}
	s, ok := ds.string(f, limit)
	if !ok || !ds.validate(f, s, limit, sh) {
		return ""
	}
	return s
}

// blank notes a text that may not be kept, and reports whether it did.
func (ds *decodeState) blank(f Field, s string, limit int, sh shape) bool {
	if s == "" || sh.keeps(s, limit) || ds.d.allowed(s) && len(s) <= limit {
		return false
	}
	ds.blanks = append(ds.blanks, f)
	return true
}

// validate reports whether a text may be the value of a field, and fails the event otherwise.
func (ds *decodeState) validate(f Field, s string, limit int, sh shape) bool {
	switch {
	case len(s) > limit:
		ds.fail(f, TooLong, "it has at most "+strconv.Itoa(limit)+" bytes")
	case strings.HasPrefix(s, maskedPrefix):
		ds.fail(f, Masked, "the value was masked in the quarantine because it looked like a telephone number")
	case !sh.fits(s):
		ds.fail(f, BadCharacters, shapeDetails[sh])
	case (looksLikePhone(s) || sh == shapeID && !sh.keeps(s, limit)) && !ds.d.allowed(s):
		ds.fail(f, PhoneLike, phoneDetail)
	default:
		return true
	}
	return false
}

func (d *Decoder) allowed(id string) bool {
	return slices.ContainsFunc(d.allowIDs, func(re *regexp.Regexp) bool { return re.MatchString(id) })
}

// code reads a word of a closed list. What can be no code is blanked; a code that is not listed is refused, for its
// sender can mend it and a replay can bring it back.
func (ds *decodeState) code(f Field, limit int, list []string) string {
	s, ok := ds.string(f, MaxEventBytes)
	if !ok || ds.blank(f, s, limit, shapeListed) {
		return s
	}
	return ds.listed(f, list, s)
}

// listed returns the list's own word that equals s, and fails the event where there is none.
func (ds *decodeState) listed(f Field, list []string, s string) string {
	code, ok := listed(list, s)
	if !ok {
		ds.fail(f, UnknownCode, "one of "+strings.Join(list, ", "))
	}
	return code
}

// timeUntil reads a time of at most the year maxYear; it is zero when absent or refused.
func (ds *decodeState) timeUntil(f Field, maxYear int) time.Time {
	t, ok := ds.time(f)
	if ok && t.Year() > maxYear {
		ds.fail(f, OutOfRange, "it is before the year "+strconv.Itoa(maxYear+1))
	}
	return t
}

// time reads a time; ok is false when it is absent or refused.
func (ds *decodeState) time(f Field) (time.Time, bool) {
	s, ok := ds.string(f, MaxCodeBytes)
	if !ok {
		return time.Time{}, false
	}
	t, reason := parseTime(s)
	switch reason {
	case "":
		return t, true
	case MissingOffset:
		ds.fail(f, reason, "a time ends with its offset, for example +07:00 or Z")
	default:
		ds.fail(f, reason, "a time is RFC 3339, for example 2026-11-23T07:30:00+07:00")
	}
	return time.Time{}, false
}

// parseTime reads RFC 3339 with its mandatory offset and cuts what is finer than a millisecond. The reason is empty
// when the time is good.
func parseTime(s string) (time.Time, Reason) {
	const toSeconds = "2006-01-02T15:04:05"
	if len(s) > len("2006-01-02") && (s[len("2006-01-02")] == 't' || s[len(s)-1] == 'z') { // RFC 3339, 5.6: either case
		s = strings.ToUpper(s)
	}
	// package time reads more than RFC 3339: an hour of one digit, a comma before the fraction, an offset of 60 minutes
	if len(s) < len(toSeconds) || s[len("2006-01-02T15")] != ':' || strings.Contains(s, ",") ||
		strings.HasSuffix(s, ":60") ||
		len(s) > len(toSeconds)+maxFractionBytes &&
			len(s)-len(strings.TrimLeft(s[len(toSeconds):], ".0123456789")) > len(toSeconds)+maxFractionBytes {
		return time.Time{}, BadTime
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if _, err := time.Parse(toSeconds, s); err == nil {
			return time.Time{}, MissingOffset
		}
		return time.Time{}, BadTime
	}
	if _, offset := t.Zone(); max(offset, -offset) >= 15*3600 {
		return time.Time{}, BadTime
	}
	return t.UTC().Truncate(time.Millisecond), ""
}

// number reads a JSON number as it was written.
func (ds *decodeState) number(f Field) (string, bool) {
	kind, s := ds.scalar()
	if kind == '0' {
		return s, true
	}
	if kind != 'n' {
		ds.fail(f, WrongType, "it is a JSON number")
	}
	return "", false
}

// integer reads a whole number from 0 to limit, however it was written: languages without integers send 12.0.
func (ds *decodeState) integer(f Field, limit int64) (int64, bool) {
	s, ok := ds.number(f)
	if !ok {
		return 0, false
	}
	n, ok := wholeNumber(s, limit)
	if !ok {
		ds.fail(f, OutOfRange, "it is a whole number from 0 to "+strconv.FormatInt(limit, 10))
		return 0, false
	}
	return n, true
}

// wholeNumber parses a JSON number as a whole one from 0 to limit.
func wholeNumber(s string, limit int64) (n int64, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || x != math.Trunc(x) || x < 0 || x > float64(limit) {
			return 0, false
		}
		n = int64(x)
	}
	return n, n >= 0 && n <= limit
}

// degrees reads a number from -limit to limit.
func (ds *decodeState) degrees(f Field, limit float64) (float64, bool) {
	s, ok := ds.number(f)
	if !ok {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x < -limit || x > limit {
		ds.fail(f, OutOfRange, "it is between -"+strconv.Itoa(int(limit))+" and "+strconv.Itoa(int(limit))+" degrees")
		return 0, false
	}
	return x + 0, true // -0 and 0 are one place
}

// ids reads an array of ids: a set, kept sorted.
func (ds *decodeState) ids(f Field, limit int) []string {
	return ds.set(f, limit, func() string { return ds.text(f, MaxIDBytes, shapeText) })
}

// words reads an array of words of a closed list: a set, kept sorted.
func (ds *decodeState) words(f Field, limit int, list []string) []string {
	return ds.set(f, limit, func() string { return ds.code(f, MaxIDBytes, list) })
}

// set reads an array of texts, each by element, which returns nothing for one that is refused.
func (ds *decodeState) set(f Field, limit int, element func() string) (ids []string) {
	const wrongType = "it is a JSON array of strings"
	if kind := ds.json.PeekKind(); kind != '[' && kind != 'n' {
		ds.fail(f, WrongType, wrongType)
	}
	count := 0
	ds.elements(func() {
		if count++; count > limit {
			ds.fail(f, TooMany, "it has at most "+strconv.Itoa(limit)+" elements")
		}
		if ds.json.PeekKind() != '"' {
			ds.fail(f, WrongType, wrongType)
			ds.skip()
		} else if id := element(); id != "" && count <= limit {
			ids = append(ids, id)
		} else if ds.broken == nil {
			ds.fail(f, MissingField, "no element is empty")
		}
	})
	slices.Sort(ids)
	return slices.Compact(ids)
}

// elements reads an array and calls element before each of its values; element reads it. Another value is skipped.
func (ds *decodeState) elements(element func()) {
	if ds.json.PeekKind() != '[' {
		ds.skip()
		return
	}
	_, ds.broken = ds.json.ReadToken()
	for ds.broken == nil && ds.json.PeekKind() != ']' {
		element()
	}
	if ds.broken == nil {
		_, ds.broken = ds.json.ReadToken()
	}
}

// caller reads the raw number and leaves its keyed hash in the event. No violation of it repeats a digit.
func (ds *decodeState) caller() {
	s, ok := ds.string(FieldCaller, MaxCallerBytes)
	if !ok {
		return
	}
	if strings.HasPrefix(s, tokenPrefix) && ds.d.acceptTokens {
		c, ok, known := ds.d.keys.parseToken(s)
		switch {
		case !ok:
			ds.fail(FieldCaller, BadCaller, "the token is not hmac:<key id>:<hash>:<last three digits>")
		case !known:
			ds.fail(FieldCaller, UnknownCallerKey, "the key of this replaced caller is not in the key file")
		default:
			ds.e.Caller = c
		}
		return
	}
	s = strings.TrimSpace(s)
	if noCaller(s) {
		return
	}
	if ds.e.Caller, ok = ds.pseudonymise(s); !ok {
		ds.fail(FieldCaller, BadCaller, "a telephone number of 3 to 15 digits, or nothing when it is not known")
	}
}
