package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/ingest/quarantine"
)

// requeueEvery is how often the service looks for refused events that an operator marked.
const requeueEvery = 2 * time.Second

// requeue sends refused events, once marked, through the door again until ctx ends: what the vocabulary, the directory
// or the clock now let in is accepted, what is refused again stays in the quarantine. door is like the public one,
// except that it takes the tokens in the place of callers.
func (a *App) requeue(ctx context.Context, d *door, in httpapi.Ingest) {
	tick := time.NewTicker(requeueEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if a.ingest.Ready() != nil {
			continue // the marks wait
		}
		asked := 0
		accepted, err := a.kept.refused.Requeue(func(e quarantine.Entry) error {
			asked++
			return d.again(ctx, e.Event, in, a.cfg.Now())
		})
		if asked > 0 || err != nil {
			a.cfg.Log.Info("refused events were tried again", "accepted", accepted, "refused_again", asked-accepted)
		}
	}
}

// again takes one event of the quarantine in. The error wraps quarantine.ErrLater when it should be tried once more.
func (d *door) again(ctx context.Context, text []byte, in httpapi.Ingest, now time.Time) error {
	decoded, err := d.Decode(httpapi.Single, text, now)
	if err != nil {
		return err
	}
	if len(decoded.Refused) > 0 {
		return &decoded.Refused[0]
	}
	done, err := in.Submit(ctx, decoded.Events)
	switch {
	case errors.Is(err, httpapi.ErrBusy), errors.Is(err, httpapi.ErrUnavailable), ctx.Err() != nil:
		return fmt.Errorf("%w: %w", quarantine.ErrLater, errors.Join(err, ctx.Err()))
	case err != nil:
		return err
	case len(done.Conflicts) > 0:
		return &event.Refusal{
			Field: event.FieldID, Reason: event.Conflict, Detail: "the same source and id came before with another content",
		}
	}
	return nil
}
