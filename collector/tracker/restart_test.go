package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

func calls(ids ...string) func(*event.Event) { return func(e *event.Event) { e.Calls = ids } }

// again returns a board that was restored from a checkpoint of b, and what it says from then on.
func again(t *testing.T, b *Board, said *[]Outcome) *Board {
	t.Helper()
	var saved bytes.Buffer
	if err := b.Checkpoint()(&saved); err != nil {
		t.Fatal(err)
	}
	restored := newBoard(said)
	if err := restored.ReadCheckpoint(&saved); err != nil {
		t.Fatal(err)
	}
	return restored
}

func TestARestartKeepsTheCountsOfLinkedCases(t *testing.T) {
	for name, state := range map[string]event.Type{
		"open tickets": event.TicketAssigned, "closed tickets": event.TicketClosed,
	} {
		f := &feed{b: newBoard(nil)}
		for i := range 5 {
			c, at := fmt.Sprint("c", i), noon.Add(time.Duration(i)*time.Second)
			f.say(event.CallReceived, c, at)
			f.say(event.CallAnswered, c, at.Add(time.Second))
			f.say(event.TicketOpened, fmt.Sprint("t", i), at.Add(time.Minute), calls(c))
			f.say(state, fmt.Sprint("t", i), at.Add(2*time.Minute), opd("dishub"))
		}
		now := noon.Add(5 * time.Minute)
		if diff := cmp.Diff(f.b.Snapshot(now), again(t, f.b, nil).Snapshot(now)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", name, diff)
		}
	}
}

func TestACheckpointIsOfOneInstant(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.CallReceived, "c", noon)
	f.say(event.TicketOpened, "t", noon.Add(time.Minute), calls("c"))
	// what a checkpoint being written reads
	callFacts := f.b.cases[event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t"}].callFacts
	was := slices.Clone(callFacts)
	f.say(event.CallReceived, "c", noon.Add(-time.Hour))
	if !slices.Equal(callFacts, was) {
		t.Error("what a checkpoint shares was changed in place")
	}
}

func TestEvictionGoesOnAfterARestart(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.CallReceived, "a", noon)
	b := again(t, f.b, nil)
	// The journal behind the checkpoint is replayed. ClickHouse had it before the restart, so that no batch brings it
	// again.
	replayed := event.Event{
		Source: "s", ID: "r", Type: event.CallEnded, Kind: event.KindCall, Subject: "a", Center: "35.15", OccurredAt: noon,
		ReceivedAt: noon,
	}
	b.Apply(&replayed, event.AppendBinary(nil, &replayed), 2, false)
	b.Evict(2, noon.Add(72*time.Hour))
	if n, _ := b.Size(); n != 0 {
		t.Errorf("%d cases can never be evicted", n)
	}
}

func TestWhatCameAloneAfterACheckpointIsAskedFor(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "old"}
	f.b.AddSubjects([]event.Key{key}) // closed and evicted long ago
	b := again(t, f.b, nil)
	replayed := event.Event{
		Source: "s", ID: "r", Type: event.TicketReopened, Kind: event.KindTicket, Subject: "old", Center: "35.15",
		OccurredAt: noon, ReceivedAt: noon,
	}
	b.Apply(&replayed, event.AppendBinary(nil, &replayed), 7, false)
	if got := b.UnknownCases(6); len(got) != 0 {
		t.Errorf("a batch behind 6 completes %v", got)
	}
	if diff := cmp.Diff([]event.Key{key}, b.UnknownCases(7)); diff != "" {
		t.Errorf("nothing else would complete it:\n%s", diff)
	}
}

func TestAnEventThatClickHouseHeldMovesNoCounterAgain(t *testing.T) {
	var said []Outcome
	f := &feed{b: newBoard(&said)}
	key := event.Key{Center: "35.15", Kind: event.KindCall, ID: "a"}
	f.b.AddSubjects([]event.Key{key})
	f.say(event.CallReceived, "a", noon) // sent again, long after its id was forgotten here
	stored := event.Event{
		Source: "s", ID: "e1", Type: event.CallReceived, Kind: event.KindCall, Subject: "a", Center: "35.15",
		OccurredAt: noon, ReceivedAt: noon,
	}
	stored.Digest[0] = 1
	f.b.Load([]Loaded{{Key: key, Events: []*event.Event{&stored}}})
	if len(said) != 0 {
		t.Errorf("counted twice: %v", said)
	}
}

func TestACaseReadBackStaysUnprovenOverARestart(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	key := event.Key{Center: "35.15", Kind: event.KindCall, ID: "a"}
	f.b.AddSubjects([]event.Key{key})
	stored := event.Event{
		Source: "s", ID: "e1", Type: event.CallReceived, Kind: event.KindCall, Subject: "a", Center: "35.15",
		OccurredAt: noon, ReceivedAt: noon,
	}
	f.b.Load([]Loaded{{Key: key, Events: []*event.Event{&stored}}})
	if rows := again(t, f.b, nil).Rows([]event.Key{key}); len(rows) != 1 {
		t.Errorf("%d rows: the row in ClickHouse may be older than its events", len(rows))
	}
}

func TestTheFilterHoldsASubjectOnce(t *testing.T) {
	b := newBoard(nil)
	var keys []event.Key
	for i := range 100 {
		keys = append(keys, event.Key{Center: "35.15", Kind: event.KindCall, ID: fmt.Sprint(i)})
	}
	for range 3 { // reading all subjects broke off and began again
		b.AddSubjects(keys)
	}
	if b.filter.inLast > 100 {
		t.Errorf("%d subjects in the filter, want 100", b.filter.inLast)
	}
}

func TestAgentsLongSilentAreForgotten(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	for i := range maxAgents {
		f.say(event.AgentState, fmt.Sprint("a", i), noon.Add(-72*time.Hour), func(e *event.Event) { e.Result = "available" })
	}
	f.b.Evict(0, noon)
	f.say(event.AgentState, "new", noon, func(e *event.Event) { e.Result = "available" })
	if diff := cmp.Diff([]LabelCount{{"available", 1}}, f.b.Snapshot(noon).Centers[0].Agents); diff != "" {
		t.Error(diff)
	}
}

func TestOpenedCountsATicketThatNoOPDEverGot(t *testing.T) {
	var said []Outcome
	f := &feed{b: newBoard(&said)}
	f.say(event.TicketOpened, "t", noon)
	f.say(event.TicketClosed, "t", noon.Add(time.Minute))
	f.say(event.TicketAssigned, "t", noon.Add(2*time.Minute), opd("dishub"))
	var opened []string
	for _, o := range said {
		if o.Kind == TicketBecameOpened {
			opened = append(opened, o.OPD)
		}
	}
	if diff := cmp.Diff([]string{NoOPD}, opened); diff != "" {
		t.Error(diff)
	}
}

func TestABounceNamesTheOPDThatLostTheTicket(t *testing.T) {
	var said []Outcome
	f := &feed{b: newBoard(&said)}
	f.say(event.TicketOpened, "t", noon)
	f.say(event.TicketAssigned, "t", noon.Add(time.Minute), opd("dishub"))
	f.say(event.TicketRejected, "t", noon.Add(2*time.Minute))
	f.say(event.TicketAssigned, "t", noon.Add(3*time.Minute), opd("dishub")) // the same again: no bounce
	f.say(event.TicketAssigned, "t", noon.Add(4*time.Minute), opd("pln"))
	f.say(event.TicketAssigned, "t", noon.Add(5*time.Minute), opd("dishub"))
	var lost []string
	for _, o := range said {
		if o.Kind == TicketBounced {
			lost = append(lost, o.OPD)
		}
	}
	if diff := cmp.Diff([]string{"dishub", "pln"}, lost); diff != "" {
		t.Error(diff)
	}
}

// TestWindowsAgreeWithTheViews holds the measures that the conditions of the views calls_now and calls_rollup share
// with the board against the shapes of call in which they could differ.
func TestWindowsAgreeWithTheViews(t *testing.T) {
	c := newCenter("35.15", CenterConfig{AnswerTarget: 15 * time.Second})
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	for name, tt := range map[string]struct {
		call casefile.Call
		want []string
	}{
		"test": {casefile.Call{ReceivedAt: at(0), AnsweredAt: at(5), Class: "uji"}, nil},
		"blocked, then a class": {
			casefile.Call{ReceivedAt: at(0), BlockedAt: at(1), Class: "prank"},
			[]string{"received", "answered", "classified", "hoax"},
		},
		"blocked, hung up": {
			casefile.Call{ReceivedAt: at(0), BlockedAt: at(1), AbandonedAt: at(2)}, []string{"received", "abandoned"},
		},
		"only an answer": {casefile.Call{AnsweredAt: at(5)}, []string{"received", "answered", "unclassified"}},
		"only a class": {
			casefile.Call{ReceivedAt: at(0), Class: "ghost"}, []string{"received", "offered", "answered", "classified", "ghost"},
		},
		"abandoned, answered too": {
			casefile.Call{ReceivedAt: at(0), AbandonedAt: at(3), AnsweredAt: at(9), Class: "belum"},
			[]string{"received", "offered", "answered", "within_target", "unclassified"},
		},
		"overflow": {casefile.Call{QueuedAt: at(0), UnservedAt: at(60)}, []string{"received", "offered", "unserved"}},
	} {
		tt.call.Events = 1
		con := c.contribution(&tt.call)
		var got []string
		for m, n := range measureNames {
			if con.bits&(1<<m) != 0 {
				got = append(got, n)
			}
		}
		for i, target := range withinTargets { // 15 s is the target of this centre
			if is := con.bits&(1<<(named+i)) != 0; target == c.cfg.AnswerTarget &&
				is != slices.Contains(tt.want, "within_target") {
				t.Errorf("%s: within %s is %v", name, target, is)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestACheckpointOfAnotherVersionIsRefused: the one before may hold masters without their members.
func TestACheckpointOfAnotherVersionIsRefused(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.TicketOpened, "t", noon)
	saved := withoutFilter(t, f.b)
	if err := newBoard(nil).ReadCheckpoint(bytes.NewReader(saved)); err != nil {
		t.Fatal(err)
	}
	saved[0] = checkpointVersion - 1
	if err := newBoard(nil).ReadCheckpoint(bytes.NewReader(saved)); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("version %d gives %v", saved[0], err)
	}
}

// Whoever stores the row of a new case need not ask which days and hours it belonged to before; of any other he must.
func TestARowIsNewUntilOneWasStored(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.TicketOpened, "t", noon)
	keys := []event.Key{{Center: "35.15", Kind: event.KindTicket, ID: "t"}}
	isNew := func(b *Board) bool {
		rows := b.Rows(keys)
		if len(rows) != 1 {
			t.Fatalf("rows %v", rows)
		}
		return rows[0].New
	}
	if !isNew(f.b) {
		t.Error("of a case that began in this process nothing is stored")
	}
	if isNew(again(t, f.b, nil)) {
		t.Error("after a restart nobody knows what was stored")
	}
	f.b.MarkStored(f.b.Rows(keys))
	f.say(event.TicketAssigned, "t", noon.Add(time.Minute), opd("dishub"))
	if isNew(f.b) {
		t.Error("a row was stored")
	}
}
