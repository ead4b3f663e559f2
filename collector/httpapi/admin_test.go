package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/httpapi/auth"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/upkeep/rebuild"
	"github.com/monev112/monev112/collector/upkeep/retention"
	"github.com/monev112/monev112/collector/upkeep/withdrawal"
)

func testAdmin() Admin {
	share := 0.5
	job := rebuild.Job{ID: "r1", Status: rebuild.Running, Spec: rebuild.Spec{Centers: []string{"35.15"}},
		Centers: []string{"35.15"}, StartedAt: testNow, UpdatedAt: testNow,
		Findings: rebuild.Findings{Cases: 1, Clocks: 1,
			Changes: []rebuild.Change{{
				Center: "35.15", Clock: "resolve", OPD: "dishub", Before: "met", After: "breached", Due: "earlier", Count: 1,
			}},
			Policies: []rebuild.Versions{{Before: "p/1", After: "p/2", Count: 1}}}}
	get := func(id string) (rebuild.Job, error) {
		if id != "" && id != "r1" {
			return rebuild.Job{}, rebuild.ErrUnknown
		}
		return job, nil
	}
	due := func(applied bool) retention.Report {
		item := store.DueItem{
			DuePlace: store.DuePlace{Where: "calls", Kind: retention.Caller}, Cutoff: testNow, Due: 3,
			Oldest: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), Left: 3,
		}
		if applied {
			item.Left = 0
		}
		return retention.Report{At: testNow, Applied: applied, Items: []store.DueItem{item}}
	}
	return Admin{
		StartRebuild: func(_ context.Context, s rebuild.Spec) (rebuild.Job, error) {
			switch s.Since {
			case "":
				return job, nil
			case "2026-10-01":
				return job, rebuild.ErrBusy
			case "2026-10-02":
				return job, rebuild.ErrAway
			}
			return job, &rebuild.SpecError{Field: "since", Reason: "bad"}
		},
		Rebuild: get, StopRebuild: get,
		Freeze: func(_ context.Context, r freeze.Request) (freeze.Frozen, error) {
			switch r.Month {
			case "2026-10":
				return freeze.Frozen{
					Frozen:  []freeze.Kept{{Center: r.Center, Month: r.Month, Revision: 1, FrozenAt: testNow}},
					Refused: []freeze.Refused{{Center: "x", Reason: "empty"}},
				}, nil
			case "2026-11":
				return freeze.Frozen{}, &freeze.RefusedError{Reason: "not over", Conflict: true}
			}
			return freeze.Frozen{}, &freeze.RefusedError{Reason: "no month"}
		},
		SourceEvents: func(_ context.Context, q withdrawal.Query) (withdrawal.Page, error) {
			if q.Source == "" {
				return withdrawal.Page{}, &withdrawal.RefusedError{Reason: "Name a source."}
			}
			if q.After.ID != "" {
				return withdrawal.Page{}, nil
			}
			return somePage(), nil
		},
		Withdraw: func(_ context.Context, q withdrawal.Query, by string) (withdrawal.Done, error) {
			if q.Source == "busy" {
				return withdrawal.Done{}, &withdrawal.RefusedError{Reason: "an import runs", Wait: true}
			}
			return withdrawal.Done{Page: somePage(), Withdrawn: 1, Rejected: []event.Refusal{
				{Index: 1, ID: "e2", Field: event.FieldSubject, Reason: event.CaseFull},
			}}, nil
		},
		Confirm: func(_ context.Context, center, ticket, by string) (withdrawal.Confirmed, error) {
			switch ticket {
			case "gone":
				return withdrawal.Confirmed{}, withdrawal.ErrNotFound
			case "stands":
				return withdrawal.Confirmed{}, &withdrawal.RefusedError{Reason: "it has an opening that stands"}
			}
			return withdrawal.Confirmed{Center: "35.15", Ticket: ticket, Openings: 1}, nil
		},
		CountDue:  func(context.Context) (retention.Report, error) { return due(false), nil },
		DeleteDue: func(context.Context, bool) (retention.Report, error) { return due(true), nil },
		Compare: func(_ context.Context, center, month string, _ time.Time) ([]freeze.Report, error) {
			if month == "2026-09" {
				return nil, errors.Join(freeze.ErrNotFrozen)
			}
			return []freeze.Report{{Center: center, Month: "2026-10", FrozenAt: testNow.Add(time.Hour),
				Differences: []freeze.Difference{
					{Figure: "hoax", Dims: "measure=belum", Frozen: &freeze.Value{Numerator: 1, Denominator: 2, N: 2, Value: &share},
						Why: []string{"late"}}}}}, nil
		},
	}
}

func somePage() withdrawal.Page {
	call := event.Key{Center: "35.15", Kind: event.KindCall, ID: "C-1"}
	return withdrawal.Page{Next: &call, Events: []store.SourceEvent{
		{Case: call, ID: "e1", Type: "call.received", At: testNow}, {Case: call, ID: "e2", Type: "call.answered", At: testNow},
	}}
}

// What takes minutes, as on a slow machine, is not cut off when other answers would be.
func TestAnAnswerThatIsLongInTheMakingArrives(t *testing.T) {
	const limit = 20 * time.Millisecond
	w := start(t, func(c *Config) {
		c.Limits.WriteTimeout = limit
		admin := testAdmin()
		apply := admin.DeleteDue
		admin.DeleteDue = func(ctx context.Context, deadLetters bool) (retention.Report, error) {
			select {
			case <-ctx.Done():
				return retention.Report{}, ctx.Err()
			case <-time.After(10 * limit):
				return apply(ctx, deadLetters)
			}
		}
		c.Admin = admin
	})
	r, err := http.Post(w.url+"/v1/admin/retention", "application/json", strings.NewReader(`{"apply":true}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if text, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("%d, %v: %s", r.StatusCode, err, text)
	}
}

// Every answer is held against docs/openapi.yaml as well.
func TestOperatorsRequests(t *testing.T) {
	w := start(t, func(c *Config) { c.Admin = testAdmin() })
	for _, tc := range []struct {
		method, path, body string
		status             int
		holds              string
	}{
		{"POST", "/v1/admin/rebuilds", `{"centers":["35.15"],"dry_run":true}`, 202, `"before":"met"`},
		{"POST", "/v1/admin/rebuilds", `{}`, 202, `"id":"r1"`},
		{"POST", "/v1/admin/rebuilds", `{"since":"2026-10-01"}`, 409, "wait for it or stop it"},
		{"POST", "/v1/admin/rebuilds", `{"since":"2026-10-02"}`, 503, "unavailable"},
		{"POST", "/v1/admin/rebuilds", `{"since":"x"}`, 400, "since: bad"},
		{"POST", "/v1/admin/rebuilds", `{"form":"2026-10-01"}`, 400, "bad_request"},
		{"POST", "/v1/admin/rebuilds", `{`, 400, "bad_request"},
		{"GET", "/v1/admin/rebuilds/r1", "", 200, `"status":"running"`},
		{"GET", "/v1/admin/rebuilds/latest", "", 200, `"id":"r1"`},
		{"GET", "/v1/admin/rebuilds/r2", "", 404, "not_found"},
		{"GET", "/v1/admin/rebuilds/r1?x=1", "", 400, "unknown"},
		{"DELETE", "/v1/admin/rebuilds/r1", "", 200, `"id":"r1"`},
		{"DELETE", "/v1/admin/rebuilds/r2", "", 404, "not_found"},
		{"POST", "/v1/admin/freezes", `{"month":"2026-10","center":"35.15"}`, 200, `"revision":1`},
		{"POST", "/v1/admin/freezes", `{"month":"2026-11"}`, 409, "not over"},
		{"POST", "/v1/admin/freezes", `{"month":"x"}`, 400, "no month"},
		{"GET", "/v1/admin/freezes?month=2026-10&center=35.15", "", 200, `"why":["late"]`},
		{"GET", "/v1/admin/freezes?month=2026-09", "", 404, "not frozen"},
		{"GET", "/v1/admin/freezes?mon=2026-09", "", 400, "unknown"},
		{"GET", "/v1/admin/events?source=s&since=2026-10-01T00:00:00%2B07:00", "", 200, `"type":"call.received"`},
		{"GET", "/v1/admin/events?source=s&cursor=" + encodeCursor(*somePage().Next), "", 200, `{"events":[],"next":""}`},
		{"GET", "/v1/admin/events?source=s&cursor=x", "", 400, "cursor"},
		{"GET", "/v1/admin/events?source=s&since=2026-10", "", 400, "since"},
		{"GET", "/v1/admin/events", "", 400, "Name a source"},
		{"POST", "/v1/admin/withdrawals", `{"source":"s","until":"2026-11-01T00:00:00+07:00"}`, 200, `"reason":"case_full"`},
		{"POST", "/v1/admin/withdrawals", `{"source":"busy"}`, 409, "an import runs"},
		{"POST", "/v1/admin/withdrawals", `{"sources":"s"}`, 400, "bad_request"},
		{"POST", "/v1/admin/confirmations", `{"ticket":"T-1"}`, 200, `"openings":1`},
		{"POST", "/v1/admin/confirmations", `{"ticket":"gone"}`, 404, "not_found"},
		{"POST", "/v1/admin/confirmations", `{"ticket":"stands"}`, 400, "an opening that stands"},
		{"POST", "/v1/admin/retention", `{}`, 200, `"applied":false`},
		{"POST", "/v1/admin/retention", `{"apply":true}`, 200, `"due":3,"oldest":"2025-01-01T00:00:00Z","left":0`},
		{"POST", "/v1/admin/retention", `{"aply":true}`, 400, "bad_request"},
	} {
		r := w.do(tc.method, tc.path, tc.body, "Content-Type", "application/json")
		if r.StatusCode != tc.status || !strings.Contains(string(r.body), tc.holds) {
			t.Errorf("%s %s %s: %d %s, want %d and %q", tc.method, tc.path, tc.body, r.StatusCode, r.body, tc.status, tc.holds)
		}
	}
	if r := w.do("POST", "/v1/admin/freezes", "{}", "Content-Type",
		"text/plain"); r.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain answers %d", r.StatusCode)
	}
	if r := w.do("POST", "/v1/admin/freezes", "{}", "Content-Type", "application/json", "Origin",
		"http://evil.example"); r.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page is answered %d", r.StatusCode)
	}
}

func TestOperatorsNeedTheirScopeAndTheirCentre(t *testing.T) {
	w := start(t, func(c *Config) { c.Admin = testAdmin() })
	reader := w.key(auth.Key{Name: "reader", Scopes: []auth.Scope{auth.BoardRead}})
	bound := w.key(auth.Key{Name: "bound", Scopes: []auth.Scope{auth.Admin}, Center: "35.15"})
	other := w.key(auth.Key{Name: "other", Scopes: []auth.Scope{auth.Admin}, Center: "35.78"})
	sourced := w.key(auth.Key{Name: "sourced", Scopes: []auth.Scope{auth.Admin, auth.EventsWrite}, Source: "own"})
	for _, tc := range []struct {
		key, method, path, body string
		status                  int
	}{
		{"", "POST", "/v1/admin/rebuilds", "{}", 401},
		{reader, "POST", "/v1/admin/rebuilds", "{}", 403},
		{reader, "GET", "/v1/admin/freezes", "", 403},
		{bound, "POST", "/v1/admin/rebuilds", "{}", 202},
		{bound, "POST", "/v1/admin/rebuilds", `{"centers":["35.78"]}`, 403},
		{bound, "POST", "/v1/admin/freezes", `{"month":"2026-10"}`, 200},
		{bound, "POST", "/v1/admin/retention", `{}`, 403},
		{reader, "POST", "/v1/admin/retention", `{}`, 403},
		{bound, "POST", "/v1/admin/freezes", `{"month":"2026-10","center":"35.78"}`, 403},
		{bound, "GET", "/v1/admin/events?source=s&center=35.78", "", 403},
		{bound, "POST", "/v1/admin/withdrawals", `{"source":"s"}`, 200},
		{bound, "POST", "/v1/admin/withdrawals", `{"source":"s","center":"35.78"}`, 403},
		{bound, "POST", "/v1/admin/confirmations", `{"ticket":"T-1","center":"35.78"}`, 403},
		{sourced, "POST", "/v1/admin/withdrawals", `{"source":"s"}`, 403},
		{sourced, "POST", "/v1/admin/withdrawals", `{"source":"own"}`, 200},
		{bound, "GET", "/v1/admin/rebuilds/r1", "", 200},
		{other, "GET", "/v1/admin/rebuilds/r1", "", 404},
		{other, "DELETE", "/v1/admin/rebuilds/latest", "", 404},
		{other, "GET", "/v1/admin/freezes?center=35.15", "", 403},
	} {
		headers := []string{"Content-Type", "application/json"}
		if tc.key != "" {
			headers = append(headers, "Authorization", "Bearer "+tc.key)
		}
		if r := w.do(tc.method, tc.path, tc.body, headers...); r.StatusCode != tc.status {
			t.Errorf("%s %s %s: %d %s, want %d", tc.method, tc.path, tc.body, r.StatusCode, r.body, tc.status)
		}
	}
}

// What an operator changes is written down with the name of the key.
func TestWhatIsTakenBackIsRecordedWithTheKeysName(t *testing.T) {
	var record []audit.Entry
	w := start(t, func(c *Config) {
		c.Admin, c.Hooks.Read = testAdmin(), func(e audit.Entry) { record = append(record, e) }
	})
	key := "Bearer " + w.key(auth.Key{Name: "sekretaris", Scopes: []auth.Scope{auth.Admin}})
	for path, body := range map[string]string{
		"/v1/admin/withdrawals": `{"source":"s"}`, "/v1/admin/confirmations": `{"ticket":"T-1"}`,
	} {
		record = nil
		r := w.do("POST", path, body, "Content-Type", "application/json", "Authorization", key)
		if r.StatusCode != 200 || len(record) != 1 || record[0].Name != "sekretaris" ||
			!strings.HasPrefix(record[0].Who, "key:") || record[0].Action == audit.Read || record[0].Cases+len(record[0].ID) == 0 {
			t.Errorf("%s: %d, %+v", path, r.StatusCode, record)
		}
	}
}
