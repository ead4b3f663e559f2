package report

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// MakingError is a report that takes longer than its asker waits. It goes on being made: whoever asks again gets it.
type MakingError struct{ Center, Month string }

func (e *MakingError) Error() string {
	return fmt.Sprintf("the report of %s of centre %s is being made: ask again in %d seconds", e.Month, e.Center,
		AskAgain/time.Second)
}

// BusyError is a report that is not made now: as many are being made as may be, or the service stops. Ask again after
// AskAgain.
type BusyError struct{ Reason string }

func (e *BusyError) Error() string { return e.Reason }

// How long reports are made and waited for, and how many.
const (
	AskAgain   = 5 * time.Second  // after a MakingError or a BusyError
	waitFor    = 45 * time.Second // where a request does not say
	makeFor    = 30 * time.Minute
	keepMade   = 10 * time.Minute // for those who ask again
	keepFresh  = 2 * AskAgain     // what is to be of this moment
	maxMakings = 4                // unfinished
	maxKept    = 8                // finished, and fetched by nobody yet
)

// wanted tells requests apart that are answered by one making.
type wanted struct {
	center, month                       string
	draft, again, fresh, handOut, polls bool
}

// keep is how long a result waits for somebody to fetch it. Who hands out again means what is written by now: that is
// never what an earlier request left behind, unless the asker is known to repeat that very request.
func (w wanted) keep() time.Duration {
	switch {
	case w.again && !w.polls:
		return 0
	case w.again, w.fresh:
		return keepFresh
	}
	return keepMade
}

// making is a report that is being made for everybody who asks for it meanwhile, or that was made after they all had
// stopped waiting.
type making struct {
	done    chan struct{}
	result  *Result // of no OPD
	err     error
	waiting int
	until   time.Time // kept until then, once it is made; zero before
}

// once makes what is wanted, or waits for it where somebody wanted it already, as long as ctx lasts. What is made goes
// on when everybody has left: the next who wants it gets that. A *BusyError says that it was not begun.
func (r *Runner) once(ctx context.Context, w wanted, do func(ctx context.Context) (*Result, error)) (*Result, error) {
	r.mu.Lock()
	unfinished := r.forget()
	m := r.made[w]
	if m == nil {
		var busy error
		switch {
		case r.life.Err() != nil:
			busy = errStopping
		case unfinished >= maxMakings:
			busy = &BusyError{fmt.Sprintf("%d reports are being made, which is as many as may be: ask again in %d seconds",
				unfinished, AskAgain/time.Second)}
		}
		if busy != nil {
			r.mu.Unlock()
			return nil, busy
		}
		m = &making{done: make(chan struct{})}
		r.made[w] = m
		r.makings.Go(func() { r.run(w, m, do) })
	}
	m.waiting++
	r.mu.Unlock()
	select {
	case <-m.done:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.waiting--
	if m.until.IsZero() {
		return nil, &MakingError{w.center, w.month}
	}
	if m.waiting == 0 && r.made[w] == m { // nobody else is owed it
		delete(r.made, w)
	}
	return m.result, m.err
}

var errStopping = &BusyError{"the service is stopping: ask again in a moment"}

// run makes what is wanted, however long its askers wait, but no longer than the service lives.
func (r *Runner) run(w wanted, m *making, do func(ctx context.Context) (*Result, error)) {
	ctx, cancel := context.WithTimeout(r.life, makeFor)
	defer cancel()
	var result *Result
	err := r.guarded(func() (err error) {
		result, err = do(ctx)
		return err
	})
	if err != nil && r.life.Err() != nil {
		err = errStopping
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.result, m.err, m.until = result, err, r.cfg.Now().Add(w.keep())
	r.forget()
	close(m.done)
}

// guarded turns a panic into an error: a fault of a report must not end the intake of events. The value of a panic may
// hold data, so that only runtime errors are logged whole.
func (r *Runner) guarded(do func() error) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		what := fmt.Sprintf("%T", v)
		if fault, ok := v.(runtime.Error); ok {
			what = fault.Error()
		}
		r.cfg.Log.Error("report panicked", "panic", what, "stack", string(debug.Stack()))
		err = fmt.Errorf("making the report panicked: %s", what)
	}()
	return do()
}

// forget drops what waited long enough for somebody to fetch it, and the oldest of too many. It returns how many are
// being made. r.mu is held.
func (r *Runner) forget() (unfinished int) {
	var oldest wanted
	kept := 0
	for w, m := range r.made {
		switch {
		case m.until.IsZero():
			unfinished++
		case !r.cfg.Now().Before(m.until):
			delete(r.made, w)
		default:
			if kept++; kept == 1 || m.until.Before(r.made[oldest].until) {
				oldest = w
			}
		}
	}
	if kept > maxKept { // one is added at a time
		delete(r.made, oldest)
	}
	return unfinished
}

// lock waits for its turn: one report is made at a time.
func (r *Runner) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case r.turn <- struct{}{}:
		return func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stop ends what is being made, and waits for its end.
func (r *Runner) stop() {
	r.mu.Lock()
	r.end()
	r.mu.Unlock()
	r.makings.Wait()
}
