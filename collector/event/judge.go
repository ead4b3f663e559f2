package event

import (
	"bytes"
	"errors"
	"hash"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// fault is the part of a Refusal that the judge of one event knows.
type fault struct {
	field  Field
	reason Reason
	detail string
}

// work is what one goroutine needs to judge events one after the other.
type work struct {
	d         *Decoder
	json      *jsontext.Decoder
	buf       bytes.Buffer
	digestMAC hash.Hash
	callerMAC hash.Hash
	keyID     string
	canonical []byte
	scratch   []byte
	sum       []byte
	hexed     []byte

	// of the event at hand
	frame      []byte
	e          *Event
	batch      *Batch
	opt        *optional
	first      fault
	broken     error  // the JSON cannot be read on
	id, source string // as far as they may be repeated to the sender
	typ, subj  string
	seen       uint8 // context attributes that were there
}

const (
	seenSpec = 1 << iota
	seenID
	seenSource
	seenType
	seenSubject
	seenTime
)

// fail keeps the first fault only: later ones often follow from it.
func (w *work) fail(field Field, reason Reason, detail string) {
	if w.first.reason == "" {
		w.first = fault{field, reason, detail}
	}
}

// event judges one frame and fills e.
func (w *work) event(e *Event, raw []byte, depth int, now time.Time, b *Batch) fault {
	w.frame, w.e, w.batch, w.opt = raw, e, b, nil
	w.first, w.broken, w.seen = fault{}, nil, 0
	w.id, w.source, w.typ, w.subj = "", "", "", ""
	*e = Event{}
	if len(raw) > MaxEventBytes {
		return fault{"", EventTooLarge, "an event has at most 65536 bytes"}
	}
	if depth > MaxDepth {
		return fault{"", TooDeep, "an event nests at most 8 deep"}
	}
	w.read(raw)
	if w.json.PeekKind() == '{' {
		w.members(w.attribute)
	} else if err := w.json.SkipValue(); err != nil {
		w.broken = err
	} else {
		w.fail("", WrongType, "an event is a JSON object")
	}
	w.end()
	if w.broken != nil {
		return w.malformed()
	}
	w.finish(now)
	if w.first.reason != "" {
		return w.first
	}
	e.Digest = w.digest(e)
	e.Detach()
	return fault{}
}

// read puts the JSON reader to the start of raw.
func (w *work) read(raw []byte) {
	w.frame, w.broken = raw, nil
	w.buf = *bytes.NewBuffer(raw)
	w.json.Reset(&w.buf)
}

// end checks that nothing follows.
func (w *work) end() {
	if w.broken == nil {
		if _, err := w.json.ReadToken(); err != io.EOF {
			w.broken = errors.New("more than one value")
		}
	}
}

func (w *work) malformed() fault {
	at := strconv.FormatInt(w.json.InputOffset(), 10)
	switch {
	case !utf8.Valid(w.frame):
		return fault{"", InvalidUTF8, "the event is not UTF-8"}
	case errors.Is(w.broken, jsontext.ErrDuplicateName):
		return fault{"", DuplicateKey, "an object has the same key twice, after byte " + at + " of the event"}
	}
	return fault{"", MalformedJSON, "the event is not one JSON object by RFC 8259, after byte " + at + " of the event"}
}

// members reads an object and calls member with each name; member reads the value.
func (w *work) members(member func(name string)) {
	if _, err := w.json.ReadToken(); err != nil {
		w.broken = err
		return
	}
	for w.broken == nil {
		from := int(w.json.InputOffset())
		tok, err := w.json.ReadToken()
		if err != nil {
			w.broken = err
			return
		}
		if tok.Kind() == '}' {
			return
		}
		// The name's bytes lie between the comma and where the reader stands now.
		for isSpace(w.frame[from]) || w.frame[from] == ',' {
			from++
		}
		name := alias(w.frame[from+1 : w.json.InputOffset()-1])
		if strings.IndexByte(name, '\\') >= 0 {
			name = tok.String()
		}
		member(name)
	}
}

// attribute reads one CloudEvents context attribute.
func (w *work) attribute(name string) {
	switch name {
	case "specversion":
		if s, ok := w.string(FieldSpecVersion, MaxCodeBytes); ok {
			w.seen |= seenSpec
			if s != "1.0" {
				w.fail(FieldSpecVersion, Unsupported, `only "1.0" is spoken here`)
			}
		}
	case "id":
		if s, ok := w.identifier(FieldID); ok {
			w.seen |= seenID
			w.e.ID, w.id = s, s
		}
	case "source":
		if s, ok := w.checked(FieldSource, MaxSourceBytes, shapeURI); ok {
			w.seen |= seenSource
			w.e.Source, w.source = s, s
		}
	case "type":
		if s, ok := w.string(FieldType, MaxIDBytes); ok {
			w.seen |= seenType
			w.typ = s
		}
	case "subject":
		if s, ok := w.string(FieldSubject, MaxIDBytes+len("ticket/")); ok {
			w.seen |= seenSubject
			w.subj = s
		}
	case "time":
		if t, ok := w.time(FieldTime); ok {
			w.seen |= seenTime
			w.e.OccurredAt = t
		}
	case "datacontenttype":
		if s, ok := w.string(FieldDataContentType, MaxIDBytes); ok && !isJSONMediaType(s) {
			w.fail(FieldDataContentType, Unsupported, `data is JSON: "application/json" or nothing`)
		}
	case "dataschema":
		w.skip()
	case "data_base64":
		if w.json.PeekKind() != 'n' {
			w.fail(FieldDataBase64, Unsupported, "data is a JSON object in the member data")
		}
		w.skip()
	case "data":
		switch w.json.PeekKind() {
		case '{':
			w.members(w.datum)
		case 'n':
			w.skip()
		default:
			w.fail(FieldData, WrongType, "data is a JSON object")
			w.skip()
		}
	default:
		w.batch.drop(name)
		w.skip()
	}
}

// dataField reports whether name is a field of data that the vocabulary knows.
func dataField(name string) bool {
	switch Field(name) {
	case FieldCaller, FieldAgent, FieldQueue, FieldPosition, FieldChannel, FieldClass, FieldCategory, FieldPriority,
		FieldOPD, FieldKecamatan, FieldReason, FieldResult, FieldCalls, FieldMaster, FieldDue, FieldLat, FieldLon,
		FieldCenter, FieldRingMS, FieldWaitMS, FieldReplaces, FieldRevision:
		return true
	}
	return false
}

// datum reads one field of data.
func (w *work) datum(name string) {
	e := w.e
	switch name {
	case "caller":
		w.caller()
	case "agent":
		e.Agent, _ = w.checked(FieldAgent, MaxCodeBytes, shapeAgent)
	case "queue":
		e.Queue, _ = w.checked(FieldQueue, MaxNameBytes, shapeText)
	case "position":
		e.Position, _ = w.checked(FieldPosition, MaxNameBytes, shapeText)
	case "channel":
		e.Channel, _ = w.checked(FieldChannel, MaxCodeBytes, shapeLower)
	case "class":
		e.Class = w.code(FieldClass, classes)
	case "category":
		e.Category, _ = w.checked(FieldCategory, MaxNameBytes, shapeText)
	case "priority":
		e.Priority = w.code(FieldPriority, priorities)
	case "opd":
		e.OPD, _ = w.checked(FieldOPD, MaxNameBytes, shapeText)
	case "kecamatan":
		e.Kecamatan, _ = w.checked(FieldKecamatan, MaxNameBytes, shapeText)
	case "reason":
		e.Reason, _ = w.checked(FieldReason, MaxCodeBytes, shapeLower)
	case "result":
		e.Result, _ = w.checked(FieldResult, MaxCodeBytes, shapeLower) // which list depends on the type, see finish
	case "calls":
		w.calls()
	case "master":
		e.Master, _ = w.identifier(FieldMaster)
	case "due":
		if t, ok := w.time(FieldDue); ok {
			if t.Year() > MaxYear {
				w.fail(FieldDue, OutOfRange, "a due time lies before the year 2100")
			}
			e.Due = t
		}
	case "lat":
		e.Lat = w.degrees(FieldLat, 90)
	case "lon":
		e.Lon = w.degrees(FieldLon, 180)
	case "center":
		e.Center, _ = w.checked(FieldCenter, MaxCodeBytes, shapeCode)
	case "ring_ms":
		if n, ok := w.integer(FieldRingMS, MaxDurationMS); ok {
			o := w.optional()
			o.ring, e.RingMS = n, &o.ring
		}
	case "wait_ms":
		if n, ok := w.integer(FieldWaitMS, MaxDurationMS); ok {
			o := w.optional()
			o.wait, e.WaitMS = n, &o.wait
		}
	case "replaces":
		e.Replaces, _ = w.identifier(FieldReplaces)
	case "revision":
		if n, ok := w.integer(FieldRevision, math.MaxUint32); ok {
			e.Revision = uint32(n)
		}
	default:
		w.other(name)
	}
}

// other reads a key of data beside the vocabulary.
func (w *work) other(name string) {
	key, ok := w.d.attributes[name]
	if !ok {
		w.batch.drop(name)
		w.skip()
		return
	}
	kind, s := w.scalar()
	switch kind {
	case '"':
		if s, ok = w.text(Field(key), kind, s, MaxAttributeBytes); ok {
			ok = w.judge(Field(key), s, MaxAttributeBytes, shapeText)
		}
	case '0', 't', 'f':
		ok = w.judge(Field(key), s, MaxAttributeBytes, shapeText)
	case '{', '[':
		w.batch.drop(key)
		return
	default:
		return
	}
	if !ok {
		return
	}
	if w.e.Attributes == nil {
		w.e.Attributes = make(map[string]string)
	}
	w.e.Attributes[key] = s
}

// finish judges what needs more than one field.
func (w *work) finish(now time.Time) {
	e := w.e
	for _, need := range [...]struct {
		bit   uint8
		field Field
	}{
		{seenSpec, FieldSpecVersion}, {seenID, FieldID}, {seenSource, FieldSource}, {seenType, FieldType},
		{seenSubject, FieldSubject}, {seenTime, FieldTime},
	} {
		if w.seen&need.bit == 0 {
			w.fail(need.field, MissingField, "every event has this attribute")
			return
		}
	}
	var ok bool
	if e.Type, ok = ParseType(w.typ); !ok {
		w.fail(FieldType, UnknownType,
			`a type is "monev112." and a word of the vocabulary, for example monev112.call.received`)
		return
	}
	kind, id, ok := strings.Cut(w.subj, "/")
	if !ok || id == "" {
		w.fail(FieldSubject, WrongSubject, `a subject is "call/<id>", "ticket/<id>", "agent/<id>" or "feed/<id>"`)
		return
	}
	if e.Kind, ok = ParseKind(kind); !ok || e.Kind != e.Type.Kind() {
		w.fail(FieldSubject, WrongSubject, "this type speaks of a subject "+e.Type.Kind().String()+"/<id>")
		return
	}
	sh := shapeText
	if e.Kind == KindAgent {
		sh = shapeAgent
	}
	limit := MaxIDBytes
	if e.Kind == KindAgent {
		limit = MaxCodeBytes
	}
	if !w.judge(FieldSubject, id, limit, sh) {
		return
	}
	e.Subject = id
	w.finishTimes(now)
	w.finishResult()
	if (e.Lat == nil) != (e.Lon == nil) {
		missing := FieldLat
		if e.Lon == nil {
			missing = FieldLon
		}
		w.fail(missing, MissingField, "a place has both lat and lon")
	}
	if e.Replaces != "" && e.Replaces == e.ID {
		w.fail(FieldReplaces, OutOfRange, "an event replaces an earlier one, never itself")
	}
	if need := e.Type.Needs(); need != "" && !w.has(need) {
		w.fail(need, MissingField, "events of this type say nothing without it")
	}
}

func (w *work) has(f Field) bool {
	switch f {
	case FieldClass:
		return w.e.Class != ""
	case FieldOPD:
		return w.e.OPD != ""
	case FieldResult:
		return w.e.Result != ""
	case FieldMaster:
		return w.e.Master != ""
	}
	return true
}

func (w *work) finishTimes(now time.Time) {
	if w.e.OccurredAt.Year() < MinYear {
		w.fail(FieldTime, TimeTooOld, "a time lies in the year 2000 or later")
	}
	if w.e.OccurredAt.After(now.Add(MaxFutureSeconds * time.Second)) {
		w.fail(FieldTime, TimeInFuture, "a time lies at most 5 minutes after the present; check the clock and the offset")
	}
	if !w.e.Due.IsZero() && w.e.Due.Year() < MinYear {
		w.fail(FieldDue, TimeTooOld, "a time lies in the year 2000 or later")
	}
}

func (w *work) finishResult() {
	e := w.e
	if e.Result == "" {
		return
	}
	list := results
	switch e.Kind {
	case KindTicket:
	case KindAgent:
		list = agentStates
	default:
		w.fail(FieldResult, UnknownCode, "only events of tickets and agents have a result")
		return
	}
	code, ok := listed(list, e.Result)
	if !ok {
		w.fail(FieldResult, UnknownCode, "one of "+strings.Join(list, ", "))
	}
	e.Result = code
}

// digest signs what e says, so that a repetition can be told from a contradiction.
func (w *work) digest(e *Event) (d Digest) {
	w.canonical = appendCanonical(w.canonical[:0], e)
	w.digestMAC.Reset()
	w.digestMAC.Write(w.canonical)
	w.sum = w.digestMAC.Sum(w.sum[:0])
	copy(d[:], w.sum)
	return d
}

func isJSONMediaType(s string) bool {
	s, _, _ = strings.Cut(s, ";")
	s = strings.ToLower(strings.TrimSpace(s))
	return s == "" || s == "application/json" || s == "text/json" || strings.HasPrefix(s, "application/") &&
		strings.HasSuffix(s, "+json")
}
