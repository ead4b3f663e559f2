package tracker

import (
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// ClosedTickets returns the tickets in memory that were closed in [from, to) and are closed still. It is the whole
// number as long as from lies less than Config.KeepCases back and no more than CacheCases cases, and CacheLate late
// ones, were touched since.
func (b *Board) ClosedTickets(from, to time.Time) []casefile.Ticket {
	var (
		out  []casefile.Ticket
		fold caseFolder
	)
	for keys := b.touchedTickets(from.Add(-maxSenderAhead)); len(keys) > 0; {
		keys = b.eachOf(keys, func(en *entry) {
			if en.open() {
				return
			}
			if t := b.row(&fold, en).Ticket; t.State == casefile.Closed && !t.ClosedAt.Before(from) && t.ClosedAt.Before(to) {
				out = append(out, *t)
			}
		})
	}
	return out
}

// touchedTickets returns the known tickets that are not open, of centres with a board, of which an event was received
// since: what was received before cannot have closed since, though clocks of senders may be a little ahead.
func (b *Board) touchedTickets(since time.Time) (keys []event.Key) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for en := range b.evictable {
		if en.key.Kind == event.KindTicket && en.complete && en.center != nil && len(en.events) > 0 &&
			!en.touched.Before(since) {
			keys = append(keys, en.key)
		}
	}
	return keys
}

// maxSenderAhead is more than an event's time may lie ahead of its receipt.
const maxSenderAhead = 10 * time.Minute
