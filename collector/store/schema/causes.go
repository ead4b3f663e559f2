package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// CauseLimits are the limits by which a late case gets its cause, in the views monev_kendala... and in the package
// kendala alike. A change of one is a change of the definitions (docs/definitions.md).
type CauseLimits struct {
	// A telephone that rang so long before the target ran out, and was not picked up, is the cause.
	Ringing time.Duration
	// A source that sends at least BeatsAtLeast heartbeats, usually not further apart than BeatUsual, was silent between
	// two that are further apart than BeatGap.
	BeatGap, BeatUsual time.Duration
	BeatsAtLeast       int
	// A surge is a quarter of an hour with at least SurgeCalls calls and more than the median of the quarters of the same
	// weekday and hour in the SurgeWeeks weeks before, and SurgeMAD times their median absolute deviation; known where
	// SurgeLeastWeeks of them have a call within 12 hours.
	SurgeCalls, SurgeMAD, SurgeWeeks, SurgeLeastWeeks int
	// What an agent's state says is forgotten after StateAge. A floor with fewer than Agents that take calls is short of
	// staff.
	StateAge time.Duration
	Agents   int
	// A ticket bounced when its time at OPDs that were not the last, taken so many times, exceeds the target.
	BounceTimes int
	// The own targets of the segments of a ticket's way, by priority; "" is every other priority.
	Dispatch, Turnout, Travel map[string]time.Duration
	// The reasons for which a clock may stand still.
	PauseReasons []string
}

// Causes returns the limits of the present definitions. All are defaults of this product, to be confirmed by a centre.
func Causes() CauseLimits {
	byPriority := func(darurat, mendesak, other time.Duration) map[string]time.Duration {
		return map[string]time.Duration{"darurat": darurat, "mendesak": mendesak, "": other}
	}
	return CauseLimits{
		Ringing: 10 * time.Second,
		BeatGap: 15 * time.Minute, BeatUsual: 5 * time.Minute, BeatsAtLeast: 12,
		SurgeCalls: 5, SurgeMAD: 3, SurgeWeeks: 8, SurgeLeastWeeks: 4,
		StateAge: 12 * time.Hour, Agents: 2,
		BounceTimes: 4,
		Dispatch:    byPriority(3*time.Minute, 15*time.Minute, 2*time.Hour),
		Turnout:     byPriority(2*time.Minute, 15*time.Minute, 24*time.Hour),
		Travel:      byPriority(10*time.Minute, 30*time.Minute, 2*time.Hour),
		PauseReasons: []string{
			"menunggu_pelapor", "menunggu_pihak_lain", "cuaca", "menunggu_material",
		},
	}
}

// Of returns the own target of a segment for a priority.
func (CauseLimits) Of(targets map[string]time.Duration, priority string) time.Duration {
	if t, ok := targets[priority]; ok {
		return t
	}
	return targets[""]
}

// SQL gives the own target of a segment in milliseconds for the priority in a column.
func (CauseLimits) SQL(targets map[string]time.Duration, column string) string {
	return fmt.Sprintf("multiIf(ifNull(%[1]s = 'darurat', false), %[2]d, ifNull(%[1]s = 'mendesak', false), %[3]d, %[4]d)",
		column, targets["darurat"].Milliseconds(), targets["mendesak"].Milliseconds(), targets[""].Milliseconds())
}

// Paused reports whether a pause, of the reasons that overlap in it, joined by "+", may let a clock stand still.
func (l CauseLimits) Paused(reason string) bool {
	return slices.ContainsFunc(strings.Split(reason, "+"), func(r string) bool {
		return slices.Contains(l.PauseReasons, r)
	})
}

// Reasons gives PauseReasons as a list in SQL.
func (l CauseLimits) Reasons() string { return "['" + strings.Join(l.PauseReasons, "', '") + "']" }
