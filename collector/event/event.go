// Package event owns the vocabulary of monev112: what may enter, in which words, and in which bytes it is kept.
//
// An Event is a fact about a call, a ticket, an agent or a feed. It enters as a CloudEvents 1.0 JSON object (see
// Decoder), with every caller's number already replaced by a keyed hash when a Decoder returns it, and is kept in the
// journal in the compact form of AppendBinary. The package reads no clock, does no IO and never stores a number.
package event

import "time"

// Kind says what a subject is.
type Kind uint8

// The kinds of subject; the text is the prefix of a CloudEvents subject ("call/<id>").
const (
	KindCall Kind = iota + 1
	KindTicket
	KindAgent
	KindFeed
)

// Type is the type of an event, the part after "monev112." of a CloudEvents type.
type Type uint8

// The types of event, in the order of a call's and a ticket's life. The numbers are part of the journal's format:
// append new ones at the end, never renumber.
const (
	CallReceived Type = iota + 1
	CallQueued
	CallRinging
	CallRingNoAnswer
	CallAnswered
	CallAbandoned
	CallUnserved
	CallBlocked
	CallClassified
	CallEnded
	CallCalledBack
	TicketOpened
	TicketAssigned
	TicketAcknowledged
	TicketDeparted
	TicketArrived
	TicketPaused
	TicketResumed
	TicketResolved
	TicketConfirmed
	TicketClosed
	TicketReopened
	TicketRejected
	TicketMerged
	AgentState
	FeedHeartbeat
)

// Caller is a caller's number after pseudonymisation: it can be compared with another of the same key, never read.
type Caller struct {
	KeyID string // names the HMAC key; numbers are comparable within one key only
	Key   string // hex of the truncated HMAC-SHA256, empty when the event names no caller
	Last3 string // at most the last three digits, for display
}

// Event is one fact. Times are UTC with millisecond precision (finer digits are cut at the door, so that a replay from
// the journal equals what ClickHouse stores). A zero time, an empty string and a nil pointer mean "not said".
type Event struct {
	Source     string
	ID         string // Source and ID together are the idempotency key
	Type       Type
	Kind       Kind
	Subject    string // the id without the kind's prefix, for example "SDA-2026-00123"
	Center     string // code of the centre; the door fills in the default centre when the sender names none
	OccurredAt time.Time
	ReceivedAt time.Time // when the door took it; not part of the digest
	// keyed digest of everything but ReceivedAt and Caller: the same id with another digest is a conflict
	Digest Digest

	Caller    Caller
	Agent     string
	Queue     string
	Position  string
	Channel   string
	Class     string
	Category  string
	Priority  string
	OPD       string
	Kecamatan string
	Reason    string
	Result    string // ticket.confirmed: benar, palsu, tidak_ditemukan; agent.state: the state
	Calls     []string
	Master    string
	Due       time.Time
	Lat, Lon  *float64
	RingMS    *int64 // how long the telephone rang, milliseconds
	WaitMS    *int64 // how long the caller waited in the queue, milliseconds, as the source measured it
	Replaces  string // id of an earlier event of the same Source that this one voids
	Revision  uint32

	Attributes map[string]string // only keys that the configuration allows
}

// Digest is a truncated HMAC-SHA256 over an event's canonical bytes.
type Digest [16]byte

// Key names a case: a call or a ticket (or an agent, a feed) of a centre.
type Key struct {
	Center string
	Kind   Kind
	ID     string
}

// Key returns the case that e speaks of.
func (e *Event) Key() Key { return Key{e.Center, e.Kind, e.Subject} }
