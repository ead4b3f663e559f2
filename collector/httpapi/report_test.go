package httpapi

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/store"
)

// testReports has one frozen month, 2026-10, of which an edition was handed out, and a draft of 2026-11.
type testReports struct{}

func (testReports) Report(_ context.Context, q report.Request) (*report.Result, error) {
	switch q.Month {
	case "2026-12":
		return nil, &report.RefusedError{Reason: "has not begun", Conflict: true}
	case "2026-08":
		return nil, &report.BusyError{Reason: "4 reports are being made"}
	case "2026-09":
		if q.Kept != nil && q.Polls {
			q.Kept(&report.Edition{Report: &report.Report{Center: "35.15", Month: q.Month}})
		}
		return nil, &report.MakingError{Center: "35.15", Month: q.Month}
	case "x":
		return nil, &report.RefusedError{Reason: "no month"}
	}
	value := 0.5
	frozen := &report.Frozen{Revision: 1, At: testNow, DefinitionVersion: "2", Details: true}
	if q.Month == "2026-11" {
		frozen = nil
	}
	r := report.Model(report.Facts{
		Center: "35.15", CenterName: "Sidoarjo", Zone: "Asia/Jakarta", Month: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		Now: testNow, Frozen: frozen, AnswerTarget: 15, DefinitionVersion: "2",
		Figures: []store.Figure{{Name: "hoax", Dims: "measure=rasio_hoaks", Numerator: 1, Denominator: 2, N: 2, Value: &value}},
	}, report.Settings{}, nil)
	out := &report.Result{Report: r.ForOPD(q.OPD), OPD: q.OPD}
	if frozen != nil {
		out.Edition = &report.Edition{Number: 1, MadeAt: testNow, By: "board", Report: r}
	}
	return out, nil
}

func (testReports) File(a *report.Result, format string) ([]byte, error) {
	if format != "json" {
		return []byte(format), nil
	}
	return report.Write(a.Report, a.OPD, format)
}

func (testReports) Changed(_ context.Context, center, month string) (*freeze.Report, error) {
	if month != "2026-10" {
		return nil, nil
	}
	list, err := testAdmin().Compare(context.Background(), center, month, time.Time{})
	list[0].FrozenPolicies, list[0].PresentPolicies = []string{}, []string{}
	return &list[0], err
}

func (testReports) Months(context.Context, string) ([]report.Month, error) {
	return []report.Month{{Center: "35.15", Month: "2026-10", Calls: 4295, Frozen: true, Editions: []report.Summary{{
		Center: "35.15", Month: "2026-10", Edition: 1, MadeAt: testNow, By: "board", Revision: 1, Checksum: "a",
	}}}}, nil
}

func TestReports(t *testing.T) {
	var record []audit.Entry
	w := start(t, func(c *Config) {
		c.Reports, c.Hooks.Read = testReports{}, func(e audit.Entry) { record = append(record, e) }
	})
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/v1/report?month=2026-10":                       {200, `"checksum"`},
		"/v1/report?month=2026-10&format=html":           {200, "html"},
		"/v1/report?month=2026-10&format=pdf":            {400, "html, xlsx, docx or json"},
		"/v1/report?month=2026-10&edition=0":             {400, "from 1"},
		"/v1/report?month=2026-10&fresh=1":               {400, "fresh"},
		"/v1/report?month=2026-10&edition=1&draft=true":  {400, "no draft"},
		"/v1/report?month=2026-10&months=2026-11":        {400, "unknown"},
		"/v1/report?month=2026-12":                       {409, "has not begun"},
		"/v1/report?month=2026-09":                       {202, "is being made: ask again in 5 seconds"},
		"/v1/report?month=2026-08":                       {503, "4 reports are being made"},
		"/v1/report?month=x":                             {400, "no month"},
		"/v1/report/changes?month=2026-10":               {200, `"why":["late"]`},
		"/v1/report/changes?month=2026-09":               {200, `"changes":null`},
		"/v1/reports":                                    {200, `"calls":4295`},
		"/v1/report?month=2026-10&opd=dishub&draft=true": {200, `"figures"`},
	} {
		r := w.get(path)
		if r.StatusCode != want.status || !strings.Contains(string(r.body), want.text) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
	if got := w.get("/v1/report?month=2026-10&format=html").Header.Get("Content-Disposition"); got !=
		`attachment; filename="laporan-112-35.15-2026-10.html"` {
		t.Error(got)
	}
	if got := w.get("/v1/report?month=2026-09").Header.Get("Retry-After"); got != "5" {
		t.Error(got)
	}
	if got := w.get("/v1/report?month=2026-08").Header.Get("Retry-After"); got != "5" {
		t.Error(got)
	}
	for body, want := range map[string]int{
		`{"month":"2026-09","again":true}`: 202,
		`{"month":"2026-10","again":true}`: 200, `{"month":"2026-11"}`: 409, `{"month":"2026-10","draft":true}`: 400,
		`{"month":"2026-10","edition":2}`: 400, `{"month":"2026-12"}`: 409,
	} {
		if r := w.do("POST", "/v1/report", body, "Content-Type", "application/json"); r.StatusCode != want {
			t.Errorf("%s: %d %s", body, r.StatusCode, r.body)
		}
	}
	record = slices.DeleteFunc(record, func(e audit.Entry) bool { return e.Action == audit.Read })
	if len(record) != 1 || record[0].Action != audit.HandOut || record[0].Who != "nobody" || record[0].ID != "2026-09" {
		t.Errorf("what was handed out after the answer is not recorded: %+v", record)
	}
}
