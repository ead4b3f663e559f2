package store

import (
	"errors"
	"slices"
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

func TestMigrationFilesAreRefusedByTheirNames(t *testing.T) {
	sql := &fstest.MapFile{Data: []byte("SELECT 1")}
	for name, files := range map[string]fstest.MapFS{
		"a gap":        {"001_a.sql": sql, "003_b.sql": sql},
		"no number":    {"events.sql": sql},
		"short number": {"1_a.sql": sql},
		"twice":        {"001_a.sql": sql, "001_b.sql": sql},
	} {
		if _, err := readMigrations(files); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEveryStatementOfTheSchemaMayRunTwice(t *testing.T) {
	ms, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	s := openEmpty(t)
	if _, err := s.migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		for range 2 {
			for _, stmt := range m.Statements {
				if err := s.exec(t.Context(), "test", stmt); err != nil {
					t.Errorf("%s: %.60s: %v", m.Name, stmt, err)
				}
			}
		}
	}
}

func TestMigrateTwiceAndAfterHalf(t *testing.T) {
	s := openEmpty(t)
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	// Half of the first file, then a process that died.
	half := slices.Clone(known[:2])
	half[1].Statements = append(slices.Clone(half[1].Statements[:1]), "SELECT broken from nowhere")
	if _, err := s.migrate(t.Context(), half); KindOf(err) != Query {
		t.Fatalf("got %v, want a query error", err)
	}
	applied, err := s.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(applied) != len(known)-1 {
		t.Errorf("applied %v, want all but the first", applied)
	}
	if applied, err = s.Migrate(t.Context()); err != nil || len(applied) != 0 {
		t.Errorf("again: %v, %v", applied, err)
	}
}

func TestMigrateRefusesADatabaseThatIsNotOurs(t *testing.T) {
	s := open(t)
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	edited := slices.Clone(known)
	edited[0].Checksum = "other"
	for name, ms := range map[string][]Migration{"edited": edited, "older program": known[:len(known)-1]} {
		var refused *MigrationError
		if _, err := s.migrate(t.Context(), ms); !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want a *MigrationError", name, err)
		} else if Retryable(err) || KindOf(err) != Query {
			t.Errorf("%s: kind %s", name, KindOf(err))
		}
	}
}
