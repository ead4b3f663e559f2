package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/directory"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/source/simulate"
	"github.com/monev112/monev112/dashboards"
	"github.com/monev112/monev112/deploy"
)

// liveHour is a collector with an hour of traffic, a Prometheus that reads it, and what the messages say.
type liveHour struct {
	t              *testing.T
	s              *service
	prom           *Prometheus
	calls, tickets map[string]*told
	events         int // different ones
	since, now     time.Time
	scraped        time.Time // a moment at which Prometheus had everything; zero: now
}

// series is one series of Prometheus's answer.
type series struct {
	labels map[string]string
	values []float64
}

// evaluate asks Prometheus as Grafana does: at this moment, or for the last ten minutes.
func (h *liveHour) evaluate(t *testing.T, p *page, target dashboards.Target) []series {
	t.Helper()
	expr, err := p.PromQL(target.Expr)
	if err != nil {
		t.Fatal(err)
	}
	at := h.scraped
	if at.IsZero() {
		at = time.Now()
	}
	path, values := "/api/v1/query?", url.Values{"query": {expr}, "time": {fmt.Sprint(float64(at.UnixMilli()) / 1000)}}
	if target.Range {
		path, values = "/api/v1/query_range?", url.Values{"query": {expr}, "step": {"5"}}
		values.Set("start", fmt.Sprint(at.Add(-10*time.Minute).Unix()))
		values.Set("end", fmt.Sprint(at.Unix()))
	}
	r, err := http.Get(h.prom.URL() + path + values.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Status   string
		Warnings []string
		Data     struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
				Values [][2]any
			}
		}
	}
	if err := json.Unmarshal(body, &a); err != nil || a.Status != "success" || len(a.Warnings) > 0 {
		t.Fatalf("%s: %s\nof %s", r.Status, body, expr)
	}
	var out []series
	for _, x := range a.Data.Result {
		s := series{labels: x.Metric}
		if x.Values == nil {
			x.Values = [][2]any{x.Value}
		}
		for _, pair := range x.Values {
			v, err := strconv.ParseFloat(fmt.Sprint(pair[1]), 64)
			if err != nil {
				t.Fatalf("%v: %v", pair, err)
			}
			s.values = append(s.values, v)
		}
		out = append(out, s)
	}
	return out
}

// shown is what a panel of Prometheus shows: the last value of each series, by its legend.
func (h *liveHour) shown(t *testing.T, p *page, title string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, target := range p.panel(title).Targets {
		for _, s := range h.evaluate(t, p, target) {
			legend := target.LegendFormat
			for k, v := range s.labels {
				legend = strings.ReplaceAll(legend, "{{"+k+"}}", v)
			}
			out[legend] = s.values[len(s.values)-1]
		}
	}
	return out
}

// settles waits until two readings agree: a scrape is seconds old, and tickets become late while a test looks.
func (h *liveHour) settles(t *testing.T, what string, read func() (got, want any)) {
	t.Helper()
	var got, want any
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if got, want = read(); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
	}
	t.Errorf("%s: %v, want %v", what, got, want)
}

func (p *page) panel(title string) dashboards.Panel {
	p.s.t.Helper()
	for _, panel := range p.d.Panels {
		if panel.Title == title {
			return panel
		}
	}
	p.s.t.Fatalf("%s has no panel %q", p.d.Title, title)
	return dashboards.Panel{}
}

// TestLiveHour feeds an hour of live traffic to collector, ClickHouse and Prometheus and asks every query of every
// page. What the panels show is what the messages say, added up here without the product; what Prometheus and
// ClickHouse both show is the same.
func TestLiveHour(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "monev112.yaml")
	if err := os.WriteFile(config, []byte("pages: {grafana_url: https://grafana.example/d/monev112-live}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, "--config", config)
	h := &liveHour{t: t, s: s}
	h.prom = StartPrometheus(t, func(string) string {
		return fmt.Sprintf(`
global: {scrape_interval: 2s, evaluation_interval: 2s, scrape_native_histograms: true, always_scrape_classic_histograms: true}
scrape_configs: [{job_name: monev112, static_configs: [{targets: [%q]}]}]
`, s.addr)
	})
	if s.start(); !s.ready() {
		t.Fatal("the service ended")
	}
	s.until("the board is complete", func() bool { return s.metric("monev112_board_complete") == 1 })
	h.prom.WaitScraped("monev112")
	Until(t, "the counters are seen at zero", func() bool {
		return len(h.prom.Query("monev112_calls_received_total")) > 0
	})

	// Half an hour: what is told of it is younger than an hour however slow the machine is. It is drawn for one moment and
	// moved to this one, so that each run holds the same facts.
	const long = 30 * time.Minute
	h.now = time.Now().Truncate(time.Second)
	h.since = h.now.Add(-long)
	drawn := time.Date(2026, 11, 23, 10, 0, 0, 0, wib)
	g, err := simulate.New(simulate.Live,
		simulate.Options{Seed: 21, From: drawn.Add(-long), To: drawn, Rate: 500, TimeScale: 4})
	if err != nil {
		t.Fatal(err)
	}
	var drafts []event.RawEvent
	var bodies [2][]byte
	ids := map[string]bool{}
	for m := range g.All() {
		if m.Draft.Time.Before(drawn) { // what is yet to come is not sent
			moved(&m.Draft, h.now.Sub(drawn))
			drafts = append(drafts, m.Draft)
			ids[m.Draft.Source+" "+m.Draft.ID] = true
			half := &bodies[len(drafts)%2]
			*half = append(m.Draft.AppendCloudEvent(*half), '\n')
		}
	}
	h.events = len(ids)
	// In two halves with a scrape of everything between them, so that every counter is seen to grow.
	s.postAll(bodies[0])
	s.shipped()
	h.waitScraped(1)
	s.postAll(bodies[1])
	s.shipped()
	h.calls, h.tickets = tell(drafts)
	h.waitScraped(h.events)

	t.Run("windows", h.windows)
	t.Run("floor", h.floor)
	t.Run("every query", h.everyQuery)
	h.scraped = time.Time{} // tickets become late while a test looks
	t.Run("departments", h.departments)
	t.Run("screens", h.screens)
	t.Run("pipeline", h.pipeline)
}

// waitScraped waits for a scrape of everything with so many events at least. A machine under load misses scrapes, and a
// missed scrape ends every series: one is taken that was whole, and so early in its hour that the board's hour is
// Prometheus's.
func (h *liveHour) waitScraped(events int) {
	h.t.Helper()
	Until(h.t, "a scrape of everything", func() bool {
		got := h.prom.Query(fmt.Sprintf(
			`timestamp(monev112_events_total{result="accepted"}) and on () (monev112_events_total{result="accepted"} >= %d)
			and on () monev112_build_info and on () count(monev112_store_insert_seconds_count)`, events))
		if len(got) != 1 {
			return false
		}
		h.scraped = time.UnixMilli(int64(1000 * got[0].Value)).Add(time.Millisecond)
		return h.scraped.Truncate(time.Hour).Equal(h.scraped.Add(15 * time.Second).Truncate(time.Hour))
	})
}

// everyQuery asks each query of each page with the variables at their defaults and at one selection.
func (h *liveHour) everyQuery(t *testing.T) {
	// What this hour cannot show: no alerts and no pager run here, and an hour is no history.
	none := map[string]bool{
		"Pemberitahuan terakhir": true, "Peringatan yang menyala": true, "Peringatan tiket": true,
		"Kiriman ke Alertmanager":              true,
		"Panggilan jam ini dibanding biasanya": true, "Kegagalan ClickHouse": true, "Penolakan menurut alasan": true,
		"Penelepon hoaks": true, "Kebakaran: unit tiba dalam 15 menit": true,
		"Atribut yang dibuang": true, "Kebakaran: tiba dalam 15 menit menurut kecamatan": true,
		"Kejadian yang mungkin sama":              true,
		"Dering tak terangkat, 15 menit terakhir": true, "Waktu tanggap darurat": true, "Keamanan pemblokiran": true,
		"Siapa yang menerima pesan": true, "Alasan jeda": true, "Data yang bertentangan atau kurang": true, "Tidak tercatat": true,
		"Rekomendasi dan tindak lanjut (RTL)": true,
	}
	chosen := map[string][]string{
		"opd": {"damkar"}, "kecamatan": {"35.15.18"}, "priority": {"darurat"}, "category": {"kebakaran"},
	}
	asked := 0
	for _, f := range dashboards.All() {
		for name, values := range map[string]map[string][]string{"default": nil, "selection": chosen} {
			p := h.s.page(f.Dashboard.UID, h.since.Add(-24*time.Hour), h.now)
			changed := false
			for v := range p.Values {
				if values[v] != nil {
					p.Values[v], changed = values[v], true
				}
			}
			if values != nil && !changed {
				continue
			}
			if f.Dashboard.UID == "monev112-vertical" && values != nil {
				p.Values["opd"] = []string{"polresta"}
			}
			for _, panel := range p.d.Panels {
				rows := 0
				for _, target := range panel.Targets {
					asked++
					if target.RawSQL != "" {
						rows += len(p.ask(target.RawSQL))
						continue
					}
					for _, s := range h.evaluate(t, p, target) {
						for _, v := range s.values {
							if math.IsInf(v, 0) {
								t.Errorf("%s, %q: %v", p.d.Title, panel.Title, v)
							}
							if !math.IsNaN(v) { // a quantile of nothing
								rows++
							}
						}
					}
				}
				if len(panel.Targets) > 0 && rows == 0 && values == nil && !none[panel.Title] {
					t.Errorf("%s, %q, %s: nothing to show", p.d.Title, panel.Title, name)
				}
			}
			for _, v := range p.d.Templating.List {
				if v.Type == "query" && v.Datasource.Type != "prometheus" && len(p.ask(v.Query)) == 0 {
					t.Errorf("%s: the variable %s has nothing to choose", p.d.Title, v.Name)
				}
			}
			for _, a := range p.d.Annotations.List {
				asked++
				if rows := p.ask(a.Target.RawSQL); a.Name == "Perubahan kebijakan" && len(rows) == 0 {
					t.Errorf("%s: no policy began to apply to the first tickets", p.d.Title)
				}
			}
		}
	}
	if asked < 130 {
		t.Errorf("only %d queries were asked", asked)
	}
}

// count adds up the calls of a span as window_calls does, from what the messages say.
func (h *liveHour) count(from, to time.Time) map[string]float64 {
	out := map[string]float64{}
	for _, c := range h.calls {
		at, ok := c.first[event.CallReceived]
		if !ok || at.Before(from) || !at.Before(to) || c.class == "uji" {
			continue
		}
		entered, queued := c.first[event.CallQueued]
		if !queued {
			entered = at
		}
		answer, stamped := c.first[event.CallAnswered]
		_, blocked := c.first[event.CallBlocked]
		_, abandoned := c.first[event.CallAbandoned]
		_, unserved := c.first[event.CallUnserved]
		classified := c.class != "" && c.class != "belum"
		for measure, is := range map[string]bool{
			"received": true, "offered": !blocked, "answered": stamped || classified, "abandoned": abandoned && !stamped,
			"unserved":   unserved && !stamped,
			"classified": classified, "hoax": c.hoax(), "ghost": c.class == "ghost", "unclassified": stamped && !classified,
			"10": !blocked && stamped && answer.Sub(entered) <= 10*time.Second,
			"15": !blocked && stamped && answer.Sub(entered) <= 15*time.Second,
			"20": !blocked && stamped && answer.Sub(entered) <= 20*time.Second,
		} {
			if is {
				out[measure]++
			}
		}
	}
	return out
}

// windows compares the exact panels with the messages and with ClickHouse: hour, shift and day.
func (h *liveHour) windows(t *testing.T) {
	now := h.scraped.In(wib)
	hour := now.Truncate(time.Hour)
	shift := hour
	for ; shift.Hour() != 7 && shift.Hour() != 14 && shift.Hour() != 21; shift = shift.Add(-time.Hour) {
	}
	before := shift.Add(-time.Hour)
	for ; before.Hour() != 7 && before.Hour() != 14 && before.Hour() != 21; before = before.Add(-time.Hour) {
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, wib)
	windows := map[string][2]time.Time{
		"hour": {hour, hour.Add(time.Hour)}, "previous_hour": {hour.Add(-time.Hour), hour},
		"day":   {midnight, hour.Add(time.Hour)},
		"shift": {shift, hour.Add(time.Hour)}, "previous_shift": {before, shift},
	}
	live := h.s.page("monev112-live", h.since, now)
	gauges := map[string]float64{}
	for _, name := range []string{"monev112_window_calls", "monev112_window_calls_within_target"} {
		for _, x := range h.evaluate(t, live, dashboards.Target{Expr: name}) {
			gauges[x.labels["window"]+" "+x.labels["measure"]+x.labels["target"]] = x.values[0]
		}
	}
	panels := map[string]map[string]float64{}
	for _, title := range []string{"Dijawab dalam 10, 15 dan 20 detik, jam ini",
		"Dijawab dalam 10, 15 dan 20 detik, sif ini", "Dijawab dalam target, sif ini", "Dijawab dalam target, jam ini",
		"Rasio hoaks, sif ini", "Belum diklasifikasi, sif ini", "Sif ini", "Ditinggalkan dan perlu dihubungi balik"} {
		panels[title] = h.shown(t, live, title)
	}
	counts := map[string]map[string]float64{}
	for window, span := range windows {
		counts[window] = h.count(span[0], span[1])
		for _, measure := range append(slices.Collect(maps.Keys(measures)), "10", "15", "20") {
			want := counts[window][measure]
			if measure == "within_target" {
				want = counts[window]["15"]
			}
			if got, ok := gauges[window+" "+measure]; !ok || got != want {
				t.Errorf("%s of %s is %v (there: %v), the messages say %v", measure, window, got, ok, want)
			}
		}
		// ClickHouse, from the rollup that the monthly figures rest on.
		got := h.s.counts(fmt.Sprintf(
			`SELECT x.1, x.2 FROM (SELECT [('received', toInt64(sum(received))), ('offered', toInt64(sum(offered))), ('answered',
				toInt64(sum(answered))),
				('abandoned', toInt64(sum(abandoned))), ('unserved', toInt64(sum(unserved))), ('classified',
				toInt64(sum(classified))), ('hoax', toInt64(sum(hoax))), ('ghost', toInt64(sum(ghost))),
				('10', toInt64(sum(arrayCount(x -> x <= 10000, answer_ms)))), ('15', toInt64(sum(arrayCount(x -> x <= 15000,
				answer_ms)))), ('20', toInt64(sum(arrayCount(x -> x <= 20000, answer_ms))))] AS a
				FROM calls_hourly_now WHERE center = '35.15' AND hour >= fromUnixTimestamp(%d) AND hour < fromUnixTimestamp(%d))
				ARRAY JOIN a AS x`, span[0].Unix(), span[1].Unix()))
		for measure, n := range got {
			if float64(n) != counts[window][measure] {
				t.Errorf("%s of %s is %d in ClickHouse, the messages say %v", measure, window, n, counts[window][measure])
			}
		}
	}
	if counts["hour"]["received"]+counts["previous_hour"]["received"] == 0 {
		t.Fatal("there is nothing to compare")
	}
	ratio := func(title, legend string, window, numerator, denominator string) {
		t.Helper()
		n := counts[window][denominator]
		got, ok := panels[title][legend]
		if ok != (n > 0) || n > 0 && math.Abs(got-counts[window][numerator]/n) > 1e-9 {
			t.Errorf("%q, %q: %v (there: %v), the messages say %v of %v", title, legend, got, ok, counts[window][numerator], n)
		}
	}
	number := func(title, legend string, want float64) {
		t.Helper()
		if got, ok := panels[title][legend]; !ok || got != want {
			t.Errorf("%q, %q: %v (there: %v), the messages say %v", title, legend, got, ok, want)
		}
	}
	for window, title := range map[string]string{"hour": "jam ini", "shift": "sif ini"} {
		for _, target := range []string{"10", "15", "20"} {
			ratio("Dijawab dalam 10, 15 dan 20 detik, "+title, "≤ "+target+" detik", window, target, "offered")
		}
		number("Dijawab dalam 10, 15 dan 20 detik, "+title, "dari n panggilan", counts[window]["offered"])
		ratio("Dijawab dalam target, "+title, "persen", window, "15", "offered")
		number("Ditinggalkan dan perlu dihubungi balik", "ditinggalkan, "+title, counts[window]["abandoned"])
	}
	ratio("Rasio hoaks, sif ini", "persen", "shift", "hoax", "classified")
	number("Rasio hoaks, sif ini", "dari n panggilan", counts["shift"]["classified"])
	ratio("Belum diklasifikasi, sif ini", "persen", "shift", "unclassified", "answered")
	number("Sif ini", "masuk", counts["shift"]["received"])
	number("Sif ini", "terjawab", counts["shift"]["answered"])
	number("Sif ini", "tidak terlayani", counts["shift"]["unserved"])
	h.today(t, midnight, now, gauges)
}

// today compares the day's gauges with the views that the monev page reads, for the same day.
func (h *liveHour) today(t *testing.T, midnight, now time.Time, gauges map[string]float64) {
	if gauges["day classified"] == 0 {
		return // the day is minutes old: the views have no row of it
	}
	p := h.s.page("monev112-monev", midnight, now)
	if funnel := p.rows("Corong panggilan"); len(funnel) != 1 ||
		number(t, funnel[0]["Diterima"]) != gauges["day received"] {
		t.Errorf("the funnel of today reads %v, the gauge %v", funnel, gauges["day received"])
	}
	ratio := p.rows("Rasio hoaks dan belum diklasifikasi, dalam rentang")
	if len(ratio) != 1 || math.Abs(number(t,
		ratio[0]["rasio hoaks"])-gauges["day hoax"]/gauges["day classified"]) > 1e-9 ||
		number(t, ratio[0]["dari n panggilan"]) != gauges["day classified"] {
		t.Errorf("hoax of today %v, by the gauges %v of %v", ratio, gauges["day hoax"], gauges["day classified"])
	}
	level := h.s.query(fmt.Sprintf(
		"SELECT numerator, denominator FROM monev_service_level(since = '%s', until = '%s', step = 'day', target = 15, "+
			"short = 5) WHERE center = '35.15' AND measure = 'ketat'",
		midnight.Format(time.DateOnly), midnight.AddDate(0, 0, 1).Format(time.DateOnly)))
	if want := fmt.Sprintf("%v\t%v", gauges["day within_target"], gauges["day offered"]); level != want {
		t.Errorf("the service level of today is %q by the view, %q by the gauges", level, want)
	}
}

// floor compares what is so at this moment, and the panels from counters, with the messages.
func (h *liveHour) floor(t *testing.T) {
	live := h.s.page("monev112-live", h.since, h.now)
	waiting, callBack, emergencies, classified := 0, 0, 0, 0.0
	for _, c := range h.calls {
		_, blocked := c.first[event.CallBlocked]
		_, answered := c.first[event.CallAnswered]
		_, abandoned := c.first[event.CallAbandoned]
		_, unserved := c.first[event.CallUnserved]
		_, ended := c.first[event.CallEnded]
		_, back := c.first[event.CallCalledBack]
		named := c.class != "" && c.class != "belum"
		if !blocked && !answered && !abandoned && !unserved && !ended && !named {
			waiting++
		}
		if !blocked && abandoned && !answered && !named && !back {
			callBack++
		}
		if named {
			classified++
		}
	}
	for _, k := range h.tickets {
		if k.open() && k.priority == "darurat" {
			emergencies++
		}
	}
	h.settles(t, "Menunggu dijawab", func() (any, any) { return h.shown(t, live, "Menunggu dijawab")[""], waiting })
	h.settles(t, "perlu dihubungi balik", func() (any, any) {
		return h.shown(t, live, "Ditinggalkan dan perlu dihubungi balik")["perlu dihubungi balik"], callBack
	})
	h.settles(t, "Darurat terbuka", func() (any, any) { return h.shown(t, live, "Darurat terbuka")[""], emergencies })
	if emergencies == 0 || callBack == 0 {
		t.Errorf("%d emergencies, %d to call back: nothing was compared", emergencies, callBack)
	}
	// From counters: stretched to the ends of the range by up to a scrape, so no more than twice the truth, and never
	// less.
	sum := 0.0
	for _, n := range h.shown(t, live, "Jenis panggilan, 60 menit terakhir") {
		sum += n
	}
	if sum < classified-6 || sum > 2*classified+6 {
		t.Errorf("%v classified calls by the counters, the messages say %v", sum, classified)
	}
	received := 0.0 // with the test calls, which no window has
	for _, c := range h.calls {
		if _, ok := c.first[event.CallReceived]; ok {
			received++
		}
	}
	if got, want := h.s.metric("monev112_calls_received_total"), received; got != want {
		t.Errorf("%v calls received by the counter, the messages say %v", got, want)
	}
}

// departments compares tickets: gauges, tables and messages.
func (h *liveHour) departments(t *testing.T) {
	names := directory.MustLoad("directory.yaml", deploy.Directory)
	for uid, scope := range map[string]string{"monev112-opd": "own", "monev112-vertical": "vertical"} {
		p := h.s.page(uid, h.since.Add(-24*time.Hour), h.now)
		open, busiest := map[string]int{}, ""
		for _, k := range h.tickets {
			if !k.open() {
				continue
			}
			of := "own" // a ticket that lies at the centre is the centre's own
			if o, ok := names.OPD("35.15", k.opd); ok {
				of = string(o.Scope)
			}
			if of == scope {
				open[".*"]++
				open[cmp.Or(k.opd, "none")]++
			}
		}
		for _, opd := range slices.Sorted(maps.Keys(open)) {
			if opd != ".*" && opd != "none" && open[opd] > open[busiest] {
				busiest = opd
			}
		}
		for _, o := range []string{".*", busiest} {
			p.Values["opd"] = []string{o}
			h.settles(t, p.d.Title+": Tiket terbuka of "+o, func() (any, any) {
				return h.shown(t, p, "Tiket terbuka")[""], open[o]
			})
			// Late by the board and late by ClickHouse: the gauge counts clocks, the table has one row a clock.
			h.settles(t, p.d.Title+": Terlambat of "+o, func() (any, any) {
				late := strings.Replace(p.panel("Tiket terlambat").Targets[0].RawSQL, "LIMIT 200", "LIMIT 100000", 1)
				return h.shown(t, p, "Terlambat")[""], len(p.ask(late))
			})
		}
		if open[".*"] == 0 || busiest == "" {
			t.Errorf("%s: no open ticket, nothing was compared", p.d.Title)
		}
	}
}

// pipeline compares what the door, the journal and ClickHouse say of their work with what was sent.
func (h *liveHour) pipeline(t *testing.T) {
	p := h.s.page("monev112-pipeline", h.since, h.now)
	if got := h.s.metric(`monev112_events_total{result="accepted"`); got != float64(h.events) {
		t.Errorf("%v events accepted, %d were sent", got, h.events)
	}
	if got := h.s.query("SELECT count() FROM events_now"); got != fmt.Sprint(h.events) {
		t.Errorf("%s events in ClickHouse, %d were sent", got, h.events)
	}
	for title, want := range map[string]float64{
		"Papan lengkap": 1, "Karantina": 0, "Catatan tersisih": 0, "Ketertinggalan ClickHouse": 0,
		"Tiket tanpa kabar 180 hari": 0,
	} {
		h.settles(t, title, func() (any, any) { return h.shown(t, p, title)[""], want })
	}
	sources := map[string]bool{}
	for _, s := range h.evaluate(t, p, p.panel("Kesegaran menurut sumber").Targets[0]) {
		sources[s.labels["source"]] = true
		if age := s.values[0]; age < 0 {
			t.Errorf("the latest event of %s is %v s old", s.labels["source"], age)
		}
	}
	if len(sources) == 0 {
		t.Error("no source has spoken")
	}
}
