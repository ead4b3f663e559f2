package report

import (
	"context"
	"fmt"
	"time"
)

// MakingError is a report that takes longer than its asker waits. It goes on being made: whoever asks again gets it.
type MakingError struct{ Center, Month string }

func (e *MakingError) Error() string {
	return fmt.Sprintf("the report of %s of centre %s is being made: ask again in %d seconds", e.Month, e.Center,
		AskAgain/time.Second)
}

// How long reports are made and waited for.
const (
	AskAgain = 5 * time.Second  // after a MakingError
	waitFor  = 45 * time.Second // where a request does not say
	makeFor  = 30 * time.Minute
	keepMade = 10 * time.Minute // for those who ask again
)

// wanted tells requests apart that are answered by one making.
type wanted struct {
	center, month                string
	draft, again, fresh, handOut bool
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
// on when everybody has left: the next who wants it gets that.
func (r *Runner) once(ctx context.Context, w wanted, do func(ctx context.Context) (*Result, error)) (*Result, error) {
	r.mu.Lock()
	for w, m := range r.made {
		if !m.until.IsZero() && !r.cfg.Now().Before(m.until) {
			delete(r.made, w)
		}
	}
	m := r.made[w]
	if m == nil {
		m = &making{done: make(chan struct{})}
		r.made[w] = m
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeFor)
			defer cancel()
			result, err := do(ctx)
			r.mu.Lock()
			defer r.mu.Unlock()
			m.result, m.err, m.until = result, err, r.cfg.Now().Add(keepMade)
			close(m.done)
		}()
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
