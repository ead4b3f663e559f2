package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// announce tells the collector, before any row is sent, what each file carries: the types of event that at least one row
// of it gives. A mapped column without one filled cell carries nothing. The statement holds from the file's first row on;
// sent again it is the same.
func (r *run) announce(ctx context.Context) error {
	if r.o.Collector == nil || !slices.ContainsFunc(r.mapping.Types(), func(t string) bool {
		return t == event.TicketOpened.String() || t == event.TicketAssigned.String()
	}) {
		return nil
	}
	defer func() {
		r.done.Store(0)
		r.sum.SkippedSheets = nil
	}()
	for _, path := range r.o.Files {
		var carried event.TypeSet
		var first int64
		if err := r.readFile(ctx, path, func(ctx context.Context, t tabular.Table) error {
			return r.survey(ctx, t, &carried, &first)
		}); err != nil {
			return err
		}
		if carried == 0 {
			continue
		}
		beat := event.RawEvent{
			Source: r.mapping.Source, Subject: r.mapping.Source, Type: event.FeedHeartbeat, Center: r.mapping.Center,
			Time: time.UnixMilli(first).UTC(), Carries: carried.Names(),
		}
		beat.Revision = uint32(len(beat.Carries)) // of two statements of one instant the one that says more counts
		sum := sha256.Sum256([]byte(beat.Center + "\x00" + beat.Time.String() + "\x00" + strings.Join(beat.Carries, " ")))
		id := []byte("carries-")
		for _, b := range sum[:12] {
			id = append(id, 'a'+b>>4, 'a'+b&15)
		}
		beat.ID = string(id)
		if _, err := r.o.Collector.Submit(ctx, append(beat.AppendCloudEvent(nil), '\n'), 1); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var already *send.CollectorError
			if errors.As(err, &already) {
				return err
			}
			return &send.CollectorError{Cause: err}
		}
	}
	return nil
}

// survey adds what the rows of a table give, and when the first of them happened.
func (r *run) survey(ctx context.Context, t tabular.Table, carried *event.TypeSet, first *int64) error {
	bound := r.mapping.Bind(t.Header)
	m := r.mapping.NewMapper(bound)
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := t.Next()
		var refused *tabular.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &refused):
			continue
		case err != nil:
			return err
		case row.Blank() || bound.RepeatsHeader(row):
			continue
		}
		events, refused := m.Apply(row)
		if refused != nil {
			continue
		}
		for i := range events {
			if typ, ok := event.ParseType(event.TypePrefix + r.mapping.EventType(events[i].Rule)); ok {
				*carried = carried.With(typ)
			}
			if *first == 0 || events[i].Unix < *first {
				*first = events[i].Unix
			}
		}
	}
}
