package dashboards

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// looks is the part of a panel that says how fields look.
type looks struct {
	Title, Type string
	GridPos     struct{ W, H int }
	Targets     []Target
	FieldConfig struct {
		Defaults  map[string]any
		Overrides []override
	}
	Options map[string]any
}

type override struct {
	Matcher    struct{ ID, Options string }
	Properties []Property
}

func eachLook(t *testing.T, f func(t *testing.T, p looks)) {
	for _, file := range All() {
		t.Run(file.Name, func(t *testing.T) {
			var d struct{ Panels []looks }
			if err := json.Unmarshal(file.JSON, &d); err != nil {
				t.Fatal(err)
			}
			for _, p := range d.Panels {
				if p.Type != "row" {
					f(t, p)
				}
			}
		})
	}
}

var (
	// languageFree are the units that hold no word and, but for those that pointed names, no decimal point.
	languageFree = []string{"none", "string", "locale", "dthms", "percentunit", "bytes"}
	// pointed are written with a decimal point whatever the language: they are shown without decimals.
	pointed    = regexp.MustCompile(`^(percentunit|bytes|suffix:.*)$`)
	ownWord    = regexp.MustCompile(`^suffix:(detik|menit|jam|hari)$`)
	dateFormat = regexp.MustCompile(`^time:((DD/)?MM(/YYYY)?( HH\.mm)?|HH\.mm)$`)
)

// unitProblem says what a reader of Indonesian would find wrong with a unit.
func unitProblem(unit string, decimals any) string {
	switch {
	case strings.HasPrefix(unit, "time:"):
		if !dateFormat.MatchString(unit) || strings.Contains(unit, "DD") && !strings.Contains(unit, "DD/MM") {
			return "is no date as 30/11/2026 and no time as 07.30"
		}
	case !slices.Contains(languageFree, unit) && !ownWord.MatchString(unit):
		return "is one that Grafana writes in English, or that nobody has looked at"
	case pointed.MatchString(unit) && decimals != 0.0:
		return "has a decimal point: show it without decimals"
	}
	return ""
}

func TestUnitsHoldNoEnglishWord(t *testing.T) {
	for unit, decimals := range map[string]any{
		"s": nil, "m": nil, "d": nil, "h": nil, "ms": nil, "dtdurations": nil, "dtdurationms": nil, "cpm": nil, "cps": nil,
		"rowsps": nil, "reqps": nil, "short": nil, "percentunit": 1.0, "percent": nil, "bytes": nil, "clocks": nil,
		"suffix:days": 0.0, "suffix:detik": nil, "time:MM/DD": nil, "time:DD MMM YYYY": nil, "time:HH:mm": nil,
		"dateTimeFromNow": nil,
		"dateTimeAsIso":   nil, "": nil,
	} {
		if unitProblem(unit, decimals) == "" {
			t.Errorf("%q with decimals %v passes", unit, decimals)
		}
	}
	eachLook(t, func(t *testing.T, p looks) {
		of := p.FieldConfig.Defaults
		check := func(where string, unit, decimals any) {
			if problem := unitProblem(fmt.Sprint(unit), decimals); problem != "" {
				t.Errorf("%q, %s: the unit %v %s", p.Title, where, unit, problem)
			}
		}
		check("all fields", of["unit"], of["decimals"])
		dated := false
		for _, o := range p.FieldConfig.Overrides {
			unit, decimals, states := of["unit"], of["decimals"], false
			for _, property := range o.Properties {
				switch property.ID {
				case "unit":
					unit, states = property.Value, true
				case "decimals":
					decimals = property.Value
				}
			}
			check(o.Matcher.Options, unit, decimals)
			dated = dated || states && o.Matcher.ID == "byType" && o.Matcher.Options == "time" &&
				strings.HasPrefix(fmt.Sprint(unit), "time:")
		}
		if p.Type == "timeseries" && !dated {
			t.Errorf("%q: an instant of its axis is written as Grafana does, 11/24", p.Title)
		}
	})
}

// What a panel shows where it has nothing is decided for each: a list of what happened has "tidak ada", a figure that
// nobody measured "belum ada data", a cell without a figure in a row that has others "–".
func TestWhatIsAbsentIsSaidRightly(t *testing.T) {
	said := map[string]int{}
	eachLook(t, func(t *testing.T, p looks) {
		empty := fmt.Sprint(p.FieldConfig.Defaults["noValue"])
		said[empty]++
		switch {
		case empty != "tidak ada" && empty != "belum ada data":
			t.Errorf("%q says %q without data", p.Title, empty)
		case empty == "tidak ada" && p.Type == "stat" && p.Targets[0].Expr != "":
			t.Errorf("%q: a gauge that is absent was not measured", p.Title)
		}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if v := property.Value; property.ID == "noValue" && v != "–" && v != "di bawah tahun lalu" {
					t.Errorf("%q, %s: says %q without data", p.Title, o.Matcher.Options, v)
				}
			}
		}
	})
	if said["tidak ada"] < 10 || said["belum ada data"] < 30 {
		t.Errorf("said: %v", said)
	}
}

// Pixels of a column of the grid on a page of 1600, of a letter of a name, and of what stands around a name.
const (
	gridPixels   = 66.0
	letterPixels = 7.4
	cellPixels   = 18.0
)

// word is the longest word of a text: what cannot be wrapped.
func word(text string) (longest int) {
	for w := range strings.FieldsSeq(text) {
		longest = max(longest, len([]rune(w)))
	}
	return longest
}

// cut says which of a table's columns are too narrow for a word of their names.
func (p *looks) cut(columns []string) (out []string) {
	widths, left, free := make([]float64, len(columns)), float64(p.GridPos.W)*gridPixels-24, 0
	for i, column := range columns {
		name, hidden := column, false
		for _, o := range p.FieldConfig.Overrides {
			pattern := strings.TrimSuffix(strings.TrimPrefix(o.Matcher.Options, "/"), "/")
			if o.Matcher.ID == "byName" && o.Matcher.Options != column ||
				o.Matcher.ID == "byRegexp" && !regexp.MustCompile(pattern).MatchString(column) || o.Matcher.ID == "byType" {
				continue
			}
			for _, property := range o.Properties {
				switch property.ID {
				case "custom.width":
					widths[i] = property.Value.(float64)
				case "displayName":
					name = property.Value.(string)
				case "custom.hideFrom.viz":
					hidden = true
				}
			}
		}
		left -= widths[i]
		if columns[i] = name; hidden {
			columns[i] = ""
		} else if widths[i] == 0 {
			free++
		}
	}
	for i, name := range columns {
		width := widths[i]
		if width == 0 {
			width = left / float64(max(1, free))
		}
		if need := letterPixels*float64(word(name)) + cellPixels; name != "" && width < need {
			out = append(out, fmt.Sprintf("%s (%.0f pixels, needs %.0f)", name, width, need))
		}
	}
	return out
}

// Names are not cut: cells and headings of tables are wrapped, and numbers that stand beside each other have room for
// their names.
func TestNamesAreNotCut(t *testing.T) {
	eachLook(t, func(t *testing.T, p looks) {
		custom, _ := p.FieldConfig.Defaults["custom"].(map[string]any)
		switch p.Type {
		case "table":
			if custom["wrapText"] != true || custom["wrapHeaderText"] != true {
				t.Errorf("%q cuts its cells", p.Title)
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if strings.HasPrefix(property.ID, "custom.wrap") {
						t.Errorf("%q, %s: %s", p.Title, o.Matcher.Options, property.ID)
					}
				}
			}
		case "stat":
			if p.Options["textMode"] != "value_and_name" {
				return
			}
			var names []string
			for _, target := range p.Targets {
				if target.RawSQL == "" {
					names = append(names, target.LegendFormat)
				}
			}
			p.room(t, names)
		}
	})
}

// room checks that numbers beside or, where the panel says so, below each other have room for their names.
func (p *looks) room(t *testing.T, names []string) {
	t.Helper()
	text, _ := p.Options["text"].(map[string]any)
	size, _ := text["valueSize"].(float64)
	side := float64(len(names))
	if p.Options["orientation"] == "horizontal" {
		side = 1
		if height := (float64(p.GridPos.H)*38 - 48) / float64(len(names)); height < 1.2*(15+size) {
			t.Errorf("%q has %.0f pixels for each number", p.Title, height)
		}
	}
	for _, name := range names {
		width := float64(p.GridPos.W)*gridPixels/side - cellPixels
		if need := letterPixels * 15 / 14 * float64(len([]rune(name))); need > width {
			t.Errorf("%q cuts %q: %.0f pixels, needs %.0f", p.Title, name, width, need)
		}
	}
}
