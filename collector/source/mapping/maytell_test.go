package mapping

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/source/tabular"
)

// The rows that MayTell leaves out change neither the earliest event nor which rules give one.
func TestMayTellLeavesOutNothing(t *testing.T) {
	m, err := Parse("m.yaml", []byte(head+`fields:
  no: {column: No, required: true}
  at: {columns: [Day, At], type: time, formats: ["yyyy-MM-dd H:mm"], required: true}
  end: {columns: [Day, End], type: time, formats: ["yyyy-MM-dd H:mm"], follows: at, roll_day: true}
  took: {column: Took, type: duration}
  done: {type: time, follows: end, plus: took}
  state: {column: State}
events:
  - {type: ticket.opened, subject: "ticket/{no}", time: at}
  - {type: ticket.resolved, subject: "ticket/{no}", time: end}
  - {type: ticket.closed, subject: "ticket/{no}", time: done}
  - {type: ticket.rejected, subject: "ticket/{no}", time: at, when: [{field: state, in: [rejected]}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		cells := func(of ...string) *rapid.Generator[string] { return rapid.SampledFrom(of) }
		table := "No,Day,At,End,Took,State\n"
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			table += strings.Join([]string{
				cells("1", "2", "").Draw(t, "no"), cells("2026-01-01", "2026-01-02", "1961-01-01", "x").Draw(t, "day"),
				cells("7:00", "8:30", "23:50", "").Draw(t, "at"), cells("7:10", "0:20", "", "soon").Draw(t, "end"),
				cells("", "0:30:00", "2:00:00", "-").Draw(t, "took"), cells("", "rejected", "open").Draw(t, "state"),
			}, ",") + "\n"
		}
		// walk goes over the rows, over all of them or over those that may tell something.
		walk := func(all bool) (first int64, seen []bool) {
			rows, err := m.Layout().CSV("f", strings.NewReader(table), tabular.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			mp := m.NewMapper(m.Bind(rows.Header))
			first, seen = math.MaxInt64, make([]bool, len(m.Types()))
			for row, err := rows.Next(); err == nil; row, err = rows.Next() {
				if !all && !mp.MayTell(row, first, seen) {
					continue
				}
				events, _ := mp.Apply(row)
				for _, e := range events {
					first, seen[e.Rule] = min(first, e.Unix), true
				}
			}
			return first, seen
		}
		first, seen := walk(true)
		if quick, found := walk(false); quick != first || !slices.Equal(found, seen) {
			t.Fatalf("%s\nfirst %d, rules %v; of all rows %d, %v", table, quick, found, first, seen)
		}
	})
}
