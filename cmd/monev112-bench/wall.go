package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/web/wall"
)

// walls say how the wallboard is measured.
type walls struct {
	screens, idle int           // streams that are read while events come, and while none do
	rate          int           // events a second
	lasts         time.Duration // how long they come
}

var fullWall, quickWall = walls{50, 500, 50, time.Minute}, walls{10, 50, 50, 10 * time.Second}

const (
	// The service gives one address so many streams: screens come from several addresses of loopback.
	streamsOfAddress = 90
	maxWallStreams   = 560
	deafStreams      = 5 // ask for a stream and read nothing of it
	idleFor          = 15 * time.Second
	deafGoal         = 30  // seconds
	screenGoal       = 500 // milliseconds
)

// runWall is the part wall with sizes of its own.
func runWall(ctx context.Context, args []string) error {
	b := &bench{only: []string{"wall"}, runs: 1, wallboard: fullWall}
	w := &b.wallboard
	fs := flag.NewFlagSet("monev112-bench wall", flag.ContinueOnError)
	fs.IntVar(&w.screens, "screens", w.screens, "screens that follow the board while events come")
	fs.IntVar(&w.idle, "idle", w.idle, "streams whose memory is measured while nothing comes")
	fs.IntVar(&w.rate, "rate", w.rate, "events a second")
	fs.DurationVar(&w.lasts, "duration", w.lasts, "how long events come")
	fs.StringVar(&b.dir, "dir", "", "folder for the data (default: a temporary one)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if w.screens < 1 || w.idle < 0 || w.screens+w.idle > maxWallStreams || w.rate < 1 || w.rate > 1000 ||
		w.lasts < time.Second || w.lasts > 10*time.Minute {
		return fmt.Errorf("wall: -screens and -idle together up to %d, -rate from 1 to 1000, -duration from 1s to 10m",
			maxWallStreams)
	}
	return b.run(ctx)
}

// wall measures how long an event needs to the screens of the wallboard, what idle streams cost in memory, and what
// senders notice of screens and of streams that nobody reads.
func (b *bench) wall(ctx context.Context) (err error) {
	w := b.wallboard
	p, err := b.serveNew(ctx, "wall", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	over, end := context.WithCancel(ctx)
	var streams sync.WaitGroup
	defer streams.Wait()
	defer end()
	n := w.rate * int(w.lasts.Seconds())

	// On a service that has done nothing yet, whose memory has no room left over.
	before, _ := p.used()
	idle, leave := context.WithCancel(over)
	defer leave()
	if err := p.watch(idle, &streams, 0, newScreens(w.idle, 0)); err != nil {
		return err
	}
	if err := send.Sleep(ctx, idleFor); err != nil {
		return err
	}
	after, _ := p.used()
	open := func(what string, n int) error {
		return p.until(over, what, time.Second, func() bool { return p.metric("monev112_board_streams") == float64(n) })
	}
	leave()
	if err := open("the streams have ended", 0); err != nil {
		return err
	}

	alone, err := p.callers(ctx, "before", n, w.rate)
	if err != nil {
		return err
	}
	if err := p.watch(over, &streams, 0, newScreens(w.idle, 0)); err != nil {
		return err
	}
	screens := newScreens(w.screens, 2*n)
	if err := p.watch(over, &streams, w.idle, screens); err != nil {
		return err
	}
	for i := range deafStreams {
		deaf, err := p.deaf(w.idle + w.screens + i)
		if err != nil {
			return err
		}
		defer deaf.Close()
	}
	if err := open("all streams are open", w.idle+w.screens+deafStreams); err != nil {
		return err
	}
	began, dropped := time.Now(), time.Duration(0)
	streams.Go(func() {
		if open("streams that nobody reads are dropped", w.idle+w.screens) == nil {
			dropped = time.Since(began)
		}
	})
	beside, err := p.callers(ctx, "beside", n, w.rate)
	if err != nil {
		return err
	}
	if err := p.until(ctx, "every screen shows every call", 50*time.Millisecond, func() bool {
		return !slices.ContainsFunc(screens, func(s *screen) bool { return s.at(2 * n).IsZero() })
	}); err != nil {
		return err
	}
	end()
	streams.Wait()

	acknowledged := make([]time.Time, n)
	for i, c := range beside {
		acknowledged[i] = c.acknowledged
	}
	took := untilShown(screens, n, acknowledged)
	waits := func(calls []caller) (out []time.Duration) {
		for _, c := range calls {
			out = append(out, c.wait)
		}
		return out
	}
	b.table.add(figure{"event accepted to screen, p50", inMS(quantile(took, 0.50)), "ms", false}, noGoal, "",
		fmt.Sprintf("%d screens, %d events/s for %s, beside %d idle streams", w.screens, w.rate, w.lasts, w.idle))
	b.table.add(figure{"event accepted to screen, p99", inMS(quantile(took, 0.99)), "ms", false}, screenGoal, "",
		"slowest "+ms(slices.Max(took)))
	b.table.add(figure{"event acknowledged beside screens, p99", inMS(quantile(waits(beside), 0.99)), "ms", false}, noGoal,
		ms(quantile(waits(alone), 0.99))+" without", fmt.Sprintf("p50 %s, without %s; %d of the streams are not read",
			ms(quantile(waits(beside), 0.5)), ms(quantile(waits(alone), 0.5)), deafStreams))
	b.table.add(figure{fmt.Sprintf("memory of %d idle streams", w.idle), inMiB(after.rssBytes - before.rssBytes), "MiB",
		false}, 50, "", "resident memory of the service, "+mib(before.rssBytes)+" before")
	late := never // not while events came
	if dropped > 0 {
		late = dropped.Seconds()
	}
	b.table.add(figure{"streams that are not read, dropped after", late, "s", false}, deafGoal, "",
		"from their start: what fits the buffers of the connection, then 10 s")
	return nil
}

// caller is a call that was sent: how long its acknowledgement took from when it was due, and when it came.
type caller struct {
	wait         time.Duration
	acknowledged time.Time
}

// callers sends n calls at a rate that are never answered: each is one more that waits.
func (p *process) callers(ctx context.Context, name string, n, rate int) (out []caller, err error) {
	var mu sync.Mutex
	_, err = offer(ctx, func(yield func(body) bool) {
		for i := range n {
			if !yield(body{fmt.Appendf(nil, `[{"specversion":"1.0","id":"%[1]s-%[2]d","source":"bench",`+
				`"type":"monev112.call.received","subject":"call/%[1]s-%[2]d","time":%[3]q,"data":{"queue":"112"}}]`, name, i,
				time.Now().Format(time.RFC3339)), 1}) {
				return
			}
		}
	}, load{clients: honestClients, every: time.Second / time.Duration(rate), queue: n},
		func(ctx context.Context, client *http.Client, one body, due time.Time) error {
			_, err := p.deliver(ctx, client, one)
			mu.Lock()
			defer mu.Unlock()
			out = append(out, caller{time.Since(due), time.Now()})
			return err
		})
	return out, err
}

// screen is a stream that is read: waiting[i] is when it first showed i waiting calls or more.
type screen struct {
	mu      sync.Mutex
	waiting []time.Time
	shown   int // the most so far
}

// newScreens are n screens of which it is kept when they show up to so many calls.
func newScreens(n, calls int) (out []*screen) {
	for range n {
		out = append(out, &screen{waiting: make([]time.Time, calls+1)})
	}
	return out
}

func (s *screen) at(i int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting[i]
}

func (s *screen) show(n int, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.shown < min(n, len(s.waiting)-1); s.shown++ {
		s.waiting[s.shown+1] = at
	}
}

// untilShown is how long each screen needed to show calls that were acknowledged, beside those that waited before.
func untilShown(screens []*screen, before int, acknowledged []time.Time) (took []time.Duration) {
	slices.SortFunc(acknowledged, time.Time.Compare)
	for _, s := range screens {
		for i, at := range acknowledged {
			took = append(took, max(0, s.at(before+1+i).Sub(at)))
		}
	}
	return took
}

// watch opens a stream for each screen, the first of them being number from of all, and waits until each has the board.
// They are read until ctx ends.
func (p *process) watch(ctx context.Context, streams *sync.WaitGroup, from int, screens []*screen) error {
	began := make(chan error, len(screens))
	for i, s := range screens {
		streams.Go(func() {
			err := p.follow(ctx, from+i, s, func() { began <- nil })
			began <- cmp.Or(err, io.ErrUnexpectedEOF) // read only where the board never came
		})
	}
	for range screens {
		select {
		case err := <-began:
			if err != nil {
				return fmt.Errorf("a stream: %w", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// dialer comes from an address of loopback that few enough other streams come from.
func dialer(number int) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+number/streamsOfAddress))}}
}

// follow reads the stream as a browser does, and calls began with its first event.
func (p *process) follow(ctx context.Context, number int, s *screen, began func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+wall.StreamPath, nil)
	if err != nil {
		return err
	}
	r, err := (&http.Transport{DialContext: dialer(number).DialContext}).RoundTrip(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", r.StatusCode)
	}
	event := ""
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || event != "board" {
			continue
		}
		at := time.Now()
		var state wall.State
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			return err
		}
		if state.Counts != nil {
			s.show(state.Counts.CallsWaiting, at)
		}
		if began != nil {
			began()
			began = nil
		}
	}
	return nil
}

// deaf asks for a stream and never reads it. The buffers between are small, or they would hold minutes of events.
func (p *process) deaf(number int) (net.Conn, error) {
	d := dialer(number)
	d.Control = func(_, _ string, c syscall.RawConn) error {
		var errs error
		err := c.Control(func(fd uintptr) {
			errs = errors.Join(syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536),
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1))
		})
		return errors.Join(err, errs)
	}
	c, err := d.Dial("tcp", p.addr)
	if err == nil {
		_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", wall.StreamPath, p.addr)
	}
	return c, err
}
