package store

import (
	"errors"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

func TestAFrozenMonthStands(t *testing.T) {
	s := openSink(t)
	month, targets := at("2026-10-15 00:00:00"), FigureTargets{Answer: 15, Short: 5}
	call := casefile.Call{Key: callKey("a"), ReceivedAt: at("2026-10-05 00:00:00"), AnsweredAt: at("2026-10-05 00:00:09"), Class: "normal", Events: 1}
	ticket := casefile.Ticket{Key: ticketKey("a"), OPD: "bpbd", State: casefile.Arrived, ReceivedAt: call.ReceivedAt, OpenedAt: call.AnsweredAt, ArrivedAt: at("2026-10-05 00:10:00"), Events: 1}
	due := at("2026-10-05 00:15:00")
	row := ticketOf(ticket)
	row.Clocks = []sla.Clock{{Key: ticket.Key, Name: sla.Arrive, Seq: 1, OPD: "bpbd", Scope: "own", StartedAt: call.ReceivedAt, DueAt: due, BreachAt: due, StoppedAt: ticket.ArrivedAt}}
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(call), row}, 1); err != nil {
		t.Fatal(err)
	}
	frozen, err := s.Freeze(t.Context(), "35.15", month, targets, at("2026-11-01 01:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	if len(frozen) < 15 {
		t.Errorf("only %d figures", len(frozen))
	}
	if kept, err := s.Frozen(t.Context(), "35.15", month); err != nil || len(Differences(kept, frozen)) != 0 || len(kept) != len(frozen) {
		t.Errorf("kept %d of %d figures, %v", len(kept), len(frozen), err)
	}
	// The call turns out to be a prank.
	call.Class = "prank"
	if err := s.Upsert(t.Context(), []tracker.Row{callRow(call)}, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Freeze(t.Context(), "35.15", month, targets, time.Now()); !errors.Is(err, ErrFrozen) {
		t.Errorf("frozen twice: %v", err)
	}
	now, err := s.Figures(t.Context(), "35.15", month, targets)
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string]bool{}
	for _, d := range Differences(frozen, now) {
		changed[d.Now.Name+" "+d.Now.Dims] = true
	}
	for _, want := range []string{"hoax measure=rasio_hoaks", "hoax measure=rasio_non_darurat", "funnel stage=hoax", "funnel stage=none"} {
		if !changed[want] {
			t.Errorf("no difference in %s", want)
		}
		delete(changed, want)
	}
	if len(changed) != 0 {
		t.Errorf("also changed: %v", changed)
	}
}

func TestDifferencesOfMissingFigures(t *testing.T) {
	one := 1.0
	a, b, c := Figure{Name: "a"}, Figure{Name: "b", Value: &one}, Figure{Name: "b", Dims: "x"}
	got := Differences([]Figure{a, b}, []Figure{b, c})
	if len(got) != 2 || got[0].Frozen.Name != "a" || got[0].Now != nil || got[1].Frozen != nil || got[1].Now.Dims != "x" {
		t.Errorf("got %+v", got)
	}
	b2 := b
	b2.Value = nil
	if len(Differences([]Figure{b}, []Figure{b2})) != 1 {
		t.Error("a lost value is no difference")
	}
}
