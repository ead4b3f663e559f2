package simulate

import (
	"math"
	"slices"
)

// arrival is a call on its way to the trunk.
type arrival struct {
	at    int64
	flood bool      // part of a flood: a few numbers calling again and again
	again *incident // set when another caller reports the same event
}

// arrivals yields arrivals in order of time.
type arrivals interface {
	next() (arrival, bool)
}

// calls2023 is the published number of calls of January to October 2023, and what became of them.
const (
	calls2023    = 40_318
	prank2023    = 32_543
	own2023      = 1_597
	vertical2023 = 6_178
)

// yearArrivals has every call of 2023 drawn at the start: the number is exact, so each call must know of the others.
type yearArrivals struct{ at []int64 }

func newYearArrivals(s, plants stream) *yearArrivals {
	w := figures()
	from, to := span2023()
	firstDay, endDay := dayNumber(from.UnixMilli()), dayNumber(to.UnixMilli())
	days := make([]int64, 0, endDay-firstDay)
	for d := firstDay; d < endDay; d++ {
		month := from.AddDate(0, 0, int(d-firstDay)).Month()
		// Days differ by more than their weekday: 85 to 115 % of what the calendar says.
		days = append(days, w.Months[month-1]*w.Weekdays[weekday(d)]*s.between(85, 115))
	}
	dayWheel := newWheel(days...)
	hourWheel := newWheel(w.Hours[:]...)
	y := &yearArrivals{make([]int64, 0, calls2023)}
	for range calls2023 {
		d := firstDay + int64(dayWheel.spin(s))
		h := int64(hourWheel.spin(s))
		y.at = append(y.at, d*day-wibOffset+h*hour+s.Int64N(hour))
	}
	slices.Sort(y.at)
	crowd(y.at, plants)
	return y
}

func (y *yearArrivals) next() (arrival, bool) {
	if len(y.at) == 0 {
		return arrival{}, false
	}
	a := arrival{at: y.at[0]}
	y.at = y.at[1:]
	return a, true
}

// callsPerDay is the real volume of the centre.
const callsPerDay = 130

// liveArrivals draws calls second by second: in each, a whole number that is certain and one more by chance.
type liveArrivals struct {
	s, floods stream
	rateMilli int64
	second    int64 // start of the next second to draw
	to        int64 // 0 means without end
	ready     []arrival

	floodDay           int64 // the day for which the flood below was drawn
	floodFrom, floodTo int64
}

func newLiveArrivals(seed uint64, o Options) *liveArrivals {
	l := &liveArrivals{
		s:         newStream(seed, "arrivals"),
		floods:    newStream(seed, "floods"),
		rateMilli: int64(math.Round(o.Rate * 1000)),
		second:    o.From.UnixMilli() / second * second,
		floodDay:  math.MinInt64,
	}
	if !o.To.IsZero() {
		l.to = o.To.UnixMilli()
	}
	return l
}

func (l *liveArrivals) next() (arrival, bool) {
	for len(l.ready) == 0 {
		if l.to != 0 && l.second >= l.to {
			return arrival{}, false
		}
		l.drawSecond()
	}
	a := l.ready[0]
	l.ready = l.ready[1:]
	return a, true
}

// liveFloor is added to each hour's weight: a demo at night should not look at an empty floor.
const liveFloor = 30

func (l *liveArrivals) drawSecond() {
	at := l.second
	l.second += second
	l.ready = l.ready[:0]
	f := figures()
	var sum int64
	for _, w := range f.Hours {
		sum += w + liveFloor
	}
	w := (f.Hours[hourOfDay(at)] + liveFloor) * f.Weekdays[weekday(dayNumber(at))]
	// In parts of 10^9 of a call: calls a day x weight of the hour / weights of the day / 3,600 s / 100 (weekday) / 1000
	// (rate).
	expected := int64(callsPerDay) * l.rateMilli * w * 10_000 / sum / 3600
	l.add(at, expected, false)
	if d := dayNumber(at); d != l.floodDay {
		l.drawFlood(d)
	}
	if at >= l.floodFrom && at < l.floodTo {
		l.add(at, l.floods.between(500_000_000, 1_000_000_000), true) // 30 to 60 a minute
	}
}

func (l *liveArrivals) add(at, expected int64, flood bool) {
	n := expected / 1_000_000_000
	if l.s.Int64N(1_000_000_000) < expected%1_000_000_000 {
		n++
	}
	for range n {
		l.ready = append(l.ready, arrival{at: at + l.s.Int64N(second), flood: flood})
	}
	slices.SortStableFunc(l.ready, func(a, b arrival) int { return int(a.at - b.at) })
}

// drawFlood decides whether day d has a flood: one evening in three, between 18:30 and 21:00, for 3 to 8 minutes.
func (l *liveArrivals) drawFlood(d int64) {
	l.floodDay = d
	l.floodFrom, l.floodTo = 0, 0
	start := l.floods.between(18*hour+30*minute, 21*hour)
	length := l.floods.between(3*minute, 8*minute)
	if l.floods.permille(333) {
		l.floodFrom = d*day - wibOffset + start
		l.floodTo = l.floodFrom + length
	}
}
