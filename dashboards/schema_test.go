package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas are made from Grafana's own types (make dashboards-schemas): an object has the properties of its type and no
// other.
type schemas struct{ c *jsonschema.Compiler }

func readSchemas(t *testing.T) schemas {
	t.Helper()
	files, err := filepath.Glob("testdata/schema/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d schemas: %v", len(files), err)
	}
	c := jsonschema.NewCompiler()
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := c.AddResource("schema:///"+filepath.Base(path), root); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return schemas{c}
}

// problem says what is wrong with a value of the type that file and, after #, its definition name; "" when nothing is.
func (s schemas) problem(where, name string, value any) []string {
	schema, err := s.c.Compile("schema:///" + name)
	if err == nil {
		err = schema.Validate(value)
	}
	if err == nil {
		return nil
	}
	return []string{fmt.Sprintf("%s is no %s: %v", where, name, err)}
}

// check says everything that is wrong with a dashboard. The types of the page hold whatever a panel type wants: its
// options, its own part of the field configuration, and each override are held against the types of that panel.
func (s schemas) check(dashboard map[string]any) []string {
	problems := s.problem("the page", "dashboard.json", dashboard)
	for _, p := range dashboard["panels"].([]any) {
		panel := p.(map[string]any)
		kind, where := panel["type"].(string), fmt.Sprintf("%q", panel["title"])
		if kind == "row" {
			problems = append(problems, s.problem(where, "dashboard.json#/definitions/RowPanel", panel)...)
			continue
		}
		problems = append(problems, s.problem(where+", options", kind+".options.json", panel["options"])...)
		config := panel["fieldConfig"].(map[string]any)
		defaults := config["defaults"].(map[string]any)
		custom, _ := defaults["custom"].(map[string]any)
		problems = append(problems, s.custom(where, kind, custom)...)
		for _, o := range config["overrides"].([]any) {
			for _, x := range o.(map[string]any)["properties"].([]any) {
				property := x.(map[string]any)
				id, value := property["id"].(string), property["value"]
				where := fmt.Sprintf("%s, override %s", where, id)
				if value == nil { // takes the setting away
					continue
				}
				name, own := strings.CutPrefix(id, "custom.")
				if !own {
					problems = append(problems,
						s.problem(where, "dashboard.json#/definitions/FieldConfig", map[string]any{id: value})...)
					continue
				}
				// On top of the panel's own, since some settings must be there always.
				changed := maps.Clone(custom)
				if part, ok := strings.CutPrefix(name, "hideFrom."); ok { // the one setting whose parts are set apart
					name, value = "hideFrom", map[string]any{"legend": false, "tooltip": false, "viz": false, part: value}
				}
				changed[name] = value
				problems = append(problems, s.custom(where, kind, changed)...)
			}
		}
		if kind == "geomap" {
			problems = append(problems, s.points(where, panel)...)
		}
	}
	return problems
}

// custom checks the part of the field configuration that is the panel type's own; some types have none.
func (s schemas) custom(where, kind string, custom map[string]any) []string {
	if _, err := os.Stat("testdata/schema/" + kind + ".fieldconfig.json"); err != nil {
		if len(custom) > 0 {
			return []string{fmt.Sprintf("%s: a %s has no field configuration of its own: %v", where, kind, custom)}
		}
		return nil
	}
	return s.problem(where+", fieldConfig.custom", kind+".fieldconfig.json", custom)
}

// points checks the look of the points on a map.
func (s schemas) points(where string, panel map[string]any) (problems []string) {
	for _, l := range panel["options"].(map[string]any)["layers"].([]any) {
		style := l.(map[string]any)["config"].(map[string]any)["style"].(map[string]any)
		for key, dimension := range map[string]string{
			"size": "scale", "color": "color", "symbol": "resource", "text": "text",
		} {
			problems = append(problems, s.problem(where+", "+key, "dimension."+dimension+".json", style[key])...)
		}
	}
	return problems
}

func parse(t *testing.T, text []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func TestTheJSONIsWhatGrafanasTypesSay(t *testing.T) {
	s := readSchemas(t)
	for _, file := range All() {
		for _, problem := range s.check(parse(t, file.JSON)) {
			t.Errorf("%s: %s", file.Name, problem)
		}
	}
}

// everyKind is a page with a panel of each kind.
const everyKind = `
uid: test
tags: []
time: {from: now-1h, to: now}
menu: {months: true}
variables: [center]
panels:
  - heading: Judul
  - {kind: series, title: Grafik, size: [12, 8], ask: [{legend: n, range: up}], fields: [{name: n, as: count}],
     values: {unit: percentunit, steps: [bad, 0.9, good], custom.thresholdsStyle: {mode: dashed}}}
  - {kind: table, title: Tabel, size: [6, 8], ask: [{rows: SELECT 1}],
     fields: [{name: n, width: 80, custom.cellOptions: {type: gauge, mode: basic}}]}
  - {kind: stat, title: Angka, size: [6, 8], ask: [{now: up}]}
  - {kind: bars, title: Balok, size: [12, 8], ask: [{now: up}]}
  - {kind: map, title: Peta, size: [12, 8], ask: [{rows: SELECT 1}]}
`

// A misspelt name or value anywhere is found: each row plants one in a page that is right.
func TestAMisspeltNameIsFound(t *testing.T) {
	s := readSchemas(t)
	var p page
	mustRead("parts", departments{}, &p.parts)
	if err := yaml.Unmarshal([]byte(everyKind), &p); err != nil {
		t.Fatal(err)
	}
	text := p.json([]page{{UID: "other"}})
	if problems := s.check(parse(t, text)); len(problems) > 0 {
		t.Fatalf("without a mistake: %s", strings.Join(problems, "\n"))
	}
	for _, c := range []struct{ right, wrong string }{
		{`"fillOpacity": 8`, `"fillOpacty": 8`},
		{`"custom.fillOpacity"`, `"custom.fillOpacty"`},
		{`"placement": "bottom"`, `"placement": "botom"`},
		{`"mode": "absolute"`, `"mode": "absolut"`},
		{`"mode": "dashed"`, `"mode": "dahsed"`},
		{`"drawStyle": "line"`, `"drawStyle": "lines"`},
		{`"w": 12`, `"width": 12`},
		{`"colorMode": "value"`, `"colorMode": "values"`},
		{`"graphTooltip": 1`, `"graphTooltip": 7`},
		{`"cellHeight": "sm"`, `"cellHeight": "small"`},
		{`"type": "gauge"`, `"type": "gague"`},
		{`"custom.width"`, `"custom.widht"`},
		{`"id": "unit"`, `"id": "units"`},
		{`"collapsed": false`, `"colapsed": false`},
		{`"namePlacement": "left"`, `"namePlacement": "links"`},
		{`"latitude": "lat"`, `"lattitude": "lat"`},
		{`"min": 6`, `"minimum": 6`},
		{`"includeVars": true`, `"includeVars": "yes"`},
		{`"type": "datasource"`, `"type": "data"`},
		{`"iconColor"`, `"iconcolour"`},
	} {
		if !bytes.Contains(text, []byte(c.right)) {
			t.Errorf("the page does not have %s", c.right)
			continue
		}
		var d map[string]any
		if err := json.Unmarshal(bytes.Replace(text, []byte(c.right), []byte(c.wrong), 1), &d); err != nil {
			t.Fatal(err)
		}
		if len(s.check(d)) == 0 {
			t.Errorf("%s in place of %s was not found", c.wrong, c.right)
		}
	}
}
