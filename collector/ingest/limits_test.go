package ingest_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/internal/noleaks"
	"github.com/monev112/monev112/collector/journal"
)

func TestMain(m *testing.M) { noleaks.Main(m) }

// bubble runs a collector on a modelled disk under synctest's clock.
func bubble(t *testing.T, cfg ingest.Config, obs ingest.Observer,
	fn func(d *disktest.FS, l *ingest.Loop, b *modelBoard)) {
	synctest.Test(t, func(t *testing.T) {
		d := disktest.New(1)
		cfg.Dir, cfg.FS = "/d", d
		j, err := journal.Open(journal.Options{Dir: "/d/j", MinFreeBytes: 1000, FS: d, GroupBytes: 64 << 10})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if cfg.GroupBytes == 0 {
			cfg.GroupBytes = 16 << 10
		}
		b := newModelBoard()
		l, err := ingest.New(cfg, j, b, obs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Submit(t.Context(), []*event.Event{ev("early", 1)}); !errors.Is(err, ingest.ErrUnavailable) {
			t.Fatalf("submit before the replay: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		synctest.Wait()
		fn(d, l, b)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, err := l.Submit(context.Background(), []*event.Event{ev("late", 1)}); !errors.Is(err, ingest.ErrUnavailable) {
			t.Fatalf("submit after the end: %v", err)
		}
	})
}

func TestAJournalThatCannotWriteMakesItNotReadyUntilItCan(t *testing.T) {
	var ready []error
	obs := ingest.Observer{Ready: func(err error) { ready = append(ready, err) }}
	bubble(t, ingest.Config{}, obs, func(d *disktest.FS, l *ingest.Loop, b *modelBoard) {
		submit := func(e *event.Event) (ingest.Result, error) {
			return l.Submit(context.Background(), []*event.Event{e})
		}
		if _, err := submit(ev("a", 1)); err != nil {
			t.Fatal(err)
		}
		d.SetFail(func(_ int, op disktest.Op, _ string) *disktest.Fault {
			if op == disktest.Sync {
				return &disktest.Fault{Err: disktest.EIO}
			}
			return nil
		})
		if _, err := submit(ev("b", 1)); !errors.Is(err, ingest.ErrUnavailable) || !errors.Is(err, disktest.EIO) {
			t.Fatalf("append on a broken disk: %v", err)
		}
		if l.Ready() == nil || len(b.applied) != 1 {
			t.Fatalf("ready: %v; the board knows %d", l.Ready(), len(b.applied))
		}
		calls := d.Calls()
		if _, err := submit(ev("c", 1)); !errors.Is(err, ingest.ErrUnavailable) || d.Calls() != calls {
			t.Fatalf("while not ready: %v, %d calls", err, d.Calls()-calls)
		}
		time.Sleep(3500 * time.Millisecond) // probes fail
		if l.Ready() == nil || d.Calls() == calls {
			t.Fatal("it does not probe")
		}
		d.SetFail(nil)
		time.Sleep(1100 * time.Millisecond)
		if err := l.Ready(); err != nil {
			t.Fatalf("the disk is good again, yet %v", err)
		}
		if res, err := submit(ev("b", 1)); err != nil || res.Statuses[0] != acc {
			t.Fatalf("the refused event, sent again: %v, %v", res, err)
		}
		d.SetFree(900)
		if _, err := submit(ev("d", 1)); !errors.Is(err, ingest.ErrUnavailable) || !errors.Is(err, journal.ErrDiskFull) {
			t.Fatalf("on a full disk: %v", err)
		}
		d.SetFree(1 << 30)
		time.Sleep(1100 * time.Millisecond)
		if res, err := submit(ev("a", 1)); err != nil || res.Statuses[0] != dup {
			t.Fatalf("%v, %v", res, err)
		}
	})
	// starting -> ready -> down -> ready -> full -> ready -> stopping
	if len(ready) != 6 || ready[0] != nil || ready[1] == nil || ready[2] != nil || ready[3] == nil || ready[4] != nil ||
		ready[5] == nil {
		t.Fatalf("Ready was told %v", ready)
	}
}

// A request that only repeats what is durable does not depend on the append that fails beside it.
func TestRepeatsAreAnsweredWhileTheAppendFails(t *testing.T) {
	bubble(t, ingest.Config{}, ingest.Observer{}, func(d *disktest.FS, l *ingest.Loop, b *modelBoard) {
		hold, held := make(chan struct{}), make(chan struct{}, 1)
		submit := func(e ...*event.Event) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := l.Submit(context.Background(), e)
				done <- err
			}()
			return done
		}
		if err := <-submit(ev("a", 1)); err != nil {
			t.Fatal(err)
		}
		failing := false
		d.SetFail(func(_ int, op disktest.Op, _ string) *disktest.Fault {
			if op != disktest.Write {
				return nil
			}
			if failing {
				return &disktest.Fault{Err: disktest.ENOSPC}
			}
			failing = true
			held <- struct{}{}
			<-hold
			return nil
		})
		first := submit(ev("b", 1)) // holds the loop in its write while the others queue up as one group
		<-held
		repeat := submit(ev("a", 1))
		fresh := submit(ev("c", 1))
		both := submit(ev("a", 1), ev("d", 1))
		leaning := submit(ev("c", 1)) // a repeat of what is not durable
		synctest.Wait()
		close(hold)
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		if err := <-repeat; err != nil {
			t.Fatalf("a repeat was refused: %v", err)
		}
		for name, ch := range map[string]<-chan error{"fresh": fresh, "both": both, "leaning": leaning} {
			if err := <-ch; !errors.Is(err, ingest.ErrUnavailable) {
				t.Fatalf("%s: %v", name, err)
			}
		}
		d.SetFail(nil)
	})
}

func TestAFullQueueIsBusyAtOnce(t *testing.T) {
	groups := 0
	obs := ingest.Observer{Group: func(ingest.GroupStats) { groups++ }}
	bubble(t, ingest.Config{QueueEvents: 5, QueueBytes: 2000}, obs, func(d *disktest.FS, l *ingest.Loop, b *modelBoard) {
		hold, held := holdFirst(d)
		done := make(chan error, 10)
		go func() {
			_, err := l.Submit(context.Background(), []*event.Event{ev("0", 1)})
			done <- err
		}()
		<-held
		for _, id := range []string{"1", "2", "3"} {
			go func() {
				_, err := l.Submit(context.Background(), []*event.Event{ev(id, 1)})
				done <- err
			}()
		}
		synctest.Wait()
		three := []*event.Event{ev("4", 1), ev("5", 1), ev("6", 1)}
		if _, err := l.Submit(context.Background(), three); !errors.Is(err, ingest.ErrBusy) {
			t.Fatalf("6 events in a queue of 5: %v", err)
		}
		big := ev("big", 1)
		big.Reason = strings.Repeat("x", 1900)
		if _, err := l.Submit(context.Background(), []*event.Event{big}); !errors.Is(err, ingest.ErrBusy) {
			t.Fatalf("bytes: %v", err)
		}
		big.Reason = strings.Repeat("x", 3000)
		if _, err := l.Submit(context.Background(), []*event.Event{big}); !errors.Is(err, ingest.ErrTooLarge) {
			t.Fatalf("more than the queue will ever hold: %v", err)
		}
		if _, err := l.Submit(context.Background(), append(three, three...)); !errors.Is(err, ingest.ErrTooLarge) {
			t.Fatalf("more than the queue will ever hold: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := l.Submit(ctx, []*event.Event{ev("7", 1)}); !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled: %v", err)
		}
		close(hold)
		for range 4 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if groups != 2 || len(b.applied) != 5 {
			t.Fatalf("%d groups, %d events; want what waited in one group, the cancelled one too", groups, len(b.applied))
		}
	})
}

func TestIdsAreForgottenByRunningTimeNotByTheWallClock(t *testing.T) {
	now := time.Now() // carries a monotonic reading
	synctest.Test(t, func(t *testing.T) {
		jump := func(to time.Time) {
			synctest.Wait() // for the loop to wait too: what it works on over a jump counts as standing still
			now = to
		}
		s := newStation(t)
		s.cfg.Now = func() time.Time { return now }
		s.cfg.SeenFor = time.Hour
		s.start()
		s.submit([]ingest.Status{acc}, ev("a", 1))
		jump(now.Add(59 * time.Minute))
		s.submit([]ingest.Status{dup, acc}, ev("a", 1), ev("b", 1))
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		jump(now.Round(0).AddDate(10, 0, 0)) // a wall clock that is ten years ahead at the next boot
		s.start()
		s.submit([]ingest.Status{dup, dup}, ev("a", 1), ev("b", 1))
		jump(now.Add(2 * time.Minute))
		s.submit([]ingest.Status{acc, dup}, ev("c", 1), ev("b", 1))
		s.submit([]ingest.Status{acc}, ev("a", 1)) // 61 minutes of running time
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDamagedOrForeignCheckpointsAreIgnored(t *testing.T) {
	flip := func(at int) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, "checkpoint")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[(at+len(b))%len(b)] ^= 1
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"none":     nil,
		"magic":    flip(0),
		"version":  flip(8),
		"uuid":     flip(16),
		"position": flip(32),
		"key":      flip(48),
		"board":    flip(-20),
		"sum":      flip(-1),
		"empty":    func(t *testing.T, dir string) { os.Truncate(dir+"/checkpoint", 0) },
		"cut":      func(t *testing.T, dir string) { os.Truncate(dir+"/checkpoint", 100) },
		"missing":  func(t *testing.T, dir string) { os.Remove(dir + "/checkpoint") },
		"both gone": func(t *testing.T, dir string) {
			os.Remove(dir + "/checkpoint")
			os.Remove(dir + "/checkpoint.previous")
		},
		"renewed": func(t *testing.T, dir string) {
			if _, err := journal.ChangeUUID(fsOS, dir+"/journal"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t)
			for _, id := range []string{"a", "b", "c"} {
				s.start().submit([]ingest.Status{acc}, ev(id, 1))
				if err := s.stop(); err != nil {
					t.Fatal(err)
				}
			}
			if spoil != nil {
				spoil(t, s.dir)
			}
			s.start()
			replayed := map[string]int{"none": 0, "both gone": 3, "renewed": 3}
			want, ok := replayed[name]
			if !ok {
				want = 1 // from the checkpoint before
			}
			if s.restored.Events != want || s.restored.SeenIDs != 3 || len(s.board.applied) != 3 {
				t.Fatalf("%+v, board knows %d; want %d replayed", s.restored, len(s.board.applied), want)
			}
			s.submit([]ingest.Status{dup, dup, dup, acc}, ev("a", 1), ev("b", 1), ev("c", 1), ev("d", 1))
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestABoardThatRefusesItsCheckpointIsReplayedInto(t *testing.T) {
	s := newStation(t)
	s.start().submit([]ingest.Status{acc}, ev("a", 1))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.refuse = true
	s.start()
	if s.restored.Checkpoint || s.restored.Events != 1 {
		t.Fatalf("%+v", s.restored)
	}
	s.submit([]ingest.Status{dup}, ev("a", 1))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// A board that takes long to write its checkpoint holds nobody up.
func TestEventsGoOnWhileACheckpointIsWritten(t *testing.T) {
	s := newStation(t)
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	first := true
	s.onWrite = func() {
		if first {
			first = false
			held <- struct{}{}
			<-hold
		}
	}
	s.cfg.CheckpointBytes = 1
	s.start()
	s.submit([]ingest.Status{acc}, ev("a", 1))
	<-held
	for _, id := range []string{"b", "c", "d"} {
		s.submit([]ingest.Status{acc}, ev(id, 1))
	}
	close(hold)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	if s.restored.Events != 0 || len(s.board.applied) != 4 {
		t.Fatalf("%+v, board knows %d", s.restored, len(s.board.applied))
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

func TestRecordsThatAreNoEventsStopTheReplay(t *testing.T) {
	s := newStation(t)
	j, err := journal.Open(s.jopts)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := j.Append([][]byte{{0xff, 1, 2}}); err != nil {
		t.Fatal(err)
	}
	l, err := ingest.New(s.cfg, j, newModelBoard(), ingest.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "record before position") {
		t.Fatalf("Run: %v", err)
	}
	j.Close()
}

// slowBoard calls a hook when its checkpoint is written.
type slowBoard struct {
	*modelBoard
	onWrite func()
}

func (b slowBoard) Checkpoint() func(io.Writer) error {
	write := b.modelBoard.Checkpoint()
	return func(w io.Writer) error {
		if b.onWrite != nil {
			b.onWrite()
		}
		return write(w)
	}
}

// holdFirst makes the first call to the disk say on held that it has begun, and wait until hold is closed.
func holdFirst(d *disktest.FS) (hold, held chan struct{}) {
	hold, held = make(chan struct{}), make(chan struct{}, 1)
	first := true
	d.SetFail(func(int, disktest.Op, string) *disktest.Fault {
		if first {
			first = false
			held <- struct{}{}
			<-hold
		}
		return nil
	})
	return hold, held
}
