package tracker

import "time"

// Snapshot is the board at one instant. Every number counts cases; none is derived from a counter.
type Snapshot struct {
	At       time.Time
	Complete bool // false until every open case and the running windows are known; Centers is empty then
	Centers  []CenterSnapshot
	Sources  []SourceSnapshot
}

// SourceSnapshot holds the time of a source's latest event.
type SourceSnapshot struct {
	Source      string
	LastEventAt time.Time // latest OccurredAt of any of its events, heartbeats included
}

// CenterSnapshot is the board of one centre that is not historical. Slices are sorted by their labels.
type CenterSnapshot struct {
	Center             string
	CallsWaiting       int
	OldestWaiting      time.Duration // zero when nobody waits
	CallsUnclassified  int           // answered and ended within the day's window, without a class
	CallsToCallBack    int           // abandoned, not called back
	Agents             []LabelCount  // by state
	RingNoAnswerRecent []LabelCount  // by position, last 15 minutes
	Windows            []WindowCount
	Within             []WithinCount
	SameEvent          []SameEventCount // tickets opened in the last 15 minutes
	Open               []TicketCount    // OPD, Priority, Scope
	AtRisk             []TicketCount    // OPD, Scope
	Overdue            []TicketCount    // OPD, Clock, Priority, Scope
	OldestOverdue      []OldestOverdue
	EmergenciesOverdue int // open tickets of priority darurat that are late on some clock, each counted once
	// Unrecorded counts the open tickets that no clock may watch: one that runs is unobserved, none counts at all, or the
	// opening was withdrawn and nobody has confirmed it. By OPD, Priority, Scope.
	Unrecorded []TicketCount
	Stale      int // open tickets without any event for StaleAfter; in none of the counts above
}

// CallBack is a caller who was abandoned and not called back.
type CallBack struct {
	ID          string // of the call
	AbandonedAt time.Time
}

// LabelCount counts cases of one label value.
type LabelCount struct {
	Label string
	N     int
}

// WindowCount is the exact count of one measure in one window.
type WindowCount struct {
	Window  string // hour previous_hour shift previous_shift day
	Measure string // received offered answered within_target abandoned unserved classified hoax ghost unclassified
	N       int
}

// WithinCount is the exact count of the calls of one window that reached the queue and were answered within Target: the
// numerator of the strict service level, whose denominator is the measure offered.
type WithinCount struct {
	Window string // as in WindowCount
	Target time.Duration
	N      int
}

// SameEventCount counts tickets of one category and kecamatan.
type SameEventCount struct {
	Category, Kecamatan string
	N                   int
}

// TicketCount counts tickets; labels that a measure does not have are empty.
type TicketCount struct {
	OPD, Clock, Priority, Scope string
	N                           int
}

// OldestOverdue is how long the longest overdue ticket of an OPD is past its due time.
type OldestOverdue struct {
	OPD string
	By  time.Duration
}
