package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/number"
	"github.com/monev112/monev112/collector/store/lookup"
)

// Every answer about cases and figures can be asked as of a past instant, or says why not. A new route must be named
// here.
func TestEveryListTakesAsOf(t *testing.T) {
	takes := map[string]string{ // the request beside as_of
		"/v1/tickets": "", "/v1/tickets/*id": "T-1", "/v1/calls/*id": "C-1", "/v1/flags": "center=35.15",
		"/v1/monev/kendala": "month=2026-02", "/v1/monev/number": "value=80.7&since=2026-01-01&until=2026-02-01",
		"/v1/office": "center=35.15", "/v1/admin/freezes": "month=2026-02",
	}
	refuses := map[string]string{"/v1/board": "the board shows now", "/v1/directory/review": "keeps no past"}
	none := []string{ // a stream, documents that bear their own date, single jobs and messages; until bounds the last
		"/v1/board/stream", "/v1/report", "/v1/report/changes", "/v1/reports", "/v1/admin/rebuilds/*id",
		"/v1/whatsapp/webhook", "/v1/whatsapp/messages/*id", "/v1/admin/events",
		"/v1/telegram/messages/*id",
	}
	w := start(t, func(c *Config) {
		c.Admin, c.Office = testAdmin(), emptyOffice{}
		c.Kendala = func(context.Context, kendala.Request) (kendala.Result, error) { return kendala.Result{}, nil }
		c.Number = func(context.Context, number.Request) (number.Result, error) { return number.Result{}, nil }
	})
	w.stub.cases = []lookup.Case{ticketCase("35.15", "T-1", "dishub"), callCase("35.15", "C-1")}
	at := func(d time.Duration) string { return "as_of=" + testNow.Add(d).UTC().Format(time.RFC3339) }
	seen := 0
	for _, e := range new(API).endpoints() {
		if e.method != http.MethodGet || !strings.HasPrefix(e.path, "/v1/") {
			continue
		}
		seen++
		ask, known := takes[e.path]
		path := e.path
		if strings.HasSuffix(path, "*id") {
			path, ask = strings.TrimSuffix(path, "*id")+ask, ""
		}
		switch says, no := refuses[e.path]; {
		case known:
			for when, want := range map[time.Duration]string{time.Hour: "future", -time.Minute: ""} {
				r := w.get(path + "?" + strings.TrimPrefix(ask+"&"+at(when), "&"))
				if future := r.StatusCode == 400 && strings.Contains(string(r.body), "as_of"); future != (want != "") {
					t.Errorf("%s of %s: %d %s", e.path, when, r.StatusCode, r.body)
				}
			}
		case no:
			if r := w.get(path + "?" + at(-time.Minute)); r.StatusCode != 400 || !strings.Contains(string(r.body), says) {
				t.Errorf("%s: %d %s, want %q", e.path, r.StatusCode, r.body, says)
			}
		default:
			if !strings.Contains(" "+strings.Join(none, " ")+" ", " "+e.path+" ") {
				t.Errorf("%s: does it take as_of?", e.path)
			}
		}
	}
	if seen < len(takes)+len(refuses) {
		t.Errorf("%d routes", seen)
	}
	if !w.stub.asOf.Equal(testNow.Add(-time.Minute)) {
		t.Errorf("asked as of %s", w.stub.asOf)
	}
}
