package ingest

import (
	"bufio"
	"bytes"
	"testing"
	"time"
)

// Whatever the remembered ids of a checkpoint say, they are refused, or are an index within its limit that is written
// and read as the same again.
func FuzzReadSeen(f *testing.F) {
	const limit, ttl = 8, time.Minute
	s := newSeen([32]byte{1}, limit, ttl)
	for n := range uint64(5) {
		s.add(number(n, 2), seenDigest{byte(n)}, uint32(n))
	}
	var whole bytes.Buffer
	if err := s.snapshot(9).write(&whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:whole.Len()-1])
	f.Add(append(make([]byte, 36), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)) // more ids than there are bytes
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		got, now, err := readSeen(bufio.NewReader(bytes.NewReader(text)), limit, ttl)
		if err != nil {
			return
		}
		if got.len() > limit {
			t.Fatalf("%d ids, limit %d", got.len(), limit)
		}
		var saved, again bytes.Buffer
		if err := got.snapshot(now).write(&saved); err != nil {
			t.Fatal(err)
		}
		for n := got.head; n < got.tail; n++ {
			e := got.entry(uint32(n % got.ringSize()))
			if digest, ok := got.find(e.key); !ok || digest != e.digest {
				t.Fatalf("id %x is in the list and not found", e.key)
			}
		}
		same, at, err := readSeen(bufio.NewReader(bytes.NewReader(saved.Bytes())), limit, time.Duration(1<<31)*time.Second)
		if err != nil || at != now {
			t.Fatalf("read again: time %d, want %d, %v", at, now, err)
		}
		if err := same.snapshot(at).write(&again); err != nil || !bytes.Equal(saved.Bytes(), again.Bytes()) {
			t.Fatalf("read again it differs, %v", err)
		}
	})
}
