package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/collector/store"
)

// health computes what alerts are made of.
func (s *state) health(now time.Time) metrics.DeliveryState {
	h := metrics.DeliveryState{Refused: map[string]bool{}, Undelivered: map[metrics.Undelivered]time.Duration{}}
	for c := range s.accounts {
		h.Refused[string(c)] = true
	}
	for name := range s.stopped {
		h.Stopped = append(h.Stopped, name)
	}
	slices.Sort(h.Stopped)
	// By the first way that an OPD has: the later ones stand in for it.
	key := func(d *Delivery) metrics.Undelivered {
		return metrics.Undelivered{Center: d.Center, OPD: d.OPD, Channel: string(d.turns[0])}
	}
	reached, since := map[metrics.Undelivered]time.Time{}, map[metrics.Undelivered]time.Time{}
	for _, d := range s.notices {
		k := key(d)
		if slices.ContainsFunc(d.Parts, func(p Progress) bool { return p.Channel == d.turns[0] && p.Reached() }) {
			reached[k] = latest(reached[k], d.At)
		}
		for i := range d.Parts {
			if now.Sub(d.At) <= giveUpAfter && d.wanted(&d.Parts[i]) {
				h.Waiting++
			}
		}
	}
	for _, d := range s.notices {
		k := key(d)
		if d.At.After(reached[k]) && (since[k].IsZero() || d.At.Before(since[k])) {
			since[k] = d.At
		}
		h.Undelivered[k] = 0
	}
	for k, t := range since {
		h.Undelivered[k] = now.Sub(t)
	}
	return h
}

// rows of a delivery as ClickHouse has them: one for each alert of each message. A later insert of the same key takes
// the place of an earlier one.
func (d *Delivery) rows() (out []store.Notification) {
	for i := range d.Parts {
		p := &d.Parts[i]
		for _, a := range d.Alerts {
			out = append(out, store.Notification{
				Center: d.Center, Kind: d.Kind, Subject: a.Ticket, ToldAt: d.At,
				Message:     d.ID + " " + string(p.Channel) + " " + p.Name,
				Fingerprint: a.Fingerprint, Receiver: d.Receiver, Alertname: a.Name, Level: d.Level, Status: a.Status, OPD: d.OPD,
				Priority: a.Priority, StartsAt: a.StartsAt, Alerts: len(d.Alerts),
				Channel: string(p.Channel), Contact: p.Name, Round: d.Round, AcceptedAt: p.AcceptedAt, DeliveredAt: p.DeliveredAt,
				ReadAt: p.ReadAt, FailedAt: p.FailedAt, Code: p.Code, Twice: p.Twice, LateSince: a.LateSince, Tries: p.Tries,
				Moved: p.Moved,
			})
		}
	}
	return out
}

// ship brings what changed to ClickHouse, again and again until it is there.
func (o *Outbox) ship(ctx context.Context, insert func(context.Context, []store.Notification) error) {
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		o.shipOnce(ctx, insert)
	}
}

func (o *Outbox) shipOnce(ctx context.Context, insert func(context.Context, []store.Notification) error) {
	o.mu.Lock()
	now := o.now()
	shipped := map[string]int{} // revisions
	var rows []store.Notification
	for id := range o.state.dirty {
		d := o.state.notices[id]
		shipped[id] = d.revision
		if rows = append(rows, d.rows()...); len(rows) >= maxShipped {
			break
		}
	}
	o.mu.Unlock()
	if len(rows) > 0 {
		if err := insert(ctx, rows); err != nil {
			if ctx.Err() == nil {
				o.log.Debug("deliveries wait for clickhouse", "rows", len(rows), "error", err)
			}
			shipped = nil
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.state.forgetEarly(now.Add(-keepEarly))
	for id, revision := range shipped {
		if d := o.state.notices[id]; d != nil && d.revision == revision {
			delete(o.state.dirty, id)
		}
	}
	before := now.Add(-keepFor)
	o.state.forget(before)
	for id := range o.state.dirty { // its records are still needed
		if at := o.state.notices[id].At; at.Before(before) {
			before = at
		}
	}
	if _, err := o.journal.Retain(o.journal.End(), before); err != nil {
		o.log.Warn("old deliveries cannot be removed", "error", err)
	}
}
