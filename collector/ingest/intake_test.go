package ingest_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// entrance is an intake with everything behind it, on real files.
type entrance struct {
	*ingest.Intake
	t        *testing.T
	loop     *ingest.Loop
	board    *tracker.Board
	rejected *quarantine.Rejected
	metrics  *metrics.Registry
	start    func()
	// what ClickHouse holds by id, nil while it cannot be asked, and how often it was asked
	stored map[string]event.Digest
	asked  int
	held   string // source that has to wait
	keys   *event.Keys
}

// newEntrance makes an intake whose loop does not run yet.
func newEntrance(t *testing.T, cfg ingest.Config) *entrance {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(journal.Options{Dir: t.TempDir(), MinFreeBytes: -1})
	must(err)
	t.Cleanup(func() { must(j.Close()) })
	in := &entrance{t: t}
	in.rejected, err = quarantine.OpenRejected(t.TempDir(), 0)
	must(err)
	t.Cleanup(func() { must(in.rejected.Close()) })
	in.metrics, err = metrics.New(metrics.Config{Vocabulary: metrics.DefaultVocabulary()})
	must(err)
	keys, err := event.NewKeys(rand.Reader, t0)
	must(err)
	in.keys = keys
	board := tracker.New(tracker.Config{
		Center:       func(string) (tracker.CenterConfig, bool) { return tracker.CenterConfig{}, true },
		OPD:          func(_, opd string) (string, string) { return opd, "own" },
		TicketClocks: func(*casefile.Ticket) []sla.Clock { return nil },
		CallClocks:   func(*casefile.Call) []sla.Clock { return nil },
	})
	in.board = board
	cfg.Dir, cfg.Admit = t.TempDir(), board.Admit
	ready := make(chan struct{})
	in.loop, err = ingest.New(cfg, j, board, ingest.Observer{Ready: func(reason error) {
		if reason == nil {
			close(ready)
		}
	}})
	must(err)
	in.Intake, err = ingest.NewIntake(ingest.IntakeConfig{
		Events: event.Config{Keys: keys}, Directory: directory.MustLoad("directory.yaml", deploy.Directory), Board: board,
		Rejected: in.rejected,
		Metrics:  in.metrics, Exemplars: &telemetry.Exemplars{}, Links: telemetry.NewLinkRing(1),
		Tracer: noop.NewTracerProvider().Tracer(""), Now: func() time.Time { return t0 },
		Log: slog.New(slog.DiscardHandler),
		StoredDigests: func(_ context.Context, events []*event.Event) ([]event.Digest, bool) {
			in.asked += len(events)
			var out []event.Digest
			for _, e := range events {
				out = append(out, in.stored[e.ID])
			}
			return out, in.stored != nil
		},
		HeldBack: func(source string) bool { return source == in.held },
	}, in.loop)
	must(err)
	in.start = func() {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- in.loop.Run(ctx) }()
		<-ready
		t.Cleanup(func() { stop(); must(<-done) })
	}
	return in
}

// call is an event as a source sends it; agent is its content.
func call(id, source, agent string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"monev112.call.answered",`+
		`"subject":"call/C-%[1]s","time":"2026-03-01T15:00:00+07:00","data":{"center":"35.15","agent":%[3]q}}`, id, source,
		agent)
}

// submit sends lines as one request of a sender that may send the sources s alone.
func (in *entrance) submit(lines ...string) (event.Receipt, error) {
	return in.Submit(in.t.Context(), ingest.Request{
		Form: event.NDJSON, Body: []byte(strings.Join(lines, "\n")), Source: "s",
	})
}

// kept returns reason and content of what the quarantine holds.
func (in *entrance) kept() (reasons, texts []string) {
	in.t.Helper()
	if err := in.rejected.Each(func(e quarantine.Entry) error {
		reasons, texts = append(reasons, e.Reason), append(texts, string(e.Event))
		return nil
	}); err != nil {
		in.t.Fatal(err)
	}
	return reasons, texts
}

// counted says whether a metric's sample has a value.
func (in *entrance) counted(sample string) bool {
	w := httptest.NewRecorder()
	in.metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return strings.Contains(w.Body.String(), sample+"\n")
}

func TestAReservedSourceIsRefused(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	r, err := in.Submit(t.Context(), ingest.Request{
		Form: event.NDJSON, Body: []byte(call("a", "own", "A1") + "\n" + call("b", "s", "A1")), Reserved: []string{"own"},
	})
	if err != nil || r.Accepted != 1 || len(r.Rejected) != 1 || r.Rejected[0].Reason != event.SourceNotAllowed {
		t.Errorf("%+v, %v", r, err)
	}
	draft := event.RawEvent{Source: "own", ID: "c", Type: event.CallReceived, Subject: "A1", Time: t0}
	if r, err := in.SubmitDrafts(t.Context(), draft); err != nil || r.Accepted != 1 {
		t.Errorf("from the service itself: %+v, %v", r, err)
	}
}

func TestWhoMayWriteForTheOffice(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	line := func(id, typ, subject, data string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"s","type":"monev112.%s","subject":%q,`+
			`"time":"2026-01-02T15:00:00+07:00","data":{%s}}`, id, typ, subject, data)
	}
	rtl := line("r1", "rtl.set", "rtl/R1", `"record":{"text":"Tambah petugas"}`)
	elsewhere := line("r2", "rtl.set", "rtl/R1", `"center":"35.78","record":{"text":"Tambah petugas"}`)
	unknown := line("r3", "rtl.set", "rtl/R1", `"record":{"opd":"dinas sihir"}`)
	r, err := in.Submit(t.Context(), ingest.Request{Form: event.Structured, Body: []byte(unknown),
		Office: ingest.Office{Allowed: true}})
	if err != nil || len(r.Rejected) != 1 || r.Rejected[0].Field != "record.opd" || r.Rejected[0].Reason != event.UnknownCode {
		t.Errorf("%+v %v", r, err)
	}
	call := line("c1", "call.received", "call/C1", "")
	withdrawal := line("w1", "event.withdrawn", "rtl/R1", `"replaces":"r1"`)
	for name, c := range map[string]struct {
		body   string
		office ingest.Office
		ok     bool
	}{
		"monev:write":                      {rtl, ingest.Office{Allowed: true, Only: true, By: "sekretariat"}, true},
		"monev:write, a call":              {call, ingest.Office{Allowed: true, Only: true}, false},
		"monev:write, a withdrawal":        {withdrawal, ingest.Office{Allowed: true, Only: true}, false},
		"monev:write of another centre":    {elsewhere, ingest.Office{Allowed: true, Only: true, Center: "35.15"}, false},
		"events:write":                     {rtl, ingest.Office{}, false},
		"events:write, a withdrawal":       {withdrawal, ingest.Office{}, false},
		"events:write, a call":             {call, ingest.Office{}, true},
		"both scopes, a withdrawal":        {withdrawal, ingest.Office{Allowed: true}, true},
		"no key asked for, another centre": {elsewhere, ingest.Office{Allowed: true}, true},
	} {
		r, err := in.Submit(t.Context(), ingest.Request{Form: event.Structured, Body: []byte(c.body), Office: c.office})
		if err != nil {
			t.Fatal(err)
		}
		if ok := len(r.Rejected) == 0; ok != c.ok || !ok && r.Rejected[0].Reason != event.TypeNotAllowed {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestTheReceiptSaysWhatBecameOfEachEvent(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	if r, err := in.submit(call("a", "s", "A1"), call("b", "s", "A1")); err != nil || r.Accepted != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err := in.submit("{", call("a", "s", "A1"), call("x", "other", "A1"), call("b", "s", "A2"), call("c", "s", "A1"))
	if err != nil || r.Accepted != 1 || r.Duplicates != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	var got []string
	for _, f := range r.Rejected {
		got = append(got, fmt.Sprint(f.Index, " ", f.ID, " ", f.Field, " ", f.Reason))
		if f.Raw != nil {
			t.Error("a receipt holds on to the body")
		}
	}
	want := []string{"0   malformed_json", "2 x source source_not_allowed", "3 b id conflict"}
	if !slices.Equal(got, want) {
		t.Errorf("rejected %q, want %q", got, want)
	}
	// The quarantine keeps what an operator can do something about; a wrong key is the sender's to mend.
	if reasons, _ := in.kept(); !slices.Equal(reasons, []string{"malformed_json", "conflict"}) {
		t.Errorf("kept %q", reasons)
	}
	for _, sample := range []string{
		`monev112_events_total{result="accepted"} 0`, // the loop's observer counts them
		`monev112_events_total{result="duplicate"} 1`, `monev112_events_total{result="conflict"} 1`,
		`monev112_events_rejected_total{reason="malformed_json"} 1`,
		`monev112_events_rejected_total{reason="source_not_allowed"} 1`,
	} {
		if !in.counted(sample) {
			t.Errorf("not counted: %s", sample)
		}
	}
}

func TestNothingIsKeptOrCountedWhenNothingIsAccepted(t *testing.T) {
	in := newEntrance(t, ingest.Config{}) // the loop does not run
	if _, err := in.submit("{", call("a", "s", "A1")); !errors.Is(err, ingest.ErrUnavailable) {
		t.Fatal(err)
	}
	if reasons, _ := in.kept(); len(reasons) > 0 ||
		in.counted(`monev112_events_rejected_total{reason="malformed_json"} 1`) {
		t.Errorf("kept %q, or counted; the sender repeats the whole request", reasons)
	}
}

func TestARequestThatNeverFitsIsNotToldToComeBack(t *testing.T) {
	in := newEntrance(t, ingest.Config{QueueEvents: 2})
	in.start()
	_, err := in.submit(call("a", "s", ""), call("b", "s", ""), call("c", "s", ""))
	if !errors.Is(err, ingest.ErrTooLarge) || errors.Is(err, ingest.ErrBusy) {
		t.Errorf("three events where two fit: %v", err)
	}
}

func TestARejectedEventIsRetried(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	good := []byte(call("a", "s", "A1"))
	if err := in.Retry(t.Context(), good); !errors.Is(err, quarantine.ErrLater) {
		t.Errorf("before the loop runs: %v", err)
	}
	in.start()
	for range 2 { // a crash may give it again
		if err := in.Retry(t.Context(), good); err != nil {
			t.Error(err)
		}
	}
	var refusal *event.Refusal
	if err := in.Retry(t.Context(), []byte(call("a", "s", "A2"))); !errors.As(err, &refusal) ||
		refusal.Reason != event.Conflict {
		t.Errorf("other content: %v", err)
	}
	if err := in.Retry(t.Context(), []byte("{}")); !errors.As(err, &refusal) {
		t.Errorf("no event: %v", err)
	}
	if reasons, _ := in.kept(); len(reasons) > 0 {
		t.Errorf("a retry keeps once more what is kept already: %q", reasons)
	}
}

func TestNamesThatTheDirectoryDoesNotKnowAreListed(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	named := func(id, kecamatan string) string {
		return strings.Replace(call(id, "s", "A1"), `"agent"`, fmt.Sprintf(`"kecamatan":%q,"agent"`, kecamatan), 1)
	}
	if _, err := in.submit(named("a", "Nirgends"), named("b", "Nirgends"), named("c", "Nowhere"),
		named("d", "Sidoarjo")); err != nil {
		t.Fatal(err)
	}
	want := []ingest.UnresolvedName{
		{Kind: "kecamatan", Center: "35.15", Name: "Nirgends", Count: 2},
		{Kind: "kecamatan", Center: "35.15", Name: "Nowhere", Count: 1},
	}
	if got := in.Unresolved(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What a page records names the OPD as its ticket does, to be joined with it.
func TestWhatAPageRecordsStaysInItsWords(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.board.TrustFilter()
	in.board.SetComplete(true)
	in.start()
	damkar, _ := directory.MustLoad("directory.yaml", deploy.Directory).OPD("35.15", "damkar")
	for by, want := range map[string]string{"": "damkar", "Kadis": damkar.Name} {
		if r, err := in.SubmitBy(t.Context(), by, event.RawEvent{
			Source: "s", ID: "e" + by, Type: event.TicketExplained, Subject: "T" + by, Time: t0, Center: "35.15",
			OPD: damkar.Name, Reason: "personel_terbatas",
		}); err != nil || r.Accepted != 1 {
			t.Fatalf("%+v %v", r, err)
		}
		_, events, _ := in.board.Case(event.Key{Center: "35.15", Kind: event.KindTicket, ID: "T" + by})
		if len(events) != 1 || events[0].OPD != want || events[0].ChangedBy != by {
			t.Errorf("%q: %+v, want %s", by, events, want)
		}
	}
}

// dated is call with another time.
func dated(id, agent, date string) string {
	return strings.Replace(call(id, "s", agent), "2026-03-01", date, 1)
}

// TestTheDoorKnowsOldEvents: events from before the loop's memory are answered by what ClickHouse holds, where it can
// be asked; live ones never wait for it.
func TestTheDoorKnowsOldEvents(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	lines := []string{dated("old", "A1", "2026-01-05"), dated("new", "A1", "2026-01-05"), call("live", "s", "A1")}
	if r, err := in.submit(lines...); err != nil || r.Accepted != 3 || in.asked != 2 {
		t.Fatalf("ClickHouse away: %+v, %v, asked for %d events, want 2", r, err, in.asked)
	}
	in = newEntrance(t, ingest.Config{})
	in.start()
	in.stored, in.asked = map[string]event.Digest{"old": {1}}, 0
	r, err := in.submit(lines...)
	if err != nil || r.Accepted != 2 || len(r.Rejected) != 1 || r.Rejected[0].Reason != event.Conflict ||
		r.Rejected[0].ID != "old" || in.asked != 2 {
		t.Fatalf("%+v, %v, asked for %d events, want 2", r, err, in.asked)
	}
	if reasons, _ := in.kept(); !slices.Equal(reasons, []string{"conflict"}) {
		t.Errorf("kept %q", reasons)
	}
	if sample := `monev112_conflicts_total{found="door",source="s"} 1`; !in.counted(sample) {
		t.Error("not counted: ", sample)
	}
	// The same content, written in another order and zone, is no conflict.
	in.stored["again"] = in.digest(dated("again", "A1", "2026-01-05"))
	again := strings.Replace(dated("again", "A1", "2026-01-05"), "15:00:00+07:00", "08:00:00.000Z", 1)
	if r, err := in.submit(again); err != nil || r.Duplicates != 1 {
		t.Errorf("%+v, %v, want a duplicate", r, err)
	}
}

// digest is that of an event as it is sent.
func (in *entrance) digest(line string) event.Digest {
	in.t.Helper()
	d, err := event.NewDecoder(event.Config{Keys: in.keys})
	if err != nil {
		in.t.Fatal(err)
	}
	var b event.Batch
	if err := d.Decode(&b, []byte(line), event.Structured, t0); err != nil || len(b.Events) != 1 {
		in.t.Fatal(err, b.Refusals)
	}
	return b.Events[0].Digest
}

func TestASourceThatFillsTheDiskWaitsAndOthersGoOn(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	in.held = "s"
	var held *ingest.HeldBackError
	_, err := in.submit(call("a", "s", "A1"))
	if !errors.As(err, &held) || held.Source != "s" || !errors.Is(err, ingest.ErrBusy) {
		t.Errorf("%v, want a wait", err)
	}
	if err := in.Retry(t.Context(), []byte(call("a", "s", "A1"))); !errors.Is(err, quarantine.ErrLater) {
		t.Errorf("given back: %v, want later", err)
	}
	r, err := in.Submit(t.Context(), ingest.Request{Form: event.Structured, Body: []byte(call("a", "other", "A1"))})
	if err != nil || r.Accepted != 1 {
		t.Errorf("another source: %+v, %v", r, err)
	}
	if !in.counted(`monev112_source_held_back_total{source="s"} 2`) {
		t.Error("not counted")
	}
	in.held = ""
	if r, err := in.submit(call("a", "s", "A1")); err != nil || r.Accepted != 1 {
		t.Errorf("later: %+v, %v", r, err)
	}
}

// TestNoWayInTakesASendersToken: what looks like a pseudonym of ours, in caller or under the names of the columns, is
// neither accepted nor kept, whichever way it comes and whatever else is wrong with the event.
func TestNoWayInTakesASendersToken(t *testing.T) {
	in := newEntrance(t, ingest.Config{})
	in.start()
	id := in.keys.CurrentID()
	hash := strings.Repeat("ab", 16)
	token := "hmac:" + id + ":" + hash + ":789"
	forged := func(id, more string) string {
		return strings.Replace(call(id, "s", "A1"), `"agent"`, fmt.Sprintf(
			`"caller_key":%q,"caller_key_id":%q,"caller_last3":"789","caller":%s,"agent"`, hash, id, more), 1)
	}
	n := 0
	for form, wrap := range map[event.Form]func(string) string{
		event.Structured: func(s string) string { return s }, event.NDJSON: func(s string) string { return s + "\n" },
		event.BatchArray: func(s string) string { return "[" + s + "]" },
	} {
		for _, caller := range []string{
			fmt.Sprintf("%q", token), fmt.Sprintf("%q", " "+token), fmt.Sprintf(`{"key":%q}`, hash), `"HMAC:` + token[5:] + `"`,
		} {
			for _, wrong := range []bool{false, true} { // another fault that is found first
				n++
				line := forged(fmt.Sprint("e", n), caller)
				if wrong {
					line = strings.Replace(line, "2026-03-01", "2036-03-01", 1)
				}
				r, err := in.Submit(t.Context(), ingest.Request{Form: form, Body: []byte(wrap(line))})
				if err != nil || r.Accepted != 0 {
					t.Errorf("%s: %+v, %v", line, r, err)
				}
			}
		}
	}
	if _, err := in.SubmitDrafts(t.Context(), event.RawEvent{
		ID: "draft", Source: "s", Type: event.CallAnswered, Subject: "x", Time: t0, Caller: token,
	}); err != nil {
		t.Error(err)
	}
	reasons, texts := in.kept()
	if len(texts) != n+1 {
		t.Errorf("%d are kept, want %d", len(texts), n+1)
	}
	for i, text := range texts {
		if strings.Contains(strings.ToLower(text), "hmac") || strings.Contains(text, hash) {
			t.Errorf("%s: kept as %s", reasons[i], text)
		}
	}
}
