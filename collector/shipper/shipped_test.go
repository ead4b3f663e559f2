package shipper

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/tracker"
)

// A start proves with an empty group that the journal can write. A quiet night after it is no lag, and a board that was
// read back is complete without waiting for the next event; the cursor stays where the last record ended.
func TestNothingIsBehindAnEmptyGroup(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	e := event.Event{
		Center: "35.15", Source: "/s", ID: "1", Type: event.CallReceived, Kind: event.KindCall, Subject: "1",
		OccurredAt: noon, ReceivedAt: noon,
	}
	if _, _, err := j.Append([][]byte{event.AppendBinary(nil, &e)}); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: dir, Now: func() time.Time {
		return noon
	}, Log: slog.New(slog.DiscardHandler), Observer: silent{}, Linger: time.Nanosecond}
	board := tracker.New(boardConfig(nil))
	s, err := New(cfg, j, board, newWarehouse(), &letters{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := j.NewReader(s.cursor.Start)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	feed := s.newFeed(r)
	b, err := feed.next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ship(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	record := j.End()
	if err := j.Probe(); err != nil {
		t.Fatal(err)
	}
	if s.Shipped() != record || j.End() == record {
		t.Fatalf("shipped %d, the record ends at %d, the journal at %d", s.Shipped(), record, j.End())
	}
	if b, err := feed.next(t.Context()); err != nil || b != nil {
		t.Fatal(b, err)
	}
	s.progress.advance(feed.upTo)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := feed.next(ended); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if s.Shipped() != j.End() || s.cursor.Start != record {
		t.Errorf("shipped %d of %d, cursor %d, want it at %d", s.Shipped(), j.End(), s.cursor.Start, record)
	}
}

// TestAStopBeforeClickHouseAnswersIsInOrder ends a shipper whose ClickHouse was never there.
func TestAStopBeforeClickHouseAnswersIsInOrder(t *testing.T) {
	b := newBench(t)
	b.w.away = true
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Run(ended); err != nil {
		t.Error(err)
	}
	if !b.cursor.Closed {
		t.Error("the next boot of the host would send everything again")
	}
}

// TestAFullDiskAtTheStartIsWaitedFor: a start notes the boot of the host in the cursor, which a full disk does not let
// it.
func TestAFullDiskAtTheStartIsWaitedFor(t *testing.T) {
	fs := disktest.New(1)
	j, err := journal.Open(journal.Options{Dir: "/d/journal", FS: fs.Process()})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	fs.SetFail(func(int, disktest.Op, string) *disktest.Fault { return &disktest.Fault{Err: disktest.ENOSPC} })
	w := newWarehouse()
	cfg := Config{Dir: "/d", FS: fs.Process(), Boot: "one", Now: func() time.Time {
		return noon
	}, Log: slog.New(slog.DiscardHandler), Observer: silent{}}
	s, err := New(cfg, j, tracker.New(boardConfig(nil)), w, &letters{})
	if err != nil {
		t.Fatal("the service would end: ", err)
	}
	if err := s.prepare(t.Context()); !errors.Is(err, disktest.ENOSPC) {
		t.Errorf("something may be sent although the disk does not know of the boot: %v", err)
	}
	fs.SetFail(nil)
	if err := s.prepare(t.Context()); err != nil {
		t.Error(err)
	}
	if c, err := loadCursor(fs.Process(), "/d"); err != nil || c.Boot != "one" || c.Closed {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestALostRestOfABatchIsNotWaitedFor: a cursor names the end of a batch that was being sent. When damage took the rest
// of it, the shipper sends what is there, and a board that was read back is complete without a new event.
func TestALostRestOfABatchIsNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(journal.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	e := event.Event{
		Center: "35.15", Source: "/s", ID: "1", Type: event.CallReceived, Kind: event.KindCall, Subject: "1",
		OccurredAt: noon, ReceivedAt: noon,
	}
	_, record, err := j.Append([][]byte{event.AppendBinary(nil, &e)})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Probe(); err != nil {
		t.Fatal(err)
	}
	next := func(start journal.Position) (*batch, *feed) {
		t.Helper()
		r, err := j.NewReader(start)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		s := &Shipper{cursor: cursor{Start: start, End: j.End() + 1000}}
		feed := s.newFeed(r)
		ended, cancel := context.WithCancel(t.Context())
		cancel() // to wait is an error
		b, err := feed.next(ended)
		if err != nil {
			t.Fatal(err)
		}
		return b, feed
	}
	if b, _ := next(0); b == nil || len(b.events) != 1 || b.end != record {
		t.Errorf("%+v", b)
	}
	if b, feed := next(record); b != nil || feed.upTo != j.End() {
		t.Errorf("%+v; nothing lies before %d, want %d", b, feed.upTo, j.End())
	}
}
