package server_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/monev112/monev112/collector/engine/enginetest"
)

// BenchmarkInsert measures durable inserts through clickhouse-go, by rows in a batch.
func BenchmarkInsert(b *testing.B) {
	database := enginetest.Database(b)
	for _, rows := range []int{500, 5_000, 50_000} {
		for _, fsync := range []int{1, 0} {
			b.Run(fmt.Sprintf("rows=%d/fsync=%d", rows, fsync), func(b *testing.B) {
				ctx := context.Background()
				options := enginetest.Options(b)
				options.Auth.Database = database
				conn, err := clickhouse.Open(options)
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close()
				table := fmt.Sprintf("t%d_%d", rows, fsync)
				if err := conn.Exec(ctx,
					fmt.Sprintf(
						`CREATE TABLE IF NOT EXISTS %s (center LowCardinality(String), source LowCardinality(String), id String, kind
							LowCardinality(String), subject String,
					at DateTime64(3,'UTC'), digest FixedString(16), wait Nullable(UInt32), attributes Map(String,String)) ENGINE =
					ReplacingMergeTree ORDER BY (center, kind, subject, source, id)
					SETTINGS fsync_after_insert = %d, fsync_part_directory = %d, min_rows_to_fsync_after_merge =
					%d`, table, fsync, fsync, fsync)); err != nil {
					b.Fatal(err)
				}
				at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
				wait := uint32(12)
				n := 0
				b.ResetTimer()
				for b.Loop() {
					batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
					if err != nil {
						b.Fatal(err)
					}
					for range rows {
						n++
						if err := batch.Append("35.15", "urn:pbx", fmt.Sprint("evt-", n), "call", fmt.Sprint("c-", n/6), at,
							"0123456789abcdef", &wait, map[string]string{"channel": "trunk"}); err != nil {
							b.Fatal(err)
						}
					}
					if err := batch.Send(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// BenchmarkReaderSelect measures what the guard and the HTTP interface cost a small query.
func BenchmarkReaderSelect(b *testing.B) {
	addr, key := enginetest.Start(b)
	for name, key := range map[string]string{"reader": "", "writer": key} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := enginetest.Post(addr, key, "SELECT 1", "", nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
