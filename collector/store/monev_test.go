package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// openSink gives a sink whose OPDs are of the regency but for pln and gas.
func openSink(t testing.TB) *Sink {
	t.Helper()
	return &Sink{Store: open(t), Boards: []string{"35.15"}, Scope: func(_, opd string) string {
		switch opd {
		case "pln":
			return "vertical"
		case "gas":
			return "unknown"
		}
		return "own"
	}}
}

func callRow(c casefile.Call) tracker.Row    { return tracker.Row{Key: c.Key, Call: &c} }
func ticketOf(t casefile.Ticket) tracker.Row { return tracker.Row{Key: t.Key, Ticket: &t} }

// Vector 2: ten offered, answered after 3 8 12 14 16 19 25 s, abandoned after 2 4 30 s.
func TestServiceLevel(t *testing.T) {
	s := openSink(t)
	start := at("2026-10-01 00:00:00")
	var rows []tracker.Row
	add := func(answered, abandoned int, change func(*casefile.Call)) {
		// The last ones fall into another hour of the same day.
		c := casefile.Call{
			Key: callKey(fmt.Sprint(len(rows))), ReceivedAt: start.Add(time.Duration(len(rows)*10) * time.Minute), Events: 3,
		}
		c.QueuedAt = c.ReceivedAt.Add(2 * time.Second)
		if answered > 0 {
			c.AnsweredAt = c.QueuedAt.Add(time.Duration(answered) * time.Second)
		}
		if abandoned > 0 {
			c.AbandonedAt = c.QueuedAt.Add(time.Duration(abandoned) * time.Second)
		}
		if change != nil {
			change(&c)
		}
		rows = append(rows, callRow(c))
	}
	for _, after := range []int{3, 8, 12, 14, 16, 19, 25} {
		add(after, 0, nil)
	}
	for _, after := range []int{2, 4, 30} {
		add(0, after, nil)
	}
	add(1, 0, func(c *casefile.Call) { c.Class = event.ClassUji })
	add(0, 0, func(c *casefile.Call) { c.BlockedAt = c.ReceivedAt })
	add(1, 0, func(c *casefile.Call) { c.Events = 0 })
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	query := func(target int) []string {
		return lines(t, s.Store, fmt.Sprintf(`SELECT measure, numerator, denominator, n, share FROM monev_service_level(
			since = '2026-10-01', until = '2026-10-02', step = 'day', target = %d, short = 5) ORDER BY measure`, target))
	}
	if d := cmp.Diff([]string{"ketat 4 10 10 0.4", "standar 4 8 10 0.5", "terjawab 4 7 10 0.5714"}, query(15)); d != "" {
		t.Error("T 15: ", d)
	}
	if d := cmp.Diff([]string{"ketat 6 10 10 0.6", "standar 6 8 10 0.75", "terjawab 6 7 10 0.8571"}, query(20)); d != "" {
		t.Error("T 20: ", d)
	}
	got := lines(t, s.Store, `SELECT interval, n, denominator, mean, median, p90, p95 FROM monev_intervals(
		since = '2026-10-01', until = '2026-10-02', step = 'all') WHERE interval = 'answer'`)
	if d := cmp.Diff([]string{"answer 7 7 13.8571 14 25 25"}, got); d != "" { // ASA 13.857 s
		t.Error(d)
	}
	if got := lines(t, s.Store,
		"SELECT sum(received), sum(offered), sum(blocked), count() FROM calls_hourly_now"); !cmp.Equal(got, []string{
		"11 10 1 2",
	}) {
		t.Errorf("rollup %q", got)
	}
	// A day on which nobody was measured has no share.
	err := s.Upsert(t.Context(),
		[]tracker.Row{callRow(casefile.Call{
			Key: callKey("x"), ReceivedAt: at("2026-10-05 00:00:00"), Class: "prank", Events: 1,
		})}, 2)
	if err != nil {
		t.Fatal(err)
	}
	got = lines(t, s.Store, `SELECT measure, numerator, denominator, share FROM monev_service_level(
		since = '2026-10-05', until = '2026-10-06', step = 'day', target = 15, short = 5) ORDER BY measure`)
	if d := cmp.Diff([]string{"ketat 0 1 -", "standar 0 1 -", "terjawab 0 0 -"}, got); d != "" {
		t.Error(d)
	}
}

// Vector 1: 40,318 = 32,543 + 1,597 + 6,178; rasio hoaks 80.7 %.
func TestFunnelCloses(t *testing.T) {
	s := openSink(t)
	start := at("2023-01-01 00:00:00")
	var rows []tracker.Row
	for i := range 40318 {
		id := fmt.Sprint(i)
		c := casefile.Call{
			Key: callKey(id), ReceivedAt: start.Add(time.Duration(i) * 10 * time.Minute), Class: "prank", Events: 3,
		}
		c.AnsweredAt = c.ReceivedAt.Add(9 * time.Second)
		ticket := func(opd string) {
			c.Class, c.Tickets = "normal", []string{"t" + id}
			rows = append(rows, ticketOf(casefile.Ticket{
				Key: ticketKey("t" + id), OPD: opd, State: casefile.Assigned, OpenedAt: c.AnsweredAt, Calls: []string{id},
				Events: 2,
			}))
		}
		switch {
		case i < 1597:
			ticket("dishub")
		case i < 1597+6178:
			ticket("pln")
		case i%7 == 0:
			c.Class = "prank_palsu"
		}
		rows = append(rows, callRow(c))
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	got := lines(t, s.Store,
		`SELECT stage, numerator, denominator FROM monev_funnel(since = '2023-01-01', until = '2023-11-01', step = 'all')
			WHERE numerator > 0 ORDER BY numerator DESC`)
	if d := cmp.Diff([]string{"hoax 32543 40318", "vertical 6178 40318", "own 1597 40318"}, got); d != "" {
		t.Error(d)
	}
	got = lines(
		t, s.Store, `SELECT measure, numerator, denominator, n, round(share, 3) FROM monev_hoax(since = '2023-01-01', until =
			'2023-11-01', step = 'all') ORDER BY measure`)
	if d := cmp.Diff([]string{
		"belum 0 40318 40318 0", "rasio_hoaks 32543 40318 40318 0.807", "rasio_non_darurat 32543 40318 40318 0.807",
	}, got); d != "" {
		t.Error(d)
	}
	// The months add up to the whole.
	if got := lines(t, s.Store,
		`SELECT sum(numerator), count() FROM monev_hoax(since = '2023-01-01', until = '2023-11-01', step = 'month') WHERE
			measure = 'rasio_hoaks'`); !cmp.Equal(got, []string{"32543 10"}) {
		t.Errorf("months %q", got)
	}
}

func TestEveryCallStandsInOneStage(t *testing.T) {
	s := openSink(t)
	start := at("2026-10-01 00:00:00")
	call := func(id, class string, tickets ...string) tracker.Row {
		return callRow(casefile.Call{
			Key: callKey(id), ReceivedAt: start, AnsweredAt: start.Add(time.Second), Class: class, Tickets: tickets, Events: 1,
		})
	}
	ticket := func(id, opd string, calls ...string) tracker.Row {
		return ticketOf(casefile.Ticket{
			Key: ticketKey(id), OPD: opd, State: casefile.Opened, OpenedAt: start, Calls: calls, Events: 1,
		})
	}
	rows := []tracker.Row{
		call("hoax with ticket", "prank_palsu", "own"), call("own", "normal", "own", "vertical"),
		call("vertical", "normal", "vertical"),
		call("centre", "normal", "none yet"), call("unknown OPD", "normal", "gas"), call("none", "informasi"),
		call("unclassified", "belum"),
		callRow(casefile.Call{Key: callKey("unanswered"), ReceivedAt: start, AbandonedAt: start.Add(time.Second), Events: 1}),
		ticket("own", "bpbd", "hoax with ticket", "own"), ticket("vertical", "pln", "own", "vertical"),
		ticket("none yet", "", "centre"), ticket("gas", "gas", "unknown OPD"),
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	want := []string{"centre 2 8", "hoax 1 8", "none 1 8", "own 1 8", "unanswered 1 8", "unclassified 1 8", "vertical 1 8"}
	got := lines(t, s.Store,
		`SELECT stage, numerator, denominator FROM monev_funnel(since = '2026-10-01', until = '2026-10-02', step = 'day')
			ORDER BY stage`)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := s.conn.Query(t.Context(),
		"SELECT * FROM monev_funnel(since = '2026-10-01', until = '2026-10-02', step = 'fortnight')"); err == nil {
		t.Error("an unknown step was accepted")
	}
}

// Vector 7: 23 of 25 on time is 92 %, 75-98 %; 9 of 10 is 60-98 %. Vertical agencies stand apart.
func TestOnTime(t *testing.T) {
	s := open(t)
	var cases []caseClocks
	add := func(opd, scope string, met, late, openLate, running int) {
		one := func(due, stopped time.Time) {
			key := ticketKey(fmt.Sprint(len(cases)))
			cases = append(cases, caseClocks{Key: key, New: true,
				Clocks: []sla.Clock{{Key: key, Name: sla.Resolve, Seq: 1, OPD: opd, Scope: scope,
					StartedAt: at("2026-10-01 00:00:00"), DueAt: due, BreachAt: due, StoppedAt: stopped}}})
		}
		due := at("2026-10-02 00:00:00")
		for range met {
			one(due, due)
		}
		for range late {
			one(due, due.Add(time.Millisecond))
		}
		for range openLate {
			one(due, time.Time{})
		}
		for range running {
			one(at("2200-01-01 00:00:00"), time.Time{})
		}
	}
	blind := ticketKey("blind")
	cases = append(cases, caseClocks{Key: blind, New: true, Clocks: []sla.Clock{{Key: blind, Name: sla.Resolve, Seq: 1,
		OPD: "satpolpp", Scope: "own", StartedAt: at("2026-10-01 00:00:00"), DueAt: at("2026-10-02 00:00:00"),
		BreachAt: at("2026-10-02 00:00:00"), Unobserved: true, Sources: "export"}}})
	add("bpbd", "own", 23, 1, 1, 4)
	add("dishub", "own", 9, 1, 0, 0)
	add("pln", "vertical", 1, 1, 0, 0)
	add("gas", "unknown", 1, 0, 0, 0)
	if err := s.upsertClocks(t.Context(), cases, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.RecomputeDays(t.Context(), []Period{s.dayOf(cases[0].Key.Center, at("2026-10-01 00:00:00"))},
		1); err != nil {
		t.Fatal(err)
	}
	const args = "(since = '2026-10-01', until = '2026-11-01', step = 'month')"
	got := lines(
		t, s, "SELECT opd, numerator, denominator, stopped_late, open_late, undecided, unobserved, share, round(low, 2), "+
			"round(high, "+
			"2) FROM monev_on_time"+args+" ORDER BY opd")
	if d := cmp.Diff([]string{"bpbd 23 25 1 1 4 0 0.92 0.75 0.98", "dishub 9 10 1 0 0 0 0.9 0.6 0.98",
		"satpolpp 0 0 0 0 0 1 - - -"}, got); d != "" {
		t.Error(d)
	}
	got = lines(t, s, "SELECT scope, opd, numerator, denominator FROM monev_on_time_outside"+args+" ORDER BY opd")
	if d := cmp.Diff([]string{"unknown gas 1 1", "vertical pln 1 2"}, got); d != "" {
		t.Error(d)
	}
}

func TestIntervalsKeepTheirCoverage(t *testing.T) {
	s := openSink(t)
	start := at("2026-10-01 00:00:00")
	var rows []tracker.Row
	for i := range 10 {
		tk := casefile.Ticket{
			Key: ticketKey(fmt.Sprint(i)), OPD: "damkar", State: casefile.Opened, ReceivedAt: start, OpenedAt: start, Events: 1,
		}
		switch {
		case i < 4:
			tk.ArrivedAt = start.Add(time.Duration(i+1) * 100 * time.Second)
		case i == 4:
			tk.ArrivedAt = start.Add(-time.Second) // contradicts: no interval, but a case
		case i == 5:
			tk.State = casefile.Merged // judged on its master
		}
		rows = append(rows, ticketOf(tk))
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	want := []string{"respond 4 9 0.4444 200 400 400 250"}
	for _, view := range []string{"monev_intervals", "monev_intervals_opd"} {
		got := lines(t, s.Store, `SELECT interval, n, denominator, coverage, median, p90, p95, mean FROM `+view+`(
			since = '2026-10-01', until = '2026-10-02', step = 'day') WHERE interval = 'respond'`)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", view, d)
		}
	}
}
