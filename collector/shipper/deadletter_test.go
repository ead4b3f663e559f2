package shipper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/tracker"
)

// letters are dead letters and conflicts in memory; Requeued gives all dead letters back.
type letters struct {
	table, payload []string
	conflicts      []string
	later          bool // the last attempt said to wait
}

func (l *letters) AddRows(table string, payloads [][]byte, _, _ []string, _ time.Time) error {
	for _, p := range payloads {
		l.table, l.payload = append(l.table, table), append(l.payload, string(p))
	}
	return nil
}

func (l *letters) AddConflicts(_ []*event.Event, payloads [][]byte, _ string, _ time.Time) error {
	for _, p := range payloads {
		l.conflicts = append(l.conflicts, string(p))
	}
	return nil
}

func (l *letters) EachPayload(fn func(string, []byte)) error {
	for i := range l.table {
		fn(l.table[i], []byte(l.payload[i]))
	}
	for _, p := range l.conflicts {
		fn(eventsTable, []byte(p))
	}
	return nil
}

func (l *letters) Requeued(_ int, retry func([]byte, string) (bool, error)) (n int, err error) {
	var errs []error
	table, payload := l.table, l.payload
	l.table, l.payload, l.later = nil, nil, false
	for i := range table {
		if later, err := retry([]byte(payload[i]), table[i]); err != nil {
			l.table, l.payload = append(l.table, table[i]), append(l.payload, payload[i])
			l.later = l.later || later
			errs = append(errs, err)
			continue
		}
		n++
	}
	return n, errors.Join(errs...)
}

// bench is a shipper over an empty journal whose batches are made by hand.
type bench struct {
	*Shipper
	w     *warehouse
	dead  *letters
	board *tracker.Board
	now   time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	j, err := journal.Open(journal.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	b := &bench{w: newWarehouse(), dead: &letters{}, board: tracker.New(boardConfig(nil)), now: noon}
	b.board.TrustFilter()
	cfg := Config{Dir: t.TempDir(), Now: func() time.Time {
		return b.now
	}, Log: slog.New(slog.DiscardHandler), Observer: silent{}, DeadLetterPerMinute: 2}
	if b.Shipper, err = New(cfg, j, b.board, b.w, b.dead); err != nil {
		t.Fatal(err)
	}
	return b
}

// received makes a batch of calls that came in, applied to the board.
func (b *bench) received(n int) *batch {
	out := newBatch()
	for i := range n {
		e := out.add()
		*e = event.Event{
			Source: "s", ID: fmt.Sprint("e", i), Kind: event.KindCall, Type: event.CallReceived, Subject: fmt.Sprint("c", i),
			Center: "35.15", OccurredAt: noon, ReceivedAt: noon,
		}
		e.Digest[0] = byte(i + 1)
		payload := event.AppendBinary(nil, e)
		b.board.Apply(e, payload, 0, true)
		out.payloads = append(out.payloads, payload)
	}
	out.ready()
	return out
}

func TestABadRowIsBuriedOnceHoweverOftenTheBatchIsTried(t *testing.T) {
	b := newBench(t)
	batch := b.received(8)
	b.w.bad = func(_ event.Key, id string) bool { return slices.Contains([]string{"e1", "e3", "e4", "e6", "e7"}, id) }
	for range 3 { // although only two a minute may be given up where none is taken
		if err := b.insert(t.Context(), batch, batch.events); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.dead.table) != 5 || len(b.w.events) != 3 {
		t.Errorf("%d dead letters, want 5; %d events stored, want 3", len(b.dead.table), len(b.w.events))
	}
}

func TestABadCaseIsBuriedOnceHoweverOftenTheBatchIsTried(t *testing.T) {
	b := newBench(t)
	batch := b.received(6)
	b.w.bad = func(k event.Key, id string) bool { return id == "" && k.ID < "c4" }
	rows := b.board.Rows(batch.keys)
	for range 10 {
		if b.upsertRows(t.Context(), rows) == nil {
			break
		}
		b.now = b.now.Add(time.Minute)
	}
	if len(b.dead.table) != 4 || len(b.w.rows) != 2 {
		t.Errorf("%d dead letters, want 4; %d rows stored, want 2", len(b.dead.table), len(b.w.rows))
	}
}

func TestRequeuedDeadLettersReachTheirCases(t *testing.T) {
	b := newBench(t)
	batch := b.received(2)
	b.w.bad = func(k event.Key, id string) bool { return id == "e0" || k.ID == "c1" && id == "" }
	if err := b.ship(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{eventsTable, casesTable}, b.dead.table); diff != "" {
		t.Fatal(diff)
	}
	b.board.Evict(0, noon.Add(100*time.Hour)) // what is read back now lacks the event that was refused
	delete(b.w.rows, event.Key{Center: "35.15", Kind: event.KindCall, ID: "c0"})

	b.w.away = true
	if b.requeue(t.Context()); len(b.dead.table) != 2 || !b.dead.later {
		t.Errorf("%d dead letters wait while ClickHouse is away, to be tried later: %v", len(b.dead.table), b.dead.later)
	}
	b.w.away = false
	if b.requeue(t.Context()); len(b.dead.table) != 2 || b.dead.later {
		t.Errorf("%d dead letters stay that are refused again, to be tried later: %v", len(b.dead.table), b.dead.later)
	}
	b.w.bad = nil
	if b.requeue(t.Context()); len(b.dead.table) != 0 {
		t.Errorf("%d dead letters stay", len(b.dead.table))
	}
	for _, id := range []string{"c0", "c1"} {
		if r, ok := b.w.rows[event.Key{Center: "35.15", Kind: event.KindCall, ID: id}]; !ok || r.Call.Events != 1 {
			t.Errorf("row of %s: %+v", id, r.Call)
		}
	}
	if len(b.w.events) != 2 {
		t.Errorf("%d events stored, want 2", len(b.w.events))
	}
}

func TestAConflictThatIsRequeuedStaysADeadLetter(t *testing.T) {
	b := newBench(t)
	if err := b.ship(t.Context(), b.received(1)); err != nil {
		t.Fatal(err)
	}
	other := event.Event{
		Source: "s", ID: "e0", Kind: event.KindCall, Type: event.CallReceived, Subject: "c0", Center: "35.15",
		OccurredAt: noon.Add(time.Hour), ReceivedAt: noon,
	}
	other.Digest[0] = 99
	_ = b.dead.AddRows(eventsTable, [][]byte{event.AppendBinary(nil, &other)}, nil, nil, noon)
	b.requeue(context.Background())
	if len(b.dead.table) != 1 || b.dead.later {
		t.Errorf("%d dead letters, to be tried later: %v", len(b.dead.table), b.dead.later)
	}
}

// TestACaseThatOnlyTheReplayKnowsIsCompleted: a ticket closed long ago is reopened after the checkpoint and shipped
// before the crash. No batch brings it again, and still it stands on the board of the next process.
func TestACaseThatOnlyTheReplayKnowsIsCompleted(t *testing.T) {
	b := newBench(t)
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t"}
	for i, typ := range []event.Type{event.TicketOpened, event.TicketClosed, event.TicketReopened} {
		e := event.Event{
			Source: "s", ID: fmt.Sprint(i), Kind: event.KindTicket, Type: typ, Subject: "t", Center: "35.15",
			OccurredAt: noon.Add(time.Duration(i) * time.Minute), ReceivedAt: noon,
		}
		b.w.events[eventID{key, "s", e.ID}] = e
		if typ == event.TicketReopened {
			b.board.AddSubjects([]event.Key{key})
			b.board.Apply(&e, event.AppendBinary(nil, &e), uint64(b.cursor.Start), false)
		}
	}
	b.board.SetComplete(true) // as its checkpoint says
	if err := b.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, open := b.board.Size(); open != 1 {
		t.Errorf("%d open tickets on the board, want the reopened one", open)
	}
}
