package sla

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

func state(t *testing.T, c *Clock, now string) string {
	t.Helper()
	return c.State(at(t, now))
}

func TestReassignmentStartsTheNewOPDsClockAndNotTheCitizens(t *testing.T) {
	b := shippedBook(t)
	stay := func(opd, from, ack, until string) casefile.Assignment {
		return casefile.Assignment{OPD: opd, At: at(t, from), AcknowledgedAt: at(t, ack), EndedAt: at(t, until)}
	}
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), Priority: "mendesak", OPD: "dishub",
		Assignments: []casefile.Assignment{
			stay("damkar", "2026-07-06 10:00", "", "2026-07-06 10:10"), // gave it back in time
			stay("dlhk", "2026-07-06 10:10", "", "2026-07-06 10:40"),   // too late
			stay("pln", "2026-07-06 10:40", "2026-07-06 10:50", "2026-07-06 11:00"),
			stay("dishub", "2026-07-06 11:00", "", ""),
		},
	}
	clocks := b.Ticket(tk, ownScope)
	for seq, want := range map[int]string{1: Void, 2: Breached, 3: Met, 4: Running} {
		c := find(t, clocks, Acknowledge, seq)
		if got := state(t, c, "2026-07-06 11:10"); got != want {
			t.Errorf("acknowledge %d is %s, want %s", seq, got, want)
		}
		if c.OPD != tk.Assignments[seq-1].OPD || c.Scope != ownScope(c.OPD) {
			t.Errorf("acknowledge %d is of %s, %s", seq, c.OPD, c.Scope)
		}
	}
	c := find(t, clocks, Resolve, 1)
	same(t, "resolve started", c.StartedAt, "2026-07-06 10:00")
	if c.OPD != "dishub" {
		t.Errorf("resolve is of %s, want the present OPD", c.OPD)
	}
	// What shows that the OPD took the ticket stops its clock where nobody stamped the acknowledgement.
	tk.DepartedAt = at(t, "2026-07-06 11:05")
	same(t, "stopped", find(t, b.Ticket(tk, ownScope), Acknowledge, 4).StoppedAt, "2026-07-06 11:05")
}

func TestAChangeOfOPDDoesNotLengthenACitizensClock(t *testing.T) {
	b := book(t, "", policyOf(
		"  - {clock: resolve, kind: elapsed, target: 24h}\n  - {clock: resolve, opd: pln, kind: elapsed, target: 30d}\n"))
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), OPD: "dishub",
		Assignments: []casefile.Assignment{{OPD: "dishub", At: at(t, "2026-07-06 10:00")}},
	}
	before := find(t, b.Ticket(tk, ownScope), Resolve, 1)
	tk.OPD = "pln"
	tk.Assignments = append(tk.Assignments, casefile.Assignment{OPD: "pln", At: at(t, "2026-07-08 10:00")})
	after := find(t, b.Ticket(tk, ownScope), Resolve, 1)
	if before.DueAt != after.DueAt || state(t, after, "2026-07-08 11:00") != Breached {
		t.Errorf("due moved from %s to %s", before.DueAt, after.DueAt)
	}
	if after.OPD != "dishub" || after.Scope != ScopeOwn { // who had it when it was due
		t.Errorf("clock is of %s, %s", after.OPD, after.Scope)
	}
}

func TestReopeningKeepsTheFirstResultAndRunsTheTotalOn(t *testing.T) {
	b := shippedBook(t)
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), Priority: "darurat",
		ResolvedAt: at(t, "2026-07-06 12:00"), LastResolvedAt: at(t, "2026-07-06 12:00"),
		FirstClosedAt: at(t, "2026-07-06 13:00"), ClosedAt: at(t, "2026-07-06 13:00"),
		Reopened: 1, ReopenedAt: at(t, "2026-07-07 09:00"),
	}
	clocks := b.Ticket(tk, ownScope)
	for now, want := range map[string][2]string{"2026-07-07 09:30": {Met, Running}, "2026-07-07 10:01": {Met, Breached}} {
		got := [2]string{state(t, find(t, clocks, Resolve, 1), now), state(t, find(t, clocks, ResolveTotal, 1), now)}
		if got != want {
			t.Errorf("at %s: %v, want %v", now, got, want)
		}
	}
	tk.LastResolvedAt = at(t, "2026-07-07 11:00")
	clocks = b.Ticket(tk, ownScope)
	same(t, "first resolution", find(t, clocks, Resolve, 1).StoppedAt, "2026-07-06 12:00")
	same(t, "latest resolution", find(t, clocks, ResolveTotal, 1).StoppedAt, "2026-07-07 11:00")
	same(t, "confirmation starts", find(t, clocks, Confirm, 1).StartedAt, "2026-07-07 11:00")
}

func TestAClosingWithoutResolutionResolves(t *testing.T) {
	b := shippedBook(t)
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), Priority: "darurat", FirstClosedAt: at(t, "2026-07-06 12:00"),
		ClosedAt: at(t, "2026-07-06 12:00"),
	}
	for _, name := range []string{Resolve, ResolveTotal} {
		same(t, name, find(t, b.Ticket(tk, ownScope), name, 1).StoppedAt, "2026-07-06 12:00")
	}
	// It neither confirms nor brings a unit to the scene: arrival is void when the closing was in time, else late.
	if c := find(t, b.Ticket(tk, ownScope), Arrive, 1); c.State(at(t, "2026-07-06 12:00")) != Breached {
		t.Error("closed two hours after, without arrival, is not late")
	}
	tk.FirstClosedAt = at(t, "2026-07-06 10:10")
	if c := find(t, b.Ticket(tk, ownScope), Arrive, 1); !c.Void {
		t.Error("closed after ten minutes, without arrival, counts")
	}
}

func TestClosedBeforeOpenedAndMergedAreInNeitherNumber(t *testing.T) {
	b := shippedBook(t)
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), Due: at(t, "2026-07-07 10:00"),
		FirstClosedAt: at(t, "2026-07-06 09:00"), ClosedAt: at(t, "2026-07-06 09:00"),
	}
	for _, name := range []string{Resolve, Given} {
		c := find(t, b.Ticket(tk, ownScope), name, 1)
		if got := state(t, c, "2026-07-06 12:00"); got != Void {
			t.Errorf("%s is %s, want %s", name, got, Void)
		}
		if u := b.Used(c, at(t, "2026-07-06 12:00")); u.Ratio != 0 || u.Net != 0 {
			t.Errorf("%s used %+v", name, u)
		}
	}
	tk.MergedAt, tk.Master, tk.State = at(t, "2026-07-06 12:00"), "SDA-2", casefile.Merged
	for _, c := range b.Ticket(tk, ownScope) {
		if got := c.State(at(t, "2026-07-20 12:00")); got != Void {
			t.Errorf("%s of a merged ticket is %s", c.Name, got)
		}
	}
}

func TestGivenClockNeedsAStatedDueTime(t *testing.T) {
	b := shippedBook(t)
	tk := &casefile.Ticket{Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), OPD: "dishub"}
	for _, c := range b.Ticket(tk, ownScope) {
		if c.Name == Given {
			t.Fatal("a ticket without a due time has a given clock")
		}
	}
	tk.Due, tk.DueOPD = at(t, "2026-07-06 14:00"), "dlhk"
	tk.Pauses = []casefile.Pause{{From: at(t, "2026-07-06 11:00"), To: at(t, "2026-07-06 12:00"), Reason: "cuaca"}}
	c := find(t, b.Ticket(tk, ownScope), Given, 1)
	same(t, "due", c.DueAt, "2026-07-06 14:00")
	same(t, "at risk", c.RiskAt, "2026-07-06 13:00")
	if c.OPD != "dlhk" || c.Policy != "source" || c.Kind != Stated {
		t.Errorf("given clock is %+v", c)
	}
}

func TestAnswerClock(t *testing.T) {
	b := shippedBook(t)
	key := event.Key{Center: "35.15", Kind: event.KindCall, ID: "C-1"}
	s := func(second string) time.Time { return at(t, "2026-07-06 10:00:"+second) }
	wait := int64(22000)
	for _, tt := range []struct {
		name string
		call casefile.Call
		want string
	}{
		{"answered in time", casefile.Call{ReceivedAt: s("00"), QueuedAt: s("05"), AnsweredAt: s("20")}, Met},
		{"answered late", casefile.Call{QueuedAt: s("05"), AnsweredAt: s("21")}, Breached},
		{"without a queue stamp", casefile.Call{ReceivedAt: s("00"), AnsweredAt: s("16")}, Breached},
		{"the source measured the wait", casefile.Call{QueuedAt: s("00"), AnsweredAt: s("00"), WaitMS: &wait}, Breached},
		{"still waiting", casefile.Call{QueuedAt: s("00")}, Breached},
		{"given up in time", casefile.Call{QueuedAt: s("00"), AbandonedAt: s("15")}, Void},
		{"given up late", casefile.Call{QueuedAt: s("00"), AbandonedAt: s("16")}, Breached},
		{"unserved late", casefile.Call{QueuedAt: s("00"), UnservedAt: s("40")}, Breached},
		{"blocked", casefile.Call{ReceivedAt: s("00"), BlockedAt: s("00")}, Void},
		{"test", casefile.Call{QueuedAt: s("00"), AnsweredAt: s("40"), Class: "uji"}, Void},
		{"classified without an answer stamp", casefile.Call{ReceivedAt: s("00"), Class: "prank", FirstClassAt: s("50")},
			Void},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.call.Key = key
			clocks := b.Call(&tt.call)
			if got := state(t, find(t, clocks, Answer, 1), "2026-07-06 10:01"); got != tt.want {
				t.Errorf("state is %s, want %s", got, tt.want)
			}
		})
	}
	if clocks := b.Call(&casefile.Call{Key: key, AnsweredAt: s("10")}); len(clocks) != 0 {
		t.Errorf("a call that nobody saw come in has %v", clocks)
	}
}

func TestTheCapEndsAPause(t *testing.T) {
	b := book(t, window0818,
		strings.Replace(policyOf(
			"  - {clock: resolve, kind: hours, target: 4h}\n  - {clock: confirm, kind: elapsed, target: 1h}\n"), "hours: 40h",
			"hours: 5h", 1))
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 08:00"),
		Pauses: []casefile.Pause{{From: at(t, "2026-07-06 10:00"), Reason: "cuaca"}},
	}
	c := find(t, b.Ticket(tk, ownScope), Resolve, 1)
	same(t, "due as if it had resumed at once", c.DueAt, "2026-07-06 12:00")
	same(t, "the cap ends", c.PauseEndsAt, "2026-07-06 15:00")
	same(t, "late after", c.BreachAt, "2026-07-06 17:00")
	same(t, "at risk", c.RiskAt, "2026-07-06 16:00")
	for now, want := range map[string]string{
		"2026-07-06 09:59": Running, "2026-07-06 10:00": Paused, "2026-07-06 14:59": Paused, "2026-07-06 15:00": Running,
		"2026-07-06 17:00": Running, "2026-07-06 17:01": Breached,
	} {
		if got := state(t, c, now); got != want {
			t.Errorf("at %s %s, want %s", now, got, want)
		}
	}
	if c.AtRisk(at(t, "2026-07-06 15:59")) || !c.AtRisk(at(t, "2026-07-06 16:00")) || c.AtRisk(at(t, "2026-07-06 17:01")) {
		t.Error("at risk at the wrong time")
	}
	if c.Overdue(at(t, "2026-07-06 17:00")) || !c.Overdue(at(t, "2026-07-06 17:01")) {
		t.Error("overdue at the wrong time")
	}
	if r := b.UsedRatio(c, at(t, "2026-07-06 16:00")); r != 0.75 {
		t.Errorf("used %v, want 0.75", r)
	}
	tk.Pauses[0].To = at(t, "2026-07-07 09:00")
	c = find(t, b.Ticket(tk, ownScope), Resolve, 1)
	if c.PausedSeconds != 5*3600 || c.DueAt != c.BreachAt {
		t.Errorf("paused %d s", c.PausedSeconds)
	}
	same(t, "due", c.DueAt, "2026-07-06 17:00")
}

func TestEmergenciesNeverPause(t *testing.T) {
	b := book(t, "", policyOf("  - {clock: resolve, kind: elapsed, target: 4h}\n"))
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 08:00"),
		Pauses: []casefile.Pause{{From: at(t, "2026-07-06 09:00"), To: at(t, "2026-07-06 10:00"), Reason: "cuaca"}},
	}
	same(t, "due", find(t, b.Ticket(tk, ownScope), Resolve, 1).DueAt, "2026-07-06 13:00")
	tk.Priority = "darurat"
	same(t, "due of an emergency", find(t, b.Ticket(tk, ownScope), Resolve, 1).DueAt, "2026-07-06 12:00")
}

// sqlState is the expression that Clock.State documents for a row, with NULL as the zero time.
func sqlState(c *Clock, at time.Time) string {
	until := at
	if !c.StoppedAt.IsZero() && c.StoppedAt.Before(at) {
		until = c.StoppedAt
	}
	switch {
	case c.Void:
		return "void"
	case !c.BreachAt.IsZero() && until.After(c.BreachAt):
		return "breached"
	case !c.StoppedAt.IsZero() && !c.StoppedAt.After(at):
		return "met"
	case !c.PausedSince.IsZero() && !c.PausedSince.After(at) && !c.PauseEndsAt.IsZero() && at.Before(c.PauseEndsAt):
		return "paused"
	}
	return "running"
}

func TestStateEqualsItsSQL(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	begin := at(t, "2026-07-06 08:00")
	draw := func() time.Time {
		if random.IntN(4) == 0 {
			return time.Time{}
		}
		return begin.Add(time.Duration(random.IntN(8)) * time.Minute)
	}
	seen := map[string]int{}
	for range 20000 {
		c := Clock{
			BreachAt: begin.Add(time.Duration(random.IntN(8)) * time.Minute), StoppedAt: draw(), Void: random.IntN(9) == 0,
		}
		if p, e := draw(), draw(); !p.IsZero() && e.After(p) {
			c.PausedSince, c.PauseEndsAt = p, e
		}
		now := begin.Add(time.Duration(random.IntN(10)) * time.Minute)
		got := c.State(now)
		if want := sqlState(&c, now); got != want {
			t.Fatalf("%s, want %s: %+v at %s", got, want, c, now)
		}
		seen[got]++
	}
	if len(seen) != 5 {
		t.Errorf("seen only %v", seen)
	}
}

func TestVersionsOfAPolicyApplyFromTheirDay(t *testing.T) {
	text := policyFrom2023(fiveDays)
	next := strings.NewReplacer("2023-01-01", "2026-07-01", `version: "1"`, `version: "2"`, "target: 5d",
		"target: 3d").Replace(text)
	files := append(shippedFiles(t), File{Name: "a.yaml", Data: []byte(text)}, File{Name: "b.yaml", Data: []byte(next)})
	b, err := Load(files, Config{
		Default: Use{Profiles: []string{"test", "sidoarjo"}, Calendar: "id-sidoarjo"},
		Centers: map[string]Use{"sf": {Profiles: []string{"spm-damkar-15"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for opened, want := range map[string]string{"2026-06-30 23:59": "1", "2026-07-01 00:00": "2"} {
		c := find(t, b.Ticket(&casefile.Ticket{Key: ticketKey, OpenedAt: at(t, opened)}, ownScope), Resolve, 1)
		if c.PolicyVersion != want || c.CalendarVersion != "id-sidoarjo/2026.1" {
			t.Errorf("opened %s: version %s, calendar %s", opened, c.PolicyVersion, c.CalendarVersion)
		}
	}
	// A clock that the first policy has no line for comes from the second.
	if c := find(t, b.Ticket(&casefile.Ticket{Key: ticketKey, OpenedAt: at(t, "2026-07-01 10:00"), Priority: "darurat"},
		ownScope), Arrive, 1); c.Policy != "sidoarjo" {
		t.Errorf("arrive is of policy %s", c.Policy)
	}
	old := &casefile.Ticket{Key: ticketKey, OpenedAt: at(t, "2020-01-01 10:00"), Due: at(t, "2020-01-02 10:00")}
	if clocks := b.Ticket(old, ownScope); len(clocks) != 1 || clocks[0].Name != Given {
		t.Errorf("a ticket older than every policy has %v", clocks)
	}
	if _, ok := b.CoveredUntil("sf"); ok {
		t.Error("a centre without a calendar is covered")
	}
	until, ok := b.CoveredUntil("35.15")
	same(t, "covered until", until, "2027-01-01 00:00")
	if !ok || !slices.Equal(b.CalendarNames(), []string{"id-sidoarjo"}) {
		t.Error(b.CalendarNames())
	}
}

func TestMatchSaysWhichLineAndWhy(t *testing.T) {
	b := shippedBook(t)
	q, err := ParseQuery("category=pju,priority=non_darurat,opd=dishub,at=2026-03-13T15:00:00+07:00", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	q.Scope = ScopeOwn
	got := map[string]Match{}
	for _, m := range b.Match(q) {
		got[m.Clock] = m
	}
	if len(got) != len(Names()) {
		t.Fatalf("%d clocks", len(got))
	}
	m := got[Resolve]
	if m.Target != "3d" || m.Kind != Days || m.File != "sidoarjo.yaml" || m.Line == nil ||
		!strings.Contains(m.Why, "category=pju|sampah priority=non_darurat") || !strings.Contains(m.Why, "every case") {
		t.Errorf("resolve: %+v", m)
	}
	same(t, "due", m.DueAt, "2026-03-25 16:00")
	if got[Arrive].Line != nil || got[Arrive].Why == "" {
		t.Errorf("arrive: %+v", got[Arrive])
	}
	if got[Answer].Target != "15s" || got[Given].Policy != "source" {
		t.Errorf("answer %+v, given %+v", got[Answer], got[Given])
	}
	for _, bad := range []string{"pju", "color=red", "at=yesterday", "priority=hoch"} {
		if _, err := ParseQuery(bad, time.Time{}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
