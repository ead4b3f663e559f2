package tracker

import (
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// caseFolder decodes and folds cases; it reuses the memory of the events and of the call.
type caseFolder struct {
	events []event.Event
	refs   []*event.Event
	folded casefile.Call
}

// undecodable is an event on the board that this program cannot read.
type undecodable struct{ error }

func (u undecodable) Error() string {
	return "tracker: stored event does not decode: " + u.error.Error()
}

// decode returns the events in the order given; they are valid until the next call. Their strings lie in the payloads.
func (f *caseFolder) decode(events []stored) []*event.Event {
	if cap(f.events) < len(events) {
		f.events = make([]event.Event, 2*len(events))
	}
	f.events = f.events[:cap(f.events)]
	f.refs = f.refs[:0]
	for i := range events {
		// A payload was encoded by this program and kept under a checksum: it decodes, or there is nothing to trust.
		if err := event.DecodeBinary(events[i].payload, &f.events[i]); err != nil {
			panic(undecodable{err})
		}
		f.refs = append(f.refs, &f.events[i])
	}
	return f.refs
}

// late reports whether all of the decoded events were received later than window after they occurred.
func (f *caseFolder) late(window time.Duration) bool {
	return !slices.ContainsFunc(f.refs, func(e *event.Event) bool { return e.ReceivedAt.Sub(e.OccurredAt) <= window })
}

// call folds a call; it is valid until the next one.
func (f *caseFolder) call(en *entry) *casefile.Call {
	f.folded = casefile.FoldCall(en.key, f.decode(en.events), en.tickets)
	return &f.folded
}

func (b *Board) foldTicket(f *caseFolder, en *entry, from casefile.CallFacts) casefile.Ticket {
	t, steps := b.cfg.foldTicket(en.key, f.decode(en.events), from)
	b.worked(steps - len(en.events)) // the first fold is counted by who asks for it
	return t
}

// refold folds a complete case after a change and updates everything derived from it. Without emit the change moves no
// counter.
func (b *Board) refold(en *entry, emit bool) {
	en.queued, en.unfolded = 0, 0
	b.worked(len(en.events) + len(en.calls))
	en.changed()
	if en.key.Kind == event.KindCall {
		b.refoldCall(en, emit)
	} else {
		b.refoldTicket(en, emit)
	}
}

func (b *Board) refoldCall(en *entry, emit bool) {
	c := b.scratch.call(en)
	en.late = en.center == nil || b.scratch.late(b.cfg.LiveWindow)
	b.hidePlaces(en)
	if en.center != nil {
		en.center.showCall(en, c)
		en.emitted.call(c, en.center, b.emitter(en, emit))
		b.stopClocks(en, b.cfg.CallClocks(c), emit, UnknownLabel)
	}
	from := c.Facts()
	if from == en.from {
		return
	}
	en.from = from
	for _, id := range en.tickets {
		t := b.cases[event.Key{Center: en.key.Center, Kind: event.KindTicket, ID: id}]
		if t == nil || !t.complete {
			continue
		}
		b.linked[t.key] = struct{}{}
		t.end = max(t.end, en.end)
		if len(en.tickets) >= smallCase || !t.small() { // a ticket of many calls is folded once for all of them
			b.enqueue(t, emit)
			continue
		}
		b.settle(t)
		b.refold(t, emit)
		b.place(t)
	}
}

func (b *Board) refoldTicket(en *entry, emit bool) {
	t := b.foldTicket(&b.scratch, en, b.updateCallFacts(en))
	en.late = en.center == nil || b.scratch.late(b.cfg.LiveWindow)
	was := en.calls
	if en.rowUnverified {
		was = b.scratch.everNamed()
	}
	if !slices.Equal(t.Calls, en.calls) || !slices.Equal(t.Calls, was) {
		b.link(en, t.Calls, was)
		t = b.foldTicket(&b.scratch, en, b.updateCallFacts(en))
	}
	b.regroup(en, &t, emit)
	b.hidePlaces(en)
	if en.center == nil {
		return
	}
	clocks := b.judged(en, &t)
	if en.joined, en.notJoined, en.waits = "", "", false; en.alone != nil && t.Master != "" {
		end, flag := b.end(en, en.alone, nil)
		en.joined, en.notJoined, en.waits = end.key.ID, flag, end != en && b.endOpen(en)
	}
	opd := func(name string) (label, scope string) { return b.opd(en.key.Center, name) }
	en.center.showTicket(en, &t, clocks, opd)
	if !t.Test() {
		en.emitted.ticket(&t, en.center, func(name string) string {
			label, _ := opd(name)
			return label
		}, b.emitter(en, emit))
	}
	b.stopClocks(en, clocks, emit, t.Priority)
}

// NoOPD is the label of a ticket that lies at the centre.
const NoOPD = "none"

func (b *Board) opd(center, opd string) (label, scope string) {
	if opd == "" {
		return NoOPD, sla.ScopeOwn
	}
	return b.cfg.OPD(center, opd)
}

// emitter returns what hands on the outcomes of a case, or drops them.
func (b *Board) emitter(en *entry, emit bool) func(Outcome) {
	if !emit {
		return func(Outcome) {}
	}
	return func(o Outcome) {
		o.Case = en.key
		b.cfg.Emit(o)
	}
}

// stopClocks reports each clock that stopped, once.
func (b *Board) stopClocks(en *entry, clocks []sla.Clock, emit bool, priority string) {
	for i := range clocks {
		c := &clocks[i]
		if c.Void || c.Unobserved || c.StoppedAt.IsZero() || !en.emitted.once(clockID(c.Name, c.Seq)) || !emit {
			continue
		}
		label, _ := b.opd(en.key.Center, c.OPD)
		b.cfg.Emit(Outcome{
			Kind: ClockStopped, Case: en.key, Center: en.center.label, Clock: c.Name, OPD: label, Priority: priority,
			Result: c.State(c.StoppedAt),
		})
	}
}

// factsOfCall returns the facts of the ticket's i-th call: those of now if it is in memory, else the last known.
func (b *Board) factsOfCall(en *entry, i int) casefile.CallFacts {
	if c := b.cases[event.Key{Center: en.key.Center, Kind: event.KindCall, ID: en.calls[i]}]; c != nil && c.complete {
		return c.from
	}
	return en.callFacts[i]
}

// updateCallFacts remembers the facts of the calls in memory and returns the sum over all calls.
func (b *Board) updateCallFacts(en *entry) casefile.CallFacts {
	shared := true // with a checkpoint that may be written just now
	for i := range en.calls {
		from := b.factsOfCall(en, i)
		if from == en.callFacts[i] {
			continue
		}
		if shared {
			en.callFacts, shared = slices.Clone(en.callFacts), false
		}
		en.callFacts[i] = from
	}
	return b.sumCallFacts(en)
}

func (b *Board) sumCallFacts(en *entry) casefile.CallFacts {
	var from casefile.CallFacts
	for i := range en.calls {
		from.Add(b.factsOfCall(en, i))
	}
	return from
}

// everNamed returns the calls that any of the events just decoded names, voided ones among them, sorted.
func (f *caseFolder) everNamed() []string {
	var all []string
	for _, e := range f.refs {
		all = append(all, e.Calls...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// link adds and removes links between calls and a ticket. was are the calls that may still be linked with it: for a
// ticket that was read back every call that an event of it ever named, since the calls' rows are not known.
func (b *Board) link(en *entry, calls, was []string) {
	linked, gave := en.calls, en.callFacts
	en.calls, en.callFacts = calls, make([]casefile.CallFacts, len(calls))
	call := func(id string) *entry {
		return b.entry(event.Key{Center: en.key.Center, Kind: event.KindCall, ID: id}, en.center)
	}
	b.worked(len(calls) + len(was))
	for i, id := range calls { // all of them are sorted
		if j, found := slices.BinarySearch(linked, id); found {
			en.callFacts[i] = gave[j]
			continue
		}
		b.nameOn(call(id), en)
	}
	for _, id := range was {
		if _, named := slices.BinarySearch(calls, id); named {
			continue
		}
		c := call(id)
		if at, found := slices.BinarySearch(c.tickets, en.key.ID); found {
			c.tickets = slices.Delete(slices.Clone(c.tickets), at, at+1)
		}
		b.touchLinked(c, en)
	}
}

// linkUnknown links calls with an unknown ticket that names them, so that their rows wait until the ticket is loaded;
// it may have been stored by an earlier process. Once it is loaded, link removes what it no longer names.
func (b *Board) linkUnknown(en *entry, calls []string) {
	for _, id := range calls {
		if b.nameOn(b.entry(event.Key{Center: en.key.Center, Kind: event.KindCall, ID: id}, en.center), en) {
			en.named++
		}
	}
}

// nameOn records on a call that a ticket names it, and reports whether that is new.
func (b *Board) nameOn(call, ticket *entry) bool {
	at, found := slices.BinarySearch(call.tickets, ticket.key.ID)
	if !found {
		call.tickets = slices.Insert(slices.Clip(call.tickets), at, ticket.key.ID)
		b.touchLinked(call, ticket)
	}
	return !found
}

func (b *Board) touchLinked(c, by *entry) {
	c.changed()
	c.end = max(c.end, by.end)
	if by.touched.After(c.touched) {
		c.touched = by.touched
	}
	b.linked[c.key] = struct{}{}
	b.place(c)
}

// emittedOutcomes are the outcomes that a case has already reported: each is emitted once, however its facts change.
type emittedOutcomes struct {
	ids      []uint32
	class    string
	bounces  int
	reopened int
}

// Ids of the outcomes that a case reports once. Those of stays at an OPD and of clocks follow.
const (
	emittedReceived uint32 = iota
	emittedOffered
	emittedAnswered
	emittedAbandoned
	emittedUnserved
	emittedBlocked
	emittedClassified
	emittedTalked
	emittedOpened
	emittedInterval  uint32 = 16      // plus the interval's index
	emittedStay      uint32 = 1 << 8  // plus the stay's index
	emittedClock     uint32 = 1 << 16 // plus clock's index << 8 plus seq
	emittedLateClock uint32 = 1 << 24 // plus clock's index << 16 plus a seq above maxEmittedPerKey
	maxEmittedPerKey        = 255
)

var clockNames = [...]string{"answer", "acknowledge", "arrive", "resolve", "resolve_total", "confirm", "given"}

func clockID(name string, seq int) uint32 {
	index := uint32(slices.Index(clockNames[:], name) + 1)
	if seq > maxEmittedPerKey {
		return emittedLateClock + index<<16 + uint32(seq)
	}
	return emittedClock + index<<8 + uint32(seq)
}

// once reports whether the outcome was not emitted before, and notes that it is now.
func (r *emittedOutcomes) once(id uint32) bool {
	if slices.Contains(r.ids, id) {
		return false
	}
	if r.ids == nil {
		r.ids = make([]uint32, 0, 8) // a call reports six or seven
	}
	r.ids = append(r.ids, id)
	return true
}

func (r *emittedOutcomes) call(c *casefile.Call, ctr *center, emit func(Outcome)) {
	say := func(when bool, id uint32, o Outcome) {
		if when && r.once(id) {
			o.Center = ctr.label
			emit(o)
		}
	}
	secs := func(o Outcome, d time.Duration, ok bool) Outcome {
		o.HasSeconds, o.Seconds = ok, d.Seconds()
		return o
	}
	offered := !c.OfferedAt().IsZero()
	say(c.Events > 0, emittedReceived, Outcome{Kind: CallBecameReceived, Channel: c.Channel})
	say(offered, emittedOffered, Outcome{Kind: CallBecameOffered})
	wait, ok := c.AnswerTime()
	say(offered && !c.AnsweredAt.IsZero(), emittedAnswered, secs(Outcome{Kind: CallBecameAnswered}, wait, ok))
	gave, ok := c.AbandonTime()
	say(offered && !c.AbandonedAt.IsZero() && c.AnsweredAt.IsZero(), emittedAbandoned,
		secs(Outcome{Kind: CallBecameAbandoned, Short: ok && gave < ctr.cfg.ShortAbandon}, gave, ok))
	say(offered && !c.UnservedAt.IsZero() && c.AnsweredAt.IsZero(), emittedUnserved,
		Outcome{Kind: CallBecameUnserved, Reason: c.UnservedReason})
	say(!c.BlockedAt.IsZero(), emittedBlocked, Outcome{Kind: CallBecameBlocked})
	if c.Classified() && r.class != "" && r.class != c.Class {
		emit(Outcome{Kind: CallBecameReclassified, Center: ctr.label, From: r.class, Class: c.Class})
	}
	took, ok := casefile.Between(c.AnsweredAt, c.FirstClassAt)
	say(c.Classified(), emittedClassified, secs(Outcome{Kind: CallBecameClassified, Class: c.Class}, took, ok))
	if c.Classified() {
		r.class = string([]byte(c.Class))
	}
	class := c.Class
	if class == "" {
		class = event.ClassBelum
	}
	talk, ok := casefile.Between(c.AnsweredAt, c.EndedAt)
	say(ok, emittedTalked, secs(Outcome{Kind: CallBecameTalked, Class: class}, talk, ok))
}

func (r *emittedOutcomes) ticket(t *casefile.Ticket, ctr *center, label func(opd string) string, emit func(Outcome)) {
	first, current := NoOPD, NoOPD
	if n := len(t.Assignments); n > 0 {
		first, current = label(t.Assignments[0].OPD), label(t.Assignments[n-1].OPD)
	}
	// A ticket counts under its first OPD, and under none when it ended without one.
	if !t.OpenedAt.IsZero() && (len(t.Assignments) > 0 || !t.State.Open()) && r.once(emittedOpened) {
		emit(Outcome{Kind: TicketBecameOpened, Center: ctr.label, OPD: first, Priority: t.Priority})
	}
	bounces := 0
	for i := 1; i < len(t.Assignments); i++ {
		lost := t.Assignments[i-1].OPD
		if lost == t.Assignments[i].OPD {
			continue
		}
		if bounces++; bounces > r.bounces {
			emit(Outcome{Kind: TicketBounced, Center: ctr.label, OPD: label(lost)})
		}
	}
	r.bounces = max(r.bounces, bounces)
	for ; r.reopened < t.Reopened; r.reopened++ {
		emit(Outcome{Kind: TicketBecameReopened, Center: ctr.label, OPD: current})
	}
	say := func(id uint32, name, opd string, from, to time.Time) {
		if d, ok := casefile.Between(from, to); ok && r.once(id) {
			emit(Outcome{
				Kind: TicketInterval, Center: ctr.label, Interval: name, OPD: opd, HasSeconds: true, Seconds: d.Seconds(),
			})
		}
	}
	say(emittedInterval, "dispatch", first, t.AnsweredAt, t.AssignedAt)
	for i, s := range t.Assignments[:min(len(t.Assignments), maxEmittedPerKey)] {
		say(emittedStay+uint32(i), "acknowledge", label(s.OPD), s.At, s.AcknowledgedAt)
	}
	say(emittedInterval+1, "turnout", current, t.AcknowledgedAt, t.DepartedAt)
	say(emittedInterval+2, "travel", current, t.DepartedAt, t.ArrivedAt)
	say(emittedInterval+3, "respond", current, t.ReceivedAt, t.ArrivedAt)
	say(emittedInterval+4, "resolve", current, t.OpenedAt, t.HandledAt())
	say(emittedInterval+5, "confirm", current, t.LastResolvedAt, t.ConfirmedAt)
}
