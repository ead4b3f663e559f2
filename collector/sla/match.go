package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Query describes a hypothetical case.
type Query struct {
	Center, Scope, OPD, Category, Priority string
	At                                     time.Time // when the case starts
}

// ParseQuery reads "category=pju,priority=non_darurat,opd=dishub" (also center, scope and at=2026-03-13); fields that
// are not named stay empty. At is the given now unless at is named.
func ParseQuery(s string, now time.Time) (Query, error) {
	q := Query{At: now}
	fields := map[string]*string{
		"center": &q.Center, "scope": &q.Scope, "opd": &q.OPD, "category": &q.Category, "priority": &q.Priority,
	}
	for part := range strings.SplitSeq(s, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		switch to := fields[key]; {
		case !ok:
			return q, fmt.Errorf("%q is not field=value; write for example category=pju,priority=non_darurat,opd=dishub",
				part)
		case to != nil:
			*to = value
		case key == "at":
			for _, layout := range []string{time.RFC3339, time.DateOnly} {
				if t, err := time.Parse(layout, value); err == nil {
					q.At, value = t, ""
					break
				}
			}
			if value != "" {
				return q, fmt.Errorf("at=%q is not a time; write 2026-03-13 or 2026-03-13T15:00:00+07:00", value)
			}
		default:
			return q, fmt.Errorf("%q is not a field of a ticket; use center, scope, opd, category, priority or at", key)
		}
	}
	if q.Priority != "" && !slices.Contains(priorities[:], q.Priority) {
		return q, fmt.Errorf("unknown priority %q; use one of %s", q.Priority, strings.Join(priorities[:], ", "))
	}
	return q, nil
}

// Match says which line of which policy gives a case one clock.
type Match struct {
	Clock           string
	Line            *Line // nil when no line applies: the case has no such clock
	Policy          string
	PolicyVersion   string
	CalendarVersion string // empty where no calendar drives the clock
	File            string
	Kind            Kind
	Target          string    // as the configuration writes it
	DueAt           time.Time // of a clock that starts at the query's At; zero where it cannot be said
	Why             string
}

// Match says for each clock which line a case gets, and why. The given clock always applies to a case whose source
// states a due time.
func (b *Book) Match(q Query) []Match {
	rules := b.rulesOf(q.Center)
	e := rules.at(q.At.UnixMilli())
	dim := [dims]string{q.Center, q.Scope, q.OPD, q.Category, q.Priority}
	var out []Match
	for i, name := range Names() {
		m := Match{Clock: name}
		if l := e.line(i, &dim); l != nil {
			m.fill(l)
			m.Why = fmt.Sprintf("%s applies to %s", place(l), l.sel)
			if beaten := e.alsoMatching(i, l, &dim); len(beaten) > 0 {
				m.Why += "; more specific or earlier than " + strings.Join(beaten, ", ")
			}
			if l.Kind == Hours || l.Kind == Days {
				m.CalendarVersion = rules.calendar.id
			}
			if l.profile.ToConfirm != "" {
				m.Why += "; to be confirmed: " + l.profile.ToConfirm
			}
			m.DueAt, _ = due(l, rules.calendar, q.At)
		} else {
			m.Why = "no line applies: no such clock"
			if e == &rules.eras[0] && len(rules.eras) > 1 {
				m.Why = "the ticket is older than every policy: the first begins on " +
					time.UnixMilli(rules.eras[1].from).In(rules.zone).Format(time.DateOnly)
			}
			if name == Given {
				m.Policy, m.Kind, m.Target, m.Why = sourcePolicy, Stated, "stated", "wherever the source states a due time"
			}
		}
		out = append(out, m)
	}
	return out
}

func (m *Match) fill(l *Line) {
	m.Line, m.Policy, m.PolicyVersion = l, l.profile.Name, l.profile.Version
	m.File, m.Kind, m.Target = l.profile.File, l.Kind, l.TargetText()
}

func place(l *Line) string { return fmt.Sprintf("%s:%d", l.profile.File, l.At) }

func (e *era) alsoMatching(clock int, won *Line, q *[dims]string) []string {
	var out []string
	for _, l := range e.lines[clock] {
		if l != won && l.sel.match(q) {
			out = append(out, fmt.Sprintf("%s (%s)", place(l), l.sel))
		}
	}
	return out
}
