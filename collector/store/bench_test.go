package store

import (
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const benchRows = 50_000

// BenchmarkInsertEvents stores events; its limit is BenchmarkInsertPrebuilt: the same rows, made columns beforehand.
func BenchmarkInsertEvents(b *testing.B) {
	s := open(b)
	events := sample(benchRows, 0)
	b.ResetTimer()
	for i := range b.N {
		if err := s.InsertEvents(b.Context(), events, fmt.Sprint("token", i)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkInsertPrebuilt(b *testing.B) {
	for _, native := range []bool{false, true} {
		b.Run(fmt.Sprintf("tableTypes=%v", native), func(b *testing.B) {
			s := open(b)
			blk := new(eventBlock)
			blk.fill(sample(benchRows, 0))
			cols := blk.block().columns
			b.ResetTimer()
			for i := range b.N {
				b.StopTimer()
				ctx := b.Context()
				if !native {
					ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(wireTypes(cols)))
				}
				batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO events ("+eventColumns+") SETTINGS insert_deduplication_token = "+quote(fmt.Sprint(i)), driver.WithReleaseConnection())
				if err != nil {
					b.Fatal(err)
				}
				for j, c := range cols {
					if err := c.append(batch.Column(j)); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				if err := batch.Send(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkMapEvents is the work before the network alone.
func BenchmarkMapEvents(b *testing.B) {
	events := sample(benchRows, 0)
	var sink []column.Interface
	for range b.N {
		blk := eventBlocks.Get().(*eventBlock)
		blk.fill(events)
		sink = buildColumns(b, blk.block())
		blk.reset()
		eventBlocks.Put(blk)
	}
	_ = sink
	b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func wireTypes(cols []blockColumn) []clickhouse.ColumnNameAndType {
	out := make([]clickhouse.ColumnNameAndType, len(cols))
	for i, c := range cols {
		out[i] = clickhouse.ColumnNameAndType{Name: c.name, Type: string(c.wire)}
	}
	return out
}

// memoryColumn lets a blockColumn append to a column that belongs to no batch.
type memoryColumn struct{ column.Interface }

func (m memoryColumn) Append(v any) error { _, err := m.Interface.Append(v); return err }
func (m memoryColumn) Close() error       { return nil }

func buildColumns(b *testing.B, blk block) []column.Interface {
	out := make([]column.Interface, len(blk.columns))
	for i, c := range blk.columns {
		col, err := c.wire.Column(c.name, &column.ServerContext{})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.append(memoryColumn{col}); err != nil {
			b.Fatal(err)
		}
		out[i] = col
	}
	return out
}
