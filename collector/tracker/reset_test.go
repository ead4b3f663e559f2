package tracker

import (
	"reflect"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// TestAResetForgetsEverything: of a journal that holds nothing any more, nothing is left on the board.
func TestAResetForgetsEverything(t *testing.T) {
	b := newBoard(nil)
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t"}
	b.feeds[key] = &carrier{}
	b.evictedSizes[key] = caseSize{events: 900}
	b.evictedCounts[key] = contribution{}
	b.sources["s"] = noon
	f := &feed{b: b}
	f.say(event.TicketOpened, "t", noon)
	f.say(event.AgentState, "a", noon, func(e *event.Event) { e.Result = "available" })
	if err := b.Reset(func(func(*event.Event, []byte, uint64)) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for i, v := 0, reflect.ValueOf(b).Elem(); i < v.NumField(); i++ {
		if f := v.Field(i); f.Kind() == reflect.Map && f.Len() > 0 {
			t.Errorf("%s holds %d", v.Type().Field(i).Name, f.Len())
		}
	}
	if n := len(b.Snapshot(noon.Add(time.Minute)).Sources); n > 0 {
		t.Errorf("%d sources", n)
	}
}
