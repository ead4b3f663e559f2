package importer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/tabular"
)

// Limits bound what an import may ask of memory. The zero value of a field means its default.
type Limits struct {
	tabular.Limits
	GroupBytes int64 // what grouping several rows into cases may hold, and the same for corrections; default 512 MiB
	StateIDs   int   // events that the memory of earlier imports may hold; default 4,000,000
}

const (
	defaultStateIDs = 4_000_000
	// batchEvents is more than a Stream's own default: each request and each of the collector's groups has a cost of its
	// own, and nobody waits for the answer to one row. More would keep calls that arrive meanwhile waiting.
	batchEvents = 1000
)

// Options say what to import and where to.
type Options struct {
	Mapping *mapping.Mapping
	Files   []string // read in this order; the order changes nothing
	Rejects string   // path of the rejects file; empty: refusals are counted only
	Limits  Limits

	Collector Collector     // where the events go; nil is a dry run: read and map, submit nothing
	Batching  send.Batching // how much goes into one request; default batchEvents
	// State is a folder in which imports remember what they sent, so that a row that has changed becomes a correction.
	// Empty: changed rows are refused as conflicts.
	State string
	Name  string // the collector's address, by which State tells collectors apart
	// Withdraw takes back events of earlier imports that no row within the time of the files gives any more.
	Withdraw bool

	Directory *directory.Directory // resolves names, to list those that it does not know; nil: none are listed
	Out       io.Writer            // progress and summary for people; nil: none
	Terminal  bool                 // Out is a terminal: show a bar
	// Events takes the events of a dry run as NDJSON, callers' numbers hidden but for three digits; nil: none.
	Events io.Writer
	// Progress is called now and then with the rows that are read and, after Collector answered, the share of the work
	// that is done, 0 to 1; nil: not. It must be quick.
	Progress func(rows int, share float64)

	most int // of a dry run: rows to read; 0: all
	see  func(tabular.Row, *mapping.Binding, []mapping.Event)
}

// Collector takes the events of an import and tells what it holds of earlier ones; send.Client is one.
type Collector interface {
	send.Submitter
	History
}

// ErrRefused is returned by Import when everything was read and sent but some rows or events were refused.
var ErrRefused = errors.New("some rows were refused")

// ErrNoRows is returned by Import when there is a header and no row below it: more often a wrong file, sheet or mapping
// than a day without a call.
var ErrNoRows = errors.New("there is no row below the header")

// Import reads the files, maps their rows and submits the events. It returns a Summary in every case. The error is nil
// when every row was taken, ErrRefused when some were not, ErrNoRows when there were none, a wrapped ctx.Err() when ctx
// ended (run it again: what was sent before is a duplicate then), or what ended the import early: a
// *send.CollectorError where it was the collector.
func Import(ctx context.Context, o Options) (Summary, error) {
	r := &run{
		o: o, mapping: o.Mapping, began: time.Now(), limits: o.Limits,
		sum:    Summary{Mapping: o.Mapping.Name, DryRun: o.Collector == nil},
		names:  nameCount{dir: o.Directory, center: o.Mapping.Center},
		latest: time.Now().Add(event.MaxFutureSeconds * time.Second).UnixMilli(),
	}
	r.limits.GroupBytes = cmp.Or(o.Limits.GroupBytes, 512<<20)
	if len(o.Files) == 0 {
		return r.sum, errors.New("no file is given")
	}
	for _, f := range o.Files {
		info, err := os.Stat(f)
		if err != nil {
			return r.sum, err
		}
		if o.Rejects != "" && samePath(f, o.Rejects) {
			return r.sum, fmt.Errorf("the rejects file %s is one of the files to import", o.Rejects)
		}
		r.size += info.Size()
	}
	if o.State != "" && o.Collector != nil {
		key := memoryKey{Server: o.Name, Source: o.Mapping.Source, Center: o.Mapping.Center}
		m, err := openMemory(o.State, key, cmp.Or(o.Limits.StateIDs, defaultStateIDs))
		if err != nil {
			return r.sum, err
		}
		defer m.close()
		r.corrector = newCorrector(r, m, o.Collector)
	}
	err := r.look(ctx)
	if err != nil {
		return r.sum, err
	}
	if r.corrector != nil && !r.mapping.Several {
		r.corrector.memory.expect(r.likely)
	}
	if r.rejects, err = newRejects(o.Rejects); err != nil {
		return r.sum, err
	}
	return r.do(ctx)
}

func samePath(a, b string) bool {
	if ia, err := os.Stat(a); err == nil {
		if ib, err := os.Stat(b); err == nil {
			return os.SameFile(ia, ib)
		}
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

// run is one Import. Its counters are read by the progress display while it works.
type run struct {
	o         Options
	mapping   *mapping.Mapping
	limits    Limits
	rejects   *rejects
	sum       Summary
	stream    *send.Stream[submission] // nil on a dry run
	corrector *corrector               // nil without a memory: changed rows are conflicts
	groups    *grouper                 // nil when a case stands on one row
	sequence  *mapping.Sequence        // nil when the order of rows means nothing
	carries   []statement              // of the files that give an event
	likely    int                      // events, by the first look; 0: not known
	began     time.Time
	names     nameCount
	size      int64

	numbered string // the last file that fileNumber was asked for
	number   uint64

	refusedRows int // rows of which no event was made: what an earlier import made of them is not gone

	latest       int64 // milliseconds since 1970: an event after it is in the future
	rows, events atomic.Int64
	done         atomic.Int64 // bytes of the files that are read
	open         atomic.Pointer[tabular.File]
}

func (r *run) do(ctx context.Context) (Summary, error) {
	start := r.began
	if r.o.Collector != nil {
		batching := r.o.Batching
		batching.Events = cmp.Or(batching.Events, batchEvents)
		r.stream = send.NewStream(ctx, r.o.Collector, batching, r.reject)
		if r.corrector != nil {
			r.stream.Taken = func(s submission) { r.corrector.memory.accepted(s.entry, s.next) }
		}
	}
	if r.mapping.Several {
		r.groups = &grouper{mapping: r.mapping, best: map[string]*grouped{}, limit: r.limits.GroupBytes}
	}
	stop := showProgress(r.o.Out, r.o.Terminal, r.progress)
	stopTelling := r.tell()
	err := r.send(ctx)
	if r.stream != nil {
		if err != nil {
			r.stream.Abort()
		}
		var serr error
		r.sum.Totals, serr = r.stream.Close()
		// The stream's own error is the cause of what Add returned; a cancelled stream after our own error is not.
		if serr != nil && (err == nil || !errors.Is(serr, context.Canceled)) {
			err = serr
		}
	}
	if r.corrector != nil {
		r.sum.Totals.Sent -= r.corrector.resent
		r.sum.Totals.Refused -= r.corrector.resent
		err = cmp.Or(err, r.corrector.finish())
	}
	stop()
	stopTelling()

	r.sum.Rows, r.sum.Events = int(r.rows.Load()), int(r.events.Load())
	r.sum.Elapsed = time.Since(start)
	r.sum.Unknown = r.names.list()
	r.sum.Refused, r.sum.FirstRefusals, r.sum.Refusals = r.rejects.counts, r.rejects.first, r.rejects.errs
	err = cmp.Or(err, r.rejects.close())
	if ctx.Err() != nil && err != nil {
		err = fmt.Errorf("the import was stopped: %w", ctx.Err())
	}
	r.sum.Stopped = err != nil
	switch {
	case err != nil:
	case r.sum.RefusedTotal() > 0:
		err = ErrRefused
	case r.sum.Rows == 0:
		err = ErrNoRows
	}
	if r.o.Out != nil {
		fmt.Fprint(r.o.Out, r.sum.Text(r.o.Rejects))
	}
	return r.sum, err
}

// send reads everything and submits it: the rows as they come, then the cases of several rows, then what has changed,
// then, once all of that is answered, what turned out to be in conflict.
func (r *run) send(ctx context.Context) error {
	if r.corrector != nil {
		if err := r.corrector.prepare(ctx); err != nil {
			return err
		}
	}
	if err := r.announce(ctx); err != nil {
		return err
	}
	if err := r.readAll(ctx, r.readTable); err != nil {
		return err
	}
	if err := r.sendGroups(ctx); err != nil || r.corrector == nil {
		return err
	}
	if err := r.corrector.sendChanges(ctx); err != nil {
		return err
	}
	if err := r.corrector.withdraw(ctx); err != nil {
		return err
	}
	if err := r.stream.Wait(); err != nil {
		return err
	}
	return r.corrector.resolveConflicts(ctx)
}

func (r *run) progress() progress {
	p := progress{
		dryRun: r.stream == nil, rows: int(r.rows.Load()), events: int(r.events.Load()), refused: r.rejects.total(),
		done: r.done.Load(), size: r.size,
	}
	if f := r.open.Load(); f != nil {
		p.done += f.ReadBytes()
	}
	p.answered = p.events
	if r.stream != nil {
		p.answered = r.stream.Totals().Sent
	}
	return p
}

// readAll opens every file and calls do for each table in it.
func (r *run) readAll(ctx context.Context, do func(context.Context, tabular.Table) error) error {
	for _, path := range r.o.Files {
		if err := r.readFile(ctx, path, do); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) readFile(ctx context.Context, path string, do func(context.Context, tabular.Table) error) error {
	f, err := r.mapping.Layout().Open(path, r.limits.Limits)
	if err != nil {
		return err
	}
	defer f.Close()
	r.open.Store(f)
	defer func() {
		r.open.Store(nil)
		if info, err := os.Stat(path); err == nil {
			r.done.Add(info.Size())
		}
		r.sum.SkippedSheets = append(r.sum.SkippedSheets, f.Skipped()...)
		r.sum.HiddenSheets = append(r.sum.HiddenSheets, f.Hidden()...)
	}()
	for {
		t, err := f.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			if t, err = mapping.CheckTable(t); err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
		} else if counts := mapping.CheckFile(ctx, path, r.limits.Limits, err); counts != nil {
			err = counts
		}
		if err != nil {
			return err
		}
		err = do(ctx, t)
		if err != nil {
			return err
		}
	}
}

// readTable maps every row of one table.
func (r *run) readTable(ctx context.Context, t tabular.Table) error {
	bound := r.mapping.Bind(t.Header)
	m := r.mapping.NewMapper(bound)
	m.HideCallers, m.CollectNames, m.Sequence = r.stream == nil, r.o.Directory != nil, r.sequence
	m.CollectAbsent = r.corrector != nil && r.groups == nil // where a case has several rows, another may give the event
	defer func() { r.sum.Notes.Add(m.Notes) }()
	for {
		if r.rows.Load()%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := t.Next()
		var refused *tabular.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &refused):
			r.rows.Add(1)
			r.refusedRows++
			r.rejects.add(refused, "", nil)
			continue
		case err != nil:
			return err
		case row.Blank():
			r.sum.BlankRows++
			continue
		case bound.RepeatsHeader(row):
			r.sum.RepeatedHeaders++
			continue
		}
		if r.rows.Add(1); r.o.most > 0 && int(r.rows.Load()) > r.o.most {
			r.rows.Add(-1)
			r.sum.Cut = true
			return nil
		}
		events, refused := m.Apply(row)
		if refused == nil && r.o.see != nil {
			r.o.see(row, bound, events)
		}
		if refused == nil {
			err := r.take(ctx, row, bound, events)
			if err == nil {
				r.names.count(m.Names)
				for _, id := range m.Absent {
					if before := r.corrector.memory.find(id); before != nil {
						before.emptied = true
					}
				}
				continue
			}
			if !errors.As(err, &refused) {
				return err
			}
		}
		r.refusedRows++
		r.rejects.add(refused, "", bound.MaskCells(row))
	}
}

// take hands the events of a row on: to the grouper, to the collector, or on a dry run to the writer.
func (r *run) take(ctx context.Context, row tabular.Row, bound *mapping.Binding, events []mapping.Event) error {
	for _, e := range events {
		if r.stream == nil && e.Unix > r.latest { // as the collector would
			return &tabular.RowError{
				File: row.File, Line: row.Line, Code: CodeServer, Reason: "a time lies in the future; check day and month",
			}
		}
	}
	if r.groups != nil {
		return r.groups.add(row, events)
	}
	r.events.Add(int64(len(events)))
	from := &origin{row, bound}
	for _, e := range events {
		if err := r.offer(ctx, e, events[0].Unix, submission{from: from, id: e.ID}); err != nil {
			return err
		}
	}
	return nil
}

// sendGroups submits what several rows of a case came to.
func (r *run) sendGroups(ctx context.Context) error {
	if r.groups == nil {
		return nil
	}
	r.events.Store(int64(len(r.groups.order)))
	r.sum.MergedEvents = r.groups.merged
	for i, id := range r.groups.order {
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		g := r.groups.best[id]
		if err := r.offer(ctx, g.event, g.event.Unix, submission{from: g.from.origin(), id: id}); err != nil {
			return err
		}
	}
	return nil
}

// fileNumber numbers a file of this run unlike those of other runs; never 0.
func (r *run) fileNumber(name string) uint64 {
	if name != r.numbered {
		sum := sha256.Sum256([]byte(strconv.FormatInt(r.began.UnixNano(), 10) + "\x00" + name))
		r.numbered, r.number = name, binary.BigEndian.Uint64(sum[:])>>16|1
	}
	return r.number
}

// submission is an event on its way, so that a rejection finds its row.
type submission struct {
	from  *origin
	id    string   // its own
	entry *entry   // what is remembered of it; nil without a memory
	next  *version // what entry becomes once the collector has it; nil: as planned
	json  []byte   // of the event under its own id, when it is sent under another
}

// origin is the row of an event, without cells where its cells are not told.
type origin struct {
	row   tabular.Row
	bound *mapping.Binding
}

func (o *origin) place() place { return place{o.row.File, o.row.Line} }

// place is where a row stands.
type place struct {
	file string
	line int
}

func (p place) origin() *origin { return &origin{row: tabular.Row{File: p.file, Line: p.line}} }

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// offer submits an event, in the version that the memory asks for. row is the time that stands for the row: that of its
// first event.
func (r *run) offer(ctx context.Context, e mapping.Event, row int64, s submission) error {
	if r.corrector == nil {
		return r.emit(e.JSON, s)
	}
	return r.corrector.offer(ctx, e, row, s)
}

func (r *run) emit(json []byte, s submission) error {
	if r.stream != nil {
		return r.stream.Add(json, s)
	}
	if r.o.Events != nil {
		if _, err := r.o.Events.Write(append(json, '\n')); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	return nil
}

func isConflict(r event.Refusal) bool { return r.Reason == event.Conflict }

// reject notes an event that the collector did not take.
func (r *run) reject(s submission, refusal event.Refusal) {
	if r.corrector != nil && r.corrector.defers(s, refusal) {
		return
	}
	code, reason := CodeServer, "the server refused an event: "+mapping.Mask(string(refusal.Reason), 60)
	if isConflict(refusal) {
		code, reason = CodeConflict, "the server holds this event with another content: "+
			"the row has changed since it was imported, or two rows say different things of one case"
	}
	if refusal.Field != "" {
		reason += " (" + string(refusal.Field) + ")"
	}
	r.refuse(s, code, reason)
}

// contradiction notes an event that another row of this import gives another content.
func (r *run) contradiction(s submission) {
	r.refuse(s, CodeConflict, "two rows of this import say different things of one case; the other one counts")
}

func (r *run) refuse(s submission, code tabular.Code, reason string) {
	var cells []string
	if s.from.bound != nil {
		cells = s.from.bound.MaskCells(s.from.row)
	}
	r.rejects.add(&tabular.RowError{File: s.from.row.File, Line: s.from.row.Line, Code: code, Reason: reason},
		mapping.Mask(s.id, 2*event.MaxIDBytes), cells)
}
