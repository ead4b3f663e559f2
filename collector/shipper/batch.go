package shipper

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/otel/attribute"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/tracker"
)

// ship brings one batch into ClickHouse. Every step may be repeated; the cursor moves last.
func (s *Shipper) ship(ctx context.Context, b *batch) error {
	began := s.cfg.Now()
	s.beginBatch()
	links, more := s.cfg.Links.Links(uint64(b.start), uint64(b.end))
	ctx, span := telemetry.StartBatch(ctx, s.cfg.Tracer, "ship batch", links, more,
		attribute.Int("monev112.events", len(b.events)))
	defer span.End()
	if s.cursor.End != b.end {
		c := s.cursor
		c.End = b.end
		if err := s.retry(ctx, "cursor", func(context.Context) error { return s.writeCursor(c) }); err != nil {
			return err
		}
	}
	var fresh []*event.Event
	if err := s.retry(ctx, "read back", func(ctx context.Context) (err error) {
		fresh, err = s.complete(ctx, b)
		return err
	}); err != nil {
		return err
	}
	if len(fresh) > 0 {
		if err := s.retry(ctx, "insert", func(ctx context.Context) error { return s.insert(ctx, b, fresh) }); err != nil {
			return err
		}
	}
	faultpoint.Hit("shipper.insert")
	rows, err := s.upsert(ctx, b.keys)
	if err != nil {
		return err
	}
	faultpoint.Hit("shipper.upsert")
	c := s.cursor
	c.Start, c.End = b.end, b.end
	if err := s.retry(ctx, "cursor", func(context.Context) error { return s.writeCursor(c) }); err != nil {
		return err
	}
	faultpoint.Hit("shipper.cursor")
	if s.cursor.Start >= s.keptUntil {
		s.keptBefore = nil
	}
	s.progress.advance(b.end)
	s.cfg.Observer.BatchStored(b.start, b.end, len(b.events), rows, s.cfg.Now().Sub(began))
	return nil
}

// complete loads the cases that the board does not know, and returns the events of the batch that ClickHouse does not
// hold yet. An event that it holds with other content came twice, too far apart for the list of recent ids: what was
// stored first stands, and the other is kept apart.
func (s *Shipper) complete(ctx context.Context, b *batch) ([]*event.Event, error) {
	for round := 0; ; round++ {
		missing := s.board.MissingCases(b.keys)
		if len(missing) == 0 {
			break
		}
		if round == maxRounds {
			return nil, fmt.Errorf("%d cases are still unknown after %d rounds of reading back", len(missing), round)
		}
		loaded, err := s.readCases(ctx, missing)
		if err != nil {
			return nil, err
		}
		for i := range loaded {
			for _, e := range loaded[i].Events {
				b.held[eventID{e.Key(), e.Source, e.ID}] = e.Digest
			}
		}
		s.board.Load(loaded)
	}
	if err := s.findSingles(ctx, b); err != nil {
		return nil, err
	}
	fresh := make([]*event.Event, 0, len(b.events))
	var conflicts []*event.Event
	var payloads [][]byte
	verdicts := s.board.Recognize(b.events)
	for i, e := range b.events {
		id := eventID{e.Key(), e.Source, e.ID}
		digest, held := b.held[id]
		if verdicts != nil && verdicts[i] == tracker.Conflict || single(e) && held && digest != e.Digest {
			conflicts, payloads = append(conflicts, e), append(payloads, b.payloads[i])
			continue
		}
		if held && digest == e.Digest {
			continue
		}
		fresh = append(fresh, e)
		if single(e) {
			b.held[id] = e.Digest // the batch may say it twice
		}
	}
	return fresh, s.keepConflicts(conflicts, payloads)
}

// single reports whether no case remembers e, and it has content that another of its id could contradict: events of
// agents and of the office. A heartbeat has none.
func single(e *event.Event) bool { return e.Kind == event.KindAgent || e.Kind.OfOffice() }

// findSingles notes what ClickHouse holds of the batch's events that no case remembers: one that came with other
// content would take the place of the first.
func (s *Shipper) findSingles(ctx context.Context, b *batch) error {
	var singles []*event.Event
	for _, e := range b.events {
		if single(e) {
			singles = append(singles, e)
		}
	}
	if len(singles) == 0 {
		return nil
	}
	digests, err := s.sink.StoredDigests(ctx, singles)
	if err != nil {
		return err
	}
	for i, e := range singles {
		if id := (eventID{e.Key(), e.Source, e.ID}); digests[i] != (event.Digest{}) {
			b.held[id] = digests[i]
		} else {
			delete(b.held, id) // of an attempt that did not reach ClickHouse
		}
	}
	return nil
}

// eventID is what makes an event one row in ClickHouse.
type eventID struct {
	key        event.Key
	source, id string
}

// maxRounds bounds how far links are followed: a call's tickets, their calls.
const maxRounds = 8

// readCases reads cases back; one that ClickHouse does not hold comes back empty, which makes it known too.
func (s *Shipper) readCases(ctx context.Context, keys []event.Key) ([]tracker.Loaded, error) {
	loaded, err := s.sink.ReadCases(ctx, keys)
	if err != nil {
		return nil, err
	}
	found := make(map[event.Key]struct{}, len(loaded))
	for i := range loaded {
		found[loaded[i].Key] = struct{}{}
	}
	for _, k := range keys {
		if _, ok := found[k]; !ok {
			loaded = append(loaded, tracker.Loaded{Key: k})
		}
	}
	return loaded, nil
}

// beginBatch forgets what was found out about the rows of the batch before.
func (s *Shipper) beginBatch() {
	clear(s.deadLettered)
	s.eventRows.taken, s.caseRows.taken = false, false
}

// insert stores events; those that ClickHouse refuses are given up. The token names the journal, the batch and the very
// rows: a token used again for other rows would make ClickHouse drop them without an error.
func (s *Shipper) insert(ctx context.Context, b *batch, events []*event.Event) error {
	if len(s.deadLettered) > 0 { // in an earlier attempt
		events = slices.DeleteFunc(slices.Clone(events), func(e *event.Event) bool { return s.deadLettered[eventRowKey(e)] })
	}
	var refused []refusedRow
	err := s.insertHalves(ctx, b, events, &refused)
	return cmp.Or(s.giveUp(ctx, &s.eventRows, eventsTable, refused), err)
}

// insertHalves halves events around the rows that ClickHouse refuses.
func (s *Shipper) insertHalves(ctx context.Context, b *batch, events []*event.Event, refused *[]refusedRow) error {
	if len(events) == 0 {
		return nil
	}
	err := s.sink.InsertEvents(ctx, events, s.token(b, events))
	if err == nil {
		s.eventRows.took(events)
		return nil
	}
	if !s.sink.Permanent(err) {
		return err
	}
	if len(events) == 1 {
		e := events[0]
		*refused = append(*refused, refusedRow{eventRowKey(e), event.AppendBinary(nil, e), err.Error()})
		return s.suspect(ctx, &s.eventRows, len(*refused))
	}
	half := len(events) / 2
	if err := s.insertHalves(ctx, b, events[:half], refused); err != nil {
		return err
	}
	return s.insertHalves(ctx, b, events[half:], refused)
}

func (s *Shipper) token(b *batch, events []*event.Event) string {
	var d xxhash.Digest
	d.Reset()
	for _, e := range events {
		_, _ = d.Write(e.Digest[:])
		_, _ = d.WriteString(e.Source)
		_, _ = d.WriteString(e.ID)
	}
	journal := s.cursor.Journal
	if b.start < s.cursor.Again { // ClickHouse may know the token and have lost the rows
		journal += "@" + s.cursor.Boot
	}
	return fmt.Sprintf("%s:events:%d:%d:%d:%016x", journal, b.start, b.end, len(events), d.Sum64())
}

// upsert stores the rows of the cases that changed, and returns how many.
func (s *Shipper) upsert(ctx context.Context, keys []event.Key) (int, error) {
	n := 0
	for first := true; first || len(keys) > 0; first = false {
		chunk := keys[:min(len(keys), upsertRows)]
		keys = keys[len(chunk):]
		rows := s.board.Rows(chunk)
		if len(rows) > 0 {
			if err := s.retry(ctx, "upsert", func(ctx context.Context) error { return s.upsertRows(ctx, rows) }); err != nil {
				return n, err
			}
		}
		s.board.MarkStored(rows)
		n += len(rows)
	}
	return n, nil
}

// upsertRows bounds how many cases are folded and sent at once.
const upsertRows = 20_000

func (s *Shipper) upsertRows(ctx context.Context, rows []tracker.Row) error {
	if len(s.deadLettered) > 0 {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r tracker.Row) bool { return s.deadLettered[caseRowKey(r.Key)] })
	}
	var refused []refusedRow
	err := s.upsertHalves(ctx, rows, &refused)
	return cmp.Or(s.giveUp(ctx, &s.caseRows, casesTable, refused), err)
}

// upsertHalves halves rows around those that ClickHouse refuses.
func (s *Shipper) upsertHalves(ctx context.Context, rows []tracker.Row, refused *[]refusedRow) error {
	if len(rows) == 0 {
		return nil
	}
	s.version++
	err := s.sink.Upsert(ctx, rows, s.version)
	if err == nil {
		s.caseRows.took(nil)
		return nil
	}
	if !s.sink.Permanent(err) {
		return err
	}
	if len(rows) == 1 {
		key := rows[0].Key
		*refused = append(*refused, refusedRow{caseRowKey(key), appendKey(nil, key), err.Error()})
		return s.suspect(ctx, &s.caseRows, len(*refused))
	}
	half := len(rows) / 2
	if err := s.upsertHalves(ctx, rows[:half], refused); err != nil {
		return err
	}
	return s.upsertHalves(ctx, rows[half:], refused)
}
