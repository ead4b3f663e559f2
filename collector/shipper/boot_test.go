package shipper

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

// TestSentAgainAfterAnUncleanBoot takes rows back from ClickHouse, as a host does that goes down before they reached the
// disk. After a boot without a stop before it everything is sent again; after a clean stop, or in the same boot, nothing.
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
					e := event.Event{Source: "a", ID: fmt.Sprint(i), Type: event.CallReceived, Kind: event.KindCall, Subject: fmt.Sprint("c", i),
						Center: rapid.SampledFrom([]string{"35.15", "old"}).Draw(rt, "center"), OccurredAt: noon, ReceivedAt: noon.Add(time.Duration(i) * time.Second)}
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
