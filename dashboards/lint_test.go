package dashboards

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/monev112/monev112/collector/observability/metrics"
	"github.com/monev112/monev112/dashboards/fill"
)

// eachPanel calls f with every panel of every page, headings and notes apart.
func eachPanel(t *testing.T, f func(t *testing.T, d Dashboard, p Panel)) {
	for _, file := range All() {
		t.Run(file.Name, func(t *testing.T) {
			for _, p := range file.Dashboard.Panels {
				if p.Type != "row" && p.Type != "text" {
					f(t, file.Dashboard, p)
				}
			}
		})
	}
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	sentence := regexp.MustCompile(`^\p{Lu}?.{40,}\.`)
	eachPanel(t, func(t *testing.T, d Dashboard, p Panel) {
		f := p.FieldConfig.Defaults
		switch {
		case p.Title == "":
			t.Errorf("panel %d has no title", p.ID)
		case !sentence.MatchString(p.Description):
			t.Errorf("%q has no definition", p.Title)
		case f.Unit == "":
			t.Errorf("%q has no unit", p.Title)
		case len(p.Targets) == 0:
			t.Errorf("%q asks for nothing", p.Title)
		}
		// A percentage stands beside its n, in the panel and in its definition.
		shows := f.Unit == "percentunit"
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				shows = shows || property.ID == "unit" && property.Value == "percentunit"
			}
		}
		for _, target := range p.Targets {
			shows = shows || strings.Contains(target.RawSQL, `, %"`) || strings.Contains(target.RawSQL, "' %'")
		}
		if shows {
			text := p.Description
			n := false
			for _, target := range p.Targets {
				n = n || target.LegendFormat == "n" || strings.Contains(target.LegendFormat, "dari n") ||
					regexp.MustCompile(`"(dari )?n( \w+)*"|AS n\b|, n\b`).MatchString(target.RawSQL)
			}
			if !n {
				t.Errorf("%q shows a percentage without its n", p.Title)
			}
			if !strings.Contains(text, "dibagi") && !strings.Contains(text, "Bagian") && !strings.Contains(text, "bagian") {
				t.Errorf("%q shows a percentage and its definition names no denominator", p.Title)
			}
		}
		// A title must fit its panel on a page of 1600 pixels, with the mark of the description beside it.
		if limit := int((float64(p.GridPos.W)*66 - 68) / 7.4); len([]rune(p.Title)) > limit {
			t.Errorf("%q is too long for %d columns", p.Title, p.GridPos.W)
		}
	})
}

func TestThePagesAreLaidOut(t *testing.T) {
	uids := map[string]bool{}
	for _, file := range All() {
		d := file.Dashboard
		if uids[d.UID] || d.UID == "" || len(d.UID) > 40 {
			t.Errorf("%s: uid %q", file.Name, d.UID)
		}
		uids[d.UID] = true
		if d.Timezone != zone || d.SchemaVersion != 42 || d.Title == "" || d.Description == "" {
			t.Errorf("%s: zone %q, schema %d", file.Name, d.Timezone, d.SchemaVersion)
		}
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] || p.ID < 1 {
				t.Errorf("%s: id %d of %q is not the only one", file.Name, p.ID, p.Title)
			}
			ids[p.ID] = true
			g := p.GridPos
			if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > columns {
				t.Errorf("%s: %q lies at %+v", file.Name, p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("%s: %q lies on %q", file.Name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
		// No line of the page is left empty for more than a quarter.
		depth := 0
		for cell := range taken {
			depth = max(depth, cell[1]+1)
		}
		for y := range depth {
			n := 0
			for x := range columns {
				if _, ok := taken[[2]int{x, y}]; ok {
					n++
				}
			}
			if n < columns*3/4 {
				t.Errorf("%s: line %d of the grid has only %d of %d columns", file.Name, y, n, columns)
			}
		}
	}
	for _, file := range All() {
		for _, l := range file.Dashboard.Links {
			uid := strings.TrimPrefix(strings.Split(l.URL, "?")[0], "/d/")
			if !uids[uid] || uid == file.Dashboard.UID || !l.IncludeVars {
				t.Errorf("%s: link to %q", file.Name, l.URL)
			}
		}
		if len(file.Dashboard.Links) != len(All())-1 {
			t.Errorf("%s has %d links", file.Name, len(file.Dashboard.Links))
		}
	}
}

// Every variable that a text uses exists on the page; every one that exists is used or says where data comes from.
func TestVariablesExistAndAreUsed(t *testing.T) {
	for _, file := range All() {
		d := file.Dashboard
		defined := map[string]bool{}
		for _, v := range d.Templating.List {
			if defined[v.Name] {
				t.Errorf("%s: variable %s twice", file.Name, v.Name)
			}
			defined[v.Name] = true
			if v.Label == "" {
				t.Errorf("%s: variable %s has no label", file.Name, v.Name)
			}
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		used := fill.Names(string(text))
		for _, name := range used {
			if !defined[name] {
				t.Errorf("%s uses the variable %s, which it does not have", file.Name, name)
			}
		}
		for name := range defined {
			if !slices.Contains(sources, name) && !slices.Contains(used, name) {
				t.Errorf("%s: nothing uses the variable %s", file.Name, name)
			}
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if target.Datasource.UID != "${prometheus}" && target.Datasource.UID != "${clickhouse}" {
					t.Errorf("%s: %q asks the data source %q", file.Name, p.Title, target.Datasource.UID)
				}
			}
		}
	}
}

// foreign are the series that are Prometheus's own, and labels that the scrape or an alert adds.
var foreign = map[string][]string{"ALERTS": {"alertname", "alertstate", "severity", "opd"}}

// Every expression parses, and names only metrics and labels that /metrics has.
func TestPromQLSpeaksOfMetricsThatExist(t *testing.T) {
	known := maps.Clone(foreign)
	for _, d := range metrics.Definitions() {
		known[d.Name] = d.Labels
		if d.Type == metrics.Histogram {
			known[d.Name+"_bucket"] = append(slices.Clone(d.Labels), "le")
			known[d.Name+"_sum"], known[d.Name+"_count"] = d.Labels, d.Labels
		}
	}
	p := parser.NewParser(parser.Options{})
	chosen := fill.Selection{
		From: time.Unix(0, 0), To: time.Unix(1, 0),
		Values: map[string][]string{"center": {"35.15"}, "opd": {"damkar", "dishub"}},
	}
	n := 0
	eachPanel(t, func(t *testing.T, d Dashboard, panel Panel) {
		for _, target := range panel.Targets {
			if target.Expr == "" {
				continue
			}
			n++
			expr, err := chosen.PromQL(target.Expr)
			if err != nil {
				t.Errorf("%q: %v", panel.Title, err)
				continue
			}
			tree, err := p.ParseExpr(expr)
			if err != nil {
				t.Errorf("%q: %v\n%s", panel.Title, err, expr)
				continue
			}
			have := map[string]bool{"le": true}
			parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
				if s, ok := node.(*parser.VectorSelector); ok {
					names, ok := known[s.Name]
					if !ok {
						t.Errorf("%q: there is no metric %s", panel.Title, s.Name)
					}
					for _, l := range names {
						have[l] = true
					}
					for _, m := range s.LabelMatchers {
						if m.Name != model.MetricNameLabel && !slices.Contains(names, m.Name) {
							t.Errorf("%q: %s has no label %s", panel.Title, s.Name, m.Name)
						}
					}
				}
				return nil
			})
			parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
				if a, ok := node.(*parser.AggregateExpr); ok {
					for _, l := range a.Grouping {
						if !have[l] {
							t.Errorf("%q: groups by %s, which no metric of it has", panel.Title, l)
						}
					}
				}
				return nil
			})
			for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				if !have[m[1]] {
					t.Errorf("%q: the legend names %s", panel.Title, m[1])
				}
			}
			if target.Instant == target.Range {
				t.Errorf("%q asks neither for now nor for a range", panel.Title)
			}
		}
	})
	if n < 50 {
		t.Errorf("only %d expressions were seen", n)
	}
}

// A gauge of the board may come from several collectors: it is never summed across them.
func TestBoardGaugesAreNotSummedAcrossCollectors(t *testing.T) {
	gauges := map[string]bool{}
	for _, d := range metrics.Definitions() {
		gauges[d.Name] = d.Type == metrics.Gauge
	}
	p := parser.NewParser(parser.Options{})
	chosen := fill.Selection{Values: map[string][]string{"center": {"35.15"}, "opd": {".*"}}}
	eachPanel(t, func(t *testing.T, d Dashboard, panel Panel) {
		for _, target := range panel.Targets {
			if target.Expr == "" {
				continue
			}
			expr, err := chosen.PromQL(target.Expr)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := p.ParseExpr(expr)
			if err != nil {
				t.Fatal(err)
			}
			parser.Inspect(tree, func(node parser.Node, path []parser.Node) error {
				s, ok := node.(*parser.VectorSelector)
				if !ok || !gauges[s.Name] {
					return nil
				}
				for i := len(path) - 1; i >= 0; i-- {
					if a, ok := path[i].(*parser.AggregateExpr); ok {
						if a.Op != parser.MAX && a.Op != parser.MIN {
							t.Errorf("%q: the first aggregation of %s is %s", panel.Title, s.Name, a.Op)
						}
						return nil
					}
				}
				t.Errorf("%q: %s is not aggregated", panel.Title, s.Name)
				return nil
			})
		}
	})
}
