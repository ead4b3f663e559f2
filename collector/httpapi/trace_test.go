package httpapi

import (
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/store/lookup"
)

func TestSpansNameRoutesAndNobody(t *testing.T) {
	rec := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec))
	w := start(t, func(c *Config) { c.Tracer = tp })
	w.stub.cases = []lookup.Case{ticketCase("35.15", "T/0815", "x")}
	parent := "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
	for _, path := range []string{
		"/v1/tickets/T/0815?center=35.15", "/v1/tickets?opd=damkar", "/0815/4711", "/metrics", "/-/healthy", "/-/ready",
	} {
		w.get(path, "User-Agent", "Agent0815", "Traceparent", parent, requestIDHeader, "req-1")
	}
	names := []string{}
	for _, s := range rec.Ended() {
		names = append(names, s.Name())
		if all := fmt.Sprint(s.Attributes(), s.Events(), s.Name()); strings.Contains(all, "0815") ||
			strings.Contains(all, "127.0.0.1") || strings.Contains(all, "damkar") {
			t.Errorf("span %s tells too much: %v", s.Name(), s.Attributes())
		}
		if s.SpanContext().TraceID().String() != "0123456789abcdef0123456789abcdef" {
			t.Errorf("span %s is no child of the client's", s.Name())
		}
		if !strings.Contains(fmt.Sprint(s.Attributes()), "req-1") {
			t.Errorf("span %s has no request id", s.Name())
		}
	}
	if got := fmt.Sprint(names); got != "[GET /v1/tickets/*id GET /v1/tickets GET other]" {
		t.Error(got)
	}
	if !strings.Contains(w.log.String(), "trace_id=0123456789abcdef0123456789abcdef") {
		t.Error("the access log does not name the trace")
	}
}

func TestTheSpanOfARequestReachesTheIntake(t *testing.T) {
	rec := tracetest.NewSpanRecorder()
	w := start(t, func(c *Config) {
		c.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec))
	})
	var seen trace.SpanContext
	w.stub.traced = func(sc trace.SpanContext) { seen = sc }
	w.post("a s\nb s")
	if len(rec.Ended()) != 1 || !seen.Equal(rec.Ended()[0].SpanContext()) {
		t.Fatalf("the intake saw %v", seen)
	}
	if all := fmt.Sprint(rec.Ended()[0].Attributes()); !strings.Contains(all, "events.accepted") {
		t.Error(all)
	}
}
