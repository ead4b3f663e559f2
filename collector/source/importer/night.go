package importer

import (
	"context"
	"errors"
	"io"

	"github.com/monev112/monev112/collector/source/tabular"
)

// checkNights reads every table once before anything is sent, where the mapping moves the times of night shifts, and
// refuses a move that does not fit the order of the rows.
func (r *run) checkNights(ctx context.Context) error {
	if r.mapping.NewNightCheck() == nil {
		return nil
	}
	defer func() {
		r.done.Store(0)
		r.sum.SkippedSheets, r.sum.HiddenSheets = nil, nil
	}()
	return r.readAll(ctx, func(ctx context.Context, t tabular.Table) error {
		bound := r.mapping.Bind(t.Header)
		mp, check := r.mapping.NewMapper(bound), r.mapping.NewNightCheck()
		for n := 0; ; n++ {
			if n%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			row, err := t.Next()
			if errors.Is(err, io.EOF) {
				return check.Err()
			}
			var bad *tabular.RowError
			if errors.As(err, &bad) || err == nil && (row.Blank() || bound.RepeatsHeader(row)) {
				continue
			}
			if err != nil {
				return err
			}
			if _, refused := mp.Apply(row); refused == nil {
				check.Add(mp, row)
			}
		}
	})
}
