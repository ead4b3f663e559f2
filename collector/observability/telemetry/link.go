package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// LinkRing remembers which request wrote which part of the journal, so that the batch that stores this part can link to
// it. It keeps the latest requests up to its size and only those that are traced; what it forgot costs a link in a
// trace and nothing else. It is safe for concurrent use.
type LinkRing struct {
	mu    sync.Mutex
	ring  []request
	next  int // where the next one goes
	count int
}

// request is one whose last byte in the journal lies before end.
type request struct {
	end  uint64
	span trace.SpanContext
}

// NewLinkRing returns a ring for at most size requests, which must be positive.
func NewLinkRing(size int) *LinkRing { return &LinkRing{ring: make([]request, max(1, size))} }

// Add remembers that the span in ctx wrote records that end at position end. A span that is not sampled is not kept.
func (r *LinkRing) Add(ctx context.Context, end uint64) {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() || !span.IsSampled() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring[r.next] = request{end, span}
	r.next = (r.next + 1) % len(r.ring)
	r.count = min(r.count+1, len(r.ring))
}

// Links returns the links of a batch that holds the journal from position from (exclusive) to position to (inclusive),
// at most MaxLinks of them, and how many more there were.
func (r *LinkRing) Links(from, to uint64) (links []trace.Link, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.count {
		w := &r.ring[(r.next-r.count+i+len(r.ring))%len(r.ring)]
		switch {
		case w.end <= from || w.end > to:
		case len(links) == MaxLinks:
			more++
		default:
			links = append(links, trace.Link{SpanContext: w.span})
		}
	}
	return links, more
}

// StartBatch starts the span of a batch: the root of a trace of its own, since it carries many requests, with links to
// them. more is the number of requests beyond MaxLinks. The caller ends the span.
func StartBatch(ctx context.Context, tracer trace.Tracer, name string, links []trace.Link, more int,
	attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	if len(links) > MaxLinks {
		more += len(links) - MaxLinks
		links = links[:MaxLinks]
	}
	if more > 0 {
		attrs = append(attrs, attribute.Int("batch.links_left_out", more))
	}
	return tracer.Start(ctx, name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithLinks(links...), trace.WithAttributes(attrs...))
}
