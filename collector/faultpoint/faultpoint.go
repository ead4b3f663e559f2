//go:build !faults

// Package faultpoint owns the named places at which a test may kill the process: after a write, before its fsync, between
// a state and its acknowledgement. It does nothing unless the program is built with the tag "faults".
//
// With the tag, the environment variable MONEV112_KILL_AT="name:count" makes the count-th Hit of that name send SIGKILL
// to the process itself: no deferred function runs, no buffer is flushed, as after kill -9 from outside.
package faultpoint

// Hit marks that the place called name was reached. It is free of cost in a normal build and safe for concurrent use.
func Hit(name string) {}
