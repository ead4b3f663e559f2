package sla

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// locale is the language and the time zone of an explanation.
type locale struct {
	english bool
	zone    *time.Location
}

var (
	weekdaysID = [7]string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"}
	monthsID   = [12]string{
		"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
		"Desember",
	}
)

// say picks the sentence of the language.
func (g locale) say(id, en string, args ...any) string { return fmt.Sprintf(g.pick(id, en), args...) }

// pick chooses the name of the language.
func (g locale) pick(id, en string) string {
	if g.english {
		return en
	}
	return id
}

// date renders a local day: Jumat 13 Maret 2026.
func (g locale) date(day int32) string {
	y, m, d := dateOf(day)
	if g.english {
		return fmt.Sprintf("%s %d %s %d", weekday(day), d, m, y)
	}
	return fmt.Sprintf("%s %d %s %d", weekdaysID[weekday(day)], d, monthsID[m-1], y)
}

func (g locale) dayOf(ms int64) int32 {
	_, off := time.UnixMilli(ms).In(g.zone).Zone()
	return dayOf(ms + int64(off)*1000)
}

// clock renders a time of day: 15.00, or 15.00.30 where there are seconds.
func (g locale) clock(ms int64) string {
	layout := "15.04"
	if ms%60000 != 0 {
		layout = "15.04.05"
	}
	if ms%1000 != 0 {
		layout = "15.04.05.000"
	}
	s := time.UnixMilli(ms).In(g.zone).Format(layout)
	if g.english {
		return strings.Replace(strings.Replace(s, ".", ":", 1), ".", ":", strings.Count(layout, "05"))
	}
	return s
}

// instant renders a date, a time and the zone.
func (g locale) instant(ms int64) string {
	return g.date(g.dayOf(ms)) + " " + g.clock(ms) + " " + time.UnixMilli(ms).In(g.zone).Format("MST")
}

// between renders an interval; the date is said once within a day. The end of a day is 24.00.
func (g locale) between(from, to int64) string {
	if g.dayOf(from) == g.dayOf(to-1) {
		end := g.clock(to)
		if g.dayOf(to) != g.dayOf(from) {
			end = g.say("24.00", "24:00")
		}
		return g.date(g.dayOf(from)) + " " + g.clock(from) + "–" + end + " " + time.UnixMilli(from).In(g.zone).Format("MST")
	}
	return g.instant(from) + " – " + g.instant(to)
}

// number renders a whole number with its thousands apart.
func (g locale) number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sep := "."
	if g.english {
		sep = ","
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

// seconds renders milliseconds as seconds, exactly.
func (g locale) seconds(ms int64) string {
	s := g.number(ms / 1000)
	if frac := ms % 1000; frac != 0 {
		s += g.say(",%s", ".%s", strings.TrimRight(fmt.Sprintf("%03d", frac), "0"))
	}
	return s + g.say(" detik", " seconds")
}

func (g locale) percent(ratio float64) string {
	s := strconv.FormatFloat(ratio*100, 'f', 1, 64)
	if !g.english {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " %"
}

// length renders a duration by its two largest units.
func (g locale) length(ms int64) string {
	units := []struct {
		ms     int64
		id, en string
	}{{dayMS, "hari", "d"}, {3600000, "jam", "h"}, {60000, "menit", "min"}, {1000, "detik", "s"}}
	var parts []string
	for i, u := range units {
		if n := ms / u.ms; n > 0 {
			parts = append(parts, g.say("%s "+u.id, "%s "+u.en, g.number(n)))
			ms -= n * u.ms
		}
		if len(parts) == 2 || len(parts) == 1 && i > 0 && ms < 1000 {
			break
		}
	}
	if len(parts) == 0 {
		return g.say("kurang dari 1 detik", "less than 1 s")
	}
	return strings.Join(parts, " ")
}

func (g locale) clockName(name string) string {
	switch name {
	case Answer:
		return g.say("Waktu jawab", "Time to answer")
	case Acknowledge:
		return g.say("Terima OPD", "Acknowledgement by the OPD")
	case Arrive:
		return g.say("Tiba di lokasi", "Arrival on the scene")
	case Resolve:
		return g.say("Penyelesaian pertama", "First resolution")
	case ResolveTotal:
		return g.say("Penyelesaian akhir", "Latest resolution")
	case Confirm:
		return g.say("Konfirmasi pelapor", "Confirmation by the caller")
	case Given:
		return g.say("Batas waktu dari sumber", "Due time stated by the source")
	}
	return name
}

func (g locale) target(l *Line) string {
	switch l.Kind {
	case Days:
		if l.TargetDays == 1 {
			return g.say("1 hari kerja", "1 working day")
		}
		return g.say("%s hari kerja", "%s working days", g.number(int64(l.TargetDays)))
	case Hours:
		return g.say("%s jam buka", "%s of open hours", g.length(l.Target.Milliseconds()))
	}
	return g.say("%s, 24 jam sehari", "%s, around the clock", g.length(l.Target.Milliseconds()))
}

func (g locale) reason(code string) string {
	if one, more, several := strings.Cut(code, "+"); several {
		return g.reason(one) + g.say(" dan ", " and ") + g.reason(more)
	}
	if g.english {
		switch code {
		case "menunggu_pelapor":
			return "waiting for the reporter"
		case "menunggu_pihak_lain":
			return "waiting for another party"
		case "cuaca":
			return "weather"
		case "menunggu_material":
			return "waiting for material"
		case "":
			return "no reason given"
		}
	}
	if code == "" {
		return "tanpa alasan"
	}
	return strings.ReplaceAll(code, "_", " ")
}

func (g locale) state(s string) string {
	switch s {
	case Running:
		return g.say("berjalan", "running")
	case Paused:
		return g.say("ditunda", "paused")
	case Met:
		return g.say("tepat waktu", "on time")
	case Breached:
		return g.say("terlambat", "late")
	case Unobserved:
		return g.say("tidak tercatat", "not recorded")
	}
	return g.say("tidak dihitung", "does not count")
}
