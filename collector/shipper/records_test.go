package shipper

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/deploy"
)

// TestRealCasesEqualAFreshFold plays calls and tickets of the San Francisco fire department and of Boston as
// TestCasesEqualAFreshFold plays invented ones. Half of the cases are moved to a centre that has a board.
func TestRealCasesEqualAFreshFold(t *testing.T) {
	var cases [][]event.Event
	for mapping, file := range map[string]string{
		"sf-fire-2009-2018": "sf-fire-2009-2018.csv.gz", "boston311-2015-h1": "boston311-2015-h1.csv.gz",
	} {
		cases = append(cases, realCases(t, mapping, file)...)
	}
	slices.SortFunc(cases, func(a, b []event.Event) int { return bytes.Compare(a[0].Digest[:], b[0].Digest[:]) })
	t.Logf("%d cases", len(cases))
	play(t, func(t *rapid.T) []event.Event {
		var out []event.Event
		for range rapid.IntRange(1, 5).Draw(t, "cases") {
			one := cases[rapid.IntRange(0, len(cases)-1).Draw(t, "case")]
			if slices.ContainsFunc(out, func(e event.Event) bool { return e.Source == one[0].Source && e.ID == one[0].ID }) {
				continue
			}
			center := rapid.SampledFrom([]string{"35.15", "old"}).Draw(t, "center")
			for _, e := range one {
				e.Center = center
				out = append(out, e)
			}
		}
		return out
	})
}

// realCases reads a file through its mapping and the door. A case is a ticket with the call it came from.
func realCases(t *testing.T, name, file string) [][]event.Event {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", file)
	if _, err := os.Stat(path); err != nil {
		t.Skip("the records of other cities are not beside the project: ", err)
	}
	m, err := mapping.Load(name, deploy.Defaults)
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if _, err := importer.Import(t.Context(),
		importer.Options{Mapping: m, Files: []string{path}, Events: &lines}); err != nil {
		t.Fatal(err)
	}
	keys, err := event.NewKeys(bytes.NewReader(make([]byte, 1<<10)), noon)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := event.NewDecoder(event.Config{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]event.Event{}
	for lines.Len() > 0 && len(by) < 4000 {
		line, _ := lines.ReadBytes('\n')
		var b event.Batch
		if err := decoder.Decode(&b, line, event.NDJSON, noon); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Refusals {
			t.Fatal(r.Error())
		}
		for _, e := range b.Events {
			e.Detach()
			by[e.Subject] = append(by[e.Subject], e)
		}
	}
	var cases [][]event.Event
	for _, c := range by {
		cases = append(cases, c)
	}
	return cases
}
