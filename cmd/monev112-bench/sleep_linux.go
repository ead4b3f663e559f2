package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepUntil returns once t has come, by the kernel's clock: Go's timers may be a millisecond late. It holds a thread.
func sleepUntil(t time.Time) {
	for wait := time.Until(t); wait > 0; wait = time.Until(t) {
		ts := unix.NsecToTimespec(wait.Nanoseconds())
		_ = unix.Nanosleep(&ts, nil) // a signal ends it early
	}
}
