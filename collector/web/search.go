package web

import (
	"context"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

const (
	maxFound    = 20
	leastNumber = 3               // characters of a number that is not whole
	askWithin   = 5 * time.Second // of a question to the database
)

// search finds the OPD's tickets of a number: the one that has it, open or not, and open ones whose number holds it.
// unsure says that a ticket which is not on the board cannot be looked up now. A ticket of another OPD is not found.
func (p *Pages) search(ctx context.Context, v *visit, number string) (found []listedTicket, unsure bool) {
	row, _, ok, err := p.look(ctx, v, number)
	if unsure = err != nil; ok && p.holds(v, &row) {
		found = append(found, p.foundTicket(v, &row))
	}
	if len([]rune(number)) < leastNumber {
		return found, unsure
	}
	label := p.cfg.Directory.OPDLabel(v.target.center, v.target.opd)
	for _, key := range p.cfg.OpenMatching(v.target.center, label, number, maxFound) {
		if row, ok := p.cfg.Row(key); ok && row.Ticket != nil && key.ID != number {
			found = append(found, p.foundTicket(v, &row))
		}
	}
	return found, unsure
}

// look looks a ticket up, off the board unless too many ask already. A ticket of the board that is another OPD's is
// answered as one that is nowhere, by the database: whether that answers must not tell the two apart. The link of an
// alert names its ticket itself, and has nothing to tell.
func (p *Pages) look(ctx context.Context, v *visit, id string) (tracker.Row, []*event.Event, bool, error) {
	if _, board := p.cfg.Row(event.Key{Center: v.target.center, Kind: event.KindTicket, ID: id}); board {
		row, events, ok, err := p.cfg.Ticket(ctx, v.target.center, id)
		if err != nil || v.target.kind == kindTicket || ok && (p.holds(v, &row) || p.justRejected(v, &row, events)) {
			return row, events, ok, err
		}
		id = "" // no ticket has it
	}
	if !p.mayAsk() {
		return tracker.Row{}, nil, false, ErrUnavailable
	}
	defer p.asked()
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return p.cfg.Ticket(ctx, v.target.center, id)
}

func (p *Pages) mayAsk() bool {
	select {
	case p.asking <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *Pages) asked() { <-p.asking }

// foundTicket shows a ticket by how it stands.
func (p *Pages) foundTicket(v *visit, row *tracker.Row) listedTicket {
	out := p.listedTicket(v, tracker.DueTicket{Key: row.Key, At: v.now}, row)
	out.Urgency, out.When = headline(v, row)
	out.Due, out.Clock = "", ""
	return out
}
