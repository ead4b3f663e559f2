// Package tracker owns the live board: the cases in memory, each a set of events, and the figures that follow from
// them.
//
// A case is complete or unknown. It is complete when the board holds every event of it that was ever stored: either its
// first event came while the filter of all subjects ever seen did not know it, or Load read it back from ClickHouse. An
// unknown case is shown nowhere and counted nowhere until it is loaded; otherwise one late event of a ticket closed
// long ago would look like an open ticket.
//
// The package is pure: it reads no clock, does no IO and logs nothing. All methods may be called concurrently. The
// stories in testdata/scenarios show what it does.
package tracker

import (
	"cmp"
	"container/list"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// CenterConfig is the configuration of one centre.
type CenterConfig struct {
	Historical   bool // its cases are folded and stored, but on no board and in no metric
	Location     *time.Location
	Shifts       []time.Duration // starts after local midnight, ascending, multiples of Quarter
	AnswerTarget time.Duration
	ShortAbandon time.Duration
}

// Config configures a Board. Zero durations and sizes take the defaults named beside them.
type Config struct {
	// codes of the centres that are shown from the start, also without any case
	Centers      []string
	Center       func(code string) (CenterConfig, bool)         // false: a centre that the directory does not know
	OPD          func(center, opd string) (label, scope string) // metric label of an OPD, and who directs it
	Details      func(*casefile.Ticket)                         // adds what the rules say of a ticket; nil adds nothing
	TicketClocks func(*casefile.Ticket) []sla.Clock
	CallClocks   func(*casefile.Call) []sla.Clock
	// whether a case with an event of this category has no exact place; nil: none has
	Private   func(center, category string) bool
	SnapPlace func(*event.Event)
	Emit      func(Outcome) // called with the board locked; must not call back

	LiveWindow time.Duration // an event older than this when received moves no counter; 1 h
	KeepCases  time.Duration // how long a case without an open ticket stays in memory after its last event; 48 h
	StaleAfter time.Duration // an open ticket without any event for so long is stale; 180 days
	CacheCases int           // how many cases without an open ticket stay in memory; 200,000
	// how many of them that came late as a whole, as those of an import do: few are asked for again; 20,000
	CacheLate int
	MaxCases  int // how many cases may be in memory before Full reports true; 1,000,000
}

// LiveWindow is the default of Config.LiveWindow.
const LiveWindow = time.Hour

// UnknownLabel stands for an OPD or centre that the directory does not know.
const UnknownLabel = "unknown"

// Board is the live board. Make one with New.
type Board struct {
	cfg Config

	mu            sync.RWMutex
	cases         map[event.Key]*entry
	idle, late    *list.List             // of *entry: cases that Evict may drop, the longest untouched first
	linked        map[event.Key]struct{} // cases whose row changed through a case that they are linked with
	agents        map[event.Key]*agent
	centers       map[string]*center         // by label; never a historical one
	evictedCounts map[event.Key]contribution // of evicted cases, while their windows run
	evictedSizes  map[event.Key]caseSize     // of large cases that were evicted
	sources       map[string]time.Time
	feeds         map[event.Key]*carrier // what sources said that they carry; of historical centres too
	filter        filter
	complete      bool
	shipped       uint64 // journal position up to which ClickHouse has everything, as Evict heard last
	queue         foldQueue
	scratch       caseFolder
	steps         atomic.Uint64 // work done since the start, see Board.worked
}

// entry is one case in memory. There may be hundreds of thousands: what few cases have is behind a pointer, and what is
// small stands together.
type entry struct {
	remembered
	center       *center            // nil for a historical centre
	from         casefile.CallFacts // of a call: what it gives its tickets
	unfolded     int                // how many of the last events wait in Board.queue
	tally        *tally             // nil while the case is small
	named        int                // of a ticket that is not complete: links that its events made
	storedClocks []uint32           // clocks that its rows in ClickHouse have, as clockID numbers them
	storedAt     time.Time          // At of its row in ClickHouse; zero when not known
	counts       contribution
	slot         *openSlot     // of an open ticket on the board; nil of any other case
	alone        *alone        // of a ticket of a group: what the others need of it
	master       string        // of a ticket: the one that it refers to
	joined       string        // of a ticket with a master: for which it waited when it was folded, its own id for none
	notJoined    string        // the flag that says why it waits for none
	idle         *list.Element // in Board.late or Board.idle; nil while the case is an open ticket
	gen          uint32        // moves with every change
	queued       foldKind      // how it waits in Board.queue; 0: it does not
	clocksKnown  bool          // storedClocks are all there are
	private      bool          // no exact place of it is kept
	waits        bool          // for a master that is open
	late         bool          // none of its events was live when it was received, or the centre is historical
}

// remembered is the part of a case that a checkpoint holds. The checkpoint shares its slices, so their elements never
// change.
type remembered struct {
	key     event.Key
	events  []stored
	tickets []string // of a call: the tickets that name it; of a ticket: those that refer to it as their master
	calls   []string // of a ticket: the calls it names
	// of a ticket: what each of calls gave it when last seen, since calls leave memory earlier
	callFacts     []casefile.CallFacts
	complete      bool
	dirty         bool   // the row in ClickHouse lags behind
	rowUnverified bool   // read back: whether the row in ClickHouse is up to date is not known
	end           uint64 // journal position behind the last event that acted on its row, its own or a linked case's
	touched       time.Time
	emitted       emittedOutcomes
}

// stored is one event of a case.
type stored struct {
	id      uint64 // hash of source and id
	digest  [8]byte
	live    bool // moves counters, at the latest when its unknown case is loaded
	payload []byte
}

// is reports whether s has the source and id of e, of which id is the hash.
func (s *stored) is(id uint64, e *event.Event) bool {
	return s.id == id && event.HasID(s.payload, e.Source, e.ID)
}

// agent holds the latest events of one agent.
type agent struct {
	center *center
	events []stored
	state  casefile.Agent
	heard  time.Time // of the latest event
}

// Limits of what the board keeps beside cases.
const (
	maxAgentEvents = 16 // the latest; a correction of an older state comes too late to matter
	maxAgents      = 10_000
	maxSources     = 256 // further sources are shown together as "other"
)

// New returns an empty board. It is not complete, and every case is unknown until TrustFilter is called.
func New(cfg Config) *Board {
	cfg.LiveWindow = cmp.Or(cfg.LiveWindow, LiveWindow)
	cfg.KeepCases = cmp.Or(cfg.KeepCases, 48*time.Hour)
	cfg.StaleAfter = cmp.Or(cfg.StaleAfter, 180*24*time.Hour)
	cfg.CacheCases = cmp.Or(cfg.CacheCases, 200_000)
	cfg.CacheLate = cmp.Or(cfg.CacheLate, 20_000)
	cfg.MaxCases = cmp.Or(cfg.MaxCases, 1_000_000)
	// A cache as large as the board would keep it full: nothing would be evicted and every event refused.
	cfg.CacheCases = min(cfg.CacheCases, cfg.MaxCases/2)
	cfg.CacheLate = min(cfg.CacheLate, cfg.CacheCases)
	if cfg.Details == nil {
		cfg.Details = func(*casefile.Ticket) {}
	}
	if cfg.Emit == nil {
		cfg.Emit = func(Outcome) {}
	}
	b := &Board{cfg: cfg}
	b.clear()
	return b
}

// clear makes the board empty.
func (b *Board) clear() {
	b.cases = map[event.Key]*entry{}
	b.idle, b.late = list.New(), list.New()
	b.linked = map[event.Key]struct{}{}
	b.agents = map[event.Key]*agent{}
	b.centers = map[string]*center{}
	b.evictedCounts = map[event.Key]contribution{}
	b.evictedSizes = map[event.Key]caseSize{}
	b.sources = map[string]time.Time{}
	b.feeds = map[event.Key]*carrier{}
	b.filter = filter{}
	b.complete = false
	b.queue = foldQueue{}
	for _, code := range b.cfg.Centers {
		b.center(code)
	}
}

// Apply applies one event: ApplyGroup with a group of one.
func (b *Board) Apply(e *event.Event, payload []byte, end uint64, live bool) {
	b.ApplyGroup([]*event.Event{e}, [][]byte{payload}, []uint64{end}, live)
}

// Bounds of what happens while readers wait: events applied, and steps of work (see worked). Work goes over its bound
// by one case and what is linked with it.
const (
	lockEvents = 1024
	lockSteps  = 1 << 15
)

// ApplyGroup applies events; those of one case in order. payloads are their binary forms: the board keeps them, and
// they must not change. ends are the journal positions behind them. While the journal is replayed live is false, and
// nothing is emitted.
//
// A small case is folded for each of its live events. The events of a large one are put together, and it is folded once
// a group: then the work for an event does not grow with the number of events that come with it.
func (b *Board) ApplyGroup(events []*event.Event, payloads [][]byte, ends []uint64, live bool) {
	var large []int // positions in events, of large cases
	for i := 0; i < len(events); {
		b.locked(func(more func() bool) {
			for n := 0; i < len(events) && n < lockEvents && more(); i, n = i+1, n+1 {
				en := b.cases[events[i].Key()]
				if en != nil && !en.small() && len(events) > 1 {
					large = append(large, i)
					continue
				}
				b.apply(en, events[i], payloads[i], ends[i], live)
			}
		})
	}
	slices.SortStableFunc(large, func(i, j int) int { return events[i].Key().Compare(events[j].Key()) })
	for len(large) > 0 {
		b.locked(func(more func() bool) {
			for len(large) > 0 && more() {
				key := events[large[0]].Key()
				for len(large) > 0 && events[large[0]].Key() == key {
					i := large[0]
					b.apply(nil, events[i], payloads[i], ends[i], live)
					large = large[1:]
				}
				b.foldQueued()
			}
		})
	}
}

// locked calls do with the board locked. more reports whether the bound of work under one lock is not reached.
func (b *Board) locked(do func(more func() bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	began := b.steps.Load()
	do(func() bool { return b.steps.Load()-began < lockSteps })
	b.foldQueued()
}

// worked counts steps of work: an event decoded or compared, a case visited. Tests hold it against the size of a case;
// lockSteps bounds it.
func (b *Board) worked(steps int) { b.steps.Add(uint64(steps)) }

// apply takes in one event; en is its case, nil where the caller does not have it. A replayed or late event emits
// nothing, so its case is only queued: in an import or a replay the events of a case often come together and are then
// folded once.
func (b *Board) apply(en *entry, e *event.Event, payload []byte, end uint64, live bool) {
	if e.Kind.OfOffice() {
		return // no case, and its sender no feed that could fall silent
	}
	ctr, historical := b.center(e.Center)
	if !historical {
		b.recordSource(e)
	}
	replayed := !live
	live = live && !historical && e.ReceivedAt.Sub(e.OccurredAt) <= b.cfg.LiveWindow
	s := stored{id: idHash(e), digest: [8]byte(e.Digest[:8]), live: live, payload: payload}
	switch e.Kind {
	case event.KindAgent:
		b.applyAgent(e, ctr, s)
		return
	case event.KindFeed:
		b.applyFeed(e, s)
		return
	}
	if en == nil {
		en = b.entry(e.Key(), ctr)
	}
	if len(en.events) == 0 {
		en.clocksKnown = en.complete && !replayed
	}
	if en.find(e) >= 0 {
		return
	}
	atOnce := live && en.small()
	if atOnce {
		b.settle(en) // events that emit nothing must not be emitted with this one
	}
	en.add(s, e)
	b.worked(1)
	en.end = max(en.end, end)
	if e.ReceivedAt.After(en.touched) {
		en.touched = e.ReceivedAt
	}
	switch {
	case !en.complete:
		en.changed()
		b.place(en)
		if e.Kind == event.KindTicket { // a call that names calls claims none
			b.linkUnknown(en, e.Calls)
		}
	case atOnce:
		b.refold(en, true)
		b.place(en)
	default:
		en.unfolded++
		b.enqueue(en, live)
	}
}

// Verdict compares an event with those on the board.
type Verdict uint8

// The verdicts.
const (
	NewEvent  Verdict = iota // not on the board; ClickHouse may still have it
	Duplicate                // on the board, with the same content
	Conflict                 // on the board under the same source and id, with other content
)

// Recognize compares events with those on the board. It reaches further back than a list of recent ids, but knows only
// the cases in memory. It returns nil when all are new.
func (b *Board) Recognize(events []*event.Event) []Verdict {
	var out []Verdict
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i, e := range events {
		en := b.cases[e.Key()]
		if en == nil {
			continue
		}
		j := en.find(e)
		if j < 0 {
			continue
		}
		if out == nil {
			out = make([]Verdict, len(events))
		}
		out[i] = Conflict
		if en.events[j].digest == [8]byte(e.Digest[:8]) {
			out[i] = Duplicate
		}
	}
	return out
}

// Unproven returns the positions of the events of which Recognize cannot say whether they came before: their case is
// not wholly in memory, and was or may have been seen.
func (b *Board) Unproven(events []*event.Event) (positions []int) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i, e := range events {
		key := e.Key()
		isCase := key.Kind == event.KindCall || key.Kind == event.KindTicket
		en := b.cases[key]
		switch {
		case en != nil && en.complete:
		case en == nil && isCase && b.filter.trusted && !b.filter.has(key):
		default:
			positions = append(positions, i)
		}
	}
	return positions
}

// Full reports whether the board has reached MaxCases. No further event should be accepted until ClickHouse has stored
// cases and Evict has dropped them.
func (b *Board) Full() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.cases) >= b.cfg.MaxCases
}

// center returns the board's centre for a code; nil and true for a historical one.
func (b *Board) center(code string) (ctr *center, historical bool) {
	cfg, known := b.cfg.Center(code)
	if cfg.Historical {
		return nil, true
	}
	label := code
	if !known {
		label = UnknownLabel
	}
	ctr = b.centers[label]
	if ctr == nil {
		ctr = newCenter(label, cfg)
		b.centers[label] = ctr
	}
	return ctr, false
}

// recordSource notes the latest event of its source.
func (b *Board) recordSource(e *event.Event) {
	source := e.Source
	last, ok := b.sources[source]
	if !ok {
		if len(b.sources) >= maxSources {
			source = "other"
			last = b.sources[source]
		}
		source = string([]byte(source)) // own it: the event's strings lie in its payload
	}
	if e.OccurredAt.After(last) {
		b.sources[source] = e.OccurredAt
	}
}

// entry returns the case, and makes it when it is not in memory: complete when the filter proves it new, else unknown.
func (b *Board) entry(key event.Key, ctr *center) *entry {
	if en := b.cases[key]; en != nil {
		return en
	}
	key.ID = strings.Clone(key.ID)
	if ctr != nil && ctr.label == key.Center {
		key.Center = ctr.label
	} else {
		key.Center = strings.Clone(key.Center)
	}
	en := &entry{remembered: remembered{key: key, complete: b.filter.addNew(key)}, center: ctr}
	b.cases[key] = en
	return en
}

func (b *Board) applyAgent(e *event.Event, ctr *center, s stored) {
	if ctr == nil {
		return
	}
	a := b.agents[e.Key()]
	if a == nil {
		if len(b.agents) >= maxAgents {
			return
		}
		a = &agent{center: ctr}
		b.agents[e.Key()] = a
	}
	if slices.ContainsFunc(a.events, func(o stored) bool { return o.is(s.id, e) }) {
		return
	}
	a.events = append(a.events, s)
	evs := b.scratch.decode(a.events)
	a.fold(evs)
	if len(a.events) > maxAgentEvents {
		oldest := 0
		for i := range evs {
			if evs[i].OccurredAt.Before(evs[oldest].OccurredAt) {
				oldest = i
			}
		}
		a.events = slices.Delete(a.events, oldest, oldest+1)
	}
}

// fold computes what follows from the events. A withdrawal says nothing of the state, and is heard all the same: it may
// have come before what it withdraws.
func (a *agent) fold(evs []*event.Event) {
	a.state = casefile.FoldAgent(slices.Clone(evs))
	for _, e := range evs {
		if e.OccurredAt.After(a.heard) {
			a.heard = e.OccurredAt
		}
	}
}

// smallCase is up to how many events and links a case is folded for each live event, and searched without an index.
const smallCase = 64

func (en *entry) small() bool {
	return len(en.events) < smallCase && len(en.calls) < smallCase && len(en.tickets) < smallCase
}

// find returns the place of an event, -1 when the case does not have it.
func (en *entry) find(e *event.Event) int {
	id := idHash(e)
	if en.tally != nil {
		i, ok := en.tally.index[id]
		if !ok {
			return -1
		}
		if en.events[i].is(id, e) {
			return i
		}
	}
	return slices.IndexFunc(en.events, func(s stored) bool { return s.is(id, e) })
}

func (en *entry) add(s stored, e *event.Event) {
	if n := len(en.events); n == cap(en.events) && n < smallCase { // most cases have few, and stay in memory for days
		en.events = append(make([]stored, 0, n+max(2, n/4)), en.events...)
	}
	en.events = append(en.events, s)
	if en.tally != nil {
		en.tally.add(s, len(en.events)-1, e)
	} else if len(en.events) == smallCase {
		en.count()
	}
}

func (en *entry) changed() {
	en.dirty = true
	en.gen++
}

// idHash is quick and known to everybody, so that a sender can make an id that has the hash of another source's: equal
// hashes are only a reason to look (stored.is).
func idHash(e *event.Event) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(e.Source)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(e.ID)
	return d.Sum64()
}
