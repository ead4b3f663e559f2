package dashboards

import (
	"io"
	"net/http"
	"regexp"
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
			strings.NewReader(sql+"\nFORMAT TSVWithNames"))
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
				if target.Format == nil && !strings.HasPrefix(header, "time\t") {
					t.Errorf("%s, %s: a time series begins with %q", file.Name, name, header)
				}
				if strings.HasPrefix(name, "annotation") {
					continue
				}
				if body != "" && regexp.MustCompile(`(^|\t)[0-9.]+(\t|\n)`).MatchString(body) &&
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
