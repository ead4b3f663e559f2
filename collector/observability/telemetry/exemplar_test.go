package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
)

func TestOnlySampledRequestsAreTraced(t *testing.T) {
	var tr Exemplars
	e := &event.Event{Center: "35.15", Kind: event.KindCall, Subject: "c1"}
	other := event.Key{Center: "35.15", Kind: event.KindCall, ID: "c2"}
	sampled := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	})
	quiet := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{3}, SpanID: trace.SpanID{4}})

	end := tr.Begin(quiet, []*event.Event{e})
	if tr.Span(e.Key()).IsValid() {
		t.Error("a request that is not sampled gives an exemplar")
	}
	end()
	end = tr.Begin(sampled, []*event.Event{e})
	if !tr.Span(e.Key()).Equal(sampled) || tr.Span(other).IsValid() {
		t.Error("the span of a sampled request is that of its own cases")
	}
	end()
	if tr.Span(e.Key()).IsValid() || tr.n.Load() != 0 {
		t.Error("a request that was answered is forgotten")
	}
}
