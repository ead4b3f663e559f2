package web

import (
	"bytes"
	"context"
	"crypto/sha256"
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
)

// Source is the event source of acknowledgements that were sent with the button.
const Source = "monev112/page"

// Bounds of a page.
const (
	maxListed    = 50  // tickets of a list; the rest is a number
	maxTimeline  = 100 // lines of a timeline, the latest
	maxFormBytes = 4 << 10
)

// ErrUnavailable says that a ticket cannot be looked up now.
var ErrUnavailable = errors.New("unavailable")

// Config is what Pages are made of; every field but Log is required. The functions are called from several requests at
// once.
type Config struct {
	Links     *Links
	Directory *directory.Directory
	Book      *sla.Book
	// Complete reports whether the board is complete: until then nothing is shown.
	Complete func() bool
	// Attention returns what an OPD (its label) has to look at.
	Attention func(center, opd string, now time.Time) tracker.DueSummary
	// Ticket looks a ticket up, with its events in the order in which they take effect. It returns ErrUnavailable when it
	// cannot tell.
	Ticket func(ctx context.Context, center, id string) (row tracker.Row, events []*event.Event, ok bool, err error)
	// Row returns the row of a case on the board.
	Row func(key event.Key) (tracker.Row, bool)
	// Acknowledge sends an event through the door. It returns once the event is durable and on the board; refused says
	// that the door did not take it.
	Acknowledge func(ctx context.Context, e event.RawEvent) (refused int, err error)
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
var web embed.FS

// New returns the pages.
func New(cfg Config) (*Pages, error) {
	if cfg.Links == nil || cfg.Directory == nil || cfg.Book == nil || cfg.Complete == nil || cfg.Attention == nil ||
		cfg.Ticket == nil ||
		cfg.Row == nil || cfg.Acknowledge == nil || cfg.Record == nil || cfg.Now == nil {
		return nil, errors.New("page: every field of the configuration but Log is required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	t, err := template.ParseFS(web, "templates/*.html")
	if err != nil {
		return nil, err
	}
	style, err := web.ReadFile("templates/style.css")
	if err != nil {
		return nil, err
	}
	return &Pages{cfg: cfg, templates: t, style: style}, nil
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
	if err != nil {
		p.gone(w)
		return
	}
	opd, known := p.cfg.Directory.OPD(t.center, t.opd)
	if !known {
		p.gone(w)
		return
	}
	if !p.cfg.Complete() {
		p.away(w)
		return
	}
	v := visit{token: token, target: t, opd: opd, now: now, words: words{zone: p.zone(t.center)}}
	switch {
	case t.kind == kindTicket && r.Method == http.MethodPost:
		p.acknowledge(w, r, &v)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		p.gone(w)
	case t.kind == kindTicket:
		p.ticket(w, r, &v)
	default:
		p.list(w, &v)
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

// visit is one request with a good link.
type visit struct {
	token  string
	target target
	opd    directory.OPD
	now    time.Time
	words
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

// holds reports whether a ticket is with the OPD of the link now. Another's ticket does not exist for it, also when it
// was its own once.
func (p *Pages) holds(v *visit, row *tracker.Row) bool {
	if row.Ticket == nil || row.Ticket.OPD == "" {
		return false
	}
	id, known := p.cfg.Directory.ResolveOPD(v.target.center, row.Ticket.OPD)
	return known && id == v.target.opd
}

// find returns the link's ticket, or answers the request itself.
func (p *Pages) find(w http.ResponseWriter, r *http.Request, v *visit) (tracker.Row, []*event.Event, bool) {
	row, events, ok, err := p.cfg.Ticket(r.Context(), v.target.center, v.target.id)
	switch {
	case errors.Is(err, ErrUnavailable) || err != nil && r.Context().Err() != nil:
		p.away(w)
	case err != nil:
		p.cfg.Log.Error("a ticket could not be looked up for its page", "error", err)
		p.away(w)
	case !ok || !p.holds(v, &row):
		p.gone(w)
	default:
		return row, events, true
	}
	return tracker.Row{}, nil, false
}

func (p *Pages) ticket(w http.ResponseWriter, r *http.Request, v *visit) {
	row, events, ok := p.find(w, r, v)
	if !ok {
		return
	}
	p.cfg.Record(v.entry(audit.Read, "ticket"))
	p.render(w, http.StatusOK, "ticket.html", p.ticketView(v, &row, events))
}

func (p *Pages) list(w http.ResponseWriter, v *visit) {
	p.cfg.Record(v.entry(audit.Read, "list"))
	p.render(w, http.StatusOK, "list.html", p.listView(v))
}

// acknowledge is the button: it sends ticket.acknowledged through the door and shows the ticket again once that is
// durable. The event's id follows from ticket and assignment, and one ticket's presses wait for each other: pressed
// twice, the second finds the ticket acknowledged.
func (p *Pages) acknowledge(w http.ResponseWriter, r *http.Request, v *visit) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		p.stale(w, v)
		return
	}
	stay := r.PostForm.Get("stay")
	if !p.cfg.Links.checkForm(v.token, stay, r.PostForm.Get("form"), v.now) {
		p.stale(w, v)
		return
	}
	digest := sha256.Sum256([]byte(v.target.center + "\x00" + v.target.id))
	lock := &p.acks[digest[0]%byte(len(p.acks))]
	lock.Lock()
	defer lock.Unlock()
	row, _, ok := p.find(w, r, v)
	if !ok {
		return
	}
	at, offered := p.offered(v, &row)
	switch {
	case !offered && stayAcknowledged(&row, stay):
		p.again(w, v)
		return
	case !offered || stayName(at) != stay:
		p.stale(w, v)
		return
	}
	when := v.now
	if when.Before(at) { // the sender's clock runs ahead of ours: nobody acknowledges before he was told
		when = at
	}
	refused, err := p.cfg.Acknowledge(r.Context(), event.RawEvent{
		Source: Source, ID: acknowledgementID(v.key(), v.target.opd, at), Type: event.TicketAcknowledged,
		Subject: v.target.id, Time: when,
		Center: v.target.center, OPD: v.target.opd,
	})
	if err != nil || refused > 0 {
		p.cfg.Log.Error("an acknowledgement was not taken", "refused", refused, "error", err)
		w.Header().Set("Retry-After", "30")
		p.message(w, http.StatusServiceUnavailable, "Belum tercatat",
			"Penerimaan tiket ini belum dapat dicatat. Silakan kembali dan tekan Diterima sekali lagi beberapa saat lagi.",
			"Bila tetap gagal, sampaikan lewat telepon kepada koordinator piket Call Center 112.")
		return
	}
	p.cfg.Record(v.entry(audit.Acknowledge, "ticket"))
	p.again(w, v)
}

// again shows the ticket by a request of its own, so that a reload sends nothing twice. The target is relative: the
// service may stand behind a folder of another.
func (p *Pages) again(w http.ResponseWriter, v *visit) {
	w.Header().Set("Location", v.token)
	w.WriteHeader(http.StatusSeeOther)
}

// offered returns the start of the OPD's stay if the button is offered: the ticket is open, with this OPD, in the
// regency's power, and not acknowledged since it came here.
func (p *Pages) offered(v *visit, row *tracker.Row) (at time.Time, ok bool) {
	t := row.Ticket
	n := len(t.Assignments)
	if n == 0 || v.opd.Scope != directory.Own || !t.State.Open() || !t.Assignments[n-1].EndedAt.IsZero() ||
		!t.Assignments[n-1].AcknowledgedAt.IsZero() {
		return time.Time{}, false
	}
	return t.Assignments[n-1].At, true
}

// stayName names an OPD's stay in the form of its page.
func stayName(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

func stayAcknowledged(row *tracker.Row, stay string) bool {
	n := len(row.Ticket.Assignments)
	return n > 0 && stayName(row.Ticket.Assignments[n-1].At) == stay &&
		!row.Ticket.Assignments[n-1].AcknowledgedAt.IsZero()
}

// acknowledgementID is the same for every press of one button. Its letters cannot be taken for a telephone number.
func acknowledgementID(key event.Key, opd string, at time.Time) string {
	h := sha256.Sum256([]byte(strings.Join([]string{key.Center, key.ID, opd, stayName(at)}, "\x00")))
	id := []byte("ack-")
	for _, b := range h[:16] {
		id = append(id, 'a'+b>>4, 'a'+b&15)
	}
	return string(id)
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, view); err != nil {
		p.cfg.Log.Error("a page could not be written", "page", name, "error", err)
		http.Error(w, "Halaman tidak dapat ditampilkan.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

type messageView struct {
	Title string
	Lines []string
	Link  string // of the page to go back to
}

func (p *Pages) message(w http.ResponseWriter, status int, title string, lines ...string) {
	p.render(w, status, "message.html", messageView{Title: title, Lines: lines})
}

// gone is the one answer to every link that does not open, whatever the reason.
func (p *Pages) gone(w http.ResponseWriter) {
	p.message(w, http.StatusNotFound, "Tautan tidak berlaku",
		"Tautan tidak berlaku atau sudah kedaluwarsa, atau tiketnya tidak lagi berada di OPD Anda.",
		"Buka tautan pada pesan terbaru dari Call Center 112. Pesan ringkasan pagi (07.00) selalu memuat tautan yang baru.",
		"Bila masih gagal, hubungi koordinator piket Call Center 112 atau Diskominfo.")
}

func (p *Pages) away(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	p.message(w, http.StatusServiceUnavailable, "Data belum lengkap",
		"Data sedang dimuat, sehingga tiket belum dapat ditampilkan. Muat ulang halaman ini beberapa saat lagi.",
		"Batas waktu tetap berjalan. Untuk keadaan darurat, hubungi koordinator piket Call Center 112.")
}

// stale answers a form that is not of this page, or of what the page showed before the ticket went on.
func (p *Pages) stale(w http.ResponseWriter, v *visit) {
	p.render(w, http.StatusConflict, "message.html", messageView{
		Title: "Belum tercatat",
		Lines: []string{
			"Keadaan tiket sudah berubah sejak halaman ini dibuka, sehingga tombolnya tidak berlaku lagi.",
			"Buka lagi halaman tiket dan periksa keadaannya.",
		},
		Link: v.token,
	})
}
