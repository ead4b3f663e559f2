package tracker

import (
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// ClosedTickets returns the tickets in memory that were closed in [from, to) and are closed still. It is the whole
// number as long as from lies less than Config.KeepCases back and no more than CacheCases cases were touched since.
func (b *Board) ClosedTickets(from, to time.Time) []casefile.Ticket {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var (
		out  []casefile.Ticket
		fold caseFolder
	)
	for el := b.idle.Front(); el != nil; el = el.Next() {
		en := el.Value.(*entry)
		// What was received before from cannot have closed since; clocks of senders may be a little ahead.
		if en.key.Kind != event.KindTicket || !en.complete || en.center == nil || len(en.events) == 0 ||
			en.touched.Before(from.Add(-maxSenderAhead)) {
			continue
		}
		if t := b.row(&fold, en).Ticket; t.State == casefile.Closed && !t.ClosedAt.Before(from) && t.ClosedAt.Before(to) {
			out = append(out, *t)
		}
	}
	return out
}

// maxSenderAhead is more than an event's time may lie ahead of its receipt.
const maxSenderAhead = 10 * time.Minute
