package mapping

import (
	"github.com/monev112/monev112/collector/source/tabular"
)

// maxShownCells bounds the cells of one row in the rejects file.
const maxShownCells = 60

// MaskCells returns the cells of a row as the rejects file shows them: the form of a time or a number, a value that the
// value map lists, the beginning of a text without a value map, and of
// anything else the length alone.
func (b *Binding) MaskCells(row tabular.Row) []string {
	out := make([]string, 0, min(len(row.Cells), maxShownCells))
	for i, c := range row.Cells[:min(len(row.Cells), maxShownCells)] {
		var f *field
		if i < len(b.by) {
			f = b.by[i]
		}
		switch c = oneLine(c); {
		case c == "":
		case f == nil, f.kind == phoneField, f.values != nil && !f.lists(c):
			c = Mask(c, 0)
		case f.kind != textField:
			c = shape(c)
		case f.values != nil:
			c = Mask(c, shownCode)
		default:
			c = Mask(c, shownText)
		}
		out = append(out, c)
	}
	return out
}

// lists reports whether the value map of f, if it has one, names text.
func (f *field) lists(text string) bool {
	_, ok := f.mapped(text)
	return ok
}
