package shipper

import "context"

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
