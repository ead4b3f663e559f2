package tracker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/bits-and-blooms/bloom/v3"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// checkpointVersion is the first byte of a board's checkpoint; another version is refused and the journal replayed.
const checkpointVersion = 3

// ErrCheckpoint says that a checkpoint cannot be read: from another version, or cut short.
var ErrCheckpoint = errors.New("tracker: unreadable checkpoint")

// Checkpoint takes a copy of what the board must remember and returns a function that writes it. The copy is quick:
// events are shared, since they never change; the function may run while the board goes on. Cases of historical centres
// of which ClickHouse already holds every event and the row are left out: they are unknown after a restart.
func (b *Board) Checkpoint() func(io.Writer) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	c := &checkpoint{complete: b.complete, trusted: b.filter.trusted, inLast: b.filter.inLast}
	for _, l := range b.filter.layers {
		c.layers = append(c.layers, l.Copy())
	}
	c.cases = make([]remembered, 0, len(b.cases))
	save := func(en *entry) {
		if en.center != nil || en.dirty || !en.complete || en.end > b.shipped {
			c.cases = append(c.cases, en.remembered)
		}
	}
	for en := b.idle.front; en != nil; en = en.newer {
		save(en) // in their order
	}
	for _, en := range b.cases {
		if !en.inIdle {
			save(en)
		}
	}
	for k, a := range b.agents {
		c.agents = append(c.agents, checkpointAgent{k, slices.Clone(a.events)})
	}
	c.evictedCounts = make(map[event.Key]contribution, len(b.evictedCounts))
	for k, v := range b.evictedCounts {
		c.evictedCounts[k] = v
	}
	c.sources = make(map[string]time.Time, len(b.sources))
	for k, v := range b.sources {
		c.sources[k] = v
	}
	return c.write
}

type checkpoint struct {
	complete, trusted bool
	inLast            uint
	layers            []*bloom.BloomFilter
	cases             []remembered
	agents            []checkpointAgent
	evictedCounts     map[event.Key]contribution
	sources           map[string]time.Time
}

type checkpointAgent struct {
	key    event.Key
	events []stored
}

func (c *checkpoint) write(to io.Writer) error {
	w := &writer{w: bufio.NewWriterSize(to, 1<<16)}
	w.uint(checkpointVersion)
	w.bool(c.complete)
	w.bool(c.trusted)
	w.uint(uint64(c.inLast))
	w.uint(uint64(len(c.layers)))
	for _, l := range c.layers {
		if w.err == nil {
			_, w.err = l.WriteTo(w.w)
		}
	}
	w.uint(uint64(len(c.cases)))
	for i := range c.cases {
		en := &c.cases[i]
		w.key(en.key)
		w.bool(en.complete)
		w.bool(en.dirty)
		w.bool(en.rowUnverified)
		w.uint(en.end)
		w.time(en.touched)
		w.strings(en.tickets)
		w.strings(en.calls)
		for _, f := range en.callFacts {
			w.time(f.ReceivedAt)
			w.time(f.AnsweredAt)
		}
		w.stored(en.events)
		w.uint(uint64(len(en.emitted.ids)))
		for _, id := range en.emitted.ids {
			w.uint(uint64(id))
		}
		w.string(en.emitted.class)
		w.uint(uint64(en.emitted.bounces))
		w.uint(uint64(en.emitted.reopened))
	}
	w.uint(uint64(len(c.agents)))
	for _, a := range c.agents {
		w.key(a.key)
		w.stored(a.events)
	}
	w.uint(uint64(len(c.evictedCounts)))
	for k, con := range c.evictedCounts {
		w.key(k)
		w.uint(uint64(con.quarter))
		w.uint(uint64(con.bits))
	}
	w.uint(uint64(len(c.sources)))
	for s, at := range c.sources {
		w.string(s)
		w.time(at)
	}
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// ReadCheckpoint fills an empty board. After an error the board is empty.
func (b *Board) ReadCheckpoint(from io.Reader) (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			u, ok := v.(undecodable) // of another version than this program's
			if !ok {
				panic(v)
			}
			err = fmt.Errorf("%w: %w", ErrCheckpoint, u)
		}
		if err != nil {
			b.clear()
		}
	}()
	r := &reader{r: bufio.NewReaderSize(from, 1<<16)}
	if v := r.uint(); r.err == nil && v != checkpointVersion {
		return fmt.Errorf("%w: version %d, this program writes %d", ErrCheckpoint, v, checkpointVersion)
	}
	b.complete, b.filter.trusted = r.bool(), r.bool()
	b.filter.inLast = uint(r.uint())
	for range r.items {
		if l := r.layer(len(b.filter.layers)); l != nil {
			b.filter.layers = append(b.filter.layers, l)
		}
	}
	var read []*entry
	for range r.items {
		en := &entry{remembered: remembered{
			key: r.key(), complete: r.bool(), dirty: r.bool(), rowUnverified: r.bool(), end: r.uint(), touched: r.time(),
			tickets: r.strings(), calls: r.strings(),
		}}
		for range en.calls {
			en.callFacts = append(en.callFacts, casefile.FromCalls{ReceivedAt: r.time(), AnsweredAt: r.time()})
		}
		en.events = r.stored()
		for range r.items {
			en.emitted.ids = append(en.emitted.ids, uint32(r.uint()))
		}
		en.emitted.class, en.emitted.bounces, en.emitted.reopened = r.string(), int(r.uint()), int(r.uint())
		if r.err != nil {
			break
		}
		en.center, _ = b.center(en.key.Center)
		b.cases[en.key] = en
		read = append(read, en)
	}
	for range r.items {
		k, events := r.key(), r.stored()
		if ctr, _ := b.center(k.Center); ctr != nil && r.err == nil {
			b.agents[k] = &agent{center: ctr, events: events, state: casefile.FoldAgent(b.scratch.decode(events))}
		}
	}
	for range r.items {
		k, con := r.key(), contribution{int64(r.uint()), uint16(r.uint())}
		if ctr, _ := b.center(k.Center); ctr != nil && r.err == nil {
			b.evictedCounts[k] = con
			ctr.count(con, +1)
		}
	}
	for range r.items {
		s, at := r.string(), r.time()
		b.sources[s] = at
	}
	if r.err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, r.err)
	}
	b.restore(read)
	return nil
}

// restore folds what was read: calls first, since tickets take their t0 from them. Nothing is emitted, and a case is as
// dirty as it was.
func (b *Board) restore(read []*entry) {
	var dirty []*entry
	for _, en := range read {
		if en.dirty {
			dirty = append(dirty, en)
		}
	}
	for _, en := range read {
		if en.center == nil && en.key.Kind == event.KindTicket {
			b.linkUnknown(en, en.calls) // calls without a row of their own are left out of a checkpoint there
		}
	}
	for _, kind := range []event.Kind{event.KindCall, event.KindTicket} {
		for _, en := range read {
			if en.key.Kind == kind && en.complete && len(en.events) > 0 {
				said := en.emitted
				b.refold(en, false)
				en.emitted.class, en.emitted.bounces, en.emitted.reopened = said.class, said.bounces, said.reopened
			}
		}
	}
	for _, en := range read {
		b.place(en) // in their order, whatever the links touched
	}
	for _, en := range b.cases {
		en.dirty = false
	}
	clear(b.linked)
	for _, en := range dirty {
		en.dirty = true
		b.linked[en.key] = struct{}{}
	}
}

type writer struct {
	w   *bufio.Writer
	buf [binary.MaxVarintLen64]byte
	err error
}

func (w *writer) uint(v uint64) {
	if w.err == nil {
		_, w.err = w.w.Write(binary.AppendUvarint(w.buf[:0], v))
	}
}

func (w *writer) bool(v bool) {
	if v {
		w.uint(1)
	} else {
		w.uint(0)
	}
}

func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	if w.err == nil {
		_, w.err = w.w.WriteString(s)
	}
}

func (w *writer) strings(ss []string) {
	w.uint(uint64(len(ss)))
	for _, s := range ss {
		w.string(s)
	}
}

func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.uint(0)
	} else {
		w.uint(uint64(t.UnixMilli()))
	}
}

func (w *writer) key(k event.Key) {
	w.string(k.Center)
	w.uint(uint64(k.Kind))
	w.string(k.ID)
}

func (w *writer) stored(events []stored) {
	w.uint(uint64(len(events)))
	for i := range events {
		s := &events[i]
		w.uint(s.id)
		w.bool(s.live)
		w.string(string(s.digest[:]))
		w.string(string(s.payload))
	}
}

// maxItem bounds one string of a checkpoint, so that a damaged length cannot ask for all memory.
const maxItem = 1 << 20

type reader struct {
	r   *bufio.Reader
	err error
}

func (r *reader) uint() uint64 {
	if r.err != nil {
		return 0
	}
	v, err := binary.ReadUvarint(r.r)
	if err != nil {
		r.err = err
		return 0
	}
	return v
}

func (r *reader) bool() bool { return r.uint() == 1 }

// layer reads the i-th layer of the filter, whose size must be the one that it has here: the length in the file must
// not ask for all memory, nor a layer answer for bits that it does not have.
func (r *reader) layer(i int) *bloom.BloomFilter {
	head, err := r.r.Peek(3 * 8) // bits, hashes, bits of the set that follows
	if r.err == nil {
		r.err = err
	}
	if r.err != nil {
		return nil
	}
	bits, hashes := bloom.EstimateParameters(filterFirstLayer<<min(i, maxLayers), filterFalsePositive)
	word := func(n int) uint64 { return binary.BigEndian.Uint64(head[8*n:]) }
	if i >= maxLayers || word(0) != uint64(bits) || word(1) != uint64(hashes) || word(2) != uint64(bits) {
		r.err = fmt.Errorf("layer %d of the filter has another size", i)
		return nil
	}
	l := &bloom.BloomFilter{}
	_, r.err = l.ReadFrom(r.r)
	return l
}

// maxLayers of the filter hold 2 billion subjects.
const maxLayers = 11

// items yields once for each item that follows, and stops at an error.
func (r *reader) items(yield func() bool) {
	for n := r.uint(); n > 0 && r.err == nil && yield(); n-- {
	}
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if n > maxItem {
		r.err = fmt.Errorf("item of %d bytes", n)
		return nil
	}
	b := make([]byte, n)
	if r.err == nil {
		_, r.err = io.ReadFull(r.r, b)
	}
	return b
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) strings() []string {
	var ss []string
	for range r.items {
		ss = append(ss, r.string())
	}
	return ss
}

func (r *reader) time() time.Time {
	if ms := r.uint(); ms != 0 {
		return time.UnixMilli(int64(ms)).UTC()
	}
	return time.Time{}
}

func (r *reader) key() event.Key {
	return event.Key{Center: r.string(), Kind: event.Kind(r.uint()), ID: r.string()}
}

func (r *reader) stored() []stored {
	var events []stored
	for range r.items {
		s := stored{id: r.uint(), live: r.bool()}
		copy(s.digest[:], r.bytes())
		s.payload = r.bytes()
		events = append(events, s)
	}
	return events
}
