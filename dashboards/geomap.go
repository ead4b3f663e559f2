package dashboards

// geo is a map of points: columns lat and lon, and one number that gives their size.
func geo(title, description string, target Target) Panel {
	p := newPanel("geomap", title, description, unitCount, target)
	p.FieldConfig.Defaults.Color = &Color{Mode: "continuous-YlRd"}
	p.FieldConfig.Defaults.Custom = struct{}{}
	p.Options = GeoOptions{
		View:     GeoView{ID: "coords", Lat: -7.45, Lon: 112.68, Zoom: 10.6, AllLayers: true},
		Controls: GeoControls{ShowZoom: true, ShowAttribution: true},
		Basemap:  GeoLayer{Type: "default", Name: "Peta dasar"},
		Layers: []GeoLayer{{Type: "markers", Name: "Tiket", Tooltip: true,
			Location: &GeoLocation{Mode: "coords", Latitude: "lat", Longitude: "lon"},
			Config: &MarkerConfig{ShowLegend: false, Style: MarkerStyle{
				Size: Scaled{Field: "Tiket", Fixed: 8, Min: 6, Max: 26}, Color: FieldColor{Field: "Tiket", Fixed: calm},
				Opacity: 0.7,
				Symbol:  Symbol{Mode: "fixed", Fixed: "img/icons/marker/circle.svg"},
				Text:    &MarkerText{Mode: "field", Field: "Kecamatan"},
			}}}},
		Tooltip: ModeField{Mode: "details"},
	}
	return p
}

// GeoOptions are those of a map.
type GeoOptions struct {
	View     GeoView     `json:"view"`
	Controls GeoControls `json:"controls"`
	Basemap  GeoLayer    `json:"basemap"`
	Layers   []GeoLayer  `json:"layers"`
	Tooltip  ModeField   `json:"tooltip"`
}

// GeoView is the part of the world that is shown.
type GeoView struct {
	ID        string  `json:"id"`
	Lat       float64 `json:"lat"`
	Lon       float64 `json:"lon"`
	Zoom      float64 `json:"zoom"`
	AllLayers bool    `json:"allLayers"`
}

// GeoControls are the buttons on the map.
type GeoControls struct {
	ShowZoom        bool `json:"showZoom"`
	ShowAttribution bool `json:"showAttribution"`
	MouseWheelZoom  bool `json:"mouseWheelZoom"`
}

// GeoLayer is the ground or the points on it.
type GeoLayer struct {
	Type     string        `json:"type"`
	Name     string        `json:"name"`
	Tooltip  bool          `json:"tooltip,omitempty"`
	Location *GeoLocation  `json:"location,omitempty"`
	Config   *MarkerConfig `json:"config,omitempty"`
}

// GeoLocation says which columns hold the place.
type GeoLocation struct {
	Mode      string `json:"mode"`
	Latitude  string `json:"latitude"`
	Longitude string `json:"longitude"`
}

// MarkerConfig draws the points.
type MarkerConfig struct {
	ShowLegend bool        `json:"showLegend"`
	Style      MarkerStyle `json:"style"`
}

// MarkerStyle is the look of a point.
type MarkerStyle struct {
	Size    Scaled      `json:"size"`
	Color   FieldColor  `json:"color"`
	Opacity float64     `json:"opacity"`
	Symbol  Symbol      `json:"symbol"`
	Text    *MarkerText `json:"text,omitempty"`
}

// Scaled is a size that follows a column.
type Scaled struct {
	Field string  `json:"field"`
	Fixed float64 `json:"fixed"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
}

// FieldColor is a colour that follows a column.
type FieldColor struct {
	Field string `json:"field"`
	Fixed string `json:"fixed"`
}

// Symbol is the shape of a point.
type Symbol struct {
	Mode  string `json:"mode"`
	Fixed string `json:"fixed"`
}

// MarkerText writes a column beside the point.
type MarkerText struct {
	Mode  string `json:"mode"`
	Field string `json:"field"`
	Fixed string `json:"fixed"`
}
