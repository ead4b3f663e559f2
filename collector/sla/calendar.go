package sla

import (
	"time"
)

// Calendar says when a centre's offices are open: weekly windows in the wall-clock time of its zone, ranges of days
// with windows of their own (Ramadan), days off and special days. It knows the years 2000 to 2100 and is immutable.
//
// An instant is open when its wall-clock time lies in a window of its date, the opening included, the closing not. So
// an hour that daylight saving skips is not open, one that it repeats is open twice, and durations are real time.
type Calendar struct {
	Name         string
	Version      string
	File         string
	zone         *time.Location
	id           string // Name/Version
	validFrom    int32  // day
	coveredUntil int32  // day, the last one covered
	off          map[int32]DayOff
	special      map[int32]specialDay
	ranges       []dayRange
	weekly       []weekPattern

	spans       []span  // open intervals in order, disjoint; spans of one day that touch are one
	spanFrom    []int32 // by UTC day since firstDay: the first span that closes after the day's start
	closings    []closing
	closingFrom []int32 // by local day since firstDay: the first closing on or after that day
	total       int64   // open milliseconds of all spans
	openStep    int64   // what spanOpen counts in, milliseconds
	// by open milliseconds before an instant, in steps: the last span that begins with fewer or as many
	spanOpen []int32
}

// The days that a calendar knows, counted from 1970-01-01.
const (
	firstDay int32 = 10957 // 2000-01-01
	lastDay  int32 = 47846 // 2100-12-31
	dayMS          = 24 * 60 * 60 * 1000
)

// DayOff is a day on which the offices do not open, though the weekly pattern says so.
type DayOff struct {
	Name   string // Indonesian
	NameEn string
	Joint  bool // cuti bersama, joint leave; else a public holiday
	Decree string
}

type specialDay struct {
	name, nameEn string
	windows      []wallWindow
}

// dayRange is a run of days with windows of their own.
type dayRange struct {
	name, nameEn string
	from, until  int32 // until included
	week         week
}

// weekPattern is the usual week from a day on.
type weekPattern struct {
	from int32
	week week
}

// week holds the windows of each weekday, Sunday first as in time.Weekday.
type week [7][]wallWindow

// wallWindow is from open to close in minutes of the wall clock, 0 to 1440.
type wallWindow struct{ open, close int32 }

// span is an open interval in milliseconds since 1970.
type span struct {
	open, close int64
	before      int64 // open milliseconds before open
	day         int32 // local day
}

type closing struct {
	at  int64
	day int32 // local day
}

// Window is one open interval of one day.
type Window struct {
	Open, Close time.Time // in the calendar's zone
}

// ID names the calendar and its version, as clocks carry it.
func (c *Calendar) ID() string { return c.id }

// Zone returns the time zone of the calendar.
func (c *Calendar) Zone() *time.Location { return c.zone }

// ValidFrom returns the start of the first day that the calendar's days off were entered for.
func (c *Calendar) ValidFrom() time.Time { return c.startOf(c.validFrom) }

// CoveredUntil returns the end of the last day that the calendar covers. Later days follow the weekly pattern without
// any day off, and what falls due there may move when the next decree is entered.
func (c *Calendar) CoveredUntil() time.Time { return c.startOf(c.coveredUntil + 1) }

// Open reports whether the offices are open at an instant.
func (c *Calendar) Open(at time.Time) bool {
	ms := at.UnixMilli()
	i := c.spanAfter(ms)
	return i < len(c.spans) && c.spans[i].open <= ms
}

// OpenBetween returns the open time between two instants; it is negative when to lies before from.
func (c *Calendar) OpenBetween(from, to time.Time) time.Duration {
	return time.Duration(c.openBefore(to.UnixMilli())-c.openBefore(from.UnixMilli())) * time.Millisecond
}

// AddOpen returns the earliest instant by which d of open time has passed since from: OpenBetween(from, result) is d.
// ok is false when that lies beyond the years that the calendar knows. A d of zero gives from.
func (c *Calendar) AddOpen(from time.Time, d time.Duration) (at time.Time, ok bool) {
	if d <= 0 {
		return from, true
	}
	ms := from.UnixMilli()
	at2, ok := c.inverse(c.openBefore(ms) + d.Milliseconds())
	return time.UnixMilli(at2).UTC(), ok
}

// NthClosing returns the closing time of the n-th working day after the local day of an instant, n from 1.
func (c *Calendar) NthClosing(after time.Time, n int) (at time.Time, ok bool) {
	i := c.closingAfterDay(after.UnixMilli())
	if n < 1 || i < 0 || i+n-1 >= len(c.closings) {
		return time.Time{}, false
	}
	return time.UnixMilli(c.closings[i+n-1].at).UTC(), true
}

// WindowsBetween returns the open intervals between two instants, cut at both, in order.
func (c *Calendar) WindowsBetween(from, to time.Time) []Window {
	var out []Window
	c.eachSpan(from.UnixMilli(), to.UnixMilli(), func(s span) {
		out = append(out, Window{time.UnixMilli(s.open).In(c.zone), time.UnixMilli(s.close).In(c.zone)})
	})
	return out
}

// DayOffOn returns the day off on the date of an instant, in the calendar's zone.
func (c *Calendar) DayOffOn(at time.Time) (DayOff, bool) {
	d, ok := c.off[c.localDay(at.UnixMilli())]
	return d, ok
}

// eachSpan calls f with the open intervals between two instants, cut at both.
func (c *Calendar) eachSpan(from, to int64, f func(span)) {
	for i := c.spanAfter(from); i < len(c.spans) && c.spans[i].open < to; i++ {
		s := c.spans[i]
		s.open, s.close = max(s.open, from), min(s.close, to)
		if s.open < s.close {
			f(s)
		}
	}
}

// spanAfter returns the index of the first span that closes after ms, or len(spans).
func (c *Calendar) spanAfter(ms int64) int {
	d := dayOf(ms)
	if d < firstDay {
		return 0
	}
	if int(d-firstDay) >= len(c.spanFrom) {
		return len(c.spans)
	}
	i := int(c.spanFrom[d-firstDay])
	for i < len(c.spans) && c.spans[i].close <= ms {
		i++
	}
	return i
}

// openBefore returns the open milliseconds before ms.
func (c *Calendar) openBefore(ms int64) int64 {
	i := c.spanAfter(ms)
	if i == len(c.spans) {
		return c.total
	}
	s := &c.spans[i]
	return s.before + max(0, ms-s.open)
}

// inverse returns the earliest instant before which the given number of open milliseconds lies.
func (c *Calendar) inverse(open int64) (int64, bool) {
	if open > c.total {
		return 0, false
	}
	if open <= 0 || len(c.spans) == 0 {
		return 0, false
	}
	// The last span with before < open holds it.
	i := int(c.spanOpen[(open-1)/c.openStep])
	for i+1 < len(c.spans) && c.spans[i+1].before < open {
		i++
	}
	s := &c.spans[i]
	return s.open + open - s.before, true
}

// closingAfterDay returns the index of the first closing after the local day of ms, or -1 outside the known years.
func (c *Calendar) closingAfterDay(ms int64) int {
	if d := dayOf(ms); d < firstDay || d > lastDay {
		return -1
	}
	d := c.localDay(ms) + 1 - firstDay
	if d < 0 || int(d) >= len(c.closingFrom) {
		return -1
	}
	return int(c.closingFrom[d])
}

// closingFromInstant returns the index of the first closing at or after ms, or len(closings).
func (c *Calendar) closingFromInstant(ms int64) int {
	d := dayOf(ms) - 1 - firstDay // a local day is at most one day off the UTC day
	if d < 0 {
		d = 0
	}
	if int(d) >= len(c.closingFrom) {
		return len(c.closings)
	}
	i := int(c.closingFrom[d])
	for i < len(c.closings) && c.closings[i].at < ms {
		i++
	}
	return i
}

func (c *Calendar) localDay(ms int64) int32 {
	return dayOf(ms + c.offset(ms))
}

// startOf returns the first instant of a local day.
func (c *Calendar) startOf(day int32) time.Time {
	y, m, d := dateOf(day)
	return time.Date(y, m, d, 0, 0, 0, 0, c.zone)
}

// dayOf returns the day of an instant, counted from 1970-01-01 and limited to what fits.
func dayOf(ms int64) int32 {
	d := ms / dayMS
	if ms%dayMS < 0 {
		d--
	}
	return int32(min(max(d, -1<<30), 1<<30))
}

func dateOf(day int32) (int, time.Month, int) {
	return time.Unix(int64(day)*86400, 0).UTC().Date()
}

func dayText(day int32) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }

// weekday of a day counted from 1970-01-01, a Thursday.
func weekday(day int32) time.Weekday { return time.Weekday((day%7 + 11) % 7) }
