package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/simulate"
)

// body is a request that was encoded before the clock started.
type body struct {
	bytes  []byte
	events int
}

const batchType = "application/cloudevents-batch+json"

// since is the instant from which simulated events begin: far enough back that the last ticket of a run is closed by
// now, since the service refuses the future.
func since(cases int) time.Time {
	return time.Now().Add(-6*time.Hour - time.Duration(cases/1000)*time.Second).Truncate(time.Minute)
}

// batches makes bodies of so many events, the last one of those that are left.
func batches(drafts iter.Seq[*event.RawEvent], size int) iter.Seq[body] {
	return func(yield func(body) bool) {
		var b []byte
		in := 0
		for d := range drafts {
			separator := byte(',')
			if in == 0 {
				separator = '['
			}
			b = d.AppendCloudEvent(append(b, separator))
			if in++; in < size {
				continue
			}
			if !yield(body{append(bytes.Clone(b), ']'), in}) {
				return
			}
			b, in = b[:0], 0
		}
		if in > 0 {
			yield(body{append(b, ']'), in})
		}
	}
}

// simulated are the events of the preset load.
func simulated(o simulate.Options) (iter.Seq[*event.RawEvent], error) {
	g, err := simulate.New(simulate.Load, o)
	if err != nil {
		return nil, err
	}
	return func(yield func(*event.RawEvent) bool) {
		for m := range g.All() {
			if !yield(&m.Draft) {
				return
			}
		}
	}, nil
}

// encode makes the bodies of n simulated events.
func encode(n, batch int, seed uint64) ([]body, error) {
	all, err := simulated(simulate.Options{Seed: seed, From: since(n / 6), Cases: int64(n+5) / 6})
	if err != nil {
		return nil, err
	}
	first := func(yield func(*event.RawEvent) bool) {
		left := n
		for d := range all {
			if left--; left < 0 || !yield(d) {
				return
			}
		}
	}
	return slices.Collect(batches(first, batch)), nil
}

func eventsOf(bodies []body) (n int) {
	for _, b := range bodies {
		n += b.events
	}
	return n
}

// answer is what POST /v1/events says.
type answer struct {
	Accepted   int             `json:"accepted"`
	Duplicates int             `json:"duplicates"`
	Rejected   json.RawMessage `json:"rejected"`
}

// tookAll fails unless so many events were accepted.
func (a answer) tookAll(events int) error {
	if a.Accepted != events {
		return fmt.Errorf("%d of %d events accepted, refused: %.300s", a.Accepted, events, a.Rejected)
	}
	return nil
}

// postOnce sends one body.
func postOnce(ctx context.Context, client *http.Client, url, contentType string, b []byte) (a answer, status int,
	err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return a, 0, err
	}
	req.Header.Set("Content-Type", contentType)
	r, err := client.Do(req)
	if err != nil {
		return a, 0, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
	case r.StatusCode == http.StatusOK:
		err = json.Unmarshal(text, &a)
	default:
		_ = json.Unmarshal(text, &a) // a problem document may count what was taken
		err = fmt.Errorf("status %d: %.300s", r.StatusCode, text)
	}
	return a, r.StatusCode, err
}

// post sends one body until it is taken, as a client does: 429 and 503 say later.
func post(ctx context.Context, client *http.Client, url, contentType string, b []byte) (a answer, retries int,
	err error) {
	for {
		a, status, err := postOnce(ctx, client, url, contentType, b)
		if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			return a, retries, err
		}
		retries++
		if err := send.Sleep(ctx, 20*time.Millisecond); err != nil {
			return a, retries, err
		}
	}
}

// deliver posts a body until it is taken, and fails when an event of it is not accepted.
func (p *process) deliver(ctx context.Context, client *http.Client, b body) (retries int, err error) {
	a, retries, err := post(ctx, client, "http://"+p.addr+"/v1/events", batchType, b.bytes)
	if err == nil {
		err = a.tookAll(b.events)
	}
	return retries, err
}

// send posts all bodies with so many clients and says how long it took until the last was acknowledged.
func (p *process) send(ctx context.Context, bodies []body, clients int) (took time.Duration, retries int, err error) {
	var again atomic.Int64
	took, err = offer(ctx, slices.Values(bodies), load{clients: clients},
		func(ctx context.Context, client *http.Client, b body, _ time.Time) error {
			n, err := p.deliver(ctx, client, b)
			again.Add(int64(n))
			return err
		})
	return took, int(again.Load()), err
}

// load says how bodies are offered.
type load struct {
	clients int
	every   time.Duration // between two bodies, whether or not the ones before are answered; 0: as fast as clients can
	queue   int           // bodies that may wait for a client
}

// offer has clients call do with each body, once, and with the instant at which it was due. It ends with the first
// error, or after the last body.
func offer(ctx context.Context, bodies iter.Seq[body], l load,
	do func(context.Context, *http.Client, body, time.Time) error) (took time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: l.clients, DisableCompression: true}, Timeout: time.Minute,
	}
	defer client.CloseIdleConnections()
	type job struct {
		body
		due time.Time
	}
	jobs := make(chan job, l.queue)
	var clients sync.WaitGroup
	for range l.clients {
		clients.Go(func() {
			for j := range jobs {
				if err := do(ctx, client, j.body, j.due); err != nil {
					cancel(err)
				}
			}
		})
	}
	began := time.Now()
	due := began
	for b := range bodies {
		if wait := time.Until(due); wait > 0 {
			_ = send.Sleep(ctx, wait) // its error is looked at below
		}
		select {
		case jobs <- job{b, due}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		due = due.Add(l.every)
	}
	close(jobs)
	clients.Wait()
	return time.Since(began), context.Cause(ctx)
}
