package home

import (
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/deploy"
	"github.com/monev112/monev112/docs"
)

var testNow = time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)

// world is a site with the home page; key is none, or the secret of one that comes with each request.
type world struct {
	t    *testing.T
	site *page.Site
	keys auth.File
	now  time.Time
}

func newWorld(t *testing.T, edit func(*Config)) *world {
	t.Helper()
	w := &world{t: t, now: testNow, keys: auth.File{Path: filepath.Join(t.TempDir(), auth.FileName)}}
	clock := func() time.Time { return w.now }
	guard, err := auth.NewGuard(w.keys.Path, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w.site, err = page.New(page.Config{Keys: guard, Now: clock}); err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Version: "1.2.3", Started: testNow.Add(-time.Hour), Directory: directory.MustLoad("directory.yaml", deploy.Directory),
		Snapshot: func(now time.Time) tracker.Snapshot {
			return tracker.Snapshot{At: now, Complete: true, Sources: []tracker.SourceSnapshot{
				{Source: "old", LastEventAt: now.Add(-72 * time.Hour)}, {Source: "pbx", LastEventAt: now.Add(-5 * time.Minute)},
				{Source: casefile.PageSource, LastEventAt: now}, // a button that was pressed is no data
			}}
		},
		Incomplete:  func() string { return "" },
		Definitions: docs.Definitions(),
	}
	if edit != nil {
		edit(&cfg)
	}
	if err := Mount(w.site, cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) get(path, secret, language string) string {
	w.t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	r.Header.Set("Accept-Language", language)
	rec := httptest.NewRecorder()
	w.site.Serve(rec, r, nil)
	if rec.Code != 200 {
		w.t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestHomeSaysWhatRunsAndWhetherDataIsComplete(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Grafana = "https://grafana.example/d/live" })
	for language, want := range map[string][]string{
		"id": {"Data lengkap", "29 November 2026 09.00 WIB", "29 November 2026 09.55 WIB", "5 menit lalu", "3 hari lalu",
			"pbx",
			"monev112 1.2.3", `href="https://grafana.example/d/live"`, `href="./metrics"`, `href="./definisi"`},
		"en": {"Data is complete", "29 November 2026 09:00 WIB", "5 min ago", "3 days ago"},
	} {
		body := w.get("/", "", language)
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: no %q in %s", language, text, body)
			}
		}
	}
	w = newWorld(t, func(c *Config) {
		c.Incomplete = func() string { return "ClickHouse" }
		c.Snapshot = func(time.Time) tracker.Snapshot { return tracker.Snapshot{} }
	})
	if body := w.get("/", "", "id"); !strings.Contains(body, "belum lengkap") || !strings.Contains(body, "ClickHouse") ||
		!strings.Contains(body, "belum ada data") || strings.Contains(body, "Grafana") {
		t.Error(body)
	}
}

func TestHomeShowsAKeyWhatItAllows(t *testing.T) {
	w := newWorld(t, nil)
	_, secret, err := w.keys.Create(auth.Key{Name: "a", Scopes: []auth.Scope{auth.EventsWrite}}, w.now)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Second)
	if body := w.get("/", secret, "id"); strings.Contains(body, "pbx") || strings.Contains(body, "./metrics") ||
		!strings.Contains(body, "./openapi.yaml") {
		t.Error(body)
	}
}

func TestHomeListsNoSourcesForAKeyOfOneCentre(t *testing.T) {
	w := newWorld(t, nil)
	for center, shown := range map[string]bool{"": true, "35.15": false} {
		_, secret, err := w.keys.Create(auth.Key{Name: "a" + center, Scopes: []auth.Scope{auth.BoardRead}, Center: center}, w.now)
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(2 * time.Second)
		if body := w.get("/", secret, "id"); strings.Contains(body, "pbx") != shown || strings.Contains(body, "Sumber data") != shown {
			t.Errorf("key of %q: %s", center, body)
		}
	}
}

func TestDefinitionsAreRendered(t *testing.T) {
	body := newWorld(t, nil).get("/definisi", "", "id")
	for _, text := range []string{"<h1", "<table>", "<th", "<code>monev_service_level</code>", `lang="en"`} {
		if !strings.Contains(body, text) {
			t.Errorf("no %q", text)
		}
	}
	if m := regexp.MustCompile(`(?i)\sstyle=|<script|\|---|\n## `).FindString(body); m != "" {
		t.Errorf("the page holds %q", m)
	}
}
