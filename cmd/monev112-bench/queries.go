package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/dashboards"
	"github.com/monev112/monev112/dashboards/fill"
)

// queryGoal is what every statement of every dashboard must stay below.
const queryGoal = time.Second

// queryRuns is how often each statement runs; the median counts. One that takes hopelessly long runs once.
const (
	queryRuns = 3
	hopeless  = 4 * queryGoal
)

// queries measures every statement of every dashboard over a country's year.
func (b *bench) queries(ctx context.Context) (err error) {
	c, err := b.openCountry(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	return b.measureQueries(ctx, c.p, c.until)
}

// openCountry starts an engine with a country's year, which is made where the folder does not hold it yet.
func (b *bench) openCountry(ctx context.Context) (*country, error) {
	p, st, err := b.database(ctx, cmp.Or(b.country, filepath.Join(b.top, "country")))
	if err != nil {
		return nil, err
	}
	c := &country{calls: b.calls, until: time.Now().UTC().Truncate(24 * time.Hour), p: p, store: st}
	for _, step := range []struct {
		table string
		fill  func(context.Context) error
	}{{"calls", c.make}, {"tickets_daily", c.rollUp}} {
		n, err := p.query("SELECT count() FROM monev112." + step.table)
		if err == nil && n == "0" {
			err = step.fill(ctx)
		}
		if err != nil {
			c.close()
			return nil, err
		}
	}
	if err := settleMerges(ctx, p); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *country) close() {
	_ = c.store.Close()
	_ = c.p.stop()
}

// settleMerges waits until ClickHouse has merged what it merges by itself.
func settleMerges(ctx context.Context, p *process) error {
	return p.until(ctx, "merges end", time.Second, func() bool {
		n, err := p.query("SELECT count() FROM system.merges")
		return err == nil && n == "0"
	})
}

// asked is one statement of a page under one selection.
type asked struct {
	page, panel, selection string
	sql                    string
	rows, bytes            string
	took, cpu              time.Duration // medians
	problem                string
}

func (b *bench) measureQueries(ctx context.Context, p *process, until time.Time) error {
	list, err := statements(until)
	if err != nil {
		return err
	}
	for i := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		list[i].measure(ctx, p)
		if i%40 == 39 {
			fmt.Fprintf(os.Stderr, "  %d of %d statements measured\n", i+1, len(list))
		}
	}
	slices.SortStableFunc(list, func(a, b asked) int {
		return cmp.Or(cmp.Compare(b.cpu, a.cpu), cmp.Compare(b.took, a.took))
	})
	counts, err := p.query(
		"SELECT concat(toString((SELECT count() FROM monev112.calls)), ' calls, ', toString((SELECT count() FROM monev112.tickets)), ' tickets, ', toString((SELECT count() FROM monev112.clocks)), ' clocks, superseded rows included') FORMAT TSVRaw")
	if err != nil {
		return err
	}
	w := os.Stdout
	fmt.Fprintf(w, "Statements of the dashboards over %s; the slowest first\n\n", counts)
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "dashboard\tpanel\tselection\trows\tms\tprocessor ms\tread\t")
	for _, a := range list {
		mark := ""
		if a.took > queryGoal {
			mark = "OVER 1 s"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", a.page, a.panel, a.selection, a.rows, a.took.Milliseconds(),
			a.cpu.Milliseconds(), a.bytes, mark+a.problem)
	}
	_ = tw.Flush()
	fmt.Fprintln(w)
	b.addSlowest("dashboard queries, slowest for one centre", list, false)
	b.addSlowest("dashboard queries, slowest over all centres", list, true)
	return nil
}

// addSlowest adds the slowest statement to the table: of those over all centres, or of the others. Where one was
// refused the goal was not reached.
func (b *bench) addSlowest(measure string, list []asked, everywhere bool) {
	var n, over, refused int
	where := ""
	var worst time.Duration
	for _, a := range list {
		if (a.selection == allCentres) != everywhere {
			continue
		}
		n++
		if a.problem != "" {
			refused++
			continue
		}
		if a.took > queryGoal {
			over++
		}
		if a.took > worst {
			worst, where = a.took, fmt.Sprintf("%s for %s: %s, %s; ", ms(a.took), a.page, a.panel, a.selection)
		}
	}
	f := figure{measure, worst.Seconds(), "s", false}
	if refused > 0 {
		f.value = never
	}
	b.table.add(f, queryGoal.Seconds(), "",
		fmt.Sprintf("%s%d statements, %d over 1 s, %d refused", where, n, over, refused))
}

const allCentres = "all centres, a year"

// statements are those of every page under every selection, as Grafana would send them.
func statements(until time.Time) ([]asked, error) {
	day := 24 * time.Hour
	// One month of one department, whose facts are as old as the year is long; and the page as it opens.
	month := fill.Selection{From: until.Add(-90 * day), To: until.Add(-60*day - time.Millisecond)}
	year := fill.Selection{From: until.Add(-countryDays * day), To: until.Add(-time.Millisecond)}
	var out []asked
	for _, file := range dashboards.All() {
		d := file.Dashboard
		one := map[string][]string{
			"opd": {"dishub"}, "kecamatan": {"35.15.18"}, "priority": {"darurat"}, "category": {"kebakaran"},
		}
		every, narrow := map[string][]string{}, map[string][]string{}
		for _, v := range d.Templating.List {
			every[v.Name] = []string{v.Current.Value}
			if v.Current.Value == "$__all" {
				every[v.Name] = []string{v.AllValue}
			}
			narrow[v.Name] = every[v.Name]
			if values, ok := one[v.Name]; ok {
				narrow[v.Name] = values
			}
		}
		if _, vertical := narrow["opd"]; vertical && file.Name == "vertical.json" {
			narrow["opd"] = []string{"pln"}
		}
		add := func(panel, raw string) error {
			for _, s := range []struct {
				name   string
				values map[string][]string
				span   fill.Selection
			}{
				{"one centre, a year", every, year}, {"one OPD, a month", narrow, month}, {allCentres, every, year},
			} {
				text := raw
				if s.name == allCentres {
					if text = strings.ReplaceAll(raw, "center = '${center}'", "center != ''"); text == raw {
						continue
					}
				}
				s.span.Values = s.values
				sql, err := s.span.SQL(text)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", file.Name, panel, err)
				}
				out = append(out, asked{
					page: strings.TrimSuffix(file.Name, filepath.Ext(file.Name)), panel: panel, selection: s.name, sql: sql,
				})
			}
			return nil
		}
		for _, panel := range d.Panels {
			for _, target := range panel.Targets {
				if target.RawSQL == "" {
					continue
				}
				if err := add(panel.Title, target.RawSQL); err != nil {
					return nil, err
				}
			}
		}
		for _, a := range d.Annotations.List {
			if a.Target.RawSQL != "" {
				if err := add("annotation "+a.Name, a.Target.RawSQL); err != nil {
					return nil, err
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" && v.Datasource.Type == "grafana-clickhouse-datasource" {
				if err := add("variable "+v.Name, v.Query); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// measure runs the statement as a reader without a key, as Grafana does. Its processor time, of which /proc knows
// hundredths of a second, says more than the clock on the wall where the machine does other work too.
func (a *asked) measure(ctx context.Context, p *process) {
	addr := p.engine
	var times, cpus []time.Duration
	for range queryRuns {
		before, _ := p.used()
		began := time.Now()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost,
			"http://"+addr+"/?database="+url.QueryEscape(store.DefaultDatabase), strings.NewReader(a.sql+"\nFORMAT JSONCompact"))
		if err != nil {
			a.problem = err.Error()
			return
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			a.problem = err.Error()
			return
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		times = append(times, time.Since(began))
		after, _ := p.used()
		cpus = append(cpus, after.cpu-before.cpu)
		if err != nil || answer.StatusCode != http.StatusOK {
			a.problem = fmt.Sprintf("%s %.160s", answer.Status, body)
			break
		}
		var sum struct {
			Rows  string `json:"result_rows"`
			Bytes int64  `json:"read_bytes,string"`
		}
		_ = json.Unmarshal([]byte(answer.Header.Get("X-ClickHouse-Summary")), &sum)
		a.rows, a.bytes = sum.Rows, mib(sum.Bytes)
		if times[len(times)-1] > hopeless {
			break
		}
	}
	slices.Sort(times)
	slices.Sort(cpus)
	a.took, a.cpu = times[len(times)/2], cpus[len(cpus)/2]
}
