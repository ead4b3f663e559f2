package meeting

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"html"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web/page"
)

//go:embed templates files
var files embed.FS

// Reports are what the pages show; *report.Runner is one.
type Reports interface {
	Report(ctx context.Context, q report.Request) (*report.Result, error)
	File(a *report.Result, format string) ([]byte, error)
	Changed(ctx context.Context, center, month string) (*freeze.Report, error)
	Months(ctx context.Context, center string) ([]report.Month, error)
}

// Config is what the pages are made of.
type Config struct {
	Reports Reports
	// Link signs a link to a report that was handed out; nil where nobody could reach it.
	Link func(center, month string, edition int, now time.Time) string
}

type pages struct {
	cfg       Config
	templates *template.Template
}

// Mount gives the site its pages of the meeting.
func Mount(s *page.Site, cfg Config) {
	p := &pages{cfg, page.MustParse(files, "templates/*.html")}
	access := page.Scopes(auth.BoardRead, auth.MonevWrite)
	s.AddFiles(files)
	s.Handle("GET /monev", access, p.months)
	s.Handle("GET /monev/{month}", access, p.month)
	s.Handle("POST /monev/{month}", page.Scopes(auth.MonevWrite), p.handOut)
	s.Handle("GET /monev/{month}/{file}", access, p.file)
	s.Menu("/monev", page.Text{Indonesian: "Rapat monev", English: "Meeting"}, access)
}

// center is the centre that the person may see and asks for; empty is the default one.
func center(r *page.Request) (string, bool) {
	asked := r.URL.Query().Get("center")
	if bound := r.Person.Center(); bound != "" {
		return bound, asked == "" || asked == bound
	}
	return asked, true
}

// by is who has a report made, as what is kept has it.
func by(r *page.Request) string { return cmp.Or(r.Person.Name(), audit.Nobody) }

// handedOut returns what records that the person handed a report out, maybe after the answer.
func handedOut(r *page.Request) func(*report.Edition) {
	return func(e *report.Edition) {
		r.Record(audit.Entry{Action: audit.HandOut, Kind: "report", Center: e.Report.Center, ID: e.Report.Month,
			Name: r.Person.Name()})
	}
}

// mayHandOut reports whether the person may hand a report out.
func mayHandOut(r *page.Request) bool { return r.Person.May(page.Scopes(auth.MonevWrite)) }

// patience is how long a person sees nothing before being told that a report is being made.
const patience = 10 * time.Second

// fail answers with why there is no report.
func (p *pages) fail(r *page.Request, err error) {
	var no *report.RefusedError
	var wait *report.MakingError
	var busy *report.BusyError
	var away *store.UnavailableError
	switch {
	case errors.As(err, &wait):
		again := strconv.Itoa(int(report.AskAgain / time.Second))
		r.W.Header().Set("Retry-After", again)
		r.W.Header().Set("Refresh", again)
		r.Notice(http.StatusAccepted, r.T("Laporan sedang dibuat", "The report is being made"), r.T(
			"Halaman ini dimuat ulang dengan sendirinya, dan menampilkan laporan begitu selesai.",
			"This page loads itself again, and shows the report as soon as it is ready."))
	case errors.As(err, &busy):
		r.W.Header().Set("Retry-After", strconv.Itoa(int(report.AskAgain/time.Second)))
		r.Notice(http.StatusServiceUnavailable, r.T("Laporan belum dapat dibuat", "The report cannot be made yet"), r.T(
			"Layanan sedang membuat laporan lain. Muat ulang halaman ini beberapa saat lagi.",
			"The service is making other reports. Load this page again in a moment."))
	case errors.As(err, &no):
		status := http.StatusNotFound
		if no.Conflict {
			status = http.StatusConflict
		}
		r.Notice(status, r.T("Tidak ada laporan", "No report"), r.T(no.Sebab, no.Reason))
	case errors.As(err, &away), errors.Is(err, store.ErrNotReady):
		r.W.Header().Set("Retry-After", "5")
		r.Notice(http.StatusServiceUnavailable, r.T("Data belum siap", "The data is not ready"), r.T(
			"ClickHouse belum siap. Muat ulang halaman ini beberapa saat lagi.",
			"ClickHouse is not ready yet. Load this page again in a moment."))
	default:
		r.Notice(http.StatusInternalServerError, r.T("Laporan tidak dapat dibuat", "The report cannot be made"), r.T(
			"Sebabnya tertulis di catatan layanan.", "The log of the service says why."))
	}
}

type monthRow struct {
	Month, Name string
	Calls       string
	State       string
	Editions    int
}

type monthsView struct {
	Center string
	Months []monthRow
}

func (p *pages) months(r *page.Request) {
	code, ok := center(r)
	if !ok {
		r.NotFound()
		return
	}
	list, err := p.cfg.Reports.Months(r.Context(), code)
	if err != nil {
		p.fail(r, err)
		return
	}
	v := monthsView{Center: code}
	for _, m := range list {
		v.Months = append(v.Months, monthRow{m.Month, monthName(r, m.Month), indonesian.Number(int64(m.Calls)),
			stateOf(r, m), len(m.Editions)})
	}
	r.Render(page.Page{Title: r.T("Rapat monev", "Monev meeting"), Templates: p.templates, Name: "months.html", Data: v})
}

func stateOf(r *page.Request, m report.Month) string {
	switch {
	case len(m.Editions) > 0:
		return r.T("diserahkan", "handed out")
	case m.Frozen:
		return r.T("dibekukan", "frozen")
	}
	return r.T("sementara", "provisional")
}

// monthName writes 2023-10 as "Oktober 2023".
func monthName(r *page.Request, month string) string {
	t, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	if r.Lang == page.English {
		return t.Format("January 2006")
	}
	return indonesian.Month(t)
}

// instant writes a time with the name of its zone.
func instant(r *page.Request, t time.Time) string {
	if r.Lang == page.English {
		return t.Format("2 January 2006 15:04 MST")
	}
	return indonesian.Date(t)
}

// maxMoved bounds the changed figures that a page lists.
const maxMoved = 100

type indicatorRow struct {
	Name, Target, Value, Before, Year, N, Verdict, Tone string
}

// editionRow is a report that was handed out; At is in the centre's zone.
type editionRow struct {
	Number, Revision int
	At, By           string
}

type monthView struct {
	Center, Month, Name  string
	Before, After        string // months; empty: none
	Provisional, Running bool
	Indicators           []indicatorRow
	Editions             []editionRow
	Edition              int  // shown; 0 is a draft
	Draft                bool // of a frozen month: nobody who may has handed it out yet
	Changed              int
	Moved                []report.Moved // the first of what changed
	Link                 string
	MayHandOut           bool
	Query                string // "?center=..." to go on with
}

func (p *pages) month(r *page.Request) {
	code, ok := center(r)
	if !ok {
		r.NotFound()
		return
	}
	month := r.PathValue("month")
	result, err := p.cfg.Reports.Report(r.Context(), report.Request{Center: code, Month: month,
		HandOut: mayHandOut(r), By: by(r), Wait: patience, Kept: handedOut(r)})
	if err != nil {
		p.fail(r, err)
		return
	}
	list, err := p.cfg.Reports.Months(r.Context(), code)
	if err != nil {
		p.fail(r, err)
		return
	}
	rep := result.Report
	v := monthView{Center: rep.Center, Month: month, Name: monthName(r, month), Provisional: rep.Provisional,
		Running: rep.Running, Draft: rep.Draft, MayHandOut: !rep.Provisional && mayHandOut(r)}
	if asked := r.URL.Query().Get("center"); asked != "" {
		v.Query = "?center=" + template.URLQueryEscaper(asked)
	}
	i := slices.IndexFunc(list, func(m report.Month) bool { return m.Month == month })
	if i >= 0 {
		for _, e := range list[i].Editions {
			v.Editions = append(v.Editions, editionRow{e.Edition, e.Revision, instant(r, e.MadeAt.In(rep.Location())), e.By})
		}
		if i+1 < len(list) {
			v.Before = list[i+1].Month
		}
		if i > 0 {
			v.After = list[i-1].Month
		}
	}
	if result.Edition != nil {
		v.Edition = result.Edition.Number
		if changed, err := p.cfg.Reports.Changed(r.Context(), rep.Center, month); err == nil && changed != nil {
			v.Changed, v.Moved = len(changed.Differences), rep.Moved(changed.Differences, r.Lang == page.English)
			v.Moved = v.Moved[:min(len(v.Moved), maxMoved)]
		}
		if p.cfg.Link != nil {
			v.Link = p.cfg.Link(rep.Center, month, v.Edition, r.Now)
		}
	}
	for i := range rep.Indicators {
		v.Indicators = append(v.Indicators, rowOf(r, &rep.Indicators[i]))
	}
	r.Record(audit.Entry{Action: audit.Read, Kind: "report", Center: rep.Center, ID: month})
	r.Render(page.Page{Title: r.T("Rapat monev", "Monev meeting") + " " + v.Name, Templates: p.templates,
		Name: "month.html", Data: v, Scripts: []string{"bulan.js"}})
}

func rowOf(r *page.Request, in *report.Indicator) indicatorRow {
	percent := func(v *float64) string {
		if v == nil {
			return document.NotApplicable
		}
		return document.Percent(*v, 1, document.Key{}).String()
	}
	row := indicatorRow{Name: in.Name(), Target: percent(in.Target), Value: percent(in.Value), Before: percent(in.Before),
		Year: percent(in.Year), N: indonesian.Number(int64(in.N)), Verdict: in.Words(),
		Tone: map[report.Verdict]string{report.Achieved: "calm", report.NotAchieved: "late"}[in.Verdict]}
	return row
}

// handOut hands out a report, or a further edition of it.
func (p *pages) handOut(r *page.Request) {
	code, ok := center(r)
	if !ok {
		r.NotFound()
		return
	}
	month := r.PathValue("month")
	_, err := p.cfg.Reports.Report(r.Context(), report.Request{Center: code, Month: month, Again: true,
		By: by(r), Wait: patience, Kept: handedOut(r)})
	if err != nil {
		p.fail(r, err)
		return
	}
	to := "/monev/" + month
	if asked := r.URL.Query().Get("center"); asked != "" {
		to += "?center=" + template.URLQueryEscaper(asked)
	}
	r.Redirect(to)
}

func (p *pages) file(r *page.Request) {
	code, ok := center(r)
	format, named := strings.CutPrefix(r.PathValue("file"), "laporan.")
	edition, err := strconv.Atoi("0" + r.URL.Query().Get("edisi"))
	if !ok || !named || report.MediaTypes[format] == "" || err != nil {
		r.NotFound()
		return
	}
	result, err := p.cfg.Reports.Report(r.Context(), report.Request{Center: code, Month: r.PathValue("month"),
		Edition: edition, OPD: r.URL.Query().Get("opd"), HandOut: mayHandOut(r), By: by(r), Wait: patience,
		Kept: handedOut(r)})
	if err != nil {
		p.fail(r, err)
		return
	}
	text, err := p.cfg.Reports.File(result, format)
	if err != nil {
		p.fail(r, err)
		return
	}
	r.Record(audit.Entry{Action: audit.Read, Kind: "report", Center: result.Report.Center, OPD: result.OPD,
		ID: result.Report.Month})
	Send(r.W, result, format, text)
}

// Send answers with a file of a report: HTML is shown under the policy that stands in it, the others are downloads.
func Send(w http.ResponseWriter, result *report.Result, format string, text []byte) {
	h := w.Header()
	h.Set("Content-Type", report.MediaTypes[format])
	if format == "html" {
		h.Set("Content-Security-Policy", policyOf(text))
	} else {
		h.Set("Content-Disposition", "attachment; filename="+strconv.Quote(result.Name(format)))
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text)
}

// Show answers with the HTML of a report that was handed out, and reports whether there is one.
func Show(ctx context.Context, w http.ResponseWriter, reports Reports, center, month string, edition int) bool {
	if edition < 1 {
		return false
	}
	result, err := reports.Report(ctx, report.Request{Center: center, Month: month, Edition: edition})
	if err != nil || result.Edition == nil {
		return false
	}
	text, err := reports.File(result, "html")
	if err != nil {
		return false
	}
	Send(w, result, "html", text)
	return true
}

var policyTag = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)

// maxHeadBytes is how far into a file its policy may stand.
const maxHeadBytes = 4096

// policyOf is the policy of a report as it stands in the file: of one that was handed out it stays what it was. The
// rest of the header's policy is stricter than any report needs.
func policyOf(text []byte) string {
	const strict = "default-src 'none'; frame-ancestors 'none'"
	m := policyTag.FindSubmatch(text[:min(len(text), maxHeadBytes)])
	if m == nil {
		return strict
	}
	policy := html.UnescapeString(string(m[1]))
	if strings.Contains(policy, "script-src") || strings.ContainsAny(policy, "\r\n") {
		return strict
	}
	return policy + "; frame-ancestors 'none'"
}
