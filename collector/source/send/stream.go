package send

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/event"
)

// Batching bounds what a Stream puts into one request and how many requests are under way. The zero value of a field
// means its default.
type Batching struct {
	Events  int // in one request; default 500
	Bytes   int // of one request, unpacked; default 1 MiB
	Senders int // requests under way at once; default 4
}

// Totals is what became of the events of a Stream.
type Totals struct {
	Sent       int // events that were answered
	Accepted   int
	Duplicates int // that the collector held already
	Refused    int
	Requests   int // batches that were answered
	Retried    int // of those, how many needed more than one try: their duplicates may be our own
}

// Stream gathers events into batches and sends these, several at once; T is what the caller wants to hear back about a
// refused event. Events of one case may arrive in any order. Add, and then Close, are for one goroutine. Batches that
// are answered are filled again.
type Stream[T any] struct {
	// Taken is called for the events of an answered batch that the server has now, accepted or known, never by two
	// goroutines at once and never while refuse is. It may be nil; it is set before the first Add.
	Taken func(T)

	to     Submitter
	limits Batching
	refuse func(T, event.Refusal)
	group  *errgroup.Group
	ctx    context.Context
	cancel context.CancelCauseFunc
	tasks  chan batch[T]
	open   sync.WaitGroup // batches that are not answered
	free   chan batch[T]  // to be filled again
	batch  batch[T]       // at hand
	mu     sync.Mutex
	totals Totals
}

// CollectorError says that it was the collector that could not take a batch or answer a question: what was to be sent
// may be sent later.
type CollectorError struct{ Cause error }

// Error is the text of the cause.
func (e *CollectorError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *CollectorError) Unwrap() error { return e.Cause }

type batch[T any] struct {
	body []byte
	ends []int // where each event of body ends
	tags []T
}

// event returns event i as it was added.
func (b *batch[T]) event(i int) []byte {
	from := 0
	if i > 0 {
		from = b.ends[i-1]
	}
	return b.body[from : b.ends[i]-1]
}

// NewStream returns a Stream to a Submitter and starts its senders. refuse is called for every event that the server
// refused, never by two goroutines at once; Refusal.Raw is the event, until refuse returns. Close must be called.
func NewStream[T any](ctx context.Context, to Submitter, limits Batching, refuse func(T, event.Refusal)) *Stream[T] {
	limits = Batching{cmp.Or(limits.Events, 500), cmp.Or(limits.Bytes, 1<<20), cmp.Or(limits.Senders, 4)}
	ctx, cancel := context.WithCancelCause(ctx)
	group, ctx := errgroup.WithContext(ctx)
	s := &Stream[T]{
		to: to, limits: limits, refuse: refuse, group: group, ctx: ctx, cancel: cancel, tasks: make(chan batch[T]),
		free: make(chan batch[T], limits.Senders),
	}
	for range limits.Senders {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case b, ok := <-s.tasks:
					if !ok {
						return nil
					}
					err := s.deliver(ctx, b)
					if err != nil {
						s.cancel(err) // before Done, so that Wait sees it
					}
					s.open.Done()
					if err != nil {
						return err
					}
					s.free <- batch[T]{b.body[:0], b.ends[:0], b.tags[:0]}
				}
			}
		})
	}
	return s
}

// Add puts one event, a JSON object on one line, into the batch at hand; it blocks while all senders are busy. After an
// error nothing more is sent: Close tells the first cause.
func (s *Stream[T]) Add(event []byte, tag T) error {
	b := &s.batch
	if len(b.ends) > 0 && (len(b.ends) >= s.limits.Events || len(b.body)+len(event)+1 > s.limits.Bytes) {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	b.body = append(append(b.body, event...), '\n')
	b.ends = append(b.ends, len(b.body))
	b.tags = append(b.tags, tag)
	return nil
}

// Flush sends the batch at hand without waiting for it to fill.
func (s *Stream[T]) Flush() error {
	if len(s.batch.ends) == 0 {
		return nil
	}
	s.open.Add(1)
	select {
	case <-s.ctx.Done():
		s.open.Done()
		return context.Cause(s.ctx)
	case s.tasks <- s.batch:
	}
	select {
	case s.batch = <-s.free:
	default:
		s.batch = batch[T]{}
	}
	return nil
}

// Wait sends the batch at hand and waits until every batch is answered, or one cannot be.
func (s *Stream[T]) Wait() error {
	err := s.Flush()
	s.open.Wait()
	if err == nil {
		err = context.Cause(s.ctx)
	}
	return err
}

// Totals returns what became of the events so far. It may be called at any time, by any goroutine.
func (s *Stream[T]) Totals() Totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals
}

// Close sends what is left, waits for every answer and returns the totals, with the error that ended the sending early
// if one did. After a call of Abort, or once the context has ended, what is left is not sent.
func (s *Stream[T]) Close() (Totals, error) {
	err := s.Flush()
	close(s.tasks)
	if s.group.Wait() != nil {
		err = context.Cause(s.ctx) // the first cause; others may only have been cancelled by it
	}
	s.cancel(nil)
	return s.Totals(), err
}

// Abort stops the senders without waiting for answers. Close must still be called.
func (s *Stream[T]) Abort() { s.cancel(nil) }

func (s *Stream[T]) deliver(ctx context.Context, b batch[T]) error {
	answer, err := s.to.Submit(ctx, b.body, len(b.ends))
	if errors.Is(err, ErrTooLarge) {
		return s.split(ctx, b)
	}
	if err != nil {
		return &CollectorError{err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.totals
	t.Sent += len(b.ends)
	t.Accepted += answer.Accepted
	t.Duplicates += answer.Duplicates
	t.Refused += len(answer.Rejected)
	t.Requests++
	if answer.Tries > 1 {
		t.Retried++
	}
	refused := make(map[int]bool, len(answer.Rejected))
	for _, r := range answer.Rejected {
		refused[r.Index] = true
		r.Raw = b.event(r.Index)
		s.refuse(b.tags[r.Index], r)
	}
	if s.Taken == nil {
		return nil
	}
	for i, tag := range b.tags {
		if !refused[i] {
			s.Taken(tag)
		}
	}
	return nil
}

// split halves a batch that the collector finds too large; one event that is too large alone is refused here.
func (s *Stream[T]) split(ctx context.Context, b batch[T]) error {
	n := len(b.ends)
	if n == 1 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.totals.Sent++
		s.totals.Refused++
		s.refuse(b.tags[0], event.Refusal{Reason: event.EventTooLarge, Raw: b.event(0)})
		return nil
	}
	cut := b.ends[n/2-1]
	second := make([]int, 0, n-n/2)
	for _, end := range b.ends[n/2:] {
		second = append(second, end-cut)
	}
	if err := s.deliver(ctx, batch[T]{b.body[:cut], b.ends[:n/2], b.tags[:n/2]}); err != nil {
		return err
	}
	return s.deliver(ctx, batch[T]{b.body[cut:], second, b.tags[n/2:]})
}
