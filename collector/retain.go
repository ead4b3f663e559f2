package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/ingest/quarantine"
	"github.com/monev112/monev112/collector/upkeep/retention"
)

// How often personal data that is due is looked for, and how often it is looked whether that time has come.
const (
	retentionEvery = 24 * time.Hour
	retentionLook  = time.Minute
)

// retain deletes what is due once a day until ctx ends, for the first time a day after the first start: whoever brings
// the past in has so long to look at it.
func (a *App) retain(ctx context.Context) {
	if retention.LastRun(a.cfg.DataDir).IsZero() {
		if err := retention.Record(a.cfg.DataDir,
			retention.Report{At: a.cfg.Now().UTC().Truncate(time.Millisecond)}); err != nil {
			a.cfg.Log.Warn("the record of retention cannot be written", "error", err)
		}
	}
	tick := time.NewTicker(retentionLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s := a.shipper.Load()
		if s == nil || !retentionDue(a.cfg.Now(), s.StableNow(), retention.LastRun(a.cfg.DataDir)) {
			continue
		}
		if r, err := a.retention(ctx, true); err != nil && ctx.Err() == nil {
			a.cfg.Log.Warn("personal data that is due could not be deleted; it is tried again", "error", err, "left", r.Left())
		}
	}
}

// retentionDue reports whether a run is due. What it deletes does not come back, so it waits while the clock is not the
// one by which the shipper forgets: a clock that was wrong for a moment would take every caller with it.
func retentionDue(now, stable, last time.Time) bool {
	return !stable.IsZero() && now.Sub(stable).Abs() < 2*retentionLook && now.Sub(last).Abs() >= retentionEvery
}

// retention implements api.Admin: it counts what is due and, with apply, deletes it, counts again and records it.
func (a *App) retention(ctx context.Context, apply bool) (retention.Report, error) {
	a.retaining.Lock()
	defer a.retaining.Unlock()
	p := a.cfg.File.Retention
	r := retention.Report{At: a.cfg.Now().UTC().Truncate(time.Millisecond), Applied: apply}
	st := a.store.Load()
	if st == nil || a.shipper.Load() == nil {
		return r, httpapi.ErrUnavailable
	}
	// The board comes before the tables: what it would upsert afterwards is blank.
	r.Items = a.dueInMemory(p, r.At, apply)
	kept, err := a.dueInQuarantine(p, r.At)
	if err != nil {
		return r, err
	}
	stored, err := st.Due(ctx, p, r.At)
	if err != nil {
		return r, err
	}
	r.Items = append(append(stored, r.Items...), kept...)
	for i := range r.Items {
		r.Items[i].Left = r.Items[i].Due
	}
	if !apply {
		return r, nil
	}
	var failed error
	for _, i := range stored {
		if i.Due > 0 {
			failed = errors.Join(failed, st.Blank(ctx, i))
		}
	}
	if cutoff, ok := p.Cutoff(retention.Entry, r.At); ok {
		failed = errors.Join(failed, a.rejected.Expire(cutoff), a.dead.Expire(cutoff))
	}
	failed = errors.Join(failed, a.journal.Probe()) // a segment that is old enough is closed, so that it can go
	failed = errors.Join(failed, a.countLeft(ctx, p, &r))
	failed = errors.Join(failed, retention.Record(a.cfg.DataDir, r), st.RecordRetention(ctx, r))
	if failed == nil && r.Left() > 0 {
		failed = fmt.Errorf("%d are left: they came while the rest was deleted; run it again", r.Left())
	}
	a.cfg.Log.Info("retention", "due", r.Due(), "left", r.Left())
	return r, failed
}

// countLeft counts again, by the instants of the first count.
func (a *App) countLeft(ctx context.Context, p retention.Policy, r *retention.Report) error {
	again := a.dueInMemory(p, r.At, false)
	kept, err := a.dueInQuarantine(p, r.At)
	if err != nil {
		return err
	}
	stored, err := a.store.Load().Due(ctx, p, r.At)
	if err != nil {
		return err
	}
	for _, left := range append(append(again, kept...), stored...) {
		for i := range r.Items {
			if r.Items[i].Place == left.Place {
				r.Items[i].Left = left.Due
			}
		}
	}
	return nil
}

func (a *App) dueInMemory(p retention.Policy, now time.Time, apply bool) (out []retention.Item) {
	callers, hasCallers := p.Cutoff(retention.Caller, now)
	attributes, hasAttributes := p.Cutoff(retention.Attributes, now)
	if !hasCallers {
		callers = time.Time{}
	}
	if !hasAttributes {
		attributes = time.Time{}
	}
	c, t := a.board.Redact(callers, attributes, apply)
	if hasCallers {
		out = append(out, retention.Item{
			Place: retention.Place{Where: "board", Kind: retention.Caller}, Cutoff: callers, Due: c.Events, Oldest: c.Oldest,
		})
	}
	if hasAttributes {
		out = append(out, retention.Item{
			Place: retention.Place{Where: "board", Kind: retention.Attributes}, Cutoff: attributes, Due: t.Events,
			Oldest: t.Oldest,
		})
	}
	return out
}

func (a *App) dueInQuarantine(p retention.Policy, now time.Time) (out []retention.Item, err error) {
	cutoff, ok := p.Cutoff(retention.Entry, now)
	if !ok {
		return nil, nil
	}
	for _, k := range []struct {
		name  string
		store *quarantine.Store
	}{{quarantine.RejectedName, a.rejected.Store}, {quarantine.DeadName, a.dead.Store}} {
		n, oldest, err := k.store.Older(cutoff)
		if err != nil {
			return nil, err
		}
		out = append(out, retention.Item{
			Place: retention.Place{Where: k.name, Kind: retention.Entry}, Cutoff: cutoff, Due: uint64(n), Oldest: oldest,
		})
	}
	return out, nil
}
