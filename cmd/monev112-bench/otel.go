package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/template"
	"time"

	"github.com/monev112/monev112/collector/engine"
)

// peerGoal is how many times as many events a second are stored as by the OpenTelemetry Collector.
const peerGoal = 3

// otelcol measures a widely used way to the same place, on the same machine in the same run: an OpenTelemetry Collector
// that takes the same events as log records of OTLP over HTTP in JSON, in the same batches from as many clients, puts
// each batch on disk with an fsync before it answers, and inserts into the embedded engine with its ClickHouse
// exporter. It checks, folds and counts nothing. `make otelcol` builds it.
func (b *bench) otelcol(ctx context.Context) error {
	if _, err := os.Stat(b.collector); err != nil {
		b.table.add(figure{"stored beside the OpenTelemetry Collector", notMeasured, "times", true}, peerGoal, "",
			"build it with `make otelcol`: "+err.Error())
		return nil
	}
	bodies, err := encode(b.events, b.batch, 1)
	if err != nil {
		return err
	}
	for i := range bodies {
		if bodies[i].bytes, err = asLogRecords(bodies[i].bytes); err != nil {
			return err
		}
	}
	n := eventsOf(bodies)
	dir, err := b.folder("otelcol")
	if err != nil {
		return err
	}
	db, err := b.engineAlone(ctx, filepath.Join(dir, "clickhouse"))
	if err != nil {
		return err
	}
	defer func() { _ = db.stop() }()
	key, err := engine.ReadKey(db.dir)
	if err != nil {
		return err
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "otelcol.yaml")
	var text strings.Builder
	if err := otelConfig.Execute(&text,
		map[string]string{
			"Listen": addr, "Queue": filepath.Join(dir, "queue"), "Engine": db.engine, "Key": key,
		}); err != nil {
		return err
	}
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		return err
	}
	col := &process{dir: dir, addr: addr}
	if err := col.start(exec.Command(b.collector, "--config", config)); err != nil {
		return err
	}
	defer func() { _ = col.stop() }()
	url := "http://" + addr + "/v1/logs"
	if err := col.until(ctx, "the OpenTelemetry Collector answers", 50*time.Millisecond, func() bool {
		_, _, err := post(ctx, http.DefaultClient, url, "application/json", []byte(`{"resourceLogs":[]}`))
		return err == nil
	}); err != nil {
		return err
	}
	self0, _ := col.used()
	db0, _ := db.used()
	began := time.Now()
	var retries atomic.Int64
	accepted, err := offer(ctx, slices.Values(bodies), load{clients: b.clients},
		func(ctx context.Context, client *http.Client, b body, _ time.Time) error {
			_, n, err := post(ctx, client, url, "application/json", b.bytes)
			retries.Add(int64(n))
			return err
		})
	if err != nil {
		return err
	}
	if err := col.until(ctx, "everything is in ClickHouse", 100*time.Millisecond, func() bool {
		got, err := db.query("SELECT count() FROM otel.otel_logs")
		count, _ := strconv.Atoi(got)
		return err == nil && count >= n
	}); err != nil {
		return err
	}
	stored := time.Since(began)
	self1, _ := col.used()
	db1, _ := db.used()
	million := func(d time.Duration) float64 { return d.Seconds() * 1e6 / float64(n) }
	b.table.add(figure{"OpenTelemetry Collector, accepted", perSecond(n, accepted), "/s", true}, noGoal, "",
		fmt.Sprintf("the same events as OTLP log records in JSON, fsynced persistent queue, %d asked to come later",
			retries.Load()))
	peer := perSecond(n, stored)
	b.table.add(figure{"OpenTelemetry Collector, stored", peer, "/s", true}, noGoal, "",
		"its ClickHouse exporter into the same engine; it checks, folds and counts nothing")
	b.table.add(figure{"OpenTelemetry Collector, processor time of a million events",
		million(self1.cpu - self0.cpu + db1.cpu - db0.cpu), "s", false}, noGoal, "",
		fmt.Sprintf("%.1f s collector + %.1f s engine", million(self1.cpu-self0.cpu), million(db1.cpu-db0.cpu)))
	if b.stored > 0 {
		b.table.add(figure{"stored beside the OpenTelemetry Collector", b.stored / peer, "times", true}, peerGoal, "",
			fmt.Sprintf("%s/s and %s/s in this run", thousands(int64(b.stored)), thousands(int64(peer))))
	}
	return nil
}

// otelConfig keeps to what the exporter's own documentation advises for throughput: large batches, made behind the
// queue.
//
//go:embed otelcol-run.yaml
var otelConfigText string

var otelConfig = template.Must(template.New("otelcol").Parse(otelConfigText))

// asLogRecords turns a batch of CloudEvents into an export request of OTLP: a record an event, an attribute a field.
func asLogRecords(batch []byte) ([]byte, error) {
	var events []map[string]any
	if err := json.Unmarshal(batch, &events); err != nil {
		return nil, err
	}
	type value struct {
		S string `json:"stringValue"`
	}
	type attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	type record struct {
		Time       string      `json:"timeUnixNano"`
		Body       value       `json:"body"`
		Attributes []attribute `json:"attributes"`
	}
	records := make([]record, 0, len(events))
	for _, e := range events {
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(e["time"]))
		if err != nil {
			return nil, err
		}
		r := record{Time: strconv.FormatInt(at.UnixNano(), 10), Body: value{fmt.Sprint(e["type"])}}
		add := func(fields map[string]any) {
			for k, v := range fields {
				if _, nested := v.(map[string]any); !nested {
					r.Attributes = append(r.Attributes, attribute{k, value{fmt.Sprint(v)}})
				}
			}
		}
		add(e)
		if data, ok := e["data"].(map[string]any); ok {
			add(data)
		}
		records = append(records, r)
	}
	return json.Marshal(map[string]any{"resourceLogs": []any{map[string]any{"scopeLogs": []any{map[string]any{
		"logRecords": records,
	}}}}})
}
