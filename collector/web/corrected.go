package web

import (
	"context"
	"errors"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

// What a list shows of the clocks that were corrected after they were late: of those that began in so many days, so
// many at most, the latest corrections.
const (
	correctedDays = 28
	maxCorrected  = 20
)

// correctedView is a clock that was late until a correction was received, with both verdicts.
type correctedView struct {
	ID, Link            string // of the ticket, in a list; no link where the ticket is with another OPD now
	Clock, At           string
	Before, After       string // that the clock was late, and what it is now
	DueBefore, DueAfter string
}

func (v *visit) corrected(clock string, at, due time.Time, stopped *time.Time) correctedView {
	out := correctedView{Clock: clockName(clock), At: v.instant(at), Before: clockState(sla.Breached),
		DueBefore: v.instant(due), After: clockState("")}
	if stopped != nil && !stopped.IsZero() {
		out.Before += ", berhenti " + v.instant(*stopped)
	}
	return out
}

func (c *correctedView) now(v *visit, state string, due, stopped time.Time) {
	if c.After = clockState(state); state == sla.Void {
		return
	}
	c.DueAfter = v.instant(due)
	if !stopped.IsZero() && !stopped.After(v.now) {
		c.After += ", berhenti " + v.instant(stopped)
	}
}

// correctedOf returns what was corrected of one ticket.
func correctedOf(v *visit, row *tracker.Row) (out []correctedView) {
	for _, k := range row.Ticket.Corrected {
		c := v.corrected(k.Clock, k.ReceivedAt, k.DueAt, &k.StoppedAt)
		if n := sla.Find(row.Clocks, k.Clock, k.Seq); n != nil {
			c.now(v, n.State(v.now), n.BreachAt, n.StoppedAt)
		}
		out = append(out, c)
	}
	return out
}

// correctedList returns what was corrected of the OPD's tickets, and how many more there are; away while it cannot be
// told.
func (p *Pages) correctedList(ctx context.Context, v *visit) (out []correctedView, more int, away bool) {
	if !p.mayAsk() {
		return nil, 0, true
	}
	defer p.asked()
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	today := v.now.In(v.zone)
	all, err := p.cfg.Corrected(ctx, v.target.center, today.AddDate(0, 0, -correctedDays), today.AddDate(0, 0, 1))
	if err != nil {
		if unavailable := (*store.UnavailableError)(nil); !errors.As(err, &unavailable) {
			p.cfg.Log.Error("corrections cannot be listed for a page", "error", err)
		}
		return nil, 0, true
	}
	for _, k := range all {
		if id, known := p.cfg.Directory.ResolveOPD(v.target.center, k.OPD); !known || id != v.target.opd {
			continue
		}
		if len(out) == maxCorrected {
			more++
			continue
		}
		c := v.corrected(k.Clock, k.CorrectedAt, k.DueBefore, k.StoppedBefore)
		var due, stopped time.Time
		if k.DueAfter != nil {
			due = *k.DueAfter
		}
		if k.StoppedAfter != nil {
			stopped = *k.StoppedAfter
		}
		c.now(v, k.StateAfter, due, stopped)
		key := event.Key{Center: v.target.center, Kind: event.KindTicket, ID: k.Ticket}
		if row, ok := p.cfg.Row(key); ok && p.holds(v, &row) {
			c.Link = v.link(k.Ticket)
		}
		c.ID = k.Ticket
		out = append(out, c)
	}
	return out, more, false
}
