package dashboards

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/deploy"
)

// prometheusRef and clickhouseRef follow the variables of every page.
var (
	prometheusRef = Ref{Type: "prometheus", UID: "${prometheus}"}
	clickhouseRef = Ref{Type: "grafana-clickhouse-datasource", UID: "${clickhouse}"}
)

// now asks Prometheus for the present value.
func now(legend, expr string) Target {
	return Target{Datasource: prometheusRef, Expr: expr, Instant: true, LegendFormat: legend}
}

// overTime asks Prometheus for the range of the page.
func overTime(legend, expr string) Target {
	return Target{Datasource: prometheusRef, Expr: expr, Range: true, LegendFormat: legend}
}

// nowRows asks Prometheus for the present value as a table, a row a series.
func nowRows(expr string) Target {
	return Target{Datasource: prometheusRef, Expr: expr, Instant: true, Format: "table"}
}

// rows asks ClickHouse for a table.
func rows(sql string) Target {
	return Target{Datasource: clickhouseRef, EditorType: "sql", QueryType: "table", Format: 1, RawSQL: tidy(sql)}
}

// points asks ClickHouse for a time series: a column `time` and a column a series.
func points(sql string) Target {
	return Target{Datasource: clickhouseRef, EditorType: "sql", QueryType: "timeseries", RawSQL: tidy(sql)}
}

// source finds the tables and views that a query reads, by their names.
var source = regexp.MustCompile(`\b(FROM|(?:INNER|LEFT) JOIN) ([a-z]\w+)`)

// tidy writes the database before the names that a query reads, whatever the data source's own is, and removes the
// indentation that the query has in Go.
func tidy(sql string) string {
	sql = source.ReplaceAllString(sql, "$1 $${database}.$2")
	lines := strings.Split(strings.Trim(sql, "\n\t "), "\n")
	cut := -1
	for _, l := range lines[1:] {
		if t := strings.TrimLeft(l, "\t"); t != "" && (cut < 0 || len(l)-len(t) < cut) {
			cut = len(l) - len(t)
		}
	}
	for i, l := range lines {
		if i > 0 && cut > 0 && len(l) >= cut {
			l = l[cut:]
		}
		lines[i] = strings.TrimRight(strings.ReplaceAll(l, "\t", "  "), " ")
	}
	return strings.Join(lines, "\n")
}

// The days of the chosen range, first and one past the last, in the zone of the page. An end at midnight belongs to the
// day before.
const (
	zone  = "Asia/Jakarta"
	since = "toDate($__fromTime, '" + zone + "')"
	until = "(toDate($__toTime - 1, '" + zone + "') + 1)"
	// month is the first day of the month in which the range ends: the month that the indicators are about.
	month = "toStartOfMonth(toDate($__toTime - 1, '" + zone + "'))"
)

// inRange limits a column `day`.
const inRange = "day >= " + since + " AND day < " + until

// here limits to the chosen centre.
const here = "center = '${center}'"

// chosen limits a column to a selection; a regular expression serves All, one and several alike, and the same variable
// serves Prometheus.
func chosen(column, variable string) string {
	return fmt.Sprintf("match(ifNull(%s, ''), '^(${%s:regex})$')", column, variable)
}

// share is numerator / denominator, NULL of nothing.
func share(numerator, denominator string) string {
	return fmt.Sprintf("if(%[2]s = 0, NULL, %[1]s / %[2]s)", numerator, denominator)
}

// names are the words of the shipped directory: what an id is called on screen.
var names = directory.MustLoad("directory.yaml", deploy.Directory)

// named writes an id as its name in the directory, and an id that the directory does not know as it is.
func named(column string, ids, texts []string) string {
	quote := func(list []string) string {
		for i, s := range list {
			list[i] = "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprintf("transform(ifNull(%s, ''), %s, %s, ifNull(%s, ''))", column, quote(ids), quote(texts), column)
}

func opdName(column string) string {
	ids, texts := []string{""}, []string{"(pusat layanan)"}
	for _, o := range names.OPDs(names.DefaultCenter()) {
		ids, texts = append(ids, o.ID), append(texts, o.Name)
	}
	return named(column, ids, texts)
}

func kecamatanName(column string) string {
	ids, texts := []string{""}, []string{"(tidak diketahui)"}
	for _, k := range names.AllKecamatan(names.DefaultCenter()) {
		ids, texts = append(ids, k.Code), append(texts, k.Name)
	}
	return named(column, ids, texts)
}

func categoryName(column string) string {
	ids, texts := []string{""}, []string{"(tanpa kategori)"}
	for _, c := range names.Categories(names.DefaultCenter()) {
		ids, texts = append(ids, c.ID), append(texts, c.Name)
	}
	return named(column, ids, texts)
}

func clockName(column string) string {
	return named(column, []string{"answer", "acknowledge", "arrive", "resolve", "resolve_total", "confirm", "given"},
		[]string{
			"jawab panggilan", "diterima OPD", "tiba di lokasi", "selesai ditangani", "selesai seluruhnya", "konfirmasi pelapor",
			"batas dari sumber",
		})
}

func intervalName(column string) string {
	return named(column, []string{
		"answer", "classify", "talk", "dispatch", "acknowledge", "turnout", "travel", "respond", "own", "resolve",
		"resolve_net", "confirm",
	},
		[]string{
			"waktu jawab", "klasifikasi", "lama bicara", "disposisi", "terima OPD", "berangkat", "tempuh", "waktu tanggap",
			"bagian OPD", "penyelesaian", "penyelesaian tanpa jeda", "konfirmasi",
		})
}

func priorityName(column string) string {
	return named(column, []string{"", "darurat", "mendesak", "non_darurat", "informasi"},
		[]string{"(tanpa prioritas)", "darurat", "mendesak", "non darurat", "informasi"})
}
