package dashboards

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"text/template"

	"github.com/goccy/go-yaml"
)

//go:embed pages/*.yaml
var pages embed.FS

// File is one generated dashboard.
type File struct {
	Name      string    // of the file, "live.json"
	JSON      []byte    // what Grafana reads: indented, a newline at the end
	Dashboard Dashboard // of that, what our own programs ask
}

// departments is what the two pages of departments differ in. Vertical agencies are outside the regency's power: they
// have a page of their own and never stand in an OPD's score.
type departments struct {
	Scope, Who string // scope of the tickets, what a department is called
}

// page is a file of pages/.
type page struct {
	UID   string `yaml:"uid"` // part of links that people keep: it never changes
	Title string `yaml:"title"`
	// Menu is how other pages link here. Pages over months hand their range on to each other: the floor looks at the last
	// hour and the meeting at months, and neither is a range for the other. The theme stands in the link, because a
	// dashboard cannot state one: dark for the wall of the floor, light for the meeting room and for print.
	Menu struct {
		Title   string `yaml:"title"`
		Tooltip string `yaml:"tooltip"`
		Theme   string `yaml:"theme"`
		Months  bool   `yaml:"months"`
	} `yaml:"menu"`
	Description string            `yaml:"description"`
	Tags        []string          `yaml:"tags"`
	Refresh     string            `yaml:"refresh"`
	Time        map[string]string `yaml:"time"`
	Intervals   []string          `yaml:"refresh_intervals"`
	Variables   []string          `yaml:"variables"` // of parts.yaml, after sources
	Remark      string            `yaml:"remark"`    // ends each panel's definition
	Panels      []panel           `yaml:"panels"`
	parts       parts
}

// parts is pages/parts.yaml, which says what each is.
type parts struct {
	Page, Heading, Panel object
	Kinds, Presets       map[string]object
	Variables            map[string]object
	Notes                []struct{ Name, Query, Colour string }
	Ranges               []object
	Dates                map[string]string // how a kind writes an instant of its axis
	Colours              map[string]string
}

// object is a part of a dashboard in Grafana's words.
type object = map[string]any

// All returns the dashboards in the order of their links. The result depends on the pages and on the shipped defaults
// alone and is the caller's own. It panics where a page cannot be read: pages are part of the program.
func All() []File {
	list := []struct {
		name, source string
		of           departments
	}{
		{"live", "live", departments{}},
		{"opd", "departments", departments{"own", "OPD"}},
		{"vertical", "departments", departments{"vertical", "Instansi"}},
		{"monev", "monev", departments{}},
		{"provinsi", "provinsi", departments{}},
		{"pipeline", "pipeline", departments{}},
	}
	all := make([]page, len(list))
	files := make([]File, len(list))
	for i, l := range list {
		mustRead(l.source, l.of, &all[i])
		mustRead("parts", l.of, &all[i].parts)
	}
	for i, p := range all {
		files[i] = File{Name: list[i].name + ".json", JSON: p.json(all)}
		if err := json.Unmarshal(files[i].JSON, &files[i].Dashboard); err != nil {
			panic(err)
		}
	}
	return files
}

// mustRead fills a file of pages/ in with its functions and decodes it.
func mustRead(name string, of departments, into any) {
	t := template.New(name+".yaml").Delims("{%", "%}").Funcs(functions).Option("missingkey=error")
	t, err := t.ParseFS(pages, "pages/"+name+".yaml")
	var text bytes.Buffer
	if err == nil {
		err = t.Execute(&text, of)
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(text.Bytes(), into, yaml.DisallowUnknownField())
	}
	if err != nil {
		panic(fmt.Errorf("dashboard page %s: %w", name, err))
	}
}

func (p *page) json(all []page) []byte {
	d := with(p.parts.Page, object{
		"uid": p.UID, "title": p.Title, "description": p.Description, "tags": p.Tags, "time": p.Time,
		"refresh": p.Refresh, "templating": object{"list": p.variables()}, "links": p.links(all), "panels": p.layOut(),
		"annotations": object{"list": p.notes()}, "timepicker": p.timepicker(),
	})
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (p *page) timepicker() object {
	t := object{}
	if p.Intervals != nil {
		t["refresh_intervals"] = p.Intervals
	}
	if p.Menu.Months {
		t["quick_ranges"] = p.parts.Ranges
	}
	return t
}

// links lead to the other pages and carry the selection.
func (p *page) links(all []page) []object {
	var out []object
	for _, to := range all {
		if to.UID == p.UID {
			continue
		}
		out = append(out, object{
			"type": "link", "title": to.Menu.Title, "tooltip": to.Menu.Tooltip, "icon": "dashboard",
			"url": "/d/" + to.UID + "?theme=" + to.Menu.Theme, "tags": []string{}, "asDropdown": false,
			"includeVars": true, "keepTime": p.Menu.Months && to.Menu.Months, "targetBlank": false,
		})
	}
	return out
}

// sources are the variables that every page begins with: where its data comes from.
var sources = []string{"prometheus", "clickhouse", "database"}

func (p *page) variables() []object {
	var out []object
	for _, name := range slices.Concat(sources, p.Variables) {
		v, ok := p.parts.Variables[name]
		if !ok {
			panic(fmt.Errorf("dashboard %s: there is no variable %s", p.UID, name))
		}
		out = append(out, with(object{"name": name}, v))
	}
	return out
}

// notes are the annotations, which only pages over the months of one centre have.
func (p *page) notes() []object {
	out := []object{}
	for _, n := range p.parts.Notes {
		if p.Menu.Months && slices.Contains(p.Variables, "center") {
			out = append(out, object{
				"name": n.Name, "datasource": clickhouseRef, "enable": true, "hide": false, "iconColor": n.Colour,
				"target": with(query{Rows: n.Query}.target(), object{"refId": "Anno"}),
			})
		}
	}
	return out
}

// with returns o with the entries of over laid over it, groups entry by entry. It changes neither.
func with(o, over object) object {
	o = maps.Clone(o)
	for k, v := range over {
		below, isGroup := o[k].(object)
		if above, ok := v.(object); ok && isGroup {
			v = with(below, above)
		}
		o[k] = v
	}
	return o
}
