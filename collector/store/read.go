package store

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// ReadCases reads what is stored of cases: their events, each source and id once and in no particular order, and of a
// call the tickets that name it, sorted. A case without any event is absent from the answer, unless it is a call that
// tickets name. The caller may fold the events: they are copies.
func (s *Store) ReadCases(ctx context.Context, keys []event.Key) (map[event.Key]tracker.Loaded, error) {
	events, err := s.CaseEvents(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make(map[event.Key]tracker.Loaded, len(events))
	for key, list := range events {
		out[key] = tracker.Loaded{Key: key, Events: list}
	}
	calls := slices.DeleteFunc(slices.Clone(keys), func(k event.Key) bool { return k.Kind != event.KindCall })
	links, err := s.ticketLinks(ctx, calls)
	if err != nil {
		return nil, err
	}
	for key, tickets := range links {
		out[key] = tracker.Loaded{Key: key, Events: events[key], Tickets: tickets}
	}
	masters := map[string][]string{}
	for _, k := range keys {
		if k.Kind == event.KindTicket {
			masters[k.Center] = append(masters[k.Center], k.ID)
		}
	}
	for center, ids := range masters {
		merged, err := s.MergedInto(ctx, center, ids)
		if err != nil {
			return nil, err
		}
		for id, tickets := range merged {
			key := event.Key{Center: center, Kind: event.KindTicket, ID: id}
			out[key] = tracker.Loaded{Key: key, Events: events[key], Tickets: tickets}
		}
	}
	return out, nil
}

// MergedInto returns, of each ticket of a centre, the tickets of which any event names it as their master, voided
// events among them, sorted.
func (s *Store) MergedInto(ctx context.Context, center string, masters []string) (map[string][]string, error) {
	out := map[string][]string{}
	for array := range arrayLiterals(masters) {
		sql := "SELECT master, groupUniqArray(subject) FROM events WHERE center = " + quote(center) +
			" AND subject_kind = 'ticket' AND type = 'ticket.merged' AND has(" + array + ", master) GROUP BY master"
		err := s.query(ctx, "read merged tickets", sql, func(scan func(...any) error) error {
			var master string
			var tickets []string
			if err := scan(&master, &tickets); err != nil {
				return err
			}
			slices.Sort(tickets)
			out[master] = tickets
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CaseEvents returns the events of the cases that keys name, each source and id once, in no particular order.
func (s *Store) CaseEvents(ctx context.Context, keys []event.Key) (map[event.Key][]*event.Event, error) {
	out := make(map[event.Key][]*event.Event, len(keys))
	for cond := range keyConditions(keys, "center", "subject_kind", "subject") {
		err := s.queryEvents(ctx, "read cases", "("+cond+")", func(e *event.Event) error {
			out[e.Key()] = append(out[e.Key()], e)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// StoredDigests returns the digest that is stored under the key, source and id of each event, zero where none is.
func (s *Store) StoredDigests(ctx context.Context, events []*event.Event) ([]event.Digest, error) {
	type row struct {
		key        event.Key
		source, id string
	}
	at := make(map[row][]int, len(events)) // an id may come twice
	for i, e := range events {
		k := row{e.Key(), e.Source, e.ID}
		at[k] = append(at[k], i)
	}
	out := make([]event.Digest, len(events))
	rows := slices.SortedFunc(maps.Keys(at), func(a, b row) int { return a.key.Compare(b.key) })
	for len(rows) > 0 {
		// A list for each column, since ClickHouse takes far longer to read one of tuples: what they find beyond the tuples
		// is left out below.
		var lists [5]quotedSet
		n := 0
		for size := 0; n < len(rows) && size < maxQueryBytes; n++ {
			k := &rows[n]
			for i, text := range []string{k.key.Center, k.key.Kind.String(), k.key.ID, k.source, k.id} {
				size += lists[i].add(text)
			}
		}
		rows = rows[n:]
		sql := fmt.Sprintf("SELECT center, subject_kind, subject, source, id, digest FROM events FINAL WHERE center IN (%s) "+
			"AND subject_kind IN (%s) AND subject IN (%s) AND source IN (%s) AND id IN (%s)",
			lists[0].list(), lists[1].list(), lists[2].list(), lists[3].list(), lists[4].list())
		if err := s.query(ctx, "read digests", sql, func(scan func(...any) error) error {
			var k row
			var kind, digest string
			if err := scan(&k.key.Center, &kind, &k.key.ID, &k.source, &k.id, &digest); err != nil {
				return err
			}
			k.key.Kind, _ = event.ParseKind(kind)
			for _, i := range at[k] {
				copy(out[i][:], digest)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ticketLinks returns the tickets of calls, sorted: those that a call's row names, and those whose events name the call
// although no row says so yet (the events were stored and the upsert of the cases was not reached).
func (s *Store) ticketLinks(ctx context.Context, calls []event.Key) (map[event.Key][]string, error) {
	out := map[event.Key][]string{}
	for cond := range keyConditions(calls, "center", "", "id") {
		sql := "SELECT center, id, tickets FROM calls FINAL WHERE notEmpty(tickets) AND (" + cond + ")"
		err := s.query(ctx, "read links of calls", sql, func(scan func(...any) error) error {
			key := event.Key{Kind: event.KindCall}
			var tickets []string
			if err := scan(&key.Center, &key.ID, &tickets); err != nil {
				return err
			}
			out[key] = tickets
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	ids := map[string][]string{}
	for _, k := range calls {
		ids[k.Center] = append(ids[k.Center], k.ID)
	}
	for center, list := range ids {
		named, err := s.TicketsOf(ctx, center, list)
		if err != nil {
			return nil, err
		}
		for call, tickets := range named {
			key := event.Key{Center: center, Kind: event.KindCall, ID: call}
			out[key] = append(out[key], tickets...)
			slices.Sort(out[key])
			out[key] = slices.Compact(out[key])
		}
	}
	return out, nil
}

// TicketsOf returns, of each call of a centre, the tickets of which any event names it, voided events among them,
// sorted.
func (s *Store) TicketsOf(ctx context.Context, center string, calls []string) (map[string][]string, error) {
	out := map[string][]string{}
	for array := range arrayLiterals(calls) {
		sql := "SELECT arrayJoin(arrayIntersect(calls, " + array + ")) AS call, groupUniqArray(subject) FROM events" +
			" WHERE center = " + quote(center) + " AND subject_kind = 'ticket' AND hasAny(calls, " + array + ") GROUP BY call"
		err := s.query(ctx, "read tickets of calls", sql, func(scan func(...any) error) error {
			var call string
			var tickets []string
			if err := scan(&call, &tickets); err != nil {
				return err
			}
			slices.Sort(tickets)
			out[call] = tickets
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// arrayLiterals yields texts, each once, as array literals that are short enough to stand twice in one query.
func arrayLiterals(texts []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var b strings.Builder
		for _, text := range slices.Compact(slices.Sorted(slices.Values(texts))) {
			if b.Len() > maxQueryBytes/3 {
				if !yield("[" + b.String() + "]") {
					return
				}
				b.Reset()
			}
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			appendQuoted(&b, text)
		}
		if b.Len() > 0 {
			yield("[" + b.String() + "]")
		}
	}
}

// queryEvents streams the events that match where, each once.
func (s *Store) queryEvents(ctx context.Context, what, where string, fn func(*event.Event) error) error {
	sql := "SELECT " + eventColumns + " FROM events FINAL WHERE " + where
	return s.query(ctx, what, sql, func(scan func(...any) error) error {
		var row eventRow
		if err := scan(row.destinations()...); err != nil {
			return err
		}
		e, err := row.event()
		if err != nil {
			return err
		}
		return fn(e)
	})
}

// OpenCases returns the cases that a board of the given centres starts with when it has no checkpoint: tickets on which
// someone still has to work or whose withdrawal is not confirmed, calls since the given instant, tickets that an event
// reached since then, and the feeds of any centre that ever said what they carry.
func (s *Store) OpenCases(ctx context.Context, centers []string, since time.Time) ([]event.Key, error) {
	if len(centers) == 0 {
		return nil, nil
	}
	sql := fmt.Sprintf(`SELECT center, 'ticket' AS kind, id FROM tickets FINAL
		WHERE center IN (%[1]s) AND (events > 0 AND
			(state NOT IN ('resolved', 'confirmed', 'closed', 'merged') OR last_event_at >= %[2]s) OR has(flags, %[3]s))
		UNION ALL
		SELECT center, 'call' AS kind, id FROM calls FINAL
		WHERE center IN (%[1]s) AND events > 0 AND at >= %[2]s
		UNION ALL
		SELECT DISTINCT center, 'feed' AS kind, subject FROM events WHERE subject_kind = 'feed' AND notEmpty(carries)`,
		quoteList(centers), instant(since), quote(casefile.FlagOpeningWithdrawn))
	var out []event.Key
	err := s.query(ctx, "read open cases", sql, func(scan func(...any) error) error {
		k, err := scanKey(scan)
		out = append(out, k)
		return err
	})
	return out, err
}

// scanKey reads centre, kind and id.
func scanKey(scan func(...any) error) (k event.Key, err error) {
	var kind string
	err = scan(&k.Center, &kind, &k.ID)
	k.Kind, _ = event.ParseKind(kind)
	return k, err
}

// subjectsAtOnce is how many keys one call of a Subjects callback gets at most.
const subjectsAtOnce = 4096

// Subjects streams, in portions, every case, agent and feed that any event speaks of, and every call that a ticket's
// event names; a key may come twice. It stops at the first error of fn. The slice is fn's until it returns. The request
// is bounded by ctx alone.
func (s *Store) Subjects(ctx context.Context, fn func([]event.Key) error) error {
	const sql = `SELECT center, subject_kind, subject FROM events GROUP BY center, subject_kind, subject
		UNION ALL
		SELECT DISTINCT center, 'call', arrayJoin(calls) FROM events WHERE subject_kind = 'ticket' AND notEmpty(calls)
		SETTINGS optimize_aggregation_in_order = 1`
	portion := make([]event.Key, 0, subjectsAtOnce)
	err := s.stream(ctx, "read subjects", sql, func(scan func(...any) error) error {
		k, err := scanKey(scan)
		if err != nil {
			return err
		}
		if portion = append(portion, k); len(portion) < subjectsAtOnce {
			return nil
		}
		err = fn(portion)
		portion = portion[:0]
		return err
	})
	if err != nil || len(portion) == 0 {
		return err
	}
	return fn(portion)
}

// MaxVersion returns the highest version of any row of calls, tickets and clocks; 0 when there is none.
func (s *Store) MaxVersion(ctx context.Context) (uint64, error) {
	const sql = `SELECT greatest((SELECT max(version) FROM calls), (SELECT max(version) FROM tickets), (SELECT max(version)
		FROM clocks))`
	var version uint64
	err := s.queryOne(ctx, "read the highest version", sql, &version)
	return version, err
}

// Reached says how far the tables have come: while two readings are equal, no event came in and no case was stored in
// between.
type Reached struct {
	Version    uint64    // see MaxVersion
	ReceivedAt time.Time // of the event that came in last
}

// Reached reads how far the tables have come.
func (s *Store) Reached(ctx context.Context) (r Reached, err error) {
	if r.Version, err = s.MaxVersion(ctx); err != nil {
		return r, err
	}
	err = s.queryOne(ctx, "read when the latest event came in", "SELECT max(received_at) FROM events", &r.ReceivedAt)
	return r, err
}

// OpenTicketsAt returns at most limit tickets that were open at a past instant and that f chooses, behind after, by
// centre and id. opds are the names of OPDs that f's is written with.
func (s *Store) OpenTicketsAt(ctx context.Context, f tracker.TicketFilter, opds []string, at time.Time, after event.Key,
	limit int) ([]event.Key, error) {
	instant := quote(at.UTC().Format(time.RFC3339Nano))
	sql := "SELECT center, 'ticket', id FROM tickets_at(at = " + instant + ") WHERE open AND (center, id) > (" +
		quote(after.Center) + ", " + quote(after.ID) + ")"
	if f.Center != "" {
		sql += " AND center = " + quote(f.Center)
	}
	switch {
	case f.OPD == tracker.NoOPD:
		sql += " AND opd IS NULL"
	case f.OPD != "":
		sql += " AND opd IN (" + quoteList(opds) + ")"
	}
	if f.State != "" {
		sql += " AND state = " + quote(string(f.State))
	}
	var levels []string
	if f.Overdue {
		levels = append(levels, "overdue")
	}
	if f.AtRisk {
		levels = append(levels, "level = 'risk'")
	}
	if len(levels) > 0 {
		sql += " AND (center, id) IN (SELECT center, subject FROM clocks_at(at = " + instant +
			") WHERE subject_kind = 'ticket' AND (" + strings.Join(levels, " OR ") + "))"
	}
	return queryAll(ctx, s, "read tickets open at an instant", fmt.Sprintf("%s ORDER BY center, id LIMIT %d", sql, limit),
		func(k *event.Key) []any { k.Kind = event.KindTicket; return []any{&k.Center, new(string), &k.ID} })
}

// OPDNames returns the names of OPDs as tickets of a centre name them, of all centres when center is empty.
func (s *Store) OPDNames(ctx context.Context, center string) (pairs [][2]string, err error) {
	return queryAll(ctx, s, "read names of OPDs", "SELECT DISTINCT center::String, arrayJoin(`stays.opd`)::String FROM "+
		"tickets"+
		" WHERE "+quote(center)+" = '' OR center = "+quote(center),
		func(p *[2]string) []any { return []any{&p[0], &p[1]} })
}
