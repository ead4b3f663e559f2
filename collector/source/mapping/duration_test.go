package mapping

import (
	"strings"
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0 Hari : 20 Jam : 41 Menit : 56 Detik": 20*time.Hour + 41*time.Minute + 56*time.Second,
		"0 Hari : 0 Jam : 0 Menit : 0 Detik":    0,
		"00:12":                                 12 * time.Second,
		"90:00":                                 90 * time.Minute,
		"01:02:03,5":                            time.Hour + 2*time.Minute + 3500*time.Millisecond,
		"23 jam 13 menit":                       23*time.Hour + 13*time.Minute,
		"1h5m":                                  65 * time.Minute,
		"2 days":                                48 * time.Hour,
		"45":                                    45 * time.Second,
		"1,5 menit":                             90 * time.Second,
		"5 mnt.":                                5 * time.Minute,
	} {
		if ms, ok := parseDuration(text); !ok || time.Duration(ms)*time.Millisecond != want {
			t.Errorf("%q: %d ms, %v; want %s", text, ms, ok, want)
		}
	}
	for _, text := range []string{
		"", "x", "-5", "1 jam 2 jam", "5 lusin", "01:60", "1:2:3:4", "jam", "5 jam 3", "99999999999 hari", ":", "1:", "Waru",
	} {
		if ms, ok := parseDuration(text); ok {
			t.Errorf("%q is %d ms", text, ms)
		}
	}
}

func TestNamedFormats(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"iso", "2026-01-02T03:04:05.1234567+07:00", "2026-01-01T20:04:05.123Z"},
		{"iso", "2026-01-02 03:04:05+07", "2026-01-01T20:04:05Z"},
		{"iso", "2026-01-02 03:04:05 +0700", "2026-01-01T20:04:05Z"},
		{"iso", "2026-01-02t03:04:05,5z", "2026-01-02T03:04:05.5Z"},
		{"iso", "2026-01-02T03:04", "2026-01-02T03:04:00 local"},
		{"iso", "2026-01-02", ""}, {"iso", "2026-13-02T03:04", ""}, {"iso", "2026-01-02x03:04", ""},
		{"unix-ms", "1767225600123", "2026-01-01T00:00:00.123Z"},
		{"day-fraction", "28/02/2023 0,5", "2023-02-28T12:00:00 local"},
		{"day-fraction", "28/02/2023 0.25", "2023-02-28T06:00:00 local"},
		{"day-fraction", "28/02/2023 1", ""}, {"day-fraction", "28/02/2023 12:00", ""},
		{"office-date", "28/02/2023", "2023-02-28T00:00:00 local"},
		{"office-date", "28 Februari 2023 00:00:00", "2023-02-28T00:00:00 local"},
		{"office-date", "28/02/2023 07:30", ""},
	} {
		p, err := compilePattern(c.format)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if st, ok := p.parse(c.text); ok {
			got = time.UnixMilli(st.wall*1000 + st.ms).UTC().Format(time.RFC3339Nano)
			if !st.fixed {
				got = strings.TrimSuffix(got, "Z") + " local"
			}
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.format, c.text, got, c.want)
		}
	}
}
