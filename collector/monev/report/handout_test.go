package report

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/store"
)

// frozenDatabase has one frozen month, of which nothing came in since.
type frozenDatabase struct {
	Database
	figures []store.Figure
}

func (d *frozenDatabase) FlushRollups(context.Context) error { return nil }

func (d *frozenDatabase) Frozen(_ context.Context, center string, m time.Time) (*store.Freeze, error) {
	if !m.Equal(firstDay) {
		return nil, nil
	}
	return &store.Freeze{Center: center, Month: m, Revision: 1, DefinitionVersion: store.DefinitionVersion,
		FrozenAt: time.Date(2023, 11, 1, 0, 0, 0, 0, time.UTC), Figures: d.figures}, nil
}

func (d *frozenDatabase) Indicators(context.Context, string, time.Time, time.Time, store.FigureTargets) (
	[]store.MonthFigure, error) {
	return nil, nil
}

func (d *frozenDatabase) FrozenIndicators(context.Context, string, time.Time, time.Time) ([]store.FrozenFigure, error) {
	return nil, nil
}

func (d *frozenDatabase) Information(context.Context, store.InformationRange, string) ([]store.InformationMeasure, error) {
	return nil, nil
}

func (d *frozenDatabase) InformationTopics(context.Context, store.InformationRange) ([]store.InformationTopic, error) {
	return nil, nil
}

func (d *frozenDatabase) LateCases(context.Context, string, time.Time, time.Time) (uint64, map[string]uint64, error) {
	return 0, nil, nil
}

func (d *frozenDatabase) ClockBases(context.Context, string, time.Time, time.Time, time.Time) ([]store.ClockBasis, error) {
	return nil, nil
}

// Looking hands nothing out: who may only read gets a draft that says so, until somebody who may has handed out.
func TestAReaderHandsNothingOut(t *testing.T) {
	r, now := newMaker(t, slog.New(slog.DiscardHandler))
	ask := func(q Request) *Result {
		q.Month = "2023-10"
		a, err := r.Report(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	draft := ask(Request{By: "pembaca"})
	if draft.Edition != nil || !draft.Report.Draft || draft.Report.Document("").Mark != "RANCANGAN" {
		t.Errorf("a reader gets %+v", draft.Edition)
	}
	if part := ask(Request{OPD: "dishub"}); part.Edition != nil || !part.Report.Draft {
		t.Error("a part of a draft is no draft")
	}
	first := ask(Request{By: "sekretariat", HandOut: true})
	if first.Edition == nil || first.Edition.By != "sekretariat" || first.Report.Draft || first.Report.Document("").Mark != "" {
		t.Fatalf("%+v", first)
	}
	again := ask(Request{By: "pembaca"})
	if again.Edition == nil || again.Edition.Number != 1 {
		t.Fatalf("what was handed out is not what a reader gets: %+v", again.Edition)
	}
	for _, format := range Formats {
		a, err := r.File(first, format)
		b, err2 := r.File(again, format)
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %v %v", format, err, err2)
		}
	}
	if told := r.Announcements(*now); len(told) != 1 || told[0].Edition != 1 {
		t.Errorf("leadership is told of %+v", told)
	}
}
