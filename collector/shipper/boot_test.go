package shipper

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/journal"
)

// TestSentAgainAfterAnUncleanBoot takes rows back from ClickHouse, as a host does that goes down before they reached
// the disk. After a boot without a stop before it everything is sent again; after a clean stop, or in the same boot,
// nothing.
func TestSentAgainAfterAnUncleanBoot(t *testing.T) {
	for name, c := range map[string]struct {
		boot        string
		clean, back bool
	}{
		"another boot":                    {boot: "two", back: true},
		"another boot, stopped before it": {boot: "two", clean: true},
		"the same boot":                   {boot: "one"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			rapid.Check(t, func(rt *rapid.T) {
				rt.Cleanup(func() { dir += "x" })
				w := newWarehouse()
				h := &harness{t: rt, dir: dir, w: w, cfg: boardConfig(nil), boot: "one"}
				h.start(nil, 0)
				defer func() { h.journal.Close() }()
				var events []event.Event
				for i := range rapid.IntRange(2, 6).Draw(rt, "calls") {
					e := event.Event{Source: "a", ID: fmt.Sprint(i), Type: event.CallReceived, Kind: event.KindCall,
						Subject: fmt.Sprint("c", i),
						Center:  rapid.SampledFrom([]string{"35.15", "old"}).Draw(rt, "center"), OccurredAt: noon,
						ReceivedAt: noon.Add(time.Duration(i) * time.Second)}
					e.Digest[0] = byte(i + 1)
					events = append(events, e)
					h.accept(e)
					h.ship()
				}
				h.checkpoint()
				for _, e := range events[1:] {
					delete(w.events, eventID{e.Key(), e.Source, e.ID})
					delete(w.rows, e.Key())
				}
				if c.clean {
					if err := h.shipper.stop(); err != nil {
						rt.Fatal(err)
					}
				}
				h.boot = c.boot
				h.restart(false)
				h.ship()
				want := 1
				if c.back {
					want = len(events)
				}
				if len(w.events) != want || len(w.rows) != want {
					rt.Fatalf("ClickHouse holds %d events and %d rows, want %d of each", len(w.events), len(w.rows), want)
				}
			})
		})
	}
}

// A batch that was being sent when the host went down may have been answered: it is sent again under another token,
// also when nothing was shipped before it.
func TestTheBatchUnderWayIsSentAgainToo(t *testing.T) {
	for _, c := range []struct {
		name  string
		was   cursor
		again journal.Position
		lost  bool
	}{
		{"nothing was sent", cursor{Start: 100, End: 100, Boot: "one"}, 0, false},
		{"the first batch", cursor{Start: 100, End: 200, Boot: "one"}, 200, true},
		{"a later one", cursor{Start: 150, End: 200, Boot: "one"}, 200, true},
		{"none", cursor{Start: 150, End: 150, Boot: "one"}, 150, true},
		{"stopped in order", cursor{Start: 150, End: 200, Boot: "one", Closed: true}, 0, false},
		{"the same boot", cursor{Start: 150, End: 200, Boot: "two"}, 0, false},
		{"within a boot that sends again", cursor{Start: 150, End: 200, Again: 300, Boot: "one"}, 300, true},
	} {
		got, lost := c.was.afterBoot("two", 100)
		if lost != c.lost || got.Again != c.again || lost && (got.Start != 100 || got.End != 100) {
			t.Errorf("%s: %+v, lost %v", c.name, got, lost)
		}
	}
}
