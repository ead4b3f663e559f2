package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/monev/rtl"
)

type emptyOffice struct{}

func (emptyOffice) LedgerAsOf(_ context.Context, center string, _ time.Time) (rtl.Ledger, error) {
	return rtl.Ledger{Recommendations: []rtl.Recommendation{
		{Center: center, ID: "R-2", Text: "nanti", Status: "usulan", Due: "2027-01-01"},
		{Center: center, ID: "R-1", Text: "lewat", Status: "berjalan", Due: "2020-01-01"},
	}}, nil
}

func (emptyOffice) Measure(context.Context, *rtl.Recommendation, string, time.Time) (rtl.Effect, error) {
	return rtl.Effect{Verdict: rtl.NotYet}, nil
}

func (emptyOffice) Today(center string, now time.Time) (of, today string) {
	return center, now.Format(time.DateOnly)
}

func TestOverdueRecommendationsComeFirst(t *testing.T) {
	w := start(t, func(c *Config) { c.Office = emptyOffice{} })
	r := w.get("/v1/office?center=35.15")
	var got officeAnswer
	if err := json.Unmarshal(r.body, &got); err != nil || r.StatusCode != 200 {
		t.Fatal(r.StatusCode, err)
	}
	if len(got.Recommendations) != 2 || got.Recommendations[0].ID != "R-1" || !got.Recommendations[0].Overdue ||
		got.Recommendations[1].Overdue || got.Recommendations[0].Says != "Belum diukur." || got.Remarks == nil {
		t.Errorf("%+v", got)
	}
}

// oldOffice has 25 completed recommendations, each completed a day after the one before.
type oldOffice struct {
	emptyOffice
	measured *[]string
}

func (o oldOffice) LedgerAsOf(context.Context, string, time.Time) (l rtl.Ledger, err error) {
	for day := range 25 {
		l.Recommendations = append(l.Recommendations, rtl.Recommendation{ID: fmt.Sprint("R-", day), Status: event.RTLSelesai,
			Completed: fmt.Sprintf("2026-10-%02d", day+1)})
	}
	return l, nil
}

func (o oldOffice) Measure(_ context.Context, r *rtl.Recommendation, _ string, _ time.Time) (rtl.Effect, error) {
	*o.measured = append(*o.measured, r.ID)
	return rtl.Effect{Verdict: rtl.NotYet}, nil
}

func TestOnlyTheLatestCompletedAreMeasured(t *testing.T) {
	var measured []string
	w := start(t, func(c *Config) { c.Office = oldOffice{measured: &measured} })
	r := w.get("/v1/office?center=35.15")
	var got officeAnswer
	if err := json.Unmarshal(r.body, &got); err != nil || r.StatusCode != 200 {
		t.Fatal(r.StatusCode, err)
	}
	if len(got.Recommendations) != 25 || len(measured) != 20 || measured[0] != "R-24" || measured[19] != "R-5" ||
		got.Recommendations[19].Says != "Belum diukur." || got.Recommendations[20].Says != notMeasured {
		t.Errorf("%q %+v", measured, got)
	}
}
