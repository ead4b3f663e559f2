package main

import (
	"strings"
	"testing"
)

func TestTheWorstRunCounts(t *testing.T) {
	type run struct {
		value float64
		note  string
	}
	for name, c := range map[string]struct {
		unit string
		more bool
		goal float64
		runs []run
		want string // reached, goal, whether it was met, all runs, limit here, note
	}{
		"one run that meets its goal": {"ms", false, 4, []run{{3.5, "a"}}, "3.50 ms|at most 4 ms|met|||a"},
		"exactly the goal is met":     {"MiB", false, 250, []run{{250, "a"}}, "250 MiB|at most 250 MiB|met|||a"},
		"the greatest of what should be small": {"ms", false, 4, []run{{3, "a"}, {5, "b"}, {4, "c"}},
			"5.00 ms|at most 4 ms|MISSED|3.00 ms, 5.00 ms, 4.00 ms||b"},
		"the least of what should be great": {"/s", true, 70_000, []run{{80_000, "a"}, {75_000, "b"}},
			"75,000/s|at least 70000 /s|met|80,000/s, 75,000/s||b"},
		"the first of equals":   {"times", true, 3, []run{{2, "a"}, {2, "b"}}, "2.00 times|at least 3 times|MISSED|2.00 times, 2.00 times||a"},
		"no goal":               {"bytes", false, noGoal, []run{{1189, "a"}}, "1,189 bytes|||||a"},
		"not measured":          {"times", true, 3, []run{{notMeasured, "a"}}, "not measured|at least 3 times||||a"},
		"refused":               {"s", false, 1, []run{{0.5, "a"}, {never, "b"}}, "not reached|at most 1 s|MISSED|0.50 s, not reached||b"},
		"a goal that is naught": {"events", false, 0, []run{{0, "a"}}, "0 events|at most 0 events|met|||a"},
	} {
		var tab table
		for _, r := range c.runs {
			tab.add(figure{"one", r.value, c.unit, c.more}, c.goal, "", r.note)
			tab.add(figure{"another", 1, "s", false}, noGoal, "", "")
		}
		rows := tab.worst()
		if len(rows) != 2 || rows[0].measure != "one" || rows[1].measure != "another" {
			t.Errorf("%s: %+v", name, rows)
			continue
		}
		if got := strings.Join(rows[0].cells()[1:], "|"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheCountryIsMeasuredOnlyWhereItIsNamed(t *testing.T) {
	for args, want := range map[string]string{
		"": "ingest otelcol single visible scrape restart resident memory pager demo import storm wall", "-only report,single": "single report",
	} {
		b, err := parse(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range b.chosen() {
			got = append(got, p.name)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", args, s, want)
		}
	}
	for _, args := range []string{"-only nothing", "-runs 0", "-runs 101", "-events 3", "-calls 5", "more"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%s: taken", args)
		}
	}
}
