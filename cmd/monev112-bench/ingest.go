package main

import (
	"context"
	"fmt"
	"time"
)

// ingest measures batches from eight clients to ClickHouse, beside what ClickHouse can take.
func (b *bench) ingest(ctx context.Context) error {
	bodies, err := encode(b.events, b.batch, 1)
	if err != nil {
		return err
	}
	n := eventsOf(bodies)
	limit, how, limitCPU, err := b.limitOf(ctx, bodies)
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	in, err := b.take(ctx, bodies)
	if err != nil {
		return err
	}
	storedRate := perSecond(n, in.stored)
	b.table.add("events accepted", rate(perSecond(n, in.accepted)), "", "",
		fmt.Sprintf("%s events, batches of %d, %d clients, %d asked to come later", thousands(int64(n)), b.batch, b.clients,
			in.retries))
	b.table.add("events stored, cases upserted", rate(storedRate), rate(limit), "60 %",
		fmt.Sprintf("%.0f %% of the limit; limit: %s", 100*storedRate/limit, how))
	million := func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()*1e6/float64(n)) }
	b.table.add("processor time of a million events",
		million(in.self.cpu)+" serve + "+million(in.child.cpu)+" engine", million(limitCPU)+" engine", "",
		fmt.Sprintf("%.0f %% of this work is the limit's; load generator left out",
			100*limitCPU.Seconds()/(in.self.cpu+in.child.cpu).Seconds()))
	b.table.add("memory after it", mib(in.self.rssBytes)+" serve + "+mib(in.child.rssBytes)+" engine", "", "", "resident")
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
