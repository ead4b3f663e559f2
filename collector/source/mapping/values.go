package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/source/tabular"
)

// glob is a key of a value map with a * for any text: "darurat*", "*iseng*".
type glob struct {
	parts  []string // the texts between the stars
	mapped string
}

func newGlob(key, mapped string) glob { return glob{strings.Split(key, "*"), mapped} }

// literal is how many bytes of a text the key demands.
func (g glob) literal() int { return len(strings.Join(g.parts, "")) }

func (g glob) matches(s string) bool {
	last := len(g.parts) - 1
	rest, ok := strings.CutPrefix(s, g.parts[0])
	if !ok || len(rest) < len(g.parts[last]) || !strings.HasSuffix(rest, g.parts[last]) {
		return false
	}
	rest = rest[:len(rest)-len(g.parts[last])]
	for _, part := range g.parts[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return true
}

// compileValues reads a value map. A key with a * takes every text of its form, "*" any text; of several that fit the
// one with the most letters counts, and before all of them the text itself.
func (c *compiler) compileValues(at string, values map[string]string, f *field) {
	f.values = map[string]string{}
	forms := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		mapped := values[key]
		key = strings.TrimSpace(key)
		if f.fold {
			key = strings.ToLower(key)
		}
		if old, twice := f.values[key]; twice && old != mapped {
			c.Wrong(at, fmt.Sprintf("%q is listed twice", key), "with ignore_case the keys differ in more than case")
		}
		f.values[key] = mapped
		if !strings.Contains(key, "*") {
			continue
		}
		forms[key] = mapped
	}
	for _, key := range slices.SortedFunc(maps.Keys(forms), func(a, b string) int {
		return cmp.Or(cmp.Compare(newGlob(b, "").literal(), newGlob(a, "").literal()), cmp.Compare(a, b))
	}) {
		f.globs = append(f.globs, newGlob(key, forms[key]))
	}
}

// mapped looks a text up in the value map.
func (f *field) mapped(text string) (string, bool) {
	if f.fold {
		text = strings.ToLower(text)
	}
	if v, ok := f.values[text]; ok {
		return v, true
	}
	for _, g := range f.globs {
		if g.matches(text) {
			return g.mapped, true
		}
	}
	return "", false
}

// firstFilled returns the first of the columns whose cell is filled, as the only one; the last when none is.
func (f *field) firstFilled(row tabular.Row, cols []int) []int {
	for i, col := range cols {
		if i == len(cols)-1 || col >= 0 && col < len(row.Cells) && !f.nulls[oneLine(row.Cells[col])] {
			return cols[i : i+1]
		}
	}
	return cols
}
