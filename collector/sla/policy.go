package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of a policy.
const (
	MaxPolicyLines = 500
	MaxTargetDays  = 3660 // also the longest length of time in days
)

// Priorities and scopes that a policy line may name.
var (
	priorities = [...]string{"darurat", "mendesak", "non_darurat", "informasi"}
	scopes     = [...]string{"own", "vertical", "unknown"}
)

// emergency is the priority whose clocks never pause.
const emergency = "darurat"

// Profile is one version of a policy: lines that say which case gets which clock. It is immutable.
type Profile struct {
	Name      string
	Version   string
	File      string
	ToConfirm string // what of it somebody has to confirm, as the file says; empty for nothing
	validFrom int32  // day, in the zone of the centre's calendar
	Lines     []*Line
}

// Line is one line of a policy.
type Line struct {
	Clocks     []string
	Kind       Kind
	Target     time.Duration // of elapsed or open time; 0 for kind days and the given clock
	TargetDays int           // of kind days
	Pauses     PauseRule
	Ladder     Ladder
	Start      []Fact // the first that is known starts the clock
	Stop       []Fact // the earliest that is known stops it
	At         int    // line in File
	Number     int    // position among the policy's lines, from 1
	profile    *Profile
	sel        selector
}

// PauseRule says which pauses stop a clock. The zero value honours none.
type PauseRule struct {
	Reasons []string
	Cap     time.Duration // of real time (elapsed) or open time (hours), over all pauses together
	CapDays int           // of kind days: closings that may pass while paused
}

// Ladder holds the shares of a clock, in percent, at which it is at risk and escalated.
type Ladder struct {
	Risk       percent `yaml:"risk"`
	Escalated  percent `yaml:"escalated"`
	Escalated2 percent `yaml:"escalated2"`
}

// defaultLadder is that of the domain: 75 % OPD head, 150 % Asisten and Sekda, 200 % listed in the monev.
var defaultLadder = Ladder{75, 150, 200}

// Fact names a stamp of a case that starts or stops a clock.
type Fact string

// The facts. Of a stay at an OPD (clock acknowledge) departed, arrived, resolved and closed count only within the stay.
const (
	FactReceived     Fact = "received"
	FactQueued       Fact = "queued"
	FactAnswered     Fact = "answered"
	FactOpened       Fact = "opened"
	FactAssigned     Fact = "assigned"
	FactAcknowledged Fact = "acknowledged"
	FactDeparted     Fact = "departed"
	FactArrived      Fact = "arrived"
	FactResolved     Fact = "resolved"
	FactConfirmed    Fact = "confirmed"
	FactClosed       Fact = "closed"
)

// clockRule is what a clock may be configured to.
type clockRule struct {
	start, stop       []Fact // defaults
	starts, stops     []Fact // allowed
	kinds             []Kind
	pausable, ofCalls bool
}

// ruleOf returns what a clock may be configured to; ok is false for an unknown name.
func ruleOf(clock string) (r clockRule, ok bool) {
	all := []Kind{Elapsed, Hours, Days}
	early := []Fact{FactOpened, FactReceived, FactAssigned}
	switch clock {
	case Answer:
		return clockRule{
			[]Fact{FactQueued, FactReceived}, []Fact{FactAnswered}, []Fact{FactQueued, FactReceived}, []Fact{FactAnswered},
			[]Kind{Elapsed}, false, true,
		}, true
	case Acknowledge:
		stops := []Fact{FactAcknowledged, FactDeparted, FactArrived, FactResolved, FactClosed}
		return clockRule{[]Fact{FactAssigned}, stops, []Fact{FactAssigned}, stops, all, true, false}, true
	case Arrive:
		return clockRule{
			[]Fact{FactReceived, FactOpened}, []Fact{FactArrived}, early, []Fact{FactArrived, FactDeparted},
			[]Kind{Elapsed, Hours}, true, false,
		}, true
	case Resolve, ResolveTotal:
		return clockRule{
			[]Fact{FactOpened}, []Fact{FactResolved, FactClosed}, early, []Fact{FactResolved, FactClosed}, all, true, false,
		}, true
	case Confirm:
		return clockRule{
			[]Fact{FactResolved}, []Fact{FactConfirmed}, []Fact{FactResolved}, []Fact{FactConfirmed}, all, true, false,
		}, true
	case Given:
		return clockRule{
			[]Fact{FactOpened, FactReceived, FactAssigned}, []Fact{FactResolved, FactClosed}, early,
			[]Fact{FactResolved, FactClosed}, []Kind{Stated}, false, false,
		}, true
	}
	return clockRule{}, false
}

// Profile returns the profile that l belongs to.
func (l *Line) Profile() *Profile { return l.profile }

// TargetText renders the target as the configuration writes it.
func (l *Line) TargetText() string {
	switch l.Kind {
	case Days:
		return fmt.Sprintf("%dd", l.TargetDays)
	case Stated:
		return "stated"
	}
	return spanText(l.Target)
}

func spanText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// The dimensions of a selector.
const (
	dimCenter = iota
	dimScope
	dimOPD
	dimCategory
	dimPriority
	dims
)

var dimNames = [dims]string{"center", "scope", "opd", "category", "priority"}

// selector says which cases a line applies to: in each dimension one of the named values, any where none is named.
type selector [dims][]string

// rank is how specific a selector is: the number of dimensions that it names.
func (s *selector) rank() int {
	n := 0
	for _, d := range s {
		if len(d) > 0 {
			n++
		}
	}
	return n
}

func (s *selector) match(q *[dims]string) bool {
	for i := range s {
		if len(s[i]) > 0 && !slices.Contains(s[i], q[i]) {
			return false
		}
	}
	return true
}

// meet returns the selector of what both apply to; ok is false when that is nothing.
func (s *selector) meet(o *selector) (m selector, ok bool) {
	for i := range s {
		switch {
		case len(s[i]) == 0:
			m[i] = o[i]
		case len(o[i]) == 0:
			m[i] = s[i]
		default:
			for _, v := range s[i] {
				if slices.Contains(o[i], v) {
					m[i] = append(m[i], v)
				}
			}
			if len(m[i]) == 0 {
				return m, false
			}
		}
	}
	return m, true
}

// covers reports whether s applies to everything that o applies to.
func (s *selector) covers(o *selector) bool {
	for i := range s {
		if len(s[i]) == 0 {
			continue
		}
		if len(o[i]) == 0 || slices.ContainsFunc(o[i], func(v string) bool { return !slices.Contains(s[i], v) }) {
			return false
		}
	}
	return true
}

// String renders s as "category=pju priority=non_darurat", or "every case".
func (s selector) String() string {
	var parts []string
	for i, d := range s {
		if len(d) > 0 {
			parts = append(parts, dimNames[i]+"="+strings.Join(d, "|"))
		}
	}
	if len(parts) == 0 {
		return "every case"
	}
	return strings.Join(parts, " ")
}
