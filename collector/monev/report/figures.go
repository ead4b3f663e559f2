package report

import (
	"fmt"
	"math"

	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/monev/chart"
	"github.com/monev112/monev112/collector/monev/document"
)

// shares is how charts write shares.
var shares = chart.Unit{Percent: true, Decimals: 1}

// value is a share for a chart: NaN where it is absent.
func (f *Figure) value() float64 {
	if f == nil || f.Value == nil {
		return math.NaN()
	}
	return *f.Value
}

// picture adds a figure; a table with a plot stands for it in a workbook when it is named.
func (w *writer) picture(id, caption, table string, p document.Picture) {
	w.add(document.Figure{ID: id, Caption: caption, Table: table, Picture: p})
}

// goal is the target of an indicator that has one, as charts draw it.
func (i *Indicator) goal() chart.Target {
	return chart.Target{Value: *i.Target, Label: "sasaran " + indonesian.Decimal(*i.Target*100, 0) + " %"}
}

// trendNeeds is from how many months on a line is drawn.
const trendNeeds = 3

// trendFigures draws the indicators of thirteen months, those that have enough of them.
func (w *writer) trendFigures() {
	for i := range w.Indicators {
		in := &w.Indicators[i]
		t := chart.Trend{
			Title: indicatorNames[in.ID], Unit: shares, Line: "realisasi", Band: "selang 95 %", Target: chart.NoTarget,
		}
		if in.Target != nil {
			t.Target = in.goal()
		}
		known, n := 0, 0.0
		for m := w.first().AddDate(0, -12, 0); !m.After(w.first()); m = m.AddDate(0, 1, 0) {
			p := chart.Point{Label: indonesian.Months[m.Month()-1][:3] + m.Format(" 06"), Value: math.NaN(), Low: math.NaN(),
				High: math.NaN()}
			if f := w.trend(m.Format(monthLayout), in.ID); f != nil {
				p.Value, p.N = f.value(), uint64(f.Denominator)
				n += f.Denominator
				if f.Value != nil {
					p.Low, p.High = wilson(f.Numerator, f.Denominator)
					known++
				}
			}
			t.Points = append(t.Points, p)
		}
		for len(t.Points) > 0 && math.IsNaN(t.Points[0].Value) { // months before the first that is known
			t.Points = t.Points[1:]
		}
		if known < trendNeeds {
			continue
		}
		on := chart.NewBasis(fmt.Sprintf("%s sampai %s", t.Points[0].Label, t.Points[len(t.Points)-1].Label), uint64(n),
			"kasus")
		w.picture("g-tren-"+in.ID, indicatorNames[in.ID]+" menurut bulan.", "t-tren", chart.DrawTrend(on, t))
	}
}

func (w *writer) funnelFigure(received *Figure) {
	f := chart.Funnel{Title: "Ke mana panggilan pergi", Of: "panggilan masuk", Total: uint64(received.Denominator)}
	for _, stage := range stageOrder {
		if s := w.figure("funnel", "stage="+stage); s != nil {
			f.Stages = append(f.Stages, chart.Stage{Name: stageNames[stage], N: uint64(s.Numerator)})
		}
	}
	on := chart.NewBasis(w.period(), uint64(received.Denominator), "panggilan")
	w.picture("g-corong", "Corong panggilan, "+w.period()+".", "t-corong", chart.DrawFunnel(on, f))
}

func (w *writer) heatFigure() {
	h := chart.Heat{
		Title: "Kapan telepon berdering", Note: "jumlah menurut jam dan hari", Unit: chart.Unit{Name: "panggilan"},
	}
	n := 0.0
	for hour := range 24 {
		for d := range h.Cells {
			h.Cells[d][hour] = math.NaN()
			if f := w.figure("calls_hour", fmt.Sprintf("hour=%02d,weekday=%d", hour, d+1)); f != nil {
				h.Cells[d][hour] = f.Numerator
				n += f.Numerator
			}
		}
	}
	on := chart.NewBasis(w.period(), uint64(n), "panggilan")
	w.picture("g-jam", "Panggilan menurut jam dan hari, "+w.period()+".", "t-jam", chart.DrawHeat(on, h))
}

// departmentFigure draws the share of tickets resolved in time, OPDs without a due clock last.
func (w *writer) departmentFigure(opds []string) {
	b := chart.Bars{
		Title: "Selesai tepat waktu menurut perangkat daerah", Unit: shares, Counts: true, Target: chart.NoTarget,
		Note: "garis hitam: selang 95 %; OPD yang selangnya bertindihan tidak dibedakan",
	}
	for _, in := range w.Indicators {
		if in.ID == Resolve && in.Target != nil {
			b.Target = in.goal()
		}
	}
	var without []chart.Bar
	n := 0.0
	for _, opd := range opds {
		r := chart.Bar{Name: w.opdName(opd), Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
		clock := clockDims("resolve", opd, "own")
		f := w.figure("on_time", clock)
		if math.IsNaN(f.value()) || f.Denominator == 0 {
			r.Missing = "belum ada batas yang putus"
			if u := w.figure("unobserved", clock); u != nil && u.Numerator > 0 {
				r.Missing = document.NotRecorded
			}
			without = append(without, r)
			continue
		}
		r.Value, r.Numerator, r.Denominator = *f.Value, uint64(f.Numerator), uint64(f.Denominator)
		r.Low, r.High = wilson(f.Numerator, f.Denominator)
		n += f.Denominator
		b.Rows = append(b.Rows, r)
	}
	b.Rows = append(b.Rows, without...)
	on := chart.NewBasis(w.period(), uint64(n), "tiket yang batasnya putus")
	w.picture("g-opd", "Selesai tepat waktu, selang 95 %, "+w.period()+".", "", chart.DrawBars(on, b))
}

func (w *writer) areaFigure(list []*Figure) {
	m := chart.Map{Title: "Tiket menurut kecamatan", Unit: chart.Unit{Name: "tiket"}}
	if len(w.Borders) > 0 {
		m.Borders, _ = chart.ReadBorders(w.Borders, w.Settings.bordersCode()) // was read before; else tiles
	}
	n := 0.0 // of the areas that are shown
	byCode := map[string]*Figure{}
	for _, f := range list {
		byCode[f.dim("kecamatan")] = f
	}
	for _, k := range w.Kecamatan {
		a := chart.Area{Code: k.ID, Name: k.Name, Value: math.NaN(), Missing: "tidak ditampilkan"}
		if f := byCode[k.ID]; f != nil {
			n += f.Numerator
			a.Value, a.N = f.Numerator, uint64(f.Numerator)
		}
		m.Areas = append(m.Areas, a)
	}
	on := chart.NewBasis(w.period(), uint64(n), "tiket")
	w.picture("g-wilayah", "Tiket menurut kecamatan, "+w.period()+".", "", chart.DrawMap(on, m))
}

// causeTitle names the indicator or the clock that a set of causes is about.
func causeTitle(id string) string {
	if name := indicatorNames[id]; name != "" {
		return name
	}
	if name := clockNames[id]; name != "" {
		return "Batas waktu: " + name
	}
	return id
}

// causeFigure shows that the causes add up to the failing cases; a single one needs no picture.
func (w *writer) causeFigure(i int, set CauseSet) {
	if len(set.Causes) < 2 {
		return
	}
	title := causeTitle(set.Indicator)
	f := chart.Funnel{Title: "Sebab kegagalan: " + title, Of: "kasus gagal", Total: set.Failing}
	for _, c := range set.Causes {
		f.Stages = append(f.Stages, chart.Stage{Name: c.Name, N: c.N})
	}
	on := chart.NewBasis(w.period(), set.Failing, "kasus gagal")
	w.picture(fmt.Sprintf("g-kendala-%d", i+1), "Sebab kasus yang gagal, "+w.period()+".",
		fmt.Sprintf("t-kendala-%d", i+1),
		chart.DrawFunnel(on, f))
}
