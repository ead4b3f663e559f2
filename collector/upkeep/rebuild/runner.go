package rebuild

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/disk"
	"github.com/monev112/monev112/collector/internal/faultpoint"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

// Config is what a Runner works with. FS, PortionCases, PageCases and RetryAfter have defaults.
type Config struct {
	Dir string // of the job's file
	FS  disk.FS
	// Connect gives ClickHouse and its writer, and false while there is none.
	Connect func() (Database, Writer, bool)
	// Fold makes the row of a case from its events, of a ticket with its calls.
	Fold func(tracker.Loaded, []tracker.Loaded) (tracker.Row, []*event.Event)
	// Centers lists the codes of all centres.
	Centers []string
	// Location is a centre's time zone.
	Location func(center string) *time.Location
	// Basis names what Fold works with; see Job.Basis.
	Basis string
	Now   func() time.Time
	Log   *slog.Logger

	PortionCases int           // folded at once on the writer's goroutine; 3,000: live events wait that long
	PageCases    int           // whose keys are held in memory; 100,000
	RetryAfter   time.Duration // how long a job waits after a failure; 2 s
}

// Runner runs one rebuild at a time. It is safe for concurrent use.
type Runner struct {
	cfg    Config
	wake   chan struct{}
	mu     sync.Mutex
	job    *Job
	cancel context.CancelFunc // of the present run of the job; nil while none runs
}

// New returns a Runner that knows the latest job. One that a stop left unfinished waits until it is requested again.
func New(cfg Config) (*Runner, error) {
	if cfg.FS == nil {
		cfg.FS = disk.OS{}
	}
	if cfg.PortionCases <= 0 {
		cfg.PortionCases = 3000
	}
	if cfg.PageCases <= 0 {
		cfg.PageCases = 100_000
	}
	if cfg.RetryAfter <= 0 {
		cfg.RetryAfter = 2 * time.Second
	}
	r := &Runner{cfg: cfg, wake: make(chan struct{}, 1)}
	var err error
	if r.job, err = load(cfg.FS, cfg.Dir); err != nil {
		return nil, err
	}
	if r.job != nil && r.job.Status == Running {
		r.job.Status = Stopped
		cfg.Log.Warn("rebuild interrupted: part of its period still has the old rules; request it again to continue",
			"id", r.job.ID, "done", r.job.Done, "total", r.job.Total)
	}
	return r, nil
}

// Start begins a rebuild, continues the same one that was stopped, or returns the same one that is running. While
// another one runs the error is ErrBusy; a *SpecError is an invalid request.
func (r *Runner) Start(ctx context.Context, spec Spec) (Job, error) {
	if err := spec.check(); err != nil {
		return Job{}, err
	}
	db, _, ok := r.cfg.Connect()
	if !ok {
		return Job{}, ErrAway
	}
	centers, err := r.resolveCenters(ctx, db, &spec)
	if err != nil {
		return Job{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.cfg.Now().UTC()
	switch j := r.job; {
	case j != nil && j.Status == Running && j.Spec.equal(spec):
		return j.clone(), nil
	case j != nil && j.Status == Running, r.cancel != nil: // the latter: stopped, and not yet at rest
		return j.clone(), ErrBusy
	case j != nil && j.Status == Stopped && j.Spec.equal(spec) && j.Basis == r.cfg.Basis:
		j.Status, j.Resumed = Running, j.Resumed+1
	default:
		restarted := 0
		if j != nil && j.Status == Stopped && j.Spec.equal(spec) {
			restarted = j.Restarted + 1
		}
		r.job = &Job{
			ID: newID(), Spec: spec, Centers: centers, Status: Running, Basis: r.cfg.Basis,
			StartedAt: now.Truncate(time.Millisecond), Restarted: restarted,
		}
	}
	r.job.UpdatedAt, r.job.Error = now, ""
	if err := r.job.save(r.cfg.FS, r.cfg.Dir); err != nil {
		r.job.Status = Stopped
		return Job{}, err
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return r.job.clone(), nil
}

// resolveCenters checks a spec, sorts its centres and returns those that it means, sorted.
func (r *Runner) resolveCenters(ctx context.Context, db Database, spec *Spec) ([]string, error) {
	stored, err := db.Centers(ctx)
	if err != nil {
		return nil, errors.Join(ErrAway, err)
	}
	all := slices.Concat(stored, r.cfg.Centers)
	slices.Sort(all)
	all = slices.Compact(all)
	spec.Centers = slices.Clone(spec.Centers)
	slices.Sort(spec.Centers)
	spec.Centers = slices.Compact(spec.Centers)
	for _, c := range spec.Centers {
		if !slices.Contains(all, c) {
			return nil, &SpecError{"center", "neither the directory nor the database has this centre"}
		}
	}
	if len(spec.Centers) == 0 {
		return all, nil
	}
	return spec.Centers, nil
}

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return "r" + hex.EncodeToString(b[:])
}

// Get returns the job with an id; the latest, when id is empty.
func (r *Runner) Get(id string) (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job == nil || id != "" && r.job.ID != id {
		return Job{}, ErrUnknown
	}
	return r.job.clone(), nil
}

// Stop ends a running job; a request for the same one continues it.
func (r *Runner) Stop(id string) (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job == nil || r.job.ID != id {
		return Job{}, ErrUnknown
	}
	if r.job.Status == Running {
		r.job.Status = Stopped
		if r.cancel != nil {
			r.cancel()
		}
	}
	return r.job.clone(), nil
}

// Run works on what Start asks for, until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		r.work(ctx)
	}
}

// work runs the present job to its end or its stop. What fails is tried again.
func (r *Runner) work(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	if r.job.Status != Running {
		r.mu.Unlock()
		return
	}
	r.cancel = cancel
	r.mu.Unlock()
	for ctx.Err() == nil {
		err := r.run(ctx)
		if err == nil || ctx.Err() != nil {
			break
		}
		r.cfg.Log.Warn("rebuild failed, will retry", "error", err)
		r.update(func(j *Job) { j.Error = err.Error() })
		select {
		case <-ctx.Done():
		case <-time.After(r.cfg.RetryAfter):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel = nil
	if r.job.Status == Running && ctx.Err() != nil {
		r.job.Status = Stopped
	}
	if err := r.job.save(r.cfg.FS, r.cfg.Dir); err != nil {
		r.cfg.Log.Warn("rebuild progress not saved", "error", err)
	}
	r.cfg.Log.Info("rebuild ended", "id", r.job.ID, "status", string(r.job.Status), "done", r.job.Done, "cases_changed",
		r.job.Cases, "clocks_changed", r.job.Clocks)
}

// update changes the job under the lock.
func (r *Runner) update(change func(*Job)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r.job)
	r.job.UpdatedAt = r.cfg.Now().UTC()
}

// save changes the job and stores it. Only the job's own run calls it, so that nothing else changes what it stores but
// the status.
func (r *Runner) save(change func(*Job)) error {
	r.update(change)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.job.save(r.cfg.FS, r.cfg.Dir)
}

// run works through the centres of the job from its position on.
func (r *Runner) run(ctx context.Context) error {
	j, err := r.Get("")
	if err != nil {
		return err
	}
	for _, center := range j.Centers {
		if center < j.Position.Center || center == j.Position.Center && j.Position.Kind == endOfCenter {
			continue
		}
		if err := r.runCenter(ctx, center); err != nil {
			return err
		}
	}
	return r.save(func(j *Job) { j.Status, j.Center, j.Error = Done, "", "" })
}

func (r *Runner) runCenter(ctx context.Context, center string) error {
	db, writer, ok := r.cfg.Connect()
	if !ok {
		return ErrAway
	}
	j, err := r.Get("")
	if err != nil {
		return err
	}
	span := r.span(j.Spec, center)
	after := event.Key{Center: center}
	if j.Position.Center == center {
		after = j.Position.key()
	}
	if j.Center != center {
		n, err := db.CountCases(ctx, center, span)
		if err != nil {
			return err
		}
		r.update(func(j *Job) { j.Center, j.Total = center, j.Total+int64(n) })
	}
	for {
		page, err := db.CaseKeys(ctx, center, span, after, r.cfg.PageCases)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return r.save(func(j *Job) { j.Position = position{Center: center, Kind: endOfCenter, ID: ""} })
		}
		for len(page) > 0 {
			n := min(len(page), r.cfg.PortionCases)
			if through, ok := r.pending(); ok { // exactly the portion that was under way
				n = 0
				for n < len(page) && !isAfter(page[n], through) {
					n++
				}
			}
			if err := onWriter(ctx, writer, func(ctx context.Context) error {
				return r.portion(ctx, db, writer, page[:n])
			}); err != nil {
				return err
			}
			if n > 0 {
				after = page[n-1]
			}
			page = page[n:]
		}
	}
}

// onWriter runs fn on the writer's goroutine and returns only when fn has ended or will never begin.
func onWriter(ctx context.Context, writer Writer, fn func(context.Context) error) error {
	var mu sync.Mutex
	begun, given := false, false
	ended := make(chan struct{})
	err := writer.Do(ctx, func(ctx context.Context) error {
		mu.Lock()
		if given {
			mu.Unlock()
			return context.Canceled
		}
		begun = true
		mu.Unlock()
		defer close(ended)
		return fn(ctx)
	})
	mu.Lock()
	given = true
	mu.Unlock()
	if begun {
		<-ended
	}
	return err
}

// endOfCenter is the Kind of a position behind every case of its centre.
const endOfCenter = "~"

func (r *Runner) pending() (event.Key, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.job.Pending == nil {
		return event.Key{}, false
	}
	return r.job.Pending.Through.key(), true
}

func isAfter(k, through event.Key) bool {
	if k.Kind != through.Kind {
		return k.Kind > through.Kind
	}
	return k.ID > through.ID
}

// portion folds some cases and writes what changed. It runs on the writer's goroutine. What it finds is kept before the
// first row is written: after a crash the rows may be written already, and only the file knows what they changed.
func (r *Runner) portion(ctx context.Context, db Database, writer Writer, keys []event.Key) error {
	j, err := r.Get("")
	if err != nil {
		return err
	}
	rows, found, err := r.examine(ctx, db, keys, j.StartedAt)
	if err != nil {
		return err
	}
	_, again := r.pending()
	if !again {
		p := &portion{Through: positionOf(keys[len(keys)-1]), Cases: int64(len(keys)), Findings: found}
		if len(rows) > 0 && !j.Spec.DryRun {
			if err := r.save(func(j *Job) { j.Pending = p }); err != nil {
				return err
			}
		} else {
			r.update(func(j *Job) { j.Pending = p })
		}
	}
	faultpoint.Hit("rebuild.pending")
	if len(rows) > 0 && !j.Spec.DryRun {
		if err := writer.Upsert(ctx, rows); err != nil {
			return err
		}
	}
	faultpoint.Hit("rebuild.upsert")
	return r.save(func(j *Job) {
		p := j.Pending
		j.Findings.add(&p.Findings)
		j.Position, j.Done, j.Pending, j.Error = p.Through, j.Done+p.Cases, nil, ""
	})
}

// span is the period of a job in a centre's own days.
func (r *Runner) span(spec Spec, center string) store.Span {
	at := func(day string) time.Time {
		if day == "" {
			return time.Time{}
		}
		t, err := time.ParseInLocation(time.DateOnly, day, r.cfg.Location(center))
		if err != nil {
			return time.Time{} // checked by settle
		}
		return t.UTC()
	}
	return store.Span{Since: at(spec.Since), Until: at(spec.Until)}
}
