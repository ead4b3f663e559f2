package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/journal"
)

// restart measures how long a start takes that finds a million events in the journal behind the checkpoint: as after a
// crash at the worst moment, with limits of the checkpoint set aside.
func (b *bench) restart(ctx context.Context) error {
	bodies, err := encode(b.replay, 1000, 3)
	if err != nil {
		return err
	}
	events, err := decode(bodies)
	if err != nil {
		return err
	}
	dir, err := b.folder("restart")
	if err != nil {
		return err
	}
	bytes, err := prepareJournal(ctx, dir, events)
	if err != nil {
		return err
	}
	n := len(events)
	events, bodies = nil, nil //nolint:ineffassign,wastedassign // lets the memory go before the measurement
	began := time.Now()
	p, err := b.serve(dir, "")
	if err != nil {
		return err
	}
	defer func() { _ = p.kill() }()
	if err := p.ready(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	self, _ := p.used()
	b.table.add(figure{"restart, ready", took.Seconds(), "s", false}, 10, "",
		fmt.Sprintf("%s events (%s) after the checkpoint, %s/s replayed, %.1f s processor time, %s resident",
			thousands(int64(n)), mib(bytes), thousands(int64(perSecond(n, took))), self.cpu.Seconds(), mib(self.rssBytes)))
	return nil
}

// prepareJournal writes a data folder: a checkpoint of an empty board, and the events after it.
func prepareJournal(ctx context.Context, dir string, events []event.Event) (int64, error) {
	if _, err := ingest.ReadOrCreateCallerKeys(dir, time.Now()); err != nil { // the service refuses a journal without
		return 0, err
	}
	board, err := newBoard()
	if err != nil {
		return 0, err
	}
	j, err := journal.Open(journal.Options{Dir: filepath.Join(dir, journal.FolderName)})
	if err != nil {
		return 0, err
	}
	defer j.Close()
	loop, err := ingest.New(ingest.Config{Dir: dir}, j, board, ingest.Observer{})
	if err != nil {
		return 0, err
	}
	if _, err := loop.Restore(ctx); err != nil {
		return 0, err
	}
	// One event makes a checkpoint worth writing, at the end of Run.
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- loop.Run(running) }()
	for loop.Ready() != nil && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	_, err = loop.Submit(ctx, []*event.Event{&events[0]})
	cancel()
	if err = cmp.Or(err, <-done); err != nil {
		return 0, err
	}
	const group = 2000
	var bytes int64
	for i := 1; i < len(events); i += group {
		var records [][]byte
		for k := i; k < min(i+group, len(events)); k++ {
			records = append(records, event.AppendBinary(nil, &events[k]))
		}
		start, end, err := j.Append(records)
		if err != nil {
			return 0, err
		}
		bytes += int64(end - start)
	}
	return bytes, nil
}
