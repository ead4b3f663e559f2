package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// A stop ends within 10 s whatever the program waits for, and in order where it does not.
func TestAStopThatHangsEndsTheProcess(t *testing.T) {
	for name, hangs := range map[string]bool{"in order": false, "hanging": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				exited := make(chan time.Time, 1)
				done := endAtLast(ctx, slog.New(slog.DiscardHandler), func(int) { exited <- time.Now() })
				time.Sleep(time.Hour)
				asked := time.Now()
				cancel()
				time.Sleep(8 * time.Second)
				if !hangs {
					done()
				}
				time.Sleep(time.Minute)
				if hangs != (len(exited) == 1) {
					t.Fatalf("ended by force: %t", len(exited) == 1)
				}
				if hangs {
					if took := (<-exited).Sub(asked); took >= 10*time.Second {
						t.Errorf("it took %s", took)
					}
				}
				done()
			})
		})
	}
}
