package tracker

import (
	"bytes"
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// noon is 12.00 WIB on a Monday.
var noon = time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC)

var jakarta = time.FixedZone("WIB", 7*3600)

// While ClickHouse is behind, every case that came since is in memory: 100,000 and more after an import at full speed.
func TestACaseIsSmall(t *testing.T) {
	for name, c := range map[string]struct{ got, most uintptr }{
		"case":             {unsafe.Sizeof(entry{}), 480}, // a size in which memory is given out, like 416 and 512
		"event of a case":  {unsafe.Sizeof(stored{}), 48},
		"counts of a call": {unsafe.Sizeof(contribution{}), 8},
	} {
		if c.got > c.most {
			t.Errorf("%s: %d bytes, want at most %d", name, c.got, c.most)
		}
	}
}

// newBoard returns a complete board whose resolve clock is due an hour after opening, at risk after 45 minutes.
func newBoard(said *[]Outcome) *Board {
	b := New(Config{
		Center: func(code string) (CenterConfig, bool) {
			return CenterConfig{Historical: code == "old", Location: jakarta, AnswerTarget: 15 * time.Second,
				ShortAbandon: 5 * time.Second,
				Shifts:       []time.Duration{7 * time.Hour, 14 * time.Hour, 21 * time.Hour}}, code != "nowhere"
		},
		OPD: func(_, opd string) (string, string) {
			switch opd {
			case "pln":
				return opd, "vertical"
			case "dishub":
				return opd, "own"
			}
			return UnknownLabel, UnknownLabel
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock {
			due := t.OpenedAt.Add(time.Hour)
			return []sla.Clock{{Key: t.Key, Name: sla.Resolve, Seq: 1, OPD: t.OPD, StartedAt: t.OpenedAt, DueAt: due,
				BreachAt: due,
				RiskAt:   t.OpenedAt.Add(45 * time.Minute), StoppedAt: t.ResolvedAt}}
		},
		CallClocks: func(*casefile.Call) []sla.Clock { return nil },
		Emit: func(o Outcome) {
			if said != nil {
				*said = append(*said, o)
			}
		},
	})
	b.TrustFilter()
	b.SetComplete(true)
	return b
}

// feed applies events that are received when they happen unless late says otherwise.
type feed struct {
	b    *Board
	n    int
	late time.Duration
}

func (f *feed) say(typ event.Type, subject string, at time.Time, with ...func(*event.Event)) {
	f.n++
	e := event.Event{
		Source: "s", ID: fmt.Sprint("e", f.n), Type: typ, Kind: typ.Kind(), Subject: subject, Center: "35.15", OccurredAt: at,
		ReceivedAt: at.Add(f.late),
	}
	e.Digest[0], e.Digest[1] = byte(f.n), byte(f.n>>8)
	for _, w := range with {
		w(&e)
	}
	f.b.Apply(&e, event.AppendBinary(nil, &e), uint64(f.n), true)
}

func class(c string) func(*event.Event)    { return func(e *event.Event) { e.Class = c } }
func opd(o string) func(*event.Event)      { return func(e *event.Event) { e.OPD = o } }
func inCenter(c string) func(*event.Event) { return func(e *event.Event) { e.Center = c } }

func windows(b *Board, now time.Time, window string) map[string]int {
	out := map[string]int{}
	for _, w := range b.Snapshot(now).Centers[0].Windows {
		if w.Window == window && w.N != 0 {
			out[w.Measure] = w.N
		}
	}
	return out
}

func TestWindowsCountCallsByTheirOwnTime(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	call := func(id string, at time.Time, wait time.Duration, c string) {
		f.say(event.CallReceived, id, at)
		f.say(event.CallQueued, id, at)
		f.say(event.CallAnswered, id, at.Add(wait))
		f.say(event.CallClassified, id, at.Add(time.Minute), class(c))
	}
	call("a", noon.Add(-10*time.Minute), 8*time.Second, "prank") // the hour before noon
	call("b", noon.Add(time.Minute), 16*time.Second, "normal")
	call("c", noon.Add(2*time.Minute), 15*time.Second, "uji") // a test, which no measure counts
	call("d", noon.Add(-6*time.Hour), 5*time.Second, "ghost") // 06.00, the night shift
	now := noon.Add(5 * time.Minute)
	for window, want := range map[string]map[string]int{
		"hour":           {"received": 1, "offered": 1, "answered": 1, "classified": 1},
		"previous_hour":  {"received": 1, "offered": 1, "answered": 1, "within_target": 1, "classified": 1, "hoax": 1},
		"shift":          {"received": 2, "offered": 2, "answered": 2, "within_target": 1, "classified": 2, "hoax": 1},
		"previous_shift": {"received": 1, "offered": 1, "answered": 1, "within_target": 1, "classified": 1, "ghost": 1},
		"day": {
			"received": 3, "offered": 3, "answered": 3, "within_target": 2, "classified": 3, "hoax": 1, "ghost": 1,
		},
	} {
		if diff := cmp.Diff(want, windows(f.b, now, window)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", window, diff)
		}
	}
	// A corrected class moves the call from one measure to another, never counts it twice.
	f.say(event.CallClassified, "a", noon.Add(time.Minute), class("normal"))
	if got := windows(f.b, now, "previous_hour"); got["hoax"] != 0 || got["classified"] != 1 {
		t.Errorf("after a reclassification: %v", got)
	}
}

func TestOutcomesAreSaidOnceWhateverTheOrder(t *testing.T) {
	var said []Outcome
	f := &feed{b: newBoard(&said)}
	f.say(event.CallAnswered, "a", noon.Add(8*time.Second))
	f.say(event.CallReceived, "a", noon)
	f.say(event.CallReceived, "a", noon.Add(-time.Second)) // another source saw it earlier
	f.say(event.CallClassified, "a", noon.Add(time.Minute), class("prank"))
	f.say(event.CallClassified, "a", noon.Add(2*time.Minute), class("normal"))
	counts := map[OutcomeKind]int{}
	for _, o := range said {
		counts[o.Kind]++
	}
	want := map[OutcomeKind]int{
		CallBecameReceived: 1, CallBecameOffered: 1, CallBecameAnswered: 1, CallBecameClassified: 1,
		CallBecameReclassified: 1,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestThePastAndHistoricalCentresMoveNoCounter(t *testing.T) {
	var said []Outcome
	f := &feed{b: newBoard(&said), late: 2 * time.Hour}
	f.say(event.CallReceived, "a", noon)
	f.say(event.CallAnswered, "a", noon.Add(time.Second))
	f.late = 0
	f.say(event.CallReceived, "h", noon, inCenter("old"))
	if len(said) != 0 {
		t.Errorf("said %v", said)
	}
	if got := windows(f.b, noon.Add(time.Minute), "hour"); got["received"] != 1 {
		t.Errorf("a backfilled call belongs on the board, a historical one does not: %v", got)
	}
	f.say(event.CallClassified, "a", noon.Add(time.Minute), class("prank"))
	if len(said) != 1 || said[0].Kind != CallBecameClassified {
		t.Errorf("a live event of a backfilled call says only what is new: %v", said)
	}
}

func TestLiveGauges(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.CallQueued, "waits", noon)
	f.say(event.CallQueued, "lost", noon.Add(-2*time.Hour)) // its end event never came
	f.say(event.CallQueued, "left", noon)
	f.say(event.CallAbandoned, "left", noon.Add(20*time.Second))
	f.say(event.CallRingNoAnswer, "waits", noon.Add(5*time.Second), func(e *event.Event) { e.Position = "p1" })
	f.say(event.AgentState, "a1", noon, func(e *event.Event) { e.Result = "available" })
	f.say(event.AgentState, "a1", noon.Add(-time.Minute), func(e *event.Event) { e.Result = "paused" })
	f.say(event.AgentState, "a2", noon.Add(-25*time.Hour), func(e *event.Event) { e.Result = "available" })
	s := f.b.Snapshot(noon.Add(30 * time.Second)).Centers[0]
	if s.CallsWaiting != 1 || s.OldestWaiting != 30*time.Second || s.CallsToCallBack != 1 {
		t.Errorf("waiting %d for %s, to call back %d", s.CallsWaiting, s.OldestWaiting, s.CallsToCallBack)
	}
	if diff := cmp.Diff([]LabelCount{{"p1", 1}}, s.RingNoAnswerRecent); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]LabelCount{{"available", 1}}, s.Agents); diff != "" {
		t.Error(diff)
	}
	f.say(event.CallAnswered, "waits", noon.Add(40*time.Second))
	f.say(event.CallCalledBack, "left", noon.Add(time.Minute))
	if s := f.b.Snapshot(noon.Add(2 * time.Minute)).Centers[0]; s.CallsWaiting != 0 || s.CallsToCallBack != 0 {
		t.Errorf("waiting %d, to call back %d", s.CallsWaiting, s.CallsToCallBack)
	}
}

func TestTicketsAtRiskOverdueAndStale(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	open := func(id, to string, at time.Time) {
		f.say(event.TicketOpened, id, at, func(e *event.Event) { e.Priority = "darurat" })
		f.say(event.TicketAssigned, id, at, opd(to))
	}
	open("late", "dishub", noon.Add(-2*time.Hour))
	open("risk", "dishub", noon.Add(-50*time.Minute))
	open("fresh", "pln", noon.Add(-time.Minute))
	open("stale", "dishub", noon.Add(-200*24*time.Hour))
	open("strange", "Dinas Anu", noon)
	s := f.b.Snapshot(noon).Centers[0]
	want := []TicketCount{
		{OPD: "dishub", Priority: "darurat", Scope: "own", N: 2}, {OPD: "pln", Priority: "darurat", Scope: "vertical", N: 1},
		{OPD: "unknown", Priority: "darurat", Scope: "unknown", N: 1},
	}
	if diff := cmp.Diff(want, s.Open); diff != "" {
		t.Error("open:", diff)
	}
	if diff := cmp.Diff([]TicketCount{{OPD: "dishub", Scope: "own", N: 1}}, s.AtRisk); diff != "" {
		t.Error("at risk:", diff)
	}
	if diff := cmp.Diff([]TicketCount{{OPD: "dishub", Clock: "resolve", Priority: "darurat", Scope: "own", N: 1}},
		s.Overdue); diff != "" {
		t.Error("overdue:", diff)
	}
	if diff := cmp.Diff([]OldestOverdue{{"dishub", time.Hour}}, s.OldestOverdue); diff != "" {
		t.Error("oldest:", diff)
	}
	if s.Stale != 1 {
		t.Errorf("stale %d", s.Stale)
	}
	// the stale one is not late but stale
	if rows := f.b.OpenTickets(TicketFilter{Overdue: true}, noon, event.Key{}, 10); len(rows) != 1 {
		t.Errorf("%d overdue tickets listed", len(rows))
	}
}

func TestCheckpointKeepsTheBoard(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	f.say(event.CallReceived, "c1", noon)
	f.say(event.CallAnswered, "c1", noon.Add(time.Second))
	f.say(event.TicketOpened, "t1", noon.Add(time.Minute), func(e *event.Event) { e.Calls = []string{"c1"} })
	f.say(event.AgentState, "a1", noon, func(e *event.Event) { e.Result = "available" })
	var saved bytes.Buffer
	if err := f.b.Checkpoint()(&saved); err != nil {
		t.Fatal(err)
	}
	var said []Outcome
	b := newBoard(&said)
	if err := b.ReadCheckpoint(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	now := noon.Add(2 * time.Minute)
	if diff := cmp.Diff(f.b.Snapshot(now), b.Snapshot(now)); diff != "" {
		t.Error(diff)
	}
	after := &feed{b: b, n: f.n}
	after.say(event.CallAnswered, "c1", noon.Add(time.Second)) // known: nothing is said again
	if len(said) != 0 {
		t.Errorf("said again after a restart: %v", said)
	}
	for i := range 40 { // most of it is the filter
		n := saved.Len() * i / 40
		if i >= 20 {
			n = saved.Len() - 1 - 7*(i-20)
		}
		if err := newBoard(nil).ReadCheckpoint(bytes.NewReader(saved.Bytes()[:n])); err == nil {
			t.Fatalf("a checkpoint cut to %d of %d bytes was read", n, saved.Len())
		}
	}
}

func TestAnUnknownCaseShowsNowhereUntilItIsLoaded(t *testing.T) {
	f := &feed{b: newBoard(nil)}
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t1"}
	f.b.AddSubjects([]event.Key{key})
	f.say(event.TicketAcknowledged, "t1", noon) // a late event of a ticket that was closed long ago
	if s := f.b.Snapshot(noon); len(s.Centers[0].Open) != 0 {
		t.Fatalf("an unknown ticket is shown as open: %v", s.Centers[0].Open)
	}
	if rows := f.b.Rows([]event.Key{key}); len(rows) != 0 {
		t.Fatal("an unknown ticket has a row")
	}
	old := event.Event{
		Source: "s", ID: "old", Type: event.TicketClosed, Kind: event.KindTicket, Subject: "t1", Center: "35.15",
		OccurredAt: noon.Add(-time.Hour),
	}
	f.b.Load([]Loaded{{Key: key, Events: []*event.Event{&old}}})
	rows := f.b.Rows([]event.Key{key})
	if len(rows) != 1 || rows[0].Ticket.State != casefile.Closed || rows[0].Ticket.Events != 2 {
		t.Fatalf("rows %+v", rows)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	f := &feed{b: newBoard(nil)}
	for i := range 100_000 {
		id := fmt.Sprint("t", i)
		f.say(event.TicketOpened, id, noon.Add(-time.Duration(i)*time.Second))
		f.say(event.TicketAssigned, id, noon.Add(-time.Duration(i)*time.Second), opd("dishub"))
	}
	b.ResetTimer()
	for b.Loop() {
		f.b.Snapshot(noon)
	}
}

func BenchmarkApply(b *testing.B) {
	f := &feed{b: newBoard(nil)}
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprint("c", i/4)
		f.say([]event.Type{event.CallReceived, event.CallQueued, event.CallAnswered, event.CallEnded}[i%4], id, noon)
	}
}
