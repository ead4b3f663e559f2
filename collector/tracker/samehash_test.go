package tracker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
)

// forge returns an id of 8 bytes that gives, under a source of 7 bytes, the hash of another event of that shape. XXH64
// has no key and each of its steps can be undone.
func forge(source string, of *event.Event) string {
	const p1, p2, p4, p5 = 11400714785074694791, 14029467366897019727, 9650029242287828579, 2870177450012600261
	inverse := func(n uint64) uint64 {
		x := n
		for range 6 {
			x *= 2 - n*x
		}
		return x
	}
	round := func(text string) uint64 {
		return bits.RotateLeft64(binary.LittleEndian.Uint64([]byte(text))*p2, 31) * p1
	}
	after := func(source string) uint64 { // the source and the byte behind it; 16 bytes are hashed in all
		seed := uint64(p5)
		return bits.RotateLeft64((seed+16)^round(source+"\x00"), 27)*p1 + p4
	}
	block := after(source) ^ after(of.Source) ^ round(of.ID)
	return string(binary.LittleEndian.AppendUint64(nil, bits.RotateLeft64(block*inverse(p1), -31)*inverse(p2)))
}

// TestAnIdWithAnothersHashIsAnotherEvent: who makes an id whose hash is that of another source's event keeps that event
// off no case, large or small, whichever comes first, after a restart and a reload too.
func TestAnIdWithAnothersHashIsAnotherEvent(t *testing.T) {
	for _, before := range []int{0, smallCase} {
		honest := stormEvent(event.TicketResolved, "t", 5000)
		honest.Source, honest.ID = "honest1", "event-12"
		hostile := stormEvent(event.TicketPaused, "t", 5001)
		hostile.Source, hostile.ID = "hostile", forge("hostile", honest)
		if idHash(honest) != idHash(hostile) {
			t.Fatal("the forged id has another hash")
		}
		var events []*event.Event
		for i := range before {
			e := stormEvent(event.TicketAcknowledged, "t", i)
			if i == 0 {
				e = stormEvent(event.TicketOpened, "t", i)
			}
			events = append(events, e)
		}
		for name, two := range map[string][]*event.Event{"hostile first": {hostile, honest}, "honest first": {honest, hostile}} {
			t.Run(fmt.Sprint(before, " before, ", name), func(t *testing.T) {
				b := newBoard(nil)
				for i, e := range append(events[:before:before], two...) {
					if v := b.Recognize([]*event.Event{e}); v != nil {
						t.Errorf("event %d is taken for one that came: %v", i, v)
					}
					b.Apply(e, event.AppendBinary(nil, e), uint64(i+1), true)
				}
				for _, e := range two {
					if v := b.Recognize([]*event.Event{e}); len(v) != 1 || v[0] != Duplicate {
						t.Errorf("%s, sent again, is %v", e.Source, v)
					}
				}
				same := func(how string, b *Board) {
					t.Helper()
					row, events, ok := b.Case(honest.Key())
					if !ok || len(events) != before+2 || row.Ticket.State != casefile.Resolved {
						t.Errorf("%s: %d events, want %d; %v", how, len(events), before+2, row.Ticket)
					}
				}
				same("applied", b)
				var saved bytes.Buffer
				if err := b.Checkpoint()(&saved); err != nil {
					t.Fatal(err)
				}
				again := newBoard(nil)
				if err := again.ReadCheckpoint(&saved); err != nil {
					t.Fatal(err)
				}
				same("restarted", again)
				read := newBoard(nil)
				read.AddSubjects([]event.Key{honest.Key()})
				read.Apply(two[1], event.AppendBinary(nil, two[1]), 1, true)
				read.Load([]Loaded{{Key: honest.Key(), Events: append(events[:before:before], two[0])}})
				same("read back", read)
			})
		}
	}
}
