package httpapi

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/monev/rtl"
)

type emptyOffice struct{}

func (emptyOffice) Ledger(_ context.Context, center string) (rtl.Ledger, error) {
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
