package shipper

import (
	"testing"
	"time"
)

func TestStableClockIgnoresJumps(t *testing.T) {
	boot := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := stableClock{stableFor: 10 * time.Minute}
	ran := time.Duration(0)
	for _, stretch := range []struct {
		name       string
		wrong, run time.Duration
		want       time.Time
	}{
		{"after a start", 0, 9 * time.Minute, time.Time{}},
		{"it ran without a jump", 0, 2 * time.Minute, boot.Add(11 * time.Minute)},
		{"a day ahead for a moment", 26 * time.Hour, 5 * time.Minute, boot.Add(11 * time.Minute)},
		{"right again, not for long", 0, 9 * time.Minute, boot.Add(11 * time.Minute)},
		{"right again", 0, 2 * time.Minute, boot.Add(27 * time.Minute)},
		{"set back", -time.Hour, 9 * time.Minute, boot.Add(27 * time.Minute)},
		{"set back for good", -time.Hour, 2 * time.Minute, boot.Add(38*time.Minute - time.Hour)},
	} {
		var got time.Time
		for end := ran + stretch.run; ran < end; {
			ran += time.Second
			got = s.at(boot.Add(ran+stretch.wrong), ran)
		}
		if !got.Equal(stretch.want) {
			t.Errorf("%s: %s, want %s", stretch.name, got, stretch.want)
		}
	}
}

func TestStableClockWithoutMonotonicReading(t *testing.T) {
	s := stableClock{stableFor: time.Minute}
	noon := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	if got := s.now(noon); !got.IsZero() {
		t.Error(got)
	}
	if got := s.now(noon.Add(time.Minute)); !got.Equal(noon.Add(time.Minute)) {
		t.Error(got)
	}
}
