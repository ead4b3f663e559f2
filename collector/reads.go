package collector

import (
	"context"
	"errors"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/docs"
)

func (a *App) apiConfig(guard *auth.Guard) httpapi.Config {
	cfg := httpapi.Config{
		Limits: httpapi.Limits{BodyBytes: a.cfg.File.Limits.BodyBytes},
		Intake: a.intake,
		Cases:  a,
		Reads: httpapi.Reads{
			Clock: a.readClock,
			CenterName: func(center string) string {
				c, _ := a.dir.Center(center)
				return c.Name
			},
			OPDID: func(center, opd string) string {
				if id, known := a.dir.ResolveOPD(center, opd); known {
					return id
				}
				return ""
			},
			OPDName: func(center, opd string) string {
				o, _ := a.dir.OPD(center, a.opdID(center, opd))
				return o.Name
			},
		},
		Admin: a.admin(),
		Hooks: httpapi.Hooks{
			Began: a.metrics.HTTP.Began,
			Read:  a.reads.Record,
		},
		Messages:       a.messages.Add,
		Keys:           guard,
		TrustedProxies: a.cfg.File.TrustedProxies,
		Metrics:        a.metrics.Handler(),
		MetricsNeedKey: a.cfg.File.MetricsNeedKey,
		OpenAPI:        docs.OpenAPI(),
		Ready:          func(context.Context) error { return a.ingest.Ready() },
		Logger:         a.cfg.Log,
		Now:            a.cfg.Now,
	}
	if a.pages != nil {
		cfg.Pages = a.pages
	}
	if a.tracing.Enabled() {
		cfg.Tracer = a.tracing
	}
	return cfg
}

// readClock says what a clock says at now.
func (a *App) readClock(c *sla.Clock, t *casefile.Ticket, now time.Time, lang string,
	explain bool) httpapi.ClockReading {
	r := httpapi.ClockReading{State: c.State(now), UsedRatio: a.book.UsedRatio(c, now)}
	if explain {
		r.Explain = a.book.Explain(c, t, now, lang)
	}
	return r
}

// Snapshot implements api.Cases.
func (a *App) Snapshot(now time.Time) tracker.Snapshot { return a.board.Snapshot(now) }

// Tickets implements api.Cases.
func (a *App) Tickets(_ context.Context, f tracker.TicketFilter, now time.Time, after event.Key,
	limit int) ([]tracker.Row, error) {
	if !a.board.Complete() {
		return nil, httpapi.ErrUnavailable
	}
	return a.board.OpenTickets(f, now, after, limit), nil
}

// Find implements api.Cases: from the board where it knows the case, else from ClickHouse.
func (a *App) Find(ctx context.Context, kind event.Kind, center, id string) ([]httpapi.Case, error) {
	var (
		found []httpapi.Case
		keys  []event.Key
	)
	centers := []string{center}
	if center == "" {
		centers = centers[:0]
		for _, c := range a.dir.Centers() {
			centers = append(centers, c.Code)
		}
	}
	for _, c := range centers {
		key := event.Key{Center: c, Kind: kind, ID: id}
		if row, events, ok := a.board.Case(key); ok {
			found = append(found, httpapi.Case{Row: row, Events: events})
		} else {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return found, nil
	}
	stored, err := a.stored(ctx, keys)
	if err != nil && len(found) > 0 {
		return found, nil // another centre's case of the same id cannot be looked up now
	}
	return append(found, stored...), err
}

// stored reads cases from ClickHouse and folds them.
func (a *App) stored(ctx context.Context, keys []event.Key) ([]httpapi.Case, error) {
	st := a.store.Load()
	if st == nil {
		return nil, httpapi.ErrUnavailable
	}
	loaded, err := readLoaded(ctx, st, keys)
	if err != nil {
		return nil, errors.Join(httpapi.ErrUnavailable, err)
	}
	var out []httpapi.Case
	for _, l := range loaded {
		if len(l.Events) == 0 {
			continue
		}
		var calls []tracker.Loaded
		if l.Key.Kind == event.KindTicket {
			var names []event.Key
			for _, e := range l.Events {
				for _, c := range e.Calls {
					names = append(names, event.Key{Center: l.Key.Center, Kind: event.KindCall, ID: c})
				}
			}
			if len(names) > 0 {
				if calls, err = readLoaded(ctx, st, names); err != nil {
					return nil, errors.Join(httpapi.ErrUnavailable, err)
				}
			}
		}
		row, events := a.board.Fold(l, calls)
		out = append(out, httpapi.Case{Row: row, Events: events})
	}
	return out, nil
}

// readLoaded reads cases from the store in the form in which the board takes them.
func readLoaded(ctx context.Context, st *store.Store, keys []event.Key) ([]tracker.Loaded, error) {
	return (&store.Sink{Store: st}).ReadCases(ctx, keys)
}
