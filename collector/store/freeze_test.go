package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

func TestAFrozenMonthStands(t *testing.T) {
	s := openSink(t)
	month, targets := at("2026-10-15 00:00:00"), FigureTargets{Answer: 15, Short: 5}
	call := casefile.Call{
		Key: callKey("a"), ReceivedAt: at("2026-10-05 00:00:00"), AnsweredAt: at("2026-10-05 00:00:09"), Class: "normal",
		Events: 1,
	}
	ticket := casefile.Ticket{
		Key: ticketKey("a"), OPD: "bpbd", State: casefile.Arrived, ReceivedAt: call.ReceivedAt, OpenedAt: call.AnsweredAt,
		ArrivedAt: at("2026-10-05 00:10:00"), Events: 1,
	}
	due := at("2026-10-05 00:15:00")
	row := ticketOf(ticket)
	row.Clocks = []sla.Clock{{
		Key: ticket.Key, Name: sla.Arrive, Seq: 1, OPD: "bpbd", Scope: "own", StartedAt: call.ReceivedAt, DueAt: due,
		BreachAt: due, StoppedAt: ticket.ArrivedAt,
	}}
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(call), row}, 1); err != nil {
		t.Fatal(err)
	}
	figures, err := s.Figures(t.Context(), "35.15", month, targets, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if len(figures) < 20 {
		t.Errorf("only %d figures", len(figures))
	}
	frozenAt := at("2026-11-01 01:00:00")
	first := Freeze{
		Center: "35.15", Month: MonthStart(month), Revision: 1, DefinitionVersion: DefinitionVersion, FrozenAt: frozenAt,
		Figures: figures,
	}
	figures[0].Policies, figures[0].Parameters = []string{"p/1"}, "short=5"
	if err := s.KeepFrozen(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	kept, err := s.Frozen(t.Context(), "35.15", month)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&first, kept, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	frozen := kept.Figures
	// The call turns out to be a prank.
	call.Class = "prank"
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(call)}, 2); err != nil {
		t.Fatal(err)
	}
	now, err := s.Figures(t.Context(), "35.15", month, targets, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string]bool{}
	for _, d := range Differences(frozen, now) {
		changed[d.Now.Name+" "+d.Now.Dims] = true
	}
	for _, want := range []string{
		"hoax measure=rasio_hoaks", "hoax measure=rasio_non_darurat", "funnel stage=hoax", "funnel stage=none",
	} {
		if !changed[want] {
			t.Errorf("no difference in %s", want)
		}
		delete(changed, want)
	}
	if len(changed) != 0 {
		t.Errorf("also changed: %v", changed)
	}
	second := Freeze{
		Center: "35.15", Month: first.Month, Revision: 2, Reason: "a class was corrected", DefinitionVersion: "2",
		FrozenAt: at("2026-12-01 01:00:00"), Figures: now,
	}
	if err := s.KeepFrozen(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.conn.Query(t.Context(), "OPTIMIZE TABLE frozen FINAL"); err != nil {
		t.Fatal(err)
	}
	if kept, err = s.Frozen(t.Context(), "35.15", month); err != nil || kept.Revision != 2 ||
		kept.Reason != second.Reason || len(Differences(kept.Figures, now)) != 0 {
		t.Errorf("the second revision is %+v, %v", kept, err)
	}
	if got := lines(t, s.Store, "SELECT uniqExact(revision), count() FROM frozen"); !slices.Equal(got,
		[]string{fmt.Sprint("2 ", len(figures)+len(now))}) {
		t.Errorf("revisions and rows %v, want 2 and %d + %d", got, len(figures), len(now))
	}
	if got, err := s.FrozenMonths(t.Context(), "35.15"); err != nil || len(got) != 1 || !got[0].Equal(first.Month) {
		t.Errorf("frozen months %v, %v", got, err)
	}
	if none, err := s.Frozen(t.Context(), "35.15", at("2026-09-01 00:00:00")); none != nil || err != nil {
		t.Errorf("a month that was never frozen: %v, %v", none, err)
	}
}

func TestLateCasesAndClockBases(t *testing.T) {
	s := openSink(t)
	month, frozenAt := at("2026-10-01 00:00:00"), at("2026-11-01 00:00:00")
	clock := func(id string, due time.Time, stopped time.Time) tracker.Row {
		r := ticketOf(casefile.Ticket{
			Key: ticketKey(id), OPD: "bpbd", State: casefile.Assigned, OpenedAt: at("2026-10-05 00:00:00"), Events: 1,
		})
		r.Clocks = []sla.Clock{{Key: r.Key, Name: sla.Resolve, Seq: 1, OPD: "bpbd", Scope: "own", Policy: "p",
			PolicyVersion: "3", CalendarVersion: "id/2",
			StartedAt: at("2026-10-05 00:00:00"), DueAt: due, BreachAt: due, StoppedAt: stopped}}
		return r
	}
	call := casefile.Call{Key: callKey("c"), ReceivedAt: at("2026-10-05 00:00:00"), Tickets: []string{"linked"}, Events: 1}
	if err := s.Upsert(t.Context(), []tracker.Row{
		clock("calm", at("2026-12-05 00:00:00"), time.Time{}), clock("passed", at("2026-11-05 00:00:00"), time.Time{}),
		clock("late", at("2026-10-06 00:00:00"), at("2026-10-07 00:00:00")),
		clock("linked", at("2026-10-06 00:00:00"), at("2026-10-07 00:00:00")), callRow(call),
	}, 1); err != nil {
		t.Fatal(err)
	}
	came := func(kind event.Kind, subject string, received time.Time) *event.Event {
		e := *sample(1, 0)[0]
		e.Kind, e.Subject, e.ID, e.ReceivedAt = kind, subject, subject, received
		return &e
	}
	if err := s.InsertEvents(t.Context(), []*event.Event{
		came(event.KindTicket, "calm", frozenAt), came(event.KindTicket, "late", frozenAt.Add(time.Second)),
		came(event.KindCall, "c", frozenAt.Add(time.Hour)),
	}, "x"); err != nil {
		t.Fatal(err)
	}
	bases, err := s.ClockBases(t.Context(), "35.15", month, frozenAt, at("2026-11-20 00:00:00"))
	want := []ClockBasis{{
		Clock: "resolve", OPD: "bpbd", Scope: "own", Policies: []string{"p/3"}, Calendars: []string{"id/2"}, Late: 2,
		Passed: 1,
	}}
	if d := cmp.Diff(want, bases); d != "" || err != nil {
		t.Error(d, err)
	}
	calls, tickets, err := s.LateCases(t.Context(), "35.15", month, frozenAt)
	if d := cmp.Diff(map[string]uint64{"bpbd": 2}, tickets); d != "" || calls != 1 || err != nil {
		t.Error(calls, d, err)
	}
}

func TestDifferencesOfMissingFigures(t *testing.T) {
	one := 1.0
	a, b, c := Figure{Name: "a"}, Figure{Name: "b", Value: &one}, Figure{Name: "b", Dims: "x"}
	got := Differences([]Figure{a, b}, []Figure{b, c})
	if len(got) != 2 || got[0].Frozen.Name != "a" || got[0].Now != nil || got[1].Frozen != nil || got[1].Now.Dims != "x" {
		t.Errorf("got %+v", got)
	}
	b2, sum, other := b, 1+1e-15, 1+1e-6
	if b2.Value = &sum; len(Differences([]Figure{b}, []Figure{b2})) != 0 {
		t.Error("the order of a sum is a difference")
	}
	if b2.Value = &other; len(Differences([]Figure{b}, []Figure{b2})) != 1 {
		t.Error("a millionth is no difference")
	}
	b2.Value = nil
	if len(Differences([]Figure{b}, []Figure{b2})) != 1 {
		t.Error("a lost value is no difference")
	}
}
