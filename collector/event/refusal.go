package event

import (
	"errors"
	"fmt"
	"slices"
)

// Field names a part of a CloudEvent, as a Refusal reports it: a context attribute by its name, a field of data by its
// name alone ("opd"), an allowed attribute by its key.
type Field string

// The fields that the vocabulary knows.
const (
	FieldSpecVersion     Field = "specversion"
	FieldID              Field = "id"
	FieldSource          Field = "source"
	FieldType            Field = "type"
	FieldSubject         Field = "subject"
	FieldTime            Field = "time"
	FieldData            Field = "data"
	FieldDataBase64      Field = "data_base64"
	FieldDataContentType Field = "datacontenttype"
	FieldDataSchema      Field = "dataschema"
)

// Reason says in one machine-readable word why an event was refused. The set is closed: it is a metric label.
type Reason string

// The reasons. A Decoder gives all but the last four, which need what came before and who sends.
const (
	MalformedJSON Reason = "malformed_json"  // not JSON by RFC 8259
	InvalidUTF8   Reason = "invalid_utf8"    // a string is not UTF-8
	DuplicateKey  Reason = "duplicate_key"   // one object has a key twice
	TooDeep       Reason = "too_deep"        // nested deeper than MaxDepth
	EventTooLarge Reason = "event_too_large" // longer than MaxEventBytes
	WrongType     Reason = "wrong_type"      // another JSON type than the field has
	MissingField  Reason = "missing_field"   // a field that the type needs is absent, null or empty
	// specversion, datacontenttype or data_base64 of another kind than is read here
	Unsupported      Reason = "unsupported"
	UnknownType      Reason = "unknown_type"       // no type of the vocabulary
	WrongSubject     Reason = "wrong_subject"      // not "<kind>/<id>", or not the kind that the type speaks of
	TooLong          Reason = "too_long"           // longer than the field's limit
	TooMany          Reason = "too_many"           // more elements than the field's limit
	BadCharacters    Reason = "bad_characters"     // control characters, or not the shape of a code
	UnknownCode      Reason = "unknown_code"       // not in the closed list of the field
	PhoneLike        Reason = "phone_like"         // looks like a telephone number outside of caller
	IdentityLike     Reason = "identity_like"      // a text of the office holds what looks like an identity number
	BadCaller        Reason = "bad_caller"         // caller is no telephone number
	UnknownCallerKey Reason = "unknown_caller_key" // a replaced caller names a key that is not in the key file
	Masked           Reason = "masked"             // was masked in the quarantine and cannot be replayed
	BadTime          Reason = "bad_time"           // not RFC 3339
	MissingOffset    Reason = "missing_offset"     // RFC 3339 without an offset
	TimeInFuture     Reason = "time_in_future"     // more than MaxFutureSeconds after now
	TimeTooOld       Reason = "time_too_old"       // before MinYear
	OutOfRange       Reason = "out_of_range"       // a number or a due time outside of the field's range

	Conflict         Reason = "conflict"           // the same source and id came before with another content
	SourceNotAllowed Reason = "source_not_allowed" // the API key is not for this source, or it is reserved
	TypeNotAllowed   Reason = "type_not_allowed"   // the API key is not for events of this type, or of this centre
	CaseFull         Reason = "case_full"          // the case, or a call that the event names, has no room for more
)

var reasons = []Reason{
	MalformedJSON, InvalidUTF8, DuplicateKey, TooDeep, EventTooLarge, WrongType, MissingField, Unsupported, UnknownType,
	WrongSubject, TooLong, TooMany, BadCharacters, UnknownCode, PhoneLike, BadCaller, UnknownCallerKey, Masked, BadTime,
	MissingOffset, TimeInFuture, TimeTooOld, OutOfRange, Conflict, SourceNotAllowed,
	CaseFull, IdentityLike, TypeNotAllowed,
}

// Reasons returns the closed set of reasons.
func Reasons() []Reason { return slices.Clone(reasons) }

// Refusal says which event of a request was refused, where and why. Nothing in it but Raw repeats a value that the
// sender wrote, except an ID that passed its own checks.
type Refusal struct {
	Index  int    `json:"index"` // position in the request, from 0; in NDJSON blank lines are not counted
	ID     string `json:"id"`    // empty when the id itself could not be read or is refused
	Source string `json:"-"`     // likewise
	Field  Field  `json:"field"` // empty when the event as a whole is refused
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitzero"` // one English sentence for people: what would be right
	Rest   bool   `json:"-"`               // the request could not be read from here on: this refuses every later event
	// the event as it was sent, an alias of the request's body; never log or store it (see Decoder.Pseudonymise)
	Raw []byte `json:"-"`
}

// Error implements error; it is "reason: field: detail".
func (r *Refusal) Error() string {
	if r.Field == "" {
		return fmt.Sprintf("%s: %s", r.Reason, r.Detail)
	}
	return fmt.Sprintf("%s: %s: %s", r.Reason, r.Field, r.Detail)
}

// ErrTooManyEvents is returned by Decoder.Decode for a request of more than MaxBatchEvents events; nothing of it is
// read.
var ErrTooManyEvents = errors.New("more than 10000 events in one request: send them in smaller batches")
