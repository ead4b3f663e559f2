package main

import (
	"strings"
	"testing"
)

func TestALossIsTheMedianOfPairs(t *testing.T) {
	run := func(rate, seconds float64) []figure {
		return []figure{{"events stored", rate, "/s", true}, {"processor time", seconds, "s", false}}
	}
	for name, c := range map[string]struct {
		pairs []pair
		lost  string // what is named; empty: nothing
	}{
		"the same":                     {[]pair{{run(100, 10), run(100, 10)}}, ""},
		"a tenth less is allowed":      {[]pair{{run(100, 10), run(91, 10.9)}}, ""},
		"a rate that fell":             {[]pair{{run(100, 10), run(80, 10)}}, "events stored: 20 %"},
		"a time that grew":             {[]pair{{run(100, 10), run(100, 12)}}, "processor time: 20 %"},
		"a rate that is nothing now":   {[]pair{{run(100, 10), run(0, 10)}}, "events stored: 100 %"},
		"a time that is nothing now":   {[]pair{{run(100, 10), run(100, 0)}}, "processor time: 100 %"},
		"nothing before":               {[]pair{{run(0, 0), run(100, 10)}}, ""},
		"better":                       {[]pair{{run(100, 10), run(300, 5)}}, ""},
		"a machine that is slow later": {[]pair{{run(100, 10), run(101, 10)}, {run(50, 20), run(49, 20)}}, ""},
		"one pair that was disturbed": {[]pair{
			{run(100, 10), run(100, 10)}, {run(100, 10), run(30, 40)}, {run(99, 10), run(100, 10)},
		}, ""},
		"a loss in most pairs": {[]pair{
			{run(100, 10), run(80, 10)}, {run(100, 10), run(81, 10)}, {run(60, 10), run(100, 10)},
		}, "events stored: 19 %"},
	} {
		var out strings.Builder
		err := report(&out, compare(c.pairs), 0.1)
		switch {
		case c.lost == "" && (err != nil || strings.Contains(out.String(), "LOST")):
			t.Errorf("%s: %v\n%s", name, err, out.String())
		case c.lost != "" && (err == nil || !strings.Contains(err.Error(), c.lost) ||
			strings.Count(out.String(), "LOST") != 1):
			t.Errorf("%s: %v, want %s\n%s", name, err, c.lost, out.String())
		}
	}
}

func TestAComparisonNamesWhatItNeeds(t *testing.T) {
	for args, want := range map[string]string{
		"":                     "give -rev COMMIT",
		"-rev nosuchrev":       "-rev nosuchrev is no commit of this repository",
		"-rev HEAD -pairs 0":   "-pairs from 1 to 100",
		"-rev HEAD -loss 0":    "a -loss above 0",
		"-rev HEAD and others": "give -rev COMMIT",
	} {
		if err := runAgainst(t.Context(), strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}
