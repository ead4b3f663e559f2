package web

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web/page"
)

// ErrUnavailable says that a ticket cannot be looked up now.
var ErrUnavailable = errors.New("unavailable")

// Config is what Pages are made of; every field but Links, Log and Report is required. The functions are called from
// several requests at once.
type Config struct {
	Links     *Links       // of alerts; nil where nobody could reach the pages behind them
	Listed    *ListedLinks // the links that are listed, those of persons among them
	Directory *directory.Directory
	Book      *sla.Book
	// Complete reports whether the board is complete: until then nothing is shown.
	Complete func() bool
	// DueSummary returns the tickets of an OPD (its label) that are late, at risk or due soon; OpenMatching those whose id
	// holds a text.
	DueSummary   func(center, opd string, now time.Time) tracker.DueSummary
	OpenMatching func(center, opd, text string, limit int) []event.Key
	// Ticket looks a ticket up, with its events in the order in which they take effect. It returns ErrUnavailable when it
	// cannot tell.
	Ticket func(ctx context.Context, center, id string) (row tracker.Row, events []*event.Event, ok bool, err error)
	// Row returns the row of a case on the board.
	Row func(key event.Key) (tracker.Row, bool)
	// OnTime returns how many clocks of an OPD were in time in each month of the days since <= day < until.
	OnTime func(ctx context.Context, center, opd string, since, until time.Time) ([]store.OPDMonth, error)
	// Corrected lists the clocks of a centre that were corrected after they were late, which began since <= day < until.
	Corrected func(ctx context.Context, center string, since, until time.Time) ([]store.Corrected, error)
	// Submit submits an event, for which by answers. It returns once the event is durable and on the board, or refused.
	Submit func(ctx context.Context, by string, e event.RawEvent) (refused int, err error)
	// Report answers with a report that was handed out, and reports whether there is one; nil: there is none.
	Report func(ctx context.Context, w http.ResponseWriter, center, month string, edition int) bool
	// Record writes down who read or did what.
	Record func(audit.Entry)
	Now    func() time.Time
	Log    *slog.Logger // nil discards
}

// Pages answers the requests below /p/, and those for the pages of a person of an OPD. It is safe for concurrent use.
type Pages struct {
	cfg       Config
	templates *template.Template
	style     []byte
	turns     turns         // a double click sends one event
	asking    chan struct{} // bounds the questions to the database that a reader can ask
}

// maxAsking is how many questions to the database readers ask at once; more are answered without.
const maxAsking = 4

//go:embed templates
var files embed.FS

// New returns the pages.
func New(cfg Config) (*Pages, error) {
	if cfg.Listed == nil || cfg.Directory == nil || cfg.Book == nil || cfg.Complete == nil || cfg.DueSummary == nil ||
		cfg.OpenMatching == nil || cfg.Ticket == nil || cfg.Row == nil || cfg.OnTime == nil || cfg.Submit == nil ||
		cfg.Corrected == nil || cfg.Record == nil || cfg.Now == nil {
		return nil, errors.New("web: every field of the configuration but Links, Log and Report is required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Log = cfg.Log.With("component", "web")
	t, err := template.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	return &Pages{cfg: cfg, templates: t, style: page.Style(), asking: make(chan struct{}, maxAsking)}, nil
}

// harden sets what a browser obeys.
func harden(h http.Header) {
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// styleName is what the style sheet is called, beside the tokens of links.
const styleName = "style.css"

func (p *Pages) sendStyle(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(p.style)
}

// ServeHTTP implements http.Handler: GET, HEAD and POST of /p/<token>, and /p/style.css.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	token := strings.TrimPrefix(r.URL.Path, "/p/")
	if token == styleName && r.Method != http.MethodPost {
		p.sendStyle(w)
		return
	}
	now := p.cfg.Now()
	t, err := p.cfg.Links.open(token, now)
	if err == nil && t.kind == kindReport {
		p.report(w, r, visit{token: token, target: t, now: now, whose: byLink + linkID(token)})
		return
	}
	if err != nil {
		p.invalidLink(w)
		return
	}
	p.serve(w, r, &visit{token: token, target: t, ticket: t.id, now: now, keys: p.cfg.Links.keys.Get(now),
		by: byLink + linkID(token), whose: byLink + linkID(token)})
}

// ServePerson answers GET, HEAD and POST of /opd/<opd>/<token>, where the token is of a person's link to that OPD, and
// of the style sheet beside it. slowed answers for whoever has guessed too often, and reports whether it did.
func (p *Pages) ServePerson(w http.ResponseWriter, r *http.Request, opd, token string, slowed func() bool) {
	if token == styleName && r.Method != http.MethodPost {
		harden(w.Header())
		p.sendStyle(w)
		return
	}
	now := p.cfg.Now()
	l, ok := p.cfg.Listed.OpenOPD(token, now)
	id := r.URL.Query().Get(askTicket)
	if ok = ok && l.OPD == opd; !ok && slowed() {
		return
	}
	harden(w.Header())
	if !ok {
		p.notice(w, http.StatusNotFound, "Tautan tidak berlaku",
			"Tautan pribadi ini tidak berlaku, sudah kedaluwarsa, atau dicabut.",
			"Minta tautan yang baru kepada Diskominfo.")
		return
	}
	p.serve(w, r, &visit{
		token: token, target: target{kind: kindPerson, center: l.Center, opd: l.OPD, expires: l.ExpiresAt}, ticket: id,
		now: now, keys: p.cfg.Listed.keys.Get(now), by: l.Name, whose: byLink + l.ID,
	})
}

// serve answers a request with a link that opens.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, v *visit) {
	opd, known := p.cfg.Directory.OPD(v.target.center, v.target.opd)
	if !known {
		p.invalidLink(w)
		return
	}
	if !p.cfg.Complete() {
		p.notReady(w)
		return
	}
	v.opd, v.zone = opd, p.zone(v.target.center)
	switch {
	case len(v.ticket) > event.MaxIDBytes:
		p.noTicket(w, v)
	case v.ticket != "" && r.Method == http.MethodPost:
		p.record(w, r, v)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		p.invalidLink(w)
	case v.ticket != "":
		p.ticket(w, r, v)
	default:
		p.list(w, r, v)
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
	if token == styleName {
		return true
	}
	_, err := p.cfg.Links.open(token, p.cfg.Now())
	return err == nil
}

// visit is one request with a valid link.
type visit struct {
	token  string
	target target
	ticket string // id of the one that is asked for; empty for the list
	opd    directory.OPD
	now    time.Time
	zone   *time.Location // of the centre
	keys   keyring        // which signed the link
	by     string         // who answers for what is recorded: a name, or the link's
	whose  string         // the link, in the record of reads
}

// The parameters of a page's address.
const (
	askTicket = "tiket" // behind a person's link
	askView   = "lihat" // segera, tren, koreksi
	askNumber = "cari"
)

// self is the address of the page, relative to its own folder.
func (v *visit) self() string {
	if v.target.kind == kindPerson && v.ticket != "" {
		return v.token + "?" + url.Values{askTicket: {v.ticket}}.Encode()
	}
	return v.token
}

// link is the address of a ticket's page, relative to that of the list: it opens for as long as the list, and not a day
// longer.
func (v *visit) link(id string) string {
	if v.target.kind == kindPerson {
		return v.token + "?" + url.Values{askTicket: {id}}.Encode()
	}
	return v.keys.sign(target{
		kind: kindTicket, center: v.target.center, opd: v.target.opd, id: id, expires: v.target.expires,
	})
}

func (v *visit) key() event.Key {
	return event.Key{Center: v.target.center, Kind: event.KindTicket, ID: v.ticket}
}

func (v *visit) entry(action, kind string) audit.Entry {
	return audit.Entry{
		At: v.now, Who: v.whose, Action: action, Kind: kind, Center: v.target.center, OPD: v.target.opd, ID: v.ticket,
	}
}

func (p *Pages) zone(center string) *time.Location {
	return cmp.Or(p.cfg.Directory.Location(center), time.UTC)
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
		Link: v.self(),
	})
}
