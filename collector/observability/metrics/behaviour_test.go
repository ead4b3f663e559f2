package metrics

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/tracker"
)

func TestEveryOutcomeMovesItsMetric(t *testing.T) {
	r := newTest(t)
	last := gather(t, r)
	for _, c := range []struct {
		o      tracker.Outcome
		name   string
		labels string
	}{
		{tracker.Outcome{Kind: tracker.CallBecameReceived, Channel: "app"}, "calls_received_total", "channel app"},
		{tracker.Outcome{Kind: tracker.CallBecameReceived}, "calls_received_total", "channel phone"},
		{tracker.Outcome{Kind: tracker.CallBecameReceived, Channel: "pigeon"}, "calls_received_total", "channel other"},
		{tracker.Outcome{Kind: tracker.CallBecameOffered}, "calls_offered_total", ""},
		{tracker.Outcome{Kind: tracker.CallBecameAnswered}, "calls_answered_total", ""},
		{tracker.Outcome{Kind: tracker.CallBecameAnswered, HasSeconds: true, Seconds: 15}, "calls_within_target_total",
			"target 15"},
		{tracker.Outcome{Kind: tracker.CallBecameAnswered, HasSeconds: true, Seconds: 300}, "call_answer_seconds", ""},
		{tracker.Outcome{Kind: tracker.CallBecameAbandoned, Short: true}, "calls_abandoned_total", "short true"},
		{tracker.Outcome{Kind: tracker.CallBecameAbandoned}, "calls_abandoned_total", "short false"},
		{tracker.Outcome{Kind: tracker.CallBecameUnserved, Reason: "timeout"}, "calls_unserved_total", "reason timeout"},
		{tracker.Outcome{Kind: tracker.CallBecameUnserved, Reason: "8,12E+10"}, "calls_unserved_total", "reason other"},
		{tracker.Outcome{Kind: tracker.CallBecameBlocked}, "calls_blocked_total", ""},
		{tracker.Outcome{Kind: tracker.CallBecameClassified, Class: "prank"}, "calls_classified_total", "class prank"},
		{tracker.Outcome{Kind: tracker.CallBecameClassified, Class: "prank", HasSeconds: true, Seconds: 9},
			"call_classify_seconds", ""},
		{tracker.Outcome{Kind: tracker.CallBecameReclassified, From: "prank", Class: "normal"}, "calls_reclassified_total",
			"from prank to normal"},
		{tracker.Outcome{Kind: tracker.CallBecameTalked, Class: "ghost", HasSeconds: true, Seconds: 9}, "call_talk_seconds",
			"class ghost"},
		{tracker.Outcome{Kind: tracker.TicketBecameOpened, OPD: "damkar", Priority: "darurat"}, "tickets_opened_total",
			"opd damkar priority darurat"},
		{tracker.Outcome{Kind: tracker.TicketBecameOpened, OPD: "moon"}, "tickets_opened_total", "opd unknown priority none"},
		{tracker.Outcome{Kind: tracker.TicketBecameOpened}, "tickets_opened_total", "opd none priority none"},
		{tracker.Outcome{Kind: tracker.TicketBounced, OPD: "dishub"}, "ticket_bounces_total", "opd dishub"},
		{tracker.Outcome{Kind: tracker.TicketBecameReopened, OPD: "dishub"}, "tickets_reopened_total", "opd dishub"},
		{tracker.Outcome{Kind: tracker.TicketInterval, Interval: "travel", OPD: "damkar", HasSeconds: true, Seconds: 900},
			"ticket_interval_seconds", "interval travel opd damkar"},
		{tracker.Outcome{Kind: tracker.ClockStopped, Clock: "arrive", OPD: "damkar", Priority: "darurat", Result: "breached"},
			"clock_stopped_total", "clock arrive opd damkar priority darurat result breached"},
		{tracker.Outcome{Kind: tracker.ClockStopped, Clock: "answer", Result: "met"}, "clock_stopped_total",
			"clock answer opd none priority none result met"},
	} {
		t.Run(c.name+" "+c.labels, func(t *testing.T) {
			c.o.Center = "35.15"
			pairs := append([]string{"center", "35.15"}, strings.Fields(c.labels)...)
			before := value(t, last, c.name, pairs...) // fails when the series was not made at start
			r.Observe(c.o)
			last = gather(t, r)
			if got := value(t, last, c.name, pairs...); got != before+1 {
				t.Errorf("went from %v to %v", before, got)
			}
		})
	}
}

func TestATargetIsComparedWithTheCallAndNotWithABucket(t *testing.T) {
	r := newTest(t)
	for _, s := range []float64{3, 8, 10, 10.001, 15, 15.2, 20, 20.1, -1} {
		r.Observe(tracker.Outcome{Kind: tracker.CallBecameAnswered, Center: "35.15", HasSeconds: true, Seconds: s})
	}
	m := gather(t, r)
	for target, want := range map[string]float64{"10": 4, "15": 6, "20": 8} {
		if got := value(t, m, "calls_within_target_total", "target", target, "center", "35.15"); got != want {
			t.Errorf("within %s s: %v, want %v", target, got, want)
		}
	}
	if got := value(t, m, "call_answer_seconds", "center", "35.15"); got != 8 {
		t.Errorf("%v observations: a negative interval must not be one", got)
	}
}

func TestACentreNobodyKnows(t *testing.T) {
	r := newTest(t)
	r.Observe(tracker.Outcome{Kind: tracker.TicketBecameOpened, Center: "99", OPD: "damkar"})
	if got := value(t, gather(t, r), "tickets_opened_total", "center", "unknown", "opd", "unknown", "priority",
		"none"); got != 1 {
		t.Errorf("%v", got)
	}
}

// No outcome, whatever its words, makes a series.
func TestLabelSetsAreClosed(t *testing.T) {
	r := full(t)
	before := count(t, r)
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.OneOf(rapid.String(),
			rapid.SampledFrom([]string{
				"35.15", "damkar", "darurat", "prank", "answer", "arrive", "travel", "met", "\xff", "none", "unknown", "other",
			}))
		r.Observe(tracker.Outcome{
			Kind:   tracker.OutcomeKind(rapid.IntRange(0, 20).Draw(rt, "kind")),
			Center: word.Draw(rt, "center"), Channel: word.Draw(rt, "channel"), Class: word.Draw(rt, "class"),
			From:   word.Draw(rt, "from"),
			Reason: word.Draw(rt, "reason"), OPD: word.Draw(rt, "opd"), Priority: word.Draw(rt, "priority"),
			Interval: word.Draw(rt, "interval"),
			Clock:    word.Draw(rt, "clock"), Result: word.Draw(rt, "result"), HasSeconds: true,
			Seconds: rapid.Float64Range(-1, 1e7).Draw(rt, "seconds"),
		})
		r.CountRejected(word.Draw(rt, "reject"))
		r.Store.Inserted(word.Draw(rt, "table"), 1, time.Second)
		r.Store.Failed(word.Draw(rt, "error"))
		r.HTTP.Began()(word.Draw(rt, "route"), rapid.IntRange(0, 999).Draw(rt, "status"), time.Second)
		r.Expected.Set(word.Draw(rt, "expected"), 1, 1)
	})
	after := count(t, r)
	// "other" intervals and clocks, unknown priorities and a class reclassified to itself are not made at start, because
	// nothing that passed the decoder leads there; each is bounded all the same.
	for name, n := range after {
		if d := n - before[name]; d != 0 &&
			!slices.Contains([]string{
				"ticket_interval_seconds", "clock_stopped_total", "calls_reclassified_total", "tickets_opened_total",
			}, strings.TrimPrefix(name, Prefix)) {
			t.Errorf("%s grew by %d series", name, d)
		}
	}
}

func count(t *testing.T, r *Registry) map[string]int {
	n := map[string]int{}
	for name, f := range gather(t, r) {
		n[name] = len(f.Metric)
	}
	return n
}

func TestAnIncompleteBoardSaysOnlyThat(t *testing.T) {
	for name, set := range map[string]func(*Registry){
		"no board yet": func(*Registry) {},
		"incomplete": func(r *Registry) {
			r.SetBoard(func() tracker.Snapshot {
				return tracker.Snapshot{
					Sources: []tracker.SourceSnapshot{{Source: "pbx"}},
					Centers: []tracker.CenterSnapshot{{Center: "35.15", CallsWaiting: 3}},
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTest(t)
			set(r)
			m := gather(t, r)
			if got := value(t, m, "board_complete"); got != 0 {
				t.Errorf("board_complete %v", got)
			}
			for _, d := range Definitions() {
				if d.Board && m[d.Name] != nil {
					t.Errorf("%s is exposed", d.Name)
				}
			}
		})
	}
}

func TestTheBoardIsExact(t *testing.T) {
	r := newTest(t)
	r.SetBoard(func() tracker.Snapshot {
		return tracker.Snapshot{Complete: true, Centers: []tracker.CenterSnapshot{
			{Center: "99.99", CallsWaiting: 77}, // not a live centre here
			{
				Center: "35.15", CallsWaiting: 2, OldestWaiting: 1500 * time.Millisecond, CallsUnclassified: 4, CallsToCallBack: 5,
				EmergenciesOverdue: 7,
				Stale:              6,
				Agents:             []tracker.LabelCount{{Label: "busy", N: 3}, {Label: "dreaming", N: 1}, {Label: "sleeping", N: 1}},
				Open: []tracker.TicketCount{
					{OPD: "damkar", Priority: "darurat", Scope: "own", N: 5}, {OPD: "moon", N: 1}, {OPD: "mars", N: 2},
					{OPD: tracker.NoOPD, Scope: "own", N: 3},
				},
				AtRisk: []tracker.TicketCount{{OPD: "pln", Scope: "vertical", N: 7}},
				Overdue: []tracker.TicketCount{
					{OPD: "dishub", Clock: "resolve", Priority: "non_darurat", Scope: "own", N: 8},
					{OPD: "dishub", Clock: "sundial", Priority: "later", Scope: "own", N: 9},
				},
				OldestOverdue: []tracker.OldestOverdue{
					{OPD: "dishub", By: time.Hour}, {OPD: "moon", By: time.Minute}, {OPD: "mars", By: time.Second},
				},
				Windows: []tracker.WindowCount{{Window: "hour", Measure: "received", N: 9}},
				Within:  []tracker.WithinCount{{Window: "hour", Target: 20 * time.Second, N: 8}},
				SameEvent: []tracker.SameEventCount{
					{Category: "banjir", Kecamatan: "Waru", N: 3}, {Category: "x", Kecamatan: "y", N: 1},
					{Category: "z", Kecamatan: "y", N: 1},
				},
			},
		}}
	})
	m := gather(t, r)
	for _, c := range []struct {
		want   float64
		name   string
		labels string
	}{
		{1, "board_complete", ""},
		{2, "calls_waiting", "center 35.15"},
		{1.5, "call_oldest_waiting_seconds", ""},
		{4, "calls_unclassified", ""},
		{5, "calls_to_call_back", ""},
		{6, "tickets_stale", ""},
		{7, "emergencies_overdue", ""},
		{3, "agents", "state busy"},
		{0, "agents", "state offline"},
		{2, "agents", "state unknown"},
		{5, "tickets_open", "opd damkar priority darurat scope own"},
		{0, "tickets_open", "opd damkar priority mendesak scope own"},
		{0, "tickets_open", "opd pln priority darurat scope vertical"},
		{3, "tickets_open", "opd unknown priority none scope unknown"},
		{3, "tickets_open", "opd none priority none scope own"},
		{7, "tickets_at_risk", "opd pln scope vertical"},
		{0, "tickets_at_risk", "opd dishub scope own"},
		{8, "tickets_overdue", "opd dishub clock resolve priority non_darurat scope own"},
		{9, "tickets_overdue", "opd dishub clock other priority unknown scope own"},
		{0, "tickets_overdue", "opd damkar clock arrive priority darurat scope own"},
		{3600, "ticket_oldest_overdue_seconds", "opd dishub"},
		{60, "ticket_oldest_overdue_seconds", "opd unknown"},
		{0, "ticket_oldest_overdue_seconds", "opd damkar"},
		{9, "window_calls", "window hour measure received"},
		{0, "window_calls", "window previous_shift measure hoax"},
		{8, "window_calls_within_target", "window hour target 20"},
		{0, "window_calls_within_target", "window shift target 10"},
		{3, "same_event_tickets", "category banjir kecamatan Waru"},
		{2, "same_event_tickets", "category unknown kecamatan unknown"},
	} {
		if got := value(t, m, c.name, strings.Fields(c.labels)...); got != c.want {
			t.Errorf("%s{%s} is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if n := len(m[Prefix+"window_calls"].Metric); n != 50 {
		t.Errorf("%d windows", n)
	}
	if n := len(m[Prefix+"calls_waiting"].Metric); n != 1 {
		t.Errorf("%d centres", n)
	}
}

func TestTicketsOfACentreNobodyKnowsAreShownOnceThereAreSome(t *testing.T) {
	r := newTest(t)
	var centers []tracker.CenterSnapshot
	r.SetBoard(func() tracker.Snapshot { return tracker.Snapshot{Complete: true, Centers: centers} })
	if series(t, gather(t, r), "calls_waiting", "center", Unknown) != nil {
		t.Error("shown without any")
	}
	centers = []tracker.CenterSnapshot{{
		Center: Unknown, Open: []tracker.TicketCount{{OPD: Unknown, Priority: "darurat", Scope: Unknown, N: 2}},
	}}
	if got := value(t, gather(t, r), "tickets_open", "center", Unknown, "opd", Unknown, "priority", "darurat"); got != 2 {
		t.Errorf("%v", got)
	}
}

func TestALiveCentreThatIsSilentShowsZeros(t *testing.T) {
	r := newTest(t)
	r.SetBoard(func() tracker.Snapshot { return tracker.Snapshot{Complete: true} })
	m := gather(t, r)
	if got := value(t, m, "calls_waiting", "center", "35.15"); got != 0 {
		t.Errorf("%v", got)
	}
	if got := value(t, m, "tickets_at_risk", "opd", "damkar"); got != 0 {
		t.Errorf("%v", got)
	}
}

func TestLabelsThatOnlyTheDayKnowsAreBounded(t *testing.T) {
	var positions []tracker.LabelCount
	var sources []tracker.SourceSnapshot
	for i := range 500 {
		positions = append(positions, tracker.LabelCount{Label: fmt.Sprint("p", i), N: 1 + i%3})
		sources = append(sources,
			tracker.SourceSnapshot{Source: fmt.Sprintf("s%03d", i), LastEventAt: time.Unix(int64(1000+i), 0)})
	}
	positions = append(positions, tracker.LabelCount{Label: Other, N: 1000}, tracker.LabelCount{Label: "\xff", N: 1})
	sources[0].Source = "\xff\xfe"
	r := newTest(t)
	r.SetBoard(func() tracker.Snapshot {
		return tracker.Snapshot{
			Complete: true, Sources: sources,
			Centers: []tracker.CenterSnapshot{{Center: "35.15", RingNoAnswerRecent: positions}},
		}
	})
	m := gather(t, r)
	sum := 0.0
	for _, s := range m[Prefix+"ring_no_answer_recent"].Metric {
		sum += s.Gauge.GetValue()
	}
	want := 0
	for _, p := range positions {
		want += p.N
	}
	if n := len(m[Prefix+"ring_no_answer_recent"].Metric); n > maxPositions+1 || sum != float64(want) {
		t.Errorf("%d positions with %v rings, want %d", n, sum, want)
	}
	if n := len(m[Prefix+"source_last_event_timestamp_seconds"].Metric); n != maxSources+1 {
		t.Errorf("%d sources", n)
	}
	if got := value(t, m, "source_last_event_timestamp_seconds", "source", Other); got != 1000+maxSources {
		t.Errorf("the rest spoke last at %v: the most silent of them must show", got)
	}
}

func TestDroppedKeysAreNamedUpToABoundAndNeverHoldData(t *testing.T) {
	r := newTest(t)
	for _, k := range []string{
		"081234567890", "Budi Santoso", "nik_3515081234560001", "", strings.Repeat("a", 33), "é", "KTP",
	} {
		r.CountDroppedAttributes(k, 1)
	}
	if got := value(t, gather(t, r), "attributes_dropped_total", "key", Other); got != 7 {
		t.Errorf("other is %v", got)
	}
	for i := range 2 * maxDroppedKeys {
		r.CountDroppedAttributes(fmt.Sprintf("key_%d", i), 1)
		r.CountDroppedAttributes("key_0", 1)
	}
	r.CountDroppedAttributes("key_1", 10)
	m := gather(t, r)
	if got := value(t, m, "attributes_dropped_total", "key", "key_1"); got != 11 {
		t.Errorf("key_1 is %v", got)
	}
	if n := len(m[Prefix+"attributes_dropped_total"].Metric); n != maxDroppedKeys+1 {
		t.Errorf("%d keys", n)
	}
	if got := value(t, m, "attributes_dropped_total", "key", "key_0"); got != 2*maxDroppedKeys+1 {
		t.Errorf("key_0 is %v", got)
	}
}

func TestEventsAreCountedByResult(t *testing.T) {
	r := newTest(t)
	r.CountEvents(Accepted, 3)
	r.CountEvents(Conflict, 1)
	r.CountEvents("odd", 1)
	r.CountRejected("unknown_type")
	m := gather(t, r)
	for result, want := range map[string]float64{
		"accepted": 3, "duplicate": 0, "rejected": 1, "conflict": 1, "backfilled": 0,
	} {
		if got := value(t, m, "events_total", "result", result); got != want {
			t.Errorf("%s is %v", result, got)
		}
	}
	if got := value(t, m, "events_rejected_total", "reason", "unknown_type"); got != 1 {
		t.Errorf("%v", got)
	}
}

func TestBoundsHoldTheThresholdsAndGrow(t *testing.T) {
	for _, d := range Definitions() {
		if (d.Type == Histogram) != (len(d.Buckets) > 0) {
			t.Errorf("%s is a %s with the bounds %v", d.Name, d.Type, d.Buckets)
		}
		for i := 1; i < len(d.Buckets); i++ {
			if d.Buckets[i] <= d.Buckets[i-1] {
				t.Errorf("%s: %v", d.Name, d.Buckets)
			}
		}
	}
	const day = 86400.0
	for _, want := range []float64{
		30, 60, 64, 90, 120, 180, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 7200, 14400, 28800, day, 3 * day, 5 * day,
		14 * day, 30 * day, 60 * day,
	} {
		if !slices.Contains(bounds("ticket"), want) {
			t.Errorf("ticket_interval_seconds has no bound %v", want)
		}
	}
	if want := []float64{5, 10, 15, 20, 30, 40, 60, 90, 120}; !slices.Equal(bounds("answer"), want) {
		t.Errorf("answer %v", bounds("answer"))
	}
}

func TestHistogramsAreClassicAndNativeWithExemplarsOfSampledSpans(t *testing.T) {
	r := newTest(t)
	sampled := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	})
	o := tracker.Outcome{Kind: tracker.CallBecameAnswered, Center: "35.15", HasSeconds: true, Seconds: 12}
	r.ObserveTraced(o, sampled.WithTraceFlags(0))
	r.ObserveTraced(o, trace.SpanContext{})
	h := series(t, gather(t, r), "call_answer_seconds", "center", "35.15").Histogram
	if len(exemplars(h)) != 0 {
		t.Error("an exemplar of a span that is not sampled")
	}
	r.ObserveTraced(o, sampled)
	h = series(t, gather(t, r), "call_answer_seconds", "center", "35.15").Histogram
	if got := exemplars(h); len(got) != 1 || got[0].Label[0].GetValue() != sampled.SpanID().String() &&
		got[0].Label[1].GetValue() != sampled.SpanID().String() {
		t.Errorf("exemplars %v", got)
	}
	if h.Schema == nil || len(h.PositiveSpan) == 0 {
		t.Error("not native")
	}
	if len(h.Bucket) != len(bounds("answer")) || h.Bucket[2].GetUpperBound() != 15 ||
		h.Bucket[2].GetCumulativeCount() != 3 || h.Bucket[1].GetCumulativeCount() != 0 {
		t.Errorf("classic buckets %v", h.Bucket)
	}
}

func exemplars(h *dto.Histogram) []*dto.Exemplar {
	var out []*dto.Exemplar
	for _, b := range h.Bucket {
		if b.Exemplar != nil {
			out = append(out, b.Exemplar)
		}
	}
	return out
}

func TestPipelineFigures(t *testing.T) {
	r := full(t)
	r.Journal.Appended(3 * time.Millisecond)
	r.Store.Inserted("events", 500, 20*time.Millisecond)
	r.Store.Inserted("events", -1, 20*time.Millisecond)
	r.Store.Failed("timeout")
	r.Shipper.DeadLetters(2)
	r.Pager.Failed("am:9093")
	r.Pager.Failed("elsewhere:9093")
	r.HTTP.Began()("/v1/events", 200, time.Millisecond)
	r.HTTP.Began()("/wp-admin", 418, time.Millisecond)
	r.HTTP.Began()
	r.HTTP.WatchStreams(func() (open, refused int) { return 50, 2 })
	r.Expected.Set("99", 1, 1)
	r.Expected.Never("35.15", 3)
	r.Expected.Never("99", 1)
	m := gather(t, r)
	for _, c := range []struct {
		want   float64
		name   string
		labels string
	}{
		{10, "journal_bytes", ""}, {5, "journal_lag_bytes", ""}, {2, "journal_lag_seconds", ""}, {99, "disk_free_bytes", ""},
		{1, "journal_damaged", ""},
		{1, "journal_append_seconds", ""},
		{2, "store_insert_seconds", "table events"}, {500, "store_rows_total", "table events"},
		{0, "store_rows_total", "table clocks"},
		{1, "store_errors_total", "kind timeout"}, {0, "store_errors_total", "kind value"},
		{1.5, "rollup_lag_seconds", ""}, {2, "dead_letters_total", ""},
		{3, "quarantine_events", ""}, {7, "quarantine_dropped_total", ""}, {2, "dead_letters_held", ""},
		{5, "conflicts_held", ""}, {900, "dead_letters_bytes", ""}, {4, "conflicts_total", "source /crm found late"},
		{1, "source_held_back_total", "source /crm"},
		{4, "unresolved_names", ""},
		{1700000000, "pager_last_push_timestamp_seconds", ""}, {2, "pager_alerts", "level overdue"},
		{0, "pager_alerts", "level risk"}, {1, "pager_alerts", "level other"},
		{1, "pager_failures_total", "alertmanager am:9093"},
		{1800000000, "calendar_covered_until_timestamp_seconds", ""}, {6, "calls_expected", "center 35.15 stat median"},
		{1.5, "calls_expected", "stat mad"}, {3, "facts_never_recorded", "center 35.15"},
		{1, "http_requests_total", "route /v1/events code 200"}, {1, "http_requests_total", "route other code other"},
		{1, "http_requests_in_flight", ""}, {50, "board_streams", ""}, {2, "board_streams_refused_total", ""},
		{6, "audit_failures_total", ""},
		{1, "build_info", "version 1.2.3"}, {1, "directory_info", "center 35.15 label kecamatan value 35.15.18 name Waru"},
	} {
		if got := value(t, m, c.name, strings.Fields(c.labels)...); got != c.want {
			t.Errorf("%s{%s} is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	r.Expected.Never("35.15", -1)
	if series(t, gather(t, r), "facts_never_recorded", "center", "35.15") != nil {
		t.Error("facts_never_recorded stays when it is not known")
	}
	r.Expected.Clear("35.15")
	if series(t, gather(t, r), "calls_expected", "stat", "median") != nil {
		t.Error("calls_expected stays after Clear")
	}
	unknown := newTest(t)
	unknown.Store.WatchRollups(func() (time.Duration, bool) { return 0, false })
	bare := gather(t, unknown)
	for _, n := range []string{
		"journal_bytes", "pager_alerts", "pager_last_push_timestamp_seconds", "calendar_covered_until_timestamp_seconds",
		"pager_failures_total", "quarantine_events", "unresolved_names", "calls_expected", "board_streams",
		"audit_failures_total", "rollup_lag_seconds",
	} {
		if bare[Prefix+n] != nil {
			t.Errorf("%s is exposed before anybody knows it", n)
		}
	}
}

func TestAScrapeInEveryFormat(t *testing.T) {
	h := full(t).Handler()
	for _, c := range []struct{ accept, encoding, contentType string }{
		{"", "", "text/plain"},
		{"application/openmetrics-text;version=1.0.0", "gzip", "application/openmetrics-text"},
		{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "zstd",
			"application/vnd.google.protobuf"},
	} {
		req := httptest.NewRequest("GET", "/metrics", nil)
		req.Header.Set("Accept", c.accept)
		req.Header.Set("Accept-Encoding", c.encoding)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), c.contentType) ||
			w.Header().Get("Content-Encoding") != c.encoding {
			t.Errorf("%+v: %d %v", c, w.Code, w.Header())
			continue
		}
		body := unpack(t, c.encoding, w.Body)
		if c.contentType != "application/vnd.google.protobuf" {
			if !bytes.Contains(body, []byte("monev112_board_complete 1")) {
				t.Errorf("%s: no board_complete", c.contentType)
			}
			continue
		}
		d := expfmt.NewDecoder(bytes.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
		native := false
		for {
			var f dto.MetricFamily
			if d.Decode(&f) != nil {
				break
			}
			native = native || f.GetName() == "monev112_call_answer_seconds" && f.Metric[0].Histogram.Schema != nil
		}
		if !native {
			t.Error("protobuf carries no native histogram")
		}
	}
}

func TestOfAScraperThatWentAwayNothingIsLogged(t *testing.T) {
	for _, c := range []struct {
		name  string
		cause error
		lines int // at least
	}{
		{"went away", &net.OpError{Op: "write", Err: syscall.EPIPE}, 0},
		{"a fault of our own", errors.New("planted"), 1},
	} {
		var log bytes.Buffer
		cfg := testConfig()
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		newOf(t, cfg).Handler().ServeHTTP(broken{httptest.NewRecorder(), c.cause},
			httptest.NewRequest("GET", "/metrics", nil))
		if n := strings.Count(log.String(), "scrape is incomplete"); n < c.lines || c.lines == 0 && n > 0 {
			t.Errorf("%s: %d lines\n%s", c.name, n, log.String())
		}
	}
}

// broken is a response that cannot be written.
type broken struct {
	http.ResponseWriter
	cause error
}

func (b broken) Write([]byte) (int, error) { return 0, b.cause }

func unpack(t *testing.T, encoding string, r io.Reader) []byte {
	t.Helper()
	var err error
	switch encoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(r)
		r = z
	}
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// BenchmarkScrape measures one protobuf scrape of a centre with 40 OPDs, each with open, endangered and late tickets.
func BenchmarkScrape(b *testing.B) {
	cfg := testConfig()
	cfg.Centers[0].OPDs = nil
	snap := tracker.Snapshot{Complete: true, Centers: []tracker.CenterSnapshot{{Center: "35.15"}}}
	c := &snap.Centers[0]
	for i := range 40 {
		id := fmt.Sprintf("opd%02d", i)
		cfg.Centers[0].OPDs = append(cfg.Centers[0].OPDs, OPD{id, "own"})
		c.AtRisk = append(c.AtRisk, tracker.TicketCount{OPD: id, Scope: "own", N: i})
		for _, p := range cfg.Vocabulary.Priorities {
			c.Open = append(c.Open, tracker.TicketCount{OPD: id, Priority: p, Scope: "own", N: 600})
			c.Overdue = append(c.Overdue, tracker.TicketCount{OPD: id, Clock: "resolve", Priority: p, Scope: "own", N: i})
		}
	}
	r, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	r.SetBoard(func() tracker.Snapshot { return snap })
	for i := range 40 {
		for _, interval := range cfg.Vocabulary.Intervals {
			for j := range 50 {
				r.Observe(tracker.Outcome{
					Kind: tracker.TicketInterval, Center: "35.15", OPD: fmt.Sprintf("opd%02d", i), Interval: interval,
					Seconds: math.Exp(float64(j) / 4),
				})
			}
		}
	}
	h := r.Handler()
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				req := httptest.NewRequest("GET", "/metrics", nil)
				req.Header.Set("Accept",
					"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
				req.Header.Set("Accept-Encoding", encoding)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "bytes/scrape")
		})
	}
}

// BenchmarkObserve measures one outcome of the ingest's hot path.
func BenchmarkObserve(b *testing.B) {
	r := newTest(b)
	o := tracker.Outcome{
		Kind: tracker.ClockStopped, Center: "35.15", Clock: "arrive", OPD: "damkar", Priority: "darurat", Result: "met",
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Observe(o)
	}
}
