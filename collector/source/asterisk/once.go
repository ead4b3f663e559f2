package asterisk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/send"
)

// OnceOptions say which files Once reads.
type OnceOptions struct {
	Config Config   // QueueLog is not used
	Files  []string // in the order of their writing, .gz or plain; one log
	Names  *Names
	// Event takes the events one by one, with the place of their line.
	Event func(d *event.RawEvent, at Place) error
	// Malformed is told of each line that is none of a queue_log; may be nil.
	Malformed func(at Place, reason ParseError)
}

// Place is a line of a file; lines count from 1.
type Place struct {
	File string
	Line int
}

// Once reads whole files and returns what was counted. It ends early only with an error of a file or of Event.
func Once(ctx context.Context, o OnceOptions) (Tally, error) {
	m := NewMapper(o.Config, o.Names)
	for _, name := range o.Files {
		if err := o.once(ctx, m, name); err != nil {
			return m.Tally(), err
		}
	}
	return m.Tally(), nil
}

// once reads a log, or a dump of the table that holds one.
func (o *OnceOptions) once(ctx context.Context, m *Mapper, name string) error {
	var drafts []event.RawEvent
	take := func(at Place, err error) error {
		var malformed ParseError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &malformed):
			if o.Malformed != nil {
				o.Malformed(at, malformed)
			}
			return nil
		}
		for i := range drafts {
			if err := o.Event(&drafts[i], at); err != nil {
				return err
			}
		}
		return nil
	}
	zone, err := o.Config.zone()
	if err != nil {
		return err
	}
	dump, ok, err := readDump(name, zone)
	if err != nil {
		return err
	}
	for i := range dump {
		l := &dump[i]
		if parse, bad := errors.AsType[ParseError](l.err); bad {
			m.Reject(parse)
		} else {
			drafts = m.Map(drafts[:0], &l.line)
		}
		if err := take(Place{name, int(l.row)}, l.err); err != nil {
			return err
		}
	}
	if ok {
		return nil
	}
	f, _, err := openLog(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return eachLine(f, func(n int, text []byte) error {
		var err error
		if text == nil {
			m.Reject(LineTooLong)
			err = LineTooLong
		} else {
			drafts, err = m.MapText(drafts[:0], text)
		}
		return take(Place{name, n}, err)
	})
}

// eachLine calls line with each line, the last one with or without a line end; text is nil for one that is too long.
func eachLine(f file, line func(n int, text []byte) error) error {
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, 1<<62), MaxLineBytes+2)
	for n := 1; ; n++ {
		text, err := r.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		end := err != nil
		switch {
		case long:
			text = nil
		case len(text) > 0 && text[len(text)-1] == '\n':
			text = text[:len(text)-1]
		case len(text) == 0 && end:
			return nil
		}
		if err := line(n, text); err != nil || end {
			return err
		}
	}
}

// SendOnce reads files and sends their events to a collector; out tells what became of them.
func SendOnce(ctx context.Context, o OnceOptions, to send.Config, out io.Writer) error {
	client, err := send.New(to)
	if err != nil {
		return err
	}
	defer client.Close()
	const most = 20 // of each list
	refused := 0
	stream := send.NewStream(ctx, client, send.Batching{}, func(at Place, r event.Refusal) {
		if refused++; refused <= most {
			fmt.Fprintf(out, "%s:%d: refused by the collector: %s %s\n", at.File, at.Line, r.Field, r.Reason)
		}
	})
	malformed := 0
	o.Malformed = func(at Place, reason ParseError) {
		if malformed++; malformed <= most {
			fmt.Fprintf(out, "%s:%d: no line of a queue_log: %s\n", at.File, at.Line, reason)
		}
	}
	var text []byte
	o.Event = func(d *event.RawEvent, at Place) error {
		text = d.AppendCloudEvent(text[:0])
		return stream.Add(text, at)
	}
	tally, err := Once(ctx, o)
	totals, serr := stream.Close()
	tally.Print(out)
	fmt.Fprintf(out, "answered: %d accepted, %d known already, %d refused\n", totals.Accepted, totals.Duplicates,
		totals.Refused)
	switch {
	case serr != nil:
		return serr
	case err != nil:
		return err
	case malformed > 0 || totals.Refused > 0:
		return fmt.Errorf("%d lines are malformed, %d events were rejected; everything else was accepted", malformed,
			totals.Refused)
	}
	return nil
}

// Print writes t for people.
func (t Tally) Print(w io.Writer) {
	fmt.Fprintf(w, "%d lines, %d events\n", t.Lines, t.Events)
	for _, s := range slices.Sorted(maps.Keys(t.Malformed)) {
		fmt.Fprintf(w, "left out: %d lines, %s\n", t.Malformed[s], s)
	}
	for _, e := range slices.Sorted(maps.Keys(t.Unknown)) {
		fmt.Fprintf(w, "without meaning here: %d lines of %s\n", t.Unknown[e], e)
	}
	if t.Numbers > 0 {
		fmt.Fprintf(w, "%d durations were no number or below zero and were left out\n", t.Numbers)
	}
	if t.Outbound > 0 {
		fmt.Fprintf(w, "kept apart: %d outbound calls, %d of them answered\n", t.Outbound, t.OutboundAnswered)
	}
	if t.Legs > 0 {
		fmt.Fprintf(w, "kept apart: %d calls in which an agent asked a colleague\n", t.Legs)
	}
	if t.Callers > 0 {
		fmt.Fprintf(w, "%d callers were no number and were left out\n", t.Callers)
	}
	for _, code := range slices.Sorted(maps.Keys(t.Unnamed)) {
		fmt.Fprintf(w, "an agent without a code is %s in %d lines; give the name a code under agents:\n", code,
			t.Unnamed[code])
	}
}
