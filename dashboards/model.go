package dashboards

// Dashboard is what programs ask of a page: the part of Grafana's classic model that runs its queries and checks it.
type Dashboard struct {
	UID, Title, Description, Timezone string
	SchemaVersion                     int
	Templating                        struct{ List []Variable }
	Annotations                       struct{ List []Annotation }
	Links                             []Link
	Panels                            []Panel
}

// Variable is a selection at the top of the page.
type Variable struct {
	Name, Label string
	Type        string // datasource, query, custom, constant
	Datasource  Ref
	Query       string
	IncludeAll  bool
	AllValue    string
	Current     struct{ Value string }
}

// Ref names a data source.
type Ref struct{ Type, UID string }

// Annotation marks moments in the time series of a page.
type Annotation struct {
	Name   string
	Target Target
}

// Link leads to another page.
type Link struct {
	URL         string
	IncludeVars bool
}

// Panel is one picture or, with type row, a heading.
type Panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []Target
	FieldConfig              struct {
		Defaults  struct{ Unit, NoValue string }
		Overrides []struct{ Properties []Property }
	}
}

// Target is a query: of Prometheus (Expr) or of ClickHouse (RawSQL).
type Target struct {
	RefID          string
	Datasource     Ref
	Expr           string
	Instant, Range bool
	LegendFormat   string
	Format         any // Prometheus "table"; ClickHouse 1 (table), absent for a time series
	RawSQL         string
}

// Property is one changed setting of a field.
type Property struct {
	ID    string
	Value any
}
