package tracker

import (
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// An import of many old cases pushes no ticket out of memory that was closed a moment ago: the digest counts those.
func TestLateCasesMakeRoomForLateOnesAlone(t *testing.T) {
	b := newBoard(nil)
	b.cfg.CacheCases, b.cfg.CacheLate = 5, 3
	f := &feed{b: b}
	for i := range 5 {
		id, at := fmt.Sprint("now", i), noon.Add(time.Duration(i)*time.Second)
		f.say(event.TicketOpened, id, at)
		f.say(event.TicketClosed, id, at.Add(time.Minute))
	}
	for i := range 20 {
		f.late = 30 * 24 * time.Hour
		id, at := fmt.Sprint("old", i), noon.Add(-f.late).Add(time.Duration(i)*time.Second)
		f.say(event.TicketOpened, id, at)
		f.say(event.TicketClosed, id, at.Add(time.Minute))
	}
	f.late = time.Hour + time.Second // one of the old ones once more, after all others
	f.say(event.TicketReopened, "old3", noon.Add(-time.Hour))
	f.say(event.TicketClosed, "old3", noon.Add(-time.Hour+time.Minute))
	for name, b := range map[string]*Board{"before": b, "after a restart": again(t, b, nil)} {
		b.cfg.CacheCases, b.cfg.CacheLate = 5, 3
		b.Evict(uint64(f.n), noon.Add(time.Hour))
		if n, _ := b.Size(); n != 8 {
			t.Errorf("%s: %d cases in memory, want 5 and 3 late ones", name, n)
		}
		if n := len(b.ClosedTickets(noon, noon.Add(time.Hour))); n != 5 {
			t.Errorf("%s: %d of 5 tickets were closed", name, n)
		}
		for _, id := range []string{"old3", "old18", "old19"} {
			if _, _, ok := b.Case(event.Key{Center: "35.15", Kind: event.KindTicket, ID: id}); !ok {
				t.Errorf("%s: %s was touched last and is gone", name, id)
			}
		}
	}
	f.late = 0 // a late case that goes on now is one of today
	f.say(event.TicketReopened, "old3", noon.Add(2*time.Hour))
	f.say(event.TicketClosed, "old3", noon.Add(2*time.Hour))
	b.Evict(uint64(f.n), noon.Add(3*time.Hour))
	if n := b.late.Len(); n != 2 {
		t.Errorf("%d late cases, want 2", n)
	}
}
