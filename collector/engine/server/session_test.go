package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/monev112/monev112/collector/engine/chdb"
)

func emptyPool(t *testing.T, size int) *pool {
	p, err := newPool(size, func() (*session, error) { return &session{conn: &chdb.Conn{}}, nil })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWaitingRequestsAreServedInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := emptyPool(t, 2)
		var busy []*session
		for range 2 {
			s, err := p.acquire(t.Context(), time.Second)
			if err != nil {
				t.Fatal(err)
			}
			busy = append(busy, s)
		}
		var served []int
		var all sync.WaitGroup
		gone, leave := context.WithCancel(t.Context())
		for i := range 20 {
			ctx := t.Context()
			if i == 7 {
				ctx = gone
			}
			all.Go(func() {
				s, err := p.acquire(ctx, time.Minute)
				if i == 7 {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("the client that went away got %v, %v", s, err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				served = append(served, i)
				p.release(s)
			})
			synctest.Wait()
		}
		leave()
		p.release(busy[0]) // the second stays busy, so that one is served at a time
		all.Wait()
		want := []int{0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
		if !slices.Equal(served, want) {
			t.Errorf("served %v", served)
		}
		p.release(busy[1])
		p.close()
	})
}

func TestRequestWaitsNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := emptyPool(t, 1)
		s, err := p.acquire(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := p.acquire(t.Context(), 30*time.Second); !errors.Is(err, ErrBusy) || time.Since(began) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		closed := make(chan struct{})
		go func() { p.close(); close(closed) }()
		synctest.Wait()
		go func() {
			if _, err := p.acquire(t.Context(), 30*time.Second); !errors.Is(err, errClosed) {
				t.Errorf("a closing pool gives %v", err)
			}
		}()
		synctest.Wait()
		p.release(s)
		<-closed
	})
}
