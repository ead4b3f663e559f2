package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
)

func pack(t testing.TB, encoding, body string) string {
	t.Helper()
	var b bytes.Buffer
	if encoding == "gzip" {
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(body))
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write([]byte(body))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStatusOfAPost(t *testing.T) {
	bomb := strings.Repeat("a s\n", 1<<20)
	for name, c := range map[string]struct {
		body, contentType, encoding string
		answer                      func() (event.Receipt, error)
		status                      int
		code                        string
	}{
		"one event":             {body: "a s", status: 200},
		"plain, named identity": {body: "a s", encoding: "identity", status: 200},
		"gzip":                  {body: pack(t, "gzip", "a s"), encoding: "gzip", status: 200},
		"zstd":                  {body: pack(t, "zstd", "a s"), encoding: "zstd", status: 200},
		"with a charset":        {body: "a s", contentType: "application/x-ndjson; charset=UTF-8", status: 200},
		"all refused":           {body: "!bad_time a\n!bad_time b", status: 400},
		"all conflicts": {body: "a s", answer: func() (event.Receipt, error) {
			return event.Receipt{Rejected: []event.Refusal{{Reason: event.Conflict}}}, nil
		}, status: 400},
		"not gzip":        {body: "a s", encoding: "gzip", status: 400, code: codeBadRequest},
		"gzip cut off":    {body: pack(t, "gzip", bomb)[:100], encoding: "gzip", status: 400, code: codeBadRequest},
		"not zstd":        {body: "a s", encoding: "zstd", status: 400, code: codeBadRequest},
		"body too large":  {body: strings.Repeat("a s\n", 20000), status: 413, code: codeTooLarge},
		"gzip bomb":       {body: pack(t, "gzip", bomb), encoding: "gzip", status: 413, code: codeTooLarge},
		"zstd bomb":       {body: pack(t, "zstd", bomb), encoding: "zstd", status: 413, code: codeTooLarge},
		"too many events": {body: strings.Repeat("a s\n", 101), status: 413, code: codeTooManyEvents},
		"plain JSON":      {body: "{}", contentType: "application/json", status: 415, code: codeMediaType},
		"another charset": {
			body: "a s", contentType: "application/x-ndjson; charset=latin1", status: 415, code: codeMediaType,
		},
		"no content type": {body: "a s", contentType: "-", status: 415, code: codeMediaType},
		"brotli":          {body: "a s", encoding: "br", status: 415, code: codeMediaType},
		"twice gzip":      {body: "a s", encoding: "gzip, gzip", status: 415, code: codeMediaType},
		"full queue": {body: "a s", answer: func() (event.Receipt, error) {
			return event.Receipt{}, fmt.Errorf("queue: %w", ingest.ErrBusy)
		}, status: 429, code: codeBusy},
		"a source that waits": {body: "a s", answer: func() (event.Receipt, error) {
			return event.Receipt{}, &ingest.HeldBackError{Source: "s"}
		}, status: 429, code: codeBusy},
		"journal cannot write": {body: "a s", answer: func() (event.Receipt, error) {
			return event.Receipt{}, ingest.ErrUnavailable
		}, status: 503, code: codeUnavailable},
		"never fits": {body: "a s", answer: func() (event.Receipt, error) {
			return event.Receipt{}, ingest.ErrTooLarge
		}, status: 413, code: codeTooLarge},
		"an error nobody foresaw": {body: "a s", answer: func() (event.Receipt, error) {
			return event.Receipt{}, errors.New("0812345678")
		}, status: 500, code: codeInternal},
		"a panic": {body: "panic s", status: 500, code: codeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, func(c *Config) {
				c.Limits = Limits{BodyBytes: 64 << 10, UnpackedBytes: 1 << 20, MemoryBytes: 1 << 20}
			})
			w.stub.answer = c.answer
			headers := []string{"Content-Type", "application/x-ndjson"}
			if c.contentType != "" {
				headers[1] = strings.Trim(c.contentType, "-")
			}
			if c.encoding != "" {
				headers = append(headers, "Content-Encoding", c.encoding)
			}
			r := w.do("POST", "/v1/events", c.body, headers...)
			if r.StatusCode != c.status || r.code() != c.code {
				t.Fatalf("%d %s", r.StatusCode, r.body)
			}
			if strings.Contains(string(r.body), "0812345678") {
				t.Error("the answer repeats an error's text")
			}
			w.allGivenBack()
			if c.code == codeInternal && !strings.Contains(w.log.String(), "request_id=") {
				t.Error("nothing in the log")
			}
			if strings.Contains(w.log.String(), "panic=0812345678") {
				t.Error("the log repeats the value of a panic")
			}
		})
	}
}

// allGivenBack fails the test when a request that was answered still holds memory.
func (w *world) allGivenBack() {
	w.t.Helper()
	all := w.api.limits.MemoryBytes
	if !w.api.memory.TryAcquire(all) {
		w.t.Error("memory is held after the answer")
		return
	}
	w.api.memory.Release(all)
}

func TestAChunkedBodyIsBounded(t *testing.T) {
	w := start(t, func(c *Config) { c.Limits = Limits{BodyBytes: 1000, UnpackedBytes: 1000, MemoryBytes: 1000} })
	for range 3 {
		req, err := http.NewRequest("POST", w.url+"/v1/events",
			struct{ *strings.Reader }{strings.NewReader(strings.Repeat("a s\n", 500))})
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = -1
		req.Header.Set("Content-Type", "application/x-ndjson")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 413 {
			t.Errorf("%d", resp.StatusCode)
		}
		w.allGivenBack()
	}
}

func TestABodyWaitsForItsShareOfMemory(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Limits = Limits{BodyBytes: 100, UnpackedBytes: 100, MemoryBytes: 100, MemoryWait: time.Millisecond}
	})
	if !w.api.memory.TryAcquire(98) {
		t.Fatal("nothing is free")
	}
	if r := w.post("a s"); r.StatusCode != 429 {
		t.Errorf("without memory for the body: %d", r.StatusCode)
	}
	w.api.memory.Release(1)
	if r := w.post("a s"); r.StatusCode != 200 {
		t.Errorf("with memory for exactly the body: %d %s", r.StatusCode, r.body)
	}
	if r := w.post(pack(t, "gzip", "a s"), "Content-Encoding", "gzip"); r.StatusCode != 429 {
		t.Errorf("without memory to unpack: %d", r.StatusCode)
	}
	w.api.memory.Release(97)
	w.allGivenBack()
}

func TestABodyHoldsNoMoreMemoryThanItNeeds(t *testing.T) {
	w := start(t, func(c *Config) { c.Limits = Limits{BodyBytes: 1000, UnpackedBytes: 1000, MemoryBytes: 1000} })
	w.stub.answer = func() (event.Receipt, error) {
		if !w.api.memory.TryAcquire(1000 - int64(len("a s"))) {
			t.Error("more is held than the body's length")
			return event.Receipt{Accepted: 1}, nil
		}
		w.api.memory.Release(1000 - int64(len("a s")))
		return event.Receipt{Accepted: 1}, nil
	}
	w.post("a s")
	w.post(pack(t, "gzip", "a s"), "Content-Encoding", "gzip")
	w.post(pack(t, "zstd", "a s"), "Content-Encoding", "zstd")
	w.allGivenBack()
}

func FuzzUnpack(f *testing.F) {
	for _, s := range []string{"", "a s", strings.Repeat("a s\n", 1000)} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		f.Add(b.Bytes(), true)
		e, err := zstd.NewWriter(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.EncodeAll([]byte(s), nil), false)
	}
	var u unpacker // shared: what a bad body leaves behind must not reach the next
	good := pack(f, "zstd", "a s")
	f.Fuzz(func(t *testing.T, packed []byte, isGzip bool) {
		encoding := "zstd"
		if isGzip {
			encoding = "gzip"
		}
		const limit = 1000
		in := &share{memory: semaphore.NewWeighted(64 << 20), of: 64 << 20, ctx: t.Context()}
		body, err := u.unpack(in, encoding, packed, limit)
		if len(body) > limit {
			t.Errorf("%d bytes, limit %d", len(body), limit)
		}
		var p *problem
		if err != nil && !errors.As(err, &p) {
			t.Errorf("%v is no problem of ours", err)
		}
		if body, err := u.unpack(in, "zstd", []byte(good), limit); err != nil || string(body) != "a s" {
			t.Errorf("afterwards: %q, %v", body, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(encodeCursor(event.Key{Center: "35.15", ID: "C5/200207/09738"}))
	f.Add("e30")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := decodeCursor(s)
		if err != nil {
			return
		}
		if again, err := decodeCursor(encodeCursor(k)); err != nil || again != k {
			t.Errorf("%v became %v, %v", k, again, err)
		}
	})
}

func TestKeysOpenWhatTheirScopesSay(t *testing.T) {
	w := start(t, nil)
	w.stub.cases = []lookup.Case{
		ticketCase("35.15", "T/1", "damkar"), ticketCase("35.15", "T/2", "dishub"), ticketCase("35.78", "T/3", "damkar"),
		callCase("35.15", "C1"),
	}
	w.stub.snapshot = tracker.Snapshot{
		Complete: true, Centers: []tracker.CenterSnapshot{{Center: "35.15"}, {Center: "35.78"}},
	}
	if r := w.get("/v1/board"); r.StatusCode != 200 {
		t.Fatalf("without any key: %d", r.StatusCode)
	}
	if r := w.get("/v1/board", "Host", "evil.example"); r.StatusCode != 403 {
		t.Errorf("a foreign Host without any key: %d", r.StatusCode)
	}
	if r := w.get("/v1/board", "Origin", "https://evil.example"); r.StatusCode != 403 {
		t.Errorf("a foreign Origin without any key: %d", r.StatusCode)
	}
	keys := map[string]string{
		"writer": w.key(auth.Key{Name: "writer", Scopes: []auth.Scope{auth.EventsWrite}}),
		"bound":  w.key(auth.Key{Name: "bound", Scopes: []auth.Scope{auth.EventsWrite}, Source: "s"}),
		"reader": w.key(auth.Key{Name: "reader", Scopes: []auth.Scope{auth.BoardRead}}),
		"here":   w.key(auth.Key{Name: "here", Scopes: []auth.Scope{auth.BoardRead}, Center: "35.15"}),
		"damkar": w.key(auth.Key{Name: "damkar", Scopes: []auth.Scope{auth.OPDRead("damkar")}, Center: "35.15"}),
		"two": w.key(auth.Key{
			Name: "two", Scopes: []auth.Scope{auth.OPDRead("damkar"), auth.OPDRead("dishub")}, Center: "35.15",
		}),
		"logger":  w.key(auth.Key{Name: "logger", Scopes: []auth.Scope{auth.AlertsLog}}),
		"expired": w.key(auth.Key{Name: "expired", Scopes: []auth.Scope{auth.BoardRead}, ExpiresAt: w.now.Add(time.Second)}),
		"revoked": w.key(auth.Key{Name: "revoked", Scopes: []auth.Scope{auth.BoardRead}}),
		"wrong":   auth.Prefix + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"":        "",
	}
	if _, err := w.keys.Revoke("revoked", w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Second)
	for _, c := range []struct {
		key, path string
		status    int
		has       string
	}{
		{"", "/v1/board", 401, ""},
		{"wrong", "/v1/board", 401, ""},
		{"expired", "/v1/board", 401, ""},
		{"revoked", "/v1/board", 401, ""},
		{"writer", "/v1/board", 403, ""},
		{"logger", "/v1/tickets", 403, ""},
		{"damkar", "/v1/board", 403, ""},
		{"damkar", "/v1/calls/C1", 403, ""},
		{"damkar", "/v1/directory/review", 403, ""},
		{"reader", "/v1/board", 200, `"35.78"`},
		{"here", "/v1/board", 200, `"35.15"`},
		{"here", "/v1/board?center=35.78", 404, ""},
		{"reader", "/v1/tickets", 200, `"T/3"`},
		{"reader", "/v1/tickets/T/3", 200, `"T/3"`},
		{"here", "/v1/tickets/T/3", 404, ""},
		{"here", "/v1/tickets?center=35.78", 404, ""},
		{"damkar", "/v1/tickets", 200, `"T/1"`},
		{"damkar", "/v1/tickets/T/1", 200, `"T/1"`},
		{"damkar", "/v1/tickets/T/2", 404, ""},
		{"damkar", "/v1/tickets/T/3", 404, ""},
		{"damkar", "/v1/tickets/T/9", 404, ""},
		{"damkar", "/v1/tickets?opd=dishub", 404, ""},
		{"two", "/v1/tickets", 400, "name one"},
		{"two", "/v1/tickets?opd=dishub", 200, `"T/2"`},
		{"", "/metrics", 200, "up 1"},
		{"", "/-/healthy", 200, "healthy"},
		{"", "/-/ready", 200, "ready"},
		{"", "/openapi.yaml", 200, "openapi: 3.1.0"},
	} {
		var headers []string
		if keys[c.key] != "" {
			headers = []string{"Authorization", "Bearer " + keys[c.key]}
		}
		r := w.get(c.path, headers...)
		if r.StatusCode != c.status || !strings.Contains(string(r.body), c.has) {
			t.Errorf("%s with key %q: %d %s", c.path, c.key, r.StatusCode, r.body)
		}
	}
	for _, path := range []string{"/v1/tickets"} {
		r := w.get(path, "X-Api-Key", keys["damkar"])
		if strings.Contains(string(r.body), "T/2") || strings.Contains(string(r.body), "T/3") {
			t.Errorf("an OPD's key sees others' tickets: %s", r.body)
		}
	}
	if r := w.get("/v1/board", "Authorization", "Bearer "+keys["here"]); strings.Contains(string(r.body), "35.78") {
		t.Errorf("a centre's key sees another centre: %s", r.body)
	}
	w.post("a s", "Authorization", "Bearer "+keys["bound"])
	if got := w.stub.submitted[len(w.stub.submitted)-1].Source; got != "s" {
		t.Errorf("a key of the source s may send events of %q", got)
	}
	if r := w.post("a s", "Authorization", "Bearer "+keys["reader"]); r.StatusCode != 403 {
		t.Errorf("a reader writes: %d", r.StatusCode)
	}
	if log := w.log.String(); strings.Contains(log, auth.Prefix) || !strings.Contains(log, "key=bound") {
		t.Error("the log has a key, or not its holder's name")
	}
}

func TestATicketIsShownWhole(t *testing.T) {
	w := start(t, nil)
	w.stub.cases = []lookup.Case{
		ticketCase("35.15", "C5/200207/09738", "dishub"), ticketCase("35.78", "T1", "x"), ticketCase("35.15", "T1", "x"),
		callCase("35.15", "C 1/ü"),
	}
	for path, has := range map[string]string{
		"/v1/tickets/C5/200207/09738":             `"explain":["mulai"]`,
		"/v1/tickets/C5%2F200207%2F09738?lang=en": `"explain":["started"]`,
		"/v1/tickets/T1?center=35.78":             `"center":"35.78"`,
		"/v1/calls/C%201%2F%C3%BC":                `"caller_last3":"678"`,
	} {
		r := w.get(path)
		if r.StatusCode != 200 || !strings.Contains(string(r.body), has) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
		if strings.Contains(string(r.body), "5ecre7") {
			t.Errorf("%s shows a caller's key", path)
		}
	}
	for path, code := range map[string]string{
		"/v1/tickets/T1": codeAmbiguous,
		"/v1/tickets/T2": codeNotFound,
		"/v1/tickets/":   codeNotFound,
		"/v1/tickets/" + strings.Repeat("x", 129): codeNotFound,
		"/v1/calls/T1":                                 codeNotFound,
		"/v1/tickets/T1?lang=jv":                       codeBadRequest,
		"/v1/tickets/T1?centre=35.78":                  codeBadRequest,
		"/v1/tickets?overdue=ja":                       codeBadRequest,
		"/v1/tickets?state=lost":                       codeBadRequest,
		"/v1/tickets?limit=0":                          codeBadRequest,
		"/v1/tickets?limit=501":                        codeBadRequest,
		"/v1/tickets?cursor=%21":                       codeBadRequest,
		"/v1/tickets?opd=a&opd=b":                      codeBadRequest,
		"/v1/tickets?opd=%zz":                          codeBadRequest,
		"/v1/tickets?opd=" + strings.Repeat("x", 2000): codeBadRequest,
		"/v1/directory/review?x=1":                     codeBadRequest,
		"/v1/nothing":                                  codeNotFound,
		"/":                                            codeNotFound,
	} {
		if r := w.get(path); r.code() != code {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
	if r := w.do("DELETE", "/v1/board", ""); r.StatusCode != 405 || r.code() != codeMethod ||
		r.Header.Get("Allow") != "GET" {
		t.Errorf("%d %s, Allow %q", r.StatusCode, r.body, r.Header.Get("Allow"))
	}
	w.stub.err = &store.UnavailableError{
		Reason: "The board is not complete yet: 3 of 9 open cases are read from ClickHouse.",
		Err:    errors.New("no route to db"),
	}
	for _, path := range []string{"/v1/tickets", "/v1/tickets/T1?center=35.15", "/v1/calls/X"} {
		r := w.get(path)
		want := `"detail":"The board is not complete yet: 3 of 9 open cases are read from ClickHouse. Try again in 5 s."`
		if r.StatusCode != 503 || r.Header.Get("Retry-After") != "5" || !strings.Contains(string(r.body), want) {
			t.Errorf("%s while the store is away: %d, Retry-After %q, %s", path, r.StatusCode, r.Header.Get("Retry-After"),
				r.body)
		}
	}
	if !strings.Contains(w.log.String(), "no route to db") {
		t.Error("the log does not say why")
	}
	if strings.Contains(w.log.String(), "09738") {
		t.Error("an id stands in the log")
	}
}

func TestPagesHoldEveryTicketOnce(t *testing.T) {
	w := start(t, nil)
	for i := range 7 {
		w.stub.cases = append(w.stub.cases, ticketCase("35.15", fmt.Sprintf("T%d", i), "x"))
	}
	var got []string
	next := ""
	for range 10 {
		r := w.get("/v1/tickets?limit=3&overdue=true&at_risk=true&state=assigned&opd=x&cursor=" + next)
		var page struct {
			Tickets []struct {
				ID     string
				Events []any
				Clocks []struct{ Explain []string }
			}
			Next string
		}
		decode(t, r.body, &page)
		for _, ticket := range page.Tickets {
			got = append(got, ticket.ID)
			if ticket.Events != nil || len(ticket.Clocks[0].Explain) > 0 {
				t.Error("a list has events or explanations")
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(got) != "[T0 T1 T2 T3 T4 T5 T6]" {
		t.Errorf("%v", got)
	}
	if f := w.stub.filter; !f.Overdue || !f.AtRisk || f.State != "assigned" || f.OPD != "x" {
		t.Errorf("filter %+v", f)
	}
}

// A list as of an instant comes from what is stored, never from the board of now.
func TestListsAsOfAnInstant(t *testing.T) {
	w := start(t, nil)
	w.stub.cases = append(w.stub.cases, ticketCase("35.15", "T0", "x"))
	if r := w.get("/v1/tickets?as_of=2026-03-01T07:00:00%2B07:00"); r.StatusCode != 200 ||
		!w.stub.asOf.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%d %s, asked as of %s", r.StatusCode, r.body, w.stub.asOf)
	}
	w.stub.asOf = time.Time{}
	if w.get("/v1/tickets"); !w.stub.asOf.IsZero() {
		t.Error("the list of now was asked of the past")
	}
	for _, bad := range []string{
		"/v1/tickets?as_of=yesterday", "/v1/tickets?as_of=2299-01-01T00:00:00Z", "/v1/flags?since=1.3.2026",
	} {
		if r := w.get(bad); r.StatusCode != 400 {
			t.Errorf("%s: %d", bad, r.StatusCode)
		}
	}
	r := w.get("/v1/flags?center=35.15&since=2026-03-01&until=2026-04-01")
	if want := `"source":"2026-03-01/2026-04-01","cases":4`; r.StatusCode != 200 ||
		!strings.Contains(string(r.body), want) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestTheBoardHasNames(t *testing.T) {
	w := start(t, nil)
	w.stub.snapshot = tracker.Snapshot{
		At: testNow, Complete: true, Sources: []tracker.SourceSnapshot{{Source: "pbx", LastEventAt: testNow}},
		Centers: []tracker.CenterSnapshot{{
			Center: "35.15", OldestWaiting: 1500 * time.Millisecond,
			Agents: []tracker.LabelCount{{Label: "busy", N: 1}}, RingNoAnswerRecent: []tracker.LabelCount{{Label: "4", N: 1}},
			Windows:       []tracker.WindowCount{{Window: "hour", Measure: "hoax", N: 2}},
			SameEvent:     []tracker.SameEventCount{{Category: "banjir", Kecamatan: "Waru", N: 3}},
			Open:          []tracker.TicketCount{{OPD: "pln", Priority: "darurat", Scope: "vertical", N: 1}},
			AtRisk:        []tracker.TicketCount{{OPD: "pln", Scope: "vertical", N: 1}},
			Overdue:       []tracker.TicketCount{{OPD: "pln", Clock: "resolve", Priority: "darurat", Scope: "vertical", N: 1}},
			OldestOverdue: []tracker.OldestOverdue{{OPD: "pln", By: time.Minute}},
		}},
	}
	r := w.get("/v1/board?center=35.15")
	for _, has := range []string{
		`"name":"Sidoarjo"`, `"opd_name":"Dinas pln"`, `"oldest_waiting_seconds":1.5`, `"late_seconds":60`, `"complete":true`,
		`"last_event_at":"2026-03-13T08:00:00.000Z"`,
	} {
		if !strings.Contains(string(r.body), has) {
			t.Errorf("%s is not in %s", has, r.body)
		}
	}
	if r := w.get("/v1/board?center=99"); r.StatusCode != 404 {
		t.Errorf("an unknown centre: %d", r.StatusCode)
	}
	w.stub.snapshot = tracker.Snapshot{At: testNow}
	if r := w.get("/v1/board?center=35.15"); r.StatusCode != 200 ||
		!strings.Contains(string(r.body), `"complete":false,"centers":[]`) {
		t.Errorf("an incomplete board: %d %s", r.StatusCode, r.body)
	}
	if r := w.get("/v1/directory/review"); !strings.HasPrefix(string(r.body),
		`{"names":[{"kind":"kecamatan","center":"35.15","name":"Sda","count":5}`) {
		t.Errorf("%s", r.body)
	}
}

func TestNotReadyIsSaidWithoutTheReason(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Ready = func(context.Context) error { return errors.New("disk at /secret is full") }
	})
	r := w.get("/-/ready")
	if r.StatusCode != 503 || strings.Contains(string(r.body), "secret") || !strings.Contains(w.log.String(), "secret") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := w.get("/-/healthy"); r.StatusCode != 200 {
		t.Errorf("healthy: %d", r.StatusCode)
	}
}

func TestMetricsMayNeedAKey(t *testing.T) {
	w := start(t, func(c *Config) { c.MetricsNeedKey = true })
	key := w.key(auth.Key{Name: "prometheus", Scopes: []auth.Scope{auth.BoardRead}})
	if r := w.get("/metrics"); r.StatusCode != 401 {
		t.Errorf("%d", r.StatusCode)
	}
	if r := w.get("/metrics", "Authorization", "bearer "+key); r.StatusCode != 200 {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestRequestIDs(t *testing.T) {
	w := start(t, nil)
	for given, kept := range map[string]bool{
		"req-1": true, "0f8fad5b-d9cb-469f-a165-7086b3d0e1a4": true, "": false, "081234567890": false, "a081234567890": false,
		"a b": false, "a\xc3\xbc": false,
		strings.Repeat("a", 65): false, "1234": false,
	} {
		got := w.get("/-/healthy", requestIDHeader, given).Header.Get(requestIDHeader)
		if (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
	r := w.get("/v1/nothing", requestIDHeader, "req-7")
	if !strings.Contains(string(r.body), `"request_id":"req-7"`) || !strings.Contains(w.log.String(), "request_id=req-7") {
		t.Errorf("%s\n%s", r.body, w.log.String())
	}
}

func TestTooManyRequestsAtOnceAreTurnedAway(t *testing.T) {
	w := start(t, func(c *Config) { c.Limits.Concurrent = 1 })
	entered, leave := make(chan struct{}), make(chan struct{})
	w.stub.answer = func() (event.Receipt, error) {
		close(entered)
		<-leave
		return event.Receipt{Accepted: 1}, nil
	}
	first := make(chan int)
	go func() {
		resp, err := http.Post(w.url+"/v1/events", "application/x-ndjson", strings.NewReader("a s"))
		if err != nil {
			first <- 0
			return
		}
		_ = resp.Body.Close()
		first <- resp.StatusCode
	}()
	<-entered
	if r := w.get("/v1/board"); r.StatusCode != 429 {
		t.Errorf("a second request: %d", r.StatusCode)
	}
	if r := w.get("/-/healthy"); r.StatusCode != 200 {
		t.Errorf("health is not free: %d", r.StatusCode)
	}
	close(leave)
	if s := <-first; s != 200 {
		t.Errorf("the first request: %d", s)
	}
	if r := w.get("/v1/board"); r.StatusCode != 200 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
}

func TestASlowClientIsCutOff(t *testing.T) {
	for name, sent := range map[string]string{
		"header": "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n",
		"body": "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: " +
			"10\r\n\r\na",
	} {
		w := start(t, func(c *Config) {
			if name == "header" {
				c.Limits.HeaderTimeout, c.Limits.ReadTimeout = 50*time.Millisecond, time.Hour
			} else {
				c.Limits.ReadTimeout = 50 * time.Millisecond
			}
		})
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() || err == nil && !strings.Contains(line, " 4") {
			t.Errorf("%s: %q, %v", name, line, err)
		}
		_ = conn.Close()
		if len(w.stub.submitted) > 0 {
			t.Error("half a body was taken")
		}
	}
}

func TestConfigIsRefused(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("an empty configuration was accepted")
	}
	guard, err := auth.NewGuard(t.TempDir()+"/k", time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{}
	cfg := Config{
		Intake: s, Cases: s, Keys: guard, Now: time.Now, Limits: Limits{BodyBytes: 10, MemoryBytes: 5},
	}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "MemoryBytes") {
		t.Errorf("%v", err)
	}
}
