package shipper

import "runtime/debug"

// burstEvents in one batch are a burst: an import, or the backlog of a ClickHouse that was away.
const burstEvents = 5_000

// fewBytes of the journal are some live events that wait for more.
const fewBytes = 16 << 10

// trimAgain is after how many ticks without a burst memory is given back once more: by then whatever was still under
// way when the burst ended has let go of its own, such as a checkpoint of its copy.
const trimAgain = 10

// burst knows when memory that much shipping made grow is no longer of use.
type burst struct {
	grown bool // memory was grown, and is not given back
	large bool // the latest batch was
	given bool // memory was given back since the latest tick
	quiet int  // ticks since the burst ended
}

// shipped notes a batch and reports whether memory should be given back now: with it, large or the small rest, a burst
// ended. drained is as in trims. Once a tick is enough, however many bursts there are.
func (b *burst) shipped(events int, drained bool) bool {
	if b.large = events >= burstEvents; b.large {
		b.grown, b.quiet = true, 0
	}
	if !b.grown || b.quiet > 0 || !drained || b.given {
		return false
	}
	b.given, b.quiet = true, 1
	return true
}

// trims is asked once a tick and reports whether memory should be given back now. drained says that less than
// fewBytes wait to be shipped.
func (b *burst) trims(drained bool) bool {
	b.given = false
	if !b.grown || b.large && !drained {
		return false
	}
	b.quiet++
	b.grown = b.quiet < trimAgain
	return b.quiet == 1 || b.quiet == trimAgain
}

// trim gives the memory of a burst back to the system. The runtime would keep it until the heap has grown as much
// again, which on a small machine ClickHouse could have used.
func (s *Shipper) trim(f *feed) {
	f.trim()
	s.sink.BurstEnded()
	debug.FreeOSMemory()
}
