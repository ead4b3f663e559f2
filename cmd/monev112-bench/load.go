package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monev112/monev112/collector/source/simulate"
)

// body is a request that was encoded before the clock started.
type body struct {
	bytes  []byte
	events int
}

const batchType = "application/cloudevents-batch+json"

// since is the instant from which simulated events begin: far enough back that the last ticket of a run is closed by
// now, since the door refuses the future.
func since(cases int) time.Time {
	return time.Now().Add(-6*time.Hour - time.Duration(cases/1000)*time.Second).Truncate(time.Minute)
}

// encode makes the bodies of n events of the preset load.
func encode(n, batch int, seed uint64) ([]body, error) {
	g, err := simulate.New(simulate.Load, simulate.Options{Seed: seed, From: since(n / 6), Cases: int64(n+5) / 6})
	if err != nil {
		return nil, err
	}
	var out []body
	var b []byte
	in := 0
	flush := func() {
		if in > 0 {
			out = append(out, body{append(bytes.Clone(b), ']'), in})
		}
		b, in = b[:0], 0
	}
	left := n
	for m := range g.All() {
		if left == 0 {
			break
		}
		left--
		sep := byte(',')
		if in == 0 {
			sep = '['
		}
		b = m.Draft.AppendCloudEvent(append(b, sep))
		if in++; in == batch {
			flush()
		}
	}
	flush()
	return out, nil
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

// post sends one body until it is taken, as a client does: 429 and 503 say later.
func post(ctx context.Context, client *http.Client, url, contentType string, b []byte) (a answer, retries int,
	err error) {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
		if err != nil {
			return a, retries, err
		}
		req.Header.Set("Content-Type", contentType)
		r, err := client.Do(req)
		if err != nil {
			return a, retries, err
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return a, retries, err
		}
		switch r.StatusCode {
		case http.StatusOK:
			return a, retries, json.Unmarshal(text, &a)
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			retries++
			select {
			case <-ctx.Done():
				return a, retries, ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		default:
			return a, retries, fmt.Errorf("status %d: %.300s", r.StatusCode, text)
		}
	}
}

// send posts all bodies with so many clients and says how long it took until the last was acknowledged.
func (p *process) send(ctx context.Context, bodies []body, clients int) (took time.Duration, retries int, err error) {
	return sendAll(ctx, bodies, clients, func(ctx context.Context, client *http.Client, body body) (int, error) {
		a, retries, err := post(ctx, client, "http://"+p.addr+"/v1/events", batchType, body.bytes)
		if err == nil && a.Accepted != body.events {
			err = fmt.Errorf("%d of %d events accepted, refused: %.300s", a.Accepted, body.events, a.Rejected)
		}
		return retries, err
	})
}

// sendAll has so many clients call do with all bodies, each once, and adds up its retries.
func sendAll(ctx context.Context, bodies []body, clients int,
	do func(context.Context, *http.Client, body) (retries int, err error)) (took time.Duration, retries int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var next, again atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(bodies) || ctx.Err() != nil {
					return
				}
				n, err := do(ctx, client, bodies[i])
				again.Add(int64(n))
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(began), int(again.Load()), context.Cause(ctx)
}
