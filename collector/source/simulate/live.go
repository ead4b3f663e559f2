package simulate

import (
	"context"
	"time"

	"github.com/monev112/monev112/collector/source/send"
)

// Clock is how Run and Pace know the time and wait. The zero value is the machine's clock.
type Clock struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error // returns the context's error when it ends first
}

func (c Clock) withDefaults() Clock {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = send.Sleep
	}
	return c
}

// paceStep is the shortest wait: what falls due within it is handed over together.
const paceStep = 100 * time.Millisecond

// Pace hands the messages of g over when their time has come: those of the past at once, the others by the clock.
// Before each wait it calls flush, so that nothing handed over is left waiting. It ends, with nil, after the last
// message, or, when the generator's range has an end, at the first message after it that still lies in the future; with
// the error of hand or flush; or with the context's.
func Pace(ctx context.Context, g *Generator, clock Clock, hand func(*Message) error, flush func() error) error {
	clock = clock.withDefaults()
	var m Message
	for ctx.Err() == nil && g.ready() {
		at := g.due()
		for now := clock.Now(); at.After(now); now = clock.Now() {
			if !g.o.To.IsZero() && !now.Before(g.o.To) {
				return flush()
			}
			if err := flush(); err != nil {
				return err
			}
			if err := clock.Sleep(ctx, max(at.Sub(now), paceStep)); err != nil {
				return err
			}
		}
		g.Next(&m)
		if err := hand(&m); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return flush()
}
