package dashboards

// The classic dashboard model of Grafana, as far as it is used here. Field names and meaning are Grafana's; the schemas
// in testdata/schema hold them against Grafana's own types.

// SchemaVersion is the version of the classic model that is written.
const SchemaVersion = 42

// Dashboard is one page.
type Dashboard struct {
	UID           string     `json:"uid"`
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	Tags          []string   `json:"tags"`
	Timezone      string     `json:"timezone"`
	WeekStart     string     `json:"weekStart"`
	Editable      bool       `json:"editable"`
	GraphTooltip  int        `json:"graphTooltip"` // 1: crosshair in all panels
	Refresh       string     `json:"refresh"`
	Time          TimeRange  `json:"time"`
	Timepicker    Timepicker `json:"timepicker"`
	Templating    Templating `json:"templating"`
	Annotations   Annotated  `json:"annotations"`
	Links         []Link     `json:"links"`
	Panels        []Panel    `json:"panels"`
	SchemaVersion int        `json:"schemaVersion"`
}

// TimeRange holds Grafana's relative times, such as now-1h.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Timepicker offers ranges beside Grafana's own.
type Timepicker struct {
	RefreshIntervals []string     `json:"refresh_intervals,omitempty"`
	QuickRanges      []QuickRange `json:"quick_ranges,omitempty"`
}

// QuickRange is one offer of the time picker.
type QuickRange struct {
	Display string `json:"display"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// Templating lists the variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a selection at the top of the page.
type Variable struct {
	Name        string   `json:"name"`
	Label       string   `json:"label"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type"` // datasource, query, custom, constant
	Datasource  *Ref     `json:"datasource,omitempty"`
	Query       string   `json:"query"`
	Regex       string   `json:"regex,omitempty"`
	Refresh     int      `json:"refresh,omitempty"` // 1: on load, 2: on a change of the range
	Sort        int      `json:"sort,omitempty"`    // 5: by the alphabet, upper and lower case alike
	Multi       bool     `json:"multi,omitempty"`
	IncludeAll  bool     `json:"includeAll,omitempty"`
	AllValue    string   `json:"allValue,omitempty"`
	Current     Option   `json:"current"`
	Options     []Option `json:"options"`
	Hide        int      `json:"hide,omitempty"` // 2: not shown
}

// Option is one value of a variable.
type Option struct {
	Selected bool   `json:"selected,omitempty"`
	Text     string `json:"text"`
	Value    string `json:"value"`
}

// Ref names a data source; its uid is a variable everywhere but in annotations of Grafana itself.
type Ref struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Annotated lists the annotations.
type Annotated struct {
	List []Annotation `json:"list"`
}

// Annotation marks moments in the time series of a page.
type Annotation struct {
	Name       string  `json:"name"`
	Datasource Ref     `json:"datasource"`
	Enable     bool    `json:"enable"`
	Hide       bool    `json:"hide"`
	IconColor  string  `json:"iconColor"`
	Target     *Target `json:"target,omitempty"`
}

// Link leads to another page.
type Link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Icon        string   `json:"icon"`
	URL         string   `json:"url"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

// Panel is one picture or, with type row, a heading.
type Panel struct {
	ID          int          `json:"id"`
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	GridPos     GridPos      `json:"gridPos"`
	Collapsed   *bool        `json:"collapsed,omitempty"`
	Panels      []Panel      `json:"panels,omitzero"` // of a heading: none, said as an empty list
	Datasource  *Ref         `json:"datasource,omitempty"`
	Targets     []Target     `json:"targets,omitempty"`
	FieldConfig *FieldConfig `json:"fieldConfig,omitempty"`
	Options     any          `json:"options,omitempty"`
	Interval    string       `json:"interval,omitempty"` // smallest step of a range query
}

// GridPos is a place on the grid of 24 columns; a row of the grid is 30 pixels and a gap of 8.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is a query: of Prometheus (Expr) or of ClickHouse (RawSQL).
type Target struct {
	RefID        string `json:"refId"`
	Datasource   Ref    `json:"datasource"`
	Expr         string `json:"expr,omitempty"`
	Instant      bool   `json:"instant,omitempty"`
	Range        bool   `json:"range,omitempty"`
	LegendFormat string `json:"legendFormat,omitempty"`
	Format       any    `json:"format,omitempty"` // Prometheus "table"; ClickHouse 1 (table), absent for a time series
	EditorType   string `json:"editorType,omitempty"`
	QueryType    string `json:"queryType,omitempty"`
	RawSQL       string `json:"rawSql,omitempty"`
}

// FieldConfig says how values are written and drawn.
type FieldConfig struct {
	Defaults  Field      `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Field is the configuration of a value.
type Field struct {
	DisplayName string      `json:"displayName,omitempty"`
	Unit        string      `json:"unit"`
	Decimals    *int        `json:"decimals,omitempty"`
	Min         *float64    `json:"min,omitempty"`
	Max         *float64    `json:"max,omitempty"`
	NoValue     string      `json:"noValue"`
	Color       *Color      `json:"color,omitempty"`
	Thresholds  *Thresholds `json:"thresholds,omitempty"`
	Mappings    []Mapping   `json:"mappings,omitempty"`
	Links       []DataLink  `json:"links,omitempty"`
	Custom      any         `json:"custom,omitempty"`
}

// Color chooses how a value is coloured.
type Color struct {
	Mode       string `json:"mode"`
	FixedColor string `json:"fixedColor,omitempty"`
}

// Thresholds colour a value by its size.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step begins at Value; the first has none.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Mapping writes a value as a text.
type Mapping struct {
	Type    string            `json:"type"`
	Options map[string]Mapped `json:"options"`
}

// Mapped is the text and colour of a mapped value.
type Mapped struct {
	Text  string `json:"text"`
	Color string `json:"color,omitempty"`
	Index int    `json:"index"`
}

// DataLink leads from a value to its explanation.
type DataLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// Override changes the configuration of the fields that Matcher names.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher selects fields.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one changed setting.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Reduce takes one value of a series.
type Reduce struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

// StatOptions are those of a stat panel.
type StatOptions struct {
	ReduceOptions     Reduce `json:"reduceOptions"`
	Orientation       string `json:"orientation"`
	TextMode          string `json:"textMode"`
	WideLayout        bool   `json:"wideLayout"`
	ColorMode         string `json:"colorMode"`
	GraphMode         string `json:"graphMode"`
	JustifyMode       string `json:"justifyMode"`
	ShowPercentChange bool   `json:"showPercentChange"`
	PercentChange     string `json:"percentChangeColorMode"`
	Text              *Text  `json:"text,omitempty"`
}

// Text is the size of letters in pixels.
type Text struct {
	TitleSize int `json:"titleSize,omitempty"`
	ValueSize int `json:"valueSize,omitempty"`
}

// BarOptions are those of a bar gauge.
type BarOptions struct {
	ReduceOptions Reduce    `json:"reduceOptions"`
	Orientation   string    `json:"orientation"`
	DisplayMode   string    `json:"displayMode"`
	ValueMode     string    `json:"valueMode"`
	NamePlacement string    `json:"namePlacement"`
	ShowUnfilled  bool      `json:"showUnfilled"`
	Sizing        string    `json:"sizing"`
	MinVizWidth   int       `json:"minVizWidth"`
	MinVizHeight  int       `json:"minVizHeight"`
	MaxVizHeight  int       `json:"maxVizHeight"`
	Legend        LegendOff `json:"legend"`
}

// LegendOff is a legend that is not shown.
type LegendOff struct {
	ShowLegend  bool     `json:"showLegend"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	Calcs       []string `json:"calcs"`
}

// SeriesOptions are those of a time series panel.
type SeriesOptions struct {
	Legend  LegendOff `json:"legend"`
	Tooltip Tooltip   `json:"tooltip"`
}

// Tooltip shows the values under the pointer.
type Tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

// TableOptions are those of a table.
type TableOptions struct {
	FrameIndex int    `json:"frameIndex"`
	ShowHeader bool   `json:"showHeader"`
	CellHeight string `json:"cellHeight"`
}

// SeriesField draws a series.
type SeriesField struct {
	DrawStyle         string     `json:"drawStyle,omitempty"`
	LineWidth         int        `json:"lineWidth"`
	FillOpacity       int        `json:"fillOpacity"`
	ShowPoints        string     `json:"showPoints,omitempty"`
	PointSize         int        `json:"pointSize,omitempty"`
	SpanNulls         bool       `json:"spanNulls"`
	LineInterpolation string     `json:"lineInterpolation,omitempty"`
	AxisSoftMin       *float64   `json:"axisSoftMin,omitempty"`
	AxisSoftMax       *float64   `json:"axisSoftMax,omitempty"`
	AxisLabel         string     `json:"axisLabel,omitempty"`
	Stacking          *Stacking  `json:"stacking,omitempty"`
	ThresholdsStyle   *ModeField `json:"thresholdsStyle,omitempty"`
}

// Stacking puts series on each other.
type Stacking struct {
	Mode  string `json:"mode"`
	Group string `json:"group"`
}

// ModeField is an object with a mode.
type ModeField struct {
	Mode string `json:"mode"`
}

// CellField draws the cells of a table.
type CellField struct {
	Align       string    `json:"align,omitempty"`
	CellOptions *CellType `json:"cellOptions,omitempty"`
	Width       int       `json:"width,omitempty"`
	Filterable  bool      `json:"filterable,omitempty"`
	Inspect     bool      `json:"inspect"`
}

// CellType is the look of a cell.
type CellType struct {
	Type             string `json:"type"`
	Mode             string `json:"mode,omitempty"`
	ValueDisplayMode string `json:"valueDisplayMode,omitempty"`
	WrapText         bool   `json:"wrapText,omitempty"`
}
