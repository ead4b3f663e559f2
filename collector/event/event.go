// Package event owns the vocabulary of monev112: what may enter, in which words, and in which bytes it is kept.
//
// An Event is a fact about a call, a ticket, an agent or a feed. It enters as a CloudEvents 1.0 JSON object (see
// Decoder), with every caller's number already replaced by a keyed hash when a Decoder returns it, and is kept in the
// journal in the compact form of AppendBinary. The package reads no clock, does no IO and never stores a number.
package event

import (
	"cmp"
	"slices"
	"time"
)

// Caller is a caller's number after pseudonymisation: it can be compared with another of the same key, never read.
type Caller struct {
	// KeyID names the HMAC key: numbers are comparable within one key only.
	KeyID string `event:"10 caller_key_id" digest:"-"`
	// Key is the hex of the truncated HMAC-SHA256, empty when the event names no caller.
	Key   string `event:"11 caller_key" digest:"-"`
	Last3 string `event:"12 caller_last3" digest:"-"` // at most the last three digits, for display
}

//go:generate go run ./fieldgen

// Event is one fact. Times are UTC with millisecond precision (a Decoder cuts finer digits, so that a replay from the
// journal equals what ClickHouse stores). A zero time, an empty string and a nil pointer mean that the sender did not
// say.
//
// This declaration is the only one of an event's fields: `go generate` writes from it the binary form, the digest, the
// JSON, RawEvent, and the columns of ClickHouse. A field's tag is
//
//	event:"<number in the binary form> <column> [<limit> <shape, or list of codes>]"
//
// and digest:"-" where the digest leaves the field out. Numbers are never used twice, and the order of the fields is
// theirs. A field with a limit is a member of data: a sender states it under the column's name, and JSON has the
// members in the order of this declaration. A new one is one line here, its column in the schema, and go generate.
type Event struct {
	// Source and ID together are the idempotency key.
	Source  string `event:"1 source"`
	ID      string `event:"2 id"`
	Type    Type   `event:"3 type"`
	Kind    Kind   `event:"4 subject_kind"`
	Subject string `event:"5 subject"` // the id without the kind's prefix, for example "SDA-2026-00123"

	OccurredAt time.Time `event:"7 occurred_at"`
	ReceivedAt time.Time `event:"8 received_at" digest:"-"` // when the service received it
	// Digest is keyed: the same Source and ID with another digest contradict what came before.
	Digest Digest `event:"9 digest" digest:"-"`
	Caller Caller

	Agent     string    `event:"13 agent MaxCodeBytes shapeAgent"`
	Queue     string    `event:"14 queue MaxWordBytes shapeLabel"`
	Position  string    `event:"15 position MaxWordBytes shapeLabel"`
	Channel   string    `event:"16 channel MaxWordBytes shapeLower"`
	Class     string    `event:"17 class MaxWordBytes classes"`
	Category  string    `event:"18 category MaxNameBytes shapeName"`
	Priority  string    `event:"19 priority MaxWordBytes priorities"`
	OPD       string    `event:"20 opd MaxNameBytes shapeName"`
	Kecamatan string    `event:"21 kecamatan MaxNameBytes shapeName"`
	Reason    string    `event:"22 reason MaxWordBytes shapeLower"`
	Result    string    `event:"23 result MaxWordBytes shapeListed"` // see Results; of agent.state, see AgentStates
	Calls     []string  `event:"24 calls MaxCalls"`                  // a set, sorted
	Master    string    `event:"25 master MaxIDBytes shapeText"`
	Due       time.Time `event:"26 due MaxYear"`
	Lat       *float64  `event:"27 lat 90"`
	Lon       *float64  `event:"28 lon 180"`
	Center    string    `event:"6 center MaxCodeBytes shapeCode"`  // code; the directory's default when none is named
	RingMS    *int64    `event:"29 ring_ms MaxDurationMS"`         // how long the telephone rang
	WaitMS    *int64    `event:"30 wait_ms MaxDurationMS"`         // wait in the queue as the source measured it
	Replaces  string    `event:"31 replaces MaxIDBytes shapeText"` // id of an event of the Source that this one voids
	Revision  uint32    `event:"32 revision math.MaxUint32"`

	// Carries names the types of event that a source can give: of a feed.heartbeat as its sender says, of an opening or
	// an assignment as was known of the source when it entered. Empty: everything.
	Carries []string `event:"34 carries MaxCarries typeNames"`

	Attributes map[string]string `event:"33 attributes"` // only keys that the configuration allows

	// Record is what an RTLSet, RemarkSet or FormSet sets, by the names of RecordMembers; an empty text clears a member, a
	// member that is not named stays as it was. Events of other types have none.
	Record map[string]string `event:"41 record MaxRecordMembers"`

	// ChangedBy is the name of the API key that sent an event of the office, empty where nobody had to sign in; of what an
	// OPD records on its page, who held the link. The service sets it: no sender can.
	ChangedBy string `event:"42 changed_by" digest:"-"`

	// Outcome says what came of a question about a public service, see Outcomes; OPD is to whom one was referred.
	Outcome string `event:"43 outcome MaxWordBytes outcomes"`

	// Blanked names the members of data that were sent and not kept, since they were no code or name; see Blank.
	Blanked []string `event:"40 blanked" digest:"-"`
}

// UnknownName is the OPD of an assignment whose OPD could not be kept: the ticket lies at an OPD that nobody knows, not
// at the centre as if it had not been assigned.
const UnknownName = "unknown"

// Blank empties a text member of data, or an attribute, and notes that it was sent: the event stands without it.
func (e *Event) Blank(f Field) {
	if m := e.member(f); m != nil {
		*m = ""
		if f == FieldOPD && e.Type == TicketAssigned {
			*m = UnknownName
		}
	} else {
		delete(e.Attributes, string(f))
		if len(e.Attributes) == 0 {
			e.Attributes = nil
		}
	}
	if i, noted := slices.BinarySearch(e.Blanked, string(f)); !noted {
		e.Blanked = slices.Insert(e.Blanked, i, string(f))
	}
}

// Name returns a text member of data; empty when it is absent.
func (e *Event) Name(f Field) string { return *e.member(f) }

// Digest is a truncated HMAC-SHA256 over the binary form of an event without what digest:"-" leaves out.
type Digest [16]byte

// Key names a case: a call or a ticket (or an agent, a feed) of a centre.
type Key struct {
	Center string
	Kind   Kind
	ID     string
}

// Compare orders cases by centre, then by kind, then by id.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Center, o.Center), cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.ID, o.ID))
}

// Key returns the case that e is about.
func (e *Event) Key() Key { return Key{e.Center, e.Kind, e.Subject} }
