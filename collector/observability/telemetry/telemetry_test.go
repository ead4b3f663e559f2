package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func tracing(t *testing.T, cfg TraceConfig) *Tracing {
	t.Helper()
	tr, err := NewTracing(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Shutdown(context.Background()) })
	return tr
}

// keeping is an exporter whose spans survive its shutdown.
type keeping struct {
	tracetest.InMemoryExporter
	err   error
	spans []sdktrace.ReadOnlySpan
}

func (k *keeping) ExportSpans(_ context.Context, s []sdktrace.ReadOnlySpan) error {
	k.spans = append(k.spans, s...)
	return k.err
}

func TestNothingIsTracedWithoutAnEndpoint(t *testing.T) {
	for name, c := range map[string]struct{ endpoint, disabled string }{
		"nothing configured": {"", ""},
		"disabled":           {"http://127.0.0.1:1", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_SDK_DISABLED", c.disabled)
			tr := tracing(t, TraceConfig{Endpoint: c.endpoint})
			_, span := tr.Tracer("t").Start(context.Background(), "x")
			if tr.Enabled() || span.IsRecording() {
				t.Error("traced")
			}
		})
	}
}

func TestSpansReachTheReceiver(t *testing.T) {
	var got atomic.Int32
	var path atomic.Value
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.Path)
		got.Add(1)
	}))
	defer srv.Close()
	for name, cfg := range map[string]TraceConfig{
		"configured":  {Endpoint: srv.URL, SampleRatio: 1},
		"environment": {SampleRatio: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got.Store(0)
			if name == "environment" {
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", srv.URL)
			}
			tr, err := NewTracing(context.Background(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			_, span := tr.Tracer("t").Start(context.Background(), "x")
			span.End()
			for range 2 { // twice may be called
				if err := tr.Shutdown(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if got.Load() != 1 || path.Load() != "/v1/traces" {
				t.Errorf("%d requests, to %v", got.Load(), path.Load())
			}
		})
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	for _, cfg := range []TraceConfig{
		{Endpoint: "127.0.0.1:4318"}, {Endpoint: "ftp://x"}, {SampleRatio: 1.5}, {SampleRatio: -1},
	} {
		if _, err := NewTracing(context.Background(), cfg); err == nil {
			t.Errorf("%+v accepted", cfg)
		}
	}
	_, err := NewTracing(context.Background(), TraceConfig{Endpoint: "tcp://user:hunter2@host"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

func TestLostSpansAreLoggedOnceAMinute(t *testing.T) {
	var log bytes.Buffer
	c := &lossLogger{SpanExporter: &keeping{err: errors.New("refused")}, logger: slog.New(slog.NewTextHandler(&log, nil))}
	for range 5 {
		if err := c.ExportSpans(context.Background(), make([]sdktrace.ReadOnlySpan, 2)); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "spans could not be sent"); n != 1 {
		t.Errorf("%d lines: %s", n, log.String())
	}
}

func TestResourceNamesTheBuild(t *testing.T) {
	k := &keeping{}
	tr := tracing(t, TraceConfig{Version: "1.2.3", SampleRatio: 1, exporter: k})
	_, span := tr.Tracer("t").Start(context.Background(), "x")
	span.End()
	if err := tr.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(k.spans) != 1 {
		t.Fatalf("%d spans", len(k.spans))
	}
	if r := k.spans[0].Resource().String(); !strings.Contains(r, "service.name=monev112") ||
		!strings.Contains(r, "service.version=1.2.3") {
		t.Error(r)
	}
}

func sampled(i int) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, byte(i >> 8), byte(i)}, SpanID: trace.SpanID{1, byte(i)}, TraceFlags: trace.FlagsSampled,
	})
}

func add(r *LinkRing, span trace.SpanContext, end uint64) {
	r.Add(trace.ContextWithSpanContext(context.Background(), span), end)
}

func TestRingLinksTheRequestsOfARange(t *testing.T) {
	r := NewLinkRing(4)
	if links, more := r.Links(0, 100); links != nil || more != 0 {
		t.Error("an empty ring links")
	}
	for i := 1; i <= 6; i++ {
		add(r, sampled(i), uint64(i*10))
	}
	add(r, sampled(7).WithTraceFlags(0), 70) // not sampled: takes no place
	r.Add(context.Background(), 80)          // no span
	for _, c := range []struct {
		from, to uint64
		want     string
	}{
		{0, 100, "[3 4 5 6]"}, // 1 and 2 are forgotten
		{30, 50, "[4 5]"},     // exclusive, inclusive
		{29, 30, "[3]"},
		{60, 100, "[]"},
		{0, 20, "[]"},
	} {
		links, more := r.Links(c.from, c.to)
		got := []int{}
		for _, l := range links {
			id := l.SpanContext.TraceID()
			got = append(got, int(id[2]))
		}
		if fmt.Sprint(got) != c.want || more != 0 {
			t.Errorf("(%d, %d]: %v and %d more, want %s", c.from, c.to, got, more, c.want)
		}
	}
}

func TestABatchIsARootWithAtMost128Links(t *testing.T) {
	r := NewLinkRing(1000)
	for i := 1; i <= 200; i++ {
		add(r, sampled(i), uint64(i))
	}
	rec := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec), sdktrace.WithSampler(batchSampler(0)))
	ctx, parent := tp.Tracer("t").Start(trace.ContextWithRemoteSpanContext(context.Background(), sampled(9)), "request")
	links, more := r.Links(0, 200)
	_, span := StartBatch(ctx, tp.Tracer("t"), "insert", links, more)
	span.End()
	parent.End()
	var got sdktrace.ReadOnlySpan
	for _, s := range rec.Ended() {
		if s.Name() == "insert" {
			got = s
		}
	}
	if got == nil {
		t.Fatal("a batch with sampled requests was not sampled")
	}
	if got.Parent().IsValid() || got.SpanContext().TraceID() == parent.SpanContext().TraceID() {
		t.Error("the batch is no root")
	}
	if len(got.Links()) != MaxLinks || got.DroppedLinks() != 0 {
		t.Errorf("%d links, %d dropped", len(got.Links()), got.DroppedLinks())
	}
	if a := got.Attributes(); len(a) != 1 || a[0].Value.AsInt64() != 72 {
		t.Errorf("attributes %v", a)
	}
	_, unlinked := StartBatch(context.Background(), tp.Tracer("t"), "insert", nil, 0)
	if unlinked.SpanContext().IsSampled() {
		t.Error("a batch without sampled requests was sampled at ratio 0")
	}
}

func TestLogLinesNameTheTrace(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, JSON, slog.LevelInfo)
	ctx := trace.ContextWithSpanContext(context.Background(), sampled(5))
	log.With("a", 1).InfoContext(ctx, "hello")
	log.Debug("hidden")
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("not one JSON line: %s", b.String())
	}
	if line["trace_id"] != sampled(5).TraceID().String() || line["msg"] != "hello" || line["a"] != 1.0 {
		t.Errorf("%v", line)
	}
	b.Reset()
	NewLogger(&b, Text, slog.LevelInfo).Info("hello")
	if !strings.Contains(b.String(), "msg=hello") || strings.Contains(b.String(), "trace_id") {
		t.Error(b.String())
	}
	for _, s := range []string{"debug", "INFO", "Warn", "error"} {
		if _, err := ParseLevel(s); err != nil {
			t.Error(err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("level loud accepted")
	}
	if _, err := ParseLogFormat("xml"); err == nil {
		t.Error("format xml accepted")
	}
}
