package shipper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// The tables of dead letters, as they are listed. The payload of an event is its journal form; that of a case is its
// key.
const (
	eventsTable = "events"
	casesTable  = "cases"
)

const conflictReason = "another event with this source and id was stored before"

// rowKey names a row that was given up. The rows of the batch under way are remembered, so that a later attempt at it
// neither sends nor keeps them again. Of one id several contents may come.
type rowKey struct {
	table  string
	id     eventID
	digest event.Digest
}

func eventRowKey(e *event.Event) rowKey {
	return rowKey{eventsTable, eventID{e.Key(), e.Source, e.ID}, e.Digest}
}
func caseRowKey(k event.Key) rowKey { return rowKey{table: casesTable, id: eventID{key: k}} }

// refusedRow is a row that ClickHouse refuses.
type refusedRow struct {
	key     rowKey
	payload []byte
	reason  string
}

// refusals bounds, for one table, how many rows are given up. Where ClickHouse takes some row, those that it refuses
// are bad rows, however many, and live data must not wait for them. Where it takes none, it is a bad schema: rows wait
// in the journal until someone has mended it, but for a few a minute, since a small batch may be all bad.
type refusals struct {
	perMinute int
	minute    time.Time
	used      int
	taken     bool // a row since the batch began
	// witness is an event that ClickHouse took once, without anything that may have been blanked since; nil is none.
	witness *event.Event
}

// left returns how many rows may still be given up in this minute.
func (r *refusals) left(now time.Time) int {
	if r.taken {
		return math.MaxInt
	}
	if m := now.Truncate(time.Minute); !m.Equal(r.minute) {
		r.minute, r.used = m, 0
	}
	return max(0, r.perMinute-r.used)
}

// took notes rows that ClickHouse took.
func (r *refusals) took(events []*event.Event) {
	r.taken = true
	if r.witness != nil {
		return
	}
	if i := slices.IndexFunc(events, plain); i >= 0 {
		witness := *events[i]
		witness.Detach()
		r.witness = &witness
	}
}

// plain reports whether an event has nothing that is blanked in time.
func plain(e *event.Event) bool {
	return e.Caller == (event.Caller{}) && e.Lat == nil && e.Lon == nil && len(e.Attributes) == 0
}

// errNoneTaken says that ClickHouse refuses many rows and takes none: they wait.
var errNoneTaken = errors.New("ClickHouse takes no row at all; is its schema right?")

// suspect reports errNoneTaken when n more rows must not be given up now: too many were, and nothing shows that
// ClickHouse takes any. An event that it took before is asked for as a witness.
func (s *Shipper) suspect(ctx context.Context, r *refusals, n int) error {
	if n <= r.left(s.cfg.Now()) {
		return nil
	}
	if r == &s.eventRows && r.witness == nil {
		if err := s.findWitness(ctx); err != nil {
			return err
		}
	}
	if r.witness == nil {
		return errNoneTaken
	}
	err := s.sink.InsertEvents(ctx, []*event.Event{r.witness},
		fmt.Sprintf("%s:witness:%d", s.cursor.Journal, s.cfg.Now().UnixNano()))
	switch {
	case err == nil:
		r.taken = true
	case s.sink.Permanent(err):
		return fmt.Errorf("%w Last: %w", errNoneTaken, err)
	}
	return err
}

// findWitness looks for an event that ClickHouse took in an earlier life of this process.
func (s *Shipper) findWitness(ctx context.Context) error {
	keys, err := s.sink.OpenCases(ctx, s.cfg.Now().Add(-bootstrapReach))
	if err != nil {
		return err
	}
	cases, err := s.sink.ReadCases(ctx, keys[:min(len(keys), 100)])
	for i := range cases {
		for _, e := range cases[i].Events {
			if plain(e) {
				s.eventRows.witness = e
				return nil
			}
		}
	}
	return err
}

// giveUp moves rows to the dead letters, as many as may be now; the others are tried again with the batch.
func (s *Shipper) giveUp(ctx context.Context, r *refusals, table string, rows []refusedRow) error {
	if len(rows) == 0 {
		return nil
	}
	err := s.suspect(ctx, r, len(rows))
	now := s.cfg.Now()
	n := min(len(rows), r.left(now))
	if kept := s.keepRows(table, rows[:n], now); kept != nil {
		return fmt.Errorf("keep dead letters: %w", kept)
	}
	if !r.taken {
		r.used += n
	}
	return err
}

func (s *Shipper) keepRows(table string, rows []refusedRow, now time.Time) error {
	var payloads [][]byte
	var sources, reasons []string
	for _, r := range rows {
		if !s.keptBefore[sum(r.payload)] {
			payloads, sources = append(payloads, r.payload), append(sources, r.key.id.source)
			reasons = append(reasons, r.reason)
		}
	}
	if len(payloads) > 0 {
		if err := s.dead.AddRows(table, payloads, sources, reasons, now); err != nil {
			return err
		}
		s.cfg.Observer.DeadLetters(table, len(payloads))
		s.cfg.Log.Error("rows moved to the dead letters", "table", table, "rows", len(payloads), "reason", reasons[0])
	}
	for _, r := range rows {
		s.deadLettered[r.key] = true
	}
	return nil
}

// keepConflicts keeps accepted events apart that contradict what is stored. They are no bad rows: there may be any
// number of them, and nothing waits.
func (s *Shipper) keepConflicts(events []*event.Event, payloads [][]byte) error {
	var fresh []*event.Event
	var kept [][]byte
	bySource := map[string]int{}
	for i, e := range events {
		if key := eventRowKey(e); !s.deadLettered[key] && !s.keptBefore[sum(payloads[i])] {
			fresh, kept = append(fresh, e), append(kept, slices.Clone(payloads[i]))
			bySource[e.Source]++
		}
	}
	if len(fresh) > 0 {
		if err := s.dead.AddConflicts(fresh, kept, conflictReason, s.cfg.Now()); err != nil {
			return fmt.Errorf("keep conflicts: %w", err)
		}
		for source, n := range bySource {
			s.cfg.Observer.Conflicts(source, n)
			s.cfg.Log.Warn("events that contradict stored ones are kept apart", "source", source, "events", n)
		}
	}
	for _, e := range events {
		s.deadLettered[eventRowKey(e)] = true
	}
	return nil
}

// payloadSum names a payload.
type payloadSum [16]byte

func sum(payload []byte) payloadSum {
	full := sha256.Sum256(payload)
	return payloadSum(full[:16])
}

// rememberKept notes what was kept by an earlier process, when a part of the journal is sent again: a batch whose end
// that process did not reach, or everything after a crash of the host. What it gave up then is given up, not kept
// twice.
func (s *Shipper) rememberKept() error {
	s.keptBefore = nil
	if max(s.cursor.End, s.cursor.Again) <= s.cursor.Start {
		return nil
	}
	kept := map[payloadSum]bool{}
	if err := s.dead.EachPayload(func(_ string, payload []byte) { kept[sum(payload)] = true }); err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	s.keptBefore, s.keptUntil = kept, max(s.cursor.End, s.cursor.Again)
	return nil
}

// retryAtOnce bounds how many dead letters are tried again between two batches: live data must not wait for them.
const retryAtOnce = 50

// errUnusable is a dead letter that no further attempt can store.
var errUnusable = errors.New("can never be stored")

// requeue tries the dead letters again that an operator marked. What ClickHouse refuses again stays where it is; while
// ClickHouse is away the marks wait.
func (s *Shipper) requeue(ctx context.Context) {
	n, err := s.dead.Requeued(retryAtOnce, func(payload []byte, table string) (later bool, err error) {
		err = s.retryDeadLetter(ctx, payload, table)
		return err != nil && !errors.Is(err, errUnusable) && !s.sink.Permanent(err), err
	})
	if n > 0 || err != nil {
		s.cfg.Log.Info("dead letters retried", "stored", n, "error", err)
	}
}

func (s *Shipper) retryDeadLetter(ctx context.Context, payload []byte, table string) error {
	if table == casesTable {
		key, ok := parseKey(payload)
		if !ok {
			return fmt.Errorf("dead letter of %s: no key: %w", table, errUnusable)
		}
		return s.retryCase(ctx, key)
	}
	var e event.Event
	if err := event.DecodeBinary(payload, &e); err != nil {
		return fmt.Errorf("dead letter of %s: %w: %w", table, errUnusable, err)
	}
	return s.retryEvent(ctx, &e, payload)
}

// retryEvent stores an event. The board may not hold it: a case that was read back since lacks what ClickHouse refused.
func (s *Shipper) retryEvent(ctx context.Context, e *event.Event, payload []byte) error {
	key := e.Key()
	isCase := key.Kind == event.KindCall || key.Kind == event.KindTicket
	verdict := tracker.Duplicate
	if isCase {
		if err := s.load(ctx, []event.Key{key}); err != nil {
			return err
		}
		verdict = tracker.NewEvent
		if v := s.board.Recognize([]*event.Event{e}); v != nil {
			verdict = v[0]
		}
	}
	if verdict == tracker.Conflict {
		return fmt.Errorf("%s: %w", conflictReason, errUnusable)
	}
	events := []*event.Event{e}
	if err := s.sink.InsertEvents(ctx, events, s.token(&batch{}, events)); err != nil {
		return err
	}
	if !isCase {
		return nil
	}
	if verdict == tracker.NewEvent {
		s.board.Apply(e, payload, uint64(s.Shipped()), false)
		if err := s.load(ctx, []event.Key{key}); err != nil { // what it links
			return err
		}
	}
	rows := s.board.Rows([]event.Key{key})
	if len(rows) == 0 {
		return nil
	}
	s.version++
	if err := s.sink.Upsert(ctx, rows, s.version); err != nil {
		return err
	}
	s.board.MarkStored(rows)
	return nil
}

// retryCase stores the row of a case as it is now.
func (s *Shipper) retryCase(ctx context.Context, key event.Key) error {
	if err := s.load(ctx, []event.Key{key}); err != nil {
		return err
	}
	row, _, ok := s.board.Case(key)
	if !ok {
		return fmt.Errorf("no event of the case is known: %w", errUnusable)
	}
	s.version++
	return s.sink.Upsert(ctx, []tracker.Row{row}, s.version)
}

// appendKey appends a case's key: kind, centre and id, each but the last ended by a zero byte.
func appendKey(b []byte, k event.Key) []byte {
	b = append(append(b, k.Kind.String()...), 0)
	b = append(append(b, k.Center...), 0)
	return append(b, k.ID...)
}

func parseKey(b []byte) (event.Key, bool) {
	parts := bytes.SplitN(b, []byte{0}, 3)
	if len(parts) != 3 {
		return event.Key{}, false
	}
	kind, ok := event.ParseKind(string(parts[0]))
	return event.Key{Kind: kind, Center: string(parts[1]), ID: string(parts[2])}, ok
}
