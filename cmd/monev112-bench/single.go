package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const singleConns = 64

// single measures how long one event waits for its acknowledgement when 1,000 a second come, beside what the disk needs
// to make a few bytes durable.
func (b *bench) single(ctx context.Context) error {
	s, err := b.singleTimes(ctx)
	if err != nil {
		return err
	}
	b.table.add(figure{"single event acknowledged, p50", inMS(quantile(s.took, 0.50)), "ms", false}, noGoal,
		ms(quantile(s.disk, 0.50))+" the disk alone",
		fmt.Sprintf("%s/s offered on a schedule for %s; late answers count from when they were due",
			thousands(int64(b.singleRate)), b.singles))
	p99, fsync := quantile(s.took, 0.99), quantile(s.raw, 0.99)
	b.table.add(figure{"single event acknowledged, p99", inMS(p99), "ms", false}, 4,
		ms(quantile(s.disk, 0.99))+" the disk alone",
		fmt.Sprintf("slowest %s; the disk alone: 300 bytes and fsync on the same schedule, just before and just after",
			ms(slices.Max(s.took))))
	b.table.add(figure{"the same beside fsync's p99", p99.Seconds() / fsync.Seconds(), "times", false}, 6,
		ms(fsync)+" fsync", "300 bytes appended and fsynced on the same disk, one after the other, 300 times before and 300 "+
			"after")
	return nil
}

// singles is what single measures.
type singles struct {
	took []time.Duration // single events, from when they were due until they were acknowledged
	disk []time.Duration // the same schedule on the bare disk
	raw  []time.Duration // fsync, one after the other
}

// singleTimes measures singles.
func (b *bench) singleTimes(ctx context.Context) (s singles, err error) {
	n := int(b.singles.Seconds()) * b.singleRate
	bodies, err := encode(n, 1, 2)
	if err != nil {
		return s, err
	}
	p, err := b.serveNew(ctx, "single", "")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	every := time.Second / time.Duration(b.singleRate)
	file := filepath.Join(b.dir, "raw")
	disk := func() error {
		raw, err := syncTimes(file, 300)
		if err != nil {
			return err
		}
		paced, err := syncPaced(file, n/5, every)
		s.raw, s.disk = append(s.raw, raw...), append(s.disk, paced...)
		return err
	}
	if err := disk(); err != nil {
		return s, err
	}
	if s.took, err = p.paced(ctx, bodies, every, singleConns); err != nil {
		return s, err
	}
	return s, disk()
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
