package store

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// facts are the events of the cases of one centre.
type facts map[event.Key][]*event.Event

var factsStart = at("2026-10-05 01:00:00")

// drawFacts draws calls and tickets of a week: contradictory ones, tests, duplicates, pauses, bounces, reopenings, some of
// a source that carries little, some events corrected or withdrawn later. With groups, tickets are merged into any other.
func drawFacts(draw *rand.Rand, calls, tickets int, groups bool) facts {
	out := facts{}
	pick := func(list ...string) string { return list[draw.IntN(len(list))] }
	chance := func(percent int) bool { return draw.IntN(100) < percent }
	after := func(t time.Time, from, to int) time.Time {
		return t.Add(time.Duration(from+draw.IntN(to-from+1)) * time.Second)
	}
	add := func(key event.Key, typ event.Type, at time.Time, change func(*event.Event)) {
		e := &event.Event{Source: "s", ID: fmt.Sprint(key.Kind, key.ID, "/", len(out[key])), Type: typ, Kind: key.Kind,
			Subject: key.ID, Center: key.Center, OccurredAt: at, ReceivedAt: at}
		if change != nil {
			change(e)
		}
		out[key] = append(out[key], e)
	}
	for i := range calls {
		key, t0 := callKey(fmt.Sprint("c", i)), after(factsStart, 0, 5*24*3600)
		if chance(80) {
			add(key, event.CallReceived, t0, func(e *event.Event) {
				e.Caller = event.Caller{KeyID: pick("k1", "k2"), Key: pick("a", "b", "c", "d", "e")}
			})
		}
		t1 := after(t0, 0, 4)
		if chance(60) {
			add(key, event.CallQueued, t1, nil)
		}
		t3 := after(t1, -3, 40)
		if chance(65) {
			add(key, event.CallAnswered, t3, func(e *event.Event) {
				if chance(20) {
					wait := int64(draw.IntN(30_000))
					e.WaitMS = &wait
				}
			})
		}
		if chance(20) {
			add(key, event.CallAbandoned, after(t1, -2, 30), nil)
		}
		if chance(5) {
			add(key, event.CallBlocked, t0, nil)
		}
		if chance(60) {
			class := pick("normal", "prank", "prank", "prank_palsu", "ghost", "pocket", "informasi", "duplikat", "belum", "uji")
			at := after(t3, -5, 7200)
			add(key, event.CallClassified, at, func(e *event.Event) { e.Class = class })
			if chance(10) {
				add(key, event.CallClassified, after(at, 1, 86400), func(e *event.Event) { e.Class = class })
			}
		}
		if chance(60) {
			add(key, event.CallEnded, after(t3, -2, 600), nil)
		}
	}
	for i := range tickets {
		key, t := ticketKey(fmt.Sprint("t", i)), after(factsStart, 0, 5*24*3600)
		add(key, event.TicketOpened, t, func(e *event.Event) {
			e.Category, e.Priority = pick("pju", "kebakaran", "banjir"), pick("darurat", "mendesak", "non_darurat")
			for range draw.IntN(9) { // of calls that had come in
				id := fmt.Sprint("c", draw.IntN(calls))
				if of := out[callKey(id)]; len(e.Calls) < 3 && len(of) > 0 && of[0].OccurredAt.Before(t.Add(-time.Minute)) {
					e.Calls = append(e.Calls, id)
				}
			}
			if chance(20) {
				e.Due = after(t, 3600, 3*86400)
			}
		})
		if chance(4) { // a mistake: nothing of it is left
			e := out[key][0]
			add(key, event.EventWithdrawn, e.OccurredAt, func(w *event.Event) {
				w.Replaces, w.ReceivedAt = e.ID, after(e.OccurredAt, 60, 6*86400)
			})
			continue
		}
		opd := func(e *event.Event) { e.OPD = pick("dishub", "bpbd", "pln", "gas") }
		if chance(90) {
			t = after(t, 10, 7200)
			add(key, event.TicketAssigned, t, opd)
		}
		if chance(8) {
			into := "none" // is never opened: the ticket stays where it was
			if groups {
				into = fmt.Sprint("t", draw.IntN(tickets))
			}
			add(key, event.TicketMerged, after(t, 60, 2*86400), func(e *event.Event) { e.Master = into })
		}
		if chance(70) {
			early := 0
			if groups { // before its assignment; of a time between the two no row tells
				early = -60
			}
			add(key, event.TicketAcknowledged, after(t, early, 3*3600), nil)
		}
		if chance(20) {
			t = after(t, 60, 2*86400)
			add(key, event.TicketRejected, t, nil)
		}
		if chance(30) {
			t = after(t, 60, 86400)
			add(key, event.TicketAssigned, t, opd)
		}
		if chance(8) { // contradicts its opening
			add(key, event.TicketResolved, after(out[key][0].OccurredAt, -7200, -1), nil)
			continue
		}
		if chance(40) {
			add(key, event.TicketDeparted, after(t, 60, 3600), nil)
			add(key, event.TicketArrived, after(t, 0, 7200), nil)
		}
		if chance(30) {
			p := after(t, 60, 2*86400)
			add(key, event.TicketPaused, p, func(e *event.Event) { e.Reason = pick("cuaca", "menunggu_material", "lain") })
			if chance(70) {
				add(key, event.TicketResumed, after(p, 60, 2*86400), nil)
			}
		}
		if chance(55) {
			t = after(t, 600, 4*86400)
			add(key, event.TicketResolved, t, nil)
			if chance(20) {
				t = after(t, 600, 86400)
				add(key, event.TicketReopened, t, nil)
				if chance(60) {
					t = after(t, 600, 86400)
					add(key, event.TicketResolved, t, nil)
				}
			} else if chance(50) {
				add(key, event.TicketConfirmed, after(t, 60, 86400), func(e *event.Event) { e.Result = pick("benar", "palsu") })
			}
		}
		if chance(30) {
			add(key, event.TicketClosed, after(t, 60, 2*86400), nil)
		}
		if chance(15) { // of a source that tells of its beginning alone; what else is known came from elsewhere
			for _, e := range out[key] {
				if e.Type == event.TicketOpened || e.Type == event.TicketAssigned {
					e.Source, e.Carries = "blind", []string{"ticket.opened", "ticket.assigned", "ticket.closed"}
				}
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(out), func(a, b event.Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	}) {
		for _, e := range slices.Clone(out[key]) {
			if !chance(4) {
				continue
			}
			heard := after(e.OccurredAt, 60, 6*86400)
			if chance(50) {
				add(key, event.EventWithdrawn, e.OccurredAt, func(w *event.Event) {
					w.Source, w.Replaces, w.ReceivedAt = e.Source, e.ID, heard
				})
			} else {
				add(key, e.Type, after(e.OccurredAt, -300, 7200), func(n *event.Event) {
					id, at := n.ID, n.OccurredAt
					*n = *e
					n.ID, n.OccurredAt, n.ReceivedAt, n.Replaces = id, at, heard, e.ID
				})
			}
		}
	}
	return out
}

// until is what of the facts had happened by an instant, of what is known today.
func (f facts) until(t time.Time) facts {
	out := facts{}
	for k, list := range f {
		if had := casefile.AsOf(list, t); len(had) > 0 {
			out[k] = had
		}
	}
	return out
}

func scopeOf(opd string) string {
	switch opd {
	case "pln":
		return "vertical"
	case "gas":
		return "unknown"
	}
	return "own"
}

// rows are those of a board that holds the facts.
func (f facts) rows(book *sla.Book) map[event.Key]tracker.Row {
	b := tracker.New(tracker.Config{
		Center:       func(string) (tracker.CenterConfig, bool) { return tracker.CenterConfig{Location: wib}, true },
		OPD:          func(_, opd string) (string, string) { return opd, scopeOf(opd) },
		TicketClocks: func(t *casefile.Ticket) []sla.Clock { return book.Ticket(t, scopeOf) },
		CallClocks:   book.Call,
	})
	named := map[event.Key][]string{} // tickets that name a call, or refer to a master
	for k, list := range f {
		for _, e := range list {
			for _, call := range e.Calls {
				named[callKey(call)] = append(named[callKey(call)], k.ID)
			}
			if e.Master != "" {
				named[ticketKey(e.Master)] = append(named[ticketKey(e.Master)], k.ID)
			}
		}
	}
	var all []tracker.Loaded
	for k, list := range f {
		tickets := slices.Compact(slices.Sorted(slices.Values(named[k])))
		all = append(all, tracker.Loaded{Key: k, Events: slices.Clone(list), Tickets: tickets})
	}
	b.Load(all)
	out := map[event.Key]tracker.Row{}
	for k := range f {
		if row, _, ok := b.Case(k); ok {
			out[k] = row
		}
	}
	return out
}

// figure is what monev_figures says of one name and dims.
type figure struct{ Num, Den, N, Value float64 }

// folded computes the figures of cases at an instant, one case after the other, as docs/definitions.md states them. all
// are the cases as they are known today: which of them had begun.
func folded(rows, all map[event.Key]tracker.Row, now time.Time, target, short time.Duration) map[string]figure {
	out := map[string]figure{}
	count := func(name string, in, of bool) {
		f := out[name]
		f.Num, f.Den = f.Num+bit(in), f.Den+bit(of)
		out[name] = f
	}
	times := map[string][]float64{}
	cases := map[string]int{}
	measure := func(name string, from, to time.Time, known bool) {
		cases[name]++
		if known && !from.IsZero() && !to.IsZero() && !to.Before(from) {
			times[name] = append(times[name], to.Sub(from).Seconds())
		}
	}
	scopes := map[string][]string{} // of a call's tickets
	for _, r := range rows {
		if r.Ticket != nil && r.Ticket.Events > 0 && !all[r.Key].Ticket.At().After(now) {
			for _, call := range r.Ticket.Calls {
				scope := ""
				if r.Ticket.OPD != "" {
					scope = scopeOf(r.Ticket.OPD)
				}
				scopes[call] = append(scopes[call], scope)
			}
		}
	}
	stamped, offered, answered, classified := 0, 0, 0, 0
	level := fmt.Sprint(",target=", target.Seconds())
	for _, r := range rows {
		c := r.Call
		if c == nil || c.Events == 0 || all[r.Key].Call.Test() || all[r.Key].Call.At().After(now) {
			continue
		}
		stage := "unanswered"
		switch in := scopes[c.Key.ID]; {
		case c.Hoax():
			stage = "hoax"
		case slices.Contains(in, "own"):
			stage = "own"
		case slices.Contains(in, "vertical"):
			stage = "vertical"
		case len(in) > 0:
			stage = "centre"
		case c.Classified():
			stage = "none"
		case c.Answered():
			stage = "unclassified"
		}
		for _, s := range []string{"hoax", "own", "vertical", "centre", "none", "unclassified", "unanswered"} {
			count("funnel stage="+s, s == stage, true)
		}
		if !c.OfferedAt().IsZero() {
			offered++
			stamped += int(bit(!c.AnsweredAt.IsZero()))
			wait, known := c.AnswerTime()
			gone, hungUp := c.AbandonTime()
			decided := known || c.AnsweredAt.IsZero()
			within := known && wait <= target
			count("service_level measure=ketat"+level, within, decided)
			count("service_level measure=standar"+level, within, decided && !(hungUp && gone < short))
			count("service_level measure=terjawab"+level, within, known)
		}
		if c.Answered() {
			answered++
			classified += int(bit(c.Classified()))
			count("hoax measure=belum", !c.Classified(), true)
			light := slices.Contains([]string{"ghost", "pocket", "informasi"}, c.Class)
			count("hoax measure=rasio_hoaks", c.Hoax(), c.Classified())
			count("hoax measure=rasio_non_darurat", c.Hoax() || light, c.Classified())
			wait, known := c.AnswerTime()
			measure("interval=answer,scope=own", now, now.Add(wait), known)
			measure("interval=classify,scope=own", c.AnsweredAt, c.FirstClassAt, true)
			measure("interval=talk,scope=own", c.AnsweredAt, c.EndedAt, true)
		}
	}
	for name, f := range out {
		switch {
		case len(name) > 4 && name[:4] == "hoax":
			f.N = float64(answered)
		case len(name) > 7 && name[:7] == "service":
			f.N = float64(offered)
		default:
			f.N = f.Den
		}
		f.Value = f.Num / f.Den
		if name[0] == 's' && stamped == 0 {
			f.Value = math.NaN()
		}
		out[name] = f
	}
	out["coverage measure=answer_stamp"] = figure{
		float64(stamped), float64(offered), float64(offered), float64(stamped) / float64(offered),
	}
	out["coverage measure=class"] = figure{
		float64(classified), float64(answered), float64(answered), float64(classified) / float64(answered),
	}
	for _, r := range rows {
		t := r.Ticket
		if t == nil || t.Events == 0 || t.State == casefile.Merged || all[r.Key].Ticket.Test() || all[r.Key].Ticket.At().After(now) {
			continue
		}
		scope := "own"
		if t.OPD != "" {
			scope = scopeOf(t.OPD)
		}
		handled := cmp.Or(t.ResolvedAt, t.FirstClosedAt)
		var stay time.Time
		if n := len(t.Assignments); n > 0 {
			stay = t.Assignments[n-1].At
		}
		var paused time.Duration
		for _, p := range t.PausedSpans() {
			from, to := p.From, cmp.Or(p.To, handled)
			if from.Before(t.OpenedAt) {
				from = t.OpenedAt
			}
			if to.After(handled) {
				to = handled
			}
			paused += max(0, to.Sub(from))
		}
		for _, dims := range []string{"", ",opd=" + t.OPD} {
			if dims != "" && t.OPD == "" {
				continue
			}
			end := dims + ",scope=" + scope
			measure("interval=dispatch"+end, t.AnsweredAt, t.AssignedAt, true)
			measure("interval=acknowledge"+end, stay, t.AcknowledgedAt, true)
			measure("interval=turnout"+end, t.AcknowledgedAt, t.DepartedAt, true)
			measure("interval=travel"+end, t.DepartedAt, t.ArrivedAt, true)
			measure("interval=respond"+end, t.ReceivedAt, t.ArrivedAt, true)
			measure("interval=own"+end, t.AssignedAt, t.ArrivedAt, true)
			measure("interval=resolve"+end, t.OpenedAt, handled, true)
			measure("interval=resolve_net"+end, now, now.Add(handled.Sub(t.OpenedAt)-paused),
				!t.OpenedAt.IsZero() && !handled.IsZero() && !handled.Before(t.OpenedAt))
			measure("interval=confirm"+end, t.LastResolvedAt, t.ConfirmedAt, true)
		}
	}
	for name, of := range cases {
		list := times[name]
		slices.Sort(list)
		n, sum := len(list), 0.0
		for _, x := range list {
			sum += x
		}
		rank := func(percent int) float64 {
			if n == 0 {
				return math.NaN()
			}
			return list[(n*percent+99)/100-1]
		}
		for figureName, value := range map[string]float64{
			"interval_median": rank(50), "interval_p90": rank(90), "interval_p95": rank(95), "interval_mean": sum / float64(n),
			"coverage": float64(n) / float64(of),
		} {
			out[figureName+" "+name] = figure{float64(n), float64(of), float64(n), value}
		}
	}
	clocks := map[string]figure{}
	for _, r := range rows {
		if k := all[r.Key]; r.Ticket != nil && (k.Ticket.Test() || k.Ticket.At().After(now)) || r.Call != nil && k.Call.Test() {
			continue
		}
		for i := range r.Clocks {
			k := &r.Clocks[i]
			state := k.State(now)
			if k.StartedAt.After(now) || state != sla.Met && state != sla.Breached && state != sla.Running &&
				state != sla.Paused {
				continue
			}
			name := fmt.Sprintf("on_time clock=%s,opd=%s,scope=%s", k.Name, k.OPD, cmp.Or(k.Scope, "own"))
			f := clocks[name]
			f.Num, f.Den = f.Num+bit(state == sla.Met), f.Den+bit(state == sla.Met || state == sla.Breached)
			f.N, f.Value = f.Den, f.Num/f.Den
			clocks[name] = f
		}
	}
	maps.Copy(out, clocks)
	return out
}

func bit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// sqlFigures asks monev_figures for the same.
func sqlFigures(t *testing.T, s *Store, asOf string) map[string]figure {
	t.Helper()
	out := map[string]figure{}
	sql := `SELECT concat(figure, ' ', dims), numerator, denominator, toFloat64(n), ifNull(toFloat64(value), nan)
		FROM monev_figures(since = '2026-10-01', until = '2026-11-01', target = 15, short = 5` + asOf + `)`
	err := s.query(t.Context(), "test", sql, func(scan func(...any) error) error {
		var name string
		var f figure
		if err := scan(&name, &f.Num, &f.Den, &f.N, &f.Value); err != nil {
			return err
		}
		out[name] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func definitionBook(t *testing.T) *sla.Book {
	t.Helper()
	var files []sla.File
	for _, pattern := range []string{"calendars/*.yaml", "policies/*.yaml"} {
		names, err := filepath.Glob(filepath.Join("..", "..", "deploy", "defaults", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			data, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, sla.File{Name: filepath.Base(n), Data: data})
		}
	}
	b, err := sla.Load(files, sla.Config{Default: sla.Use{Profiles: []string{"sidoarjo"}, Calendar: "id-sidoarjo"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// One definition: what the views say of random facts, now and as of an instant, is what a slow fold over the events
// that had happened says. A group of merged tickets is compared as it is now: what it was before a merger, no row keeps.
func TestOneDefinition(t *testing.T) {
	for _, groups := range []bool{false, true} {
		t.Run(fmt.Sprint("groups ", groups), func(t *testing.T) { oneDefinition(t, groups) })
	}
}

func oneDefinition(t *testing.T, groups bool) {
	const target, short = 15 * time.Second, 5 * time.Second
	s, book := openSink(t), definitionBook(t)
	f := drawFacts(rand.New(rand.NewPCG(14, 7)), 300, 200, groups)
	all := f.rows(book)
	rows := slices.Collect(maps.Values(all))
	for what, has := range map[string]func(r tracker.Row) bool{
		"a ticket of a test call": func(r tracker.Row) bool { return r.Ticket != nil && r.Ticket.Test() },
		"one that was corrected after it was late": func(r tracker.Row) bool {
			return r.Ticket != nil && len(r.Ticket.Corrected) > 0
		},
		"one of which nothing is left": func(r tracker.Row) bool { return r.Ticket != nil && r.Ticket.Events == 0 },
		"a clock that nobody can stop": func(r tracker.Row) bool {
			return slices.ContainsFunc(r.Clocks, func(k sla.Clock) bool { return k.Unobserved })
		},
		"one that was merged": func(r tracker.Row) bool {
			return r.Ticket != nil && (r.Ticket.State == casefile.Merged || !groups)
		},
	} {
		if !slices.ContainsFunc(rows, has) {
			t.Errorf("%s was not drawn", what)
		}
	}
	var events []*event.Event
	for _, list := range f {
		events = append(events, list...)
	}
	if err := s.InsertEvents(t.Context(), events, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Upsert(t.Context(), slices.Clone(rows), 1); err != nil {
		t.Fatal(err)
	}
	if changed, err := s.ChangedRows(t.Context(), rows); err != nil || len(changed) > 0 {
		t.Errorf("rows differ from what was written: %v, %v", changed, err)
	}
	near := gocmp.Comparer(func(a, b float64) bool {
		return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-3*max(1, math.Abs(a))
	})
	now := time.Now()
	if d := gocmp.Diff(folded(all, all, now, target, short), sqlFigures(t, s.Store, ""), near); d != "" {
		t.Errorf("now: %s", d)
	}
	sameMeasures(t, "now", measures(all, all, now, target), sqlMeasures(t, s.Store, ""))
	if groups {
		return
	}
	for _, after := range []time.Duration{30 * time.Hour, 77*time.Hour + 13*time.Minute, 30 * 24 * time.Hour} {
		instant := factsStart.Add(after)
		had := f.until(instant).rows(book)
		for _, r := range had {
			if r.Ticket != nil {
				r.Ticket.CorrectedAsOf(instant)
			}
		}
		asOf := ", as_of = " + quote(instant.In(wib).Format(time.RFC3339))
		want, got := folded(had, all, instant, target, short), sqlFigures(t, s.Store, asOf)
		if d := gocmp.Diff(want, got, near); d != "" {
			t.Errorf("as of %s: %s", instant, d)
		}
		sameMeasures(t, "as of "+instant.String(), measures(had, all, instant, target), sqlMeasures(t, s.Store, asOf))
	}
}
