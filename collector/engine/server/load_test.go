package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/engine/server"
)

func TestReadersGoOnDuringInserts(t *testing.T) {
	database := enginetest.Database(t)
	conn := open(t, func(o *clickhouse.Options) { o.Auth.Database = database; o.MaxOpenConns = 8 })
	ctx := context.Background()
	if err := conn.Exec(ctx, "CREATE TABLE t (a UInt64, s String) ENGINE = ReplacingMergeTree ORDER BY a"); err != nil {
		t.Fatal(err)
	}
	const batches, rows = 20, 5_000 // 100,000 rows
	var inserted, reads atomic.Int64
	done := make(chan struct{})
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				before := inserted.Load()
				status, _, body := ask{body: "SELECT count() FROM " + database + ".t FINAL"}.do(t)
				after := inserted.Load()
				var n int64
				if _, err := fmt.Sscan(body, &n); status != 200 || err != nil || n < before*rows || n > (after+1)*rows ||
					n%rows != 0 {
					t.Errorf("%d %q between %d and %d batches", status, body, before, after)
					return
				}
				reads.Add(1)
			}
		})
	}
	for b := range batches {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO t")
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if err := batch.Append(uint64(b*rows+i), "x"); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
		inserted.Add(1)
	}
	close(done)
	wait.Wait()
	if got := read(t, "SELECT count(), uniqExact(a) FROM "+database+".t"); got != "100000\t100000\n" {
		t.Errorf("%q", got)
	}
	if reads.Load() == 0 {
		t.Error("no reader got through")
	}
}

// slow is a statement that ends only when it is killed or times out.
const slow = "SELECT max(sipHash64(number)) FROM numbers(200000000000)"

func TestFullReadersRefuseAndWritersGoOn(t *testing.T) {
	database := enginetest.Database(t)
	e := enginetest.Shared(t)
	handler, err := e.Handler(server.HTTPOptions{AcquireTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	for range 4 { // as many as there are reader connections
		wait.Go(func() {
			for ctx.Err() == nil { // one that got no connection in time, or came to its time limit, asks again
				r, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(slow))
				response, err := server.Client().Do(r)
				if err != nil {
					continue
				}
				response.Body.Close()
				if response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusRequestTimeout {
					t.Errorf("the slow statement ended with %s", response.Status)
					return
				}
			}
		})
	}
	running := func() string {
		got, err := enginetest.Post(strings.TrimPrefix(server.URL, "http://"), e.Key(),
			"SELECT count() FROM system.processes WHERE query LIKE '%200000000000%' AND query NOT LIKE '%processes%'", "", nil)
		if err != nil {
			t.Fatalf("a writer is refused while readers are busy: %v", err)
		}
		return strings.TrimSpace(got)
	}
	waitUntil(t, func() bool {
		if running() != "4" {
			return false
		}
		response, err := http.Post(server.URL, "", strings.NewReader("SELECT 1"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		refused := response.StatusCode == http.StatusServiceUnavailable
		if refused && (response.Header.Get("X-ClickHouse-Exception-Code") != "202" || response.Header.Get("Retry-After") == "") {
			t.Errorf("%s %s", response.Status, body)
		}
		return refused // else one of them had just come to its time limit
	})
	if _, err := enginetest.Post(strings.TrimPrefix(server.URL, "http://"), e.Key(),
		"CREATE TABLE "+database+".t (a UInt8) ENGINE = MergeTree ORDER BY a", "", nil); err != nil {
		t.Error(err)
	}

	cancel() // the clients go away: their statements end
	wait.Wait()
	waitUntil(t, func() bool { return running() == "0" })
}

// A page of a dashboard sends all its statements at once: more than there are connections, and all are answered.
func TestBurstOfReadersIsAnswered(t *testing.T) {
	handler, err := enginetest.Shared(t).Handler(server.HTTPOptions{AcquireTimeout: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			got, err := enginetest.Post(strings.TrimPrefix(server.URL, "http://"), "", fmt.Sprintf("SELECT sleep(0.2) + %d", i),
				"", nil)
			if err != nil || got != fmt.Sprintf("%d\n", i) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	wait.Wait()
}

// Hundreds at once: as many wait as may, for as long as they may, all others are refused at once, and a writer is
// served.
func TestFloodOfReadersIsBounded(t *testing.T) {
	e := enginetest.Shared(t)
	const flood, places = 500, 40
	handler, err := e.Handler(server.HTTPOptions{MaxRequests: places, AcquireTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var running, refused sync.WaitGroup
	var inTime, others, over atomic.Int64
	send := func(sql string, each func(*http.Response)) {
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(sql))
		response, err := server.Client().Do(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		each(response)
	}
	for range 4 { // as many as there are reader connections
		running.Go(func() {
			for ctx.Err() == nil {
				send(slow, func(r *http.Response) {
					if r.StatusCode == http.StatusRequestTimeout { // its time limit, on a machine that is slow
						over.Add(1)
					} else if r.StatusCode != http.StatusServiceUnavailable {
						t.Errorf("the slow statement ended with %s", r.Status)
					}
				})
			}
		})
	}
	ask := func(sql string) string {
		got, err := enginetest.Post(strings.TrimPrefix(server.URL, "http://"), e.Key(), sql, "", nil)
		if err != nil {
			t.Fatalf("a writer is refused while readers flood: %v", err)
		}
		return strings.TrimSpace(got)
	}
	waitUntil(t, func() bool {
		return ask(
			"SELECT count() FROM system.processes WHERE query LIKE '%200000000000%' AND query NOT LIKE '%processes%'") == "4"
	})
	for range flood {
		refused.Go(func() {
			send("SELECT 1", func(r *http.Response) {
				if r.StatusCode == http.StatusServiceUnavailable && r.Header.Get("X-ClickHouse-Exception-Code") == "202" {
					inTime.Add(1)
				} else {
					others.Add(1)
				}
			})
		})
	}
	ask("SELECT 1")
	refused.Wait()
	if over.Load() > 0 {
		t.Log("the slow statements did not hold their connections all the while: nothing is known of the others")
	} else if inTime.Load() != flood || others.Load() != 0 {
		t.Errorf("%d of %d readers were refused with code 202, %d got something else", inTime.Load(), flood, others.Load())
	}
	cancel()
	running.Wait()
}

// waitUntil polls: the state is another process's or ClickHouse's.
func waitUntil(t *testing.T, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come about")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestStatementEndsAtItsTimeLimit(t *testing.T) {
	_, key := enginetest.Start(t)
	for name, key := range map[string]string{"reader": "", "writer": key} {
		status, header, body := ask{body: slow, key: key, query: url.Values{"max_execution_time": {"1"}}}.do(t)
		if status != 408 || header.Get("X-ClickHouse-Exception-Code") != "159" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestClientThatStopsSendingFreesItsConnection(t *testing.T) {
	database := enginetest.Database(t)
	e := enginetest.Shared(t)
	write(t, "CREATE TABLE "+database+".t (a UInt64) ENGINE = MergeTree ORDER BY a")
	handler, err := e.Handler(server.HTTPOptions{ReadTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = io.WriteString(w, "1\n2\n") }()
	request, err := http.NewRequest(http.MethodPost,
		server.URL+"/?query="+url.QueryEscape("INSERT INTO "+database+".t FORMAT TSV"), r)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-ClickHouse-Key", e.Key())
	response, err := server.Client().Do(request)
	if err == nil {
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode < 400 {
			t.Errorf("%s %s", response.Status, body)
		}
	}
	if got := read(t, "SELECT count() FROM "+database+".t"); got != "0\n" {
		t.Errorf("%q rows of a body that was cut", got)
	}
}

func TestWritersShareNoSession(t *testing.T) {
	_, key := enginetest.Start(t)
	for range 16 {
		write(t, "SET max_threads = 1, session_timezone = 'Asia/Jakarta'")
		write(t, "USE system")
		write(t, "CREATE TEMPORARY TABLE same_name (a UInt8)")
	}
	for range 16 {
		_, _, body := ask{body: "SELECT timezone(), currentDatabase()", key: key}.do(t)
		if body != "UTC\tdefault\n" {
			t.Fatalf("%q", body)
		}
	}
}

func TestTooManyRequestsAreRefused(t *testing.T) {
	e := enginetest.Shared(t)
	handler, err := e.Handler(server.HTTPOptions{MaxRequests: 1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	r, w := io.Pipe()
	var wait sync.WaitGroup
	wait.Go(func() {
		if response, err := http.Post(server.URL, "", r); err == nil {
			response.Body.Close()
		}
	})
	_, _ = io.WriteString(w, "SELECT ")
	waitUntil(t, func() bool {
		response, err := http.Post(server.URL, "", strings.NewReader("SELECT 1"))
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == 503
	})
	_, _ = io.WriteString(w, "1")
	w.Close()
	wait.Wait()
}

func TestLargeResultIsStreamed(t *testing.T) {
	conn := open(t, nil)
	rows, err := conn.Query(context.Background(), "SELECT number, toString(number) FROM numbers(400000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var next uint64
	for rows.Next() {
		var n uint64
		var s string
		if err := rows.Scan(&n, &s); err != nil {
			t.Fatal(err)
		}
		if n != next || s != fmt.Sprint(n) {
			t.Fatalf("row %d: %d %q", next, n, s)
		}
		next++
	}
	if rows.Err() != nil || next != 400000 {
		t.Fatalf("%d rows, %v", next, rows.Err())
	}
}

func TestEmptyResultKeepsItsColumns(t *testing.T) {
	conn := open(t, nil)
	rows, err := conn.Query(context.Background(),
		"SELECT number AS n, toString(number) AS s FROM numbers(5) WHERE number > 9")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() || rows.Err() != nil {
		t.Fatalf("a row, or %v", rows.Err())
	}
	t.Logf("columns of an empty result: %v", rows.Columns())
}

// A Grafana data source is clickhouse-go over HTTP with a user and no password.
func TestClickHouseClientWithoutKeyReads(t *testing.T) {
	database := enginetest.Database(t)
	write(t, "CREATE TABLE "+database+
		".t (at DateTime64(3, 'UTC'), opd LowCardinality(String)) ENGINE = MergeTree ORDER BY at")
	write(t, "INSERT INTO "+database+
		".t SELECT toDateTime64('2026-03-19 00:00:00', 3, 'UTC') + number, if(number % 2 = 0, 'damkar', 'bpbd') FROM "+
		"numbers(1000)")
	conn := open(t, func(o *clickhouse.Options) {
		o.Auth.Password = ""
		o.Auth.Database = database
		o.Settings = clickhouse.Settings{"max_execution_time": 60, "session_timezone": "UTC"}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"opd": "damkar"}),
		clickhouse.WithQueryID("panel-1"))
	var n uint64
	var first time.Time
	if err := conn.QueryRow(ctx, "SELECT count(), min(at) FROM t WHERE opd = {opd:String}").Scan(&n, &first); err != nil {
		t.Fatal(err)
	}
	if n != 500 || !first.Equal(time.Date(2026, 3, 19, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%d %v", n, first)
	}
	if err := conn.Ping(ctx); err != nil {
		t.Error(err)
	}
	err := conn.Exec(ctx, "INSERT INTO t VALUES (now(), 'x')")
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) || exception.Code != 164 {
		t.Errorf("%v", err)
	}
	if err := conn.QueryRow(ctx, "SELECT * FROM nosuch").Scan(&n); !errors.As(err, &exception) || exception.Code != 60 {
		t.Errorf("%v", err)
	}
	// An error after the first rows reaches the client as ClickHouse's.
	rows, err := conn.Query(ctx, "SELECT throwIf(number = 900000, 'too far') FROM numbers(950000)")
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		rows.Close()
	}
	if !errors.As(err, &exception) || exception.Code != 395 {
		t.Errorf("%v", err)
	}
}
