// Package shipper follows the journal at its own pace and brings ClickHouse up to date: it inserts the events,
// completes cases that the board does not know from ClickHouse, and upserts the rows of the cases that changed.
//
// It never answers a client and never changes the journal. A slow or absent ClickHouse costs disk, visible as lag,
// never an event: a batch is sent again, identical, until ClickHouse has it, and only then does the cursor move.
package shipper

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/observability/telemetry"
	"github.com/monev112/monev112/collector/tracker"
)

// Sink is ClickHouse as the shipper needs it. An error for which Permanent reports true is a row that can never be
// stored; every other error is worth another try.
type Sink interface {
	// Prepare brings the schema up to date.
	Prepare(ctx context.Context) error
	// InsertEvents stores events; a repetition with the same token and the same events changes nothing.
	InsertEvents(ctx context.Context, events []*event.Event, token string) error
	// StoredDigests returns the digest that is stored under the key, source and id of each event, zero where none is.
	StoredDigests(ctx context.Context, events []*event.Event) ([]event.Digest, error)
	// ReadCases returns what is stored of the cases; of a case that it does not hold it returns nothing.
	ReadCases(ctx context.Context, keys []event.Key) ([]tracker.Loaded, error)
	// Upsert stores the rows of cases under a version greater than that of every row before.
	Upsert(ctx context.Context, rows []tracker.Row, version uint64) error
	// MaxVersion returns the greatest version of any case row.
	MaxVersion(ctx context.Context) (uint64, error)
	// Subjects calls fn with every case that has an event or is named by a ticket's calls, in portions.
	Subjects(ctx context.Context, fn func([]event.Key) error) error
	// OpenCases returns the open tickets and the cases that had an event since, of the centres that have a board.
	OpenCases(ctx context.Context, since time.Time) ([]event.Key, error)
	// Permanent reports whether err is the fault of a row.
	Permanent(err error) bool
	// BurstEnded is called when no large batch follows the ones before: what was kept for it is no longer of use, and
	// what was put off until then need not wait.
	BurstEnded()
}

// DeadLetters keeps what ClickHouse can never store. It is durable when AddRows or AddConflicts return.
type DeadLetters interface {
	// AddRows keeps rows of a table that ClickHouse refuses, each with who sent it and why it was refused.
	AddRows(table string, payloads [][]byte, sources, reasons []string, at time.Time) error
	// AddConflicts keeps events that contradict one that is stored.
	AddConflicts(events []*event.Event, payloads [][]byte, reason string, at time.Time) error
	// EachPayload calls fn with everything that is kept.
	EachPayload(fn func(table string, payload []byte)) error
	// Requeued gives each dead letter that an operator marked to retry, at most limit of them, and removes it when that
	// worked. When retry says later, the marks stay and the rest waits.
	Requeued(limit int, retry func(payload []byte, table string) (later bool, err error)) (int, error)
}

// Config says how to ship. Zero values take the defaults named beside them.
type Config struct {
	Dir        string // of the cursor file
	FS         disk.FS
	BatchRows  int // events in one batch at most; 50,000
	BatchBytes int // their journal bytes at most; 32 MiB
	// how long a batch waits for more after its first event was appended; a fifth of it when nothing had come for that
	// long before; 1 s
	Linger  time.Duration
	KeepFor time.Duration // how long a shipped segment stays; 24 h
	// how long the clock must run without a jump before anything is deleted by it; 10 min
	StableFor time.Duration
	// how many rows a minute are given up while nothing shows that ClickHouse takes any row at all; 100
	DeadLetterPerMinute int
	Boot                string // names the boot of the host (BootID); empty: nothing is ever sent again for a boot
	Now                 func() time.Time
	Log                 *slog.Logger
	Observer            Observer
	// Database says what the ClickHouse behind the sink is; nil: it is always the same.
	Database func(context.Context) (Database, error)
	// Floor is the journal position from which a restart may replay: segments above it stay. Nil is the end.
	Floor  func() journal.Position
	Tracer trace.Tracer        // nil traces nothing
	Links  *telemetry.LinkRing // the requests that wrote the journal; nil links nothing
}

// Observer is told what happens, for metrics and traces. Its methods must be quick.
type Observer interface {
	// BatchStored is called when ClickHouse has a batch: events up to the journal position end, rows of cases upserted.
	BatchStored(start, end journal.Position, events, rows int, took time.Duration)
	// DeadLetters is called for rows given up.
	DeadLetters(table string, rows int)
	// Conflicts is called for events of a source that were kept apart.
	Conflicts(source string, events int)
}

// Shipper follows the journal and keeps ClickHouse up to date. Make one with New.
type Shipper struct {
	cfg          Config
	journal      *journal.Journal
	board        *tracker.Board
	sink         Sink
	dead         DeadLetters
	cursor       cursor
	cursorDirty  bool // the cursor says of this boot what the disk must know before anything is sent
	version      uint64
	progress     progress
	failing      atomic.Bool
	requests     chan request
	eventRows    refusals
	caseRows     refusals
	stable       stableClock
	stableNow    atomic.Int64        // of stable, in Unix nanoseconds; 0 when there is none
	deadLettered map[rowKey]bool     // rows of the batch under way
	keptBefore   map[payloadSum]bool // see rememberKept
	keptUntil    journal.Position    // once the cursor is there, keptBefore has served
	completeAt   journal.Position    // once shipped so far, a board that was read back is complete
	resetBoard   bool                // ClickHouse may lack what the board takes it to hold
	burst        burst
}

// New returns a Shipper that goes on at the cursor, which it reads. One of another journal is left aside, since
// positions mean nothing there: shipping begins anew.
func New(cfg Config, j *journal.Journal, b *tracker.Board, sink Sink, dead DeadLetters) (*Shipper, error) {
	if cfg.Tracer == nil {
		cfg.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if cfg.Links == nil {
		cfg.Links = telemetry.NewLinkRing(1)
	}
	if cfg.FS == nil {
		cfg.FS = disk.OS{}
	}
	setDefault(&cfg.BatchRows, 50_000)
	setDefault(&cfg.BatchBytes, 32<<20)
	setDefault(&cfg.Linger, time.Second)
	setDefault(&cfg.KeepFor, 24*time.Hour)
	setDefault(&cfg.StableFor, 10*time.Minute)
	setDefault(&cfg.DeadLetterPerMinute, 100)
	s := &Shipper{
		cfg: cfg, journal: j, board: b, sink: sink, dead: dead, requests: make(chan request),
		stable: stableClock{stableFor: cfg.StableFor}, eventRows: refusals{perMinute: cfg.DeadLetterPerMinute},
		caseRows:     refusals{perMinute: cfg.DeadLetterPerMinute},
		deadLettered: map[rowKey]bool{}, burst: burst{grown: true}, // a start grows memory as well
	}
	var err error
	if s.cursor, err = readCursor(cfg.FS, cfg.Dir, j); err != nil {
		return nil, err
	}
	was := s.cursor
	var lost bool
	if s.cursor, lost = was.afterBoot(cfg.Boot, j.Stats().First); lost {
		cfg.Log.Warn("host restarted without a clean stop, sending the journal again", "from",
			uint64(s.cursor.Start), "to", uint64(was.Start))
	}
	s.cursorDirty = s.cursor != was
	s.progress.set(s.cursor.Start)
	s.resetBoard = s.cursor.Again > s.cursor.Start
	return s, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Run ships until ctx ends. It returns nil then, and an error only where going on could lose or double an event. At
// damage in the journal it stops shipping and goes on with its other duties, so that events are still accepted, until
// an operator passes over the damage. Whatever else fails is tried again, a cursor that cannot be written too.
func (s *Shipper) Run(ctx context.Context) error {
	if err := s.retry(ctx, "prepare", s.prepare); err != nil {
		if ctx.Err() != nil { // nothing else ends the attempts
			return s.stop()
		}
		return err
	}
	s.progress.prepared()
	reader, err := s.journal.NewReader(s.cursor.Start)
	if err == nil {
		defer reader.Close()
	}
	feed := s.newFeed(reader)
	feed.unreadable = err
	feeding, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		feed.run(feeding)
	}()
	defer func() { stop(); <-done }()
	tick := time.NewTicker(idleTick)
	defer tick.Stop()
	for {
		trim := false
		select {
		case <-ctx.Done():
			return s.stop()
		case <-tick.C:
			trim = s.burst.trims(s.drained())
		case r := <-s.requests:
			r.done <- r.do(ctx)
		case next := <-feed.batches:
			if err := next.err; err != nil {
				if ctx.Err() != nil || errors.Is(err, journal.ErrClosed) {
					return nil
				}
				if !isDamage(err) {
					return fmt.Errorf("read the journal: %w", err)
				}
				s.cfg.Log.Error("shipping stopped at damage in the journal; events are still accepted",
					"shipped", uint64(s.Shipped()), "error", err)
				break // the feed has ended
			}
			if next.batch == nil {
				s.progress.advance(next.upTo) // nothing that ClickHouse needs lies before it
				break
			}
			if err := s.ship(ctx, next.batch); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			trim = s.burst.shipped(len(next.batch.events), s.drained())
			feed.recycle(next.batch)
		}
		if !s.board.Complete() && s.Shipped() >= s.completeAt {
			s.board.SetComplete(true)
			s.progress.notify()
			s.cfg.Log.Info("board complete")
		}
		s.deleteShipped()
		if trim {
			s.trim(feed)
		}
		s.requeue(ctx)
	}
}

// drained reports whether less than fewBytes wait to be shipped.
func (s *Shipper) drained() bool { return s.Shipped()+fewBytes > s.journal.End() }

// stop notes that the shipper ended in order: the host may boot again without anything being lost.
func (s *Shipper) stop() error {
	c := s.cursor
	c.Closed = true
	return s.writeCursor(c)
}

// StableNow returns the latest instant by which it was safe to forget anything: the clock had run for a while without a
// jump. It stands still while ClickHouse takes nothing, and is zero at first.
func (s *Shipper) StableNow() time.Time {
	if n := s.stableNow.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// deleteShipped deletes what ClickHouse has: cases that nobody works on, segments that are old enough.
func (s *Shipper) deleteShipped() {
	now := s.stable.now(s.cfg.Now())
	if !now.IsZero() {
		s.stableNow.Store(now.UnixNano())
	}
	s.board.Evict(uint64(s.Shipped()), now)
	upTo := s.cursor.Start // a restart reads from there
	if s.cfg.Floor != nil {
		upTo = min(upTo, s.cfg.Floor())
	}
	if _, err := s.journal.Retain(upTo, now.Add(-s.cfg.KeepFor)); err != nil {
		s.cfg.Log.Warn("shipped segments not deleted", "error", err)
	}
}

// The waits between attempts: doubled from the first to the last.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 10 * time.Second
)

// retry repeats do until it works or ctx ends.
func (s *Shipper) retry(ctx context.Context, what string, do func(context.Context) error) error {
	wait := firstWait
	for {
		err := do(ctx)
		if err == nil {
			if s.failing.Swap(false) {
				s.cfg.Log.Info("clickhouse available again")
			}
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		if !s.failing.Swap(true) {
			s.cfg.Log.Warn("shipping failed, events wait in the journal", "step", what, "error", err)
		} else {
			s.cfg.Log.Debug("shipping failed again", "step", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, lastWait)
	}
}
