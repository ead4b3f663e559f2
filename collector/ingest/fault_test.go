package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/journal"
)

// fatal is what a test and a rapid check have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// world is a collector on a modelled disk, and what its clients know.
type world struct {
	t    fatal
	disk *disktest.FS

	jrn    *journal.Journal
	board  *modelBoard
	loop   *ingest.Loop
	cancel context.CancelFunc
	ended  chan error

	mu       sync.Mutex
	acked    map[string]byte          // id -> content that an answer vouched for
	accepted map[string]bool          // ids of which a client was told that it was new
	sent     map[string]map[byte]bool // id -> contents ever sent
}

func newWorld(t fatal, seed int64) *world {
	return &world{
		t: t, disk: disktest.New(seed), acked: map[string]byte{}, accepted: map[string]bool{},
		sent: map[string]map[byte]bool{},
	}
}

// start opens everything on a good disk and checks what a restart must have brought back.
func (w *world) start() {
	w.t.Helper()
	w.disk.SetFail(nil)
	fsys := w.disk.Process()
	id, pos, _ := ingest.CheckpointPosition(fsys, "/d")
	var err error
	w.jrn, err = journal.Open(journal.Options{
		Dir: "/d/j", SegmentBytes: 300, MinFreeBytes: -1, FS: fsys, Expect: pos, ExpectUUID: id,
	})
	if err != nil {
		w.t.Fatalf("open journal: %v", err)
	}
	if rec := w.jrn.Recovery(); rec.LostFrom != rec.LostTo {
		w.t.Fatalf("the journal lost %d to %d", rec.LostFrom, rec.LostTo)
	}
	w.board = newModelBoard()
	w.loop, err = ingest.New(ingest.Config{Dir: "/d", FS: fsys, CheckpointBytes: 700, ProbeEvery: 100 * time.Microsecond},
		w.jrn, w.board, ingest.Observer{})
	if err != nil {
		w.t.Fatalf("new: %v", err)
	}
	res, err := w.loop.Restore(context.Background())
	if err != nil {
		w.t.Fatalf("restore: %v", err)
	}
	if !res.Checkpoint && res.From != 0 {
		w.t.Fatalf("the checkpoints are gone, and so is the journal's beginning: %+v", res)
	}
	w.check()
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.ended = cancel, make(chan error, 1)
	go func() { w.ended <- w.loop.Run(ctx) }()
}

// check compares the board with what the clients know. The loop must not be running.
func (w *world) check() {
	w.t.Helper()
	for id, version := range w.acked {
		e := ev(id, version)
		if got, ok := w.board.content[e.Source+" "+id]; !ok || got != string(event.AppendBinary(nil, e)) {
			w.t.Fatalf("event %s was acknowledged with content %d; the board has it: %v, other content: %v", id, version, ok, ok)
		}
	}
	for id, n := range w.board.applied {
		if n != 1 {
			w.t.Fatalf("%s was applied %d times", id, n)
		}
	}
}

// submit sends events and compares the answer with what may be said.
func (w *world) submit(events ...*event.Event) error {
	w.mu.Lock()
	for _, e := range events {
		if w.sent[e.ID] == nil {
			w.sent[e.ID] = map[byte]bool{}
		}
		w.sent[e.ID][e.Digest[0]] = true
	}
	w.mu.Unlock()
	res, err := w.loop.Submit(context.Background(), events)
	if err != nil {
		if !errors.Is(err, ingest.ErrUnavailable) {
			return fmt.Errorf("submit: %w", err)
		}
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, e := range events {
		version := e.Digest[0]
		was, known := w.acked[e.ID]
		switch res.Statuses[i] {
		case acc:
			if w.accepted[e.ID] || known && was != version {
				return fmt.Errorf("event %s accepted twice", e.ID)
			}
			w.acked[e.ID], w.accepted[e.ID] = version, true
		case dup:
			if known && was != version {
				return fmt.Errorf("event %s: content %d is called a repeat of content %d", e.ID, version, was)
			}
			// Its first copy may be another client's, or one whose answer was lost: either way it is now acknowledged.
			w.acked[e.ID] = version
		case con:
			if known && was == version || len(w.sent[e.ID]) < 2 {
				return fmt.Errorf("event %s: conflict with itself", e.ID)
			}
		default:
			return fmt.Errorf("event %s has status %d", e.ID, res.Statuses[i])
		}
	}
	return nil
}

// end stops the collector: cleanly, by kill -9 or by a power cut, in the midst of whatever it does.
func (w *world) end(how string) {
	w.t.Helper()
	switch how {
	case "kill":
		w.disk.Kill()
	case "power":
		w.disk.PowerLoss()
	}
	w.cancel()
	err := <-w.ended
	w.cancel = nil
	if how == "stop" {
		w.disk.SetFail(nil)
		w.check()
		if cerr := w.jrn.Close(); cerr != nil {
			w.t.Fatalf("close: %v", cerr)
		}
	}
	_ = err // a checkpoint that could not be written costs replay time only
}

func TestNothingAcknowledgedIsLostAndNothingCountsTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, rapid.Int64().Draw(rt, "seed"))
		defer func() { // rapid may give a draw up half-way
			if w.cancel != nil {
				w.disk.Kill()
				w.cancel()
				<-w.ended
			}
		}()
		ids := rapid.IntRange(2, 60).Draw(rt, "ids")
		for range rapid.IntRange(1, 5).Draw(rt, "lives") {
			if b := w.disk.Bytes("/d/checkpoint"); len(b) > 0 && rapid.Bool().Draw(rt, "damage the checkpoint") {
				b[rapid.IntRange(0, len(b)-1).Draw(rt, "byte")] ^= 0x10
				w.disk.SetBytes("/d/checkpoint", b)
			}
			w.start()
			if rate := rapid.SampledFrom([]float64{0, 0.02, 0.2, 0.6}).Draw(rt, "fault rate"); rate > 0 {
				rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "fault seed"), 0))
				w.disk.SetFail(func(int, disktest.Op, string) *disktest.Fault {
					if rng.Float64() < rate {
						return &disktest.Fault{Err: disktest.EIO, Part: rng.Float64(), Silent: rng.IntN(3) == 0}
					}
					return nil
				})
			}
			how := rapid.SampledFrom([]string{"stop", "kill", "power"}).Draw(rt, "end")
			clients := rapid.IntRange(1, 4).Draw(rt, "clients")
			errs := make(chan error, clients)
			for range clients {
				rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "client seed"), 0))
				requests := rapid.IntRange(0, 12).Draw(rt, "requests")
				go func() {
					for range requests {
						list := make([]*event.Event, 1+rng.IntN(4))
						for i := range list {
							list[i] = ev(fmt.Sprint(rng.IntN(ids)), byte(1+rng.IntN(10)/9))
						}
						if err := w.submit(list...); err != nil {
							errs <- err
							return
						}
					}
					errs <- nil
				}()
			}
			if rapid.Bool().Draw(rt, "in the midst") && how != "stop" {
				w.end(how)
				for range clients {
					if err := <-errs; err != nil {
						rt.Fatalf("%v", err)
					}
				}
				continue
			}
			for range clients {
				if err := <-errs; err != nil {
					rt.Fatalf("%v", err)
				}
			}
			if rapid.Bool().Draw(rt, "retain") {
				_, _ = w.jrn.Retain(w.loop.ReplayFloor(), time.Now().Add(time.Hour)) // may fail on this disk
			}
			w.end(how)
		}
		w.start()
		w.end("stop")
	})
}
