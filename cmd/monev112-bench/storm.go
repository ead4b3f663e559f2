package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/store"
)

// Honest clients beside a storm: so many events a second, each in a request of its own.
const (
	honestClients = 8
	honestRate    = 500
	probeEvery    = 250 * time.Millisecond // an event whose way to ClickHouse is watched
	stormClients  = 2
	stormCalls    = 256    // named by one event of a huge ticket, the most that the door takes
	oldEvents     = 20_000 // known to ClickHouse alone, and sent again with another content
	stormPause    = 10 * time.Millisecond
)

// storm is a well-formed sender that is nobody's friend; body makes its n-th request.
type storm struct {
	name string
	body func(n int) []byte
}

// storms are those against which the honest must not notice anything.
func storms() []storm {
	at := time.Now().Add(-5 * time.Hour).Truncate(time.Second)
	line := func(b []byte, source, id, kind, subject string, at time.Time, data string) []byte {
		return fmt.Appendf(b, `{"specversion":"1.0","id":%q,"source":%q,"type":"monev112.%s","subject":%q,"time":%q,`+
			`"data":{%s}}`, id, source, kind, subject, at.Format(time.RFC3339), data)
	}
	batch := func(n, size int, one func(b []byte, i int) []byte) []byte {
		b := []byte{'['}
		for i := range size {
			if i > 0 {
				b = append(b, ',')
			}
			b = one(b, n*size+i)
		}
		return append(b, ']')
	}
	return []storm{
		{"none", nil},
		{"a ticket of ever more calls", func(n int) []byte {
			return batch(n, 150, func(b []byte, i int) []byte {
				if i == 0 {
					return line(b, "huge", "opened", "ticket.opened", "ticket/HUGE", at, `"category":"pju"`)
				}
				calls := []byte(`"calls":[`)
				for j := range stormCalls {
					calls = strconv.AppendInt(append(calls, `"huge-`...), int64(i*stormCalls+j), 10)
					calls = append(calls, `",`...)
				}
				calls[len(calls)-1] = ']'
				return line(b, "huge", strconv.Itoa(i), "ticket.resumed", "ticket/HUGE",
					at.Add(time.Duration(i%14_000)*time.Second), string(calls))
			})
		}},
		{"a call corrected again and again", func(n int) []byte {
			return batch(n, 200, func(b []byte, i int) []byte {
				return line(b, "fickle", strconv.Itoa(i), "call.received", "call/FICKLE", at,
					fmt.Sprintf(`"queue":"112","replaces":"%d"`, i-1))
			})
		}},
		{"old ids with another content", func(n int) []byte {
			return batch(n, 500, func(b []byte, i int) []byte { return oldEvent(b, i%oldEvents, "112-b") })
		}},
		{"a ticket that changes hands and priority", func(n int) []byte {
			return batch(n, 200, func(b []byte, i int) []byte {
				if i == 0 {
					return line(b, "restless", "opened", "ticket.opened", "ticket/RESTLESS", at, `"category":"pju"`)
				}
				return line(b, "restless", strconv.Itoa(i), "ticket.assigned", "ticket/RESTLESS",
					at.Add(time.Duration(i%14_000)*time.Second), fmt.Sprintf(`"opd":%q,"priority":%q`,
						[]string{"dishub", "damkar", "pln"}[i%3], []string{"darurat", "non_darurat"}[i%2]))
			})
		}},
	}
}

// oldEvent is one of those that ClickHouse has had for a month.
func oldEvent(b []byte, i int, queue string) []byte {
	at := time.Now().AddDate(0, 0, -30).Truncate(24 * time.Hour)
	return fmt.Appendf(b, `{"specversion":"1.0","id":"%d","source":"old","type":"monev112.call.received",`+
		`"subject":"call/OLD-%d","time":%q,"data":{"queue":%q}}`, i, i, at.Format(time.RFC3339), queue)
}

// storm measures what honest clients notice of hostile ones: how long an event waits for its acknowledgement, and how
// long until ClickHouse shows it.
func (b *bench) storm(ctx context.Context) error {
	seconds := 20
	if b.quick {
		seconds = 3
	}
	for _, s := range storms() {
		if err := b.oneStorm(ctx, s, seconds); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (b *bench) oneStorm(ctx context.Context, s storm, seconds int) (err error) {
	p, err := b.serveNew(ctx, "storm-"+strings.ReplaceAll(s.name, " ", "-"), "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.storeOld(ctx); err != nil {
		return err
	}
	n := seconds * honestRate
	bodies, err := encode(n, 1, 7)
	if err != nil {
		return err
	}
	var beside sync.WaitGroup
	over, end := context.WithCancel(ctx)
	defer end()
	sent, refused := 0, 0
	var raged error
	if s.body != nil {
		beside.Go(func() { sent, refused, raged = p.rage(over, &s) })
	}
	watch := watched{p: p}
	beside.Go(func() { watch.run(over) })
	answered := make(chan time.Duration, n)
	_, err = offer(ctx, slices.Values(bodies), load{clients: honestClients, every: time.Second / honestRate, queue: n},
		func(ctx context.Context, client *http.Client, one body, due time.Time) error {
			_, err := p.deliver(ctx, client, one)
			answered <- time.Since(due)
			return err
		})
	close(answered)
	end()
	beside.Wait()
	if err = errors.Join(err, raged); err != nil {
		return err
	}
	var took []time.Duration
	for t := range answered {
		took = append(took, t)
	}
	lag, err := watch.rest(ctx)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("%d honest events/s for %d s; storm: %d events sent, %d not accepted", honestRate, seconds, sent,
		refused)
	b.table.add(figure{"honest p99 beside storm: " + s.name, inMS(quantile(took, 0.99)), "ms", false}, 250, "",
		"p50 "+ms(quantile(took, 0.50))+"; "+note)
	b.table.add(figure{"slowest to ClickHouse beside storm: " + s.name, lag.Seconds(), "s", false}, 10, "",
		fmt.Sprintf("of one event every %s", probeEvery))
	return nil
}

// rage sends a storm until ctx ends, from a process of its own: what it costs to make must not be taken for what it
// costs to receive.
func (p *process) rage(ctx context.Context, s *storm) (sent, refused int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, self, "rage", s.name, "http://"+p.addr+"/v1/events")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.Output()
	if _, scanned := fmt.Sscan(string(out), &sent, &refused); scanned != nil {
		return 0, 0, errors.Join(scanned, err)
	}
	return sent, refused, nil
}

// runRage is that process. It prints how many events it sent and how many were not accepted.
func runRage(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("rage: want a storm and an address")
	}
	all := storms()
	i := slices.IndexFunc(all, func(s storm) bool { return s.name == args[0] })
	if i < 0 {
		return fmt.Errorf("no storm %q", args[0])
	}
	sent, refused := all[i].rage(ctx, args[1])
	fmt.Println(sent, refused)
	return nil
}

// rage sends the storm with a few clients until it is over, whatever comes back.
func (s *storm) rage(ctx context.Context, url string) (sent, refused int) {
	var mu sync.Mutex
	var clients sync.WaitGroup
	next := 0
	for range stormClients {
		clients.Go(func() {
			client := &http.Client{Timeout: time.Minute}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				body := s.body(n)
				a, status, err := postOnce(ctx, client, url, batchType, body)
				if err != nil || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
					time.Sleep(stormPause)
				}
				events := bytes.Count(body, []byte(`"specversion"`))
				mu.Lock()
				sent += events
				refused += events - a.Accepted - a.Duplicates
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return sent, refused
}

// storeOld gives ClickHouse events that the service itself does not remember.
func (p *process) storeOld(ctx context.Context) error {
	key, err := engine.ReadKey(p.engineDir())
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Config{Addr: p.engine, Password: key, RequestTimeout: patience})
	if err != nil {
		return err
	}
	defer st.Close()
	var bodies []body
	for from := 0; from < oldEvents; from += event.MaxBatchEvents {
		text := []byte{'['}
		n := min(event.MaxBatchEvents, oldEvents-from)
		for i := range n {
			if i > 0 {
				text = append(text, ',')
			}
			text = oldEvent(text, from+i, "112-a")
		}
		bodies = append(bodies, body{append(text, ']'), n})
	}
	events, err := decode(bodies)
	if err != nil {
		return err
	}
	refs := make([]*event.Event, len(events))
	for i := range events {
		events[i].Center = "35.15"
		refs[i] = &events[i]
	}
	return st.InsertEvents(ctx, refs, "old")
}

// watched are single events whose way to ClickHouse is timed.
type watched struct {
	p   *process
	due map[string]time.Time // acknowledged and not yet seen
	lag time.Duration        // the longest so far
}

// run sends an event now and then, and looks for those on their way.
func (w *watched) run(ctx context.Context) {
	w.due = map[string]time.Time{}
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprintf("probe-%d", n)
		text := fmt.Appendf(nil, `[{"specversion":"1.0","id":%q,"source":"probe","type":"monev112.call.received",`+
			`"subject":"call/%s","time":%q,"data":{}}]`, id, id, time.Now().Format(time.RFC3339))
		a, _, err := postOnce(ctx, client, "http://"+w.p.addr+"/v1/events", batchType, text)
		if err == nil && a.Accepted == 1 {
			w.due[id] = time.Now()
		}
		w.look()
		_ = send.Sleep(ctx, probeEvery)
	}
}

// look asks ClickHouse which have come.
func (w *watched) look() {
	out, err := w.p.query("SELECT id FROM monev112.events WHERE source = 'probe'")
	if err != nil {
		return
	}
	now := time.Now()
	for id := range strings.FieldsSeq(out) {
		if at, ok := w.due[id]; ok {
			w.lag = max(w.lag, now.Sub(at))
			delete(w.due, id)
		}
	}
}

// rest waits for those still on their way and returns the longest time of all.
func (w *watched) rest(ctx context.Context) (time.Duration, error) {
	err := w.p.until(ctx, "every watched event is in ClickHouse", probeEvery, func() bool {
		w.look()
		return len(w.due) == 0
	})
	return w.lag, err
}
