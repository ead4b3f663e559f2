package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// outcomes counts the clocks of tickets by the roll-up, and directly.
func outcomes(t *testing.T, s *Store) (rolled, direct []string) {
	t.Helper()
	const order = "clock, day, opd, scope, met, stopped_late, open_late, undecided, unobserved FROM "
	rolled = lines(t, s, "SELECT center, "+order+"clock_outcomes ORDER BY ALL")
	direct = lines(t, s, "SELECT center, "+order+`(
			SELECT center, clock, assumeNotNull(day) AS day, ifNull(c.opd, '')::String AS opd, ifNull(c.scope, 'own')::String AS
			scope,
				countIf(state = 'met') AS met, countIf(state = 'breached' AND stopped_at IS NOT NULL) AS stopped_late,
				countIf(state = 'breached' AND stopped_at IS NULL) AS open_late, countIf(state IN ('running', 'paused')) AS
				undecided, countIf(state = 'unobserved') AS unobserved
			FROM clocks_now AS c WHERE subject_kind = 'ticket' AND NOT void AND day IS NOT NULL
			GROUP BY center, clock, day, opd, scope
		) ORDER BY ALL`)
	return rolled, direct
}

// intervals gives the figures of the intervals of tickets by the roll-up, and directly.
func intervals(t *testing.T, s *Store) (rolled, direct []string) {
	t.Helper()
	const args = "(since = '2000-01-01', until = '2100-01-01', step = 'month')"
	rolled = lines(
		t, s, "SELECT center, period, interval, scope, opd, n, denominator, coverage, median, p90, p95, round(mean, 6) AS "+
			"mean FROM monev_intervals_opd"+args+" ORDER BY ALL")
	direct = lines(t, s, `SELECT center, period, interval, scope, opd, n, denominator, n / denominator AS coverage,
			if(n = 0, NULL, sorted[intDiv(n * 50 + 99, 100)]) AS median, if(n = 0, NULL, sorted[intDiv(n * 90 + 99, 100)]) AS
			p90,
			if(n = 0, NULL, sorted[intDiv(n * 95 + 99, 100)]) AS p95, if(n = 0, NULL, round(total / n, 6)) AS mean
		FROM
		(
			SELECT center, toStartOfMonth(assumeNotNull(day)) AS period, interval, scope, opd, count(seconds) AS n, count() AS
			denominator,
				arraySort(groupArray(seconds)) AS sorted, sum(ifNull(seconds, 0)) AS total
			FROM case_intervals WHERE opd != '' AND day IS NOT NULL GROUP BY center, period, interval, scope, opd
		) ORDER BY ALL`)
	return rolled, direct
}

// late gives the late clocks and the open tickets by the roll-ups, and directly.
func late(t *testing.T, s *Store) (rolled, direct []string) {
	t.Helper()
	const clocks = "center, clock, due_at, breach_at, level, "
	const tickets = "center, day, id, category, priority, kecamatan, last_event_at, "
	for _, sql := range []string{clocks + "ticket FROM clocks_late", tickets + "opd, scope FROM tickets_open"} {
		rolled = append(rolled, lines(t, s, "SELECT "+sql+" ORDER BY ALL")...)
	}
	for _, sql := range []string{
		clocks + "subject FROM clocks_now WHERE subject_kind = 'ticket' AND overdue AND stopped_at IS NULL",
		strings.NewReplacer("category", "ifNull(category, '') AS c", "priority", "ifNull(priority, '') AS p",
			"kecamatan", "ifNull(kecamatan, '') AS k").Replace(tickets) +
			"ifNull(opd, '') AS o, ifNull(t.scope, 'own') FROM tickets_now AS t WHERE open AND day IS NOT NULL",
	} {
		direct = append(direct, lines(t, s, "SELECT "+sql+" ORDER BY ALL")...)
	}
	return rolled, direct
}

// Whatever moves, stops, becomes void, changes its OPD, comes late or twice: the days say what the clocks say.
func TestDaysFollowTheirClocks(t *testing.T) {
	s := openSink(t)
	draw := rand.New(rand.NewPCG(7, 11))
	now := time.Now().UTC().Truncate(time.Millisecond)
	pick := func(list ...string) string { return list[draw.IntN(len(list))] }
	row := func() tracker.Row {
		key := ticketKey(fmt.Sprint(draw.IntN(12)))
		key.Center = pick("35.15", "35.78")
		opened := now.Add(-time.Duration(draw.IntN(96)) * time.Hour)
		ticket := &casefile.Ticket{
			Key: key, State: casefile.Opened, OpenedAt: opened, OPD: pick("", "dishub", "pln"), Events: 1,
		}
		if draw.IntN(3) > 0 {
			ticket.ReceivedAt, ticket.ResolvedAt = opened, opened.Add(time.Duration(draw.IntN(1000)-100)*time.Second)
			ticket.ArrivedAt = ticket.ResolvedAt
		}
		if draw.IntN(6) == 0 {
			ticket.State = casefile.Merged
		}
		r := tracker.Row{Key: key, Ticket: ticket}
		for _, name := range []string{sla.Acknowledge, sla.Resolve} {
			for seq := range draw.IntN(3) {
				started := now.Add(-time.Duration(draw.IntN(96)) * time.Hour)
				c := sla.Clock{
					Key: key, Name: name, Seq: seq + 1, OPD: pick("", "dishub", "pln"), StartedAt: started, Void: draw.IntN(5) == 0,
					Unobserved: draw.IntN(5) == 0, Sources: "pbx",
				}
				c.Scope = map[string]string{"": "", "dishub": "own", "pln": "vertical"}[c.OPD]
				if draw.IntN(6) > 0 {
					c.DueAt = started.Add(time.Duration(draw.IntN(200)-20) * time.Hour)
					c.BreachAt = c.DueAt
				}
				switch draw.IntN(3) {
				case 0:
					c.StoppedAt = started.Add(time.Duration(draw.IntN(100)) * time.Hour)
				case 1:
					c.StoppedAt = now.Add(time.Hour) // a clock of the source that runs ahead
				}
				r.Clocks = append(r.Clocks, c)
			}
		}
		return r
	}
	var last []tracker.Row
	stored := map[event.Key]bool{}
	for step := range 18 {
		rows := last // a batch that is sent again
		if step%6 != 5 {
			rows = nil
			seen := map[string]bool{}
			for range 1 + draw.IntN(6) {
				if r := row(); !seen[r.Key.Center+r.Key.ID] {
					seen[r.Key.Center+r.Key.ID] = true
					r.New = !stored[r.Key]
					rows = append(rows, r)
				}
			}
		}
		if err := s.Upsert(t.Context(), rows, uint64(step+1)); err != nil {
			t.Fatal(err)
		}
		last = rows
		for i := range rows {
			stored[rows[i].Key] = true
		}
		rolled, direct := outcomes(t, s.Store)
		if d := cmp.Diff(direct, rolled); d != "" {
			t.Fatalf("after step %d: %s", step, d)
		}
		rolled, direct = intervals(t, s.Store)
		if d := cmp.Diff(direct, rolled); d != "" {
			t.Fatalf("intervals after step %d: %s", step, d)
		}
		rolled, direct = late(t, s.Store)
		if d := cmp.Diff(direct, rolled); d != "" || len(direct) == 0 {
			t.Fatalf("late after step %d: %s", step, d)
		}
	}
	if rolled, _ := outcomes(t, s.Store); len(rolled) < 8 {
		t.Errorf("only %d groups", len(rolled))
	}
}

// What runs is judged when it is asked for: a clock whose due time passes becomes late without any event.
func TestClockBecomesLateByItself(t *testing.T) {
	s := openSink(t)
	due := time.Now().UTC().Truncate(time.Millisecond).Add(4 * time.Second)
	key := ticketKey("a")
	r := tracker.Row{Key: key,
		Ticket: &casefile.Ticket{Key: key, State: casefile.Opened, OpenedAt: due.Add(-time.Hour), Events: 1},
		Clocks: []sla.Clock{{
			Key: key, Name: sla.Resolve, Seq: 1, OPD: "dishub", Scope: "own", StartedAt: due.Add(-time.Hour), DueAt: due,
			BreachAt: due,
		}}}
	if err := s.Upsert(t.Context(), []tracker.Row{r}, 1); err != nil {
		t.Fatal(err)
	}
	for {
		before := time.Now()
		got := lines(t, s.Store, "SELECT open_late, undecided FROM clock_outcomes")
		after := time.Now()
		switch {
		case after.Before(due) && !cmp.Equal(got, []string{"0 1"}),
			before.After(due.Add(time.Second)) && !cmp.Equal(got, []string{"1 0"}):
			t.Fatalf("%s before it is due: %q", due.Sub(after), got)
		case before.After(due.Add(time.Second)):
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// A process that dies after it moved a clock and before it recomputed the day leaves the day to the next one.
func TestDaysLeftByAProcessThatDied(t *testing.T) {
	s := openSink(t)
	s.setRunning(true) // nothing is recomputed by Upsert
	key := ticketKey("a")
	r := tracker.Row{Key: key, Ticket: &casefile.Ticket{Key: key, State: casefile.Opened, OpenedAt: clockStart, Events: 1},
		Clocks: []sla.Clock{{
			Key: key, Name: sla.Resolve, Seq: 1, StartedAt: clockStart, DueAt: clockStart, BreachAt: clockStart,
		}}}
	if err := s.Upsert(t.Context(), []tracker.Row{r}, 1); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		next := &Sink{Store: s.Store}
		if err := next.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		rolled, direct := outcomes(t, s.Store)
		if d := cmp.Diff(direct, rolled); d != "" || len(rolled) != 1 {
			t.Errorf("%d groups: %s", len(rolled), d)
		}
	}
	if left, _, err := s.pendingPeriods(t.Context(), daily); err != nil || len(left) != 0 {
		t.Errorf("pending %v, %v", left, err)
	}
}
