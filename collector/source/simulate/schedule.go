package simulate

import "github.com/monev112/monev112/collector/event"

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

// schedule is a heap of planned messages by delivery, then in the order of planning. The messages lie in a slab, so
// that sifting moves small entries only and slots are used again.
type schedule struct {
	heap []slot
	slab []planned
	free []uint32
	seq  uint64
}

type slot struct {
	deliver int64
	seq     uint64
	at      uint32
}

func (s slot) before(o slot) bool {
	return s.deliver < o.deliver || s.deliver == o.deliver && s.seq < o.seq
}

func (s *schedule) len() int { return len(s.heap) }

func (s *schedule) earliest() int64 { return s.heap[0].deliver }

func (s *schedule) push(p planned) {
	s.seq++
	p.seq = s.seq
	var at uint32
	if n := len(s.free); n > 0 {
		at = s.free[n-1]
		s.free = s.free[:n-1]
		s.slab[at] = p
	} else {
		at = uint32(len(s.slab))
		s.slab = append(s.slab, p)
	}
	s.heap = append(s.heap, slot{p.deliver, p.seq, at})
	for i := len(s.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !s.heap[i].before(s.heap[up]) {
			break
		}
		s.heap[i], s.heap[up] = s.heap[up], s.heap[i]
		i = up
	}
}

// pop returns the earliest message; it must not be called when there is none.
func (s *schedule) pop() planned {
	top := s.heap[0]
	p := s.slab[top.at]
	s.slab[top.at] = planned{} // lets go of what the message points to
	s.free = append(s.free, top.at)
	last := len(s.heap) - 1
	s.heap[0] = s.heap[last]
	s.heap = s.heap[:last]
	for i := 0; ; {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < last && s.heap[c].before(s.heap[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		s.heap[i], s.heap[least] = s.heap[least], s.heap[i]
		i = least
	}
	return p
}
