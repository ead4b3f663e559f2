// Package casefile owns the facts of one case, a call or a ticket, and how events fold into them.
//
// A fold is a pure function of the set of a case's events: any order of arrival, any repetition and any late correction
// give the same facts. Facts are timestamps and codes; whatever depends on the present (overdue, waiting for how long)
// is computed elsewhere when asked. A zero time and an empty string mean that the fact is absent.
package casefile

import (
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Call holds the facts of one call.
type Call struct {
	Key            event.Key
	ReceivedAt     time.Time // t0, the earliest call.received
	QueuedAt       time.Time // t1
	AnsweredAt     time.Time // t3
	AbandonedAt    time.Time
	UnservedAt     time.Time
	UnservedReason string
	BlockedAt      time.Time
	EndedAt        time.Time // the latest call.ended
	ClassifiedAt   time.Time // of the latest classification
	FirstClassAt   time.Time // of the earliest classification: the end of the classify interval
	CalledBackAt   time.Time
	Class          string // of the latest classification
	Outcome        string // of a question: the latest that was said, see event.Outcomes
	ReferredTo     string // of a question that was referred: to whom
	Agent          string
	Queue          string
	Channel        string
	Kecamatan      string
	Category       string
	Position       string // of the latest ring
	RingNoAnswers  []Ring
	WaitMS         *int64 // as the source measured it; wins over AnsweredAt-QueuedAt where both speak
	Caller         event.Caller
	Tickets        []string // ids of tickets that name this call, sorted
	Flags          []string // contradictions and gaps that were noticed, sorted; see the Flag constants
	Events         int      // number of events that were not voided
	Origin                  // what brought it to the centre
}

// Ring is a ring that no one answered.
type Ring struct {
	At       time.Time
	Position string
}

// Assignment is one stay of a ticket at one OPD.
type Assignment struct {
	OPD            string
	At             time.Time
	AcknowledgedAt time.Time // earliest within the stay
	EndedAt        time.Time // start of the next stay or the rejection that ended this one; zero while it lasts
	HeardAt        time.Time // when its assignment was first received
}

// Correction is the verdict on a clock that held until a correction or withdrawal was received and took it away: it was
// late. The verdict of now is that of the ticket's clocks.
type Correction struct {
	ReceivedAt time.Time // when the correction was
	Clock      string
	Seq        int
	OPD, Scope string // that the clock counted for
	StartedAt  time.Time
	DueAt      time.Time // late after this instant
	StoppedAt  time.Time // later than that; zero where the clock still ran
}

// Ticket holds the facts of one ticket.
type Ticket struct {
	Key            event.Key
	ReceivedAt     time.Time // t0: the earliest t0 of its calls; zero when no call is known
	AnsweredAt     time.Time // the earliest t3 of its calls: where the dispatch interval starts
	OpenedAt       time.Time // t5
	AssignedAt     time.Time // t6, of the first assignment
	AcknowledgedAt time.Time // of the latest assignment
	DepartedAt     time.Time
	ArrivedAt      time.Time
	ResolvedAt     time.Time // first resolution
	LastResolvedAt time.Time // latest resolution
	ConfirmedAt    time.Time
	ClosedAt       time.Time // the latest; a later reopening leaves it (State and ReopenedAt tell)
	FirstClosedAt  time.Time
	RejectedAt     time.Time
	MergedAt       time.Time
	ReopenedAt     time.Time // latest reopening that counts
	Reopened       int
	Bounces        int
	State          State
	OPD            string // the current OPD; empty while the ticket is at the centre
	Category       string
	Priority       string
	Kecamatan      string
	Result         string
	Master         string
	Due            time.Time // as the source states it
	DueOPD         string    // the OPD that the stated due date was given with
	Lat, Lon       *float64
	Assignments    []Assignment
	Pauses         []Pause      // by From; they may overlap, see PausedSpans
	Changes        []Change     // of category, priority, OPD and stated due time, by At
	Handled        []Span       // when it was resolved or closed, until it was reopened, by From
	OpenedHeardAt  time.Time    // when the opening was first received; zero without one
	ResolvedHeard  time.Time    // when the latest resolution was first received
	Calls          []string     // sorted
	Flags          []string     // sorted
	Corrected      []Correction // by receipt; what FlagCorrectedAfterLate stands for
	Events         int          // number of events that were not voided
	// Withdrawn says that its opening was withdrawn while it was open, and that nobody has confirmed it. Openings are the
	// ids of the openings withdrawn.
	Withdrawn   bool
	Openings    []string
	Origin                // what opened and assigned it
	LastEventAt time.Time // OccurredAt of the latest event
	// CategoryBlanked says that a category was sent and not kept, before any that was.
	CategoryBlanked bool
}

// At is the instant by which a ticket belongs to a day, and which settles the policies that judge it: when it was
// opened, else when its first call came in, else its first assignment, else its latest event.
func (t *Ticket) At() time.Time { return first(t.OpenedAt, t.ReceivedAt, t.AssignedAt, t.LastEventAt) }

// HandledAt is where the resolve interval and the clock of that name end: the first resolution, else the first closing.
func (t *Ticket) HandledAt() time.Time { return first(t.ResolvedAt, t.FirstClosedAt) }

// State is how far the ticket has come; paused is apart from it (see Ticket.Paused).
type State string

// The states of a ticket.
const (
	Opened       State = "opened"
	Assigned     State = "assigned"
	Acknowledged State = "acknowledged"
	Departed     State = "departed"
	Arrived      State = "arrived"
	Resolved     State = "resolved"
	Confirmed    State = "confirmed"
	Closed       State = "closed"
	Rejected     State = "rejected"
	Merged       State = "merged"
)

// Open reports whether someone still has to work on a ticket in state s.
func (s State) Open() bool {
	switch s {
	case Resolved, Confirmed, Closed, Merged:
		return false
	}
	return true
}
