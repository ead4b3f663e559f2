package httpapi

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// conns bounds the connections at once without letting those who hold many shut the others out: at the limit a new
// connection takes the place of the one that has been idle longest, else of the one that has taken longest to send its
// request. A request that is here whole is never cut off.
type conns struct {
	max   int
	grace time.Duration // what has arrived for less is not cut off
	now   func() time.Time

	mu    sync.Mutex
	open  map[*conn]struct{}
	freed chan struct{} // holds a token when a connection may have ended
}

// connGrace is how long a request may take to arrive before its connection may have to give way to another.
const connGrace = time.Second

// connRetry is how often a full house is looked through again while a new connection waits.
const connRetry = 50 * time.Millisecond

type connState uint8

const (
	arriving connState = iota // a request is being sent, or none has begun
	working                   // it is here whole
	idle                      // it was answered, and the client may send another
)

// conn is an accepted connection. Its fields are guarded by conns.mu.
type conn struct {
	net.Conn
	of    *conns
	state connState
	since time.Time
}

func newConns(limit int) *conns {
	return &conns{max: limit, grace: connGrace, now: time.Now, open: map[*conn]struct{}{}, freed: make(chan struct{}, 1)}
}

// Close ends the connection and makes room.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	select {
	case c.of.freed <- struct{}{}:
	default:
	}
	return c.Conn.Close()
}

// admit notes a new connection, for which another may have to go. It waits while every other is at work.
func (cs *conns) admit(raw net.Conn) *conn {
	c := &conn{Conn: raw, of: cs}
	for {
		cs.mu.Lock()
		if len(cs.open) < cs.max {
			c.since = cs.now()
			cs.open[c] = struct{}{}
			cs.mu.Unlock()
			return c
		}
		victim := cs.victim()
		cs.mu.Unlock()
		if victim != nil {
			_ = victim.Close()
			continue
		}
		select {
		case <-cs.freed:
		case <-time.After(connRetry):
		}
	}
}

// victim is the connection that gives way; nil when none has to. The caller holds mu.
func (cs *conns) victim() (found *conn) {
	before := func(c *conn) bool {
		if found == nil || (c.state == idle) != (found.state == idle) {
			return found == nil || c.state == idle
		}
		return c.since.Before(found.since)
	}
	late := cs.now().Add(-cs.grace)
	for c := range cs.open {
		if c.state == working || c.state == arriving && c.since.After(late) {
			continue
		}
		if before(c) {
			found = c
		}
	}
	return found
}

// is notes what a connection does.
func (cs *conns) is(c *conn, state connState) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	c.state, c.since = state, cs.now()
}

// connOf is the connection that a listener gave, also where TLS lies above it; nil when it is another's.
func connOf(raw net.Conn) *conn {
	if above, ok := raw.(interface{ NetConn() net.Conn }); ok {
		raw = above.NetConn()
	}
	c, _ := raw.(*conn)
	return c
}

// changed is the server's ConnState.
func (cs *conns) changed(raw net.Conn, state http.ConnState) {
	c := connOf(raw)
	switch {
	case c == nil:
	case state == http.StateActive:
		cs.is(c, arriving)
	case state == http.StateIdle:
		cs.is(c, idle)
	}
}

type connKey struct{}

// hold is the server's ConnContext.
func (cs *conns) hold(ctx context.Context, raw net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, connOf(raw))
}

// arrived notes that the request is here whole.
func (cs *conns) arrived(r *http.Request) {
	if c, _ := r.Context().Value(connKey{}).(*conn); c != nil {
		cs.is(c, working)
	}
}

// listener gives connections that conns admitted.
type listener struct {
	net.Listener
	conns *conns
}

// Accept waits for the next connection and for room for it.
func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.conns.admit(raw), nil
}
