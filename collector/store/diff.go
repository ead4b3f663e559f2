package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// ChangedRows returns the cases among rows whose row in calls or tickets is absent or differs from what Upsert would
// write. It does not look at clocks.
func (s *Sink) ChangedRows(ctx context.Context, rows []tracker.Row) (map[event.Key]bool, error) {
	var calls []*casefile.Call
	var tickets []ticketRow
	var callKeys, ticketKeys []event.Key
	for i := range rows {
		switch r := &rows[i]; {
		case r.Call != nil:
			calls, callKeys = append(calls, r.Call), append(callKeys, r.Key)
		case r.Ticket != nil:
			tickets, ticketKeys = append(tickets, s.ticketRowOf(r)), append(ticketKeys, r.Key)
		}
	}
	out := map[event.Key]bool{}
	if err := s.changedRows(ctx, s.callBlock(calls, 0), callKeys, out); err != nil {
		return nil, err
	}
	return out, s.changedRows(ctx, s.ticketBlock(tickets, 0), ticketKeys, out)
}

func (s *Sink) ticketRowOf(r *tracker.Row) ticketRow {
	t := ticketRow{Ticket: r.Ticket}
	if len(t.Pauses) > 1 {
		own := *r.Ticket
		own.Pauses, t.Ticket = own.PausedSpans(), &own
	}
	if s.Scope == nil {
		return t
	}
	if t.OPD != "" {
		t.Scope = s.Scope(r.Key.Center, t.OPD)
	}
	t.StayScopes = columnOf(t.Assignments, func(a *casefile.Assignment) string { return s.Scope(r.Key.Center, a.OPD) })
	return t
}

// changedRows compares a block with the rows that the table holds, and adds the keys of those that differ to out. keys
// are the cases of the block's rows, in its order.
func (s *Store) changedRows(ctx context.Context, b block, keys []event.Key, out map[event.Key]bool) error {
	if len(keys) == 0 {
		return nil
	}
	var columns []string
	var want []capture
	for _, c := range b.columns {
		if c.name == "version" {
			continue
		}
		columns = append(columns, fmt.Sprintf("`%s`::%s", c.name, c.wire))
		var held capture
		if err := c.append(&held); err != nil {
			return fmt.Errorf("column %s of %s: %w", c.name, b.table, err)
		}
		want = append(want, held)
	}
	at := make(map[event.Key]int, len(keys))
	for i, k := range keys {
		at[k] = i
		out[k] = true // until it is found unchanged
	}
	dest := make([]any, len(want))
	for i := range dest {
		dest[i] = reflect.New(want[i].of).Interface()
	}
	for cond := range keyConditions(keys, "center", "", "id") {
		sql := "SELECT " + strings.Join(columns, ", ") + " FROM " + b.table + " FINAL WHERE " + cond
		err := s.query(ctx, "compare rows of "+b.table, sql, func(scan func(...any) error) error {
			for i := range dest {
				reflect.ValueOf(dest[i]).Elem().SetZero()
			}
			if err := scan(dest...); err != nil {
				return err
			}
			key := event.Key{Center: *dest[0].(*string), Kind: keys[0].Kind, ID: *dest[1].(*string)}
			i, asked := at[key]
			if !asked {
				return nil
			}
			for c := range want {
				if !sameValue(want[c].rows[i], reflect.ValueOf(dest[c]).Elem().Interface()) {
					return nil
				}
			}
			delete(out, key)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// capture collects the values of one column of a block, which else go to an insert.
type capture struct {
	driver.BatchColumn // its other methods are not called
	of                 reflect.Type
	rows               []any
}

// Append takes a whole column.
func (c *capture) Append(column any) error {
	v := reflect.ValueOf(column)
	c.of = v.Type().Elem()
	for i := range v.Len() {
		c.rows = append(c.rows, v.Index(i).Interface())
	}
	return nil
}

// AppendRow takes one value.
func (c *capture) AppendRow(value any) error {
	c.of = reflect.TypeOf(value)
	c.rows = append(c.rows, value)
	return nil
}

// sameValue compares two values of one type as ClickHouse stores them: times to the millisecond, a nil list as an empty
// one.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case time.Time:
		return a.UnixMilli() == b.(time.Time).UnixMilli()
	case *time.Time:
		b := b.(*time.Time)
		return (a == nil) == (b == nil) && (a == nil || a.UnixMilli() == b.UnixMilli())
	case []time.Time:
		return sameList(a, b.([]time.Time))
	case []*time.Time:
		return sameList(a, b.([]*time.Time))
	case []string:
		return sameList(a, b.([]string))
	case []uint16:
		return sameList(a, b.([]uint16))
	}
	return reflect.DeepEqual(a, b)
}

func sameList[T any](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameValue(a[i], b[i]) {
			return false
		}
	}
	return true
}

// FlushRollups recomputes the hours and days whose cases changed, so that the views monev_* show the cases as they are.
// What is handed out or printed as figures of a month or range calls it first: freeze, report and number. Pages and
// dashboards that people look at again and again do not, and lag by seconds (see RecomputeEvery). Nothing that is read
// as of an instant, no cause (CauseSums, CauseCounts of a check) and no Indicator of the follow-up reads a roll-up.
func (s *Sink) FlushRollups(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recompute(ctx)
}
