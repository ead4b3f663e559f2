package importer

import (
	"cmp"
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

func (l Limits) withDefaults() Limits {
	l.GroupBytes, l.StateIDs = cmp.Or(l.GroupBytes, 512<<20), cmp.Or(l.StateIDs, 4_000_000)
	return l
}

// The codes of rows and events that were read and not taken.
const (
	CodeServer   tabular.Code = "refused_by_server"
	CodeConflict tabular.Code = "conflict" // the server holds the same id with another content
)

// Options say what to import and where to.
type Options struct {
	Mapping string   // path of a YAML file, or the name of a built-in mapping
	Builtin fs.FS    // holds defaults/mappings/*.yaml; may be nil
	Files   []string // read in this order; the order changes nothing
	Rejects string   // path of the rejects file; empty: refusals are counted only
	DryRun  bool     // read and map, send nothing
	Limits  Limits
	// State is a folder in which imports remember what they sent, so that a row that has changed becomes a correction.
	// Empty: changed rows are refused as conflicts. See memory.
	State     string
	Directory *directory.Directory // resolves names, to list those that it does not know; nil: none are listed
	Send      send.Config          // Server and Key; unused with DryRun
	Batching  send.Batching        // how much goes into one request
	Out       io.Writer            // progress and summary for people; nil: none
	Terminal  bool                 // Out is a terminal: show a bar
	// with DryRun: the events as NDJSON, callers' numbers hidden but for three digits; nil: none
	Events io.Writer
}

// Summary says what became of every row and event.
type Summary struct {
	Mapping string
	Rows    int // rows below the headers, blank ones left out
	Blank   int
	Repeats int // header lines met again within a table
	Refused map[tabular.Code]int
	First   []string // the first few refusals, masked
	Events  int      // events of the rows that were taken; of several rows of a case only those that count
	Merged  int      // events of further rows of a case that were folded into another
	Notes   mapping.Notes
	Sheets  []string  // sheets of workbooks without the header, which were left out
	Unknown []Unknown // names that the directory does not know, the most frequent first, at most maxUnknown
	// Corrected counts events whose content has changed since an earlier import and that were sent as corrections; Gone
	// those that an earlier import sent, of cases of the same period, and that no row gives any more: they stay as they
	// are.
	Corrected int
	Gone      int
	GoneFirst []string // the first few of them
	Blind     bool     // earlier imports could not be looked up: the key may not read
	Totals    send.Totals
	Elapsed   time.Duration
	Stopped   bool // by a signal or an error: some rows were not looked at, or not answered
	DryRun    bool
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
	row   tabular.Row // empty for a case of several rows
	bound *mapping.Binding
	id    string
	json  []byte      // of the event under its first id, with ev
	ev    *remembered // what to remember once the server has it; nil without a memory
}

// Import reads the files, maps their rows and sends the events. It returns a Summary in every case. The error is nil
// when every row was taken, ErrRefused when some were not, a wrapped ctx.Err() when ctx ended (run it again: what was
// sent before is known to the server and not counted twice), a *mapping.MappingError (joined with others) for a faulty mapping,
// or what ended the import early.
func Import(ctx context.Context, o Options) (Summary, error) {
	m, err := mapping.Load(o.Mapping, o.Builtin)
	if err != nil {
		return Summary{}, err
	}
	if len(o.Files) == 0 {
		return Summary{}, errors.New("no file is given")
	}
	return ImportWith(ctx, m, o)
}

// ImportWith is Import by a mapping that is at hand; Options.Mapping and Builtin are not looked at.
func ImportWith(ctx context.Context, m *mapping.Mapping, o Options) (_ Summary, err error) {
	im := &importer{
		o: o, m: m, sum: Summary{Mapping: m.Name, DryRun: o.DryRun}, names: nameCount{dir: o.Directory, center: m.Center},
	}
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
	if o.State != "" && client != nil {
		im.client = client
		if im.memory, err = openMemory(o.State, memoryKey{Server: o.Send.Server, Source: m.Source, Center: m.Center},
			o.Limits.withDefaults()); err != nil {
			return im.sum, err
		}
		defer im.memory.close()
	}
	if err := im.checkNights(ctx); err != nil {
		return im.sum, err
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
	m       *mapping.Mapping
	rejects *rejects
	sum     Summary
	stream  *send.Stream[tag]
	client  *send.Client // to ask what the server holds; nil without a memory
	memory  *memory      // nil: changed rows are conflicts
	names   nameCount
	lost    []conflict // answers that say conflict, to be corrected after the rest
	final   bool       // these are being corrected
	asked   map[string][]send.Held
	groups  *grouper
	size    int64

	rows, events atomic.Int64
	done         atomic.Int64 // bytes of the files that are read
	open         atomic.Pointer[tabular.File]
}

func (im *importer) run(ctx context.Context, client *send.Client) (Summary, error) {
	start := time.Now()
	if client != nil {
		im.stream = im.newStream(ctx, client)
	}
	if im.m.Several {
		im.groups = &grouper{mapping: im.m, best: map[string]*grouped{}, limit: im.o.Limits.withDefaults().GroupBytes}
	}
	shown, stop := context.WithCancel(context.Background())
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		showProgress(shown, im.o.Out, im.o.Terminal, im.progress)
	}()

	err := im.recall(ctx)
	if err == nil {
		err = im.readAll(ctx, im.readTable)
	}
	if err == nil {
		err = im.sendGroups(ctx)
	}
	if err == nil {
		err = im.sendCorrections(ctx)
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
	if err == nil && len(im.lost) > 0 {
		err = im.correctConflicts(ctx, client)
	}
	if im.memory != nil {
		if serr := im.remember(err == nil); err == nil {
			err = serr
		}
	}
	stop()
	<-finished

	im.sum.Rows = int(im.rows.Load())
	im.sum.Events = int(im.events.Load())
	im.sum.Elapsed = time.Since(start)
	im.sum.Unknown = im.names.list()
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
	p := Progress{
		DryRun: im.o.DryRun, Rows: int(im.rows.Load()), Events: int(im.events.Load()), Refused: im.rejects.total(),
		Done: im.done.Load(), Size: im.size,
	}
	if f := im.open.Load(); f != nil {
		p.Done += f.ReadBytes()
	}
	p.Answered = p.Events
	if im.stream != nil {
		p.Answered = im.stream.Totals().Sent
	}
	return p
}

// readAll opens every file and calls do for each table in it.
func (im *importer) readAll(ctx context.Context, do func(context.Context, tabular.Table) error) error {
	for _, path := range im.o.Files {
		if err := im.readFile(ctx, path, do); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) readFile(ctx context.Context, path string, do func(context.Context, tabular.Table) error) error {
	f, err := im.m.Layout().Open(path, im.o.Limits.Limits)
	if err != nil {
		return err
	}
	defer f.Close()
	im.open.Store(f)
	defer func() {
		im.open.Store(nil)
		im.done.Add(fileSize(path))
		im.sum.Sheets = append(im.sum.Sheets, f.Skipped()...)
	}()
	for {
		t, err := f.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(ctx, t)
		}
		if err != nil {
			return err
		}
	}
}

// fileSize is the size of a file as it lies on the disk; 0 when it cannot be told.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// readTable maps every row of one table, be it text or a sheet.
func (im *importer) readTable(ctx context.Context, t tabular.Table) error {
	bound := im.m.Bind(t.Header)
	mp := im.m.NewMapper(bound)
	mp.HideCallers, mp.CollectNames = im.o.DryRun, im.o.Directory != nil
	defer func() { im.sum.Notes.Add(mp.Notes) }()
	for {
		if im.rows.Load()%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *tabular.RowError
		if errors.As(err, &bad) {
			im.rows.Add(1)
			im.rejects.row(bad, nil)
			continue
		}
		switch {
		case err != nil:
			return err
		case row.Blank():
			im.sum.Blank++
			continue
		case bound.RepeatsHeader(row):
			im.sum.Repeats++
			continue
		}
		im.rows.Add(1)
		events, refused := mp.Apply(row)
		if refused == nil {
			err := im.take(ctx, row, bound, events)
			if err == nil {
				im.names.count(mp.Names)
				continue
			}
			if !errors.As(err, &refused) {
				return err
			}
		}
		im.rejects.row(refused, bound.MaskCells(row))
	}
}

// take hands the events of a row on: to the grouper, to the server, or on a dry run to the writer.
func (im *importer) take(ctx context.Context, row tabular.Row, bound *mapping.Binding, events []mapping.Event) error {
	if im.groups != nil {
		return im.groups.add(row, events)
	}
	im.events.Add(int64(len(events)))
	for _, e := range events {
		t := tag{from: origin{row.File, row.Line}, row: row, bound: bound, id: e.ID}
		if err := im.offer(ctx, e, events[0].Unix, t); err != nil {
			return err
		}
	}
	return nil
}

// offer sends an event, in the version that the memory asks for. row is the time that stands for the row: of its first
// event.
func (im *importer) offer(ctx context.Context, e mapping.Event, row int64, t tag) error {
	if im.memory == nil {
		return im.emit(e.JSON, t)
	}
	return im.offerVersion(ctx, e, row, t)
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
		e := mapping.Event{ID: id, Unix: g.unix, JSON: g.json, Hash: g.hash, Rule: g.rule}
		if err := im.offer(ctx, e, g.unix, tag{from: g.from, id: id}); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) refusedByServer(t tag, r send.Refusal) {
	if im.memory != nil && !im.final && t.ev != nil && strings.Contains(r.Reason, "conflict") &&
		len(im.lost) < maxConflicts {
		im.lost = append(im.lost, conflict{t, r})
		return
	}
	im.refuse(t, r)
}

// refuse notes an event that the server did not take.
func (im *importer) refuse(t tag, r send.Refusal) {
	e := &tabular.RowError{
		File: t.from.file, Line: t.from.line, Code: CodeServer, Reason: "the server refused an event: " + mapping.Mask(r.Reason, 60),
	}
	if strings.Contains(r.Reason, "conflict") {
		e.Code = CodeConflict
		e.Reason = "the server holds this event with another content: the row has changed since it was imported, or two rows say different things of one case"
	}
	if r.Field != "" {
		e.Reason += " (" + r.Field + ")"
	}
	var cells []string
	if t.bound != nil {
		cells = t.bound.MaskCells(t.row)
	}
	im.rejects.note(e, mapping.Mask(t.id, 2*event.MaxIDBytes), cells)
}

// Text is the summary for people, several lines. rejects is the path of the rejects file, empty for none.
func (s *Summary) Text(rejects string) string {
	var b strings.Builder
	rate := 0.0
	if sec := s.Elapsed.Seconds(); sec > 0 {
		rate = float64(s.Rows) / sec
	}
	fmt.Fprintf(&b, "%s: %s rows in %s (%s rows/s), %s events\n", s.Mapping, group(s.Rows),
		s.Elapsed.Round(time.Millisecond), group(int(rate)), group(s.Events))
	if s.DryRun {
		fmt.Fprintln(&b, "dry run: nothing was sent")
	} else {
		fmt.Fprintf(&b, "answered: %s accepted, %s known already, %s refused", group(s.Totals.Accepted),
			group(s.Totals.Duplicates), group(s.Totals.Refused))
		if s.Totals.Retried > 0 {
			fmt.Fprintf(&b, "; %s of %s batches were sent more than once, so part of the known ones may be from this run",
				group(s.Totals.Retried), group(s.Totals.Requests))
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
	note(s.Notes.NightShift, "times were moved to the next day: the night shift carries the date on which it began")
	note(s.Notes.RepairedCallers, "callers' numbers got back what a spreadsheet had taken, the leading 0 for one")
	note(s.Notes.LostCallers, "callers' numbers could not be read and were left out (8,12E+10 has lost its digits)")
	note(s.Corrected, "events had changed since an earlier import and were sent as corrections")
	note(s.Gone, "events of earlier imports of this period are given by no row any more; they stay as they are:")
	for _, id := range s.GoneFirst {
		fmt.Fprintf(&b, "  %s\n", id)
	}
	if s.Blind {
		fmt.Fprintln(
			&b, "earlier imports could not be looked up, since the API key may not read the board (scope board:read): rows that changed are refused as conflicts")
	}
	for _, name := range s.Sheets {
		fmt.Fprintf(&b, "%s has no such header and was left out\n", name)
	}
	if len(s.Unknown) > 0 {
		fmt.Fprintln(
			&b, "names that the directory does not know (they are kept as they stand; add an alias, or correct the file):")
		for _, u := range s.Unknown {
			fmt.Fprintf(&b, "  %s %q: %s rows%s\n", u.Kind, u.Name, group(u.Rows), u.remark())
		}
	}
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
