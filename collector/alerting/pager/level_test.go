package pager

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// noon is 12.00 WIB on a Monday.
var noon = time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)

// clock runs from noon and is due after the target.
func clock(target time.Duration) sla.Clock {
	at := func(percent int) time.Time { return noon.Add(target * time.Duration(percent) / 100) }
	return sla.Clock{
		Name: sla.Resolve, StartedAt: noon, DueAt: at(100), BreachAt: at(100), RiskAt: at(75), EscalatedAt: at(150),
		Escalated2At: at(200),
	}
}

func TestLevelOfATicket(t *testing.T) {
	hour := clock(time.Hour)
	stopped, void, paused := hour, hour, hour
	stopped.StoppedAt = noon.Add(90 * time.Minute) // late, and nothing to act on
	void.Void = true
	paused.PausedSince, paused.PauseEndsAt, paused.RiskAt, paused.BreachAt = noon.Add(50*time.Minute),
		noon.Add(5*time.Hour), noon.Add(45*time.Minute), noon.Add(6*time.Hour)
	paused.EscalatedAt, paused.Escalated2At = time.Time{}, time.Time{}
	tests := []struct {
		name            string
		clocks          []sla.Clock
		after           time.Duration
		level           Level
		due             time.Duration
		atRisk, overdue bool
	}{
		{"in time", []sla.Clock{hour}, 44 * time.Minute, "", 0, false, false},
		{"at three quarters", []sla.Clock{hour}, 45 * time.Minute, Risk, time.Hour, true, false},
		{"at the due time, still in time", []sla.Clock{hour}, time.Hour, Risk, time.Hour, true, false},
		{"past it", []sla.Clock{hour}, time.Hour + time.Millisecond, Overdue, time.Hour, false, true},
		{"at one and a half", []sla.Clock{hour}, 90 * time.Minute, Escalated, time.Hour, false, true},
		{"at twice", []sla.Clock{hour}, 2 * time.Hour, Escalated2, time.Hour, false, true},
		{"stopped late", []sla.Clock{stopped}, 3 * time.Hour, "", 0, false, false},
		{"void", []sla.Clock{void}, 3 * time.Hour, "", 0, false, false},
		{"paused: the deadline moves", []sla.Clock{paused}, 3 * time.Hour, Risk, 6 * time.Hour, true, false},
		{"the highest of several", []sla.Clock{clock(3 * time.Hour), stopped, clock(80 * time.Minute)}, 150 * time.Minute,
			Escalated, 80 * time.Minute, true, true},
		{"the earliest of equals", []sla.Clock{clock(70 * time.Minute), hour}, 75 * time.Minute, Overdue, time.Hour, false,
			true},
		{"no clock", nil, time.Hour, "", 0, false, false},
	}
	for _, tt := range tests {
		got := levelOf(tracker.MarksOf(tt.clocks), noon.Add(tt.after))
		want := clockLevel{Level: tt.level, AtRisk: tt.atRisk, Overdue: tt.overdue}
		if tt.level != "" {
			want.DueAt = noon.Add(tt.due)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
}

func TestLevelNeverFallsWhileClocksRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var clocks []sla.Clock
		for range rapid.IntRange(1, 4).Draw(t, "clocks") {
			clocks = append(clocks, clock(time.Duration(rapid.IntRange(1, 48*3600).Draw(t, "seconds"))*time.Second))
		}
		instants := rapid.SliceOfN(rapid.Int64Range(0, int64(100*time.Hour)), 2, 8).Draw(t, "instants")
		slices.Sort(instants)
		before := 0
		for _, at := range instants {
			r := levelOf(tracker.MarksOf(clocks), noon.Add(time.Duration(at)))
			if r.Level.rank() < before {
				t.Fatalf("fell to %q at %s", r.Level, time.Duration(at))
			}
			before = r.Level.rank()
			if r.Overdue != (before >= Overdue.rank()) || r.Level == Risk && !r.AtRisk {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func TestTheTimeOfAClosingIsShort(t *testing.T) {
	wib := time.FixedZone("WIB", 7*3600)
	at := time.Date(2026, 11, 28, 0, 30, 0, 0, time.UTC)
	if got := shortTime(at, at.Add(10*time.Hour), wib); got != "07.30 WIB" {
		t.Error(got)
	}
	if got := shortTime(at, at.Add(20*time.Hour), wib); got != "28 Nov 07.30 WIB" {
		t.Error(got)
	}
}

// levelByClocks says the same from the clocks themselves, as sla defines it.
func levelByClocks(clocks []sla.Clock, now time.Time) clockLevel {
	var r clockLevel
	for i := range clocks {
		c := &clocks[i]
		l := Level(c.Level(now))
		if l == "" || !c.StoppedAt.IsZero() || c.Scope == sla.ScopeVertical {
			continue
		}
		r.Overdue = r.Overdue || c.Overdue(now)
		r.AtRisk = r.AtRisk || c.AtRisk(now)
		if l.rank() > r.Level.rank() || l == r.Level && c.BreachAt.Before(r.DueAt) {
			r.Level, r.DueAt = l, c.BreachAt
		}
	}
	return r
}
