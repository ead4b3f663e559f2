package table

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// checkNights reads every table once before anything is sent, where the mapping moves the times of night shifts, and
// compares the order of the rows as their dates are written with the order after the move. Exports list their rows by
// time, up or down: a move that is right mends the order, a move that is wrong breaks it. An order that says nothing
// (shuffled rows) passes.
func (im *importer) checkNights(ctx context.Context) error {
	var nights []int
	for i := range im.m.fields {
		if im.m.fields[i].night != nil {
			nights = append(nights, i)
		}
	}
	if len(nights) == 0 {
		return nil
	}
	defer func() {
		im.done.Store(0)
		im.sum.Sheets = nil
	}()
	return im.readAll(ctx, func(ctx context.Context, rows Reader, bound *binding) error {
		mp := im.m.newMapper(bound)
		seen := make([]nightOrder, len(nights))
		for n := 0; ; n++ {
			if n%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			row, err := rows.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			var bad *RowError
			if errors.As(err, &bad) || err == nil && (row.blank() || mp.repeatsHeader(row)) {
				continue
			}
			if err != nil {
				return err
			}
			if _, refused := mp.apply(row); refused != nil {
				continue
			}
			for i, f := range nights {
				seen[i].add(mp.values[f], row.File)
			}
		}
		for i, f := range nights {
			if err := seen[i].judge(im.m.fields[f].name); err != nil {
				return err
			}
		}
		return nil
	})
}

// nightOrder counts how often a time lies before and after the one above it, as written and as moved.
type nightOrder struct {
	file                   string
	any                    bool
	written, moved         int64 // of the row before
	backWritten, upWritten int
	backMoved, upMoved     int
	rows                   int // that were moved
}

func (o *nightOrder) add(v value, file string) {
	if !v.set {
		return
	}
	written := v.wall
	if v.moved {
		written -= 86400
		o.rows++
	}
	if o.any {
		step(written-o.written, &o.backWritten, &o.upWritten)
		step(v.wall-o.moved, &o.backMoved, &o.upMoved)
	}
	o.any, o.written, o.moved, o.file = true, written, v.wall, file
}

func step(by int64, back, up *int) {
	switch {
	case by < 0:
		*back++
	case by > 0:
		*up++
	}
}

func (o *nightOrder) judge(field string) error {
	before, after := min(o.backWritten, o.upWritten), min(o.backMoved, o.upMoved)
	if after <= before {
		return nil
	}
	return fmt.Errorf(
		"%s: night_shift of the field %s would move %d times to the next day and put the rows out of order in %d places instead of %d: "+
			"the dates of this file seem to be right; nothing was sent; remove night_shift, or correct its until, field and in",
		o.file, field, o.rows, after, before)
}
