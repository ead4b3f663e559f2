package ingest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/monev112/monev112/collector/event"
)

// number makes a key; a low multiplier crowds the keys into few homes of the table.
func number(n, crowd uint64) (k seenKey) {
	binary.LittleEndian.PutUint64(k[:], n/crowd)
	binary.LittleEndian.PutUint64(k[8:], n)
	return k
}

// The index equals a plain list of the last ids, through crowded tables, forgetting and a checkpoint.
func TestSeenEqualsAListOfTheLastIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 40).Draw(t, "max")
		ttl := rapid.IntRange(1, 50).Draw(t, "ttl")
		crowd := rapid.Uint64Range(1, 20).Draw(t, "crowd")
		s := newSeen([32]byte{}, limit, time.Duration(ttl)*time.Second)
		type entry struct {
			n  uint64
			at uint32
		}
		var list []entry
		now := uint32(0)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n := rapid.Uint64Range(0, 100).Draw(t, "n")
				s.expire(now, 1000)
				for len(list) > 0 && now-list[0].at > uint32(ttl) {
					list = list[1:]
				}
				s.add(number(n, crowd), seenDigest{byte(n)}, now)
				for _, e := range list {
					if e.n == n {
						return
					}
				}
				if list = append(list, entry{n, now}); len(list) > limit {
					list = list[1:]
				}
			},
			"wait": func(t *rapid.T) { now += uint32(rapid.IntRange(0, 20).Draw(t, "seconds")) },
			"checkpoint": func(t *rapid.T) {
				var buf bytes.Buffer
				if err := s.snapshot(now).write(&buf); err != nil {
					t.Fatal(err)
				}
				got, at, err := readSeen(bufio.NewReader(&buf), limit, time.Duration(ttl)*time.Second)
				if err != nil || at != now {
					t.Fatalf("%d, %v", at, err)
				}
				s = got
			},
			"": func(t *rapid.T) {
				want := map[uint64]bool{}
				for _, e := range list {
					want[e.n] = true
				}
				if s.len() > limit {
					t.Fatalf("%d ids, limit %d", s.len(), limit)
				}
				for n := range uint64(101) {
					d, ok := s.find(number(n, crowd))
					// What is over age may linger until something is added.
					if want[n] && (!ok || d[0] != byte(n)) || ok && !want[n] {
						t.Fatalf("id %d: found %v, want %v", n, ok, want[n])
					}
				}
			},
		})
	})
}

// spread makes a key as evenly distributed as real ones.
func spread(n uint64) seenKey { return number(n*0x9E3779B97F4A7C15, 1) }

func TestASnapshotStaysWhatItWas(t *testing.T) {
	const limit = 3 * seenChunkEntries
	s := newSeen([32]byte{}, limit, time.Hour)
	for n := range uint64(limit) {
		s.add(spread(n), seenDigest{}, 0)
	}
	snap := s.snapshot(7)
	for n := uint64(limit); n < 3*limit; n++ { // overwrites the ring twice
		s.add(spread(n), seenDigest{}, 0)
	}
	var buf bytes.Buffer
	if err := snap.write(&buf); err != nil {
		t.Fatal(err)
	}
	got, _, err := readSeen(bufio.NewReader(&buf), limit, time.Hour)
	if err != nil || got.len() != limit {
		t.Fatalf("%d, %v", got.len(), err)
	}
	for n := range uint64(limit) {
		if _, ok := got.find(spread(n)); !ok {
			t.Fatalf("id %d is missing", n)
		}
	}
}

func TestKeysTellSourceFromID(t *testing.T) {
	s := newSeen([32]byte{1}, 10, time.Hour)
	a := s.keyOf(&event.Event{Source: "ab", ID: "c"})
	b := s.keyOf(&event.Event{Source: "a", ID: "bc"})
	other := newSeen([32]byte{2}, 10, time.Hour)
	if a == b || a == other.keyOf(&event.Event{Source: "ab", ID: "c"}) {
		t.Fatal("different ids have one key")
	}
}

func BenchmarkSeen(b *testing.B) {
	s := newSeen([32]byte{}, 2_000_000, 24*time.Hour)
	e := event.Event{Source: "//112.sidoarjokab.go.id/jasnita"}
	var id [8]byte
	n := uint64(0)
	for b.Loop() {
		n++
		binary.LittleEndian.PutUint64(id[:], n)
		e.ID = string(id[:])
		k := s.keyOf(&e)
		if _, ok := s.find(k); !ok {
			s.add(k, seenDigest{}, 0)
		}
	}
}
