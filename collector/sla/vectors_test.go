package sla

import (
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

var wib = time.FixedZone("WIB", 7*3600)

// at parses "2026-03-13 15:00" or with seconds, in WIB.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	layout := "2006-01-02 15:04:05"
	if len(s) == 16 {
		layout = "2006-01-02 15:04"
	}
	v, err := time.ParseInLocation(layout, s, wib)
	if err != nil {
		t.Fatal(err)
	}
	return v.UTC()
}

func ownScope(opd string) string {
	switch opd {
	case "pln", "pdam":
		return ScopeVertical
	}
	return ScopeOwn
}

// book loads one calendar and one policy, both given as text; an empty calendar is the shipped one.
func book(t testing.TB, calendar, policy string) *Book {
	t.Helper()
	files := []File{{Name: "policy.yaml", Data: []byte(policy)}}
	use := Use{Profiles: []string{"test"}, Calendar: "id-sidoarjo"}
	if calendar != "" {
		files = append(files, File{Name: "calendar.yaml", Data: []byte(calendar)})
		use.Calendar = "test"
	} else {
		files = append(files, shippedFiles(t)...)
	}
	b, err := Load(files, Config{Default: use})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func policyOf(lines string) string {
	return "policy: test\nversion: \"1\"\nvalid_from: 2000-01-01\npauses: {reasons: [menunggu_pihak_lain, cuaca], cap: " +
		"{elapsed: 72h, hours: 40h, days: 10d}}\nclocks:\n" + lines
}

func find(t testing.TB, clocks []Clock, name string, seq int) *Clock {
	t.Helper()
	for i := range clocks {
		if clocks[i].Name == name && clocks[i].Seq == seq {
			return &clocks[i]
		}
	}
	t.Fatalf("no clock %s %d in %v", name, seq, clocks)
	return nil
}

func same(t testing.TB, what string, got time.Time, want string) {
	t.Helper()
	w := at(t, want)
	if !got.Equal(w) {
		t.Errorf("%s is %s, want %s", what, got.In(wib).Format(time.DateTime), w.In(wib).Format(time.DateTime))
	}
}

var ticketKey = event.Key{Center: "35.15", Kind: event.KindTicket, ID: "SDA-1"}

const fiveDays = "  - {clock: resolve, kind: days, target: 5d}\n"

// policyOf begins before the shipped calendar does; working days need days off that were entered.
func policyFrom2023(lines string) string {
	return "policy: test\nversion: \"1\"\nvalid_from: 2023-01-01\npauses: {reasons: [menunggu_pihak_lain, cuaca], cap: " +
		"{elapsed: 72h, hours: 40h, days: 10d}}\nclocks:\n" + lines
}

func TestFiveWorkingDaysOverLebaran2026(t *testing.T) {
	b := book(t, "", policyFrom2023(fiveDays))
	tk := &casefile.Ticket{Key: ticketKey, OpenedAt: at(t, "2026-03-13 15:00")}
	c := find(t, b.Ticket(tk, ownScope), Resolve, 1)
	same(t, "due", c.DueAt, "2026-03-27 16:30")
	same(t, "gross due", c.GrossDueAt, "2026-03-27 16:30")

	calendarDays := book(t, "", policyFrom2023("  - {clock: resolve, kind: elapsed, target: 5d}\n"))
	c = find(t, calendarDays.Ticket(tk, ownScope), Resolve, 1)
	same(t, "due in calendar days", c.DueAt, "2026-03-18 15:00")
}

func TestPauseOverOneClosingMovesNetDueByOneWorkingDay(t *testing.T) {
	b := book(t, "", policyFrom2023(fiveDays))
	for _, tt := range []struct {
		name, from, to, reason, due string
		closings                    int
	}{
		{"over one closing", "2026-03-16 10:00", "2026-03-17 10:00", "menunggu_pihak_lain", "2026-03-30 16:00", 1},
		{"over a weekend", "2026-03-14 10:00", "2026-03-15 22:00", "menunggu_pihak_lain", "2026-03-27 16:30", 0},
		{"from the closing on Friday to Monday morning", "2026-03-13 16:00", "2026-03-16 07:00", "menunggu_pihak_lain",
			"2026-03-27 16:30", 0},
		{"over the closing of the day of receipt, which counts for nothing", "2026-03-13 15:10", "2026-03-14 09:00",
			"menunggu_pihak_lain", "2026-03-27 16:30", 0},
		{"within a day", "2026-03-16 09:00", "2026-03-16 14:59", "cuaca", "2026-03-27 16:30", 0},
		{"until the closing, which it does not hold", "2026-03-16 09:00", "2026-03-16 15:00", "cuaca", "2026-03-27 16:30", 0},
		{"from the closing on, which it holds", "2026-03-16 15:00", "2026-03-16 23:00", "cuaca", "2026-03-30 16:00", 1},
		{"for a reason that is not listed", "2026-03-16 10:00", "2026-03-17 10:00", "malas", "2026-03-27 16:30", 0},
		{"after the due time", "2026-03-27 16:31", "2026-04-10 10:00", "cuaca", "2026-03-27 16:30", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tk := &casefile.Ticket{Key: ticketKey, OpenedAt: at(t, "2026-03-13 15:00"),
				Pauses: []casefile.Pause{{From: at(t, tt.from), To: at(t, tt.to), Reason: tt.reason}}}
			c := find(t, b.Ticket(tk, ownScope), Resolve, 1)
			same(t, "net due", c.DueAt, tt.due)
			same(t, "gross due", c.GrossDueAt, "2026-03-27 16:30")
		})
	}
}

const window0818 = `calendar: test
version: "1"
zone: Asia/Jakarta
valid_from: 2000-01-01
covered_until: 2026-12-31
weekly:
  - {from: 2000-01-01, windows: {mon-fri: ["08:00-18:00"]}}
`

func TestFourOpenHoursOverNight(t *testing.T) {
	b := book(t, window0818, policyOf("  - {clock: resolve, kind: hours, target: 4h}\n"))
	tk := &casefile.Ticket{Key: ticketKey, OpenedAt: at(t, "2026-07-06 17:00")} // a Monday
	c := find(t, b.Ticket(tk, ownScope), Resolve, 1)
	same(t, "due", c.DueAt, "2026-07-07 11:00")
	// A warning one open hour before is when three of the four hours are used.
	same(t, "at risk", c.RiskAt, "2026-07-07 10:00")
	for s, want := range map[string]string{
		"2026-07-07 00:00": "0.25", "2026-07-07 10:00": "0.75", "2026-07-07 11:00": "1.00", "2026-07-07 13:00": "1.50",
	} {
		if got := fmt.Sprintf("%.2f", b.UsedRatio(c, at(t, s))); got != want {
			t.Errorf("used at %s is %s, want %s", s, got, want)
		}
	}
	same(t, "escalated", c.EscalatedAt, "2026-07-07 13:00")
	same(t, "escalated again", c.Escalated2At, "2026-07-07 15:00")
}

func TestAcknowledgedLateStaysBreachedAfterClosing(t *testing.T) {
	b := shippedBook(t)
	tk := &casefile.Ticket{
		Key: ticketKey, OpenedAt: at(t, "2026-07-06 10:00"), Priority: "darurat", OPD: "damkar",
		AssignedAt: at(t, "2026-07-06 10:00"),
		Assignments: []casefile.Assignment{{
			OPD: "damkar", At: at(t, "2026-07-06 10:00"), AcknowledgedAt: at(t, "2026-07-06 10:03:01"),
		}},
		ResolvedAt: at(t, "2026-07-06 10:20"), LastResolvedAt: at(t, "2026-07-06 10:20"),
		FirstClosedAt: at(t, "2026-07-06 10:30"), ClosedAt: at(t, "2026-07-06 10:30"), State: casefile.Closed,
	}
	clocks := b.Ticket(tk, ownScope)
	c := find(t, clocks, Acknowledge, 1)
	for s, want := range map[string]string{
		"2026-07-06 10:02": Running, "2026-07-06 10:03": Running, "2026-07-06 10:03:01": Breached,
		"2026-07-06 10:31": Breached, "2030-01-01 00:00": Breached,
	} {
		if got := c.State(at(t, s)); got != want {
			t.Errorf("state at %s is %s, want %s", s, got, want)
		}
	}
	if got := find(t, clocks, Resolve, 1).State(at(t, "2026-07-06 10:31")); got != Met {
		t.Errorf("resolve is %s, want %s", got, Met)
	}
	tk.Assignments[0].AcknowledgedAt = at(t, "2026-07-06 10:03") // exactly at the limit is in time
	if got := find(t, b.Ticket(tk, ownScope), Acknowledge, 1).State(at(t, "2026-07-06 10:31")); got != Met {
		t.Errorf("acknowledged at the limit is %s, want %s", got, Met)
	}
}
