package rebuild

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

var (
	start = time.Date(2026, 10, 5, 1, 0, 0, 0, time.UTC)
	key   = event.Key{Center: "35.15", Kind: event.KindTicket, ID: "T1"}
)

func clock(version string, due time.Duration, stopped time.Duration) sla.Clock {
	c := sla.Clock{Key: key, Name: sla.Resolve, Seq: 1, Kind: sla.Days, Policy: "p", PolicyVersion: version,
		CalendarVersion: "id/1", OPD: "dishub",
		StartedAt: start, DueAt: start.Add(due), GrossDueAt: start.Add(due), BreachAt: start.Add(due)}
	if stopped > 0 {
		c.StoppedAt = start.Add(stopped)
	}
	return c
}

func TestFindingsTellHowAClockChanged(t *testing.T) {
	void := clock("1", time.Hour, 0)
	void.Void = true
	second := clock("1", time.Hour, 0)
	second.Seq = 2
	list := func(cs ...sla.Clock) []sla.Clock { return cs }
	for name, tc := range map[string]struct {
		before, after []sla.Clock
		want          string // before after due of each change; versions; silently moved
	}{
		"nothing": {list(clock("1", time.Hour, 0)), list(clock("1", time.Hour, 0)), ""},
		"a fraction of a millisecond": {
			list(clock("1", time.Hour, 0)), list(clock("1", time.Hour+time.Microsecond, 0)), "",
		},
		"a void clock that is gone": {list(void), nil, ""},
		"a stricter policy": {
			list(clock("1", time.Hour, 50*time.Minute)), list(clock("2", 30*time.Minute, 50*time.Minute)),
			"met breached earlier; p/1 p/2; 0",
		},
		"a milder policy, still open": {
			list(clock("1", time.Hour, 0)), list(clock("2", 100*time.Hour, 0)), "breached running later; p/1 p/2; 0",
		},
		"only the version": {
			list(clock("1", time.Hour, 0)), list(clock("2", time.Hour, 0)), "breached breached same; p/1 p/2; 0",
		},
		"edited without a new version": {
			list(clock("1", time.Hour, 50*time.Minute)), list(clock("1", 30*time.Minute, 50*time.Minute)),
			"met breached earlier; ; 1",
		},
		"a clock that the policy added": {nil, list(clock("1", time.Hour, 50*time.Minute)), "none met ; ; 0"},
		"one that it took away": {
			list(clock("1", time.Hour, 50*time.Minute), second), list(clock("1", time.Hour, 50*time.Minute)),
			"breached none ; ; 0",
		},
		"came back": {list(void), list(clock("1", time.Hour, 0)), "void breached same; ; 0"},
	} {
		var f Findings
		changed := f.compare(key, tc.before, tc.after, start.Add(2*time.Hour))
		got := ""
		if changed {
			var b strings.Builder
			for _, c := range f.Changes {
				fmt.Fprintf(&b, "%s %s %s", c.Before, c.After, c.Due)
			}
			b.WriteString("; ")
			for _, v := range f.Policies {
				b.WriteString(v.Before + " " + v.After)
			}
			fmt.Fprintf(&b, "; %d", f.SilentlyMoved)
			got = b.String()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestFindingsAreBoundedAndAddUp(t *testing.T) {
	var a, b Findings
	for i := range MaxChanges + 500 {
		c := Change{Center: "35.15", Clock: sla.Resolve, OPD: fmt.Sprint(i), Before: "met", After: "breached", Count: 1}
		if i%2 == 0 {
			a.count(c)
		} else {
			b.count(c)
		}
	}
	a.add(&b)
	var sum int64
	for _, c := range a.Changes {
		sum += c.Count
	}
	if sum != MaxChanges+500 || len(a.Changes) > MaxChanges+1 || !a.Merged {
		t.Errorf("%d changes of %d kinds, merged %v", sum, len(a.Changes), a.Merged)
	}
}

func TestFindingsAsPrinted(t *testing.T) {
	var f, none Findings
	f.Cases, f.Rows = 1, 0
	f.compare(key, []sla.Clock{clock("1", time.Hour, 50*time.Minute)},
		[]sla.Clock{clock("2", 30*time.Minute, 50*time.Minute)}, start)
	var b strings.Builder
	f.Write(&b, false)
	none.Write(&b, true)
	want := `changed: 1 cases, of them 0 rows of calls and tickets and 1 clocks
CENTRE  CLOCK    OPD     WAS      NOW      DUE      CLOCKS
35.15   resolve  dishub  running  running  earlier  1
policy p/1 -> p/2: 1 clocks
Nothing would change.
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}
