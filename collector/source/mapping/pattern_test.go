package mapping

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct{ pattern, in, want string }{ // want is empty for a refusal
		{"dd/MM/yyyy HH:mm:ss", "05/03/2026 07:30:00", "2026-03-05 07:30:00"},
		{"dd/MM/yyyy HH:mm:ss", "5/3/2026 07:30:00", ""},
		{"d/M/yyyy H.mm", "5/3/2026 7.30", "2026-03-05 07:30:00"},
		{"d/M/yyyy H.mm", "15/12/2026 17.30", "2026-12-15 17:30:00"},
		{"d/M/yyyy H.mm", "15/13/2026 17.30", ""},
		{"d/M/yyyy H.mm", "31/4/2026 17.30", ""},
		{"d/M/yyyy H.mm", "29/2/2024 17.30", "2024-02-29 17:30:00"},
		{"d/M/yyyy H.mm", "29/2/2026 17.30", ""},
		{"d/M/yyyy H.mm", "0/2/2026 17.30", ""},
		{"d/M/yyyy H.mm", "1/2/2026 24.00", ""},
		{"d/M/yyyy H.mm", "1/2/2026 7.30 ", ""},
		{"d/M/yyyy H.mm", "1/2/2026 7.3", ""},
		{"MM/dd/yyyy hh:mm:ss a", "01/10/2009 12:00:01 AM", "2009-01-10 00:00:01"},
		{"MM/dd/yyyy hh:mm:ss a", "01/10/2009 12:00:01 pm", "2009-01-10 12:00:01"},
		{"MM/dd/yyyy hh:mm:ss a", "01/10/2009 11:59:59 PM", "2009-01-10 23:59:59"},
		{"MM/dd/yyyy hh:mm:ss a", "01/10/2009 00:59:59 PM", ""},
		{"MM/dd/yyyy hh:mm:ss a", "01/10/2009 13:59:59 PM", ""},
		{"d MMM yyyy H.mm", "5 Maret 2026 7.30", "2026-03-05 07:30:00"},
		{"d MMM yyyy H.mm", "17 Agustus 2026 7.30", "2026-08-17 07:30:00"},
		{"d MMM yyyy H.mm", "17 AGT 2026 7.30", "2026-08-17 07:30:00"},
		{"d MMM yyyy H.mm", "1 Mei 2026 7.30", "2026-05-01 07:30:00"},
		{"d MMM yyyy H.mm", "1 Desember 2026 7.30", "2026-12-01 07:30:00"},
		{"d MMM yyyy H.mm", "1 Pasar 2026 7.30", ""},
		{"d MMM yy HH:mm 'WIB'", "1 Jan 26 07:30 WIB", "2026-01-01 07:30:00"},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-01T07:30:00.125+07:00", "2026-01-01 00:30:00.125"},
		{"yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-01T07:30:00Z", "2026-01-01 07:30:00"},
		{"yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-01T07:30:00-0330", "2026-01-01 11:00:00"},
		{"yyyy-MM-dd'T'HH:mm:ssXXX", "2026-01-01T07:30:00+7", ""},
		{"unix", "1700000000.125", "2023-11-14 22:13:20.125"},
		{"unix", "1e300", ""},
		{"unix", "NaN", ""},
		{"excel", "46086.3125", "2026-03-05 07:30:00"},
		{"excel", "46086,3125", "2026-03-05 07:30:00"},
		{"excel", "59", ""},
		{"yyyyMMddHHmmss", "20260305073000", "2026-03-05 07:30:00"},
		{"dd/MM/yyyy HH:mm", "", ""},
		{"dd/MM/yyyy HH:mm", "٠٥/03/2026 07:30", ""},
	} {
		p, err := compilePattern(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		got := ""
		if st, ok := p.parse(c.in); ok {
			got = time.UnixMilli(st.wall*1000 + st.ms).UTC().Format("2006-01-02 15:04:05.999")
		}
		if got != c.want {
			t.Errorf("%q read as %q: got %q, want %q", c.in, c.pattern, got, c.want)
		}
	}
}

func TestPatternRefusesWhatIsNoTime(t *testing.T) {
	for pattern, want := range map[string]string{
		"dd/mm/yyyy HH:mm":       "stands twice",
		"dd/MM HH:mm":            "no full date",
		"dd/MM/yyyy":             "no hour",
		"dd/MM/yyyy hh:mm":       "go together",
		"dd/MM/yyyy HH:mm a":     "go together",
		"dd/MM/yyyy HH:ss":       "without the coarser",
		"ddd/MM/yyyy HH:mm":      "no part",
		"dd/MM/yyyy HH:mm Q":     "no part",
		"dd/MM/yyyy HH:mm 'WIB":  "not closed",
		"dd/MM/yyyy hh:mm HH a":  "exclude",
		"dd/MM/yyyy yyyy HH:mm":  "stands twice",
		"dd/MM/yyyyy HH:mm":      "no part",
		"%d/%m/%Y %H:%M":         "no part",
		"02/01/2006 15:04:05":    "no full date",
		"dd/MM/yyyy HH:mm:ss.SS": "no part",
	} {
		if _, err := compilePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", pattern, err, want)
		}
	}
}

// Whatever the standard library formats is read back as the same time.
func TestPatternReadsWhatTimeFormats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "unix"), 0).UTC()
		p, err := compilePattern("MM/dd/yyyy hh:mm:ss a")
		if err != nil {
			t.Fatal(err)
		}
		st, ok := p.parse(at.Format("01/02/2006 03:04:05 PM"))
		if !ok || st.wall != at.Unix() {
			t.Fatalf("%v was read as %v, %v", at, time.Unix(st.wall, 0).UTC(), ok)
		}
	})
}

func TestAppendTimeWritesWhatTimeFormats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(earliestMS, latestMS-1).Draw(t, "ms")
		if rapid.Bool().Draw(t, "whole") {
			ms -= ms % 1000
		}
		layout := "2006-01-02T15:04:05Z"
		if ms%1000 != 0 {
			layout = "2006-01-02T15:04:05.000Z"
		}
		if got, want := string(appendTime(nil, ms)), time.UnixMilli(ms).UTC().Format(layout); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("dd/MM/yyyy HH:mm", "05/03/2026 07:30")
	f.Add("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-01T07:30:00.125+07:00")
	f.Add("d MMM yy h.mm a", "1 Mei 26 7.30 PM")
	f.Add("excel", "46086.3125")
	f.Fuzz(func(t *testing.T, pattern, in string) {
		p, err := compilePattern(pattern)
		if err != nil {
			return
		}
		if st, ok := p.parse(in); ok && (st.ms < 0 || st.ms > 999 || st.wall < -1<<40 || st.wall > 1<<40) {
			t.Errorf("%q as %q is %v", in, pattern, st)
		}
	})
}

func wall(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

func TestZone(t *testing.T) {
	for _, c := range []struct{ zone, local, first, second string }{ // second is empty for a time that is not ambiguous
		{"Asia/Jakarta", "2026-03-05 07:30:00", "2026-03-05 00:30:00", ""},
		{"America/New_York", "2015-01-01 12:00:00", "2015-01-01 17:00:00", ""},
		{"America/New_York", "2015-07-01 12:00:00", "2015-07-01 16:00:00", ""},
		{"America/New_York", "2015-11-01 00:59:59", "2015-11-01 04:59:59", ""},
		{"America/New_York", "2015-11-01 01:00:00", "2015-11-01 05:00:00", "2015-11-01 06:00:00"},
		{"America/New_York", "2015-11-01 01:59:59", "2015-11-01 05:59:59", "2015-11-01 06:59:59"},
		{"America/New_York", "2015-11-01 02:00:00", "2015-11-01 07:00:00", ""},
		{"America/New_York", "2015-03-08 01:59:59", "2015-03-08 06:59:59", ""},
		{"America/New_York", "2015-03-08 02:00:00", "2015-03-08 07:00:00", "gap"},
		{"America/New_York", "2015-03-08 02:59:59", "2015-03-08 07:59:59", "gap"},
		{"America/New_York", "2015-03-08 03:00:00", "2015-03-08 07:00:00", ""},
		{"America/Mexico_City", "2020-08-01 12:00:00", "2020-08-01 17:00:00", ""},
		{"America/Mexico_City", "2024-08-01 12:00:00", "2024-08-01 18:00:00", ""}, // summer time was given up in 2022
		{"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00", "gap"},     // a day that was skipped
		{"Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04 14:45:00", "2026-04-04 15:15:00"},
	} {
		z := zone{loc: location(t, c.zone)}
		// A remembered offset must not reach over a change: ask for times around first.
		for _, days := range []int64{-200, -2, -1, 0, 1, 2, 200, 0} {
			z.resolve(wall(t, c.local) + days*86400)
		}
		got := z.resolve(wall(t, c.local))
		second := ""
		switch {
		case got.gap:
			second = "gap"
		case got.first != got.second:
			second = time.Unix(got.second, 0).UTC().Format("2006-01-02 15:04:05")
		}
		if first := time.Unix(got.first, 0).UTC().Format("2006-01-02 15:04:05"); first != c.first || second != c.second {
			t.Errorf("%s %s: got %s, %q; want %s, %q", c.zone, c.local, first, second, c.first, c.second)
		}
	}
}

// Every instant is among the readings of its own local time, whatever was asked before.
func TestZoneFindsEveryInstant(t *testing.T) {
	zones := []string{
		"Asia/Jakarta", "America/New_York", "America/Los_Angeles", "America/Mexico_City", "Australia/Lord_Howe",
		"Africa/Casablanca", "Pacific/Apia",
	}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		z := zone{loc: loc}
		at := rapid.Int64Range(946684800, 1893456000).Draw(t, "from")
		for _, step := range rapid.SliceOfN(rapid.Int64Range(-400*86400, 400*86400), 1, 20).Draw(t, "steps") {
			at += step
			if _, end := time.Unix(at, 0).In(loc).ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "near a change") {
				at = end.Unix() + step%7200
			}
			_, offset := time.Unix(at, 0).In(loc).Zone()
			got := z.resolve(at + int64(offset))
			if got.gap || got.first != at && got.second != at {
				t.Fatalf("%s: %v reads as %+v", loc, time.Unix(at, 0).In(loc), got)
			}
		}
	})
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}
