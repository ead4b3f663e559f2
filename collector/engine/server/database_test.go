package server_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/monev112/monev112/collector/engine/enginetest"
)

func open(t *testing.T, change func(*clickhouse.Options)) clickhouse.Conn {
	t.Helper()
	options := enginetest.Options(t)
	if change != nil {
		change(options)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestRoundTripOfEveryColumnType(t *testing.T) {
	database := enginetest.Database(t)
	for _, compression := range []clickhouse.CompressionMethod{
		clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP,
		clickhouse.CompressionDeflate, clickhouse.CompressionBrotli,
	} {
		t.Run(compression.String(), func(t *testing.T) {
			ctx := context.Background()
			conn := open(t, func(o *clickhouse.Options) {
				o.Auth.Database = database
				o.Compression = &clickhouse.Compression{Method: compression, Level: 3}
			})
			table := "rt_" + compression.String()
			if err := conn.Exec(ctx,
				"CREATE TABLE "+table+` (s String, l LowCardinality(String), n Nullable(DateTime64(3,'UTC')), a Array(String), m
					Map(String,String),
				f FixedString(4), u UInt64, d Nullable(Float64), b Bool, t DateTime64(3,'UTC')) ENGINE = ReplacingMergeTree ORDER BY
				u`); err != nil {
				t.Fatal(err)
			}
			batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 3, 19, 23, 59, 59, 123_000_000, time.UTC)
			half := 0.5
			const rows = 6_000
			for i := range uint64(rows) {
				var n *time.Time
				var d *float64
				if i%2 == 0 {
					n, d = &at, &half
				}
				if err := batch.Append("line\n\n\x00'é", "low", n, []string{"a", "", "b\n\n"}, map[string]string{"k\t": "v\n\n"},
					"abcd", i, d, i%3 == 0, at); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			var (
				count, nulls uint64
				sum          float64
			)
			if err := conn.QueryRow(ctx, "SELECT count(), countIf(n IS NULL), sum(d) FROM "+table+" FINAL WHERE u >= $1",
				uint64(0)).Scan(&count, &nulls, &sum); err != nil {
				t.Fatal(err)
			}
			if count != rows || nulls != rows/2 || sum != rows/4 {
				t.Errorf("count %d, nulls %d, sum %v", count, nulls, sum)
			}
			got, err := conn.Query(ctx, "SELECT * FROM "+table+" ORDER BY u")
			if err != nil {
				t.Fatal(err)
			}
			seen := uint64(0)
			for got.Next() {
				var (
					s, l, f string
					n       *time.Time
					a       []string
					m       map[string]string
					u       uint64
					d       *float64
					b       bool
					at2     time.Time
				)
				if err := got.Scan(&s, &l, &n, &a, &m, &f, &u, &d, &b, &at2); err != nil {
					t.Fatal(err)
				}
				if s != "line\n\n\x00'é" || l != "low" || (n != nil) != (u%2 == 0) || n != nil && !n.Equal(at) || len(a) != 3 ||
					a[2] != "b\n\n" || m["k\t"] != "v\n\n" ||
					f != "abcd" || u != seen || (d != nil) != (u%2 == 0) || b != (u%3 == 0) || !at2.Equal(at) {
					t.Fatalf("row %d: %q %q %v %q %v %q %d %v %v %v", seen, s, l, n, a, m, f, u, d, b, at2)
				}
				seen++
			}
			if err := got.Err(); err != nil || seen != rows {
				t.Fatalf("%d rows, error %v", seen, err)
			}
		})
	}
}

// Two files a column, each written and synced by itself, were a good part of what an insert of many columns cost.
func TestWhatAnInsertBringsIsOneFile(t *testing.T) {
	database := enginetest.Database(t)
	write(t, "CREATE TABLE "+database+".t (a UInt64, b UInt64) ENGINE = MergeTree ORDER BY a")
	write(t, "INSERT INTO "+database+".t SELECT number, number FROM numbers(1_000_000)") // 16 MB
	got := read(t, "SELECT DISTINCT part_type FROM system.parts WHERE active AND database = '"+database+"'")
	if got != "Compact\n" {
		t.Errorf("parts are %q", got)
	}
}

func TestEveryTableIsDurableByDefault(t *testing.T) {
	got := read(
		t, "SELECT name, value FROM system.merge_tree_settings WHERE name IN ('fsync_after_insert', "+
			"'fsync_part_directory', 'min_rows_to_fsync_after_merge') ORDER BY name")
	if want := "fsync_after_insert\t1\nfsync_part_directory\t1\nmin_rows_to_fsync_after_merge\t1\n"; got != want {
		t.Errorf("%q", got)
	}
	database := enginetest.Database(t)
	write(t, "CREATE TABLE "+database+".t (a UInt64) ENGINE = MergeTree ORDER BY a")
	syncs := func() (n int) {
		if _, err := fmt.Sscan(read(t, "SELECT value FROM system.events WHERE event = 'FileSync'"), &n); err != nil {
			n = 0
		}
		return n
	}
	before := syncs()
	write(t, "INSERT INTO "+database+".t VALUES (1)")
	if after := syncs(); after <= before {
		t.Errorf("an insert fsynced %d files", after-before)
	}
}
