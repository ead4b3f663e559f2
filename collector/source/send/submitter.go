package send

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/monev112/monev112/collector/event"
)

// Submitter takes one batch of events and answers for each of them. It is safe for concurrent use.
type Submitter interface {
	// Submit takes count events, one JSON object a line; body is only read, and only until Submit returns. The error
	// wraps a *Temporary when the same batch may be taken later, and is ErrTooLarge when smaller batches may be taken.
	Submit(ctx context.Context, body []byte, count int) (Answer, error)
}

// Answer says what became of the events of one batch.
type Answer struct {
	event.Receipt     // its Rejected count the events of the batch from 0
	Tries         int `json:"-"` // 1 when the first try was answered
}

// ErrTooLarge says that a batch has to be split.
var ErrTooLarge = errors.New("the collector takes no batch of this size")

// Temporary is a failure that may pass.
type Temporary struct {
	Cause error
	After time.Duration // how long the collector asks to wait; 0: it does not say
}

// Error is the text of the cause.
func (t *Temporary) Error() string { return t.Cause.Error() }

// Unwrap returns the cause.
func (t *Temporary) Unwrap() error { return t.Cause }

// Patience says how long and how often something is tried again that fails with a *Temporary error.
type Patience struct {
	Total       time.Duration // of all tries; 0 is one try, negative is for ever
	FirstWait   time.Duration // before the second try; doubles up to LongestWait; default 250 ms
	LongestWait time.Duration // also bounds what the collector may ask for; default 30 s

	Now     func() time.Time                           // default time.Now
	Sleep   func(context.Context, time.Duration) error // default Sleep
	OnRetry func(Retry)                                // told before each wait, by several goroutines; may be nil
}

// Retry is a try that failed and will be repeated.
type Retry struct {
	Try   int // from 1
	Wait  time.Duration
	Cause error
}

// Do calls try until it succeeds, fails for good, the patience is exhausted or ctx ends. It returns how often it tried.
func (p Patience) Do(ctx context.Context, try func() error) (tries int, err error) {
	now, sleep := p.Now, p.Sleep
	if now == nil {
		now = time.Now
	}
	if sleep == nil {
		sleep = Sleep
	}
	longest := cmp.Or(p.LongestWait, 30*time.Second)
	wait := cmp.Or(p.FirstWait, 250*time.Millisecond)
	start := now()
	for n := 1; ; n++ {
		err := try()
		var passing *Temporary
		if !errors.As(err, &passing) || p.Total == 0 {
			return n, err
		}
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		// Half of the wait is random, so that many senders do not come back at once.
		pause := wait/2 + rand.N(wait/2+1)
		if passing.After > 0 {
			pause = min(passing.After, longest)
		}
		if p.Total > 0 && now().Add(pause).Sub(start) > p.Total {
			tries := "one try"
			if n > 1 {
				tries = fmt.Sprintf("%d tries", n)
			}
			return n, fmt.Errorf("gave up after %s and %s: %w", now().Sub(start).Round(time.Second), tries, passing.Cause)
		}
		if p.OnRetry != nil {
			p.OnRetry(Retry{Try: n, Wait: pause, Cause: passing.Cause})
		}
		if err := sleep(ctx, pause); err != nil {
			return n, err
		}
		wait = min(2*wait, longest)
	}
}

// Sleep waits for d; it returns the context's error when that ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
