package mapping

import (
	"fmt"
	"time"

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
	Sequence    *sequenceSpec  `yaml:"sequence"`
}

// sequenceSpec puts the rows of a case into an order: by a time, and rows of one time as they stand in the file.
type sequenceSpec struct {
	Case string `yaml:"case"`
	Time string `yaml:"time"`
	Rows string `yaml:"rows"`
}

type fieldSpec struct {
	Column     yamlfile.Texts    `yaml:"column"`
	Columns    []string          `yaml:"columns"`
	FirstOf    []string          `yaml:"first_of"`
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
	RollDay    rollSpec          `yaml:"roll_day"`
	Plus       string            `yaml:"plus"`
	NightShift *nightSpec        `yaml:"night_shift"`
}

// rollSpec is how long after the time that it follows a time may be once it is moved over midnight; 0: it is not moved.
type rollSpec time.Duration

// rollLimit is the limit that `roll_day: true` means. What goes back by less than a day without it is clock skew or a
// slip, and no midnight.
const rollLimit = 12 * time.Hour

// UnmarshalText reads true, false or a duration such as 6h.
func (r *rollSpec) UnmarshalText(text []byte) error {
	switch string(text) {
	case "true":
		*r = rollSpec(rollLimit)
		return nil
	case "false":
		*r = 0
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < time.Minute || d >= 24*time.Hour {
		return yamlfile.Wrong(fmt.Sprintf("%q is no limit", text),
			"write true, or the longest time between the two, such as 6h")
	}
	*r = rollSpec(d)
	return nil
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
	By         string                    `yaml:"by"`
	Required   bool                      `yaml:"required"`
	When       []condSpec                `yaml:"when"`
	Data       map[string]yamlfile.Texts `yaml:"data"`
	Attributes map[string]string         `yaml:"attributes"`
}

type condSpec struct {
	Field   string   `yaml:"field"`
	Equals  *string  `yaml:"equals"`
	In      []string `yaml:"in"`
	NotIn   []string `yaml:"not_in"`
	Empty   *bool    `yaml:"empty"`
	Changed bool     `yaml:"changed"`
}
