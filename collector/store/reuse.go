package store

import (
	"errors"
	"reflect"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// columnReuse keeps the column buffers of the latest inserts for the next ones. The client makes the columns of every
// insert anew and lets them grow row by row, which was 40 % of all allocations; this way each grows once. The zero
// value is ready, and safe for concurrent use.
type columnReuse struct {
	mu sync.Mutex
	of map[string]usedColumns // by table
}

type usedColumns struct {
	columns []column.Interface
	rows    int // for which they have room
}

// oversized reports whether buffers with room for so many rows should be freed rather than serve an insert of rows: a
// burst is over.
func oversized(room, rows int) bool { return room > 4*max(rows, 1000) }

// lend moves the kept buffers of a table into the columns of a new insert, unless they are oversized. It returns for
// how many rows there is room.
func (s *columnReuse) lend(table string, rows int, to []column.Interface) int {
	s.mu.Lock()
	from := s.of[table]
	delete(s.of, table)
	s.mu.Unlock()
	if len(from.columns) != len(to) || oversized(from.rows, rows) {
		return rows
	}
	for i, c := range to {
		old, now := reflect.ValueOf(from.columns[i]), reflect.ValueOf(c)
		if old.Type() == now.Type() && now.Kind() == reflect.Pointer && from.columns[i].Name() == c.Name() &&
			from.columns[i].Type() == c.Type() {
			now.Elem().Set(old.Elem())
		}
	}
	return max(rows, from.rows)
}

// keep takes the columns of an insert that has succeeded: the client does not read them any more.
func (s *columnReuse) keep(table string, room int, columns []column.Interface) {
	for _, c := range columns {
		c.Reset()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]usedColumns{}
	}
	s.of[table] = usedColumns{columns, room}
}

// trim frees everything that is kept.
func (s *columnReuse) trim() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = nil
}

// insertConns are the connections of inserts alone: each keeps a buffer as large as its largest insert, up to 50 MiB,
// for as long as it lives.
type insertConns struct {
	opts   clickhouse.Options
	events driver.Conn // one connection, since the largest inserts are of events
	others driver.Conn
}

// openInserts makes the connections, which are dialled when they are needed.
func openInserts(opts clickhouse.Options) (insertConns, error) {
	c := insertConns{opts: opts}
	var err error
	if c.others, err = clickhouse.Open(&opts); err != nil {
		return c, err
	}
	opts.MaxOpenConns, opts.MaxIdleConns = 1, 1
	if c.events, err = clickhouse.Open(&opts); err != nil {
		return c, errors.Join(err, c.others.Close())
	}
	return c, nil
}

// of is the connection for a table.
func (c *insertConns) of(table string) driver.Conn {
	if table == eventsTable {
		return c.events
	}
	return c.others
}

func (c *insertConns) close() error { return errors.Join(c.events.Close(), c.others.Close()) }

// renewInserts closes the connections of inserts, whose buffers go with them, unless one is in use.
func (s *Store) renewInserts() {
	if !s.inserting.TryLock() {
		return
	}
	defer s.inserting.Unlock()
	fresh, err := openInserts(s.inserts.opts)
	if err != nil {
		return // not with options that were good once
	}
	_ = s.inserts.close() // nothing is under way on them
	s.inserts = fresh
}
