package dashboards

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/dashboards/fill"
)

// Every statement runs on the engine, as a reader without a key sends it, with All and with one and two selections. On
// an empty database it gives no row, or a row without figures: never a zero that nobody measured.
func TestEveryStatementRuns(t *testing.T) {
	addr, key := enginetest.Start(t)
	database := enginetest.Database(t)
	s, err := store.Open(t.Context(), store.Config{Addr: addr, Password: key, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(sql string) (string, int) {
		r, err := http.Post("http://"+addr+"/", "text/plain",
			strings.NewReader(sql+"\nFORMAT TSVWithNamesAndTypes"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), r.StatusCode
	}
	several := map[string][]string{
		"opd": {"damkar", "kec_waru"}, "kecamatan": {"35.15.18", "35.15.01"}, "priority": {"darurat", "mendesak"},
		"category": {"pju", "kebakaran"},
	}
	n := 0
	for _, file := range All() {
		d := file.Dashboard
		every, one, two := map[string][]string{}, map[string][]string{}, map[string][]string{}
		for _, v := range d.Templating.List {
			every[v.Name] = []string{v.Current.Value}
			if v.Name == "database" {
				every[v.Name] = []string{database}
			}
			if v.Current.Value == "$__all" {
				every[v.Name] = []string{v.AllValue}
			}
			one[v.Name], two[v.Name] = every[v.Name], every[v.Name]
			if values, ok := several[v.Name]; ok {
				one[v.Name], two[v.Name] = values[:1], values
			}
		}
		statements := map[string]Target{}
		var page struct{ Panels []looks }
		if err := json.Unmarshal(file.JSON, &page); err != nil {
			t.Fatal(err)
		}
		shown := map[string]looks{}
		for _, p := range page.Panels {
			if len(p.Targets) > 0 && p.Targets[0].RawSQL != "" {
				shown[p.Title+" "+p.Targets[0].RefID] = p
			}
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				if target.RawSQL != "" {
					statements[p.Title+" "+target.RefID] = target
				}
			}
		}
		for _, a := range d.Annotations.List {
			statements["annotation "+a.Name] = a.Target
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" && v.Datasource.Type == clickhouseRef["type"] {
				statements["variable "+v.Name] = Target{RawSQL: v.Query, Format: 1}
			}
		}
		from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 31, 16, 59, 59, 0, time.UTC)
		for name, target := range statements {
			for i, values := range []map[string][]string{every, one, two} {
				sql, err := fill.Selection{From: from, To: to, Values: values}.SQL(target.RawSQL)
				if err != nil {
					t.Errorf("%s, %s: %v", file.Name, name, err)
					continue
				}
				n++
				got, status := ask(sql)
				if status != http.StatusOK {
					t.Errorf("%s, %s, selection %d: %s\n%s", file.Name, name, i, got, sql)
					break
				}
				header, body, _ := strings.Cut(got, "\n")
				types, body, _ := strings.Cut(body, "\n")
				if p, ok := shown[name]; ok && i == 0 {
					p.columns(t, strings.Split(header, "\t"), strings.Split(types, "\t"))
				}
				if target.Format == nil && !strings.HasPrefix(header, "time\t") {
					t.Errorf("%s, %s: a time series begins with %q", file.Name, name, header)
				}
				if strings.HasPrefix(name, "annotation") {
					continue
				}
				if body != "" && regexp.MustCompile(`(^|\t)[0-9]+(\.[0-9]+)?(\t|\n)`).MatchString(code.ReplaceAllString(body, "")) &&
					!strings.HasPrefix(name, "Lima indikator") {
					t.Errorf("%s, %s: figures of an empty database:\n%s", file.Name, name, got)
				}
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d statements ran", n)
	}
}

// code is the code of a centre.
var code = regexp.MustCompile(`\b\d\d\.\d\d\b`)

// columns checks what can be said of a panel once its columns are known: that no name is cut, and that a date of a table
// is not left to the browser.
func (p *looks) columns(t *testing.T, names, types []string) {
	t.Helper()
	switch p.Type {
	case "table":
		for i, name := range names {
			if strings.Contains(types[i], "Date") && !slices.ContainsFunc(p.FieldConfig.Overrides, func(o override) bool {
				return o.Matcher.Options == name && slices.ContainsFunc(o.Properties, func(p Property) bool {
					return p.ID == "unit" && strings.HasPrefix(p.Value.(string), "time:")
				})
			}) {
				t.Errorf("%q: the column %s is a date without a format", p.Title, name)
			}
		}
		if cut := p.cut(names); len(cut) > 0 {
			t.Errorf("%q cuts the columns %s", p.Title, strings.Join(cut, ", "))
		}
	case "stat":
		p.room(t, names)
	}
}

// The words of SQL are those of the program's other screens: two units, and what is less is cut off.
func TestDurationsAndSharesAsText(t *testing.T) {
	addr, _ := enginetest.Start(t)
	for seconds, want := range map[string]string{
		"NULL::Nullable(Int64)": `\N`, "0": "0 detik", "59.9": "59 detik", "60": "1 menit", "125": "2 menit 5 detik",
		"3600": "1 jam", "7800": "2 jam 10 menit", "86399": "23 jam 59 menit", "86400": "1 hari", "277140": "3 hari 4 jam",
	} {
		if got := ask(t, addr, "SELECT "+duration(seconds)); got != want {
			t.Errorf("%s s: %q, want %q", seconds, got, want)
		}
	}
	for share, want := range map[string]string{
		"NULL::Nullable(Float64)": `\N`, "0": "0,0 %", "0.954": "95,4 %", "1": "100,0 %", "1 / 3": "33,3 %", "0.8996": "90,0 %",
	} {
		if got := ask(t, addr, "SELECT "+percent(share)); got != want {
			t.Errorf("%s: %q, want %q", share, got, want)
		}
	}
}

func ask(t *testing.T, addr, sql string) string {
	t.Helper()
	r, err := http.Post("http://"+addr+"/", "text/plain", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%v %s\n%s", err, b, sql)
	}
	return strings.TrimSpace(string(b))
}

// Of centres whose intervals overlap none is ranked, and one with few cases stands in nobody's way.
func TestCentresAreRankedOnlyWhereTheyDiffer(t *testing.T) {
	addr, key := enginetest.Start(t)
	database := enginetest.Database(t)
	s, err := store.Open(t.Context(), store.Config{Addr: addr, Password: key, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/", strings.NewReader(
		"INSERT INTO "+database+`.calls_daily (center, day, version, received, answered, classified, hoax) VALUES
		('01.01', '2026-10-03', 1, 100, 100, 100, 10), ('01.02', '2026-10-03', 1, 100, 100, 100, 60),
		('01.03', '2026-10-03', 1, 60, 60, 60, 33), ('01.03', '2026-10-04', 1, 40, 40, 40, 22),
		('01.04', '2026-10-03', 1, 3, 3, 3, 1), ('01.05', '2026-10-03', 1, 100, 100, 100, 95)`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-ClickHouse-Key", key)
	if a, err := http.DefaultClient.Do(r); err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", a, err)
	} else {
		a.Body.Close()
	}
	of := fill.Selection{
		From:   time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		To:     time.Date(2026, 10, 31, 16, 59, 59, 0, time.UTC),
		Values: map[string][]string{"database": {database}},
	}
	for title, want := range map[string]string{
		"Rasio hoaks": "01.01 10 100 lebih rendah 1; 01.04 1 3 data terbatas –; 01.03 55 100 tidak dapat dibedakan –; " +
			"01.02 60 100 tidak dapat dibedakan –; 01.05 95 100 lebih tinggi 4",
		"Panggilan terakhir setiap pusat": "35.15 belum pernah ; 01.01 03/10/2026 28; 01.02 03/10/2026 28; " +
			"01.04 03/10/2026 28; 01.05 03/10/2026 28; 01.03 04/10/2026 27",
	} {
		for _, file := range All() {
			for _, p := range file.Dashboard.Panels {
				if file.Name != "provinsi.json" || p.Title != title {
					continue
				}
				sql, err := of.SQL(p.Targets[0].RawSQL)
				if err != nil {
					t.Fatal(err)
				}
				columns := `"Kode", "Pembilang", "n", "Dibanding semua", "Peringkat"`
				if title != "Rasio hoaks" {
					columns = `"Kode", "Panggilan terakhir", ifNull(toString("Hari diam"), '')`
				}
				got := strings.NewReplacer("\t", " ", "\n", "; ").Replace(ask(t, addr, "SELECT "+columns+" FROM ("+sql+")"))
				if got != want {
					t.Errorf("%s: %s\nwant %s", title, got, want)
				}
			}
		}
	}
}
