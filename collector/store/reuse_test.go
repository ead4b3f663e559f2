package store

import (
	"bytes"
	"errors"
	"maps"
	"runtime"
	"slices"
	"testing"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// What an insert sends is the same whatever the inserts before it left in the columns.
func TestColumnsUsedAgainSendTheSame(t *testing.T) {
	s := &Store{}
	s.cfg.setDefaults()
	rapid.Check(t, func(rt *rapid.T) {
		var reuse columnReuse
		for step := range rapid.IntRange(2, 5).Draw(rt, "inserts") {
			n := rapid.IntRange(1, 5).Draw(rt, "rows")
			var events []*event.Event
			var calls []*casefile.Call
			var clocks []*sla.Clock
			for i := range n {
				ev := drawEvent(i).Draw(rt, "event")
				for len(ev.Attributes) > 1 { // a map has no order
					delete(ev.Attributes, slices.Sorted(maps.Keys(ev.Attributes))[0])
				}
				events = append(events, ev)
				call, clock := rapid.Custom(drawCall).Draw(rt, "call"), rapid.Custom(drawClock).Draw(rt, "clock")
				calls, clocks = append(calls, &call), append(clocks, &clock)
			}
			for _, b := range []block{eventBlock(events), s.callBlock(calls, 1), s.clockBlock(clocks, 1)} {
				fresh, used := blankColumns(rt, b), blankColumns(rt, b)
				room := reuse.lend(b.table, n, used)
				if got, want := sent(rt, b, used), sent(rt, b, fresh); !bytes.Equal(got, want) {
					rt.Fatalf("insert %d into %s sends other bytes", step, b.table)
				}
				reuse.keep(b.table, room, used)
			}
		}
	})
}

func TestTheRoomOfAnInsertServesTheNext(t *testing.T) {
	b := block{"t", []blockColumn{texts("c", make([]string, 50_000)), nullTexts("n", make([]*string, 50_000))}}
	insert := func(reuse *columnReuse) {
		to := blankColumns(t, b)
		room := reuse.lend(b.table, 50_000, to)
		for i, c := range b.columns {
			if err := c.append(memoryColumn{to[i]}); err != nil {
				t.Fatal(err)
			}
		}
		if err := sameRowCount(to, 50_000); err != nil {
			t.Fatal(err)
		}
		reuse.keep(b.table, room, to)
	}
	var reuse columnReuse
	again := testing.AllocsPerRun(3, func() { insert(&reuse) }) // it runs once more, to warm up
	fresh := testing.AllocsPerRun(3, func() { insert(new(columnReuse)) })
	if again > fresh/2 {
		t.Errorf("%.0f allocations with the room of the insert before, %.0f without", again, fresh)
	}
	t.Logf("%.0f allocations, %.0f without", again, fresh)
}

func TestColumnsOfDifferentLengthsAreNotSent(t *testing.T) {
	b := block{"t", []blockColumn{texts("a", []string{"x", "y"}), texts("b", []string{"x"})}}
	to := blankColumns(t, b)
	sent(t, b, to)
	if err := sameRowCount(to, 2); err == nil {
		t.Error("2 rows beside 1 pass")
	}
}

func TestAnInsertGivesUpTheRoomOfABurst(t *testing.T) {
	var reuse columnReuse
	b := block{"t", []blockColumn{texts("c", make([]string, 50_000))}}
	used := blankColumns(t, b)
	sent(t, b, used)
	reuse.keep("t", 50_000, used)
	if room := reuse.lend("t", 20_000, blankColumns(t, b)); room != 50_000 {
		t.Errorf("20,000 rows find room for %d, want that of the 50,000 before", room)
	}
	reuse.keep("t", 50_000, used)
	if room := reuse.lend("t", 10, blankColumns(t, b)); room != 10 {
		t.Errorf("10 rows keep room for %d", room)
	}
}

func blankColumns(t rapid.TB, b block) []column.Interface {
	out := make([]column.Interface, len(b.columns))
	for i, c := range b.columns {
		var err error
		if out[i], err = c.wire.Column(c.name, &column.ServerContext{}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func sent(t rapid.TB, b block, to []column.Interface) []byte {
	var out proto.Buffer
	for i, c := range b.columns {
		if err := c.append(memoryColumn{to[i]}); err != nil {
			t.Fatal(err)
		}
		to[i].Encode(&out)
	}
	return out.Buf
}

func TestConnectionsOfInsertsGoWithTheirBuffersUnlessInUse(t *testing.T) {
	s, err := Open(t.Context(), Config{Addr: "127.0.0.1:1"}) // nothing is dialled
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	was := s.inserts
	s.inserting.RLock() // as an insert does
	s.renewInserts()
	s.inserting.RUnlock()
	if s.inserts.events != was.events || s.inserts.others != was.others {
		t.Error("connections were closed while an insert had one")
	}
	s.renewInserts()
	if s.inserts.events == was.events || s.inserts.others == was.others {
		t.Error("connections stay")
	}
	if err := was.events.Ping(t.Context()); !errors.Is(err, clickhouse.ErrConnectionClosed) {
		t.Errorf("a connection from before: %v, want that it is closed", err)
	}
}

// The facts of a case take half a KiB and more: a copy of each, and the values of all columns beside the client's own,
// would be the most that a batch takes.
func TestAnInsertOfCasesCopiesNoFacts(t *testing.T) {
	s, err := Open(t.Context(), Config{Addr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	call := casefile.Call{Key: callKey("c"), ReceivedAt: clockStart}
	ticket := casefile.Ticket{Key: ticketKey("t"), OpenedAt: clockStart}
	const n = 5000
	sink := Sink{Store: s}
	rows := slices.Repeat([]tracker.Row{{Key: ticket.Key, Ticket: &ticket}}, n)
	for name, c := range map[string]struct {
		bytes uint64 // of a row at most
		make  func() block
	}{
		"calls": {400, func() block { return s.callBlock(slices.Repeat([]*casefile.Call{&call}, n), 1) }},
		"tickets": {1000, func() block {
			var tickets []ticketRow
			for i := range rows {
				tickets = append(tickets, sink.ticketRowOf(&rows[i]))
			}
			return s.ticketBlock(tickets, 1)
		}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b := c.make()
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / n; got > c.bytes || len(b.columns) == 0 {
			t.Errorf("%s: %d bytes for each row, want at most %d", name, got, c.bytes)
		} else {
			t.Logf("%s: %d bytes for each row", name, got)
		}
	}
}
