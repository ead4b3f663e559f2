package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"

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
			cols := eventBlock(sample(benchRows, 0)).columns
			b.ResetTimer()
			for i := range b.N {
				b.StopTimer()
				ctx := b.Context()
				if !native {
					ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(wireTypes(cols)))
				}
				batch, err := s.conn.PrepareBatch(ctx,
					"INSERT INTO events ("+eventColumns+") SETTINGS insert_deduplication_token = "+quote(fmt.Sprint(i)),
					driver.WithReleaseConnection())
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
		sink = buildColumns(b, eventBlock(events))
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

// BenchmarkUpsert stores the rows of 10,000 calls with their clocks, of 200,000 that stand in the table; steps are
// reported apart.
func BenchmarkUpsert(b *testing.B) {
	s := openSink(b)
	const inTable, batch = 200_000, 10_000
	rows := make([]tracker.Row, inTable)
	for i := range rows {
		c := casefile.Call{
			Key: callKey(fmt.Sprintf("c-%08d", i)), ReceivedAt: clockStart.Add(time.Duration(i) * time.Second), Class: "prank",
			Agent: "a1", Channel: "phone", Events: 5,
		}
		c.QueuedAt, c.AnsweredAt, c.EndedAt = c.ReceivedAt.Add(time.Second), c.ReceivedAt.Add(9*time.Second),
			c.ReceivedAt.Add(time.Minute)
		rows[i] = tracker.Row{
			Key: c.Key, Call: &c, Clocks: []sla.Clock{{
				Key: c.Key, Name: sla.Answer, Seq: 1, Kind: sla.Elapsed, StartedAt: c.QueuedAt, DueAt: c.AnsweredAt,
				BreachAt: c.AnsweredAt, StoppedAt: c.AnsweredAt,
			}},
		}
	}
	for i := 0; i < inTable; i += 50_000 {
		if err := s.Upsert(b.Context(), rows[i:i+50_000], 1); err != nil {
			b.Fatal(err)
		}
	}
	took := map[string]time.Duration{}
	step := func(name string, do func() error) {
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		took[name] += time.Since(start)
	}
	b.ResetTimer()
	for i := range b.N {
		part := rows[i%10*batch : (i%10+1)*batch]
		var calls []*casefile.Call
		var clocks []caseClocks
		var keys []event.Key
		for _, r := range part {
			calls, keys = append(calls, r.Call), append(keys, r.Key)
			clocks = append(clocks, caseClocks{Key: r.Key, Clocks: r.Clocks})
		}
		version := uint64(i + 2)
		var hours []Period
		step("stored_hours", func() (err error) { hours, err = s.storedHours(b.Context(), keys); return err })
		step("calls", func() error { return s.upsertCalls(b.Context(), calls, version) })
		step("clocks", func() error { return s.upsertClocks(b.Context(), clocks, version) })
		step("recompute", func() error { return s.RecomputeHours(b.Context(), hours, version) })
		step("read_cases", func() error { _, err := s.ReadCases(b.Context(), keys[:5000]); return err })
	}
	for name, d := range took {
		b.ReportMetric(float64(d.Milliseconds())/float64(b.N), "ms_"+name)
	}
}
