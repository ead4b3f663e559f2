package casefile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// What other sources repeat is found in one pass, and is what a comparison of each event with each before it finds.
func TestRepeatedFactsAreThoseOfTheDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	types := []event.Type{event.CallReceived, event.CallClassified, event.CallRinging}
	for range 2000 {
		evs := make([]*event.Event, rnd.IntN(12))
		for i := range evs {
			evs[i] = &event.Event{
				Source: fmt.Sprint("s", rnd.IntN(3)), ID: fmt.Sprint(i), Type: types[rnd.IntN(len(types))],
				Class: []string{"prank", "normal"}[rnd.IntN(2)], OccurredAt: time.Unix(int64(rnd.IntN(8)), 0),
			}
		}
		slices.SortFunc(evs, inOrder)
		var want []*event.Event
		for _, e := range evs {
			if !slices.ContainsFunc(want, func(f *event.Event) bool {
				return e.OccurredAt.Sub(f.OccurredAt) <= SameFactWithin && f.Type == e.Type && f.Source != e.Source &&
					value(f) == value(e)
			}) {
				want = append(want, e)
			}
		}
		if got := distinct(evs); !slices.Equal(got, want) {
			t.Fatalf("of %d events %d are facts, want %d", len(evs), len(got), len(want))
		}
	}
}
