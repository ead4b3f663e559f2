package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/monev112/monev112/collector/monev/document"
	"github.com/monev112/monev112/collector/monev/document/docx"
	"github.com/monev112/monev112/collector/monev/document/html"
	"github.com/monev112/monev112/collector/monev/document/xlsx"
	"github.com/monev112/monev112/collector/store"
)

// Checked is what came of reading a finished file back, each difference in words with its place.
type Checked struct {
	Compared int // numbers of the file
	// Differences are numbers of the file that are not those of the report, and of the report that are not those of the
	// database, while its freeze stands.
	Differences []string
	// Moved are numbers of a report that was handed out which no freeze holds and which are others by now.
	Moved []string
}

// Check reads a finished file back and holds every number of it against the figures: r is the report that the file
// should hold, now has the figures as they are kept in the database. Of a file that an earlier program wrote only the
// numbers are compared to which that program gave a key.
func Check(r, now *Report, opd, format string, file []byte) (Checked, error) {
	var c Checked
	if format == "json" {
		if err := c.json(r, file); err != nil {
			return c, err
		}
		c.figures(r, now, opd, r.cells(now))
		return c, nil
	}
	read, ok := readers[format]
	if !ok {
		return c, ErrFormat
	}
	found, err := read(file)
	if err != nil {
		return c, fmt.Errorf("the file cannot be read as %s: %w", format, err)
	}
	want := r.Document(opd).Numbers(format == "xlsx")
	if r.Layout < layout {
		want = thoseOf(want, found)
	}
	compared, wrong := document.Compare(want, found)
	c.Compared = compared
	for _, d := range wrong {
		c.Differences = append(c.Differences, d.String())
	}
	c.figures(r, now, opd, want)
	return c, nil
}

// thoseOf are the cells that a file has, as often as it has them.
func thoseOf(want []document.Cell, found []document.Reading) []document.Cell {
	n := map[string]int{}
	for _, r := range found {
		n[r.ID]++
	}
	return slices.DeleteFunc(want, func(c document.Cell) bool {
		n[c.Key.ID()]--
		return n[c.Key.ID()] < 0
	})
}

// readers read the numbers of a file.
var readers = map[string]func([]byte) ([]document.Reading, error){"html": html.Read, "xlsx": xlsx.Read,
	"docx": docx.Read}

// figures holds the cells of a report against the figures as they are now.
func (c *Checked) figures(r, now *Report, opd string, cells []document.Cell) {
	words := func(x *document.Cell) bool { return x.Kind == document.TextCell || x.Kind == document.DateCell }
	said := map[document.Key]string{}
	for _, x := range now.Document(opd).Numbers(true) {
		if words(&x) {
			said[x.Key] = x.String()
		}
	}
	same := r.Frozen == nil || now.of(&store.Freeze{Revision: r.Frozen.Revision})
	seen := map[document.Key]bool{}
	for i := range cells {
		x, is := &cells[i], ""
		v, absent, known := now.Number(x.Key)
		none := x.Kind == document.AbsentCell
		switch {
		case words(x):
			if text, ok := said[x.Key]; !ok || text != x.String() {
				is = fmt.Sprintf("%q", text)
			}
		case !known:
			is = "nothing"
		case x.Key.Part == document.Value && none: // a reason in words stands for it, as "tidak tercatat"
			if !absent && !r.unrecorded(x.Key) {
				is = fmt.Sprintf("%g", v)
			}
		case none != absent || !none && !equal(x.Value, v):
			if is = fmt.Sprintf("%g", v); absent {
				is = "nothing"
			}
		}
		if is == "" || seen[x.Key] {
			continue
		}
		seen[x.Key] = true
		line := fmt.Sprintf("%s is %s, the figures say %s", x.Key, x.String(), is)
		if same && (r.Frozen == nil || r.FixedByFreeze(x.Key)) {
			c.Differences = append(c.Differences, line)
		} else {
			c.Moved = append(c.Moved, line)
		}
	}
}

// unrecorded reports whether a share is withheld because nobody records what it is a share of.
func (r *Report) unrecorded(k document.Key) bool {
	f := r.figure(k.Figure, k.Dims)
	return f == nil || f.Denominator == 0
}

// equal reports whether two numbers are one: the terms of a mean are added in any order.
func equal(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// cells are the numbers of a report, and of those that it lacks: it is held against now by their keys.
func (r *Report) cells(now *Report) (out []document.Cell) {
	keys := map[document.Key]bool{}
	add := func(k document.Key) {
		for _, k.Part = range []document.Part{document.Numerator, document.Denominator, document.N, document.Value} {
			if keys[k] {
				continue
			}
			keys[k] = true
			cell := document.Cell{Kind: document.NumberCell, Decimals: 3, Key: k}
			var absent bool
			if cell.Value, absent, _ = r.Number(k); absent {
				cell = document.Absent(document.NotApplicable, k)
			}
			out = append(out, cell)
		}
	}
	for _, x := range []*Report{r, now} {
		for i := range x.Figures {
			add(document.Key{Figure: x.Figures[i].Name, Dims: x.Figures[i].Dims})
		}
		for i := range x.Trend {
			add(document.Key{Period: x.Trend[i].Month, Figure: x.Trend[i].Name, Dims: x.Trend[i].Dims})
		}
	}
	return out
}

// json compares every number and text of a JSON file with the report.
func (c *Checked) json(r *Report, file []byte) error {
	var got Report
	if err := json.Unmarshal(file, &got); err != nil {
		return fmt.Errorf("the file cannot be read as json: %w", err)
	}
	if got.Center != r.Center || got.Month != r.Month {
		c.Differences = append(c.Differences, fmt.Sprintf("the file is of %s of centre %s, not of %s of centre %s",
			got.Month, got.Center, r.Month, r.Center))
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	want, found := leaves(text), leaves(file)
	delete(want, madeAt) // a draft is made anew
	delete(found, madeAt)
	say := func(l leaf, there bool) string {
		if !there {
			return "missing"
		}
		return l.String()
	}
	all := maps.Clone(want)
	maps.Copy(all, found)
	for _, at := range slices.Sorted(maps.Keys(all)) {
		a, there := found[at]
		b, wanted := want[at]
		if there && wanted && b.number != nil {
			c.Compared++
		}
		if there != wanted || !a.is(b) {
			c.Differences = append(c.Differences, fmt.Sprintf("%s is %s, should be %s", at, say(a, there), say(b, wanted)))
		}
	}
	return nil
}

const madeAt = "made_at"

// leaf is a number or a text of a JSON file, or a null.
type leaf struct {
	number *float64
	text   *string
}

func (l leaf) is(other leaf) bool {
	switch {
	case l.number != nil && other.number != nil:
		return equal(*l.number, *other.number)
	case l.text != nil && other.text != nil:
		return *l.text == *other.text
	}
	return l == other
}

func (l leaf) String() string {
	switch {
	case l.number != nil:
		return fmt.Sprintf("%.12g", *l.number)
	case l.text != nil:
		return fmt.Sprintf("%q", *l.text)
	}
	return "null"
}

// nameMembers are the members that tell the elements of a list apart.
var nameMembers = []string{"month", "figure", "dims", "id", "indicator", "code", "title", "section", "name", "topic"}

// leaves are the numbers, texts and nulls of a JSON text by where they stand.
func leaves(text []byte) map[string]leaf {
	var v any
	_ = json.Unmarshal(text, &v) // was read before
	out := map[string]leaf{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, x := range v {
				walk(strings.TrimPrefix(at+" "+name, " "), x)
			}
		case []any:
			times := map[string]int{}
			for _, x := range v {
				var names []string
				if m, ok := x.(map[string]any); ok {
					for _, name := range nameMembers {
						if s, ok := m[name].(string); ok {
							names = append(names, s)
						}
					}
				}
				name := strings.Join(names, " ")
				if times[name]++; times[name] > 1 || name == "" {
					name = strings.TrimPrefix(fmt.Sprintf("%s #%d", name, times[name]), " ")
				}
				walk(at+" "+name, x)
			}
		case float64:
			out[at] = leaf{number: &v}
		case string:
			out[at] = leaf{text: &v}
		case nil:
			out[at] = leaf{}
		}
	}
	walk("", v)
	return out
}
