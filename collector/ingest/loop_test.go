package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// ev makes an event whose content is given by version.
func ev(id string, version byte) *event.Event {
	return &event.Event{
		Source: "//test", ID: id, Type: event.CallReceived, Kind: event.KindCall, Subject: "c-" + id, Center: "35.15",
		OccurredAt: t0, ReceivedAt: t0, Digest: event.Digest{version}, Revision: uint32(version),
	}
}

// station is a loop on real files, as the program runs it.
type station struct {
	t     testing.TB
	dir   string
	cfg   ingest.Config
	jopts journal.Options
	obs   ingest.Observer

	jrn   *journal.Journal
	board *modelBoard
	loop  *ingest.Loop
	stop  func() error

	restored ingest.Restored
	refuse   bool   // the board refuses checkpoints
	onWrite  func() // the board calls it when writing a checkpoint
}

var fsOS = disk.OS{}

func newStation(t testing.TB) *station {
	dir := t.TempDir()
	return &station{
		t: t, dir: dir, cfg: ingest.Config{Dir: dir}, jopts: journal.Options{Dir: dir + "/journal", MinFreeBytes: -1},
	}
}

func (s *station) start() *station {
	s.t.Helper()
	var err error
	if s.jrn, err = journal.Open(s.jopts); err != nil {
		s.t.Fatal(err)
	}
	ready := make(chan struct{})
	s.obs.Ready = func(err error) {
		if err == nil {
			close(ready)
		}
	}
	s.board = newModelBoard()
	s.board.refuse = s.refuse
	if s.loop, err = ingest.New(s.cfg, s.jrn, slowBoard{s.board, s.onWrite}, s.obs); err != nil {
		s.t.Fatal(err)
	}
	if s.restored, err = s.loop.Restore(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.loop.Run(ctx) }()
	<-ready
	s.stop = func() error {
		cancel()
		err := <-done
		return errors.Join(err, s.jrn.Close())
	}
	return s
}

func (s *station) submit(want []ingest.Status, events ...*event.Event) {
	s.t.Helper()
	res, err := s.loop.Submit(context.Background(), events)
	if err != nil {
		s.t.Fatal(err)
	}
	if !slices.Equal(res.Statuses, want) {
		s.t.Fatalf("statuses %v, want %v", res.Statuses, want)
	}
}

const (
	acc = ingest.Accepted
	dup = ingest.Duplicate
	con = ingest.Conflict
)

func TestRepeatsAndConflictsAreToldApartWithinARequestAndAcrossRestarts(t *testing.T) {
	s := newStation(t).start()
	s.submit([]ingest.Status{acc, acc, dup, con}, ev("a", 1), ev("b", 1), ev("a", 1), ev("b", 2))
	s.submit([]ingest.Status{dup, con}, ev("a", 1), ev("a", 3))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.submit([]ingest.Status{dup, con, acc}, ev("a", 1), ev("b", 2), ev("c", 1))
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for id, n := range s.board.applied {
		if n != 1 {
			t.Errorf("%s applied %d times", id, n)
		}
	}
	if len(s.board.applied) != 3 || s.board.live != 1 {
		t.Fatalf("board knows %d events, %d of them live; want 3 and 1", len(s.board.applied), s.board.live)
	}
}

func TestManySubmittersShareGroups(t *testing.T) {
	s := newStation(t).start()
	done := make(chan error)
	for c := range 8 {
		go func() {
			for i := range 50 {
				if _, err := s.loop.Submit(context.Background(), []*event.Event{ev(fmt.Sprintf("%d-%d", c, i), 1)}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if len(s.board.applied) != 400 || s.board.live != 400 {
		t.Fatalf("board knows %d, live %d", len(s.board.applied), s.board.live)
	}
}
