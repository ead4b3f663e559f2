package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/monev112/monev112/collector/monev/document"
)

const square = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kode":"35.15.01"},"geometry":` +
	`{"type":"Polygon","coordinates":[[[112.5,-7.4],[112.6,-7.4],[112.6,-7.3],[112.5,-7.3],[112.5,-7.4]]]}}]}`

// october has a month of every figure that is drawn.
func october(borders []byte) *Report {
	v := 0.8
	f := func(name, dims string, k, d float64) Figure { return Figure{name, dims, k, d, uint64(d), &v} }
	r := &Report{
		Month: "2023-10", Borders: borders, Settings: Settings{}.withDefaults(), AnswerTarget: 15,
		Kecamatan: []Named{{ID: "35.15.01", Name: "Tarik"}}, OPDs: []Named{{ID: "dishub", Name: "Dinas Perhubungan"}},
		Figures: []Figure{
			f("funnel", "stage=hoax", 8, 10), f("funnel", "stage=none", 2, 10), f("calls_hour", "hour=07,weekday=1", 10, 10),
			f("on_time", "clock=resolve,opd=dishub,scope=own", 8, 10), f("tickets_kecamatan", "kecamatan=35.15.01", 8, 10),
		},
		Indicators: []Indicator{{ID: Answer, Value: &v, Numerator: 8, N: 10, Verdict: NoTarget}},
	}
	for m := range 4 {
		month := fmt.Sprintf("2023-%02d", 7+m)
		r.Trend = append(r.Trend, MonthFigure{month, false, f(indicatorFigure, indicatorDims(Answer), 8, 10)})
	}
	r.Causes = []CauseSet{
		{Indicator: Answer, Failing: 2, Causes: []Cause{{Code: "dering", Name: "berdering", N: 1}, {Code: "lain", Name: "tidak terjelaskan", N: 1}}},
		{Indicator: "confirm", Failing: 1, Causes: []Cause{{Code: "data", Name: "data", N: 1}}},
	}
	return r
}

func TestAReportIsDrawn(t *testing.T) {
	d := october(nil).Document("")
	if _, err := d.Number(); err != nil {
		t.Fatal(err)
	}
	got := map[string]document.Figure{}
	for _, b := range d.Blocks {
		if f, ok := b.(document.Figure); ok {
			got[f.ID] = f
		}
	}
	for _, id := range []string{"g-tren-answer", "g-corong", "g-jam", "g-opd", "g-wilayah", "g-kendala-1"} {
		f, ok := got[id]
		if !ok {
			t.Errorf("no %s", id)
			continue
		}
		if svg := f.Picture.SVG(id); !strings.Contains(svg, " · n = ") {
			t.Errorf("%s without period and n: %s", id, svg)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d figures: one cause needs none", len(got))
	}
}

func TestTheMapHasBordersWhereThereAreSome(t *testing.T) {
	for borders, tiles := range map[string]bool{"": true, square: false, `{}`: true} {
		for _, b := range october([]byte(borders)).Document("").Blocks {
			if f, ok := b.(document.Figure); ok && f.ID == "g-wilayah" && strings.Contains(f.Picture.SVG("m"), "bukan peta") != tiles {
				t.Errorf("%q", borders)
			}
		}
	}
	if p := october([]byte(square)).ForOPD("dishub"); p.Borders != nil {
		t.Error("an OPD gets the borders")
	}
}

func TestBordersThatCannotBeDrawnAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kecamatan.geojson")
	s := Settings{Borders: path}
	for text, want := range map[string]string{
		square: "", `{`: "borders: GeoJSON", strings.Replace(square, "kode", "id", 1): `property "kode"`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.CheckFiles(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
