package meeting

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web/browser"
	"github.com/monev112/monev112/collector/web/page"
)

var now = time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)

// world has one frozen month, 2026-10, of which two figures have moved since.
type world struct {
	t       *testing.T
	site    *page.Site
	keys    auth.File
	now     time.Time
	cookies map[string]*http.Cookie
	asked   []report.Request
	busy    error
	record  []audit.Entry
	handed  bool
}

func (w *world) Report(_ context.Context, q report.Request) (*report.Result, error) {
	w.asked = append(w.asked, q)
	if w.busy != nil {
		return nil, w.busy
	}
	w.handed = w.handed || q.HandOut || q.Again
	var figures []store.Figure
	for _, f := range []store.Figure{{Name: "hoax", Dims: "measure=rasio_hoaks", Numerator: 80},
		{Name: "service_level", Dims: "measure=ketat,target=15", Numerator: 95}, {Name: "funnel", Dims: "stage=hoax", Numerator: 80},
		{Name: "funnel", Dims: "stage=own", Numerator: 20}, {Name: "calls_hour", Dims: "hour=07,weekday=1", Numerator: 100},
		{Name: "tickets_opd", Dims: "opd=dishub,scope=own", Numerator: 20}, {Name: "acted", Dims: "opd=dishub,scope=own", Numerator: 90},
		{Name: "on_time", Dims: "clock=resolve,opd=dishub,scope=own", Numerator: 70}} {
		v := f.Numerator / 100
		f.Denominator, f.N, f.Value = 100, 100, &v
		figures = append(figures, f)
	}
	r := report.Model(report.Facts{Center: "35.15", CenterName: "Kabupaten Sidoarjo", Zone: "Asia/Jakarta",
		Month: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Now: now, Ends: now.AddDate(0, -1, 0), AnswerTarget: 15, ShortAbandon: 5,
		DefinitionVersion: "2", Figures: figures, OPDs: []report.Named{{ID: "dishub", Name: "Dinas Perhubungan", Scope: "own"}},
		Frozen: &report.Frozen{Revision: 1, At: now, DefinitionVersion: "2", Details: true}}, report.Settings{}, nil)
	out := &report.Result{Report: r}
	if r.Draft = !w.handed; w.handed {
		out.Edition = &report.Edition{Number: 2, MadeAt: now, By: "sekretariat", Report: r}
	}
	return out, nil
}

func (w *world) File(a *report.Result, format string) ([]byte, error) {
	return report.Write(a.Report, a.OPD, format)
}

func (w *world) Changed(context.Context, string, string) (*freeze.Report, error) {
	v := .8
	return &freeze.Report{Month: "2026-10", Differences: []freeze.Difference{
		{Figure: "hoax", Dims: "measure=rasio_hoaks", Frozen: &freeze.Value{Numerator: 80, Denominator: 100, N: 100, Value: &v},
			Now: &freeze.Value{Numerator: 81, Denominator: 100, N: 100}, Why: []string{"late events"}, Sebab: []string{"peristiwa susulan"}},
		{Figure: "tickets_kecamatan", Dims: "kecamatan=35.15.01", Why: []string{"late events"}}}}, nil
}

func (w *world) Months(context.Context, string) ([]report.Month, error) {
	months := []report.Month{{Center: "35.15", Month: "2026-11", Calls: 10}, {Center: "35.15", Month: "2026-10", Calls: 100, Frozen: true}}
	if w.handed {
		months[1].Editions = []report.Summary{{Edition: 1, MadeAt: now.Add(-time.Hour), By: "monev112", Revision: 1},
			{Edition: 2, MadeAt: now, By: "sekretariat", Revision: 1}}
	}
	return months, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: now, cookies: map[string]*http.Cookie{}, keys: auth.File{Path: filepath.Join(t.TempDir(), auth.FileName)}}
	guard, err := auth.NewGuard(w.keys.Path, func() time.Time { return w.now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.site, err = page.New(page.Config{Keys: guard, Now: func() time.Time { return w.now },
		Record: func(e audit.Entry) { w.record = append(w.record, e) }}); err != nil {
		t.Fatal(err)
	}
	Mount(w.site, Config{Reports: w})
	return w
}

func (w *world) do(method, path string, form url.Values) (int, string) {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range w.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	w.site.Serve(rec, r, func(string) time.Duration { return 0 })
	for _, c := range rec.Result().Cookies() {
		w.cookies[c.Name] = c
	}
	return rec.Code, rec.Body.String()
}

var token = regexp.MustCompile(`name="form" value="([^"]*)"`)

func (w *world) signIn(scope auth.Scope) {
	w.t.Helper()
	_, secret, err := w.keys.Create(auth.Key{Name: strings.ReplaceAll(string(scope), ":", "-"), Scopes: []auth.Scope{scope}}, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now, w.cookies = w.now.Add(2*time.Second), map[string]*http.Cookie{}
	_, body := w.do("GET", "/masuk", nil)
	if code, body := w.do("POST", "/masuk", url.Values{"key": {secret}, "form": {token.FindStringSubmatch(body)[1]}}); code != 303 {
		w.t.Fatal(code, body)
	}
}

func TestLookingHandsNothingOut(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.BoardRead)
	for _, path := range []string{"/monev/2026-10", "/monev/2026-10/laporan.html", "/monev/2026-10/laporan.xlsx"} {
		if code, body := w.do("GET", path, nil); code != 200 || !strings.HasSuffix(path, ".xlsx") && !strings.Contains(body, "RANCANGAN") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if slices.ContainsFunc(w.asked, func(q report.Request) bool { return q.HandOut || q.Again }) {
		t.Errorf("a reader hands out: %+v", w.asked)
	}
	if code, _ := w.do("POST", "/monev/2026-10", url.Values{}); code != 403 {
		t.Errorf("a reader's form: %d", code)
	}
	w.signIn(auth.MonevWrite)
	if code, body := w.do("GET", "/monev/2026-10", nil); code != 200 || strings.Contains(body, "RANCANGAN") || !w.handed {
		t.Errorf("%d %s", code, body)
	}
}

// A hand-out that outlasts the person's patience enters the record when the edition is kept, with who wanted it.
func TestALateHandOutIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.MonevWrite)
	_, body := w.do("GET", "/monev/2026-10", nil)
	w.busy, w.record = &report.MakingError{Center: "35.15", Month: "2026-10"}, nil
	form := url.Values{"form": {token.FindStringSubmatch(body)[1]}}
	if code, body := w.do("POST", "/monev/2026-10", form); code != 202 || len(w.record) > 0 {
		t.Fatal(code, body, w.record)
	}
	q := w.asked[len(w.asked)-1]
	q.Kept(&report.Edition{Report: &report.Report{Center: "35.15", Month: "2026-10"}})
	if e := w.record; len(e) != 1 || e[0].Action != audit.HandOut || !strings.HasPrefix(e[0].Who, "key:") ||
		e[0].Name != "monev-write" || e[0].ID != "2026-10" || !q.Again || q.Polls {
		t.Errorf("%+v %+v", q, e)
	}
	w.busy = &report.BusyError{Reason: "4 reports are being made"}
	if code, body := w.do("GET", "/monev/2026-10", nil); code != 503 || !strings.Contains(body, "laporan lain") {
		t.Error(code, body)
	}
}

// A refusal is told in the reader's language, what nobody has as not there.
func TestARefusalIsReadable(t *testing.T) {
	for _, c := range []struct {
		conflict bool
		status   int
	}{{false, 404}, {true, 409}} {
		w := newWorld(t)
		w.busy = &report.RefusedError{Reason: "nothing of 100%d", Sebab: "tidak ada 100%d", Conflict: c.conflict}
		for _, path := range []string{"/monev/2026-13", "/monev/2026-13/laporan.xlsx"} {
			if code, body := w.do("GET", path, nil); code != c.status || !strings.Contains(body, "tidak ada 100%d") ||
				strings.Contains(body, "nothing of") {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
	}
}

// The page shows earlier editions with the centre's time, and what has moved since the freeze beside the report.
func TestAMonthThatMoved(t *testing.T) {
	w := newWorld(t)
	code, body := w.do("GET", "/monev/2026-10", nil)
	for _, want := range []string{"Edisi 1</a>, 30 November 2026 09.00 WIB, monev112", "Edisi 2</a> (terbaru), 30 November 2026 10.00 WIB",
		"2 angka berubah", "80,00 % (80 dari 100)", "81 dari 100", "peristiwa susulan", "edisi=1"} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("%q is not in %d %s", want, code, body)
		}
	}
	if strings.Contains(body, "35.15.01") {
		t.Error("the cell of a place is told")
	}
}

// Keys, as a browser is told of them.
const (
	enter = "\ue007"
	left  = "\ue012"
	right = "\ue014"
)

func TestThePagesInABrowser(t *testing.T) {
	b := browser.Start(t, true)
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.site.Serve(rw, r, nil) })}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	for _, p := range []struct{ name, path string }{
		{"monev", "/monev"}, {"monev-rancangan", "/monev/2026-10"}, {"laporan", "/monev/2026-10/laporan.html"},
		{"monev-bulan", "/monev/2026-10"}, // handed out, with editions and what moved since
	} {
		for _, width := range []int{1280, 390} {
			b.Resize(width)
			b.Dark(width == 390)
			b.Open("http://" + l.Addr().String() + p.path)
			b.Until(`document.readyState === "complete"`)
			if p.name != "laporan" { // which is paper
				b.Fits(p.name, width)
				b.Keyboard(p.name)
			}
			b.Accessible(p.name)
		}
		if p.name == "monev-rancangan" {
			b.Eval(`document.querySelector("main form button").focus()`, nil)
			b.Press(enter)
			b.Until(`document.body.innerText.includes("Yang sudah diserahkan")`)
		}
	}
	b.Press(right)
	b.Until(`location.pathname === "/monev/2026-11"`)
	b.Press(left)
	b.Until(`location.pathname === "/monev/2026-10"`)
	b.Quiet()
}
