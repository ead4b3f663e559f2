package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/journal"
)

var (
	errStarting = fmt.Errorf("%w: the journal is being replayed", ErrUnavailable)
	errStopping = fmt.Errorf("%w: the service is stopping", ErrUnavailable)
)

// Loop is the only writer of a journal and a board. Submit, Ready and the other readers may be called concurrently;
// Restore and Run once.
type Loop struct {
	cfg   Config
	jrn   *journal.Journal
	board Board
	obs   Observer
	queue *queue

	notReady atomic.Pointer[error] // nil when able to accept
	born     time.Time             // with a monotonic reading
	atWork   atomic.Int64          // since when, in nanoseconds after born and one; 0: the loop waits for something to do
	keyer    atomic.Pointer[seen]  // for its secret; set by Restore

	// Owned by Restore, then by Run.
	restored bool
	seen     *seen
	seenBase uint32    // the loop's own time, in seconds, when epoch was
	epoch    time.Time // with a monotonic reading: a step of the wall clock does not age ids
	applied  journal.Position
	group    groupScratch
	refusing bool // the journal could not write when last tried

	// Of the checkpoints.
	ckptMu   sync.Mutex
	floor    journal.Position // a replay may have to begin here
	current  journal.Position // of the newest checkpoint
	ckptFrom journal.Position // applied when the last attempt began
	ckptBusy bool
	ckptDone chan error
}

// groupScratch is the memory of one group, used again for the next.
type groupScratch struct {
	requests []*request
	// The events that were not seen before, what the journal is given of them, their keys and their journal positions.
	events  []*event.Event
	records [][]byte
	keys    []seenKey
	ends    []uint64
	of      []place
	repeats []place // events whose first copy is in this very group
	pending map[seenKey]seenDigest
}

// place is where an event stands: the i-th of a request.
type place struct {
	request *request
	i       int
}

// New returns a loop over an open journal and an empty board. It reads and writes nothing; Restore does.
func New(cfg Config, j *journal.Journal, board Board, obs Observer) (*Loop, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	if cfg.GroupBytes > j.GroupBytes()/2 {
		return nil, fmt.Errorf("ingest: GroupBytes is %d; it must be at most half of the journal's %d", cfg.GroupBytes,
			j.GroupBytes())
	}
	l := &Loop{
		cfg: cfg, jrn: j, board: board, obs: obs,
		queue:    newQueue(cfg.QueueEvents, cfg.QueueBytes),
		group:    groupScratch{pending: map[seenKey]seenDigest{}},
		ckptDone: make(chan error, 1),
		born:     cfg.Now(),
	}
	if obs.Watch != nil {
		obs.Watch(l.Stalled)
	}
	l.notReady.Store(&errStarting)
	return l, nil
}

// StalledAfter is how long one piece of work may take until the loop counts as standing still. A group takes
// milliseconds; what takes longer is a disk that does not answer, or a fault of this program.
const StalledAfter = 5 * time.Second

// Ready returns nil when the loop can accept events, else the reason.
func (l *Loop) Ready() error {
	if err := l.writable(); err != nil {
		return err
	}
	if d := l.Stalled(); d > StalledAfter {
		return fmt.Errorf("%w: one group of events is being worked on for %s", ErrUnavailable, d.Truncate(time.Second))
	}
	return nil
}

// writable returns why nothing can be accepted, as setReady said last.
func (l *Loop) writable() error {
	if p := l.notReady.Load(); p != nil {
		return *p
	}
	return nil
}

// Stalled returns for how long the loop has been at one piece of work: a group of events, the copy for a checkpoint, a
// try at the journal. It is 0 while it waits for something to do.
func (l *Loop) Stalled() time.Duration {
	since := l.atWork.Load()
	if since == 0 {
		return 0
	}
	return max(0, l.cfg.Now().Sub(l.born)-time.Duration(since-1))
}

// work does a piece of work, so that Stalled can tell how long it takes.
func (l *Loop) work(do func()) {
	l.atWork.Store(1 + int64(l.cfg.Now().Sub(l.born)))
	defer l.atWork.Store(0)
	do()
}

func (l *Loop) setReady(reason error) {
	was := l.writable()
	if reason == nil {
		l.notReady.Store(nil)
	} else {
		l.notReady.Store(&reason)
	}
	if (was == nil) != (reason == nil) && l.obs.Ready != nil {
		l.obs.Ready(reason)
	}
}

// Submit hands events over and waits until they are on stable storage and on the board. A nil error means that each
// event has its final status. On ErrBusy, ErrUnavailable and ErrTooLarge nothing of the request was acknowledged. When
// ctx ends first its error is returned and the outcome is unknown: send the same ids again. The events must not be
// changed after the call, whatever it returns.
func (l *Loop) Submit(ctx context.Context, events []*event.Event) (Result, error) {
	if err := l.Ready(); err != nil {
		return Result{}, err
	}
	if len(events) == 0 {
		return Result{}, nil
	}
	if len(events) > l.cfg.QueueEvents {
		return Result{}, fmt.Errorf("%w: %d, limit %d", ErrTooLarge, len(events), l.cfg.QueueEvents)
	}
	if l.queue.full(len(events)) {
		return Result{}, ErrBusy
	}
	r := l.newRequest(events)
	if size := journal.GroupSize(len(events), r.bytes); size > l.jrn.GroupBytes() || int64(r.bytes) > l.cfg.QueueBytes {
		return Result{}, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, size,
			min(int64(l.jrn.GroupBytes()), l.cfg.QueueBytes))
	}
	if err := l.queue.put(r); err != nil {
		return Result{}, err
	}
	select {
	case err := <-r.done:
		if err != nil {
			return Result{}, err
		}
		return r.result(), nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// newRequest does the work that needs no order on the submitter's goroutine.
func (l *Loop) newRequest(events []*event.Event) *request {
	r := &request{
		events:   events,
		payloads: make([][]byte, len(events)),
		keys:     make([]seenKey, len(events)),
		statuses: make([]Status, len(events)),
		done:     make(chan error, 1),
	}
	keyer := l.keyer.Load()
	scratch := scratchPool.Get().(*[]byte)
	defer scratchPool.Put(scratch)
	for i, e := range events {
		*scratch = event.AppendBinary((*scratch)[:0], e)
		// A copy of its own: the board may keep this one for weeks and its neighbours for seconds.
		r.payloads[i] = append(make([]byte, 0, len(*scratch)), *scratch...)
		r.keys[i] = keyer.keyOf(e)
		r.bytes += len(*scratch)
	}
	return r
}

var scratchPool = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

func (r *request) result() Result {
	res := Result{Statuses: r.statuses}
	for _, s := range r.statuses {
		switch s {
		case Accepted, Reduced:
			res.Accepted++
		case Duplicate:
			res.Duplicates++
		case Conflict:
			res.Conflicts++
		}
	}
	return res
}

// Run accepts and processes events until ctx ends; then it refuses new ones, finishes those that wait, writes a last
// checkpoint and returns nil. It calls Restore first unless that was done, and returns its error.
func (l *Loop) Run(ctx context.Context) error {
	if !l.restored {
		if _, err := l.Restore(ctx); err != nil {
			return err
		}
	}
	l.refusing = true
	l.work(l.probe)
	probe := time.NewTicker(l.cfg.ProbeEvery)
	defer probe.Stop()
	checkpoint := time.NewTicker(l.cfg.CheckpointEvery)
	defer checkpoint.Stop()
	for ctx.Err() == nil {
		l.processQueue()
		select {
		case <-ctx.Done():
		case <-l.queue.wake:
		case <-probe.C:
			l.seen.expire(l.seenNow(), 1<<12)
			l.work(l.probe)
		case <-checkpoint.C:
			l.work(l.startCheckpoint)
		case err := <-l.ckptDone:
			l.endCheckpoint(err)
		}
	}
	l.queue.close()
	l.processQueue()
	l.setReady(errStopping)
	return l.lastCheckpoint()
}

// processQueue processes all that waits.
func (l *Loop) processQueue() {
	g := &l.group
	for {
		g.requests = l.queue.take(g.requests[:0], l.cfg.GroupEvents, l.cfg.GroupBytes)
		if len(g.requests) == 0 {
			return
		}
		l.work(func() { l.processGroup(g.requests) })
		clear(g.requests)
		if int64(l.applied-l.ckptFrom) >= l.cfg.CheckpointBytes {
			l.work(l.startCheckpoint)
		}
		select { // a busy loop must see the end of a checkpoint too
		case err := <-l.ckptDone:
			l.endCheckpoint(err)
		default:
		}
	}
}

// probe tries a journal that could not write.
func (l *Loop) probe() {
	if l.refusing {
		_ = l.afterWrite(l.jrn.Probe()) // Ready tells
	}
}

// afterWrite becomes ready, or ceases to be, by whether the journal could write. It returns what senders are told.
func (l *Loop) afterWrite(err error) error {
	switch {
	case err != nil:
		if !l.refusing || errors.Is(l.writable(), errStarting) {
			l.cfg.Logger.Error("journal cannot write; events are refused until it can", "error", err)
		}
		l.refusing = true
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		l.setReady(err)
	case l.refusing:
		l.refusing = false
		l.setReady(nil)
	}
	return err
}

// processGroup makes one group of the requests: sort out known ids, append, apply, remember, answer.
func (l *Loop) processGroup(requests []*request) {
	g := &l.group
	var (
		st     GroupStats
		failed error // why nothing of the group was accepted
	)
	for _, r := range requests {
		l.classify(r)
	}
	l.admit()
	if len(g.events) > 0 {
		began := l.cfg.Now()
		start, end, err := l.jrn.Append(g.records)
		st.Append = l.cfg.Now().Sub(began)
		if failed = l.afterWrite(err); failed == nil {
			l.apply(start, end)
		}
	}
	for _, r := range requests {
		if r.needsAppend && failed != nil {
			r.done <- failed
			continue // the answers of the others hold without this append
		}
		res := r.result()
		st.Accepted += res.Accepted
		st.Duplicates += res.Duplicates
		st.Conflicts += res.Conflicts
		r.done <- nil
	}
	faultpoint.Hit("ingest.ack")
	clear(g.events)
	clear(g.records)
	clear(g.pending)
	clear(g.of)
	clear(g.repeats)
	g.events, g.records, g.keys, g.ends = g.events[:0], g.records[:0], g.keys[:0], g.ends[:0]
	g.of, g.repeats = g.of[:0], g.repeats[:0]
	if l.obs.Group != nil {
		l.obs.Group(st)
	}
}

// classify gives each event of r the status that it has if the append succeeds.
func (l *Loop) classify(r *request) {
	g := &l.group
	for i, e := range r.events {
		key, digest := r.keys[i], digestOf(e)
		known, ok := l.seen.find(key)
		if !ok {
			if known, ok = g.pending[key]; ok {
				// Its first copy is in this very group: the answer holds only if the group is appended.
				r.needsAppend = true
				g.repeats = append(g.repeats, place{r, i})
			}
		}
		switch {
		case !ok:
			g.pending[key] = digest
			g.events, g.records, g.keys = append(g.events, e), append(g.records, r.payloads[i]), append(g.keys, key)
			g.of = append(g.of, place{r, i})
			r.statuses[i], r.needsAppend = Accepted, true
		case known == digest:
			r.statuses[i] = Duplicate
		default:
			r.statuses[i] = Conflict
		}
	}
}

// admit takes out of the group what its cases have no room for.
func (l *Loop) admit() {
	g := &l.group
	if l.cfg.Admit == nil || len(g.events) == 0 {
		return
	}
	admitted := l.cfg.Admit(g.events)
	if admitted == nil {
		return
	}
	n := 0
	for i, e := range admitted {
		at := g.of[i]
		if e == nil {
			at.request.statuses[at.i] = Full
			delete(g.pending, g.keys[i])
			continue
		}
		if e != g.events[i] {
			at.request.statuses[at.i] = Reduced
			g.records[i] = event.AppendBinary(nil, e)
		}
		g.events[n], g.records[n], g.keys[n] = e, g.records[i], g.keys[i]
		n++
	}
	clear(g.events[n:])
	clear(g.records[n:])
	g.events, g.records, g.keys = g.events[:n], g.records[:n], g.keys[:n]
	for _, at := range g.repeats { // a copy is worth what the first is
		if _, accepted := g.pending[at.request.keys[at.i]]; !accepted {
			at.request.statuses[at.i] = Full
		}
	}
}

// apply puts the appended events on the board and then, not before, remembers their ids.
func (l *Loop) apply(start, end journal.Position) {
	g := &l.group
	pos := journal.FirstRecord(start)
	for _, payload := range g.records {
		pos = journal.AfterRecord(pos, len(payload))
		g.ends = append(g.ends, uint64(pos))
	}
	l.board.ApplyGroup(g.events, g.records, g.ends, true)
	faultpoint.Hit("ingest.apply")
	now := l.seenNow()
	for i, e := range g.events {
		l.seen.add(g.keys[i], digestOf(e), now)
	}
	l.applied = end
}

// seenNow is the loop's own time: seconds that it ran, over all restarts.
func (l *Loop) seenNow() uint32 {
	return l.seenBase + uint32(max(0, l.cfg.Now().Sub(l.epoch)/time.Second))
}
