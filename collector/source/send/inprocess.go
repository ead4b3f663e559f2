package send

import (
	"context"
	"encoding/json"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/tracker"
)

// InProcess takes events to the service that it is part of, and tells what that holds: what Client does over HTTP.
type InProcess struct {
	// Take hands events over, one JSON object a line. Its errors are those of Submitter.
	Take func(ctx context.Context, body []byte) (event.Receipt, error)
	// Held returns the events of one call or ticket, of any centre when center is empty.
	Held  func(ctx context.Context, kind event.Kind, center, id string) ([]*event.Event, error)
	Board *tracker.Board
	Now   func() time.Time
	Patience
}

// Submit implements Submitter.
func (p InProcess) Submit(ctx context.Context, body []byte, _ int) (a Answer, err error) {
	a.Tries, err = p.Do(ctx, func() (err error) {
		a.Receipt, err = p.Take(ctx, body)
		return err
	})
	return a, err
}

// Sources returns the names of the sources that the service has ever heard of.
func (p InProcess) Sources(context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	for _, s := range p.Board.Snapshot(p.Now()).Sources {
		out[s.Source] = true
	}
	return out, nil
}

// Events returns the events that the service holds of one call or ticket. kind is "call" or "ticket".
func (p InProcess) Events(ctx context.Context, kind, center, id string) (out []HeldEvent, err error) {
	of := event.KindCall
	if kind == event.KindTicket.String() {
		of = event.KindTicket
	}
	_, err = p.Do(ctx, func() error {
		events, err := p.Held(ctx, of, center, id)
		if err != nil {
			return &Temporary{Cause: err}
		}
		for _, e := range events {
			var held HeldEvent
			if err := json.Unmarshal(event.AppendJSON(nil, e), &held); err != nil {
				return err
			}
			out = append(out, held)
		}
		return nil
	})
	return out, err
}
