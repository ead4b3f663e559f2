package tracker

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// storm makes n events of one kind of storm. Each names calls in an order of its own, as a sender would who means harm.
type storm struct {
	name string
	make func(i int) *event.Event
}

var storms = []storm{
	{"a ticket that names 256 new calls each time", func(i int) *event.Event {
		e := stormEvent(event.TicketResumed, "t", i)
		for c := range event.MaxCalls {
			e.Calls = append(e.Calls, fmt.Sprintf("c%08d", i*event.MaxCalls+c))
		}
		return e
	}},
	{"calls of one ticket, each with an earlier start", func(i int) *event.Event {
		if i%2 == 0 {
			e := stormEvent(event.TicketResumed, "t", i)
			e.Calls = []string{fmt.Sprintf("c%08d", i)}
			return e
		}
		e := stormEvent(event.CallReceived, fmt.Sprintf("c%08d", i-1), i)
		e.OccurredAt = e.OccurredAt.Add(-time.Duration(i) * time.Second)
		return e
	}},
	{"corrections of one call, each of the one before", func(i int) *event.Event {
		e := stormEvent(event.CallClassified, "c", i)
		e.Class, e.Replaces = "prank", fmt.Sprint("e", i-1)
		return e
	}},
	{"corrections of one ticket, each of the one before", func(i int) *event.Event {
		e := stormEvent(event.TicketOpened, "t", i)
		e.Kecamatan, e.Replaces = fmt.Sprint("k", i), fmt.Sprint("e", i-1)
		return e
	}},
	{"one call named by a ticket each time", func(i int) *event.Event {
		e := stormEvent(event.TicketOpened, fmt.Sprint("t", i), i)
		e.Calls = []string{"c"}
		return e
	}},
	{"late and live events of one ticket in turn", func(i int) *event.Event {
		e := stormEvent(event.TicketPaused, "t", i)
		e.Reason = "cuaca"
		if i%2 == 0 {
			e.OccurredAt = e.OccurredAt.Add(-48 * time.Hour)
		}
		return e
	}},
}

// mergers are storms of which one event may be the business of a whole group.
var mergers = []storm{
	{"tickets merged into one that is resolved and opened again", func(i int) *event.Event {
		switch {
		case i == 0:
			return stormEvent(event.TicketOpened, "m", i)
		case i%3 == 0:
			return stormEvent([]event.Type{event.TicketResolved, event.TicketReopened}[i%2], "m", i)
		case i%3 == 1:
			return stormEvent(event.TicketOpened, fmt.Sprint("t", i), i)
		}
		e := stormEvent(event.TicketMerged, fmt.Sprint("t", i-1), i)
		e.Master = "m"
		return e
	}},
	{"tickets merged into others in turn, a tree that has no end", func(i int) *event.Event {
		if i%2 == 0 {
			return stormEvent(event.TicketOpened, fmt.Sprint("t", i), i)
		}
		e := stormEvent(event.TicketMerged, fmt.Sprint("t", i-1), i)
		e.Master = fmt.Sprint("t", max(0, i-1-i%60))
		return e
	}},
}

func stormEvent(typ event.Type, subject string, i int) *event.Event {
	at := noon.Add(time.Duration(i) * time.Millisecond)
	e := &event.Event{
		Source: "s", ID: fmt.Sprint("e", i), Type: typ, Kind: typ.Kind(), Subject: subject, Center: "35.15", OccurredAt: at,
		ReceivedAt: at,
	}
	e.Digest[0], e.Digest[1], e.Digest[2] = byte(i), byte(i>>8), byte(i>>16)
	return e
}

// applyStorm applies the first n events of a storm in groups, asks for the rows after each as the shipper does, and
// returns the steps that the board counted.
func (s storm) applyStorm(b *Board, n, group int) uint64 {
	before := b.steps.Load()
	for i := 0; i < n; i += group {
		var (
			events   []*event.Event
			payloads [][]byte
			ends     []uint64
			keys     []event.Key
			seen     = map[event.Key]bool{}
		)
		for j := i; j < min(n, i+group); j++ {
			e := s.make(j)
			events, payloads, ends = append(events, e), append(payloads, event.AppendBinary(nil, e)), append(ends, uint64(j+1))
			if !seen[e.Key()] {
				seen[e.Key()] = true
				keys = append(keys, e.Key())
			}
		}
		b.ApplyGroup(events, payloads, ends, true)
		b.Load(emptyCases(b.MissingCases(keys)))
		b.MarkStored(b.Rows(keys))
	}
	return b.steps.Load() - before
}

func emptyCases(keys []event.Key) (out []Loaded) {
	for _, k := range keys {
		out = append(out, Loaded{Key: k})
	}
	return out
}

// What comes in one group is worked through in steps that grow with the number of events, not with its square, however
// the events are about one case. This is counted, not timed.
func TestWorkOfAStormGrowsWithItsEvents(t *testing.T) {
	for _, s := range storms {
		t.Run(s.name, func(t *testing.T) {
			few := s.applyStorm(newBoard(nil), 64, 64)
			many := s.applyStorm(newBoard(nil), 256, 256)
			t.Logf("%d steps for 64 events, %d for 256", few, many)
			if many > 6*few {
				t.Errorf("%d steps for 64 events, %d for four times as many", few, many)
			}
		})
	}
}

// However many events a case has, the board that took them in any order and portions, one that read them back and a
// rebuild make the same of them.
func TestLargeCasesAreTheSameHoweverTheyCame(t *testing.T) {
	const n = 1500
	rnd := rand.New(rand.NewPCG(3, 4))
	types := []event.Type{
		event.TicketAssigned, event.TicketAcknowledged, event.TicketPaused, event.TicketResumed, event.TicketResolved,
		event.TicketReopened,
	}
	events := make([]*event.Event, n)
	for i := range events {
		e := stormEvent(types[rnd.IntN(len(types))], "t", i)
		e.Source = fmt.Sprint("s", rnd.IntN(2))
		e.OPD, e.Reason = []string{"dishub", "pln"}[rnd.IntN(2)], "cuaca"
		e.Calls = []string{fmt.Sprint("c", rnd.IntN(200))}
		if rnd.IntN(4) == 0 {
			e.Replaces = fmt.Sprint("e", rnd.IntN(n))
		}
		events[i] = e
	}
	key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: "t"}
	clone := func() []*event.Event { return slices.Clone(events) }
	want, _ := newBoard(nil).Fold(Loaded{Key: key, Events: clone()}, nil)
	same := func(how string, b *Board) {
		t.Helper()
		got, _, ok := b.Case(key)
		if !ok {
			t.Fatalf("%s: the case is not known", how)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Row{})); diff != "" {
			t.Errorf("%s (-rebuilt +got):\n%s", how, diff)
		}
	}
	for range 5 {
		rnd.Shuffle(n, func(i, j int) { events[i], events[j] = events[j], events[i] })
		b, left := newBoard(nil), clone()
		for len(left) > 0 {
			group := left[:min(len(left), 1+rnd.IntN(300))]
			left = left[len(group):]
			var payloads [][]byte
			for _, e := range group {
				payloads = append(payloads, event.AppendBinary(nil, e))
			}
			b.ApplyGroup(group, payloads, make([]uint64, len(group)), rnd.IntN(2) == 0)
		}
		same("applied", b)
		var saved bytes.Buffer
		if err := b.Checkpoint()(&saved); err != nil {
			t.Fatal(err)
		}
		restarted := newBoard(nil)
		if err := restarted.ReadCheckpoint(&saved); err != nil {
			t.Fatal(err)
		}
		same("restarted", restarted)
	}
	read := newBoard(nil)
	read.Load([]Loaded{{Key: key, Events: clone()}})
	same("read back", read)
}

// BenchmarkEvent shows what one live event of a storm costs alone, through the door, against how many came before.
func BenchmarkEvent(b *testing.B) {
	for _, s := range slices.Concat(storms, mergers) {
		for _, before := range []int{1, 16, 64, 256, 900} {
			b.Run(fmt.Sprintf("%s/%d", s.name, before), func(b *testing.B) {
				const measured = 16
				var took time.Duration
				var steps uint64
				for b.Loop() {
					board := newBoard(nil)
					for i := range before {
						s.apply(board, i)
					}
					began, worked := time.Now(), board.steps.Load()
					for i := range measured {
						s.apply(board, before+i)
					}
					took, steps = took+time.Since(began), steps+board.steps.Load()-worked
				}
				b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*measured), "ns/event")
				b.ReportMetric(float64(steps)/float64(b.N*measured), "steps/event")
			})
		}
	}
}

// apply applies an event alone, unless its case has no room for it, and asks for the rows as the shipper does.
func (s storm) apply(b *Board, i int) {
	e := s.make(i)
	if admitted := b.Admit([]*event.Event{e}); admitted != nil {
		if e = admitted[0]; e == nil {
			return
		}
	}
	b.Apply(e, event.AppendBinary(nil, e), uint64(i+1), true)
	keys := []event.Key{e.Key()}
	b.Load(emptyCases(b.MissingCases(keys)))
	b.MarkStored(b.Rows(keys))
}

// Through the door, the bounds of a case hold: whatever comes, the work for one event alone stays below what a full
// case takes, and others are linked with few.
func TestWorkForOneEventIsBoundedByTheBoundsOfACase(t *testing.T) {
	// A case is folded twice at most where a link changed, and each call it is linked with is visited a few times.
	const most = 2 * (casefile.MaxEvents + casefile.ReserveEvents + casefile.MaxCalls + casefile.ReserveCalls +
		event.MaxCalls)
	for _, s := range slices.Concat(storms, mergers) {
		t.Run(s.name, func(t *testing.T) {
			b := newBoard(nil)
			var worst uint64
			for i := range 1200 {
				before := b.steps.Load()
				s.apply(b, i)
				worst = max(worst, b.steps.Load()-before)
			}
			for key, en := range b.cases {
				most := casefile.MaxTickets
				if key.Kind == event.KindTicket {
					most = casefile.MaxMembers
				}
				if len(en.events) > casefile.MaxEvents+casefile.ReserveEvents || len(en.tickets) > most ||
					len(en.calls) > casefile.MaxCalls+casefile.ReserveCalls {
					t.Errorf("%v: %d events, %d calls, %d tickets", key, len(en.events), len(en.calls), len(en.tickets))
				}
			}
			t.Logf("at most %d steps for one event", worst)
			if worst > most {
				t.Errorf("%d steps for one event, want at most %d", worst, most)
			}
		})
	}
}

// A large case that was evicted is not as good as new: who sends on fills it no further.
func TestAnEvictedFullCaseStaysFull(t *testing.T) {
	b := newBoard(nil)
	b.cfg.CacheCases, b.cfg.KeepCases = 0, time.Hour
	s := storms[2] // of one call
	for round := range 3 {
		for i := range casefile.MaxEvents + 500 {
			e := s.make(round*10_000 + i)
			if admitted := b.Admit([]*event.Event{e}); admitted != nil {
				continue
			}
			b.Apply(e, event.AppendBinary(nil, e), 1, true)
		}
		key := event.Key{Center: "35.15", Kind: event.KindCall, ID: "c"}
		if en := b.cases[key]; round == 0 && len(en.events) != casefile.MaxEvents {
			t.Fatalf("the case took %d events", len(en.events))
		} else if round > 0 && en != nil && len(en.events) > casefile.ReservedEvents {
			t.Errorf("after an eviction it took %d more", len(en.events))
		}
		b.Evict(1, noon.Add(100*24*time.Hour))
		if len(b.cases) > 0 {
			t.Fatal("not evicted")
		}
	}
}

// Of a ticket that was at more OPDs than are looked at, the clock of the stay that ended leaves ClickHouse when the next
// begins, however far the numbers have come.
func TestTheClockOfAnEarlierLatestStayIsVoided(t *testing.T) {
	b := newBoard(nil)
	b.cfg.TicketClocks = func(t *casefile.Ticket) []sla.Clock { // of the latest stay alone
		return []sla.Clock{{Key: t.Key, Name: sla.Acknowledge, Seq: len(t.Assignments), OPD: t.OPD}}
	}
	assign := func(i int) {
		e := stormEvent(event.TicketAssigned, "t", i)
		e.OPD = []string{"dishub", "damkar"}[i%2]
		b.Apply(e, event.AppendBinary(nil, e), uint64(i+1), true)
	}
	keys := []event.Key{{Center: "35.15", Kind: event.KindTicket, ID: "t"}}
	for i := range 300 {
		assign(i)
	}
	b.MarkStored(b.Rows(keys))
	assign(300)
	rows := b.Rows(keys)
	if len(rows) != 1 || rows[0].Clocks[0].Seq != 301 {
		t.Fatalf("rows %+v", rows)
	}
	if rows[0].ClocksOnly {
		t.Errorf("the clock of stay 300 would stay in ClickHouse beside that of stay 301")
	}
}
