package sla

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a calendar.
const (
	MaxWindowsPerDay = 8
	MaxDaysOff       = 2000
	MaxRanges        = 200
)

// readCalendar reads a calendar file. The calendar is nil when a problem was noted.
func (r *reader) readCalendar(root node) *Calendar {
	m := root.fields("calendar", "version", "zone", "valid_from", "covered_until", "weekly", "ranges", "holidays",
		"joint_leave", "special")
	c := &Calendar{File: r.file, off: map[int32]DayOff{}, special: map[int32]specialDay{}}
	c.Name, _ = root.require(m, "calendar", "name the calendar, for example id-sidoarjo").name()
	c.Version, _ = root.require(m, "version", "count it up whenever the file changes, for example 2026.1").name()
	c.id = c.Name + "/" + c.Version
	if zone, ok := root.require(m, "zone", "name an IANA zone, for example Asia/Jakarta").text(); ok {
		z, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			m["zone"].bad(fmt.Sprintf("%q is not a time zone", clip(zone)), "name an IANA zone, for example Asia/Jakarta")
		} else {
			c.zone = z
		}
	}
	from, okFrom := root.require(m, "valid_from", "give the first day that the list of days off covers").date()
	until, okUntil := root.require(m, "covered_until", "give the last day whose holidays are decreed").date()
	if okFrom && okUntil && until < from {
		m["covered_until"].bad("lies before valid_from", "give a later day")
	}
	c.validFrom, c.coveredUntil = from, until
	c.readWeekly(root.require(m, "weekly", "give the usual windows of the week"))
	c.readRanges(m["ranges"])
	c.readDaysOff(m["holidays"], false)
	c.readDaysOff(m["joint_leave"], true)
	c.readSpecial(m["special"])
	if len(r.problems) > 0 {
		return nil
	}
	c.build()
	return c
}

// name returns a code: letters, digits, dots, underscores and dashes.
func (n node) name() (string, bool) {
	s, ok := n.text()
	if ok && (len(s) > 64 || strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	})) {
		n.bad(fmt.Sprintf("%q is not a name", clip(s)), "use up to 64 letters, digits, dots, underscores and dashes")
		return "", false
	}
	return s, ok
}

func (c *Calendar) readWeekly(n node) {
	for _, item := range n.items() {
		m := item.fields("from", "windows")
		w := weekPattern{line: item.line}
		w.from, _ = item.require(m, "from", "give the first day of this pattern").date()
		w.week = item.require(m, "windows", "give the windows of the weekdays, for example mon-thu: [07:30-16:00]").week()
		if k := len(c.weekly); k > 0 && c.weekly[k-1].from >= w.from {
			item.bad(fmt.Sprintf("begins no later than the pattern at line %d", c.weekly[k-1].line),
				"put the patterns in order of their first day")
		}
		c.weekly = append(c.weekly, w)
	}
	if n.ok() && len(c.weekly) == 0 {
		n.bad("holds no pattern", "give the usual windows of the week")
	}
}

func (c *Calendar) readRanges(n node) {
	for _, item := range n.items() {
		m := item.fields("name", "en", "from", "until", "windows")
		d := dayRange{line: item.line}
		d.name, _ = item.require(m, "name", "name the range, for example Ramadan 1447 H").text()
		d.nameEn = d.name
		if s, ok := m["en"].text(); ok {
			d.nameEn = s
		}
		d.from, _ = item.require(m, "from", "give its first day").date()
		d.until, _ = item.require(m, "until", "give its last day").date()
		d.week = item.require(m, "windows", "give the windows of the weekdays within it").week()
		if d.until < d.from {
			item.bad("until lies before from", "give a later last day")
		}
		for _, o := range c.ranges {
			if d.from <= o.until && o.from <= d.until {
				item.bad(fmt.Sprintf("overlaps the range at line %d", o.line), "let each day lie in one range only")
			}
		}
		c.ranges = append(c.ranges, d)
		if len(c.ranges) > MaxRanges {
			item.bad(fmt.Sprintf("more than %d ranges", MaxRanges), "remove old ones or split the calendar")
			return
		}
	}
}

func (c *Calendar) readDaysOff(n node, joint bool) {
	for _, item := range n.items() {
		m := item.fields("date", "name", "en", "decree")
		d := DayOff{Joint: joint}
		d.Name, _ = item.require(m, "name", "name the day as the decree does").text()
		d.NameEn = d.Name
		if s, ok := m["en"].text(); ok {
			d.NameEn = s
		}
		d.Decree, _ = item.require(m, "decree", "give the decree that makes it a day off, or local: and who decided").text()
		day, ok := item.require(m, "date", "give the day as 2026-12-31").date()
		if !ok {
			continue
		}
		if o, twice := c.off[day]; twice {
			item.bad(fmt.Sprintf("%s is a day off already: %s", dayText(day), clip(o.Name)), "keep one of the two")
		}
		c.coverDay(item, day)
		c.off[day] = d
		if len(c.off) > MaxDaysOff {
			item.bad(fmt.Sprintf("more than %d days off", MaxDaysOff), "remove old ones or split the calendar")
			return
		}
	}
}

func (c *Calendar) readSpecial(n node) {
	for _, item := range n.items() {
		m := item.fields("date", "name", "en", "windows")
		var s specialDay
		s.name, _ = item.require(m, "name", "say why the day is special").text()
		s.nameEn = s.name
		if en, ok := m["en"].text(); ok {
			s.nameEn = en
		}
		s.windows = item.require(m, "windows", "give its windows, for example [07:30-12:00]").windows()
		day, ok := item.require(m, "date", "give the day as 2026-12-31").date()
		if !ok {
			continue
		}
		if _, twice := c.special[day]; twice {
			item.bad(dayText(day)+" is a special day already", "keep one of the two")
		}
		if o, off := c.off[day]; off {
			item.bad(fmt.Sprintf("%s is a day off: %s", dayText(day), clip(o.Name)),
				"keep it as a day off or as a special day, not both")
		}
		c.coverDay(item, day)
		c.special[day] = s
	}
}

// coverDay refuses a day outside the calendar's own bounds: most often a mistyped year.
func (c *Calendar) coverDay(n node, day int32) {
	if c.validFrom != 0 && c.coveredUntil != 0 && (day < c.validFrom || day > c.coveredUntil) {
		n.bad(fmt.Sprintf("%s lies outside valid_from %s to covered_until %s", dayText(day), dayText(c.validFrom),
			dayText(c.coveredUntil)),
			"correct the date, or extend the bounds once the whole year is decreed")
	}
}

var weekdayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// week reads windows by weekday: a day (fri), or a run of days (mon-thu). A weekday that is not named is closed.
func (n node) week() week {
	var w week
	named := [7]bool{}
	entries := n.entries()
	for _, e := range entries {
		first, last, run := strings.Cut(e.key, "-")
		a, b := slices.Index(weekdayNames[:], first), slices.Index(weekdayNames[:], last)
		if !run {
			b = a
		}
		if a < 0 || b < 0 {
			e.value.bad("is not a weekday or a run of weekdays", "write sun, mon, tue, wed, thu, fri, sat or a run as mon-thu")
			continue
		}
		ws := e.value.windows()
		for d := a; ; d = (d + 1) % 7 {
			if named[d] {
				e.value.bad(weekdayNames[d]+" is named twice", "name each weekday once")
			}
			named[d], w[d] = true, ws
			if d == b {
				break
			}
		}
	}
	if n.ok() && len(entries) == 0 && len(n.r.problems) == 0 {
		n.bad("names no weekday", "give at least one, for example mon-thu: [07:30-16:00]")
	}
	return w
}

// windows reads a list of windows of one day, in order and disjoint.
func (n node) windows() []wallWindow {
	var out []wallWindow
	items := n.items()
	for _, item := range items {
		s, ok := item.text()
		if !ok {
			continue
		}
		a, b, cut := strings.Cut(s, "-")
		open, okA := wallMinutes(a)
		close, okB := wallMinutes(b)
		if !cut || !okA || !okB {
			item.bad(fmt.Sprintf("%q is not a window", clip(s)), "write it as 07:30-16:00; midnight at the end is 24:00")
			continue
		}
		if close <= open {
			item.bad(fmt.Sprintf("the window %s ends before it begins", clip(s)),
				"write a window over midnight as two: 22:00-24:00 and, on the next day, 00:00-06:00")
			continue
		}
		if k := len(out); k > 0 && open < out[k-1].close {
			item.bad(fmt.Sprintf("the window %s overlaps the one before it", clip(s)),
				"put the windows in order, one after the other")
			continue
		}
		out = append(out, wallWindow{open, close})
	}
	if n.ok() && len(items) == 0 && len(n.r.problems) == 0 {
		n.bad("holds no window", "give one, or leave the day out to keep it closed")
	}
	if len(out) > MaxWindowsPerDay {
		n.bad(fmt.Sprintf("%d windows in a day, more than %d", len(out), MaxWindowsPerDay), "unite some of them")
	}
	return out
}

func wallMinutes(s string) (int32, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) != 2 || len(m) != 2 {
		return 0, false
	}
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	if cmp.Or(err1, err2) != nil || minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return int32(hour*60 + minute), true
}
