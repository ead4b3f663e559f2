package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// single measures how long one event waits for its acknowledgement when 1,000 a second come, beside what the disk needs
// to make a few bytes durable.
func (b *bench) single(ctx context.Context) error {
	n := int(b.singles.Seconds()) * b.singleRate
	bodies, err := encode(n, 1, 2)
	if err != nil {
		return err
	}
	dir, err := b.folder("single")
	if err != nil {
		return err
	}
	p, err := b.serve(dir, "")
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	if err := p.ready(ctx); err != nil {
		return err
	}
	if err := p.stores(ctx); err != nil {
		return err
	}
	before, err := syncTimes(filepath.Join(b.dir, "raw"), 300)
	if err != nil {
		return err
	}
	took, err := p.openLoop(ctx, bodies, b.singleRate)
	if err != nil {
		return err
	}
	after, err := syncTimes(filepath.Join(b.dir, "raw"), 300)
	if err != nil {
		return err
	}
	raw := append(before, after...)
	b.table.add("single event acknowledged, p50", ms(quantile(took, 0.50)), ms(quantile(raw, 0.50))+" fsync", "",
		fmt.Sprintf("%s/s offered on a schedule for %s; late answers count from when they were due",
			thousands(int64(b.singleRate)), b.singles))
	b.table.add("single event acknowledged, p99", ms(quantile(took, 0.99)), ms(quantile(raw, 0.99))+" fsync", "10 ms",
		"slowest "+ms(slices.Max(took)))
	return nil
}

// openLoop sends each body at its moment, whether or not the ones before are answered.
func (p *process) openLoop(ctx context.Context, bodies []body, perSecond int) ([]time.Duration, error) {
	const workers = 64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type job struct {
		i   int
		due time.Time
	}
	jobs := make(chan job, len(bodies))
	took := make([]time.Duration, len(bodies))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				a, _, err := post(ctx, client, "http://"+p.addr+"/v1/events", batchType, bodies[j.i].bytes)
				if err == nil && a.Accepted != 1 {
					err = fmt.Errorf("event %d was not accepted: %.300s", j.i, a.Rejected)
				}
				if err != nil {
					cancel(err)
					return
				}
				took[j.i] = time.Since(j.due)
			}
		})
	}
	began := time.Now()
	for i := range bodies {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		jobs <- job{i, due}
	}
	close(jobs)
	wg.Wait()
	return took, context.Cause(ctx)
}

// syncTimes measures appending 300 bytes and fsync on the disk of the data.
func syncTimes(name string, n int) ([]time.Duration, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make([]time.Duration, n)
	buf := make([]byte, 300)
	for i := range out {
		began := time.Now()
		if _, err := f.Write(buf); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		out[i] = time.Since(began)
	}
	return out, nil
}

// quantile is the nearest rank.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	s := slices.Clone(all)
	slices.Sort(s)
	return s[min(len(s)-1, int(q*float64(len(s))))]
}
