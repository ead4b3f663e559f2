package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/monev/freeze"
	"github.com/monev112/monev112/collector/monev/information"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/rtl"
	"github.com/monev112/monev112/collector/monev/share"
	"github.com/monev112/monev112/collector/store"
)

// named gives the parts of a change the names that people read.
func change(t *testing.T, dimension string, before, after map[string]share.Share) kendala.Change {
	t.Helper()
	c, ok := kendala.Explain(dimension, before, after)
	if !ok {
		t.Fatal("nothing to explain")
	}
	for i := range c.Parts {
		c.Parts[i].Name = c.Parts[i].Value
	}
	return c
}

func TestTheChangeIsOfCasesInTime(t *testing.T) {
	good, bad := share.Share{K: 90, N: 100}, share.Share{K: 80, N: 100}
	none := func(string) bool { return false }
	for _, tc := range []struct {
		before, after share.Share
		want          string
	}{
		{good, bad, "Yang tepat waktu berubah −10,0 poin dari bulan sebelumnya, dari 90,0 % (90 dari 100) menjadi 80,0 % " +
			"(80 dari 100) (selang 95 % −"},
		{bad, good, "Yang tepat waktu berubah +10,0 poin dari bulan sebelumnya, dari 80,0 % (80 dari 100) menjadi 90,0 % " +
			"(90 dari 100) (selang 95 % 0,0 sampai +19,9)"},
	} {
		c := change(t, "opd", map[string]share.Share{"bpbd": tc.before}, map[string]share.Share{"bpbd": tc.after})
		got := changeWords([]kendala.Change{c}, secretPart(none))
		sign := got[strings.Index(got, "berubah ")+len("berubah "):]
		if !strings.Contains(got, tc.want) || !strings.Contains(got, "bpbd: 0,0 poin karena komposisi, "+
			sign[:strings.Index(sign, " ")]+" poin karena tingkat ketepatannya.") {
			t.Errorf("%s\nwant %s", got, tc.want)
		}
	}
}

func TestAChangeNamesNoSensitiveCategoryAndNoSmallPlace(t *testing.T) {
	before := map[string]share.Share{"kdrt": {K: 30, N: 30}, "banjir": {K: 60, N: 70}}
	after := map[string]share.Share{"kdrt": {K: 0, N: 30}, "banjir": {K: 59, N: 70}}
	place := change(t, "kecamatan", map[string]share.Share{"kecil": {K: 4, N: 4}, "besar": {K: 86, N: 96}},
		map[string]share.Share{"kecil": {K: 0, N: 40}, "besar": {K: 59, N: 60}})
	got := changeWords([]kendala.Change{change(t, "category", before, after), place},
		secretPart(func(c string) bool { return c == "kdrt" }))
	if strings.Contains(got, "kdrt") || strings.Contains(got, "kecil") || !strings.Contains(got, "terbesar pada") {
		t.Error(got)
	}
	only := change(t, "category", map[string]share.Share{"kdrt": {K: 1, N: 2}}, map[string]share.Share{"kdrt": {K: 2, N: 2}})
	if got := changeWords([]kendala.Change{only}, secretPart(func(string) bool { return true })); got != "" {
		t.Error(got)
	}
}

func TestAnEffectWithoutACaseSinceIsNotZero(t *testing.T) {
	e := rtl.Effect{Indicator: Acknowledge, Before: rtl.Count{K: 20, N: 40}}
	e.Judge()
	if got := e.Sentence(); strings.Contains(got, " 0,0 %") || !strings.Contains(got, "tidak tercatat") {
		t.Error(got)
	}
}

func TestNoHoaxIsAchieved(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	for _, tc := range []struct {
		value, target float64
		want          Verdict
	}{{0, 0, Achieved}, {0, .1, Achieved}, {.1, .1, NotAchieved}, {.09, .1, Achieved}, {.2, .1, NotAchieved}} {
		i := Indicator{ID: Hoax, Value: at(tc.value), Target: at(tc.target), Numerator: 100 * tc.value, N: 100}
		if i.judge(false); i.Verdict != tc.want {
			t.Errorf("%g of %g: %s", tc.value, tc.target, i.Verdict)
		}
	}
}

func TestARankIsApartFromSmallOPDsToo(t *testing.T) {
	f := month("satu", "dua")
	f.Figures = []store.Figure{figure("on_time", clockDims("resolve", "satu", "own"), 99, 100),
		figure("on_time", clockDims("resolve", "dua", "own"), 30, 100)}
	if got := Model(f, Settings{}, nil).ranks([]string{"satu", "dua"}); len(got) != 2 || got["satu"] != 1 {
		t.Error(got)
	}
	all := f.Figures
	for k, want := range map[float64]string{2: "map[satu:1]", 3: "map[dua:3]"} { // of three: overlaps dua, overlaps satu
		f.Figures = append(all[:2:2], figure("on_time", clockDims("resolve", "kecil", "own"), k, 3))
		if got := fmt.Sprint(Model(f, Settings{}, nil).ranks([]string{"satu", "dua", "kecil"})); got != want {
			t.Errorf("%g of 3: %s, want %s", k, got, want)
		}
	}
}

func TestCheckFindsALostMonth(t *testing.T) {
	v := .9
	f := month("dishub")
	f.Trend = []MonthFigure{{"2023-09", true, Figure{indicatorFigure, indicatorDims(Answer), 90, 100, 100, &v}}}
	r := Model(f, Settings{}, nil)
	without := *r
	without.Trend = nil
	file, err := Write(&without, "", "json")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Check(r, r, "", "json", file); err != nil || !strings.Contains(strings.Join(c.Differences, "\n"),
		"trend 2023-09 indicator indicator=answer value is missing, should be 0.9") {
		t.Error(c, err)
	}
}

func TestNothingHappenedIsNotUnrecorded(t *testing.T) {
	for name, tc := range map[string]struct {
		figures []store.Figure
		verdict map[string]Verdict
		want    []string
	}{
		"no fire, no clock": {[]store.Figure{figure("tickets_category", "category=banjir", 3, 3)},
			map[string]Verdict{Fire: NoCase, Acknowledge: NoCase, Resolve: NoCase, Answer: NoCase, Hoax: NoCase},
			[]string{"Kebakaran: unit tiba dalam 15 menit: tidak ada kasus bulan ini."}},
		"fires without an arrival": {[]store.Figure{figure("tickets_category", "category=kebakaran", 20, 20),
			figure("unobserved", clockDims("resolve", "", "own"), 12, 12)},
			map[string]Verdict{Fire: NotRecorded, Resolve: NotRecorded, Acknowledge: NoCase},
			[]string{"tidak tercatat bulan ini (0 dari 20 tercatat).", "tidak tercatat bulan ini (12 dari 12 kasus)."}},
		"some of each": {[]store.Figure{figure("tickets_category", "category=kebakaran", 20, 20),
			figure("arrived_within", "category=kebakaran,seconds=900", 1, 2),
			figure("on_time", clockDims("resolve", "a", "own"), 20, 30), figure("on_time", clockDims("resolve", "", "own"), 1, 10),
			figure("on_time", clockDims("resolve", "pln", "vertical"), 0, 10),
			figure("unobserved", clockDims("resolve", "a", "own"), 7, 37)},
			map[string]Verdict{Fire: NotAchieved, Resolve: NotAchieved},
			[]string{"Dari 2 kebakaran yang waktunya tercatat (2 dari 20 tercatat), unit tiba dalam 15 menit pada 1 kejadian",
				"Dari 40 tiket yang batas selesainya sudah putus, 21 selesai tepat waktu (52,5 %); sasaran 90,0 % tidak " +
					"tercapai, 7 lagi tidak tercatat."}},
		"no call classified": {[]store.Figure{figure("hoax", "measure=rasio_hoaks", 0, 0), figure("hoax", "measure=belum", 9, 9)},
			map[string]Verdict{Hoax: NotRecorded}, nil},
	} {
		f := month()
		f.Figures = tc.figures
		r := Model(f, Settings{}, nil)
		for _, in := range r.Indicators {
			if want := tc.verdict[in.ID]; want != "" && in.Verdict != want {
				t.Errorf("%s: %s is %s", name, in.ID, in.Verdict)
			}
		}
		got := words(t, r.Document(""))
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, got)
			}
		}
	}
}

// No small cell of a sensitive category or of a place is in the figures, nor follows from the others and their sum.
func TestSmallCellsDoNotFollowFromTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := month()
		f.Figures, f.Categories = nil, []Named{{ID: fireCategory}}
		was := map[string]float64{}
		for _, kind := range [][2]string{{"tickets_category", "category="}, {"tickets_kecamatan", "kecamatan="}} {
			counts := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 9).Draw(t, kind[0])
			sum := 0
			for _, n := range counts {
				sum += n
			}
			for i, n := range counts {
				id := fmt.Sprint("c", i)
				f.Categories = append(f.Categories, Named{ID: id, Private: i%2 == 0})
				f.Figures = append(f.Figures, figure(kind[0], kind[1]+id, float64(n), float64(sum)))
				was[kind[0]+id] = float64(n)
			}
		}
		r := Model(f, Settings{}, nil)
		for _, name := range []string{"tickets_category", "tickets_kecamatan"} {
			shown, sum, total, cells := 0, 0.0, 0.0, 0
			for key := range was {
				if strings.HasPrefix(key, name) {
					cells++
				}
			}
			for _, g := range r.named(name) {
				id := g.dim("category") + g.dim("kecamatan")
				sum, total = sum+g.Numerator, g.Denominator
				if id == joint {
					continue
				}
				shown++
				if g.Numerator < hidden && (name == "tickets_kecamatan" || r.private(id)) {
					t.Fatalf("%s %s is shown: %g", name, id, g.Numerator)
				}
			}
			if sum != total {
				t.Fatalf("%s: the cells add up to %g of %g", name, sum, total)
			}
			if shown == cells-1 && cells > 1 {
				t.Fatalf("%s: the one that is not shown follows from the sum", name)
			}
		}
	})
}

func TestAFrozenMonthIsJudgedByItsOwnTarget(t *testing.T) {
	f := month()
	f.Figures[0] = figure("service_level", "measure=ketat,target=10", 4000, 4295)
	f.Frozen = &Frozen{Revision: 1, At: f.Now, DefinitionVersion: "2", Details: true}
	f.Figures = append(f.Figures, figure("on_time", clockDims("resolve", "bpbd", "own"), 10, 40))
	f.Causes = []CauseSet{{Indicator: Resolve, Failing: 30, Decided: 40, Causes: []Cause{{"jeda", "jeda", 30, "bpbd"}}}}
	now := []store.MonthFigure{{Month: firstDay.AddDate(0, -1, 0), Indicator: Answer, Numerator: 9, Denominator: 10, N: 10}}
	old := []store.FrozenFigure{{Month: firstDay.AddDate(0, -2, 0), Figure: figure("service_level",
		"measure=ketat,target=20", 8, 10)}}
	f.Trend, f.TrendTargets = months(now, old, f.Figures, firstDay, freeze.Center{Targets: store.FigureTargets{Answer: 15}},
		true)
	r := Model(f, Settings{}, nil)
	got := words(t, r.Document(""))
	for _, want := range []string{"4.000 dijawab dalam 10 detik", "batas jawab 10 detik, seperti dibekukan; batas sekarang " +
		"15 detik", "Sebab dihitung saat laporan dibuat"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if r.AnswerTarget != 10 || fmt.Sprint(r.TrendTargets) != "map[2023-08:20 2023-09:15]" ||
		r.trend("2023-08", Answer) == nil || *r.trend("2023-08", Answer).Value != .8 {
		t.Error(r.AnswerTarget, r.TrendTargets, r.Trend)
	}
	z := []store.Figure{figure("service_level", "measure=ketat,target=10", 1, 2)}
	z[0].Parameters = "as_of=2023-11-01T00:00:00Z,short=7"
	if got := freeze.Targets(z, store.FigureTargets{Answer: 15, Short: 5}); got != (store.FigureTargets{Answer: 10, Short: 7}) {
		t.Error(got)
	}
}

func TestTheInformationServiceIsTold(t *testing.T) {
	measure := func(name string, k, d int64) store.InformationMeasure {
		return store.InformationMeasure{Name: name, Numerator: k, Denominator: d, N: 40}
	}
	topics := []store.InformationTopic{{Topic: "ktp", N: 9, Told: 9, Unknown: 6, Repeats: 2},
		{Topic: "kdrt", N: 2, Told: 2, Unknown: 1}, {Topic: "listrik", ReferredTo: "pln", N: 7, Told: 7, Referred: 7}}
	gaps := information.List(topics, func(id string) bool { return id == "kdrt" }, func(o string) bool { return o == "pln" })
	f := month()
	f.Information = informationSection([]store.InformationMeasure{measure("dijawab", 20, 30), measure("dirujuk", 3, 30),
		measure("tidak_tahu", 7, 30), measure("kontak_pertama", 15, 25), measure("berulang", 0, 0)}, gaps, strings.ToUpper)
	got := words(t, Model(f, Settings{}, nil).Document(""))
	for _, want := range []string{"Dijawab | 20 |", "Tidak dapat dijawab | 7 |", "Tidak tercatat | 10 |",
		"Terjawab pada kontak pertama: 15 dari 25 (60,0 %); dapat dinilai pada 25 dari 40 permintaan.",
		"dalam 7 hari: tidak tercatat.", "KTP | 6 | 2 | 9", "LAINNYA | 1 | 0 | 2", "LISTRIK | 0 | 0 | 7"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "KDRT") {
		t.Error("a sensitive topic with two questions is named")
	}
	silent := informationSection([]store.InformationMeasure{measure("dijawab", 0, 0)}, information.Gaps{}, strings.ToUpper)
	if fmt.Sprint(silent.Outcomes) != "[{Tidak tercatat 40}]" {
		t.Error(silent.Outcomes)
	}
	if informationSection(nil, information.Gaps{}, strings.ToUpper) != nil {
		t.Error("nobody asked")
	}
}

func TestWhatNobodyRecordsIsNotDoneByNone(t *testing.T) {
	f := month("dishub", "bpbd", "damkar")
	f.Figures = slices.DeleteFunc(f.Figures, func(g store.Figure) bool { // of dishub nothing is recorded, of bpbd a part
		return (g.Name == "acted" || g.Name == "confirmed") && !strings.Contains(g.Dims, "damkar")
	})
	f.Figures = append(f.Figures, figure("acted", "opd=bpbd,scope=own", 3, 4), figure("confirmed", "opd=bpbd,scope=own", 0, 4))
	got := words(t, Model(f, Settings{}, nil).Document(""))
	for _, want := range []string{
		"Dinas dishub | 30 | tidak tercatat | 93,3 % | 30 | 79 % | 98 % | tidak tercatat | ",
		"Dari 30 tiket, ditindaklanjuti: tidak tercatat, dikonfirmasi kepada pelapor: tidak tercatat, 1 berpindah",
		"Dari 30 tiket, 3 dari 4 yang dapat tercatat ditindaklanjuti (75,0 %), 0 dari 4 yang dapat tercatat dikonfirmasi",
		"Dari 30 tiket, 29 ditindaklanjuti (96,7 %), 20 dikonfirmasi kepada pelapor (66,7 %), 1 berpindah",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

func TestFlagsAreToldInWords(t *testing.T) {
	f := month()
	f.Figures = append(f.Figures, figure("calls_flag", "flag=class_without_answer", 3, 4295))
	if got := words(t, Model(f, Settings{}, nil).Document("")); !strings.Contains(got, "diklasifikasi tanpa catatan dijawab") ||
		strings.Contains(got, "class_without_answer") {
		t.Error(got)
	}
}

func TestASectionWithoutDataIsLeftOut(t *testing.T) {
	f := month()
	f.Figures = []store.Figure{figure("tickets_opd", "opd=,scope=own", 1, 1)}
	if got := words(t, Model(f, Settings{}, nil).Document("")); strings.Contains(got, "# Kecepatan") {
		t.Error(got)
	}
}

func TestAValueThatEveryCaseHasExplainsNoChange(t *testing.T) {
	none := func(string) bool { return false }
	every := change(t, "kecamatan", map[string]share.Share{"": {K: 18, N: 57}}, map[string]share.Share{"": {K: 26, N: 53}})
	some := change(t, "opd", map[string]share.Share{"bpbd": {K: 9, N: 28}, "damkar": {K: 9, N: 29}},
		map[string]share.Share{"bpbd": {K: 17, N: 27}, "damkar": {K: 9, N: 26}})
	for _, changes := range [][]kendala.Change{{every, some}, {some, every}} {
		if got := changeWords(changes, secretPart(none)); !strings.Contains(got, "terbesar pada OPD bpbd") {
			t.Error(got)
		}
	}
}

func TestWhatMovedIsNamedInWords(t *testing.T) {
	r := Model(month("dishub"), Settings{}, nil)
	var d []freeze.Difference
	for _, f := range [][2]string{
		{"acted", "opd=dishub,scope=own"}, {"on_time", "clock=resolve,opd=pln,scope=vertical"},
		{"interval_p90", "interval=respond,opd=,scope=own"}, {"service_level", "measure=ketat,target=15"}, {"new_one", ""},
		{"on_time", "clock=arrive,opd=A, B,scope=unknown"}, {"calls_hour", "hour=08,weekday=1"},
	} {
		d = append(d, freeze.Difference{Figure: f[0], Dims: f[1]})
	}
	var got []string
	for _, m := range r.Moved(d, false) {
		got = append(got, m.Name)
	}
	want := []string{
		"ditindaklanjuti (Dinas dishub)", "tepat waktu (selesai ditangani, pln, instansi vertikal)",
		"9 dari 10 dalam, detik (Waktu tanggap, pusat layanan)", "tingkat layanan (ketat, batas detik 15)", "new_one",
		"tepat waktu (tiba di lokasi, A, B, OPD tidak dikenal)", "panggilan menurut jam (jam 08, Senin)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
