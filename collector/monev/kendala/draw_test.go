package kendala

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// events are the events of one centre by case.
type events map[event.Key][]*event.Event

func key(kind event.Kind, id string) event.Key { return event.Key{Center: "35.15", Kind: kind, ID: id} }

var (
	wib        = time.FixedZone("WIB", 7*3600)
	monthSince = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	monthUntil = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// add gives a case one more event.
func (f events) add(k event.Key, typ event.Type, at time.Time, change func(*event.Event)) {
	e := &event.Event{Source: "s", ID: fmt.Sprint(k.Kind, k.ID, "/", len(f[k])), Type: typ, Kind: k.Kind, Subject: k.ID,
		Center: k.Center, OccurredAt: at, ReceivedAt: at}
	if change != nil {
		change(e)
	}
	f[k] = append(f[k], e)
}

// draw draws weeks of a small centre with everything that a cause is told from: surges, agents that come and go, rings,
// silent feeds, corrections, stamps that are missing or contradict each other.
func draw(r *rand.Rand) events {
	out := events{}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	chance := func(percent int) bool { return r.IntN(100) < percent }
	after := func(t time.Time, from, to int) time.Time {
		return t.Add(time.Duration(from+r.IntN(to-from+1)) * time.Second)
	}
	start := monthSince.Add(-7 * time.Hour)
	call := func(i int, t0 time.Time) {
		k := key(event.KindCall, fmt.Sprint("c", i))
		source := pick("pbx", "pbx", "s")
		from := func(change func(*event.Event)) func(*event.Event) {
			return func(e *event.Event) {
				if e.Source = source; change != nil {
					change(e)
				}
			}
		}
		if chance(92) {
			out.add(k, event.CallReceived, t0, from(nil))
		}
		t1 := after(t0, 0, 4)
		if chance(80) {
			out.add(k, event.CallQueued, t1, from(nil))
		}
		who := pick("a1", "a2", "a3", "a4")
		if chance(40) {
			out.add(k, event.CallRinging, after(t1, 1, 20), from(nil))
		}
		if chance(10) {
			out.add(k, event.CallRingNoAnswer, after(t1, 5, 30), from(nil))
			if chance(30) { // which never happened
				n := len(out[k])
				id := out[k][n-1].ID
				out.add(k, event.EventWithdrawn, after(t1, 40, 50), from(func(e *event.Event) { e.Replaces = id }))
			}
		}
		t3 := after(t1, -1, 45)
		if chance(70) {
			out.add(k, event.CallAnswered, t3, from(func(e *event.Event) {
				if e.Agent = who; chance(15) {
					wait := int64(r.IntN(40_000))
					e.WaitMS = &wait
				}
			}))
			if chance(90) {
				longest := 900
				if chance(25) {
					longest = 4 * 3600
				}
				out.add(k, event.CallEnded, after(t3, -1, longest), from(func(e *event.Event) { e.Agent = who }))
			}
			if chance(85) {
				out.add(k, event.CallClassified, after(t3, 5, 600), from(func(e *event.Event) {
					e.Class = pick("normal", "prank", "prank", "prank_palsu", "ghost", "belum", "uji", "informasi")
				}))
			}
		} else if chance(80) {
			out.add(k, event.CallAbandoned, after(t1, -1, 30), from(nil))
		} else if chance(60) {
			out.add(k, event.CallUnserved, after(t1, 0, 20), from(func(e *event.Event) { e.Reason = "timeout" }))
		}
		if chance(3) {
			out.add(k, event.CallAbandoned, after(t1, 1, 50), from(nil))
		}
		if chance(3) {
			out.add(k, event.CallBlocked, t0, from(nil))
		}
		if chance(3) {
			out.add(k, event.CallClassified, after(t0, 30, 60), from(func(e *event.Event) { e.Class = "normal" }))
		}
	}
	n := 0
	for d := -58; d < 12; d++ { // two weeks of the month; one of those before was silent
		if d >= -30 && d < -22 {
			continue
		}
		day := start.AddDate(0, 0, d)
		for range 6 + r.IntN(6) {
			call(n, after(day, 0, 86399))
			n++
		}
		for range r.IntN(3) { // many at once
			at := after(day, 0, 86399)
			for range 3 + r.IntN(6) {
				call(n, after(at, 0, 700))
				n++
			}
		}
	}
	for i := range 4 {
		k := key(event.KindAgent, fmt.Sprint("a", i+1))
		for d := -1; d < 12; d++ {
			if chance(15) {
				continue
			}
			t := start.AddDate(0, 0, d)
			for range 6 {
				t = after(t, 600, 6*3600)
				state := pick(event.AgentStates()...)
				for range 1 + r.IntN(5)/4 {
					out.add(k, event.AgentState, t, func(e *event.Event) { e.Result = state })
					state = pick(event.AgentStates()...)
				}
				if chance(5) {
					id := out[k][len(out[k])-1].ID
					out.add(k, event.AgentState, t.Add(time.Minute), func(e *event.Event) { e.Result, e.Replaces = "paused", id })
				}
			}
		}
	}
	// An hour in which two agents talk with pranksters and two have gone.
	scene := start.AddDate(0, 0, 1).Add(2 * time.Hour)
	for i, state := range []string{"available", "available", "offline", "paused"} {
		id := fmt.Sprint("a", i+1)
		out.add(key(event.KindAgent, id), event.AgentState, scene, func(e *event.Event) { e.Result = state })
		if state == "available" {
			k := key(event.KindCall, "prank-"+id)
			out.add(k, event.CallReceived, scene, nil)
			out.add(k, event.CallAnswered, scene.Add(time.Second), func(e *event.Event) { e.Agent = id })
			out.add(k, event.CallEnded, scene.Add(time.Hour), func(e *event.Event) { e.Agent = id })
			out.add(k, event.CallClassified, scene.Add(time.Hour), func(e *event.Event) { e.Class = "prank" })
		}
	}
	for i := range 3 {
		k, t := key(event.KindCall, fmt.Sprint("held-", i)), after(scene, 60, 3000)
		out.add(k, event.CallQueued, t, nil)
		out.add(k, event.CallAbandoned, after(t, 16, 60), nil)
	}
	for _, source := range []string{"pbx", "s"} {
		k := key(event.KindFeed, source)
		for t := start.AddDate(0, 0, -1); t.Before(start.AddDate(0, 0, 12)); t = t.Add(2 * time.Minute) {
			if source == "s" && chance(60) {
				t = t.Add(10 * time.Minute) // whose gaps say nothing
			} else if chance(1) {
				t = t.Add(time.Duration(r.IntN(180)) * time.Minute)
			}
			out.add(k, event.FeedHeartbeat, t, func(e *event.Event) { e.Source = source })
		}
	}
	for i := range 250 {
		out.ticket(r, key(event.KindTicket, fmt.Sprint("t", i)), after(start, 0, 12*86400), n)
	}
	for i := range 250 {
		out.explain(r, key(event.KindTicket, fmt.Sprint("t", i)))
	}
	return out
}

// ticket draws a ticket of some of the calls.
func (f events) ticket(r *rand.Rand, k event.Key, t time.Time, calls int) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	chance := func(percent int) bool { return r.IntN(100) < percent }
	after := func(t time.Time, from, to int) time.Time {
		return t.Add(time.Duration(from+r.IntN(to-from+1)) * time.Second)
	}
	if chance(97) {
		f.add(k, event.TicketOpened, t, func(e *event.Event) {
			e.Category, e.Priority = pick("pju", "kebakaran", "banjir"), pick("darurat", "mendesak", "non_darurat", "")
			for range r.IntN(40) {
				id := fmt.Sprint("c", r.IntN(calls))
				if of := f[key(event.KindCall, id)]; len(e.Calls) < 2 && len(of) > 0 &&
					of[0].OccurredAt.Before(t.Add(-time.Minute)) && of[0].OccurredAt.After(t.Add(-48*time.Hour)) {
					e.Calls = append(e.Calls, id)
				}
			}
			if chance(30) {
				e.Due = after(t, 900, 3*86400)
			}
		})
	}
	opd := func(e *event.Event) { e.OPD = pick("dishub", "bpbd", "damkar", "pln", "gas") }
	long := chance(50) // works in minutes, or in days
	span := func(fast, slow int) (int, int) {
		if long {
			return slow / 20, slow
		}
		return fast / 20, fast
	}
	step := func(fast, slow int) { a, b := span(fast, slow); t = after(t, a, b) }
	for range 1 + r.IntN(8)/5 {
		step(300, 4*3600)
		f.add(k, event.TicketAssigned, t, opd)
		if chance(75) {
			step(400, 86400)
			f.add(k, event.TicketAcknowledged, t, nil)
		}
		if chance(15) {
			step(900, 86400)
			f.add(k, event.TicketRejected, t, nil)
		}
	}
	if chance(60) {
		step(400, 2*86400)
		if chance(90) {
			f.add(k, event.TicketDeparted, t, nil)
		}
		step(1200, 4*3600)
		if chance(85) {
			f.add(k, event.TicketArrived, after(t, -60, 0), nil)
		}
	}
	for range r.IntN(3) {
		p := after(t, 60, 86400)
		f.add(k, event.TicketPaused, p, func(e *event.Event) { e.Reason = pick("cuaca", "menunggu_material", "lain") })
		if chance(80) {
			p = after(p, 60, 20*86400)
			f.add(k, event.TicketResumed, p, nil)
		}
		if chance(50) {
			t = p
		}
	}
	if chance(75) {
		step(7200, 6*86400)
		f.add(k, event.TicketResolved, t, nil)
		if chance(20) {
			step(7200, 86400)
			f.add(k, event.TicketReopened, t, nil)
			if chance(60) {
				step(7200, 6*86400)
				f.add(k, event.TicketResolved, t, nil)
			}
		}
		if chance(50) {
			f.add(k, event.TicketConfirmed, after(t, 60, 3*86400), func(e *event.Event) { e.Result = "benar" })
		}
	}
	if chance(40) {
		f.add(k, event.TicketClosed, after(t, 60, 2*86400), nil)
	}
	if chance(4) {
		f.add(k, event.TicketMerged, after(t, 60, 86400), func(e *event.Event) { e.Master = "t0" })
	}
}

// explain lets OPDs say why they are late with a ticket, think better of it, or take it back.
func (f events) explain(r *rand.Rand, k event.Key) {
	list := f[k]
	if len(list) == 0 {
		return
	}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	say := func(e *event.Event) {
		e.OPD, e.Reason = pick("dishub", "bpbd", "damkar", "pln", "gas"), pick(DelayReasons()...)
	}
	for range r.IntN(4) {
		at := list[r.IntN(len(list))].OccurredAt.Add(time.Duration(r.IntN(86400)) * time.Second)
		f.add(k, event.TicketExplained, at, say)
		id := f[k][len(f[k])-1].ID
		switch r.IntN(5) {
		case 0:
			f.add(k, event.EventWithdrawn, at, func(e *event.Event) { e.Replaces = id })
		case 1:
			f.add(k, event.TicketExplained, at, func(e *event.Event) { say(e); e.Replaces = id })
		case 2: // two at one instant
			f.add(k, event.TicketExplained, at, say)
		}
	}
}

func (f events) all() (out []*event.Event) {
	for _, list := range f {
		out = append(out, list...)
	}
	return out
}

// until leaves out what had not happened by an instant.
func (f events) until(t time.Time) events {
	out := events{}
	for k, list := range f {
		for _, e := range list {
			if !e.OccurredAt.After(t) || e.Replaces != "" && e.Type == event.EventWithdrawn {
				out[k] = append(out[k], e)
			}
		}
	}
	return out
}

// scopeOf is the scope of an OPD by the shipped directory, which does not know gas.
var scopeOf = directory.MustLoad("directory.yaml", deploy.Directory).Scopes("35.15")

// rows folds the events as the board does.
func (f events) rows(book *sla.Book) []tracker.Row {
	out := make([]tracker.Row, 0, len(f))
	tickets, calls := map[string][]string{}, map[string]*casefile.Call{}
	for k, list := range f {
		for _, e := range list {
			for _, call := range e.Calls {
				tickets[call] = append(tickets[call], k.ID)
			}
		}
	}
	for k, list := range f {
		if k.Kind == event.KindCall {
			c := casefile.FoldCall(k, slices.Clone(list), slices.Compact(slices.Sorted(slices.Values(tickets[k.ID]))))
			if c.Events == 0 {
				continue
			}
			calls[k.ID] = &c
			out = append(out, tracker.Row{Key: k, Call: &c, Clocks: book.Call(&c)})
		}
	}
	for k, list := range f {
		if k.Kind == event.KindTicket {
			var from casefile.CallFacts
			for _, id := range casefile.FoldTicket(k, slices.Clone(list), from).Calls {
				if c := calls[id]; c != nil {
					from.Add(casefile.CallFacts{ReceivedAt: c.ReceivedAt, AnsweredAt: c.AnsweredAt})
				}
			}
			if t := casefile.FoldTicket(k, slices.Clone(list), from); t.Events > 0 {
				out = append(out, tracker.Row{Key: k, Ticket: &t, Clocks: book.Ticket(&t, scopeOf)})
			}
		}
	}
	return out
}

// dayOf is the centre's day of an instant, as UTC midnight.
func dayOf(t time.Time) time.Time {
	y, m, d := t.In(wib).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func in(t, since, until time.Time) bool {
	d := dayOf(t)
	return !t.IsZero() && !d.Before(since) && d.Before(until)
}

// facts gathers what causes are told from, from folded cases and the events of their agents and feeds.
func (f events) facts(rows []tracker.Row, since, until, at time.Time) *store.CauseFacts {
	out := &store.CauseFacts{At: at, Calls: make([]store.CauseCall, 0, len(rows)), Quarters: map[int64]int{}, Agents: map[string][]store.AgentState{},
		Talks: map[string][]store.Talk{}, Beats: map[string][]time.Time{}, Tickets: map[string]*casefile.Ticket{},
		LateAcknowledged: map[string][]time.Time{}, Stated: map[string]map[string]string{}}
	for i := range rows {
		r := &rows[i]
		if c := r.Call; c != nil && !c.Test() {
			if in(c.At(), since.AddDate(0, 0, -58), until.AddDate(0, 0, 1)) {
				out.Quarters[c.At().Unix()/900*900]++
			}
			if c.Agent != "" && !c.AnsweredAt.IsZero() && !c.EndedAt.Before(c.AnsweredAt) {
				out.Talks[c.Agent] = append(out.Talks[c.Agent], store.Talk{From: c.AnsweredAt, To: c.EndedAt, Hoax: c.Hoax()})
			}
			if in(c.At(), since, until) {
				call := store.CauseCall{Call: *c}
				voided := map[string]bool{}
				for _, e := range f[r.Key] {
					if e.Replaces != "" && e.Replaces != e.ID {
						voided[e.Source+" "+e.Replaces] = true
					}
				}
				for _, e := range f[r.Key] {
					if len(voided) > 0 && voided[e.Source+" "+e.ID] || e.Type == event.EventWithdrawn {
						continue
					}
					if e.Type == event.CallRinging && (call.RangAt.IsZero() || e.OccurredAt.Before(call.RangAt)) {
						call.RangAt = e.OccurredAt
					}
					call.Missed = call.Missed || e.Type == event.CallRingNoAnswer
					call.Via = append(call.Via, e.Source)
				}
				out.Calls = append(out.Calls, call)
			}
		}
		if r.Ticket == nil {
			continue
		}
		out.Tickets[r.Key.ID] = r.Ticket
		for j := range r.Clocks {
			k := &r.Clocks[j]
			if k.Name == sla.Acknowledge && k.State(at) == sla.Breached {
				out.LateAcknowledged[r.Key.ID] = append(out.LateAcknowledged[r.Key.ID], k.BreachAt)
			}
			if !k.Void && in(k.StartedAt, since, until) && !k.StartedAt.After(at) {
				out.Clocks = append(out.Clocks, *k)
			}
		}
	}
	for who := range out.Talks {
		slices.SortFunc(out.Talks[who], func(a, b store.Talk) int { return a.From.Compare(b.From) })
		var talks []store.Talk
		for _, t := range out.Talks[who] { // one an instant
			if n := len(talks); n > 0 && talks[n-1].From.Equal(t.From) {
				talks[n-1].Hoax = talks[n-1].Hoax || t.Hoax
				if t.To.After(talks[n-1].To) {
					talks[n-1].To = t.To
				}
			} else {
				talks = append(talks, t)
			}
		}
		out.Talks[who] = talks
	}
	for k, list := range f {
		switch k.Kind {
		case event.KindTicket:
			last := map[string]*event.Event{}
			void := casefile.Voided(list)
			for _, e := range list {
				if was := last[e.OPD]; e.Type == event.TicketExplained && !void[e] && (was == nil ||
					!e.OccurredAt.Before(was.OccurredAt)) { // of one instant the later id, which f.add numbers
					last[e.OPD] = e
				}
			}
			for opd, e := range last {
				if out.Stated[k.ID] == nil {
					out.Stated[k.ID] = map[string]string{}
				}
				out.Stated[k.ID][opd] = e.Reason
			}
		case event.KindAgent:
			at := map[int64][]*event.Event{}
			for _, e := range list {
				voided := slices.ContainsFunc(list, func(o *event.Event) bool { return o.Source == e.Source && o.Replaces == e.ID })
				if !voided && e.Result != "" && e.OccurredAt.After(since.AddDate(0, 0, -2)) {
					at[e.OccurredAt.UnixMilli()] = append(at[e.OccurredAt.UnixMilli()], e)
				}
			}
			for _, same := range at {
				a := casefile.FoldAgent(same)
				out.Agents[k.ID] = append(out.Agents[k.ID], store.AgentState{Since: a.Since, State: a.State})
			}
			slices.SortFunc(out.Agents[k.ID], func(a, b store.AgentState) int { return a.Since.Compare(b.Since) })
		case event.KindFeed:
			for _, e := range list {
				if e.Type == event.FeedHeartbeat && e.OccurredAt.After(since.AddDate(0, 0, -2)) {
					out.Beats[e.Source] = append(out.Beats[e.Source], e.OccurredAt)
				}
			}
		}
	}
	for s := range out.Beats {
		slices.SortFunc(out.Beats[s], time.Time.Compare)
		out.Beats[s] = slices.CompactFunc(out.Beats[s], time.Time.Equal)
	}
	slices.SortFunc(out.Calls, func(a, b store.CauseCall) int { return cmp.Compare(a.Key.ID, b.Key.ID) })
	return out
}

// defaultBook has the policies and calendars that are shipped.
func defaultBook(t testing.TB) *sla.Book {
	t.Helper()
	var files []sla.File
	for _, pattern := range []string{"calendars/*.yaml", "policies/*.yaml"} {
		names, err := filepath.Glob(filepath.Join("..", "..", "..", "deploy", "defaults", pattern))
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
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
