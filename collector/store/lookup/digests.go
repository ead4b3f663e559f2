package lookup

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/monev112/monev112/collector/event"
)

// The bounds of a DigestLookup. What it cannot answer within them is found out when the events are shipped.
const (
	lookupTimeout = 500 * time.Millisecond // of one look-up, waiting for its turn included
	lookupPause   = 30 * time.Second       // after one that failed
	lookupAtOnce  = 2                      // look-ups
	lookupRate    = 20_000                 // events asked for in a second
)

// DigestLookup tells the intake what ClickHouse holds of events from before the time of which ids are remembered. It
// keeps itself short: a request waits half a second at most, and not at all while ClickHouse is away or asked too much.
// It is safe for concurrent use.
type DigestLookup struct {
	stored Digester
	ready  func() bool // whether ClickHouse can be asked
	now    func() time.Time
	log    *slog.Logger
	turns  chan struct{}
	rate   *rate.Limiter
	paused atomic.Int64 // until then nothing is asked; Unix nanoseconds
}

// Digester is ClickHouse as a DigestLookup needs it: store.Sink.
type Digester interface {
	StoredDigests(ctx context.Context, events []*event.Event) ([]event.Digest, error)
}

// NewDigestLookup returns a DigestLookup.
func NewDigestLookup(stored Digester, ready func() bool, now func() time.Time, log *slog.Logger) *DigestLookup {
	return &DigestLookup{
		stored: stored, ready: ready, now: now, log: log.With("component", "lookup"),
		turns: make(chan struct{}, lookupAtOnce), rate: rate.NewLimiter(lookupRate, event.MaxBatchEvents),
	}
}

// Digests returns the digest that is stored of each event, zero where none is; false when that cannot be told now.
func (d *DigestLookup) Digests(ctx context.Context, events []*event.Event) ([]event.Digest, bool) {
	now := d.now()
	pause := time.Duration(d.paused.Load() - now.UnixNano())
	if pause > 0 && pause <= lookupPause || !d.ready() || !d.rate.AllowN(now, len(events)) {
		return nil, false // a clock that was set back pauses for no longer
	}
	limited, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-limited.Done():
		return nil, false
	}
	digests, err := d.stored.StoredDigests(limited, events)
	if err == nil {
		return digests, true
	}
	if ctx.Err() == nil { // else the sender went away
		d.paused.Store(now.Add(lookupPause).UnixNano())
		d.log.Info("old events are not looked up for a while", "pause", lookupPause, "error", err)
	}
	return nil, false
}
