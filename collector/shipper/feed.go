package shipper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/journal"
)

// batch is a stretch of the journal on its way to ClickHouse.
type batch struct {
	start, end journal.Position
	events     []*event.Event
	payloads   [][]byte
	keys       []event.Key // of the cases touched, each once
	seen       map[event.Key]struct{}
	held       map[eventID]event.Digest // what ClickHouse was found to hold of those that the board did not know
	// where the events lie: in pieces, since one array that grows would be copied again and again
	slabs [][]event.Event
}

// slabEvents is the size of a piece.
const slabEvents = 1024

func newBatch() *batch {
	return &batch{seen: map[event.Key]struct{}{}, held: map[eventID]event.Digest{}}
}

// feed reads batches from the journal, one ahead of the one that is being shipped: to read and decode takes the
// processor, to ship waits for ClickHouse.
type feed struct {
	reader  *journal.Reader
	rows    int // limits of a batch
	bytes   int
	linger  time.Duration // Config.Linger
	now     func() time.Time
	last    time.Time     // when the last record that was read had been appended
	at      cursor        // the next batch begins at Start; End, when beyond, is where it must end
	batches chan feedItem // unbuffered: one batch waits at most
	used    chan *batch   // shipped ones, to be used again
	upTo    journal.Position
	// unreadable is why there is no reader.
	unreadable error
}

// feedItem is a batch, or a position before which no further record lies, or the reason why there is neither.
type feedItem struct {
	batch *batch
	upTo  journal.Position
	err   error
}

func (s *Shipper) newFeed(r *journal.Reader) *feed {
	return &feed{
		reader: r, rows: s.cfg.BatchRows, bytes: s.cfg.BatchBytes, linger: s.cfg.Linger, now: s.cfg.Now, at: s.cursor,
		batches: make(chan feedItem), used: make(chan *batch, 1),
	}
}

// run reads until ctx ends or the journal cannot be read, which it says last.
func (f *feed) run(ctx context.Context) {
	for {
		b, err := f.next(ctx)
		next := feedItem{batch: b, err: err}
		if b == nil && err == nil {
			next.upTo = f.upTo
		}
		select {
		case f.batches <- next:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// next reads the next batch, waiting until there is one. It returns nil when the journal goes on without a record up to
// upTo: a group may be empty, such as the one that proves at a start that the journal can write.
func (f *feed) next(ctx context.Context) (*batch, error) {
	if f.reader == nil {
		return nil, f.unreadable
	}
	var b *batch
	size := 0
	begin := func() {
		b = f.emptyBatch()
		b.start, b.end = f.at.Start, f.at.Start
	}
	add := func(rec journal.Record) error {
		if err := event.DecodeBinary(rec.Payload, b.add()); err != nil {
			return fmt.Errorf("record before position %d: %w", rec.End, err)
		}
		b.payloads, b.end, f.last = append(b.payloads, rec.Payload), rec.End, rec.Time
		size += len(rec.Payload)
		return nil
	}
	if f.at.End > f.at.Start { // an unfinished batch: exactly the same again
		begin()
		for b.end < f.at.End {
			rec, ok, err := f.reader.TryNext()
			if err != nil {
				return nil, err
			}
			if !ok {
				break // the journal held all of it once: the rest is lost, and waiting would hold up the board
			}
			if err := add(rec); err != nil {
				return nil, err
			}
		}
		if len(b.events) > 0 {
			return f.ready(b), nil
		}
		f.at.End = f.at.Start
	}
	before := f.last
	rec, err := f.first(ctx)
	if err != nil || rec.End == 0 {
		return nil, err
	}
	begin() // not before: who waits keeps no memory that trim should free
	if err := add(rec); err != nil {
		return nil, err
	}
	over := time.NewTimer(f.lingerFor(before, rec.Time))
	defer over.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for lingering := true; len(b.events) < f.rows && size < f.bytes; {
		rec, ok, err := f.reader.TryNext()
		switch {
		case isDamage(err):
			return f.ready(b), nil // what lies before it is shipped; the next call meets it again
		case err != nil:
			return nil, err
		case ok:
			if err := add(rec); err != nil {
				return nil, err
			}
			continue
		case !lingering:
			return f.ready(b), nil
		}
		select {
		case <-over.C:
			lingering = false
		case <-look.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return f.ready(b), nil
}

// isDamage reports whether the journal cannot be read on until an operator passes over a damaged place.
func isDamage(err error) bool {
	var damage *journal.CorruptError
	return errors.As(err, &damage)
}

// lookEvery is how often a batch that lingers reads what has come: to be woken for each event would cost more than to
// read it.
const lookEvery = 100 * time.Millisecond

// lingerFor is how much longer a batch waits whose first event was appended then and the one before it before: few
// events in many batches would keep the processors busy with storing, and those waiting who want an acknowledgement.
// What lay in the journal has waited already.
func (f *feed) lingerFor(before, appended time.Time) time.Duration {
	linger := f.linger
	if appended.Sub(before) >= linger {
		linger /= 5
	}
	return linger - min(max(f.now().Sub(appended), 0), linger)
}

// first waits for the first record of a batch. Without a record or an error upTo has moved.
func (f *feed) first(ctx context.Context) (journal.Record, error) {
	for {
		rec, ok, err := f.reader.TryNext()
		if err != nil || ok {
			return rec, err
		}
		if at := f.reader.Position(); at > f.upTo && at > f.at.Start {
			f.upTo = at
			return journal.Record{}, nil
		}
		wait, stop := context.WithTimeout(ctx, idleTick)
		rec, err = f.reader.Next(wait)
		stop()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return rec, err
		}
	}
}

func (f *feed) ready(b *batch) *batch {
	f.at.Start, f.at.End = b.end, b.end
	return b.ready()
}

// emptyBatch returns a batch without content.
func (f *feed) emptyBatch() *batch {
	select {
	case b := <-f.used:
		return b
	default:
		return newBatch()
	}
}

// recycle takes a shipped batch back, so that its memory serves the next. Nobody may hold on to its events.
func (f *feed) recycle(b *batch) {
	if len(b.slabs)*slabEvents > 4*max(len(b.events), slabEvents) { // a burst is over: let its memory go
		return
	}
	for _, e := range b.events {
		*e = event.Event{}
	}
	clear(b.payloads)
	clear(b.keys)
	clear(b.seen)
	clear(b.held)
	b.events, b.payloads, b.keys = b.events[:0], b.payloads[:0], b.keys[:0]
	select {
	case f.used <- b:
	default:
	}
}

// trim frees what recycle kept.
func (f *feed) trim() {
	select {
	case <-f.used:
	default:
	}
}

// idleTick is how often an idle shipper looks at its other duties.
const idleTick = time.Second

// add returns the room of one more event.
func (b *batch) add() *event.Event {
	n := len(b.events)
	if n == len(b.slabs)*slabEvents {
		b.slabs = append(b.slabs, make([]event.Event, slabEvents))
	}
	e := &b.slabs[n/slabEvents][n%slabEvents]
	b.events = append(b.events, e)
	return e
}

// ready finds what is in the batch.
func (b *batch) ready() *batch {
	for _, e := range b.events {
		if e.Kind != event.KindCall && e.Kind != event.KindTicket {
			continue
		}
		k := e.Key()
		if _, ok := b.seen[k]; !ok {
			b.seen[k] = struct{}{}
			b.keys = append(b.keys, k)
		}
	}
	return b
}
