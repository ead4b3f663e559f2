package mapping

import (
	"github.com/monev112/monev112/collector/internal/yamlfile"
)

// maxMappingBytes bounds a mapping file; the shipped ones have below 8 KiB.
const maxMappingBytes = 64 << 10

// spec is a mapping as its YAML says it; docs/import.md explains every key.
type spec struct {
	Version     int                  `yaml:"version"`
	Name        string               `yaml:"name"`
	Description string               `yaml:"description"`
	Source      string               `yaml:"source"`
	Center      string               `yaml:"center"`
	Timezone    string               `yaml:"timezone"`
	Ambiguous   string               `yaml:"ambiguous"`
	Nonexistent string               `yaml:"nonexistent"`
	Nulls       []string             `yaml:"nulls"`
	Table       tableSpec            `yaml:"table"`
	Fields      map[string]fieldSpec `yaml:"fields"`
	Events      []eventSpec          `yaml:"events"`
}

type tableSpec struct {
	Separator   string         `yaml:"separator"`
	Encoding    string         `yaml:"encoding"`
	HeaderRows  int            `yaml:"header_rows"`
	RowsPerCase string         `yaml:"rows_per_case"`
	ShortRows   string         `yaml:"short_rows"`
	Sheets      yamlfile.Texts `yaml:"sheets"`
}

type fieldSpec struct {
	Column     yamlfile.Texts    `yaml:"column"`
	Columns    []string          `yaml:"columns"`
	Join       *string           `yaml:"join"`
	Type       string            `yaml:"type"`
	Formats    []string          `yaml:"formats"`
	Nulls      []string          `yaml:"nulls"`
	Values     map[string]string `yaml:"values"`
	Otherwise  *string           `yaml:"otherwise"`
	IgnoreCase bool              `yaml:"ignore_case"`
	Required   bool              `yaml:"required"`
	Optional   bool              `yaml:"optional"`
	Decimal    string            `yaml:"decimal"`
	Multiply   float64           `yaml:"multiply"`
	Follows    string            `yaml:"follows"`
	RollDay    bool              `yaml:"roll_day"`
	NightShift *nightSpec        `yaml:"night_shift"`
}

type nightSpec struct {
	Until string   `yaml:"until"`
	Field string   `yaml:"field"`
	In    []string `yaml:"in"`
}

type eventSpec struct {
	Type       string                    `yaml:"type"`
	Subject    string                    `yaml:"subject"`
	ID         string                    `yaml:"id"`
	Time       string                    `yaml:"time"`
	Pick       string                    `yaml:"pick"`
	Required   bool                      `yaml:"required"`
	When       []condSpec                `yaml:"when"`
	Data       map[string]yamlfile.Texts `yaml:"data"`
	Attributes map[string]string         `yaml:"attributes"`
}

type condSpec struct {
	Field  string   `yaml:"field"`
	Equals *string  `yaml:"equals"`
	In     []string `yaml:"in"`
	NotIn  []string `yaml:"not_in"`
	Empty  *bool    `yaml:"empty"`
}
