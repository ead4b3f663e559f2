package store

import (
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// TestCallCountsAreThoseOfTheirDays: classes and what became of the calls, of the days asked for alone.
func TestCallCountsAreThoseOfTheirDays(t *testing.T) {
	s := openSink(t)
	var rows []tracker.Row
	for i, class := range append(event.Classes(), "", "prank") {
		for day, n := range []int{1, 2} { // two on the second day
			for j := range n {
				c := casefile.Call{Key: callKey(string(rune('a'+i)) + string(rune('0'+day)) + string(rune('0'+j))), Class: class, Events: 2}
				c.ReceivedAt = at("2026-10-01 05:00:00").AddDate(0, 0, day)
				if class != "" {
					c.AnsweredAt = c.ReceivedAt
					c.ClassifiedAt, c.FirstClassAt = c.ReceivedAt, c.ReceivedAt
				}
				rows = append(rows, callRow(c))
			}
		}
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushRollups(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.CallCounts(t.Context(), "35.15", at("2026-10-02 00:00:00"), at("2026-10-03 00:00:00"), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	// Eleven classes with uji, which no count contains; prank twice; one without a class.
	for name, want := range map[string]int64{
		"received": 24, "answered": 22, "classified": 20, "prank": 4, "prank_palsu": 2, "informasi": 2, "blocked": 0,
	} {
		if got[name] != want {
			t.Errorf("%s: %d, want %d", name, got[name], want)
		}
	}
	figures, err := s.FiguresBetween(t.Context(), "35.15", at("2026-10-01 00:00:00"), at("2026-10-03 00:00:00"),
		FigureTargets{15, 5}, at("2026-11-01 00:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if f.Name == "hoax" && f.Dims == "measure=rasio_hoaks" && (f.Numerator != 9 || f.Denominator != 30) {
			t.Errorf("%+v", f)
		}
	}
}
