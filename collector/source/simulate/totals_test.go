package simulate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

// checkTotals holds the figures of one world against each other.
func checkTotals(t rapid.TB, totals Totals) {
	sum := func(m map[string]int64) (n int64) {
		for _, v := range m {
			n += v
		}
		return n
	}
	c := totals.Centers["35.15"]
	k, x := c.Calls, c.Tickets
	intervals := func(name string) int64 { return x.Intervals[name][""].N }
	var months, hours Sums
	for _, s := range c.Months {
		months.plus(s)
	}
	for _, s := range c.Hours {
		hours.plus(s)
	}
	if months != k.Sums || hours != k.Sums {
		t.Errorf("months or hours do not add up to the whole:\n%s%s", cmp.Diff(k.Sums, months), cmp.Diff(k.Sums, hours))
	}
	for what, pair := range map[string][2]int64{
		"nothing is pending":                      {totals.Pending, 0},
		"every call ends in one way":              {k.Answered + k.Abandoned + k.Unserved + k.Blocked, k.Received},
		"offered leaves out blocks and tests":     {k.Received - k.Blocked - k.Tests, k.Offered},
		"every answered call has a class or none": {sum(k.ByClass), k.Answered},
		"classified, tests, unclassified":         {k.Classified + k.Tests + k.Unclassified, k.Answered},
		"hoax":                                    {k.ByClass["prank"] + k.ByClass["prank_palsu"], k.Hoax},
		"agents":                                  {sum(k.ByAgent), k.Answered},
		"waits":                                   {k.AnswerWait.N, k.Answered - k.Tests},
		"abandoned":                               {k.CalledBack + k.ToCallBack, k.Abandoned},
		"unserved":                                {sum(k.UnservedByReason), k.Unserved},
		"opened":                                  {k.TicketsOpened, x.Opened},
		"scopes":                                  {k.TicketsOwn + k.TicketsVertical, x.Opened},
		"OPDs":                                    {sum(x.ByOPD), x.Opened},
		"OPD scopes":                              {sum(x.ByScope), x.Opened},
		"priorities":                              {sum(x.ByPriority), x.Opened},
		"categories":                              {sum(x.ByCategory), x.Opened},
		"states":                                  {sum(x.ByState), x.Opened},
		"open": {
			x.Opened - x.ByState[stateClosed] - x.ByState[stateConfirmed] - x.ByState[stateResolved] - x.ByState[stateMerged],
			x.Open,
		},
		"merged":                    {x.ByState[stateMerged], x.Merged},
		"messages":                  {totals.Messages.Events + totals.Messages.Repetitions, totals.Messages.Sent},
		"events by type":            {sum(totals.Messages.ByType), totals.Messages.Events},
		"a slip has its correction": {totals.Messages.Slips, totals.Messages.Corrections},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d and %d", what, pair[0], pair[1])
		}
	}
	if k.Within10 > k.Within15 || k.Within15 > k.Within20 || k.Within20 > k.AnswerWait.N ||
		k.AbandonedShort > k.Abandoned {
		t.Errorf("a part is greater than its whole: %+v", k.Sums)
	}
	if x.FireInTime > x.FireArrived || intervals("turnout") > intervals("acknowledge") || intervals("resolve") > x.Opened {
		t.Errorf("intervals: %+v", x.Intervals)
	}
}

func TestTotalsAgreeWithThemselves(t *testing.T) {
	g := generator(t, Sidoarjo2023, Options{})
	drain(g)
	checkTotals(t, g.Totals())
	c := g.Totals().Centers["35.15"]
	if share := c.Calls.Within15 * 100 / c.Calls.Offered; share < 90 || share > 98 {
		t.Errorf("%d %% are answered within 15 s; most should be, not all", share)
	}
	if x := c.Tickets; x.FireInTime*10 < x.FireArrived*6 || x.FireInTime == x.FireArrived {
		t.Errorf("%d of %d fires are reached within 15 minutes; most should be, not all", x.FireInTime, x.FireArrived)
	}
	if x := c.Tickets; x.ByPriority["darurat"]*2 > x.Opened {
		t.Errorf("%d of %d tickets are emergencies; most should not be", x.ByPriority["darurat"], x.Opened)
	}
	for _, n := range []int64{
		c.Tickets.Bounces, c.Tickets.Rejected, c.Tickets.Reopened, c.Tickets.Paused, c.Tickets.Open,
	} {
		if n == 0 {
			t.Error("2023 lacks tickets that bounced, were rejected, reopened, paused or are still open")
		}
	}
	evening, night := int64(0), int64(0)
	for h, s := range c.Hours {
		switch h[len(h)-2:] {
		case "19", "20":
			evening += s.Received
		case "02", "03":
			night += s.Received
		}
	}
	if evening < 4*night {
		t.Errorf("%d calls in the evening, %d at night: no shape of a day", evening, night)
	}

	rapid.Check(t, func(t *rapid.T) {
		from := noon().Add(time.Duration(rapid.IntRange(0, 7*24*60).Draw(t, "minutes")) * time.Minute)
		o := Options{
			Seed: rapid.Uint64().Draw(t, "seed"), From: from,
			To:        from.Add(time.Duration(rapid.IntRange(1, 4).Draw(t, "hours")) * time.Hour),
			Rate:      float64(rapid.IntRange(1, 40).Draw(t, "rate")) / 2,
			TimeScale: float64(rapid.IntRange(1, 100).Draw(t, "scale")),
		}
		g, err := New(Live, o)
		if err != nil {
			t.Fatal(err)
		}
		var last time.Time
		for m := range g.All() {
			if m.At.Before(last) || m.Draft.Time.After(m.At) || m.Draft.ID == "" || m.Draft.Subject == "" {
				t.Fatalf("out of order or incomplete: %+v", m)
			}
			last = m.At
		}
		checkTotals(t, g.Totals())
	})
}

// A part of 2023 tells the same cases as the whole, so that a demo may send ten months or one week.
func TestAPartOf2023IsAPart(t *testing.T) {
	text := func(m *Message) string { return string(m.Draft.AppendCloudEvent(nil)) }
	from, to := time.Date(2023, 3, 1, 0, 0, 0, 0, wib()), time.Date(2023, 3, 8, 0, 0, 0, 0, wib())
	part := map[string]bool{}
	for m := range generator(t, Sidoarjo2023, Options{From: from, To: to}).All() {
		part[text(m)] = true
	}
	found := 0
	for m := range generator(t, Sidoarjo2023, Options{}).All() {
		if part[text(m)] {
			found++
		}
	}
	if len(part) < 3000 || found != len(part) {
		t.Errorf("%d of %d messages of the part are in the whole", found, len(part))
	}
}

func TestQuantilesAreNearestRank(t *testing.T) {
	d := durations{}
	for _, v := range []int64{3, 8, 12, 14, 16, 19, 25} {
		d[v*second]++
	}
	want := Quantiles{N: 7, Sum: 97 * second, P50: 14 * second, P90: 25 * second, P95: 25 * second, Max: 25 * second}
	if got := d.quantiles(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (durations{}).quantiles(); got != (Quantiles{}) {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestWorkingMoment(t *testing.T) {
	for in, want := range map[string]string{
		"2023-03-06 09:00": "2023-03-06 09:00", // Monday
		"2023-03-06 07:00": "2023-03-06 07:30",
		"2023-03-06 16:00": "2023-03-07 07:30",
		"2023-03-10 16:15": "2023-03-10 16:15", // Friday closes later
		"2023-03-10 16:30": "2023-03-13 07:30",
		"2023-03-12 12:00": "2023-03-13 07:30", // Sunday
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", in, wib())
		if err != nil {
			t.Fatal(err)
		}
		if got := time.UnixMilli(workingMoment(at.UnixMilli())).In(wib()).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, p := range Presets() {
		b.Run(string(p), func(b *testing.B) {
			var m Message
			var body []byte
			g := generator(b, p, Options{From: map[Preset]time.Time{Live: noon(), Load: noon()}[p]})
			b.ReportAllocs()
			for b.Loop() {
				if !g.Next(&m) {
					g = generator(b, p, Options{})
					g.Next(&m)
				}
				body = m.Draft.AppendCloudEvent(body[:0])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
