package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Roll-ups are recomputed three seconds after the ones before; in a burst of large upserts half a minute after them, or
// when the burst is over.
func TestRollupsWaitForTheEndOfABurst(t *testing.T) {
	for name, c := range map[string]struct {
		burst time.Duration // for how long large upserts come
		ends  bool          // BurstEnded is called then
		want  time.Duration
	}{
		"no burst":                 {0, false, RecomputeEvery},
		"a burst that ends":        {10 * time.Second, true, 10 * time.Second},
		"a burst of a second":      {time.Second, true, time.Second + RecomputeEvery},
		"a burst without an end":   {time.Minute, false, maxRecomputePause},
		"a burst that nobody ends": {5 * time.Second, false, 4*time.Second + burstPause + 2*time.Second}, // at a tick
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				st, err := Open(ctx, Config{Addr: "127.0.0.1:1"}) // nobody is asked
				if err != nil {
					t.Fatal(err)
				}
				s := &Sink{Store: st}
				for at := time.Duration(0); at < c.burst; at += time.Second {
					time.AfterFunc(at, func() { s.mu.Lock(); defer s.mu.Unlock(); s.large = time.Now() })
				}
				done := make(chan struct{})
				go func() { defer close(done); s.Run(ctx) }()
				synctest.Wait()
				if c.ends {
					time.AfterFunc(c.burst, s.BurstEnded)
				}
				recomputed := func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.hours != nil } // its first look
				time.Sleep(c.want - time.Millisecond)
				synctest.Wait()
				if recomputed() {
					t.Errorf("recomputed before %v", c.want)
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if !recomputed() {
					t.Errorf("not recomputed after %v", c.want)
				}
				cancel()
				<-done
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A recomputation that took long is followed by a longer pause; what it waited for does not count.
func TestAPauseIsAsLongAsTheRecomputationBeforeAsks(t *testing.T) {
	ended := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct{ took, pause time.Duration }{
		{0, RecomputeEvery}, {time.Second, 4 * time.Second}, {time.Minute, maxRecomputePause},
	} {
		p := pace{ended, c.took}
		if p.due(ended.Add(c.pause-1), false) || !p.due(ended.Add(c.pause), false) {
			t.Errorf("after %v the pause is not %v", c.took, c.pause)
		}
		if p.due(ended.Add(maxRecomputePause-1), true) || !p.due(ended.Add(maxRecomputePause), true) {
			t.Errorf("in a burst, after %v, the pause is not %v", c.took, maxRecomputePause)
		}
	}
}
