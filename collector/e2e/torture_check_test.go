package e2e

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/engine"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// fresh is a second opinion: what the events of the ledger add up to, folded in this process, which no fault ever
// meets, and kept in a database of its own beside the service's.
type fresh struct {
	t       *testing.T
	h       *harm
	rng     *rand.Rand
	dir     *directory.Directory
	decoder *event.Decoder
	board   *tracker.Board
	store   *store.Store
	sink    *store.Sink
	pos     uint64
	version uint64
}

const freshDatabase = "fresh"

// newFresh needs the caller keys of a service that ran, and its ClickHouse.
func newFresh(t *testing.T, h *harm, rng *rand.Rand) *fresh {
	t.Helper()
	f := &fresh{t: t, h: h, rng: rng, dir: directory.MustLoad("directory.yaml", deploy.Directory)}
	var file collector.File
	book, err := file.LoadBook(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ingest.CallerKeys(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.decoder, err = event.NewDecoder(event.Config{Keys: keys}); err != nil {
		t.Fatal(err)
	}
	opd := func(center, name string) string {
		id, _ := f.dir.ResolveOPD(center, name)
		return id
	}
	scope := func(center, name string) string { return string(f.dir.ScopeOf(center, opd(center, name))) }
	c, _ := f.dir.Center(f.dir.DefaultCenter())
	f.board = tracker.New(tracker.Config{
		Centers: []string{c.Code},
		Center: func(string) (tracker.CenterConfig, bool) {
			return tracker.CenterConfig{
				Location: c.Location, Shifts: c.Shifts, AnswerTarget: c.AnswerTarget, ShortAbandon: c.ShortAbandon,
			}, true
		},
		OPD: func(center, name string) (string, string) {
			return f.dir.OPDLabel(center, opd(center, name)), scope(center, name)
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock {
			return book.Ticket(t, func(name string) string { return scope(t.Key.Center, name) })
		},
		CallClocks: book.Call,
	})
	f.board.TrustFilter() // nothing was ever seen: every case is new
	f.board.SetComplete(true)
	key, err := engine.ReadKey(filepath.Join(h.dir, "clickhouse"))
	if err != nil {
		t.Fatal(err)
	}
	if f.store, err = store.Open(t.Context(),
		store.Config{Addr: h.engine, Database: freshDatabase, Password: key}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.store.Close() })
	f.sink = &store.Sink{Store: f.store, Scope: scope, Boards: []string{c.Code}}
	if err := f.sink.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// add folds the events, in an order of its own, each as received by the service.
func (f *fresh) add(events []*sent, received map[string]time.Time) {
	f.t.Helper()
	f.rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for part := range slices.Chunk(events, event.MaxBatchEvents) {
		var body []byte
		for _, e := range part {
			body = append(append(body, e.line...), '\n')
		}
		var b event.Batch
		if err := f.decoder.Decode(&b, body, event.NDJSON, time.Now()); err != nil || len(b.Refusals) > 0 {
			f.t.Fatal("decode the ledger: ", err, b.Refusals)
		}
		var refs []*event.Event
		var keys []event.Key
		for i := range b.Events {
			e := &b.Events[i]
			e.ReceivedAt = received[e.Source+"\x00"+e.ID]
			f.dir.Normalize(e)
			f.pos++
			f.board.Apply(e, event.AppendBinary(nil, e), f.pos, true)
			refs = append(refs, e)
			if e.Kind == event.KindCall || e.Kind == event.KindTicket {
				keys = append(keys, e.Key())
			}
		}
		f.version++
		rows := f.board.Rows(keys)
		err := f.store.InsertEvents(context.Background(), refs, fmt.Sprint("fresh:", f.version))
		if err == nil {
			err = f.sink.Upsert(context.Background(), rows, f.version)
		}
		if err != nil {
			f.t.Fatal("the fresh fold: ", err)
		}
		f.board.MarkStored(rows)
	}
}

// verdict is what a check found.
type verdict struct{ events, losses, doubles, differing, invisible int }

// check compares the service with the ledger and with a fresh fold. Everything must have been shipped.
func (f *fresh) check(merged bool) (v verdict) {
	f.t.Helper()
	l := f.h.ledger
	rows, received := map[string]int{}, map[string]time.Time{}
	for line := range strings.Lines(f.h.query(
		"SELECT source, id, count(), toUnixTimestamp64Milli(max(received_at)) FROM events FINAL GROUP BY source, id")) {
		p := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		key := p[0] + "\x00" + p[1]
		rows[key], _ = strconv.Atoi(p[2])
		ms, _ := strconv.ParseInt(p[3], 10, 64)
		received[key] = time.UnixMilli(ms).UTC()
	}
	var news []*sent
	l.mu.Lock()
	for key, e := range l.events {
		n := rows[key]
		delete(rows, key)
		v.events += n
		switch {
		case n == 0 && e.acked:
			v.losses++
			l.wrong = append(l.wrong, fmt.Sprintf("lost: %s of %s", e.id, e.source))
		case n > 1:
			v.doubles++
			l.wrong = append(l.wrong, fmt.Sprintf("%d rows with FINAL: %s of %s", n, e.id, e.source))
		case n == 1 && !e.tried:
			l.wrong = append(l.wrong, fmt.Sprintf("never sent: %s of %s", e.id, e.source))
		case n == 0 && e.stored:
			v.losses++
			l.wrong = append(l.wrong, fmt.Sprintf("stood in ClickHouse before: %s of %s", e.id, e.source))
		case n == 1 && !e.stored:
			e.stored = true
			news = append(news, e)
		}
	}
	l.mu.Unlock()
	for key := range rows {
		l.violate("nobody sent %q", key)
	}
	if merged {
		f.h.merge("events")
		if got := f.h.query("SELECT count() FROM events"); got != strconv.Itoa(v.events) {
			n, _ := strconv.Atoi(got)
			v.doubles += max(1, n-v.events)
			l.violate("%s rows without FINAL, once merged; %d with", got, v.events)
		}
	}
	slices.SortFunc(news, func(a, b *sent) int { return strings.Compare(a.id, b.id) }) // then shuffled by the seed
	f.add(news, received)
	for name, t := range tables {
		v.differing += f.differ(name, t.columns, t.from)
	}
	f.counters()
	f.gauges()
	v.invisible = f.invisible()
	return v
}

// tables are what service and fresh fold must agree on, without what names a run. Which calls a ticket beyond its
// bounds keeps depends on which came first, so the huge tickets of the storms are left out.
var tables = map[string]struct{ columns, from string }{
	"events":  {"*", "%s.events FINAL WHERE NOT startsWith(subject, 'HUGE-')"},
	"calls":   {"* EXCEPT (version, written_at)", "%s.calls FINAL WHERE NOT startsWith(id, 'huge-')"},
	"tickets": {"* EXCEPT (version)", "%s.tickets FINAL WHERE NOT startsWith(id, 'HUGE-')"},
	"clocks":  {"* EXCEPT (version)", "%s.clocks FINAL WHERE NOT void AND NOT startsWith(subject, 'HUGE-')"},
	"hours":   {"* EXCEPT (version)", "%s.calls_hourly_now"},
}

// differ returns how many rows of a table stand on one side only.
func (f *fresh) differ(name, columns, from string) (n int) {
	f.t.Helper()
	side := func(database string, side int) string {
		return fmt.Sprintf("SELECT toString(tuple(%s)) AS k, %d AS side FROM %s", columns, side, fmt.Sprintf(from, database))
	}
	out := f.h.query(fmt.Sprintf(
		`SELECT if(sum(side) = 1, 'only the service', 'only a fresh fold'), k FROM (%s UNION ALL %s)
		GROUP BY k HAVING count() != 2 ORDER BY k LIMIT 1000`, side("monev112", 1), side(freshDatabase, 2)))
	for line := range strings.Lines(out) {
		if n++; n <= 4 {
			f.h.ledger.violate("%s: %s", name, strings.TrimSuffix(line, "\n"))
		}
	}
	if n > 0 && name == "tickets" {
		f.h.ledger.violate("rows of such tickets:\n%s",
			f.h.query(`SELECT id, version, received_at, last_event_at FROM tickets WHERE id IN (
			SELECT id FROM (SELECT id, received_at FROM tickets FINAL UNION ALL SELECT id, received_at FROM fresh.tickets FINAL)
			GROUP BY id HAVING uniqExact(received_at) != 1 OR count(received_at) = 1)
			ORDER BY id, version`))
		f.h.ledger.violate("their calls:\n%s",
			f.h.query(`SELECT id, version, received_at, answered_at, written_at FROM calls WHERE hasAny(tickets, (SELECT
				groupArray(id) FROM (
			SELECT id FROM (SELECT id, received_at FROM tickets FINAL UNION ALL SELECT id, received_at FROM fresh.tickets FINAL)
			GROUP BY id HAVING uniqExact(received_at) != 1 OR count(received_at) = 1)))
			ORDER BY id, version`))
		f.h.ledger.violate("events:\n%s",
			f.h.query(`SELECT subject, type, id, occurred_at, received_at FROM events FINAL WHERE subject IN (SELECT
				arrayJoin(arrayConcat([id], calls)) FROM (
			SELECT id, calls, received_at FROM tickets FINAL UNION ALL SELECT id, calls, received_at FROM fresh.tickets FINAL)
			GROUP BY id, calls HAVING uniqExact(received_at) != 1 OR count(received_at) = 1)
			ORDER BY subject, received_at`))
	}
	return n
}

// counters holds what the process counted since its start against what the senders know and what is stored: a counter
// may lag behind the truth after a restart, and never exceeds it.
func (f *fresh) counters() {
	f.t.Helper()
	l := f.h.ledger
	l.mu.Lock()
	said := *l.counted[l.life]
	l.mu.Unlock()
	got := f.h.metric(`monev112_events_total{result="accepted"`)
	if got < float64(said.accepted) || got > float64(said.accepted+said.unknown) {
		l.violate("events_total says %v accepted; answers say %d, and %d are in requests without an answer", got,
			said.accepted, said.unknown)
	}
	for counter, truth := range map[string]string{
		"calls_received_total": "calls FINAL WHERE coalesce(received_at, queued_at, answered_at, classified_at, " +
			"ended_at) IS NOT NULL",
		"calls_answered_total":   "calls FINAL WHERE answered_at IS NOT NULL OR class IS NOT NULL",
		"calls_abandoned_total":  "calls FINAL WHERE abandoned_at IS NOT NULL",
		"calls_blocked_total":    "calls FINAL WHERE blocked_at IS NOT NULL",
		"calls_classified_total": "calls FINAL WHERE class IS NOT NULL",
		"tickets_opened_total":   "tickets FINAL",
	} {
		most, err := strconv.ParseFloat(f.h.query("SELECT count() FROM "+freshDatabase+"."+truth), 64)
		if got := f.h.metric("monev112_" + counter); err != nil || got > most {
			l.violate("%s says %v, there are %v", counter, got, most)
		}
	}
}

// gauges holds the board against the fresh fold.
func (f *fresh) gauges() {
	f.t.Helper()
	f.h.until("the board is complete", func() bool { return f.h.metric("monev112_board_complete") == 1 })
	before := f.expected(time.Now())
	got := f.shown()
	after := f.expected(time.Now())
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if v := got[name]; v != before[name] && v != after[name] {
			f.h.ledger.violate("the board says %s %v, a fresh fold %v", name, v, after[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, ok := got[name]; !ok && after[name] == before[name] && after[name] != 0 {
			f.h.ledger.violate("the board does not say %s, a fresh fold says %v", name, after[name])
		}
	}
}

// boardSeries are the gauges that are compared, and the labels by which.
var boardSeries = map[string][]string{
	"window_calls": {"window", "measure"}, "tickets_open": {"opd"}, "tickets_overdue": {"opd", "clock"},
	"tickets_at_risk": {"opd"},
	"calls_waiting":   nil, "calls_unclassified": nil, "calls_to_call_back": nil, "agents": {"state"},
}

// expected is what the board must show.
func (f *fresh) expected(now time.Time) map[string]float64 {
	out := map[string]float64{}
	for _, c := range f.board.Snapshot(now).Centers {
		add := func(n int, name ...string) { out[strings.Join(name, " ")] += float64(n) }
		add(c.CallsWaiting, "calls_waiting")
		add(c.CallsUnclassified, "calls_unclassified")
		add(c.CallsToCallBack, "calls_to_call_back")
		for _, w := range c.Windows {
			add(w.N, "window_calls", w.Window, w.Measure)
		}
		for _, a := range c.Agents {
			add(a.N, "agents", a.Label)
		}
		for _, t := range c.Open {
			add(t.N, "tickets_open", t.OPD)
		}
		for _, t := range c.AtRisk {
			add(t.N, "tickets_at_risk", t.OPD)
		}
		for _, t := range c.Overdue {
			add(t.N, "tickets_overdue", t.OPD, t.Clock)
		}
	}
	return out
}

// shown is what the service shows.
func (f *fresh) shown() map[string]float64 {
	f.t.Helper()
	r, err := http.Get("http://" + f.h.addr + "/metrics")
	if err != nil {
		f.t.Fatal(err)
	}
	defer r.Body.Close()
	out := map[string]float64{}
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		name, rest, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "monev112_"), "{")
		by, compared := boardSeries[name]
		labels, value, ok2 := strings.Cut(rest, "} ")
		if !ok || !ok2 || !compared {
			continue
		}
		for _, label := range by {
			_, v, _ := strings.Cut(","+labels, ","+label+`="`)
			v, _, _ = strings.Cut(v, `"`)
			name += " " + v
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			f.t.Fatal(err)
		}
		out[name] += n
	}
	return out
}
