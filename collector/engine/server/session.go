package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/monev112/monev112/collector/engine/chdb"
)

// session is a connection and what it is set to.
type session struct {
	conn     *chdb.Conn
	baseline []setting // what the session goes back to after a request
	database string    // the session's current database
	broken   bool      // could not be put back: replaced at the next use
	chunk    []byte    // for the rows of its inserts
}

// verifySettings asks ClickHouse for the baseline's values.
func (s *session) verifySettings() error {
	names := make([]string, len(s.baseline))
	for i, want := range s.baseline {
		names[i] = "toString(getSetting(" + quoteString(want.name) + "))"
	}
	result, err := s.conn.Query("SELECT "+strings.Join(names, ", "), "TSVRaw", nil)
	if err != nil {
		return fmt.Errorf("engine: check the connection's settings: %w", err)
	}
	values := strings.Split(strings.TrimRight(string(result.Data), "\n"), "\t")
	if len(values) != len(s.baseline) {
		return fmt.Errorf("engine: check the connection's settings: %d values for %d settings", len(values), len(s.baseline))
	}
	for i, want := range s.baseline {
		got := values[i]
		switch got {
		case "true":
			got = "1"
		case "false":
			got = "0"
		}
		if got != want.value {
			return fmt.Errorf("engine: ClickHouse has %s = %q and not %q: this version of the library cannot be bounded",
				want.name, got, want.value)
		}
	}
	return nil
}

// use makes database the current one.
func (s *session) use(database string) error {
	database = cmp.Or(database, defaultDatabase)
	if database == s.database {
		return nil
	}
	if _, err := s.conn.Query("USE "+quoteIdentifier(database), "Null", nil); err != nil {
		return err
	}
	s.database = database
	return nil
}

// with sets settings, runs f, and puts the session back.
func (s *session) with(settings []setting, f func() error) error {
	if len(settings) == 0 {
		return f()
	}
	if _, err := s.conn.Query(setStatement(settings), "Null", nil); err != nil {
		return err
	}
	defer s.reset(settings)
	return f()
}

func (s *session) reset(settings []setting) {
	parts := make([]string, len(settings))
	for i, set := range settings {
		parts[i] = set.name + " = DEFAULT"
	}
	_, err := s.conn.Query("SET "+strings.Join(parts, ", "), "Null", nil)
	if err == nil {
		_, err = s.conn.Query(setStatement(s.baseline), "Null", nil)
	}
	if err != nil {
		s.broken = true
	}
}

func quoteIdentifier(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

// pool holds a fixed number of sessions; each serves one request at a time. Requests that find none free are served in
// the order in which they came.
type pool struct {
	// one for each session; its waiters are first in, first out, which a channel does not promise
	queue  *semaphore.Weighted
	free   chan *session
	size   int
	open   func() (*session, error)
	closed chan struct{}
}

func newPool(size int, open func() (*session, error)) (*pool, error) {
	p := &pool{
		queue: semaphore.NewWeighted(int64(size)), free: make(chan *session, size), size: size, open: open,
		closed: make(chan struct{}),
	}
	for range size {
		s, err := open()
		if err != nil {
			p.size = len(p.free)
			p.close()
			return nil, err
		}
		p.free <- s
	}
	return p, nil
}

var errClosed = errors.New("the engine is closing")

// acquire waits for a free session, at most wait (ErrBusy) and while ctx lives. The caller must release it.
func (p *pool) acquire(ctx context.Context, wait time.Duration) (*session, error) {
	if p.isClosed() {
		return nil, errClosed
	}
	ctx, cancel := context.WithTimeoutCause(ctx, wait, ErrBusy)
	defer cancel()
	if err := p.queue.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	if p.isClosed() { // while it waited
		p.queue.Release(1)
		return nil, errClosed
	}
	return <-p.free, nil
}

func (p *pool) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// release gives the session back, a new one in its place when it broke.
func (p *pool) release(s *session) {
	if s.broken {
		// A reconnect that fails leaves the broken session in use: the next request gets ClickHouse's own error, and tries
		// again.
		if fresh, err := p.open(); err == nil {
			s.conn.Close()
			s = fresh
		}
	}
	p.free <- s
	p.queue.Release(1)
}

// close waits for the sessions in use and closes all.
func (p *pool) close() {
	if p.isClosed() {
		return
	}
	close(p.closed)
	_ = p.queue.Acquire(context.Background(), int64(p.size)) // whoever waits before it is turned away by acquire
	for range p.size {
		s := <-p.free
		s.conn.Close()
	}
}

// setting is one ClickHouse setting of a session.
type setting struct{ name, value string }

func setStatement(settings []setting) string {
	parts := make([]string, len(settings))
	for i, s := range settings {
		parts[i] = fmt.Sprintf("%s = %s", s.name, quoteString(s.value))
	}
	return "SET " + strings.Join(parts, ", ")
}

// quoteString writes s as a ClickHouse string literal.
func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
