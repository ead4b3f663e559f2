package casefile

import "github.com/monev112/monev112/collector/event"

// Bounds of one case. They are held where events enter: whatever was accepted is folded, so that board, reload and
// rebuild agree. Real cases stay far below them; what reaches one is a sender's mistake, or means harm.
const (
	// MaxEvents is how many events a case takes from anybody; corrections and what they void are among them.
	MaxEvents = 1000
	// MaxBytes is how large they are together, as Size reckons.
	MaxBytes = 256 << 10
	// MaxCalls is how many calls a ticket is linked with.
	MaxCalls = 512
	// MaxTickets is how many tickets a call is linked with.
	MaxTickets = 64
	// MaxMembers is how many tickets may be merged into one, through chains too.
	MaxMembers = 512
	// MaxStays is how many stays at an OPD have a clock of their own; beyond them the latest has.
	MaxStays = 64
	// MaxPauses is how many pauses stop the clocks of a ticket, the earliest: what is paused more often runs on.
	MaxPauses = 64
	// MaxChanges is how many changes of details a clock is judged by one after the other; where it has more, the latest
	// details hold from the last of them on.
	MaxChanges = 128

	// In a full case each source still has room for ReservedEvents events of each type, of ReservedBytes at most and with
	// ReservedCalls calls that are new to it: who floods a case cannot keep the facts of others out, nor his own of
	// another type. All of that together is bounded by ReserveEvents and ReserveCalls.
	ReservedEvents = 8
	ReservedBytes  = 2 << 10
	ReservedCalls  = 4
	ReserveEvents  = 500
	ReserveCalls   = 128
)

// FlagCaseFull says that the case has reached a bound: further events of it may have been refused, calls left out, or
// stays, pauses or changes not looked at one by one.
const FlagCaseFull = "case_full"

// Size is about what an event takes in memory, in bytes.
func Size(e *event.Event) int {
	n := 160 + len(e.ID) + len(e.Source) + len(e.Queue) + len(e.Position) + len(e.Category) + len(e.OPD) +
		len(e.Kecamatan) + len(e.Master) + len(e.Replaces) + len(e.ChangedBy)
	for _, c := range e.Calls {
		n += len(c) + 2
	}
	for k, v := range e.Attributes {
		n += len(k) + len(v) + 4
	}
	return n
}

// fullCase reports whether the events of a case, voided ones among them, have reached a bound.
func fullCase(evs []*event.Event) bool {
	if len(evs) >= MaxEvents {
		return true
	}
	bytes := 0
	for _, e := range evs {
		bytes += Size(e)
	}
	return bytes >= MaxBytes
}
