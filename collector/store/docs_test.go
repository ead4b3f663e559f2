package store

import (
	"os"
	"regexp"
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
	// Every view of figures is explained.
	for _, view := range lines(t, s, "SELECT name FROM system.tables WHERE database = currentDatabase() AND (name LIKE 'monev_%' OR name LIKE '%_now' OR name = 'clocks_at')") {
		if !regexp.MustCompile("\\b" + view + "\\b").MatchString(string(text) + string(definitions)) {
			t.Errorf("no document names the view %s", view)
		}
	}
}
