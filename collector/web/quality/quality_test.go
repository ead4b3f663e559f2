package quality

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/web/page"
	"github.com/monev112/monev112/deploy"
)

// TestThePageListsWhatContradictsItselfAndWhatIsNotRecorded: with both, with nothing, with days that make no sense, and
// while the database is away, in both languages.
func TestThePageListsWhatContradictsItselfAndWhatIsNotRecorded(t *testing.T) {
	clock := func() time.Time { return time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC) }
	guard, err := auth.NewGuard(filepath.Join(t.TempDir(), auth.FileName), clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.New(page.Config{Keys: guard, Now: clock, Record: func(audit.Entry) {}})
	if err != nil {
		t.Fatal(err)
	}
	Mount(site, Config{
		Flags: func(_ context.Context, _ string, since, until time.Time) ([]store.FlagCount, error) {
			switch since.Year() {
			case 2020:
				return nil, nil
			case 2021:
				return nil, errors.New("away")
			}
			if days := until.Sub(since).Hours() / 24; days != defaultDays {
				t.Errorf("%g days", days)
			}
			return []store.FlagCount{
				{Center: "35.15", Kind: "ticket", Flag: casefile.FlagResolvedBeforeOpened, Source: "/crm", Cases: 1234,
					Examples: []string{"T-1", "<b>"}},
				{Center: "35.15", Kind: "call", Flag: "a_new_flag", Source: "/pbx", Cases: 1},
			}, nil
		},
		NotRecorded: func(_ context.Context, _ string, since, _ time.Time) ([]store.NotRecorded, error) {
			if since.Year() == 2020 {
				return nil, nil
			}
			return []store.NotRecorded{
				{Center: "35.15", OPD: "dishub", Clock: "arrive", Source: "/calls", Unobserved: 40, N: 40},
				{Center: "35.15", OPD: "", Clock: "acknowledge", Source: "/crm", N: 25, Never: true},
			}, nil
		},
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Now: clock,
	})
	for _, c := range []struct {
		query, language string
		status          int
		want            []string
	}{
		{"", "id", 200, []string{"selesai sebelum dibuka", "1.234", "T-1, &lt;b&gt;", "a_new_flag", "Dinas Perhubungan",
			"Tiba di lokasi", "(seharusnya ada, tidak pernah masuk)", "belum pada OPD", `href="./mutu"`}},
		{"", "en", 200, []string{"resolved before it was opened", "arrived", "(said to be carried, never brought)"}},
		{"?since=2020-01-01&until=2020-02-01", "id", 200, []string{"Tidak ada kasus yang bertentangan", "Semua kejadian"}},
		{"?since=2021-01-01&until=2021-02-01", "id", 503, []string{"Basis data belum menjawab"}},
		{"?since=2021-01-01&until=2021-01-01", "id", 400, []string{"Tulis dua tanggal"}},
		{"?since=x&until=", "en", 400, []string{"Give two days"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/mutu"+c.query, nil)
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
