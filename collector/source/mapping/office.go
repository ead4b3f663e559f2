package mapping

import (
	"math"
	"strings"
	"time"
)

// The format "office" reads a date and a time as Indonesian offices write them, day first:
//
//	27/02/2023 07.30   27-2-23 7:30:15   2023-02-27T07:30   27 Februari 2023 07.30   Senin, 27 Peb 2023 pukul 07.30 WIB
//
// A day name must fit the date. Years of two digits are 2000 to 2099. The time of day has hours of one or two digits,
// minutes of two, a point or a colon between them, and may say AM or PM, or the zone: WIB, WITA, WIT.

// dayNames holds the Indonesian and English names of the days, Sunday 0.
var dayNames = map[string]int{
	"minggu": 0, "ahad": 0, "min": 0, "mgg": 0, "sunday": 0, "sun": 0, "senin": 1, "sen": 1, "snn": 1, "monday": 1,
	"mon": 1, "selasa": 2, "sel": 2, "sls": 2, "tuesday": 2, "tue": 2, "rabu": 3, "rab": 3, "rbu": 3, "wednesday": 3,
	"wed": 3, "kamis": 4, "kam": 4, "kms": 4, "thursday": 4, "thu": 4, "jumat": 5, "jum'at": 5, "jum": 5, "jmt": 5,
	"friday": 5, "fri": 5, "sabtu": 6, "sab": 6, "sbt": 6, "saturday": 6, "sat": 6,
}

// parseOffice reads s, all of it: a date, and behind it what kind says. fault says what is wrong with a text that has
// the right form.
func parseOffice(s string, kind patternKind) (st stamp, fault string, ok bool) {
	p := officeText{rest: strings.ToLower(strings.ReplaceAll(s, "’", "'"))}
	weekday := -1
	if word := p.word(); word != "" {
		known := false
		weekday, known = dayNames[word]
		if !known {
			return st, "", false
		}
		p.skip(" ,")
	}
	year, month, date, ok := p.date()
	if !ok {
		return st, "", false
	}
	midnight, exists := day(year, month, date)
	if !exists {
		return st, "there is no such day (days come before months)", false
	}
	if weekday >= 0 && int(time.Unix(midnight, 0).UTC().Weekday()) != weekday {
		return st, "the name of the day does not fit the date", false
	}
	p.skip(" ,t-")
	switch kind {
	case officeDate:
		return stamp{wall: midnight}, "", strings.Trim(p.rest, "0:. ") == "" // exporters write 00:00:00 behind it
	case dayFraction:
		part, ok := number(p.rest)
		return stamp{wall: midnight + int64(math.Round(part*86400))}, "", ok && part >= 0 && part < 1
	}
	switch word := p.word(); word {
	case "", "pukul", "pkl", "jam":
		p.skip(" .:")
	default:
		return st, "", false
	}
	seconds, zone, ok := p.clock()
	if !ok {
		return st, "", false
	}
	return stamp{wall: midnight + int64(seconds), zone: zone}, "", true
}

// officeText is what is left of a text in lower case.
type officeText struct{ rest string }

func (p *officeText) skip(chars string) { p.rest = strings.TrimLeft(p.rest, chars) }

func (p *officeText) word() string {
	i := 0
	for i < len(p.rest) && (p.rest[i] >= 'a' && p.rest[i] <= 'z' || i > 0 && p.rest[i] == '\'') {
		i++
	}
	w := p.rest[:i]
	p.rest = p.rest[i:]
	return w
}

func (p *officeText) number(most int) (n, digits int) {
	for digits < len(p.rest) && digits < most && p.rest[digits] >= '0' && p.rest[digits] <= '9' {
		n = n*10 + int(p.rest[digits]-'0')
		digits++
	}
	p.rest = p.rest[digits:]
	return n, digits
}

func (p *officeText) take(chars string) byte {
	if p.rest == "" || strings.IndexByte(chars, p.rest[0]) < 0 {
		return 0
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

func (p *officeText) date() (year, month, day int, ok bool) {
	first, n := p.number(4)
	if n == 4 { // the year first
		sep := p.take("-/.")
		month, n = p.number(2)
		if sep == 0 || n == 0 || p.take(string(sep)) == 0 {
			return 0, 0, 0, false
		}
		day, n = p.number(2)
		return first, month, day, n > 0
	}
	if n < 1 || n > 2 {
		return 0, 0, 0, false
	}
	day = first
	sep := p.take("-/. ")
	if sep == 0 {
		return 0, 0, 0, false
	}
	p.skip(" ")
	if name := p.word(); name != "" {
		m, known := months[name]
		if !known {
			return 0, 0, 0, false
		}
		month = m
		p.skip(" .-/,")
	} else {
		month, n = p.number(2)
		if sep == ' ' || n == 0 || p.take(string(sep)) == 0 {
			return 0, 0, 0, false
		}
	}
	year, n = p.number(4)
	switch n {
	case 2:
		year += 2000
	case 4:
	default:
		return 0, 0, 0, false
	}
	return year, month, day, true
}

// clock reads the time of day to the end of the text, and the zone that it names.
func (p *officeText) clock() (seconds int, zone int64, ok bool) {
	hour, n := p.number(2)
	sep := p.take(".:")
	if n == 0 || sep == 0 {
		return 0, 0, false
	}
	minute, n := p.number(2)
	if n != 2 {
		return 0, 0, false
	}
	second := 0
	if p.take(string(sep)) != 0 {
		if second, n = p.number(2); n != 2 {
			return 0, 0, false
		}
		if p.take(".,") != 0 { // a fraction of a second is cut
			if _, n = p.number(9); n == 0 {
				return 0, 0, false
			}
		}
	}
	p.skip(" ")
	switch word := p.word(); word {
	case "":
	case "wib", "wita", "wit":
		zone = int64(zoneNames[word]) * 3600
	case "am", "pm":
		if hour < 1 || hour > 12 {
			return 0, 0, false
		}
		hour %= 12
		if word == "pm" {
			hour += 12
		}
	default:
		return 0, 0, false
	}
	p.skip(" .")
	return hour*3600 + minute*60 + second, zone, p.rest == "" && hour <= 23 && minute <= 59 && second <= 59
}
