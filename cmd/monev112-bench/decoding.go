package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
)

// plainEvent is an event of the load as the JSON library alone reads it: the shape is that of the bodies, and nothing
// is checked, resolved, made a pseudonym or given a digest.
type plainEvent struct {
	ID      string    `json:"id"`
	Source  string    `json:"source"`
	Type    string    `json:"type"`
	Subject string    `json:"subject"`
	Time    time.Time `json:"time"`
	Data    struct {
		Caller    string   `json:"caller"`
		Agent     string   `json:"agent"`
		Queue     string   `json:"queue"`
		Position  string   `json:"position"`
		Channel   string   `json:"channel"`
		Class     string   `json:"class"`
		Category  string   `json:"category"`
		Priority  string   `json:"priority"`
		OPD       string   `json:"opd"`
		Kecamatan string   `json:"kecamatan"`
		Calls     []string `json:"calls"`
		Center    string   `json:"center"`
		WaitMS    *int64   `json:"wait_ms"`
	} `json:"data"`
}

// event is what the columns are made of.
func (p *plainEvent) event(received time.Time) event.Event {
	typ, _ := event.ParseType(p.Type)
	_, subject, _ := strings.Cut(p.Subject, "/")
	d := &p.Data
	return event.Event{
		Source: p.Source, ID: p.ID, Type: typ, Kind: typ.Kind(), Subject: subject, OccurredAt: p.Time, ReceivedAt: received,
		Caller: event.Caller{Key: d.Caller}, Agent: d.Agent, Queue: d.Queue, Position: d.Position, Channel: d.Channel,
		Class: d.Class, Category: d.Category, Priority: d.Priority, OPD: d.OPD, Kecamatan: d.Kecamatan, Calls: d.Calls,
		Center: d.Center, WaitMS: d.WaitMS,
	}
}

// plainDecoder reads bodies, one after the other, in the same room.
type plainDecoder struct{ room []plainEvent }

// decode reads a body and appends its events.
func (d *plainDecoder) decode(into []*event.Event, b []byte) ([]*event.Event, error) {
	if err := json.Unmarshal(b, &d.room); err != nil {
		return into, err
	}
	events := make([]event.Event, len(d.room))
	now := time.Now().UTC()
	for i := range d.room {
		events[i] = d.room[i].event(now)
		into = append(into, &events[i])
	}
	return into, nil
}

// decoding is what the pipeline reached that only decodes and inserts.
type decoding struct {
	rate        float64 // events a second
	how         string
	cpu, engine time.Duration // processor time of the pipeline, of its engine
}

// decodingLimit measures the least that any service must do with these bodies: the JSON library of the service reads
// them into plain structs, and the store inserts the columns that the service inserts, both at once in one pipeline, as
// in the service. Nothing is received, checked, kept or folded. Each way has a fresh engine; the best counts.
func (b *bench) decodingLimit(ctx context.Context, bodies []body) (best decoding, err error) {
	rows := min(50_000, max(1, b.events/2)) // as many as the shipper's batch
	for i, inserters := range []int{1, 2, 4} {
		one, err := b.decodeAndInsert(ctx, filepath.Join(b.dir, fmt.Sprint("decoding-", i)), bodies, rows, inserters)
		if err != nil {
			return decoding{}, err
		}
		if one.rate > best.rate {
			best = one
		}
	}
	return best, nil
}

func (b *bench) decodeAndInsert(ctx context.Context, dir string, bodies []body, rows, inserters int) (d decoding,
	err error) {
	p, st, err := b.database(ctx, dir)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, st.Close(), p.stop()) }()
	before, _ := p.used()
	self, began := ownTime(), time.Now()
	if err := pipe(ctx, st, bodies, rows, inserters); err != nil {
		return d, err
	}
	n := eventsOf(bodies)
	took := time.Since(began)
	after, _ := p.used()
	d = decoding{perSecond(n, took), fmt.Sprintf("%d decode, %d insert %s rows each", runtime.GOMAXPROCS(0), inserters,
		thousands(int64(rows))), ownTime() - self, after.cpu - before.cpu}
	if got, err := p.query("SELECT count() FROM monev112.events"); err != nil || got != fmt.Sprint(n) {
		return d, fmt.Errorf("the table holds %s rows, want %d: %w", got, n, err)
	}
	return d, nil
}

// pipe decodes bodies on all processors while others insert what is decoded.
func pipe(ctx context.Context, st *store.Store, bodies []body, rows, inserters int) error {
	work, decoded := make(chan body), make(chan []*event.Event, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(work)
		for _, b := range bodies {
			select {
			case work <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var decoders sync.WaitGroup
	hand := func(block []*event.Event) error {
		select {
		case decoded <- block:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for range runtime.GOMAXPROCS(0) {
		decoders.Add(1)
		g.Go(func() (err error) {
			defer decoders.Done()
			var d plainDecoder
			var block []*event.Event
			for b := range work {
				if block, err = d.decode(block, b.bytes); err != nil {
					return err
				}
				if len(block) >= rows {
					if err := hand(block); err != nil {
						return err
					}
					block = nil
				}
			}
			return hand(block)
		})
	}
	g.Go(func() error {
		decoders.Wait()
		close(decoded)
		return nil
	})
	for range inserters {
		g.Go(func() error {
			for block := range decoded {
				if len(block) == 0 {
					continue
				}
				if err := st.InsertEvents(ctx, block, block[0].ID); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// ownTime is the processor time of this process.
func ownTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no process of one's own
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
