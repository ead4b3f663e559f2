package e2e

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"testing"
)

// sent is one event as its sender knows it.
type sent struct {
	source, id string
	line       []byte // the CloudEvent
	acked      bool   // the service said that it has it
	tried      bool   // it may have it
	stored     bool   // it was found in ClickHouse
	hostile    bool   // of a storm: it may be refused
}

// ledger is what the senders know, outside of the service: in memory, and in a file to look into afterwards.
type ledger struct {
	mu     sync.Mutex
	events map[string]*sent
	file   *bufio.Writer
	wrong  []string

	life    int // of the service's process
	counted map[int]*answers
	acks    int
	late    int // given up by their sender
	repeats int // sent again after the acknowledgement
	clashes int // sent with other content under an acknowledged id
}

// answers sums what one life of the service said of events.
type answers struct {
	accepted int
	unknown  int // in requests without an answer, or of which it is not known which life answered
}

func newLedger(t *testing.T, name string) *ledger {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{events: map[string]*sent{}, file: bufio.NewWriter(f), counted: map[int]*answers{}}
	t.Cleanup(func() {
		_ = l.file.Flush()
		_ = f.Close()
	})
	return l
}

// know returns the entry of an event, the same for every repetition of it.
func (l *ledger) know(source, id string, line []byte) *sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := source + "\x00" + id
	e := l.events[key]
	if e == nil {
		e = &sent{source: source, id: id, line: line}
		l.events[key] = e
	}
	return e
}

// born begins a life of the service's process.
func (l *ledger) born() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life++
	l.counted[l.life] = &answers{}
	fmt.Fprintln(l.file, "life", l.life)
}

// trying notes that events are about to be sent; it returns the life of the service and how many were acknowledged
// before.
func (l *ledger) trying(events []*sent) (life, known int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		e.tried = true
		if e.acked {
			known++
		} else {
			fmt.Fprintln(l.file, "send", e.source, e.id)
		}
	}
	return l.life, known
}

// answered notes what came back for events; accepted below 0 is no answer.
func (l *ledger) answered(life int, events []*sent, accepted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if accepted >= 0 && life == l.life {
		l.counted[life].accepted += accepted
	} else {
		l.counted[l.life].unknown += len(events)
	}
	if accepted < 0 {
		return
	}
	for _, e := range events {
		if !e.acked {
			l.acks++
			e.acked = true
			fmt.Fprintln(l.file, "ack", e.source, e.id)
		}
	}
}

// violate notes that the service broke a promise.
func (l *ledger) violate(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) < 20 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

func (l *ledger) count(n *int) {
	l.mu.Lock()
	*n++
	l.mu.Unlock()
}
