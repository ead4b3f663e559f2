package tracker

import "github.com/monev112/monev112/collector/event"

// OutcomeKind names what an event newly established about a case.
type OutcomeKind uint8

// The kinds of outcome. Each is emittedOutcomes once in the life of a case (BecameReclassified and Bounced once per
// change), whatever the order in which its events arrive.
const (
	CallBecameReceived     OutcomeKind = iota + 1 // Channel
	CallBecameOffered                             // reached the queue, neither blocked nor a test
	CallBecameAnswered                            // Seconds: t3-t1 (t3-t0 without t1); HasSeconds
	CallBecameAbandoned                           // Short
	CallBecameUnserved                            // Reason
	CallBecameBlocked                             //
	CallBecameClassified                          // Class; Seconds: t4-t3; HasSeconds
	CallBecameReclassified                        // From, Class
	CallBecameTalked                              // Class; Seconds: end - t3
	TicketBecameOpened                            // OPD (the first; NoOPD when it ended without one), Priority
	TicketBounced                                 // OPD: the one that lost the ticket
	TicketBecameReopened                          // OPD
	TicketInterval                                // Interval, OPD, Seconds
	ClockStopped                                  // Clock, OPD, Priority, Result: met or breached
)

// Outcome is one thing that became known by a live event: what the counters and histograms move on.
type Outcome struct {
	Kind       OutcomeKind
	Case       event.Key // never a label
	Center     string
	Channel    string
	Class      string
	From       string
	Reason     string
	OPD        string // id the directory knows, else "unknown"
	Priority   string
	Interval   string // dispatch acknowledge turnout travel respond resolve confirm
	Clock      string
	Result     string
	Short      bool
	HasSeconds bool
	Seconds    float64
}
