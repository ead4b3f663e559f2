package sla

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/casefile"
)

// calendarText draws a calendar with odd windows, days off and a range, in a zone with or without daylight saving.
func calendarText(t *rapid.T, zones ...string) string {
	if len(zones) == 0 {
		zones = []string{"Asia/Jakarta", "America/New_York", "Europe/Amsterdam", "Australia/Lord_Howe", "Asia/Kathmandu"}
	}
	s := "calendar: test\nversion: \"1\"\nzone: " + rapid.SampledFrom(zones).Draw(t, "zone") +
		"\nvalid_from: 2000-01-01\ncovered_until: 2030-12-31\nweekly:\n  - from: 2000-01-01\n    windows:\n"
	days := rapid.SampledFrom([]string{"mon-fri", "mon-sun", "sat-sun", "wed-wed", "sun-thu"}).Draw(t, "days")
	s += "      " + days + ": " + windowsText(t, "windows") + "\n"
	s += "ranges:\n  - name: range\n    from: 2025-03-01\n    until: 2025-04-05\n    windows:\n      mon-sun: " +
		windowsText(t, "range windows") + "\n"
	s += "holidays:\n"
	for _, d := range []string{"2025-01-01", "2025-03-10", "2025-03-31", "2025-10-27", "2025-11-03"} {
		s += fmt.Sprintf("  - {date: %s, name: libur, decree: test}\n", d)
	}
	return s + "special:\n  - {date: 2025-12-31, name: half, windows: [\"08:00-12:00\"]}\n"
}

func windowsText(t *rapid.T, label string) string {
	cuts := rapid.SliceOfNDistinct(rapid.IntRange(0, 96), 2, 6, rapid.ID).Draw(t, label)
	slices.Sort(cuts)
	out := ""
	for i := 0; i+1 < len(cuts); i += 2 {
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf("%02d:%02d-%02d:%02d", cuts[i]/4, cuts[i]%4*15, cuts[i+1]/4, cuts[i+1]%4*15)
	}
	return "[" + out + "]"
}

// drawCalendar keeps the calendars it has built: laying out a hundred years costs more than a check.
func drawCalendar(t *rapid.T, seen map[string]*Calendar, zones ...string) *Calendar {
	text := calendarText(t, zones...)
	c := seen[text]
	if c == nil {
		c = mustCalendar(t, text)
		seen[text] = c
	}
	return c
}

// openSlow says whether an instant is open, from its wall-clock time alone.
func openSlow(c *Calendar, at time.Time) bool {
	_, offset := at.In(c.zone).Zone()
	wall := at.Unix() + int64(offset)
	day, minute := int32(wall/86400), int32(wall%86400/60)
	for _, w := range c.windows(day) {
		if w.open <= minute && minute < w.close {
			return true
		}
	}
	return false
}

// Every zone here changes its offset on whole minutes, so counting minute by minute is exact.
func openMinutesSlow(c *Calendar, from, to time.Time) int {
	n := 0
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if openSlow(c, at) {
			n++
		}
	}
	return n
}

// The changes to and from daylight saving of 2025 in the zones that are tested.
var changes = []time.Time{
	time.Date(2025, 3, 9, 7, 0, 0, 0, time.UTC), time.Date(2025, 11, 2, 6, 0, 0, 0, time.UTC), // New York
	time.Date(2025, 3, 30, 1, 0, 0, 0, time.UTC), time.Date(2025, 10, 26, 1, 0, 0, 0, time.UTC), // Amsterdam
	// Lord Howe, half an hour
	time.Date(2025, 4, 5, 15, 0, 0, 0, time.UTC), time.Date(2025, 10, 4, 15, 30, 0, 0, time.UTC),
}

func TestOpenTimeEqualsAMinuteByMinuteCount(t *testing.T) {
	zones := []string{"Asia/Jakarta", "America/New_York", "Europe/Amsterdam", "Australia/Lord_Howe", "Pacific/Apia"}
	weeks := []string{
		"mon-thu: [07:30-16:00]\n      fri: [07:30-16:30]", "mon-sun: [00:00-24:00]",
		"mon-sun: [01:00-01:30, 02:00-03:00, 22:15-24:00]",
		"sun: [00:30-02:30]\n      mon-sat: [08:00-12:00, 13:00-17:00]", "sat-sun: [01:45-02:15]",
	}
	var calendars []*Calendar
	for _, z := range zones {
		for _, w := range weeks {
			calendars = append(calendars, mustCalendar(t, "calendar: test\nversion: \"1\"\nzone: "+z+
				"\nvalid_from: 2000-01-01\ncovered_until: 2030-12-31\nweekly:\n  - from: 2000-01-01\n    windows:\n      "+w+
				"\nholidays:\n  - {date: 2025-11-03, name: libur, decree: test}\n"))
		}
	}
	random := rand.New(rand.NewPCG(1, 12))
	overChange := 0
	for i := range 10000 {
		c := calendars[i%len(calendars)]
		var from time.Time
		if i%2 == 0 {
			from = changes[random.IntN(len(changes))].Add(-time.Duration(random.IntN(36*60)) * time.Minute)
			overChange++
		} else {
			from = time.Date(2011, 12, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(random.IntN(15*365*24*60)) * time.Minute)
		}
		to := from.Add(time.Duration(random.IntN(3*24*60)) * time.Minute)
		want := time.Duration(openMinutesSlow(c, from, to)) * time.Minute
		if got := c.OpenBetween(from, to); got != want {
			t.Fatalf("%s %v: open from %s to %s: %s, want %s", c.zone, c.weekly, from.In(c.zone), to.In(c.zone), got, want)
		}
		if c.Open(from) != openSlow(c, from) {
			t.Fatalf("%s: open at %s: %v", c.zone, from.In(c.zone), c.Open(from))
		}
		var sum time.Duration
		for _, w := range c.WindowsBetween(from, to) {
			sum += w.Close.Sub(w.Open)
		}
		if sum != want {
			t.Fatalf("windows from %s to %s add up to %s, want %s", from, to, sum, want)
		}
	}
	if overChange < 4000 {
		t.Fatalf("only %d cases near a change of offset", overChange)
	}
}

func drawInstant(t *rapid.T, label string) time.Time {
	return time.Date(2025, 1, 1, 0, 0, 0, 0,
		time.UTC).Add(time.Duration(rapid.IntRange(0, 365*24*3600).Draw(t, label)) * time.Second)
}

func TestAddOpenInvertsOpenBetween(t *testing.T) {
	seen := map[string]*Calendar{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t, seen)
		from := drawInstant(t, "from")
		d := time.Duration(rapid.IntRange(1, 200*3600).Draw(t, "open seconds")) * time.Second
		to, ok := c.AddOpen(from, d)
		if !ok {
			t.Fatalf("no result for %s from %s", d, from)
		}
		if got := c.OpenBetween(from, to); got != d {
			t.Fatalf("open between is %s, want %s", got, d)
		}
		if before := c.OpenBetween(from, to.Add(-time.Millisecond)); before >= d {
			t.Fatalf("%s is not the earliest instant", to)
		}
		if c.OpenBetween(to, from) != -d {
			t.Fatal("open time is not antisymmetric")
		}
	})
}

func TestNthClosingIsTheEndOfTheNthWorkingDay(t *testing.T) {
	seen := map[string]*Calendar{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t, seen, "Asia/Jakarta", "America/New_York", "Europe/Amsterdam")
		from := drawInstant(t, "from")
		n := rapid.IntRange(1, 30).Draw(t, "n")
		at, ok := c.NthClosing(from, n)
		if !ok {
			t.Fatal("no closing")
		}
		// Walk day by day: the last open minute of each later date that has one.
		day := from.In(c.zone)
		var last time.Time
		for k := 0; k < n; {
			y, m, d := day.Date()
			day = time.Date(y, m, d+1, 12, 0, 0, 0, c.zone)
			y, m, d = day.Date()
			last = time.Time{}
			for p := time.Date(y, m, d, 0, 0, 0, 0, c.zone); p.In(c.zone).Day() == d; p = p.Add(time.Minute) {
				if openSlow(c, p) {
					last = p.Add(time.Minute)
				}
			}
			if !last.IsZero() {
				k++
			}
		}
		if !at.Equal(last) {
			t.Fatalf("closing %d after %s is %s, want %s", n, from.In(c.zone), at.In(c.zone), last.In(c.zone))
		}
	})
}

// drawLine draws a line of any kind that honours pauses.
func drawLine(t *rapid.T) *Line {
	l := &Line{
		Kind: rapid.SampledFrom([]Kind{Elapsed, Hours, Days}).Draw(t, "kind"), Ladder: defaultLadder,
		profile: &Profile{Name: "test", Version: "1"},
	}
	l.Pauses.Reasons = []string{"cuaca"}
	if l.Kind == Days {
		l.TargetDays = rapid.IntRange(1, 12).Draw(t, "target")
		l.Pauses.CapDays = rapid.IntRange(1, 8).Draw(t, "cap")
	} else {
		l.Target = time.Duration(rapid.IntRange(1, 60*3600).Draw(t, "target")) * time.Second
		l.Pauses.Cap = time.Duration(rapid.IntRange(1, 60*3600).Draw(t, "cap")) * time.Second
	}
	return l
}

// drawPauses draws disjoint pauses in order; the last may run on.
func drawPauses(t *rapid.T, start time.Time) []casefile.Pause {
	var out []casefile.Pause
	at := start.Add(-6 * time.Hour)
	for range rapid.IntRange(0, 4).Draw(t, "pauses") {
		from := at.Add(time.Duration(rapid.IntRange(1, 72*3600).Draw(t, "after")) * time.Second)
		to := from.Add(time.Duration(rapid.IntRange(1, 96*3600).Draw(t, "long")) * time.Second)
		out = append(out, casefile.Pause{
			From: from, To: to, Reason: rapid.SampledFrom([]string{"cuaca", "cuaca", "cuaca", "lain"}).Draw(t, "reason"),
		})
		at = to
	}
	if len(out) > 0 && rapid.IntRange(0, 2).Draw(t, "open") == 0 {
		out[len(out)-1].To = time.Time{}
	}
	return out
}

func clockOf(l *Line, c *Calendar, start, stop time.Time, pauses []casefile.Pause) Clock {
	k := Clock{Name: Resolve, Seq: 1}
	k.set(l, c, start, stop, time.Time{}, pauses)
	return k
}

func bookOf(c *Calendar) *Book { return &Book{byID: map[string]*Calendar{c.id: c}} }

func TestSplittingAPauseChangesNothing(t *testing.T) {
	seen := map[string]*Calendar{}
	rapid.Check(t, func(t *rapid.T) {
		c, l := drawCalendar(t, seen), drawLine(t)
		start := drawInstant(t, "start")
		pauses := drawPauses(t, start)
		var stop time.Time
		if rapid.Bool().Draw(t, "stopped") {
			stop = start.Add(time.Duration(rapid.IntRange(0, 30*24*3600).Draw(t, "stop")) * time.Second)
		}
		want := clockOf(l, c, start, stop, pauses)
		if len(pauses) == 0 {
			return
		}
		i := rapid.IntRange(0, len(pauses)-1).Draw(t, "which")
		p := pauses[i]
		long := 96 * 3600
		if !p.To.IsZero() {
			long = int(p.To.Sub(p.From) / time.Second)
		}
		if long < 2 {
			return
		}
		cut := p.From.Add(time.Duration(rapid.IntRange(1, long-1).Draw(t, "cut")) * time.Second)
		halves := slices.Concat(pauses[:i],
			[]casefile.Pause{{From: p.From, To: cut, Reason: p.Reason}, {From: cut, To: p.To, Reason: p.Reason}}, pauses[i+1:])
		got := clockOf(l, c, start, stop, halves)
		if p.To.IsZero() {
			// The part of an open pause that has ended moves DueAt; when the clock is late stays as it was.
			if got.BreachAt != want.BreachAt || got.GrossDueAt != want.GrossDueAt || !got.PausedSince.IsZero() &&
				got.PauseEndsAt != want.PauseEndsAt {
				t.Fatalf("split %+v\nwhole %+v", got, want)
			}
			return
		}
		if got != want {
			t.Fatalf("split %+v\nwhole %+v", got, want)
		}
	})
}

func TestClockIsMonotoneInTime(t *testing.T) {
	seen := map[string]*Calendar{}
	// A clock goes from left to right only; pauses that ended are in its due time, so it pauses at most once.
	order := map[string]int{Running: 1, Paused: 1, Met: 3, Breached: 3}
	rapid.Check(t, func(t *rapid.T) {
		c, l := drawCalendar(t, seen), drawLine(t)
		b := bookOf(c)
		start := drawInstant(t, "start")
		var stop time.Time
		if rapid.Bool().Draw(t, "stopped") {
			stop = start.Add(time.Duration(rapid.IntRange(0, 40*24*3600).Draw(t, "stop")) * time.Second)
		}
		k := clockOf(l, c, start, stop, drawPauses(t, start))
		if k.BreachAt.Before(k.DueAt) || k.DueAt.Before(k.GrossDueAt) || k.GrossDueAt.Before(k.StartedAt) {
			t.Fatalf("due times out of order: %+v", k)
		}
		if k.PausedSince.IsZero() && k.BreachAt != k.DueAt || !k.PausedSince.IsZero() && k.PausedSince.After(k.DueAt) {
			t.Fatalf("a pause that runs and BreachAt disagree: %+v", k)
		}
		if k.EscalatedAt.Before(k.RiskAt) || k.Escalated2At.Before(k.EscalatedAt) || k.RiskAt.After(k.BreachAt) {
			t.Fatalf("ladder out of order: %+v", k)
		}
		now := start
		state, ratio := k.State(now), 0.0
		for range 40 {
			now = now.Add(time.Duration(rapid.IntRange(1, 36*3600).Draw(t, "step")) * time.Second)
			s, r := k.State(now), b.UsedRatio(&k, now)
			if order[s] < order[state] || order[state] == 3 && s != state {
				t.Fatalf("from %s to %s at %s: %+v", state, s, now, k)
			}
			if r < ratio {
				t.Fatalf("used falls from %v to %v at %s: %+v", ratio, r, now, k)
			}
			state, ratio = s, r
		}
	})
}

func TestDueNeverFallsIntoAClosedWindow(t *testing.T) {
	seen := map[string]*Calendar{}
	rapid.Check(t, func(t *rapid.T) {
		c, l := drawCalendar(t, seen), drawLine(t)
		if l.Kind == Elapsed {
			return
		}
		start := drawInstant(t, "start")
		k := clockOf(l, c, start, time.Time{}, drawPauses(t, start))
		for _, at := range []time.Time{k.DueAt, k.GrossDueAt, k.BreachAt} {
			// The closing time itself is the last instant that is in time.
			if !openSlow(c, at.Add(-time.Millisecond)) {
				t.Fatalf("due at %s, which is closed", at.In(c.zone))
			}
			if l.Kind == Days && openSlow(c, at) {
				if local := at.In(c.zone); local.Hour() != 0 || local.Minute() != 0 {
					t.Fatalf("due at %s, which is no closing time", local)
				}
			}
		}
	})
}

func TestUsedRatioIsOneAtDueAndThreeQuartersAtRisk(t *testing.T) {
	seen := map[string]*Calendar{}
	rapid.Check(t, func(t *rapid.T) {
		c, l := drawCalendar(t, seen), drawLine(t)
		b := bookOf(c)
		start := drawInstant(t, "start")
		pauses := drawPauses(t, start)
		k := clockOf(l, c, start, time.Time{}, pauses)
		if k.PausedSince.IsZero() {
			if r := b.UsedRatio(&k, k.DueAt); r != 1 && !(l.Kind == Days && k.DueAt.Equal(k.StartedAt)) {
				t.Fatalf("used at due is %v: %+v", r, k)
			}
		}
		var ended time.Time
		for _, p := range pauses {
			if !p.To.IsZero() && p.Reason == "cuaca" {
				ended = p.To
			}
		}
		for share, at := range map[float64]time.Time{0.75: k.RiskAt, 1.5: k.EscalatedAt, 2: k.Escalated2At} {
			if at.Before(ended) {
				continue // a share of the past is known at its instant only
			}
			if r := b.UsedRatio(&k, at); r < share || r > share+0.01 && k.DueAt.Sub(k.StartedAt) > time.Hour && l.Kind != Days {
				t.Fatalf("used at the mark of %v is %v: %+v", share, r, k)
			}
			if r := b.UsedRatio(&k, at.Add(-time.Millisecond)); r >= share {
				t.Fatalf("used just before the mark of %v is %v: %+v", share, r, k)
			}
		}
	})
}
