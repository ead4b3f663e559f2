package store

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// rowsOf are rows as a version of the program could have written them, by the number of the migration that made the
// table. Columns that later migrations add are not named.
var rowsOf = []struct {
	since      uint32
	table, sql string
}{
	{1, "events", `INSERT INTO events (center, subject_kind, subject, source, id, type, occurred_at, received_at, caller_key_id, caller_key, class, attributes) VALUES
		('35.15', 'call', 'c1', 'pbx', 'e1', 'call.received', '2026-10-01 01:00:00', '2026-10-01 01:00:01', 'k1', 'abc', '', {'note': 'x'}),
		('35.15', 'call', 'c1', 'pbx', 'e2', 'call.answered', '2026-10-01 01:00:07', '2026-10-01 01:00:08', '', '', '', {}),
		('35.15', 'ticket', 't1', 'desk', 'e3', 'ticket.opened', '2026-10-01 01:05:00', '2026-10-01 01:05:01', '', '', '', {})`},
	{2, "calls", `INSERT INTO calls (center, id, version, at, day, received_at, queued_at, answered_at, ended_at, classified_at, first_classified_at, class, caller_key_id, caller_key, tickets, events) VALUES
		('35.15', 'c1', 5, '2026-10-01 01:00:00', '2026-10-01', '2026-10-01 01:00:00', '2026-10-01 01:00:01', '2026-10-01 01:00:07', '2026-10-01 01:02:00', '2026-10-01 01:01:00', '2026-10-01 01:01:00', 'normal', 'k1', 'abc', ['t1'], 2)`},
	{2, "tickets", `INSERT INTO tickets (center, id, version, opd, scope, category, priority, state, at, day, received_at, answered_at, opened_at, assigned_at, calls, events, last_event_at) VALUES
		('35.15', 't1', 6, 'dishub', 'own', 'pju', 'non_darurat', 'assigned', '2026-10-01 01:05:00', '2026-10-01', '2026-10-01 01:00:00', '2026-10-01 01:00:07', '2026-10-01 01:05:00', '2026-10-01 01:06:00', ['c1'], 2, '2026-10-01 01:06:00')`},
	{2, "clocks", `INSERT INTO clocks (center, subject_kind, subject, clock, seq, version, kind, policy, policy_version, opd, scope, day, started_at, due_at, gross_due_at, breach_at, void) VALUES
		('35.15', 'ticket', 't1', 'resolve', 1, 6, 'working_days', 'sidoarjo', '2026.1', 'dishub', 'own', '2026-10-01', '2026-10-01 01:05:00', '2026-10-08 09:00:00', '2026-10-08 09:00:00', '2026-10-08 09:00:00', false)`},
	{4, "calls_hourly", `INSERT INTO calls_hourly (center, hour, version, day, received, offered, answered, stamped, classified, normal, to_own, answer_ms) VALUES
		('35.15', '2026-10-01 01:00:00', 5, '2026-10-01', 1, 1, 1, 1, 1, 1, 1, [6000])`},
	{6, "frozen", `INSERT INTO frozen (month, center, figure, dims, numerator, denominator, n, value, definition_version, frozen_at) VALUES
		('2026-09-01', '35.15', 'hoax', 'measure=hoaks', 8, 10, 10, 0.8, '1', '2026-10-05 00:00:00')`},
}

var viewParameter = regexp.MustCompile(`\{(\w+):(\w+)`)

// viewArguments are what the views that take parameters are asked with.
var viewArguments = map[string]string{
	"since": "'2026-10-01'", "until": "'2026-11-01'", "step": "'all'", "target": "15", "short": "5", "center": "'35.15'",
	"centers": "['35.15']",
	"days":    "[('35.15', '2026-10-01')]", "at": "'2026-10-02 00:00:00'", "month": "'2026-10-01'",
}

// TestUpgradeFromEverySchema migrates from each schema that ever was, with rows in it, to the newest: every row is
// there as before, and every view answers.
func TestUpgradeFromEverySchema(t *testing.T) {
	known, err := Migrations()
	if err != nil {
		t.Fatal(err)
	}
	for from := uint32(1); from < uint32(len(known)); from++ {
		t.Run(fmt.Sprintf("%03d", from), func(t *testing.T) {
			s := openEmpty(t)
			if err := s.MigrateTo(t.Context(), from); err != nil {
				t.Fatal(err)
			}
			before := map[string]string{}
			columns := map[string]string{}
			for _, r := range rowsOf {
				if r.since > from {
					continue
				}
				if err := s.exec(t.Context(), "insert", r.sql); err != nil {
					t.Fatal(err)
				}
				list := lines(t, s, fmt.Sprintf(
					"SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '%s' ORDER BY position", r.table))
				columns[r.table] = name(strings.Join(list, "`, `"))
				before[r.table] = contents(t, s, r.table, columns[r.table])
			}
			applied, err := s.Migrate(t.Context())
			if err != nil || len(applied) != len(known)-int(from) {
				t.Fatalf("applied %v: %v", applied, err)
			}
			for table, want := range before {
				if got := contents(t, s, table, columns[table]); got != want {
					t.Errorf("%s was\n%s\nand is\n%s", table, want, got)
				}
			}
			if from >= 2 {
				if got := lines(t, s, "SELECT answer_ms FROM calls_now WHERE id = 'c1'"); fmt.Sprint(got) != "[6000]" {
					t.Errorf("the answer time of a call of before: %v", got)
				}
			}
			if from > 1 && int(from) < len(known)-1 {
				return // the views are the same from wherever they were reached
			}
			for _, view := range lines(t, s,
				"SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' ORDER BY name") {
				text := lines(t, s, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '"+
					view+"'")[0]
				var args []string
				seen := map[string]bool{}
				for _, p := range viewParameter.FindAllStringSubmatch(text, -1) {
					if seen[p[1]] {
						continue
					}
					seen[p[1]] = true
					value, known := viewArguments[p[1]]
					if !known {
						t.Fatalf("view %s takes the parameter %s: say in viewArguments what to ask it with", view, p[1])
					}
					args = append(args, p[1]+" = "+value)
				}
				sql := "SELECT count() FROM " + view
				if len(args) > 0 {
					sql += "(" + strings.Join(args, ", ") + ")"
				}
				lines(t, s, sql)
			}
		})
	}
}

func name(columns string) string { return "`" + columns + "`" }

// contents is all rows of a table, in the columns named.
func contents(t *testing.T, s *Store, table, columns string) string {
	t.Helper()
	return strings.Join(lines(t, s, "SELECT toString(tuple("+columns+")) FROM "+table+" FINAL ORDER BY 1"), "\n")
}
