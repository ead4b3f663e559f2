package page

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
)

var testNow = time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)

var testTemplates = fstest.MapFS{"a.html": {Data: []byte(
	`<h1>{{ .T "Satu" "One" }}</h1><form method="post">{{ .Token }}</form><a href="{{ .Root }}x">{{ .Data }}</a>`)}}

// world is a site with a page that shows and saves, and a browser that keeps its cookies.
type world struct {
	t       *testing.T
	site    *Site
	keys    auth.File
	now     time.Time
	cookies map[string]*http.Cookie
	record  []audit.Entry
	saved   []string
	wrong   int
	wait    time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: testNow, cookies: map[string]*http.Cookie{}}
	w.keys = auth.File{Path: filepath.Join(t.TempDir(), auth.FileName)}
	guard, err := auth.NewGuard(w.keys.Path, func() time.Time { return w.now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.site, err = New(Config{
		Keys: guard, Now: func() time.Time { return w.now }, Record: func(e audit.Entry) { w.record = append(w.record, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	templates := MustParse(testTemplates, "*.html")
	show := func(r *Request) {
		r.Render(Page{Title: "a", Templates: templates, Name: "a.html", Data: "<b>" + r.Person.Name()})
	}
	save := func(r *Request) {
		w.saved = append(w.saved, r.Person.Name()+" "+r.PostFormValue("text"))
		r.Record(audit.Entry{Action: "remark", Kind: "month", ID: r.PathValue("month")})
		r.Redirect("/monev/" + r.PathValue("month"))
	}
	w.site.Handle("GET /{$}", AnyKey, show)
	w.site.Handle("GET /monev/{month}", Scopes(auth.BoardRead, auth.MonevWrite), show)
	w.site.Handle("POST /monev/{month}", Scopes(auth.MonevWrite), save)
	w.site.Handle("GET /opd", Scopes(auth.BoardRead).OrOPD(), show)
	w.site.Menu("/", Text{"Beranda", "Home"}, AnyKey)
	w.site.Menu("/monev", Text{"Rapat", "Meeting"}, Scopes(auth.BoardRead, auth.MonevWrite))
	return w
}

func (w *world) key(k auth.Key) string {
	w.t.Helper()
	_, secret, err := w.keys.Create(k, w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Second) // the guard looks again
	return secret
}

type answer struct {
	*httptest.ResponseRecorder
	body string
}

// do sends a request with the browser's cookies and keeps those of the answer.
func (w *world) do(method, path string, form url.Values, headers ...string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range w.cookies {
		r.AddCookie(c)
	}
	if !w.site.Has(r) {
		w.t.Fatalf("no page for %s %s", method, path)
	}
	rec := httptest.NewRecorder()
	w.site.Serve(rec, r, func(string) time.Duration { w.wrong++; return w.wait })
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(w.cookies, c.Name)
		} else {
			w.cookies[c.Name] = c
		}
	}
	return answer{rec, rec.Body.String()}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="form" value="([^"]*)">`)

func (a answer) token(t *testing.T) string {
	t.Helper()
	m := hidden.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no form token: %s", a.body)
	}
	return m[1]
}

// signIn types a key into the page that asks for one.
func (w *world) signIn(secret string) answer {
	w.t.Helper()
	a := w.do("GET", "/masuk?ke=/monev/2026-10?x=1", nil)
	return w.do("POST", "/masuk", url.Values{"form": {a.token(w.t)}, "ke": {"/monev/2026-10?x=1"}, "key": {secret}})
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "/monev/2026-10", nil) // nobody is asked
	if a.Code != 200 || !strings.Contains(a.body, `<a href="../x">&lt;b&gt;</a>`) ||
		!strings.Contains(a.body, `href="../aset/style.css"`) || !strings.Contains(a.body, ">Rapat</a>") {
		t.Errorf("%d %s", a.Code, a.body)
	}
	b := w.do("POST", "/monev/2026-10", url.Values{"form": {a.token(t)}, "text": {"x"}})
	if b.Code != 303 || b.Header().Get("Location") != "../monev/2026-10" || len(w.saved) != 1 {
		t.Errorf("%d %v %v", b.Code, b.Header(), w.saved)
	}

	write := w.key(auth.Key{Name: "sekda", Scopes: []auth.Scope{auth.MonevWrite}, ExpiresAt: w.now.Add(24 * time.Hour)})
	a = w.do("GET", "/monev/2026-10?x=1", nil)
	if a.Code != 303 || a.Header().Get("Location") != "../masuk?ke=%2Fmonev%2F2026-10%3Fx%3D1" {
		t.Errorf("without a session: %d %v", a.Code, a.Header())
	}
	if a = w.signIn(write); a.Code != 303 || a.Header().Get("Location") != "./monev/2026-10?x=1" {
		t.Errorf("signed in: %d %v", a.Code, a.Header())
	}
	a = w.do("GET", "/monev/2026-10", nil)
	if a.Code != 200 || !strings.Contains(a.body, "sekda") {
		t.Errorf("with a session: %d %s", a.Code, a.body)
	}
	w.do("POST", "/monev/2026-10", url.Values{"form": {a.token(t)}, "text": {"y"}})
	if len(w.saved) != 2 || w.saved[1] != "sekda y" {
		t.Errorf("saved %q", w.saved)
	}
	list, _ := w.keys.List()
	who := "key:" + list[0].ID
	if n := len(w.record); n != 3 || w.record[0].Who != "nobody" || w.record[1].Who != who ||
		w.record[1].Action != audit.SignIn || w.record[2].Who != who || w.record[2].ID != "2026-10" {
		t.Errorf("recorded %+v", w.record)
	}
	if a = w.do("POST", "/keluar", url.Values{"form": {a.token(t)}}); a.Code != 303 {
		t.Errorf("sign out: %d", a.Code)
	}
	if a = w.do("GET", "/monev/2026-10", nil); a.Code != 303 {
		t.Errorf("after signing out: %d", a.Code)
	}
}

func TestWhatAKeyMaySee(t *testing.T) {
	for _, tt := range []struct {
		key         auth.Key
		home, month int
		save, opd   int
		menu        string // what of it stands on the home page
	}{
		{auth.Key{Scopes: []auth.Scope{auth.BoardRead}}, 200, 200, 403, 200, "Beranda Rapat"},
		{auth.Key{Scopes: []auth.Scope{auth.MonevWrite}}, 200, 200, 303, 403, "Beranda Rapat"},
		{auth.Key{Scopes: []auth.Scope{auth.Admin}}, 200, 200, 303, 200, "Beranda Rapat"},
		{auth.Key{Scopes: []auth.Scope{auth.EventsWrite}}, 200, 403, 403, 403, "Beranda"},
		{auth.Key{Scopes: []auth.Scope{auth.OPDRead("dishub")}, Center: "35.15"}, 200, 403, 403, 200, "Beranda"},
	} {
		w := newWorld(t)
		tt.key.Name = "a"
		secret := w.key(tt.key)
		if a := w.signIn(secret); a.Code != 303 {
			t.Fatalf("%v: %d", tt.key.Scopes, a.Code)
		}
		home := w.do("GET", "/", nil)
		form := url.Values{"form": {home.token(t)}}
		got := [4]int{home.Code, w.do("GET", "/monev/2026-10", nil).Code, w.do("POST", "/monev/2026-10", form).Code,
			w.do("GET", "/opd", nil).Code}
		if want := [4]int{tt.home, tt.month, tt.save, tt.opd}; got != want {
			t.Errorf("%v: %v, want %v", tt.key.Scopes, got, want)
		}
		for name, shown := range map[string]bool{">Beranda</a>": true, ">Rapat</a>": strings.Contains(tt.menu, "Rapat")} {
			if strings.Contains(home.body, name) != shown {
				t.Errorf("%v: the menu: %s", tt.key.Scopes, home.body)
			}
		}
		// The API's header does as well, and asks for no form token.
		w.cookies = map[string]*http.Cookie{}
		if a := w.do("GET", "/monev/2026-10", nil, "Authorization", "Bearer "+secret); a.Code != tt.month {
			t.Errorf("%v in the header: %d", tt.key.Scopes, a.Code)
		}
	}
}

func TestASessionEndsWithItsKeyAndItsTime(t *testing.T) {
	for name, end := range map[string]func(*world){
		"revoked": func(w *world) { _, _ = w.keys.Revoke("a", w.now); w.now = w.now.Add(2 * time.Second) },
		"expired": func(w *world) { w.now = w.now.Add(time.Hour) },
		"12 h":    func(w *world) { w.now = w.now.Add(SessionLifetime) },
		"newer":   func(w *world) { w.many() },
	} {
		w := newWorld(t)
		k := auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}}
		if name == "expired" {
			k.ExpiresAt = w.now.Add(time.Hour)
		}
		w.signIn(w.key(k))
		if a := w.do("GET", "/", nil); a.Code != 200 {
			t.Fatalf("%s: %d before", name, a.Code)
		}
		end(w)
		if a := w.do("GET", "/", nil); a.Code != 303 {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
}

// many signs in with the same key until the first session has to give way.
func (w *world) many() {
	cookie := w.cookies[sessionCookie]
	of := w.site.sessions.get(cookie.Value, w.now)
	for range maxOfKey {
		w.now = w.now.Add(time.Second)
		w.site.sessions.begin(of.key, w.now)
	}
}

func TestASessionCookieIsForThisSiteAlone(t *testing.T) {
	w := newWorld(t)
	secret := w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	w.signIn(secret)
	c := w.cookies[sessionCookie]
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.MaxAge != 12*3600 ||
		c.Domain != "" {
		t.Fatalf("%+v", c)
	}
	before := c.Value
	form := url.Values{"form": {w.do("GET", "/", nil).token(t)}, "key": {secret}}
	if a := w.do("POST", "/masuk", form, "X-Forwarded-Proto", "https"); a.Code != 303 {
		t.Fatal(a.Code)
	}
	c = w.cookies[sessionCookie]
	if !c.Secure || c.Value == before {
		t.Errorf("%+v", c)
	}
	w.cookies = map[string]*http.Cookie{sessionCookie: {Name: sessionCookie, Value: before}}
	if a := w.do("GET", "/", nil); a.Code != 303 {
		t.Errorf("the session before the second sign-in still lives: %d", a.Code)
	}
}

func TestAFormIsOfItsPersonAlone(t *testing.T) {
	w := newWorld(t)
	secret := w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.MonevWrite}})
	anonymous := w.do("GET", "/masuk", nil).token(t)
	w.signIn(secret)
	mine := w.do("GET", "/", nil).token(t)
	first := w.cookies
	w.cookies = map[string]*http.Cookie{}
	w.signIn(secret)
	other := w.do("GET", "/", nil).token(t)
	w.cookies = first
	for name, tt := range map[string]struct {
		form    url.Values
		headers []string
		want    int
	}{
		"its own":            {url.Values{"form": {mine}}, nil, 303},
		"none":               {url.Values{}, nil, 403},
		"before signing in":  {url.Values{"form": {anonymous}}, nil, 403},
		"another session's":  {url.Values{"form": {other}}, nil, 403},
		"from a foreign one": {url.Values{"form": {mine}}, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a foreign origin":   {url.Values{"form": {mine}}, []string{"Origin", "https://evil.example"}, 403},
		"too large":          {url.Values{"form": {mine}, "x": {strings.Repeat("x", MaxFormBytes)}}, nil, 403},
	} {
		if a := w.do("POST", "/monev/2026-10", tt.form, tt.headers...); a.Code != tt.want {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	if len(w.saved) != 1 {
		t.Errorf("saved %q", w.saved)
	}
}

func TestWrongKeysAreCountedAndSlowed(t *testing.T) {
	w := newWorld(t)
	w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	if a := w.signIn(auth.Prefix + "x"); a.Code != 401 || w.wrong != 1 || w.cookies[sessionCookie] != nil {
		t.Errorf("%d, %d counted", a.Code, w.wrong)
	}
	if a := w.do("GET", "/", nil, "Authorization", "Bearer x"); a.Code != 401 || w.wrong != 2 {
		t.Errorf("%d, %d counted", a.Code, w.wrong)
	}
	w.wait = 1500 * time.Millisecond
	if a := w.signIn("x"); a.Code != 429 || a.Header().Get("Retry-After") != "2" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	if len(w.record) != 0 {
		t.Errorf("recorded %+v", w.record)
	}
}

func TestTheLanguageIsTheBrowsersUntilChosen(t *testing.T) {
	w := newWorld(t)
	for header, want := range map[string]string{
		"": "Satu", "id": "Satu", "en": "One", "en-GB,en;q=0.9,id;q=0.8": "One", "id-ID,id;q=0.9,en;q=0.8": "Satu",
		"jv": "Satu", "de-DE,en;q=0.5": "One", "nonsense;;;": "Satu", strings.Repeat("en,", 100): "Satu",
	} {
		if a := w.do("GET", "/", nil, "Accept-Language", header); !strings.Contains(a.body, "<h1>"+want) {
			t.Errorf("%.20q: %s", header, a.body)
		}
	}
	form := url.Values{"form": {w.do("GET", "/", nil).token(t)}, "bahasa": {"en"}, "ke": {"/opd"}}
	if a := w.do("POST", "/bahasa", form); a.Code != 303 || a.Header().Get("Location") != "./opd" {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	a := w.do("GET", "/", nil, "Accept-Language", "id")
	if !strings.Contains(a.body, "<h1>One") || !strings.Contains(a.body, `<html lang="en">`) {
		t.Error(a.body)
	}
}

func TestNobodyIsSentToAForeignPage(t *testing.T) {
	for to, want := range map[string]string{
		"/monev/2026-10?x=1": "/monev/2026-10?x=1", "": "/", "//evil.example/": "/", "https://evil.example/": "/",
		"/\\evil.example": "/", "javascript:alert(1)": "/", "monev": "/", "/%0D%0AX: y": "/%0D%0AX:%20y", "/a\r\nX: y": "/",
	} {
		if got := backTo(to); got != want {
			t.Errorf("%q: %q, want %q", to, got, want)
		}
	}
}

func TestEveryAnswerIsStrict(t *testing.T) {
	w := newWorld(t)
	w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	for _, path := range []string{"/masuk", "/", "/aset/style.css"} {
		a := w.do("GET", path, nil)
		csp := a.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
			"img-src 'self' data:", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy is %q", path, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || a.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, a.Header())
		}
		if m := regexp.MustCompile(`(?i)<style|\sstyle=|\son\w+=|<script>|https?://`).FindString(a.body); m != "" {
			t.Errorf("%s holds %q", path, m)
		}
	}
}

func TestFilesAreAskedForAgainAndSentOnce(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "/aset/style.css", nil)
	etag := a.Header().Get("ETag")
	if a.Code != 200 || a.Header().Get("Cache-Control") != "no-cache" || etag == "" ||
		!strings.HasPrefix(a.Header().Get("Content-Type"), "text/css") || a.body != string(Style()) {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	if a := w.do("GET", "/aset/style.css", nil, "If-None-Match", etag); a.Code != 304 || a.body != "" {
		t.Errorf("%d", a.Code)
	}
	if a := w.do("GET", "/aset/other.css", nil); a.Code != 404 {
		t.Errorf("%d", a.Code)
	}
}

func TestAFormWithAKeyInTheHeader(t *testing.T) {
	w := newWorld(t)
	bearer := "Bearer " + w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.MonevWrite}})
	w.site.Handle("POST /form/{month}", Scopes(auth.MonevWrite), func(r *Request) {
		w.saved = append(w.saved, r.PostForm.Get("text"))
	})
	if a := w.do("POST", "/form/1", url.Values{"text": {"x"}}, "Authorization", bearer); a.Code != 200 || w.saved[0] != "x" {
		t.Errorf("%d %q", a.Code, w.saved)
	}
	for name, a := range map[string]answer{
		"too long": w.do("POST", "/form/1", url.Values{"text": {strings.Repeat("x", MaxFormBytes)}}, "Authorization", bearer),
		"no form":  w.do("POST", "/form/1", nil, "Authorization", bearer),
		"as JSON": w.do("POST", "/form/1", url.Values{"text": {"x"}}, "Authorization", bearer,
			"Content-Type", "application/json"),
	} {
		if a.Code < 400 || len(w.saved) != 1 || !strings.Contains(a.body, "Belum tersimpan") {
			t.Errorf("%s: %d %q", name, a.Code, w.saved)
		}
	}
}
