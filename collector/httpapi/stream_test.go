package httpapi

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web"
	"github.com/monev112/monev112/collector/web/wall"
	"github.com/monev112/monev112/deploy"
)

// newWall is a wall over the board of the stub, with its pages in the site. dir is the data folder, with the links of displays.
func newWall(t *testing.T, c *Config, dir string) *wall.Wall {
	t.Helper()
	listed, err := web.OpenListedLinks(dir, c.Now(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w, err := wall.New(wall.Config{
		Snapshot: c.Cases.Snapshot, Directory: directory.MustLoad("directory.yaml", deploy.Directory), Listed: listed,
		CallBacks: func(string, time.Time, int) []tracker.CallBack {
			return []tracker.CallBack{{ID: "C-7", AbandonedAt: testNow}}
		},
		Version: "1", Now: c.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	w.Mount(c.Site)
	return w
}

// stream opens a stream and returns its answer and its first event with data.
func (w *world) stream(query string, headers ...string) (status int, event, data string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+wall.StreamPath+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		w.doc.check(w.t, http.MethodGet, wall.StreamPath, reply{resp, text})
		return resp.StatusCode, "", string(text)
	}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if e, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = e
		}
		if d, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return resp.StatusCode, event, d
		}
	}
	w.t.Fatal("the stream ended before its first event")
	return 0, "", ""
}

func TestWhoMayFollowTheBoard(t *testing.T) {
	dir := t.TempDir()
	var record []audit.Entry
	w := start(t, func(c *Config) {
		c.Hooks.Read = func(e audit.Entry) { record = append(record, e) }
		c.Site = newSite(t, c)
		c.Wall = newWall(t, c, dir)
		c.Limits.WrongKeys = 20
	})
	w.stub.snapshot = tracker.Snapshot{Complete: true, Centers: []tracker.CenterSnapshot{
		{Center: "35.15", CallsWaiting: 3, CallsToCallBack: 1}, {Center: "35.78", CallsWaiting: 5, CallsToCallBack: 1},
	}}
	if status, event, data := w.stream(""); status != 200 || event != "board" || !strings.Contains(data, "C-7") {
		t.Errorf("nobody is asked: %d %s %s", status, event, data)
	}
	if status, _, _ := w.stream("", "Host", "rebound.example", "Origin", "https://rebound.example"); status != 403 {
		t.Errorf("a foreign page: %d", status)
	}
	if status, _, _ := w.stream("", "X-Forwarded-For", "192.0.2.1"); status != 403 {
		t.Errorf("through a proxy: %d", status)
	}

	links := web.LinkList{Dir: dir}
	l, token, err := links.Create("35.15", 24*time.Hour, w.now)
	if err != nil {
		t.Fatal(err)
	}
	_, brief, err := links.Create("35.15", time.Hour, w.now)
	if err != nil {
		t.Fatal(err)
	}
	secrets := accessKeys(t, w) // two hours later
	for _, tt := range []struct {
		query string
		key   string
		want  int
	}{
		{"", "none", 401}, {"", "revoked", 401}, {"", "expired", 401}, {"", "events:write", 403},
		{"", "opd:read:dishub", 403}, {"", "monev:write", 403}, {"", "admin", 403},
		{"", "board:read", 200}, {"?center=35.15", "board:read of 35.15", 200}, {"?center=99.99", "board:read", 404},
		{"?center=35.78", "board:read of 35.15", 404},
		{"?link=" + token, "none", 200}, {"?link=" + token + "&center=35.15", "none", 200},
		{"?link=" + token + "&center=35.78", "none", 404}, {"?link=" + token[1:], "none", 404}, {"?link=" + brief, "none", 404},
		{"?center=35.15&x=1", "board:read", 400},
	} {
		var headers []string
		if secret := secrets[tt.key]; secret != "" {
			headers = bearer(secret)
		}
		status, event, data := w.stream(tt.query, headers...)
		if status != tt.want {
			t.Errorf("%s with %s: %d %s", tt.query, tt.key, status, data)
		}
		if status != 200 {
			continue
		}
		if event != "board" || !strings.Contains(data, `"calls_waiting":3`) {
			t.Errorf("%s with %s: %s %s", tt.query, tt.key, event, data)
		}
		if linked := strings.Contains(tt.query, "link"); linked == strings.Contains(data, "C-7") {
			t.Errorf("%s with %s shows the calls: %v", tt.query, tt.key, !linked)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.doc.schema(t, "components", "schemas", "BoardState").Validate(v); err != nil {
			t.Errorf("%v\n%s", err, data)
		}
	}
	if n := len(record); n != 3 || record[0].Who != "nobody" || record[n-1].Filter != "to_call_back" {
		t.Errorf("recorded %+v", record)
	}

	// A display's link opens its board and nothing else.
	for path, want := range map[string]int{
		"/papan/" + token: 200, "/papan/" + token + "/": 404, "/papan/" + token[1:]: 404, "/papan/" + brief: 404,
		"/papan?link=" + token: 303, "/?link=" + token: 303, "/v1/board?link=" + token: 401, "/v1/tickets?link=" + token: 401,
		"/p/" + token: 404,
	} {
		if r := w.get(path); r.StatusCode != want {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
	if r := w.get("/papan/"+token, bearer(token)...); r.StatusCode != 401 {
		t.Errorf("the link as a key: %d", r.StatusCode)
	}
	if _, err := links.Revoke(l.ID, w.now); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Second)
	for _, path := range []string{"/papan/" + token, wall.StreamPath + "?link=" + token} {
		if r := w.get(path); r.StatusCode != 404 {
			t.Errorf("revoked: %s: %d", path, r.StatusCode)
		}
	}
	slowed := 0
	for i := range 40 {
		if r := w.get("/papan/" + strings.Repeat("x", i+1)); r.StatusCode == 429 {
			slowed++
		}
	}
	if slowed < 10 {
		t.Errorf("%d of 40 wrong links were slowed", slowed)
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the log holds a link")
	}
}

func TestASessionFollowsTheBoard(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Site = newSite(t, c)
		c.Wall = newWall(t, c, t.TempDir())
	})
	w.stub.snapshot = tracker.Snapshot{Complete: true}
	secret := w.key(auth.Key{Name: "admin", Scopes: []auth.Scope{auth.Admin}})
	page := w.get("/masuk")
	_, rest, _ := strings.Cut(string(page.body), `name="form" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	r := w.do("POST", "/masuk", url.Values{"form": {token}, "key": {secret}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded")
	if r.StatusCode != 303 || len(r.Cookies()) != 1 {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	cookie := r.Cookies()[0].Name + "=" + r.Cookies()[0].Value
	if status, event, data := w.stream("?center=35.15", "Cookie", cookie); status != 200 || event != "board" {
		t.Errorf("%d %s %s", status, event, data)
	}
	if _, err := w.keys.Revoke("admin", w.now); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Second)
	if status, _, _ := w.stream("?center=35.15", "Cookie", cookie); status != 401 {
		t.Errorf("after the key was revoked: %d", status)
	}
}

// A stop does not wait for screens: their streams end with it.
func TestAShutdownEndsStreams(t *testing.T) {
	w := start(t, func(c *Config) {
		c.Site = newSite(t, c)
		c.Wall = newWall(t, c, t.TempDir())
	})
	resp, err := http.Get(w.url + wall.StreamPath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	s := w.api.Server(context.Background())
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
}

// What the page's script asks for is what the stream has.
func TestThePagesScriptKnowsTheStream(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("..", "web", "wall", "files", "papan.js"))
	if err != nil {
		t.Fatal(err)
	}
	d := readDocument(t)
	for _, name := range []string{"BoardState", "BoardWindow"} {
		properties, _ := d.at("components", "schemas", name, "properties")
		for p := range properties.(map[string]any) {
			if !strings.Contains(string(script), p) && !slices.Contains([]string{"center", "name", "answered", "shift"}, p) {
				t.Errorf("%s: the script does not show %s", name, p)
			}
		}
	}
}
