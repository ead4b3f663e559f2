package share

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 5e-5 }

func TestWilson(t *testing.T) {
	for s, want := range map[Share][2]float64{
		{23, 25}: {0.75032, 0.97780}, {9, 10}: {0.59585, 0.98213}, {0, 0}: {0, 1}, {0, 10}: {0, 0.27753},
		{10, 10}: {0.72247, 1},
	} {
		if low, high := s.Wilson(); !near(low, want[0]) || !near(high, want[1]) {
			t.Errorf("%v: %f to %f, want %v", s, low, high, want)
		}
	}
}

// The examples (a) to (h) of table II in Newcombe's paper of 1998, method 10.
func TestNewcombe(t *testing.T) {
	for _, tc := range []struct {
		after, before Share
		low, high     float64
	}{
		{Share{56, 70}, Share{48, 80}, 0.0524, 0.3339},
		{Share{9, 10}, Share{3, 10}, 0.1705, 0.8090},
		{Share{6, 7}, Share{2, 7}, 0.0582, 0.8062},
		{Share{5, 56}, Share{0, 29}, -0.0381, 0.1926},
		{Share{0, 10}, Share{0, 20}, -0.1611, 0.2775},
		{Share{0, 10}, Share{0, 10}, -0.2775, 0.2775},
		{Share{10, 10}, Share{0, 20}, 0.6791, 1},
		{Share{10, 10}, Share{0, 10}, 0.6075, 1},
	} {
		if d, low, high := Difference(tc.before, tc.after); !near(low, tc.low) || !near(high, tc.high) ||
			!near(d, tc.after.Value()-tc.before.Value()) {
			t.Errorf("%v less %v: %f, %f to %f, want %f to %f", tc.after, tc.before, d, low, high, tc.low, tc.high)
		}
	}
	if d, _, _ := Difference(Share{}, Share{1, 2}); !math.IsNaN(d) {
		t.Errorf("a difference with nothing: %f", d)
	}
}
