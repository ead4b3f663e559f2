package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a mapping file; the shipped ones have below 8 KiB and nest 5 deep. The YAML package takes quadratic time
// and stack for what nests without end.
const (
	maxMappingBytes = 64 << 10
	maxMappingDepth = 32
)

// nesting is an upper bound of how deep brackets and the dashes at the start of a line nest, brackets in texts and
// comments included. Deeper nesting by indentation is bounded by maxMappingBytes.
func nesting(text []byte) int {
	deepest, brackets := 0, 0
	for line := range bytes.Lines(text) {
		dashes := 0
		for rest := bytes.TrimLeft(line, " "); len(rest) > 1 && (rest[0] == '-' || rest[0] == '?') &&
			rest[1] == ' '; rest = bytes.TrimLeft(rest[1:], " ") {
			dashes++
		}
		deepest = max(deepest, dashes)
		for _, c := range line {
			switch c {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets = max(brackets-1, 0)
			}
			deepest = max(deepest, brackets)
		}
	}
	return deepest
}

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
	Separator   string `yaml:"separator"`
	Encoding    string `yaml:"encoding"`
	HeaderRows  int    `yaml:"header_rows"`
	RowsPerCase string `yaml:"rows_per_case"`
	ShortRows   string `yaml:"short_rows"`
	Sheets      names  `yaml:"sheets"`
}

type fieldSpec struct {
	Column     names             `yaml:"column"`
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
	Type       string            `yaml:"type"`
	Subject    string            `yaml:"subject"`
	ID         string            `yaml:"id"`
	Time       string            `yaml:"time"`
	Pick       string            `yaml:"pick"`
	Required   bool              `yaml:"required"`
	When       []condSpec        `yaml:"when"`
	Data       map[string]names  `yaml:"data"`
	Attributes map[string]string `yaml:"attributes"`
}

type condSpec struct {
	Field  string   `yaml:"field"`
	Equals *string  `yaml:"equals"`
	In     []string `yaml:"in"`
	NotIn  []string `yaml:"not_in"`
	Empty  *bool    `yaml:"empty"`
}

// names is one string or a list of them.
type names []string

// UnmarshalYAML takes both forms.
func (n *names) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*n = names{one}
		return nil
	}
	var many []string
	if err := unmarshal(&many); err != nil {
		return errors.New("expected a text or a list of texts")
	}
	*n = many
	return nil
}

// MappingError is one fault of a mapping: where it stands, what is wrong and what would be right.
type MappingError struct {
	File    string
	Line    int    // 0 when no line is known
	Field   string // for example events[2].time
	Problem string
	Remedy  string
}

// Error gives file, line, field, problem and remedy in one line.
func (e *MappingError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, ": %s", e.Field)
	}
	fmt.Fprintf(&b, ": %s", e.Problem)
	if e.Remedy != "" {
		fmt.Fprintf(&b, "; %s", e.Remedy)
	}
	return b.String()
}

// readSpec decodes a mapping strictly: an unknown or repeated key is an error.
func readSpec(file string, text []byte) (s spec, tree *ast.File, err error) {
	if len(text) > maxMappingBytes {
		return s, nil, &MappingError{File: file, Problem: fmt.Sprintf("the mapping is longer than %d bytes", maxMappingBytes)}
	}
	if nesting(text) > maxMappingDepth {
		return s, nil, &MappingError{
			File: file, Problem: fmt.Sprintf("the mapping nests deeper than %d", maxMappingDepth),
			Remedy: "close brackets on the line that opens them; a mapping nests 5 deep",
		}
	}
	defer func() {
		// The YAML package panics on a few malformed documents; a mapping is input and input never panics.
		if r := recover(); r != nil {
			err = &MappingError{
				File: file, Problem: "the mapping is not valid YAML", Remedy: "check indentation, quotes and anchors",
			}
		}
	}()
	tree, err = parser.ParseBytes(text, 0)
	if err == nil && bytes.ContainsAny(text, "&*") {
		err = refuseAliases(file, tree)
	}
	if err == nil {
		err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.DisallowUnknownField()).Decode(&s)
	}
	if err == nil {
		return s, tree, nil
	}
	var known *MappingError
	if errors.As(err, &known) {
		return s, nil, err
	}
	fault := &MappingError{
		File: file, Problem: "the mapping is not valid: " + err.Error(), Remedy: "docs/import.md lists the keys",
	}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		fault.Problem = syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			fault.Line = t.Position.Line
			fault.Field = strings.TrimSpace(t.Value)
		}
	}
	return s, nil, fault
}

// refuseAliases refuses anchors and aliases: they let a small file stand for a huge one, and no mapping needs them.
func refuseAliases(file string, tree *ast.File) error {
	for _, doc := range tree.Docs {
		for _, kind := range []ast.NodeType{ast.AnchorType, ast.AliasType} {
			if found := ast.Filter(kind, doc.Body); len(found) > 0 {
				return &MappingError{File: file, Line: found[0].GetToken().Position.Line,
					Problem: "anchors (&) and aliases (*) are not supported",
					Remedy:  "write the value out, or quote a text that begins with & or *"}
			}
		}
	}
	return nil
}

// lineOf returns the line of the node at path ("$.events[2].time"), or of its nearest ancestor that exists.
func lineOf(tree *ast.File, path string) int {
	for path != "" && path != "$" {
		if p, err := yaml.PathString(path); err == nil {
			if n, err := p.FilterFile(tree); err == nil && n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
				return n.GetToken().Position.Line
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return 0
		}
		path = path[:cut]
	}
	return 0
}
