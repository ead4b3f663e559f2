package simulate

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sort"
)

// stream is the source of randomness of one purpose.
type stream struct{ *rand.Rand }

// newStream derives the stream of a purpose from the seed.
func newStream(seed uint64, purpose string) stream {
	h := fnv.New64a()
	h.Write([]byte(purpose)) // a hash never refuses
	return stream{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// permille is true in n of 1,000 cases.
func (s stream) permille(n int) bool { return s.IntN(1000) < n }

// between draws a number from lo to hi, both included.
func (s stream) between(lo, hi int64) int64 { return lo + s.Int64N(hi-lo+1) }

// spread is a distribution of durations given by its quantiles in milliseconds: minimum, 10 %, median, 90 %, 99 %,
// maximum, straight lines between. It says in figures that a reader can judge what a duration looks like.
type spread [6]int64

// seconds makes a spread from quantiles in seconds.
func seconds(q ...int64) spread {
	var s spread
	for i := range s {
		s[i] = q[i] * 1000
	}
	return s
}

// UnmarshalText reads quantiles in seconds.
func (d *spread) UnmarshalText(text []byte) error {
	n, err := fmt.Sscan(string(text), &d[0], &d[1], &d[2], &d[3], &d[4], &d[5])
	if n == len(d) {
		*d = seconds(d[:]...)
	}
	return err
}

// spreadAt is where, in parts of a million, the quantiles of a spread lie.
func spreadAt(i int) int64 {
	return [...]int64{0, 100_000, 500_000, 900_000, 990_000, 1_000_000}[i]
}

func (s stream) draw(d spread) int64 {
	u := s.Int64N(1_000_000)
	i := 1
	for u >= spreadAt(i) {
		i++
	}
	lo, hi := spreadAt(i-1), spreadAt(i)
	return d[i-1] + (d[i]-d[i-1])*(u-lo)/(hi-lo)
}

// sampler draws without replacement, so that the numbers drawn are exact in the end.
type sampler struct {
	left  []int64
	total int64
}

func newSampler(counts ...int64) *sampler {
	u := &sampler{left: counts}
	for _, n := range counts {
		u.total += n
	}
	return u
}

// draw takes one out and returns its kind; it must not be called when none is left.
func (u *sampler) draw(s stream) int {
	n := s.Int64N(u.total)
	for i, left := range u.left {
		if n < left {
			u.left[i]--
			u.total--
			return i
		}
		n -= left
	}
	panic("simulate: sampler counted wrongly") // unreachable: total is the sum of left
}

// wheel draws indexes by weight, with replacement.
type wheel struct{ upTo []int64 }

func newWheel(weights ...int64) wheel {
	w := wheel{make([]int64, len(weights))}
	var sum int64
	for i, n := range weights {
		sum += n
		w.upTo[i] = sum
	}
	return w
}

func (w wheel) spin(s stream) int {
	n := s.Int64N(w.upTo[len(w.upTo)-1])
	return sort.Search(len(w.upTo), func(i int) bool { return n < w.upTo[i] })
}
