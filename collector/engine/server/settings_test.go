package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A setting in a reader's URL is honoured or refused, never dropped.
func TestReadersSettings(t *testing.T) {
	for _, tt := range []struct {
		settings, sql string
		status        int
		want          string // of the body, or the code of the exception
	}{
		{
			"session_timezone=Asia/Jakarta", "SELECT timezone(), toString(toDateTime(0))", 200,
			"Asia/Jakarta\t1970-01-01 07:00:00\n",
		},
		{
			"join_use_nulls=1", "SELECT b FROM (SELECT 1 AS a) AS l LEFT JOIN (SELECT 2 AS a, 'x' AS b) AS r USING a", 200,
			"\\N\n",
		},
		{"max_result_rows=2&result_overflow_mode=break&max_block_size=65409", "SELECT 1", 200, "1\n"},
		{"max_result_rows=2", "SELECT number FROM numbers(3)", 500, "396"},
		{"max_result_rows=0", "SELECT 1", 403, "164"},
		{"max_result_rows=100000000", "SELECT 1", 403, "164"},
		{"max_memory_usage=0", "SELECT 1", 403, "164"},
		{"allow_introspection_functions=0", "SELECT 1", 200, "1\n"},
		{"allow_introspection_functions=1", "SELECT 1", 403, "164"},
		{"format_schema=/etc/passwd", "SELECT 1", 403, "164"},
		{"output_format_schema=x", "SELECT 1", 403, "164"},
		{"session_timezone=Mars/Olympus", "SELECT 1", 400, "36"},
		{"nosuch_setting=1", "SELECT 1", 404, "115"},
		{"session_id=1a9c&session_timeout=60", "SELECT timezone()", 200, "UTC\n"},
		{"readonly=0", "SELECT 1", 403, "164"},
		{"session_timezone=Asia/Jakarta&readonly=2", "SELECT 1", 403, "164"},
		{"session_timezone=Asia/Jakarta&readonly=1", "SELECT getSetting('readonly')", 200, "1\n"},
		{"max_execution_time=60", "SELECT getSetting('max_execution_time')", 200, "30\n"}, // the shorter holds
		{"session_timezone=Asia/Jakarta", "SELECT file('/etc/passwd')", 403, "497"},
		{"session_timezone=Asia/Jakarta", "SELECT 1 SETTINGS max_memory_usage = 0", 403, "164"},
	} {
		q, err := url.ParseQuery(tt.settings)
		if err != nil {
			t.Fatal(err)
		}
		status, header, body := ask{body: tt.sql, query: q}.do(t)
		got := body
		if tt.status != 200 {
			got = header.Get("X-ClickHouse-Exception-Code")
		}
		if status != tt.status || got != tt.want {
			t.Errorf("%s: %s: %d %q, want %d %q\n%s", tt.settings, tt.sql, status, got, tt.status, tt.want, body)
		}
	}
	if got := read(t, "SELECT timezone(), getSetting('join_use_nulls')"); got != "UTC\tfalse\n" {
		t.Errorf("a reader after them has %q", got)
	}
}

// The first requests of clients that people use, as their sources make them.
func TestFirstRequestsOfClients(t *testing.T) {
	for client, requests := range map[string][]struct{ settings, sql string }{
		"clickhouse-connect (Superset)": {
			{"session_id=1a9c&wait_end_of_query=1&send_progress_in_http_headers=1&http_headers_progress_interval_ms=120000",
				"SELECT version(), timezone()"},
			{"session_id=1a9c&client_protocol_version=54405&compress=1&cancel_http_readonly_queries_on_client_close=1",
				"SELECT name, value, readonly FROM system.settings LIMIT 10000\n FORMAT Native"},
			{"session_id=1a9c&client_protocol_version=54405&enable_http_compression=1", "SELECT 1 AS check\n FORMAT Native"},
			{"session_id=1a9c", "SHOW DATABASES"},
			{"session_id=1a9c", "SHOW TABLES FROM `system`"},
			{"session_id=1a9c", "DESCRIBE TABLE `system`.`one`"},
		},
		"clickhouse-jdbc (DBeaver, Metabase)": {
			{"compress=1&extremes=0&wait_end_of_query=1",
				"SELECT currentUser() AS user, timezone() AS timezone, version() AS version, " +
					"toInt8(ifNull((SELECT value FROM system.settings WHERE name = 'readonly'), '0')) AS readonly " +
					"FORMAT RowBinaryWithNamesAndTypes"},
			{"default_format=RowBinaryWithNamesAndTypes",
				"SELECT currentUser() AS user, timezone() AS timezone, version() AS version LIMIT 1"},
			{"max_result_rows=200&result_overflow_mode=break", "SELECT number FROM system.numbers LIMIT 5"},
			{"", "SELECT name AS TABLE_SCHEM, null AS TABLE_CATALOG FROM system.databases WHERE name LIKE '%'"},
			{"", "SELECT t.database, t.name, t.engine FROM system.tables t WHERE t.database NOT IN ('INFORMATION_SCHEMA')"},
			{"", "SELECT database, table, name, type, default_kind, comment, position FROM system.columns LIMIT 10"},
			{"", "SELECT alias_to, name FROM system.data_type_families LIMIT 5"},
		},
		"Grafana's plugin": {
			{"default_format=Native&client_protocol_version=54485", "SELECT displayName(), version(), revision(), timezone()"},
			{"default_format=Native", "SELECT DISTINCT name FROM system.databases ORDER BY name"},
			{"default_format=Native", "SELECT name, type FROM system.columns WHERE database = 'system' AND table = 'one'"},
			{"default_format=Native", "SELECT timezone()"},
		},
		"curl": {{"user=default&password=", "SELECT 1"}},
	} {
		for _, r := range requests {
			q, err := url.ParseQuery(r.settings)
			if err != nil {
				t.Fatal(err)
			}
			status, header, body := ask{body: r.sql, query: q}.do(t)
			if status != http.StatusOK || header.Get("X-ClickHouse-Exception-Code") != "" ||
				strings.Contains(body, "DB::Exception") {
				t.Errorf("%s: ?%s %s: %d %.300s", client, r.settings, r.sql, status, body)
			}
		}
	}
}
