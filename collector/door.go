package collector

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/tracker"
)

// door decodes what comes in and resolves its names.
type door struct {
	decoder *event.Decoder
	dir     *directory.Directory
	reviews *reviews
}

var forms = map[httpapi.Format]event.Form{
	httpapi.Single: event.Structured, httpapi.Batch: event.BatchArray, httpapi.NDJSON: event.NDJSON,
}

// Decode implements api.Decoder.
func (d *door) Decode(format httpapi.Format, body []byte, now time.Time) (httpapi.Decoded, error) {
	var b event.Batch
	if err := d.decoder.Decode(&b, body, forms[format], now); err != nil {
		return httpapi.Decoded{}, err
	}
	out := httpapi.Decoded{Events: make([]*event.Event, len(b.Events)), Refused: b.Refusals, Dropped: b.Dropped}
	for i := range b.Events {
		e := &b.Events[i]
		if review := d.dir.Normalize(e); len(review) > 0 {
			d.reviews.add(review)
		}
		out.Events[i] = e
	}
	return out, nil
}

// reviews counts the names that the directory does not know.
type reviews struct {
	mu     sync.Mutex
	counts map[httpapi.Review]int // Count is 0 in the key
}

// maxReviews bounds the list; further names are not listed.
const maxReviews = 1000

func (r *reviews) add(names []directory.Review) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[httpapi.Review]int{}
	}
	for _, n := range names {
		k := httpapi.Review{Kind: string(n.Field), Center: n.Center, Name: n.Name}
		if _, ok := r.counts[k]; ok || len(r.counts) < maxReviews {
			r.counts[k]++
		}
	}
}

func (r *reviews) list(context.Context) ([]httpapi.Review, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]httpapi.Review, 0, len(r.counts))
	for k, n := range r.counts {
		k.Count = n
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b httpapi.Review) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Center, b.Center),
			cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// submitter puts events into the journal, unless the board knows them already.
type submitter struct {
	loop    *ingest.Loop
	board   *tracker.Board
	metrics *metrics.Registry
	links   *telemetry.LinkRing
	traced  *traced
	tracer  trace.Tracer
	end     func() uint64 // of the journal

	conflicting func([]*event.Event) // keeps events that contradict an earlier one; nil for those that are kept already
}

// Submit implements api.Ingest.
func (s *submitter) Submit(ctx context.Context, events []*event.Event) (httpapi.Submitted, error) {
	if s.board.Full() {
		return httpapi.Submitted{}, httpapi.ErrBusy
	}
	var out httpapi.Submitted
	verdicts := s.board.Recognize(events)
	fresh, at := events, []int(nil)
	if verdicts != nil {
		fresh = make([]*event.Event, 0, len(events))
		for i, e := range events {
			switch verdicts[i] {
			case tracker.Duplicate:
				out.Duplicates++
			case tracker.Conflict:
				out.Conflicts = append(out.Conflicts, i)
			default:
				fresh, at = append(fresh, e), append(at, i)
			}
		}
	}
	ctx, span := s.tracer.Start(ctx, "append to the journal",
		trace.WithAttributes(attribute.Int("monev112.events", len(fresh))))
	defer span.End()
	defer s.traced.begin(span.SpanContext(), fresh)()
	r, err := s.loop.Submit(ctx, fresh)
	switch {
	case errors.Is(err, ingest.ErrBusy):
		return httpapi.Submitted{}, errors.Join(httpapi.ErrBusy, err)
	case errors.Is(err, ingest.ErrTooLarge):
		return httpapi.Submitted{}, errors.Join(httpapi.ErrTooLarge, err)
	case errors.Is(err, ingest.ErrUnavailable):
		return httpapi.Submitted{}, errors.Join(httpapi.ErrUnavailable, err)
	case err != nil:
		return httpapi.Submitted{}, err
	}
	// The loop counts what it judged itself; what is refused as a whole comes again and counts then.
	s.metrics.CountEvents(metrics.Duplicate, out.Duplicates)
	s.metrics.CountEvents(metrics.Conflict, len(out.Conflicts))
	out.Accepted += r.Accepted
	out.Duplicates += r.Duplicates
	backfilled := 0
	for i, status := range r.Statuses {
		switch {
		case status == ingest.Conflict && at != nil:
			out.Conflicts = append(out.Conflicts, at[i])
		case status == ingest.Conflict:
			out.Conflicts = append(out.Conflicts, i)
		case status == ingest.Accepted && fresh[i].ReceivedAt.Sub(fresh[i].OccurredAt) > tracker.LiveWindow:
			backfilled++
		}
	}
	slices.Sort(out.Conflicts)
	if len(out.Conflicts) > 0 && s.conflicting != nil {
		kept := make([]*event.Event, len(out.Conflicts))
		for i, at := range out.Conflicts {
			kept[i] = events[at]
		}
		s.conflicting(kept)
	}
	s.metrics.CountEvents(metrics.Backfilled, backfilled)
	if r.Accepted > 0 && trace.SpanContextFromContext(ctx).IsSampled() {
		s.links.Add(ctx, s.end())
	}
	return out, nil
}
