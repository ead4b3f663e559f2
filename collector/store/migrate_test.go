package store

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/store/schema"
)

func migrations(t *testing.T) []schema.File {
	t.Helper()
	known, err := schema.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	return known
}

func TestEveryStatementOfTheSchemaMayRunTwice(t *testing.T) {
	s := openEmpty(t)
	views, err := schema.Views(s.cfg.Database)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(migrations(t), views) {
		for range 2 {
			for _, stmt := range f.Statements {
				if err := s.exec(t.Context(), "test", stmt); err != nil {
					t.Errorf("%s: %.60s: %v", f.Name, stmt, err)
				}
			}
		}
	}
}

const recordSQL = "SELECT version, name FROM migrations FINAL WHERE name != '' ORDER BY version"

func TestMigrateGoesOnAfterAStopHalfWay(t *testing.T) {
	s := openEmpty(t)
	known := migrations(t)
	half := slices.Clone(known[:2])
	half[1].Statements = append(slices.Clone(half[1].Statements[:1]), "SELECT broken from nowhere")
	if _, err := s.migrate(t.Context(), half); KindOf(err) != Query {
		t.Fatalf("got %v, want a query error", err)
	}
	if got := lines(t, s, recordSQL); len(got) != 1 || got[0] != "1 001_events.sql" {
		t.Errorf("recorded %q, want the first file alone", got)
	}
	want := []string{"0 views"}
	for _, f := range known {
		want = append(want, strings.TrimLeft(f.Name[:3], "0")+" "+f.Name)
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, s, recordSQL); !slices.Equal(got, want) {
			t.Errorf("recorded %q, want %q", got, want)
		}
	}
	if n := lines(t, s, "SELECT count() FROM migrations"); n[0] != lines(t, s, "SELECT count() FROM migrations FINAL")[0] {
		t.Errorf("%s rows are recorded: a file was applied twice", n)
	}
}

func TestMigrateMakesViewsAnewWhenTheirTextChanged(t *testing.T) {
	s := open(t)
	view := func() string {
		return strings.Join(lines(t, s,
			"SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'events_now'"), "")
	}
	want := view()
	if err := s.exec(t.Context(), "test", "CREATE OR REPLACE VIEW events_now AS SELECT 1 AS older"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		recorded string
		made     bool
	}{{"", false}, {"the checksum of another text", true}} {
		if c.recorded != "" {
			if err := s.record(t.Context(), schema.File{Name: "views", Checksum: c.recorded}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := view(); (got == want) != c.made {
			t.Errorf("recorded %q: the view is %s", c.recorded, got)
		}
	}
}

func TestMigrateRefusesADatabaseThatIsNotOurs(t *testing.T) {
	s := open(t)
	known := migrations(t)
	edited := slices.Clone(known)
	edited[0].Checksum = "other"
	for name, files := range map[string][]schema.File{"edited": edited, "older program": known[:len(known)-1]} {
		var refused *MigrationError
		if _, err := s.migrate(t.Context(), files); !errors.As(err, &refused) || KindOf(err) != Query {
			t.Errorf("%s: got %v (%s), want a *MigrationError", name, err, KindOf(err))
		}
	}
}
