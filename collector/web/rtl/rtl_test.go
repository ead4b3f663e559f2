package rtl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/ingest"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/web/browser"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/deploy"
)

var now = time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)

// world is a site whose office writes to memory.
type world struct {
	t       *testing.T
	site    *page.Site
	keys    auth.File
	now     time.Time
	events  []*event.Event
	cookies map[string]*http.Cookie
	record  []audit.Entry
	asked   []string // recommendations whose effect was asked for
	away    error    // why the ledger cannot be read
}

func (w *world) Ledger(context.Context, string) (rtl.Ledger, error) {
	return rtl.Fold(w.events, time.UTC), w.away
}

func (w *world) Measure(_ context.Context, r *rtl.Recommendation, _ string, _ time.Time) (rtl.Effect, error) {
	w.asked = append(w.asked, r.ID)
	return rtl.Effect{Verdict: rtl.NotYet}, nil
}

func (w *world) Today(center string, now time.Time) (of, today string) {
	if center == "" {
		center = "35.15"
	}
	return center, now.Format(time.DateOnly)
}

func (w *world) submit(_ context.Context, who ingest.Office, drafts ...event.RawEvent) (event.Receipt, error) {
	for _, d := range drafts {
		w.events = append(w.events, &event.Event{Source: d.Source, ID: d.ID, Type: d.Type, Kind: d.Type.Kind(), Subject: d.Subject,
			Center: d.Center, OccurredAt: d.Time, Record: d.Record, ChangedBy: who.By})
	}
	return event.Receipt{Accepted: len(drafts)}, nil
}

var twoCentres = strings.Replace(deploy.Directory, "\ncenters:\n", "\ncenters:\n  - {code: \"35.78\", name: Kota Surabaya, "+
	"timezone: Asia/Jakarta, shifts: [\"07:00\"], policy: sidoarjo}\n", 1)

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
	Mount(w.site, Config{Book: w, Directory: directory.MustLoad("directory.yaml", twoCentres), Submit: w.submit})
	return w
}

func (w *world) do(method, path string, form url.Values) (int, string, string) {
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
	return rec.Code, rec.Body.String(), rec.Header().Get("Location")
}

var token = regexp.MustCompile(`name="form" value="([^"]*)"`)

func (w *world) post(path string, form url.Values) (int, string, string) {
	w.t.Helper()
	_, body, _ := w.do("GET", path, nil)
	form.Set("form", token.FindStringSubmatch(body)[1])
	return w.do("POST", path, form)
}

func (w *world) signIn(scope auth.Scope) {
	w.t.Helper()
	_, secret, err := w.keys.Create(auth.Key{Name: "sekretariat", Scopes: []auth.Scope{scope}}, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Second)
	w.cookies = map[string]*http.Cookie{}
	if code, body, _ := w.post("/masuk", url.Values{"key": {secret}}); code != 303 {
		w.t.Fatal(code, body)
	}
}

func TestWritingARecommendation(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.MonevWrite)
	code, _, to := w.post("/rtl", url.Values{"text": {"Tambah <b>petugas</b>"}, "owner": {"diskominfo"}, "due": {"2026-11-01"},
		"status": {"usulan"}, "opd": {""}})
	id := rtl.NewID("", "Tambah <b>petugas</b>")
	if code != 303 || to != "./rtl/"+id+"?tersimpan" || len(w.events) != 1 || w.events[0].ChangedBy != "sekretariat" {
		t.Fatalf("%d %s %v", code, to, w.events)
	}
	if _, body, _ := w.do("GET", "/rtl", nil); !strings.Contains(body, "1 rekomendasi melewati batas waktu") ||
		!strings.Contains(body, "Tambah &lt;b&gt;petugas&lt;/b&gt;") || !strings.Contains(body, "Dinas Komunikasi dan Informatika") {
		t.Error(body)
	}
	w.now = w.now.Add(time.Minute)
	if code, body, _ := w.post("/rtl/"+id, url.Values{"status": {"selesai"}}); code != 303 {
		t.Fatal(code, body)
	}
	if _, body, _ := w.do("GET", "/rtl/"+id, nil); strings.Count(body, "sekretariat") < 2 || !strings.Contains(body, "usulan → selesai") {
		t.Error(body)
	}
	if code, _, _ := w.post("/rtl/"+id, url.Values{"status": {"selesai"}}); code != 303 || len(w.events) != 2 {
		t.Errorf("the same again: %d, %d events", code, len(w.events))
	}
	for want, form := range map[string]url.Values{
		"Rekomendasi: memuat angka yang mirip nomor telepon": {"text": {"hubungi 0812-3456-7890"}},
		"Penanggung jawab: sebut kode OPD atau jabatan":      {"text": {"x"}, "owner": {"Budi Santoso"}},
		"Rekomendasi: tulis apa yang direkomendasikan":       {"text": {" "}},
	} {
		if code, body, _ := w.post("/rtl", form); code != 422 || !strings.Contains(body, want) || len(w.events) != 2 {
			t.Errorf("%v: %d, want %q", form, code, want)
		}
	}
	if code, _, _ := w.do("POST", "/rtl", url.Values{"text": {"tanpa token"}}); code != 403 || len(w.events) != 2 {
		t.Errorf("without a token: %d", code)
	}
	for _, path := range []string{"/rtl/R-9", "/rtl?center=99.99", "/monev/2026-13/catatan"} {
		if code, _, _ := w.do("GET", path, nil); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestRemarksToSections(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.MonevWrite)
	if code, _, to := w.post("/monev/2026-10/catatan", url.Values{"section": {"kendala"}, "text": {"Hujan deras"}}); code != 303 ||
		to != "../../monev/2026-10/catatan?tersimpan" || w.events[0].Subject != "2026-10/kendala" {
		t.Fatal(code, to)
	}
	code, body, _ := w.post("/monev/2026-10/catatan", url.Values{"section": {"hoaks"}, "text": {"NIK 3515081203900001"}})
	if code != 422 || !strings.Contains(body, "mirip nomor identitas") || !strings.Contains(body, ">Hujan deras</textarea>") {
		t.Error(code, body)
	}
}

func TestWhoReadsCannotWrite(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.BoardRead)
	code, body, _ := w.do("GET", "/rtl", nil)
	if code != 200 || strings.Contains(body, "Tambah rekomendasi") {
		t.Error(code, body)
	}
	if code, _, _ := w.post("/rtl", url.Values{"text": {"x"}}); code != 403 || len(w.events) != 0 {
		t.Errorf("%d", code)
	}
}

var versi = regexp.MustCompile(`name="versi" value="([^"]*)"`)

func TestAnOldFormOverwritesNothing(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.MonevWrite)
	if code, body, _ := w.post("/rtl", url.Values{"text": {"Tambah petugas"}, "status": {"usulan"}}); code != 303 {
		t.Fatal(code, body)
	}
	id := rtl.NewID("", "Tambah petugas")
	for path, forms := range map[string][3]url.Values{
		"/rtl/" + id: {{"status": {"disetujui"}}, {"status": {"usulan"}, "owner": {"damkar"}}, {"owner": {"damkar"}}},
		"/monev/2026-10/catatan": {{"section": {"pengesahan"}, "text": {"Satu"}}, {"section": {"pengesahan"}, "text": {"Dua"}},
			{"section": {"pengesahan"}, "text": {"Tiga"}}},
	} {
		_, body, _ := w.do("GET", path, nil)
		old := versi.FindStringSubmatch(body)[1]
		forms[0].Set("versi", old)
		if code, body, _ := w.post(path, forms[0]); code != 303 {
			t.Fatal(path, code, body)
		}
		n := len(w.events)
		forms[1].Set("versi", old)
		code, body, _ := w.post(path, forms[1])
		if code != 409 || len(w.events) != n || !strings.Contains(body, "Sementara itu sudah diubah oleh sekretariat") {
			t.Errorf("%s: %d, %s", path, code, body)
		}
		now := versi.FindStringSubmatch(body)[1]
		forms[2].Set("versi", now)
		if code, body, _ := w.post(path, forms[2]); now == old || code != 303 || len(w.events) != n+1 {
			t.Errorf("%s, looked at and sent again: %d, %s", path, code, body)
		}
	}
}

func TestAFormWithoutFieldsSavesNothing(t *testing.T) {
	w := newWorld(t)
	w.signIn(auth.MonevWrite)
	w.post("/rtl", url.Values{"text": {"Tambah petugas"}})
	w.post("/monev/2026-10/catatan", url.Values{"section": {"kendala"}, "text": {"Hujan"}})
	_, body, _ := w.do("GET", "/rtl", nil)
	form := token.FindStringSubmatch(body)[1]
	// The form is looked at first: it is refused also while the ledger cannot be read, which is told of a whole one alone.
	for _, w.away = range []error{nil, errors.New("away")} {
		for path, v := range map[string]url.Values{
			"/rtl/" + rtl.NewID("", "Tambah petugas"): {"teks": {"x"}}, "/monev/2026-10/catatan": {"section": {"kendala"}}, "/rtl": {},
		} {
			v.Set("form", form)
			code, body, _ := w.do("POST", path, v)
			if code != 422 || len(w.events) != 2 || !strings.Contains(body, "Belum tersimpan") {
				t.Errorf("%s: %d, %d events", path, code, len(w.events))
			}
		}
	}
	if code, _, _ := w.do("POST", "/rtl", url.Values{"form": {form}, "text": {"Lain"}}); code != 503 {
		t.Errorf("a whole form while the ledger cannot be read: %d", code)
	}
}

func TestTheListMeasuresTheLatestAlone(t *testing.T) {
	w := newWorld(t)
	for day := range 25 {
		w.events = append(w.events, &event.Event{Source: "s", ID: fmt.Sprint(day), Type: event.RTLSet, Kind: event.KindRTL,
			Subject: fmt.Sprint("R-", day), Center: "35.15", OccurredAt: now, Record: map[string]string{"text": "x",
				"status": "selesai", "completed": fmt.Sprintf("2026-10-%02d", day+1)}})
	}
	w.signIn(auth.BoardRead)
	_, body, _ := w.do("GET", "/rtl", nil)
	if len(w.asked) != 20 || w.asked[0] != "R-24" || !strings.Contains(body, "yang selesai terakhir; 5 lainnya") {
		t.Errorf("%q %s", w.asked, body)
	}
}

func TestLinksKeepTheCentre(t *testing.T) {
	w := newWorld(t)
	const other = "35.78"
	w.events = []*event.Event{{Source: "s", ID: "1", Type: event.RTLSet, Kind: event.KindRTL, Subject: "R-1", Center: other,
		OccurredAt: now, Record: map[string]string{"text": "x"}}}
	w.signIn(auth.MonevWrite)
	for path, want := range map[string][]string{
		"/rtl?center=" + other:                   {`rtl/R-1?center=` + other + `"`, `action="./rtl?center=` + other + `"`},
		"/rtl/R-1?center=" + other:               {`rtl?center=` + other + `"`, `action="../rtl/R-1?center=` + other + `"`},
		"/monev/2026-10/catatan?center=" + other: {`monev/2026-10?center=` + other + `"`},
	} {
		code, body, _ := w.do("GET", path, nil)
		for _, link := range want {
			if code != 200 || !strings.Contains(body, link) {
				t.Errorf("%s: %d, no %s in %s", path, code, link, body)
			}
		}
	}
	_, body, _ := w.do("GET", "/rtl/R-1?center="+other, nil)
	if code, _, to := w.do("POST", "/rtl/R-1?center="+other, url.Values{"form": {token.FindStringSubmatch(body)[1]},
		"status": {"batal"}}); code != 303 || to != "../rtl/R-1?tersimpan&center="+other {
		t.Errorf("%d %s", code, to)
	}
}

// Who cannot use a mouse or see the page writes a recommendation, follows it up and remarks on the report.
func TestThePagesInABrowser(t *testing.T) {
	b := browser.Start(t, true)
	w := newWorld(t)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.site.Serve(rw, r, nil) }))
	defer s.Close()
	look := func(name string) {
		for _, width := range []int{1280, 390} {
			b.Resize(width)
			b.Dark(width == 390)
			b.Fits(name, width)
			b.Accessible(name)
		}
		b.Keyboard(name)
	}
	press := func(button string) {
		b.Eval(`document.querySelector("`+button+`").focus()`, nil)
		b.Press("\ue007")
	}
	b.Open(s.URL + "/rtl")
	look("rtl-kosong")
	b.Type("#f-text", "Tambah petugas malam <b>")
	b.Type("#f-due", "11012026") // as the browser's own field of a date takes it
	press("form.stack button")
	b.Until(`document.querySelector(".note.calm")?.textContent === "Tersimpan."`)
	look("rtl-satu")
	b.Open(s.URL + "/rtl")
	look("rtl")
	b.Open(s.URL + "/monev/2026-10/catatan")
	b.Type("textarea", "Hujan deras")
	press("form.stack button")
	b.Until(`document.querySelector(".note.calm")?.textContent === "Tersimpan."`)
	look("rtl-catatan")
	b.Quiet()
}
