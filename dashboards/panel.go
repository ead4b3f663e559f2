package dashboards

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// columns is the width of Grafana's grid.
const columns = 24

// panel is a picture of a page, or with Heading alone a title across it.
type panel struct {
	Heading string   `yaml:"heading"`
	Kind    string   `yaml:"kind"` // of parts.yaml
	Title   string   `yaml:"title"`
	Size    [2]int   `yaml:"size"`  // columns and rows of the grid; a row is 30 pixels and a gap of 8
	Below   bool     `yaml:"below"` // stands below the panel before it, not beside it
	Empty   string   `yaml:"empty"` // what it says when it has nothing: "tidak ada", or "belum ada data" where nobody measured
	About   string   `yaml:"about"` // the definition of what it shows
	Ask     []query  `yaml:"ask"`
	Values  object   `yaml:"values"`  // settings of all fields
	Fields  []object `yaml:"fields"`  // settings of the fields with that name, or whose name matches
	Options object   `yaml:"options"` // of the kind of panel
}

// query asks Prometheus or ClickHouse; one of the kinds is set.
type query struct {
	Legend string `yaml:"legend"`
	Now    string `yaml:"now"`    // PromQL, the present value
	List   string `yaml:"list"`   // PromQL, the present value as a table, a row a series
	Range  string `yaml:"range"`  // PromQL, over the range of the page
	Rows   string `yaml:"rows"`   // SQL, a table
	Points string `yaml:"points"` // SQL, a time series: a column time and a column a series
}

// prometheusRef and clickhouseRef follow the variables of every page.
var (
	prometheusRef = object{"type": "prometheus", "uid": "${prometheus}"}
	clickhouseRef = object{"type": "grafana-clickhouse-datasource", "uid": "${clickhouse}"}
)

func (q query) target() object {
	t := object{"datasource": prometheusRef}
	switch {
	case q.Now != "":
		t["expr"], t["instant"] = q.Now, true
	case q.List != "":
		t["expr"], t["instant"], t["format"] = q.List, true, "table"
	case q.Range != "":
		t["expr"], t["range"] = q.Range, true
	case q.Rows != "":
		return object{
			"datasource": clickhouseRef, "editorType": "sql", "queryType": "table", "format": 1, "rawSql": q.Rows,
		}
	default:
		return object{"datasource": clickhouseRef, "editorType": "sql", "queryType": "timeseries", "rawSql": q.Points}
	}
	if q.Legend != "" {
		t["legendFormat"] = q.Legend
	}
	return t
}

// layOut places the panels from left to right and begins a new line where one does not fit. It numbers them in order,
// so that an id changes only when the page does.
func (p *page) layOut() []object {
	var out []object
	var x, y, high int // the next free place, and the height of the line so far
	var above struct{ x, bottom int }
	newLine := func() { x, y, high = 0, y+high, 0 }
	for i, spec := range p.Panels {
		w, h := spec.Size[0], spec.Size[1]
		if spec.Heading != "" {
			w, h = columns, 1
		}
		if w < 1 || w > columns || h < 1 {
			panic(fmt.Errorf("dashboard %s, panel %q: %d columns, %d rows", p.UID, spec.Title, w, h))
		}
		switch {
		case spec.Below:
			x = above.x
		case spec.Heading != "" || x+w > columns:
			newLine()
		}
		top := y
		if spec.Below {
			top = above.bottom
		}
		out = append(out, with(p.panel(spec), object{"id": i + 1, "gridPos": object{"x": x, "y": top, "w": w, "h": h}}))
		above.x, above.bottom = x, top+h
		x, high = x+w, max(high, above.bottom-y)
	}
	return out
}

func (p *page) panel(spec panel) object {
	if spec.Heading != "" {
		return with(p.parts.Heading, object{"title": spec.Heading})
	}
	kind, ok := p.parts.Kinds[spec.Kind]
	if !ok {
		panic(fmt.Errorf("dashboard %s, panel %q: there is no kind %q", p.UID, spec.Title, spec.Kind))
	}
	var targets, overrides []object
	if unit, ok := p.parts.Dates[spec.Kind]; ok {
		overrides = append(overrides, object{
			"matcher": object{"id": "byType", "options": "time"},
			// The label of the axis of values is not that of the axis of time.
			"properties": []object{{"id": "unit", "value": unit}, {"id": "custom.axisLabel", "value": ""}},
		})
	}
	for i, q := range spec.Ask {
		targets = append(targets, with(q.target(), object{"refId": string(rune('A' + i))}))
	}
	for _, f := range spec.Fields {
		overrides = append(overrides, p.override(f))
	}
	defaults, custom := object{"noValue": spec.Empty}, object{}
	for name, v := range p.settings(spec.Values) {
		if name, own := strings.CutPrefix(name, "custom."); own {
			custom[name] = v
		} else {
			defaults[name] = v
		}
	}
	if len(custom) > 0 {
		defaults["custom"] = custom
	}
	config := object{"defaults": defaults}
	if overrides != nil {
		config["overrides"] = overrides
	}
	return with(with(p.parts.Panel, kind), object{
		"title": spec.Title, "description": strings.TrimSpace(spec.About + " " + p.Remark), "fieldConfig": config,
		"targets": targets, "datasource": targets[0]["datasource"], "options": with(object{}, spec.Options),
	})
}

// override changes the settings of the fields with a name, or whose name matches a regular expression.
func (p *page) override(f object) object {
	f = maps.Clone(f)
	matcher := object{"id": "byName", "options": f["name"]}
	if pattern, ok := f["match"]; ok {
		matcher = object{"id": "byRegexp", "options": pattern}
	}
	delete(f, "name")
	delete(f, "match")
	settings, properties := p.settings(f), []object{}
	for _, id := range slices.Sorted(maps.Keys(settings)) {
		properties = append(properties, object{"id": id, "value": settings[id]})
	}
	return object{"matcher": matcher, "properties": properties}
}

// settings writes the short settings of a field out in Grafana's words; the others are that already.
func (p *page) settings(short object) object {
	out := object{}
	for name, v := range short {
		switch name {
		case "as":
			preset, ok := p.parts.Presets[v.(string)]
			if !ok {
				panic(fmt.Errorf("dashboard %s: there is no preset %q", p.UID, v))
			}
			out = with(p.settings(preset), out)
		case "colour":
			out["color"] = object{"mode": "fixed", "fixedColor": p.colour(v)}
		case "width": // pixels
			out["custom.width"] = v
		case "steps": // a colour, and pairs of the value from which another begins and that colour
			list := v.([]any)
			steps := []object{{"color": p.colour(list[0]), "value": nil}}
			for i := 1; i+1 < len(list); i += 2 {
				steps = append(steps, object{"value": list[i], "color": p.colour(list[i+1])})
			}
			out["thresholds"] = object{"mode": "absolute", "steps": steps}
		case "marked": // a part of the text, and the colour of texts that have it
			list := v.([]any)
			out["mappings"] = []object{{"type": "regex", "options": object{
				"pattern": fmt.Sprintf("/%s/", list[0]), "result": object{"color": p.colour(list[1]), "index": 0},
			}}}
		case "texts": // of values, in order: the value, the text and, where it has one, the colour
			options := object{}
			for i, item := range v.([]any) {
				t := item.([]any)
				options[t[0].(string)] = object{"text": t[1], "index": i}
				if len(t) > 2 {
					options[t[0].(string)].(object)["color"] = p.colour(t[2])
				}
			}
			out["mappings"] = []object{{"type": "value", "options": options}}
		default:
			out[name] = v
		}
	}
	return out
}

// colour is a colour of parts.yaml, or one of Grafana's own.
func (p *page) colour(name any) string { return cmp.Or(p.parts.Colours[name.(string)], name.(string)) }
