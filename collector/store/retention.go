package store

import (
	"context"
	"fmt"
	"time"
)

// The kinds of personal data in the tables.
const (
	CallerData     = "caller"     // keyed hash of a caller's number, key id and last three digits
	AttributesData = "attributes" // attributes of an event
)

// DuePlace is where a kind of personal data stands.
type DuePlace struct {
	Where string `json:"place"`
	Kind  string `json:"kind"`
}

// DueItem is the personal data of one place that is older than it may be.
type DueItem struct {
	DuePlace
	Cutoff time.Time `json:"cutoff"` // what happened before it is due
	Due    uint64    `json:"due"`    // rows, events or entries
	Oldest time.Time `json:"oldest,omitzero"`
	Left   uint64    `json:"left"` // of Due, counted again afterwards; Due itself when nothing was asked to go
	// Asks says that it goes only when an operator asks for it by name.
	Asks bool `json:"asks,omitzero"`
}

// personal are the columns that are emptied, and when what is in them happened. It is then as if it had never been
// said: the case is folded from its events as before, without it.
var personal = []struct {
	DuePlace
	ttl  []string // columns that ClickHouse empties by itself, should nobody do it
	net  string   // since when it reckons: DateTime
	at   string   // DateTime64
	some string   // whether there is anything to empty
	none string   // the assignments that empty it
}{
	{DuePlace{Where: "events", Kind: CallerData}, []string{"caller_key", "caller_last3"},
		"toDateTime(greatest(occurred_at, received_at))", "occurred_at",
		"caller_key != '' OR caller_last3 != '' OR caller_key_id != ''",
		"caller_key = '', caller_last3 = '', caller_key_id = ''"},
	{DuePlace{Where: "calls", Kind: CallerData}, []string{"caller_key", "caller_last3"},
		"greatest(ifNull(toDateTime(at), written_at), written_at)", "coalesce(at, toDateTime64(written_at, 3, 'UTC'))",
		"caller_key IS NOT NULL OR caller_last3 IS NOT NULL OR caller_key_id IS NOT NULL",
		"caller_key = NULL, caller_last3 = NULL, caller_key_id = NULL"},
	{DuePlace{Where: "events", Kind: AttributesData}, []string{"attributes"},
		"toDateTime(greatest(occurred_at, received_at))", "occurred_at",
		"notEmpty(attributes)", "attributes = map()"},
}

// netDays is how much later than Redact the tables' own TTLs are, counted from when a row came: what ClickHouse deletes
// by itself nobody counts and records, so it should find nothing where Redact runs.
const netDays = 7

// netMonths is the longest of the tables' own TTLs: a DateTime ends in 2106, and a TTL that reckons beyond it comes out
// in the past and deletes at once. What is kept longer has no net.
const netMonths = 600

// FollowRetention makes the tables' own TTLs follow a policy: the months for which a kind is kept, 0 or less for ever.
// They are a net below Redact, which holds where nobody runs it.
func (s *Store) FollowRetention(ctx context.Context, keepMonths func(kind string) int) error {
	for _, c := range personal {
		months := keepMonths(c.Kind)
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
				// What is due already is the work of Redact, which is counted and recorded.
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

// Due counts what is older than a kind's cutoff, in every row that is stored, also in those that a later one has
// replaced. A kind without a cutoff is left out.
func (s *Store) Due(ctx context.Context, cutoffOf func(kind string) (time.Time, bool)) (out []DueItem, err error) {
	for _, c := range personal {
		cutoff, ok := cutoffOf(c.Kind)
		if !ok {
			continue
		}
		item := DueItem{DuePlace: c.DuePlace, Cutoff: cutoff}
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

// Redact empties what an item of Due counted and returns when ClickHouse has rewritten every part that held it. The
// files of the former parts go from the disk some minutes later.
func (s *Store) Redact(ctx context.Context, item DueItem) error {
	for _, c := range personal {
		if c.DuePlace != item.DuePlace {
			continue
		}
		sql := fmt.Sprintf("ALTER TABLE %s UPDATE %s WHERE (%s) AND %s < %s SETTINGS mutations_sync = 0", c.Where, c.none,
			c.some, c.at, instant(item.Cutoff))
		if err := s.exec(ctx, "redact "+c.Where, sql); err != nil {
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
		sql := "SELECT count(), max(latest_fail_reason) FROM system.mutations " +
			"WHERE database = currentDatabase() AND table = " + quote(table) + " AND NOT is_done"
		err := s.query(ctx, "wait for the mutation of "+table, sql, func(scan func(...any) error) error {
			return scan(&open, &reason)
		})
		if err != nil || open == 0 {
			return err
		}
		if reason != "" {
			return fmt.Errorf("clickhouse: redact %s: %s", table, reason)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// RecordRetention adds what a run at an instant did to the table retention.
func (s *Store) RecordRetention(ctx context.Context, at time.Time, items []DueItem) error {
	for _, i := range items {
		if i.Due == 0 {
			continue
		}
		oldest := "NULL"
		if !i.Oldest.IsZero() {
			oldest = instant(i.Oldest)
		}
		sql := fmt.Sprintf("INSERT INTO retention VALUES (%s, %s, %s, %s, %d, %s, %d)", instant(at), quote(i.Where),
			quote(i.Kind), instant(i.Cutoff), i.Due, oldest, i.Left)
		if err := s.exec(ctx, "record retention", sql); err != nil {
			return err
		}
	}
	return nil
}
