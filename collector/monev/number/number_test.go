package number

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

// published are the calls of January to October 2023, and what the classes would say: all prank is of one class.
var published = map[string]int64{
	"received": 40318, "answered": 40318, "offered": 40318, "classified": 40318, "prank": 32543, "normal": 7775,
	"to_own": 1597, "to_vertical": 6178,
}

func TestThePublishedNumbersOf2023(t *testing.T) {
	for _, text := range []string{"80.7%", "80,7 %", "80.7", "80,7", "0.807", "80,7 persen", "81%", "80.72 %"} {
		w, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		fits, nearest := Search(w, Pairs(published))
		if len(fits) == 0 || len(nearest) > 0 {
			t.Fatalf("%s: %v, %v", text, fits, nearest)
		}
		if m := fits[0]; m.Counted != 32543 || m.Of != 40318 || m.N != 40318 {
			t.Errorf("%s: %+v", text, m)
		}
	}
	w, err := Parse("70 %")
	if err != nil {
		t.Fatal(err)
	}
	fits, nearest := Search(w, Pairs(published))
	if len(fits) > 0 || len(nearest) != MaxNearest {
		t.Errorf("70 %%: %v, %v", fits, nearest)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string][2]int64{
		"80.7%": {807, 1}, "70": {70, 0}, "0.807": {807, 1}, "0,8": {8, -1}, "0.8%": {8, 1}, "1": {1, 0}, "1.0": {10, -1},
		"100 %": {100, 0}, "0": {0, 0}, "91.300": {91300, 3},
	} {
		if w, err := Parse(text); err != nil || w.Digits != want[0] || int64(w.Places) != want[1] {
			t.Errorf("%q: %+v, %v", text, w, err)
		}
	}
	for _, text := range []string{
		"", "%", "abc", "-1", "100.1", "101%", "1e3", "80.7%%", "80.", ".7", "1.000.000", "80.1234567", "٨٠",
		strings.Repeat("9", 40),
	} {
		if w, err := Parse(text); err == nil {
			t.Errorf("%q is taken as %+v", text, w)
		}
	}
}

// TestAShareFitsWhenItRoundsToTheNumber compares with exact fractions: a share fits if and only if it lies within half
// of the last place.
func TestAShareFitsWhenItRoundsToTheNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		den := rapid.Int64Range(1, 20_000_000).Draw(t, "den")
		num := rapid.Int64Range(0, den).Draw(t, "num")
		places := rapid.IntRange(-1, 6).Draw(t, "places")
		near := math.Round(100*float64(num)/float64(den)*math.Pow10(places)) + float64(rapid.IntRange(-1, 1).Draw(t, "off"))
		w := Wanted{Digits: max(0, int64(near)), Places: places}
		unit := new(big.Rat).SetFrac64(1, 1)
		ten := big.NewRat(10, 1)
		for range max(places, -places) {
			if places > 0 {
				unit.Quo(unit, ten)
			} else {
				unit.Mul(unit, ten)
			}
		}
		off := new(big.Rat).Mul(big.NewRat(w.Digits, 1), unit)
		off.Sub(off, new(big.Rat).Mul(big.NewRat(100, 1), big.NewRat(num, den)))
		want := off.Abs(off).Cmp(unit.Quo(unit, big.NewRat(2, 1))) <= 0
		if got := w.fits(num, den); got != want {
			t.Errorf("%d / %d fits %d at %d places: %v, want %v", num, den, w.Digits, places, got, want)
		}
		fits, nearest := Search(w, []Match{{Counted: num, Of: den}, {Counted: 1}, {Counted: 2, Of: 1}})
		if (len(fits) == 1) != want || (len(nearest) == 1) == want {
			t.Errorf("%v, %v", fits, nearest)
		}
	})
}

// TestANumeratorIsPartOfItsDenominator: no pair can give more than 100 % of consistent counts.
func TestANumeratorIsPartOfItsDenominator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := map[string]int64{}
		n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
		for _, c := range classes {
			counts[c] = n(c)
			counts["classified"] += counts[c]
		}
		counts["answered"] = counts["classified"] + n("belum")
		counts["abandoned"], counts["unserved"], counts["blocked"] = n("abandoned"), n("unserved"), n("blocked")
		counts["offered"] = counts["answered"] + counts["abandoned"] + counts["unserved"]
		counts["received"] = counts["offered"] + counts["blocked"]
		counts["to_own"] = rapid.Int64Range(0, counts["normal"]).Draw(t, "own")
		counts["to_vertical"] = counts["normal"] - counts["to_own"]
		pairs := Pairs(counts)
		if len(pairs) < 60 {
			t.Fatalf("%d pairs", len(pairs))
		}
		for _, m := range pairs {
			if m.Counted > m.Of {
				t.Errorf("%+v", m)
			}
		}
	})
}
