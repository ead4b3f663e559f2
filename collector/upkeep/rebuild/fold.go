package rebuild

import (
	"context"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
)

// Database is ClickHouse as a rebuild needs it; *store.Sink is one.
type Database interface {
	Centers(ctx context.Context) ([]string, error)
	CaseKeys(ctx context.Context, center string, span store.Span, after event.Key, limit int) ([]event.Key, error)
	CountCases(ctx context.Context, center string, span store.Span) (uint64, error)
	CaseEvents(ctx context.Context, keys []event.Key) (map[event.Key][]*event.Event, error)
	TicketsOf(ctx context.Context, center string, calls []string) (map[string][]string, error)
	MergedInto(ctx context.Context, center string, masters []string) (map[string][]string, error)
	StoredClocks(ctx context.Context, keys []event.Key) (map[event.Key][]sla.Clock, error)
	ChangedRows(ctx context.Context, rows []tracker.Row) (map[event.Key]bool, error)
}

// Writer is the only writer of case rows; *shipper.Shipper is one.
type Writer interface {
	// Do runs fn on the writer's goroutine.
	Do(ctx context.Context, fn func(context.Context) error) error
	// Upsert stores rows; only within Do.
	Upsert(ctx context.Context, rows []tracker.Row) error
}

// examine folds cases of one centre, compares them with what is stored, and returns the rows that have to be written
// and what that changes, judged at an instant.
func (r *Runner) examine(ctx context.Context, db Database, keys []event.Key, at time.Time) ([]tracker.Row, Findings,
	error) {
	var found Findings
	rows, err := r.fold(ctx, db, keys)
	if err != nil {
		return nil, found, err
	}
	stored, err := db.StoredClocks(ctx, keys)
	if err != nil {
		return nil, found, err
	}
	differ, err := db.ChangedRows(ctx, rows)
	if err != nil {
		return nil, found, err
	}
	changed := rows[:0]
	for i := range rows {
		row := &rows[i]
		clocks := found.compare(row.Key, stored[row.Key], row.Clocks, at)
		if differ[row.Key] {
			found.Rows++
		}
		if clocks || differ[row.Key] {
			found.Cases++
			changed = append(changed, *row)
		}
	}
	return changed, found, nil
}

// fold makes the rows of cases of one centre from their events.
func (r *Runner) fold(ctx context.Context, db Database, keys []event.Key) ([]tracker.Row, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	center := keys[0].Center
	own, err := db.CaseEvents(ctx, keys)
	if err != nil {
		return nil, err
	}
	// Of a call: the tickets that name it. Of a ticket: the calls that any event of it names.
	var calls, ids []string
	linked := map[event.Key]bool{}
	for _, k := range keys {
		if k.Kind == event.KindCall {
			calls = append(calls, k.ID)
			continue
		}
		ids = append(ids, k.ID)
		for _, e := range own[k] {
			for _, c := range e.Calls {
				linked[event.Key{Center: center, Kind: event.KindCall, ID: c}] = true
			}
		}
	}
	tickets, err := db.TicketsOf(ctx, center, calls)
	if err != nil {
		return nil, err
	}
	merged, err := db.MergedInto(ctx, center, ids)
	if err != nil {
		return nil, err
	}
	for _, ids := range tickets {
		for _, id := range ids {
			linked[event.Key{Center: center, Kind: event.KindTicket, ID: id}] = true
		}
	}
	var missing []event.Key
	for k := range linked {
		if _, here := own[k]; !here {
			missing = append(missing, k)
		}
	}
	others, err := db.CaseEvents(ctx, missing)
	if err != nil {
		return nil, err
	}
	eventsOf := func(k event.Key) []*event.Event {
		if evs, here := own[k]; here {
			return evs
		}
		return others[k]
	}
	named := map[string][]string{} // calls of a ticket, as its fold has them
	names := func(ticket, call string) bool {
		list, known := named[ticket]
		if !known {
			k := event.Key{Center: center, Kind: event.KindTicket, ID: ticket}
			t := casefile.FoldTicket(k, slices.Clone(eventsOf(k)), casefile.CallFacts{})
			list = t.Calls
			named[ticket] = list
		}
		return slices.Contains(list, call)
	}
	group := groupReader(ctx, db, center)
	for _, k := range keys {
		group.hold(tracker.Loaded{Key: k, Events: own[k], Tickets: merged[k.ID]})
	}
	rows := make([]tracker.Row, 0, len(keys))
	for _, k := range keys {
		l := tracker.Loaded{Key: k, Events: own[k]}
		if len(l.Events) == 0 {
			continue
		}
		var with []tracker.Loaded
		if k.Kind == event.KindCall {
			for _, t := range tickets[k.ID] {
				if names(t, k.ID) {
					l.Tickets = append(l.Tickets, t)
				}
			}
		} else if l.Tickets = merged[k.ID]; l.Tickets != nil || slices.ContainsFunc(l.Events, hasMaster) {
			if with, err = tracker.Group(l, group.read); err != nil {
				return nil, err
			}
		} else {
			with = callsOf(&l, eventsOf)
		}
		row, _ := r.cfg.Fold(l, with)
		rows = append(rows, row)
	}
	return rows, nil
}

func hasMaster(e *event.Event) bool { return e.Master != "" }

// maxHeld bounds how many cases a groups holds.
const maxHeld = 4096

// groups reads the tickets that were merged into each other, and holds them: of a long chain each ticket needs the
// others, and the writer waits meanwhile.
type groups struct {
	held map[event.Key]tracker.Loaded
	more func([]event.Key) ([]tracker.Loaded, error)
}

func groupReader(ctx context.Context, db Database, center string) *groups {
	return &groups{held: map[event.Key]tracker.Loaded{}, more: func(keys []event.Key) ([]tracker.Loaded, error) {
		return readGroup(ctx, db, center, keys)
	}}
}

func (g *groups) hold(l tracker.Loaded) {
	if l.Key.Kind == event.KindCall {
		l.Tickets = nil // readGroup says none
	}
	g.held[l.Key] = l
}

// read returns cases in the order of their keys.
func (g *groups) read(keys []event.Key) ([]tracker.Loaded, error) {
	out := make([]tracker.Loaded, len(keys))
	var missing []event.Key
	var places []int
	for i, k := range keys {
		l, ok := g.held[k]
		if !ok {
			missing, places = append(missing, k), append(places, i)
		}
		l.Events = slices.Clone(l.Events)
		out[i] = l
	}
	if len(missing) == 0 {
		return out, nil
	}
	loaded, err := g.more(missing)
	if err != nil {
		return nil, err
	}
	if len(g.held)+len(loaded) > maxHeld {
		clear(g.held)
	}
	for i, l := range loaded {
		out[places[i]] = l
		l.Events = slices.Clone(l.Events)
		g.hold(l)
	}
	return out, nil
}

// readGroup reads cases of one centre, in the order of their keys; of tickets with those that were merged into them.
func readGroup(ctx context.Context, db Database, center string, keys []event.Key) ([]tracker.Loaded, error) {
	events, err := db.CaseEvents(ctx, keys)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, k := range keys {
		if k.Kind == event.KindTicket {
			ids = append(ids, k.ID)
		}
	}
	merged, err := db.MergedInto(ctx, center, ids)
	if err != nil {
		return nil, err
	}
	out := make([]tracker.Loaded, 0, len(keys))
	for _, k := range keys {
		l := tracker.Loaded{Key: k, Events: events[k]}
		if k.Kind == event.KindTicket {
			l.Tickets = merged[k.ID]
		}
		out = append(out, l)
	}
	return out, nil
}

// callsOf returns the calls that any event of a ticket names, each once.
func callsOf(l *tracker.Loaded, eventsOf func(event.Key) []*event.Event) (calls []tracker.Loaded) {
	var ids []string
	for _, e := range l.Events {
		ids = append(ids, e.Calls...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		k := event.Key{Center: l.Key.Center, Kind: event.KindCall, ID: id}
		if evs := eventsOf(k); len(evs) > 0 {
			calls = append(calls, tracker.Loaded{Key: k, Events: evs})
		}
	}
	return calls
}
