package dashboards

// noData stands wherever nothing was measured: never a zero.
const noData = "belum ada data"

// Units of Grafana that are used. All write numbers in the reader's own locale.
const (
	unitCount   = "locale"      // 40.318
	unitShare   = "percentunit" // 0..1
	unitSeconds = "s"
	unitBytes   = "bytes"
	unitTime    = "time:HH.mm"
	unitMoment  = "time:DD MMM YYYY HH.mm"
	unitNone    = "none"
	unitEvents  = "cps"
)

// Colours that stay apart for the colour-blind; a state is never said by colour alone.
const (
	good    = "#3d9970"
	warning = "#e6a23c"
	bad     = "#d64545"
	calm    = "#5794f2"
	grey    = "#8e8e8e"
	hoaxed  = "#b877d9"
)

func ptr[T any](v T) *T { return &v }

// steps makes thresholds from a base colour and pairs of (value, colour).
func steps(base string, pairs ...any) *Thresholds {
	t := &Thresholds{Mode: "absolute", Steps: []Step{{Color: base}}}
	for i := 0; i < len(pairs); i += 2 {
		var v float64
		switch x := pairs[i].(type) {
		case int:
			v = float64(x)
		case float64:
			v = x
		}
		t.Steps = append(t.Steps, Step{Color: pairs[i+1].(string), Value: &v})
	}
	return t
}

func newPanel(kind, title, description, unit string, targets ...Target) Panel {
	for i := range targets {
		targets[i].RefID = string(rune('A' + i))
	}
	p := Panel{Type: kind, Title: title, Description: description, Targets: targets,
		FieldConfig: &FieldConfig{Defaults: Field{
			Unit: unit, NoValue: noData, Thresholds: steps(calm), Color: &Color{Mode: "thresholds"},
		}, Overrides: []Override{}}}
	if len(targets) > 0 {
		p.Datasource = ptr(targets[0].Datasource)
	}
	return p
}

// stat is one or a few large numbers, the latest of each query.
func stat(title, description, unit string, targets ...Target) Panel {
	p := newPanel("stat", title, description, unit, targets...)
	mode, size := "value", (*Text)(nil)
	if len(targets) > 1 {
		// One size for all: else the shortest number, often n, is the largest.
		mode, size = "value_and_name", &Text{TitleSize: 15, ValueSize: 40}
	}
	p.Options = StatOptions{ReduceOptions: Reduce{Calcs: []string{"lastNotNull"}}, Orientation: "auto", TextMode: mode,
		WideLayout: true,
		ColorMode:  "value", GraphMode: "none", JustifyMode: "center", PercentChange: "standard", Text: size}
	return p
}

// row is a stat with one value for each column of a query's only row.
func row(title, description, unit string, target Target) Panel {
	p := stat(title, description, unit, target)
	o := p.Options.(StatOptions)
	o.TextMode, o.ReduceOptions.Fields, o.Text = "value_and_name", "/.*/", &Text{TitleSize: 15, ValueSize: 34}
	p.Options = o
	return p
}

// letters sets the size of the values.
func (p Panel) letters(size int) Panel {
	o := p.Options.(StatOptions)
	o.Text = &Text{TitleSize: 15, ValueSize: size}
	p.Options = o
	return p
}

// bars is a bar for each series, or for each column of a query's only row.
func bars(title, description, unit string, targets ...Target) Panel {
	p := newPanel("bargauge", title, description, unit, targets...)
	p.FieldConfig.Defaults.Min = ptr(0.0)
	p.Options = BarOptions{ReduceOptions: Reduce{Calcs: []string{"lastNotNull"}, Fields: ""}, Orientation: "horizontal",
		DisplayMode: "basic", ValueMode: "text",
		NamePlacement: "left", ShowUnfilled: true, Sizing: "auto", MinVizWidth: 8, MinVizHeight: 16, MaxVizHeight: 300,
		Legend: LegendOff{DisplayMode: "list", Placement: "bottom", Calcs: []string{}}}
	return p
}

// series is a chart over time.
func series(title, description, unit string, targets ...Target) Panel {
	p := newPanel("timeseries", title, description, unit, targets...)
	p.FieldConfig.Defaults.Color = &Color{Mode: "palette-classic"}
	p.FieldConfig.Defaults.Custom = SeriesField{
		DrawStyle: "line", LineWidth: 2, FillOpacity: 8, ShowPoints: "auto", PointSize: 6, AxisSoftMin: ptr(0.0),
	}
	p.Options = SeriesOptions{Legend: LegendOff{
		ShowLegend: true, DisplayMode: "list", Placement: "bottom", Calcs: []string{},
	}, Tooltip: Tooltip{Mode: "multi", Sort: "none"}}
	return p
}

// monthly is a chart of a few points, each of which is a whole month: points are drawn and joined across missing
// months.
func monthly(title, description, unit string, targets ...Target) Panel {
	p := series(title, description, unit, targets...)
	p.FieldConfig.Defaults.Custom = SeriesField{
		DrawStyle: "line", LineWidth: 2, FillOpacity: 0, ShowPoints: "always", PointSize: 7, AxisSoftMin: ptr(0.0),
	}
	return p
}

// table lists rows.
func table(title, description string, targets ...Target) Panel {
	p := newPanel("table", title, description, unitNone, targets...)
	p.FieldConfig.Defaults.Custom = CellField{Align: "auto", CellOptions: &CellType{Type: "auto"}}
	p.Options = TableOptions{ShowHeader: true, CellHeight: "sm"}
	return p
}

// with changes the fields of that name.
func (p Panel) with(name string, properties ...Property) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides,
		Override{Matcher: Matcher{ID: "byName", Options: name}, Properties: properties})
	return p
}

// matching changes the fields whose name matches the regular expression.
func (p Panel) matching(pattern string, properties ...Property) Panel {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides,
		Override{Matcher: Matcher{ID: "byRegexp", Options: pattern}, Properties: properties})
	return p
}

// limits colours the value.
func (p Panel) limits(t *Thresholds) Panel {
	p.FieldConfig.Defaults.Thresholds = t
	return p
}

// decimals fixes the digits after the comma.
func (p Panel) decimals(n int) Panel {
	p.FieldConfig.Defaults.Decimals = &n
	return p
}

// line draws the thresholds into a time series.
func (p Panel) line(t *Thresholds) Panel {
	p.FieldConfig.Defaults.Thresholds = t
	c := p.FieldConfig.Defaults.Custom.(SeriesField)
	c.ThresholdsStyle = &ModeField{Mode: "dashed"}
	p.FieldConfig.Defaults.Custom = c
	return p
}

// wall makes the background of a stat speak, for reading across the room.
func (p Panel) wall() Panel {
	o := p.Options.(StatOptions)
	o.ColorMode = "background_solid"
	p.Options = o
	return p
}

// band colours the area between the bounds of an interval.
func (p Panel) band(low, high, colour string) Panel {
	hidden := Property{"custom.lineWidth", 0}
	tint := Property{"color", Color{Mode: "fixed", FixedColor: colour}}
	return p.
		with(low, hidden, tint, Property{"custom.showPoints", "never"}, Property{"custom.fillOpacity", 0}).
		with(high, hidden, tint, Property{"custom.showPoints", "never"}, Property{"custom.fillOpacity", 18},
			Property{"custom.fillBelowTo", low})
}

// count shows a series of n as pale bars with an axis of its own.
func (p Panel) count(name string) Panel {
	return p.with(name, Property{"unit", unitCount}, Property{"decimals", 0}, Property{"custom.drawStyle", "bars"},
		Property{"custom.axisPlacement", "right"},
		Property{"custom.fillOpacity", 18}, Property{"custom.lineWidth", 0}, Property{"custom.showPoints", "never"},
		Property{"min", 0},
		Property{"custom.thresholdsStyle", ModeField{Mode: "off"}}, // the line belongs to the other axis

		Property{"color", Color{Mode: "fixed", FixedColor: grey}})
}

func unit(u string) Property { return Property{"unit", u} }

func width(pixels int) Property { return Property{"custom.width", pixels} }

func digits(n int) Property { return Property{"decimals", n} }

func colour(c string) Property { return Property{"color", Color{Mode: "fixed", FixedColor: c}} }

// hidden leaves a column of a table out.
func hidden() Property { return Property{"custom.hideFrom.viz", true} }

func cell(kind, mode string) Property {
	return Property{"custom.cellOptions", CellType{Type: kind, Mode: mode}}
}

// high makes the lines of a table taller, for reading from a distance.
func (p Panel) high() Panel {
	p.Options = TableOptions{ShowHeader: true, CellHeight: "lg"}
	return p
}
