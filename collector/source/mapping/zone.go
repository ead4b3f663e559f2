package mapping

import "time"

// Local times are read by these rules (docs/decisions/040-import.md). An ambiguous local time, in the hour that the
// clocks show twice, is the earlier of its two instants unless the mapping says otherwise or the field it follows rules
// that one out. A local time that never was, in the hour that the clocks skip, is read with the offset that held
// before: a source whose clock had not yet been put forward wrote it.

// policy says what to do with a local time that does not name one instant.
type policy string

const (
	earlier policy = "earlier"
	later   policy = "later"
	shift   policy = "shift"
	refuse  policy = "refuse"
)

// zone turns local times into instants. It remembers the range of time in which the last offset held, so it is for one
// goroutine.
type zone struct {
	loc        *time.Location
	from, to   int64 // the local seconds in which offset is certain
	offset     int64
	haveOffset bool
}

// instant is a local time resolved: the seconds since 1970 UTC by its one or two readings.
type instant struct {
	first, second int64 // equal unless the time is ambiguous
	gap           bool  // the time never was; first is it by the offset before the gap
}

// dayMargin is wider than any offset of a zone and narrower than any two changes of offset follow each other.
const dayMargin = 26 * 3600

// resolve returns the instants of the local time that is wall seconds after 1970-01-01 00:00 of the zone's own clock.
func (z *zone) resolve(wall int64) instant {
	if z.haveOffset && wall >= z.from && wall < z.to {
		return instant{first: wall - z.offset, second: wall - z.offset}
	}
	before := time.Unix(wall-dayMargin, 0).In(z.loc)
	after := time.Unix(wall+dayMargin, 0).In(z.loc)
	_, o1 := before.Zone()
	_, o2 := after.Zone()
	t1, t2 := wall-int64(o1), wall-int64(o2)
	if o1 == o2 {
		z.remember(before, after, int64(o1))
		return instant{first: t1, second: t1}
	}
	ok1 := z.offsetAt(t1) == o1
	ok2 := z.offsetAt(t2) == o2
	switch {
	case ok1 && ok2:
		return instant{first: min(t1, t2), second: max(t1, t2)}
	case ok2:
		return instant{first: t2, second: t2}
	case ok1:
		return instant{first: t1, second: t1}
	}
	return instant{first: t1, second: t1, gap: true}
}

func (z *zone) offsetAt(unix int64) int {
	_, o := time.Unix(unix, 0).In(z.loc).Zone()
	return o
}

// remember keeps the offset when no change lies between the two instants.
func (z *zone) remember(before, after time.Time, offset int64) {
	start, end := before.ZoneBounds()
	if !end.IsZero() && end.Before(after) {
		return
	}
	const always = 1 << 40
	z.offset, z.from, z.to, z.haveOffset = offset, -always, always, true
	if !start.IsZero() {
		z.from = start.Unix() + dayMargin
	}
	if !end.IsZero() {
		z.to = end.Unix() - dayMargin
	}
}
