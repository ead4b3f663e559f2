package sla

import (
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Kind is how a clock counts.
type Kind string

// The three kinds of clock, and the due date that a source states itself.
const (
	Elapsed Kind = "elapsed" // 24/7
	Hours   Kind = "hours"   // open hours of a calendar
	Days    Kind = "days"    // D+N: due at closing time of the N-th working day after receipt
	Stated  Kind = "stated"  // the source gave the due time
)

// Clock is one SLA clock of one case: facts only. Its state is a comparison of these instants with now (see State), so
// that a stored clock never goes stale. Zero times are absent.
type Clock struct {
	Key             event.Key
	Name            string // answer acknowledge arrive resolve resolve_total confirm given
	Seq             int    // 1 for the first; a reassignment starts the next of the OPD's own clocks
	Kind            Kind
	Policy          string
	PolicyVersion   string
	CalendarVersion string // empty where no calendar drives the clock
	OPD             string // as the ticket names it
	Scope           string // own, vertical or unknown
	Category        string
	Priority        string
	Kecamatan       string
	StartedAt       time.Time
	DueAt           time.Time // net of the pauses that ended; of a running pause only what lies before it counts
	GrossDueAt      time.Time // as if there had been no pause
	PausedSince     time.Time // set while a pause that this clock honours runs on
	StoppedAt       time.Time
	PausedSeconds   int64     // counted pause, within the cap
	RiskAt          time.Time // when 75 % of the target is used, no further pause assumed
	EscalatedAt     time.Time // 150 %
	Escalated2At    time.Time // 200 %
	Void            bool      // does not count: merged, rejected for good, or never applicable
}
