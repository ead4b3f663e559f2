package sla

import (
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
)

// TestAnUnobservedClockTakesNoOtherOver: whichever of master and member has it, and whichever is due first.
func TestAnUnobservedClockTakesNoOtherOver(t *testing.T) {
	for _, c := range []struct {
		name             string
		master, member   bool // unobserved
		masterIn, dueIn  time.Duration
		unobserved, from bool // of what comes of them
		breach           time.Duration
	}{
		{"the member's, due first", false, true, time.Hour, time.Minute, false, false, time.Hour},
		{"the master's, due first", true, false, time.Minute, time.Hour, false, true, time.Hour},
		{"both", true, true, time.Hour, time.Minute, true, true, time.Minute},
		{"none", false, false, time.Hour, time.Minute, false, true, time.Minute},
	} {
		clock := func(unobserved bool, in time.Duration) []Clock {
			return []Clock{{Name: Arrive, StartedAt: noon, BreachAt: noon.Add(in), Unobserved: unobserved}}
		}
		got, _ := Join(&casefile.Ticket{}, clock(c.master, c.masterIn), []Member{
			{ID: "m", At: noon.Add(time.Second), Clocks: clock(c.member, c.dueIn)},
		})
		if k := got[0]; k.Unobserved != c.unobserved || (k.Member == "m") != c.from || !k.BreachAt.Equal(noon.Add(c.breach)) {
			t.Errorf("%s: unobserved %v, of %q, due %s", c.name, k.Unobserved, k.Member, k.BreachAt)
		}
	}
}
