package tracker

import "github.com/monev112/monev112/collector/event"

// Reset empties the board and applies what replay gives: every event that the journal still holds. The result is that
// of a restart without a checkpoint: older cases are unknown until they are read from ClickHouse. Events, readers and
// checkpoints wait, so that nobody sees half a board. After an error of replay the board is empty.
func (b *Board) Reset(replay func(apply func(e *event.Event, payload []byte, end uint64)) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	err := replay(func(e *event.Event, payload []byte, end uint64) { b.apply(e, payload, end, false) })
	b.foldPending()
	if err != nil {
		b.clear()
	}
	return err
}
