package mapping

import (
	"testing"

	"pgregory.net/rapid"

	_ "github.com/monev112/monev112/collector/internal/rapidseed"
)

// Of every value exactly one of in, not_in and empty: true holds, when the texts hold no empty one; with it, exactly
// one of in and not_in does.
func TestConditionsAreExhaustive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c"}), 1, 4).Draw(t, "texts")
		v := value{text: rapid.SampledFrom([]string{"", "a", "b", "d"}).Draw(t, "value")}
		v.set = v.text != ""
		in, withEmpty, yes := map[string]bool{}, false, true
		for _, x := range texts {
			in[x] = true
			withEmpty = withEmpty || x == ""
		}
		holds := 0
		for _, w := range []condition{{in: in, changed: -1}, {in: in, not: true, changed: -1}, {empty: &yes, changed: -1}} {
			if withEmpty && w.empty != nil {
				continue
			}
			if w.holds([]value{v}, 0) {
				holds++
			}
		}
		if holds != 1 {
			t.Fatalf("%v of %q: %d hold", texts, v.text, holds)
		}
	})
}
