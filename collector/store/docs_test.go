package store

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var viewParameter = regexp.MustCompile(`\{(\w+):(\w+)`)

// viewArguments are what the views that take parameters are asked with.
var viewArguments = map[string]string{
	"since": "'2026-10-01'", "until": "'2026-11-01'", "step": "'all'", "target": "15", "short": "5", "center": "'35.15'",
	"centers": "['35.15']", "days": "[('35.15', '2026-10-01')]", "at": "'2026-10-02 00:00:00'", "zone": "'Asia/Jakarta'",
	"since Int64": "0", "until Int64": "9999999999999", // milliseconds since 1970
	"opd": "''", "category": "''", "priority": "''", "kecamatan": "''", "indicator": "'resolve'",
}

// asked is what to write after FROM to ask a view of that definition.
func asked(t *testing.T, view, definition string) string {
	t.Helper()
	var args []string
	for _, p := range viewParameter.FindAllStringSubmatch(definition, -1) {
		if p[2] == "Nullable" {
			continue // may be left out
		}
		value, known := viewArguments[p[1]+" "+p[2]]
		if !known {
			value, known = viewArguments[p[1]]
		}
		if !known {
			t.Fatalf("view %s takes the parameter %s: say in viewArguments what to ask it with", view, p[1])
		}
		if arg := p[1] + " = " + value; !slices.Contains(args, arg) {
			args = append(args, arg)
		}
	}
	if viewParameter.MatchString(definition) {
		view += "(" + strings.Join(args, ", ") + ")"
	}
	return view
}

// asWritten runs a query of a document as its reader does, from the database default; only the name of the database
// that it asks is the test's.
func asWritten(t *testing.T, s *Store, sql string) {
	t.Helper()
	rows, err := s.boot.Query(t.Context(), strings.ReplaceAll(sql, DefaultDatabase+".", s.cfg.Database+"."))
	if err != nil {
		t.Errorf("%s: %v", sql, err)
		return
	}
	for rows.Next() {
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

// Every view answers whoever asks from another database.
func TestEveryViewAnswersFromAnyDatabase(t *testing.T) {
	s := open(t)
	for _, view := range tables(t, s, "View") {
		asWritten(t, s, "SELECT * FROM "+s.cfg.Database+"."+asked(t, view, definitions(t, s)["definition of "+view]))
	}
}

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
		asWritten(t, s, string(b[1]))
	}
	definitions, err := os.ReadFile("../../docs/definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range regexp.MustCompile(`(?m)^    (SELECT .*)$`).FindAllSubmatch(definitions, -1) {
		asWritten(t, s, string(b[1]))
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
		asWritten(t, s, strings.TrimSuffix(string(b[1]), ";"))
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
