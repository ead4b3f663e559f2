package pager

import (
	"bytes"
	stdcmp "cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
)

const closedFor = 17 * time.Minute

// story is a pager's state and a world that it looks at.
type story struct {
	state state
	world map[string]*worldTicket
	now   time.Time
}

type worldTicket struct {
	ticketStatus
	level     Level
	priority  string
	forgotten bool // no longer in memory
}

func newStory() *story {
	return &story{world: map[string]*worldTicket{}, now: noon}
}

func (w *story) ticket(id string, level Level) *worldTicket {
	t := &worldTicket{
		ticketStatus: ticketStatus{State: casefile.Assigned, OPD: "dishub"}, level: level, priority: "non_darurat",
	}
	w.world[id] = t
	return t
}

// look makes a round and returns what is pushed, by "ticket/opd/level". accepted is whether an Alertmanager takes it.
func (w *story) look(accepted bool) map[string]Alert {
	r := boardView{Now: w.now, Status: func(center, id string) (ticketStatus, bool) {
		t := w.world[id]
		if t == nil || t.forgotten || center != "35.15" {
			return ticketStatus{}, false
		}
		return t.ticketStatus, true
	}}
	for id, t := range w.world {
		if t.level != "" && t.State.Open() && !t.forgotten {
			r.Tickets = append(r.Tickets,
				dueTicket{
					Center: "35.15", ID: id, OPD: t.OPD, Priority: t.priority, clockLevel: clockLevel{Level: t.level, DueAt: noon},
				})
		}
	}
	tickets := w.state.advance(r, closedFor, 7*time.Hour)
	v := alertBuilder{opdName: func(_, opd string) string {
		return "Dinas " + opd
	}, zone: func(string) *time.Location { return time.UTC }}
	out := map[string]Alert{}
	for _, a := range v.build(&w.state, tickets, nil, w.now) {
		key := a.Labels["ticket"] + "/" + a.Labels["opd"] + "/" + a.Labels["level"] + "/" + a.Labels["priority"]
		if _, twice := out[key]; twice {
			panic(key + " is pushed twice")
		}
		out[key] = a
	}
	if accepted {
		w.state.Accepted = w.now
	}
	return out
}

// show renders a push: what is active, what has ended.
func show(push map[string]Alert, now time.Time) string {
	text := ""
	for _, l := range []string{"risk", "overdue", "escalated", "escalated2", "closed"} {
		for _, key := range slices.Sorted(maps.Keys(push)) {
			a := push[key]
			if a.Labels["level"] != l {
				continue
			}
			if a.EndsAt.After(now) {
				text += fmt.Sprintf("%s since %s; ", key, a.StartsAt.Sub(noon))
			} else {
				text += fmt.Sprintf("%s over; ", key)
			}
		}
	}
	return text
}

func TestLifeOfATicketsAlert(t *testing.T) {
	const id = "T/dishub/"
	steps := func(do ...func(w *story) string) func(t *testing.T) {
		return func(t *testing.T) {
			w := newStory()
			for i, step := range do {
				want := step(w)
				if got := show(w.look(true), w.now); got != want {
					t.Fatalf("step %d: %q, want %q", i+1, got, want)
				}
				w.now = w.now.Add(time.Minute)
			}
		}
	}
	appear := func(level Level) func(w *story) string {
		return func(w *story) string {
			w.ticket("T", level)
			return id + string(level) + "/non_darurat since 0s; "
		}
	}
	to := func(want string, change func(t *worldTicket)) func(w *story) string {
		return func(w *story) string { change(w.world["T"]); return want }
	}
	same := func(*worldTicket) {}
	t.Run("it keeps its start",
		steps(appear(Overdue), to(id+"overdue/non_darurat since 0s; ", same), to(id+"overdue/non_darurat since 0s; ", same)))
	t.Run("a higher level is an alert of its own", steps(appear(Overdue),
		to(id+"overdue/non_darurat over; "+id+"escalated/non_darurat since 1m0s; ", func(t *worldTicket) {
			t.level = Escalated
		})))
	t.Run("in time again says nothing but the end",
		steps(appear(Overdue), to(id+"overdue/non_darurat over; ", func(t *worldTicket) { t.level = "" })))
	t.Run("the same level again starts anew", steps(appear(Risk),
		to(id+"risk/non_darurat over; ", func(t *worldTicket) { t.level = "" }),
		to(id+"risk/non_darurat since 2m0s; ", func(t *worldTicket) { t.level = Risk })))
	t.Run("another OPD", steps(appear(Overdue),
		to("T/bpbd/overdue/non_darurat since 1m0s; "+id+"overdue/non_darurat over; ", func(t *worldTicket) {
			t.OPD = "bpbd"
		})))
	t.Run("another priority",
		steps(appear(Overdue), to(id+"overdue/darurat since 1m0s; "+id+"overdue/non_darurat over; ", func(t *worldTicket) {
			t.priority = "darurat"
		})))
	closing := func(t *worldTicket) { t.State, t.ClosedAt = casefile.Closed, noon }
	t.Run("closed", steps(appear(Overdue),
		to(id+"overdue/non_darurat over; "+id+"closed/non_darurat since 1m0s; ", closing)))
	t.Run("resolved first, closed later", steps(appear(Overdue),
		to(id+"overdue/non_darurat over; ", func(t *worldTicket) { t.State = casefile.Resolved }),
		to(id+"overdue/non_darurat over; "+id+"closed/non_darurat since 2m0s; ", closing)))
	t.Run("closed and reopened", steps(appear(Overdue),
		to(id+"overdue/non_darurat over; "+id+"closed/non_darurat since 1m0s; ", closing),
		to(id+"overdue/non_darurat since 2m0s; "+id+"closed/non_darurat over; ", func(t *worldTicket) {
			t.State = casefile.Acknowledged
		})))
	t.Run("closed at an OPD that was not told", steps(appear(Overdue),
		to(id+"overdue/non_darurat over; ", func(t *worldTicket) { t.OPD, t.level = "bpbd", "" }),
		to(id+"overdue/non_darurat over; ", closing)))
	t.Run("merged", steps(appear(Overdue), to(id+"overdue/non_darurat over; ", func(t *worldTicket) {
		t.State = casefile.Merged
	}),
		to(id+"overdue/non_darurat over; ", closing)))
	t.Run("closed in time, never paged", steps(appear(Risk), func(w *story) string {
		w.world["U"] = &worldTicket{ticketStatus: ticketStatus{State: casefile.Closed, OPD: "dishub", ClosedAt: noon}}
		return id + "risk/non_darurat since 0s; "
	}))
	t.Run("out of memory, then closed", steps(appear(Overdue),
		to(id+"overdue/non_darurat over; ", func(t *worldTicket) { t.forgotten = true }),
		to(id+"overdue/non_darurat over; "+id+"closed/non_darurat since 2m0s; ", func(t *worldTicket) {
			t.forgotten = false
			closing(t)
		})))
}

func TestAClosingIsPushedForAsLongAsGroupingTakesOnceItWasTaken(t *testing.T) {
	w := newStory()
	w.ticket("T", Overdue)
	w.look(true)
	w.world["T"].State, w.world["T"].ClosedAt = casefile.Closed, noon
	const key = "T/dishub/closed/non_darurat"
	for range 20 { // no Alertmanager takes it
		w.now = w.now.Add(time.Minute)
		if a, ok := w.look(false)[key]; !ok || !a.EndsAt.After(w.now) || !a.StartsAt.Equal(noon.Add(time.Minute)) {
			t.Fatalf("not taken yet: %v", a)
		}
	}
	w.look(true)
	taken := w.now
	for w.now = w.now.Add(time.Minute); w.now.Sub(taken) < closedFor; w.now = w.now.Add(time.Minute) {
		if a, ok := w.look(true)[key]; !ok || !a.EndsAt.Equal(taken.Add(closedFor)) {
			t.Fatalf("%s after it was taken: %v", w.now.Sub(taken), a)
		}
	}
	for range 5 {
		if a, ok := w.look(true)[key]; ok {
			t.Fatalf("told again: %v", a)
		}
		w.now = w.now.Add(time.Hour)
	}
}

func TestAfterALongSilenceAlertsStartAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		away time.Duration
		same bool
	}{"a short stop": {Lifetime, true}, "a long stop": {Lifetime + time.Second, false}} {
		w := newStory()
		w.ticket("T", Overdue)
		w.look(true)
		w.now = w.now.Add(tt.away)
		a := w.look(true)["T/dishub/overdue/non_darurat"]
		if a.StartsAt.Equal(noon) != tt.same {
			t.Errorf("%s: starts at %s", name, a.StartsAt)
		}
	}
}

// A machine's clock may be hours ahead until it is set: the seven of WIB, where it takes its battery's local time for
// UTC.
func TestAClockThatIsSetBackLeavesNothingInTheFuture(t *testing.T) {
	w := newStory()
	w.ticket("T", Overdue)
	w.ticket("U", Overdue)
	w.ticket("V", Overdue)
	w.look(true)
	w.now = w.now.Add(time.Minute)
	w.world["U"].State, w.world["V"].level = casefile.Closed, ""
	w.look(true)
	w.state.Digests = []digest{{
		Center: "35.15", OPD: "dishub", Date: "2026-03-20", StartsAt: w.now, Until: w.now.Add(DigestFor),
	}}
	w.now = w.now.Add(-7 * time.Hour)
	back := w.now
	w.world["T"].level = ""
	push := w.look(true)
	for key, a := range push {
		if a.StartsAt.After(w.now) || a.EndsAt.Before(a.StartsAt) || a.EndsAt.After(w.now.Add(DigestFor)) {
			t.Errorf("%s: %v to %v, now is %v", key, a.StartsAt, a.EndsAt, w.now)
		}
	}
	for _, key := range []string{"T/dishub/overdue/non_darurat", "V/dishub/overdue/non_darurat"} {
		if a := push[key]; a.EndsAt.After(w.now) {
			t.Errorf("%s is over and ends at %v, now is %v", key, a.EndsAt, w.now)
		}
	}
	for w.now.Sub(back) <= DigestFor {
		w.now = w.now.Add(10 * time.Minute)
		push = w.look(true)
	}
	if len(push) != 0 {
		t.Errorf("hours later: %v", push)
	}
}

func TestNoMoreThanTheLimitsArePushed(t *testing.T) {
	var all []dueTicket
	add := func(opd string, level Level, n int) {
		for i := range n {
			all = append(all, dueTicket{
				Center: "35.15", ID: fmt.Sprint(opd, level, i), OPD: opd,
				clockLevel: clockLevel{Level: level, DueAt: noon.Add(time.Duration(-i) * time.Minute)},
			})
		}
	}
	add("dishub", Risk, 5)
	add("dishub", Overdue, 8)
	add("bpbd", Risk, 3)
	before := fmt.Sprint(all)
	kept, left := limit(all, 10, 100)
	count := map[string]int{}
	for _, k := range kept {
		count[k.OPD+" "+string(k.Level)]++
	}
	if want := map[string]int{"dishub overdue": 8, "dishub risk": 2, "bpbd risk": 3}; !cmp.Equal(count, want) ||
		!cmp.Equal(left, map[opdKey]int{{"35.15", "dishub"}: 3}) {
		t.Errorf("kept %v, left out %v, want %v and 3 of dishub", count, left, want)
	}
	if kept[8].ID != "bpbdrisk2" && kept[8].ID != "dishubrisk4" {
		t.Errorf("not the oldest first: %s", kept[8].ID)
	}
	if kept, left = limit(all, 10, 4); len(kept) != 4 || left[opdKey{"35.15", "dishub"}] != 9 ||
		left[opdKey{"35.15", "bpbd"}] != 3 {
		t.Errorf("of all: kept %d, left out %v", len(kept), left)
	}
	w := newStory()
	w.ticket("T", Overdue)
	w.look(true)
	v := alertBuilder{opdName: func(string, string) string {
		return ""
	}, zone: func(string) *time.Location { return time.UTC }}
	tickets := []dueTicket{{Center: "35.15", ID: "T", OPD: "dishub", clockLevel: clockLevel{Level: Overdue, DueAt: noon}}}
	if a := v.build(&w.state, tickets, map[opdKey]int{{"35.15", "dishub"}: 7},
		w.now)[0]; a.Annotations["unlisted"] != "7" {
		t.Errorf("what is left out is not said: %v", a.Annotations)
	}
	if fmt.Sprint(all) != before {
		t.Error("the tickets that digests count were changed")
	}
}

// TestTheLimitsKeepTheFirstInOrder: what limit keeps, the plain way keeps too: all in order, one after the other.
func TestTheLimitsKeepTheFirstInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := make([]dueTicket, rapid.IntRange(0, 60).Draw(t, "tickets"))
		for i := range all {
			all[i] = dueTicket{
				Center: rapid.SampledFrom([]string{"35.15", "35.16"}).Draw(t, "center"),
				ID:     fmt.Sprint(i), OPD: rapid.SampledFrom([]string{"dishub", "bpbd"}).Draw(t, "opd"),
				clockLevel: clockLevel{
					Level: rapid.SampledFrom(ranks[1:]).Draw(t, "level"),
					DueAt: noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "due")) * time.Minute),
				},
			}
		}
		perOPD, total := rapid.IntRange(1, 6).Draw(t, "per OPD"), rapid.IntRange(6, 20).Draw(t, "total")
		kept, unlisted := limit(all, perOPD, total)

		slices.SortFunc(all, func(a, b dueTicket) int {
			return stdcmp.Or(b.Level.rank()-a.Level.rank(), a.DueAt.Compare(b.DueAt), strings.Compare(a.Center, b.Center),
				strings.Compare(a.ID, b.ID))
		})
		var want []string
		left, of := map[opdKey]int{}, map[opdKey]int{}
		for _, a := range all {
			if k := (opdKey{a.Center, a.OPD}); of[k] < perOPD && len(want) < total {
				of[k]++
				want = append(want, a.ID)
			} else {
				left[k]++
			}
		}
		var got []string
		for _, k := range kept {
			got = append(got, k.ID)
		}
		if len(all) > perOPD && (!slices.Equal(got, want) || !maps.Equal(unlisted, left)) {
			t.Fatalf("kept %v and left out %v, want %v and %v", got, unlisted, want, left)
		}
	})
}

// TestAnyHistory: whatever happens to tickets, and however often the process starts again.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newStory()
		var (
			starts  = map[string]time.Time{} // of alerts that were active in the push before, by key
			last    = w.now                  // when a push was last taken
			paged   = map[string]bool{}      // paged since the latest closing that was told
			ever    = map[string]bool{}      // every alert that was active
			closing = map[string]time.Time{} // of each ticket: the start of the latest closing that was told
		)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			for id := range 3 {
				w.change(t, fmt.Sprint("T", id))
			}
			w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 60, 600, 1000}).Draw(t, "seconds")) * time.Second)
			if rapid.Bool().Draw(t, "restart") {
				w.restart(t)
			}
			accepted := rapid.Bool().Draw(t, "accepted")
			push := w.look(accepted)
			next := map[string]time.Time{}
			for key, a := range push {
				id, level := a.Labels["ticket"], a.Labels["level"]
				if a.StartsAt.After(w.now) || a.EndsAt.Before(a.StartsAt) {
					t.Fatalf("%s: from %s to %s", key, a.StartsAt, a.EndsAt)
				}
				if !a.EndsAt.After(w.now) {
					if !ever[key] {
						t.Fatalf("%s ends and never was", key)
					}
					continue
				}
				ever[key], next[key] = true, a.StartsAt
				if before, ok := starts[key]; ok && w.now.Sub(last) <= Lifetime && !before.Equal(a.StartsAt) {
					t.Fatalf("%s started at %s, now at %s", key, before, a.StartsAt)
				}
				f := w.world[id]
				if level != "closed" {
					if !f.State.Open() || string(f.level) != level || f.OPD != a.Labels["opd"] {
						t.Fatalf("%s is active, the ticket is %+v", key, f)
					}
					paged[id] = true
					continue
				}
				if f.State != casefile.Closed && !f.forgotten {
					t.Fatalf("%s is told closed, the ticket is %+v", key, f)
				}
				if !closing[id].Equal(a.StartsAt) {
					if !paged[id] {
						t.Fatalf("the closing of %s is told twice, or nobody was paged", id)
					}
					paged[id], closing[id] = false, a.StartsAt
				}
			}
			for id, f := range w.world {
				key := id + "/" + f.OPD + "/" + string(f.level) + "/" + f.priority
				if _, ok := next[key]; !ok && f.level != "" && f.State.Open() && !f.forgotten {
					t.Fatalf("%s is late and not in the push", key)
				}
			}
			if starts = next; accepted {
				last = w.now
			}
		}
	})
}

// change does something to a ticket, or nothing.
func (w *story) change(t *rapid.T, id string) {
	f := w.world[id]
	if f == nil {
		if rapid.Bool().Draw(t, "open "+id) {
			w.ticket(id, "")
		}
		return
	}
	switch rapid.IntRange(0, 9).Draw(t, "what happens to "+id) {
	case 0, 1:
		f.level = rapid.SampledFrom([]Level{"", Risk, Overdue, Escalated, Escalated2}).Draw(t, "level")
	case 2:
		f.OPD = rapid.SampledFrom([]string{"dishub", "bpbd", "none"}).Draw(t, "opd")
	case 3:
		f.State = casefile.Resolved
	case 4:
		f.State, f.ClosedAt = casefile.Closed, w.now
	case 5:
		f.State = casefile.Acknowledged
	case 6:
		f.forgotten = !f.State.Open() && !f.forgotten
	case 7:
		f.State = casefile.Merged
	}
	f.forgotten = f.forgotten && !f.State.Open()
}

// restart writes the state down and reads it again.
func (w *story) restart(t *rapid.T) {
	text, err := w.state.encode()
	if err != nil {
		t.Fatal(err)
	}
	var s state
	if err := json.Unmarshal(text, &s, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	if again, err := s.encode(); err != nil || !bytes.Equal(text, again) {
		t.Fatalf("%s\nread and written again is\n%s (%v)", text, again, err)
	}
	w.state = s
}
