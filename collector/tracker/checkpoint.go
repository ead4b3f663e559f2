package tracker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/bits-and-blooms/bloom/v3"

	"github.com/monev112/monev112/collector/event"
)

// checkpointVersion is the first byte of a board's checkpoint; another version is refused and the journal replayed.
// Version 3 has no feeds, and masters in it may lack their members; version 4 does not know which calls are tests.
const checkpointVersion = 5

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
	for en := range b.evictable { // in their order
		save(en)
	}
	for _, en := range b.cases {
		if en.idle == nil {
			save(en)
		}
	}
	for k, a := range b.agents {
		c.agents = append(c.agents, savedAgent{k, slices.Clone(a.events)})
	}
	for k, con := range b.evictedCounts {
		c.counts = append(c.counts, savedCount{k, con})
	}
	for s, at := range b.sources {
		c.sources = append(c.sources, savedSource{s, at})
	}
	for k, f := range b.feeds {
		c.feeds = append(c.feeds, savedAgent{k, f.events})
	}
	return func(to io.Writer) error {
		w := &codec{w: bufio.NewWriterSize(to, 1<<16)}
		c.code(w)
		if w.err == nil {
			w.err = w.w.Flush()
		}
		return w.err
	}
}

// checkpoint is what a board must remember.
type checkpoint struct {
	complete, trusted bool
	inLast            uint
	layers            []*bloom.BloomFilter
	cases             []remembered
	agents            []savedAgent
	counts            []savedCount
	sources           []savedSource
	feeds             []savedAgent
}

type savedAgent struct {
	key    event.Key
	events []stored
}

type savedCount struct {
	key    event.Key
	counts contribution
}

type savedSource struct {
	name   string
	lastAt time.Time
}

// code writes or reads the checkpoint: it is the format.
func (p *checkpoint) code(c *codec) {
	version := uint64(checkpointVersion)
	if num(c, &version); c.err == nil && version != checkpointVersion {
		c.err = fmt.Errorf("version %d, this program writes %d", version, checkpointVersion)
	}
	c.bool(&p.complete)
	c.bool(&p.trusted)
	num(c, &p.inLast)
	layer := 0
	items(c, &p.layers, func(l **bloom.BloomFilter) {
		c.layer(l, layer)
		layer++
	})
	items(c, &p.cases, c.remembered)
	items(c, &p.agents, func(a *savedAgent) {
		c.key(&a.key)
		items(c, &a.events, c.stored)
	})
	items(c, &p.counts, func(s *savedCount) {
		c.key(&s.key)
		num(c, &s.counts.quarter)
		num(c, &s.counts.bits)
	})
	items(c, &p.sources, func(s *savedSource) {
		c.string(&s.name)
		c.time(&s.lastAt)
	})
	items(c, &p.feeds, func(f *savedAgent) {
		c.key(&f.key)
		items(c, &f.events, c.stored)
	})
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
	var c checkpoint
	r := &codec{r: bufio.NewReaderSize(from, 1<<16)}
	if c.code(r); r.err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, r.err)
	}
	b.complete = c.complete
	b.filter = filter{trusted: c.trusted, layers: c.layers, inLast: c.inLast}
	read := make([]*entry, len(c.cases))
	for i := range c.cases {
		en := &entry{remembered: c.cases[i]}
		en.center, _ = b.center(en.key.Center)
		en.count()
		b.cases[en.key], read[i] = en, en
	}
	for _, a := range c.agents {
		if ctr, _ := b.center(a.key.Center); ctr != nil {
			b.agents[a.key] = &agent{center: ctr, events: a.events}
			b.agents[a.key].fold(b.scratch.decode(a.events))
		}
	}
	for _, s := range c.counts {
		if ctr, _ := b.center(s.key.Center); ctr != nil {
			b.evictedCounts[s.key] = s.counts
			ctr.count(s.counts, +1)
		}
	}
	for _, s := range c.sources {
		b.sources[s.name] = s.lastAt
	}
	for _, s := range c.feeds {
		f := &carrier{events: s.events}
		b.foldFeed(f)
		b.feeds[s.key] = f
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
	b.foldQueued()
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
