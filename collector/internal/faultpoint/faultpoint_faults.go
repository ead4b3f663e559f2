//go:build faults

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
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// killAt is read once, on the first Hit, so that a test can set the variable in its own process.
var killAt = sync.OnceValue(func() *target {
	t, err := parse(os.Getenv("MONEV112_KILL_AT"))
	if err != nil {
		// A misspelt target would let a crash test pass without a crash.
		panic(err)
	}
	return t
})

type target struct {
	name string
	at   int64
	hits atomic.Int64
}

func parse(s string) (*target, error) {
	if s == "" {
		return nil, nil
	}
	name, count, ok := strings.Cut(s, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if !ok || name == "" || err != nil || n < 1 {
		return nil, fmt.Errorf("faultpoint: MONEV112_KILL_AT=%q: want name:count with a count of at least 1", s)
	}
	return &target{name: name, at: n}, nil
}

// Hit marks that the place called name was reached, and kills the process when MONEV112_KILL_AT says so. It is safe for
// concurrent use.
func Hit(name string) {
	t := killAt()
	if t == nil || t.name != name || t.hits.Add(1) != t.at {
		return
	}
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {} // SIGKILL is on its way; nothing after this place may run
}
