package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store/schema"
	"github.com/monev112/monev112/collector/tracker"
)

// prereleaseRows are rows as commit 8bee9c5 could have written them, in every table.
var prereleaseRows = map[string]string{
	"events": `(center, subject_kind, subject, source, id, type, occurred_at, received_at, caller_key_id, caller_key, class, attributes) VALUES
		('35.15', 'call', 'c1', 'pbx', 'e1', 'call.received', '2026-10-01 01:00:00', '2026-10-01 01:00:01', 'k1', 'abc', '', {'note': 'x'}),
		('35.15', 'call', 'c1', 'pbx', 'e2', 'call.answered', '2026-10-01 01:00:07', '2026-10-01 01:00:08', '', '', '', {}),
		('35.15', 'ticket', 't1', 'desk', 'e3', 'ticket.opened', '2026-10-01 01:05:00', '2026-10-01 01:05:01', '', '', '', {})`,
	"calls": `(center, id, version, at, day, received_at, queued_at, answered_at, ended_at, classified_at, first_classified_at, class, caller_key_id, caller_key, tickets, events) VALUES
		('35.15', 'c1', 5, '2026-10-01 01:00:00', '2026-10-01', '2026-10-01 01:00:00', '2026-10-01 01:00:01', '2026-10-01 01:00:07', '2026-10-01 01:02:00', '2026-10-01 01:01:00', '2026-10-01 01:01:00', 'normal', 'k1', 'abc', ['t1'], 2),
		('35.15', 'c2', 6, '2026-10-01 02:00:00', '2026-10-01', '2026-10-01 02:00:00', '2026-10-01 02:00:01', '2026-10-01 02:00:31', '2026-10-01 02:02:00', '2026-10-01 02:01:00', '2026-10-01 02:01:00', 'prank', 'k1', 'abc', [], 2)`,
	"tickets": `(center, id, version, opd, scope, category, priority, state, at, day, received_at, answered_at, opened_at, assigned_at, resolved_at, calls, events, last_event_at) VALUES
		('35.15', 't1', 6, 'dishub', 'own', 'pju', 'non_darurat', 'resolved', '2026-10-01 01:05:00', '2026-10-01', '2026-10-01 01:00:00', '2026-10-01 01:00:07', '2026-10-01 01:05:00', '2026-10-01 01:06:00', '2026-10-01 03:06:00', ['c1'], 2, '2026-10-01 03:06:00')`,
	"clocks": `(center, subject_kind, subject, clock, seq, version, kind, policy, policy_version, opd, scope, day, started_at, due_at, gross_due_at, breach_at, stopped_at, void) VALUES
		('35.15', 'ticket', 't1', 'resolve', 1, 6, 'working_days', 'sidoarjo', '2026.1', 'dishub', 'own', '2026-10-01', '2026-10-01 01:05:00', '2026-10-08 09:00:00', '2026-10-08 09:00:00', '2026-10-08 09:00:00', '2026-10-01 03:06:00', false)`,
	"calls_hourly": `(center, hour, version, day, received, offered, answered, stamped, classified, hoax, normal, prank, to_hoax, to_own, answer_ms) VALUES
		('35.15', '2026-10-01 01:00:00', 5, '2026-10-01', 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, [6000]), ('35.15', '2026-10-01 02:00:00', 5, '2026-10-01', 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, [30000])`,
	"clocks_daily": `VALUES ('35.15', 'resolve', '2026-10-01', 6, ['dishub'], ['own'], [7], [2], [[]], [[]])`,
	"tickets_daily": `(center, day, scope, version, opds, priorities, dispatch_ms, acknowledge_ms, turnout_ms, travel_ms, respond_ms, own_ms, resolve_ms, resolve_net_ms, confirm_ms) VALUES
		('35.15', '2026-10-01', 'own', 6, ['dishub'], ['non_darurat'], [353000], [NULL], [NULL], [NULL], [NULL], [NULL], [7260000], [7260000], [NULL])`,
	"hours_pending": `VALUES ('35.15', '2026-10-01 01:00:00', 3, false)`,
	"days_pending":  `VALUES ('35.15', '2026-10-01', 3, false)`,
	"frozen": `(month, center, figure, dims, numerator, denominator, n, value, definition_version, frozen_at, revision, reason, parameters, policy_versions, calendar_versions) VALUES
		('2026-09-01', '35.15', 'hoax', 'measure=hoaks', 8, 10, 10, 0.8, '1', '2026-10-05 00:00:00', 1, '', 'short=5', ['sidoarjo/2026.1'], []),
		('2026-09-01', '35.15', 'hoax', 'measure=hoaks', 9, 10, 10, 0.9, '1', '2026-10-06 00:00:00', 2, 'late events', 'short=5', ['sidoarjo/2026.1'], [])`,
	"notifications": `(center, kind, subject, told_at, message, fingerprint, receiver, alertname, level, status, starts_at, alerts) VALUES
		('35.15', 'ticket', 't1', '2026-10-01 02:00:00', 'm', 'f', 'dishub', 'TicketOverdue', 'overdue', 'firing', '2026-10-01 01:59:00', 1)`,
	"identity":  `VALUES ('6ba7b810-9dad-11d1-80b4-00c04fd430c8', '2026-10-01 00:00:00')`,
	"restores":  `VALUES ('6ba7b811-9dad-11d1-80b4-00c04fd430c8', '2026-09-30 00:00:00', 'j', 7, '2026-10-01 00:00:00', '2026-10-01 00:10:00', 3)`,
	"retention": `VALUES ('2026-10-01 00:00:00', 'events', 'caller', '2025-09-01 00:00:00', 4, '2025-08-01 00:00:00', 0)`,
}

func prereleaseFiles(t *testing.T) []schema.File {
	t.Helper()
	files, err := schema.Read(os.DirFS("testdata/schema-8bee9c5"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// openPrerelease gives a database as a commit up to 8bee9c5 left it after n migrations.
func openPrerelease(t *testing.T, n int) *Store {
	t.Helper()
	s := openEmpty(t)
	if err := s.exec(t.Context(), "test", createMigrations); err != nil {
		t.Fatal(err)
	}
	for _, f := range prereleaseFiles(t)[:n] {
		if err := s.apply(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestDatabaseOf8bee9c5IsTakenOver compares tables before and after, and all definitions with a new database.
func TestDatabaseOf8bee9c5IsTakenOver(t *testing.T) {
	s := openPrerelease(t, BaselineSchemaVersion)
	for _, table := range tables(t, s, "%MergeTree") {
		rows, ok := prereleaseRows[table]
		if !ok {
			t.Errorf("table %s: no rows to take over", table)
			continue
		}
		if err := s.exec(t.Context(), "insert", "INSERT INTO "+table+" "+rows); err != nil {
			t.Fatal(err)
		}
	}
	before := everything(t, s)
	if n := len(before); n < 14 {
		t.Fatalf("the rows of %d tables to compare", n)
	}
	if _, err := s.migrate(t.Context(), migrations(t)[:BaselineFiles]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, everything(t, s)); d != "" {
		t.Error(d)
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Definitions 2 count another way: what is stored is to be computed again.
	for _, table := range []string{"hours_pending", "days_pending"} {
		if got := lines(t, s, "SELECT count() > 0, max(done) FROM "+table+" FINAL"); got[0] != "1 false" {
			t.Errorf("%s: %s", table, got)
		}
	}
	if d := cmp.Diff(definitions(t, open(t)), definitions(t, s)); d != "" {
		t.Errorf("a new database is another: %s", d)
	}
	// The files to come are applied, although 8bee9c5 recorded other ones of their numbers.
	next := schema.File{
		Number: uint32(len(migrations(t)) + 1), Name: "next.sql", Checksum: "x",
		Statements: []string{"CREATE TABLE next (a Int8) ENGINE = Log"},
	}
	if _, err := s.migrate(t.Context(), append(migrations(t), next)); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, s, "SELECT count() FROM next"); got[0] != "0" {
		t.Error(got)
	}
	if recorded, err := s.recordedMigrations(t.Context()); err != nil || recorded[next.Number].Name != next.Name {
		t.Errorf("recorded %v, %v", recorded, err)
	}
}

// A filled database of before 014, whose upgrade is killed between any two statements and begun again, shows what is open.
func TestUpgradeComputesWhatIsOpen(t *testing.T) {
	s := openSink(t)
	opened := time.Now().UTC().Truncate(time.Hour).Add(-48 * time.Hour)
	var rows []tracker.Row
	for i, state := range []casefile.State{casefile.Opened, casefile.Resolved, casefile.Merged} {
		key := ticketKey(fmt.Sprint("t", i))
		rows = append(rows, tracker.Row{Key: key,
			Ticket: &casefile.Ticket{Key: key, State: state, OpenedAt: opened, OPD: "dishub", Category: "pju", Events: 1},
			Clocks: []sla.Clock{{Key: key, Name: sla.Resolve, Seq: 1, OPD: "dishub", Scope: "own", StartedAt: opened,
				DueAt: opened.Add(time.Hour), BreachAt: opened.Add(time.Hour), Void: state == casefile.Merged}}})
	}
	if err := s.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	file := migrations(t)[13]
	for _, done := range []int{0, 3, len(file.Statements) - 1, len(file.Statements)} {
		for _, sql := range append([]string{
			"ALTER TABLE clocks_daily DROP COLUMN running",
			"ALTER TABLE tickets_daily DROP COLUMN open, DROP COLUMN categories, DROP COLUMN paused_s",
			"ALTER TABLE hours_pending DROP COLUMN since",
			"ALTER TABLE days_pending DROP COLUMN since",
			"INSERT INTO migrations VALUES (14, '', '', now64(3, 'UTC')), (15, '', '', now64(3, 'UTC'))",
		}, file.Statements[:done]...) {
			if err := s.exec(t.Context(), "before 014", sql); err != nil {
				t.Fatal(err)
			}
		}
		again := &Sink{Store: s.Store, Scope: s.Scope}
		if err := again.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		rolled, direct := late(t, s.Store)
		if d := cmp.Diff(direct, rolled); d != "" || len(direct) != 3 {
			t.Errorf("killed after %d statements: %s of %d", done, d, len(direct))
		}
		if left := lines(t, s.Store, "SELECT count() FROM days_pending FINAL WHERE NOT done"); left[0] != "0" {
			t.Errorf("killed after %d statements: %s days are left", done, left)
		}
	}
}

func TestDatabaseBefore8bee9c5IsRefused(t *testing.T) {
	for _, n := range []int{1, BaselineSchemaVersion - 1} {
		s := openPrerelease(t, n)
		before := definitions(t, s)
		var refused *MigrationError
		if err := s.Migrate(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.Problem, "8bee9c5") {
			t.Errorf("%d migrations: %v", n, err)
		}
		if d := cmp.Diff(before, definitions(t, s)); d != "" {
			t.Errorf("a refused database was changed: %s", d)
		}
	}
}

// Going back is refused by the former program, as by any that does not know what is recorded.
func TestTakenOverDatabaseIsNoneOf8bee9c5(t *testing.T) {
	s := openPrerelease(t, BaselineSchemaVersion)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	recorded, err := s.recordedMigrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if pending, err := pendingMigrations(prereleaseFiles(t), recorded); err == nil {
		t.Errorf("the former program would apply %d files", len(pending))
	}
}

func tables(t *testing.T, s *Store, engine string) []string {
	t.Helper()
	return lines(
		t, s, "SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'migrations' AND engine LIKE "+
			quote(engine)+" ORDER BY name")
}

// addedColumns are those that files after the baseline add.
const addedColumns = "carries, unobserved, sources, unobserved_counts, blanked, record, changed_by, outcome, referred_to"

// everything is the rows of each table, in the columns that there were at the baseline; views follow their text, and
// were others then.
func everything(t *testing.T, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, table := range tables(t, s, "%MergeTree") {
		out["rows of "+table] = strings.Join(
			lines(t, s, "SELECT toString(tuple(* EXCEPT ("+addedColumns+"))) FROM "+table+" FINAL ORDER BY 1"), "\n")
		if out["rows of "+table] == "" {
			t.Errorf("table %s is empty", table)
		}
	}
	return out
}

func definitions(t *testing.T, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range tables(t, s, "%") {
		text := lines(t, s, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = "+
			quote(name))
		out["definition of "+name] = strings.ReplaceAll(text[0], s.cfg.Database+".", "")
	}
	return out
}
