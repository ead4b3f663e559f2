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
// the most frequent first.
func (s *Store) Flags(ctx context.Context, center string, since, until time.Time) ([]FlagCount, error) {
	sql := fmt.Sprintf(`SELECT center::String, kind::String, flag::String, source::String, cases, examples
		FROM flags_by_source(since = %s, until = %s) WHERE %s = '' OR center = %[3]s
		ORDER BY cases DESC, center, kind, flag, source`,
		quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)), quote(center))
	return queryAll(ctx, s, "count flags", sql, func(f *FlagCount) []any {
		return []any{&f.Center, &f.Kind, &f.Flag, &f.Source, &f.Cases, &f.Examples}
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
		FROM monev_not_recorded(since = %s, until = %s) WHERE (%s = '' OR center = %[3]s) AND (unobserved > 0 OR never)
		ORDER BY unobserved DESC, center, opd, clock, source LIMIT 1000`,
		quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)), quote(center))
	return queryAll(ctx, s, "read what is not recorded", sql, func(r *NotRecorded) []any {
		return []any{&r.Center, &r.OPD, &r.Clock, &r.Source, &r.Unobserved, &r.N, &r.Recorded, &r.Never}
	})
}
