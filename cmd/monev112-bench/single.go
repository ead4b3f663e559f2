package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const singleClients = 64

// single measures how long one event waits for its acknowledgement when 1,000 a second come, beside what the disk needs
// to make a few bytes durable.
func (b *bench) single(ctx context.Context) error {
	took, raw, err := b.singleTimes(ctx)
	if err != nil {
		return err
	}
	b.table.add(figure{"single event acknowledged, p50", inMS(quantile(took, 0.50)), "ms", false}, noGoal,
		ms(quantile(raw, 0.50))+" fsync",
		fmt.Sprintf("%s/s offered on a schedule for %s; late answers count from when they were due",
			thousands(int64(b.singleRate)), b.singles))
	p99, fsync := quantile(took, 0.99), quantile(raw, 0.99)
	b.table.add(figure{"single event acknowledged, p99", inMS(p99), "ms", false}, 4, ms(fsync)+" fsync",
		"slowest "+ms(slices.Max(took)))
	b.table.add(figure{"the same beside fsync's p99", p99.Seconds() / fsync.Seconds(), "times", false}, 6, "",
		"300 bytes appended and fsynced on the same disk, 300 times before and 300 after")
	return nil
}

// singleTimes returns how long single events waited, and how long the disk needed beside.
func (b *bench) singleTimes(ctx context.Context) (took, raw []time.Duration, err error) {
	n := int(b.singles.Seconds()) * b.singleRate
	bodies, err := encode(n, 1, 2)
	if err != nil {
		return nil, nil, err
	}
	p, err := b.serveNew(ctx, "single", "")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = p.stop() }()
	before, err := syncTimes(filepath.Join(b.dir, "raw"), 300)
	if err != nil {
		return nil, nil, err
	}
	answered := make(chan time.Duration, n)
	every := time.Second / time.Duration(b.singleRate)
	if _, err := offer(ctx, slices.Values(bodies), load{clients: singleClients, every: every, queue: n},
		func(ctx context.Context, client *http.Client, b body, due time.Time) error {
			_, err := p.deliver(ctx, client, b)
			answered <- time.Since(due)
			return err
		}); err != nil {
		return nil, nil, err
	}
	close(answered)
	for t := range answered {
		took = append(took, t)
	}
	after, err := syncTimes(filepath.Join(b.dir, "raw"), 300)
	if err != nil {
		return nil, nil, err
	}
	return took, append(before, after...), nil
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
