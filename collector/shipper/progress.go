package shipper

import (
	"context"
	"fmt"
	"sync"

	"github.com/monev112/monev112/collector/journal"
)

// progress is how far the shipper is. It is safe for concurrent use.
type progress struct {
	mu        sync.Mutex
	shipped   journal.Position // ClickHouse has everything before it
	ready     bool             // ClickHouse answered and was prepared
	openCases int              // to be read back
	openRead  int
	changed   chan struct{} // closed at the next change; nil while nobody waits
}

func (p *progress) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

func (p *progress) set(at journal.Position)     { p.update(func() { p.shipped = at }) }
func (p *progress) advance(to journal.Position) { p.update(func() { p.shipped = max(p.shipped, to) }) }
func (p *progress) prepared()                   { p.update(func() { p.ready = true }) }
func (p *progress) reading(cases int)           { p.update(func() { p.openCases, p.openRead = cases, 0 }) }
func (p *progress) read(cases int)              { p.update(func() { p.openRead += cases }) }
func (p *progress) notify()                     { p.update(func() {}) }

// wait returns when reached, which is called with mu held after each change, or with the error of ctx.
func (p *progress) wait(ctx context.Context, reached func() bool) error {
	for {
		p.mu.Lock()
		if reached() {
			p.mu.Unlock()
			return nil
		}
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Shipped returns the journal position up to which ClickHouse has everything.
func (s *Shipper) Shipped() journal.Position {
	s.progress.mu.Lock()
	defer s.progress.mu.Unlock()
	return s.progress.shipped
}

// Prepared reports whether ClickHouse has answered and its schema is up to date.
func (s *Shipper) Prepared() bool {
	s.progress.mu.Lock()
	defer s.progress.mu.Unlock()
	return s.progress.ready
}

// Failing reports whether the last attempt to reach ClickHouse failed.
func (s *Shipper) Failing() bool { return s.failing.Load() }

// Answering reports whether ClickHouse can be asked: it was prepared, and the last attempt to reach it worked.
func (s *Shipper) Answering() bool { return s.Prepared() && !s.Failing() }

// WaitShipped waits until ClickHouse has everything up to a journal position.
func (s *Shipper) WaitShipped(ctx context.Context, upTo journal.Position) error {
	return s.progress.wait(ctx, func() bool { return s.progress.shipped >= upTo })
}

// WaitComplete waits until ClickHouse is prepared and the board complete.
func (s *Shipper) WaitComplete(ctx context.Context) error {
	return s.progress.wait(ctx, func() bool { return s.progress.ready && s.board.Complete() })
}

// Incomplete says, as the end of a sentence, what the board still waits for; empty when it is complete.
func (s *Shipper) Incomplete() string {
	if s.board.Complete() {
		return ""
	}
	p := &s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ready:
		return fmt.Sprintf("%d bytes of the journal are still on their way to ClickHouse", s.journal.End()-p.shipped)
	case p.openCases > 0:
		return fmt.Sprintf("%d of %d open cases are read from ClickHouse", min(p.openRead, p.openCases), p.openCases)
	}
	return "ClickHouse has not answered yet; the open cases are read from it"
}
