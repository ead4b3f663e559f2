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

// The names of the clocks.
const (
	Answer       = "answer"        // of a call: queued (else received) to answered
	Acknowledge  = "acknowledge"   // of each stay at an OPD: assigned to acknowledged; Seq is the number of the stay
	Arrive       = "arrive"        // received (else opened) to the first unit's arrival
	Resolve      = "resolve"       // opened to first resolution
	ResolveTotal = "resolve_total" // opened to latest resolution; runs on after a reopening
	Confirm      = "confirm"       // latest resolution to confirmation by the caller
	Given        = "given"         // opened to first resolution or closing, against the due time that the source states
)

// Names lists the names of the clocks in the order in which they are shown.
func Names() []string {
	return []string{Answer, Acknowledge, Arrive, Resolve, ResolveTotal, Confirm, Given}
}

// Clock is one SLA clock of one case: facts only. Its state is a comparison of these instants with now (see State), so
// that a stored clock never goes stale. Zero times are absent.
type Clock struct {
	Key             event.Key
	Name            string // answer acknowledge arrive resolve resolve_total confirm given
	Seq             int    // 1 for the first; a reassignment starts the next of the OPD's own clocks
	Kind            Kind
	Policy          string // name of the profile whose line gave the target; "source" for a stated due time
	PolicyVersion   string
	PolicyLine      int    // which entry of the policy's clocks gave the target, from 1; 0 for a stated due time
	CalendarVersion string // "name/version"; empty where no calendar drives the clock
	OPD             string // as the ticket names it
	Scope           string // own, vertical or unknown
	Category        string
	Priority        string
	Kecamatan       string
	StartedAt       time.Time
	DueAt           time.Time // net of the pauses that ended; of a running pause only what lies before it counts
	GrossDueAt      time.Time // as if there had been no pause
	PausedSince     time.Time // set while a pause that this clock honours runs on
	PauseEndsAt     time.Time // when the cap ends the pause that runs since PausedSince; absent with it
	BreachAt        time.Time // late after this instant if nothing more is heard: DueAt, or later while a pause runs
	StoppedAt       time.Time
	// counted pause that ended, within the cap: real seconds (elapsed) or open seconds (hours, days)
	PausedSeconds int64
	RiskAt        time.Time // when 75 % of the target is used; a running pause is taken to last as long as its cap
	EscalatedAt   time.Time // 150 %, likewise
	Escalated2At  time.Time // 200 %, likewise
	// Unobserved says that nobody records the fact that stops it: no source that brought the case carries that fact, and
	// it has come from nowhere else. It is neither in time nor late.
	Unobserved bool
	// Lacking says that no source that brought the case carries that fact, whether or not it came: until it comes the
	// clock is unobserved.
	Lacking bool
	Sources string // that brought the case, a space between; see casefile.Origin
	// does not count: merged, a test, ended in time without the fact that stops it, or stopped before it started
	Void bool
	// The instant that the target counts from, where an upgrade moved it; zero where that is StartedAt.
	CountedFrom time.Time
	// The ticket merged into this one whose due time it has; empty where it is the case's own.
	Member string
	// Late when something was received, at this instant, that would have healed it had it come in time; else zero.
	FrozenAt time.Time
}

// countedFrom is where the target counts from.
func (c *Clock) countedFrom() time.Time { return firstOf(c.CountedFrom, c.StartedAt) }

// The states of a clock.
const (
	Running  = "running"
	Paused   = "paused"
	Met      = "met"
	Breached = "breached"
	Void     = "void"
	// Unobserved is the state of a clock that nobody can stop.
	Unobserved = "unobserved"
)

// State is what c is at now. A clock is late strictly after its due time, and stays late:
//
//	void      c.Void
//	unobserved  c.Unobserved
//	met       stopped by now, not after BreachAt
//	breached  stopped, or still running, after BreachAt
//	paused    a pause that c honours runs and its cap is not used up
//	running   else
//
// The same in SQL over the columns of a row, for an instant at that may be now() or lie in the past:
//
//	multiIf(void, 'void',
//	        unobserved, 'unobserved',
//	        least(coalesce(stopped_at, at), at) > breach_at, 'breached',
//	        stopped_at <= at, 'met',
//	        paused_since <= at AND at < pause_ends_at, 'paused',
//	        'running')
//
// with NULL for absent times (a comparison with NULL is not true). breach_at is never NULL where void is false.
func (c *Clock) State(now time.Time) string {
	stopped := !c.StoppedAt.IsZero() && !c.StoppedAt.After(now)
	until := now
	if stopped {
		until = c.StoppedAt
	}
	switch {
	case c.Void:
		return Void
	case c.Unobserved:
		return Unobserved
	case until.After(c.BreachAt):
		return Breached
	case stopped:
		return Met
	case !c.PausedSince.IsZero() && !now.Before(c.PausedSince) && now.Before(c.PauseEndsAt):
		return Paused
	}
	return Running
}

// AtRisk reports whether c has not ended by now, is not late, and has used its share of risk (75 % unless the policy
// says otherwise).
func (c *Clock) AtRisk(now time.Time) bool {
	switch c.State(now) {
	case Running, Paused:
		return !c.RiskAt.IsZero() && !now.Before(c.RiskAt)
	}
	return false
}

// Overdue reports whether c runs on at now, later than its due time.
func (c *Clock) Overdue(now time.Time) bool {
	return c.State(now) == Breached && (c.StoppedAt.IsZero() || c.StoppedAt.After(now))
}

// Find returns the clock of a case with that name and number, nil when it is not among them.
func Find(clocks []Clock, name string, seq int) *Clock {
	for i := range clocks {
		if clocks[i].Name == name && clocks[i].Seq == seq {
			return &clocks[i]
		}
	}
	return nil
}
