package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/monev112/monev112/collector/event"
)

// InsertEvents writes events as they are. token names this very batch: repeating an insert whose outcome is unknown
// with the same events, in the same order, and the same token adds nothing, even before ClickHouse merges duplicates
// away. A token must never be used for other events: ClickHouse would drop them without an error. Batches beyond
// maxInsertRows, or that touch more years than one insert may, go as several inserts with tokens derived from token.
func (s *Store) InsertEvents(ctx context.Context, events []*event.Event, token string) error {
	return s.insertChunks(ctx, eventChunks(events, maxInsertRows, maxInsertYears), token)
}

func (s *Store) insertChunks(ctx context.Context, chunks [][]*event.Event, token string) error {
	for i, chunk := range chunks {
		t := token
		if t != "" && len(chunks) > 1 {
			t = fmt.Sprintf("%s/%d", token, i)
		}
		if err := s.insert(ctx, eventBlock(chunk), len(chunk), t); err != nil {
			return err
		}
	}
	return nil
}

// maxInsertYears keeps an insert below the 100 partitions that ClickHouse allows one to touch.
const maxInsertYears = 60

// eventChunks cuts a batch into inserts; the cut depends on the events alone, so that a retry is cut the same way.
func eventChunks(events []*event.Event, maxRows, maxYears int) [][]*event.Event {
	if len(events) == 0 {
		return nil
	}
	var out [][]*event.Event
	start := 0
	var years []int
	for i, e := range events {
		y := e.OccurredAt.Year()
		isNew := !slices.Contains(years, y)
		if i-start >= maxRows || isNew && len(years) >= maxYears {
			out = append(out, events[start:i])
			start, years, isNew = i, years[:0], true
		}
		if isNew {
			years = append(years, y)
		}
	}
	return append(out, events[start:])
}

// eventColumn makes one column of the table events.
type eventColumn func([]*event.Event) blockColumn

// fieldOf makes the column of one field of an event.
func fieldOf[T any](name string, send func(string, []T) blockColumn, value func(*event.Event) T) eventColumn {
	return func(events []*event.Event) blockColumn {
		return piecewise(events, name, send, func(e **event.Event) T { return value(*e) })
	}
}

// How the fields of an event go over HTTP, beside texts, instants and nullInstants.
func digests(name string, v [][]byte) blockColumn      { return all(name, "FixedString(16)", v) }
func nullFloats(name string, v []*float64) blockColumn { return all(name, "Nullable(Float64)", v) }
func nullInts(name string, v []*int64) blockColumn     { return all(name, "Nullable(Int64)", v) }
func uint32s(name string, v []uint32) blockColumn      { return all(name, "UInt32", v) }
func textLists(name string, v [][]string) blockColumn  { return each(name, "Array(String)", v) }
func textMaps(name string, v []map[string]string) blockColumn {
	return each(name, "Map(String, String)", v)
}

const eventsTable = "events"

// eventBlock maps events to columns.
func eventBlock(events []*event.Event) block {
	out := block{table: eventsTable}
	for _, column := range newEventColumns() {
		out.columns = append(out.columns, column(events))
	}
	return out
}

// EventColumn is one column of the table events as it is sent over HTTP.
type EventColumn struct {
	Name, Wire string
	Append     func(driver.BatchColumn) error
}

// EventColumns makes the columns that InsertEvents sends, for measuring what ClickHouse can take.
func EventColumns(events []*event.Event) []EventColumn {
	columns := eventBlock(events).columns
	out := make([]EventColumn, len(columns))
	for i, c := range columns {
		out[i] = EventColumn{c.name, string(c.wire), c.append}
	}
	return out
}

// eventRow is a row of eventColumns as it is read, with the values that an Event has in another form.
type eventRow struct {
	event.Event
	rawType, rawKind, rawDigest string
	rawDue                      *time.Time
}

// event returns what the row says.
func (r *eventRow) event() (*event.Event, error) {
	e := &r.Event
	var ok bool
	if e.Kind, ok = event.ParseKind(r.rawKind); !ok {
		return nil, fmt.Errorf("event %s of %s: subject_kind %q is not known to this version", e.ID, e.Source, r.rawKind)
	}
	if e.Type, ok = event.ParseType(event.TypePrefix + r.rawType); !ok {
		return nil, fmt.Errorf("event %s of %s: type %q is not known to this version", e.ID, e.Source, r.rawType)
	}
	copy(e.Digest[:], r.rawDigest)
	e.OccurredAt, e.ReceivedAt = e.OccurredAt.UTC(), e.ReceivedAt.UTC()
	if r.rawDue != nil {
		e.Due = r.rawDue.UTC()
	}
	if len(e.Calls) == 0 {
		e.Calls = nil
	}
	if len(e.Carries) == 0 {
		e.Carries = nil
	}
	if len(e.Attributes) == 0 {
		e.Attributes = nil
	}
	if len(e.Record) == 0 {
		e.Record = nil
	}
	if len(e.Blanked) == 0 {
		e.Blanked = nil
	}
	return e, nil
}

// orNil returns nil for the zero time, which means that the fact is absent.
func orNil(t *time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return t
}

// textOrNil returns nil for an empty text, which means that the fact is absent.
func textOrNil(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}
