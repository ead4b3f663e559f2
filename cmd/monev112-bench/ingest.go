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
	p, err := b.serveNew(ctx, "ingest", b.profile)
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	self0, child0 := p.used()
	began := time.Now()
	accepted, retries, err := p.send(ctx, bodies, b.clients)
	if err != nil {
		return err
	}
	since, err := p.shipped(ctx)
	if err != nil {
		return err
	}
	stored := since.Sub(began)
	self1, child1 := p.used()
	for table, want := range map[string]int{"events": n, "calls": n/6 - n/60, "tickets": n / 60} {
		got, err := p.query("SELECT count() FROM monev112." + table + " FINAL")
		if err != nil {
			return err
		}
		if table == "events" && got != fmt.Sprint(want) {
			return fmt.Errorf("ClickHouse holds %s events, acknowledged were %d", got, want)
		}
		if table != "events" && n%60 == 0 && got != fmt.Sprint(want) {
			return fmt.Errorf("ClickHouse holds %s %s, want %d", got, table, want)
		}
	}
	storedRate := perSecond(n, stored)
	b.table.add("events accepted", rate(perSecond(n, accepted)), "", "",
		fmt.Sprintf("%s events, batches of %d, %d clients, %d asked to come later", thousands(int64(n)), b.batch, b.clients,
			retries))
	b.table.add("events stored, cases upserted", rate(storedRate), rate(limit), "60 %",
		fmt.Sprintf("%.0f %% of the limit; limit: %s", 100*storedRate/limit, how))
	million := func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()*1e6/float64(n)) }
	b.table.add("processor time of a million events",
		million(self1.cpu-self0.cpu)+" serve + "+million(child1.cpu-child0.cpu)+" engine", million(limitCPU)+" engine", "",
		fmt.Sprintf("%.0f %% of this work is the limit's; load generator left out",
			100*limitCPU.Seconds()/(self1.cpu-self0.cpu+child1.cpu-child0.cpu).Seconds()))
	b.table.add("memory after it", mib(self1.rssBytes)+" serve + "+mib(child1.rssBytes)+" engine", "", "", "resident")
	return nil
}
