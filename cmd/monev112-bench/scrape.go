package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// protobuf is what Prometheus asks for when it wants native histograms.
const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

// openTicketBodies are tickets that nobody has closed, spread over OPDs and categories: opened and assigned.
func openTicketBodies(n, batch int, opds, categories []string) []body {
	priorities := []string{"darurat", "mendesak", "non_darurat", "informasi"}
	now := time.Now()
	return slices.Collect(batches(func(yield func(*event.RawEvent) bool) {
		for i := range n {
			id := "open-" + strconv.Itoa(i)
			at := now.Add(-time.Duration(1+i%(14*24*60)) * time.Minute)
			opened := &event.RawEvent{
				Source: "bench", ID: id + ".1", Type: event.TicketOpened, Subject: id, Time: at, Center: "35.15",
				Category: categories[i%len(categories)], Priority: priorities[i%len(priorities)],
			}
			assigned := &event.RawEvent{
				Source: "bench", ID: id + ".2", Type: event.TicketAssigned, Subject: id, Time: at.Add(30 * time.Second),
				Center: "35.15", OPD: opds[i%len(opds)],
			}
			if !yield(opened) || !yield(assigned) {
				return
			}
		}
	}, batch))
}

// scrapeOPDs is how many OPDs the tickets of the scrape are spread over.
const scrapeOPDs = 40

func names() (opds, categories []string, err error) {
	var f collector.File
	dir, err := f.LoadDirectory()
	if err != nil {
		return nil, nil, err
	}
	for _, o := range dir.OPDs(dir.DefaultCenter()) {
		if len(opds) < scrapeOPDs {
			opds = append(opds, o.ID)
		}
	}
	for _, c := range dir.Categories(dir.DefaultCenter()) {
		categories = append(categories, c.ID)
	}
	return opds, categories, nil
}

// scrape measures /metrics while many tickets are open.
func (b *bench) scrape(ctx context.Context) error {
	opds, categories, err := names()
	if err != nil {
		return err
	}
	took, size, err := b.scrapeWith(ctx, "scrape", openTicketBodies(b.openTickets, b.batch, opds, categories))
	if err != nil {
		return err
	}
	empty, emptySize, err := b.scrapeWith(ctx, "scrape-empty", nil)
	if err != nil {
		return err
	}
	b.table.add(figure{"scrape of /metrics, p50", inMS(quantile(took, 0.5)), "ms", false}, 50,
		ms(quantile(empty, 0.5))+" without tickets",
		fmt.Sprintf("%s open tickets of %d OPDs, protobuf, %s KiB (%s KiB without tickets); slowest of %d: %s",
			thousands(int64(b.openTickets)), len(opds), thousands(int64(size>>10)), thousands(int64(emptySize>>10)),
			scrapes, ms(quantile(took, 1))))
	return nil
}

const scrapes = 30

// scrapeWith measures scrapes of a service that holds the events of bodies.
func (b *bench) scrapeWith(
	ctx context.Context, name string, bodies []body,
) (took []time.Duration, size int, err error) {
	p, err := b.serveNew(ctx, name, "")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = p.stop() }()
	if len(bodies) > 0 {
		if _, _, err = p.send(ctx, bodies, b.clients); err == nil {
			_, err = p.shipped(ctx)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	for range scrapes {
		began := time.Now()
		if size, err = p.scrapeOnce(ctx); err != nil {
			return nil, 0, err
		}
		took = append(took, time.Since(began))
	}
	return took, size, nil
}

func (p *process) scrapeOnce(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", protobuf)
	req.Header.Set("Accept-Encoding", "identity")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	n, err := io.Copy(io.Discard, r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("scrape: status %d", r.StatusCode)
	}
	return int(n), err
}

// memory measures what one open ticket costs on the board: its two events and everything derived.
func (b *bench) memory(context.Context) error {
	opds, categories, err := names()
	if err != nil {
		return err
	}
	events, err := decode(openTicketBodies(b.openTickets, b.batch, opds, categories))
	if err != nil {
		return err
	}
	board, err := newBoard()
	if err != nil {
		return err
	}
	before := heap()
	for i := range events {
		board.Apply(&events[i], event.AppendBinary(nil, &events[i]), uint64(i+1), true)
	}
	after := heap()
	_, open := board.Size()
	if open != b.openTickets {
		return fmt.Errorf("%d tickets are open on the board, want %d", open, b.openTickets)
	}
	runtime.KeepAlive(events)
	b.table.add(figure{"memory of an open ticket", float64(after-before) / float64(open), "bytes", false}, noGoal, "",
		"two events and its clocks, live heap, in process")
	return nil
}

// newBoard is a board of the embedded directory and policies that knows that everything is new.
func newBoard() (*tracker.Board, error) {
	var f collector.File
	dir, err := f.LoadDirectory()
	if err != nil {
		return nil, err
	}
	book, err := f.LoadBook(dir)
	if err != nil {
		return nil, err
	}
	board := tracker.New(tracker.Config{
		Center: func(code string) (tracker.CenterConfig, bool) {
			c, ok := dir.Center(code)
			return tracker.CenterConfig{
				Historical: c.Historical, Location: c.Location, Shifts: c.Shifts, AnswerTarget: c.AnswerTarget,
				ShortAbandon: c.ShortAbandon,
			}, ok
		},
		OPD: func(center, opd string) (string, string) {
			id, _ := dir.ResolveOPD(center, opd)
			return dir.OPDLabel(center, id), string(dir.ScopeOf(center, id))
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock {
			return book.Ticket(t, func(opd string) string { return string(dir.ScopeOf(t.Key.Center, opd)) })
		},
		CallClocks: book.Call,
	})
	board.TrustFilter()
	board.SetComplete(true)
	return board, nil
}

func heap() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
