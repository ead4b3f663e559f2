//go:build !faults

// Package faultpoint owns the places at which a test may harm the real program: named places where the process is
// killed (after a write, before its fsync, between a state and its acknowledgement), the calls to the disk that can
// fail, and the clock that can step. It does nothing unless the program is built with the tag "faults".
//
// With the tag, the environment variable MONEV112_KILL_AT="name:count" makes the count-th Hit of that name send SIGKILL
// to the process itself: no deferred function runs, no buffer is flushed, as after kill -9 from outside.
// MONEV112_FAULTS names a file that says which calls fail and where the clock stands; it may be replaced while the
// program runs.
package faultpoint

import (
	"os"
	"time"
)

// Hit marks that the place called name was reached. It is free of cost in a normal build and safe for concurrent use.
func Hit(name string) {}

// Fail returns how the call op on the file name is to fail, nil in a normal build. It is safe for concurrent use.
func Fail(op, name string) *Fault { return nil }

// Synced marks that all of f is on the disk. It does nothing in a normal build and is safe for concurrent use.
func Synced(f *os.File) {}

// Now is time.Now in a normal build.
func Now() time.Time { return time.Now() }
