package report

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/simulate"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// The funnel of every month's report closes, is what the simulation made, and the months add up to what was published.
func TestTheFunnelOfAYearCloses(t *testing.T) {
	g, err := simulate.New(simulate.Sidoarjo2023, simulate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := simulatedRunner(t, g)
	made := g.Totals().Centers["35.15"]
	sum := map[string]float64{}
	for m := firstDay.AddDate(0, -9, 0); !m.After(firstDay); m = m.AddDate(0, 1, 0) {
		name := m.Format(monthLayout)
		figures, err := r.cfg.Database.Figures(t.Context(), "35.15", m, store.FigureTargets{Answer: 15, Short: 5}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		rep, closes := Model(Facts{Center: "35.15", Month: m, Figures: figures}, Settings{}, nil), 0.0
		received := float64(made.Months[name].Received - made.Months[name].Tests)
		for _, stage := range stageOrder {
			f := rep.figure("funnel", "stage="+stage)
			if f == nil || f.Denominator != received {
				t.Fatalf("%s: %s of %v, the simulation made %v calls", name, stage, f, received)
			}
			closes += f.Numerator
			sum[stage] += f.Numerator
		}
		if sum["received"] += received; closes != received {
			t.Errorf("%s: the stages add up to %v of %v calls", name, closes, received)
		}
	}
	want := map[string]float64{"received": 40318, "hoax": 32543, "own": 1597, "vertical": 6178, "centre": 0, "none": 0,
		"unclassified": 0, "unanswered": 0}
	if d := cmp.Diff(want, sum); d != "" {
		t.Error(d)
	}
	a, err := r.Report(t.Context(), Request{Month: firstDay.Format(monthLayout), Draft: true, Wait: makeFor})
	if err != nil {
		t.Fatal(err)
	}
	const sentence = "Pusat layanan menerima 4.295 panggilan."
	if text := words(t, a.Report.Document("")); !strings.Contains(text, sentence) {
		t.Errorf("the report of October does not say %q:\n%s", sentence, text)
	}
}

// simulatedRunner makes reports of what a simulation says, folded as the board does, without clocks.
func simulatedRunner(t *testing.T, g *simulate.Generator) *Runner {
	t.Helper()
	cases, tickets := map[event.Key][]*event.Event{}, map[string][]string{}
	for m := range g.All() {
		d := &m.Draft
		k := event.Key{Center: d.Center, Kind: d.Type.Kind(), ID: d.Subject}
		cases[k] = append(cases[k], &event.Event{Source: d.Source, ID: d.ID, Type: d.Type, Kind: k.Kind, Subject: k.ID,
			Center: k.Center, OccurredAt: d.Time.UTC(), ReceivedAt: d.Time.UTC(), Agent: d.Agent, Class: d.Class,
			Category: d.Category, Priority: d.Priority, OPD: d.OPD, Kecamatan: d.Kecamatan, Reason: d.Reason, Result: d.Result,
			Calls: d.Calls, WaitMS: d.WaitMS, Replaces: d.Replaces, Revision: d.Revision, Due: d.Due})
		for _, call := range d.Calls {
			tickets[call] = append(tickets[call], k.ID)
		}
	}
	var rows []tracker.Row
	calls := map[string]casefile.Call{}
	for k, list := range cases {
		if k.Kind == event.KindCall {
			c := casefile.FoldCall(k, list, slices.Compact(slices.Sorted(slices.Values(tickets[k.ID]))))
			calls[k.ID] = c
			rows = append(rows, tracker.Row{Key: k, Call: &c})
		}
	}
	for k, list := range cases {
		if k.Kind == event.KindTicket {
			var from casefile.CallFacts
			for _, id := range casefile.FoldTicket(k, slices.Clone(list), from).Calls {
				c := calls[id]
				from.Add(c.Facts())
			}
			c := casefile.FoldTicket(k, list, from)
			rows = append(rows, tracker.Row{Key: k, Ticket: &c})
		}
	}
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	addr, password := enginetest.Start(t)
	s, err := store.Open(t.Context(), store.Config{Addr: addr, Password: password, Database: enginetest.Database(t),
		Location: dir.Location})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	sink := &store.Sink{Store: s, Boards: []string{"35.15"},
		Scope: func(center, opd string) string { return string(dir.ScopeOf(center, opd)) }}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sink.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{DataDir: t.TempDir(), Database: sink, Prepared: func() bool { return true }, Directory: dir,
		Now: func() time.Time { return time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(fmt.Errorf("runner: %w", err))
	}
	return r
}
