package pager

import (
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// boardReader reads the board for the pager. The board knows OPDs by their labels; the directory says whom they mean.
type boardReader struct {
	board *tracker.Board
	dir   *directory.Directory
}

// period is the time from its first instant up to its last, without that.
type period struct{ from, to time.Time }

// view returns what the board says at now; ok is false while it is not complete.
func (r *boardReader) view(now time.Time) (v boardView, ok bool) {
	if !r.board.Complete() {
		return boardView{}, false
	}
	tickets := r.tickets(now)
	counts := map[period]map[opdKey]digestCounts{} // of centres in one zone the same
	return boardView{Now: now, Tickets: tickets, Centers: r.dir.Centers(),
		Status: func(center, id string) (ticketStatus, bool) { return r.status(center, id, now) },
		Counts: func(from, to time.Time) map[opdKey]digestCounts {
			p := period{from, to}
			if counts[p] == nil {
				counts[p] = r.counts(tickets, p, now)
			}
			return counts[p]
		}}, true
}

// tickets returns the open tickets, within the regency's power and not stale, that have reached a level. Of none but
// those that lie outside of that power now the case is folded.
func (r *boardReader) tickets(now time.Time) []dueTicket {
	due := r.board.Due(now)
	out := make([]dueTicket, 0, len(due))
	type code struct{ center, category, kecamatan string }
	shown := map[code][2]string{} // looking them up is not free, and many tickets are about the same
	centers := map[string]string{}
	for _, c := range r.dir.Centers() {
		if !c.Historical {
			centers[c.Code] = c.Code
		}
	}
	for i := range due {
		d := &due[i]
		level := levelOf(d.Marks, now)
		center, paged := centers[d.Key.Center]
		if level.Level == "" || !paged {
			continue
		}
		opd, own := d.OPD, d.Scope == string(directory.Own)
		if !own {
			if row, _, ok := r.board.Case(d.Key); ok {
				opd, own = r.answerable(&row, now)
			}
		}
		if !own {
			continue
		}
		// Invalid UTF-8 would be another id once it was written to the state file, and one ticket's alert would end the
		// other's.
		t := dueTicket{
			Center: center, ID: strings.ToValidUTF8(d.Key.ID, "\uFFFD"), OPD: opd, Priority: d.Priority, clockLevel: level,
		}
		k := code{center, d.Category, d.Kecamatan}
		names, known := shown[k]
		if !known {
			names[0], names[1] = r.shownNames(center, d.Category, d.Kecamatan)
			shown[k] = names
		}
		t.Category, t.Kecamatan = names[0], names[1]
		out = append(out, t)
	}
	return out
}

// answerable is the label of the OPD to be told of a ticket: its present one or, where that is outside the regency's
// power, the one that had the ticket when a clock became late.
func (r *boardReader) answerable(row *tracker.Row, now time.Time) (label string, own bool) {
	label, own = r.opdLabel(row.Key.Center, row.Ticket.OPD)
	var since time.Time
	for i := range row.Clocks {
		c := &row.Clocks[i]
		if (!own || !since.IsZero()) && c.Scope == sla.ScopeOwn && c.Name != sla.Acknowledge &&
			c.State(now) == sla.Breached && (since.IsZero() || c.BreachAt.Before(since)) {
			label, own = r.opdLabel(row.Key.Center, c.OPD)
			since = c.BreachAt
		}
	}
	return label, own
}

// shownNames returns category and kecamatan as they are shown. What the directory does not know may be anybody's text,
// and a sensitive category would tell about a person: both are left out.
func (r *boardReader) shownNames(center, category, kecamatan string) (categoryName, kecamatanName string) {
	if k, ok := r.dir.Category(center, category); ok && !k.Sensitive {
		categoryName = k.Name
	}
	k, _ := r.dir.Kecamatan(center, kecamatan)
	return categoryName, k.Name
}

// opdLabel returns the label of an OPD as a ticket names it, and whether it is within the regency's power. A ticket at
// the centre is.
func (r *boardReader) opdLabel(center, opd string) (label string, own bool) {
	if opd == "" {
		return tracker.NoOPD, true
	}
	id, _ := r.dir.ResolveOPD(center, opd)
	return r.dir.OPDLabel(center, id), r.dir.ScopeOf(center, id) == directory.Own
}

// opdName returns the full name of an OPD by its label.
func (r *boardReader) opdName(center, opd string) string {
	if opd == tracker.NoOPD {
		return "Pusat panggilan 112 (belum di OPD)"
	}
	o, _ := r.dir.OPD(center, opd)
	return o.Name
}

func (r *boardReader) zone(center string) *time.Location {
	if c, ok := r.dir.Center(center); ok {
		return c.Location
	}
	return time.UTC
}

func (r *boardReader) status(center, id string, now time.Time) (ticketStatus, bool) {
	row, _, ok := r.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: id})
	if !ok {
		return ticketStatus{}, false
	}
	s := ticketStatus{State: row.Ticket.State, ClosedAt: row.Ticket.ClosedAt}
	s.OPD, _ = r.answerable(&row, now)
	s.Category, s.Kecamatan = r.shownNames(center, row.Ticket.Category, row.Ticket.Kecamatan)
	return s, true
}

// counts adds up the figures of the digests of all centres.
func (r *boardReader) counts(tickets []dueTicket, closed period, now time.Time) map[opdKey]digestCounts {
	out := map[opdKey]digestCounts{}
	add := func(center, opd string, n digestCounts) {
		k := opdKey{center, opd}
		c := out[k]
		out[k] = digestCounts{
			Open: c.Open + n.Open, AtRisk: c.AtRisk + n.AtRisk, Overdue: c.Overdue + n.Overdue,
			Escalated: c.Escalated + n.Escalated, Closed: c.Closed + n.Closed, Unrecorded: c.Unrecorded + n.Unrecorded,
		}
	}
	snapshot := r.board.Snapshot(now)
	for i := range snapshot.Centers {
		for _, n := range snapshot.Centers[i].Open {
			if n.Scope == string(directory.Own) {
				add(snapshot.Centers[i].Center, n.OPD, digestCounts{Open: n.N})
			}
		}
		for _, n := range snapshot.Centers[i].Unrecorded {
			if n.Scope == string(directory.Own) {
				add(snapshot.Centers[i].Center, n.OPD, digestCounts{Unrecorded: n.N})
			}
		}
	}
	for _, t := range tickets {
		add(t.Center, t.OPD, digestCounts{
			AtRisk: oneIf(t.AtRisk), Overdue: oneIf(t.Overdue), Escalated: oneIf(t.Level.rank() >= Escalated.rank()),
		})
	}
	for _, t := range r.board.ClosedTickets(closed.from, closed.to) {
		if opd, own := r.opdLabel(t.Key.Center, t.OPD); own {
			add(t.Key.Center, opd, digestCounts{Closed: 1})
		}
	}
	return out
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
