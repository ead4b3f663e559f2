package shipper

import "runtime/debug"

// burstEvents in one batch are a burst: an import, or the backlog of a ClickHouse that was away.
const burstEvents = 5_000

// fewBytes of the journal are some live events that wait for more.
const fewBytes = 16 << 10

// trimAgain is after how many ticks without a burst memory is given back once more: by then the connections have
// expired whose buffers are as large as their largest insert.
const trimAgain = 25

// burst knows when memory that much shipping made grow is no longer of use.
type burst struct {
	grown bool // memory was grown, and is not given back
	large bool // the latest batch was
	quiet int  // ticks since the burst ended
}

// shipped notes a batch.
func (b *burst) shipped(events int) {
	if b.large = events >= burstEvents; b.large {
		b.grown, b.quiet = true, 0
	}
}

// trims is asked once a tick and reports whether memory should be given back now. drained says that less than
// fewBytes wait to be shipped.
func (b *burst) trims(drained bool) bool {
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
