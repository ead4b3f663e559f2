package figure

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/web/page"
)

// TestThePageSaysWhereANumberComesFrom: with matches, without any, with a request that makes no sense, and while the
// database is away, in both languages.
func TestThePageSaysWhereANumberComesFrom(t *testing.T) {
	clock := func() time.Time { return time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC) }
	guard, err := auth.NewGuard(filepath.Join(t.TempDir(), auth.FileName), clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	site, err := page.New(page.Config{Keys: guard, Now: clock, Record: func(audit.Entry) {}})
	if err != nil {
		t.Fatal(err)
	}
	hoax := number.Match{
		Numerator: number.Text{Indonesian: "prank/iseng", English: "prank"}, Percent: 80.7158,
		Denominator: number.Text{Indonesian: "semua panggilan masuk", English: "all calls"}, Counted: 32543, Of: 40318, N: 40318,
	}
	Mount(site, func(_ context.Context, r number.Request) (number.Result, error) {
		if r.Since != "" && r.Until != "" && r.Value == "down" {
			return number.Result{}, errors.New("away")
		}
		if _, err := number.Parse(r.Value); err != nil {
			return number.Result{}, &number.RefusedError{Reason: err.Error()}
		}
		out := number.Result{Value: r.Value}
		if r.Value == "70" {
			out.Nearest = []number.Match{hoax}
		} else {
			out.Fits = []number.Match{hoax}
		}
		return out, nil
	})
	get := func(query, language string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/angka"+query, nil)
		r.Header.Set("Accept-Language", language)
		w := httptest.NewRecorder()
		site.Serve(w, r, nil)
		return w.Code, w.Body.String()
	}
	const days = "&since=2023-01-01&until=2023-11-01"
	for _, c := range []struct {
		query, language string
		status          int
		want            []string
	}{
		{"", "id", 200, []string{"Asal angka", `name="value"`}},
		{"?value=70" + days, "id", 200, []string{"Tidak ada hitungan", "Yang terdekat", "32.543"}},
		{"?value=%3Cb%3E" + days, "id", 400, []string{"Isian tidak dapat dibaca", "&lt;b&gt;"}},
		{"?value=%3Cb%3E" + days, "en", 400, []string{"is no percentage", "&lt;b&gt;"}},
		{"?value=down" + days, "id", 503, []string{"belum menjawab"}},
		{"?value=80.7" + days, "en", 200, []string{"shares round to", "80.716 %", "32543 prank", "all calls"}},
		{"?value=80,7" + days, "id", 200, []string{"80,716 %", "32.543 prank/iseng", "40.318 semua panggilan masuk",
			`value="2023-01-01"`}},
	} {
		status, body := get(c.query, c.language)
		if status != c.status || strings.Contains(body, "<b>70") {
			t.Errorf("%s: status %d, want %d", c.query, status, c.status)
		}
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %q in\n%s", c.query, want, body)
			}
		}
	}
}
