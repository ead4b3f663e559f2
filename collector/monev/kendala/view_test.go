package kendala

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// openSink returns a sink with the schema, and the name of its database.
func openSink(t *testing.T) (*store.Sink, string) {
	t.Helper()
	addr, password := enginetest.Start(t)
	database := enginetest.Database(t)
	s, err := store.Open(t.Context(), store.Config{Addr: addr, Password: password, Database: database,
		Location: func(string) *time.Location { return wib }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &store.Sink{Store: s, Boards: []string{"35.15"},
		Scope: func(_, opd string) string { return scopeOf(opd) }}, database
}

var targets = store.FigureTargets{Answer: 15, Short: 5}

// One definition of causes: of random facts, now and as of an instant, the views say what the pure function says of the
// same facts folded from the events that had happened, and of the facts that the store reads back; and the causes of
// each indicator, OPD and scope add up to what the measures count as failing.
func TestViewsAndFunctionAgree(t *testing.T) {
	s, database := openSink(t)
	book := defaultBook(t)
	f := draw(rand.New(rand.NewPCG(16, 3)))
	if err := s.InsertEvents(t.Context(), f.all(), ""); err != nil {
		t.Fatal(err)
	}
	rows := f.rows(book)
	if err := s.Upsert(t.Context(), slices.Clone(rows), 1); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	seen := map[string]int{}
	for _, asOf := range []time.Time{{}, monthSince.Add(101*time.Hour + 13*time.Minute)} {
		r := store.CauseRange{Center: "35.15", Since: monthSince, Until: monthUntil, Targets: targets, AsOf: asOf}
		at, had, folded := now, f, rows
		if !asOf.IsZero() {
			at, had = asOf, f.until(asOf)
			folded = begun(had.rows(book), rows, asOf)
		}
		want, decided := Late(had.facts(folded, monthSince, monthUntil, at), targets)
		view, err := s.CauseCases(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, view); d != "" {
			t.Errorf("as of %s: the view differs from the folded facts: %s", asOf, d)
		}
		facts, err := s.CauseFacts(t.Context(), r, now)
		if err != nil {
			t.Fatal(err)
		}
		if read, n := Late(facts, targets); cmp.Diff(view, read) != "" || cmp.Diff(decided, n) != "" {
			t.Errorf("as of %s: the facts as read give something else: %s%s", asOf, cmp.Diff(view, read), cmp.Diff(decided, n))
		}
		counts, err := s.CauseCounts(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		checkCounts(t, counts, view, decided)
		if asOf.IsZero() {
			checkMonths(t, s, view, decided)
		}
		for _, c := range view {
			if seen[c.Cause]++; c.Stated != "" {
				seen["stated"]++
			}
		}
	}
	// No cause and no check reads a roll-up, which lags behind the cases while they are stored.
	conn, err := clickhouse.Open(enginetest.Options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, rollup := range []string{"calls_hourly", "calls_daily", "clocks_daily", "tickets_daily"} {
		if err := conn.Exec(t.Context(), "TRUNCATE TABLE "+database+"."+rollup); err != nil {
			t.Fatal(err)
		}
	}
	r := NewRunner(s.Store, directory.MustLoad("directory.yaml", deploy.Directory), time.Now)
	checkResult(t, r, Request{Month: "2026-10", OPD: "dishub", Check: true})
	checkResult(t, r, Request{Month: "2026-10", Check: true})
	for _, cause := range slices.Concat(CallCauses(), TicketCauses(), []string{"stated"}) {
		if seen[cause] == 0 {
			t.Errorf("no case has the cause %s: the test shows nothing of it (%v)", cause, seen)
		}
	}
}

// checkMonths compares what OPDs are shown of the month with the cases of their clocks.
func checkMonths(t *testing.T, s *store.Sink, view []store.CauseCase, decided map[Group]int) {
	t.Helper()
	late := map[Group]int{}
	for _, c := range view {
		late[Group{c.Indicator, c.Scope, c.OPD}]++
	}
	for opd, scope := range map[string]string{"dishub": sla.ScopeOwn, "pln": sla.ScopeVertical} {
		months, err := s.OPDMonths(t.Context(), "35.15", []string{opd}, monthSince, monthUntil)
		if err != nil || len(months) < 3 {
			t.Fatalf("%s: %+v %v", opd, months, err)
		}
		for _, m := range months {
			g := Group{m.Clock, scope, opd}
			if !m.Month.Equal(monthSince) || int(m.Denominator) != decided[g] || int(m.Denominator-m.Numerator) != late[g] {
				t.Errorf("%+v, want %d late of %d", m, late[g], decided[g])
			}
		}
	}
}

// checkResult asks for a month as the service does, and for a check of it.
func checkResult(t *testing.T, r *Runner, q Request) {
	t.Helper()
	got, err := r.Result(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got.Check.Differences != 0 || got.Check.Cases < 100 || got.Check.Counts < 20 {
		t.Errorf("%+v: %+v", q, got.Check)
	}
	if n := len(got.Indicators); n < 4 {
		t.Errorf("%+v: %d indicators", q, n)
	}
	for _, i := range got.Indicators {
		var n, most uint64
		for _, c := range i.Causes {
			n, most = n+c.N, max(most, c.N)
			said := uint64(0)
			for _, k := range c.Stated {
				said += k
			}
			if c.Word == "" || len(c.Examples) == 0 || c.OPDName == "" || said > c.N {
				t.Errorf("%s: %+v", i.Indicator, c)
			}
		}
		if n != i.Late || i.Late > i.N || i.Late > 0 && i.Of(i.Largest).N != most {
			t.Errorf("%s: the causes add up to %d of %d late; the largest is %s", i.Indicator, n, i.Late, i.Largest)
		}
	}
}

// begun leaves out the cases that had not begun at an instant, as they are known today.
func begun(rows, today []tracker.Row, at time.Time) []tracker.Row {
	began := map[any]bool{}
	for _, r := range today {
		if r.Call != nil {
			began[r.Key] = !r.Call.At().After(at) && !r.Call.Test()
		} else {
			began[r.Key] = !r.Ticket.At().After(at)
		}
	}
	return slices.DeleteFunc(rows, func(r tracker.Row) bool { return !began[r.Key] })
}

// checkCounts compares monev_kendala with the cases it counts, and with the cases that were decided.
func checkCounts(t *testing.T, counts []store.CauseCount, cases []store.CauseCase, decided map[Group]int) {
	t.Helper()
	sums, failing := map[Group]int{}, map[Group]int{}
	for _, c := range cases {
		failing[Group{c.Indicator, c.Scope, c.OPD}]++
	}
	for _, c := range counts {
		g := Group{c.Indicator, c.Scope, c.OPD}
		sums[g] += int(c.Numerator)
		if int(c.Denominator) != failing[g] || int(c.N) != decided[g] {
			t.Errorf("%v: %d of %d failed, want %d of %d", g, c.Denominator, c.N, failing[g], decided[g])
		}
	}
	if d := cmp.Diff(failing, sums); d != "" || len(sums) < 10 {
		t.Errorf("the causes do not add up to the failing cases: %s", d)
	}
	if failing[Group{Answer, sla.ScopeOwn, ""}] == 0 {
		t.Error("no call was late")
	}
}
