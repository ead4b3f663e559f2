package shipper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
// neither sends nor buries them again.
type rowKey struct {
	table string
	id    eventID
}

func eventRowKey(e *event.Event) rowKey { return rowKey{eventsTable, eventID{e.Key(), e.Source, e.ID}} }
func caseRowKey(k event.Key) rowKey     { return rowKey{casesTable, eventID{key: k}} }

// budget bounds how many dead letters a minute may see: more are no bad rows but a bad schema.
type budget struct {
	perMinute int
	minute    time.Time
	used      int
}

// deadLetter gives a row up. Over the budget it refuses, and the batch is tried again as a whole.
func (s *Shipper) deadLetter(l rowKey, payload []byte, reason string) error {
	if s.deadLettered[l] {
		return nil
	}
	now := s.cfg.Now()
	if m := now.Truncate(time.Minute); !m.Equal(s.budget.minute) {
		s.budget.minute, s.budget.used = m, 0
	}
	if s.budget.used >= s.budget.perMinute {
		return fmt.Errorf("more than %d dead letters a minute: shipping stops until the next; last: %s", s.budget.perMinute,
			reason)
	}
	if err := s.dead.Add(payload, l.table, reason, now); err != nil {
		return fmt.Errorf("keep a dead letter: %w", err)
	}
	s.budget.used++
	s.deadLettered[l] = true
	s.cfg.Observer.DeadLetter(l.table)
	s.cfg.Log.Error("row moved to the dead letters", "table", l.table, "reason", reason)
	return nil
}

// errUnusable is a dead letter that no further attempt can store.
var errUnusable = errors.New("can never be stored")

// requeue tries the dead letters again that an operator marked. What ClickHouse refuses again stays where it is; while
// ClickHouse is away the marks wait.
func (s *Shipper) requeue(ctx context.Context) {
	n, err := s.dead.Requeued(func(payload []byte, table string) (later bool, err error) {
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
