package tracker

import "github.com/monev112/monev112/collector/event"

// foldKind says how a queued case is folded: without outcomes, with them, or one after the other.
type foldKind uint8

const (
	foldSilent foldKind = 1 << iota // an event that emits nothing, or a link with one, changed it
	foldLive                        // a live event, or a link with one, changed it
)

// foldQueue holds the cases that changed and are not folded yet. It is empty while the board is not locked, so that
// nobody sees a case that is not folded. Calls are folded first: what they give their tickets queues those.
type foldQueue struct{ calls, tickets []*entry }

// enqueue puts a complete case into the queue; one that stands there is folded once for all.
func (b *Board) enqueue(en *entry, live bool) {
	kind := foldSilent
	if live {
		kind = foldLive
	}
	if en.queued == 0 {
		if en.key.Kind == event.KindCall {
			b.queue.calls = append(b.queue.calls, en)
		} else {
			b.queue.tickets = append(b.queue.tickets, en)
		}
		b.worked(len(en.events) + len(en.calls) + len(en.tickets)) // what folding it will take
	}
	en.queued |= kind
}

// foldQueued empties the queue.
func (b *Board) foldQueued() {
	for _, list := range [...]*[]*entry{&b.queue.calls, &b.queue.tickets} { // a ticket queues no call
		for i := 0; i < len(*list); i++ {
			b.settle((*list)[i])
		}
		clear(*list)
		*list = (*list)[:0]
	}
}

// settle folds a case if it stands in the queue: first without its live events, which emits nothing, then with them.
func (b *Board) settle(en *entry) {
	kind, all := en.queued, en.events
	if kind == foldSilent|foldLive {
		n := len(all) - en.unfolded
		silent := all[:n:n]
		for _, s := range all[n:] {
			if !s.live {
				silent = append(silent, s)
			}
		}
		if len(silent) > n {
			en.events = silent
			b.refold(en, false)
			en.events = all
		}
	}
	if kind != 0 {
		b.refold(en, kind&foldLive != 0)
		b.place(en)
	}
}
