package simulate

import (
	"container/heap"

	"github.com/monev112/monev112/collector/event"
)

// planned is a message whose time has not come.
type planned struct {
	deliver int64 // when the sender hands it over
	seq     uint64
	kind    messageKind
	of      *incident // nil for messages that belong to no call or ticket
	late    bool      // minutes or hours after its time
	draft   event.RawEvent
}

// messageKind says why a message is sent.
type messageKind uint8

const (
	firstMessage  messageKind = iota // a fact, told for the first time
	repetition                       // the same message again
	secondSource                     // the same fact as another source saw it
	slip                             // a wrong fact that a correction will replace
	correction                       // the right fact in place of a slip
	messageKindsN                    // how many kinds there are
)

// schedule is a heap of planned messages by delivery, then in the order of planning.
type schedule struct {
	heap messageHeap
	seq  uint64
}

func (s *schedule) len() int { return len(s.heap) }

func (s *schedule) earliest() int64 { return s.heap[0].deliver }

func (s *schedule) push(p planned) {
	s.seq++
	p.seq = s.seq
	heap.Push(&s.heap, &p)
}

// pop returns the earliest message; it must not be called when there is none.
func (s *schedule) pop() *planned { return heap.Pop(&s.heap).(*planned) }

// messageHeap is what container/heap asks for.
type messageHeap []*planned

func (h messageHeap) Len() int      { return len(h) }
func (h messageHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h messageHeap) Less(i, j int) bool {
	return h[i].deliver < h[j].deliver || h[i].deliver == h[j].deliver && h[i].seq < h[j].seq
}
func (h *messageHeap) Push(p any) { *h = append(*h, p.(*planned)) }
func (h *messageHeap) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil // lets go of the message
	*h = (*h)[:last]
	return p
}
