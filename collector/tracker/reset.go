package tracker

import "github.com/monev112/monev112/collector/event"

// Reset empties the board and fills it anew with what replay applies: every event that the journal still holds. It is
// as after a restart without a checkpoint: what lies further back is unknown until it is read from ClickHouse. Events,
// readers and checkpoints wait meanwhile, so that none of them meets half a board; after an error of replay it is
// empty.
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
