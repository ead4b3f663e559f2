package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/engine/enginetest"
)

// ask sends one request; settings are URL parameters. key "" makes a reader's.
type ask struct {
	method, body, key string
	query             url.Values
	header            map[string]string
}

func (a ask) do(t *testing.T) (status int, header http.Header, body string) {
	t.Helper()
	addr, _ := enginetest.Start(t)
	if a.method == "" {
		a.method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(context.Background(), a.method, "http://"+addr+"/?"+a.query.Encode(),
		strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range a.header {
		if k == "Host" {
			r.Host = v
		} else {
			r.Header.Set(k, v)
		}
	}
	if a.key != "" {
		r.Header.Set("X-ClickHouse-Key", a.key)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Logf("body ended with %v", err)
	}
	return response.StatusCode, response.Header, string(b)
}

func write(t *testing.T, sql string) {
	t.Helper()
	_, key := enginetest.Start(t)
	if status, _, body := (ask{body: sql, key: key}).do(t); status != 200 {
		t.Fatalf("%s: %d %s", sql, status, body)
	}
}

func read(t *testing.T, sql string) string {
	t.Helper()
	status, _, body := ask{body: sql}.do(t)
	if status != 200 {
		t.Fatalf("%s: %d %s", sql, status, body)
	}
	return body
}

func TestReaderIsRefused(t *testing.T) {
	database := enginetest.Database(t)
	write(t, "CREATE TABLE "+database+".t (a UInt64) ENGINE = MergeTree ORDER BY a")
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("topsecret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	outfile := filepath.Join(t.TempDir(), "out")
	for _, sql := range []string{
		"SELECT * FROM file('SECRET', 'LineAsString')",
		"SELECT file('SECRET')",
		"SELECT `file`('SECRET')",
		`SELECT "file"('SECRET')`,
		"SELECT `fi\\x6ce`('SECRET')",
		"SELECT file/* */('SECRET')",
		"SELECT file -- (\n('SECRET')",
		"SELECT arrayMap(file, ['SECRET'])",
		"SELECT * APPLY file FROM (SELECT 'SECRET')",
		"SELECT * APPLY(file) FROM (SELECT 'SECRET')",
		"SELECT * APPLY(x -> file(x)) FROM (SELECT 'SECRET')",
		"SELECT * FROM view(SELECT file('SECRET'))",
		"WITH (SELECT file('SECRET')) AS x SELECT x",
		"SELECT '-- ', file('SECRET') -- '",
		"SELECT $a$ ' $a$, file('SECRET'), $a$ ' $a$",
		"SELECT ‘ ’, file('SECRET')",
		"/* /* */ SELECT file('SECRET') -- */",
		"DESCRIBE TABLE file('SECRET')",
		"EXPLAIN SELECT file('SECRET')",
		"SELECT * FROM `SECRET`",
		"SELECT * FROM default.`SECRET`",
		"SELECT * FROM 'SECRET'",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"DESCRIBE TABLE url('http://127.0.0.1:1/')",
		"DESCRIBE TABLE s3('http://127.0.0.1:1/bucket/x.csv')",
		"SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv')",
		"SELECT * FROM remote('127.0.0.1', system, one)",
		"SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"SELECT * FROM executable('/bin/ls', 'TSV', 'a String')",
		"SELECT hasColumnInTable('127.0.0.1', '', '', 'system', 'one', 'dummy')",
		"SELECT * FROM system.stack_trace",
		"SELECT 1 INTO OUTFILE 'OUTFILE'",
		"SELECT 1 INTO OUTFILE 'OUTFILE' FORMAT CSV",
		"SET readonly = 0",
		"SELECT 1 SETTINGS readonly = 0",
		"SELECT 1 SETTINGS max_memory_usage = 0",
		"SELECT 1 SETTINGS max_execution_time = 0",
		"SELECT 1; SELECT 2",
		"SELECT 1; DROP TABLE DB.t",
		"SELECT 1 PARALLEL WITH DROP TABLE DB.t",
		"INSERT INTO DB.t VALUES (1)",
		"INSERT INTO DB.t SELECT 1",
		"INSERT INTO FUNCTION file('OUTFILE', 'CSV', 'a UInt8') SELECT 1",
		"CREATE TEMPORARY TABLE x (a UInt8)",
		"CREATE TABLE DB.u (a UInt8) ENGINE = File('CSV', 'SECRET')",
		"DROP TABLE DB.t",
		"ALTER TABLE DB.t DELETE WHERE 1",
		"OPTIMIZE TABLE DB.t",
		"TRUNCATE TABLE DB.t",
		"KILL QUERY WHERE 1",
		"SYSTEM SHUTDOWN",
		"USE system",
		"BACKUP DATABASE DB TO File('OUTFILE')",
		"CREATE FUNCTION f AS (x) -> x",
		"ATTACH TABLE DB.t",
		"EXECUTE AS default SELECT 1",
		"",
		"SELEC 1",
		"1 + 1",
	} {
		t.Run(sql, func(t *testing.T) {
			sql := strings.NewReplacer("SECRET", secret, "OUTFILE", outfile, "DB", database).Replace(sql)
			for _, method := range []string{http.MethodPost, http.MethodGet} {
				a := ask{method: method, query: url.Values{"readonly": {"0"}, "allow_ddl": {"1"}, "max_execution_time": {"0"}}}
				if method == http.MethodPost {
					a.body = sql
				} else {
					if sql == "" {
						continue
					}
					a.query.Set("query", sql)
				}
				status, header, body := a.do(t)
				if status < 400 || header.Get("X-ClickHouse-Exception-Code") == "" ||
					!strings.HasPrefix(body, "Code: "+header.Get("X-ClickHouse-Exception-Code")) {
					t.Errorf("%s: %d %q %s", method, status, header, body)
				}
				if strings.Contains(body, "topsecret") {
					t.Errorf("%s: the file's content came out: %s", method, body)
				}
				if _, err := os.Stat(outfile); err == nil {
					t.Errorf("%s: a file was written", method)
				}
			}
		})
	}
	if got := read(t, "SELECT count() FROM "+database+".t"); got != "0\n" {
		t.Errorf("%s rows", got)
	}
	if status, _, body := (ask{
		body: "SELECT arrayMap({f:Identifier}, [{p:String}])", query: url.Values{"param_f": {"file"}, "param_p": {secret}},
	}).do(t); status != 403 {
		t.Errorf("a name from a parameter: %d %s", status, body)
	}
}

func TestReaderMayAsk(t *testing.T) {
	database := enginetest.Database(t)
	write(t, "CREATE TABLE "+database+".t (a UInt64) ENGINE = MergeTree ORDER BY a")
	for _, c := range []struct{ sql, want string }{
		{"SELECT 1", "1\n"},
		{"select 1 as x format CSVWithNames", "\"x\"\n1\n"},
		{"SELECT 'file(', 'url(' -- file(", "file(\turl(\n"},
		{"SELECT 1 AS format", "1\n"},
		{"WITH 1 AS x SELECT x", "1\n"},
		{"(SELECT 1) UNION ALL (SELECT 1)", "1\n1\n"},
		{"SELECT 1;", "1\n"},
		{"SELECT number FROM numbers(3) WHERE number > 5", ""},
		{"SHOW TABLES FROM DB", "t\n"},
		{"EXISTS TABLE DB.t", "1\n"},
		{"DESCRIBE TABLE DB.t", "a\tUInt64\t\t\t\t\t\n"},
		{"SELECT count() FROM merge('DB', '^t$')", "0\n"},
		{"SELECT currentDatabase()", "default\n"},
		{"SELECT timezone()", "UTC\n"},
	} {
		if got := read(t, strings.ReplaceAll(c.sql, "DB", database)); got != c.want {
			t.Errorf("%s: %q, want %q", c.sql, got, c.want)
		}
	}
	if got := read(t, "EXPLAIN SELECT 1"); !strings.Contains(got, "ReadFromSystemOne") {
		t.Error(got)
	}
}

func TestErrorsCarryCodeAndStatus(t *testing.T) {
	_, key := enginetest.Start(t)
	for _, c := range []struct {
		name   string
		ask    ask
		status int
		code   string
	}{
		{"unknown table", ask{body: "SELECT * FROM nosuch"}, 404, "60"},
		{"unknown database", ask{body: "SELECT 1", query: url.Values{"database": {"nosuch"}}}, 404, "81"},
		{"syntax", ask{body: "SELECT FROM WHERE"}, 400, "62"},
		{"syntax of a writer", ask{body: "SELECT FROM WHERE", key: key}, 400, "62"},
		{"unknown function", ask{body: "SELECT nosuch(1)"}, 404, "46"},
		{"wrong key", ask{body: "SELECT 1", key: "wrong"}, 403, "516"},
		{"wrong key in the URL", ask{body: "SELECT 1", query: url.Values{"password": {"wrong"}}}, 403, "516"},
		{"bearer", ask{body: "SELECT 1", header: map[string]string{"Authorization": "Bearer x"}}, 403, "516"},
		{"unknown setting of a writer", ask{body: "SELECT 1", key: key, query: url.Values{"nosuch_setting": {"1"}}}, 404,
			"115"},
		{"session of a writer", ask{body: "SELECT 1", key: key, query: url.Values{"session_id": {"x"}}}, 501, "48"},
		{"long statement", ask{body: "SELECT '" + strings.Repeat("x", 300_000) + "'"}, 413, "290"},
		{"too many rows", ask{body: "SELECT number FROM numbers(2000000) FORMAT JSON"}, 500, "396"},
		{"too much memory", ask{body: "SELECT length(groupArray(number)) FROM numbers(200000000)"}, 500, "241"},
		{"unknown format", ask{body: "SELECT 1 FORMAT Nosuch"}, 404, "73"},
		{"unknown encoding", ask{body: "x", header: map[string]string{"Content-Encoding": "xz"}}, 501, "48"},
		{"not gzip", ask{body: "SELECT 1", header: map[string]string{"Content-Encoding": "gzip"}}, 400, "36"},
		{"not native compression", ask{body: strings.Repeat("SELECT 1", 20), query: url.Values{"decompress": {"1"}}}, 400,
			"36"},
		{"insert by GET", ask{method: http.MethodGet, query: url.Values{"query": {"INSERT INTO t VALUES (1)"}}, key: key},
			403, "164"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := c.ask.do(t)
			if status != c.status || header.Get("X-ClickHouse-Exception-Code") != c.code ||
				!strings.HasPrefix(body, "Code: "+c.code+". DB::Exception: ") {
				t.Errorf("%d, code %s: %.300s", status, header.Get("X-ClickHouse-Exception-Code"), body)
			}
		})
	}
}

func TestForeignHostAndOriginAreRefused(t *testing.T) {
	for _, c := range []struct {
		header map[string]string
		status int
	}{
		{map[string]string{"Host": "evil.example"}, 403},
		{map[string]string{"Host": "evil.example:8123"}, 403},
		{map[string]string{"Host": "127.0.0.1.evil.example"}, 403},
		{map[string]string{"Host": "10.0.0.1"}, 403},
		{map[string]string{"Origin": "https://evil.example"}, 403},
		{map[string]string{"Origin": "null"}, 403},
		{map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{map[string]string{"Host": "localhost:8123"}, 200},
		{map[string]string{"Host": "[::1]:8123"}, 200},
		{map[string]string{"Origin": "http://localhost:3000"}, 200},
	} {
		if status, _, body := (ask{body: "SELECT 1", header: c.header}).do(t); status != c.status {
			t.Errorf("%v: %d %s", c.header, status, body)
		}
	}
}

func TestInsertForms(t *testing.T) {
	database := enginetest.Database(t)
	_, key := enginetest.Start(t)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("{\"a\":7}\n"))
	_ = z.Close()
	zencoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]ask{
		"all in the body":       {body: "INSERT INTO t FORMAT JSONEachRow\n{\"a\":7}\n"},
		"on one line":           {body: "INSERT INTO t FORMAT JSONEachRow {\"a\":7}"},
		"rows in the body":      {body: "{\"a\":7}\n", query: url.Values{"query": {"INSERT INTO t FORMAT JSONEachRow"}}},
		"values":                {body: "INSERT INTO t (a) VALUES (7)"},
		"values in the body":    {body: "(7)", query: url.Values{"query": {"INSERT INTO t (a) VALUES"}}},
		"no format":             {body: "(7)", query: url.Values{"query": {"INSERT INTO t (a)"}}},
		"select":                {body: "INSERT INTO t (a) SELECT 7"},
		"select with parameter": {body: "INSERT INTO t (a) SELECT {x:UInt64}", query: url.Values{"param_x": {"7"}}},
		"tabs":                  {body: "7\tdef\n", query: url.Values{"query": {"INSERT INTO t FORMAT TSV"}}},
		"csv with crlf":         {body: "INSERT INTO t FORMAT CSV\r\n7,def\r\n"},
		"gzip": {
			body: zipped.String(), query: url.Values{"query": {"INSERT INTO t FORMAT JSONEachRow"}},
			header: map[string]string{"Content-Encoding": "gzip"},
		},
		"zstd": {
			body:   string(zencoder.EncodeAll([]byte("{\"a\":7}"), nil)),
			query:  url.Values{"query": {"INSERT INTO t FORMAT JSONEachRow"}},
			header: map[string]string{"Content-Encoding": "zstd"},
		},
		"settings in the text": {
			body: "INSERT INTO t SETTINGS input_format_skip_unknown_fields = 1 FORMAT JSONEachRow {\"a\":7,\"zz\":1}",
		},
		"settings in the URL": {
			body:  "INSERT INTO t FORMAT JSONEachRow {\"a\":7,\"zz\":1}",
			query: url.Values{"input_format_skip_unknown_fields": {"1"}},
		},
		"comment and lower case": {body: "-- a comment\ninsert /* SELECT */ into `t` (`a`) format jsoneachrow {\"a\":7}"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "lower case") {
				a.body = strings.Replace(a.body, "jsoneachrow", "JSONEachRow", 1)
			}
			write(t, "CREATE OR REPLACE TABLE "+database+".t (a UInt64, s String DEFAULT 'def') ENGINE = MergeTree ORDER BY a")
			a.key = key
			if a.query == nil {
				a.query = url.Values{}
			}
			a.query.Set("database", database)
			status, header, body := a.do(t)
			if status != 200 || body != "" || !strings.Contains(header.Get("X-ClickHouse-Summary"), `"written_rows":"1"`) {
				t.Fatalf("%d %q %s", status, header, body)
			}
			if got := read(t, "SELECT * FROM "+database+".t"); got != "7\tdef\n" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestBadInsertStoresNothingAndLeavesTheConnectionUsable(t *testing.T) {
	database := enginetest.Database(t)
	_, key := enginetest.Start(t)
	write(t, "CREATE TABLE "+database+".t (a UInt64) ENGINE = MergeTree ORDER BY a")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for i := range 100_000 {
		_, _ = fmt.Fprintf(z, "%d\n", i*7919)
	}
	_ = z.Close()
	for name, a := range map[string]ask{
		"text":   {body: "INSERT INTO t FORMAT JSONEachRow nonsense"},
		"native": {body: "garbage garbage garbage", query: url.Values{"query": {"INSERT INTO t FORMAT Native"}}},
		"native huge": {
			body:  "\x01\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01a\x06UInt64",
			query: url.Values{"query": {"INSERT INTO t FORMAT Native"}},
		},
		"native columns": {body: "\xff\xff\xff\x0f\xff\x0f", query: url.Values{"query": {"INSERT INTO t FORMAT Native"}}},
		"cut gzip": {
			body: zipped.String()[:zipped.Len()/2], query: url.Values{"query": {"INSERT INTO t FORMAT TSV"}},
			header: map[string]string{"Content-Encoding": "gzip"},
		},
		"unknown table": {body: "1", query: url.Values{"query": {"INSERT INTO nosuch FORMAT TSV"}}},
		"bad setting":   {body: "1", query: url.Values{"query": {"INSERT INTO t FORMAT TSV"}, "nosuch": {"1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			a.key = key
			a.use(database)
			if status, header, body := a.do(t); status < 400 || header.Get("X-ClickHouse-Exception-Code") == "" {
				t.Errorf("%d %s", status, body)
			}
			if got := read(t, "SELECT count() FROM "+database+".t"); got != "0\n" {
				t.Errorf("%s rows", got)
			}
		})
	}
	for range 16 { // every writer's connection
		write(t, "INSERT INTO "+database+".t VALUES (1)")
	}
}

func (a *ask) use(database string) {
	if a.query == nil {
		a.query = url.Values{}
	}
	a.query.Set("database", database)
}

func TestDeduplicationToken(t *testing.T) {
	database := enginetest.Database(t)
	_, key := enginetest.Start(t)
	write(t, "CREATE TABLE "+database+
		".t (a UInt64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	insert := func(token, rows string) {
		t.Helper()
		a := ask{body: rows, key: key, query: url.Values{"query": {"INSERT INTO " + database + ".t FORMAT TSV"}}}
		if token != "" {
			a.query.Set("insert_deduplication_token", token)
		}
		if status, _, body := a.do(t); status != 200 {
			t.Fatal(body)
		}
	}
	for _, c := range []struct{ token, rows, want string }{
		{"one", "1\n2\n", "2\n"},
		{"one", "1\n2\n", "2\n"}, // a repeat
		{"one", "8\n9\n", "2\n"}, // a reused token drops different rows
		{"two", "1\n2\n", "4\n"}, // the same rows under another token
		{"", "5\n", "5\n"},       // the setting does not stick to the connection
		{"three", "5\n6\n", "7\n"},
	} {
		insert(c.token, c.rows)
		if got := read(t, "SELECT count() FROM "+database+".t"); got != c.want {
			t.Fatalf("after token %q rows %q: %q, want %q", c.token, c.rows, got, c.want)
		}
	}
}

func TestAnswersInEveryCompression(t *testing.T) {
	for _, format := range []string{"TSV", "JSON"} {
		for _, encoding := range []string{"gzip", "zstd"} {
			status, header, body := ask{body: "SELECT number FROM numbers(200000)",
				query:  url.Values{"enable_http_compression": {"1"}, "default_format": {format}},
				header: map[string]string{"Accept-Encoding": encoding}}.do(t)
			if status != 200 || header.Get("Content-Encoding") != encoding || header.Get("X-ClickHouse-Format") != format {
				t.Fatalf("%d %v", status, header)
			}
			var r io.Reader
			var err error
			if encoding == "gzip" {
				r, err = gzip.NewReader(strings.NewReader(body))
			} else {
				r, err = zstd.NewReader(strings.NewReader(body))
			}
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(r)
			if err != nil || format == "TSV" && bytes.Count(plain, []byte("\n")) != 200000 || format == "JSON" &&
				!bytes.Contains(plain, []byte(`"rows": 200000`)) {
				t.Errorf("%s %s: %v, %d bytes", format, encoding, err, len(plain))
			}
		}
	}
	if _, header, _ := (ask{
		body: "SELECT 1", header: map[string]string{"Accept-Encoding": "gzip"},
	}).do(t); header.Get("Content-Encoding") != "" {
		t.Error("compressed without enable_http_compression")
	}
}

func TestErrorInTheMiddleOfAResultIsSeen(t *testing.T) {
	status, _, body := ask{body: "SELECT throwIf(number = 900000, 'too far') FROM numbers(950000) FORMAT TSV"}.do(t)
	if status != 200 || !strings.Contains(body, "__exception__") || !strings.Contains(body, "too far") {
		t.Errorf("%d ... %.600s", status, body[max(0, len(body)-600):])
	}
}

func TestPing(t *testing.T) {
	addr, _ := enginetest.Start(t)
	for _, path := range []string{"/ping", "/replicas_status", "/"} {
		response, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) != "Ok.\n" || response.StatusCode != 200 {
			t.Errorf("%s: %d %q", path, response.StatusCode, body)
		}
	}
}
