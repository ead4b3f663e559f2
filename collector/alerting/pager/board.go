package pager

import (
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// rowsAtOnce bounds how many late tickets are folded while the board stands still for it.
const rowsAtOnce = 2_000

// reader reads the board for the pager. The board knows OPDs by their labels; the directory says whom they mean.
type reader struct {
	board *tracker.Board
	dir   *directory.Directory
}

// read returns what the board says at now; ok is false while it is not complete.
func (b *reader) read(now time.Time) (r Round, ok bool) {
	if !b.board.Complete() {
		return Round{}, false
	}
	all := b.tickets(now)
	r = Round{Now: now, Tickets: all, Find: b.find, Centers: b.centers()}
	f := figures{tickets: all, snapshot: sync.OnceValue(func() tracker.Snapshot {
		return b.board.Snapshot(now)
	}), closed: map[window][]casefile.Ticket{}}
	r.Counts = func(center string, from, to time.Time) map[string]Counts {
		return b.counts(&f, center, window{from, to})
	}
	return r, true
}

// figures are what the digests of all centres are counted from, read from the board once.
type figures struct {
	tickets  []Ticket
	snapshot func() tracker.Snapshot
	closed   map[window][]casefile.Ticket
}

type window struct{ from, to time.Time }

// tickets returns the open tickets, within the regency's power and not stale, that have reached a level.
func (b *reader) tickets(now time.Time) []Ticket {
	var out []Ticket
	for after := (event.Key{}); ; {
		rows := b.board.OpenTickets(tracker.TicketFilter{Overdue: true, AtRisk: true}, now, after, rowsAtOnce)
		for i := range rows {
			if t, ok := b.ticket(&rows[i], now); ok {
				out = append(out, t)
			}
		}
		if len(rows) < rowsAtOnce {
			return out
		}
		after = rows[len(rows)-1].Key
	}
}

func (b *reader) ticket(row *tracker.Row, now time.Time) (Ticket, bool) {
	center := row.Key.Center
	c, known := b.dir.Center(center)
	opd, own := b.office(center, row.Ticket.OPD)
	if !known || c.Historical || !own {
		return Ticket{}, false
	}
	// Strings of a row lie in the payloads of its events: a ticket that is kept must not keep those. What is no text would
	// be another id after it was written down, and one ticket's alert would end the other's.
	id := strings.Clone(strings.ToValidUTF8(row.Key.ID, "\uFFFD"))
	t := Ticket{
		Center: c.Code, ID: id, OPD: opd, Priority: strings.Clone(row.Ticket.Priority), Reading: Read(row.Clocks, now),
	}
	t.Category, t.Kecamatan = b.words(row.Ticket)
	return t, t.Level != ""
}

// words returns category and kecamatan as they are shown. What the directory does not know may be anybody's text, and a
// sensitive category would tell about a person: both are left out.
func (b *reader) words(t *casefile.Ticket) (category, kecamatan string) {
	if k, ok := b.dir.Category(t.Key.Center, t.Category); ok && !k.Sensitive {
		category = k.Name
	}
	if k, ok := b.dir.Kecamatan(t.Key.Center, t.Kecamatan); ok {
		kecamatan = k.Name
	}
	return category, kecamatan
}

// office returns the label of an OPD as a ticket names it, and whether it is within the regency's power. A ticket at
// the centre is.
func (b *reader) office(center, opd string) (label string, own bool) {
	if opd == "" {
		return tracker.NoOPD, true
	}
	id, _ := b.dir.ResolveOPD(center, opd)
	return b.dir.Label(center, id), b.dir.ScopeOf(center, id) == directory.Own
}

func (b *reader) find(center, id string) (Found, bool) {
	row, _, ok := b.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: id})
	if !ok {
		return Found{}, false
	}
	f := Found{State: row.Ticket.State, ClosedAt: row.Ticket.ClosedAt}
	f.OPD, _ = b.office(center, row.Ticket.OPD)
	f.Category, f.Kecamatan = b.words(row.Ticket)
	return f, true
}

func (b *reader) centers() []Center {
	var out []Center
	for _, c := range b.dir.Centers() {
		if !c.Historical {
			out = append(out, Center{c.Code, c.Location})
		}
	}
	return out
}

// counts adds up the figures of a centre's digests.
func (b *reader) counts(f *figures, center string, w window) map[string]Counts {
	out := map[string]Counts{}
	add := func(opd string, of func(*Counts)) {
		c := out[opd]
		of(&c)
		out[opd] = c
	}
	snapshot := f.snapshot()
	for i := range snapshot.Centers {
		if snapshot.Centers[i].Center != center {
			continue
		}
		for _, n := range snapshot.Centers[i].Open {
			if n.Scope == string(directory.Own) {
				add(n.OPD, func(c *Counts) { c.Open += n.N })
			}
		}
	}
	for _, t := range f.tickets {
		if t.Center != center {
			continue
		}
		add(t.OPD, func(c *Counts) {
			if t.AtRisk {
				c.AtRisk++
			}
			if t.Overdue {
				c.Overdue++
			}
			if t.Level.rank() >= Escalated.rank() {
				c.Escalated++
			}
		})
	}
	closed, ok := f.closed[w]
	if !ok {
		closed = b.board.ClosedTickets(w.from, w.to)
		f.closed[w] = closed
	}
	for _, t := range closed {
		if t.Key.Center != center {
			continue
		}
		if opd, own := b.office(center, t.OPD); own {
			add(opd, func(c *Counts) { c.Closed++ })
		}
	}
	return out
}

// nameOf returns the full name of an OPD by its label.
func (b *reader) nameOf(center, opd string) string {
	if opd == tracker.NoOPD {
		return "Pusat panggilan 112 (belum di OPD)"
	}
	o, _ := b.dir.OPD(center, opd)
	return o.Name
}

func (b *reader) zoneOf(center string) *time.Location {
	if c, ok := b.dir.Center(center); ok {
		return c.Location
	}
	return time.UTC
}
