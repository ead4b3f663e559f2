package sla

import (
	"slices"
	"time"
)

// windows returns the windows of a local day: a special day before a day off, that before a range, that before the
// week.
func (c *Calendar) windows(day int32) []wallWindow {
	if s, ok := c.special[day]; ok {
		return s.windows
	}
	if _, ok := c.off[day]; ok {
		return nil
	}
	return c.usual(day)
}

// usual returns the windows of a local day as if no decree had named it.
func (c *Calendar) usual(day int32) []wallWindow {
	for i := range c.ranges {
		if r := &c.ranges[i]; r.from <= day && day <= r.until {
			return r.week[weekday(day)]
		}
	}
	for _, w := range slices.Backward(c.weekly) {
		if w.from <= day {
			return w.week[weekday(day)]
		}
	}
	// Days before the first pattern follow it: the calendar does not know better.
	return c.weekly[0].week[weekday(day)]
}

// build lays out the spans of all years. Within a stretch of constant offset a wall-clock window is one interval;
// stretches are cut where the zone changes its offset, so that skipped and repeated hours come out right.
func (c *Calendar) build() {
	begin, end := int64(firstDay)*dayMS, int64(lastDay+1)*dayMS
	c.spans = make([]span, 0, int(lastDay-firstDay))
	for from := begin - dayMS; from < end+dayMS; {
		off := c.offset(from)
		until := c.offsetUntil(from, end+dayMS)
		first, last := max(dayOf(from+off), firstDay), min(dayOf(until+off-1), lastDay)
		for day := first; day <= last; day++ {
			for _, w := range c.windows(day) {
				o := int64(day)*dayMS + int64(w.open)*60000 - off
				e := int64(day)*dayMS + int64(w.close)*60000 - off
				c.addSpan(max(o, from), min(e, until), day)
			}
		}
		from = until
	}
	for i := range c.spans {
		c.spans[i].before = c.total
		c.total += c.spans[i].close - c.spans[i].open
	}
	c.openStep = c.total/int64(max(len(c.spans), 1)) + 1
	c.spanOpen = make([]int32, c.total/c.openStep+1)
	i := 0
	for k := range c.spanOpen {
		for i+1 < len(c.spans) && c.spans[i+1].before <= int64(k)*c.openStep {
			i++
		}
		c.spanOpen[k] = int32(i)
	}

	days := int(lastDay - firstDay + 1)
	c.spanFrom = make([]int32, days+2) // the last local day may reach into the UTC day after it
	i = 0
	for d := range c.spanFrom {
		start := (int64(firstDay) + int64(d)) * dayMS
		for i < len(c.spans) && c.spans[i].close <= start {
			i++
		}
		c.spanFrom[d] = int32(i)
	}
	for i, s := range c.spans {
		if i+1 < len(c.spans) && c.spans[i+1].day == s.day {
			continue
		}
		// A zone that goes back over midnight brings a day a second time: its last closing is the one that counts.
		if n := len(c.closings); n > 1 && c.closings[n-2].day == s.day {
			c.closings = slices.Delete(c.closings, n-2, n-1)
		}
		c.closings = append(c.closings, closing{s.close, s.day})
	}
	c.closingFrom = make([]int32, days+1)
	i = 0
	for d := range c.closingFrom {
		for i < len(c.closings) && c.closings[i].day < firstDay+int32(d) {
			i++
		}
		c.closingFrom[d] = int32(i)
	}
}

// offset returns the zone's offset from UTC at an instant, both in milliseconds.
func (c *Calendar) offset(ms int64) int64 {
	_, seconds := time.UnixMilli(ms).In(c.zone).Zone()
	return int64(seconds) * 1000
}

// offsetUntil returns when the zone next changes its offset after from, or end. It looks at each day and then halves
// the day of a change: time.Time.ZoneBounds may answer with a bound that does not lie after the instant asked for.
func (c *Calendar) offsetUntil(from, end int64) int64 {
	off := c.offset(from)
	for lo := from; lo < end; lo += dayMS {
		hi := min(lo+dayMS, end)
		if c.offset(hi) == off {
			continue
		}
		for hi-lo > 1 {
			if mid := lo + (hi-lo)/2; c.offset(mid) == off {
				lo = mid
			} else {
				hi = mid
			}
		}
		return hi
	}
	return end
}

func (c *Calendar) addSpan(open, close int64, day int32) {
	if open >= close {
		return
	}
	if n := len(c.spans); n > 0 && c.spans[n-1].close == open && c.spans[n-1].day == day {
		c.spans[n-1].close = close
		return
	}
	c.spans = append(c.spans, span{open: open, close: close, day: day})
}
