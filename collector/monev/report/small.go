package report

import (
	"slices"

	"github.com/monev112/monev112/collector/monev/freeze"
)

// hidden is the count below which a cell of a sensitive category or of a place is not shown.
const hidden = 5

// joint is the value of a dimension that stands for the cells which are told together.
const joint = "*"

// safe joins the small cells of tickets by category and by kecamatan, wherever figures are shown: on the pages, in the
// maps, and in the JSON.
func (r *Report) safe() {
	private := func(f *Figure) bool { return f.Numerator < hidden && r.private(f.dim("category")) }
	r.Figures = join(r.Figures, "tickets_category", "category", private)
	r.Figures = join(r.Figures, "tickets_kecamatan", "kecamatan", func(f *Figure) bool { return f.Numerator < hidden })
	r.index = nil
}

func (r *Report) private(category string) bool {
	return slices.ContainsFunc(r.Categories, func(n Named) bool { return n.ID == category && n.Private })
}

// join replaces the cells of a figure that are small by one cell for all of them. So that none follows from the sum,
// the smallest of the others join it until it has two cells, hidden cases, and twice as many cases as cells. Fires are
// told elsewhere and hide nothing.
func join(figures []Figure, name, dim string, small func(*Figure) bool) []Figure {
	var in, others []Figure
	for _, f := range figures {
		switch {
		case f.Name != name:
		case small(&f):
			in = append(in, f)
		case f.dim(dim) != fireCategory:
			others = append(others, f)
		}
	}
	if len(in) == 0 {
		return figures
	}
	slices.SortStableFunc(others, func(a, b Figure) int { return int(a.Numerator - b.Numerator) })
	sum := func() (n float64) {
		for _, f := range in {
			n += f.Numerator
		}
		return n
	}
	for len(others) > 0 && (len(in) < 2 || sum() < max(hidden, 2*float64(len(in)))) {
		in, others = append(in, others[0]), others[1:]
	}
	out := slices.DeleteFunc(slices.Clone(figures), func(f Figure) bool {
		return f.Name == name && slices.ContainsFunc(in, func(g Figure) bool { return g.Dims == f.Dims })
	})
	all := Figure{Name: name, Dims: dim + "=" + joint, Numerator: sum(), Denominator: in[0].Denominator, N: in[0].N}
	if all.Denominator > 0 {
		share := all.Numerator / all.Denominator
		all.Value = &share
	}
	return append(out, all)
}

// tellable leaves out differences that would tell a cell which the report joins.
func (r *Report) tellable(differences []freeze.Difference) []freeze.Difference {
	return slices.DeleteFunc(slices.Clone(differences), func(d freeze.Difference) bool {
		f := Figure{Name: d.Figure, Dims: d.Dims}
		return f.Name == "tickets_kecamatan" || f.Name == "tickets_category" && r.private(f.dim("category"))
	})
}

// parts returns the cells of a figure, the largest first, those that are told together last.
func (r *Report) parts(name string) []*Figure {
	out := r.largest(name)
	slices.SortStableFunc(out, func(a, b *Figure) int {
		last := func(f *Figure) int {
			if f.dim("category") == joint || f.dim("kecamatan") == joint {
				return 1
			}
			return 0
		}
		return last(a) - last(b)
	})
	return out
}
