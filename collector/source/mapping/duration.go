package mapping

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// units are the words behind the numbers of a duration, in seconds.
var units = map[string]float64{
	"hari": 86400, "hr": 86400, "day": 86400, "days": 86400, "d": 86400, "h": 3600, "jam": 3600, "hour": 3600,
	"hours": 3600, "hrs": 3600, "j": 3600, "menit": 60, "mnt": 60, "minute": 60, "minutes": 60, "min": 60, "mins": 60,
	"m": 60, "detik": 1, "dtk": 1, "second": 1, "seconds": 1, "sec": 1, "secs": 1, "s": 1,
}

// parseDuration reads how long something took, in milliseconds: numbers with units in any usual spelling (0 Hari : 20
// Jam : 41 Menit : 56 Detik, 23 jam 13 menit, 1h5m, PT41M56S, 5'30"), clocks (01:02:03; two parts are minutes and
// seconds, 00:12; behind days, 1 day 02:03:04), or seconds alone. A sign or a unit that stands twice is no duration.
func parseDuration(s string) (ms int64, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if iso, ok := strings.CutPrefix(s, "p"); ok { // ISO 8601, P1DT2H3M4.5S
		days, clock, _ := strings.Cut(iso, "t")
		s = strings.Replace(days, "d", "hari ", 1) + clock
	}
	if days, clock, ok := strings.Cut(s, " day"); ok && strings.Contains(clock, ":") { // as Python and PostgreSQL print it
		n, err := strconv.Atoi(days)
		ms, ok := parseDuration(strings.TrimLeft(clock, "s, "))
		return ms + int64(n)*86_400_000, ok && err == nil && n >= 0 && n < 3650 && strings.Count(clock, ":") == 2
	}
	if strings.HasSuffix(s, `"`) {
		s = strings.NewReplacer("'", "m ", `"`, "s").Replace(s)
	}
	if parts := strings.Split(s, ":"); (len(parts) == 2 || len(parts) == 3) && allClock(parts) {
		total := 0.0
		for i, part := range parts {
			n, ok := number(part)
			if !ok || i > 0 && n >= 60 {
				return 0, false
			}
			total = total*60 + n
		}
		return inMS(total)
	}
	total, seen, numbers := 0.0, map[float64]bool{}, 0
	for rest := s; ; numbers++ {
		rest = strings.TrimLeft(rest, " :,;")
		if rest == "" {
			break
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' && r != ',' })
		if end < 0 {
			end = len(rest)
		}
		n, ok := number(strings.TrimRight(rest[:end], ".,"))
		rest = strings.TrimLeft(rest[end:], " ")
		word := rest[:len(rest)-len(strings.TrimLeftFunc(rest, unicode.IsLetter))]
		rest = strings.TrimPrefix(rest[len(word):], ".")
		unit := units[word]
		switch {
		case word == "" && numbers == 0 && rest == "":
			unit = 1
		case word == "d" && (seen[60] || seen[3600]): // detik
			unit = 1
		case word == "d" && numbers == 0 && rest == "": // hari or detik
			return 0, false
		}
		if !ok || unit == 0 || seen[unit] {
			return 0, false
		}
		seen[unit] = true
		total += n * unit
	}
	if numbers == 0 {
		return 0, false
	}
	return inMS(total)
}

// numberDuration reads a number of a workbook, in milliseconds: with a fraction it is days, as a workbook holds what it
// shows as [h]:mm:ss; a whole number is seconds. One of many days with a fraction is neither for certain.
func numberDuration(s string) (ms int64, ok bool) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != math.Trunc(v) && v >= 1000 {
		return 0, false
	}
	if v != math.Trunc(v) {
		v *= 86400
	}
	return inMS(v)
}

// allClock reports whether every part is digits, the last perhaps with a fraction.
func allClock(parts []string) bool {
	for i, p := range parts {
		if i == len(parts)-1 {
			p = strings.Replace(strings.Replace(p, ",", ".", 1), ".", "", 1)
		}
		if !allDigits(strings.TrimSpace(p)) || p != strings.TrimSpace(p) {
			return false
		}
	}
	return true
}

func inMS(seconds float64) (int64, bool) {
	if seconds < 0 || seconds > 10*365*86400 {
		return 0, false
	}
	return int64(math.Round(seconds * 1000)), true
}
