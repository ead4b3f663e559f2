package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// InsertEvents writes events as they are. token names this very batch: repeating an insert whose outcome is unknown
// with the same events, in the same order, and the same token adds nothing, even before ClickHouse merges duplicates
// away. A token must never be used for other events: ClickHouse would drop them without an error. Batches beyond
// MaxInsertRows, or that touch more years than one insert may, go as several inserts with tokens derived from token.
func (s *Store) InsertEvents(ctx context.Context, events []*event.Event, token string) error {
	return s.insertChunks(ctx, eventChunks(events, MaxInsertRows, maxInsertYears), token)
}

func (s *Store) insertChunks(ctx context.Context, chunks [][]*event.Event, token string) error {
	for i, chunk := range chunks {
		t := token
		if t != "" && len(chunks) > 1 {
			t = fmt.Sprintf("%s/%d", token, i)
		}
		b := s.reuse.takeEvents()
		b.fill(chunk)
		err := s.insert(ctx, b.block(), len(chunk), t)
		s.reuse.keepEvents(b)
		if err != nil {
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

// eventBlock holds the columns of events. Its memory serves the next insert, so that a steady stream allocates none.
type eventBlock struct {
	center, kind, subject, source, id, typ    []string
	occurredAt, receivedAt                    []time.Time
	digest                                    [][]byte
	callerKeyID, callerKey, callerLast3       []string
	agent, queue, position, channel           []string
	class, category, priority, opd, kecamatan []string
	reason, result                            []string
	calls                                     [][]string
	master                                    []string
	due                                       []*time.Time
	lat, lon                                  []*float64
	ringMS, waitMS                            []*int64
	replaces                                  []string
	revision                                  []uint32
	attributes                                []map[string]string
}

// fill maps events to columns. It keeps references into the events until reset.
func (b *eventBlock) fill(events []*event.Event) {
	b.grow(len(events))
	for _, e := range events {
		b.center = append(b.center, e.Center)
		b.kind = append(b.kind, e.Kind.String())
		b.subject = append(b.subject, e.Subject)
		b.source = append(b.source, e.Source)
		b.id = append(b.id, e.ID)
		b.typ = append(b.typ, e.Type.String())
		b.occurredAt = append(b.occurredAt, e.OccurredAt)
		b.receivedAt = append(b.receivedAt, e.ReceivedAt)
		b.digest = append(b.digest, e.Digest[:])
		b.callerKeyID = append(b.callerKeyID, e.Caller.KeyID)
		b.callerKey = append(b.callerKey, e.Caller.Key)
		b.callerLast3 = append(b.callerLast3, e.Caller.Last3)
		b.agent = append(b.agent, e.Agent)
		b.queue = append(b.queue, e.Queue)
		b.position = append(b.position, e.Position)
		b.channel = append(b.channel, e.Channel)
		b.class = append(b.class, e.Class)
		b.category = append(b.category, e.Category)
		b.priority = append(b.priority, e.Priority)
		b.opd = append(b.opd, e.OPD)
		b.kecamatan = append(b.kecamatan, e.Kecamatan)
		b.reason = append(b.reason, e.Reason)
		b.result = append(b.result, e.Result)
		b.calls = append(b.calls, e.Calls)
		b.master = append(b.master, e.Master)
		b.due = append(b.due, orNil(&e.Due))
		b.lat = append(b.lat, e.Lat)
		b.lon = append(b.lon, e.Lon)
		b.ringMS = append(b.ringMS, e.RingMS)
		b.waitMS = append(b.waitMS, e.WaitMS)
		b.replaces = append(b.replaces, e.Replaces)
		b.revision = append(b.revision, e.Revision)
		b.attributes = append(b.attributes, e.Attributes)
	}
}

func (b *eventBlock) block() block {
	return block{"events", []blockColumn{
		texts("center", b.center),
		texts("subject_kind", b.kind),
		texts("subject", b.subject),
		texts("source", b.source),
		texts("id", b.id),
		texts("type", b.typ),
		instants("occurred_at", b.occurredAt),
		instants("received_at", b.receivedAt),
		all("digest", "FixedString(16)", b.digest),
		texts("caller_key_id", b.callerKeyID),
		texts("caller_key", b.callerKey),
		texts("caller_last3", b.callerLast3),
		texts("agent", b.agent),
		texts("queue", b.queue),
		texts("position", b.position),
		texts("channel", b.channel),
		texts("class", b.class),
		texts("category", b.category),
		texts("priority", b.priority),
		texts("opd", b.opd),
		texts("kecamatan", b.kecamatan),
		texts("reason", b.reason),
		texts("result", b.result),
		each("calls", "Array(String)", b.calls),
		texts("master", b.master),
		nullInstants("due", b.due),
		all("lat", "Nullable(Float64)", b.lat),
		all("lon", "Nullable(Float64)", b.lon),
		all("ring_ms", "Nullable(Int64)", b.ringMS),
		all("wait_ms", "Nullable(Int64)", b.waitMS),
		texts("replaces", b.replaces),
		all("revision", "UInt32", b.revision),
		each("attributes", "Map(String, String)", b.attributes),
	}}
}

// texts are the columns of text.
func (b *eventBlock) texts() []*[]string {
	return []*[]string{
		&b.center, &b.kind, &b.subject, &b.source, &b.id, &b.typ, &b.callerKeyID, &b.callerKey, &b.callerLast3, &b.agent,
		&b.queue, &b.position, &b.channel, &b.class, &b.category, &b.priority, &b.opd, &b.kecamatan, &b.reason, &b.result,
		&b.master, &b.replaces,
	}
}

// grow makes room for n rows at once: to grow row by row would copy every column several times.
func (b *eventBlock) grow(n int) {
	for _, col := range b.texts() {
		*col = slices.Grow(*col, n)
	}
	b.occurredAt, b.receivedAt = slices.Grow(b.occurredAt, n), slices.Grow(b.receivedAt, n)
	b.digest, b.calls, b.attributes = slices.Grow(b.digest, n), slices.Grow(b.calls, n), slices.Grow(b.attributes, n)
	b.due, b.lat, b.lon = slices.Grow(b.due, n), slices.Grow(b.lat, n), slices.Grow(b.lon, n)
	b.ringMS, b.waitMS, b.revision = slices.Grow(b.ringMS, n), slices.Grow(b.waitMS, n), slices.Grow(b.revision, n)
}

// reset lets the events go and keeps the room.
func (b *eventBlock) reset() {
	for _, col := range b.texts() {
		empty(col)
	}
	empty(&b.occurredAt)
	empty(&b.receivedAt)
	empty(&b.digest)
	empty(&b.calls)
	empty(&b.due)
	empty(&b.lat)
	empty(&b.lon)
	empty(&b.ringMS)
	empty(&b.waitMS)
	empty(&b.revision)
	empty(&b.attributes)
}

func empty[T any](col *[]T) {
	clear(*col)
	*col = (*col)[:0]
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
