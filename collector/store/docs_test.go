package store

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The queries that people copy must run.
func TestTheQueriesOfTheDocumentsRun(t *testing.T) {
	s := open(t)
	text, err := os.ReadFile("../../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) < 10 {
		t.Fatalf("%d queries", len(blocks))
	}
	for _, b := range blocks {
		lines(t, s, string(b[1]))
	}
	definitions, err := os.ReadFile("../../docs/definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range regexp.MustCompile(`(?m)^    (SELECT .*)$`).FindAllSubmatch(definitions, -1) {
		lines(t, s, string(b[1]))
	}
	// The version of the formulas is the latest that the document lists.
	versions := regexp.MustCompile(`(?m)^\| (\d+) \| `).FindAllSubmatch(definitions, -1)
	if n := len(versions); n == 0 || string(versions[n-1][1]) != DefinitionVersion ||
		!strings.Contains(string(definitions), "Definition version: **"+DefinitionVersion+"**") {
		t.Errorf("the document does not say definition version %s", DefinitionVersion)
	}
	// The queries of the operator's page run too; they are indented and may span lines.
	rebuild, err := os.ReadFile("../../docs/rebuild.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := regexp.MustCompile(`(?ms)^    (SELECT .*?);$`).FindAllSubmatch(rebuild, -1)
	if len(queries) != 2 {
		t.Errorf("%d queries in the operator's page", len(queries))
	}
	for _, b := range queries {
		lines(t, s, strings.TrimSuffix(string(b[1]), ";"))
	}
	// Every view of figures is explained.
	for _, view := range lines(t, s,
		"SELECT name FROM system.tables WHERE database = currentDatabase() AND (name LIKE 'monev_%' OR name LIKE '%_now' "+
			"OR name = 'clocks_at')") {
		if !regexp.MustCompile("\\b" + view + "\\b").MatchString(string(text) + string(definitions)) {
			t.Errorf("no document names the view %s", view)
		}
	}
}
