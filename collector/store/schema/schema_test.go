package schema

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestSplitStatements(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"two":                 {"SELECT 1; SELECT 2;", []string{"SELECT 1", "SELECT 2"}},
		"no last semicolon":   {"SELECT 1;\nSELECT 2", []string{"SELECT 1", "SELECT 2"}},
		"only comments":       {"-- a; b\n/* c; d */ ;", nil},
		"semicolon in quotes": {"SELECT ';', `a;b`, \";\"; SELECT 2", []string{"SELECT ';', `a;b`, \";\"", "SELECT 2"}},
		"escaped quote":       {`SELECT 'it\'s;'; SELECT 2`, []string{`SELECT 'it\'s;'`, "SELECT 2"}},
		"doubled quote":       {`SELECT 'it''s;'; SELECT 2`, []string{`SELECT 'it''s;'`, "SELECT 2"}},
		"dashes in quotes":    {"SELECT '--'; SELECT 2", []string{"SELECT '--'", "SELECT 2"}},
		"comment at the end":  {"SELECT 1; -- done", []string{"SELECT 1"}},
		"comment within":      {"SELECT 1, -- one\n 2", []string{"SELECT 1, \n 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := splitStatements(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	for _, bad := range []string{"SELECT 'a", "SELECT `a", "/* open", `SELECT 'a\'`} {
		if got, err := splitStatements(bad); err == nil {
			t.Errorf("%q: split into %q, want an error", bad, got)
		}
	}
}

func FuzzSplitStatements(f *testing.F) {
	for _, s := range []string{"SELECT 1; -- x", "'a;b'", "/* */", `'\'`, "`", "--", "/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stmts, err := splitStatements(text)
		if err != nil {
			return
		}
		for _, s := range stmts {
			if again, err := splitStatements(s); err != nil || len(again) != 1 || again[0] != s {
				t.Fatalf("%q splits again into %q, %v", s, again, err)
			}
		}
	})
}

func TestReadRefusesFilesByTheirNames(t *testing.T) {
	sql := &fstest.MapFile{Data: []byte("SELECT 1")}
	for name, files := range map[string]fstest.MapFS{
		"a gap":        {"001_a.sql": sql, "003_b.sql": sql},
		"no number":    {"events.sql": sql},
		"short number": {"1_a.sql": sql},
		"twice":        {"001_a.sql": sql, "001_b.sql": sql},
	} {
		if _, err := Read(files); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A view that kept something, or a table among the views, would be lost or left behind when the views change.
func TestViewsAreViewsAndMigrationsAreNot(t *testing.T) {
	views, err := Views("d")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range views.Statements {
		if !strings.HasPrefix(s, "CREATE OR REPLACE VIEW d.") {
			t.Errorf("among the views: %.80s", s)
		}
		if strings.Contains(s, "{{") || strings.Contains(s, "<no value>") {
			t.Errorf("the template was not filled: %.80s", s)
		}
	}
	migrations, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range migrations {
		for _, s := range m.Statements {
			if strings.Contains(s, " VIEW ") {
				t.Errorf("%s: a view belongs below views: %.80s", m.Name, s)
			}
		}
	}
}
