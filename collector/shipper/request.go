package shipper

import (
	"context"
	"fmt"
	"sync"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// request is work that only the one writer of case rows may do.
type request struct {
	do   func(context.Context) error
	done chan error
}

// turn lets a request end the wait of an idle shipper, so that it need not wait for the next tick.
type turn struct {
	mu      sync.Mutex
	waiting int                // requests that wait to be served
	wake    context.CancelFunc // ends the present wait; nil while nobody waits
}

// ask notes a request and ends the wait.
func (t *turn) ask() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting++
	if t.wake != nil {
		t.wake()
	}
}

// served notes that a request waits no longer.
func (t *turn) served() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting--
}

// idle returns a context that ends after idleTick or as soon as a request waits.
func (t *turn) idle(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, idleTick)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake = cancel
	if t.waiting > 0 {
		cancel()
	}
	return ctx, func() {
		t.mu.Lock()
		t.wake = nil
		t.mu.Unlock()
		cancel()
	}
}

// Do runs fn on the shipper's goroutine, between two batches: the one place where case rows may be written.
func (s *Shipper) Do(ctx context.Context, fn func(context.Context) error) error {
	r := request{do: fn, done: make(chan error, 1)}
	s.turn.ask()
	select {
	case s.asked <- r:
		s.turn.served()
	case <-ctx.Done():
		s.turn.served()
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Upsert stores the rows of cases that were folded from what ClickHouse holds, under the next version. It may be called
// only by a function that Do runs. It does not touch the board.
func (s *Shipper) Upsert(ctx context.Context, rows []tracker.Row) error {
	for len(rows) > 0 {
		n := min(len(rows), upsertRows)
		if err := s.upsertRows(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// serve answers the requests that wait.
func (s *Shipper) serve(ctx context.Context) error {
	for {
		select {
		case r := <-s.asked:
			r.done <- r.do(ctx)
		default:
			return nil
		}
	}
}

// requeue tries the dead letters again that an operator marked.
func (s *Shipper) requeue(ctx context.Context) {
	n, err := s.dead.Requeued(func(payload []byte, table string) error {
		var e event.Event
		if err := event.DecodeBinary(payload, &e); err != nil {
			return fmt.Errorf("dead letter of %s: %w", table, err)
		}
		b := &batch{events: []event.Event{e}, held: map[eventID]event.Digest{}}
		b.ready()
		fresh, err := s.complete(ctx, b)
		if err != nil {
			return err
		}
		if len(fresh) > 0 {
			if err := s.sink.InsertEvents(ctx, fresh, s.token(b, fresh)); err != nil {
				return err
			}
		}
		_, err = s.upsert(ctx, b.keys)
		return err
	})
	if n > 0 || err != nil {
		s.cfg.Log.Info("dead letters were tried again", "stored", n, "error", err)
	}
}
