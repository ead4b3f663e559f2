package tracker

import (
	"bytes"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// withoutFilter is what a checkpoint of b says beside the layers of its filter, which are large.
func withoutFilter(t testing.TB, b *Board) []byte {
	t.Helper()
	layers := b.filter.layers
	b.filter.layers = nil
	defer func() { b.filter.layers = layers }()
	var saved bytes.Buffer
	if err := b.Checkpoint()(&saved); err != nil {
		t.Fatal(err)
	}
	return saved.Bytes()
}

// Whatever a checkpoint holds, the board is filled from it or stays empty, and goes on.
func FuzzReadCheckpoint(f *testing.F) {
	full := &feed{b: newBoard(nil)}
	full.say(event.CallReceived, "c", noon)
	full.say(event.CallAnswered, "c", noon.Add(time.Second))
	full.say(event.TicketOpened, "t", noon.Add(time.Minute), calls("c"))
	full.say(event.AgentState, "a", noon, func(e *event.Event) { e.Result = "available" })
	f.Add(withoutFilter(f, full.b))
	f.Add(withoutFilter(f, newBoard(nil)))
	// a layer that asks for all memory
	f.Add([]byte{checkpointVersion, 1, 1, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newBoard(nil)
		if err := b.ReadCheckpoint(bytes.NewReader(text)); err != nil {
			if n, open := b.Size(); n != 0 || open != 0 {
				t.Errorf("%d cases after %v", n, err)
			}
			return
		}
		_ = b.Snapshot(noon)
		var saved bytes.Buffer
		if err := b.Checkpoint()(&saved); err != nil {
			t.Error(err)
		}
	})
}
