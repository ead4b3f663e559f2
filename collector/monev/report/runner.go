package report

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/docx"
	"github.com/monev112/monev112/collector/monev/document/html"
	"github.com/monev112/monev112/collector/monev/document/xlsx"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// Database is ClickHouse as reports need it; *store.Sink is one.
type Database interface {
	freeze.Database
	Indicators(ctx context.Context, center string, first, last time.Time,
		targets store.FigureTargets) ([]store.MonthFigure, error)
	FrozenIndicators(ctx context.Context, center string, first, last time.Time) ([]store.FrozenFigure, error)
	MonthsWithCalls(ctx context.Context, center string) ([]time.Time, []uint64, error)
	Information(ctx context.Context, r store.InformationRange, step string) ([]store.InformationMeasure, error)
	InformationTopics(ctx context.Context, r store.InformationRange) ([]store.InformationTopic, error)
}

// Config is what a Runner is made of. Office and Kendala may be nil.
type Config struct {
	Settings  Settings
	DataDir   string
	Database  Database
	Prepared  func() bool // ClickHouse answers and has its schema
	Directory *directory.Directory
	Book      *sla.Book
	Boards    []string // codes of the centres whose reports are made by themselves
	Office    Office   // nil: nobody writes anything
	Kendala   Kendala  // nil: no causes are told
	Now       func() time.Time
	Log       *slog.Logger
}

// Runner makes reports from the figures and hands them out. It is safe for concurrent use: one report is made at a
// time, and those who ask for the same one share it.
type Runner struct {
	cfg     Config
	logo    []byte
	borders []byte
	archive *Archive
	centers []freeze.Center

	turn   chan struct{} // holds one while a report is made
	drafts []draft       // those of the last draftLife, the oldest first; whose turn it is has them

	life    context.Context // of the service: until Run returns
	end     func()
	makings sync.WaitGroup

	mu   sync.Mutex
	made map[wanted]*making

	told told
}

// draft is a report that was not handed out. It is used again for a moment, so that the files of one command agree.
type draft struct {
	report *Report
	until  time.Time
}

const (
	draftLife = time.Minute
	maxDrafts = 8
)

// RefusedError is a month of which there is no report, or a request that makes no sense. Conflict tells a month whose
// time has not come, or that is empty, from a mistake in the request.
type RefusedError struct {
	Reason   string
	Conflict bool
	Sebab    string // the reason in Indonesian
}

func (e *RefusedError) Error() string { return e.Reason }

// New returns a Runner. It reads logo and borders.
func New(cfg Config) (*Runner, error) {
	logo, err := cfg.Settings.ReadLogo()
	if err != nil {
		return nil, fmt.Errorf("report.%w", err)
	}
	borders, err := cfg.Settings.ReadBorders()
	if err != nil {
		return nil, fmt.Errorf("report.%w", err)
	}
	r := &Runner{
		cfg: cfg, logo: logo, borders: borders, archive: NewArchive(cfg.DataDir), centers: freeze.CentersOf(cfg.Directory),
		turn: make(chan struct{}, 1), made: map[wanted]*making{},
	}
	r.life, r.end = context.WithCancel(context.Background())
	return r, nil
}

// Request asks for a report.
type Request struct {
	Center  string `json:"center"` // empty: the default centre
	Month   string `json:"month"`  // 2023-10
	OPD     string `json:"opd"`    // its part alone
	Edition int    `json:"edition"`
	Draft   bool   `json:"draft"` // as it would be handed out now; nothing is kept
	// Again hands out a further edition of a month that has one.
	Again bool `json:"again"`
	// HandOut lets the first report of a frozen month that is asked for be handed out; without it that is a draft.
	HandOut bool `json:"-"`
	// Fresh takes the figures from the database, not from the draft of a moment ago.
	Fresh bool   `json:"-"`
	By    string `json:"-"` // who asks
	// Polls says that whoever is told to wait sends the same request again: the edition that was handed out meanwhile
	// is then the answer, and no further one.
	Polls bool `json:"-"`
	// Kept is called when an edition is kept on behalf of this request, maybe after it was answered. It may be nil.
	Kept func(*Edition) `json:"-"`
	// Wait bounds how long the asker waits for a report that has to be made; zero is three quarters of a minute.
	Wait time.Duration `json:"-"`
}

// Result is a report, or the part of one OPD.
type Result struct {
	Report  *Report
	Edition *Edition // nil: a draft
	OPD     string
}

// Tag names what the answer was made from: files of one tag agree.
func (a *Result) Tag() string {
	if a.Edition != nil {
		return fmt.Sprintf("edition-%d-%s", a.Edition.Number, a.Report.Checksum[:12])
	}
	return fmt.Sprintf("draft-%d-%s", a.Report.MadeAt.Unix(), a.Report.Checksum[:12])
}

// Name is what a file of the answer is called.
func (a *Result) Name(format string) string {
	return FileName(a.Report.Center, a.Report.Month, a.OPD, format)
}

// FileName is what a report, or the part of an OPD, is called in a folder.
func FileName(center, month, opd, format string) string {
	name := "laporan-112-" + folderName(center) + "-" + month
	if opd != "" {
		name += "-" + slug(opd)
	}
	return name + "." + format
}

// Summary is what is known of an edition without reading it.
type Summary struct {
	Center   string    `json:"center"`
	Month    string    `json:"month"`
	Edition  int       `json:"edition"`
	MadeAt   time.Time `json:"made_at"`
	By       string    `json:"by"`
	Revision int       `json:"revision"` // of the freeze
	Checksum string    `json:"checksum"` // of the figures
}

// Summary tells of an edition.
func (e *Edition) Summary() Summary {
	s := Summary{e.Report.Center, e.Report.Month, e.Number, e.MadeAt, e.By, 0, e.Report.Checksum}
	if e.Report.Frozen != nil {
		s.Revision = e.Report.Frozen.Revision
	}
	return s
}

// Month is a month of a centre that a report can be made of.
type Month struct {
	Center   string    `json:"center"`
	Month    string    `json:"month"`
	Calls    uint64    `json:"calls"` // received, as they are now
	Frozen   bool      `json:"frozen"`
	Editions []Summary `json:"editions"` // what was handed out
}

// Months returns the months of a centre that hold a call, are frozen, or of which a report was handed out, the latest
// first.
func (r *Runner) Months(ctx context.Context, center string) ([]Month, error) {
	c, err := r.center(center)
	if err != nil {
		return nil, err
	}
	if !r.cfg.Prepared() {
		return nil, store.ErrNotReady
	}
	by := map[string]*Month{}
	get := func(month string) *Month {
		if by[month] == nil {
			by[month] = &Month{Center: c.Code, Month: month, Editions: []Summary{}}
		}
		return by[month]
	}
	months, calls, err := r.cfg.Database.MonthsWithCalls(ctx, c.Code)
	if err != nil {
		return nil, err
	}
	for i, m := range months {
		get(m.Format(monthLayout)).Calls = calls[i]
	}
	if months, err = r.cfg.Database.FrozenMonths(ctx, c.Code); err != nil {
		return nil, err
	}
	for _, m := range months {
		get(m.Format(monthLayout)).Frozen = true
	}
	kept, err := r.archive.Months(c.Code)
	if err != nil {
		return nil, err
	}
	for _, m := range kept {
		if get(m).Editions, err = r.archive.Summaries(c.Code, m); err != nil {
			return nil, err
		}
	}
	out := make([]Month, 0, len(by))
	for _, m := range by {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b Month) int { return strings.Compare(b.Month, a.Month) })
	return out, nil
}

func parseMonth(s string) (time.Time, error) {
	month, ok := freeze.ParseMonth(s)
	if !ok {
		return month, &RefusedError{fmt.Sprintf("month %q: give a month such as 2026-10", s), false,
			fmt.Sprintf("Bulan %q tidak dikenali: tulis tahun dan bulan, misalnya 2026-10.", s)}
	}
	return month, nil
}

func (r *Runner) center(code string) (freeze.Center, error) {
	code = cmp.Or(code, r.cfg.Directory.DefaultCenter())
	i := slices.IndexFunc(r.centers, func(c freeze.Center) bool { return c.Code == code })
	if i < 0 {
		return freeze.Center{}, &RefusedError{fmt.Sprintf("the directory knows no centre %q", code), false,
			fmt.Sprintf("Direktori tidak mengenal pusat layanan %q.", code)}
	}
	return r.centers[i], nil
}

// Report finds or makes a report. Of a frozen month the first that somebody asks for who may hand out is kept, and is
// the answer from then on; of any other month, and for anybody else until then, it is a draft. A *MakingError says that
// it is not ready yet, a *BusyError that it was not begun.
func (r *Runner) Report(ctx context.Context, q Request) (*Result, error) {
	c, err := r.center(q.Center)
	if err != nil {
		return nil, err
	}
	month, err := parseMonth(q.Month)
	if err != nil {
		return nil, err
	}
	now := r.cfg.Now()
	if now.Before(freeze.Begins(month, c.Location)) {
		return nil, &RefusedError{fmt.Sprintf("%s has not begun in centre %s: there is nothing to report", q.Month, c.Code),
			true, indonesian.Month(month) + " belum dimulai: belum ada yang dapat dilaporkan."}
	}
	if q.OPD != "" {
		if _, known := r.cfg.Directory.OPD(c.Code, q.OPD); !known {
			return nil, &RefusedError{fmt.Sprintf("the directory knows no OPD %q in centre %s", q.OPD, c.Code), false,
				fmt.Sprintf("Direktori tidak mengenal perangkat daerah %q di pusat layanan %s.", q.OPD, c.Code)}
		}
	}
	if !q.Draft && !q.Again {
		e, err := r.archive.Edition(c.Code, q.Month, q.Edition)
		if err != nil {
			return nil, err
		}
		if e != nil {
			return &Result{e.Report.ForOPD(q.OPD), e, q.OPD}, nil
		}
		if q.Edition != 0 {
			return nil, &RefusedError{fmt.Sprintf("%s of centre %s has no edition %d", q.Month, c.Code, q.Edition), true,
				fmt.Sprintf("Laporan %s tidak mempunyai edisi %d.", indonesian.Month(month), q.Edition)}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(q.Wait, waitFor))
	defer cancel()
	whole, err := r.once(ctx, wanted{c.Code, q.Month, q.Draft, q.Again, q.Fresh, q.HandOut, q.Polls},
		func(ctx context.Context) (*Result, error) { return r.whole(ctx, c, month, q) })
	if err != nil {
		return nil, err
	}
	return &Result{whole.Report.ForOPD(q.OPD), whole.Edition, q.OPD}, nil
}

// whole makes the report of no OPD, and keeps it where it is handed out.
func (r *Runner) whole(ctx context.Context, c freeze.Center, month time.Time, q Request) (*Result, error) {
	unlock, err := r.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if !q.Draft && !q.Again { // somebody else may have made it meanwhile
		if e, err := r.archive.Edition(c.Code, q.Month, 0); err != nil {
			return nil, err
		} else if e != nil {
			return &Result{Report: e.Report, Edition: e}, nil
		}
	}
	rep, err := r.make(ctx, c, month, q.Again || q.Fresh)
	if err != nil {
		return nil, err
	}
	a := &Result{Report: rep}
	if !q.Draft && !rep.Provisional && (q.HandOut || q.Again) {
		if err := ctx.Err(); err != nil { // a stop hands nothing out
			return nil, err
		}
		if a.Edition, err = r.archive.Keep(rep, q.By, false); err != nil {
			return nil, err
		}
		a.Report = a.Edition.Report
		if q.Kept != nil {
			q.Kept(a.Edition)
		}
		r.cfg.Log.Info("report handed out", "center", c.Code, "month", q.Month, "edition", a.Edition.Number)
		if a.Edition.Number == 1 { // leadership is told of a month once, whoever asked for it first
			r.tell(a.Edition)
		}
	} else if !rep.Provisional {
		own := *rep
		a.Report, own.Draft = &own, true
	}
	return a, nil
}

// make makes a report from the figures of now, or takes the draft of a moment ago.
func (r *Runner) make(ctx context.Context, c freeze.Center, month time.Time, fresh bool) (*Report, error) {
	now := r.cfg.Now()
	r.drafts = slices.DeleteFunc(r.drafts, func(d draft) bool { return !now.Before(d.until) })
	if !r.cfg.Prepared() {
		return nil, store.ErrNotReady
	}
	z, err := r.cfg.Database.Frozen(ctx, c.Code, month)
	if err != nil {
		return nil, err
	}
	if !fresh {
		for _, d := range r.drafts {
			if d.report.Center == c.Code && d.report.Month == month.Format(monthLayout) && d.report.of(z) {
				return d.report, nil
			}
		}
	}
	f, err := r.gather(ctx, c, month, now, z)
	if err != nil {
		return nil, err
	}
	rep := Model(*f, r.cfg.Settings, r.logo)
	rep.Borders = r.borders
	r.drafts = append(r.drafts, draft{rep, now.Add(draftLife)})
	if len(r.drafts) > maxDrafts {
		r.drafts = r.drafts[1:]
	}
	return rep, nil
}

// of reports whether a report was made from that freeze, or from none where z is nil.
func (r *Report) of(z *store.Freeze) bool {
	if z == nil || r.Frozen == nil {
		return z == nil && r.Frozen == nil
	}
	return z.Revision == r.Frozen.Revision
}

// Changed says what of a frozen month is no longer what was frozen; nil when nothing is, or it is not frozen.
func (r *Runner) Changed(ctx context.Context, center, month string) (*freeze.Report, error) {
	c, err := r.center(center)
	if err != nil {
		return nil, err
	}
	m, err := parseMonth(month)
	if err != nil {
		return nil, err
	}
	if !r.cfg.Prepared() {
		return nil, store.ErrNotReady
	}
	list, err := r.changed(ctx, c, []time.Time{m}, r.cfg.Now())
	if err != nil || len(list) == 0 || len(list[0].Differences) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Formats are what a report can be written as. PDF is made from HTML by the command, where a browser is at hand.
var Formats = []string{"html", "xlsx", "docx", "json"}

// MediaTypes are those of Formats.
var MediaTypes = map[string]string{
	"html": "text/html; charset=utf-8", "json": "application/json",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

// ErrFormat is a format that reports are not written in.
var ErrFormat = errors.New("a report is written as html, xlsx, docx or json")

// File writes the answer in a format. What was handed out is the same bytes whenever it is asked for.
func (r *Runner) File(a *Result, format string) ([]byte, error) {
	if !slices.Contains(Formats, format) {
		return nil, ErrFormat
	}
	write := func() ([]byte, error) { return Write(a.Report, a.OPD, format) }
	if a.Edition == nil {
		return write()
	}
	part := "all"
	if a.OPD != "" {
		part = "opd-" + slug(a.OPD)
	}
	return r.archive.File(a.Edition, part, format, write)
}

// Write writes a report, or an OPD's part of it, in a format.
func Write(r *Report, opd, format string) ([]byte, error) {
	if format == "json" {
		return json.MarshalIndent(r, "", "  ")
	}
	write, ok := renderers[format]
	if !ok {
		return nil, ErrFormat
	}
	var b bytes.Buffer
	err := write(&b, r.Document(opd))
	return b.Bytes(), err
}

// renderers write a document.
var renderers = map[string]func(io.Writer, *document.Document) error{"html": html.Write, "xlsx": xlsx.Write,
	"docx": docx.Write}
