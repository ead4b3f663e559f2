package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web/page"
)

// ErrUnavailable says that a ticket cannot be looked up now.
var ErrUnavailable = errors.New("unavailable")

// Config is what Pages are made of; every field but Log and Report is required. The functions are called from several
// requests at once.
type Config struct {
	Links     *Links
	Directory *directory.Directory
	Book      *sla.Book
	// Complete reports whether the board is complete: until then nothing is shown.
	Complete func() bool
	// DueSummary returns the tickets of an OPD (its label) that are late or at risk.
	DueSummary func(center, opd string, now time.Time) tracker.DueSummary
	// Ticket looks a ticket up, with its events in the order in which they take effect. It returns ErrUnavailable when it
	// cannot tell.
	Ticket func(ctx context.Context, center, id string) (row tracker.Row, events []*event.Event, ok bool, err error)
	// Row returns the row of a case on the board.
	Row func(key event.Key) (tracker.Row, bool)
	// Acknowledge submits an event. It returns once the event is durable and on the board, or refused.
	Acknowledge func(ctx context.Context, e event.RawEvent) (refused int, err error)
	// Report answers with a report that was handed out, and reports whether there is one; nil: there is none.
	Report func(ctx context.Context, w http.ResponseWriter, center, month string, edition int) bool
	// Record writes down who read or did what.
	Record func(audit.Entry)
	Now    func() time.Time
	Log    *slog.Logger // nil discards
}

// Pages answers the requests below /p/. It is safe for concurrent use.
type Pages struct {
	cfg       Config
	templates *template.Template
	style     []byte
	acks      [64]sync.Mutex // by ticket: a double click sends one event
}

//go:embed templates
var files embed.FS

// New returns the pages.
func New(cfg Config) (*Pages, error) {
	if cfg.Links == nil || cfg.Directory == nil || cfg.Book == nil || cfg.Complete == nil || cfg.DueSummary == nil ||
		cfg.Ticket == nil || cfg.Row == nil || cfg.Acknowledge == nil || cfg.Record == nil || cfg.Now == nil {
		return nil, errors.New("web: every field of the configuration but Log and Report is required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Log = cfg.Log.With("component", "web")
	t, err := template.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	return &Pages{cfg: cfg, templates: t, style: page.Style()}, nil
}

// ServeHTTP implements http.Handler: GET, HEAD and POST of /p/<token>, and /p/style.css.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")

	token := strings.TrimPrefix(r.URL.Path, "/p/")
	if token == "style.css" && r.Method != http.MethodPost {
		h.Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(p.style)
		return
	}
	now := p.cfg.Now()
	t, err := p.cfg.Links.open(token, now)
	if err == nil && t.kind == kindReport {
		p.report(w, r, visit{token: token, target: t, now: now})
		return
	}
	opd, known := p.cfg.Directory.OPD(t.center, t.opd)
	if err != nil || !known {
		p.invalidLink(w)
		return
	}
	if !p.cfg.Complete() {
		p.notReady(w)
		return
	}
	v := visit{token: token, target: t, opd: opd, now: now, zone: p.zone(t.center)}
	switch {
	case t.kind == kindTicket && r.Method == http.MethodPost:
		p.acknowledge(w, r, &v)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		p.invalidLink(w)
	case t.kind == kindTicket:
		p.ticket(w, r, &v)
	default:
		p.list(w, &v)
	}
}

// report shows the report that a link names. It needs no board.
func (p *Pages) report(w http.ResponseWriter, r *http.Request, v visit) {
	month, number, _ := strings.Cut(v.target.id, "/")
	edition, err := strconv.Atoi(number)
	if err != nil || p.cfg.Report == nil ||
		(r.Method != http.MethodGet && r.Method != http.MethodHead) {
		p.invalidLink(w)
		return
	}
	e := v.entry(audit.Read, "report")
	e.ID = month
	p.cfg.Record(e)
	if !p.cfg.Report(r.Context(), w, v.target.center, month, edition) {
		p.invalidLink(w)
	}
}

// ValidLink reports whether the path of a request is that of the style sheet, or of a link that is valid and has not
// expired.
func (p *Pages) ValidLink(path string) bool {
	token := strings.TrimPrefix(path, "/p/")
	if token == "style.css" {
		return true
	}
	_, err := p.cfg.Links.open(token, p.cfg.Now())
	return err == nil
}

// visit is one request with a valid link.
type visit struct {
	token  string
	target target
	opd    directory.OPD
	now    time.Time
	zone   *time.Location // of the centre
}

func (v *visit) key() event.Key {
	return event.Key{Center: v.target.center, Kind: event.KindTicket, ID: v.target.id}
}

func (v *visit) entry(action, kind string) audit.Entry {
	return audit.Entry{
		At: v.now, Who: "link:" + linkID(v.token), Action: action, Kind: kind, Center: v.target.center, OPD: v.target.opd,
		ID: v.target.id,
	}
}

func (p *Pages) zone(center string) *time.Location {
	if c, ok := p.cfg.Directory.Center(center); ok && c.Location != nil {
		return c.Location
	}
	return time.UTC
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, view); err != nil {
		p.cfg.Log.Error("a page cannot be rendered", "template", name, "error", err)
		http.Error(w, "Halaman tidak dapat ditampilkan.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

type noticeView struct {
	Title string
	Lines []string
	Link  string // of the page to go back to
}

// notice answers with a page that only says something.
func (p *Pages) notice(w http.ResponseWriter, status int, title string, lines ...string) {
	p.render(w, status, "notice.html", noticeView{Title: title, Lines: lines})
}

// invalidLink is the one answer to every link that does not open, whatever the reason.
func (p *Pages) invalidLink(w http.ResponseWriter) {
	p.notice(w, http.StatusNotFound, "Tautan tidak berlaku",
		"Tautan tidak berlaku atau sudah kedaluwarsa, atau tiketnya tidak lagi berada di OPD Anda.",
		"Buka tautan pada pesan terbaru dari Call Center 112. Pesan ringkasan pagi (07.00) selalu memuat tautan yang baru.",
		"Bila masih gagal, hubungi koordinator piket Call Center 112 atau Diskominfo.")
}

func (p *Pages) notReady(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	p.notice(w, http.StatusServiceUnavailable, "Data belum lengkap",
		"Data sedang dimuat, sehingga tiket belum dapat ditampilkan. Muat ulang halaman ini beberapa saat lagi.",
		"Batas waktu tetap berjalan. Untuk keadaan darurat, hubungi koordinator piket Call Center 112.")
}

// ticketChanged answers a form that is not of this page, or that was shown before the ticket changed.
func (p *Pages) ticketChanged(w http.ResponseWriter, v *visit) {
	p.render(w, http.StatusConflict, "notice.html", noticeView{
		Title: "Belum tercatat",
		Lines: []string{
			"Keadaan tiket sudah berubah sejak halaman ini dibuka, sehingga tombolnya tidak berlaku lagi.",
			"Buka lagi halaman tiket dan periksa keadaannya.",
		},
		Link: v.token,
	})
}
