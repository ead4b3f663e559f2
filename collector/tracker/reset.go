package tracker

import "github.com/monev112/monev112/collector/event"

// Reset makes the board anew from every event that the journal still holds. The result is that of a restart without a
// checkpoint: older cases are unknown until they are read from ClickHouse.
//
// replay is called twice, and gives the second time what was appended since the first. Only then do events, readers and
// checkpoints wait: however long the journal, the board goes on as it was, and nobody sees half of the new one. After
// an error of replay the board is what it was.
func (b *Board) Reset(replay func(apply func(e *event.Event, payload []byte, end uint64)) error) error {
	fresh := New(b.cfg)
	apply := func(e *event.Event, payload []byte, end uint64) { fresh.apply(nil, e, payload, end, false) }
	if err := replay(apply); err != nil {
		return err
	}
	fresh.foldQueued()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := replay(apply); err != nil {
		return err
	}
	fresh.foldQueued()
	b.cases, b.idle, b.late, b.linked = fresh.cases, fresh.idle, fresh.late, fresh.linked
	b.agents, b.centers, b.sources, b.feeds = fresh.agents, fresh.centers, fresh.sources, fresh.feeds
	b.evictedCounts, b.evictedSizes = fresh.evictedCounts, fresh.evictedSizes
	b.filter, b.queue, b.complete = fresh.filter, fresh.queue, false
	return nil
}
