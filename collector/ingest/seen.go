package ingest

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// maxSeen bounds Config.SeenMax: entry indices are 32 bits wide.
const maxSeen = 1 << 30

const (
	seenChunkEntries = 1 << 14
	seenEntryBytes   = 28
)

// seenKey is SHA-256(secret, length of source, source, id) cut to 128 bits. Being keyed, no sender can construct a
// collision; with two million ids remembered a new id meets one by chance with a probability of 6e-33.
type seenKey [16]byte

// seenDigest is the first half of an event's digest. Another content passes as a duplicate with a probability of 5e-20.
type seenDigest [8]byte

type seenEntry struct {
	key    seenKey
	digest seenDigest
	at     uint32 // seconds of the loop's own time
}

type seenChunk [seenChunkEntries]seenEntry

// seen remembers ids in the order of their acceptance: a ring of chunks, and an open-addressing table of indices into
// it. Adding, finding and forgetting take constant time, with no pause for growth or sweeping. Not safe for concurrent
// use.
type seen struct {
	secret [32]byte
	max    int
	ttl    uint32 // seconds

	chunks     []*seenChunk // ring; a chunk is never reused, so that a snapshot may go on reading it
	head, tail uint64       // numbers of the oldest entry and of the next one
	table      []uint32     // ring index + 1, 0 = free; linear probing, at most half full
	mask       uint32
}

func newSeen(secret [32]byte, maxIDs int, ttl time.Duration) *seen {
	slots := uint32(1) << bits.Len(uint(max(maxIDs*2, 16)-1))
	return &seen{
		secret: secret,
		max:    maxIDs,
		ttl:    uint32(min(int64(ttl/time.Second), 1<<31)),
		chunks: make([]*seenChunk, maxIDs/seenChunkEntries+2),
		table:  make([]uint32, slots),
		mask:   slots - 1,
	}
}

// keyOf hashes the idempotency key of e; it only reads s.secret and may be called concurrently.
func (s *seen) keyOf(e *event.Event) seenKey { return hashKey(&s.secret, e) }

func hashKey(secret *[32]byte, e *event.Event) seenKey {
	var stack [320]byte
	b := append(stack[:0], secret[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(e.Source)))
	b = append(b, e.Source...)
	b = append(b, e.ID...)
	sum := sha256.Sum256(b)
	return seenKey(sum[:16])
}

func digestOf(e *event.Event) seenDigest { return seenDigest(e.Digest[:8]) }

func (s *seen) len() int { return int(s.tail - s.head) }

func (s *seen) ringSize() uint64 { return uint64(len(s.chunks)) * seenChunkEntries }

func (s *seen) entry(ring uint32) *seenEntry {
	return &s.chunks[ring/seenChunkEntries][ring%seenChunkEntries]
}

func (k *seenKey) home() uint32 { return binary.LittleEndian.Uint32(k[:]) }

// find returns the digest remembered for a key.
func (s *seen) find(k seenKey) (seenDigest, bool) {
	for i := k.home() & s.mask; s.table[i] != 0; i = (i + 1) & s.mask {
		if e := s.entry(s.table[i] - 1); e.key == k {
			return e.digest, true
		}
	}
	return seenDigest{}, false
}

// add remembers a key, unless it is known, and forgets what is over age or number.
func (s *seen) add(k seenKey, d seenDigest, at uint32) {
	s.expire(at, 4)
	i := k.home() & s.mask
	for ; s.table[i] != 0; i = (i + 1) & s.mask {
		if s.entry(s.table[i]-1).key == k {
			return
		}
	}
	if s.len() >= s.max {
		s.forgetOldest()
		// Forgetting moves entries about: look for the free slot again.
		for i = k.home() & s.mask; s.table[i] != 0; i = (i + 1) & s.mask {
		}
	}
	ring := uint32(s.tail % s.ringSize())
	if ring%seenChunkEntries == 0 {
		s.chunks[ring/seenChunkEntries] = new(seenChunk)
	}
	*s.entry(ring) = seenEntry{key: k, digest: d, at: at}
	s.table[i] = ring + 1
	s.tail++
}

// expire forgets up to limit entries that are over age.
func (s *seen) expire(now uint32, limit int) {
	for range limit {
		if s.head == s.tail || now-s.entry(uint32(s.head%s.ringSize())).at <= s.ttl {
			return
		}
		s.forgetOldest()
	}
}

func (s *seen) forgetOldest() {
	ring := uint32(s.head % s.ringSize())
	k := s.entry(ring).key
	i := k.home() & s.mask
	for s.table[i] != ring+1 {
		i = (i + 1) & s.mask
	}
	// Close the gap, so that no probe ends early.
	for j := (i + 1) & s.mask; s.table[j] != 0; j = (j + 1) & s.mask {
		home := s.entry(s.table[j]-1).key.home() & s.mask
		if (j-home)&s.mask >= (j-i)&s.mask {
			s.table[i] = s.table[j]
			i = j
		}
	}
	s.table[i] = 0
	s.head++
	if s.head%seenChunkEntries == 0 {
		s.chunks[ring/seenChunkEntries] = nil
	}
}

// seenSnapshot is a picture of seen at one instant; it shares entries, which are never changed while they are in range.
type seenSnapshot struct {
	secret     [32]byte
	now        uint32
	chunks     []*seenChunk
	head, tail uint64
}

func (s *seen) snapshot(now uint32) seenSnapshot {
	return seenSnapshot{s.secret, now, append([]*seenChunk(nil), s.chunks...), s.head, s.tail}
}

// write writes secret, time, count and entries, oldest first.
func (p seenSnapshot) write(w io.Writer) error {
	b := append([]byte(nil), p.secret[:]...)
	b = binary.LittleEndian.AppendUint32(b, p.now)
	b = binary.LittleEndian.AppendUint64(b, p.tail-p.head)
	if _, err := w.Write(b); err != nil {
		return err
	}
	ring := uint64(len(p.chunks)) * seenChunkEntries
	for n := p.head; n < p.tail; n++ {
		i := n % ring
		e := &p.chunks[i/seenChunkEntries][i%seenChunkEntries]
		b = append(b[:0], e.key[:]...)
		b = append(b, e.digest[:]...)
		b = binary.LittleEndian.AppendUint32(b, e.at)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// readSeen reads what write wrote, into an index with possibly other limits.
func readSeen(r *bufio.Reader, maxIDs int, ttl time.Duration) (s *seen, now uint32, err error) {
	var head [44]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, 0, fmt.Errorf("remembered ids: %w", err)
	}
	s = newSeen([32]byte(head[:32]), maxIDs, ttl)
	now = binary.LittleEndian.Uint32(head[32:])
	var b [seenEntryBytes]byte
	for range binary.LittleEndian.Uint64(head[36:]) {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return nil, 0, fmt.Errorf("remembered ids: %w", err)
		}
		s.add(seenKey(b[:16]), seenDigest(b[16:24]), binary.LittleEndian.Uint32(b[24:]))
	}
	return s, now, nil
}
