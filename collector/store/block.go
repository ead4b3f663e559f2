package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// block is one insert: a table and its columns with all their rows.
type block struct {
	table   string
	columns []blockColumn
}

// blockColumn is one column of a block. wire is the type that is sent over HTTP; ClickHouse converts it to the column's
// own. Text goes as plain String: to build a dictionary for LowCardinality here would cost more than it saves on
// loopback.
type blockColumn struct {
	name   string
	wire   column.Type
	append func(driver.BatchColumn) error
}

// texts is a column that is text on both sides.
func texts(name string, v []string) blockColumn { return all(name, "String", v) }

// nullTexts is a text column in which a nil is an absent fact.
func nullTexts(name string, v []*string) blockColumn { return all(name, "Nullable(String)", v) }

func instants(name string, v []time.Time) blockColumn { return all(name, "DateTime64(3, 'UTC')", v) }

func nullInstants(name string, v []*time.Time) blockColumn {
	return all(name, "Nullable(DateTime64(3, 'UTC'))", v)
}

// all appends a whole slice at once.
func all[T any](name string, wire column.Type, v []T) blockColumn {
	return blockColumn{name, wire, func(c driver.BatchColumn) error { return c.Append(v) }}
}

// each appends row by row: for arrays and maps the client's path for slices goes through reflection twice.
func each[T any](name string, wire column.Type, v []T) blockColumn {
	return blockColumn{name, wire, func(c driver.BatchColumn) error {
		for i := range v {
			if err := c.AppendRow(v[i]); err != nil {
				return err
			}
		}
		return nil
	}}
}

// piecewise makes the column of one value of each row. Its values go to the client in pieces: those of a whole insert
// would be some 20 MiB beside the client's own, full of pointers.
func piecewise[R, T any](rows []R, name string, send func(string, []T) blockColumn, value func(*R) T) blockColumn {
	return blockColumn{name, send(name, nil).wire, func(to driver.BatchColumn) error {
		values := make([]T, 0, min(len(rows), pieceRows))
		for piece := range slices.Chunk(rows, pieceRows) {
			values = values[:0]
			for i := range piece {
				values = append(values, value(&piece[i]))
			}
			if err := send(name, values).append(to); err != nil {
				return err
			}
		}
		return nil
	}}
}

const pieceRows = 1000

// insertSettings leave to the merges what they do anyway: a block has each key once, and to look for repetitions in it
// costs a quarter of the insert.
const insertSettings = "optimize_on_insert = 0"

// insert sends a block. A token makes ClickHouse drop a repetition of the same block, and only events have a window in
// which it remembers tokens.
func (s *Store) insert(ctx context.Context, b block, rows int, token string) error {
	if rows == 0 {
		return nil
	}
	s.inserting.RLock()
	defer s.inserting.RUnlock()
	conn := s.inserts.of(b.table)
	start := time.Now()
	err := s.request(ctx, "insert into "+b.table, func(ctx context.Context) error {
		types := make([]clickhouse.ColumnNameAndType, len(b.columns))
		names := make([]byte, 0, 1024)
		for i, c := range b.columns {
			types[i] = clickhouse.ColumnNameAndType{Name: c.name, Type: string(c.wire)}
			if i > 0 {
				names = append(names, ", "...)
			}
			names = append(append(append(names, '`'), c.name...), '`')
		}
		sql := fmt.Sprintf("INSERT INTO %s (%s) SETTINGS %s", b.table, names, insertSettings)
		if token != "" {
			sql += ", insert_deduplication_token = " + quote(token)
		}
		ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(types))
		batch, err := conn.PrepareBatch(ctx, sql, driver.WithReleaseConnection())
		if err != nil {
			return err
		}
		room := s.reuse.lend(b.table, rows, batch.Columns())
		for i, c := range b.columns {
			if err := c.append(batch.Column(i)); err != nil {
				_ = batch.Abort()
				return fmt.Errorf("column %s: %w: %w", c.name, errValue, err)
			}
		}
		if err := sameRowCount(batch.Columns(), rows); err != nil {
			_ = batch.Abort()
			return err
		}
		if err := batch.Send(); err != nil {
			return err
		}
		s.reuse.keep(b.table, room, batch.Columns())
		return nil
	})
	if err == nil {
		s.cfg.Inserted(b.table, rows, time.Since(start))
	}
	return err
}

// insertRows sends rows in blocks of maxInsertRows.
func insertRows[R any](ctx context.Context, s *Store, rows []R, of func([]R) block) error {
	for chunk := range slices.Chunk(rows, maxInsertRows) {
		if err := s.insert(ctx, of(chunk), len(chunk), ""); err != nil {
			return err
		}
	}
	return nil
}

// sameRowCount checks that every column has the rows of the insert: the client sends an HTTP insert whose columns
// differ in length as one without rows, and reports success.
func sameRowCount(columns []column.Interface, rows int) error {
	for _, c := range columns {
		if c.Rows() != rows {
			return fmt.Errorf("column %s has %d rows, not %d", c.Name(), c.Rows(), rows)
		}
	}
	return nil
}
