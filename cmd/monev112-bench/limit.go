package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
)

// way is one way of inserting.
type way struct {
	rows        int // of one insert
	concurrency int
	plain       bool // text goes as String, and ClickHouse makes the dictionaries
	unmerged    bool // ClickHouse does not look for repetitions within the block, as the service asks of it
}

func (w way) String() string {
	types := "the table's types"
	if w.plain {
		types = "plain types"
	}
	if w.unmerged {
		types += ", unmerged"
	}
	return fmt.Sprintf("%s rows x %d, %s", thousands(int64(w.rows)), w.concurrency, types)
}

// limitOf is what this machine can do at most: the events of the bodies, decoded and made columns beforehand, inserted
// by clickhouse-go into the table events of the embedded engine. The best of several ways speaks.
func (b *bench) limitOf(ctx context.Context, bodies []body) (best float64, how string, cpu time.Duration, err error) {
	events, err := decode(bodies)
	if err != nil {
		return 0, "", 0, err
	}
	dir := filepath.Join(b.dir, "limit")
	p, st, err := b.database(ctx, dir)
	if err != nil {
		return 0, "", 0, err
	}
	defer p.stop()
	defer st.Close()
	key, err := engine.ReadKey(dir)
	if err != nil {
		return 0, "", 0, err
	}
	ways := []way{
		{rows: 50_000, concurrency: 1, plain: true}, {rows: 100_000, concurrency: 2, plain: true},
		{rows: 50_000, concurrency: 4, plain: true},
		{rows: 100_000, concurrency: 1}, {rows: 50_000, concurrency: 4},
		{rows: 100_000, concurrency: 1, plain: true, unmerged: true},
		{rows: 50_000, concurrency: 4, plain: true, unmerged: true}, {rows: 50_000, concurrency: 4, unmerged: true},
	}
	if b.quick {
		ways = []way{{rows: 20_000, concurrency: 1, plain: true}, {rows: 20_000, concurrency: 2, unmerged: true}}
	}
	conns := 1 // over HTTP every prepared batch holds one until it is sent
	for _, w := range ways {
		conns = max(conns, 1+len(events)/w.rows)
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{p.engine}, MaxOpenConns: conns, MaxIdleConns: 8,
		Auth: clickhouse.Auth{Database: store.DefaultDatabase, Username: "default", Password: key},
	})
	if err != nil {
		return 0, "", 0, err
	}
	defer conn.Close()
	for i, w := range ways {
		before, _ := p.used()
		took, err := insertPrebuilt(ctx, conn, events, w, fmt.Sprintf("%s-%d", rand.Text(), i))
		if err != nil {
			return 0, "", 0, fmt.Errorf("%s: %w", w, err)
		}
		after, _ := p.used()
		if got, err := p.query("SELECT count() FROM monev112.events"); err != nil || got != fmt.Sprint(len(events)) {
			return 0, "", 0, fmt.Errorf("%s: the table holds %s rows, want %d: %w", w, got, len(events), err)
		}
		if r := perSecond(len(events), took); r > best {
			best, how, cpu = r, w.String(), after.cpu-before.cpu
		}
		if err := conn.Exec(ctx, "TRUNCATE TABLE events"); err != nil {
			return 0, "", 0, err
		}
	}
	return best, how, cpu, nil
}

// decode makes events of the bodies as the door does.
func decode(bodies []body) ([]event.Event, error) {
	keys, err := event.NewKeys(rand.Reader, time.Now())
	if err != nil {
		return nil, err
	}
	d, err := event.NewDecoder(event.Config{Keys: keys})
	if err != nil {
		return nil, err
	}
	events := make([]event.Event, 0, eventsOf(bodies))
	for _, body := range bodies {
		var batch event.Batch
		if err := d.Decode(&batch, body.bytes, event.BatchArray, time.Now()); err != nil {
			return nil, err
		}
		if len(batch.Refusals) > 0 {
			return nil, fmt.Errorf("event %d refused: %+v", batch.Refusals[0].Index, batch.Refusals[0])
		}
		events = append(events, batch.Events...)
	}
	return events, nil
}

// insertPrebuilt fills every batch first and measures the sending alone.
func insertPrebuilt(ctx context.Context, conn driver.Conn, events []event.Event, w way, token string) (time.Duration,
	error) {
	var batches []driver.Batch
	defer func() {
		for _, b := range batches {
			_ = b.Abort() // of a batch that was sent it does nothing
		}
	}()
	for i := 0; i < len(events); i += w.rows {
		part := events[i:min(i+w.rows, len(events))]
		cols := columnsOf(part)
		names := make([]string, len(cols))
		types := make([]clickhouse.ColumnNameAndType, len(cols))
		for j, c := range cols {
			names[j], types[j] = c.name, clickhouse.ColumnNameAndType{Name: c.name, Type: c.wire}
		}
		in := ctx
		if w.plain {
			in = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(types))
		}
		sql := fmt.Sprintf("INSERT INTO events (%s) SETTINGS insert_deduplication_token = '%s-%d'", strings.Join(names, ", "),
			token, i)
		if w.unmerged {
			sql += ", optimize_on_insert = 0"
		}
		batch, err := conn.PrepareBatch(in, sql, driver.WithReleaseConnection())
		if err != nil {
			return 0, err
		}
		batches = append(batches, batch)
		for j, c := range cols {
			if err := batch.Column(j).Append(c.values); err != nil {
				return 0, fmt.Errorf("column %s: %w", c.name, err)
			}
		}
	}
	work := make(chan driver.Batch, len(batches))
	for _, b := range batches {
		work <- b
	}
	close(work)
	errs := make(chan error, w.concurrency)
	var wg sync.WaitGroup
	began := time.Now()
	for range w.concurrency {
		wg.Go(func() {
			for b := range work {
				if err := b.Send(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	select {
	case err := <-errs:
		return 0, err
	default:
		return took, nil
	}
}

// valueColumn is one column of events.
type valueColumn struct {
	name, wire string
	values     any
}

func column[V any](events []event.Event, name, wire string, value func(*event.Event) V) valueColumn {
	out := make([]V, len(events))
	for i := range events {
		out[i] = value(&events[i])
	}
	return valueColumn{name, wire, out}
}

// columnsOf are all columns of the table events; a test holds them to the schema.
func columnsOf(events []event.Event) []valueColumn {
	text := func(name string, value func(*event.Event) string) valueColumn {
		return column(events, name, "String", value)
	}
	type ev = *event.Event
	const when = "DateTime64(3, 'UTC')"
	return []valueColumn{
		text("center", func(e ev) string { return e.Center }),
		text("subject_kind", func(e ev) string { return e.Kind.String() }),
		text("subject", func(e ev) string { return e.Subject }),
		text("source", func(e ev) string { return e.Source }),
		text("id", func(e ev) string { return e.ID }),
		text("type", func(e ev) string { return e.Type.String() }),
		column(events, "occurred_at", when, func(e ev) time.Time { return e.OccurredAt }),
		column(events, "received_at", when, func(e ev) time.Time { return e.ReceivedAt }),
		column(events, "digest", "FixedString(16)", func(e ev) []byte { return e.Digest[:] }),
		text("caller_key_id", func(e ev) string { return e.Caller.KeyID }),
		text("caller_key", func(e ev) string { return e.Caller.Key }),
		text("caller_last3", func(e ev) string { return e.Caller.Last3 }),
		text("agent", func(e ev) string { return e.Agent }),
		text("queue", func(e ev) string { return e.Queue }),
		text("position", func(e ev) string { return e.Position }),
		text("channel", func(e ev) string { return e.Channel }),
		text("class", func(e ev) string { return e.Class }),
		text("category", func(e ev) string { return e.Category }),
		text("priority", func(e ev) string { return e.Priority }),
		text("opd", func(e ev) string { return e.OPD }),
		text("kecamatan", func(e ev) string { return e.Kecamatan }),
		text("reason", func(e ev) string { return e.Reason }),
		text("result", func(e ev) string { return e.Result }),
		column(events, "calls", "Array(String)", func(e ev) []string { return e.Calls }),
		text("master", func(e ev) string { return e.Master }),
		column(events, "due", "Nullable("+when+")", func(e ev) *time.Time {
			if e.Due.IsZero() {
				return nil
			}
			return &e.Due
		}),
		column(events, "lat", "Nullable(Float64)", func(e ev) *float64 { return e.Lat }),
		column(events, "lon", "Nullable(Float64)", func(e ev) *float64 { return e.Lon }),
		column(events, "ring_ms", "Nullable(Int64)", func(e ev) *int64 { return e.RingMS }),
		column(events, "wait_ms", "Nullable(Int64)", func(e ev) *int64 { return e.WaitMS }),
		text("replaces", func(e ev) string { return e.Replaces }),
		column(events, "revision", "UInt32", func(e ev) uint32 { return e.Revision }),
		column(events, "attributes", "Map(String, String)", func(e ev) map[string]string { return e.Attributes }),
	}
}
