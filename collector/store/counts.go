package store

import (
	"context"
	"fmt"
	"time"
)

// callCounts are the counts that CallCounts gives, by their columns in calls_counted.
var callCounts = []string{
	"received", "offered", "answered", "classified", "abandoned", "unserved", "blocked", "normal", "informasi", "prank",
	"prank_palsu", "ghost", "pocket", "misrouted", "putus", "duplikat", "to_own", "to_vertical",
}

// CallCounts counts the calls of a centre on the days since <= day < until, by what became of them and by class: as of
// an instant, as things are now when it is zero.
func (s *Store) CallCounts(ctx context.Context, center string, since, until, asOf time.Time) (map[string]int64,
	error) {
	sql, counts := "SELECT ", make([]int64, len(callCounts))
	for i, c := range callCounts {
		if i > 0 {
			sql += ", "
		}
		sql += "toInt64(sum(c." + c + "))"
	}
	sql += " FROM " + viewAt("calls_counted", asOf, fmt.Sprintf("since = %s, until = %s",
		quote(since.Format(time.DateOnly)), quote(until.Format(time.DateOnly)))) + " AS c WHERE center = " + quote(center)
	out := make(map[string]int64, len(counts))
	err := s.query(ctx, "count calls", sql, func(scan func(...any) error) error {
		into := make([]any, len(counts))
		for i := range counts {
			into[i] = &counts[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		for i, c := range callCounts {
			out[c] = counts[i]
		}
		return nil
	})
	return out, err
}
