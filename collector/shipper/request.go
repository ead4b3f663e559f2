package shipper

import (
	"context"

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
	case s.requests <- r:
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
	s.beginBatch()
	for len(rows) > 0 {
		n := min(len(rows), upsertRows)
		if err := s.upsertRows(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
