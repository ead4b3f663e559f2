package report

import (
	"fmt"
	"strings"
	"testing"

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
		if i.judge(); i.Verdict != tc.want {
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
	if _, wrong, err := Check(r, r, "", "json", file); err != nil || len(wrong) != 1 || !strings.Contains(wrong[0], "2023-09") {
		t.Error(wrong, err)
	}
}
