package journal

import (
	"testing"
	"time"
)

// TestASegmentIsClosedByAge appends little, day by day: without an end by age the one segment would hold it for ever.
func TestASegmentIsClosedByAge(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	j, err := Open(Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var ends []Position
	for range 6 {
		_, end, err := j.Append([][]byte{[]byte("a record")})
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
		now = now.Add(12 * time.Hour)
	}
	if n := j.Stats().Segments; n != 3 {
		t.Errorf("%d segments after three days, want 3", n)
	}
	if err := j.Probe(); err != nil { // closes the third
		t.Fatal(err)
	}
	now = now.Add(25 * time.Hour)
	if removed, err := j.Retain(j.End(), now.Add(-24*time.Hour)); err != nil || removed != 3 {
		t.Errorf("%d segments removed, %v; want 3", removed, err)
	}
	if first := j.Stats().First; first < ends[len(ends)-1] {
		t.Errorf("the journal begins at %d, records end at %d", first, ends[len(ends)-1])
	}
}
