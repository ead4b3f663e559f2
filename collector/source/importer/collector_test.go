package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
)

// fakeCollector is a server that judges events as the real one does: the real decoder, duplicates and conflicts by
// source and id.
type fakeCollector struct {
	*httptest.Server
	t       *testing.T
	decoder *event.Decoder

	mu     sync.Mutex
	events map[string]event.Event // by source and id
	key    string                 // the API key wanted; empty: none
	fail   func(n int) int        // status to answer request n with before reading it; 0 serves it
	blind  bool                   // the key may not read
	asked  int                    // cases that were asked for
	lose   func(n int) bool       // take the events of request n but break the connection instead of answering
	n      int
}

// now of every test: later than all data.
var testNow = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newFakeCollector(t *testing.T) *fakeCollector {
	t.Helper()
	keys, err := event.NewKeys(&seeded{rand.New(rand.NewPCG(1, 2))}, testNow)
	if err != nil {
		t.Fatal(err)
	}
	d := &fakeCollector{t: t, events: map[string]event.Event{}}
	if d.decoder, err = event.NewDecoder(event.Config{
		Keys: keys, Attributes: []string{"incident", "call_type", "disposition"},
	}); err != nil {
		t.Fatal(err)
	}
	d.Server = httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(d.Close)
	return d
}

// client submits to d without waiting between tries.
func (d *fakeCollector) client(c send.Config) *send.Client {
	d.t.Helper()
	c.Server = d.URL
	c.FirstWait, c.Sleep = time.Nanosecond, func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	client, err := send.New(c)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(client.Close)
	return client
}

// count is how many different events the server has taken.
func (d *fakeCollector) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.events)
}

type seeded struct{ r *rand.Rand }

func (s *seeded) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s.r.Uint32())
	}
	return len(p), nil
}

func (d *fakeCollector) serve(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	n := d.n
	d.n++
	d.mu.Unlock()
	if d.key != "" && r.Header.Get("Authorization") != "Bearer "+d.key {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if d.fail != nil {
		if status := d.fail(n); status != 0 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(status)
			return
		}
	}
	if r.Method == http.MethodGet {
		d.show(w, r)
		return
	}
	packed, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	z, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		d.t.Error(err)
		return
	}
	defer z.Close()
	body, err := io.ReadAll(z)
	if err != nil {
		d.t.Error(err)
		return
	}
	var b event.Batch
	if err := d.decoder.Decode(&b, body, event.NDJSON, testNow); err != nil {
		d.t.Error(err)
	}
	type refusal struct {
		Index  int    `json:"index"`
		ID     string `json:"id"`
		Field  string `json:"field"`
		Reason string `json:"reason"`
	}
	answer := struct {
		Accepted   int       `json:"accepted"`
		Duplicates int       `json:"duplicates"`
		Rejected   []refusal `json:"rejected"`
	}{Rejected: []refusal{}}
	d.mu.Lock()
	for i, e := range b.Events {
		old, known := d.events[e.Source+"\x00"+e.ID]
		switch {
		case !known:
			d.events[e.Source+"\x00"+e.ID] = e
			answer.Accepted++
		case old.Digest == e.Digest:
			answer.Duplicates++
		default:
			answer.Rejected = append(answer.Rejected, refusal{b.Index[i], e.ID, "", string(event.Conflict)})
		}
	}
	d.mu.Unlock()
	for _, r := range b.Refusals {
		answer.Rejected = append(answer.Rejected, refusal{r.Index, r.ID, string(r.Field), string(r.Reason)})
	}
	if d.lose != nil && d.lose(n) {
		panic(http.ErrAbortHandler)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		d.t.Log(err)
	}
}

// show answers what an import asks: the sources, and the events of a case.
func (d *fakeCollector) show(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.blind {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	var out []json.RawMessage
	if r.URL.Path == "/v1/board" {
		sources := map[string]bool{}
		for _, e := range d.events {
			if !sources[e.Source] {
				out = append(out, json.RawMessage(`{"source":"`+e.Source+`","last_event_at":null}`))
			}
			sources[e.Source] = true
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"sources": out})
		return
	}
	d.asked++
	for _, e := range d.events {
		if r.URL.Path == "/v1/"+e.Kind.String()+"s/"+e.Subject {
			out = append(out, event.AppendJSON(nil, &e))
		}
	}
	if out == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"events": out})
}

// standing returns the events of the server that no other replaces, as id and district.
func (d *fakeCollector) standing() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]string{}
	for _, e := range d.events {
		replaced := false
		for _, other := range d.events {
			replaced = replaced || other.Replaces == e.ID && other.Source == e.Source
		}
		if !replaced {
			base, _, _ := strings.Cut(e.ID, "~")
			if _, twice := out[base]; twice {
				d.t.Errorf("two versions of %s stand", base)
			}
			out[base] = e.Kecamatan
		}
	}
	return out
}
