package retention

import (
	"testing"
	"time"
)

func TestRetentionWaitsForAClockThatDoesNotJump(t *testing.T) {
	now := time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)
	yesterday, ahead := now.Add(-25*time.Hour), now.AddDate(2, 0, 0)
	for _, c := range []struct {
		name              string
		now, stable, last time.Time
		want              bool
	}{
		{"a day later", now, now.Add(-time.Second), yesterday, true},
		{"not a day yet", now, now.Add(-time.Second), now.Add(-23 * time.Hour), false},
		{"after a start", now, time.Time{}, yesterday, false},
		{"two years ahead for a moment", ahead, now.Add(-time.Minute), yesterday, false},
		{"two years back for a moment", now.AddDate(-2, 0, 0), now.Add(-time.Minute), yesterday, false},
		{"set right after a run that was ahead", now, now.Add(-time.Second), ahead, true},
		{"nothing is shipped for long", now, now.Add(-time.Hour), yesterday, false},
	} {
		if got := due(c.now, c.stable, c.last); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
