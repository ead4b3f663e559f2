package tracker

import "iter"

// instants holds open tickets by an instant each, in Unix milliseconds, in buckets: who looks for those whose instant
// has come walks them and no others.
type instants struct {
	buckets map[int64][]*entry
	slot    func(*entry) *instantSlot
}

// instantSlot is the place of a ticket in instants.
type instantSlot struct {
	bucket int64
	index  int
	in     bool
}

// bucketWidth is a quarter of an hour: of a bucket that has only begun to come all are looked at.
const bucketWidth = 15 * 60 * 1000

// put puts a ticket at an instant, out of where it was.
func (x *instants) put(en *entry, at int64) {
	s, bucket := x.slot(en), at/bucketWidth
	if s.in && s.bucket == bucket {
		return
	}
	x.remove(en)
	*s = instantSlot{bucket, len(x.buckets[bucket]), true}
	x.buckets[bucket] = append(x.buckets[bucket], en)
}

// remove takes a ticket out, if it is there.
func (x *instants) remove(en *entry) {
	s := x.slot(en)
	if !s.in {
		return
	}
	list := x.buckets[s.bucket]
	last := len(list) - 1
	list[s.index] = list[last]
	x.slot(list[s.index]).index = s.index
	list[last] = nil
	if x.buckets[s.bucket] = list[:last]; last == 0 {
		delete(x.buckets, s.bucket)
	}
	*s = instantSlot{}
}

// until returns the tickets whose instant is at or before at, and some of those shortly after it, in no order.
func (x *instants) until(at int64) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		for bucket, list := range x.buckets {
			if bucket > at/bucketWidth {
				continue
			}
			for _, en := range list {
				if !yield(en) {
					return
				}
			}
		}
	}
}

// upTo is how many until returns.
func (x *instants) upTo(at int64) (n int) {
	for bucket, list := range x.buckets {
		if bucket <= at/bucketWidth {
			n += len(list)
		}
	}
	return n
}
