package e2e

import (
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between the service and ClickHouse and can cut the line or slow it down.
type proxy struct {
	target string
	l      net.Listener

	mu    sync.Mutex
	cut   bool
	delay time.Duration // before each piece of either direction
	conns map[net.Conn]struct{}
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: target, l: l, conns: map[net.Conn]struct{}{}}
	t.Cleanup(func() {
		_ = l.Close()
		p.set(true, 0)
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

// set cuts the line, which ends every connection, or lets it be with a delay.
func (p *proxy) set(cut bool, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.delay = cut, delay
	if cut {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

// hold notes a connection, or closes it when the line is cut.
func (p *proxy) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

func (p *proxy) serve(near net.Conn) {
	if !p.hold(near) {
		return
	}
	defer p.drop(near)
	far, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil || !p.hold(far) {
		return
	}
	defer p.drop(far)
	go func() {
		defer p.drop(near)
		p.copy(near, far)
	}()
	p.copy(far, near)
}

func (p *proxy) copy(to, from net.Conn) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		delay := p.delay
		p.mu.Unlock()
		if delay > 0 {
			time.Sleep(delay)
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}
