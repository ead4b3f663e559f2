package sla

import (
	"testing"
	"time"
)

func TestLevelIsTheHighestShareReached(t *testing.T) {
	start := time.Date(2026, 3, 13, 8, 0, 0, 0, time.UTC)
	after := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	runs := Clock{
		StartedAt: start, BreachAt: after(100), RiskAt: after(75), EscalatedAt: after(150), Escalated2At: after(200),
	}
	for minutes, want := range map[int]Level{
		0: "", 74: "", 75: LevelRisk, 100: LevelRisk, 101: LevelOverdue, 149: LevelOverdue, 150: LevelEscalated,
		200: LevelEscalated2, 9000: LevelEscalated2,
	} {
		if got := runs.Level(after(minutes)); got != want {
			t.Errorf("after %d minutes %q, want %q", minutes, got, want)
		}
	}
	stopped, void := runs, runs
	stopped.StoppedAt, void.Void = after(120), true
	if stopped.Level(after(120)) != "" || stopped.Level(after(119)) != LevelOverdue || void.Level(after(300)) != "" {
		t.Error("a clock that stopped or is void has a level")
	}
	if (&Clock{Void: true}).Level(start) != "" || (&Clock{}).Level(start) != "" {
		t.Error("a clock without instants has a level")
	}
}
