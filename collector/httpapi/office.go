package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/monev112/monev112/collector/monev/rtl"
)

// Office reads what the office writes for its monev meeting; *rtl.Book is one.
type Office interface {
	LedgerAsOf(ctx context.Context, center string, asOf time.Time) (rtl.Ledger, error)
	Measure(ctx context.Context, r *rtl.Recommendation, until string, asOf time.Time) (rtl.Effect, error)
	Today(center string, now time.Time) (of, today string)
}

type officeAnswer struct {
	Center          string               `json:"center"`
	Today           string               `json:"today"` // in the centre's time zone
	Recommendations []recommendationView `json:"recommendations"`
	Remarks         []rtl.Remark         `json:"remarks"`
	Forms           []rtl.Form           `json:"forms"`
}

// recommendationView is a recommendation with what was measured of it.
type recommendationView struct {
	rtl.Recommendation
	Overdue bool       `json:"overdue"`
	Effect  rtl.Effect `json:"effect"`
	Says    string     `json:"effect_sentence"` // in Indonesian
}

// notMeasured is said of a completed recommendation that is not among the rtl.MaxMeasured latest.
const notMeasured = "Tidak diukur dalam daftar ini: hanya 20 yang selesai terakhir diukur; lihat halaman rekomendasi " +
	"ini."

// getOffice answers what the office of a centre wrote: recommendations as they are listed, overdue ones first, with
// the measured effect of those completed last until yesterday's end.
func (a *API) getOffice(c *gin.Context) (any, error) {
	q := a.query(c, "center", "as_of")
	if a.cfg.Office == nil {
		q.keep(newProblem(http.StatusNotFound, codeNotFound, "This service keeps no recommendations."))
	}
	center, asOf := q.center(), q.asOf()
	if q.err != nil {
		return nil, q.err
	}
	if !asOf.IsZero() {
		q.now = asOf
	}
	ctx := c.Request.Context()
	center, today := a.cfg.Office.Today(center, q.now)
	ledger, err := a.cfg.Office.LedgerAsOf(ctx, center, asOf)
	if err != nil {
		return nil, err
	}
	out := officeAnswer{
		Center: center, Today: today, Recommendations: []recommendationView{},
		Remarks: append([]rtl.Remark{}, ledger.Remarks...), Forms: append([]rtl.Form{}, ledger.Forms...),
	}
	measured := 0
	for _, r := range rtl.Listed(ledger.Recommendations, today) { // those completed last before others that are completed
		effect := rtl.Effect{Indicator: r.Indicator, Verdict: rtl.NotYet}
		says := notMeasured
		if r.Completed == "" || measured < rtl.MaxMeasured {
			if effect, err = a.cfg.Office.Measure(ctx, &r, today, asOf); err != nil {
				return nil, err
			}
			says = effect.Sentence()
		}
		if r.Completed != "" {
			measured++
		}
		out.Recommendations = append(out.Recommendations, recommendationView{r, r.Overdue(today), effect, says})
	}
	return out, nil
}
