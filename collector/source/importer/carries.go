package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// announce tells the collector, before any row is sent, what each file carries: the types of event that at least one
// row of it gives, and those that an earlier file of the mapping gave, since a day may pass without one. A mapped
// column that never had a filled cell carries nothing. The statement holds from the file's first row on; sent again it
// is the same.
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
	var files []statement
	for _, path := range r.o.Files {
		var f statement
		if err := r.readFile(ctx, path, func(ctx context.Context, t tabular.Table) error {
			return r.survey(ctx, t, &f.types, &f.first)
		}); err != nil {
			return err
		}
		if f.types != 0 {
			files = append(files, f)
		}
	}
	ever := carried{since: map[event.Type]int64{}}
	if r.corrector != nil {
		ever = r.corrector.memory.carries(r.mapping)
	}
	for _, f := range files {
		ever.add(f)
	}
	for _, f := range files {
		f.types = ever.at(f.first)
		beat := event.RawEvent{
			Source: r.mapping.Source, Subject: r.mapping.Source, Type: event.FeedHeartbeat, Center: r.mapping.Center,
			Time: time.UnixMilli(f.first).UTC(), Carries: f.types.Names(),
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
	if r.corrector != nil && len(ever.since) > 0 {
		r.corrector.memory.carried[r.mapping.Name] = ever
	}
	return nil
}

// statement is what a file carries, from the time of its first row on.
type statement struct {
	types event.TypeSet
	first int64 // milliseconds since 1970
}

// carried is what the files of one version of a mapping ever had, each type since when. It only grows.
type carried struct {
	version string
	since   map[event.Type]int64
}

func (c *carried) add(f statement) {
	for _, t := range event.Types() {
		if old, ok := c.since[t]; f.types.Has(t) && (!ok || f.first < old) {
			c.since[t] = f.first
		}
	}
}

// at returns what is carried at an instant.
func (c *carried) at(unix int64) (types event.TypeSet) {
	for t, since := range c.since {
		if since <= unix {
			types = types.With(t)
		}
	}
	return types
}

// types is since as the state file holds it.
func (c *carried) types() string {
	var out []string
	for t, since := range c.since {
		out = append(out, t.String()+"="+strconv.FormatInt(since, 10))
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// carries returns what earlier files of a mapping had; nothing when the mapping has changed since.
func (m *memory) carries(by *mapping.Mapping) carried {
	if c, ok := m.carried[by.Name]; ok && c.version == by.Version() {
		return c
	}
	return carried{by.Version(), map[event.Type]int64{}}
}

// carriesLine begins a line of the state file that says what a mapping's files had.
const carriesLine = "carries "

func (m *memory) loadCarried(text string) bool {
	parts := strings.SplitN(text, " ", 4)
	if len(parts) != 4 {
		return false
	}
	by, err := strconv.Unquote(parts[3])
	if err != nil {
		return false
	}
	c := carried{parts[1], map[event.Type]int64{}}
	for _, one := range strings.Split(parts[2], ",") {
		name, since, _ := strings.Cut(one, "=")
		t, ok := event.ParseType(event.TypePrefix + name)
		at, err := strconv.ParseInt(since, 10, 64)
		if !ok || err != nil {
			return false
		}
		c.since[t] = at
	}
	m.carried[by] = c
	return true
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
