package send

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/noleaks"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

func TestMain(m *testing.M) { noleaks.Main(m) }

// reply is how a fake server answers one request: by status, or with a failure of the connection.
type reply struct {
	status int
	header string // Retry-After or Location
	body   string
	lose   bool // take the events, then break off
	fail   error
}

// fake is a server without a network: it answers request n as scripted, and what is not scripted by taking every event
// once, by its text.
type fake struct {
	t      testing.TB
	script map[int]reply
	most   int // largest body it takes; 0 is any

	mu    sync.Mutex
	n     int
	taken map[string]int
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	say := f.script[f.n]
	f.n++
	if say.fail != nil {
		return nil, say.fail
	}
	if say.status != 0 && !say.lose {
		h := http.Header{}
		h.Set("Retry-After", say.header)
		h.Set("Location", say.header)
		return &http.Response{StatusCode: say.status, Header: h, Body: io.NopCloser(strings.NewReader(say.body))}, nil
	}
	body := unpack(f.t, r)
	if f.most > 0 && len(body) > f.most {
		return &http.Response{
			StatusCode: http.StatusRequestEntityTooLarge, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")),
		}, nil
	}
	a := Answer{Receipt: event.Receipt{Rejected: []event.Refusal{}}}
	for i, line := range strings.Split(strings.TrimSuffix(string(body), "\n"), "\n") {
		switch {
		case strings.Contains(line, "bad"):
			a.Rejected = append(a.Rejected, event.Refusal{Index: i, Reason: "unknown_type"})
			continue
		case f.taken[line] > 0:
			a.Duplicates++
		default:
			a.Accepted++
		}
		if f.taken == nil {
			f.taken = map[string]int{}
		}
		f.taken[line]++
	}
	if say.lose {
		return nil, io.ErrUnexpectedEOF
	}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(text))}, nil
}

func unpack(t testing.TB, r *http.Request) []byte {
	t.Helper()
	var in io.Reader = r.Body
	switch r.Header.Get("Content-Encoding") {
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		in = z
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		in = z
	}
	body, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// client returns a Client of f whose clock moves only by its own waits, which waits collects.
func client(t testing.TB, f *fake, waits *[]time.Duration, change func(*Config)) *Client {
	t.Helper()
	now := start
	var mu sync.Mutex
	cfg := Config{Server: "http://monev.test:8112/", Transport: f, Patience: Patience{
		Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			if waits != nil {
				*waits = append(*waits, d)
			}
			return ctx.Err()
		}}}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSend(t *testing.T) {
	refused := errors.New("connection refused")
	for _, c := range []struct {
		name   string
		script map[int]reply
		tries  int    // that the answer needed; 0 when it fails
		want   string // in the error
		waits  []time.Duration
	}{
		{name: "at once", tries: 1},
		{name: "429 with seconds", script: map[int]reply{0: {status: 429, header: "7"}}, tries: 2,
			waits: []time.Duration{7 * time.Second}},
		{name: "503 with a date", script: map[int]reply{0: {status: 503, header: "Sun, 01 Mar 2026 00:00:09 GMT"}}, tries: 2,
			waits: []time.Duration{9 * time.Second}},
		{name: "Retry-After beyond the longest wait", script: map[int]reply{0: {status: 503, header: "86400"}}, tries: 2,
			waits: []time.Duration{30 * time.Second}},
		{name: "no connection, twice", script: map[int]reply{0: {fail: refused}, 1: {fail: refused}}, tries: 3},
		{name: "taken, but the answer is lost", script: map[int]reply{0: {status: 200, lose: true}}, tries: 2},
		{name: "gateway", script: map[int]reply{0: {status: 502}, 1: {status: 504}, 2: {status: 500}}, tries: 4},
		{name: "wrong key", script: map[int]reply{0: {status: 401, body: "{}"}}, want: "API key"},
		{name: "key without the right", script: map[int]reply{0: {status: 403}}, want: "may not write"},
		{name: "redirect", script: map[int]reply{0: {status: 308, header: "https://elsewhere/v1/events"}},
			want: "https://elsewhere"},
		{name: "another server", script: map[int]reply{0: {status: 404, body: "<html>\n<b>Not found"}},
			want: "(it said: <html> <b>Not found)"},
		{name: "another server that says yes", script: map[int]reply{0: {status: 200, body: "<html>"}},
			want: "is the address right"},
		{name: "an answer that does not add up", script: map[int]reply{0: {status: 200, body: `{"accepted":1}`}},
			want: "1 of the 2 events"},
		{name: "an answer about an event that was not sent",
			script: map[int]reply{0: {status: 200, body: `{"accepted":1,"rejected":[{"index":2}]}`}},
			want:   "refuses event 2 of 2"},
		{name: "an endless answer", script: map[int]reply{0: {status: 200, body: strings.Repeat(" ", maxAnswerBytes+2)}},
			want: "longer than"},
		{name: "every event refused",
			script: map[int]reply{0: {status: 400, body: `{"accepted":0,"duplicates":0,"rejected":[{"index":0},{"index":1}]}`}},
			tries:  1},
		{name: "media type", script: map[int]reply{0: {status: 415}}, want: "415"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var waits []time.Duration
			f := &fake{t: t, script: c.script}
			cl := client(t, f, &waits, nil)
			a, err := cl.Submit(context.Background(), []byte("one\ntwo\n"), 2)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || f.n != 1 {
					t.Fatalf("after %d tries got %v, want %q at once", f.n, err, c.want)
				}
				return
			}
			if err != nil || a.Tries != c.tries || a.Accepted+a.Duplicates+len(a.Rejected) != 2 {
				t.Errorf("got %+v, %v; want %d tries", a, err, c.tries)
			}
			if c.waits != nil && !slices.Equal(waits, c.waits) {
				t.Errorf("waited %v, want %v", waits, c.waits)
			}
			for line, n := range f.taken {
				if n > c.tries {
					t.Errorf("%q was taken %d times", line, n)
				}
			}
		})
	}
}

// Who gives up says how long it took in truth: a single try may take longer than the patience.
func TestGivingUpSaysHowLongItTook(t *testing.T) {
	now := time.Unix(0, 0)
	p := Patience{Total: time.Minute, Now: func() time.Time { return now }}
	away := errors.New("no answer")
	tries, err := p.Do(t.Context(), func() error {
		now = now.Add(65 * time.Second)
		return &Temporary{Cause: away}
	})
	if tries != 1 || !errors.Is(err, away) || err.Error() != "gave up after 1m5s and one try: no answer" {
		t.Errorf("%d tries: %v", tries, err)
	}
}

func TestSendWaitsLongerEachTimeAndGivesUp(t *testing.T) {
	var waits []time.Duration
	var told int
	f := &fake{t: t, script: map[int]reply{}}
	for n := range 1000 {
		f.script[n] = reply{status: 503}
	}
	c := client(t, f, &waits, func(c *Config) {
		c.Total, c.LongestWait = 2*time.Minute, 10*time.Second
		c.OnRetry = func(Retry) { told++ }
	})
	_, err := c.Submit(context.Background(), []byte("one\n"), 1)
	var status *StatusError
	if !errors.As(err, &status) || status.Status != 503 || !strings.Contains(err.Error(), "gave up after ") {
		t.Fatalf("got %v", err)
	}
	total := time.Duration(0)
	for i, w := range waits {
		total += w
		if w > 10*time.Second || i < 5 && w > 250*time.Millisecond<<i {
			t.Errorf("wait %d is %v", i, w)
		}
	}
	if total > 2*time.Minute || total < time.Minute || told != len(waits) {
		t.Errorf("waited %v in all, told %d of %d", total, told, len(waits))
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		cfg    Config
		want   string
		hidden string
	}{
		{cfg: Config{}, want: "http://host:port"},
		{cfg: Config{Server: "localhost:8112"}, want: "http://host:port"},
		{cfg: Config{Server: "ftp://x"}, want: "http://host:port"},
		{cfg: Config{Server: "http://user:secret@x"}, want: "API key", hidden: "secret"},
		{cfg: Config{Server: "http://user:secret@%zz"}, want: "http://host:port", hidden: "secret"},
		{cfg: Config{Server: "http://x?key=1"}, want: "goes on"},
		{cfg: Config{Server: "http://x", Key: "secret\nX: y"}, want: "line break", hidden: "secret"},
		{cfg: Config{Server: "http://x", Compression: "br"}, want: "zstd, gzip or none"},
	} {
		_, err := New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.hidden != "" && strings.Contains(err.Error(), c.hidden) {
			t.Errorf("%q: got %v, want %q without %q", c.cfg.Server, err, c.want, c.hidden)
		}
	}
}

// The request as it goes over a real connection, in every compression.
func TestRequestOnTheWire(t *testing.T) {
	for _, compression := range []Compression{Zstd, Gzip, None} {
		got := make(chan string, 1)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := unpack(t, r)
			got <- fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"),
				r.Header.Get("Authorization"), body)
			io.WriteString(w, `{"accepted":1,"duplicates":0,"rejected":[]}`)
		}))
		c, err := New(Config{Server: srv.URL + "/monev", Key: "k1", Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Submit(context.Background(), []byte("{}\n"), 1); err != nil {
			t.Fatal(err)
		}
		if want, line := "POST /monev/v1/events application/x-ndjson Bearer k1 {}\n", <-got; line != want {
			t.Errorf("%s: got %q, want %q", compression, line, want)
		}
		c.Close()
		srv.Close()
	}
}

// A server that takes the request and never answers costs the timeout, not the import.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		slow := tripper(func(r *http.Request) (*http.Response, error) {
			n++
			if n == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return &http.Response{
				StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"accepted":1}`)),
			}, nil
		})
		c, err := New(Config{Server: "http://x", Transport: slow})
		if err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		a, err := c.Submit(t.Context(), []byte("one\n"), 1)
		if err != nil || a.Tries != 2 || time.Since(from) < time.Minute {
			t.Errorf("got %+v, %v after %v", a, err, time.Since(from))
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestStopWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		c, err := New(Config{Server: "http://x", Transport: tripper(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("connection refused")
		})})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Submit(ctx, []byte("one\n"), 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// Whatever fails in between, every event is answered once, refusals find their event, and nothing is sent twice but by
// sending a batch again.
func TestStreamDeliversEverything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := &fake{t: t, script: map[int]reply{}, most: rapid.SampledFrom([]int{0, 40, 12}).Draw(rt, "most")}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 30)).Draw(rt, "failing") {
			f.script[n] = rapid.SampledFrom([]reply{
				{status: 503}, {status: 429, header: "1"}, {status: 200, lose: true}, {fail: io.EOF},
			}).Draw(rt, "how")
		}
		c := client(t, f, nil, func(c *Config) { c.Total = -1 })
		limits := Batching{
			Events: rapid.IntRange(1, 9).Draw(rt, "events"), Bytes: rapid.IntRange(1, 60).Draw(rt, "bytes"),
			Senders: rapid.IntRange(1, 3).Draw(rt, "senders"),
		}
		refused := map[int]string{}
		s := NewStream(context.Background(), c, limits, func(tag int, r event.Refusal) { refused[tag] = string(r.Reason) })
		count := rapid.IntRange(0, 40).Draw(rt, "count")
		want := map[int]string{}
		for i := range count {
			line := fmt.Sprintf("event %d", i)
			switch {
			case rapid.IntRange(0, 5).Draw(rt, "kind") == 0:
				line, want[i] = fmt.Sprintf("bad %d", i), "unknown_type"
			case f.most == 40 && rapid.IntRange(0, 9).Draw(rt, "size") == 0:
				line, want[i] = fmt.Sprintf("event %d %s", i, strings.Repeat("x", 50)), "event_too_large"
			}
			if err := s.Add([]byte(line), i); err != nil {
				rt.Fatal(err)
			}
		}
		totals, err := s.Close()
		if err != nil {
			rt.Fatal(err)
		}
		if totals.Sent != count || totals.Refused != len(want) || totals.Accepted+totals.Duplicates != count-len(want) ||
			fmt.Sprint(refused) != fmt.Sprint(want) {
			rt.Fatalf("of %d events %+v; refused %v, want %v", count, totals, refused, want)
		}
		if len(f.taken) != count-len(want) {
			rt.Fatalf("the server has %d events of %d", len(f.taken), count-len(want))
		}
	})
}

func TestStreamEndsWithTheFirstError(t *testing.T) {
	f := &fake{t: t, script: map[int]reply{}}
	for n := range 100 {
		f.script[n] = reply{status: 401}
	}
	s := NewStream(context.Background(), client(t, f, nil, nil), Batching{Events: 1, Senders: 2},
		func(int, event.Refusal) {})
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = s.Add([]byte("one"), i)
	}
	var status *StatusError
	if !errors.As(err, &status) {
		t.Errorf("Add: %v", err)
	}
	if _, err := s.Close(); !errors.As(err, &status) || status.Status != 401 {
		t.Errorf("Close: %v", err)
	}
}

func TestStreamStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{t: t}
	s := NewStream(ctx, client(t, f, nil, nil), Batching{Events: 1}, func(int, event.Refusal) {})
	cancel()
	for i := range 10 {
		if err := s.Add([]byte("one"), i); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if _, err := s.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
}

// Wait returns once everything is answered, and the stream goes on.
func TestStreamWaits(t *testing.T) {
	f := &fake{t: t, script: map[int]reply{0: {status: 503}}}
	answered := 0
	s := NewStream(t.Context(), client(t, f, nil, nil), Batching{Events: 2}, func(int, event.Refusal) {})
	s.Taken = func(int) { answered++ }
	for round := 1; round <= 2; round++ {
		for i := range 5 {
			if err := s.Add(fmt.Appendf(nil, "event %d %d", round, i), i); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Wait(); err != nil || answered != 5*round {
			t.Errorf("round %d: %v, %d of %d events answered", round, err, answered, 5*round)
		}
	}
	if _, err := s.Close(); err != nil {
		t.Error(err)
	}
	f.script[f.n] = reply{status: 401}
	s = NewStream(t.Context(), client(t, f, nil, nil), Batching{}, func(int, event.Refusal) {})
	if err := errors.Join(s.Add([]byte("one"), 0), s.Wait()); err == nil {
		t.Error("a batch that was not answered is no error of Wait")
	}
	_, _ = s.Close()
}
