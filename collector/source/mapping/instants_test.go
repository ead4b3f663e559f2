package mapping

import (
	"testing"
	"time"
)

// The instants that databases, telephone systems and spreadsheets print, in every usual spelling.
func TestSpellingsOfInstants(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, format := range map[string]string{
		"2026-01-02T10:04:05+0700": "iso", "2026-01-02T10:04:05+07:00": "iso", "2026-01-02 10:04:05+07": "iso",
		"2026-01-02 10:04:05 +0700": "iso", "2026-01-02T03:04:05Z": "iso", "2026-01-02t03:04:05z": "iso",
		"2026-01-02T03:04:05.0000000Z": "iso", "2026-01-02 03:04:05.000+00": "iso", "2026-01-02T03:04:05,0Z": "iso",
		"2026-01-02 03:04:05 UTC": "iso", "2026-01-02 10:04:05 WIB": "iso", "2026-01-02T10:04:05.0000000 +07:00": "iso",
		"2026-01-02 06:34:05+03:30": "iso", "2026-01-01T22:04:05-05": "iso", "2026/01/02 10:04:05+07": "iso",
		"1767323045": "unix", "1767323045.0": "unix", "1767323045000": "unix-ms", "1.767323045E9": "unix",
	} {
		p, err := compilePattern(format)
		if err != nil {
			t.Fatal(err)
		}
		st, ok := p.parse(text)
		if !ok || !st.fixed || st.wall != want.Unix() || st.ms != 0 {
			t.Errorf("%q as %s: %+v, %v", text, format, st, ok)
		}
	}
	iso, _ := compilePattern("iso")
	for text, ms := range map[string]int64{
		"2026-01-02T03:04:05.1234567": 123, "2026-01-02 03:04:05.9": 900, "2026-01-02T03:04": -5000,
	} {
		if st, ok := iso.parse(text); !ok || st.fixed || (st.wall-want.Unix())*1000+st.ms != ms {
			t.Errorf("%q: %+v, %v", text, st, ok)
		}
	}
	for _, text := range []string{"2026-13-02T03:04:05Z", "2026-01-02T03:04:05+99", "2026-01-02T25:04:05", "2026-01-02"} {
		if st, ok := iso.parse(text); ok {
			t.Errorf("%q: %+v", text, st)
		}
	}
}

func TestSpellingsOfDurations(t *testing.T) {
	for text, seconds := range map[string]int64{
		"0 Hari : 20 Jam : 41 Menit : 56 Detik": 74516, "23 jam 13 menit": 83580, "00:12": 12, "01:02:03": 3723,
		"1 Hari 2 Jam": 93600, "0 hari, 0 jam, 0 menit, 4 detik": 4, "20j 41m 56d": 74516, "56d": 0, "1d 2h": 93600, "-5": 0,
		"P": 0, "1h05m": 3900, "45 mnt": 2700,
		"2 menit 5 detik": 125, "90 detik": 90, "90": 90, "90 s": 90, "1,5 jam": 5400, "PT41M56S": 2516, "P1DT2H": 93600,
		"1 day 02:03:04": 93784, "2 days, 1:00:00": 176400, "5'30\"": 330, "41 min 56 sec": 2516, "1:02:03.500": 3723,
	} {
		ms, ok := parseDuration(text)
		if ok != (seconds > 0) || ok && ms/1000 != seconds {
			t.Errorf("%q: %d ms, %v; want %d s", text, ms, ok, seconds)
		}
	}
}
