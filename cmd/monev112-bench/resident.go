package main

import (
	"context"
	"fmt"
	"time"
)

// resident measures what the service and its engine hold of the memory: idle on a fresh folder, right after many
// events, of which some left tickets open, and half a minute later.
func (b *bench) resident(ctx context.Context) error {
	p, err := b.serveNew(ctx, "resident", "")
	if err != nil {
		return err
	}
	defer func() { _ = p.stop() }()
	settle := func() (self, child usage, err error) {
		select {
		case <-ctx.Done():
			return self, child, ctx.Err()
		case <-time.After(b.settles):
		}
		self, child = p.used()
		return self, child, nil
	}
	self, child, err := settle()
	if err != nil {
		return err
	}
	b.table.add(figure{"resident memory, both processes idle on a fresh folder",
		inMiB(self.rssBytes + child.rssBytes), "MiB", false}, 300, "",
		fmt.Sprintf("%s service + %s engine, %s after the start", mib(self.rssBytes), mib(child.rssBytes), b.settles))

	opds, categories, err := names()
	if err != nil {
		return err
	}
	bodies, err := encode(b.held-2*b.heldOpen, b.batch, 4)
	if err != nil {
		return err
	}
	bodies = append(openTicketBodies(b.heldOpen, b.batch, opds, categories), bodies...)
	if _, _, err := p.send(ctx, bodies, b.clients); err != nil {
		return err
	}
	if _, err := p.shipped(ctx); err != nil {
		return err
	}
	self, child = p.used()
	if open := p.metric("monev112_tickets_open"); open != float64(b.heldOpen) {
		return fmt.Errorf("%v tickets are open, want %d", open, b.heldOpen)
	}
	later, engineLater, err := settle()
	if err != nil {
		return err
	}
	b.table.add(figure{"resident memory of the service, right after many events", inMiB(self.rssBytes), "MiB", false}, 250,
		"", fmt.Sprintf("%s events sent at full speed, %s tickets open; engine %s",
			thousands(int64(eventsOf(bodies))), thousands(int64(b.heldOpen)), mib(child.rssBytes)))
	b.table.add(figure{"the same, " + b.settles.String() + " later", inMiB(later.rssBytes), "MiB", false}, 250, "",
		fmt.Sprintf("engine %s", mib(engineLater.rssBytes)))
	return nil
}
