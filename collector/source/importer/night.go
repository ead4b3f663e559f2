package importer

import (
	"context"
	"errors"
	"io"

	"github.com/monev112/monev112/collector/source/tabular"
)

// checkNights reads every table once before anything is sent, where the mapping moves the times of night shifts, and
// refuses a move that does not fit the order of the rows.
func (im *importer) checkNights(ctx context.Context) error {
	if im.m.NewNightCheck() == nil {
		return nil
	}
	defer func() {
		im.done.Store(0)
		im.sum.Sheets = nil
	}()
	return im.readAll(ctx, func(ctx context.Context, t tabular.Table) error {
		bound := im.m.Bind(t.Header)
		mp, check := im.m.NewMapper(bound), im.m.NewNightCheck()
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
