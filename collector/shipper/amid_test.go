package shipper

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

var errDied = errors.New("the process died")

// TestCasesEqualAFreshFoldWhateverHappensAmid is TestCasesEqualAFreshFold for what happens while a batch is on its way:
// events go on coming between any two steps of the shipper, also before ClickHouse was read at a start, and the process
// dies between them, with the rows of calls stored and those of tickets not.
func TestCasesEqualAFreshFoldWhateverHappensAmid(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		events, left := shuffled(t, world)
		w := newWarehouse()
		h := &harness{t: t, dir: fmt.Sprint(dir, "/", run), w: w, cfg: boardConfig(nil)}
		next := func() {
			if len(left) > 0 {
				h.accept(events[left[0]])
				left = left[1:]
			}
		}
		mortal, died := false, func() {}
		w.amid = func() error {
			switch n := rapid.IntRange(0, 9).Draw(t, "amid"); {
			case n < 3:
				next()
			case n == 3 && mortal:
				died()
				return errDied
			case n == 4:
				h.checkpoint()
			}
			return nil
		}
		h.start(nil, 0)
		for i := range events { // the filter takes some that are new for known ones
			if rapid.IntRange(0, 5).Draw(t, "mistaken") == 0 {
				h.board.AddSubjects([]event.Key{events[i].Key()})
			}
		}
		defer func() { h.journal.Close() }()
		ship := func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			mortal, died = true, cancel
			err := h.shipAll(ctx)
			mortal = false
			if err == nil {
				return
			}
			if ctx.Err() == nil {
				t.Fatal(err)
			}
			h.restart(rapid.IntRange(0, 3).Draw(t, "lose checkpoint") == 0)
		}
		for len(left) > 0 {
			next()
			switch rapid.IntRange(0, 4).Draw(t, "then") {
			case 0, 1:
				ship()
			case 2:
				ship()
				h.board.Evict(uint64(h.shipper.Shipped()), noon)
			case 3:
				h.checkpoint()
			case 4:
				h.restart(rapid.Bool().Draw(t, "lose checkpoint"))
			}
		}
		w.amid = nil
		ship()
		h.check(events)
	})
}

// What comes before a ClickHouse answers that never held anything is stored without a look at each case, as new rows.
// Where something was stored, or may have been, it is looked for.
func TestAnEmptyClickHouseIsNotAskedForCases(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*harness)
		new    bool
	}{
		"a first start": {func(*harness) {}, true},
		"another journal filled it": {func(h *harness) {
			e := event.Event{Source: "a", ID: "other", Kind: event.KindCall, Subject: "other", Center: "35.15"}
			h.w.events[eventID{e.Key(), e.Source, e.ID}] = e
		}, false},
		"rows without events": {func(h *harness) { h.w.version = 1 }, false},
		"a batch was under way": {func(h *harness) {
			c := h.shipper.cursor
			c.End = h.journal.End()
			if err := h.shipper.writeCursor(c); err != nil {
				h.t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir, run := t.TempDir(), 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				events := world(rt)
				w := newWarehouse()
				h := &harness{t: rt, dir: filepath.Join(dir, fmt.Sprint(run)), w: w, cfg: boardConfig(nil)}
				h.start(nil, 0)
				defer func() { h.journal.Close() }()
				for _, e := range events {
					h.accept(e)
				}
				c.before(h)
				h.restart(true) // the journal is replayed before ClickHouse is asked
				w.asked = 0
				h.ship()
				if (w.asked == 0) != c.new && len(w.rows) > 0 {
					rt.Errorf("asked for %d cases", w.asked)
				}
				for key, r := range w.rows {
					if r.New != c.new || r.ClocksOnly != c.new {
						rt.Errorf("%v: new %v, all clocks known %v", key, r.New, r.ClocksOnly)
					}
				}
				if name == "a first start" {
					h.check(events)
				}
			})
		})
	}
}
