package importer

import (
	"context"
	"errors"
	"io"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
)

// look reads every table once before anything is sent, where something must be known of all rows: whether the dates of
// night shifts are in order, how the rows of a case follow each other, what each file carries.
func (r *run) look(ctx context.Context) error {
	order := r.mapping.NewSequenceReader(r.limits.GroupBytes)
	if order == nil && r.mapping.NewNightCheck() == nil && !r.announces() {
		return nil
	}
	for _, path := range r.o.Files {
		var f statement
		err := r.readFile(ctx, path, func(ctx context.Context, t tabular.Table) error {
			return r.lookAt(ctx, t, order, &f)
		})
		if err != nil {
			return err
		}
		if f.types != 0 {
			r.carries = append(r.carries, f)
		}
	}
	if order != nil {
		r.sequence = order.Sequence()
	}
	r.done.Store(0)
	r.sum.SkippedSheets, r.sum.HiddenSheets = nil, nil
	return nil
}

func (r *run) lookAt(ctx context.Context, t tabular.Table, order *mapping.SequenceReader, f *statement) error {
	bound := r.mapping.Bind(t.Header)
	m, nights := r.mapping.NewMapper(bound), r.mapping.NewNightCheck()
	m.OnlyTimes = true
	var types []event.Type // by the rule
	for _, name := range r.mapping.Types() {
		typ, _ := event.ParseType(event.TypePrefix + name)
		types = append(types, typ)
	}
	seen := make([]bool, len(types))
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := t.Next()
		var bad *tabular.RowError
		switch {
		case errors.Is(err, io.EOF) && nights != nil:
			return nights.Err()
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad), err == nil && (row.Blank() || bound.RepeatsHeader(row)):
			continue
		case err != nil:
			return err
		}
		r.likely += len(types)
		// Most rows say nothing new of what the file carries: no rule gives its first event, and no event is the earliest.
		if order == nil && nights == nil && !m.MayTell(row, f.first, seen) {
			continue
		}
		events, refused := m.Apply(row)
		if refused != nil {
			continue
		}
		if nights != nil {
			nights.Add(m, row)
		}
		if order != nil {
			if err := order.Add(m, row); err != nil {
				return err
			}
		}
		for i := range events {
			rule := events[i].Rule
			seen[rule], f.types = true, f.types.With(types[rule])
			if f.first == 0 || events[i].Unix < f.first {
				f.first = events[i].Unix
			}
		}
	}
}
