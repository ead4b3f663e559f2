package telemetry

import (
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
)

// Exemplars remembers the sampled requests whose events are on their way to the board, so that a measurement can point
// to the trace of the event that gave it. The zero value is ready; it is safe for concurrent use.
type Exemplars struct {
	n     atomic.Int64 // of spans: the usual request is not sampled and must not wait for a lock
	mu    sync.Mutex
	spans map[event.Key]trace.SpanContext
}

// Begin remembers the span of a request, unless it is not sampled; end forgets it.
func (x *Exemplars) Begin(span trace.SpanContext, events []*event.Event) (end func()) {
	if !span.IsSampled() {
		return func() {}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.spans == nil {
		x.spans = map[event.Key]trace.SpanContext{}
	}
	for _, e := range events {
		x.spans[e.Key()] = span
	}
	x.n.Store(int64(len(x.spans)))
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, e := range events {
			if x.spans[e.Key()].Equal(span) {
				delete(x.spans, e.Key())
			}
		}
		x.n.Store(int64(len(x.spans)))
	}
}

// Span returns the span of the request that speaks of the case now; an invalid one when it is not traced.
func (x *Exemplars) Span(key event.Key) trace.SpanContext {
	if x.n.Load() == 0 {
		return trace.SpanContext{}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.spans[key]
}
