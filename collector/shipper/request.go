package shipper

import (
	"context"
	"fmt"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// request is work that only the one writer of case rows may do.
type request struct {
	do   func(context.Context) error
	done chan error
}

// Do runs fn on the shipper's goroutine, between two batches: the one place where case rows may be written.
func (s *Shipper) Do(ctx context.Context, fn func(context.Context) error) error {
	r := request{do: fn, done: make(chan error, 1)}
	select {
	case s.asked <- r:
	case <-ctx.Done():
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

// requeue tries the dead letters again that an operator marked.
func (s *Shipper) requeue(ctx context.Context) {
	n, err := s.dead.Requeued(func(payload []byte, table string) error {
		var e event.Event
		if err := event.DecodeBinary(payload, &e); err != nil {
			return fmt.Errorf("dead letter of %s: %w", table, err)
		}
		b := newBatch()
		b.events = append(b.events, e)
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
