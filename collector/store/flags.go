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
