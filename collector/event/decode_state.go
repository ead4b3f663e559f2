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

// violation says why an event is refused, as far as one event alone tells; Refusal adds whose event it is.
type violation struct {
	field  Field
	reason Reason
	detail string
}

// decodeState decodes and validates events one after the other, for one goroutine at a time.
type decodeState struct {
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
	first      violation
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

// fail keeps the first violation only: later ones often follow from it.
func (ds *decodeState) fail(field Field, reason Reason, detail string) {
	if ds.first.reason == "" {
		ds.first = violation{field, reason, detail}
	}
}

// event decodes one frame into e and validates it.
func (ds *decodeState) event(e *Event, raw []byte, depth int, now time.Time, b *Batch) violation {
	ds.frame, ds.e, ds.batch, ds.opt = raw, e, b, nil
	ds.first, ds.broken, ds.seen = violation{}, nil, 0
	ds.id, ds.source, ds.typ, ds.subj = "", "", "", ""
	*e = Event{}
	if len(raw) > MaxEventBytes {
		return violation{"", EventTooLarge, "an event has at most 65536 bytes"}
	}
	if depth > MaxDepth {
		return violation{"", TooDeep, "an event nests at most 8 deep"}
	}
	ds.read(raw)
	if ds.json.PeekKind() == '{' {
		ds.members(ds.attribute)
	} else if err := ds.json.SkipValue(); err != nil {
		ds.broken = err
	} else {
		ds.fail("", WrongType, "an event is a JSON object")
	}
	ds.end()
	if ds.broken != nil {
		return ds.malformed()
	}
	ds.finish(now)
	if ds.first.reason != "" {
		return ds.first
	}
	e.Digest = ds.digest(e)
	e.Detach()
	return violation{}
}

// read puts the JSON reader to the start of raw.
func (ds *decodeState) read(raw []byte) {
	ds.frame, ds.broken = raw, nil
	ds.buf = *bytes.NewBuffer(raw)
	ds.json.Reset(&ds.buf)
}

// end checks that nothing follows.
func (ds *decodeState) end() {
	if ds.broken == nil {
		if _, err := ds.json.ReadToken(); err != io.EOF {
			ds.broken = errors.New("more than one value")
		}
	}
}

func (ds *decodeState) malformed() violation {
	at := strconv.FormatInt(ds.json.InputOffset(), 10)
	switch {
	case !utf8.Valid(ds.frame):
		return violation{"", InvalidUTF8, "the event is not UTF-8"}
	case errors.Is(ds.broken, jsontext.ErrDuplicateName):
		return violation{"", DuplicateKey, "an object has the same key twice, after byte " + at + " of the event"}
	}
	return violation{"", MalformedJSON, "the event is not one JSON object by RFC 8259, after byte " + at + " of the event"}
}

// members reads an object and calls member with each name; member reads the value.
func (ds *decodeState) members(member func(name string)) {
	if _, err := ds.json.ReadToken(); err != nil {
		ds.broken = err
		return
	}
	for ds.broken == nil {
		from := int(ds.json.InputOffset())
		tok, err := ds.json.ReadToken()
		if err != nil {
			ds.broken = err
			return
		}
		if tok.Kind() == '}' {
			return
		}
		// The name's bytes lie between the comma and where the reader stands now.
		for isSpace(ds.frame[from]) || ds.frame[from] == ',' {
			from++
		}
		name := alias(ds.frame[from+1 : ds.json.InputOffset()-1])
		if strings.IndexByte(name, '\\') >= 0 {
			name = tok.String()
		}
		member(name)
	}
}

// attribute reads one CloudEvents context attribute.
func (ds *decodeState) attribute(name string) {
	switch name {
	case "specversion":
		if s, ok := ds.string(FieldSpecVersion, MaxCodeBytes); ok {
			ds.seen |= seenSpec
			if s != "1.0" {
				ds.fail(FieldSpecVersion, Unsupported, `only "1.0" is spoken here`)
			}
		}
	case "id":
		if s, ok := ds.identifier(FieldID); ok {
			ds.seen |= seenID
			ds.e.ID, ds.id = s, s
		}
	case "source":
		if s, ok := ds.checked(FieldSource, MaxSourceBytes, shapeURI); ok {
			ds.seen |= seenSource
			ds.e.Source, ds.source = s, s
		}
	case "type":
		if s, ok := ds.string(FieldType, MaxIDBytes); ok {
			ds.seen |= seenType
			ds.typ = s
		}
	case "subject":
		if s, ok := ds.string(FieldSubject, MaxIDBytes+len("ticket/")); ok {
			ds.seen |= seenSubject
			ds.subj = s
		}
	case "time":
		if t, ok := ds.time(FieldTime); ok {
			ds.seen |= seenTime
			ds.e.OccurredAt = t
		}
	case "datacontenttype":
		if s, ok := ds.string(FieldDataContentType, MaxIDBytes); ok && !isJSONMediaType(s) {
			ds.fail(FieldDataContentType, Unsupported, `data is JSON: "application/json" or nothing`)
		}
	case "dataschema":
		ds.skip()
	case "data_base64":
		if ds.json.PeekKind() != 'n' {
			ds.fail(FieldDataBase64, Unsupported, "data is a JSON object in the member data")
		}
		ds.skip()
	case "data":
		switch ds.json.PeekKind() {
		case '{':
			ds.members(ds.datum)
		case 'n':
			ds.skip()
		default:
			ds.fail(FieldData, WrongType, "data is a JSON object")
			ds.skip()
		}
	default:
		ds.batch.drop(name)
		ds.skip()
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
func (ds *decodeState) datum(name string) {
	e := ds.e
	switch name {
	case "caller":
		ds.caller()
	case "agent":
		e.Agent, _ = ds.checked(FieldAgent, MaxCodeBytes, shapeAgent)
	case "queue":
		e.Queue, _ = ds.checked(FieldQueue, MaxNameBytes, shapeText)
	case "position":
		e.Position, _ = ds.checked(FieldPosition, MaxNameBytes, shapeText)
	case "channel":
		e.Channel, _ = ds.checked(FieldChannel, MaxCodeBytes, shapeLower)
	case "class":
		e.Class = ds.code(FieldClass, classes)
	case "category":
		e.Category, _ = ds.checked(FieldCategory, MaxNameBytes, shapeText)
	case "priority":
		e.Priority = ds.code(FieldPriority, priorities)
	case "opd":
		e.OPD, _ = ds.checked(FieldOPD, MaxNameBytes, shapeText)
	case "kecamatan":
		e.Kecamatan, _ = ds.checked(FieldKecamatan, MaxNameBytes, shapeText)
	case "reason":
		e.Reason, _ = ds.checked(FieldReason, MaxCodeBytes, shapeLower)
	case "result":
		e.Result, _ = ds.checked(FieldResult, MaxCodeBytes, shapeLower) // which list depends on the type, see finish
	case "calls":
		ds.calls()
	case "master":
		e.Master, _ = ds.identifier(FieldMaster)
	case "due":
		if t, ok := ds.time(FieldDue); ok {
			if t.Year() > MaxYear {
				ds.fail(FieldDue, OutOfRange, "a due time lies before the year 2100")
			}
			e.Due = t
		}
	case "lat":
		e.Lat = ds.degrees(FieldLat, 90)
	case "lon":
		e.Lon = ds.degrees(FieldLon, 180)
	case "center":
		e.Center, _ = ds.checked(FieldCenter, MaxCodeBytes, shapeCode)
	case "ring_ms":
		if n, ok := ds.integer(FieldRingMS, MaxDurationMS); ok {
			o := ds.optional()
			o.ring, e.RingMS = n, &o.ring
		}
	case "wait_ms":
		if n, ok := ds.integer(FieldWaitMS, MaxDurationMS); ok {
			o := ds.optional()
			o.wait, e.WaitMS = n, &o.wait
		}
	case "replaces":
		e.Replaces, _ = ds.identifier(FieldReplaces)
	case "revision":
		if n, ok := ds.integer(FieldRevision, math.MaxUint32); ok {
			e.Revision = uint32(n)
		}
	default:
		ds.other(name)
	}
}

// other reads a key of data beside the vocabulary.
func (ds *decodeState) other(name string) {
	key, ok := ds.d.attributes[name]
	if !ok {
		ds.batch.drop(name)
		ds.skip()
		return
	}
	kind, s := ds.scalar()
	switch kind {
	case '"':
		if s, ok = ds.text(Field(key), kind, s, MaxAttributeBytes); ok {
			ok = ds.validate(Field(key), s, MaxAttributeBytes, shapeText)
		}
	case '0', 't', 'f':
		ok = ds.validate(Field(key), s, MaxAttributeBytes, shapeText)
	case '{', '[':
		ds.batch.drop(key)
		return
	default:
		return
	}
	if !ok {
		return
	}
	if ds.e.Attributes == nil {
		ds.e.Attributes = make(map[string]string)
	}
	ds.e.Attributes[key] = s
}

// finish validates what needs more than one field.
func (ds *decodeState) finish(now time.Time) {
	e := ds.e
	for _, need := range [...]struct {
		bit   uint8
		field Field
	}{
		{seenSpec, FieldSpecVersion}, {seenID, FieldID}, {seenSource, FieldSource}, {seenType, FieldType},
		{seenSubject, FieldSubject}, {seenTime, FieldTime},
	} {
		if ds.seen&need.bit == 0 {
			ds.fail(need.field, MissingField, "every event has this attribute")
			return
		}
	}
	var ok bool
	if e.Type, ok = ParseType(ds.typ); !ok {
		ds.fail(FieldType, UnknownType,
			`a type is "monev112." and a word of the vocabulary, for example monev112.call.received`)
		return
	}
	kind, id, ok := strings.Cut(ds.subj, "/")
	if !ok || id == "" {
		ds.fail(FieldSubject, WrongSubject, `a subject is "call/<id>", "ticket/<id>", "agent/<id>" or "feed/<id>"`)
		return
	}
	if e.Kind, ok = ParseKind(kind); !ok || e.Kind != e.Type.Kind() {
		ds.fail(FieldSubject, WrongSubject, "this type speaks of a subject "+e.Type.Kind().String()+"/<id>")
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
	if !ds.validate(FieldSubject, id, limit, sh) {
		return
	}
	e.Subject = id
	ds.finishTimes(now)
	ds.finishResult()
	if (e.Lat == nil) != (e.Lon == nil) {
		missing := FieldLat
		if e.Lon == nil {
			missing = FieldLon
		}
		ds.fail(missing, MissingField, "a place has both lat and lon")
	}
	if e.Replaces != "" && e.Replaces == e.ID {
		ds.fail(FieldReplaces, OutOfRange, "an event replaces an earlier one, never itself")
	}
	if need := e.Type.Needs(); need != "" && !ds.has(need) {
		ds.fail(need, MissingField, "events of this type say nothing without it")
	}
}

func (ds *decodeState) has(f Field) bool {
	switch f {
	case FieldClass:
		return ds.e.Class != ""
	case FieldOPD:
		return ds.e.OPD != ""
	case FieldResult:
		return ds.e.Result != ""
	case FieldMaster:
		return ds.e.Master != ""
	}
	return true
}

func (ds *decodeState) finishTimes(now time.Time) {
	if ds.e.OccurredAt.Year() < MinYear {
		ds.fail(FieldTime, TimeTooOld, "a time lies in the year 2000 or later")
	}
	if ds.e.OccurredAt.After(now.Add(MaxFutureSeconds * time.Second)) {
		ds.fail(FieldTime, TimeInFuture, "a time lies at most 5 minutes after the present; check the clock and the offset")
	}
	if !ds.e.Due.IsZero() && ds.e.Due.Year() < MinYear {
		ds.fail(FieldDue, TimeTooOld, "a time lies in the year 2000 or later")
	}
}

func (ds *decodeState) finishResult() {
	e := ds.e
	if e.Result == "" {
		return
	}
	list := results
	switch e.Kind {
	case KindTicket:
	case KindAgent:
		list = agentStates
	default:
		ds.fail(FieldResult, UnknownCode, "only events of tickets and agents have a result")
		return
	}
	code, ok := listed(list, e.Result)
	if !ok {
		ds.fail(FieldResult, UnknownCode, "one of "+strings.Join(list, ", "))
	}
	e.Result = code
}

// digest signs what e says, so that a repetition can be told from a contradiction.
func (ds *decodeState) digest(e *Event) (d Digest) {
	ds.canonical = appendCanonical(ds.canonical[:0], e)
	ds.digestMAC.Reset()
	ds.digestMAC.Write(ds.canonical)
	ds.sum = ds.digestMAC.Sum(ds.sum[:0])
	copy(d[:], ds.sum)
	return d
}

func isJSONMediaType(s string) bool {
	s, _, _ = strings.Cut(s, ";")
	s = strings.ToLower(strings.TrimSpace(s))
	return s == "" || s == "application/json" || s == "text/json" || strings.HasPrefix(s, "application/") &&
		strings.HasSuffix(s, "+json")
}
