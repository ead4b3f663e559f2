package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

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
// by clickhouse-go into the table events of the embedded engine. The best of several ways counts.
func (b *bench) limitOf(ctx context.Context, bodies []body) (best float64, how string, cpu time.Duration, err error) {
	decoded, err := decode(bodies)
	if err != nil {
		return 0, "", 0, err
	}
	events := make([]*event.Event, len(decoded))
	for i := range decoded {
		events[i] = &decoded[i]
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
		{rows: 50_000, concurrency: 4, plain: true}, {rows: 100_000, concurrency: 1}, {rows: 50_000, concurrency: 4},
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

// decode makes events of the bodies as the service does on entry.
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
func insertPrebuilt(ctx context.Context, conn driver.Conn, events []*event.Event, w way, token string) (time.Duration,
	error) {
	var batches []driver.Batch
	defer func() {
		for _, b := range batches {
			_ = b.Abort() // of a batch that was sent it does nothing
		}
	}()
	for i := 0; i < len(events); i += w.rows {
		part := events[i:min(i+w.rows, len(events))]
		cols := store.EventColumns(part)
		names := make([]string, len(cols))
		types := make([]clickhouse.ColumnNameAndType, len(cols))
		for j, c := range cols {
			names[j], types[j] = c.Name, clickhouse.ColumnNameAndType{Name: c.Name, Type: c.Wire}
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
			if err := c.Append(batch.Column(j)); err != nil {
				return 0, fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
	}
	var g errgroup.Group
	g.SetLimit(w.concurrency)
	began := time.Now()
	for _, b := range batches {
		g.Go(b.Send)
	}
	err := g.Wait()
	return time.Since(began), err
}
