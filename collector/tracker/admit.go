package tracker

import (
	"slices"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// Admit holds the bounds of cases (casefile.MaxEvents and its neighbours) against events that are about to be accepted
// together. It returns nil when all of them have room, else one for each: the event itself; a copy without the calls
// that find no room; nil when the event finds none. The answer holds until further events are applied.
//
// Of a case that is not in memory only what came since it left is known, and that it was full when it left.
func (b *Board) Admit(events []*event.Event) []*event.Event {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*event.Event
	g := admission{board: b, cases: map[event.Key]*admitted{}, named: map[event.Key]int{}}
	for _, e := range events {
		g.bytes += casefile.Size(e)
		g.calls += len(e.Calls)
	}
	g.events = len(events)
	for i, e := range events {
		if e.Kind != event.KindCall && e.Kind != event.KindTicket {
			continue
		}
		var a *event.Event
		if g.hasRoom(e) {
			a = g.admit(e)
		}
		if a != nil {
			g.joined(e)
		}
		if a != e {
			if out == nil {
				out = slices.Clone(events)
			}
			out[i] = a
		}
	}
	return out
}

// admission is one call of Admit.
type admission struct {
	board *Board
	// of the whole call
	events, bytes, calls int

	cases    map[event.Key]*admitted // those that may become full by it, and tickets that name calls
	named    map[event.Key]int       // of calls: tickets that name them for the first time
	members  map[event.Key][]string  // of masters: tickets that are merged into them for the first time
	joinedTo map[event.Key]string    // of those tickets: their masters
}

// masterOf returns the master that an event refers its ticket to, false where it does not or repeats what holds.
func (g *admission) masterOf(e *event.Event) (key event.Key, is bool) {
	if e.Type != event.TicketMerged || e.Master == "" {
		return key, false
	}
	key = event.Key{Center: e.Center, Kind: event.KindTicket, ID: e.Master}
	if en := g.board.cases[key]; en != nil {
		if _, again := slices.BinarySearch(en.tickets, e.Subject); again {
			return key, false
		}
	}
	return key, !slices.Contains(g.members[key], e.Subject)
}

// hasRoom reports whether the master that an event refers to, if any, takes the event's ticket with all that wait for
// it: the whole group, through chains, has at most casefile.MaxMembers tickets, so that the work for an event of one is
// bounded.
func (g *admission) hasRoom(e *event.Event) bool {
	key, is := g.masterOf(e)
	if !is {
		return true
	}
	top := key
	for range maxChain {
		up := g.joinedTo[top]
		if en := g.board.cases[top]; up == "" && en != nil {
			up = en.master
		}
		if up == "" || up == top.ID {
			break
		}
		top.ID = up
	}
	seen := map[event.Key]bool{top: true, e.Key(): true}
	for todo := []event.Key{top, e.Key()}; len(todo) > 0; todo = todo[1:] {
		below := g.members[todo[0]]
		if en := g.board.cases[todo[0]]; en != nil {
			below = slices.Concat(below, en.tickets)
		}
		for _, id := range below {
			if k := (event.Key{Center: key.Center, Kind: event.KindTicket, ID: id}); !seen[k] {
				seen[k] = true
				todo = append(todo, k)
			}
		}
		if len(seen) > casefile.MaxMembers+1 { // the master of all is no member
			return false
		}
	}
	g.board.worked(len(seen))
	return true
}

// joined notes the ticket of an admitted event with the master that it refers to.
func (g *admission) joined(e *event.Event) {
	if key, is := g.masterOf(e); is {
		if g.members == nil {
			g.members, g.joinedTo = map[event.Key][]string{}, map[event.Key]string{}
		}
		g.members[key] = append(g.members[key], e.Subject)
		g.joinedTo[e.Key()] = e.Master
	}
}

// admitted is a case with what was admitted before.
type admitted struct {
	events, bytes int
	before, by    map[senderOf]int       // events on the board, and since
	linked        []string               // calls before, sorted
	calls         int                    // their number, also of a case that is not known
	named         map[string]struct{}    // calls since
	withdrawals   int                    // among events
	standing      map[[2]string]struct{} // events that can be taken back, by source and id; nil until one is to be
}

// senderOf is who speaks of a case, and in which type of event.
type senderOf struct {
	source string
	typ    event.Type
}

// admit returns e, a copy with fewer calls, or nil.
func (g *admission) admit(e *event.Event) *event.Event {
	key, en := e.Key(), g.board.cases[e.Key()]
	names := e.Kind == event.KindTicket && len(e.Calls) > 0
	events, bytes, calls := g.board.sizeOf(key, en)
	// Whether it can become full by this call is the same for all events of a case.
	canFill := events+g.events > casefile.MaxEvents || bytes+g.bytes > casefile.MaxBytes
	if !canFill && !names {
		return e
	}
	canFill = canFill || calls+g.calls > casefile.MaxCalls
	c := g.cases[key]
	if c == nil {
		c = &admitted{events: events, bytes: bytes, calls: calls, named: map[string]struct{}{}}
		if en != nil {
			c.linked = en.calls
		}
		if canFill {
			c.by = map[senderOf]int{}
		}
		if canFill && en != nil {
			c.before = en.senders()
			for by, n := range c.before {
				if by.typ == event.EventWithdrawn {
					c.withdrawals += n
				}
			}
		}
		g.cases[key] = c
	}
	if !canFill { // but the calls that it names can
		return g.admitCalls(e, c, false)
	}
	if c.takesBack(e, en) {
		c.events++
		c.bytes += casefile.Size(e)
		c.withdrawals++
		return e
	}
	by := senderOf{e.Source, e.Type}
	reserved := c.before[by]+c.by[by] < casefile.ReservedEvents
	reserve := c.events // what counts against the reserve: withdrawals only where another is to come
	if e.Type != event.EventWithdrawn {
		reserve -= c.withdrawals
	}
	room := reserved && reserve < casefile.MaxEvents+casefile.ReserveEvents // in a full case
	if c.events >= casefile.MaxEvents && !room {
		return nil
	}
	if names {
		e = g.admitCalls(e, c, reserved)
	}
	size := casefile.Size(e)
	full := c.events >= casefile.MaxEvents || c.bytes+size > casefile.MaxBytes
	if full && (!room || size > casefile.ReservedBytes) {
		return nil
	}
	c.events++
	c.bytes += size
	c.by[by]++
	return e
}

// takesBack reports whether e withdraws an event that is in the case and stands, and says nothing else. Such an event
// finds room in a full case, too, so that what filled it by mistake can be taken back; each event is taken back once,
// and no withdrawal is, so there are never more of them than events.
func (c *admitted) takesBack(e *event.Event, en *entry) bool {
	if e.Type != event.EventWithdrawn || en == nil || len(e.Attributes)+len(e.Calls) > 0 {
		return false
	}
	if c.standing == nil {
		c.standing = map[[2]string]struct{}{}
		var f caseFolder
		events := f.decode(en.events)
		for _, o := range events {
			if o.Type != event.EventWithdrawn {
				c.standing[[2]string{o.Source, o.ID}] = struct{}{}
			}
		}
		for _, o := range events {
			if o.Replaces != "" && o.Replaces != o.ID {
				delete(c.standing, [2]string{o.Source, o.Replaces})
			}
		}
	}
	id := [2]string{e.Source, e.Replaces}
	_, stands := c.standing[id]
	delete(c.standing, id)
	return stands
}

// admitCalls returns e, or a copy with those of its calls that find room: in the ticket, and for the ticket in the
// call.
func (g *admission) admitCalls(e *event.Event, c *admitted, reserved bool) *event.Event {
	var kept []string
	spare := casefile.ReservedCalls
	for i, id := range e.Calls {
		_, again := c.named[id]
		if !again {
			_, again = slices.BinarySearch(c.linked, id)
		}
		fits := again
		if !again {
			key := event.Key{Center: e.Center, Kind: event.KindCall, ID: id}
			n := c.calls + len(c.named)
			fits = n < casefile.MaxCalls
			if !fits && reserved && spare > 0 && n < casefile.MaxCalls+casefile.ReserveCalls {
				fits = true
				spare--
			}
			if fits = fits && g.board.ticketsOf(key)+g.named[key] < casefile.MaxTickets; fits {
				c.named[id] = struct{}{}
				g.named[key]++
			}
		}
		switch {
		case !fits && kept == nil:
			kept = append(make([]string, 0, len(e.Calls)), e.Calls[:i]...)
		case fits && kept != nil:
			kept = append(kept, id)
		}
	}
	if kept == nil {
		return e
	}
	reduced := *e
	reduced.Calls = kept
	if len(kept) == 0 {
		reduced.Calls = nil
	}
	return &reduced
}

// caseSize is what is remembered of a large case that left memory.
type caseSize struct{ events, bytes, links int }

// maxEvictedSizes bounds how many of them are remembered; beyond it any is forgotten.
const maxEvictedSizes = 100_000

// sizeOf returns the events of a case, their size, and the calls that it is linked with, as far as they are known.
func (b *Board) sizeOf(key event.Key, en *entry) (events, bytes, calls int) {
	if en != nil {
		events, bytes, calls = len(en.events), en.size(), max(len(en.calls), en.named)
	}
	if len(b.evictedSizes) > 0 && (en == nil || !en.complete) {
		left := b.evictedSizes[key]
		events, bytes, calls = events+left.events, bytes+left.bytes, calls+left.links
	}
	return events, bytes, calls
}

// ticketsOf returns how many tickets a call is linked with, as far as it is known.
func (b *Board) ticketsOf(key event.Key) (n int) {
	en := b.cases[key]
	if en != nil {
		n = len(en.tickets)
	}
	if len(b.evictedSizes) > 0 && (en == nil || !en.complete) {
		n += b.evictedSizes[key].links
	}
	return n
}

// rememberSize keeps the size of a case that leaves memory, if it is half as large as it may be: a sender could
// otherwise fill it anew each time.
func (b *Board) rememberSize(en *entry) {
	links, bytes := max(len(en.calls), len(en.tickets)), en.size()
	if 2*len(en.events) < casefile.MaxEvents && 2*bytes < casefile.MaxBytes && 2*links < casefile.MaxTickets {
		return
	}
	if len(b.evictedSizes) >= maxEvictedSizes {
		for key := range b.evictedSizes {
			delete(b.evictedSizes, key)
			break
		}
	}
	b.evictedSizes[en.key] = caseSize{len(en.events), bytes, links}
}

// tally is what is counted of a large case with each event, so that nothing has to be counted again.
type tally struct {
	index map[uint64]int // places of the events by id
	by    map[senderOf]int
	bytes int
}

func (t *tally) add(s stored, at int, e *event.Event) {
	if _, clash := t.index[s.id]; !clash {
		t.index[s.id] = at
	}
	t.by[senderOf{e.Source, e.Type}]++
	t.bytes += len(s.payload)
}

// count makes the tally of a case whose events were replaced; a small one has none.
func (en *entry) count() {
	if en.tally = nil; len(en.events) < smallCase {
		return
	}
	var f caseFolder
	en.tally = &tally{index: make(map[uint64]int, 2*len(en.events)), by: map[senderOf]int{}}
	for i, e := range f.decode(en.events) {
		en.tally.add(en.events[i], i, e)
	}
}

// size is how large the events are together.
func (en *entry) size() (bytes int) {
	if en.tally != nil {
		return en.tally.bytes
	}
	for i := range en.events {
		bytes += len(en.events[i].payload)
	}
	return bytes
}

// senders says how many events of each type each source sent.
func (en *entry) senders() map[senderOf]int {
	if en.tally != nil {
		return en.tally.by
	}
	var f caseFolder
	by := map[senderOf]int{}
	for _, e := range f.decode(en.events) {
		by[senderOf{e.Source, e.Type}]++
	}
	return by
}
