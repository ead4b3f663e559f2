package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unsafe"
)

// The binary form of an event, as the journal keeps it:
//
//	version (1 byte, 0x01)
//	fields, each: tag (1 byte) length (uvarint) value (length bytes), by ascending tag
//
// An absent fact has no field. Strings are their bytes; times are Unix milliseconds, floats IEEE 754 bits, both 8 bytes
// little-endian; durations and the revision are uvarints; calls and attributes repeat their tag, attributes by
// ascending key, each a uvarint length of the key, the key, the value. The same event always gives the same bytes. A
// reader skips tags that it does not know, so that a journal written by a newer version can be read; tags are never
// reused.
const binaryVersion = 1

// ErrBinary is wrapped by every error of DecodeBinary: the bytes are not an event of a version that is understood.
var ErrBinary = errors.New("not a binary event")

// AppendBinary appends the binary form of e to dst and returns the extended slice. Times lose what is finer than a
// millisecond. It does not modify e and is safe for concurrent use on one e.
func AppendBinary(dst []byte, e *Event) []byte { return appendFields(append(dst, binaryVersion), e) }

// appendCanonical appends what the digest covers.
func appendCanonical(dst []byte, e *Event) []byte {
	return appendDigested(append(dst, binaryVersion), e)
}

func appendText(dst []byte, tag byte, s string) []byte {
	if s == "" {
		return dst
	}
	return appendElement(dst, tag, s)
}

func appendElement(dst []byte, tag byte, s string) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendTexts(dst []byte, tag byte, list []string) []byte {
	for _, s := range list {
		dst = appendElement(dst, tag, s)
	}
	return dst
}

func appendByte[T ~uint8](dst []byte, tag byte, v T) []byte { return append(dst, tag, 1, byte(v)) }

func appendDigest(dst []byte, tag byte, d Digest) []byte {
	if d == (Digest{}) {
		return dst
	}
	return append(append(dst, tag, byte(len(d))), d[:]...)
}

func appendTime(dst []byte, tag byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return binary.LittleEndian.AppendUint64(append(dst, tag, 8), uint64(t.UnixMilli()))
}

func appendFloat(dst []byte, tag byte, f *float64) []byte {
	if f == nil {
		return dst
	}
	return binary.LittleEndian.AppendUint64(append(dst, tag, 8), math.Float64bits(*f))
}

// appendInt keeps a negative number too (as its two's complement), though no Decoder lets one in.
func appendInt(dst []byte, tag byte, n *int64) []byte {
	if n == nil {
		return dst
	}
	return appendUvarint(dst, tag, uint64(*n))
}

func appendUint32(dst []byte, tag byte, n uint32) []byte {
	if n == 0 {
		return dst
	}
	return appendUvarint(dst, tag, uint64(n))
}

func appendUvarint(dst []byte, tag byte, n uint64) []byte {
	return binary.AppendUvarint(append(dst, tag, byte(uvarintLen(n))), n)
}

func appendAttributes(dst []byte, tag byte, attributes map[string]string) []byte {
	if len(attributes) == 0 {
		return dst
	}
	var stack [MaxAttributes]string
	for _, k := range sortedKeys(stack[:0], attributes) {
		v := attributes[k]
		dst = append(dst, tag)
		dst = binary.AppendUvarint(dst, uint64(uvarintLen(uint64(len(k)))+len(k)+len(v)))
		dst = binary.AppendUvarint(dst, uint64(len(k)))
		dst = append(dst, k...)
		dst = append(dst, v...)
	}
	return dst
}

// sortedKeys appends the keys of m to dst, which is empty, in ascending order.
func sortedKeys(dst []string, m map[string]string) []string {
	for k := range m {
		dst = append(dst, k)
	}
	slices.Sort(dst)
	return dst
}

func uvarintLen(n uint64) int {
	w := 1
	for ; n >= 0x80; n >>= 7 {
		w++
	}
	return w
}

// DecodeBinary reads payload into e and overwrites every field of it, also those that payload lacks. The strings of e
// alias payload: the caller must not change payload while e or a copy of it is in use, and whoever keeps a string
// beyond the life of a large buffer calls Event.Detach first. Calls, Attributes and the pointers are fresh on every
// call.
//
// Errors wrap ErrBinary; e is then undefined. It never panics, whatever the bytes.
func DecodeBinary(payload []byte, e *Event) error {
	*e = Event{}
	if len(payload) == 0 {
		return fmt.Errorf("%w: no bytes", ErrBinary)
	}
	if payload[0] != binaryVersion {
		return fmt.Errorf("%w: version %d, this program reads version %d", ErrBinary, payload[0], binaryVersion)
	}
	return decodeFields(payload, e)
}

// HasID reports whether payload is the binary form of an event of that source and id.
func HasID(payload []byte, source, id string) bool {
	if len(payload) == 0 || payload[0] != binaryVersion {
		return false
	}
	rest, ok := cutText(payload[1:], 1, source)
	if ok {
		_, ok = cutText(rest, 2, id)
	}
	return ok
}

// cutText returns what follows the field that appendText made of tag and s, and whether b begins with that.
func cutText(b []byte, tag byte, s string) (rest []byte, ok bool) {
	if s == "" {
		return b, len(b) == 0 || b[0] != tag
	}
	if len(b) == 0 || b[0] != tag {
		return nil, false
	}
	size, w := binary.Uvarint(b[1:])
	if b = b[1+max(w, 0):]; w <= 0 || size != uint64(len(s)) || len(b) < len(s) {
		return nil, false
	}
	return b[len(s):], string(b[:len(s)]) == s
}

// allocated returns what opt points at, and makes it first where there is nothing yet.
func allocated(opt **optional) *optional {
	if *opt == nil {
		*opt = new(optional)
	}
	return *opt
}

func decodeText(v []byte, to *string) bool {
	*to = alias(v)
	return true
}

func decodeTexts(v []byte, to *[]string) bool {
	*to = append(*to, alias(v))
	return true
}

func decodeByte[T ~uint8](v []byte, to *T) bool {
	if len(v) != 1 {
		return false
	}
	*to = T(v[0])
	return true
}

func decodeDigest(v []byte, to *Digest) bool { return copy(to[:], v) == len(v) && len(v) == len(to) }

func decodeTime(v []byte, to *time.Time) bool {
	if len(v) != 8 {
		return false
	}
	*to = time.UnixMilli(int64(binary.LittleEndian.Uint64(v))).UTC()
	return true
}

func decodeFloat(v []byte, to *float64) bool {
	if len(v) != 8 {
		return false
	}
	*to = math.Float64frombits(binary.LittleEndian.Uint64(v))
	return true
}

func decodeInt(v []byte, to *int64) bool {
	n, w := binary.Uvarint(v)
	*to = int64(n)
	return w > 0 && w == len(v)
}

func decodeUint32(v []byte, to *uint32) bool {
	n, w := binary.Uvarint(v)
	*to = uint32(n)
	return w > 0 && w == len(v) && n <= math.MaxUint32
}

func decodeAttributes(v []byte, to *map[string]string) bool {
	size, w := binary.Uvarint(v)
	if w <= 0 || size > uint64(len(v)-w) {
		return false
	}
	if *to == nil {
		*to = make(map[string]string)
	}
	key := v[w : w+int(size)]
	(*to)[alias(key)] = alias(v[w+int(size):])
	return true
}

func alias(v []byte) string { return unsafe.String(unsafe.SliceData(v), len(v)) }

// Detach copies every string of e into memory of its own (one allocation, plus those of Attributes and Record), so that
// e no longer aliases the buffer it was decoded from. It is not safe for concurrent use on one e.
func (e *Event) Detach() {
	texts := e.texts()
	size := 0
	for _, s := range texts {
		size += len(*s)
	}
	for _, id := range e.Calls {
		size += len(id)
	}
	for _, m := range [...]map[string]string{e.Attributes, e.Record} {
		for k, v := range m {
			size += len(k) + len(v)
		}
	}
	own := make([]byte, 0, size)
	for _, s := range texts {
		own = moveText(own, s)
	}
	for i := range e.Calls {
		own = moveText(own, &e.Calls[i])
	}
	for _, m := range [...]*map[string]string{&e.Attributes, &e.Record} {
		if len(*m) == 0 {
			continue
		}
		moved := make(map[string]string, len(*m))
		for k, v := range *m {
			own = moveText(own, &k)
			own = moveText(own, &v)
			moved[k] = v
		}
		*m = moved
	}
}

// moveText appends s to own, which has room, and points s there.
func moveText(own []byte, s *string) []byte {
	if *s == "" {
		return own
	}
	from := len(own)
	own = append(own, *s...)
	*s = alias(own[from:])
	return own
}
