package main

import (
	"context"
	"fmt"
	"time"
)

// ingest measures batches from eight clients to ClickHouse, beside what this machine can do at most.
func (b *bench) ingest(ctx context.Context) error {
	bodies, err := encode(b.events, b.batch, 1)
	if err != nil {
		return err
	}
	n := eventsOf(bodies)
	columns, how, columnsCPU, err := b.limitOf(ctx, bodies)
	if err != nil {
		return fmt.Errorf("limit of inserting: %w", err)
	}
	limit, err := b.decodingLimit(ctx, bodies)
	if err != nil {
		return fmt.Errorf("limit of decoding and inserting: %w", err)
	}
	in, err := b.take(ctx, bodies)
	if err != nil {
		return err
	}
	b.stored = perSecond(n, in.stored)
	million := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(n) }
	b.table.add(figure{"events accepted", perSecond(n, in.accepted), "/s", true}, noGoal, "",
		fmt.Sprintf("%s events, batches of %d, %d clients, %d asked to come later", thousands(int64(n)), b.batch, b.clients,
			in.retries))
	b.table.add(figure{"events stored, cases upserted", b.stored, "/s", true}, noGoal, "", "")
	b.table.add(figure{"share of decoding and inserting alone", 100 * b.stored / limit.rate, "%", true}, 70,
		thousands(int64(limit.rate))+"/s", limit.how)
	b.table.add(figure{"share of inserting columns made beforehand", 100 * b.stored / columns, "%", true}, noGoal,
		thousands(int64(columns))+"/s", how)
	b.table.add(figure{"processor time of a million events, both processes", million(in.self.cpu + in.child.cpu), "s",
		false}, 14, fmt.Sprintf("%.1f s decoding + %.1f s its engine", million(limit.cpu), million(limit.engine)),
		fmt.Sprintf("%.1f s serve + %.1f s engine, load generator left out; columns made beforehand: %.1f s engine",
			million(in.self.cpu), million(in.child.cpu), million(columnsCPU)))
	b.table.add(figure{"memory right after it, service", inMiB(in.self.rssBytes), "MiB", false}, noGoal, "",
		"resident; engine "+mib(in.child.rssBytes))
	return nil
}

// taken is what it took to take events in. The usage of processors is that of this time, of memory at its end.
type taken struct {
	events, retries  int
	accepted, stored time.Duration
	self, child      usage // of the service, of its engine
}

// take has a new service take events in, and counts what ClickHouse holds then.
func (b *bench) take(ctx context.Context, bodies []body) (taken, error) {
	p, err := b.serveNew(ctx, "ingest", b.profile)
	if err != nil {
		return taken{}, err
	}
	defer func() { _ = p.stop() }()
	n := eventsOf(bodies)
	self0, child0 := p.used()
	began := time.Now()
	accepted, retries, err := p.send(ctx, bodies, b.clients)
	if err != nil {
		return taken{}, err
	}
	since, err := p.shipped(ctx)
	if err != nil {
		return taken{}, err
	}
	stored := since.Sub(began)
	self1, child1 := p.used()
	for table, want := range map[string]int{"events": n, "calls": n/6 - n/60, "tickets": n / 60} {
		got, err := p.query("SELECT count() FROM monev112." + table + " FINAL")
		if err != nil {
			return taken{}, err
		}
		if table == "events" && got != fmt.Sprint(want) {
			return taken{}, fmt.Errorf("ClickHouse holds %s events, acknowledged were %d", got, want)
		}
		if table != "events" && n%60 == 0 && got != fmt.Sprint(want) {
			return taken{}, fmt.Errorf("ClickHouse holds %s %s, want %d", got, table, want)
		}
	}
	self1.cpu, child1.cpu = self1.cpu-self0.cpu, child1.cpu-child0.cpu
	return taken{n, retries, accepted, stored, self1, child1}, nil
}
