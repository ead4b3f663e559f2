package dashboards

import (
	"strings"

	"github.com/monev112/monev112/collector/store"
)

// all is what a variable holds while All is selected: a regular expression for Prometheus and for chosen alike.
const all = ".*"

func dataSource(name, label, kind string) Variable {
	return Variable{
		Name: name, Label: label, Type: "datasource", Query: kind, Refresh: 1, Current: Option{}, Options: []Option{},
		Hide: 2,
	}
}

// sources are the variables that every page begins with; hidden, since a deployment has one of each.
func sources() []Variable {
	return []Variable{
		dataSource("prometheus", "Prometheus", prometheusRef.Type),
		dataSource("clickhouse", "ClickHouse", clickhouseRef.Type),
		fixed("database", "Basis data ClickHouse", store.DefaultDatabase),
	}
}

// liveCentre lists the centres that have a board.
func liveCentre() Variable {
	code := names.DefaultCenter()
	q := "label_values(monev112_window_calls, center)"
	return Variable{Name: "center", Label: "Pusat layanan", Type: "query", Datasource: &prometheusRef, Query: q,
		Refresh: 1, Sort: 5,
		Current: Option{Text: code, Value: code}, Options: []Option{}}
}

// centre lists the centres that have calls.
func centre() Variable {
	code := names.DefaultCenter()
	ids, texts, name := []string{}, []string{}, code
	for _, c := range names.Centers() {
		if c.Code == code {
			name = c.Name
		}
		ids, texts = append(ids, c.Code), append(texts, c.Name)
	}
	return fromClickHouse("center", "Pusat layanan",
		"SELECT DISTINCT center AS value, "+named("center", ids, texts)+" AS text FROM calls_hourly ORDER BY text",
		Option{Text: name, Value: code})
}

// fromClickHouse asks for two columns: the value, then the text that is shown.
func fromClickHouse(name, label, sql string, current Option) Variable {
	return Variable{
		Name: name, Label: label, Type: "query", Datasource: &clickhouseRef, Query: tidy(sql), Refresh: 1, Current: current,
		Options: []Option{},
	}
}

func selection(v Variable) Variable {
	v.Multi, v.IncludeAll, v.AllValue = true, true, all
	v.Current = Option{Text: "Semua", Value: "$__all"}
	return v
}

func opdVariable(scope string) Variable {
	label := "OPD"
	if scope == vertical {
		label = "Instansi"
	}
	return selection(fromClickHouse("opd", label, "SELECT DISTINCT assumeNotNull(opd) AS value, "+opdName("opd")+
		" AS text FROM tickets WHERE "+here+" AND opd IS NOT NULL AND scope = '"+scope+"' ORDER BY text", Option{}))
}

func kecamatanVariable() Variable {
	return selection(fromClickHouse("kecamatan", "Kecamatan",
		"SELECT DISTINCT assumeNotNull(kecamatan) AS value, "+kecamatanName("kecamatan")+
			" AS text FROM tickets WHERE "+here+" AND kecamatan IS NOT NULL ORDER BY text", Option{}))
}

func categoryVariable() Variable {
	return selection(fromClickHouse("category", "Kategori",
		"SELECT DISTINCT assumeNotNull(category) AS value, "+categoryName("category")+
			" AS text FROM tickets WHERE "+here+" AND category IS NOT NULL ORDER BY text", Option{}))
}

func priorityVariable() Variable {
	v := selection(Variable{Name: "priority", Label: "Prioritas", Type: "custom"})
	pairs := [][2]string{
		{"darurat", "Darurat"}, {"mendesak", "Mendesak"}, {"non_darurat", "Non darurat"}, {"informasi", "Informasi"},
	}
	var query []string
	v.Options = []Option{{Selected: true, Text: "Semua", Value: "$__all"}}
	for _, p := range pairs {
		query = append(query, p[1]+" : "+p[0])
		v.Options = append(v.Options, Option{Text: p[1], Value: p[0]})
	}
	v.Query = strings.Join(query, ", ")
	return v
}

// fixed is a number that a deployment may change without touching a query.
func fixed(name, label, value string) Variable {
	return Variable{Name: name, Label: label, Type: "constant", Query: value, Hide: 2,
		Current: Option{Text: value, Value: value},
		Options: []Option{{Selected: true, Text: value, Value: value}}}
}
