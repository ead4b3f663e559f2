package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

var (
	update   = flag.Bool("update", false, "write the golden SVGs anew")
	pictures = flag.String("pictures", "", "write every picture as PNG into this folder")

	october = NewBasis("Oktober 2023", 4295, "panggilan")
	nan     = math.NaN()
	percent = Unit{Percent: true, Decimals: 1}
	seconds = Unit{Name: "detik", Decimals: 1}
)

const long = "Dinas Perumahan, Permukiman, Cipta Karya dan Tata Ruang Kabupaten Sidoarjo (PJU)"

func days() Trend {
	t := Trend{
		Title: "Waktu jawab per hari", Note: "garis: median; pita: median sampai 9 dari 10 panggilan", Unit: seconds,
		Line: "median", Band: "9 dari 10", Target: Target{15, "target 15 detik"}, Gap: "data belum masuk",
	}
	for i := range 31 {
		v := 5 + 2*math.Sin(float64(i))
		q := Point{Label: fmt.Sprint(i + 1), Value: v, Low: v, High: v + 7, N: 130}
		if i == 17 {
			q.High = 68
		}
		if i == 23 || i == 24 {
			q = Point{Label: q.Label, Value: nan, Low: nan, High: nan}
		}
		t.Points = append(t.Points, q)
	}
	return t
}

func months() Trend {
	t := Trend{
		Title: "Tingkat layanan", Unit: percent, Line: "dijawab ≤ 15 detik", Band: "selang 95 %",
		Target: Target{0.9, "target 90 %"},
	}
	for i, m := range []string{
		"Nov 2022", "Des 2022", "Jan 2023", "Feb 2023", "Mar 2023", "Apr 2023", "Mei 2023", "Jun 2023",
	} {
		v := 0.82 + 0.02*float64(i%5)
		t.Points = append(t.Points, Point{m, v, v - 0.02, v + 0.02, 4000})
	}
	return t
}

func departments(n int) Bars {
	b := Bars{
		Title: "Tiket tepat waktu per perangkat daerah", Note: "garis hitam: selang 95 %", Unit: percent, Counts: true,
		Target: Target{0.9, "target 90 %"},
	}
	names := []string{"Damkar", "Dinkes / PSC 119", "BPBD", long, "Satpol PP", "Dinas Perhubungan", "Dinas Sosial"}
	for i := range n {
		r := Bar{Name: names[i%len(names)], Denominator: uint64(150 / (i%12 + 1)), Value: 0.95 - 0.01*float64(i%50)}
		if i >= len(names) {
			r.Name += fmt.Sprint(" ", i+1)
		}
		r.Numerator = uint64(r.Value * float64(r.Denominator))
		r.Low, r.High = max(0, r.Value-0.4/math.Sqrt(float64(r.Denominator))),
			min(1, r.Value+0.2/math.Sqrt(float64(r.Denominator)))
		if i%9 == 5 {
			r.Value, r.Low, r.High = nan, nan, nan
		}
		b.Rows = append(b.Rows, r)
	}
	return b
}

func effects() Bars {
	return Bars{
		Title: "Perubahan tingkat layanan menurut sif", Note: "poin persen terhadap September 2023", Target: NoTarget,
		Unit: Unit{Name: "poin", Decimals: 1},
		Rows: []Bar{
			{Name: "pagi", Value: 1.2, Low: 0.4, High: 2, Denominator: 1800},
			{Name: "sore", Value: -3.4, Low: -5, High: -1.8, Denominator: 1500},
			{Name: "malam", Value: -0.2, Low: nan, High: nan, Denominator: 12},
		},
	}
}

func funnel() Funnel {
	return Funnel{
		Title: "Ke mana panggilan pergi", Of: "panggilan masuk", Total: 4295,
		Stages: []Stage{
			{"Hoaks", 3466}, {"Tiket di OPD kabupaten", 139}, {"Tiket di instansi vertikal", 31},
			{"Ditangani pusat panggilan", 4},
			{"Terklasifikasi, tanpa tiket", 402}, {"Belum diklasifikasi", 61}, {"Tidak terjawab", 192},
		},
	}
}

func hours() Heat {
	h := Heat{
		Title: "Kapan telepon berdering", Note: "rata-rata per jam, WIB", Unit: Unit{Name: "panggilan per jam", Decimals: 1},
	}
	for d := range h.Cells {
		for hour := range h.Cells[d] {
			h.Cells[d][hour] = 8 + 7*math.Sin(float64(hour-8)/24*2*math.Pi) + float64(d)/4
		}
	}
	h.Cells[2][3] = nan
	return h
}

func kecamatan(borders bool) Map {
	m := Map{
		Title: "Tiket per 10.000 penduduk menurut kecamatan", Unit: Unit{Name: "tiket per 10.000 penduduk", Decimals: 1},
	}
	names := strings.Fields("Tarik Prambon Krembung Porong Jabon Tanggulangin Candi Tulangan Wonoayu Sukodono Sidoarjo " +
		"Buduran Sedati Waru Gedangan Taman Krian Balongbendo")
	for i, name := range names {
		a := Area{Code: fmt.Sprintf("35.15.%02d", i+1), Name: name, Value: float64(i%7) / 2.1, N: uint64(i * 3)}
		if i == 13 {
			a.Value, a.Missing = nan, "kurang dari 5"
		}
		m.Areas = append(m.Areas, a)
	}
	if borders {
		b, err := ReadBorders(squares(len(names)), "kode")
		if err != nil {
			panic(err)
		}
		m.Borders = b
	}
	return m
}

// squares are crooked areas side by side; the first has a hole, turned the wrong way, the second has two parts.
func squares(n int) []byte {
	var fs []string
	for i := range n {
		x, y := 112.5+0.05*float64(i%6), -7.3-0.06*float64(i/6)
		ring := func(x, y, s float64) string {
			return fmt.Sprintf("[[%g,%g],[%g,%g],[%g,%g],[%g,%g],[%g,%g]]", x, y, x+s*0.04, y, x+s*0.05, y+s*0.05, x, y+s*0.06,
				x, y)
		}
		kind, c := "Polygon", "["+ring(x, y, 1)+"]"
		switch i {
		case 0:
			c = "[" + ring(x, y, 1) + "," + ring(x+0.01, y+0.01, 0.2) + "]"
		case 1:
			kind, c = "MultiPolygon", "[["+ring(x, y, 0.6)+"],["+ring(x+0.03, y+0.03, 0.3)+"]]"
		}
		fs = append(fs, fmt.Sprintf(
			`{"type":"Feature","properties":{"kode":"3515%02d"},"geometry":{"type":%q,"coordinates":%s}}`, i+1, kind, c))
	}
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(fs, ",") + `]}`)
}

// gallery is every chart with what it may meet: nothing, one, all zero, sixty, long names.
func gallery() map[string]*Picture {
	zero := departments(3)
	for i := range zero.Rows {
		zero.Rows[i] = Bar{Name: zero.Rows[i].Name, Low: nan, High: nan, Denominator: uint64(i * 30)}
	}
	one := months()
	one.Points = one.Points[:1]
	flat := days()
	flat.Target = NoTarget
	for i := range flat.Points {
		flat.Points[i] = Point{Label: flat.Points[i].Label}
	}
	open := funnel()
	open.Stages = open.Stages[:6]
	return map[string]*Picture{
		"trend": DrawTrend(october, days()), "trend-share": DrawTrend(october, months()),
		"trend-one":  DrawTrend(october, one),
		"trend-zero": DrawTrend(october, flat), "trend-none": DrawTrend(Basis{}, Trend{Title: "Kosong"}),
		"bars": DrawBars(october, departments(12)), "bars-60": DrawBars(october, departments(60)),
		"bars-70":      DrawBars(october, departments(70)),
		"bars-effects": DrawBars(october, effects()), "bars-zero": DrawBars(october, zero),
		"bars-none": DrawBars(october, Bars{}),
		"funnel":    DrawFunnel(october, funnel()), "funnel-open": DrawFunnel(october, open),
		"funnel-none": DrawFunnel(october, Funnel{}),
		"heat":        DrawHeat(october, hours()), "heat-zero": DrawHeat(october, Heat{Title: "Nol"}),
		"map": DrawMap(october, kecamatan(true)), "map-tiles": DrawMap(october, kecamatan(false)),
		"map-none": DrawMap(october, Map{Title: "Kosong"}),
	}
}

func TestPicturesAreAsTheyWere(t *testing.T) {
	for name, p := range gallery() {
		if *pictures != "" {
			if err := os.WriteFile(filepath.Join(*pictures, name+".png"), p.PNG(1.5), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Contains(name, "-") && name != "map-tiles" {
			continue // shapes of the same charts, held by the other tests
		}
		svg := p.SVG(name)
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if svg != string(want) {
			t.Errorf("%s is drawn differently: look at it, then -update", name)
		}
	}
}

// sound says what is wrong with a picture as SVG: no XML, a style, a script, a text outside of it.
func sound(p *Picture) error {
	svg := p.SVG("x")
	if strings.ContainsAny(svg, "\x00\u202e") {
		return errors.New("control characters")
	}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok {
			switch e.Name.Local {
			case "svg", "title", "desc", "path", "text":
			default:
				return fmt.Errorf("element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "NaN") ||
					strings.Contains(a.Value, "Inf") {
					return fmt.Errorf("attribute %s=%q", a.Name.Local, a.Value)
				}
			}
		}
	}
	if p.height <= 0 || p.height > maxHeight+120 {
		return fmt.Errorf("height %g", p.height)
	}
	for _, it := range p.items {
		if it.text == "" || it.font.turn != 0 {
			continue
		}
		w := textWidth(it.text, it.font.size, it.font.bold)
		left := it.at.x - w*float64(it.font.anchor)/2
		if left < -14 || left+w > p.width+14 || it.at.y < 5 || it.at.y > p.height+1 {
			return fmt.Errorf("%q stands at %g,%g, %g wide, outside of %g by %g", it.text, left, it.at.y, w, p.width, p.height)
		}
	}
	return nil
}

func TestPicturesAreSound(t *testing.T) {
	for name, p := range gallery() {
		if err := sound(p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := png.Decode(bytes.NewReader(p.PNG(1))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSameDataSameBytes(t *testing.T) {
	again := gallery()
	for name, p := range gallery() {
		if p.SVG("a") != again[name].SVG("a") {
			t.Errorf("%s: two SVGs", name)
		}
	}
	if !bytes.Equal(DrawMap(october, kecamatan(true)).PNG(2), again["map"].PNG(2)) {
		t.Error("two PNGs")
	}
}

func TestEveryChartSaysItsBasis(t *testing.T) {
	for name, p := range gallery() {
		words := ""
		for _, it := range p.items {
			words += it.text + " "
		}
		if name != "trend-none" && !strings.Contains(words, "Oktober 2023 · n = 4.295 panggilan") {
			t.Errorf("%s: %s", name, words)
		}
		if name == "trend-none" && !strings.Contains(words, "periode tidak diketahui · n = 0") {
			t.Errorf("%s: %s", name, words)
		}
	}
}

// TestAnyDataIsDrawn: hostile names, values that are missing, huge, negative or all the same.
func TestAnyDataIsDrawn(t *testing.T) {
	name := rapid.OneOf(rapid.StringN(0, 100, 300), rapid.SampledFrom([]string{
		long, `<script>alert(1)</script>`, `"><style>`, "=cmd|' /C calc'!A0", "a\x00\u202eb", strings.Repeat("W", 80), "\xff",
	}))
	value := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Float64Range(0, 1),
		rapid.SampledFrom([]float64{0, nan, 1e12, 1e-9}))
	rapid.Check(t, func(t *rapid.T) {
		u := Unit{name.Draw(t, "unit"), rapid.IntRange(0, 3).Draw(t, "decimals"), rapid.Bool().Draw(t, "percent")}
		on := NewBasis(name.Draw(t, "period"), rapid.Uint64().Draw(t, "n"), "panggilan")
		trend := Trend{
			Title: name.Draw(t, "title"), Note: name.Draw(t, "note"), Unit: u, Line: "l", Band: "b",
			Target: Target{value.Draw(t, "target"), "target"},
		}
		bars := Bars{Unit: u, Target: trend.Target}
		areas := Map{Unit: u}
		var heat Heat
		for i := range rapid.SampledFrom([]int{0, 1, 2, 7, 65}).Draw(t, "rows") {
			label, v, low, high := name.Draw(t, "name"), value.Draw(t, "value"), value.Draw(t, "low"), value.Draw(t, "high")
			trend.Points = append(trend.Points, Point{label, v, low, high, 3})
			bars.Rows = append(bars.Rows, Bar{Name: label, Value: v, Low: low, High: high, Denominator: uint64(i)})
			areas.Areas = append(areas.Areas, Area{Name: label, Value: v})
			heat.Cells[i%7][i%24] = v
		}
		for _, p := range []*Picture{
			DrawTrend(on, trend), DrawBars(on, bars), DrawMap(on, areas), DrawHeat(on, heat),
		} {
			if err := sound(p); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestBordersAreRefusedInWords(t *testing.T) {
	feature := func(properties, geometry string) string {
		return `{"type":"FeatureCollection","features":[{"properties":` + properties + `,"geometry":` + geometry + `}]}`
	}
	for want, text := range map[string]string{
		"GeoJSON: ":              `{`,
		"no FeatureCollection":   `{"type":"Feature"}`,
		`has no property "kode"`: feature(`{}`, `{}`),
		`geometry "Point"`:       feature(`{"kode":1}`, `{"type":"Point","coordinates":[1,2]}`),
		"no longitude": feature(`{"kode":1}`,
			`{"type":"Polygon","coordinates":[[[112,-7],[700000,9200000],[113,-8]]]}`),
		"fewer than three":        feature(`{"kode":1}`, `{"type":"Polygon","coordinates":[[[112,-7],[112,-7]]]}`),
		"feature 1 has no ring":   feature(`{"kode":1}`, `{"type":"Polygon","coordinates":[]}`),
		"feature 1: json":         feature(`{"kode":1}`, `{"type":"Polygon","coordinates":7}`),
		"position [112] is no lo": feature(`{"kode":1}`, `{"type":"Polygon","coordinates":[[[112],[1,2],[3,4]]]}`),
	} {
		if _, err := ReadBorders([]byte(text), "kode"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestAMapThatLacksAnAreaIsTiles(t *testing.T) {
	m := kecamatan(true)
	m.Areas = append(m.Areas, Area{Code: "35.15.99", Name: "Baru", Value: 1})
	if svg := DrawMap(october, m).SVG("m"); !strings.Contains(svg, "bukan peta") || !strings.Contains(svg, "Baru") {
		t.Error("an area is not drawn")
	}
}

func TestTicksHoldTheData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := Unit{Decimals: rapid.IntRange(0, 3).Draw(t, "decimals"), Percent: rapid.Bool().Draw(t, "percent")}
		low := -rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e9)).Draw(t, "low")
		high := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e9)).Draw(t, "high")
		ticks := u.ticks(low, high, 5)
		slack := (ticks[len(ticks)-1] - ticks[0]) * 1e-6
		if n := len(ticks); n < 2 || n > 9 || ticks[0] > low+slack || ticks[n-1] < high-slack {
			t.Fatalf("%v for %g to %g", ticks, low, high)
		}
		seen := map[string]bool{}
		for _, v := range ticks {
			if s := u.tick(v, ticks); seen[s] {
				t.Fatalf("two marks %q: %v", s, ticks)
			} else {
				seen[s] = true
			}
		}
	})
}
