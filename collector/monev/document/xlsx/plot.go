package xlsx

import (
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"

	"github.com/monev112/monev112/collector/monev/document"
)

// colours alternate dark and light, so that neighbours differ in grey as well.
var colours = []string{
	"0B4F8A", "A9C7E6", "D55E00", "F0C05A", "7A3E8E", "BFBFBF", "2C6E49", "F3C6D6", "2F2F2F", "8FBF8F", "8A1F4B", "D9D9D9",
}

var shapes = map[document.PlotKind]excelize.ChartType{
	document.Lines: excelize.Line, document.Bars: excelize.Bar, document.Columns: excelize.Col,
}

// plot draws a native chart of the rows first to last below the table, or colours its cells.
func (b *book) plot(t document.Table, head, first, last int) {
	p := *t.Plot
	if p.Kind == document.Heat {
		b.heat(p, first, last)
		return
	}
	sheet := quoted(b.sheetName)
	cells := func(column, from, to int) string {
		name, _ := excelize.ColumnNumberToName(column + 1)
		return fmt.Sprintf("%s$%s$%d:$%s$%d", sheet, name, from, name, to)
	}
	axis := excelize.Font{Family: family, Size: 9, Color: "404040"} // without a colour it is white in some programs
	c := &excelize.Chart{
		Type: shapes[p.Kind],
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{
			{Text: document.Clean(p.Title), Font: &excelize.Font{Family: family, Size: 12, Bold: true, Color: "1A1A1A"}},
		}},
		Legend:       excelize.ChartLegend{Position: "bottom"},
		ShowBlanksAs: "gap",
		XAxis:        excelize.ChartAxis{Font: axis},
		YAxis:        excelize.ChartAxis{Font: axis, MajorGridLines: true},
	}
	for k, s := range p.Series {
		name, _ := excelize.CoordinatesToCellName(s+1, head, true)
		fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colours[k%len(colours)]}}
		c.Series = append(c.Series, excelize.ChartSeries{
			Name: sheet + name, Categories: cells(p.Label, first, last), Values: cells(s, first, last), Fill: fill,
			Line:   excelize.LineOptions{Width: 2, Fill: fill},
			Marker: excelize.ChartMarker{Symbol: "circle", Size: 5, Fill: fill},
		})
	}
	format, low := seriesFormat(t)
	c.YAxis.NumFmt.CustomNumFmt = format
	if low >= 0 {
		zero := 0.0
		c.YAxis.Minimum = &zero
	}
	if len(p.Series) == 1 {
		c.Legend.Position = "none"
	}
	height := uint(320)
	if p.Kind == document.Bars {
		c.XAxis.ReverseOrder = true // the first row on top
		c.PlotArea.ShowVal, c.PlotArea.NumFmt.CustomNumFmt = len(p.Series) == 1, format
		height = min(1400, uint(120+18*(last-first+1)*len(p.Series)))
	}
	c.Dimension = excelize.ChartDimension{Width: 640, Height: height}
	b.keep(b.f.AddChart(b.sheetName, b.at(0), c))
	b.row += int(height)/20 + 2
}

// seriesFormat is how the axis of a plot writes numbers, and the lowest of them.
func seriesFormat(t document.Table) (format string, low float64) {
	format = "#,##0"
	for _, r := range t.Rows {
		for _, s := range t.Plot.Series {
			if r.Group || r.Total || !r.Cells[s].Numeric() {
				continue
			}
			low = min(low, r.Cells[s].Value)
			switch c := r.Cells[s]; c.Kind {
			case document.PercentCell:
				format = "0%"
			case document.DurationCell:
				format = "[h]:mm"
			default:
				format = "#,##0" + fraction(c.Decimals)
			}
		}
	}
	return format, low
}

// heat colours cells from pale to dark by their value.
func (b *book) heat(p document.Plot, first, last int) {
	from, _ := excelize.CoordinatesToCellName(slices.Min(p.Series)+1, first)
	to, _ := excelize.CoordinatesToCellName(slices.Max(p.Series)+1, last)
	b.keep(b.f.SetConditionalFormat(b.sheetName, from+":"+to, []excelize.ConditionalFormatOptions{{
		Type: "2_color_scale", Criteria: "=", MinType: "num", MinValue: "0", MaxType: "max", MinColor: "#F1F5FB",
		MaxColor: "#77AAD4",
	}}))
}
