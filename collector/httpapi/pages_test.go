package httpapi

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/store/lookup"
)

func TestPagesAskForNoKeyAndNoTokenReachesTheLog(t *testing.T) {
	const token = "AdRGkLp0abg3EAUz"
	var seen []string
	w := start(t, func(c *Config) {
		c.Pages = linked{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Method+" "+r.URL.Path)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<p>x</p>")
		})}
	})
	w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}})
	for _, method := range []string{"GET", "HEAD", "POST"} {
		if r := w.do(method, "/p/"+token, ""); r.StatusCode != 404 {
			t.Errorf("%s: %d %s", method, r.StatusCode, r.body)
		}
	}
	if got := strings.Join(seen, ", "); got != "GET /p/"+token+", HEAD /p/"+token+", POST /p/"+token {
		t.Errorf("the pages saw %s", got)
	}
	if !strings.Contains(w.log.String(), "/p/*id") || strings.Contains(w.log.String(), token) {
		t.Errorf("the log: %s", w.log.String())
	}
	if r := w.do("PUT", "/p/"+token, ""); r.StatusCode != 405 {
		t.Errorf("PUT: %d", r.StatusCode)
	}
}

func TestWithoutPagesThereAreNone(t *testing.T) {
	w := start(t, nil)
	if r := w.get("/p/x"); r.StatusCode != 404 || r.code() != codeNotFound {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestOneCaseAsOfAnInstant(t *testing.T) {
	w := start(t, nil)
	w.stub.cases = []lookup.Case{ticketCase("35.15", "T-1", "dishub"), callCase("35.15", "C-1")}
	at := func(d time.Duration) string { return testNow.Add(d).UTC().Format(time.RFC3339) }
	for path, want := range map[string]int{
		"/v1/tickets/T-1?as_of=" + at(-time.Minute): 200,
		"/v1/calls/C-1?as_of=" + at(-time.Minute):   200,
		"/v1/tickets/T-1?as_of=" + at(-2*time.Hour): 404,
		"/v1/tickets/T-1?as_of=" + at(48*time.Hour): 400,
		"/v1/tickets/T-1?as_of=kemarin":             400,
		"/v1/board?as_of=" + at(-time.Minute):       400,
		"/v1/flags?as_of=" + at(-time.Minute):       200,
	} {
		if r := w.get(path); r.StatusCode != want {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
}

func TestReadsOfListsAreRecorded(t *testing.T) {
	var record []audit.Entry
	w := start(t, func(c *Config) { c.Hooks.Read = func(e audit.Entry) { record = append(record, e) } })
	w.get("/v1/tickets") // shows nothing
	w.stub.cases = []lookup.Case{ticketCase("35.15", "T/1", "dishub"), ticketCase("35.15", "T/2", "dishub")}
	w.get("/v1/tickets?limit=1&state=assigned&at_risk=true&overdue=true")
	opd := w.key(auth.Key{Name: "a", Scopes: []auth.Scope{auth.OPDRead("dishub")}, Center: "35.15"})
	w.get("/v1/tickets", "Authorization", "Bearer "+opd)
	w.get("/v1/tickets?opd=dlhk", "Authorization", "Bearer "+opd) // refused
	w.get("/v1/tickets")                                          // likewise
	keys, err := w.keys.List()
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Entry{
		{At: testNow, Who: "nobody", Action: audit.Read, Kind: "list", Filter: "assigned,overdue,at_risk", Cases: 1},
		{At: w.now, Who: "key:" + keys[0].ID, Action: audit.Read, Kind: "list", Center: "35.15", OPD: "dishub", Cases: 2},
	}
	if !slices.Equal(record, want) {
		t.Errorf("%+v\nwant %+v", record, want)
	}
}

func TestReadsOfSingleCasesAreRecorded(t *testing.T) {
	var record []audit.Entry
	w := start(t, func(c *Config) { c.Hooks.Read = func(e audit.Entry) { record = append(record, e) } })
	w.stub.cases = []lookup.Case{ticketCase("35.15", "T/1", "dishub"), callCase("35.15", "C1")}
	w.get("/v1/tickets/T/1")
	key := auth.Key{Name: "a", Scopes: []auth.Scope{auth.BoardRead}}
	secret := w.key(key)
	opd := w.key(auth.Key{Name: "dlhk", Scopes: []auth.Scope{auth.OPDRead("dlhk")}, Center: "35.15"})
	w.get("/v1/calls/C1", "Authorization", "Bearer "+secret)
	w.get("/v1/tickets/T/1", "Authorization", "Bearer "+opd) // sees nothing
	w.get("/v1/tickets/T/1")                                 // likewise
	list, err := w.keys.List()
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Entry{
		{At: testNow, Who: "nobody", Action: audit.Read, Kind: "ticket", Center: "35.15", ID: "T/1"},
		{At: w.now, Who: "key:" + list[0].ID, Action: audit.Read, Kind: "call", Center: "35.15", ID: "C1"},
	}
	if len(record) != 2 || record[0] != want[0] || record[1] != want[1] {
		t.Errorf("%+v\nwant %+v", record, want)
	}
}
