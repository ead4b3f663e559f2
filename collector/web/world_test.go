package web_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector"
	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/deploy"
)

// A Monday, 10.00 WIB.
var testNow = time.Date(2026, 3, 9, 3, 0, 0, 0, time.UTC)

const (
	center    = "35.15"
	publicURL = "https://monev112.example.go.id"
)

// world is the pages over a real board, a real decoder and the default directory and policies.
type world struct {
	t       testing.TB
	dir     *directory.Directory
	book    *sla.Book
	board   *tracker.Board
	links   *web.Links
	data    string // folder
	pages   *web.Pages
	site    *page.Site // with the pages of persons
	decoder *event.Decoder

	mu       sync.Mutex
	now      time.Time
	n        uint64
	complete bool
	unknown  bool  // the directory learns names only later
	away     error // of the database
	asked    int   // how often it was asked for a ticket
	sent     []event.RawEvent
	refuse   error
	record   []audit.Entry
	months   []store.OPDMonth

	corrected []store.Corrected // what the database tells
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: directory.MustLoad("directory.yaml", deploy.Directory), now: testNow, complete: true}
	var file collector.File
	var err error
	if w.book, err = file.LoadBook(w.dir); err != nil {
		t.Fatal(err)
	}
	scope := func(opd string) string {
		id, _ := w.dir.ResolveOPD(center, opd)
		return string(w.dir.ScopeOf(center, id))
	}
	w.board = tracker.New(tracker.Config{
		Centers: []string{center},
		Center: func(code string) (tracker.CenterConfig, bool) {
			c, known := w.dir.Center(code)
			return tracker.CenterConfig{
				Location: c.Location, Shifts: c.Shifts, AnswerTarget: c.AnswerTarget, ShortAbandon: c.ShortAbandon,
			}, known
		},
		OPD: func(c, opd string) (string, string) {
			id, _ := w.dir.ResolveOPD(c, opd)
			return w.dir.OPDLabel(c, id), string(w.dir.ScopeOf(c, id))
		},
		TicketClocks: func(t *casefile.Ticket) []sla.Clock { return w.book.Ticket(t, scope) },
		CallClocks:   w.book.Call,
		Emit:         func(tracker.Outcome) {},
	})
	w.board.TrustFilter()
	w.board.SetComplete(true)
	keys, err := event.NewKeys(rand.Reader, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if w.decoder, err = event.NewDecoder(event.Config{Keys: keys}); err != nil {
		t.Fatal(err)
	}
	w.data = t.TempDir()
	if w.links, err = web.NewLinks(web.LinkConfig{
		File: filepath.Join(w.data, web.LinkKeysFile), PublicURL: publicURL,
	}, testNow); err != nil {
		t.Fatal(err)
	}
	listed, err := web.OpenListedLinks(w.data, testNow, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := auth.NewGuard(filepath.Join(w.data, auth.FileName), w.clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.pages, err = web.New(web.Config{
		Links: w.links, Listed: listed, Directory: w.dir, Book: w.book, DueSummary: w.board.DueSummary,
		OpenMatching: w.board.OpenMatching,
		OnTime: func(_ context.Context, _, _ string, since, until time.Time) ([]store.OPDMonth, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.away != nil {
				return nil, w.away
			}
			return slices.DeleteFunc(slices.Clone(w.months), func(m store.OPDMonth) bool {
				return m.Month.Before(since) || !m.Month.Before(until)
			}), nil
		},
		Complete: func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.complete },
		Ticket: func(_ context.Context, center, id string) (tracker.Row, []*event.Event, bool, error) {
			row, events, ok := w.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: id})
			w.mu.Lock()
			defer w.mu.Unlock()
			if ok { // of the board
				return row, events, ok, nil
			}
			w.asked++
			return row, events, ok, w.away
		},
		Row: func(key event.Key) (tracker.Row, bool) {
			row, _, ok := w.board.Case(key)
			return row, ok
		},
		Corrected: func(_ context.Context, center string, _, _ time.Time) ([]store.Corrected, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.corrected, w.away
		},
		Submit: w.take,
		Record: func(e audit.Entry) { w.mu.Lock(); defer w.mu.Unlock(); w.record = append(w.record, e) },
		Now:    w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.site, err = page.New(page.Config{Keys: guard, Now: w.clock}); err != nil {
		t.Fatal(err)
	}
	web.Mount(w.site, w.pages)
	return w
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

// take is the door and the journal: an id that came before is not taken again.
func (w *world) take(_ context.Context, by string, d event.RawEvent) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return 0, w.refuse
	}
	w.sent = append(w.sent, d)
	var b event.Batch
	if err := w.decoder.Decode(&b, d.AppendCloudEvent(nil), event.Structured, w.now); err != nil || len(b.Refusals) > 0 {
		w.t.Errorf("the door refuses %+v: %v %+v", d, err, b.Refusals)
		return 1, err
	}
	e := &b.Events[0]
	if by == "" && !w.unknown {
		w.dir.Normalize(e)
	}
	e.ChangedBy = by
	w.n++
	w.board.Apply(e, event.AppendBinary(nil, e), w.n, true)
	return 0, nil
}

// say lets something happen to a ticket.
func (w *world) say(typ event.Type, id string, at time.Time, edit func(*event.RawEvent)) {
	w.t.Helper()
	d := event.RawEvent{
		Source: "test", ID: id + "-" + typ.String() + "-" + at.Format(time.RFC3339), Type: typ, Subject: id, Time: at,
		Center: center,
	}
	if edit != nil {
		edit(&d)
	}
	if n, err := w.take(context.Background(), "", d); n > 0 || err != nil {
		w.t.Fatal(n, err)
	}
	w.sent = nil
}

// ticket opens a ticket and assigns it to an OPD.
func (w *world) ticket(id, category, priority, opd string, opened time.Time) {
	w.t.Helper()
	w.say(event.TicketOpened, id, opened, func(d *event.RawEvent) {
		d.Category, d.Priority, d.Kecamatan = category, priority, "Waru"
	})
	w.say(event.TicketAssigned, id, opened.Add(5*time.Minute), func(d *event.RawEvent) { d.OPD = opd })
}

func path(link string) string { return strings.TrimPrefix(link, publicURL) }

type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(method, path string, form url.Values) answer {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

// ServeHTTP answers as the service does.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/p/") {
		w.pages.ServeHTTP(rw, r)
	} else {
		w.site.Serve(rw, r, nil)
	}
}

func (w *world) get(link string) answer { return w.do(http.MethodGet, path(link), nil) }

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// offers are the values of a page's buttons, in their order.
func (a answer) offers() (out []string) {
	for _, m := range regexp.MustCompile(`name="catat" value="(\w+)"`).FindAllStringSubmatch(a.body, -1) {
		out = append(out, m[1])
	}
	return out
}

// press returns what a button sends, with further fields as pairs.
func (a answer) press(step string, more ...string) url.Values {
	out := a.form()
	out.Set("catat", step)
	for i := 0; i+1 < len(more); i += 2 {
		out.Set(more[i], more[i+1])
	}
	return out
}

// form returns the hidden fields of a page's forms; nil when no button is offered.
func (a answer) form() url.Values {
	if len(a.offers()) == 0 {
		return nil
	}
	out := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(a.body, -1) {
		out.Set(m[1], m[2])
	}
	return out
}
