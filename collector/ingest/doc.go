// Package ingest serializes writes: deduplicate, append, apply, acknowledge. Its Loop is the only writer of journal and
// board. It takes the requests that wait, drops events whose ids it remembers, appends the rest as one group (one
// write, one fsync), applies it to the board, remembers the new ids, and only then answers. Checkpoint and replay bring
// board and ids over a restart.
//
//	Submit ─▶ queue ─▶ known? ─▶ journal.Append ─▶ board.ApplyGroup ─▶ remember id ─▶ answer
//	          full:     duplicate    cannot:
//	          ErrBusy   conflict     ErrUnavailable, not ready, nothing of it acknowledged
//
// A group is what came while the group before it was being written; nobody waits for a group to fill.
package ingest

import (
	"errors"
	"io"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Errors of Submit. After any of them nothing of the request was acknowledged, and the same events may be sent again
// with the same ids.
var (
	// ErrBusy says that the queue is full now; the sender should wait a moment (429).
	ErrBusy = errors.New("too many events are waiting")
	// ErrUnavailable says that nothing can be accepted now: the journal cannot write, or the loop is starting or
	// stopping (503).
	ErrUnavailable = errors.New("events cannot be accepted now")
	// ErrTooLarge says that the request will never fit into one group of the journal or into the queue (413).
	ErrTooLarge = errors.New("too many events in one request")
)

// Board is the live state that events are applied to. The loop calls it from one goroutine at a time; the board itself
// guards against its other readers.
type Board interface {
	// ApplyGroup takes in events in journal order. The slices and the events are valid during the call only. payloads are
	// the events' binary forms: each is the board's from now on, shares memory with nothing else and is never changed.
	// ends are the journal positions after the events. live is false in a replay, when no counter may move. The same event
	// may come twice: ids are forgotten in time (Config.SeenMax).
	ApplyGroup(events []*event.Event, payloads [][]byte, ends []uint64, live bool)
	// Checkpoint takes a copy of the state as it is now, quickly, since events wait meanwhile, and returns a function
	// that writes it; that function is called once or never, on another goroutine, while ApplyGroup goes on.
	Checkpoint() (write func(io.Writer) error)
	// ReadCheckpoint fills an empty board with what Checkpoint wrote. After an error the board is empty: the loop then
	// replays the journal into it.
	ReadCheckpoint(r io.Reader) error
}

// Status is what became of one submitted event.
type Status uint8

// The statuses.
const (
	// Accepted: on stable storage and on the board.
	Accepted Status = iota + 1
	// Duplicate: an event of the same source, id and content was accepted before.
	Duplicate
	// Conflict: an event of the same source and id but other content was accepted before; this one is refused.
	Conflict
	// Full: the case of the event has no room for it; it is refused.
	Full
	// Reduced: accepted without the calls that found no room.
	Reduced
)

// Result answers a Submit.
type Result struct {
	Statuses   []Status // one for each event, in order
	Accepted   int      // Reduced ones among them
	Duplicates int
	Conflicts  int
}

// Observer is told what the loop does, for metrics and logs. Any field may be nil. The functions are called on the
// loop's goroutine and must be quick.
type Observer struct {
	// Group is called after each group, also a failed one.
	Group func(GroupStats)
	// Watch is given by New the function that tells for how long the loop has stood still (Loop.Stalled). That function
	// may be called at any time, by anybody.
	Watch func(stalled func() time.Duration)
	// Ready is called when the loop becomes able to accept events, and with the reason when it ceases to be.
	Ready func(reason error)
}

// GroupStats describes one group.
type GroupStats struct {
	Accepted   int
	Duplicates int
	Conflicts  int
	Append     time.Duration // write and fsync; zero when nothing had to be appended
}
