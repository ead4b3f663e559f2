package store

import (
	"context"
	"fmt"
	"time"
)

// FlagCount counts the cases of a kind that have a flag and of which a source sent events: a row of flags_by_source.
type FlagCount struct {
	Center, Kind, Flag, Source string
	Cases                      uint64
	Examples                   []string // ids of at most three of them
}

// Flags counts the flags of the cases of the days since <= day < until, of one centre or of all when center is empty,
// the most frequent first. With an instant, of those that had begun by then; zero is now.
func (s *Store) Flags(ctx context.Context, center string, since, until, asOf time.Time) ([]FlagCount, error) {
	days := fmt.Sprintf("since = %s, until = %s", quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)))
	sql := fmt.Sprintf(`SELECT center::String, kind::String, flag::String, source::String, cases, examples
		FROM %s WHERE %s = '' OR center = %[2]s ORDER BY cases DESC, center, kind, flag, source`,
		viewAt("flags_by_source", asOf, days), quote(center))
	return queryAll(ctx, s, "count flags", sql, func(f *FlagCount) []any {
		return []any{&f.Center, &f.Kind, &f.Flag, &f.Source, &f.Cases, &f.Examples}
	})
}

// Corrected is a clock that was late until a correction or withdrawal was received which took the lateness away, with
// both verdicts: a row of monev_corrected.
type Corrected struct {
	Center, Ticket, Clock string
	Seq                   uint16
	OPD                   string
	CorrectedAt           time.Time
	DueBefore             time.Time // before: late after this instant
	StoppedBefore         *time.Time
	StateAfter            string // as sla.Clock.State has it; "none": there is no such clock any more
	DueAfter              *time.Time
	StoppedAfter          *time.Time
}

// MaxCorrected bounds the answer of Store.Corrected.
const MaxCorrected = 1000

// Corrected returns the clocks that were late before they were corrected, the latest correction first, of those that
// began on the days since <= day < until, of one centre or of all when center is empty.
func (s *Store) Corrected(ctx context.Context, center string, since, until time.Time) ([]Corrected, error) {
	sql := fmt.Sprintf(`SELECT center, ticket, clock, seq, opd, corrected_at, due_before, stopped_before,
		state_after, due_after, stopped_after
		FROM present_monev_corrected(since = %s, until = %s) WHERE %s = '' OR center = %[3]s
		ORDER BY corrected_at DESC, center, ticket, clock, seq LIMIT %[4]d`,
		quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)), quote(center), MaxCorrected)
	return queryAll(ctx, s, "read what was corrected", sql, func(c *Corrected) []any {
		return []any{&c.Center, &c.Ticket, &c.Clock, &c.Seq, &c.OPD, &c.CorrectedAt, &c.DueBefore, &c.StoppedBefore,
			&c.StateAfter, &c.DueAfter, &c.StoppedAfter}
	})
}

// WithdrawnTicket is an open ticket whose every opening was withdrawn, and which nobody has confirmed never was.
type WithdrawnTicket struct {
	Center, Ticket, OPD, Priority string
	OpenedAt                      time.Time // as the withdrawn openings had it
	Sources                       []string  // of those
}

// MaxWithdrawn bounds the answer of Store.WithdrawnTickets.
const MaxWithdrawn = 100

// WithdrawnTickets returns the tickets that wait for a confirmation, the oldest first, of one centre or of all when
// center is empty.
func (s *Store) WithdrawnTickets(ctx context.Context, center string) ([]WithdrawnTicket, error) {
	waiting := "FROM tickets FINAL WHERE has(flags, 'opening_withdrawn') AND (" + quote(center) + " = '' OR center = " +
		quote(center) + ")"
	sql := fmt.Sprintf(`SELECT t.center::String, t.id, ifNull(t.opd, '')::String, ifNull(t.priority, '')::String,
		min(e.occurred_at) AS opened, groupUniqArray(e.source::String)
		FROM (SELECT center, id, opd, priority %s) AS t
		INNER JOIN
		(
			SELECT center, subject, source, occurred_at FROM events
			WHERE subject_kind = 'ticket' AND type = 'ticket.opened' AND (center, subject) IN (SELECT center, id %[1]s)
		) AS e ON e.center = t.center AND e.subject = t.id
		GROUP BY ALL ORDER BY opened, t.id LIMIT %d`, waiting, MaxWithdrawn)
	return queryAll(ctx, s, "read withdrawn openings", sql, func(w *WithdrawnTicket) []any {
		return []any{&w.Center, &w.Ticket, &w.OPD, &w.Priority, &w.OpenedAt, &w.Sources}
	})
}

// NotRecorded counts the clocks of an OPD's tickets that nobody can stop: a row of monev_not_recorded.
type NotRecorded struct {
	Center, OPD, Clock, Source string
	Unobserved, N, Recorded    uint64 // clocks that nobody can stop, all, and those whose stopping fact is known
	// its source is said to carry the fact, and brought it not once in 60 days and 20 tickets
	Never bool
}

// NotRecorded returns what is not recorded of the tickets of the days since <= day < until, of one centre or of all
// when center is empty, the most frequent first. What is recorded of every ticket is left out.
func (s *Store) NotRecorded(ctx context.Context, center string, since, until time.Time) ([]NotRecorded, error) {
	sql := fmt.Sprintf(`SELECT center::String, opd, clock, source, unobserved, n, recorded, never
		FROM present_monev_not_recorded(since = %s, until = %s)
		WHERE (%s = '' OR center = %[3]s) AND (unobserved > 0 OR never)
		ORDER BY unobserved DESC, center, opd, clock, source LIMIT 1000`,
		quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)), quote(center))
	return queryAll(ctx, s, "read what is not recorded", sql, func(r *NotRecorded) []any {
		return []any{&r.Center, &r.OPD, &r.Clock, &r.Source, &r.Unobserved, &r.N, &r.Recorded, &r.Never}
	})
}
