package tracker

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// Loaded is a case as ClickHouse holds it.
type Loaded struct {
	Key     event.Key
	Events  []*event.Event
	Later   []*event.Event // what is left out of Events as it came later: it may still say that no exact place is shown
	Tickets []string       // of a call: the tickets that name it; of a ticket: those that were merged into it
	At      time.Time      // of a call: its At as its row has it, zero when there is none
	isNew   bool           // nothing of it was ever stored
}

// Row is a case as ClickHouse should hold it: one of Call and Ticket is set, Clocks are all of its clocks.
type Row struct {
	Key    event.Key
	Call   *casefile.Call
	Ticket *casefile.Ticket
	Clocks []sla.Clock
	// ClocksOnly says that every clock of the case that was ever stored is among Clocks, so that none must be voided.
	// WasAt is known then.
	ClocksOnly bool
	// WasAt is the At of the row as stored before, zero when there is none or, without ClocksOnly, it is not known.
	WasAt time.Time
	// New says that no row of the case was ever stored.
	New bool
	// Private says that no exact place of the case, and of those linked with it, may be stored.
	Private bool
	gen     uint32
}

// MissingCases returns the cases that must be loaded before the rows of the cases named can be made: unknown ones among
// them and among the calls and tickets they are linked with.
func (b *Board) MissingCases(keys []event.Key) []event.Key {
	var missing []event.Key
	seen := map[event.Key]bool{}
	steps := 0
	defer func() { b.worked(steps) }()
	need := func(k event.Key) *entry {
		steps++
		en := b.cases[k]
		if (en == nil || !en.complete) && !seen[k] {
			seen[k] = true
			missing = append(missing, k)
		}
		return en
	}
	walked := map[*entry]bool{} // tickets: many calls lead to one
	ticket := func(en *entry) {
		if len(en.calls) == 0 || walked[en] {
			return
		}
		walked[en] = true
		for _, c := range en.calls {
			need(event.Key{Center: en.key.Center, Kind: event.KindCall, ID: c})
		}
	}
	neighbours := func(k event.Key) {
		en := need(k)
		if en == nil {
			return
		}
		ticket(en)
		for m, n := en, 0; m != nil && m.master != "" && n < maxChain; n++ {
			if m = need(event.Key{Center: k.Center, Kind: event.KindTicket, ID: m.master}); m != nil {
				ticket(m)
			}
		}
		for _, t := range en.tickets {
			if ten := need(event.Key{Center: k.Center, Kind: event.KindTicket, ID: t}); ten != nil {
				ticket(ten)
			}
		}
	}
	for chunk := range slices.Chunk(keys, lockEvents) { // events come in between
		b.mu.RLock()
		for _, k := range chunk {
			if k.Kind == event.KindFeed && b.feeds[k] == nil && !seen[k] {
				seen[k] = true
				missing = append(missing, k)
			}
			if k.Kind == event.KindCall || k.Kind == event.KindTicket {
				neighbours(k)
			}
		}
		b.mu.RUnlock()
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for k := range b.linked {
		neighbours(k)
	}
	return missing
}

// UnknownCases returns the unknown cases whose events all lie before shipped: no later batch will complete them. They
// arise when a restart replays the journal behind its checkpoint.
func (b *Board) UnknownCases(shipped uint64) []event.Key {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var unknown []event.Key
	for k, en := range b.cases {
		if !en.complete && en.center != nil && en.end <= shipped {
			unknown = append(unknown, k)
		}
	}
	return unknown
}

// Load completes unknown cases with the events that ClickHouse has. Events that came since are kept; where both have
// the same id, ClickHouse's content wins. Live events that came while the case was unknown emit their outcomes now.
func (b *Board) Load(cases []Loaded) {
	for len(cases) > 0 {
		b.locked(func(more func() bool) {
			for len(cases) > 0 && more() {
				b.load(&cases[0])
				cases = cases[1:]
			}
		})
	}
}

// LoadNew completes all unknown cases: ClickHouse was never sent an event or a row of any.
func (b *Board) LoadNew() {
	var cases []Loaded
	b.mu.RLock()
	for k, en := range b.cases {
		if !en.complete {
			cases = append(cases, Loaded{Key: k, isNew: true})
		}
	}
	b.mu.RUnlock()
	b.Load(cases)
}

func (b *Board) load(l *Loaded) {
	if l.Key.Kind == event.KindFeed {
		b.loadFeed(l)
		return
	}
	ctr, _ := b.center(l.Key.Center)
	en := b.entry(l.Key, ctr)
	if en.complete && len(en.events) > 0 {
		return
	}
	came := en.events
	en.events = make([]stored, 0, len(l.Events)+len(came))
	for _, e := range l.Events {
		en.events = append(en.events,
			stored{id: idHash(e), digest: [8]byte(e.Digest[:8]), payload: event.AppendBinary(nil, e)})
		if en.touched.Before(e.ReceivedAt) {
			en.touched = e.ReceivedAt
		}
	}
	en.count()
	read := len(en.events)
	var f caseFolder
	for i, e := range f.decode(came) {
		// Outcomes of what ClickHouse has were emitted when it first came, by this process or an earlier one.
		if en.find(e) < 0 {
			en.events = append(en.events, came[i])
		}
	}
	if len(en.events) > read {
		en.count()
	}
	for _, t := range l.Tickets {
		i, found := slices.BinarySearch(en.tickets, t)
		if !found && (l.Key.Kind == event.KindTicket || b.names(l.Key.Center, t, l.Key.ID)) {
			en.tickets = slices.Insert(slices.Clip(en.tickets), i, t)
		}
	}
	en.complete, en.rowUnverified, en.storedAt, en.named = true, true, l.At, 0
	delete(b.evictedSizes, en.key)
	if con, ok := b.evictedCounts[en.key]; ok {
		en.counts = con
		delete(b.evictedCounts, en.key)
	}
	b.foldLoaded(en)
	if l.isNew {
		en.rowUnverified, en.clocksKnown = false, true
	}
	_, linked := b.linked[en.key]
	en.dirty = len(came) > 0 || linked
	b.place(en)
}

// foldLoaded folds a loaded case twice: without the live events that came while it was unknown, which emits nothing,
// then with them, which emits what they changed.
func (b *Board) foldLoaded(en *entry) {
	all := en.events
	var settled []stored
	for _, s := range all {
		if !s.live {
			settled = append(settled, s)
		}
	}
	if len(settled) > 0 && len(settled) < len(all) {
		en.events = settled
		b.refold(en, false)
		en.events = all
	}
	b.refold(en, len(settled) < len(all))
}

// names reports whether a ticket names a call, as far as the board can tell.
func (b *Board) names(center, ticket, call string) bool {
	t := b.cases[event.Key{Center: center, Kind: event.KindTicket, ID: ticket}]
	if t == nil || !t.complete {
		return true
	}
	_, found := slices.BinarySearch(t.calls, call)
	return found
}

// Rows makes the rows that changed among the cases named and the cases linked with them. Cases that are unknown or
// whose row is up to date give none.
func (b *Board) Rows(keys []event.Key) []Row {
	todo := b.candidates(keys)
	var f caseFolder
	rows := make([]Row, 0, len(todo))
	for len(todo) > 0 {
		todo = b.eachOf(todo, func(en *entry) {
			if en.complete && (en.dirty || en.rowUnverified) && len(en.events) > 0 {
				rows = append(rows, b.rowToStore(&f, en))
			}
		})
	}
	return rows
}

// eachOf calls do with the cases in memory among those named, the board locked for reading, until it has kept events
// from being applied for long enough. It returns those that are left.
func (b *Board) eachOf(keys []event.Key, do func(*entry)) (left []event.Key) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for steps := 0; len(keys) > 0 && steps < lockSteps; keys = keys[1:] {
		if en := b.cases[keys[0]]; en != nil {
			do(en)
			steps += 16 + len(en.events) + len(en.calls) // the least that a case takes
		}
	}
	return keys
}

// candidates returns the cases named, those that changed through a link, and linked cases whose rows are unverified:
// they were read back, and a process that died may have stored the event that changes them but not the row.
func (b *Board) candidates(keys []event.Key) []event.Key {
	b.mu.RLock()
	defer b.mu.RUnlock()
	seen := make(map[event.Key]struct{}, len(keys)+len(b.linked))
	all := make([]event.Key, 0, len(keys)+len(b.linked))
	add := func(k event.Key) {
		if _, twice := seen[k]; !twice {
			seen[k] = struct{}{}
			all = append(all, k)
		}
	}
	neighbours := func(center string, kind event.Kind, ids []string) {
		for _, id := range ids {
			k := event.Key{Center: center, Kind: kind, ID: id}
			if en := b.cases[k]; en != nil && en.rowUnverified {
				add(k)
			}
		}
	}
	for _, k := range keys {
		add(k)
		if en := b.cases[k]; en != nil {
			neighbours(k.Center, event.KindTicket, en.tickets)
			neighbours(k.Center, event.KindCall, en.calls)
			if en.master != "" {
				neighbours(k.Center, event.KindTicket, []string{en.master})
			}
		}
	}
	for k := range b.linked {
		add(k)
	}
	return all
}

// rowToStore is the row of a case and what is known of the one before.
func (b *Board) rowToStore(f *caseFolder, en *entry) Row {
	r := b.row(f, en)
	r.gen, r.WasAt = en.gen, en.storedAt
	r.ClocksOnly = en.clocksKnown && (len(en.storedClocks) == 0 || r.hasClocks(en.storedClocks))
	r.New = en.clocksKnown && en.storedAt.IsZero() && len(en.storedClocks) == 0
	return r
}

// hasClocks reports whether the row has all of the clocks.
func (r *Row) hasClocks(ids []uint32) bool {
	now := make([]uint32, 0, 16)
	for i := range r.Clocks {
		now = append(now, clockID(r.Clocks[i].Name, r.Clocks[i].Seq))
	}
	slices.Sort(now)
	return !slices.ContainsFunc(ids, func(id uint32) bool {
		_, found := slices.BinarySearch(now, id)
		return !found
	})
}

// row folds a case; its strings lie in the payloads, which never change.
func (b *Board) row(f *caseFolder, en *entry) Row {
	r := Row{Key: en.key, Private: en.private}
	if en.key.Kind == event.KindCall {
		c := *f.call(en)
		r.Call, r.Clocks = &c, b.cfg.CallClocks(&c)
	} else {
		t := b.foldTicket(f, en, b.sumCallFacts(en))
		r.Clocks = b.judged(en, &t)
		r.Ticket = &t
	}
	return r
}

// MarkStored notes that ClickHouse has the rows. A case that changed since then remains to be stored.
func (b *Board) MarkStored(rows []Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range rows {
		r := &rows[i]
		en := b.cases[r.Key]
		if en == nil {
			continue
		}
		en.storedClocks, en.clocksKnown = en.storedClocks[:0], true
		for j := range r.Clocks {
			en.storedClocks = append(en.storedClocks, clockID(r.Clocks[j].Name, r.Clocks[j].Seq))
		}
		if r.Call != nil {
			en.storedAt = r.Call.At()
		} else {
			en.storedAt = r.Ticket.At()
		}
		if en.gen == r.gen {
			en.dirty, en.rowUnverified = false, false
			delete(b.linked, en.key)
		}
	}
	for k := range b.linked {
		if en := b.cases[k]; en == nil || len(en.events) == 0 {
			if en != nil {
				en.dirty = false // a call that only a ticket names is no row yet
			}
			delete(b.linked, k)
		}
	}
}

// Case returns a case with its events, in the order in which they take effect. It reports false when the board does not
// hold the case or does not know all of it.
func (b *Board) Case(key event.Key) (Row, []*event.Event, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	en := b.cases[key]
	if en == nil || !en.complete || len(en.events) == 0 {
		return Row{}, nil, false
	}
	var f, own caseFolder
	return b.row(&f, en), own.decode(en.events), true
}

// Fold makes the row of a case that is not on the board from what ClickHouse holds, of a ticket with its calls and the
// tickets of its group (see Group), and returns its events in the order in which they take effect.
func (b *Board) Fold(l Loaded, calls []Loaded) (Row, []*event.Event) {
	r, events := Row{Key: l.Key}, slices.Clone(l.Events)
	private := func(l Loaded) bool { return b.cfg.private(l.Events) || b.cfg.private(l.Later) }
	r.Private = private(l) || slices.ContainsFunc(calls, private)
	if r.Private {
		for _, e := range events {
			b.cfg.SnapPlace(e)
		}
	}
	if slices.ContainsFunc(calls, func(c Loaded) bool { return c.Key.Kind == event.KindTicket }) ||
		l.Key.Kind == event.KindTicket && slices.ContainsFunc(events, func(e *event.Event) bool { return e.Master != "" }) {
		cfg := b.cfg
		cfg.Emit = nil
		group := New(cfg)
		group.Load(append(slices.Clone(calls), l))
		private := r.Private
		r, _, _ = group.Case(l.Key)
		r.Private = r.Private || private
		casefile.FoldTicket(l.Key, events, casefile.CallFacts{}) // puts them in order
		return r, events
	}
	if l.Key.Kind == event.KindCall {
		c := casefile.FoldCall(l.Key, events, l.Tickets)
		r.Call, r.Clocks = &c, b.cfg.CallClocks(&c)
		return r, events
	}
	t := casefile.FoldTicket(l.Key, events, casefile.CallFacts{})
	var from casefile.CallFacts
	for i := range calls {
		if _, named := slices.BinarySearch(t.Calls, calls[i].Key.ID); named {
			c := casefile.FoldCall(calls[i].Key, slices.Clone(calls[i].Events), nil)
			from.Add(c.Facts())
		}
	}
	t, _ = b.cfg.foldTicket(l.Key, events, from)
	r.Ticket, r.Clocks = &t, b.cfg.TicketClocks(&t)
	return r, events
}
