package tracker

import (
	"encoding/binary"
	"slices"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/cespare/xxhash/v2"

	"github.com/monev112/monev112/collector/event"
)

// The filter's first layer holds this many subjects; each further layer twice as many as the one before.
const (
	filterFirstLayer    = 1 << 20
	filterFalsePositive = 0.002
)

// filter remembers every subject that was ever seen, with false positives and no false negatives: a case that it does
// not hold is new, a case that it holds must be looked up. It grows by layers.
type filter struct {
	trusted bool // it holds every subject that ClickHouse has
	layers  []*bloom.BloomFilter
	inLast  uint
}

// addNew adds key and reports whether it is provably new.
func (f *filter) addNew(key event.Key) bool { return f.add(key) && f.trusted }

// add adds key unless it is there, and reports whether it was not.
func (f *filter) add(key event.Key) bool {
	h := subjectHash(key)
	for _, l := range f.layers {
		if l.Test(h[:]) {
			return false
		}
	}
	if n := len(f.layers); n == 0 || f.inLast >= filterFirstLayer<<(n-1) {
		f.layers = append(f.layers, bloom.NewWithEstimates(filterFirstLayer<<n, filterFalsePositive))
		f.inLast = 0
	}
	f.layers[len(f.layers)-1].Add(h[:])
	f.inLast++
	return true
}

// has reports whether key may have been seen.
func (f *filter) has(key event.Key) bool {
	h := subjectHash(key)
	return slices.ContainsFunc(f.layers, func(l *bloom.BloomFilter) bool { return l.Test(h[:]) })
}

func subjectHash(key event.Key) [8]byte {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(key.Center)
	_, _ = d.Write([]byte{0, byte(key.Kind)})
	_, _ = d.WriteString(key.ID)
	var h [8]byte
	binary.LittleEndian.PutUint64(h[:], d.Sum64())
	return h
}

// AddSubjects adds subjects that ClickHouse has to the filter; a subject may be added again.
func (b *Board) AddSubjects(keys []event.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range keys {
		b.filter.add(k)
	}
}

// TrustFilter declares that every subject in ClickHouse was added: from now on a case that the filter does not hold is
// new, and complete from its first event on.
func (b *Board) TrustFilter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.filter.trusted = true
}

// FilterTrusted reports whether TrustFilter was called, now or before the checkpoint that was read.
func (b *Board) FilterTrusted() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.filter.trusted
}
