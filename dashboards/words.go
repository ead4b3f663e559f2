package dashboards

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/monev/kendala"
	"github.com/monev112/monev112/collector/monev/report"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store/schema"
	"github.com/monev112/monev112/deploy"
)

const zone = "Asia/Jakarta"

// names are the words of the shipped directory: what an id is called on screen.
var names = directory.MustLoad("directory.yaml", deploy.Directory)

// functions are what the SQL of pages shares.
var functions = template.FuncMap{
	"zone": func() string { return zone },
	// The days of the chosen range, first and one past the last, in the zone of the page. An end at midnight belongs to
	// the day before.
	"since": func() string { return since },
	"until": func() string { return until },
	// Limits a column day to them.
	"inRange": func() string { return "day >= " + since + " AND day < " + until },
	// The first day of the month in which the range ends: the month that the indicators are about.
	"month": func() string { return "toStartOfMonth(toDate($__toTime - 1, '" + zone + "'))" },
	// Limits to the chosen centre.
	"here": func() string { return "center = '${center}'" },
	// Limits a column to a selection; a regular expression serves one and several alike, and the same variable serves
	// Prometheus. With All the column is not even read.
	"chosen": func(column, variable string) string {
		return fmt.Sprintf("('${%[2]s:regex}' = '.*' OR match(ifNull(%[1]s, ''), '^(${%[2]s:regex})$'))", column, variable)
	},
	"duration": duration, "percent": percent,
	"wilsonLow": schema.WilsonLow, "wilsonHigh": schema.WilsonHigh,
	"named":       named,
	"daysOff":     daysOff,
	"center":      names.DefaultCenter,
	"centerName":  func() string { c, _ := names.Center(names.DefaultCenter()); return c.Name },
	"liveCenters": liveCenters,
	"categories":  func() []directory.Category { return names.Categories(names.DefaultCenter()) },
	"kecamatan":   func() []directory.Kecamatan { return names.AllKecamatan(names.DefaultCenter()) },
	"sensitive":   sensitive,
}

// liveCenters lists the centres of the shipped directory that have a board, as strings in SQL.
func liveCenters() string {
	var codes []string
	for _, c := range names.Centers() {
		if !c.Historical {
			codes = append(codes, quote(c.Code))
		}
	}
	return strings.Join(codes, ", ")
}

// sensitive lists the sensitive categories of the shipped directory as a list in SQL.
func sensitive() string {
	var ids []string
	for _, k := range names.Categories(names.DefaultCenter()) {
		if k.Sensitive {
			ids = append(ids, "'"+k.ID+"'")
		}
	}
	return "(" + strings.Join(ids, ", ") + ")"
}

const (
	since = "toDate($__fromTime, '" + zone + "')"
	until = "(toDate($__toTime - 1, '" + zone + "') + 1)"
)

var words = sync.OnceValues(func() (words map[string]yaml.MapSlice, err error) {
	text, err := pages.ReadFile("pages/words.yaml")
	return words, errors.Join(err, yaml.Unmarshal(text, &words))
})

// named writes an id in column as its name, and an id without a name as it is. What kinds of ids there are, words.yaml
// says.
func named(kind, column string) (string, error) {
	var ids, texts []string
	add := func(id, name string) { ids, texts = append(ids, quote(id)), append(texts, quote(name)) }
	all, err := words()
	if err != nil {
		return "", err
	}
	for _, w := range all[kind] {
		add(w.Key.(string), w.Value.(string))
	}
	here := names.DefaultCenter()
	switch kind {
	case "opd":
		for _, o := range names.OPDs(here) {
			add(o.ID, o.Name)
		}
	case "kecamatan":
		for _, k := range names.AllKecamatan(here) {
			add(k.Code, k.Name)
		}
	case "category":
		for _, c := range names.Categories(here) {
			add(c.ID, c.Name)
		}
	case "cause":
		words := kendala.Words()
		for _, id := range slices.Sorted(maps.Keys(words)) {
			add(id, words[id])
		}
	case "flag":
		words := report.FlagWords()
		for _, id := range slices.Sorted(maps.Keys(words)) {
			add(id, words[id])
		}
	case "center":
		for _, c := range names.Centers() {
			add(c.Code, c.Name)
		}
	}
	if ids == nil {
		return "", fmt.Errorf("there are no words for a %s", kind)
	}
	return fmt.Sprintf("transform(ifNull(%s, ''), [%s], [%s], ifNull(%[1]s, ''))", column, strings.Join(ids, ", "),
		strings.Join(texts, ", ")), nil
}

// duration writes a number of seconds as indonesian.Duration does, in its two largest units and in seconds where it is
// less than an hour: Grafana's own units of time are English words.
func duration(seconds string) string {
	two := func(unit, word string, size, smaller int, next string) string {
		return fmt.Sprintf("concat(toString(intDiv(%[1]s, %[3]d)), ' %[2]s', if(intDiv(%[1]s %% %[3]d, %[4]d) = 0, '', "+
			"concat(' ', toString(intDiv(%[1]s %% %[3]d, %[4]d)), ' %[5]s')))", unit, word, size, smaller, next)
	}
	s := "toInt64(" + seconds + ")"
	return fmt.Sprintf("multiIf((%[1]s) IS NULL, NULL, %[2]s < 60, concat(toString(%[2]s), ' detik'), %[2]s < 3600, %[3]s, "+
		"%[2]s < 86400, %[4]s, %[5]s)", seconds, s, two(s, "menit", 60, 1, "detik"), two(s, "jam", 3600, 60, "menit"),
		two(s, "hari", 86400, 3600, "jam"))
}

// percent writes a share as "95,4 %": Grafana's own unit has a decimal point whatever the language.
func percent(share string) string {
	return fmt.Sprintf("if((%[1]s) IS NULL, NULL, concat(replaceOne(toDecimalString(100 * (%[1]s), 1), '.', ','), ' %%'))",
		share)
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }

// daysOff lists the days off of the shipped calendar as ClickHouse tuples of date and name.
func daysOff() (string, error) {
	c, err := shippedCalendar()
	if err != nil {
		return "", err
	}
	var out []string
	for d := c.ValidFrom(); d.Before(c.CoveredUntil()); d = d.AddDate(0, 0, 1) {
		if off, ok := c.DayOffOn(d.Add(12 * time.Hour)); ok {
			out = append(out, fmt.Sprintf("(toDate('%s'), %s)", d.Format(time.DateOnly), quote(off.Name)))
		}
	}
	return strings.Join(out, ", "), nil
}

func shippedCalendar() (*sla.Calendar, error) {
	const dir, name = "defaults/calendars", "id-sidoarjo"
	data, err := fs.ReadFile(deploy.Defaults, dir+"/"+name+".yaml")
	if err != nil {
		return nil, err
	}
	book, err := sla.Load([]sla.File{{Name: name + ".yaml", Data: data}}, sla.Config{Default: sla.Use{Calendar: name}})
	if err != nil {
		return nil, err
	}
	return book.Calendar(names.DefaultCenter()), nil
}
