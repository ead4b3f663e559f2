package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// CaseRecord is what the database holds of one case.
type CaseRecord struct {
	Events  []*event.Event // each source and id once, in no particular order; equal to what was inserted
	Tickets []string       // of a call: ids of the tickets that name it, sorted
}

// ReadCases reads what is stored of the cases that keys name. A case without any event is absent from the answer,
// unless it is a call that tickets name. The caller may fold the events: they are fresh copies.
func (s *Store) ReadCases(ctx context.Context, keys []event.Key) (map[event.Key]CaseRecord, error) {
	out := make(map[event.Key]CaseRecord, len(keys))
	for cond := range keyConditions(keys, "center", "subject_kind", "subject") {
		err := s.queryEvents(ctx, "read cases", "("+cond+")", func(e *event.Event) error {
			r := out[e.Key()]
			r.Events = append(r.Events, e)
			out[e.Key()] = r
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	calls := slices.DeleteFunc(slices.Clone(keys), func(k event.Key) bool { return k.Kind != event.KindCall })
	if len(calls) == 0 {
		return out, nil
	}
	return out, s.readLinks(ctx, calls, out)
}

// readLinks adds the tickets of calls: those that a call's row names, and those whose events name the call although no
// row says so yet (the events were stored and the upsert of the cases was not reached).
func (s *Store) readLinks(ctx context.Context, calls []event.Key, out map[event.Key]CaseRecord) error {
	for cond := range keyConditions(calls, "center", "", "id") {
		sql := "SELECT center, id, tickets FROM calls FINAL WHERE " + cond
		err := s.query(ctx, "read links of calls", sql, func(scan func(...any) error) error {
			key := event.Key{Kind: event.KindCall}
			var tickets []string
			if err := scan(&key.Center, &key.ID, &tickets); err != nil {
				return err
			}
			r := out[key]
			r.Tickets = append(r.Tickets, tickets...)
			out[key] = r
			return nil
		})
		if err != nil {
			return err
		}
	}
	for center, arrays := range callArrays(calls) {
		for _, array := range arrays {
			sql := "SELECT arrayJoin(arrayIntersect(calls, " + array + ")) AS call, groupUniqArray(subject) FROM events" +
				" WHERE center = " + quote(center) + " AND subject_kind = 'ticket' AND hasAny(calls, " + array + ") GROUP BY call"
			err := s.query(ctx, "read tickets of calls", sql, func(scan func(...any) error) error {
				key := event.Key{Center: center, Kind: event.KindCall}
				var tickets []string
				if err := scan(&key.ID, &tickets); err != nil {
					return err
				}
				r := out[key]
				r.Tickets = append(r.Tickets, tickets...)
				out[key] = r
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	for _, key := range calls {
		if r, ok := out[key]; ok && len(r.Tickets) > 0 {
			slices.Sort(r.Tickets)
			r.Tickets = slices.Compact(r.Tickets)
			out[key] = r
		}
	}
	return nil
}

// callArrays writes the ids of calls as array literals by centre, each short enough to stand twice in one query.
func callArrays(calls []event.Key) map[string][]string {
	ids := map[string][]string{}
	for _, k := range calls {
		ids[k.Center] = append(ids[k.Center], k.ID)
	}
	out := map[string][]string{}
	for center, list := range ids {
		slices.Sort(list)
		var b strings.Builder
		for i, id := range slices.Compact(list) {
			if b.Len() > maxQueryBytes/3 {
				out[center] = append(out[center], b.String()+"]")
				b.Reset()
				i = 0
			}
			if i == 0 {
				b.WriteByte('[')
			} else {
				b.WriteByte(',')
			}
			appendQuoted(&b, id)
		}
		out[center] = append(out[center], b.String()+"]")
	}
	return out
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
// someone still has to work, calls since the given instant, and tickets that an event reached since then.
func (s *Store) OpenCases(ctx context.Context, centers []string, since time.Time) ([]event.Key, error) {
	if len(centers) == 0 {
		return nil, nil
	}
	sql := fmt.Sprintf(`SELECT center, 'ticket' AS kind, id FROM tickets FINAL
		WHERE center IN (%[1]s) AND events > 0
			AND (state NOT IN ('resolved', 'confirmed', 'closed', 'merged') OR last_event_at >= %[2]s)
		UNION ALL
		SELECT center, 'call' AS kind, id FROM calls FINAL
		WHERE center IN (%[1]s) AND events > 0 AND at >= %[2]s`, quoteList(centers), instant(since))
	var out []event.Key
	err := s.query(ctx, "read open cases", sql, func(scan func(...any) error) error {
		var k event.Key
		var kind string
		if err := scan(&k.Center, &kind, &k.ID); err != nil {
			return err
		}
		k.Kind, _ = event.ParseKind(kind)
		out = append(out, k)
		return nil
	})
	return out, err
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
		var k event.Key
		var kind string
		if err := scan(&k.Center, &kind, &k.ID); err != nil {
			return err
		}
		k.Kind, _ = event.ParseKind(kind)
		if portion = append(portion, k); len(portion) < subjectsAtOnce {
			return nil
		}
		err := fn(portion)
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
	const sql = `SELECT greatest((SELECT max(version) FROM calls), (SELECT max(version) FROM tickets), (SELECT max(version) FROM clocks))`
	var version uint64
	err := s.query(ctx, "read the highest version", sql, func(scan func(...any) error) error { return scan(&version) })
	return version, err
}

// CountEvents returns how many rows the table events has, and how many different events they are: repetitions that
// ClickHouse has not merged away yet make the difference.
func (s *Store) CountEvents(ctx context.Context) (rows, events uint64, err error) {
	const sql = `SELECT (SELECT count() FROM events), (SELECT count() FROM events FINAL)`
	err = s.query(ctx, "count events", sql, func(scan func(...any) error) error { return scan(&rows, &events) })
	return rows, events, err
}
