package shipper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// old is an event of a case that happened long ago, with content as its content.
func old(id string, content byte) event.Event {
	e := event.Event{
		Source: "s", ID: id, Kind: event.KindCall, Type: event.CallReceived, Subject: "call-of-" + id, Center: "35.15",
		OccurredAt: noon.AddDate(0, -2, 0), ReceivedAt: noon.Add(time.Duration(content)),
	}
	e.Digest[0] = content
	return e
}

// stored has ClickHouse hold events whose cases the board forgot.
func (b *bench) stored(events ...event.Event) {
	for _, e := range events {
		b.w.events[eventID{e.Key(), e.Source, e.ID}] = e
		b.board.AddSubjects([]event.Key{e.Key()})
	}
}

// batch makes a batch of events that were accepted.
func (b *bench) batch(events ...event.Event) *batch {
	out := newBatch()
	for _, e := range events {
		*out.add() = e
		payload := event.AppendBinary(nil, &e)
		b.board.Apply(&e, payload, 0, true)
		out.payloads = append(out.payloads, payload)
	}
	return out.ready()
}

// content is what ClickHouse holds under the id of e.
func (b *bench) content(e event.Event) byte {
	return b.w.events[eventID{e.Key(), e.Source, e.ID}].Digest[0]
}

// TestAStormOfLateConflictsHoldsNothingUp: a batch of 500 conflicts and 20 live events is shipped at once, although
// nothing is given up for being refused, and costs as many requests as one without them.
func TestAStormOfLateConflictsHoldsNothingUp(t *testing.T) {
	b := newBench(t)
	const storm, live = 500, 20
	inserts := 0
	var events []event.Event
	for i := range storm {
		b.stored(old(fmt.Sprint("e", i), 1))
		events = append(events, old(fmt.Sprint("e", i), 2))
	}
	for i := range live {
		e := old(fmt.Sprint("live", i), 3)
		e.OccurredAt = noon
		events = append(events, e)
	}
	batch := b.batch(events...)
	b.w.amid = func() error { inserts++; return nil }
	if err := b.ship(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if len(b.dead.conflicts) != storm || len(b.dead.table) != 0 || len(b.w.events) != storm+live {
		t.Errorf("%d conflicts, want %d; %d dead letters, want none; %d events stored, want %d", len(b.dead.conflicts), storm,
			len(b.dead.table), len(b.w.events), storm+live)
	}
	if inserts > 20 {
		t.Errorf("%d steps of requests: a conflict must cost none", inserts)
	}
	for _, e := range events[:storm] {
		if b.content(e) != 1 {
			t.Fatalf("%s: what came first does not stand", e.ID)
		}
	}
}

// TestConflictsOfOneBatchAreAllKept: the first of an id stands, and each other content is kept, once.
func TestConflictsOfOneBatchAreAllKept(t *testing.T) {
	for _, kind := range []event.Kind{event.KindCall, event.KindAgent} {
		b := newBench(t)
		var events []event.Event
		for _, content := range []byte{1, 2, 3, 1, 2} {
			e := old("e", content)
			if e.Kind = kind; kind == event.KindAgent {
				e.Type = event.AgentState
			}
			e.ReceivedAt = noon
			events = append(events, e)
		}
		if err := b.ship(t.Context(), b.batch(events...)); err != nil {
			t.Fatal(err)
		}
		slices.Sort(b.dead.conflicts)
		if n := len(slices.Compact(b.dead.conflicts)); n != 2 || b.content(events[0]) != 1 {
			t.Errorf("%s: %d conflicts, want 2; content %d is stored, want 1", kind, n, b.content(events[0]))
		}
	}
}

// TestAnAgentsFirstEventStands: no case remembers what agents did, ClickHouse does.
func TestAnAgentsFirstEventStands(t *testing.T) {
	b := newBench(t)
	first := old("e", 1)
	first.Kind, first.Type = event.KindAgent, event.AgentState
	other := first
	other.Digest[0] = 2
	for _, e := range []event.Event{first, first, other} {
		if err := b.ship(t.Context(), b.batch(e)); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.dead.conflicts) != 1 || b.content(first) != 1 {
		t.Errorf("%d conflicts, want 1; content %d is stored, want 1", len(b.dead.conflicts), b.content(first))
	}
}

// TestWhatIsFoundLateAndEqualIsADuplicate: the time of receipt and the caller's key are no content.
func TestWhatIsFoundLateAndEqualIsADuplicate(t *testing.T) {
	b := newBench(t)
	was := old("e", 1)
	b.stored(was)
	again := was
	again.ReceivedAt = noon.Add(time.Hour)
	again.Caller = event.Caller{KeyID: "k00000001", Key: "00000000000000000000000000000000", Last3: "123"}
	if err := b.ship(t.Context(), b.batch(again)); err != nil {
		t.Fatal(err)
	}
	if len(b.dead.conflicts)+len(b.dead.table) != 0 ||
		!b.w.events[eventID{was.Key(), "s", "e"}].ReceivedAt.Equal(was.ReceivedAt) {
		t.Errorf("%d conflicts, %d dead letters", len(b.dead.conflicts), len(b.dead.table))
	}
}

// TestWhatWasKeptBeforeACrashIsNotKeptTwice: the process dies between keeping a conflict and a bad row, and moving the
// cursor.
func TestWhatWasKeptBeforeACrashIsNotKeptTwice(t *testing.T) {
	b := newBench(t)
	b.stored(old("e", 1))
	batch := b.batch(old("e", 2), old("bad", 1), old("good", 1))
	batch.end = 1000
	b.w.bad = func(_ event.Key, id string) bool { return id == "bad" }
	ctx, cancel := context.WithCancel(t.Context())
	b.w.amid = func() error {
		if len(b.dead.table) > 0 { // the rows of the cases come after that
			cancel()
			return errDied
		}
		return nil
	}
	if err := b.ship(ctx, batch); err == nil {
		t.Fatal("the batch was stored")
	}
	if len(b.dead.conflicts) != 1 || len(b.dead.table) != 1 {
		t.Fatalf("%d conflicts, %d dead letters", len(b.dead.conflicts), len(b.dead.table))
	}
	b.w.amid = nil
	again, err := New(b.cfg, b.journal, b.board, b.w, b.dead)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again.ship(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if len(b.dead.conflicts) != 1 || len(b.dead.table) != 1 || again.keptBefore != nil {
		t.Errorf("%d conflicts, %d dead letters, want one of each", len(b.dead.conflicts), len(b.dead.table))
	}
}

// TestRowsAreGivenUpWithoutBoundOnlyWhereClickHouseTakesSome: a batch in which every row is refused is a bad schema,
// unless what ClickHouse took before is taken still.
func TestRowsAreGivenUpWithoutBoundOnlyWhereClickHouseTakesSome(t *testing.T) {
	for _, c := range []struct {
		name    string
		witness bool
		schema  bool // refuses every row
		want    int  // dead letters of ten bad rows, two of which may be given up a minute
	}{
		{"bad rows, nothing known", false, false, 2},
		{"bad schema, nothing known", false, true, 2},
		{"bad rows beside a witness", true, false, 10},
		{"bad schema in spite of a witness", true, true, 2},
	} {
		b := newBench(t)
		if c.witness {
			if err := b.ship(t.Context(), b.batch(old("good", 1))); err != nil {
				t.Fatal(err)
			}
		}
		b.w.bad = func(_ event.Key, id string) bool { return id != "" && (c.schema || id != "good") }
		var events []event.Event
		for i := range 10 {
			events = append(events, old(fmt.Sprint("bad", i), 1))
		}
		batch := b.batch(events...)
		b.beginBatch()
		err := b.insert(t.Context(), batch, batch.events)
		if len(b.dead.table) != c.want || (err == nil) != (c.want == 10) || err != nil && !errors.Is(err, errNoneTaken) {
			t.Errorf("%s: %d dead letters, want %d; %v", c.name, len(b.dead.table), c.want, err)
		}
	}
}

// TestManyBadRowsBeforeABadSchema: what was given up beside rows that were taken does not count.
func TestManyBadRowsBeforeABadSchema(t *testing.T) {
	b := newBench(t)
	marked := old("good", 1)
	marked.Attributes = map[string]string{"a": "b"} // no witness
	b.w.bad = func(_ event.Key, id string) bool { return id != "good" }
	for i, want := range []int{5, 7} {
		events := []event.Event{marked}[:1-i]
		for j := range 5 {
			events = append(events, old(fmt.Sprint("bad", i, "-", j), 1))
		}
		batch := b.batch(events...)
		b.beginBatch()
		err := b.insert(t.Context(), batch, batch.events)
		if len(b.dead.table) != want || (err != nil) != (i == 1) {
			t.Errorf("batch %d: %d dead letters, want %d; %v", i, len(b.dead.table), want, err)
		}
	}
}
