package collector

import (
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/event"
)

// traced remembers the sampled requests whose events are on their way to the board, so that a measurement can point to
// the trace of the event that gave it (an exemplar).
type traced struct {
	n     atomic.Int64 // of spans; the usual request is not sampled and must not wait for a lock
	mu    sync.Mutex
	spans map[event.Key]trace.SpanContext
}

// begin remembers the request of span; end forgets it.
func (t *traced) begin(span trace.SpanContext, events []*event.Event) (end func()) {
	if !span.IsSampled() {
		return func() {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spans == nil {
		t.spans = map[event.Key]trace.SpanContext{}
	}
	for _, e := range events {
		t.spans[e.Key()] = span
	}
	t.n.Store(int64(len(t.spans)))
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, e := range events {
			if t.spans[e.Key()].Equal(span) {
				delete(t.spans, e.Key())
			}
		}
		t.n.Store(int64(len(t.spans)))
	}
}

// of returns the span of the request that speaks of the case now; an invalid one when it is not traced.
func (t *traced) of(key event.Key) trace.SpanContext {
	if t.n.Load() == 0 {
		return trace.SpanContext{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.spans[key]
}
