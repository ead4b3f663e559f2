package shipper

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestWaitingEndsWhenClickHouseHasEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Shipper
		ctx, cancel := context.WithCancel(t.Context())
		far, given := make(chan error, 1), make(chan error, 1)
		go func() { far <- s.WaitShipped(t.Context(), 10) }()
		go func() { given <- s.WaitShipped(ctx, 100) }()
		synctest.Wait()
		s.progress.advance(9)
		synctest.Wait()
		if len(far) > 0 {
			t.Error("it ended one position too early")
		}
		s.progress.advance(10)
		if err := <-far; err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		s.progress.advance(5)
		if s.Shipped() != 10 {
			t.Errorf("what ClickHouse has goes back to %d", s.Shipped())
		}
	})
}
