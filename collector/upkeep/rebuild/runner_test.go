package rebuild

import (
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
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk/disktest"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

// warehouse is ClickHouse and its writer in memory. After some upserts the process "dies": the rows may be written or
// not.
type warehouse struct {
	events    map[event.Key][]*event.Event
	clocks    map[event.Key][]sla.Clock
	dieIn     int // upserts until death; 0 never
	powerLoss bool
	wrote     bool // whether the last upsert was written before the death
	die       func()
	fail      int // reads that fail
	writes    int
	grouped   int // calls of MergedInto
}

var errAgain = errors.New("away")

func (w *warehouse) flaky() error {
	if w.fail > 0 {
		w.fail--
		return errAgain
	}
	return nil
}

func (w *warehouse) keys(center string, after event.Key) []event.Key {
	var out []event.Key
	for k := range w.events {
		if k.Center == center && (after.ID == "" || isAfter(k, after)) {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b event.Key) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return out
}

func (w *warehouse) Centers(context.Context) ([]string, error) {
	return []string{"35.78", "35.15"}, nil
}

func (w *warehouse) CaseKeys(_ context.Context, center string, _ store.Span, after event.Key, limit int) ([]event.Key,
	error) {
	all := w.keys(center, after)
	return all[:min(limit, len(all))], w.flaky()
}

func (w *warehouse) CountCases(_ context.Context, center string, _ store.Span) (uint64, error) {
	return uint64(len(w.keys(center, event.Key{}))), w.flaky()
}

func (w *warehouse) CaseEvents(_ context.Context, keys []event.Key) (map[event.Key][]*event.Event, error) {
	out := map[event.Key][]*event.Event{}
	for _, k := range keys {
		if evs := w.events[k]; evs != nil {
			out[k] = slices.Clone(evs)
		}
	}
	return out, w.flaky()
}

func (w *warehouse) TicketsOf(_ context.Context, center string, calls []string) (map[string][]string, error) {
	out := map[string][]string{}
	for _, k := range w.keys(center, event.Key{}) {
		for _, e := range w.events[k] {
			for _, c := range e.Calls {
				if slices.Contains(calls, c) && !slices.Contains(out[c], k.ID) {
					out[c] = append(out[c], k.ID)
				}
			}
		}
	}
	return out, nil
}

func (w *warehouse) MergedInto(_ context.Context, center string, masters []string) (map[string][]string, error) {
	w.grouped++
	out := map[string][]string{}
	for _, k := range w.keys(center, event.Key{}) {
		for _, e := range w.events[k] {
			if slices.Contains(masters, e.Master) && !slices.Contains(out[e.Master], k.ID) {
				out[e.Master] = append(out[e.Master], k.ID)
			}
		}
	}
	return out, nil
}

func (w *warehouse) StoredClocks(_ context.Context, keys []event.Key) (map[event.Key][]sla.Clock, error) {
	out := map[event.Key][]sla.Clock{}
	for _, k := range keys {
		out[k] = slices.Clone(w.clocks[k])
	}
	return out, w.flaky()
}

func (w *warehouse) ChangedRows(context.Context, []tracker.Row) (map[event.Key]bool, error) {
	return map[event.Key]bool{}, w.flaky()
}

func (w *warehouse) Do(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func (w *warehouse) Upsert(ctx context.Context, rows []tracker.Row) error {
	if w.dieIn--; w.dieIn == 0 {
		w.die()
		if !w.wrote {
			return ctx.Err()
		}
	}
	for i := range rows {
		w.writes++
		w.clocks[rows[i].Key] = rows[i].Clocks
	}
	return ctx.Err()
}

// world draws calls and tickets of two centres, with clocks as an old policy gave them.
func world(t *rapid.T) *warehouse {
	w := &warehouse{events: map[event.Key][]*event.Event{}, clocks: map[event.Key][]sla.Clock{}}
	for i := range rapid.IntRange(0, 40).Draw(t, "cases") {
		k := event.Key{
			Center: rapid.SampledFrom([]string{"35.15", "35.78"}).Draw(t, "centre"), Kind: event.KindCall, ID: fmt.Sprint(i),
		}
		e := &event.Event{
			Source: "s", ID: "1", Type: event.CallReceived, Kind: k.Kind, Subject: k.ID, Center: k.Center, OccurredAt: start,
		}
		if rapid.Bool().Draw(t, "ticket") {
			k.Kind, e.Kind, e.Type, e.Calls = event.KindTicket, event.KindTicket, event.TicketOpened, []string{fmt.Sprint(i / 2)}
		}
		w.events[k] = []*event.Event{e}
		if rapid.IntRange(0, 3).Draw(t, "row") > 0 {
			w.clocks[k] = []sla.Clock{judged(k, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version"))}
		}
	}
	return w
}

func judged(k event.Key, version string) sla.Clock {
	c := clock(version, time.Duration(len(k.ID))*time.Hour, 0)
	c.Key = k
	return c
}

func (w *warehouse) clone() *warehouse {
	return &warehouse{events: w.events, clocks: maps.Clone(w.clocks)}
}

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

func runner(t fataler, disk *disktest.FS, w *warehouse, basis string) *Runner {
	r, err := New(Config{
		Dir: "/data", FS: disk.Process(), Connect: func() (Database, Writer, bool) { return w, w, true },
		Fold: func(l tracker.Loaded, calls []tracker.Loaded) (tracker.Row, []*event.Event) {
			row := tracker.Row{Key: l.Key, Clocks: []sla.Clock{judged(l.Key, "2")}}
			if l.Key.Kind == event.KindCall {
				c := casefile.FoldCall(l.Key, l.Events, l.Tickets)
				row.Call = &c
			} else {
				k := casefile.FoldTicket(l.Key, l.Events, casefile.CallFacts{})
				row.Ticket = &k
			}
			return row, l.Events
		},
		Centers: []string{"35.15"}, Location: func(string) *time.Location { return time.UTC }, Basis: basis,
		Now: time.Now, Log: slog.New(slog.DiscardHandler), PortionCases: 3, PageCases: 7, RetryAfter: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// untilRest starts a rebuild and runs it until it is done, or the process has died.
func untilRest(t fataler, disk *disktest.FS, w *warehouse, basis string, spec Spec) Job {
	r := runner(t, disk, w, basis)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.die = func() {
		if w.powerLoss {
			disk.PowerLoss()
		} else {
			disk.Kill()
		}
		cancel() // what still runs can keep nothing
	}
	if _, err := r.Start(ctx, spec); err != nil {
		t.Fatal(err)
	}
	<-r.wake
	r.work(ctx)
	j, err := r.Get("")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A long chain of merged tickets is read once a portion, and of each ticket no further than a chain takes effect: the
// writer waits meanwhile, and live data with it.
func TestALongChainIsReadOnce(t *testing.T) {
	w := &warehouse{events: map[event.Key][]*event.Event{}, clocks: map[event.Key][]sla.Clock{}}
	const tickets = 200
	var keys []event.Key
	for i := range tickets {
		k := event.Key{Center: "35.15", Kind: event.KindTicket, ID: fmt.Sprintf("T%03d", i)}
		w.events[k] = []*event.Event{{
			ID: k.ID, Source: "s", Kind: k.Kind, Type: event.TicketMerged, Center: k.Center, Subject: k.ID,
			Master: fmt.Sprintf("T%03d", (i+1)%tickets), OccurredAt: time.Unix(1e9, 0), ReceivedAt: time.Unix(1e9, 0),
		}}
		keys = append(keys, k)
	}
	r := runner(t, memory(t), w, "1")
	for _, portion := range []int{tickets, 20, 1} {
		w.grouped = 0
		rows, err := r.fold(t.Context(), w, keys[:portion])
		if err != nil || len(rows) != portion {
			t.Fatalf("%d rows of %d: %v", len(rows), portion, err)
		}
		if w.grouped > 24 {
			t.Errorf("a portion of %d tickets asked %d times, want at most 24", portion, w.grouped)
		}
	}
}

// Whatever fails and however often the process dies, with its last rows written or not: the rows are those of an
// undisturbed run, and so are the counts.
func TestARebuildThatIsInterruptedEqualsOneThatIsNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		calm := world(t)
		calmDisk, roughDisk, dryDisk := memory(t), memory(t), memory(t)
		rough := calm.clone()
		dry := calm.clone()
		want := untilRest(t, calmDisk, calm, "b", Spec{})
		if d := untilRest(t, dryDisk, dry, "b", Spec{DryRun: true}); dry.writes != 0 ||
			!gocmp.Equal(d.Findings, want.Findings) {
			t.Fatalf("a dry run wrote %d rows and found %+v, want %+v", dry.writes, d.Findings, want.Findings)
		}
		var got Job
		for round := range 100 {
			rough.dieIn, rough.wrote, rough.powerLoss, rough.fail = 0, rapid.Bool().Draw(t, "wrote"),
				rapid.Bool().Draw(t, "power loss"), rapid.IntRange(0, 2).Draw(t, "fail")
			if round < 10 {
				rough.dieIn = rapid.IntRange(1, 4).Draw(t, "die")
			}
			got = untilRest(t, roughDisk, rough, "b", Spec{})
			if got.Status == Done {
				break
			}
		}
		if got.Status != Done || got.Done != want.Done || got.Total != want.Total || got.ID == "" {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		if d := gocmp.Diff(want.Findings, got.Findings); d != "" {
			t.Fatalf("findings (-want +got):\n%s", d)
		}
		if d := gocmp.Diff(calm.clocks, rough.clocks); d != "" {
			t.Fatalf("rows (-want +got):\n%s", d)
		}
		if again := untilRest(t, roughDisk, rough, "b", Spec{}); again.Cases != 0 || again.ID == got.ID ||
			again.Done != want.Done {
			t.Fatalf("a second rebuild changed %d cases of %d", again.Cases, again.Done)
		}
	})
}

func memory(t fataler) *disktest.FS {
	fs := disktest.New(1)
	if err := fs.MkdirAll("/data", 0o700); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestOtherRulesStartFromTheBeginning(t *testing.T) {
	w := &warehouse{events: map[event.Key][]*event.Event{}, clocks: map[event.Key][]sla.Clock{}}
	for i := range 12 {
		k := event.Key{Center: "35.15", Kind: event.KindCall, ID: fmt.Sprint(i)}
		w.events[k] = []*event.Event{{
			Source: "s", ID: "1", Type: event.CallReceived, Kind: k.Kind, Subject: k.ID, Center: k.Center, OccurredAt: start,
		}}
	}
	w.dieIn, w.wrote = 2, true
	dir := memory(t)
	first := untilRest(t, dir, w, "old rules", Spec{})
	if first.Status != Stopped || first.Done != 3 {
		t.Fatalf("%+v", first)
	}
	// Another request takes the place of a stopped one; the same under other rules begins again.
	r := runner(t, dir, w, "new rules")
	if _, err := r.Start(context.Background(), Spec{Centers: []string{"9.9"}}); !errors.As(err, new(*SpecError)) {
		t.Fatalf("an unknown centre: %v", err)
	}
	if _, err := r.Start(context.Background(), Spec{Since: "2026-11-01", Until: "2026-10-01"}); !errors.As(err,
		new(*SpecError)) {
		t.Fatalf("an empty period: %v", err)
	}
	connect := r.cfg.Connect
	r.cfg.Connect = func() (Database, Writer, bool) { return nil, nil, false }
	if _, err := r.Start(context.Background(), Spec{Since: "2026-11-01", Until: "2026-10-01"}); !errors.As(err,
		new(*SpecError)) {
		t.Fatalf("an empty period while ClickHouse is away: %v", err)
	}
	r.cfg.Connect = connect
	j, err := r.Start(context.Background(), Spec{})
	if err != nil || j.Restarted != 1 || j.Done != 0 || j.ID == first.ID {
		t.Fatalf("%+v, %v", j, err)
	}
	if same, err := r.Start(context.Background(), Spec{}); err != nil || same.ID != j.ID {
		t.Fatalf("asking twice: %+v, %v", same, err)
	}
	if _, err := r.Start(context.Background(), Spec{DryRun: true}); !errors.Is(err, ErrBusy) {
		t.Fatalf("another beside it: %v", err)
	}
	if j, err = r.Stop(j.ID); err != nil || j.Status != Stopped {
		t.Fatalf("%+v, %v", j, err)
	}
	if _, err := r.Get("other"); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
}
