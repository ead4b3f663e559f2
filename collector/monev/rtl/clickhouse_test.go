package rtl

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/event"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

func openStore(t *testing.T) (*store.Store, string) {
	t.Helper()
	addr, password := enginetest.Start(t)
	database := enginetest.Database(t)
	s, err := store.Open(t.Context(), store.Config{Addr: addr, Password: password, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, database
}

// What ClickHouse holds, sent in any order and twice, folds to the ledger of what was sent, and its own view says the
// same of each member.
func TestClickHouseHoldsTheLedger(t *testing.T) {
	s, database := openStore(t)
	conn, err := clickhouse.Open(enginetest.Options(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	changes := rapid.Custom(drawChanges)
	for i := range 12 {
		center := fmt.Sprintf("c%d", i)
		events := changes.Example(i)
		for _, e := range events {
			e.Center = center
		}
		sent := slices.Concat(events, events)
		slices.Reverse(sent)
		if err := s.InsertEvents(t.Context(), sent, ""); err != nil {
			t.Fatal(err)
		}
		read, err := s.OfficeEvents(t.Context(), center)
		if err != nil {
			t.Fatal(err)
		}
		want := Fold(events, wib)
		if diff := cmp.Diff(want, Fold(read, wib)); diff != "" {
			t.Errorf("(-sent +read back):\n%s", diff)
		}
		records, by := map[string]map[string]string{}, map[string]string{}
		for _, subject := range subjects(events) {
			now, h := fold(subject)
			name := subject[0].Kind.String() + "/" + subject[0].Subject
			records[name], by[name] = now, h.Last().By
		}
		rows, err := conn.Query(t.Context(),
			"SELECT concat(kind, '/', subject), record, changed_by FROM "+database+".office_now WHERE center = '"+center+"'")
		if err != nil {
			t.Fatal(err)
		}
		inView, byInView := map[string]map[string]string{}, map[string]string{}
		for rows.Next() {
			var name, who string
			var record map[string]string
			if err := rows.Scan(&name, &record, &who); err != nil {
				t.Fatal(err)
			}
			inView[name], byInView[name] = record, who
		}
		dropEmpty := func(m map[string]map[string]string) {
			for _, record := range m {
				maps.DeleteFunc(record, func(_, v string) bool { return v == "" })
			}
		}
		dropEmpty(records)
		dropEmpty(inView)
		if diff := cmp.Diff(records, inView) + cmp.Diff(by, byInView); diff != "" || rows.Err() != nil {
			t.Errorf("view office_now (-fold +view): %v\n%s", rows.Err(), diff)
		}
	}
}

// Two months of acknowledge clocks: an OPD of which a recommendation speaks goes from 10 of 30 to 25 of 30, the others
// from 20 of 40 to 21 of 40; a vertical agency and a clock that still runs are in no number.
func TestMeasure(t *testing.T) {
	s, _ := openStore(t)
	sink := &store.Sink{Store: s, Boards: []string{"35.15"}, Scope: func(_, opd string) string {
		if opd == "pln" {
			return "vertical"
		}
		return "own"
	}}
	var rows []tracker.Row
	add := func(n, met int, opd string, from time.Time) {
		for i := range n {
			key := event.Key{Center: "35.15", Kind: event.KindTicket, ID: fmt.Sprint(len(rows))}
			began := from.Add(time.Duration(i) * 10 * time.Hour)
			c := sla.Clock{Key: key, Name: sla.Acknowledge, Seq: 1, Kind: sla.Elapsed, OPD: opd, Scope: sink.Scope("", opd),
				StartedAt: began, DueAt: began.Add(time.Hour), BreachAt: began.Add(time.Hour), StoppedAt: began.Add(2 * time.Hour)}
			if i < met {
				c.StoppedAt = began.Add(time.Minute)
			}
			rows = append(rows, tracker.Row{Key: key, Clocks: []sla.Clock{c}, Ticket: &casefile.Ticket{Key: key, OPD: opd,
				State: casefile.Acknowledged, OpenedAt: began, Events: 2, Assignments: []casefile.Assignment{{OPD: opd, At: began}}}})
		}
	}
	september, october := time.Date(2026, 9, 1, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 1, 0, 0, 0, time.UTC)
	add(30, 10, "damkar", september)
	add(30, 25, "damkar", october)
	add(40, 20, "dinkes", september)
	add(40, 21, "dinkes", october)
	add(40, 0, "pln", september)
	if err := sink.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	r := Recommendation{Center: "35.15", Indicator: "acknowledge", Scope: Scope{OPD: "damkar"}, Baseline: "2026-09",
		Status: event.RTLSelesai, Completed: "2026-10-01"}
	e, err := Measure(t.Context(), s, &r, "2026-11-01", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Before != (Count{10, 30}) || e.After != (Count{25, 30}) || e.OutsideBefore != (Count{20, 40}) ||
		e.OutsideAfter != (Count{21, 40}) || e.Since != "2026-10-02" || e.Frozen || e.Verdict != Better {
		t.Errorf("%+v", e)
	}
	month := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	figures, err := s.Figures(t.Context(), "35.15", month, store.FigureTargets{Answer: 15, Short: 5}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range figures {
		if figures[i].Name == "on_time" && figures[i].Dims == "clock=acknowledge,opd=damkar,scope=own" {
			if figures[i].Numerator != 10 || figures[i].Denominator != 30 {
				t.Errorf("the figure of the report is another: %+v", figures[i])
			}
			figures[i].Numerator = 11 // as it was known when it was frozen
		}
	}
	if err := s.KeepFrozen(t.Context(), &store.Freeze{Center: "35.15", Month: month, Revision: 1, DefinitionVersion: "2",
		FrozenAt: october, Figures: figures}); err != nil {
		t.Fatal(err)
	}
	if e, err = Measure(t.Context(), s, &r, "2026-11-01", time.Time{}); err != nil || !e.Frozen || e.Before != (Count{11, 30}) {
		t.Errorf("%+v %v", e, err)
	}
	for name, change := range map[string]func(*Recommendation){
		"no indicator":       func(r *Recommendation) { r.Indicator = "" },
		"no baseline":        func(r *Recommendation) { r.Baseline = "" },
		"not completed":      func(r *Recommendation) { r.Completed = "" },
		"completed just now": func(r *Recommendation) { r.Completed = "2026-10-31" },
	} {
		other := r
		change(&other)
		if e, err := Measure(t.Context(), s, &other, "2026-11-01", time.Time{}); err != nil || e.Verdict != NotYet {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
}
