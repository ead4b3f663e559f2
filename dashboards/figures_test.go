package dashboards

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/engine/enginetest"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
	"github.com/monev112/monev112/collector/store"
	"github.com/monev112/monev112/collector/tracker"
	"github.com/monev112/monev112/dashboards/fill"
)

var wib = time.FixedZone("WIB", 7*3600)

// drawn makes cases in which every fact is missing somewhere: tests, merged and deleted ones, of agencies in and out of
// the regency's power and of none, in time, late, open, void and unobserved.
type drawn struct {
	*rand.Rand
	from, now time.Time
}

func (d *drawn) one(of ...string) string { return of[d.IntN(len(of))] }

func (d *drawn) often(percent int) bool { return d.IntN(100) < percent }

// after is up to most later, and the zero time where the fact is missing, a fact before it is, or it has not happened.
func (d *drawn) after(at time.Time, most time.Duration, percent int) time.Time {
	if at.IsZero() || !d.often(percent) {
		return time.Time{}
	}
	at = at.Add(time.Duration(d.Int64N(int64(most/time.Millisecond))) * time.Millisecond)
	if at.After(d.now) {
		return time.Time{}
	}
	return at
}

func (d *drawn) began() time.Time {
	return d.from.Add(time.Duration(d.Int64N(int64(d.now.Sub(d.from)/time.Millisecond))) * time.Millisecond)
}

func (d *drawn) call(center string, i int) tracker.Row {
	c := casefile.Call{Key: event.Key{Center: center, Kind: event.KindCall, ID: fmt.Sprint("c", i)}, Events: 3,
		ReceivedAt: d.began()}
	c.QueuedAt = d.after(c.ReceivedAt, 2*time.Second, 90)
	switch d.IntN(10) {
	case 0:
		c.AbandonedAt = c.ReceivedAt.Add(time.Duration(d.IntN(40_000)) * time.Millisecond)
	case 1:
		c.BlockedAt, c.QueuedAt = c.ReceivedAt, time.Time{}
	}
	if c.AbandonedAt.IsZero() && d.often(90) {
		c.AnsweredAt = c.ReceivedAt.Add(time.Duration(d.IntN(40_000)-1000) * time.Millisecond)
		c.EndedAt = d.after(c.AnsweredAt, 5*time.Minute, 90)
		if d.often(90) {
			c.Class = d.one("normal", "informasi", "prank", "prank_palsu", "ghost", "pocket", "uji", "belum", "duplikat")
			c.ClassifiedAt, c.FirstClassAt = c.AnsweredAt.Add(time.Minute), c.AnsweredAt.Add(time.Minute)
		}
	}
	if d.often(5) { // nobody saw it come in
		c.ReceivedAt, c.QueuedAt = time.Time{}, time.Time{}
		if c.AnsweredAt.IsZero() {
			c.AnsweredAt = d.began()
		}
		wait := int64(d.IntN(30_000))
		c.WaitMS = &wait
	}
	return tracker.Row{Key: c.Key, Call: &c}
}

func scopeOf(_, opd string) string {
	switch opd {
	case "pln", "telkom":
		return sla.ScopeVertical
	case "siapa":
		return sla.ScopeUnknown
	}
	return sla.ScopeOwn
}

func (d *drawn) ticket(center string, i int) tracker.Row {
	t := casefile.Ticket{Key: event.Key{Center: center, Kind: event.KindTicket, ID: fmt.Sprint("t", i)}, Events: 5,
		OpenedAt:  d.began(),
		Category:  d.one("kebakaran", "kebakaran", "pju", "pohon_tumbang", "kdrt", ""),
		Priority:  d.one("darurat", "darurat", "mendesak", "non_darurat", ""),
		Kecamatan: d.one("35.15.08", "35.15.18", "35.15.01", ""),
		OPD:       d.one("damkar", "dishub", "bpbd", "pln", "telkom", "siapa", ""),
		State:     casefile.State(d.one("assigned", "arrived", "resolved", "closed", "merged"))}
	if d.often(80) {
		t.ReceivedAt = t.OpenedAt.Add(-time.Duration(d.IntN(300_000)) * time.Millisecond)
		t.AnsweredAt = d.after(t.ReceivedAt, 30*time.Second, 90)
	}
	if t.OPD != "" {
		t.AssignedAt = t.OpenedAt.Add(time.Duration(d.IntN(600_000)) * time.Millisecond)
		t.Assignments = []casefile.Assignment{{OPD: t.OPD, At: t.AssignedAt}}
		t.AcknowledgedAt = d.after(t.AssignedAt, 20*time.Minute, 70)
		t.DepartedAt = d.after(t.AcknowledgedAt, 10*time.Minute, 70)
		t.ArrivedAt = d.after(t.OpenedAt, 30*time.Minute, 70)
		t.ResolvedAt = d.after(t.OpenedAt, 72*time.Hour, 60)
		t.LastResolvedAt = t.ResolvedAt
		t.ConfirmedAt = d.after(t.ResolvedAt, 24*time.Hour, 50)
	}
	if d.often(20) {
		t.Bounces, t.Reopened = d.IntN(2), d.IntN(2)
		t.Pauses = []casefile.Pause{{From: t.OpenedAt.Add(time.Minute), Reason: d.one("cuaca", ""),
			To: d.after(t.OpenedAt.Add(2*time.Minute), time.Hour, 80)}}
	}
	if d.often(4) {
		t.Flags = []string{"test"}
	}
	if d.often(3) {
		t.Events = 0
	}
	unrecorded := d.often(6) // nobody notes what becomes of it
	if unrecorded {
		t.AcknowledgedAt, t.DepartedAt, t.ArrivedAt = time.Time{}, time.Time{}, time.Time{}
		t.ResolvedAt, t.LastResolvedAt, t.ConfirmedAt = time.Time{}, time.Time{}, time.Time{}
	}
	t.LastEventAt = t.OpenedAt.Add(time.Hour)
	var clocks []sla.Clock
	for _, name := range []string{"acknowledge", "arrive", "resolve"} {
		c := sla.Clock{Key: t.Key, Name: name, Seq: 1, Kind: sla.Elapsed, Policy: "p", PolicyVersion: "1", OPD: t.OPD,
			Scope: scopeOf("", t.OPD), Category: t.Category, Priority: t.Priority, StartedAt: t.OpenedAt,
			Void: t.State == casefile.Merged || d.often(5), Unobserved: unrecorded || d.often(5)}
		if !unrecorded {
			c.StoppedAt = d.after(c.StartedAt, 4*time.Hour, 80)
		}
		c.DueAt = c.StartedAt.Add(2 * time.Hour)
		if d.often(5) {
			c.DueAt = d.now.Add(240 * time.Hour)
		}
		c.GrossDueAt, c.BreachAt, c.RiskAt = c.DueAt, c.DueAt, c.DueAt
		c.EscalatedAt, c.Escalated2At = c.DueAt, c.DueAt
		clocks = append(clocks, c)
	}
	return tracker.Row{Key: t.Key, Ticket: &t, Clocks: clocks}
}

// comparison says from where the figures of a panel follow a second time. What the panel itself computes, from roll-ups
// or with conditions of its own, is counted here from the cases one by one (calls_now, tickets_now, clocks_now and
// case_intervals) or given by the view that defines it.
type comparison struct {
	page, title string
	shown       string // columns of the panel
	counted     string // a statement; the words that begin with $ are those of words below
}

// Statements of the centre that the pages show, on the days that they show.
const (
	callsCounted = `(SELECT * FROM calls_now WHERE center = '35.15' AND $days)`

	ticketsCounted = `(SELECT *, ifNull(scope, 'own') AS power, ifNull(opd, '') AS who FROM tickets_now
		WHERE center = '35.15' AND $days AND state != 'merged')`

	clocksJudged = `(SELECT *, assumeNotNull(day) AS d, ifNull(scope, 'own') AS power, ifNull(opd, '') AS who,
		state = 'met' AS met, state IN ('met', 'breached') AS decided, state = 'breached' AND stopped_at IS NULL AS late
		FROM clocks_now WHERE subject_kind = 'ticket' AND NOT void)`

	clocksCounted = `(SELECT * FROM $judged WHERE center = '35.15' AND $days)`
)

// quantile is the nearest rank of a sorted list, as docs/definitions.md defines it; NULL of an empty one.
func quantile(list, percent string) string {
	return "if(empty(" + list + "), NULL, (" + list + ")[toUInt64(ceil(" + percent + " * length(" + list + ") / 100))])"
}

var comparisons = []comparison{
	{"monev", "Lima indikator bulan terakhir dalam rentang", `"No", "Bulan ini", "Bulan lalu", toInt64("n")`,
		`SELECT indexOf(['answer', 'fire', 'acknowledge', 'resolve', 'hoax'], indicator) AS no,
			$percentNow, $percentBefore, toInt64(sumIf(denominator, month = addMonths($until, -1)))
		FROM present_monev_indicators(center = '35.15', since = $since, until = $until, target = 15, short = 5)
		GROUP BY indicator`},
	{"monev", "Corong: jumlah dan bagian", `sum("Jumlah"), any("dari n")`, "SELECT count(), count() FROM $calls"},
	{"monev", "Waktu jawab",
		`toDate("time"), round("5 dari 10 dalam", 6), round("9 dari 10 dalam", 6), toUInt64("n")`,
		`SELECT period, round(median, 6), round(p90, 6), toUInt64(n)
		FROM present_monev_intervals_calls(since = $since, until = $until, step = 'month')
		WHERE center = '35.15' AND interval = 'answer'`},
	{"monev", "Waktu tanggap darurat",
		`toDate("time"), round("5 dari 10 dalam", 6), round("9 dari 10 dalam", 6),
			round("bagian OPD, 5 dari 10", 6), "n"`,
		`SELECT month, round($median_r / 60, 6), round($p90_r / 60, 6), round($median_o / 60, 6), toInt64(length(r))
		FROM
		(
			SELECT toStartOfMonth(assumeNotNull(day)) AS month,
				arraySort(groupArrayIf(assumeNotNull(respond_seconds), respond_seconds IS NOT NULL)) AS r,
				arraySort(groupArrayIf(assumeNotNull(own_seconds), own_seconds IS NOT NULL)) AS o
			FROM $tickets WHERE power = 'own' AND priority = 'darurat' GROUP BY month
		)
		WHERE notEmpty(r)`},
	{"monev", "Kebakaran: tiba dalam 15 menit menurut kecamatan", `sum("n"), round(sum("n" * "Dalam 15 menit"))`,
		`SELECT toInt64(sum(denominator)), sum(numerator)
		FROM present_monev_indicators(center = '35.15', since = $since, until = $until, target = 15, short = 5)
		WHERE indicator = 'fire'`},
	{"monev", "Tepat waktu menurut OPD",
		`"OPD", toInt64("n"), round("Tepat waktu", 9), toInt64("Terlambat"), toInt64("Masih terbuka")`,
		`SELECT $opd AS name, toInt64(sum(decided)) AS n, round(sum(met) / n, 9), toInt64(n - sum(met)),
			toInt64(sum(late))
		FROM $clocks WHERE clock = 'resolve' AND power = 'own' AND who != '' GROUP BY opd HAVING n > 0`},
	{"monev", "100 % ditindaklanjuti: tiga angka",
		`round("ditindaklanjuti", 9), round("tepat waktu", 9), round("dikonfirmasi", 9), toInt64("dari n tiket")`,
		`SELECT round(sum(acted[1]) / sum(acted[2]), 9),
			(SELECT round(sum(met) / sum(decided), 9) FROM $clocks
				WHERE clock = 'resolve' AND power = 'own' AND who != ''),
			round(sum(confirmed[1]) / sum(confirmed[2]), 9), toInt64(sum(acted[2]))
		FROM
		(
			SELECT if(figure = 'acted', [numerator, denominator], [0, 0]) AS acted,
				if(figure = 'confirmed', [numerator, denominator], [0, 0]) AS confirmed
			FROM present_monev_report(center = '35.15', zone = 'Asia/Jakarta', since = $since, until = $until, target = 15)
			WHERE dims LIKE '%scope=own' AND dims NOT LIKE 'opd=,%'
		)`},
	{"monev", "Kategori tiket", `toInt64("Tiket"), toInt64("dari n")`,
		`SELECT toInt64(count()), toInt64((SELECT count() FROM $tickets)) FROM $tickets GROUP BY category`},
	{"monev", "Panggilan menurut jam dan hari", `sum("00"), sum("07"), sum("23")`,
		`SELECT countIf(h = 0), countIf(h = 7), countIf(h = 23)
		FROM (SELECT toHour(toTimeZone(assumeNotNull(at), 'Asia/Jakarta')) AS h FROM $calls)`},
	{"monev", "Peta tiket menurut kecamatan", `toInt64("Tiket")`,
		`SELECT toInt64(count()) FROM $tickets WHERE ifNull(kecamatan, '') != '' GROUP BY kecamatan HAVING count() >= 5`},
	{"monev", "Mengapa terlambat", `"Indikator", "Penyebab", "Kasus", "dari n terlambat"`,
		`SELECT $clock AS name, $cause AS why, toInt64(sum(numerator)), toInt64(sum(sum(numerator)) OVER (PARTITION BY name))
		FROM
		(
			SELECT indicator AS clock, cause, numerator
			FROM present_monev_kendala(center = '35.15', since = $since, until = $until, step = 'all', target = 15, short = 5)
			WHERE scope = 'own' AND indicator IN ('answer', 'acknowledge', 'arrive', 'resolve')
		)
		GROUP BY name, why`},
	{"monev", "Permintaan informasi",
		`toDate("time"), round("bagian permintaan informasi", 9), toInt64("permintaan informasi"), toInt64("n")`,
		`SELECT toStartOfMonth(assumeNotNull(day)) AS month,
			round(countIf(classified AND class = 'informasi') / countIf(classified), 9),
			toInt64(countIf(class = 'informasi')), toInt64(countIf(classified))
		FROM $calls GROUP BY month`},
	{"monev", "Kelengkapan data", `"Ukuran", "Tercatat", "dari n"`,
		`SELECT 'cap waktu jawab', toInt64(countIf(offered AND answered_at IS NOT NULL)), toInt64(countIf(offered))
		FROM $calls
		UNION ALL
		SELECT 'jenis panggilan', toInt64(countIf(answered AND classified)), toInt64(countIf(answered)) FROM $calls
		UNION ALL
		SELECT 'hari dengan panggilan', toInt64(uniqExact(day)), toInt64(max(day) - min(day) + 1) FROM $calls
		UNION ALL
		SELECT concat($interval, if(scope = 'own', '', ' (instansi vertikal)')) AS name,
			toInt64(countIf(seconds IS NOT NULL)), toInt64(count())
		FROM case_intervals
		WHERE center = '35.15' AND $days AND scope IN ('own', 'vertical')
			AND interval IN ('dispatch', 'acknowledge', 'respond', 'resolve', 'confirm')
		GROUP BY interval, scope`},
	{"provinsi", "Semua pusat layanan",
		`toInt64("pusat dengan panggilan"), toInt64("panggilan masuk"), toInt64("dengan tiket terlambat")`,
		`SELECT toInt64(uniqExact(center)), toInt64(count()), (SELECT toInt64(uniqExactIf(center, late)) FROM $judged
			WHERE clock = 'resolve' AND power = 'own' AND day >= today() - 180)
		FROM calls_now WHERE $days`},
	{"provinsi", "Tiket yang terlambat sekarang",
		`"Kode", toInt64("Belum diterima"), toInt64("Belum tiba"), toInt64("Belum selesai"), toInt64("dari n")`,
		`SELECT center, toInt64(countIf(late AND clock = 'acknowledge')), toInt64(countIf(late AND clock = 'arrive')),
			toInt64(countIf(late AND clock = 'resolve')),
			toInt64(countIf((late OR state IN ('running', 'paused')) AND clock = 'resolve'))
		FROM $judged WHERE power = 'own' AND day >= today() - 180 GROUP BY center`},
	standing("Panggilan dijawab dalam 15 detik", "offered AND answer_ms <= 15000",
		"offered AND (answered_at IS NULL OR answer_ms IS NOT NULL)", "calls_now WHERE $days"),
	standing("Kebakaran: unit tiba dalam 15 menit", "respond_seconds <= 900", "respond_seconds IS NOT NULL",
		"tickets_now WHERE $days AND category = 'kebakaran' AND state != 'merged'"),
	standing("Tiket diterima OPD tepat waktu", "met", "decided",
		"$judged WHERE $days AND clock = 'acknowledge' AND power = 'own'"),
	standing("Tiket selesai ditangani tepat waktu", "met", "decided",
		"$judged WHERE $days AND clock = 'resolve' AND power = 'own'"),
	standing("Rasio hoaks", "answered AND hoax", "answered AND classified", "calls_now WHERE $days"),
}

// standing is the table of an indicator on the page of many centres: where met of those that are decided.
func standing(title, met, decided, from string) comparison {
	return comparison{"provinsi", title, `"Kode", toInt64("Pembilang"), toInt64("n"), round("Capaian, %", 6)`,
		"SELECT center, toInt64(countIf(" + met + ")) AS k, toInt64(countIf(" + decided + ")) AS n, " +
			"round(100 * k / n, 6) FROM " + from + " GROUP BY center"}
}

// ofAgencies are the comparisons of the page of OPDs, and of that of vertical agencies.
func ofAgencies(page, scope, who string) []comparison {
	out := []comparison{
		{page, "Tepat waktu, dalam rentang", `round("tepat waktu", 9), toInt64("dari n tiket")`,
			"SELECT round(sum(met) / sum(decided), 9), toInt64(sum(decided)) FROM $clocks WHERE $theirs AND clock = 'resolve'"},
		{page, "Tepat waktu menurut batas waktu",
			`"Batas waktu", toInt64("n"), round("Tepat waktu", 9), toInt64("Terlambat")`,
			`SELECT $clock AS name, toInt64(sum(decided)) AS n, round(sum(met) / n, 9), toInt64(n - sum(met))
			FROM $clocks WHERE $theirs GROUP BY clock`},
		{page, "Tepat waktu, 28 hari bergulir", `toDate("time") AS d, toInt64("n"), round("tepat waktu", 9)`,
			`SELECT day, toInt64(countIf(decided)) AS n, round(countIf(met) / n, 9)
			FROM (SELECT DISTINCT d AS day FROM $clocks WHERE $theirs AND clock = 'resolve') AS days
			CROSS JOIN (SELECT d, met, decided FROM $judged WHERE center = '35.15' AND $theirs AND clock = 'resolve') AS c
			WHERE d > day - 28 AND d <= day GROUP BY day`},
		{page, "Tiket terlambat",
			`"Tiket", "$who", "Kategori", "Prioritas", "Kecamatan", "Batas waktu", "Jatuh tempo"`,
			`SELECT id, $opd AS name, $category AS what, $priority AS how, $kecamatan AS place, $clock, due_at
			FROM (SELECT subject, clock, due_at FROM $judged WHERE center = '35.15' AND late) AS c
			INNER JOIN (SELECT id, opd, category, priority, kecamatan FROM tickets_now WHERE center = '35.15'
				AND open AND ifNull(scope, 'own') = '$scope' AND last_event_at >= now() - INTERVAL 180 DAY) AS t ON t.id = c.subject`},
		{page, "Rata-rata lama setiap tahap",
			`"$who", toInt64("n"), round("Pusat", 6), round("Terima", 6), round("Berangkat", 6), round("Tempuh", 6),
				round("Menunggu", 6), round("Selesai", 6)`,
			`SELECT $opd AS name, toInt64(count()), round(avg(dispatch_seconds), 6), round(avg(acknowledge_seconds), 6),
				round(avg(turnout_seconds), 6), round(avg(travel_seconds), 6), round(avg(paused_s), 6),
				round(avg(resolve_seconds), 6)
			FROM $tickets WHERE $theirs GROUP BY opd`},
		{page, "Waktu tanggap setiap tahap",
			`"Tahap", "$who", toInt64("n"), round("Kelengkapan", 9), round("Median", 6), round("9 dari 10 dalam", 6),
				round("19 dari 20 dalam", 6)`,
			`SELECT $interval AS stage, $opd AS name, toInt64(n), round(coverage, 9), round(median, 6), round(p90, 6),
				round(p95, 6)
			FROM present_monev_intervals_opd(since = $since, until = $until, step = 'all')
			WHERE center = '35.15' AND scope = '$scope'
				AND interval IN ('acknowledge', 'turnout', 'travel', 'respond', 'own', 'resolve')`},
	}
	fill := strings.NewReplacer("$theirs", "power = '$scope' AND who != ''", "$who", who)
	scopes := strings.NewReplacer("$scope", scope)
	for i := range out {
		out[i].shown, out[i].counted = fill.Replace(out[i].shown), scopes.Replace(fill.Replace(out[i].counted))
	}
	return out
}

// statement writes what is counted in full.
func statement(t *testing.T, sql, database string, since, until time.Time) string {
	t.Helper()
	words := map[string]string{}
	for _, kind := range []string{"opd", "interval", "clock", "cause", "category", "priority", "kecamatan"} {
		name, err := named(kind, kind)
		if err != nil {
			t.Fatal(err)
		}
		words["$"+kind] = name
	}
	in := func(s string) string {
		for _, view := range []string{"calls_now", "tickets_now", "clocks_now", "case_intervals", "present_"} {
			s = strings.ReplaceAll(s, "FROM "+view, "FROM "+database+"."+view)
		}
		return s
	}
	for _, r := range []*strings.Replacer{
		strings.NewReplacer("$calls", callsCounted, "$tickets", ticketsCounted, "$clocks", clocksCounted),
		strings.NewReplacer("$judged", clocksJudged, "$median_r", quantile("r", "50"), "$p90_r", quantile("r", "90"),
			"$median_o", quantile("o", "50"), "$percentNow", percent("anyIf(value, month = addMonths($until, -1))"),
			"$percentBefore", percent("anyIf(value, month = addMonths($until, -2))")),
		strings.NewReplacer("$days", "day >= $since AND day < $until"),
		strings.NewReplacer("$since", "toDate('"+since.Format(time.DateOnly)+"')",
			"$until", "toDate('"+until.Format(time.DateOnly)+"')", "$opd", words["$opd"], "$interval", words["$interval"],
			"$clock", words["$clock"], "$cause", words["$cause"], "$category", words["$category"], "$priority",
			words["$priority"], "$kecamatan", words["$kecamatan"]),
	} {
		sql = r.Replace(sql)
	}
	return in(sql)
}

// Every panel that computes a figure itself, beside the views that define it, shows what the cases give, counted one by
// one.
func TestPanelsShowWhatTheCasesGive(t *testing.T) {
	addr, key := enginetest.Start(t)
	database := enginetest.Database(t)
	db, err := store.Open(t.Context(), store.Config{Addr: addr, Password: key, Database: database,
		Location: func(string) *time.Location { return wib }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Millisecond)
	until := time.Date(now.In(wib).Year(), now.In(wib).Month(), 1, 0, 0, 0, 0, wib)
	since := until.AddDate(0, -3, 0)
	d := &drawn{rand.New(rand.NewPCG(8, 12)), since.AddDate(0, 0, -35), now}
	var rows []tracker.Row
	for i := range 900 {
		center := "35.15"
		if i%5 == 0 {
			center = "35.78"
		}
		rows = append(rows, d.call(center, i), d.ticket(center, i))
	}
	sink := &store.Sink{Store: db, Scope: scopeOf}
	if err := sink.Upsert(t.Context(), rows, 1); err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(comparisons, ofAgencies("opd", "own", "OPD"), ofAgencies("vertical", "vertical", "Instansi"))
	for _, c := range all {
		panel := panelOf(t, c.page, c.title)
		chosen := fill.Selection{From: since, To: until.Add(-time.Second), Values: chosenOf(t, c.page, database)}
		sql, err := chosen.SQL(panel.RawSQL)
		if err != nil {
			t.Fatal(err)
		}
		shown := ask(t, addr, "SELECT "+c.shown+" FROM ("+sql+") ORDER BY ALL")
		counted := ask(t, addr, "SELECT * FROM ("+statement(t, c.counted, database, since, until)+") ORDER BY ALL")
		if diff := cmp.Diff(strings.Split(counted, "\n"), strings.Split(shown, "\n")); diff != "" || shown == "" {
			t.Errorf("%s, %q (-counted +shown): %s", c.page, c.title, diff)
		}
	}
}

func panelOf(t *testing.T, page, title string) Target {
	t.Helper()
	for _, file := range All() {
		for _, p := range file.Dashboard.Panels {
			if file.Name == page+".json" && p.Title == title && len(p.Targets) > 0 {
				return p.Targets[0]
			}
		}
	}
	t.Fatalf("%s has no panel %q", page, title)
	return Target{}
}

// chosenOf are the values that a page opens with.
func chosenOf(t *testing.T, page, database string) map[string][]string {
	t.Helper()
	values := map[string][]string{}
	for _, file := range All() {
		if file.Name != page+".json" {
			continue
		}
		for _, v := range file.Dashboard.Templating.List {
			values[v.Name] = []string{v.Current.Value}
			if v.IncludeAll {
				values[v.Name] = []string{v.AllValue}
			}
		}
	}
	values["database"] = []string{database}
	return values
}
