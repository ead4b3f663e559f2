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

const (
	tagSource = iota + 1
	tagID
	tagType
	tagKind
	tagSubject
	tagCenter
	tagOccurredAt
	tagReceivedAt
	tagDigest
	tagCallerKeyID
	tagCallerKey
	tagCallerLast3
	tagAgent
	tagQueue
	tagPosition
	tagChannel
	tagClass
	tagCategory
	tagPriority
	tagOPD
	tagKecamatan
	tagReason
	tagResult
	tagCall
	tagMaster
	tagDue
	tagLat
	tagLon
	tagRingMS
	tagWaitMS
	tagReplaces
	tagRevision
	tagAttribute
)

// ErrBinary is wrapped by every error of DecodeBinary: the bytes are not an event of a version that is understood.
var ErrBinary = errors.New("not a binary event")

// AppendBinary appends the binary form of e to dst and returns the extended slice. Times lose what is finer than a
// millisecond. It does not modify e and is safe for concurrent use on one e.
func AppendBinary(dst []byte, e *Event) []byte {
	dst = append(dst, binaryVersion)
	dst = appendString(dst, tagSource, e.Source)
	dst = appendString(dst, tagID, e.ID)
	dst = append(dst, tagType, 1, byte(e.Type), tagKind, 1, byte(e.Kind))
	dst = appendString(dst, tagSubject, e.Subject)
	dst = appendString(dst, tagCenter, e.Center)
	dst = appendTime(dst, tagOccurredAt, e.OccurredAt)
	dst = appendTime(dst, tagReceivedAt, e.ReceivedAt)
	if e.Digest != (Digest{}) {
		dst = append(dst, tagDigest, byte(len(e.Digest)))
		dst = append(dst, e.Digest[:]...)
	}
	dst = appendString(dst, tagCallerKeyID, e.Caller.KeyID)
	dst = appendString(dst, tagCallerKey, e.Caller.Key)
	dst = appendString(dst, tagCallerLast3, e.Caller.Last3)
	return appendFacts(dst, e)
}

// appendCanonical appends what the digest covers: everything but ReceivedAt, Digest and Caller.
func appendCanonical(dst []byte, e *Event) []byte {
	dst = append(dst, binaryVersion)
	dst = appendString(dst, tagSource, e.Source)
	dst = appendString(dst, tagID, e.ID)
	dst = append(dst, tagType, 1, byte(e.Type), tagKind, 1, byte(e.Kind))
	dst = appendString(dst, tagSubject, e.Subject)
	dst = appendString(dst, tagCenter, e.Center)
	dst = appendTime(dst, tagOccurredAt, e.OccurredAt)
	return appendFacts(dst, e)
}

func appendFacts(dst []byte, e *Event) []byte {
	dst = appendString(dst, tagAgent, e.Agent)
	dst = appendString(dst, tagQueue, e.Queue)
	dst = appendString(dst, tagPosition, e.Position)
	dst = appendString(dst, tagChannel, e.Channel)
	dst = appendString(dst, tagClass, e.Class)
	dst = appendString(dst, tagCategory, e.Category)
	dst = appendString(dst, tagPriority, e.Priority)
	dst = appendString(dst, tagOPD, e.OPD)
	dst = appendString(dst, tagKecamatan, e.Kecamatan)
	dst = appendString(dst, tagReason, e.Reason)
	dst = appendString(dst, tagResult, e.Result)
	for _, id := range e.Calls {
		dst = append(dst, tagCall)
		dst = binary.AppendUvarint(dst, uint64(len(id)))
		dst = append(dst, id...)
	}
	dst = appendString(dst, tagMaster, e.Master)
	dst = appendTime(dst, tagDue, e.Due)
	dst = appendFloat(dst, tagLat, e.Lat)
	dst = appendFloat(dst, tagLon, e.Lon)
	dst = appendInt(dst, tagRingMS, e.RingMS)
	dst = appendInt(dst, tagWaitMS, e.WaitMS)
	dst = appendString(dst, tagReplaces, e.Replaces)
	if e.Revision != 0 {
		r := int64(e.Revision)
		dst = appendInt(dst, tagRevision, &r)
	}
	if len(e.Attributes) > 0 {
		dst = appendAttributes(dst, e.Attributes)
	}
	return dst
}

func appendString(dst []byte, tag byte, s string) []byte {
	if s == "" {
		return dst
	}
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendTime(dst []byte, tag byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	dst = append(dst, tag, 8)
	return binary.LittleEndian.AppendUint64(dst, uint64(t.UnixMilli()))
}

func appendFloat(dst []byte, tag byte, f *float64) []byte {
	if f == nil {
		return dst
	}
	dst = append(dst, tag, 8)
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(*f))
}

// appendInt keeps a negative number too (as its two's complement), though no decoder of ours lets one in.
func appendInt(dst []byte, tag byte, n *int64) []byte {
	if n == nil {
		return dst
	}
	var buf [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(buf[:], uint64(*n))
	dst = append(dst, tag, byte(w))
	return append(dst, buf[:w]...)
}

func appendAttributes(dst []byte, attributes map[string]string) []byte {
	var stack [MaxAttributes]string
	keys := stack[:0]
	for k := range attributes {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		v := attributes[k]
		dst = append(dst, tagAttribute)
		dst = binary.AppendUvarint(dst, uint64(uvarintLen(uint64(len(k)))+len(k)+len(v)))
		dst = binary.AppendUvarint(dst, uint64(len(k)))
		dst = append(dst, k...)
		dst = append(dst, v...)
	}
	return dst
}

func uvarintLen(n uint64) int {
	w := 1
	for ; n >= 0x80; n >>= 7 {
		w++
	}
	return w
}

// optional holds the facts that are pointers in an Event, so that they cost one allocation together.
type optional struct {
	lat, lon   float64
	ring, wait int64
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
	var opt *optional
	for p := 1; p < len(payload); {
		tag := payload[p]
		p++
		var n int
		if p < len(payload) && payload[p] < 0x80 {
			n = int(payload[p])
			p++
		} else {
			u, w := binary.Uvarint(payload[p:])
			if w <= 0 || u > uint64(len(payload)) {
				return fmt.Errorf("%w: length of tag %d at byte %d", ErrBinary, tag, p)
			}
			n = int(u)
			p += w
		}
		if n > len(payload)-p {
			return fmt.Errorf("%w: tag %d at byte %d runs past the end", ErrBinary, tag, p)
		}
		v := payload[p : p+n : p+n]
		p += n

		bad := false
		switch tag {
		case tagSource:
			e.Source = alias(v)
		case tagID:
			e.ID = alias(v)
		case tagType:
			if bad = n != 1; !bad {
				e.Type = Type(v[0])
			}
		case tagKind:
			if bad = n != 1; !bad {
				e.Kind = Kind(v[0])
			}
		case tagSubject:
			e.Subject = alias(v)
		case tagCenter:
			e.Center = alias(v)
		case tagOccurredAt:
			e.OccurredAt, bad = milli(v)
		case tagReceivedAt:
			e.ReceivedAt, bad = milli(v)
		case tagDigest:
			if bad = n != len(e.Digest); !bad {
				copy(e.Digest[:], v)
			}
		case tagCallerKeyID:
			e.Caller.KeyID = alias(v)
		case tagCallerKey:
			e.Caller.Key = alias(v)
		case tagCallerLast3:
			e.Caller.Last3 = alias(v)
		case tagAgent:
			e.Agent = alias(v)
		case tagQueue:
			e.Queue = alias(v)
		case tagPosition:
			e.Position = alias(v)
		case tagChannel:
			e.Channel = alias(v)
		case tagClass:
			e.Class = alias(v)
		case tagCategory:
			e.Category = alias(v)
		case tagPriority:
			e.Priority = alias(v)
		case tagOPD:
			e.OPD = alias(v)
		case tagKecamatan:
			e.Kecamatan = alias(v)
		case tagReason:
			e.Reason = alias(v)
		case tagResult:
			e.Result = alias(v)
		case tagCall:
			e.Calls = append(e.Calls, alias(v))
		case tagMaster:
			e.Master = alias(v)
		case tagDue:
			e.Due, bad = milli(v)
		case tagLat, tagLon, tagRingMS, tagWaitMS:
			if opt == nil {
				opt = new(optional)
			}
			bad = opt.set(e, tag, v)
		case tagReplaces:
			e.Replaces = alias(v)
		case tagRevision:
			u, w := binary.Uvarint(v)
			bad = w != n || w <= 0 || u > math.MaxUint32
			e.Revision = uint32(u)
		case tagAttribute:
			u, w := binary.Uvarint(v)
			if bad = w <= 0 || u > uint64(len(v)-w); !bad {
				if e.Attributes == nil {
					e.Attributes = make(map[string]string)
				}
				e.Attributes[alias(v[w:w+int(u)])] = alias(v[w+int(u):])
			}
		}
		if bad {
			return fmt.Errorf("%w: value of tag %d before byte %d", ErrBinary, tag, p)
		}
	}
	return nil
}

// set points the field of tag at its place in o.
func (o *optional) set(e *Event, tag byte, v []byte) (bad bool) {
	if tag == tagLat || tag == tagLon {
		if len(v) != 8 {
			return true
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(v))
		if tag == tagLat {
			o.lat, e.Lat = f, &o.lat
		} else {
			o.lon, e.Lon = f, &o.lon
		}
		return false
	}
	u, w := binary.Uvarint(v)
	if w <= 0 || w != len(v) {
		return true
	}
	if tag == tagRingMS {
		o.ring, e.RingMS = int64(u), &o.ring
	} else {
		o.wait, e.WaitMS = int64(u), &o.wait
	}
	return false
}

func milli(v []byte) (t time.Time, bad bool) {
	if len(v) != 8 {
		return time.Time{}, true
	}
	return time.UnixMilli(int64(binary.LittleEndian.Uint64(v))).UTC(), false
}

func alias(v []byte) string { return unsafe.String(unsafe.SliceData(v), len(v)) }

// texts returns every string field of e that may alias foreign bytes; calls and attributes are not among them.
func (e *Event) texts() [20]*string {
	return [...]*string{
		&e.Source, &e.ID, &e.Subject, &e.Center, &e.Caller.KeyID, &e.Caller.Key, &e.Caller.Last3, &e.Agent, &e.Queue,
		&e.Position,
		&e.Channel, &e.Class, &e.Category, &e.Priority, &e.OPD, &e.Kecamatan, &e.Reason, &e.Result, &e.Master, &e.Replaces,
	}
}

// Detach copies every string of e into memory of its own (one allocation, plus those of Attributes), so that e no
// longer aliases the buffer it was decoded from. It is not safe for concurrent use on one e.
func (e *Event) Detach() {
	texts := e.texts()
	size := 0
	for _, s := range texts {
		size += len(*s)
	}
	for _, id := range e.Calls {
		size += len(id)
	}
	for k, v := range e.Attributes {
		size += len(k) + len(v)
	}
	own := make([]byte, 0, size)
	for _, s := range texts {
		own = moveText(own, s)
	}
	for i := range e.Calls {
		own = moveText(own, &e.Calls[i])
	}
	if len(e.Attributes) > 0 {
		moved := make(map[string]string, len(e.Attributes))
		for k, v := range e.Attributes {
			own = moveText(own, &k)
			own = moveText(own, &v)
			moved[k] = v
		}
		e.Attributes = moved
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
