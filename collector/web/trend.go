package web

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/chart"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
)

// trendMonths is how many months a trend shows, the present one included.
const trendMonths = 13

// trendView is one clock over the months: its chart, and the same numbers as a table, the latest month first.
type trendView struct {
	Name  string
	Chart template.HTML
	Rows  []trendRow
}

type trendRow struct{ Month, Share, Interval, Of string }

// trends shows what share of the clocks that began in each month was in time. unsure says that the database does not
// answer.
func (p *Pages) trends(ctx context.Context, v *visit) (out []trendView, unsure bool) {
	if !p.mayAsk() {
		return nil, true
	}
	defer p.asked()
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	y, m, _ := v.now.In(v.zone).Date()
	last := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	months, err := p.cfg.OnTime(ctx, v.target.center, v.target.opd, last.AddDate(0, 1-trendMonths, 0),
		last.AddDate(0, 1, 0))
	if err != nil {
		p.cfg.Log.Warn("the trend of an OPD cannot be read", "error", err)
		return nil, true
	}
	for _, clock := range sla.Names() {
		of := slices.DeleteFunc(slices.Clone(months), func(m store.OPDMonth) bool { return m.Clock != clock })
		if len(of) > 0 {
			out = append(out, trendOf(clock, of, last))
		}
	}
	return out, false
}

// trendOf draws the months of one clock, from the first that is known to the last.
func trendOf(clock string, months []store.OPDMonth, last time.Time) trendView {
	out := trendView{Name: clockName(clock)}
	t := chart.Trend{
		Title: clockName(clock) + " tepat waktu", Unit: chart.Unit{Percent: true, Decimals: 1}, Line: "tepat waktu",
		Band: "selang 95 %", Target: chart.NoTarget, Gap: "tidak tercatat",
	}
	var n uint64
	for month := months[0].Month; !month.After(last); month = month.AddDate(0, 1, 0) {
		point := chart.Point{
			Label: indonesian.Months[month.Month()-1][:3] + month.Format(" 06"), Value: math.NaN(), Low: math.NaN(),
			High: math.NaN(),
		}
		row := trendRow{
			Month: indonesian.Months[month.Month()-1][:3] + month.Format(" 2006"), Share: "–", Of: "tidak ada batas yang putus",
		}
		if i := slices.IndexFunc(months, func(m store.OPDMonth) bool { return m.Month.Equal(month) }); i >= 0 {
			switch m := &months[i]; {
			case m.Denominator > 0:
				in := share.Share{K: m.Numerator, N: m.Denominator}
				point.Value, point.N = in.Value(), in.N
				point.Low, point.High = in.Wilson()
				row.Share, row.Interval = percent(in.Value()), percent(point.Low)+" sampai "+percent(point.High)
				row.Of = fmt.Sprintf("%s dari %s", indonesian.Number(int64(in.K)), indonesian.Number(int64(in.N)))
				if in.Few() {
					row.Of += "; data terbatas"
				}
				n += in.N
			case m.Unobserved > 0:
				row.Share, row.Of = "tidak tercatat", indonesian.Number(int64(m.Unobserved))+" tiket"
			}
		}
		t.Points, out.Rows = append(t.Points, point), append(out.Rows, row)
	}
	slices.Reverse(out.Rows)
	on := chart.NewBasis(fmt.Sprintf("%s sampai %s", t.Points[0].Label, t.Points[len(t.Points)-1].Label), n,
		"batas waktu yang putus")
	out.Chart = template.HTML(chart.DrawTrend(on, t).SVG("tren-" + clock))
	return out
}
