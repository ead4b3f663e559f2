package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/monev112/monev112/collector/source/send"
)

// Options say what to import and where to.
type Options struct {
	Mapping  string   // path of a YAML file, or the name of a built-in mapping
	Builtin  fs.FS    // holds defaults/mappings/*.yaml; may be nil
	Files    []string // read in this order; the order changes nothing
	Rejects  string   // path of the rejects file; empty: refusals are counted only
	DryRun   bool     // read and map, send nothing
	Limits   Limits
	Send     send.Config   // Server and Key; unused with DryRun
	Batching send.Batching // how much goes into one request
	Out      io.Writer     // progress and summary for people; nil: none
	Terminal bool          // Out is a terminal: show a bar
	Events   io.Writer     // with DryRun: the events as NDJSON, callers' numbers hidden but for three digits; nil: none
}

// Summary says what became of every row and event.
type Summary struct {
	Mapping string
	Rows    int // rows below the headers, blank ones left out
	Blank   int
	Repeats int // header lines met again within a table
	Refused map[Code]int
	First   []string // the first few refusals, masked
	Events  int      // events of the rows that were taken; of several rows of a case only those that count
	Merged  int      // events of further rows of a case that were folded into another
	Notes   Notes
	Totals  send.Totals
	Elapsed time.Duration
	Stopped bool // by a signal or an error: some rows were not looked at, or not answered
	DryRun  bool
}

// RefusedTotal is the number of refused rows and events.
func (s *Summary) RefusedTotal() int {
	n := 0
	for _, c := range s.Refused {
		n += c
	}
	return n
}

// ErrRefused is returned by Import when everything was read and sent but some rows or events were refused.
var ErrRefused = errors.New("some rows were refused")

// tag goes with an event to the server, so that a refusal finds its row.
type tag struct {
	from  origin
	row   Row // empty for a case of several rows
	bound *binding
	id    string
}

// Import reads the files, maps their rows and sends the events. It returns a Summary in every case. The error is nil when
// every row was taken, ErrRefused when some were not, a wrapped ctx.Err() when ctx ended (run it again: what was sent before is
// known to the server and not counted twice), a *MappingError (joined with others) for a faulty mapping, or what ended the
// import early.
func Import(ctx context.Context, o Options) (Summary, error) {
	m, err := LoadMapping(o.Mapping, o.Builtin)
	if err != nil {
		return Summary{}, err
	}
	if len(o.Files) == 0 {
		return Summary{}, errors.New("no file is given")
	}
	im := &importer{o: o, m: m, sum: Summary{Mapping: m.Name, DryRun: o.DryRun}}
	for _, f := range o.Files {
		info, err := os.Stat(f)
		if err != nil {
			return im.sum, err
		}
		if o.Rejects != "" && samePath(f, o.Rejects) {
			return im.sum, fmt.Errorf("the rejects file %s is one of the files to import", o.Rejects)
		}
		im.size += info.Size()
	}
	var client *send.Client
	if !o.DryRun {
		if client, err = send.New(o.Send); err != nil {
			return im.sum, err
		}
		defer client.Close()
	}
	if im.rejects, err = newRejects(o.Rejects); err != nil {
		return im.sum, err
	}
	return im.run(ctx, client)
}

func samePath(a, b string) bool {
	if ia, err := os.Stat(a); err == nil {
		if ib, err := os.Stat(b); err == nil {
			return os.SameFile(ia, ib)
		}
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

// importer is one run of Import. Its counters are read by the progress display while it works.
type importer struct {
	o       Options
	m       *Mapping
	rejects *rejects
	sum     Summary
	stream  *send.Stream[tag]
	groups  *grouper
	size    int64

	rows, events atomic.Int64
	done         atomic.Int64 // bytes of the files that are read
	source       atomic.Pointer[Source]
}

func (im *importer) run(ctx context.Context, client *send.Client) (Summary, error) {
	start := time.Now()
	if client != nil {
		im.stream = send.NewStream(ctx, client, im.o.Batching, im.refusedByServer)
	}
	if im.m.Several {
		im.groups = &grouper{rules: im.m.rules, best: map[string]*grouped{}, limit: im.o.Limits.withDefaults().GroupBytes}
	}
	shown, stop := context.WithCancel(context.Background())
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		showProgress(shown, im.o.Out, im.o.Terminal, im.progress)
	}()

	err := im.readAll(ctx)
	if err == nil {
		err = im.sendGroups(ctx)
	}
	if im.stream != nil {
		if err != nil {
			im.stream.Abort()
		}
		totals, serr := im.stream.Close()
		im.sum.Totals = totals
		// The stream's own error is the cause of what Add returned; a cancelled stream after our own error is not.
		if serr != nil && (err == nil || !errors.Is(serr, context.Canceled)) {
			err = serr
		}
	}
	stop()
	<-finished

	im.sum.Rows = int(im.rows.Load())
	im.sum.Events = int(im.events.Load())
	im.sum.Elapsed = time.Since(start)
	im.sum.Refused, im.sum.First = im.rejects.counts, im.rejects.first
	if cerr := im.rejects.close(); err == nil {
		err = cerr
	}
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("the import was stopped: %w", ctx.Err())
	}
	im.sum.Stopped = err != nil
	if err == nil && im.sum.RefusedTotal() > 0 {
		err = ErrRefused
	}
	if im.o.Out != nil {
		fmt.Fprint(im.o.Out, im.sum.Text(im.o.Rejects))
	}
	return im.sum, err
}

func (im *importer) progress() Progress {
	p := Progress{DryRun: im.o.DryRun, Rows: int(im.rows.Load()), Events: int(im.events.Load()), Refused: im.rejects.total(), Done: im.done.Load(), Size: im.size}
	if s := im.source.Load(); s != nil {
		p.Done += s.ReadBytes()
	}
	p.Answered = p.Events
	if im.stream != nil {
		p.Answered = im.stream.Totals().Sent
	}
	return p
}

func (im *importer) readAll(ctx context.Context) error {
	for _, path := range im.o.Files {
		src, err := Open(path, im.m.Encoding, im.o.Limits)
		if err != nil {
			return err
		}
		im.source.Store(src)
		err = im.readTable(ctx, path, src)
		im.source.Store(nil)
		im.done.Add(src.SizeBytes())
		if cerr := src.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readTable maps every row of one table. It asks for nothing but rows, so a workbook can be read the same way.
func (im *importer) readTable(ctx context.Context, path string, src io.Reader) error {
	rows, bound, err := im.m.csvTable(path, src, im.o.Limits)
	if err != nil {
		return err
	}
	mp := im.m.newMapper(bound)
	mp.hide = im.o.DryRun
	defer func() { im.sum.Notes.add(mp.notes) }()
	for {
		if im.rows.Load()%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *RowError
		if errors.As(err, &bad) {
			im.rows.Add(1)
			im.rejects.row(bad, nil)
			continue
		}
		switch {
		case err != nil:
			return err
		case row.blank():
			im.sum.Blank++
			continue
		case mp.repeatsHeader(row):
			im.sum.Repeats++
			continue
		}
		im.rows.Add(1)
		events, refused := mp.apply(row)
		if refused == nil {
			err := im.take(row, bound, events)
			if err == nil {
				continue
			}
			if !errors.As(err, &refused) {
				return err
			}
		}
		im.rejects.row(refused, bound.maskCells(row))
	}
}

// take hands the events of a row on: to the grouper, to the server, or on a dry run to the writer.
func (im *importer) take(row Row, bound *binding, events []Event) error {
	if im.groups != nil {
		return im.groups.add(row, events)
	}
	im.events.Add(int64(len(events)))
	for _, e := range events {
		if err := im.emit(e.JSON, tag{origin{row.File, row.Line}, row, bound, e.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) emit(json []byte, t tag) error {
	if im.stream != nil {
		return im.stream.Add(json, t)
	}
	if im.o.Events != nil {
		if _, err := im.o.Events.Write(append(json, '\n')); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	return nil
}

// sendGroups sends what several rows of a case came to.
func (im *importer) sendGroups(ctx context.Context) error {
	if im.groups == nil {
		return nil
	}
	im.events.Store(int64(len(im.groups.order)))
	im.sum.Merged = im.groups.merged
	for i, id := range im.groups.order {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		g := im.groups.best[id]
		if err := im.emit(g.json, tag{from: g.from, id: id}); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) refusedByServer(t tag, r send.Refusal) {
	e := &RowError{File: t.from.file, Line: t.from.line, Code: CodeServer, Reason: "the server refused an event: " + mask(r.Reason, 60)}
	if strings.Contains(r.Reason, "conflict") {
		e.Code = CodeConflict
		e.Reason = "the server holds this event with another content: the row has changed since it was imported, or two rows say different things of one case"
	}
	if r.Field != "" {
		e.Reason += " (" + r.Field + ")"
	}
	var cells []string
	if t.bound != nil {
		cells = t.bound.maskCells(t.row)
	}
	im.rejects.note(e, mask(t.id, 2*maxIDBytes), cells)
}

func (n *Notes) add(o Notes) {
	n.AmbiguousTimes += o.AmbiguousTimes
	n.NonexistentTimes += o.NonexistentTimes
	n.RolledDays += o.RolledDays
	n.LostCallers += o.LostCallers
}

// Text is the summary for people, several lines. rejects is the path of the rejects file, empty for none.
func (s *Summary) Text(rejects string) string {
	var b strings.Builder
	rate := 0.0
	if sec := s.Elapsed.Seconds(); sec > 0 {
		rate = float64(s.Rows) / sec
	}
	fmt.Fprintf(&b, "%s: %s rows in %s (%s rows/s), %s events\n", s.Mapping, group(s.Rows), s.Elapsed.Round(time.Millisecond), group(int(rate)), group(s.Events))
	if s.DryRun {
		fmt.Fprintln(&b, "dry run: nothing was sent")
	} else {
		fmt.Fprintf(&b, "answered: %s accepted, %s known already, %s refused", group(s.Totals.Accepted), group(s.Totals.Duplicates), group(s.Totals.Refused))
		if s.Totals.Retried > 0 {
			fmt.Fprintf(&b, "; %s of %s batches were sent more than once, so part of the known ones may be from this run", group(s.Totals.Retried), group(s.Totals.Requests))
		}
		b.WriteByte('\n')
	}
	note := func(n int, text string) {
		if n > 0 {
			fmt.Fprintf(&b, "%s %s\n", group(n), text)
		}
	}
	note(s.Merged, "events of further rows of a case were folded into the one that counts")
	note(s.Repeats, "repeated header lines were left out")
	note(s.Notes.AmbiguousTimes, "times fell into the hour that the clocks show twice")
	note(s.Notes.NonexistentTimes, "times fell into the hour that the clocks skip and were moved behind it")
	note(s.Notes.RolledDays, "times were moved to the next day, behind the time that they follow")
	note(s.Notes.LostCallers, "callers' numbers could not be read and were left out")
	if n := s.RefusedTotal(); n > 0 {
		fmt.Fprintf(&b, "%s refused:", group(n))
		for _, code := range slices.Sorted(maps.Keys(s.Refused)) {
			fmt.Fprintf(&b, " %s %s", group(s.Refused[code]), code)
		}
		if rejects != "" {
			fmt.Fprintf(&b, "; see %s", rejects)
		}
		b.WriteByte('\n')
		for _, line := range s.First {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	if s.Stopped {
		fmt.Fprintln(&b, "stopped before the end; run the same command again: what was sent is known and not counted twice")
	}
	return b.String()
}

// ExitCode is the exit code of the import command for an error of Import: 0 when every row was taken, 1 when some were
// refused or the import ended early, 2 for a faulty mapping.
func ExitCode(err error) int {
	var fault *MappingError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &fault):
		return 2
	}
	return 1
}
