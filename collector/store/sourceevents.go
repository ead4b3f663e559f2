package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// SourceEvent is an event of a call or ticket that stands: no event of its source corrects it or takes it back.
type SourceEvent struct {
	Case event.Key
	ID   string
	Type string // without the prefix, such as ticket.opened
	At   time.Time
}

// sourceRows is how many stored events of a source are read at once: more than a case has.
const sourceRows = 4000

// SourceEvents returns a portion of the events of a source that stand and happened since <= t < until, a zero time
// being no bound: of one centre, or of all when center is empty, in the order of centre, kind and id of the case, those
// behind after. next is where the following portion begins, nil after the last. A portion may be empty and not the
// last.
func (s *Store) SourceEvents(ctx context.Context, center, source string, since, until time.Time, after event.Key,
) (events []SourceEvent, next *event.Key, err error) {
	where := "source = " + quote(source) + " AND subject_kind IN ('call', 'ticket')"
	if center != "" {
		where += " AND center = " + quote(center)
	}
	if after.ID != "" {
		c, k, id := quote(after.Center), quote(after.Kind.String()), quote(after.ID)
		where += fmt.Sprintf(" AND center >= %s AND (center > %[1]s OR subject_kind > %s OR subject_kind = %[2]s AND "+
			"subject > %s)",
			c, k, id)
	}
	type row struct {
		SourceEvent
		kind, replaces string
	}
	sql := fmt.Sprintf(`SELECT center::String, subject_kind::String, subject, id, type::String, occurred_at, replaces
		FROM events FINAL WHERE %s ORDER BY center, subject_kind, subject LIMIT %d`, where, sourceRows)
	rows, err := queryAll(ctx, s, "read events of a source", sql, func(r *row) []any {
		return []any{&r.Case.Center, &r.kind, &r.Case.ID, &r.ID, &r.Type, &r.At, &r.replaces}
	})
	if err != nil {
		return nil, nil, err
	}
	for i := range rows {
		rows[i].Case.Kind, _ = event.ParseKind(rows[i].kind)
	}
	if len(rows) == sourceRows { // the last case may go on behind the portion
		last := rows[len(rows)-1].Case
		if whole := slices.IndexFunc(rows, func(r row) bool { return r.Case == last }); whole > 0 {
			rows = rows[:whole]
		}
		next = &rows[len(rows)-1].Case
	}
	type name struct {
		of event.Key
		id string
	}
	void := map[name]bool{}
	for i := range rows {
		if r := &rows[i]; r.replaces != r.ID {
			void[name{r.Case, r.replaces}] = true
		}
	}
	for i := range rows {
		r := &rows[i]
		if r.Type == event.EventWithdrawn.String() || void[name{r.Case, r.ID}] || r.At.Before(since) ||
			!until.IsZero() && !r.At.Before(until) {
			continue
		}
		r.At = r.At.UTC()
		events = append(events, r.SourceEvent)
	}
	slices.SortFunc(events, func(a, b SourceEvent) int {
		return cmp.Or(cmp.Compare(a.Case.Center, b.Case.Center), cmp.Compare(a.Case.Kind, b.Case.Kind),
			cmp.Compare(a.Case.ID, b.Case.ID), a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	return events, next, nil
}
