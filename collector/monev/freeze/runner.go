package freeze

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/journal"
	"github.com/monev112/monev112/collector/store"
)

// Writer is the only writer of case rows; *shipper.Shipper is one.
type Writer interface {
	Prepared() bool
	WaitShipped(ctx context.Context, upTo journal.Position) error
	Do(ctx context.Context, fn func(context.Context) error) error
}

// Runner carries out what an operator asks of freezes. It is safe for concurrent use.
type Runner struct {
	Database Database
	Writer   Writer
	Accepted func() journal.Position // the end of what was accepted
	Centers  []Center                // all that the directory knows
	Boards   []string                // codes of those that have a board
	Now      func() time.Time
}

// Frozen says what became of a Freeze, centre by centre.
type Frozen struct {
	Frozen  []Kept    `json:"frozen"`
	Refused []Refused `json:"refused"`
}

// Refused is a centre whose month was not frozen.
type Refused struct {
	Center string `json:"center"`
	Reason string `json:"reason"`
}

// shipTimeout bounds how long a freeze waits for what was accepted to reach ClickHouse.
const shipTimeout = 30 * time.Second

func (r *Runner) center(code string) (Center, error) {
	if i := slices.IndexFunc(r.Centers, func(c Center) bool { return c.Code == code }); i >= 0 {
		return r.Centers[i], nil
	}
	return Center{}, refuse(false, "the directory knows no such centre")
}

// Freeze freezes a month of the centre named, or of every centre with a board when none is. It waits until ClickHouse
// has what was accepted before, and returns a *store.UnavailableError when that takes too long.
func (r *Runner) Freeze(ctx context.Context, req Request) (Frozen, error) {
	out := Frozen{Frozen: []Kept{}, Refused: []Refused{}}
	codes := r.Boards
	if req.Center != "" {
		codes = []string{req.Center}
	}
	var centers []Center
	asOf := r.Now()
	for _, code := range codes {
		c, err := r.center(code)
		if err != nil {
			return out, err
		}
		if _, err := Check(req, c, asOf); err != nil {
			return out, err
		}
		centers = append(centers, c)
	}
	if !r.Writer.Prepared() {
		return out, store.ErrNotReady
	}
	waiting, cancel := context.WithTimeout(ctx, shipTimeout)
	defer cancel()
	if err := r.Writer.WaitShipped(waiting, r.Accepted()); err != nil {
		return out, &store.UnavailableError{
			Reason: "ClickHouse does not have everything yet that was accepted; a freeze would lack it.", Err: err,
		}
	}
	for _, c := range centers {
		var kept Kept
		err := r.Writer.Do(ctx, func(ctx context.Context) (err error) {
			kept, err = Keep(ctx, r.Database, req, c, asOf)
			return err
		})
		var no *RefusedError
		switch {
		case err == nil:
			out.Frozen = append(out.Frozen, kept)
		case errors.As(err, &no) && len(centers) > 1:
			out.Refused = append(out.Refused, Refused{Center: c.Code, Reason: no.Reason})
		default:
			return out, err
		}
	}
	return out, nil
}

// Compare reports on frozen months: of every centre when none is named, of every frozen month when none is; as of an
// instant unless it is zero.
func (r *Runner) Compare(ctx context.Context, center, month string, asOf time.Time) (out []Report, err error) {
	centers := r.Centers
	if center != "" {
		c, err := r.center(center)
		if err != nil {
			return nil, err
		}
		centers = []Center{c}
	}
	if !r.Writer.Prepared() {
		return nil, store.ErrNotReady
	}
	for _, c := range centers {
		months, err := Months(ctx, r.Database, c.Code)
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
			report, err := Compare(ctx, r.Database, c, m, r.Now(), asOf)
			if err != nil {
				return nil, err
			}
			out = append(out, report)
		}
	}
	if month != "" && len(out) == 0 {
		return nil, ErrNotFrozen
	}
	return out, nil
}
