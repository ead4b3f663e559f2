package ingest

import (
	"sync"

	"github.com/monev112/monev112/collector/event"
)

// request is one Submit on its way through the loop.
type request struct {
	events   []*event.Event
	payloads [][]byte
	keys     []seenKey
	bytes    int // of payloads
	statuses []Status
	// needsAppend says that the answer holds only when the group of the request is appended.
	needsAppend bool
	done        chan error
}

// queue holds what waits. It is safe for concurrent use.
type queue struct {
	maxEvents int
	maxBytes  int64

	mu     sync.Mutex
	list   []*request
	events int
	bytes  int64
	closed bool
	wake   chan struct{} // holds a token when there may be something to take
}

func newQueue(maxEvents int, maxBytes int64) *queue {
	return &queue{maxEvents: maxEvents, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

// full tells whether events more would be refused, before any work is put into them.
func (q *queue) full(events int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.events+events > q.maxEvents || q.bytes >= q.maxBytes
}

// put adds a request, or returns ErrBusy or ErrUnavailable.
func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errStopping
	case q.events+len(r.events) > q.maxEvents || q.bytes+int64(r.bytes) > q.maxBytes:
		return ErrBusy
	}
	q.list = append(q.list, r)
	q.events += len(r.events)
	q.bytes += int64(r.bytes)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// take moves waiting requests to dst until a limit is reached, at least one when any waits.
func (q *queue) take(dst []*request, maxEvents, maxBytes int) []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	events, size, n := 0, 0, 0
	for _, r := range q.list {
		if n > 0 && (events+len(r.events) > maxEvents || size+r.bytes > maxBytes) {
			break
		}
		events += len(r.events)
		size += r.bytes
		n++
	}
	dst = append(dst, q.list[:n]...)
	rest := copy(q.list, q.list[n:])
	clear(q.list[rest:])
	q.list = q.list[:rest]
	q.events -= events
	q.bytes -= int64(size)
	return dst
}

// close refuses further requests; what waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
