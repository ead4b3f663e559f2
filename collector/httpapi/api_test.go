package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/store/lookup"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/docs"
)

var testNow = time.Date(2026, 3, 13, 8, 0, 0, 0, time.UTC)

// stub is an Intake and Cases.
type stub struct {
	asOf       time.Time // of the latest list of tickets
	submitted  []ingest.Request
	answer     func() (event.Receipt, error) // nil: see Submit
	unresolved []ingest.UnresolvedName
	snapshot   tracker.Snapshot
	cases      []lookup.Case
	err        error
	filter     tracker.TicketFilter
	traced     func(trace.SpanContext)
}

// Submit takes one event a line: "id source" is accepted, "!reason id" is refused, "panic" panics. The form is ignored.
func (s *stub) Submit(ctx context.Context, r ingest.Request) (event.Receipt, error) {
	if s.traced != nil {
		s.traced(trace.SpanContextFromContext(ctx))
	}
	s.submitted = append(s.submitted, r)
	if s.answer != nil {
		return s.answer()
	}
	var out event.Receipt
	for i, l := range strings.Split(strings.TrimSpace(string(r.Body)), "\n") {
		first, second, _ := strings.Cut(l, " ")
		reason, bad := strings.CutPrefix(first, "!")
		switch {
		case i == 100:
			return event.Receipt{}, event.ErrTooManyEvents
		case bad:
			out.Rejected = append(out.Rejected, event.Refusal{
				Index: i, ID: second, Field: event.FieldTime, Reason: event.Reason(reason), Detail: "Mend it.",
				Raw: []byte("0812345678"),
			})
		case first == "panic":
			panic("0812345678")
		default:
			out.Accepted++
		}
	}
	return out, nil
}

func (s *stub) Unresolved() []ingest.UnresolvedName { return s.unresolved }

func (s *stub) Snapshot(time.Time) tracker.Snapshot { return s.snapshot }

func (s *stub) TicketsAsOf(_ context.Context, f tracker.TicketFilter, at time.Time, after event.Key,
	limit int) ([]tracker.Row, error) {
	s.asOf = at
	return s.Tickets(f, at, after, limit)
}

func (s *stub) Flags(_ context.Context, center string, since, until, asOf time.Time) ([]store.FlagCount, error) {
	return []store.FlagCount{{Center: center, Kind: "ticket", Flag: "closed_before_opened",
		Source: since.Format(time.DateOnly) + "/" + until.Format(time.DateOnly), Cases: 4,
		Examples: []string{"a", "b", "c"}}}, nil
}

func (s *stub) Tickets(f tracker.TicketFilter, _ time.Time, after event.Key, limit int) ([]tracker.Row, error) {
	s.filter = f
	var out []tracker.Row
	for _, c := range s.cases {
		if c.Row.Ticket != nil && c.Row.Key.ID > after.ID && len(out) < limit && (f.OPD == "" || f.OPD == c.Row.Ticket.OPD) &&
			(f.Center == "" || f.Center == c.Row.Key.Center) {
			out = append(out, c.Row)
		}
	}
	return out, s.err
}

func (s *stub) Find(_ context.Context, kind event.Kind, center, id string) ([]lookup.Case, error) {
	var out []lookup.Case
	for _, c := range s.cases {
		if c.Row.Key.Kind == kind && c.Row.Key.ID == id && (center == "" || center == c.Row.Key.Center) {
			out = append(out, c)
		}
	}
	return out, s.err
}

// FindAsOf knows no case that had begun before testNow.
func (s *stub) FindAsOf(_ context.Context, key event.Key, at time.Time) (lookup.Case, bool, error) {
	found, err := s.Find(context.Background(), key.Kind, key.Center, key.ID)
	if err != nil || at.Before(testNow.Add(-time.Hour)) {
		return lookup.Case{}, false, err
	}
	return found[0], true, nil
}

func ticketCase(center, id, opd string) lookup.Case {
	key := event.Key{Center: center, Kind: event.KindTicket, ID: id}
	return lookup.Case{
		Row: tracker.Row{
			Key: key,
			Ticket: &casefile.Ticket{
				Key: key, OpenedAt: testNow.Add(-time.Hour), State: casefile.Assigned, OPD: opd, Category: "pju",
				Priority: "non_darurat", Kecamatan: "35.15.18", Calls: []string{"C1"},
				Pauses: []casefile.Pause{{From: testNow.Add(-time.Minute), Reason: "cuaca"}},
			},
			Clocks: []sla.Clock{{
				Key: key, Name: "resolve", Seq: 1, Kind: sla.Days, Policy: "sidoarjo", PolicyVersion: "1", CalendarVersion: "2026",
				StartedAt: testNow.Add(-time.Hour), DueAt: testNow.Add(time.Hour), GrossDueAt: testNow.Add(time.Hour),
			}},
		},
		Events: []*event.Event{{
			Source: "s", ID: "1", Type: event.TicketOpened, Kind: event.KindTicket, Subject: id, Center: center,
			OccurredAt: testNow, ReceivedAt: testNow,
		}},
	}
}

func callCase(center, id string) lookup.Case {
	key := event.Key{Center: center, Kind: event.KindCall, ID: id}
	wait := int64(1500)
	return lookup.Case{
		Row: tracker.Row{Key: key, Call: &casefile.Call{
			Key: key, ReceivedAt: testNow, Class: "normal", WaitMS: &wait, Tickets: []string{"T/1"},
			Flags:  []string{"no_answer_stamp"},
			Caller: event.Caller{KeyID: "k1", Key: "5ecre7", Last3: "678"},
		}},
		Events: []*event.Event{{Source: "s", ID: "1", Type: event.CallReceived, Kind: event.KindCall, Subject: id,
			Center: center, OccurredAt: testNow, ReceivedAt: testNow,
			Caller: event.Caller{KeyID: "k1", Key: "5ecre7", Last3: "678"}}},
	}
}

// world is an API under test with everything around it.
type world struct {
	t     *testing.T
	stub  *stub
	url   string
	keys  auth.File
	log   *bytes.Buffer
	now   time.Time
	doc   *document
	api   *API
	clock sync.Mutex // over now, while a stream reads it
}

func start(t *testing.T, edit func(*Config)) *world {
	t.Helper()
	w := &world{t: t, stub: &stub{}, log: &bytes.Buffer{}, now: testNow, doc: readDocument(t)}
	w.stub.unresolved = []ingest.UnresolvedName{
		{Kind: "kecamatan", Center: "35.15", Name: "Sda", Count: 5},
		{Kind: "opd", Center: "35.15", Name: "Dinas X", Count: 2},
	}
	w.keys = auth.File{Path: filepath.Join(t.TempDir(), auth.FileName)}
	clock := func() time.Time {
		w.clock.Lock()
		defer w.clock.Unlock()
		return w.now
	}
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	guard, err := auth.NewGuard(w.keys.Path, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Intake: w.stub, Cases: w.stub, Keys: guard, Now: clock, Logger: logger,
		OpenAPI: docs.OpenAPI(),
		Reads: Reads{
			Clock: func(k *sla.Clock, ticket *casefile.Ticket, now time.Time, lang string, explain bool) ClockReading {
				r := ClockReading{State: "running", UsedRatio: 0.5}
				if explain {
					r.Explain = []string{map[string]string{"id": "mulai", "en": "started"}[lang]}
				}
				return r
			},
			CenterName: func(string) string { return "Sidoarjo" },
			OPDName:    func(_, opd string) string { return "Dinas " + opd },
		},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
	}
	if edit != nil {
		edit(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.api = a
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = a.Server(context.Background())
	srv.Listener = &listener{srv.Listener, a.conns}
	srv.Start()
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// key creates a key and makes the guard look again.
func (w *world) key(k auth.Key) string {
	w.t.Helper()
	_, secret, err := w.keys.Create(k, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Second)
	return secret
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

type reply struct {
	*http.Response
	body []byte
}

func (r reply) code() string {
	var p problem
	_ = json.Unmarshal(r.body, &p)
	return p.Code
}

// do sends a request; headers come in pairs.
func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := reply{resp, text}
	if resp.Header.Get("Cross-Origin-Opener-Policy") == "" { // no page: those are not in the document
		w.doc.check(w.t, method, path, r)
	}
	return r
}

// pass lets time pass, also beside streams.
func (w *world) pass(d time.Duration) {
	w.clock.Lock()
	defer w.clock.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) get(path string, headers ...string) reply { return w.do("GET", path, "", headers...) }

func (w *world) post(body string, headers ...string) reply {
	return w.do("POST", "/v1/events", body, append([]string{"Content-Type", "application/x-ndjson"}, headers...)...)
}

func TestTheAnswerToEventsIsTheReceipt(t *testing.T) {
	w := start(t, nil)
	r := w.post("!bad_time x\na s\nb s\n!unknown_type y\n")
	want := `{"accepted":2,"duplicates":0,"rejected":[` +
		`{"index":0,"id":"x","field":"time","reason":"bad_time","detail":"Mend it."},` +
		`{"index":3,"id":"y","field":"time","reason":"unknown_type","detail":"Mend it."}]}` + "\n"
	if r.StatusCode != 200 || string(r.body) != want {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := w.post("a s"); string(r.body) != `{"accepted":1,"duplicates":0,"rejected":[]}`+"\n" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}
