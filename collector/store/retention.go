package store

import (
	"context"
	"fmt"
	"time"

	"github.com/monev112/monev112/collector/upkeep/retention"
)

// personal are the columns that are blanked, and when what stands in them happened. Blanked is as if it had never been
// said: the case is folded from its events as before, without it.
var personal = []struct {
	retention.Place
	ttl  []string // columns that ClickHouse blanks by itself, should nobody do it
	net  string   // since when it reckons: DateTime
	at   string   // DateTime64
	some string   // whether there is anything to blank
	none string   // the assignments that blank it
}{
	{retention.Place{Where: "events", Kind: retention.Caller}, []string{"caller_key", "caller_last3"},
		"toDateTime(greatest(occurred_at, received_at))", "occurred_at",
		"caller_key != '' OR caller_last3 != '' OR caller_key_id != ''",
		"caller_key = '', caller_last3 = '', caller_key_id = ''"},
	{retention.Place{Where: "calls", Kind: retention.Caller}, []string{"caller_key", "caller_last3"},
		"greatest(ifNull(toDateTime(at), written_at), written_at)", "coalesce(at, toDateTime64(written_at, 3, 'UTC'))",
		"caller_key IS NOT NULL OR caller_last3 IS NOT NULL OR caller_key_id IS NOT NULL",
		"caller_key = NULL, caller_last3 = NULL, caller_key_id = NULL"},
	{retention.Place{Where: "events", Kind: retention.Attributes}, []string{"attributes"},
		"toDateTime(greatest(occurred_at, received_at))", "occurred_at",
		"notEmpty(attributes)", "attributes = map()"},
}

// netDays is how much later than Blank the tables' own TTLs are, counted from when a row came: what ClickHouse deletes
// by itself nobody counts and records, so it should find nothing where Blank runs.
const netDays = 7

// netMonths is the longest of the tables' own TTLs: a DateTime ends in 2106, and a TTL that reckons beyond it comes out
// in the past and deletes at once. What is kept longer has no net.
const netMonths = 600

// FollowRetention makes the tables' own TTLs follow a policy. They are a net below Blank, which holds where nobody runs
// it.
func (s *Store) FollowRetention(ctx context.Context, p retention.Policy) error {
	for _, c := range personal {
		months := p.Months(c.Kind)
		for _, column := range c.ttl {
			within := months
			if months <= 0 || months > netMonths {
				within = netMonths
			}
			changes := []string{fmt.Sprintf("TTL %s + INTERVAL %d MONTH + INTERVAL %d DAY", c.net, within, netDays)}
			if within != months { // ClickHouse refuses to remove what is not there, as at the second start
				changes = append(changes, "REMOVE TTL")
			}
			for _, change := range changes {
				// What is due already is Blank's work, which is counted and recorded.
				sql := fmt.Sprintf("ALTER TABLE %s MODIFY COLUMN %s %s SETTINGS materialize_ttl_after_modify = 0", c.Where, column,
					change)
				if err := s.exec(ctx, "retention of "+c.Where+"."+column, sql); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Due counts what is older than a policy allows, in every row that is stored, also in those that a later one has
// replaced.
func (s *Store) Due(ctx context.Context, p retention.Policy, now time.Time) (out []retention.Item, err error) {
	for _, c := range personal {
		cutoff, ok := p.Cutoff(c.Kind, now)
		if !ok {
			continue
		}
		item := retention.Item{Place: c.Place, Cutoff: cutoff}
		sql := fmt.Sprintf("SELECT count(), min(%[1]s) FROM %[2]s WHERE (%[3]s) AND %[1]s < %[4]s", c.at, c.Where, c.some,
			instant(cutoff))
		err := s.query(ctx, "count what is due in "+c.Where, sql, func(scan func(...any) error) error {
			var oldest *time.Time
			var at time.Time
			dest := any(&at)
			if c.Where == "calls" { // its times are Nullable
				dest = &oldest
			}
			if err := scan(&item.Due, dest); err != nil {
				return err
			}
			if oldest != nil {
				at = *oldest
			}
			if item.Due > 0 {
				item.Oldest = at.UTC()
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

// mutationPoll is how often a running mutation is looked at.
const mutationPoll = 100 * time.Millisecond

// Blank blanks what an item of Due counted and returns when ClickHouse has rewritten every part that held it. The files
// of the former parts go from the disk some minutes later.
func (s *Store) Blank(ctx context.Context, item retention.Item) error {
	for _, c := range personal {
		if c.Place != item.Place {
			continue
		}
		sql := fmt.Sprintf("ALTER TABLE %s UPDATE %s WHERE (%s) AND %s < %s SETTINGS mutations_sync = 0", c.Where, c.none,
			c.some, c.at, instant(item.Cutoff))
		if err := s.exec(ctx, "blank in "+c.Where, sql); err != nil {
			return err
		}
		return s.mutated(ctx, c.Where)
	}
	return fmt.Errorf("retention: nothing is known of %s in %s", item.Kind, item.Where)
}

// mutated waits until no mutation of a table is under way.
func (s *Store) mutated(ctx context.Context, table string) error {
	tick := time.NewTicker(mutationPoll)
	defer tick.Stop()
	for {
		var open uint64
		var reason string
		sql := "SELECT count(), max(latest_fail_reason) FROM system.mutations WHERE database = currentDatabase() AND table = " + quote(table) + " AND NOT is_done"
		err := s.query(ctx, "wait for the mutation of "+table, sql, func(scan func(...any) error) error {
			return scan(&open, &reason)
		})
		if err != nil || open == 0 {
			return err
		}
		if reason != "" {
			return fmt.Errorf("clickhouse: blank in %s: %s", table, reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// RecordRetention adds what a run did to the table retention.
func (s *Store) RecordRetention(ctx context.Context, r retention.Report) error {
	for _, i := range r.Items {
		if i.Due == 0 {
			continue
		}
		oldest := "NULL"
		if !i.Oldest.IsZero() {
			oldest = instant(i.Oldest)
		}
		sql := fmt.Sprintf("INSERT INTO retention VALUES (%s, %s, %s, %s, %d, %s, %d)", instant(r.At), quote(i.Where),
			quote(i.Kind), instant(i.Cutoff), i.Due, oldest, i.Left)
		if err := s.exec(ctx, "record retention", sql); err != nil {
			return err
		}
	}
	return nil
}
