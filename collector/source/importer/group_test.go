package importer

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
)

// Shuffled rows, cut into files in any way, give the same events.
func TestAnyOrderOfRowsGivesTheSameEvents(t *testing.T) {
	text := head + `table: {rows_per_case: several}
fields:
  no: {column: No}
  unit: {column: Unit}
  at: {column: At, type: time, formats: ["yyyy-MM-dd HH:mm:ss"]}
events:
  - {type: ticket.departed, subject: "ticket/{no}", time: at, pick: earliest, attributes: {unit: "{unit}"}}
  - {type: ticket.closed, subject: "ticket/{no}", time: at, pick: latest, attributes: {unit: "{unit}"}}
`
	m, err := mapping.Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	events := func(t *rapid.T, rows []string) []string {
		g := &grouper{mapping: m, best: map[string]*grouped{}, limit: 1 << 20}
		r, err := m.Layout().CSV("f", strings.NewReader("No,Unit,At\n"+strings.Join(rows, "")), tabular.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		mp := m.NewMapper(m.Bind(r.Header))
		for range rows {
			row, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			got, refused := mp.Apply(row)
			if refused != nil {
				continue
			}
			if err := g.add(row, got); err != nil {
				t.Fatal(err)
			}
		}
		var out []string
		for _, e := range g.best {
			out = append(out, string(e.event.JSON))
		}
		slices.SortFunc(out, cmp.Compare[string])
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%d,%s,2026-01-01 00:00:%02d\n", rapid.IntRange(1, 3).Draw(t, "case"),
				rapid.StringMatching(`[a-c]{0,2}`).Draw(t, "unit"), rapid.IntRange(0, 4).Draw(t, "second"))
		}), 1, 30).Draw(t, "rows")
		want := events(t, rows)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		if diff := gocmp.Diff(want, events(t, append(rows, rows[:len(rows)/2]...))); diff != "" {
			t.Fatalf("-as they were +shuffled and partly repeated:\n%s", diff)
		}
	})
}
