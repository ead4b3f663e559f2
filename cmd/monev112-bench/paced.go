package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// paced posts each body at its due time, whether or not those before it are answered, and returns how long each took
// from when it was due until its answer was read. What the sender takes of the processors those who are measured lack:
// there are no timers, whose grain is a millisecond, no handing over between goroutines and no garbage collection, all
// of which a client on a machine of its own would keep to itself. A body that is not taken ends it with an error.
func (p *process) paced(ctx context.Context, bodies []body, every time.Duration, conns int) (took []time.Duration,
	err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took = make([]time.Duration, len(bodies))
	due := make([]time.Time, len(bodies))
	idle := make(chan *pacedConn, conns)
	var reading sync.WaitGroup
	defer reading.Wait()
	for range conns {
		raw, err := net.Dial("tcp", p.addr)
		if err != nil {
			return nil, err
		}
		c := &pacedConn{Conn: raw, sent: make(chan int, 1)}
		defer c.Close() // a reader that still waits ends with it
		defer close(c.sent)
		reading.Go(func() {
			answers := bufio.NewReader(c)
			for i := range c.sent {
				if err := acknowledged(answers, bodies[i].events); err != nil {
					cancel(fmt.Errorf("event %d: %w", i, err))
					return
				}
				took[i] = time.Since(due[i])
				idle <- c
			}
		})
		idle <- c
	}
	requests := make([][]byte, len(bodies))
	for i, b := range bodies {
		requests[i] = fmt.Appendf(nil, "POST /v1/events HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"+
			"Content-Length: %d\r\n\r\n%s", p.addr, batchType, len(b.bytes), b.bytes)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := time.Now().Add(every)
	for i, r := range requests {
		due[i] = began.Add(time.Duration(i) * every)
		sleepUntil(due[i])
		select {
		case c := <-idle:
			c.sent <- i
			if _, err := c.Write(r); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	for range conns { // the last answers
		select {
		case <-idle:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return took, nil
}

// pacedConn is a connection with one request on its way at most.
type pacedConn struct {
	net.Conn
	sent chan int // the request that was sent, before it is written
}

// acknowledged reads an answer, and fails unless so many events were accepted.
func acknowledged(from *bufio.Reader, events int) error {
	r, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	var a answer
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		return errors.Join(fmt.Errorf("status %d", r.StatusCode), err)
	}
	if r.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("status %d", r.StatusCode), a.tookAll(events))
	}
	return a.tookAll(events)
}

// syncPaced appends 300 bytes at each due time and makes what is due durable with one fsync, alone on the disk: what
// nobody who acknowledges after fsync can do better. It returns how long each waited from when it was due.
func syncPaced(name string, n int, every time.Duration) (took []time.Duration, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buf := make([]byte, 300)
	began := time.Now().Add(every)
	for len(took) < n {
		sleepUntil(began.Add(time.Duration(len(took)) * every))
		first := len(took)
		for now := time.Now(); len(took) < n; took = append(took, 0) {
			if now.Before(began.Add(time.Duration(len(took)) * every)) {
				break
			}
			if _, err := f.Write(buf); err != nil {
				return nil, err
			}
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		for i := first; i < len(took); i++ {
			took[i] = time.Since(began.Add(time.Duration(i) * every))
		}
	}
	return took, nil
}
