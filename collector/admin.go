package collector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/httpapi"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
)

// newRebuild makes the runner of rebuilds.
func (a *App) newRebuild() (*rebuild.Runner, error) {
	var codes []string
	for _, c := range a.dir.Centers() {
		codes = append(codes, c.Code)
	}
	return rebuild.New(rebuild.Config{
		Dir:      a.cfg.DataDir,
		Connect:  a.rebuildTools,
		Fold:     a.board.Fold,
		Centers:  codes,
		Location: a.location,
		Basis:    a.basis(),
		Now:      a.cfg.Now,
		Log:      a.cfg.Log,

		PortionCases: a.cfg.File.Limits.RebuildCases,
	})
}

func (a *App) rebuildTools() (rebuild.Database, rebuild.Writer, bool) {
	sink, shipper := a.sink.Load(), a.shipper.Load()
	if sink == nil || shipper == nil {
		return nil, nil, false
	}
	return sink, shipper, true
}

func (a *App) location(center string) *time.Location {
	c, known := a.dir.Center(center)
	if !known {
		c, _ = a.dir.Center(a.dir.DefaultCenter())
	}
	return c.Location
}

// basis names all that the row of a case follows from beside its events: policies and calendars, the directory, the
// program.
func (a *App) basis() string {
	h := sha256.New()
	for _, c := range a.dir.Centers() {
		fmt.Fprintf(h, "%s %v %s %s %s %s\n", c.Code, c.Historical, c.Location, c.AnswerTarget, c.Policy, c.Calendar)
		for _, o := range a.dir.OPDs(c.Code) {
			fmt.Fprintf(h, "%+v\n", o)
		}
	}
	return fmt.Sprintf("rules %s, directory %s, program %s", a.book.Digest(), hex.EncodeToString(h.Sum(nil)[:8]),
		a.cfg.Version)
}

// admin is what an operator may ask for.
func (a *App) admin() httpapi.Admin {
	return httpapi.Admin{
		StartRebuild: a.rebuild.Start, Rebuild: a.rebuild.Get, StopRebuild: a.rebuild.Stop,
		Freeze: a.freeze, Compare: a.compare, Retention: a.retention,
	}
}

func (a *App) freezeCenter(code string) (freeze.Center, error) {
	c, known := a.dir.Center(code)
	if !known {
		return freeze.Center{}, &freeze.RefusedError{Reason: "the directory knows no such centre"}
	}
	return freeze.Center{Code: code, Location: c.Location, Targets: store.FigureTargets{
		Answer: uint32(c.AnswerTarget / time.Second), Short: uint32(c.ShortAbandon / time.Second),
	}}, nil
}

// freezeCenters returns the centre named, or every centre that has a board.
func (a *App) freezeCenters(code string) (out []freeze.Center, err error) {
	if code != "" {
		c, err := a.freezeCenter(code)
		return []freeze.Center{c}, err
	}
	for _, c := range a.boardCenters() {
		z, err := a.freezeCenter(c.Code)
		if err != nil {
			return nil, err
		}
		out = append(out, z)
	}
	return out, nil
}

// settleTimeout bounds how long a freeze waits for what was accepted to reach ClickHouse.
const settleTimeout = 30 * time.Second

// freeze implements api.Admin.
func (a *App) freeze(ctx context.Context, r freeze.Request) (httpapi.Frozen, error) {
	out := httpapi.Frozen{Frozen: []freeze.Kept{}, Refused: []httpapi.FreezeRefusal{}}
	centers, err := a.freezeCenters(r.Center)
	if err != nil {
		return out, err
	}
	asOf := a.cfg.Now()
	for _, c := range centers {
		if _, err := freeze.Check(r, c, asOf); err != nil {
			return out, err
		}
	}
	sink, shipper := a.sink.Load(), a.shipper.Load()
	if sink == nil || shipper == nil {
		return out, httpapi.ErrUnavailable
	}
	if err := a.shippedAll(ctx); err != nil {
		return out, err
	}
	for _, c := range centers {
		var kept freeze.Kept
		err := shipper.Do(ctx, func(ctx context.Context) (err error) {
			kept, err = freeze.Keep(ctx, sink, r, c, asOf)
			return err
		})
		var no *freeze.RefusedError
		switch {
		case err == nil:
			out.Frozen = append(out.Frozen, kept)
		case errors.As(err, &no) && len(centers) > 1:
			out.Refused = append(out.Refused, httpapi.FreezeRefusal{Center: c.Code, Reason: no.Reason})
		default:
			return out, err
		}
	}
	return out, nil
}

// shippedAll waits until ClickHouse has everything that was accepted until now.
func (a *App) shippedAll(ctx context.Context) error {
	end := a.journal.End()
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for a.shippedTo() < end {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: clickhouse lags behind what was accepted", httpapi.ErrUnavailable)
		case <-tick.C:
		}
	}
	return nil
}

// compare implements api.Admin.
func (a *App) compare(ctx context.Context, center, month string) (out []freeze.Report, err error) {
	sink := a.sink.Load()
	if sink == nil {
		return nil, httpapi.ErrUnavailable
	}
	var centers []freeze.Center
	if center != "" {
		c, err := a.freezeCenter(center)
		if err != nil {
			return nil, err
		}
		centers = []freeze.Center{c}
	} else {
		for _, c := range a.dir.Centers() {
			z, err := a.freezeCenter(c.Code)
			if err != nil {
				return nil, err
			}
			centers = append(centers, z)
		}
	}
	for _, c := range centers {
		months, err := freeze.Months(ctx, sink, c.Code)
		if err != nil {
			return nil, err
		}
		if month != "" {
			if center == "" && !slices.Contains(months, month) {
				continue
			}
			months = []string{month}
		}
		for _, m := range months {
			r, err := freeze.Compare(ctx, sink, c, m, a.cfg.Now())
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	if month != "" && len(out) == 0 {
		return nil, freeze.ErrNotFrozen
	}
	return out, nil
}
