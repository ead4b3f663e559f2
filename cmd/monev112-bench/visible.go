package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/source/send"
)

const (
	visibleRate  = 50 // events a second
	scrapeEvery  = 500 * time.Millisecond
	visibleLooks = 50 * time.Millisecond // pause between two looks into ClickHouse
	visibleGoal  = 2000                  // milliseconds to ClickHouse
)

// visible measures how long an event needs from its acknowledgement to whoever looks: a scrape of /metrics, a screen of
// the wallboard, and ClickHouse with the row of its case and those of the case's clocks. Calls that nobody answers and
// tickets come in turn.
func (b *bench) visible(ctx context.Context) (err error) {
	p, err := b.serveNew(ctx, "visible", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	over, end := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end()
	n := int(b.visibleFor.Seconds()) * visibleRate
	screens := newScreens(1, n)
	if err := p.watch(over, &beside, 0, screens); err != nil {
		return err
	}
	w := trail{p: p, acknowledged: map[string]time.Time{}, stored: map[string]time.Time{}}
	beside.Go(func() { w.scrape(over) })
	beside.Go(func() { w.look(over) })
	if _, err = offer(ctx, casesInTurn(n), load{clients: honestClients, every: time.Second / visibleRate, queue: n},
		w.send); err != nil {
		return err
	}
	if err := p.until(ctx, "ClickHouse has every case with its clocks", visibleLooks, w.complete); err != nil {
		return err
	}
	calls := w.calls()
	if err := p.until(ctx, "the screen shows every call", visibleLooks, func() bool {
		return !screens[0].at(len(calls)).IsZero()
	}); err != nil {
		return err
	}
	end()
	beside.Wait()
	if w.scrapes == nil {
		return errors.New("/metrics was not scraped once")
	}
	shown, stored := untilShown(screens, 0, calls), w.untilStored()
	b.table.add(figure{"acknowledged events that a scrape begun later lacks", float64(w.missing), "events", false}, 0, "",
		fmt.Sprintf("of %d, %d/s; %d scrapes, p99 %s", n, visibleRate, len(w.scrapes), ms(quantile(w.scrapes, 0.99))))
	b.table.add(figure{"accepted to the wallboard, p99", inMS(quantile(shown, 0.99)), "ms", false}, screenGoal, "",
		"p50 "+ms(quantile(shown, 0.50))+", one screen")
	b.table.add(figure{"accepted to ClickHouse with case and clocks, p99", inMS(quantile(stored, 0.99)), "ms", false},
		visibleGoal, "", fmt.Sprintf("p50 %s, slowest %s; a query asks again %s after it was answered",
			ms(quantile(stored, 0.50)), ms(quantile(stored, 1)), visibleLooks))
	return nil
}

// casesInTurn are n new cases, each made when it is due.
func casesInTurn(n int) func(func(body) bool) {
	return func(yield func(body) bool) {
		for i := range n {
			kind, typ, data := "call", "call.received", `"queue":"112"`
			if i%2 == 1 {
				kind, typ, data = "ticket", "ticket.opened", `"category":"pju","priority":"non_darurat"`
			}
			if !yield(body{fmt.Appendf(nil, `[{"specversion":"1.0","id":"%[1]d","source":"bench","type":"monev112.%[2]s",`+
				`"subject":"%[3]s/%[3]s-%[1]d","time":%[4]q,"data":{%[5]s}}]`, i, typ, kind, time.Now().Format(time.RFC3339),
				data), 1}) {
				return
			}
		}
	}
}

// trail follows cases from their acknowledgement.
type trail struct {
	p            *process
	mu           sync.Mutex
	acknowledged map[string]time.Time // by the id of the case
	stored       map[string]time.Time // when a query first showed its rows
	missing      int                  // events that a scrape lacked, at most
	scrapes      []time.Duration
}

func (w *trail) send(ctx context.Context, client *http.Client, b body, _ time.Time) error {
	_, err := w.p.deliver(ctx, client, b)
	at := time.Now()
	_, rest, _ := strings.Cut(string(b.bytes), `"subject":"`)
	subject, _, _ := strings.Cut(rest, `"`)
	_, id, _ := strings.Cut(subject, "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acknowledged[id] = at
	return err
}

func (w *trail) scrape(ctx context.Context) {
	for ctx.Err() == nil {
		w.mu.Lock()
		n := len(w.acknowledged)
		w.mu.Unlock()
		began := time.Now()
		shown := w.p.metric("monev112_calls_received_total", "monev112_tickets_open")
		took := time.Since(began)
		if shown >= 0 {
			w.missing, w.scrapes = max(w.missing, n-int(shown)), append(w.scrapes, took)
		}
		_ = send.Sleep(ctx, scrapeEvery)
	}
}

func (w *trail) look(ctx context.Context) {
	for ctx.Err() == nil {
		out, err := w.p.query(`SELECT DISTINCT subject FROM monev112.clocks
			WHERE subject IN (SELECT id FROM monev112.calls UNION ALL SELECT id FROM monev112.tickets)
			AND subject IN (SELECT subject FROM monev112.events)`)
		at := time.Now()
		if err == nil {
			w.mu.Lock()
			for id := range strings.FieldsSeq(out) {
				if w.stored[id].IsZero() {
					w.stored[id] = at
				}
			}
			w.mu.Unlock()
		}
		_ = send.Sleep(ctx, visibleLooks)
	}
}

func (w *trail) complete() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.stored) == len(w.acknowledged)
}

// calls are when the calls were acknowledged.
func (w *trail) calls() (out []time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.acknowledged {
		if strings.HasPrefix(id, "call-") {
			out = append(out, at)
		}
	}
	return out
}

func (w *trail) untilStored() (out []time.Duration) {
	for id, at := range w.acknowledged {
		out = append(out, max(0, w.stored[id].Sub(at)))
	}
	return out
}
