package shipper

import (
	"context"
	"errors"
	"fmt"
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
