package site_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/collector/web/browser"
	"github.com/monev112/monev112/collector/web/figure"
	"github.com/monev112/monev112/collector/web/home"
	"github.com/monev112/monev112/collector/web/messages"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/collector/web/quality"
	"github.com/monev112/monev112/deploy"
	"github.com/monev112/monev112/docs"
)

// plain are the pages without a script of their own, full of what they may show. With a key they ask for it.
func plain(t *testing.T, key bool) string {
	t.Helper()
	keys := auth.File{Path: filepath.Join(t.TempDir(), auth.FileName)}
	if key {
		if _, _, err := keys.Create(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	guard, err := auth.NewGuard(keys.Path, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.New(page.Config{Keys: guard, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	dir := directory.MustLoad("directory.yaml", deploy.Directory)
	minutes := 600.0
	messages.Mount(site, messages.Config{
		Told: func(context.Context, string, time.Time, time.Time) ([]store.Told, error) {
			return []store.Told{
				{Center: "35.15", OPD: "dishub", Channel: "whatsapp", Messages: 1234, Delivered: 9, Read: 8, Failed: 1, ToRead: store.Median{Value: &minutes, N: 1}},
			}, nil
		},
		Directory: dir, Now: time.Now,
	})
	quality.Mount(site, quality.Config{
		Flags: func(context.Context, string, time.Time, time.Time, time.Time) ([]store.FlagCount, error) {
			return []store.FlagCount{{Center: "35.15", Kind: "ticket", Flag: casefile.FlagResolvedBeforeOpened, Source: "/crm",
				Cases: 12, Examples: []string{"SDA-2026-00123"}}}, nil
		},
		NotRecorded: func(context.Context, string, time.Time, time.Time) ([]store.NotRecorded, error) {
			return []store.NotRecorded{{Center: "35.15", OPD: "dishub", Clock: "arrive", Source: "/calls", Unobserved: 40, N: 40,
				Never: true}}, nil
		},
		Corrected: func(context.Context, string, time.Time, time.Time) ([]store.Corrected, error) {
			return []store.Corrected{{Center: "35.15", Ticket: "SDA-2026-00124", Clock: "resolve", Seq: 1, OPD: "dishub",
				CorrectedAt: time.Now(), DueBefore: time.Now(), StateAfter: "none"}}, nil
		},
		Withdrawn: func(context.Context, string) ([]store.WithdrawnTicket, error) {
			return []store.WithdrawnTicket{{Center: "35.15", Ticket: "SDA-2026-00125", OPD: "dishub", OpenedAt: time.Now(),
				Sources: []string{"import/a"}}}, nil
		},
		Directory: dir, Now: time.Now,
	})
	figure.Mount(site, func(context.Context, number.Request) (number.Result, error) {
		return number.Result{Value: "80,7", Fits: []number.Match{{
			Numerator:   number.Text{Indonesian: "prank/iseng", English: "prank"},
			Denominator: number.Text{Indonesian: "semua panggilan masuk", English: "all calls"}, Percent: 80.7158, Counted: 32543,
			Of: 40318, N: 40318,
		}}}, nil
	})
	if err := home.Mount(site, home.Config{
		Version: "1.2.3", Grafana: "https://grafana.example/d/live", Started: time.Now(), Directory: dir,
		Snapshot: func(now time.Time) tracker.Snapshot {
			return tracker.Snapshot{At: now, Complete: true, Sources: []tracker.SourceSnapshot{{Source: "pbx", LastEventAt: now}}}
		},
		Incomplete: func() string { return "" }, Definitions: docs.Definitions(),
	}); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !site.Has(r) {
			http.NotFound(w, r)
			return
		}
		site.Serve(w, r, nil)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Every page is usable without eyes and without a mouse, light and dark, on a telephone and on a screen, and asks the
// browser for nothing that its policy forbids.
func TestPagesInABrowser(t *testing.T) {
	b := browser.Start(t, true)
	open, closed := plain(t, false), plain(t, true)
	for _, p := range []struct{ name, address string }{
		{"sign-in", closed + "/mutu"}, {"home", open + "/"}, {"definitions", open + "/definisi"}, {"quality", open + "/mutu"},
		{"messages", open + "/pesan"}, {"figure", open + "/angka?value=80,7&since=2023-01-01&until=2023-11-01"},
	} {
		b.Resize(1280)
		b.Dark(false)
		b.Open(p.address)
		b.Accessible(p.name)
		b.Keyboard(p.name)
		b.Fits(p.name, 1280)
		b.Dark(true)
		b.Resize(390)
		b.Fits(p.name, 390)
		b.Accessible(p.name + ", dark and narrow")
	}
	b.Open(closed + "/mutu")
	if text := b.Text(); !strings.Contains(text, "Kunci") {
		t.Errorf("nobody is asked for a key:\n%s", text)
	}
	b.Quiet("401")
}
