package shipper

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

var noon = time.Date(2026, 11, 2, 5, 0, 0, 0, time.UTC) // 12.00 WIB, a Monday

// warehouse is ClickHouse as the shipper sees it, in memory; it can be away.
type warehouse struct {
	events  map[eventID]event.Event
	rows    map[event.Key]tracker.Row
	version uint64
	tokens  map[string]int
	trimmed int
	asked   int // for cases
	away    bool
	bad     func(event.Key, string) bool // rows that can never be stored, by case and id of the event, "" for a case's row
	// called before and after what a request does; an error is what the request answers
	amid func() error
}

func (w *warehouse) pass() error {
	if w.amid == nil {
		return nil
	}
	return w.amid()
}

var (
	errAway = errors.New("away")
	errBad  = errors.New("a bad row")
)

func newWarehouse() *warehouse {
	return &warehouse{events: map[eventID]event.Event{}, rows: map[event.Key]tracker.Row{}, tokens: map[string]int{}}
}

// inOrder returns the keys of a map in the same order each time, so that a seed of rapid repeats exactly.
func inOrder[K comparable, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func (w *warehouse) Prepare(context.Context) error              { return w.check() }
func (w *warehouse) BurstEnded()                                { w.trimmed++ }
func (w *warehouse) MaxVersion(context.Context) (uint64, error) { return w.version, w.check() }
func (w *warehouse) Permanent(err error) bool                   { return errors.Is(err, errBad) }
func (w *warehouse) check() error {
	if w.away {
		return errAway
	}
	return nil
}

func (w *warehouse) InsertEvents(_ context.Context, events []*event.Event, token string) error {
	if w.away {
		return errAway
	}
	if n, seen := w.tokens[token]; seen {
		if n != len(events) {
			panic("a token came again with other rows")
		}
		return nil
	}
	for _, e := range events {
		if w.bad != nil && w.bad(e.Key(), e.ID) {
			return errBad
		}
	}
	if err := w.pass(); err != nil {
		return err
	}
	w.tokens[token] = len(events)
	for _, e := range events {
		cp := *e
		cp.Detach()
		w.events[eventID{e.Key(), e.Source, e.ID}] = cp
	}
	return w.pass()
}

func (w *warehouse) StoredDigests(_ context.Context, events []*event.Event) ([]event.Digest, error) {
	out := make([]event.Digest, len(events))
	for i, e := range events {
		out[i] = w.events[eventID{e.Key(), e.Source, e.ID}].Digest
	}
	return out, w.check()
}

func (w *warehouse) ReadCases(_ context.Context, keys []event.Key) ([]tracker.Loaded, error) {
	if w.away {
		return nil, errAway
	}
	w.asked += len(keys)
	if err := w.pass(); err != nil {
		return nil, err
	}
	ids, rows := inOrder(w.events), inOrder(w.rows)
	var out []tracker.Loaded
	for _, k := range keys {
		l := tracker.Loaded{Key: k}
		for _, id := range ids {
			if e := w.events[id]; e.Key() == k {
				l.Events = append(l.Events, &e)
			}
		}
		for _, id := range ids {
			if e := w.events[id]; k.Kind == event.KindTicket && e.Center == k.Center && e.Master == k.ID {
				l.Tickets = append(l.Tickets, e.Subject)
			}
		}
		if r, ok := w.rows[k]; ok && r.Call != nil {
			l.Tickets = r.Call.Tickets
		}
		for _, key := range rows {
			t := w.rows[key].Ticket
			if t != nil && key.Center == k.Center && k.Kind == event.KindCall && slices.Contains(t.Calls, k.ID) {
				l.Tickets = append(slices.Clone(l.Tickets), key.ID)
			}
		}
		if len(l.Events) > 0 || len(l.Tickets) > 0 {
			out = append(out, l)
		}
	}
	return out, w.pass()
}

func (w *warehouse) Upsert(_ context.Context, rows []tracker.Row, version uint64) error {
	if w.away {
		return errAway
	}
	if version < w.version {
		panic("a version went back")
	}
	for _, r := range rows {
		if w.bad != nil && w.bad(r.Key, "") {
			return errBad
		}
	}
	w.version = version
	// Calls and tickets are two requests: one may be stored and the other not.
	for _, kind := range []event.Kind{event.KindCall, event.KindTicket} {
		if err := w.pass(); err != nil {
			return err
		}
		for _, r := range rows {
			if r.Key.Kind == kind {
				w.rows[r.Key] = r
			}
		}
	}
	return w.pass()
}

func (w *warehouse) Subjects(_ context.Context, fn func([]event.Key) error) error {
	if w.away {
		return errAway
	}
	keys := map[event.Key]bool{}
	for _, e := range w.events {
		keys[e.Key()] = true
		for _, c := range e.Calls {
			keys[event.Key{Center: e.Center, Kind: event.KindCall, ID: c}] = true
		}
	}
	return fn(inOrder(keys))
}

func (w *warehouse) OpenCases(_ context.Context, since time.Time) ([]event.Key, error) {
	if w.away {
		return nil, errAway
	}
	var keys []event.Key
	for _, k := range inOrder(w.rows) {
		if r := w.rows[k]; r.Call != nil || r.Ticket.State.Open() {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

type silent struct{}

func (silent) BatchStored(_, _ journal.Position, _, _ int, _ time.Duration) {}
func (silent) DeadLetters(string, int)                                      {}
func (silent) Conflicts(string, int)                                        {}

func boardConfig(emit func(tracker.Outcome)) tracker.Config {
	jakarta := time.FixedZone("WIB", 7*3600)
	return tracker.Config{
		Centers: []string{"35.15"},
		Center: func(code string) (tracker.CenterConfig, bool) {
			return tracker.CenterConfig{
				Historical: code == "old", Location: jakarta, AnswerTarget: 15 * time.Second, ShortAbandon: 5 * time.Second,
				Shifts: []time.Duration{7 * time.Hour, 14 * time.Hour, 21 * time.Hour},
			}, true
		},
		OPD: func(_, opd string) (string, string) { return opd, "own" },
		TicketClocks: func(t *casefile.Ticket) []sla.Clock {
			if t.OpenedAt.IsZero() {
				return nil
			}
			return []sla.Clock{{
				Key: t.Key, Name: "resolve", Seq: 1, OPD: t.OPD, StartedAt: t.OpenedAt, DueAt: t.OpenedAt.Add(time.Hour),
				StoppedAt: t.ResolvedAt,
			}}
		},
		CallClocks: func(*casefile.Call) []sla.Clock { return nil },
		Emit:       emit,
		CacheCases: 2, KeepCases: time.Nanosecond,
	}
}

// world draws the events of a few calls and tickets: repeated facts, corrections, links, contradictions.
func world(t *rapid.T) []event.Event {
	var out []event.Event
	calls := []event.Type{
		event.CallReceived, event.CallQueued, event.CallAnswered, event.CallAbandoned, event.CallClassified, event.CallEnded,
		event.CallRingNoAnswer,
	}
	tickets := []event.Type{event.TicketOpened, event.TicketAssigned, event.TicketAcknowledged, event.TicketArrived,
		event.TicketPaused,
		event.TicketResumed, event.TicketResolved, event.TicketConfirmed, event.TicketClosed, event.TicketReopened,
		event.TicketRejected, event.TicketMerged}
	n := rapid.IntRange(3, 24).Draw(t, "events")
	for i := range n {
		e := event.Event{
			Source: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source"), ID: fmt.Sprint("e", i),
			Center:     rapid.SampledFrom([]string{"35.15", "35.15", "old"}).Draw(t, "center"),
			OccurredAt: noon.Add(time.Duration(rapid.IntRange(-7000, 0).Draw(t, "at")) * time.Second),
			ReceivedAt: noon.Add(time.Duration(i) * time.Second),
			Revision:   uint32(rapid.IntRange(0, 1).Draw(t, "revision")),
		}
		e.Digest[0] = byte(i + 1)
		if rapid.IntRange(0, 9).Draw(t, "agent") == 0 {
			e.Kind, e.Type, e.Subject = event.KindAgent, event.AgentState, fmt.Sprint("a", rapid.IntRange(0, 1).Draw(t, "id"))
			e.Result = rapid.SampledFrom([]string{"available", "paused"}).Draw(t, "state")
		} else if rapid.Bool().Draw(t, "call") {
			e.Kind, e.Type, e.Subject = event.KindCall, rapid.SampledFrom(calls).Draw(t, "type"),
				fmt.Sprint("c", rapid.IntRange(0, 2).Draw(t, "id"))
			e.Class = rapid.SampledFrom([]string{"", "prank", "normal", "uji", "belum"}).Draw(t, "class")
			e.Position = rapid.SampledFrom([]string{"", "p1", "p2"}).Draw(t, "position")
		} else {
			e.Kind, e.Type, e.Subject = event.KindTicket, rapid.SampledFrom(tickets).Draw(t, "type"),
				fmt.Sprint("t", rapid.IntRange(0, 2).Draw(t, "id"))
			e.OPD = rapid.SampledFrom([]string{"dishub", "bpbd"}).Draw(t, "opd")
			e.Result = rapid.SampledFrom([]string{"benar", "palsu"}).Draw(t, "result")
			e.Category = rapid.SampledFrom([]string{"", "pju", "banjir"}).Draw(t, "category")
			e.Kecamatan = rapid.SampledFrom([]string{"", "35.15.12"}).Draw(t, "kecamatan")
			e.Calls = rapid.SampledFrom([][]string{nil, nil, {"c0"}, {"c1"}, {"c0", "c2"}}).Draw(t, "calls")
			if e.Type == event.TicketMerged {
				e.Master = rapid.SampledFrom([]string{"t0", "t1", "t2", "t9"}).Draw(t, "master")
			}
		}
		if i > 0 && rapid.IntRange(0, 4).Draw(t, "corrects") == 0 {
			old := out[rapid.IntRange(0, i-1).Draw(t, "replaces")]
			if old.Key() == e.Key() {
				e.Replaces, e.Source = old.ID, old.Source
				if rapid.Bool().Draw(t, "withdraws") {
					e.Type = event.EventWithdrawn
					if rapid.IntRange(0, 3).Draw(t, "confirms") == 0 {
						e.Source = casefile.ConfirmSource
					}
				}
			}
		}
		out = append(out, e)
	}
	return out
}

// fresh folds all events of the world at once, the way nobody could get wrong: what every other way must equal.
func fresh(events []event.Event, cfg tracker.Config) map[event.Key]tracker.Row {
	by := map[event.Key][]*event.Event{}
	for i := range events {
		if events[i].Kind != event.KindAgent {
			by[events[i].Key()] = append(by[events[i].Key()], &events[i])
		}
	}
	rows := map[event.Key]tracker.Row{}
	names := map[event.Key][]string{}
	from := map[event.Key]casefile.CallFacts{}
	for k, evs := range by {
		if k.Kind == event.KindTicket {
			t := casefile.FoldTicket(k, slices.Clone(evs), casefile.CallFacts{})
			for _, c := range t.Calls {
				ck := event.Key{Center: k.Center, Kind: event.KindCall, ID: c}
				names[ck] = append(names[ck], k.ID)
				cf := casefile.FoldCall(ck, slices.Clone(by[ck]), nil)
				f := from[k]
				f.Add(cf.Facts())
				from[k] = f
			}
		}
	}
	cfg.Emit = nil
	whole := tracker.New(cfg) // what merged tickets make of each other is the board's: this one sees all in order
	whole.TrustFilter()
	grouped := map[event.Key]bool{}
	for i := range events {
		e := &events[i]
		whole.Apply(e, event.AppendBinary(nil, e), 0, false)
		if e.Master != "" {
			grouped[e.Key()], grouped[event.Key{Center: e.Center, Kind: event.KindTicket, ID: e.Master}] = true, true
		}
	}
	for k, evs := range by {
		if grouped[k] {
			rows[k], _, _ = whole.Case(k)
		} else if k.Kind == event.KindTicket {
			t := casefile.FoldTicket(k, slices.Clone(evs), from[k])
			// What a correction took away is for clocks to tell, before and after it: the board in order says it too.
			if row, _, _ := whole.Case(k); slices.Contains(row.Ticket.Flags, casefile.FlagCorrectedAfterLate) {
				t.AddFlag(casefile.FlagCorrectedAfterLate)
			}
			rows[k] = tracker.Row{Key: k, Ticket: &t, Clocks: cfg.TicketClocks(&t)}
		} else {
			slices.Sort(names[k])
			c := casefile.FoldCall(k, slices.Clone(evs), names[k])
			rows[k] = tracker.Row{Key: k, Call: &c}
		}
	}
	return rows
}

// TestCasesEqualAFreshFold plays the events of a small world in any order, with repetitions, while the shipper works,
// lags or fails, cases are evicted, and the program dies and starts again from its checkpoint or without one. At the
// end ClickHouse holds every event once, the cases equal a fresh fold of all events, and the board shows what a board
// shows that saw everything in order.
func TestCasesEqualAFreshFold(t *testing.T) { play(t, world) }

// shuffled draws a world and an order in which its events come.
func shuffled(t *rapid.T, world func(*rapid.T) []event.Event) (events []event.Event, order []int) {
	events = world(t)
	index := make([]int, len(events))
	for i := range index {
		index[i] = i
	}
	return events, rapid.Permutation(index).Draw(t, "order")
}

func play(t *testing.T, world func(*rapid.T) []event.Event) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		events, order := shuffled(t, world)
		w := newWarehouse()
		var said []tracker.Outcome
		cfg := boardConfig(func(o tracker.Outcome) { said = append(said, o) })
		h := &harness{t: t, dir: fmt.Sprint(dir, "/", run), w: w, cfg: cfg}
		h.start(nil, 0)
		defer func() { h.journal.Close() }()
		for n, i := range order {
			h.accept(events[i])
			switch rapid.IntRange(0, 8).Draw(t, "then") {
			case 0:
				h.accept(events[rapid.SampledFrom(order).Draw(t, "again")]) // may be an event that comes later too
			case 1:
				h.ship()
			case 2:
				w.away = true
				h.ship()
				w.away = false
			case 3:
				h.ship()
				h.board.Evict(uint64(h.shipper.Shipped()), noon.Add(time.Minute))
			case 4:
				h.checkpoint()
			case 5:
				h.restart(rapid.Bool().Draw(t, "lose checkpoint"))
			case 6: // an id of before with another content: refused at the door, or a dead letter when it was forgotten there
				other := events[order[rapid.IntRange(0, n).Draw(t, "conflict")]]
				if other.Kind != event.KindAgent {
					other.OccurredAt = other.OccurredAt.Add(-time.Hour)
					other.Digest[0] ^= 0x80
					h.accept(other)
				}
			}
		}
		h.ship()
		h.check(events)

		whole := tracker.New(boardConfig(nil))
		whole.TrustFilter()
		whole.SetComplete(true)
		for _, e := range events {
			whole.Apply(&e, event.AppendBinary(nil, &e), 0, true)
		}
		now := noon.Add(time.Minute)
		if diff := gocmp.Diff(shape(whole.Snapshot(now)), shape(h.board.Snapshot(now))); diff != "" {
			t.Fatalf("board differs from one that saw all in order (-want +got):\n%s", diff)
		}
		h.board.Evict(uint64(h.shipper.Shipped()), now.Add(time.Hour))
		waiting := map[event.Key]bool{} // for a master that may be open
		for i := range events {
			row, _, known := h.board.Case(events[i].Key())
			if known && row.Ticket != nil && row.Ticket.State == casefile.Merged {
				waiting[row.Key] = true
			}
		}
		if cases, open := h.board.Size(); cases > open+len(waiting) {
			t.Fatalf("%d cases stay in memory, of which %d are open tickets and %d were merged", cases, open, len(waiting))
		}
		for _, o := range said {
			if o.Center == "old" {
				t.Fatalf("a historical centre moved a counter: %+v", o)
			}
		}
	})
}

// shape leaves out of a snapshot what an evicted case may take with it: the gauges of calls that nobody works on.
func shape(s tracker.Snapshot) tracker.Snapshot {
	for i := range s.Centers {
		c := &s.Centers[i]
		c.CallsWaiting, c.OldestWaiting, c.CallsUnclassified, c.CallsToCallBack = 0, 0, 0, 0
		c.RingNoAnswerRecent, c.SameEvent = nil, nil
	}
	return s
}

type harness struct {
	t        *rapid.T
	dir      string
	w        *warehouse
	cfg      tracker.Config
	journal  *journal.Journal
	board    *tracker.Board
	shipper  *Shipper
	saved    []byte
	boot     string
	savedAt  journal.Position
	place    *Database // nil: it is never asked
	dead     letters
	accepted map[rowKey]int // how often the journal took it
}

func (h *harness) start(saved []byte, at journal.Position) {
	j, err := journal.Open(journal.Options{Dir: h.dir})
	if err != nil {
		h.t.Fatal(err)
	}
	h.journal, h.board = j, tracker.New(h.cfg)
	if saved != nil {
		if err := h.board.ReadCheckpoint(bytes.NewReader(saved)); err != nil {
			h.t.Fatal(err)
		}
	}
	r, err := j.NewReader(at)
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Close()
	for {
		rec, ok, err := r.TryNext()
		if err != nil {
			h.t.Fatal(err)
		}
		if !ok {
			break
		}
		var e event.Event
		payload := bytes.Clone(rec.Payload)
		if err := event.DecodeBinary(payload, &e); err != nil {
			h.t.Fatal(err)
		}
		h.board.Apply(&e, payload, uint64(rec.End), false)
	}
	cfg := Config{Dir: h.dir, Boot: h.boot, Now: func() time.Time {
		return noon
	}, Log: slog.New(slog.DiscardHandler), Observer: silent{}, Linger: time.Nanosecond}
	if h.place != nil {
		cfg.Database = func(context.Context) (Database, error) { return *h.place, nil }
	}
	if h.shipper, err = New(cfg, j, h.board, h.w, &h.dead); err != nil {
		h.t.Fatal(err)
	}
	if err := h.shipper.prepare(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) accept(e event.Event) {
	if v := h.board.Recognize([]*event.Event{&e}); v != nil && v[0] != tracker.NewEvent {
		return
	}
	payload := event.AppendBinary(nil, &e)
	_, end, err := h.journal.Append([][]byte{payload})
	if err != nil {
		h.t.Fatal(err)
	}
	h.board.Apply(&e, payload, uint64(end), true)
	if h.accepted == nil {
		h.accepted = map[rowKey]int{}
	}
	h.accepted[eventRowKey(&e)]++
}

// shipAll sends what waits, until ctx ends.
func (h *harness) shipAll(ctx context.Context) error {
	r, err := h.journal.NewReader(h.shipper.cursor.Start)
	if err != nil {
		return err
	}
	defer r.Close()
	feed := h.shipper.newFeed(r)
	for h.shipper.Shipped() < h.journal.End() {
		b, err := feed.next(ctx)
		if err != nil {
			return err
		}
		if err := h.shipper.ship(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// ship sends what waits, or fails on the way while ClickHouse is away.
func (h *harness) ship() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := h.journal.NewReader(h.shipper.cursor.Start)
	if err != nil {
		h.t.Fatal(err)
	}
	defer r.Close()
	for h.shipper.Shipped() < h.journal.End() {
		b, err := h.shipper.newFeed(r).next(ctx)
		if err != nil || b == nil {
			h.t.Fatal("next: ", err)
		}
		if h.w.away {
			cancel()
		}
		if err := h.shipper.ship(ctx, b); err != nil {
			if h.w.away {
				return
			}
			h.t.Fatal(err)
		}
	}
	if h.shipper.Shipped() >= h.shipper.completeAt {
		h.board.SetComplete(true)
	}
}

func (h *harness) checkpoint() {
	var b bytes.Buffer
	if err := h.board.Checkpoint()(&b); err != nil {
		h.t.Fatal(err)
	}
	h.saved, h.savedAt = b.Bytes(), h.journal.End()
}

func (h *harness) restart(lose bool) {
	if err := h.journal.Close(); err != nil {
		h.t.Fatal(err)
	}
	if lose {
		h.saved, h.savedAt = nil, 0
	}
	h.start(h.saved, h.savedAt)
}

func (h *harness) check(events []event.Event) {
	if len(h.w.events) != len(events) {
		h.t.Fatalf("ClickHouse holds %d events, want %d", len(h.w.events), len(events))
	}
	kept := map[rowKey]int{}
	for _, payload := range h.dead.conflicts {
		var e event.Event
		if err := event.DecodeBinary([]byte(payload), &e); err != nil {
			h.t.Fatal(err)
		}
		kept[eventRowKey(&e)]++
	}
	for row, times := range h.accepted { // each in one place: once, or as a conflict that was sent again after a restart
		stored := h.w.events[row.id].Digest == row.digest
		if stored == (kept[row] > 0) || kept[row] > times {
			h.t.Fatalf("%v: taken %d times, stored %v, kept as a conflict %d times", row, times, stored, kept[row])
		}
	}
	want := fresh(events, h.cfg)
	less := func(a, b tracker.Row) int { return cmp.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key)) }
	got := slices.SortedFunc(maps.Values(h.w.rows), less)
	diff := gocmp.Diff(slices.SortedFunc(maps.Values(want), less), got, cmpopts.EquateEmpty(),
		cmpopts.IgnoreUnexported(tracker.Row{}), cmpopts.IgnoreFields(tracker.Row{}, "ClocksOnly", "WasAt", "New"),
		cmpopts.SortSlices(cmp.Less[string]))
	if diff != "" {
		h.t.Fatalf("cases differ from a fresh fold (-want +got):\n%s", diff)
	}
}
