package store

import (
	"slices"
	"strings"
	"testing"
)

// The names that dashboards, alerts and outside checks rely on.
var contract = map[string]string{
	"events": `center source id type subject_kind subject occurred_at received_at digest agent queue position channel class category priority opd
		kecamatan reason result calls master due lat lon ring_ms wait_ms replaces revision attributes caller_key`,
	"calls": `center id received_at queued_at answered_at abandoned_at unserved_at unserved_reason blocked_at ended_at classified_at called_back_at
		class agent queue channel kecamatan wait_ms caller_key tickets flags`,
	"tickets": `center id opd scope category priority kecamatan state received_at opened_at assigned_at acknowledged_at departed_at arrived_at
		resolved_at confirmed_at closed_at rejected_at result reopened bounces paused_s master lat lon calls flags`,
	"clocks": `center subject_kind subject clock seq kind policy policy_version calendar_version opd scope category priority kecamatan started_at
		due_at gross_due_at paused_since stopped_at paused_s void`,
}

func TestTheSchemaKeepsTheContract(t *testing.T) {
	s := open(t)
	for table, columns := range contract {
		want := strings.Fields(columns)
		for _, name := range []string{table, table + "_now"} {
			have := lines(t, s, "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = "+quote(name))
			for _, c := range want {
				if !slices.Contains(have, c) {
					t.Errorf("%s has no column %s", name, c)
				}
			}
		}
	}
	const ofClocks = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'clocks_now'"
	if have := lines(t, s, ofClocks); !slices.Contains(have, "state") {
		t.Error("clocks_now has no state")
	}
	for _, c := range lines(t, s, `SELECT concat(table, '.', name) FROM system.columns WHERE database = currentDatabase()
		AND table IN ('events', 'calls', 'tickets', 'clocks') AND (name LIKE '%\_at' OR name = 'due') AND name != 'written_at'
		AND type NOT IN ('DateTime64(3, \'UTC\')', 'Nullable(DateTime64(3, \'UTC\'))', 'Array(DateTime64(3, \'UTC\'))',
		'Array(Nullable(DateTime64(3, \'UTC\')))')`) {
		t.Errorf("%s is no DateTime64(3, 'UTC')", c)
	}
	// A row that TTL deleted could not be folded again; a partition by a time that a correction moves would keep two rows
	// of one case.
	for _, l := range lines(t, s,
		`SELECT name, partition_key, sorting_key, engine FROM system.tables WHERE database = currentDatabase() AND engine LIKE
			'%MergeTree' ORDER BY name`) {
		name, rest, _ := strings.Cut(l, " ")
		if !strings.HasSuffix(rest, "ReplacingMergeTree") {
			t.Errorf("table %s is %s", name, rest)
		}
		if partitioned := strings.HasPrefix(rest, "toYear(occurred_at)"); partitioned != (name == "events") {
			t.Errorf("table %s: %s", name, rest)
		}
	}
	for _, l := range lines(t, s,
		`SELECT name, create_table_query LIKE '%non_replicated_deduplication_window%', match(create_table_query,
			'\\)\\s*(PARTITION BY \\S+ )?ORDER BY [^)]*\\) TTL')
		FROM system.tables WHERE database = currentDatabase() AND engine = 'ReplacingMergeTree' ORDER BY name`) {
		f := strings.Fields(l)
		if (f[1] == "1") != (f[0] == "events") {
			t.Errorf("deduplication window: %s", l)
		}
		if f[2] == "1" {
			t.Errorf("table %s deletes rows", f[0])
		}
	}
}
