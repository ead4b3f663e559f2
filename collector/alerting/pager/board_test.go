package pager

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/deploy"
)

// testBoard is a board with the embedded directory. A ticket is due an hour after its opening, and must be acknowledged
// within ten minutes of each assignment.
type testBoard struct {
	boardReader
	n int
}

func newTestBoard() *testBoard {
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	f := &testBoard{boardReader: boardReader{dir: dir}}
	due := func(name string, t *casefile.Ticket, start time.Time, target time.Duration, stop time.Time) sla.Clock {
		at := func(percent int) time.Time { return start.Add(target * time.Duration(percent) / 100) }
		return sla.Clock{
			Key: t.Key, Name: name, Seq: 1, StartedAt: start, DueAt: at(100), BreachAt: at(100), RiskAt: at(75),
			EscalatedAt: at(150), Escalated2At: at(200), StoppedAt: stop,
		}
	}
	f.board = tracker.New(tracker.Config{
		Centers: []string{"35.15"},
		Center: func(code string) (tracker.CenterConfig, bool) {
			c, known := dir.Center(code)
			return tracker.CenterConfig{Historical: c.Historical, Location: time.UTC}, known
		},
		OPD: func(center, opd string) (string, string) {
			id, _ := dir.ResolveOPD(center, opd)
			return dir.OPDLabel(center, id), string(dir.ScopeOf(center, id))
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock {
			clocks := []sla.Clock{due(sla.Resolve, t, t.OpenedAt, time.Hour, t.ResolvedAt)}
			for i, a := range t.Assignments {
				stop := a.AcknowledgedAt
				if stop.IsZero() {
					stop = a.EndedAt
				}
				c := due(sla.Acknowledge, t, a.At, 10*time.Minute, stop)
				c.Seq = i + 1
				clocks = append(clocks, c)
			}
			return clocks
		},
		CallClocks: func(*casefile.Call) []sla.Clock { return nil },
	})
	f.board.TrustFilter()
	f.board.SetComplete(true)
	return f
}

func (f *testBoard) apply(typ event.Type, ticket string, at time.Time, with ...func(*event.Event)) {
	f.n++
	e := event.Event{
		Source: "s", ID: fmt.Sprint("e", f.n), Type: typ, Kind: typ.Kind(), Subject: ticket, Center: "35.15", OccurredAt: at,
		ReceivedAt: at,
	}
	e.Digest[0], e.Digest[1], e.Digest[2] = byte(f.n), byte(f.n>>8), byte(f.n>>16)
	for _, w := range with {
		w(&e)
	}
	f.board.Apply(&e, event.AppendBinary(nil, &e), uint64(f.n), true)
}

func opd(o string) func(*event.Event)      { return func(e *event.Event) { e.OPD = o } }
func inCenter(c string) func(*event.Event) { return func(e *event.Event) { e.Center = c } }
func of(category, priority string) func(*event.Event) {
	return func(e *event.Event) { e.Category, e.Priority, e.Kecamatan = category, priority, "35.15.18" }
}

func TestWhichTicketsArePaged(t *testing.T) {
	f := newTestBoard()
	open := func(id, office string, with ...func(*event.Event)) {
		f.apply(event.TicketOpened, id, noon, with...)
		if office != "" {
			f.apply(event.TicketAssigned, id, noon.Add(time.Minute), append(with, opd(office))...)
			f.apply(event.TicketAcknowledged, id, noon.Add(2*time.Minute), with...)
		}
	}
	open("own", "Dinas Perhubungan", of("pju", "non_darurat"))
	open("centre", "", of("kdrt", "darurat"))
	open("rejected", "dishub")
	f.apply(event.TicketRejected, "rejected", noon.Add(3*time.Minute))
	open("vertical", "pln")
	open("unknown", "Dinas Antah Berantah")
	open("resolved", "dishub")
	f.apply(event.TicketResolved, "resolved", noon.Add(2*time.Hour))
	open("merged", "dishub")
	f.apply(event.TicketMerged, "merged", noon.Add(time.Minute), func(e *event.Event) { e.Master = "own" })
	open("elsewhere", "dishub", inCenter("99.99"))
	open("strange \"id\"\n<b>\U0001F525", "dishub")
	f.apply(event.TicketOpened, "stale", noon.Add(-200*24*time.Hour))

	r, ok := f.view(noon.Add(70 * time.Minute))
	if !ok {
		t.Fatal("the board is complete")
	}
	got := map[string]dueTicket{}
	for _, k := range r.Tickets {
		got[k.ID] = k
	}
	late := clockLevel{Level: Overdue, DueAt: noon.Add(time.Hour), Overdue: true}
	want := map[string]dueTicket{
		"own": {
			Center: "35.15", ID: "own", OPD: "dishub", Priority: "non_darurat", Category: "Penerangan jalan umum",
			Kecamatan: "Waru", clockLevel: late,
		},
		// a sensitive category is not named
		"centre":   {Center: "35.15", ID: "centre", OPD: "none", Priority: "darurat", Kecamatan: "Waru", clockLevel: late},
		"rejected": {Center: "35.15", ID: "rejected", OPD: "none", clockLevel: late},

		"strange \"id\"\n<b>\U0001F525": {
			Center: "35.15", ID: "strange \"id\"\n<b>\U0001F525", OPD: "dishub", clockLevel: late,
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(dueTicket{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	f.board.SetComplete(false)
	if _, ok := f.view(noon); ok {
		t.Error("a board that is not complete is read")
	}
}

// What is paged to nobody, because the directory does not know whose it is, is on the wall under the labels by which
// the rule Monev112UnknownAssigneeOverdue tells Diskominfo.
func TestALateTicketOfNobodyIsOnTheWall(t *testing.T) {
	f := newTestBoard()
	late := func(id, office string, with ...func(*event.Event)) {
		f.apply(event.TicketOpened, id, noon, with...)
		if office != "" {
			f.apply(event.TicketAssigned, id, noon, append(with, opd(office))...)
		}
	}
	late("unknown OPD", "Dinas Antah Berantah")
	late("dropped OPD", "dinas_lama")
	late("unknown centre", "dishub", inCenter("99.99"))
	late("unknown centre, no OPD", "", inCenter("99.99"))
	late("rejected by an unknown OPD", "Dinas Antah Berantah")
	f.apply(event.TicketRejected, "rejected by an unknown OPD", noon.Add(time.Minute))
	got := map[string]int{}
	for _, c := range f.board.Snapshot(noon.Add(2 * time.Hour)).Centers {
		for _, n := range c.Overdue {
			if n.Clock == sla.Resolve && n.N > 0 {
				got[c.Center+" "+n.OPD] += n.N
			}
		}
	}
	want := map[string]int{"35.15 unknown": 2, "35.15 none": 1, "unknown unknown": 1, "unknown none": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDigestCounts(t *testing.T) {
	f := newTestBoard()
	day := func(id, office string, opened, closed time.Time) {
		f.apply(event.TicketOpened, id, opened)
		if office != "" {
			f.apply(event.TicketAssigned, id, opened, opd(office))
			f.apply(event.TicketAcknowledged, id, opened)
		}
		if !closed.IsZero() {
			f.apply(event.TicketClosed, id, closed)
		}
	}
	var never time.Time
	seven := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC) // 07.00 WIB
	day("a", "dishub", seven.Add(-time.Minute), never)    // open, in time
	day("b", "dishub", seven.Add(-50*time.Minute), never) // at risk
	day("c", "dishub", seven.Add(-70*time.Minute), never) // overdue
	day("d", "dishub", seven.Add(-3*time.Hour), never)    // escalated
	day("e", "dishub", seven.Add(-30*time.Hour), seven.Add(-24*time.Hour))
	day("f", "dishub", seven.Add(-30*time.Hour), seven.Add(-time.Second))
	day("g", "dishub", seven.Add(-30*time.Hour), seven.Add(-25*time.Hour)) // told yesterday
	day("h", "dishub", seven.Add(-30*time.Hour), seven)                    // will be told tomorrow
	day("i", "pln", seven.Add(-3*time.Hour), seven.Add(-time.Hour))
	day("j", "", seven.Add(-3*time.Hour), never)
	day("k", "bpbd", seven.Add(-30*time.Hour), seven.Add(-time.Hour))
	day("l", "bpbd", seven.Add(-30*time.Hour), seven.Add(-time.Hour))
	f.apply(event.TicketReopened, "l", seven.Add(-time.Minute))

	r, _ := f.view(seven.Add(time.Second))
	want := map[opdKey]digestCounts{
		{"35.15", "dishub"}: {Open: 4, AtRisk: 1, Overdue: 2, Escalated: 1, Closed: 2},
		{"35.15", "bpbd"}:   {Open: 1, Overdue: 1, Escalated: 1, Closed: 1},
		{"35.15", "none"}:   {Open: 1, Overdue: 1, Escalated: 1},
	}
	if diff := cmp.Diff(want, r.Counts(seven.Add(-24*time.Hour), seven)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTheCountInTheNotificationIsTheCountOnTheWall: whatever happened to the tickets, at whatever instant one looks.
func TestTheCountInTheNotificationIsTheCountOnTheWall(t *testing.T) {
	types := []event.Type{
		event.TicketAcknowledged, event.TicketDeparted, event.TicketResolved, event.TicketClosed, event.TicketReopened,
		event.TicketRejected, event.TicketMerged,
	}
	rapid.Check(t, func(t *rapid.T) {
		f := newTestBoard()
		for i := range rapid.IntRange(1, 12).Draw(t, "tickets") {
			id := fmt.Sprint("T", i)
			minute := func(what string) time.Time {
				return noon.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, what)) * time.Minute)
			}
			f.apply(event.TicketOpened, id, minute("opened"),
				of("pju", rapid.SampledFrom([]string{"", "darurat", "non_darurat"}).Draw(t, "priority")))
			for range rapid.IntRange(0, 2).Draw(t, "assignments") {
				f.apply(event.TicketAssigned, id, minute("assigned"),
					opd(rapid.SampledFrom([]string{"dishub", "bpbd", "pln", "Antah Berantah"}).Draw(t, "opd")))
			}
			for range rapid.IntRange(0, 2).Draw(t, "events") {
				f.apply(rapid.SampledFrom(types).Draw(t, "type"), id, minute("at"))
			}
		}
		now := noon.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "now")) * time.Minute)
		r, _ := f.view(now)
		atRisk, overdue, late := map[string]int{}, map[string]int{}, map[string]int{}
		for _, k := range r.Tickets {
			if k.AtRisk {
				atRisk[k.OPD]++
			}
			if k.Overdue {
				overdue[k.OPD]++
			}
			if k.Level.rank() >= Overdue.rank() {
				late[k.OPD]++
			}
		}
		wall := map[string]int{}
		for _, n := range f.board.Snapshot(now).Centers[0].AtRisk {
			if n.Scope == "own" {
				wall[n.OPD] += n.N
			}
		}
		if !cmp.Equal(atRisk, wall) {
			t.Fatalf("at risk: the pager says %v, the wall %v", atRisk, wall)
		}
		listed := map[string]int{}
		for _, row := range f.board.OpenTickets(tracker.TicketFilter{Overdue: true}, now, event.Key{}, 1000) {
			if label, own := f.opdLabel(row.Key.Center, row.Ticket.OPD); own {
				listed[label]++
			}
		}
		if !cmp.Equal(overdue, listed) || !cmp.Equal(late, listed) {
			t.Fatalf("late: the pager says %v and %v, /v1/tickets lists %v", overdue, late, listed)
		}
	})
}

func TestDigestIsToldOnceADay(t *testing.T) {
	wib := time.FixedZone("WIB", 7*3600)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, wib) }
	s := &state{Version: stateVersion}
	asked := 0
	look := func(now time.Time) (told []string) {
		s.advance(boardView{Now: now, Status: func(string, string) (ticketStatus, bool) {
			return ticketStatus{}, false
		}, Centers: []directory.Center{{Code: "35.15", Location: wib}, {Code: "35.16", Location: wib, Historical: true}},
			Counts: func(from, to time.Time) map[opdKey]digestCounts {
				asked++
				if !to.Equal(onDay(now.Year(), now.Month(), now.Day(), 7*time.Hour, wib)) || to.Sub(from) != 24*time.Hour {
					t.Errorf("at %s: counts from %s to %s", now, from, to)
				}
				return map[opdKey]digestCounts{
					{"35.15", "dishub"}: {Open: asked}, {"35.15", "bpbd"}: {}, {"35.16", "bpbd"}: {Open: 1},
				}
			}}, closedFor, 7*time.Hour)
		for _, d := range s.Digests {
			told = append(told, fmt.Sprintf("%s %s %s open %d", d.Center, d.OPD, d.Date, d.Open))
		}
		return told
	}
	first, second := []string{"35.15 dishub 2026-11-02 open 1"}, []string{"35.15 dishub 2026-11-03 open 2"}
	for _, step := range []struct {
		now  time.Time
		want []string
	}{
		{at(2, 6, 59), nil}, {at(2, 7, 0), first}, {at(2, 8, 0), first}, {at(2, 9, 59), first}, {at(2, 10, 0), nil},
		{at(2, 23, 0), nil},
		// a late start; it stays long enough to be grouped
		{at(3, 9, 50), second}, {at(3, 10, 1), second}, {at(3, 10, 5), nil},
		{at(4, 10, 0), nil}, // too late
		{at(2, 8, 0), nil},  // the clock is set back by a day
		{at(5, 7, 30).AddDate(-1, 0, 0), []string{"35.15 dishub 2025-11-05 open 3"}}, // the clock had been wrong by a year
	} {
		if got := look(step.now); !cmp.Equal(got, step.want) {
			t.Errorf("%s: %q, want %q", step.now, got, step.want)
		}
	}
}

// TestTheTicketsToBePagedAreThoseOfAFullWalk: what the index of the board gives is what every open case says, folded.
func TestTheTicketsToBePagedAreThoseOfAFullWalk(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := newTestBoard()
		for range rapid.IntRange(0, 50).Draw(r, "events") {
			id := rapid.IntRange(0, 9).Draw(r, "ticket")
			center := "35.15"
			if id == 9 {
				center = "99.99"
			}
			f.apply(rapid.SampledFrom([]event.Type{
				event.TicketOpened, event.TicketOpened, event.TicketAssigned, event.TicketAcknowledged, event.TicketRejected,
				event.TicketResolved, event.TicketClosed, event.TicketMerged,
			}).Draw(r, "type"), fmt.Sprint("T", id), noon.Add(-time.Duration(rapid.IntRange(0, 180).Draw(r, "ago"))*time.Minute),
				inCenter(center), func(e *event.Event) {
					switch e.Type {
					case event.TicketOpened:
						of(rapid.SampledFrom([]string{"pju", "kdrt", "?"}).Draw(r, "category"), "mendesak")(e)
					case event.TicketAssigned:
						e.OPD = rapid.SampledFrom([]string{"dishub", "Dinas Perhubungan", "pln", "?"}).Draw(r, "opd")
					case event.TicketMerged:
						e.Master = fmt.Sprint("T", id%3)
					}
				})
		}
		now := noon.Add(time.Duration(rapid.IntRange(-120, 120).Draw(r, "now")) * time.Minute)
		want := map[string]dueTicket{}
		for _, row := range f.board.OpenTickets(tracker.TicketFilter{}, now, event.Key{}, 100) {
			c, known := f.dir.Center(row.Key.Center)
			opd, own := f.answerable(&row, now)
			d := dueTicket{
				Center: c.Code, ID: row.Key.ID, OPD: opd, Priority: row.Ticket.Priority, clockLevel: levelByClocks(row.Clocks, now),
			}
			d.Category, d.Kecamatan = f.shownNames(c.Code, row.Ticket.Category, row.Ticket.Kecamatan)
			if known && own && d.Level != "" {
				want[d.ID] = d
			}
		}
		got := map[string]dueTicket{}
		for _, d := range f.tickets(now) {
			got[d.ID] = d
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(dueTicket{})); diff != "" {
			r.Fatalf("(-full walk +index)\n%s", diff)
		}
	})
}
