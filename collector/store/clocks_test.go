package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/sla"
)

func TestClockStatesAtAnInstantAreThoseOfTheClock(t *testing.T) {
	s := open(t)
	gen := rapid.Custom(drawClock)
	clocks := make([]sla.Clock, 600)
	cases := make([]caseClocks, len(clocks))
	for i := range clocks {
		clocks[i] = gen.Example(i)
		clocks[i].Key, clocks[i].Name, clocks[i].Seq = ticketKey(fmt.Sprint(i)), sla.Resolve, 1
		cases[i] = caseClocks{Key: clocks[i].Key, Clocks: clocks[i : i+1], New: true}
	}
	if err := s.upsertClocks(t.Context(), cases, 1); err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{
		clockStart.Add(10 * time.Second), clockStart.Add(30 * time.Second), clockStart.Add(59 * time.Second),
	} {
		want, got := map[string]string{}, map[string]string{}
		for i := range clocks {
			c := &clocks[i]
			if !c.StartedAt.After(now) {
				want[c.Key.ID] = fmt.Sprint(c.State(now), " ", c.Overdue(now), " ", c.AtRisk(now))
			}
		}
		sql := "SELECT subject, state, overdue, level = 'risk' OR (level != '' AND state != 'breached') " +
			"FROM clocks_at(at = " + quote(now.Format("2006-01-02 15:04:05")) + ")"
		err := s.query(t.Context(), "test", sql, func(scan func(...any) error) error {
			var id, state string
			var overdue bool
			var risk uint8
			if err := scan(&id, &state, &overdue, &risk); err != nil {
				return err
			}
			got[id] = fmt.Sprint(state, " ", overdue, " ", risk == 1)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("at %s: %s", now, d)
		}
	}
}

var clockStart = at("2026-10-01 00:00:00")

func drawClock(t *rapid.T) sla.Clock {
	stamp := func(label string) time.Time {
		return clockStart.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, label)) * time.Second)
	}
	maybe := func(label string) time.Time {
		if rapid.Bool().Draw(t, label+" absent") {
			return time.Time{}
		}
		return stamp(label)
	}
	c := sla.Clock{
		Kind: sla.Elapsed, StartedAt: stamp("started"), DueAt: stamp("due"), StoppedAt: maybe("stopped"),
		RiskAt: maybe("risk"),
		Void:   rapid.IntRange(0, 9).Draw(t, "void") == 0, Unobserved: rapid.IntRange(0, 9).Draw(t, "unobserved") == 0,
	}
	c.BreachAt = c.DueAt
	if rapid.IntRange(0, 2).Draw(t, "paused") == 0 {
		c.PausedSince = stamp("paused since")
		c.PauseEndsAt = c.PausedSince.Add(20 * time.Second)
		c.BreachAt = c.BreachAt.Add(20 * time.Second)
	}
	return c
}

func TestClocksNowComparesWithNow(t *testing.T) {
	s := open(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	clock := func(id string, due time.Time, stopped time.Time) caseClocks {
		key := ticketKey(id)
		return caseClocks{Key: key,
			Clocks: []sla.Clock{{Key: key, Name: sla.Resolve, Seq: 1, StartedAt: now.Add(-48 * time.Hour), DueAt: due,
				BreachAt: due, RiskAt: due.Add(-2 * time.Hour), EscalatedAt: due.Add(12 * time.Hour),
				Escalated2At: due.Add(24 * time.Hour), StoppedAt: stopped}}}
	}
	err := s.upsertClocks(t.Context(), []caseClocks{
		clock("calm", now.Add(5*time.Hour), time.Time{}),
		clock("risk", now.Add(time.Hour), time.Time{}),
		clock("late", now.Add(-time.Hour), time.Time{}),
		clock("escalated", now.Add(-13*time.Hour), time.Time{}),
		clock("worst", now.Add(-25*time.Hour), time.Time{}),
		clock("met", now.Add(-time.Hour), now.Add(-time.Hour)), // stopped at the due time is in time
		clock("missed", now.Add(-2*time.Hour), now.Add(-time.Hour)),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(
		t, s, "SELECT subject, state, overdue, level, if(stopped, late_seconds, 0) FROM clocks_now ORDER BY subject")
	want := []string{
		"calm running false  0", "escalated breached true escalated 0", "late breached true overdue 0", "met met false  0",
		"missed breached false  3600", "risk running false risk 0", "worst breached true escalated2 0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A corrected assignment takes a clock away; a policy change takes all of a ticket's clocks away.
func TestClocksThatNoLongerApplyBecomeVoid(t *testing.T) {
	s := open(t)
	ack := func(seqs ...int) caseClocks {
		c := caseClocks{Key: ticketKey("a")}
		for _, seq := range seqs {
			c.Clocks = append(c.Clocks,
				sla.Clock{
					Key: c.Key, Name: sla.Acknowledge, Seq: seq, StartedAt: clockStart, DueAt: clockStart, BreachAt: clockStart,
				})
		}
		return c
	}
	other := caseClocks{
		Key: ticketKey("a'b"), Clocks: []sla.Clock{{Key: ticketKey("a'b"), Name: sla.Resolve, Seq: 1, StartedAt: clockStart}},
	}
	call := caseClocks{
		Key: callKey("a"), Clocks: []sla.Clock{{Key: callKey("a"), Name: sla.Answer, Seq: 1, StartedAt: clockStart}},
	}
	counting := func() []string {
		return lines(t, s, "SELECT subject_kind, subject, clock, seq FROM clocks_now WHERE NOT void ORDER BY ALL")
	}
	for i, step := range []struct {
		cases []caseClocks
		want  []string
	}{
		{[]caseClocks{ack(1, 2, 3), other, call},
			[]string{
				"call a answer 1", "ticket a acknowledge 1", "ticket a acknowledge 2", "ticket a acknowledge 3",
				"ticket a'b resolve 1",
			}},
		{[]caseClocks{ack(1)}, []string{"call a answer 1", "ticket a acknowledge 1", "ticket a'b resolve 1"}},
		{[]caseClocks{ack(1, 2)},
			[]string{"call a answer 1", "ticket a acknowledge 1", "ticket a acknowledge 2", "ticket a'b resolve 1"}},
		{[]caseClocks{ack(), {Key: callKey("a")}}, []string{"ticket a'b resolve 1"}},
	} {
		for range 2 { // a retry changes nothing
			if err := s.upsertClocks(t.Context(), step.cases, uint64(i+1)); err != nil {
				t.Fatal(err)
			}
		}
		if got := counting(); !slices.Equal(got, step.want) {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
