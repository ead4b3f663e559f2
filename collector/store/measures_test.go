package store

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
)

// comparedBy says of every view of measures which test holds it against a slow count of its own over drawn facts, now
// and as of an instant: those of monev_figures and of measures in TestOneDefinition.
var comparedBy = map[string]string{
	"monev_figures": "", "monev_service_level": "", "monev_hoax": "", "monev_funnel": "", "monev_intervals": "",
	"monev_intervals_calls": "", "monev_intervals_tickets": "", "monev_intervals_opd": "", "monev_on_time": "",
	"monev_on_time_tickets": "", "monev_on_time_outside": "",
	"monev_hoax_cost": "", "monev_callers": "", "monev_blocks": "", "monev_not_recorded": "", "monev_corrected": "",
	"monev_indicator": "", "monev_indicators": "", "monev_report": "",
	"monev_informasi":        "information_test.go TestInformationServiceIsWhatItsCallsSay",
	"monev_informasi_topics": "information_test.go TestInformationServiceIsWhatItsCallsSay",
	"monev_kendala":          "../monev/kendala/view_test.go TestViewsAndFunctionAgree",
	"monev_kendala_calls":    "../monev/kendala/view_test.go TestViewsAndFunctionAgree",
	"monev_kendala_clocks":   "../monev/kendala/view_test.go TestViewsAndFunctionAgree",
	"monev_kendala_tickets":  "../monev/kendala/view_test.go TestViewsAndFunctionAgree",
	"monev_kendala_groups":   "../monev/kendala/view_test.go TestViewsAndFunctionAgree",
}

// A view of measures that no test compares has no definition; one that takes no as_of cannot be asked about the past.
func TestEveryMeasureIsComparedAndTakesAsOf(t *testing.T) {
	s := open(t)
	views := definitions(t, s)
	seen := 0
	for _, view := range tables(t, s, "View") {
		if !strings.HasPrefix(view, "monev_") {
			continue
		}
		seen++
		if !strings.Contains(views["definition of "+view], "{as_of:Nullable(String)}") {
			t.Errorf("%s takes no as_of", view)
		}
		test, known := comparedBy[view]
		if !known {
			t.Errorf("%s: no test compares it with a count of its own", view)
		}
		if file, name, elsewhere := strings.Cut(test, " "); elsewhere {
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "func "+name+"(") {
				t.Errorf("%s: no %s (%v)", view, test, err)
			}
		}
	}
	if seen != len(comparedBy) {
		t.Errorf("%d views of %d", seen, len(comparedBy))
	}
}

// measures computes what the views beside monev_figures say, as folded does. Days are those of the drawn facts.
func measures(rows, all map[event.Key]tracker.Row, now time.Time, target time.Duration) map[string]figure {
	out := map[string]figure{}
	add := func(name string, in, of bool) {
		f := out[name]
		f.Num, f.Den = f.Num+bit(in), f.Den+bit(of)
		out[name] = f
	}
	var calls []*casefile.Call
	var tickets []*casefile.Ticket
	clocks := map[event.Key][]sla.Clock{}
	for key, r := range rows {
		switch {
		case r.Call != nil && r.Call.Events > 0 && !all[key].Call.Test() && !all[key].Call.At().After(now):
			calls = append(calls, r.Call)
		case r.Ticket != nil && r.Ticket.Events > 0 && !all[key].Ticket.Test() && !all[key].Ticket.At().After(now):
			tickets = append(tickets, r.Ticket)
			clocks[key] = r.Clocks
		}
	}
	callers(out, calls)
	hoaxCost(out, calls, tickets, target)

	indicators := func(name string, in, of bool) {
		if of {
			add("indicators "+name, in, true)
		}
	}
	for _, c := range calls {
		class := c.Class
		switch {
		case !c.Answered():
			class = "tidak_terjawab"
		case !c.Classified():
			class = "belum"
		}
		local := c.At().In(wib)
		add("report calls_class class="+class, true, true)
		add(fmt.Sprintf("report calls_hour hour=%02d,weekday=%d", local.Hour(), 1+(int(local.Weekday())+6)%7), true, true)
		add("report calls_day day="+local.Format(time.DateOnly), true, true)
		add("report calls_quarter at="+local.Truncate(15*time.Minute).Format("2006-01-02T15:04"), true, true)
		for _, f := range c.Flags {
			add("report calls_flag flag="+f, true, true)
		}
		wait, known := c.AnswerTime()
		if !c.OfferedAt().IsZero() && (known || c.AnsweredAt.IsZero()) {
			add("indicators answer", known && wait <= target, true)
		}
		if c.Answered() {
			indicators("hoax", c.Hoax(), c.Classified())
			add("indicator rasio_hoaks", c.Hoax() && c.Classified(), c.Classified())
			add("indicator belum", !c.Classified(), true)
		}
		if !c.OfferedAt().IsZero() {
			add("indicator tidak_terjawab", !c.Answered(), true)
		}
	}
	busiest, most := "", 0.0
	for name, f := range out {
		if strings.HasPrefix(name, "report calls_quarter") && (f.Num > most || f.Num == most && name < busiest) {
			busiest, most = name, f.Num
		}
	}
	maps.DeleteFunc(out, func(name string, _ figure) bool {
		return strings.HasPrefix(name, "report calls_quarter") && name != busiest
	})
	merged := 0
	for _, t := range tickets {
		if t.State == casefile.Merged {
			merged++
			continue
		}
		scope := "own"
		if t.OPD != "" {
			scope = scopeOf(t.OPD)
		}
		held := "opd=" + t.OPD + ",scope=" + scope
		add("report tickets_opd "+held, true, true)
		add("report tickets_category category="+t.Category, true, true)
		add("report tickets_kecamatan kecamatan="+t.Kecamatan, true, true)
		add("report tickets_priority priority="+t.Priority, true, true)
		acted := !cmp.Or(t.AcknowledgedAt, t.DepartedAt, t.ArrivedAt, t.ResolvedAt).IsZero()
		unacted, unconfirmed := unrecorded(clocks[t.Key], now)
		add("report acted "+held, acted, acted || !unacted)
		add("report confirmed "+held, !t.ConfirmedAt.IsZero(), !t.ConfirmedAt.IsZero() || !unconfirmed)
		add("report bounced "+held, t.Bounces > 0, true)
		add("report reopened "+held, t.Reopened > 0, true)
		for _, f := range t.Flags {
			add("report tickets_flag flag="+f, true, true)
		}
		if took, known := casefile.Between(t.ReceivedAt, t.ArrivedAt); known && t.Category == "kebakaran" {
			add("report arrived_within category=kebakaran,seconds=900", took <= 900*time.Second, true)
			add("report fires_opd "+held, took <= 900*time.Second, true)
			indicators("fire", took <= 900*time.Second, true)
		}
	}
	for name, f := range out { // parts of a whole
		kind, _, _ := strings.Cut(strings.TrimPrefix(name, "report "), "_")
		if strings.HasPrefix(name, "report ") && (kind == "calls" || kind == "tickets") {
			if f.Den = float64(len(calls)); kind == "tickets" {
				f.Den = float64(len(tickets) - merged)
			}
			out[name] = f
		}
	}
	for _, t := range tickets {
		for i := range clocks[t.Key] {
			clock(out, t, &clocks[t.Key][i], now)
		}
	}
	for _, r := range rows {
		if r.Ticket == nil || all[r.Key].Ticket.Test() {
			continue
		}
		for _, c := range r.Ticket.Corrected {
			after := "none"
			if i := slices.IndexFunc(r.Clocks, func(k sla.Clock) bool {
				return k.Name == c.Clock && k.Seq == c.Seq && !k.Void && !k.StartedAt.After(now)
			}); i >= 0 {
				after = r.Clocks[i].State(now)
			}
			add(fmt.Sprintf("corrected %s %s %d %s %d %d %s", c.OPD, c.Clock, c.Seq, c.Scope, c.ReceivedAt.Unix(), c.DueAt.Unix(),
				after), !c.StoppedAt.IsZero(), true)
		}
	}
	for name, f := range out {
		f.Value = f.Num / f.Den
		out[name] = f
	}
	return out
}

// unrecorded says whether nobody records that the ticket of these clocks was acted on, and confirmed.
func unrecorded(clocks []sla.Clock, now time.Time) (unacted, unconfirmed bool) {
	seen := false
	for i := range clocks {
		k := &clocks[i]
		state := k.State(now)
		if k.StartedAt.After(now) || state == sla.Void {
			continue
		}
		switch k.Name {
		case sla.Acknowledge, sla.Arrive, sla.Resolve:
			unacted, seen = unacted || state == sla.Unobserved, seen || state != sla.Unobserved
		}
		switch k.Name {
		case sla.Resolve, sla.Confirm:
			unconfirmed = unconfirmed || state == sla.Unobserved
		}
	}
	return unacted && !seen, unconfirmed
}

// clock counts one clock of a ticket in the views that count clocks.
func clock(out map[string]figure, t *casefile.Ticket, k *sla.Clock, now time.Time) {
	add := func(name string, in, of bool) {
		f := out[name]
		f.Num, f.Den = f.Num+bit(in), f.Den+bit(of)
		out[name] = f
	}
	state := k.State(now)
	if k.StartedAt.After(now) || state == sla.Void {
		return
	}
	scope := cmp.Or(k.Scope, "own")
	add(fmt.Sprintf("report unobserved clock=%s,opd=%s,scope=%s", k.Name, k.OPD, scope), state == sla.Unobserved, true)
	fact := cmp.Or(t.ResolvedAt, t.ClosedAt)
	switch k.Name {
	case sla.Acknowledge:
		fact = cmp.Or(t.AcknowledgedAt, t.DepartedAt, t.ArrivedAt)
	case sla.Arrive:
		fact = t.ArrivedAt
	case sla.Confirm:
		fact = t.ConfirmedAt
	}
	add(fmt.Sprintf("not_recorded %s %s %s %s", k.OPD, scope, k.Name, k.Sources), state == sla.Unobserved, true)
	add(fmt.Sprintf("recorded %s %s %s %s", k.OPD, scope, k.Name, k.Sources), !fact.IsZero(), true)
	decided := state == sla.Met || state == sla.Breached
	if scope != "own" || !decided {
		return
	}
	if k.Name == sla.Acknowledge || k.Name == sla.Resolve {
		add("indicators "+k.Name, state == sla.Met, true)
	}
	if k.Name == sla.Resolve {
		add(fmt.Sprintf("indicator resolve pju inside=%d", int(bit(k.Category == "pju"))), state == sla.Met, true)
	}
}

// callers counts who makes the hoax calls, and whether blocking is safe.
func callers(out map[string]figure, calls []*casefile.Call) {
	type number struct{ keyID, key string }
	hoax, blocked, real := map[number]int{}, map[number]time.Time{}, map[number]time.Time{}
	every, blocks := 0, 0
	for _, c := range calls {
		n := number{c.Caller.KeyID, c.Caller.Key}
		every += int(bit(c.Hoax()))
		if n.key == "" {
			continue
		}
		if c.Hoax() {
			hoax[n]++
		}
		if !c.BlockedAt.IsZero() {
			blocks++
			if first, known := blocked[n]; !known || c.At().Before(first) {
				blocked[n] = c.At()
			}
		}
		if c.Class == "normal" && c.At().After(real[n]) {
			real[n] = c.At()
		}
	}
	for _, id := range []string{"k1", "k2"} {
		var counts []int
		sum := 0
		for n, k := range hoax {
			if n.keyID == id {
				counts, sum = append(counts, k), sum+k
			}
		}
		slices.Sort(counts)
		slices.Reverse(counts)
		top := (len(counts) + 99) / 100
		first := 0
		for _, k := range counts[:top] {
			first += k
		}
		if len(counts) > 0 {
			out["callers "+id] = figure{Num: float64(first), Den: float64(sum)}
			out["callers numbers "+id] = figure{Num: float64(len(counts)), Den: float64(every)}
		}
	}
	safe := 0
	for n, at := range blocked {
		safe += int(bit(real[n].After(at)))
	}
	if len(blocked) > 0 {
		out["blocks"] = figure{Num: float64(safe), Den: float64(len(blocked))}
		out["blocks calls"] = figure{Num: float64(blocks), Den: 1}
	}
}

// hoaxCost adds up what hoax costs.
func hoaxCost(out map[string]figure, calls []*casefile.Call, tickets []*casefile.Ticket, target time.Duration) {
	add := func(measure string, seconds float64, known bool) {
		rests, amount := out["hoax_cost "+measure], out["hoax_cost amount "+measure]
		rests.Num, rests.Den = rests.Num+bit(known), rests.Den+1
		amount.Num, amount.Den = amount.Num+seconds, 1
		out["hoax_cost "+measure], out["hoax_cost amount "+measure] = rests, amount
	}
	palsu := map[string]bool{}
	for _, c := range calls {
		if c.Class == "prank_palsu" {
			for _, id := range c.Tickets {
				palsu[id] = true
			}
		}
		if c.Hoax() {
			talk, known := casefile.Between(c.AnsweredAt, c.EndedAt)
			add("agent", talk.Seconds(), known)
			continue
		}
		if c.OfferedAt().IsZero() || !slices.Contains([]string{"normal", "informasi", "duplikat"}, c.Class) {
			continue
		}
		wait, known := c.AnswerTime()
		held := false
		for _, o := range calls { // a talk on a hoax call that began before the answer, and was not over when the wait began
			talk, talked := casefile.Between(o.AnsweredAt, o.EndedAt)
			held = held || known && o.Hoax() && talked && o.AnsweredAt.Before(c.AnsweredAt) &&
				o.AnsweredAt.Add(talk).After(c.AnsweredAt.Add(-wait))
		}
		add("held", bit(held && wait > target), known)
	}
	for _, t := range tickets {
		if t.State != casefile.Merged && (t.Result == event.ResultPalsu || palsu[t.Key.ID]) {
			took, known := casefile.Between(t.DepartedAt, t.ResolvedAt)
			add("crew", took.Seconds(), known)
		}
	}
}

// sqlMeasures asks the views for the same.
func sqlMeasures(t *testing.T, s *Store, asOf string) map[string]figure {
	t.Helper()
	out := map[string]figure{}
	days := "since = '2026-10-01', until = '2026-11-01'" + asOf
	ask := func(sql string) {
		t.Helper()
		err := s.query(t.Context(), "test", sql, func(scan func(...any) error) error {
			var name string
			var f figure
			if err := scan(&name, &f.Num, &f.Den); err != nil {
				return err
			}
			f.Value = f.Num / f.Den
			if _, twice := out[name]; twice {
				t.Errorf("%s stands twice", name)
			}
			out[name] = f
			return nil
		})
		if err != nil {
			t.Fatalf("%v\nof %s", err, sql)
		}
	}
	const center = ", center = '35.15'"
	ask("SELECT concat('callers ', key_id::String), toFloat64(numerator), toFloat64(n) FROM monev_callers(" + days + center + ")")
	ask("SELECT concat('callers numbers ', key_id::String), toFloat64(numbers), toFloat64(denominator) FROM monev_callers(" +
		days + center + ")")
	ask("SELECT 'blocks', toFloat64(numerator), toFloat64(denominator) FROM monev_blocks(" + days + center + ")")
	ask("SELECT 'blocks calls', toFloat64(calls), 1::Float64 FROM monev_blocks(" + days + center + ")")
	ask("SELECT concat('hoax_cost ', measure), toFloat64(numerator), toFloat64(denominator) FROM monev_hoax_cost(" + days + center +
		", target = 15)")
	ask("SELECT concat('hoax_cost amount ', measure), ifNull(amount, 0), 1::Float64 FROM monev_hoax_cost(" + days + center +
		", target = 15)")
	ask("SELECT concat('not_recorded ', opd, ' ', scope, ' ', clock, ' ', source), toFloat64(unobserved), toFloat64(n) " +
		"FROM monev_not_recorded(" + days + ")")
	ask("SELECT concat('recorded ', opd, ' ', scope, ' ', clock, ' ', source), toFloat64(recorded), toFloat64(n) " +
		"FROM monev_not_recorded(" + days + ")")
	ask("SELECT concat('report ', figure, ' ', dims), numerator, denominator FROM monev_report(" + days + center +
		", target = 15, zone = 'Asia/Jakarta') WHERE NOT startsWith(figure, 'hoax_')")
	ask("SELECT concat('indicators ', indicator), numerator, denominator FROM monev_indicators(" + days + center +
		", target = 15, short = 5) WHERE denominator > 0")
	for _, i := range []string{"rasio_hoaks", "belum", "tidak_terjawab"} {
		ask("SELECT 'indicator " + i + "', toFloat64(numerator), toFloat64(denominator) FROM monev_indicator(" + days + center +
			", indicator = '" + i + "', opd = '', category = '', priority = '', kecamatan = '') WHERE inside")
	}
	ask("SELECT concat('indicator resolve pju inside=', toString(inside)), toFloat64(numerator), toFloat64(denominator) " +
		"FROM monev_indicator(" + days + center + ", indicator = 'resolve', opd = '', category = 'pju', priority = '', " +
		"kecamatan = '') WHERE denominator > 0")
	ask(`SELECT concat('corrected ', opd, ' ', clock, ' ', toString(seq), ' ', scope, ' ', toString(toUnixTimestamp(corrected_at)),
		' ', toString(toUnixTimestamp(due_before)), ' ', state_after) AS name,
		toFloat64(countIf(stopped_before IS NOT NULL)), toFloat64(count()) FROM monev_corrected(` + days + ") GROUP BY name")
	return out
}

// sameMeasures compares both; what is of nothing (0 of 0) need not stand in either.
func sameMeasures(t *testing.T, what string, want, got map[string]figure) {
	t.Helper()
	for _, m := range []map[string]figure{want, got} {
		maps.DeleteFunc(m, func(name string, f figure) bool {
			// A flag says what is known now, and of an acknowledgement before the first assignment no row tells.
			return f.Den == 0 || what != "now" && (strings.Contains(name, "_flag flag=") || name == "report acted opd=,scope=own")
		})
	}
	near := gocmp.Comparer(func(a, b float64) bool {
		return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-3*max(1, math.Abs(a))
	})
	if d := gocmp.Diff(want, got, near); d != "" {
		t.Errorf("%s (-counted +views): %s", what, d)
	}
}
