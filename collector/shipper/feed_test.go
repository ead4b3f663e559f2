package shipper

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/tracker"
)

func TestABatchLingersFromWhenItsFirstEventWasAppended(t *testing.T) {
	f := feed{linger: time.Second, now: func() time.Time { return noon }}
	for name, c := range map[string]struct {
		before, appended time.Time
		want             time.Duration
	}{
		"amid others":              {noon.Add(-999 * time.Millisecond), noon, time.Second},
		"after a quiet time":       {noon.Add(-time.Second), noon, 200 * time.Millisecond},
		"the first of all":         {time.Time{}, noon, 200 * time.Millisecond},
		"a while ago":              {noon.Add(-time.Second), noon.Add(-150 * time.Millisecond), 850 * time.Millisecond},
		"a while ago, alone":       {time.Time{}, noon.Add(-150 * time.Millisecond), 50 * time.Millisecond},
		"long ago":                 {noon.Add(-time.Hour), noon.Add(-time.Hour), 0},
		"before the clock stepped": {noon.Add(time.Hour), noon.Add(time.Hour), time.Second},
		"no time":                  {time.Time{}, time.Time{}, 0},
	} {
		if got := f.lingerFor(c.before, c.appended); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Memory is given back when a start or a burst is over and once more later, and not for the few events of every day.
func TestTheMemoryOfABurstIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, err := journal.Open(journal.Options{Dir: dir, GroupBytes: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		board, w := tracker.New(boardConfig(nil)), newWarehouse()
		s, err := New(Config{Dir: dir, Log: slog.New(slog.DiscardHandler), Observer: silent{}, Now: time.Now},
			j, board, w, &letters{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		come := 0
		for i, step := range []struct{ events, trimmed int }{{0, 2}, {10, 2}, {burstEvents, 4}, {10, 4}, {0, 4}} {
			var payloads [][]byte
			for range step.events {
				e := event.Event{
					Center: "35.15", Source: "/s", ID: strconv.Itoa(come), Type: event.CallReceived, Kind: event.KindCall,
					Subject: strconv.Itoa(come), OccurredAt: noon, ReceivedAt: noon,
				}
				payloads = append(payloads, event.AppendBinary(nil, &e))
				board.Apply(&e, payloads[len(payloads)-1], 0, false)
				come++
			}
			if len(payloads) > 0 {
				if _, _, err := j.Append(payloads); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * trimAgain * idleTick) // of the bubble's clock
			synctest.Wait()
			if len(w.events) != come || w.trimmed != step.trimmed {
				t.Errorf("step %d: %d of %d events stored, memory given back %d times, want %d", i, len(w.events), come,
					w.trimmed, step.trimmed)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestABurstEndsAmidSteadyTraffic(t *testing.T) {
	b := burst{}
	count := func(ticks, events int, drained bool) (n int) {
		for range ticks {
			if b.shipped(events, drained) {
				n++
			}
			if b.trims(drained) {
				n++
			}
		}
		return n
	}
	for i, step := range []struct {
		events  int
		drained bool
		want    int
	}{{100, false, 0}, {burstEvents, false, 0}, {100, false, 2}, {100, false, 0}} {
		if got := count(3*trimAgain, step.events, step.drained); got != step.want {
			t.Errorf("step %d: memory given back %d times, want %d", i, got, step.want)
		}
	}
}

func TestMemoryIsGivenBackWithTheLastBatchOfABurstOnceATick(t *testing.T) {
	b := burst{}
	for i, step := range []struct {
		tick    bool
		events  int
		drained bool
		want    bool
	}{
		{events: burstEvents, drained: false, want: false},
		{events: burstEvents, drained: true, want: true},
		{events: burstEvents, drained: true, want: false},
		{events: 10, drained: true, want: false},
		{tick: true, drained: true, want: true},
		{events: burstEvents, drained: true, want: true},
		{tick: true, drained: true, want: false},
		{events: burstEvents, drained: false, want: false},
		{events: 10, drained: false, want: false},
		{events: 10, drained: true, want: true}, // the small rest
		{events: 10, drained: true, want: false},
		{tick: true, drained: true, want: false},
		{events: 10, drained: true, want: false},
	} {
		got := step.tick && b.trims(step.drained) || !step.tick && b.shipped(step.events, step.drained)
		if got != step.want {
			t.Errorf("step %d: memory given back: %v, want %v", i, got, step.want)
		}
	}
}
