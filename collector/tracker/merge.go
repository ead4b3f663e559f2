package tracker

import (
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// A ticket that was merged names its master; a chain of masters leads to its end. The reference takes effect while the
// master exists as a ticket with an opening and the end was open when it was made, or was reopened since: from then on
// the ticket waits for its end, which has the highest priority of its open members and the earliest due time of their
// clocks, so that a breach is counted once. Else the ticket stays where it was, with a flag.
// A ticket of test calls alone is no master, and waits for none.

// Limits of a group of merged tickets. A ticket that is further from its end stays where it was. The door refuses more
// than casefile.MaxMembers tickets that were merged into one itself; through chains so many count in all, the nearest
// first, and the end says that it is full.
const maxChain = 8

// alone is what the others of its group need of a ticket: its facts before any reference takes effect.
type alone struct {
	opened   bool      // and no test
	at       time.Time // t0: of the first call, else of the opening
	state    casefile.State
	handled  []casefile.Span
	master   string
	mergedAt time.Time
	changes  []casefile.Change
	clocks   []sla.Clock
}

func (b *Board) aloneAs(t *casefile.Ticket) *alone {
	a := &alone{
		opened: !t.OpenedAt.IsZero() && !t.Test(), at: t.ReceivedAt, state: t.State, handled: t.Handled, master: t.Master,
		mergedAt: t.MergedAt, changes: t.Changes, clocks: b.cfg.TicketClocks(t),
	}
	if a.at.IsZero() {
		a.at = t.OpenedAt
	}
	return a
}

// aloneOf returns a ticket's facts before any reference, nil where the board does not know that it was opened.
func (b *Board) aloneOf(en *entry) *alone {
	if en == nil || !en.complete || len(en.events) == 0 {
		return nil
	}
	a := en.alone
	if a == nil {
		var f caseFolder
		t := b.foldTicket(&f, en, b.sumCallFacts(en))
		a = b.aloneAs(&t)
	}
	if !a.opened {
		return nil
	}
	return a
}

func (b *Board) ticketNamed(center, id string) *entry {
	return b.cases[event.Key{Center: center, Kind: event.KindTicket, ID: id}]
}

// openSince reports whether the ticket was open at an instant, or again after it.
func (a *alone) openSince(at time.Time) bool {
	return !slices.ContainsFunc(a.handled, func(h casefile.Span) bool { return h.From.Before(at) && h.To.IsZero() })
}

// end returns the ticket for which en waits: en itself where its reference has no effect, with the flag that says why.
func (b *Board) end(en *entry, a *alone, seen []*entry) (end *entry, flag string) {
	if a.master == "" {
		return en, ""
	}
	if !a.opened { // nobody would know when its clocks began
		return en, casefile.FlagMasterUnknown
	}
	seen = append(seen, en)
	m := b.ticketNamed(en.key.Center, a.master)
	if a.master == en.key.ID || slices.Contains(seen, m) || len(seen) > maxChain {
		return en, casefile.FlagMergedInCycle
	}
	ma := b.aloneOf(m)
	if ma == nil {
		return en, casefile.FlagMasterUnknown
	}
	end, flag = b.end(m, ma, seen)
	if flag == casefile.FlagMergedInCycle {
		return en, flag
	}
	ea := b.aloneOf(end)
	switch {
	case !ea.openSince(a.mergedAt):
		return en, casefile.FlagMasterClosed
	case ea.at.After(a.at) && sla.Restarts(a.clocks, ea.clocks, a.mergedAt):
		return en, casefile.FlagMasterYounger
	}
	return end, ""
}

// endOpen reports whether the ticket for which en waits is open.
func (b *Board) endOpen(en *entry) bool {
	own := b.aloneOf(en)
	if own == nil { // it came before its opening
		return false
	}
	end, _ := b.end(en, own, nil)
	a := b.aloneOf(end)
	return a != nil && a.state.Open()
}

// members returns what waits for a ticket, by id.
func (b *Board) members(end *entry) (members []sla.Member) {
	type branch struct {
		en *entry
		at time.Time
	}
	seen := map[*entry]bool{end: true}
	for todo := []branch{{end, time.Time{}}}; len(todo) > 0 && len(members) < casefile.MaxMembers; todo = todo[1:] {
		for _, id := range todo[0].en.tickets {
			m := b.ticketNamed(end.key.Center, id)
			a := b.aloneOf(m)
			if a == nil || seen[m] || a.master != todo[0].en.key.ID || len(members) == casefile.MaxMembers {
				continue
			}
			seen[m] = true
			if e, _ := b.end(m, a, nil); e != end {
				continue
			}
			at := a.mergedAt
			if at.Before(todo[0].at) {
				at = todo[0].at
			}
			members = append(members, sla.Member{
				ID: id, At: at, Open: a.openSince(at), Changes: a.changes, Clocks: a.clocks,
			})
			todo = append(todo, branch{m, at})
		}
	}
	b.worked(len(members))
	slices.SortFunc(members, func(a, b sla.Member) int { return strings.Compare(a.ID, b.ID) })
	return members
}

// judged gives a ticket that was folded on its own the effect of references, its own and those to it, and returns its
// clocks.
func (b *Board) judged(en *entry, t *casefile.Ticket) []sla.Clock {
	if t.Master == "" && len(en.tickets) == 0 || t.Test() {
		return b.cfg.TicketClocks(t)
	}
	if t.Master != "" {
		end, flag := b.end(en, b.aloneAs(t), nil)
		if end != en {
			t.State = casefile.Merged
			return b.cfg.TicketClocks(t)
		}
		t.AddFlag(flag)
	}
	members := b.members(en)
	if len(members) == casefile.MaxMembers {
		t.AddFlag(casefile.FlagCaseFull)
	}
	sla.RaisePriority(t, members)
	clocks, kept := sla.Join(t, b.cfg.TicketClocks(t), members)
	if kept {
		t.AddFlag(casefile.FlagMergedAfterStop)
	}
	return clocks
}

// regroup notes what a ticket is to the others of its group, and queues those whose facts follow from that.
func (b *Board) regroup(en *entry, t *casefile.Ticket, emit bool) {
	if t.Master == "" && en.master == "" && len(en.tickets) == 0 {
		return
	}
	was, wasMaster := en.alone, en.master
	en.alone, en.master = b.aloneAs(t), string([]byte(t.Master))
	b.worked(len(en.alone.clocks))
	if wasMaster != en.master {
		if m := b.ticketNamed(en.key.Center, wasMaster); m != nil && wasMaster != "" {
			if at, found := slices.BinarySearch(m.tickets, en.key.ID); found {
				m.tickets = slices.Delete(slices.Clone(m.tickets), at, at+1)
			}
			b.follow(m, en, emit)
		}
		if en.master != "" && en.master != en.key.ID {
			m := b.entry(event.Key{Center: en.key.Center, Kind: event.KindTicket, ID: en.master}, en.center)
			b.nameOn(m, en)
		}
	}
	// Who waits for it follows from its opening, handling and reference; whom it waits for has its clocks.
	// Both follow from its own events alone, so that this ends.
	a := en.alone
	moved := was == nil || was.opened != a.opened || was.master != a.master || !was.at.Equal(a.at) ||
		!was.mergedAt.Equal(a.mergedAt) || !slices.Equal(was.handled, a.handled)
	if moved {
		b.followDown(en, emit)
	}
	if !moved && was.state == a.state && slices.Equal(was.changes, a.changes) && slices.Equal(was.clocks, a.clocks) {
		return
	}
	up := en
	for range maxChain {
		if up = b.ticketNamed(en.key.Center, up.master); up == nil || up == en {
			break
		}
		b.follow(up, en, emit)
	}
}

// followDown looks at those that wait for a ticket, or would, as far as a chain reaches: each is on the board or not by
// it. It queues those of which that changes; the facts of the others stand.
func (b *Board) followDown(en *entry, emit bool) {
	seen := map[*entry]bool{en: true}
	from := []*entry{en}
	for range maxChain + 1 {
		var next []*entry
		for _, f := range from {
			b.worked(len(f.tickets))
			for _, id := range f.tickets {
				m := b.ticketNamed(en.key.Center, id)
				if m == nil || seen[m] {
					continue
				}
				seen[m] = true
				next = append(next, m)
				if m.alone == nil || !b.stays(m) {
					b.follow(m, en, emit)
				}
			}
		}
		from = next
	}
}

// stays reports whether a ticket still waits for what it did when it was folded, or for nothing for the same reason.
func (b *Board) stays(en *entry) bool {
	end, flag := b.end(en, en.alone, nil)
	if en.joined == "" || en.joined != end.key.ID || en.notJoined != flag {
		return false
	}
	en.waits = end != en && b.endOpen(en)
	b.place(en)
	return true
}

// follow queues a ticket whose facts follow from another's.
func (b *Board) follow(en, by *entry, emit bool) {
	b.linked[en.key] = struct{}{}
	en.end = max(en.end, by.end)
	if en.complete && len(en.events) > 0 {
		b.enqueue(en, emit)
	}
}

// maxGroupReads bounds how many cases Group reads: a full group, each ticket with some calls.
const maxGroupReads = 4 * casefile.MaxMembers

// Group reads, with the calls that they name, the tickets that a ticket's row follows from: those that it was merged
// into, those that were merged into it or into them. read returns what is stored of cases; it is asked as often as a
// chain that takes effect is long, and once more for the calls at its end.
func Group(l Loaded, read func([]event.Key) ([]Loaded, error)) (with []Loaded, err error) {
	seen := map[event.Key]bool{l.Key: true}
	from := []Loaded{l}
	for rounds := 0; rounds <= maxChain && len(from) > 0 && len(seen) < maxGroupReads; rounds++ {
		var keys []event.Key
		add := func(center string, kind event.Kind, id string) {
			if k := (event.Key{Center: center, Kind: kind, ID: id}); id != "" && !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
		}
		for i := range from {
			if from[i].Key.Kind != event.KindTicket {
				continue
			}
			for _, e := range slices.Concat(from[i].Events, from[i].Later) {
				add(e.Center, event.KindTicket, e.Master)
				for _, c := range e.Calls {
					add(e.Center, event.KindCall, c)
				}
			}
			for _, id := range from[i].Tickets {
				add(l.Key.Center, event.KindTicket, id)
			}
		}
		if len(keys) == 0 {
			break
		}
		if from, err = read(keys); err != nil {
			return nil, err
		}
		with = append(with, from...)
	}
	return with, nil
}
