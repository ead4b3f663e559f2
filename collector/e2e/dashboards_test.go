package e2e

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/source/simulate"
	"github.com/monev112/monev112/dashboards"
	"github.com/monev112/monev112/dashboards/fill"
	"github.com/monev112/monev112/deploy"
)

// page asks the queries of one dashboard.
type page struct {
	s *service
	d dashboards.Dashboard
	fill.Selection
}

func (s *service) page(uid string, from, to time.Time) *page {
	s.t.Helper()
	for _, f := range dashboards.All() {
		if f.Dashboard.UID != uid {
			continue
		}
		p := &page{s: s, d: f.Dashboard, Selection: fill.Selection{From: from, To: to, Values: map[string][]string{}}}
		for _, v := range f.Dashboard.Templating.List {
			p.Values[v.Name] = []string{v.Current.Value}
			if v.IncludeAll {
				p.Values[v.Name] = []string{v.AllValue}
			}
		}
		return p
	}
	s.t.Fatalf("no dashboard %s", uid)
	return nil
}

// rows runs the only query of a panel; each row is a map from column to text.
func (p *page) rows(title string) []map[string]string {
	p.s.t.Helper()
	return p.ask(p.panel(title).Targets[0].RawSQL)
}

func (p *page) ask(rawSQL string) []map[string]string {
	p.s.t.Helper()
	sql, err := p.SQL(rawSQL)
	if err != nil {
		p.s.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(p.s.query(sql+"\nFORMAT TSVWithNames"), "\n"), "\n")
	names := strings.Split(lines[0], "\t")
	var out []map[string]string
	for _, l := range lines[1:] {
		row := map[string]string{}
		for i, v := range strings.Split(l, "\t") {
			row[names[i]] = v
		}
		out = append(out, row)
	}
	return out
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	if text == `\N` {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDashboardsAgainstTheTotals runs every query of the pages that read ClickHouse over ten months of history, and
// holds their figures against what the simulation says it made: a second computation that shares no code with them.
func TestDashboardsAgainstTheTotals(t *testing.T) {
	t.Parallel()
	s := newService(t).start()
	if !s.ready() {
		t.Fatal("the service ended")
	}
	totals := s.simulated("--preset", "sidoarjo-2023", "--recommendations")
	s.shipped()
	c := totals.Centers["35.15"]
	wib, err := time.LoadLocation("Asia/Jakarta")
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Date(2023, 1, 1, 0, 0, 0, 0, wib), time.Date(2023, 10, 31, 23, 59, 59, 0, wib)
	names := directory.MustLoad("directory.yaml", deploy.Directory)

	t.Run("every query gives rows", func(t *testing.T) {
		// What ten months without a late or paused ticket cannot show, nor calls whose numbers retention has taken.
		none := map[string]bool{
			"Pemberitahuan terakhir": true, "Alasan jeda": true, "Tiket terlambat": true, "Keamanan pemblokiran": true,
			"Penelepon hoaks": true, "Tiket yang terlambat sekarang": true,
		}
		for _, uid := range []string{"monev112-monev", "monev112-provinsi", "monev112-opd", "monev112-vertical"} {
			p := s.page(uid, from, to)
			for _, panel := range p.d.Panels {
				for _, target := range panel.Targets {
					if target.RawSQL == "" {
						continue
					}
					if rows := p.ask(target.RawSQL); len(rows) == 0 && !none[panel.Title] {
						t.Errorf("%s, %q: no row", p.d.Title, panel.Title)
					}
				}
			}
			for _, v := range p.d.Templating.List {
				if v.Type == "query" && len(p.ask(v.Query)) == 0 {
					t.Errorf("%s: the variable %s has nothing to choose", p.d.Title, v.Name)
				}
			}
		}
	})

	monev := s.page("monev112-monev", from, to)
	t.Run("funnel", func(t *testing.T) {
		got := monev.rows("Corong panggilan")
		want := map[string]string{"Diterima": "40318", "Hoaks": "32543", "Ke OPD": "1597", "Ke instansi vertikal": "6178",
			"Ditangani pusat": "0", "Tanpa tiket": "0", "Belum diklasifikasi": "0", "Tidak terjawab": "0"}
		if len(got) != 1 || !maps.Equal(got[0], want) {
			t.Errorf("the funnel reads %v", got)
		}
		sum := 0.0
		for _, r := range monev.rows("Corong: jumlah dan bagian") {
			sum += number(t, r["Jumlah"])
			if r["dari n"] != "40318" {
				t.Errorf("n of %s is %s", r["Tahap"], r["dari n"])
			}
		}
		if sum != 40318 {
			t.Errorf("the table adds up to %v", sum)
		}
	})

	// By month: the sums of the simulation.
	byMonth := func(t *testing.T, title string, of map[string]func(simulate.Sums) float64) {
		t.Helper()
		rows := monev.rows(title)
		if len(rows) != len(c.Months) {
			t.Fatalf("%q has %d points, the simulation %d months", title, len(rows), len(c.Months))
		}
		for _, r := range rows {
			at, err := time.ParseInLocation(time.DateTime, r["time"], wib)
			if err != nil {
				t.Fatal(err)
			}
			sums, ok := c.Months[at.Format("2006-01")]
			if !ok {
				t.Errorf("%q: a point at %s", title, r["time"])
			}
			for column, f := range of {
				if got, want := number(t, r[column]), f(sums); math.Abs(got-want) > 1e-9 {
					t.Errorf("%q, %s: %s is %v, the simulation made %v", title, r["time"], column, got, want)
				}
			}
		}
	}
	t.Run("hoax trend", func(t *testing.T) {
		byMonth(t, "Tren rasio hoaks", map[string]func(simulate.Sums) float64{
			"rasio hoaks":         func(x simulate.Sums) float64 { return float64(x.Hoax) / float64(x.Classified) },
			"belum diklasifikasi": func(x simulate.Sums) float64 { return float64(x.Unclassified) / float64(x.Answered) },
			"n":                   func(x simulate.Sums) float64 { return float64(x.Classified) },
		})
		got := monev.rows("Rasio hoaks dan belum diklasifikasi, dalam rentang")[0]
		if math.Abs(number(t, got["rasio hoaks"])-32543.0/40318) > 1e-12 || got["dari n panggilan"] != "40318" {
			t.Errorf("hoax ratio of the range: %v", got)
		}
	})
	t.Run("service level", func(t *testing.T) {
		byMonth(t, "Tingkat layanan", map[string]func(simulate.Sums) float64{
			"ketat":    func(x simulate.Sums) float64 { return float64(x.Within15) / float64(x.Offered) },
			"standar":  func(x simulate.Sums) float64 { return float64(x.Within15) / float64(x.Offered-x.AbandonedShort) },
			"terjawab": func(x simulate.Sums) float64 { return float64(x.Within15) / float64(x.Answered) },
			"n":        func(x simulate.Sums) float64 { return float64(x.Offered) },
		})
		n := 0.0
		for _, r := range monev.rows("Waktu jawab") {
			n += number(t, r["n"])
		}
		if n != float64(c.Calls.AnswerWait.N) {
			t.Errorf("%v answer times, the simulation made %d", n, c.Calls.AnswerWait.N)
		}
	})
	t.Run("indicators of October", func(t *testing.T) {
		x, before := c.Months["2023-10"], c.Months["2023-09"]
		rows := monev.rows("Lima indikator bulan terakhir dalam rentang")
		if len(rows) != 5 {
			t.Fatalf("%d indicators", len(rows))
		}
		answered, hoax := rows[0], rows[4]
		status := "✘ tidak tercapai"
		if float64(x.Within15)/float64(x.Offered) >= 0.9 {
			status = "✔ tercapai"
		}
		share := func(k, n int64) string { return indonesian.Decimal(100*float64(k)/float64(n), 1) + " %" }
		if answered["Bulan ini"] != share(x.Within15, x.Offered) || answered["n"] != fmt.Sprint(x.Offered) ||
			answered["Bulan lalu"] != share(before.Within15, before.Offered) ||
			answered["Status"] != status || answered["Tahun lalu"] != `\N` {
			t.Errorf("answered: %v, the simulation made %d of %d", answered, x.Within15, x.Offered)
		}
		if hoax["Bulan ini"] != share(x.Hoax, x.Classified) ||
			hoax["Status"] != "– belum ada pembanding" {
			t.Errorf("hoax: %v", hoax)
		}
	})
	t.Run("centres", func(t *testing.T) {
		p := s.page("monev112-provinsi", from, to)
		for title, want := range map[string][2]string{
			"Rasio hoaks":                         {"32543", "40318"},
			"Panggilan dijawab dalam 15 detik":    {fmt.Sprint(c.Calls.Within15), fmt.Sprint(c.Calls.Offered)},
			"Kebakaran: unit tiba dalam 15 menit": {fmt.Sprint(c.Tickets.FireInTime), fmt.Sprint(c.Tickets.FireArrived)},
		} {
			rows := p.rows(title)
			if len(rows) != 1 || rows[0]["Kode"] != "35.15" || rows[0]["Pembilang"] != want[0] || rows[0]["n"] != want[1] {
				t.Errorf("%q: %v, the simulation made %v", title, rows, want)
			}
		}
	})
	t.Run("hours and weekdays", func(t *testing.T) {
		want := map[string]float64{}
		for hour, sums := range c.Hours {
			at, err := time.ParseInLocation("2006-01-02T15", hour, wib)
			if err != nil {
				t.Fatal(err)
			}
			want[fmt.Sprintf("%s %02d", []string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"}[at.Weekday()],
				at.Hour())] += float64(sums.Received - sums.Tests)
		}
		for _, r := range monev.rows("Panggilan menurut jam dan hari") {
			for h := range 24 {
				key := fmt.Sprintf("%s %02d", r["Hari"], h)
				if got := number(t, r[fmt.Sprintf("%02d", h)]); got != want[key] {
					t.Errorf("%s: %v calls, the simulation made %v", key, got, want[key])
				}
			}
		}
	})
	t.Run("categories, kecamatan, fires", func(t *testing.T) {
		if c.Tickets.Merged > 0 {
			t.Fatal("the preset merges tickets now: this comparison must learn of it")
		}
		got, want := map[string]string{}, map[string]string{}
		for _, r := range monev.rows("Kategori tiket") {
			got[r["Kategori"]] = r["Tiket"]
		}
		for id, n := range c.Tickets.ByCategory {
			category, ok := names.Category("35.15", id)
			if !ok {
				t.Errorf("the directory does not have the category %q", id)
			}
			want[category.Name] = fmt.Sprint(n)
		}
		if !maps.Equal(got, want) {
			t.Errorf("categories %v, the simulation made %v", got, want)
		}
		got, want = map[string]string{}, map[string]string{}
		for _, r := range monev.rows("Peta tiket menurut kecamatan") {
			got[r["Kecamatan"]] = r["Tiket"]
		}
		for code, n := range c.Tickets.ByKecamatan {
			if k, ok := names.KecamatanByCode(code); ok && n >= 5 {
				want[k.Name] = fmt.Sprint(n)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("map %v, the simulation made %v", got, want)
		}
		n, k := 0.0, 0.0
		for _, r := range monev.rows("Kebakaran: tiba dalam 15 menit menurut kecamatan") {
			n += number(t, r["n"])
			k += math.Round(number(t, r["n"]) * number(t, r["Dalam 15 menit"]))
		}
		if n != float64(c.Tickets.FireArrived) || k != float64(c.Tickets.FireInTime) {
			t.Errorf("fires: %v of %v in time, the simulation made %d of %d", k, n, c.Tickets.FireInTime, c.Tickets.FireArrived)
		}
	})
	for uid, scope := range map[string]string{"monev112-opd": "own", "monev112-vertical": "vertical"} {
		t.Run("stages of "+scope, func(t *testing.T) {
			p := s.page(uid, from, to)
			compared := 0
			who := map[string]string{"own": "OPD", "vertical": "Instansi"}[scope]
			for _, r := range p.rows("Waktu tanggap setiap tahap") {
				for _, o := range names.OPDs("35.15") {
					if o.Name != r[who] {
						continue
					}
					interval := map[string]string{
						"berangkat": "turnout", "tempuh": "travel", "waktu tanggap": "respond", "penyelesaian": "resolve",
					}[r["Tahap"]]
					q, ok := c.Tickets.Intervals[interval][o.ID]
					if !ok {
						continue
					}
					compared++
					if fmt.Sprint(q.N) != r["n"] || math.Abs(number(t, r["Median"])*1000-float64(q.P50)) > 0.5 ||
						math.Abs(number(t, r["9 dari 10 dalam"])*1000-float64(q.P90)) > 0.5 {
						t.Errorf("%s of %s: %v, the simulation made %+v", interval, o.ID, r, q)
					}
				}
			}
			if compared == 0 {
				t.Error("nothing was compared")
			}
			got := p.rows("Pantulan dan dibuka kembali")[0]
			if want := c.Tickets.ByScope[scope]; got["dari n tiket"] != fmt.Sprint(want) {
				t.Errorf("%v, the simulation made %d tickets", got, want)
			}
			// One OPD chosen: only its tickets.
			for _, o := range names.OPDs("35.15") {
				if n := c.Tickets.ByOPD[o.ID]; n > 0 && string(o.Scope) == scope {
					p.Values["opd"] = []string{o.ID}
					if got := p.rows("Pantulan dan dibuka kembali")[0]; got["dari n tiket"] != fmt.Sprint(n) {
						t.Errorf("%s: %v, the simulation made %d", o.ID, got, n)
					}
				}
			}
		})
	}
}
