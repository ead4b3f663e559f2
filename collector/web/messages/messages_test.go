package messages

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/deploy"
)

// TestThePageSaysWhoWasTold: with messages, without any, with days that make no sense, and while the database is away.
func TestThePageSaysWhoWasTold(t *testing.T) {
	clock := func() time.Time { return time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC) }
	guard, err := auth.NewGuard(filepath.Join(t.TempDir(), auth.FileName), clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.New(page.Config{Keys: guard, Now: clock, Record: func(audit.Entry) {}})
	if err != nil {
		t.Fatal(err)
	}
	minutes := 600.0
	Mount(site, Config{
		Told: func(_ context.Context, _ string, since, until time.Time) ([]store.Told, error) {
			switch since.Year() {
			case 2020:
				return nil, nil
			case 2021:
				return nil, errors.New("away")
			}
			return []store.Told{
				{Center: "35.15", OPD: "dishub", Channel: "whatsapp", Messages: 1234, Delivered: 9, Read: 8, Failed: 1,
					ToRead: store.Median{Value: &minutes, N: 8}},
				{Center: "35.15", Channel: "email", Messages: 1},
			}, nil
		},
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Now: clock,
	})
	for _, c := range []struct {
		query, language string
		status          int
		want            []string
	}{
		{"", "id", 200, []string{
			"Dinas Perhubungan", "1.234", "10 menit (n = 8)", "Pimpinan", "Surel", "<td>–</td>", `href="./pesan"`,
		}},
		{"", "en", 200, []string{"Leadership", "E-mail", "Who was told"}},
		{"?since=2020-01-01&until=2020-02-01", "id", 200, []string{"Tidak ada pesan"}},
		{"?since=2021-01-01&until=2021-02-01", "id", 503, []string{"Basis data belum menjawab"}},
		{"?since=2021-01-01&until=2021-01-01", "en", 400, []string{"Give two days"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/pesan"+c.query, nil)
		r.Header.Set("Accept-Language", c.language)
		w := httptest.NewRecorder()
		site.Serve(w, r, nil)
		for _, want := range c.want {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s %s: no %q in\n%s", c.query, c.language, want, w.Body.String())
			}
		}
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.query, w.Code, c.status)
		}
	}
}
