package web

import (
	"sync"

	"github.com/monev112/monev112/collector/event"
)

// turns lets one at a time record of a ticket; no other ticket waits for it. The zero value is ready for use.
type turns struct {
	mu sync.Mutex
	of map[event.Key]*turn // tickets that somebody records of, or waits for
}

type turn struct {
	mu sync.Mutex
	n  int // who has it or waits for it
}

// take waits for a ticket's turn; done gives it back.
func (t *turns) take(key event.Key) (done func()) {
	t.mu.Lock()
	if t.of == nil {
		t.of = map[event.Key]*turn{}
	}
	mine := t.of[key]
	if mine == nil {
		mine = &turn{}
		t.of[key] = mine
	}
	mine.n++
	t.mu.Unlock()
	mine.mu.Lock()
	return func() {
		mine.mu.Unlock()
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.n--; mine.n == 0 {
			delete(t.of, key)
		}
	}
}
