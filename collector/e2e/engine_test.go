package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// curl asks the embedded ClickHouse as anybody on the machine can.
func (s *service) curl(sql string, query url.Values, header map[string]string) (int, string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.engine+"/?"+query.Encode(),
		strings.NewReader(sql))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return r.StatusCode, strings.TrimSpace(string(text))
}

// TestEngineForPeople: anybody on the machine may ask the embedded ClickHouse, nobody may write, read files or call
// out, and no number of slow questions keeps the service from storing.
func TestEngineForPeople(t *testing.T) {
	t.Parallel()
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	send := func(n int, prefix string) {
		t.Helper()
		lines := make([]string, n)
		for i := range lines {
			lines[i] = line(fmt.Sprintf("%s-%d", prefix, i), nil)
		}
		if a, status, err := s.post([]byte(strings.Join(lines, "\n"))); err != nil || status != http.StatusOK ||
			a.Accepted != n {
			t.Fatalf("%d, %v, %+v", status, err, a)
		}
	}
	send(100, "first")
	s.shipped()

	t.Run("answers", func(t *testing.T) {
		if status, text := s.curl("SELECT count() FROM monev112.events", nil, nil); status != 200 || text != "100" {
			t.Errorf("%d %s", status, text)
		}
		r, err := http.Get("http://" + s.engine + "/?query=" +
			url.QueryEscape("SELECT count() AS n FROM monev112.events FORMAT JSONEachRow"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if text, _ := io.ReadAll(r.Body); !strings.Contains(string(text), `"n":`) || !strings.Contains(string(text), "100") {
			t.Errorf("%s", text)
		}
		if status, text := s.curl("SELECT {n:UInt8} + 1", url.Values{"param_n": {"41"}}, nil); status != 200 || text != "42" {
			t.Errorf("a parameter: %d %s", status, text)
		}
	})

	t.Run("refuses", func(t *testing.T) {
		for _, sql := range []string{
			"SELECT file('/etc/passwd')", "SELECT * FROM file('/etc/passwd', 'LineAsString')",
			"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
			"INSERT INTO monev112.events (id) VALUES ('x')", "DROP TABLE monev112.events", "TRUNCATE TABLE monev112.events",
			"SELECT 1 SETTINGS readonly = 0", "SET readonly = 0", "SELECT 1 INTO OUTFILE '/tmp/x'", "SYSTEM SHUTDOWN",
		} {
			for _, query := range []url.Values{nil, {"readonly": {"0"}, "allow_ddl": {"1"}, "max_execution_time": {"0"}}} {
				if status, text := s.curl(sql, query, nil); status < 400 || strings.Contains(text, "root:") ||
					!strings.HasPrefix(text, "Code: ") {
					t.Errorf("%s: %d %s", sql, status, text)
				}
			}
		}
		for _, header := range []map[string]string{
			{"Host": "evil.example"}, {"Host": "evil.example:8123"}, {"Origin": "https://evil.example"}, {"Origin": "null"},
			{"X-ClickHouse-Key": "guess"},
		} {
			if status, text := s.curl("SELECT 1", nil, header); status != http.StatusForbidden &&
				status != http.StatusUnauthorized {
				t.Errorf("%v: %d %s", header, status, text)
			}
		}
		for name, value := range map[string]string{"readonly": "0", "max_memory_usage": "0", "max_result_rows": "0"} {
			status, text := s.curl("SELECT 1", url.Values{name: {value}}, nil)
			if status != http.StatusForbidden || !strings.Contains(text, "Code: 164") {
				t.Errorf("%s in the address: %d %s", name, status, text)
			}
		}
		if status, text := s.curl(
			"SELECT getSetting('readonly'), getSetting('max_memory_usage') > 0, getSetting('max_execution_time') > 0",
			url.Values{"max_execution_time": {"0"}}, nil); status != 200 || text != "1\t1\t1" {
			t.Errorf("what limits a reader: %d %s", status, text)
		}
	})

	t.Run("slow questions", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var asking sync.WaitGroup
		defer asking.Wait()
		defer cancel()
		for i := range 6 {
			asking.Go(func() {
				for ctx.Err() == nil {
					sql := fmt.Sprintf("SELECT sum(cityHash64(number, %d)) FROM numbers(4000000000)", i)
					req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.engine+"/", strings.NewReader(sql))
					if r, err := http.DefaultClient.Do(req); err == nil {
						_, _ = io.Copy(io.Discard, r.Body)
						r.Body.Close()
					}
				}
			})
		}
		s.until("the questions run", func() bool {
			_, text := s.curl("SELECT count() FROM system.processes WHERE query LIKE '%4000000000%'", nil, nil)
			return text != "0" && text != "1"
		})
		for i := range 3 {
			send(100, fmt.Sprintf("during-%d", i))
			if !s.until("what was sent is stored beside slow questions", func() bool {
				return s.metric("monev112_journal_lag_bytes") == 0
			}) {
				t.Fatal("the service ended")
			}
		}
		if status, text := s.curl("SELECT count() FROM system.processes WHERE query LIKE '%4000000000%'", nil,
			nil); status == 200 && (text == "0" || text == "1") {
			t.Errorf("the slow questions were over: this test showed nothing (%s run)", text)
		}
	})
	if got := s.query("SELECT count() FROM events_now"); got != "400" {
		t.Errorf("%s events, want 400", got)
	}
	began := time.Now()
	if code := s.stop(); code != 0 {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}
}
