package event

import (
	"slices"
	"strings"
)

// TypePrefix begins every type of the vocabulary in a CloudEvents "type".
const TypePrefix = "monev112."

// Kind says what a subject is.
type Kind uint8

// The kinds of subject; the text is the prefix of a CloudEvents subject ("call/<id>").
const (
	KindCall Kind = iota + 1
	KindTicket
	KindAgent
	KindFeed
	KindRTL    // a recommendation of a monev meeting, rtl/<id>
	KindRemark // a remark to a section of a month's report, remark/<month>/<section>
	KindForm   // what people typed for a month, form/<month>/<name>
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
	// EventWithdrawn takes back the event of its subject and source that replaces names: that one was never so.
	EventWithdrawn
	// RTLSet, RemarkSet and FormSet are what the office writes for its monev meeting; see Event.Record.
	RTLSet
	RemarkSet
	FormSet
	// TicketExplained says why an OPD is late with a ticket: its reason is a code, its OPD who says so. It is no step of
	// the ticket's way and moves no clock.
	TicketExplained
)

// typeInfo is what the vocabulary knows of one type.
type typeInfo struct {
	name  string
	kind  Kind  // 0: any
	needs Field // the data field without which the event says nothing; empty when there is none
}

var types = [...]typeInfo{
	CallReceived:       {"call.received", KindCall, ""},
	CallQueued:         {"call.queued", KindCall, ""},
	CallRinging:        {"call.ringing", KindCall, ""},
	CallRingNoAnswer:   {"call.ring_no_answer", KindCall, ""},
	CallAnswered:       {"call.answered", KindCall, ""},
	CallAbandoned:      {"call.abandoned", KindCall, ""},
	CallUnserved:       {"call.unserved", KindCall, ""},
	CallBlocked:        {"call.blocked", KindCall, ""},
	CallClassified:     {"call.classified", KindCall, FieldClass},
	CallEnded:          {"call.ended", KindCall, ""},
	CallCalledBack:     {"call.called_back", KindCall, ""},
	TicketOpened:       {"ticket.opened", KindTicket, ""},
	TicketAssigned:     {"ticket.assigned", KindTicket, FieldOPD},
	TicketAcknowledged: {"ticket.acknowledged", KindTicket, ""},
	TicketDeparted:     {"ticket.departed", KindTicket, ""},
	TicketArrived:      {"ticket.arrived", KindTicket, ""},
	TicketPaused:       {"ticket.paused", KindTicket, ""},
	TicketResumed:      {"ticket.resumed", KindTicket, ""},
	TicketResolved:     {"ticket.resolved", KindTicket, ""},
	TicketConfirmed:    {"ticket.confirmed", KindTicket, FieldResult},
	TicketClosed:       {"ticket.closed", KindTicket, ""},
	TicketReopened:     {"ticket.reopened", KindTicket, ""},
	TicketRejected:     {"ticket.rejected", KindTicket, ""},
	TicketMerged:       {"ticket.merged", KindTicket, FieldMaster},
	AgentState:         {"agent.state", KindAgent, FieldResult},
	FeedHeartbeat:      {"feed.heartbeat", KindFeed, ""},
	EventWithdrawn:     {"event.withdrawn", 0, FieldReplaces},
	RTLSet:             {"rtl.set", KindRTL, ""},
	RemarkSet:          {"remark.set", KindRemark, ""},
	FormSet:            {"form.set", KindForm, ""},
	TicketExplained:    {"ticket.explained", KindTicket, FieldReason},
}

// Types returns every type, in the order of their numbers.
func Types() []Type {
	out := make([]Type, len(types)-1)
	for i := range out {
		out[i] = Type(i + 1)
	}
	return out
}

// Known reports whether this version of the vocabulary has t. A journal written by a newer version may hold others.
func (t Type) Known() bool { return t > 0 && int(t) < len(types) }

// String returns the type without the prefix, for example "call.received"; "unknown" for a number that is not known.
func (t Type) String() string {
	if !t.Known() {
		return "unknown"
	}
	return types[t].name
}

// Kind returns the only kind of subject that events of t speak of; 0 for an unknown type, and for EventWithdrawn, whose
// subject is that of the event withdrawn.
func (t Type) Kind() Kind {
	if !t.Known() {
		return 0
	}
	return types[t].kind
}

// ParseType reads a CloudEvents type such as "monev112.call.received".
func ParseType(s string) (Type, bool) {
	if name, ok := strings.CutPrefix(s, TypePrefix); ok {
		for t := CallReceived; int(t) < len(types); t++ {
			if types[t].name == name {
				return t, true
			}
		}
	}
	return 0, false
}

// typeNames are the types without their prefix, as the field carries names them.
var typeNames = func() []string {
	var names []string
	for _, t := range Types() {
		names = append(names, t.String())
	}
	return names
}()

// TypeSet is a set of types.
type TypeSet uint64

// AllTypes holds every type.
const AllTypes = ^TypeSet(0)

// Has reports whether t is in s.
func (s TypeSet) Has(t Type) bool { return s&(1<<t) != 0 }

// With returns s and t.
func (s TypeSet) With(t Type) TypeSet { return s | 1<<t }

// Names are the names of the types in s, as the field carries has them.
func (s TypeSet) Names() []string {
	var names []string
	for _, t := range Types() {
		if s.Has(t) {
			names = append(names, t.String())
		}
	}
	slices.Sort(names)
	return names
}

// Carried returns the types that the source of e carried when e entered; all of them where it never said.
func (e *Event) Carried() TypeSet {
	if len(e.Carries) == 0 {
		return AllTypes
	}
	var s TypeSet
	for _, name := range e.Carries {
		if t, ok := ParseType(TypePrefix + name); ok {
			s = s.With(t)
		}
	}
	return s
}

var kinds = [...]string{
	KindCall: "call", KindTicket: "ticket", KindAgent: "agent", KindFeed: "feed",
	KindRTL: "rtl", KindRemark: "remark", KindForm: "form",
}

// OfCase reports whether subjects of k are cases, which the board folds: calls and tickets.
func (k Kind) OfCase() bool { return k == KindCall || k == KindTicket }

// OfOffice reports whether k is what the office writes for its monev meeting. Such events have a Record and are no
// word about a feed, a case or an agent.
func (k Kind) OfOffice() bool { return k == KindRTL || k == KindRemark || k == KindForm }

// String returns "call", "ticket", "agent", "feed", "rtl", "remark", "form", or "unknown".
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kinds) {
		return "unknown"
	}
	return kinds[k]
}

// ParseKind reads what Kind.String writes.
func ParseKind(s string) (Kind, bool) {
	for k := KindCall; int(k) < len(kinds); k++ {
		if kinds[k] == s {
			return k, true
		}
	}
	return 0, false
}

// The classes of a call.
const (
	ClassNormal     = "normal"      // a real event
	ClassInformasi  = "informasi"   // a question about a public service
	ClassPrank      = "prank"       // iseng
	ClassPrankPalsu = "prank_palsu" // a false event that reached an OPD
	ClassGhost      = "ghost"       // answered, the caller is silent; not hoax by default
	ClassPocket     = "pocket"      // unintentional
	ClassMisrouted  = "misrouted"   // salah wilayah
	ClassPutus      = "putus"       // dropped before it was clear
	ClassDuplikat   = "duplikat"    // the same event by another caller; never hoax
	ClassUji        = "uji"         // test
	ClassBelum      = "belum"       // not yet classified
)

// The priorities of a ticket.
const (
	PriorityDarurat    = "darurat"
	PriorityMendesak   = "mendesak"
	PriorityNonDarurat = "non_darurat"
	PriorityInformasi  = "informasi"
)

// The outcomes of a call of class informasi.
const (
	OutcomeDijawab   = "dijawab"    // answered here
	OutcomeDirujuk   = "dirujuk"    // referred to an office, which OPD of the event names
	OutcomeTidakTahu = "tidak_tahu" // nobody knew
)

// The results of telling the caller (ticket.confirmed; any other ticket event may carry one too).
const (
	ResultBenar          = "benar"
	ResultPalsu          = "palsu"
	ResultTidakDitemukan = "tidak_ditemukan"
)

// The states of an agent, the result of agent.state.
const (
	AgentAvailable = "available" // logged in, waiting for a call
	AgentBusy      = "busy"      // a call rings or is talked on
	AgentWrapup    = "wrapup"    // after-call work
	AgentPaused    = "paused"    // logged in, takes no call
	AgentOffline   = "offline"   // logged out
)

// The channels that have a metric label of their own. The field is open (any code is stored as given); see
// ChannelLabel.
const (
	ChannelPhone       = "phone" // the 112 line
	ChannelApp         = "app"
	ChannelWhatsApp    = "whatsapp"
	ChannelSMS         = "sms"
	ChannelRadio       = "radio"
	ChannelPanicButton = "panic_button"
	ChannelSocialMedia = "social_media"
	ChannelWeb         = "web"
	ChannelWalkIn      = "walk_in"
	ChannelEmail       = "email"
	ChannelAlarm       = "alarm"
	ChannelTransfer    = "transfer" // handed over by another centre or agency
	ChannelOther       = "other"
)

var (
	classes = []string{
		ClassNormal, ClassInformasi, ClassPrank, ClassPrankPalsu, ClassGhost, ClassPocket,
		ClassMisrouted, ClassPutus, ClassDuplikat, ClassUji, ClassBelum,
	}
	priorities  = []string{PriorityDarurat, PriorityMendesak, PriorityNonDarurat, PriorityInformasi}
	outcomes    = []string{OutcomeDijawab, OutcomeDirujuk, OutcomeTidakTahu}
	results     = []string{ResultBenar, ResultPalsu, ResultTidakDitemukan}
	agentStates = []string{AgentAvailable, AgentBusy, AgentWrapup, AgentPaused, AgentOffline}
	channels    = []string{
		ChannelPhone, ChannelApp, ChannelWhatsApp, ChannelSMS, ChannelRadio, ChannelPanicButton, ChannelSocialMedia,
		ChannelWeb, ChannelWalkIn, ChannelEmail, ChannelAlarm, ChannelTransfer, ChannelOther,
	}
)

// Classes returns the closed list of call classes.
func Classes() []string { return slices.Clone(classes) }

// Priorities returns the closed list of priorities, the most urgent first.
func Priorities() []string { return slices.Clone(priorities) }

// Results returns the closed list of confirmation results.
func Results() []string { return slices.Clone(results) }

// Outcomes returns the closed list of what comes of a question.
func Outcomes() []string { return slices.Clone(outcomes) }

// AgentStates returns the closed list of agent states.
func AgentStates() []string { return slices.Clone(agentStates) }

// Channels returns the channels that have a metric label of their own, "other" last.
func Channels() []string { return slices.Clone(channels) }

// ChannelLabel returns the metric label of a channel: itself when it is listed in Channels, "phone" when the source
// names none (the line itself is the channel then), else "other".
func ChannelLabel(code string) string {
	if code == "" {
		return ChannelPhone
	}
	if c, ok := listed(channels, code); ok {
		return c
	}
	return ChannelOther
}

// Hoax reports whether a class counts in the numerator of the hoax ratio: prank and prank_palsu, and nothing else.
func Hoax(class string) bool { return class == ClassPrank || class == ClassPrankPalsu }

// listed returns the list's own string that equals s, so that a code does not pin the bytes it was read from.
func listed(list []string, s string) (string, bool) {
	for _, c := range list {
		if c == s {
			return c, true
		}
	}
	return "", false
}
