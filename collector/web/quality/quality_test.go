package quality

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
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
	var record []audit.Entry
	var confirmed []string
	site, err := page.New(page.Config{Keys: guard, Now: clock, Record: func(e audit.Entry) { record = append(record, e) }})
	if err != nil {
		t.Fatal(err)
	}
	Mount(site, Config{
		Flags: func(_ context.Context, _ string, since, until, _ time.Time) ([]store.FlagCount, error) {
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
		Corrected: func(_ context.Context, _ string, since, _ time.Time) ([]store.Corrected, error) {
			if since.Year() == 2020 {
				return nil, nil
			}
			stopped, due := clock().Add(-time.Hour), clock().Add(time.Hour)
			return []store.Corrected{
				{Center: "35.15", Ticket: "T-7", Clock: "resolve", Seq: 1, OPD: "Dishub", CorrectedAt: clock(),
					DueBefore: clock().Add(-2 * time.Hour), StoppedBefore: &stopped, StateAfter: "met", DueAfter: &due,
					StoppedAfter: &stopped},
				{Center: "35.15", Ticket: "T-8", Clock: "arrive", Seq: 1, CorrectedAt: clock(), DueBefore: clock(), StateAfter: "none"},
			}, nil
		},
		Withdrawn: func(_ context.Context, center string) ([]store.WithdrawnTicket, error) {
			return []store.WithdrawnTicket{{Center: "35.15", Ticket: "T-9", OPD: "dishub", OpenedAt: clock(),
				Sources: []string{"import/a"}}}, nil
		},
		Confirm: func(_ context.Context, center, ticket, by string) (withdrawal.Confirmed, error) {
			switch ticket {
			case "T-9":
				confirmed = append(confirmed, by)
				return withdrawal.Confirmed{Center: center, Ticket: ticket, Openings: 1}, nil
			case "T-10":
				return withdrawal.Confirmed{}, &withdrawal.RefusedError{Reason: "It stands."}
			}
			return withdrawal.Confirmed{}, withdrawal.ErrNotFound
		},
		Directory: directory.MustLoad("directory.yaml", deploy.Directory), Now: clock,
	})
	for _, c := range []struct {
		query, language string
		status          int
		want            []string
	}{
		{"", "id", 200, []string{"selesai sebelum dibuka", "1.234", "T-1, &lt;b&gt;", "a_new_flag", "Dinas Perhubungan",
			"Tiba di lokasi", "(seharusnya ada, tidak pernah masuk)", "belum pada OPD", `href="./mutu"`,
			"Menunggu konfirmasi", "T-9", "import/a", "29 November 2026 10.00 WIB", "Dikoreksi setelah terlambat", "T-7",
			"terlambat; batas waktu 29 November 2026 08.00 WIB, berhenti 29 November 2026 09.00 WIB",
			"tepat waktu; batas waktu 29 November 2026 11.00 WIB, berhenti 29 November 2026 09.00 WIB", "tidak dihitung lagi"}},
		{"", "en", 200, []string{"resolved before it was opened", "arrived", "(said to be carried, never brought)"}},
		{"?since=2020-01-01&until=2020-02-01", "id", 200, []string{"Tidak ada kasus yang bertentangan", "Semua kejadian",
			"Tidak ada yang dikoreksi setelah terlambat"}},
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

	// A form of the page confirms; without its token nothing happens.
	w := httptest.NewRecorder()
	site.Serve(w, httptest.NewRequest(http.MethodGet, "/mutu", nil), nil)
	token := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if token == nil {
		t.Fatal("no form")
	}
	for _, c := range []struct {
		form   url.Values
		status int
		want   string
	}{
		{url.Values{"center": {"35.15"}, "ticket": {"T-9"}}, 403, ""},
		{url.Values{"form": {token[1]}, "center": {"35.15"}, "ticket": {"T-9"}}, 200, "T-9 dinyatakan tidak pernah ada"},
		{url.Values{"form": {token[1]}, "center": {"35.15"}, "ticket": {"T-10"}}, 409, "masih berlaku"},
		{url.Values{"form": {token[1]}, "center": {"35.15"}, "ticket": {"T-11"}}, 404, ""},
		{url.Values{"form": {token[1]}, "ticket": {"T-9"}}, 404, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/mutu", strings.NewReader(c.form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept-Language", "id")
		w := httptest.NewRecorder()
		site.Serve(w, r, nil)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%v: %d, want %d with %q in\n%s", c.form, w.Code, c.status, c.want, w.Body.String())
		}
	}
	if len(confirmed) != 1 || len(record) != 1 || record[0].Action != audit.Confirm || record[0].ID != "T-9" {
		t.Errorf("confirmed by %v, recorded %+v", confirmed, record)
	}
}
