package shipper

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

// TestAnotherClickHouseGetsWhatItLacks ships into one ClickHouse and goes on with another, which is empty, or holds
// what a backup brought on the way; half a restore is left alone. In the end it holds every event once and every case
// as the first would.
func TestAnotherClickHouseGetsWhatItLacks(t *testing.T) {
	for name, backup := range map[string]bool{"an empty one": false, "one that a backup filled": true} {
		t.Run(name, func(t *testing.T) {
			dir, run := t.TempDir(), 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				events := world(rt)
				taken := rapid.IntRange(0, len(events)-1).Draw(rt, "taken")
				moved := rapid.IntRange(taken, len(events)-1).Draw(rt, "moved")
				first := newWarehouse()
				h := &harness{
					t: rt, dir: filepath.Join(dir, fmt.Sprint(run)), w: first, cfg: boardConfig(nil), boot: "one",
					place: &Database{ID: "first"},
				}
				h.start(nil, 0)
				defer func() { h.journal.Close() }()
				second := newWarehouse()
				place := &Database{ID: "second"}
				for i, e := range events {
					if i == taken && backup {
						second.events, second.rows, second.version = maps.Clone(first.events), maps.Clone(first.rows), first.version
						place.RestorePoint = RestorePoint{Journal: h.journal.UUID().String(), UpTo: h.shipper.cursor.Start}
					}
					if i == moved {
						h.checkpoint()
						at := h.shipper.cursor
						*h.place = Database{ID: "second", Unfinished: "b-1"}
						if err := h.shipper.prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "b-1") ||
							h.shipper.cursor != at {
							rt.Fatalf("a half restored ClickHouse: %v, the cursor from %v to %v", err, at, h.shipper.cursor)
						}
						h.w, h.place = second, place
						h.restart(false)
					}
					h.accept(e)
					if rapid.IntRange(0, 3).Draw(rt, "ship") == 0 {
						h.ship()
					}
				}
				h.ship()
				h.check(events)
				at := h.shipper.cursor.Start
				h.restart(true)
				if h.shipper.cursor.Start < at {
					rt.Fatal("known by now, it is sent everything once more")
				}
			})
		})
	}
}

// A database that was only looked at, or that took half a batch, says nothing of the one in its place: what that one
// holds is looked for.
func TestAnotherClickHouseIsReadBeforeAnythingWasShipped(t *testing.T) {
	for name, underWay := range map[string]bool{"nothing was sent": false, "a batch was under way": true} {
		t.Run(name, func(t *testing.T) {
			dir, run := t.TempDir(), 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				events := world(rt)
				h := &harness{t: rt, dir: filepath.Join(dir, fmt.Sprint(run)), w: newWarehouse(), cfg: boardConfig(nil),
					place: &Database{ID: "first"}}
				h.start(nil, 0)
				defer func() { h.journal.Close() }()
				n := rapid.IntRange(1, len(events)-1).Draw(rt, "held by the second")
				second := newWarehouse()
				for _, e := range events[:n] { // another journal brought them
					second.events[eventID{e.Key(), e.Source, e.ID}] = e
				}
				if underWay {
					h.accept(events[n])
					c := h.shipper.cursor
					c.End = h.journal.End()
					if err := h.shipper.writeCursor(c); err != nil {
						rt.Fatal(err)
					}
				}
				h.checkpoint()
				h.w, h.place = second, &Database{ID: "second"}
				h.restart(false)
				for i, e := range events[n:] {
					if i > 0 || !underWay {
						h.accept(e)
					}
				}
				h.ship()
				want := fresh(events, h.cfg)
				for _, e := range events[n:] {
					if k := e.Key(); e.Kind == event.KindCall && want[k].Call != nil && h.w.rows[k].Call.Events != want[k].Call.Events {
						rt.Fatalf("%v: a row of %d events, want %d", k, h.w.rows[k].Call.Events, want[k].Call.Events)
					}
				}
			})
		})
	}
}
