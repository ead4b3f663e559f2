package collector

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/source/send"
)

// local is this process as a collector for its own sources: what send.Client is over HTTP.
type local struct {
	app *App
	send.Patience
}

// Submit implements send.Submitter.
func (l local) Submit(ctx context.Context, body []byte, _ int) (a send.Answer, err error) {
	a.Tries, err = l.Do(ctx, func() (err error) {
		a.Receipt, err = l.app.intake.Submit(ctx, ingest.Request{Form: event.NDJSON, Body: body})
		switch {
		case errors.Is(err, ingest.ErrTooLarge), errors.Is(err, event.ErrTooManyEvents):
			return send.ErrTooLarge
		case errors.Is(err, ingest.ErrBusy), errors.Is(err, ingest.ErrUnavailable):
			return &send.Temporary{Cause: err}
		}
		return err
	})
	return a, err
}

// Sources implements importer.History.
func (l local) Sources(context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	for _, s := range l.app.board.Snapshot(l.app.cfg.Now()).Sources {
		out[s.Source] = true
	}
	return out, nil
}

// Events implements importer.History.
func (l local) Events(ctx context.Context, kind, center, id string) (out []send.HeldEvent, err error) {
	of := event.KindCall
	if kind == event.KindTicket.String() {
		of = event.KindTicket
	}
	_, err = l.Do(ctx, func() error {
		cases, err := l.app.cases.Find(ctx, of, center, id)
		if err != nil {
			return &send.Temporary{Cause: err}
		}
		for _, c := range cases {
			for _, e := range c.Events {
				var held send.HeldEvent
				if err := json.Unmarshal(event.AppendJSON(nil, e), &held); err != nil {
					return err
				}
				out = append(out, held)
			}
		}
		return nil
	})
	return out, err
}
