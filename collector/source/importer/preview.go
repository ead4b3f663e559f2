package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
)

// TryOptions say what to look at.
type TryOptions struct {
	Mapping   *mapping.Mapping
	File      string
	Directory *directory.Directory
	Limits    Limits
	Most      int // rows to read; 0: all
	Samples   int // events of each type to keep
	Rows      int // rows to show with what becomes of them
}

// Preview is what an import would do, found by doing all of it but sending.
type Preview struct {
	Summary Summary
	Counts  map[string]int // events by type, such as call.received
	Types   []string       // of Counts, as they came first
	Classes map[string]int // calls by class
	Months  []Month        // in their order
	Missing []string       // types of event that no row gives: what ends with them is not measured
	First   []byte         // the first events of each type, a JSON object a line, callers hidden
	Rows    []RowExample
}

// Month is what the events of a month come to in the figures, by the time of each event.
type Month struct {
	Month                                          string // 2026-10, in the zone of the table
	Calls, Answered, Classified, Tickets, Resolved int
}

// RowExample is a row, masked, and the events that it gives.
type RowExample struct {
	Line   int
	Cells  []string
	Events []EventExample
}

// EventExample is an event of a row.
type EventExample struct {
	Type string
	Time time.Time // in the zone of the table
	Data string    // what it says, JSON, the caller hidden
}

// ErrUnknownCenter says that the mapping's centre is not in the directory.
var ErrUnknownCenter = errors.New("the collector would refuse every event; name a centre with --center, or the " +
	"directory with --config")

// Try tells what an import of a file would do. The error is that of Import.
func Try(ctx context.Context, o TryOptions) (Preview, error) {
	p := Preview{Counts: map[string]int{}, Classes: map[string]int{}}
	w := previewWriter{p: &p, most: o.Samples, mapping: o.Mapping, months: map[string]*Month{}}
	var err error
	p.Summary, err = Import(ctx, Options{
		Mapping: o.Mapping, Files: []string{o.File}, Events: &w, Directory: o.Directory, Limits: o.Limits, most: o.Most,
		see: func(row tabular.Row, bound *mapping.Binding, events []mapping.Event) {
			if len(p.Rows) < o.Rows {
				p.Rows = append(p.Rows, example(o.Mapping, row, bound, events))
			}
		},
	})
	for _, m := range slices.Sorted(maps.Keys(w.months)) {
		p.Months = append(p.Months, *w.months[m])
	}
	p.Missing = p.missing()
	if err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrNoRows) {
		return p, err
	}
	if _, known := o.Directory.Center(o.Mapping.Center); !known {
		return p, fmt.Errorf("the mapping's centre %q is not in the directory: %w", o.Mapping.Center, ErrUnknownCenter)
	}
	return p, err
}

func example(m *mapping.Mapping, row tabular.Row, bound *mapping.Binding, events []mapping.Event) RowExample {
	out := RowExample{Line: row.Line, Cells: bound.MaskCells(row)}
	for _, e := range events {
		_, data, _ := bytes.Cut(e.JSON, []byte(`"data":{`))
		_, data, _ = bytes.Cut(data, []byte(",")) // behind the centre
		out.Events = append(out.Events, EventExample{
			Type: m.EventType(e.Rule), Time: m.Local(e.Unix), Data: strings.TrimSuffix(string(data), "}}"),
		})
	}
	return out
}

// missing are the facts of calls and tickets that no event tells.
func (p *Preview) missing() []string {
	facts := []string{"call.answered", "call.ended", "call.classified"}
	if p.Counts["call.received"] == 0 {
		facts = nil
	}
	if p.Counts["ticket.opened"] > 0 {
		facts = append(facts, "ticket.assigned", "ticket.acknowledged", "ticket.departed", "ticket.arrived",
			"ticket.resolved", "ticket.confirmed")
	}
	return slices.DeleteFunc(facts, func(f string) bool { return p.Counts[f] > 0 })
}

// Text is the preview for people, several lines.
func (p *Preview) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "an import would do this:\n%s", p.Summary.Text(""))
	for _, typ := range p.Types {
		fmt.Fprintf(&b, "  %-20s %d\n", typ, p.Counts[typ])
	}
	n := p.Counts
	fmt.Fprintf(&b, "in the figures: %d calls, %d answered, %d classified, %d tickets\n", n["call.received"],
		n["call.answered"], n["call.classified"], n["ticket.opened"])
	if len(p.Months) > 1 {
		for _, m := range p.Months {
			fmt.Fprintf(&b, "  %s: %d calls, %d answered, %d classified, %d tickets, %d resolved\n", m.Month, m.Calls,
				m.Answered, m.Classified, m.Tickets, m.Resolved)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(p.Classes)) {
		fmt.Fprintf(&b, "  class %-14s %d\n", class, p.Classes[class])
	}
	if len(p.Missing) > 0 {
		fmt.Fprintf(&b, "not recorded in this file, so not measured: %s\n", strings.Join(p.Missing, ", "))
	}
	if len(p.First) > 0 {
		fmt.Fprintf(&b, "the first events of each type:\n%s", p.First)
	}
	return b.String()
}

// previewWriter counts events by type, class and month and keeps the first of each type.
type previewWriter struct {
	p       *Preview
	most    int
	mapping *mapping.Mapping
	months  map[string]*Month
}

// Write takes one event with its line end.
func (w *previewWriter) Write(line []byte) (int, error) {
	_, rest, _ := bytes.Cut(line, []byte(`"type":"monev112.`))
	name, rest, _ := bytes.Cut(rest, []byte(`"`))
	typ := string(name)
	_, rest, _ = bytes.Cut(rest, []byte(`"time":"`))
	text, rest, _ := bytes.Cut(rest, []byte(`"`))
	if _, rest, ok := bytes.Cut(rest, []byte(`"class":"`)); ok {
		class, _, _ := bytes.Cut(rest, []byte(`"`))
		w.p.Classes[string(class)]++
	}
	if w.p.Counts[typ] == 0 {
		w.p.Types = append(w.p.Types, typ)
	}
	if w.p.Counts[typ]++; w.p.Counts[typ] <= w.most {
		w.p.First = append(w.p.First, line...)
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return 0, err
	}
	month := w.mapping.Local(at.UnixMilli()).Format("2006-01")
	m := w.months[month]
	if m == nil {
		m = &Month{Month: month}
		w.months[month] = m
	}
	switch typ {
	case "call.received":
		m.Calls++
	case "call.answered":
		m.Answered++
	case "call.classified":
		m.Classified++
	case "ticket.opened":
		m.Tickets++
	case "ticket.resolved":
		m.Resolved++
	}
	return len(line), nil
}
