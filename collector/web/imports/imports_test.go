package imports

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/send"
	"github.com/monev112/monev112/collector/source/upload"
	"github.com/monev112/monev112/collector/web/browser"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/deploy"
)

// taker accepts every event.
type taker struct{ events int }

func (c *taker) Submit(_ context.Context, body []byte, _ int) (a send.Answer, err error) {
	c.events += bytes.Count(body, []byte("\n"))
	a.Accepted, a.Tries = bytes.Count(body, []byte("\n")), 1
	return a, nil
}

func (c *taker) Sources(context.Context) (map[string]bool, error) { return nil, nil }
func (c *taker) Events(context.Context, string, string, string) ([]send.HeldEvent, error) {
	return nil, nil
}

type world struct {
	*httptest.Server
	t      *testing.T
	to     *taker
	keys   auth.File
	record []audit.Entry
	now    time.Time
}

// newWorld starts a service; begun is what one before it left of an import, or nothing.
func newWorld(t *testing.T, begun ...string) *world {
	t.Helper()
	w := &world{t: t, to: &taker{}, now: time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)}
	w.keys = auth.File{Path: filepath.Join(t.TempDir(), auth.FileName)}
	clock := func() time.Time { return w.now }
	guard, err := auth.NewGuard(w.keys.Path, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.New(page.Config{
		Keys: guard, Now: clock, Record: func(e audit.Entry) { w.record = append(w.record, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, text := range begun {
		if err := os.WriteFile(filepath.Join(dir, "upload.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	desk, err := upload.New(upload.Config{
		Dir: filepath.Join(dir, "uploads"), State: dir, Collector: w.to, Name: "here", Now: clock,
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Limits: upload.Limits{FileBytes: 1 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); desk.Run(ctx) }()
	Mount(site, desk)
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !site.Has(r) {
			http.NotFound(rw, r)
			return
		}
		site.Serve(rw, r, nil)
	}))
	t.Cleanup(func() { w.Close(); cancel(); <-done })
	return w
}

const tickets = "No Tiket,Waktu Lapor,Kategori,Kecamatan,OPD,Waktu Disposisi,Waktu Diterima OPD,Waktu Tiba,Waktu " +
	"Selesai,Status\n" +
	"T-1,05/10/2026 08:00,PJU,Waru,Dishub,05/10/2026 08:04,05/10/2026 08:20,05/10/2026 10:00,05/10/2026 11:30,Selesai\n" +
	"T-2,05/10/2026 09:00,Kebakaran,Taman,Damkar,05/10/2026 09:01,05/10/2026 09:02,05/10/2026 09:13,05/10/2026 " +
	"10:05,Selesai\n"

const calls = "No Tiket;Tanggal;Jam Masuk;Jam Jawab;Jam Selesai;Jenis Panggilan;No HP;Kecamatan\n" +
	"K-1;02/10/2026;08.00.05;08.00.11;08.03.00;Normal;081234567890;Waru\n" +
	"K-2;02/10/2026;08.10.00;08.10.04;08.10.20;Bercanda;081234567891;Waru\n" +
	"K-3;02/10/2026;08.20.00;;08.20.09;Bercanda;081234567892;Taman\n" +
	"K-4;31/09/2026;08.30.00;08.30.05;08.31.00;Normal;081234567893;Taman\n"

type answer struct {
	status   int
	body, to string
}

func (w *world) do(r *http.Request, err error) answer {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	to := resp.Header.Get("Location")
	return answer{resp.StatusCode, b.String(), strings.TrimPrefix(strings.TrimPrefix(to, "."), ".")}
}

func (w *world) get(path string, header ...string) answer {
	r, err := http.NewRequest("GET", w.URL+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return w.do(r, err)
}

var hidden = regexp.MustCompile(`name="form" value="([^"]*)"`)

// upload sends a file as a browser does, with a token.
func (w *world) upload(token, name, text string) answer {
	w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.WriteField("form", token)
	part, _ := m.CreateFormFile("berkas", name)
	_, _ = part.Write([]byte(text))
	_ = m.Close()
	r, err := http.NewRequest("POST", w.URL+"/impor", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return w.do(r, err)
}

func (w *world) post(path string, form url.Values) answer {
	r, err := http.NewRequest("POST", w.URL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r, err)
}

var (
	path2   = regexp.MustCompile(`action="\.\.(/impor/[A-Z0-9]+)"`)
	inputs  = regexp.MustCompile(`<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"`)
	selects = regexp.MustCompile(`(?s)<select[^>]* name="([^"]+)".*?</select>`)
	chosen  = regexp.MustCompile(`<option value="([^"]*)" selected>`)
)

// form is what a browser would send of the form of a page.
func (a answer) form() url.Values {
	out := url.Values{}
	_, plan, _ := strings.Cut(a.body, "data-plan")
	for _, m := range inputs.FindAllStringSubmatch(plan, -1) {
		out.Set(m[1], m[2])
	}
	for _, m := range selects.FindAllStringSubmatch(plan, -1) {
		if c := chosen.FindStringSubmatch(m[0]); c != nil {
			out.Set(m[1], c[1])
		}
	}
	return out
}

func (w *world) finished() answer {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) { // as the page asks
		if a := w.get("/impor/jalan"); !strings.Contains(a.body, "data-running") {
			return a
		}
	}
	w.t.Fatal("the import does not end")
	return answer{}
}

func (a answer) has(t *testing.T, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(a.body, s) {
			t.Errorf("%d, lacks %q:\n%s", a.status, s, a.body)
		}
	}
}

// Without a script the page does everything by forms.
func TestAFileIsImportedByForms(t *testing.T) {
	w := newWorld(t)
	front := w.get("/impor")
	token := hidden.FindStringSubmatch(front.body)[1]
	a := w.upload(token, "panggilan oktober.csv", calls)
	if a.status != 303 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	path := a.to
	a = w.get(path)
	a.has(t, "panggilan oktober.csv", "bercanda", "Panggilan masuk", "02/10/2026 08.00.05",
		`<tr><th scope="row">2026-10</th><td class="n">1</td><td class="n">1</td>`, "Baris yang ditolak")
	if strings.Contains(a.body, "081234567") || w.to.events > 0 {
		t.Errorf("%d events; %s", w.to.events, a.body)
	}
	f := a.form()
	for k := range f {
		if i, ok := strings.CutPrefix(k, "kata."); ok {
			f.Set("arti."+i, "prank")
		}
	}
	f.Set("do", "lihat")
	a = w.post(path, f)
	a.has(t, `<td class="n">3</td><td class="n">2</td><td class="n">3</td>`, "iseng <b>2</b>", "waktu tidak terbaca")
	f = a.form()
	if f.Get("arti.0") != "prank" || f.Get("peran.0") != "number" {
		t.Fatalf("%v", f)
	}
	f.Set("do", "kirim")
	f.Set("nama", "telepon")
	if a = w.post(path, f); a.status != 303 || a.to != "/impor/jalan" && a.to != "./impor/jalan" {
		t.Fatalf("%d %q %s", a.status, a.to, a.body)
	}
	a = w.finished()
	a.has(t, "Selesai; sebagian ditolak", "Unduh baris yang ditolak", "<b>"+strconv.Itoa(w.to.events)+"</b>kejadian baru")
	if rejects := w.get("/impor/ditolak.csv"); !strings.Contains(rejects.body, "panggilan oktober.csv,5,bad_time") ||
		strings.Contains(rejects.body, "0812") {
		t.Errorf("%s", rejects.body)
	}
	// The next file of this kind is offered the mapping; what has not changed uses it as it is.
	a = w.get(w.upload(token, "november.csv", strings.ReplaceAll(calls, "/10/", "/11/")).to)
	a.has(t, "Pemetaan yang disimpan", "telepon")
	f = a.form()
	f.Set("do", "lihat")
	w.post(path2.FindStringSubmatch(a.body)[1], f).has(t, "Pemetaan yang disimpan")
	// In English.
	w.get("/impor/jalan", "Accept-Language", "en").has(t, "Done; some were refused", "Download the refused rows")
	a = w.get(w.upload(token, "x.csv", "Jam,Jumlah\n08.00,1\n09.00,2\n10.00,3\n").to, "Accept-Language", "en")
	a.has(t, "This table holds counts", "disabled")
	var actions []string
	for _, e := range w.record {
		actions = append(actions, e.Action)
	}
	if got := strings.Join(actions, " "); got != "upload import rejects upload upload" {
		t.Errorf("recorded %s", got)
	}
}

func TestOnlyAnAdminAndNoForeignPage(t *testing.T) {
	w := newWorld(t)
	token := hidden.FindStringSubmatch(w.get("/impor").body)[1]
	for name, a := range map[string]answer{
		"no token":    w.upload("", "a.csv", tickets),
		"wrong token": w.upload("x", "a.csv", tickets),
		"no file":     w.upload(token, "a.csv", ""),
		"too large":   w.upload(token, "a.csv", strings.Repeat("x", 2<<20)),
		"no form":     w.post("/impor", nil),
		"gone":        w.get("/impor/XXXX"),
		"no rejects":  w.get("/impor/ditolak.csv"),
	} {
		if a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	_, board, err := w.keys.Create(auth.Key{Name: "b", Scopes: []auth.Scope{auth.BoardRead}}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	_, admin, err := w.keys.Create(auth.Key{Name: "a", Scopes: []auth.Scope{auth.Admin}}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Second)
	if a := w.get("/impor"); a.status != 303 {
		t.Errorf("nobody: %d", a.status)
	}
	if a := w.get("/impor", "Authorization", "Bearer "+board); a.status != 403 {
		t.Errorf("a reader: %d", a.status)
	}
	if a := w.get("/impor", "Authorization", "Bearer "+admin); a.status != 200 {
		t.Errorf("an admin: %d", a.status)
	}
}

// Every word that the page may have to say has both languages.
func TestEveryWordIsInBothLanguages(t *testing.T) {
	for _, role := range mapping.Roles() {
		if role.Indonesian == "" || role.English == "" {
			t.Errorf("the role %s has no name", role.Name)
		}
		for _, m := range mapping.Meanings(role.Name) {
			if meanings[m].Indonesian == "" {
				t.Errorf("%s, a meaning of %s, has no name", m, role.Name)
			}
		}
	}
}

// In Chromium, with its script: a dropped file is sent, a menu shows its result at once, the import shows its end.
func TestTheImportPageInABrowser(t *testing.T) {
	w := newWorld(t)
	b := browser.Start(t, true)
	b.Resize(1280)
	b.Open(w.URL + "/impor")
	b.Fits("impor-1", 1280)
	b.Accessible("import, a file")
	b.Keyboard("import, a file")
	file := filepath.Join(t.TempDir(), "panggilan-oktober.csv")
	if err := os.WriteFile(file, []byte(calls), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Type("#berkas", file) // choosing a file sends it
	b.Until(`document.querySelector("[data-plan]") !== null`)
	b.Fits("impor-2", 1280)
	b.Accessible("import, its columns")
	b.Keyboard("import, its columns")
	// By keyboard alone: the menu has the focus and keeps it.
	b.Eval(`document.querySelector("[name='arti.0']").focus()`, nil)
	b.Type("[name='arti.0']", "i\ue004")
	b.Until(`document.body.innerText.includes("Hasil diperbarui")`)
	b.Eval(`(() => { const s = document.querySelector("[name='arti.0']"); s.value = "prank";
		s.dispatchEvent(new Event("change", {bubbles: true})); })()`, nil)
	b.Until(`document.body.innerText.includes("iseng 2")`)
	b.Fits("impor-3", 1280)
	b.Click("button[value=kirim]")
	b.Until(`location.pathname.endsWith("/jalan") && !document.querySelector("[data-running]")`)
	b.Fits("impor-4", 1280)
	b.Accessible("import, its end")
	if text := b.Text(); !strings.Contains(text, "Selesai; sebagian ditolak") || w.to.events == 0 {
		t.Errorf("%d events\n%s", w.to.events, text)
	}
	b.Resize(390)
	b.Open(w.URL + "/impor")
	b.Fits("impor", 390)
	b.Quiet()
}

// A key of one centre or source sees and sends what is of its own alone.
func TestABoundKeyKeepsToItsOwn(t *testing.T) {
	w := newWorld(t)
	secret := map[string]string{}
	for _, k := range []auth.Key{
		{Name: "all", Scopes: []auth.Scope{auth.Admin}},
		{Name: "sidoarjo", Scopes: []auth.Scope{auth.Admin}, Center: "35.15"},
		{Name: "surabaya", Scopes: []auth.Scope{auth.Admin}, Center: "35.78"},
		{Name: "pbx", Scopes: []auth.Scope{auth.Admin, auth.EventsWrite}, Source: "pbx"},
	} {
		_, s, err := w.keys.Create(k, w.now)
		if err != nil {
			t.Fatal(err)
		}
		secret[k.Name] = "Bearer " + s
	}
	w.now = w.now.Add(2 * time.Second)
	as := func(who, method, path string, form url.Values) answer {
		r, err := http.NewRequest(method, w.URL+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", secret[who])
		return w.do(r, err)
	}
	upload := func(who, name, text string) string {
		var body bytes.Buffer
		m := multipart.NewWriter(&body)
		part, _ := m.CreateFormFile("berkas", name)
		_, _ = part.Write([]byte(text))
		_ = m.Close()
		r, err := http.NewRequest("POST", w.URL+"/impor", &body)
		r.Header.Set("Content-Type", m.FormDataContentType())
		r.Header.Set("Authorization", secret[who])
		return w.do(r, err).to
	}
	path := upload("sidoarjo", "rahasia.csv", calls)
	for who, want := range map[string]int{"all": 200, "sidoarjo": 200, "surabaya": 404, "pbx": 404} {
		if a := as(who, "GET", path, nil); a.status != want {
			t.Errorf("%s, the file: %d", who, a.status)
		}
	}
	f := as("sidoarjo", "GET", path, nil).form()
	f.Set("do", "kirim")
	if a := as("sidoarjo", "POST", path, f); a.status != 303 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for !strings.Contains(as("sidoarjo", "GET", "/impor/jalan", nil).body, "Selesai") {
		time.Sleep(time.Millisecond) // as the page asks
	}
	for who, sees := range map[string]bool{"all": true, "sidoarjo": true, "surabaya": false, "pbx": false} {
		if a := as(who, "GET", "/impor", nil); strings.Contains(a.body, "rahasia.csv") != sees {
			t.Errorf("%s, the front: %s", who, a.body)
		}
		if a := as(who, "GET", "/impor/jalan", nil); (a.status == 200) != sees {
			t.Errorf("%s, the import: %d", who, a.status)
		}
		if a := as(who, "GET", "/impor/ditolak.csv", nil); (a.status == 200) != sees {
			t.Errorf("%s, its refused rows: %d", who, a.status)
		}
	}
	sent := w.to.events
	path = upload("pbx", "b.csv", calls)
	f = as("pbx", "GET", path, nil).form()
	if f.Get("sumber") != "pbx" {
		t.Errorf("proposed as %s", f.Get("sumber"))
	}
	f.Set("do", "kirim")
	f.Set("sumber", "ekspor-112")
	if a := as("pbx", "POST", path, f); a.status != 403 || w.to.events != sent ||
		!strings.Contains(a.body, "hanya boleh mengirim sebagai sumber pbx") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestAnInterruptedImportIsTold(t *testing.T) {
	w := newWorld(t, `{"file":"lama.csv","by":"a","center":"35.15","source":"pbx","started":"2026-11-29T02:00:00Z"}`)
	for _, path := range []string{"/impor", "/impor/jalan"} {
		w.get(path).has(t, "lama.csv", "Terputus: serahkan lagi berkas yang sama; yang sudah terkirim tidak dikirim ulang.")
	}
	if a := w.get("/impor/jalan"); strings.Contains(a.body, "data-running") || strings.Contains(a.body, "baris dibaca") {
		t.Error(a.body)
	}
}
