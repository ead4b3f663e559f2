package sla

import (
	"math"
	"time"
)

// Used is how much of a clock's target is used.
type Used struct {
	Net    time.Duration // what counts: real or open time since the start, less the counted pauses
	Gross  time.Duration // the same with the pauses
	Target time.Duration // of Net; for working days the open time from start to due that is not paused
	Ratio  float64       // Net/Target; 1 at DueAt; 0 where no target can be said
}

// UsedRatio returns the share of c's target that is used at now, or when it stopped: 0 at the start, 1 at the due time,
// more when late. After an upgrade it counts from there (Clock.CountedFrom). It grows with now and stands still while a
// counted pause runs. Its value is 0.75 at RiskAt.
//
// Elapsed clocks use real time. Open-hours clocks use open time. Working-day clocks, too, use open time: what lies
// between start and due is the whole, so that three of four equal days are 75 %, and a night or a weekend uses nothing.
// The figure is exact for every now after the last counted pause that ended.
func (b *Book) UsedRatio(c *Clock, now time.Time) float64 { return b.Used(c, now).Ratio }

// Elapsed returns the time that counts since c started: real time for elapsed and given clocks, open time for the
// others, without the counted pauses (net) and with them (gross).
func (b *Book) Elapsed(c *Clock, now time.Time) (net, gross time.Duration) {
	u := b.Used(c, now)
	return u.Net, u.Gross
}

// Used says how much of c is used at now, or when it stopped. It needs the calendar of the version that c was computed
// with; without it, Used is zero.
func (b *Book) Used(c *Clock, now time.Time) Used {
	m := meterOf(c.Kind, b.byID[c.CalendarVersion])
	if c.StartedAt.IsZero() || c.DueAt.IsZero() || (c.Kind == Hours || c.Kind == Days) && m.calendar == nil {
		return Used{}
	}
	until := now.UnixMilli()
	if !c.StoppedAt.IsZero() {
		until = min(until, c.StoppedAt.UnixMilli())
	}
	start, due := c.countedFrom().UnixMilli(), c.DueAt.UnixMilli()
	until = max(until, start)
	begun := m.before(start)
	gross := m.before(until) - begun

	var target, paused int64
	switch c.Kind {
	case Days:
		paused = c.PausedSeconds * 1000
		target = m.before(due) - begun - paused
	default:
		target = m.before(c.GrossDueAt.UnixMilli()) - begun
		paused = m.before(due) - begun - target // what the counted pauses moved the due time by
	}
	net := max(gross-paused, 0)
	ratio := ratioOf(net, target)
	if !c.PausedSince.IsZero() && until > c.PausedSince.UnixMilli() {
		since, ends := m.before(c.PausedSince.UnixMilli()), m.before(c.PauseEndsAt.UnixMilli())
		still := min(begun+gross, ends) - since
		ratio = ratioOf(max(net-still, 0), target)
		net = max(net-still, 0)
		if until > c.PauseEndsAt.UnixMilli() && c.Kind == Days {
			// The cap has used up whole closings; the rest of the way is measured against the due time that follows.
			target = m.before(c.BreachAt.UnixMilli()) - begun - paused - (ends - since)
			ratio = max(ratioOf(max(since-begun-paused, 0), c.daysTarget(m, paused)), ratioOf(net, target))
		}
	}
	return Used{durationOf(net), durationOf(gross), durationOf(target), ratio}
}

// durationOf stops at what a Duration can hold, 292 years: nonsense dates must not turn into small figures.
func durationOf(ms int64) time.Duration {
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

func (c *Clock) daysTarget(m meter, paused int64) int64 {
	return m.before(c.DueAt.UnixMilli()) - m.before(c.countedFrom().UnixMilli()) - paused
}

func ratioOf(net, target int64) float64 {
	if target <= 0 {
		if net > 0 {
			return 1
		}
		return 0
	}
	return float64(net) / float64(target)
}
