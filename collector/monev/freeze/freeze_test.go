package freeze

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/store"
)

var (
	jakarta = time.FixedZone("WIB", 7*3600)
	center  = Center{Code: "35.15", Location: jakarta, Targets: store.FigureTargets{Answer: 15, Short: 5}}
	over    = time.Date(2026, 11, 1, 0, 0, 0, 0, jakarta)
)

// away is a ClickHouse that has never answered.
type away struct{ Writer }

func (away) Prepared() bool { return false }

// A request that makes no sense is refused also while ClickHouse is away.
func TestAnUnknownCentreIsRefusedFirst(t *testing.T) {
	r := &Runner{Writer: away{}, Centers: []Center{center}, Now: func() time.Time { return over }}
	var no *RefusedError
	if _, err := r.Compare(t.Context(), "99.99", "", time.Time{}); !errors.As(err, &no) {
		t.Errorf("compare: %v", err)
	}
	if _, err := r.Freeze(t.Context(), Request{Center: "99.99", Month: "2026-10"}); !errors.As(err, &no) {
		t.Errorf("freeze: %v", err)
	}
	if _, err := r.Compare(t.Context(), "35.15", "", time.Time{}); !errors.Is(err, store.ErrNotReady) {
		t.Errorf("a known one: %v", err)
	}
}

func TestAMonthIsFrozenWhenItIsOver(t *testing.T) {
	for name, tc := range map[string]struct {
		request Request
		now     time.Time
		want    string // part of the refusal; empty is none
	}{
		"over to the second":  {Request{Month: "2026-10"}, over, ""},
		"a millisecond early": {Request{Month: "2026-10"}, over.Add(-time.Millisecond), "2026-11-01 00:00 WIB"},
		"over in UTC only":    {Request{Month: "2026-10"}, time.Date(2026, 10, 31, 16, 59, 59, 0, time.UTC), "not over"},
		"over in WIB":         {Request{Month: "2026-10"}, time.Date(2026, 10, 31, 17, 0, 0, 0, time.UTC), ""},
		"december":            {Request{Month: "2026-12"}, time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC), "2027-01-01"},
		"no month":            {Request{Month: "2026-13"}, over, "such as 2026-10"},
		"a day":               {Request{Month: "2026-10-01"}, over, "such as 2026-10"},
		"again":               {Request{Month: "2026-10", Again: true, Reason: "x"}, over, ""},
		"again for nothing":   {Request{Month: "2026-10", Again: true, Reason: " "}, over, "reason"},
		"a reason for nought": {Request{Month: "2026-10", Reason: "x"}, over, "again"},
		"a long reason": {
			Request{Month: "2026-10", Again: true, Reason: strings.Repeat("x", MaxReasonBytes+1)}, over, "at most",
		},
		"a control character": {Request{Month: "2026-10", Again: true, Reason: "a\x1bb"}, over, "control"},
	} {
		_, err := Check(tc.request, center, tc.now)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// database holds figures of one month in memory.
type database struct {
	figures []store.Figure
	report  []store.Figure // what the monthly report adds
	frozen  []*store.Freeze
	bases   []store.ClockBasis
	calls   uint64
	tickets map[string]uint64
	settled int
	asOf    time.Time // of the latest figures
}

func (d *database) FlushRollups(context.Context) error { d.settled++; return nil }
func (d *database) Figures(_ context.Context, _ string, _ time.Time, _ store.FigureTargets,
	asOf time.Time) ([]store.Figure, error) {
	d.asOf = asOf
	return append([]store.Figure{}, d.figures...), nil
}
func (d *database) ReportFigures(context.Context, string, time.Time, store.FigureTargets,
	time.Time) ([]store.Figure, error) {
	return append([]store.Figure{}, d.report...), nil
}
func (d *database) Frozen(context.Context, string, time.Time) (*store.Freeze, error) {
	if len(d.frozen) == 0 {
		return nil, nil
	}
	return d.frozen[len(d.frozen)-1], nil
}
func (d *database) FrozenMonths(context.Context, string) ([]time.Time, error) {
	return []time.Time{store.MonthStart(over.AddDate(0, -1, 0))}, nil
}
func (d *database) KeepFrozen(_ context.Context, z *store.Freeze) error {
	d.frozen = append(d.frozen, z)
	return nil
}
func (d *database) ClockBases(context.Context, string, time.Time, time.Time, time.Time) ([]store.ClockBasis, error) {
	return d.bases, nil
}
func (d *database) LateCases(context.Context, string, time.Time, time.Time) (uint64, map[string]uint64, error) {
	return d.calls, d.tickets, nil
}

func figure(name, dims string, numerator float64) store.Figure {
	share := numerator / 10
	return store.Figure{
		Center: "35.15", Name: name, Dims: dims, Numerator: numerator, Denominator: 10, N: 10, Value: &share,
	}
}

func october() *database {
	return &database{
		figures: []store.Figure{
			figure("funnel", "stage=own", 3), figure("hoax", "measure=belum", 1),
			figure("interval_p90", "interval=respond,opd=dishub,scope=own", 4),
			figure(onTime, "clock=resolve,opd=dishub,scope=own", 7), figure(serviceLevel, "measure=ketat,target=15", 9),
		},
		bases: []store.ClockBasis{{
			Clock: "resolve", OPD: "dishub", Scope: "own", Policies: []string{"p/1"}, Calendars: []string{"id/1"},
		}},
	}
}

func TestAFreezeStandsAndIsRepeatedOnlyForAReason(t *testing.T) {
	d := october()
	keep := func(r Request) (Kept, error) { r.Month = "2026-10"; return Keep(t.Context(), d, r, center, over) }
	conflict := func(err error) bool {
		var no *RefusedError
		return errors.As(err, &no) && no.Conflict
	}
	if _, err := keep(Request{Again: true, Reason: "x"}); !conflict(err) {
		t.Errorf("again before the first: %v", err)
	}
	kept, err := keep(Request{})
	want := Kept{
		Center: "35.15", Month: "2026-10", Revision: 1, Figures: 5, DefinitionVersion: store.DefinitionVersion,
		Policies: []string{"p/1"}, Calendars: []string{"id/1"}, FrozenAt: over.UTC(),
	}
	if diff := cmp.Diff(want, kept); diff != "" || err != nil || d.settled == 0 {
		t.Error(diff, err, d.settled)
	}
	if f := d.frozen[0].Figures[4]; f.Parameters != "short=5" || f.Policies != nil {
		t.Errorf("the service level rests on %+v", f)
	}
	if _, err := keep(Request{}); !conflict(err) || len(d.frozen) != 1 {
		t.Errorf("twice: %v", err)
	}
	if kept, err = keep(Request{Again: true, Reason: " decree 7 "}); err != nil || kept.Revision != 2 ||
		d.frozen[1].Reason != "decree 7" {
		t.Errorf("again: %+v, %v", kept, err)
	}
	if _, err := Keep(t.Context(), &database{}, Request{Month: "2026-10"}, center, over); !conflict(err) {
		t.Errorf("an empty month: %v", err)
	}
}

func TestTheReportSaysWhy(t *testing.T) {
	const edited = "neither definition"
	for name, tc := range map[string]struct {
		change func(*database)
		center Center
		want   []string // figure: reasons; reasons abbreviated by what the test looks for
	}{
		"nothing": {func(*database) {}, center, nil},
		"a new policy": {func(d *database) {
			d.figures[3] = figure(onTime, d.figures[3].Dims, 5)
			d.bases[0].Policies = []string{"p/1", "p/2"}
		}, center, []string{"on_time: policy p/1 is now p/1 and p/2"}},
		"a new calendar": {func(d *database) {
			d.figures[3] = figure(onTime, d.figures[3].Dims, 5)
			d.bases[0].Calendars = nil
		}, center, []string{"on_time: calendar id/1 is now none"}},
		"edited": {func(d *database) {
			d.figures[3] = figure(onTime, d.figures[3].Dims, 5)
		}, center, []string{"on_time: " + edited}},
		"late and overdue": {func(d *database) {
			d.figures[3] = figure(onTime, d.figures[3].Dims, 5)
			d.bases[0].Late, d.bases[0].Passed = 2, 1
		}, center, []string{"on_time: events about 2 of its clocks; 1 clocks that ran in time"}},
		"the clock is gone": {func(d *database) { d.figures = append(d.figures[:3:3], d.figures[4]); d.bases = nil }, center,
			[]string{"on_time: policy p/1 is now none; calendar id/1 is now none"}},
		"late calls": {func(d *database) {
			d.figures[1] = figure("hoax", "measure=belum", 2)
			d.calls = 3
		}, center, []string{"hoax: events about 3 calls"}},
		"late tickets": {func(d *database) {
			d.figures[2].N = 11
			d.tickets = map[string]uint64{"dishub": 2, "pln": 9}
		}, center, []string{"interval_p90: events about 2 tickets of dishub"}},
		"a ticket moved": {func(d *database) {
			d.figures[2].N = 11
			d.tickets = map[string]uint64{"pln": 9}
		}, center, []string{"interval_p90: events about 9 tickets of other OPDs"}},
		"another target": {func(d *database) { d.figures[4] = figure(serviceLevel, "measure=ketat,target=20", 9) },
			Center{Code: "35.15", Location: jakarta, Targets: store.FigureTargets{Answer: 20, Short: 5}},
			[]string{
				"service_level: the answer target of 15 s is now 20 s", "service_level: the freeze has no answer target of 20 s",
			}},
		"another short limit": {func(d *database) { d.figures[4] = figure(serviceLevel, "measure=ketat,target=15", 8) },
			Center{Code: "35.15", Location: jakarta, Targets: store.FigureTargets{Answer: 15, Short: 10}},
			[]string{"service_level: short=5 is now short=10"}},
		"another definition": {func(d *database) {
			d.frozen[0].DefinitionVersion = "0"
			d.figures[0] = figure("funnel", "stage=own", 4)
		}, center,
			[]string{"funnel: definition version 0 is now " + store.DefinitionVersion}},
	} {
		d := october()
		if _, err := Keep(t.Context(), d, Request{Month: "2026-10"}, center, over); err != nil {
			t.Fatal(err)
		}
		tc.change(d)
		r, err := Compare(t.Context(), d, tc.center, "2026-10", over.AddDate(0, 1, 0), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Differences) != len(tc.want) {
			t.Errorf("%s: %+v, want %q", name, r.Differences, tc.want)
			continue
		}
		for i, diff := range r.Differences {
			want := strings.Split(tc.want[i], "; ")
			got := diff.Figure + ": " + strings.Join(diff.Why, "; ")
			if len(diff.Why) != len(want) {
				t.Errorf("%s: %s, want %s", name, got, tc.want[i])
			}
			for _, w := range want {
				if !strings.Contains(got, w) {
					t.Errorf("%s: %s, want %s", name, got, w)
				}
			}
		}
	}
	if _, err := Compare(t.Context(), &database{}, center, "2026-10", over, time.Time{}); !errors.Is(err, ErrNotFrozen) {
		t.Errorf("a month that is not frozen: %v", err)
	}
}

// What was frozen as of an instant is compared with the figures as of the same, unless another is asked for.
func TestAFreezeAsOfAnInstant(t *testing.T) {
	d := october()
	for _, r := range []Request{{AsOf: over.AddDate(1, 0, 0)}, {AsOf: over.AddDate(0, -2, 0)}} {
		r.Month = "2026-10"
		var no *RefusedError
		if _, err := Keep(t.Context(), d, r, center, over); !errors.As(err, &no) || !strings.Contains(no.Reason, "as_of") {
			t.Errorf("as of %s: %v", r.AsOf, err)
		}
	}
	if _, err := Keep(t.Context(), d, Request{Month: "2026-10", AsOf: over}, center, over.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	figures := d.frozen[0].Figures
	if !d.asOf.Equal(over) || figures[0].Parameters != "as_of=2026-10-31T17:00:00Z" ||
		figures[4].Parameters != "as_of=2026-10-31T17:00:00Z,short=5" {
		t.Errorf("as of %s: %q, %q", d.asOf, figures[0].Parameters, figures[4].Parameters)
	}
	for asked, want := range map[time.Time]time.Time{{}: over, over.AddDate(0, 0, 3): over.AddDate(0, 0, 3)} {
		if _, err := Compare(t.Context(), d, center, "2026-10", over.AddDate(0, 2, 0), asked); err != nil ||
			!d.asOf.Equal(want) {
			t.Errorf("compared as of %s, want %s: %v", d.asOf, want, err)
		}
	}
}

// A freeze of a program that knew no report says nothing of its figures; one that has them is compared in them too.
func TestFiguresOfTheReport(t *testing.T) {
	for name, tc := range map[string]struct {
		then, now []store.Figure
		want      string
	}{
		"an earlier freeze": {nil, []store.Figure{figure("tickets_opd", "opd=dishub,scope=own", 4)}, ""},
		"the same": {[]store.Figure{figure("acted", "opd=dishub,scope=own", 4)},
			[]store.Figure{figure("acted", "opd=dishub,scope=own", 4)}, ""},
		"moved": {[]store.Figure{figure("acted", "opd=dishub,scope=own", 4)},
			[]store.Figure{figure("acted", "opd=dishub,scope=own", 5)}, "events about 2 tickets of dishub"},
	} {
		d := october()
		d.report, d.tickets = tc.then, map[string]uint64{"dishub": 2}
		if _, err := Keep(t.Context(), d, Request{Month: "2026-10"}, center, over); err != nil {
			t.Fatal(err)
		}
		d.report = tc.now
		r, err := Compare(t.Context(), d, center, "2026-10", over, time.Time{})
		got := ""
		for _, diff := range r.Differences {
			got += strings.Join(diff.Why, "; ")
		}
		if err != nil || (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q: %v", name, got, tc.want, err)
		}
	}
}

func TestTheReportAsPrinted(t *testing.T) {
	d := october()
	if _, err := Keep(t.Context(), d, Request{Month: "2026-10"}, center, over); err != nil {
		t.Fatal(err)
	}
	d.figures[0], d.figures[1], d.calls = figure("funnel", "stage=own", 4), figure("hoax", "measure=belum", 2), 3
	r, err := Compare(t.Context(), d, center, "2026-10", over, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	r.Write(&b, 1, jakarta)
	want := fmt.Sprintf(`2026-10, centre 35.15: frozen at 2026-11-01 00:00 WIB, revision 1, 5 figures, definition %s
2 figures are no longer what was frozen
FIGURE  OF         FROZEN      NOW         WHY
funnel  stage=own  3/10 = 0.3  4/10 = 0.4  events about 3 calls of the month came in after the freeze
and 1 more: monev112 freeze --report --month 2026-10 --center 35.15
`, store.DefinitionVersion)
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
