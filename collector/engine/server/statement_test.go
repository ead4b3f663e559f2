package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
)

func TestParseStatement(t *testing.T) {
	for _, c := range []struct {
		text        string
		bodyFollows bool
		want        statement
	}{
		{"SELECT 1", false, statement{sql: "SELECT 1", streaming: true}},
		{"select 1 format JSON", false, statement{sql: "select 1 format JSON", format: "JSON", streaming: true}},
		{"SELECT 1 FORMAT JSON;", false, statement{sql: "SELECT 1 FORMAT JSON;", format: "JSON", streaming: true}},
		{"SELECT 1 FORMAT CSV SETTINGS a = 1", false,
			statement{sql: "SELECT 1 FORMAT CSV SETTINGS a = 1", format: "CSV", streaming: true}},
		{"SELECT format FROM t", false, statement{sql: "SELECT format FROM t", streaming: true}},
		{"SELECT format x FROM t", false, statement{sql: "SELECT format x FROM t", streaming: true}},
		{"SELECT 'FORMAT JSON'", false, statement{sql: "SELECT 'FORMAT JSON'", streaming: true}},
		{"SELECT 'it''s \\' FORMAT JSON' -- FORMAT CSV", false,
			statement{sql: "SELECT 'it''s \\' FORMAT JSON' -- FORMAT CSV", streaming: true}},
		{"SELECT (SELECT 1 FORMAT JSON)", false, statement{sql: "SELECT (SELECT 1 FORMAT JSON)", streaming: true}},
		{"(SELECT 1) FORMAT CSV", false, statement{sql: "(SELECT 1) FORMAT CSV", format: "CSV", streaming: true}},
		{" /* x */ WITH 1 AS a SELECT a", false, statement{sql: " /* x */ WITH 1 AS a SELECT a", streaming: true}},
		{"SHOW TABLES FORMAT JSON", false, statement{sql: "SHOW TABLES FORMAT JSON", format: "JSON"}},
		{"INSERT INTO t SELECT 1", true, statement{sql: "INSERT INTO t SELECT 1"}},
		{"INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x", true,
			statement{sql: "INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x"}},
		{"INSERT INTO t FROM INFILE 'x' FORMAT CSV", true, statement{sql: "INSERT INTO t FROM INFILE 'x' FORMAT CSV"}},
		{"INSERT INTO t (a, b) FORMAT Native", true, statement{sql: "INSERT INTO t (a, b) ", insert: true, format: "Native"}},
		{"INSERT INTO t FORMAT Native\n\n\n", true,
			statement{sql: "INSERT INTO t ", insert: true, format: "Native", data: "\n\n"}},
		{"INSERT INTO t FORMAT TSV \r\n 1", true, statement{sql: "INSERT INTO t ", insert: true, format: "TSV", data: " 1"}},
		{"INSERT INTO t FORMAT JSONEachRow {\"a\":\"FORMAT\"}", false,
			statement{sql: "INSERT INTO t ", insert: true, format: "JSONEachRow", data: "{\"a\":\"FORMAT\"}"}},
		{"INSERT INTO `format` (`values`) VALUES (1)", false,
			statement{sql: "INSERT INTO `format` (`values`) ", insert: true, format: "Values", data: " (1)"}},
		{"INSERT INTO t (format) VALUES (1)", false,
			statement{sql: "INSERT INTO t (format) ", insert: true, format: "Values", data: " (1)"}},
		{"INSERT INTO t SETTINGS a = 1 FORMAT CSV 1", false,
			statement{sql: "INSERT INTO t SETTINGS a = 1 ", insert: true, format: "CSV", data: "1"}},
		{"INSERT INTO t", true, statement{sql: "INSERT INTO t", insert: true, format: "Values"}},
		{"INSERT INTO t", false, statement{sql: "INSERT INTO t", format: "Values"}},
		{"", false, statement{}},
		{"'", false, statement{sql: "'"}},
		{"/*", false, statement{sql: "/*"}},
	} {
		if got := parseStatement(c.text, c.bodyFollows); got != c.want {
			t.Errorf("%q:\n got %+v\nwant %+v", c.text, got, c.want)
		}
	}
}

func FuzzParseStatement(f *testing.F) {
	for _, seed := range []string{
		"SELECT 1 FORMAT JSON", "INSERT INTO t (a) FORMAT Native\n\x00\xff", "'\\", "`a``b`", "/* /*", "-- x", "((((",
		"insert values",
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, bodyFollows bool) {
		got := parseStatement(text, bodyFollows)
		if !strings.HasPrefix(text, got.sql) || !strings.HasSuffix(text, got.data) || len(got.sql)+len(got.data) > len(text) {
			t.Errorf("%q gives %+v", text, got)
		}
		if got.data != "" && !got.insert {
			t.Errorf("%q: data without an insert: %+v", text, got)
		}
	})
}

func TestGuardNames(t *testing.T) {
	g := newGuard([]string{"file", "url", "s3", "numbers", "merge", "brandNewThing"})
	for _, c := range []struct {
		printed string
		params  map[string]string
		refused bool
	}{
		{"SELECT 1", nil, false},
		{"SELECT 'file(1)', url FROM t", nil, false},
		{"SELECT count() FROM numbers(3)", nil, false},
		{"SELECT file('x')", nil, true},
		{"SELECT File", nil, true},
		{"SELECT `file`", nil, true},
		{"SELECT `fi\\le`", nil, true},
		{"SELECT * FROM url('x')", nil, true},
		{"SELECT * FROM `url`('x')", nil, true},
		{"SELECT * FROM brandNewThing('x')", nil, true},
		{"SELECT * FROM merge('a', 'b')", nil, false},
		{"SELECT {x:Identifier}", map[string]string{"x": "file"}, true},
		{"SELECT {x:Identifier}", map[string]string{"x": "`file`"}, true},
		{"SELECT {x:Identifier}", map[string]string{"x": `f\x69le`}, true},
		{"SELECT {x:Identifier}", map[string]string{"x": "calls"}, false},
		{"SELECT {x:String}", map[string]string{"x": "file"}, false},
	} {
		if err := g.checkNames(c.printed, c.params); (err != nil) != c.refused {
			t.Errorf("%s %v: %v", c.printed, c.params, err)
		}
	}
}

func FuzzGuardNames(f *testing.F) {
	g := newGuard([]string{"file", "url"})
	f.Add("SELECT `a\\`b`, 'x'", "v")
	f.Add("`", "")
	f.Add("\"", "\\")
	f.Fuzz(func(t *testing.T, printed, value string) {
		_ = g.checkNames(printed, map[string]string{"p": value})
		if err := g.checkNames("SELECT file, "+printed, nil); err == nil {
			t.Errorf("%q hides what stands before it", printed)
		}
	})
}

func TestAcceptedEncoding(t *testing.T) {
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "gzip, zstd": "zstd", "deflate;q=0.5": "deflate", "gzip;q=0": "", "identity": "",
		"br, gzip": "br",
	} {
		if got := acceptedEncoding(accept); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

const testKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// bareServer reads requests without an engine behind it.
func bareServer(options HTTPOptions) *handler {
	return &handler{database: &Database{key: testKey}, options: options.withDefaults()}
}

func TestUnpackedBodyIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte("0\n"), 1<<20))
	_ = z.Close()
	s := bareServer(HTTPOptions{MaxInsertBytes: 100_000})
	r := httptest.NewRequest(http.MethodPost, "/?query="+url.QueryEscape("INSERT INTO t FORMAT TSV"), &bomb)
	r.Header.Set("X-ClickHouse-Key", testKey)
	r.Header.Set("Content-Encoding", "gzip")
	q, err := s.readRequest(httptest.NewRecorder(), r)
	if err != nil {
		t.Fatal(err)
	}
	next := q.rowsFrom(make([]byte, insertChunkBytes))
	for {
		chunk, err := next()
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return
		}
		if err != nil || len(chunk) == 0 {
			t.Fatalf("%d bytes, %v: the bomb went through", len(chunk), err)
		}
	}
}

// FuzzReadRequest sends arbitrary URLs, headers and bodies through everything that this package parses by itself.
func FuzzReadRequest(f *testing.F) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("INSERT INTO t FORMAT TSV\n1\n"))
	_ = z.Close()
	w := compress.NewWriter(0, compress.LZ4)
	_ = w.Compress([]byte("INSERT INTO t FORMAT TSV\n1\n"))
	f.Add("query=SELECT+1", "", "", []byte(""))
	f.Add("query=INSERT+INTO+t+FORMAT+Native", "", "", []byte("\x01\x01\x01a\x06UInt64........"))
	f.Add("final=1&max_threads=1", "", "", []byte("SELECT 1"))
	f.Add("", "gzip", "", zipped.Bytes())
	f.Add("decompress=1", "", "", w.Data)
	f.Add("decompress=1&compress=1&network_compression_method=ZSTD", "zstd", "",
		[]byte("(\xb5/\xfd\x04\x00Y\x00\x00SELECT 1"))
	f.Add("param_a=1&max_execution_time=5&client_protocol_version=54460", "br", "", []byte("x"))
	f.Add("", "", "multipart/form-data; boundary=b",
		[]byte("--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 1\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, query, encoding, contentType string, body []byte) {
		s := bareServer(HTTPOptions{MaxInsertBytes: 1 << 20, MaxQueryBytes: 4 << 10})
		for _, key := range []string{"", testKey} {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
			r.URL.RawQuery = query
			r.Header.Set("Content-Encoding", encoding)
			r.Header.Set("Content-Type", contentType)
			if key != "" {
				r.Header.Set("X-ClickHouse-Key", key)
			}
			q, err := s.readRequest(httptest.NewRecorder(), r)
			if err != nil {
				if e := asException(err); e.Code == 0 || httpStatus(e.Code) < 400 {
					t.Errorf("%v", err)
				}
				continue
			}
			if q.writer && key == "" {
				t.Errorf("a reader became %+v", q)
			}
			for _, s := range q.settings { // what a reader may choose is asked behind this, in readerWith
				if !isSettingName(s.name) {
					t.Errorf("a setting named %q", s.name)
				}
			}
			if len(q.statement.sql) > 4<<10+1 {
				t.Errorf("a statement of %d bytes", len(q.statement.sql))
			}
			if q.statement.insert {
				total := 0
				for next := q.rowsFrom(make([]byte, insertChunkBytes)); ; {
					chunk, err := next()
					if err != nil || len(chunk) == 0 {
						break
					}
					total += len(chunk)
				}
				if total > 2<<20 {
					t.Errorf("%d bytes of rows", total)
				}
			}
		}
	})
}

func TestCutBodyIsNotTakenForAWholeOne(t *testing.T) {
	for _, c := range []struct {
		name string
		r    io.Reader
		cut  bool
	}{
		{"whole", strings.NewReader("abc"), false},
		{"cut", io.MultiReader(strings.NewReader("abc"), errReader{io.ErrUnexpectedEOF}), true},
		{"broken", io.MultiReader(strings.NewReader("abc"), errReader{errors.New("reset")}), true},
	} {
		n, end, err := readUpTo(c.r, make([]byte, 10))
		if n != 3 || end == c.cut || (err != nil) != c.cut {
			t.Errorf("%s: %d %v %v", c.name, n, end, err)
		}
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
