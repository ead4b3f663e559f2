package casefile

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// What is known today judges a past instant: corrections and withdrawals from after it void what they name.
func TestAsOf(t *testing.T) {
	for _, tc := range []struct{ title, events, at, want string }{
		{"an arrival that was corrected to a later time had not happened",
			"ticket opened 07:00:00; ticket arrived 08:00:00 id=a; ticket arrived 09:00:00 id=b replaces=a", "08:30:00",
			"arrived=- state=opened events=1"},
		{"one that was corrected to an earlier time had",
			"ticket opened 07:00:00; ticket arrived 09:00:00 id=a; ticket arrived 08:00:00 id=b replaces=a", "08:30:00",
			"arrived=08:00:00 state=arrived events=2"},
		{"a closing that was withdrawn later never was",
			"ticket opened 07:00:00; ticket closed 08:00:00 id=a; event withdrawn 10:00:00 replaces=a", "08:30:00",
			"closed=- state=opened flags=event_withdrawn"},
		{"a chain of corrections whose last lies after the instant",
			"ticket opened 07:00:00; ticket arrived 08:00:00 id=a; ticket arrived 08:10:00 id=b replaces=a; " +
				"ticket arrived 09:00:00 id=c replaces=b", "08:30:00", "arrived=- events=1"},
		{"a chain whose middle lies after the instant",
			"ticket opened 07:00:00; ticket arrived 08:00:00 id=a; ticket arrived 09:00:00 id=b replaces=a; " +
				"ticket arrived 08:20:00 id=c replaces=b", "08:30:00", "arrived=08:20:00 events=2"},
		{"a withdrawn opening keeps its flag",
			"ticket opened 07:00:00 id=a; ticket assigned 07:10:00 opd=x; event withdrawn 10:00:00 replaces=a", "08:30:00",
			"opened=- flags=event_withdrawn,not_opened,opening_withdrawn listed=true"},
		{"an opening from after the instant that was withdrawn tells nothing",
			"ticket assigned 07:10:00 opd=x; ticket opened 09:00:00 id=a; event withdrawn 10:00:00 replaces=a", "08:30:00",
			"opened=- flags=not_opened"},
		{"a call that was classified anew after the instant",
			"call received 07:00:00; call classified 07:01:00 class=ghost id=a; " +
				"call classified 09:00:00 class=normal id=b replaces=a", "08:30:00", "class=- events=1"},
	} {
		t.Run(tc.title, func(t *testing.T) {
			var evs []*event.Event
			for n, line := range strings.Split(tc.events, "; ") {
				e, err := parseEvent(line, n)
				if err != nil {
					t.Fatal(err)
				}
				if e.Type == event.EventWithdrawn {
					e.Kind = event.KindTicket
				}
				evs = append(evs, &e)
			}
			clock, err := time.Parse(time.TimeOnly, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			until := day.Add(clock.Sub(clock.Truncate(24 * time.Hour)))
			random := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				random.Shuffle(len(evs), func(i, j int) { evs[i], evs[j] = evs[j], evs[i] })
				var got map[string]string
				if key := evs[0].Key(); key.Kind == event.KindCall {
					c := FoldCall(key, AsOf(evs, until), nil)
					got = callFacts(&c)
				} else {
					k := FoldTicket(key, AsOf(evs, until), CallFacts{})
					got = ticketFacts(&k)
				}
				for _, w := range strings.Fields(tc.want) {
					if name, value, _ := strings.Cut(w, "="); got[name] != value {
						t.Fatalf("%s is %q, want %q", name, got[name], value)
					}
				}
			}
		})
	}
}
