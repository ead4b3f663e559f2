package simulate

// incident is one call as it truly was, with the ticket it led to. Instants are milliseconds; 0 means never.
type incident struct {
	pending  int // messages not handed over yet
	call     callTruth
	ticket   *ticketTruth
	invented bool      // the caller made it up; the class says so once the OPD has found out
	told     bool      // the call has been added up before, with another case
	messages []planned // while it is being planned
}

type callTruth struct {
	id              string
	caller          string
	kecamatan       string
	received        int64
	queued          int64
	answered        int64
	abandoned       int64
	unserved        int64
	unservedReason  string
	blocked         int64
	ended           int64
	firstClass      int64
	class           string // final; empty while never classified
	reclassified    int
	calledBack      int64
	ringNoAnswers   int
	agent, position string
}

type ticketTruth struct {
	id           string
	work         work
	scope        string
	kecamatan    string
	opened       int64
	stays        []stay
	departed     int64
	arrived      int64
	resolved     int64 // first
	lastResolved int64
	confirmed    int64
	result       string
	closed       int64 // latest, 0 after a later reopening
	reopened     int
	rejections   int
	merged       int64
	master       string
	pauses       []pause
	state        string
	lastFact     int64
}

// stay is the time a ticket spent at one OPD.
type stay struct {
	opd                    string
	assigned, acknowledged int64
	rejected               int64
}

// pause is an interval in which the clocks stood still; to is 0 while it lasts.
type pause struct {
	from, to int64
	reason   string
}

// opd is the OPD that has the ticket, empty while the centre has it.
func (t *ticketTruth) opd() string {
	if n := len(t.stays); n > 0 && t.stays[n-1].rejected == 0 {
		return t.stays[n-1].opd
	}
	return ""
}

// bounces counts the changes of OPD.
func (t *ticketTruth) bounces() int {
	n := 0
	for i := 1; i < len(t.stays); i++ {
		if t.stays[i].opd != t.stays[i-1].opd {
			n++
		}
	}
	return n
}

// States of a ticket at the end of what is known of it.
const (
	stateOpened       = "opened"
	stateAssigned     = "assigned"
	stateAcknowledged = "acknowledged"
	stateDeparted     = "departed"
	stateArrived      = "arrived"
	stateResolved     = "resolved"
	stateConfirmed    = "confirmed"
	stateClosed       = "closed"
	stateRejected     = "rejected"
	stateMerged       = "merged"
)

// open reports whether someone still has to work on the ticket.
func (t *ticketTruth) open() bool {
	switch t.state {
	case stateResolved, stateConfirmed, stateClosed, stateMerged:
		return false
	}
	return true
}
