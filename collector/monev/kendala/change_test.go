package kendala

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
	"github.com/monev112/monev112/collector/monev/share"
)

// Mix and rate add up to the change, whatever the parts: values that only one period has, periods of one case.
func TestMixAndRateAreTheChange(t *testing.T) {
	period := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", ""}), rapid.Custom(func(t *rapid.T) share.Share {
		n := rapid.Uint64Range(0, 5000).Draw(t, "n")
		return share.Share{K: rapid.Uint64Range(0, n).Draw(t, "k"), N: n}
	}), 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		before, after := period.Draw(t, "before"), period.Draw(t, "after")
		c, ok := Explain("opd", before, after)
		if ok != (sum(before).N > 0 && sum(after).N > 0) {
			t.Fatalf("ok is %t", ok)
		}
		if !ok {
			return
		}
		if want := sum(after).Value() - sum(before).Value(); math.Abs(c.Mix+c.Rate-want) > 1e-12 || math.Abs(c.Delta-want) > 1e-12 {
			t.Fatalf("mix %g + rate %g is not the change %g", c.Mix, c.Rate, want)
		}
		if c.Low > c.Delta || c.Delta > c.High {
			t.Fatalf("%g lies outside %g to %g", c.Delta, c.Low, c.High)
		}
		var k share.Share
		for i, p := range c.Parts {
			k.K, k.N = k.K+p.After.K, k.N+p.After.N
			if p.Few != (p.Before.N < 20 || p.After.N < 20) || i > 0 && p.moved() > c.Parts[i-1].moved() {
				t.Fatalf("part %d: %+v", i, p)
			}
		}
		if k != c.After {
			t.Fatalf("the parts are %v of %v", k, c.After)
		}
	})
}

func TestExplain(t *testing.T) {
	for name, tc := range map[string]struct {
		before, after map[string]share.Share
		mix, rate     float64
		first         string
	}{
		"only the shares changed": {
			map[string]share.Share{"a": {K: 50, N: 100}, "b": {K: 90, N: 100}},
			map[string]share.Share{"a": {K: 30, N: 100}, "b": {K: 90, N: 100}}, 0, -0.1, "a",
		},
		"only the mix changed": {
			map[string]share.Share{"a": {K: 50, N: 100}, "b": {K: 90, N: 100}},
			map[string]share.Share{"a": {K: 100, N: 200}, "b": {K: 0, N: 0}}, -0.2, 0, "b",
		},
		"nothing changed": {
			map[string]share.Share{"a": {K: 5, N: 10}}, map[string]share.Share{"a": {K: 50, N: 100}}, 0, 0, "a",
		},
	} {
		c, ok := Explain("opd", tc.before, tc.after)
		if !ok || math.Abs(c.Mix-tc.mix) > 1e-12 || math.Abs(c.Rate-tc.rate) > 1e-12 {
			t.Errorf("%s: mix %g, rate %g", name, c.Mix, c.Rate)
		}
		if name != "only the mix changed" && c.Parts[0].Value != tc.first { // both moved it alike there
			t.Errorf("%s: %s moved it most", name, c.Parts[0].Value)
		}
	}
	if c, _ := Explain("opd", map[string]share.Share{"a": {K: 5, N: 19}}, map[string]share.Share{"a": {K: 5, N: 20}}); !c.Few ||
		!c.Parts[0].Few {
		t.Error("19 cases are few")
	}
}
