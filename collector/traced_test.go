package collector

import (
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
)

func TestOnlySampledRequestsAreTraced(t *testing.T) {
	var tr traced
	e := &event.Event{Center: "35.15", Kind: event.KindCall, Subject: "c1"}
	other := event.Key{Center: "35.15", Kind: event.KindCall, ID: "c2"}
	sampled := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	})
	quiet := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{3}, SpanID: trace.SpanID{4}})

	end := tr.begin(quiet, []*event.Event{e})
	if tr.of(e.Key()).IsValid() {
		t.Error("a request that is not sampled gives an exemplar")
	}
	end()
	end = tr.begin(sampled, []*event.Event{e})
	if !tr.of(e.Key()).Equal(sampled) || tr.of(other).IsValid() {
		t.Error("the span of a sampled request is that of its own cases")
	}
	end()
	if tr.of(e.Key()).IsValid() || tr.n.Load() != 0 {
		t.Error("a request that was answered is forgotten")
	}
}
