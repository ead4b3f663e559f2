package tracker

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/bits-and-blooms/bloom/v3"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// maxItem bounds one string of a checkpoint, so that a damaged length cannot ask for all memory.
const maxItem = 1 << 20

// maxLayers of the filter hold 2 billion subjects.
const maxLayers = 11

// codec writes or reads a checkpoint: every method does the one or the other with what its pointer points to, so that
// one description of the format serves both. Writing changes nothing, since a board may go on reading it. After an
// error the methods do nothing.
type codec struct {
	w   *bufio.Writer // nil when reading
	r   *bufio.Reader
	buf [binary.MaxVarintLen64]byte
	err error
}

type integer interface {
	~int | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func num[T integer](c *codec, v *T) {
	switch {
	case c.err != nil:
	case c.w != nil:
		_, c.err = c.w.Write(binary.AppendUvarint(c.buf[:0], uint64(*v)))
	default:
		var n uint64
		if n, c.err = binary.ReadUvarint(c.r); c.err == nil {
			*v = T(n)
		}
	}
}

// items codes the number of items and each of them.
func items[T any](c *codec, all *[]T, each func(*T)) {
	n := len(*all)
	num(c, &n)
	for i := 0; i < n && c.err == nil; i++ {
		if c.w != nil {
			each(&(*all)[i])
			continue
		}
		var item T
		if each(&item); c.err == nil {
			*all = append(*all, item)
		}
	}
}

func (c *codec) bool(v *bool) {
	n := 0
	if *v {
		n = 1
	}
	if num(c, &n); c.w == nil {
		*v = n == 1
	}
}

func (c *codec) bytes(b *[]byte) {
	n := len(*b)
	num(c, &n)
	switch {
	case c.err != nil:
	case c.w != nil:
		_, c.err = c.w.Write(*b)
	case n < 0 || n > maxItem:
		c.err = fmt.Errorf("item of %d bytes", n)
	default:
		*b = make([]byte, n)
		_, c.err = io.ReadFull(c.r, *b)
	}
}

func (c *codec) string(s *string) {
	b := []byte(*s)
	if c.bytes(&b); c.w == nil {
		*s = string(b)
	}
}

// time codes milliseconds; 0 is the zero time.
func (c *codec) time(t *time.Time) {
	var ms int64
	if !t.IsZero() {
		ms = t.UnixMilli()
	}
	if num(c, &ms); c.w == nil && ms != 0 {
		*t = time.UnixMilli(ms).UTC()
	}
}

func (c *codec) key(k *event.Key) {
	c.string(&k.Center)
	num(c, &k.Kind)
	c.string(&k.ID)
}

func (c *codec) stored(s *stored) {
	num(c, &s.id)
	c.bool(&s.live)
	digest := s.digest[:]
	if c.bytes(&digest); c.w == nil {
		copy(s.digest[:], digest)
	}
	c.bytes(&s.payload)
}

func (c *codec) remembered(en *remembered) {
	c.key(&en.key)
	c.bool(&en.complete)
	c.bool(&en.dirty)
	c.bool(&en.rowUnverified)
	num(c, &en.end)
	c.time(&en.touched)
	items(c, &en.tickets, c.string)
	items(c, &en.calls, c.string)
	if c.w == nil {
		en.callFacts = make([]casefile.CallFacts, len(en.calls))
	}
	for i := range en.callFacts {
		c.time(&en.callFacts[i].ReceivedAt)
		c.time(&en.callFacts[i].AnsweredAt)
		num(c, &en.callFacts[i].Tests)
	}
	items(c, &en.events, c.stored)
	items(c, &en.emitted.ids, func(id *uint32) { num(c, id) })
	c.string(&en.emitted.class)
	num(c, &en.emitted.bounces)
	num(c, &en.emitted.reopened)
}

// layer codes the i-th layer of the filter, whose size must be the one that it has here: the length in the file must
// not ask for all memory, nor a layer answer for bits that it does not have.
func (c *codec) layer(l **bloom.BloomFilter, i int) {
	if c.w != nil {
		if c.err == nil {
			_, c.err = (*l).WriteTo(c.w)
		}
		return
	}
	head, err := c.r.Peek(3 * 8) // bits, hashes, bits of the set that follows
	if err != nil {
		c.err = err
		return
	}
	bits, hashes := bloom.EstimateParameters(filterFirstLayer<<min(i, maxLayers), filterFalsePositive)
	word := func(n int) uint64 { return binary.BigEndian.Uint64(head[8*n:]) }
	if i >= maxLayers || word(0) != uint64(bits) || word(1) != uint64(hashes) || word(2) != uint64(bits) {
		c.err = fmt.Errorf("layer %d of the filter has another size", i)
		return
	}
	*l = &bloom.BloomFilter{}
	_, c.err = (*l).ReadFrom(c.r)
}
