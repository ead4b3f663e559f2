package event

import (
	"bytes"
	"errors"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// violation says why an event is refused, as far as the event alone tells; Refusal adds where it stood.
type violation struct {
	field  Field
	reason Reason
	detail string
}

// decodeState decodes and validates events one after the other, for one goroutine at a time.
type decodeState struct {
	d         *Decoder
	frames    []frame // of the request
	json      *jsontext.Decoder
	buf       bytes.Buffer
	digestMAC hash.Hash
	callerMAC hash.Hash
	keyID     string
	canonical []byte
	scratch   []byte
	sum       []byte
	hexed     []byte

	current
}

// current is what is known of the event at hand.
type current struct {
	frame     []byte
	e         *Event
	batch     *Batch
	opt       *optional
	violation violation // the first; later ones often follow from it
	blanks    []Field   // members of data that may not be kept
	broken    error     // the JSON cannot be read on

	// context attributes; e.ID and e.Source may be repeated to the sender
	specVersion, typ, subject string
	hasTime                   bool
}

// fail refuses the event, unless it is refused already.
func (ds *decodeState) fail(field Field, reason Reason, detail string) {
	if ds.violation.reason == "" {
		ds.violation = violation{field, reason, detail}
	}
}

// event decodes one frame into e, which is empty, and validates it.
func (ds *decodeState) event(e *Event, raw []byte, depth int, now time.Time, b *Batch) violation {
	ds.current = current{frame: raw, e: e, batch: b}
	if len(raw) > MaxEventBytes {
		return violation{"", EventTooLarge, "an event has at most 65536 bytes"}
	}
	if depth > MaxDepth {
		return violation{"", TooDeep, "an event nests at most 8 deep"}
	}
	ds.read(raw)
	if ds.json.PeekKind() == '{' {
		ds.members(ds.attribute)
	} else {
		ds.fail("", WrongType, "an event is a JSON object")
		ds.skip()
	}
	ds.end()
	if ds.broken != nil {
		return ds.malformed()
	}
	ds.finish(now)
	if ds.violation.reason != "" {
		return ds.violation
	}
	e.Digest = ds.digest(e)
	for _, f := range ds.blanks {
		e.Blank(f)
	}
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
		if _, err := ds.json.ReadToken(); !errors.Is(err, io.EOF) {
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
		// The bytes of the name are between the comma and where the reader is now.
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
		if ds.specVersion, _ = ds.string(FieldSpecVersion, MaxCodeBytes); ds.specVersion != "" && ds.specVersion != "1.0" {
			ds.fail(FieldSpecVersion, Unsupported, `it is "1.0"`)
		}
	case "id":
		ds.e.ID = ds.text(FieldID, MaxIDBytes, shapeText)
	case "source":
		ds.e.Source = ds.text(FieldSource, MaxSourceBytes, shapeURI)
	case "type":
		ds.typ, _ = ds.string(FieldType, MaxIDBytes)
	case "subject":
		ds.subject, _ = ds.string(FieldSubject, maxSubjectBytes)
	case "time":
		ds.e.OccurredAt, ds.hasTime = ds.time(FieldTime)
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

// other reads a member of data beside the vocabulary.
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
		s, ok = ds.unquote(Field(key), kind, s, MaxEventBytes)
	case '0', 't', 'f':
	case '{', '[':
		ds.batch.drop(key)
		return
	default:
		return
	}
	if !ok {
		return
	}
	ds.blank(Field(key), s, MaxAttributeBytes, shapeNote)
	if ds.e.Attributes == nil {
		ds.e.Attributes = make(map[string]string)
	}
	ds.e.Attributes[key] = s
}

// finish validates what needs more than one field.
func (ds *decodeState) finish(now time.Time) {
	e := ds.e
	for _, need := range [...]struct {
		field Field
		given bool
	}{
		{FieldSpecVersion, ds.specVersion != ""}, {FieldID, e.ID != ""}, {FieldSource, e.Source != ""},
		{FieldType, ds.typ != ""}, {FieldSubject, ds.subject != ""}, {FieldTime, ds.hasTime},
	} {
		if !need.given {
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
	kind, id, ok := strings.Cut(ds.subject, "/")
	if !ok || id == "" {
		ds.fail(FieldSubject, WrongSubject,
			`a subject is "call/<id>", "ticket/<id>", "agent/<id>", "feed/<id>", "rtl/<id>", "remark/<month>/<section>" or "form/<month>/<name>"`)
		return
	}
	if e.Kind, ok = ParseKind(kind); !ok || e.Type.Kind() != 0 && e.Kind != e.Type.Kind() {
		ds.fail(FieldSubject, WrongSubject, "the subject of this type is "+subjectOf(e.Type)+"/<id>")
		return
	}
	limit, sh := MaxIDBytes, shapeText
	switch e.Kind {
	case KindAgent:
		limit, sh = MaxCodeBytes, shapeID
	case KindRTL:
		limit, sh = MaxCodeBytes, shapeCode
	}
	if !ds.validate(FieldSubject, id, limit, sh) {
		return
	}
	e.Subject = id
	ds.finishRecord()
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
	if need := types[e.Type].needs; need != "" && *e.member(need) == "" {
		ds.fail(need, MissingField, "events of this type say nothing without it")
	}
}

// subjectOf names the kind of subject that events of t speak of.
func subjectOf(t Type) string {
	if t.Kind() == 0 {
		return "that of the event withdrawn: <kind>"
	}
	return t.Kind().String()
}

func (ds *decodeState) finishTimes(now time.Time) {
	const tooOld = "a time is in the year 2000 or later"
	at, due := ds.e.OccurredAt, ds.e.Due
	if at.Year() < MinYear {
		ds.fail(FieldTime, TimeTooOld, tooOld)
	}
	if at.After(now.Add(MaxFutureSeconds * time.Second)) {
		ds.fail(FieldTime, TimeInFuture, "a time is at most 5 minutes after the present; check the clock and the offset")
	}
	if !due.IsZero() && due.Year() < MinYear {
		ds.fail(FieldDue, TimeTooOld, tooOld)
	}
}

func (ds *decodeState) finishResult() {
	e := ds.e
	if e.Result == "" || slices.Contains(ds.blanks, FieldResult) {
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
	e.Result = ds.listed(FieldResult, list, e.Result)
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
