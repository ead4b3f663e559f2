package dashboards

import (
	"fmt"

	"github.com/monev112/monev112/collector/store/schema"
)

// The two scopes of departments. Vertical agencies are outside the regency's power: they have a page of their own and
// never stand in an OPD's score.
const (
	own      = "own"
	vertical = "vertical"
)

// departments is the page of one OPD or of all; the same for vertical agencies.
func departments(scope string) Dashboard {
	who, uid, title, onTime := "OPD", uidOPD, "112 OPD: tiket perangkat daerah", "monev_on_time_tickets"
	outside := ""
	if scope == vertical {
		who, uid, title, onTime = "Instansi", uidVertical, "112 Instansi vertikal: di luar kewenangan",
			"monev_on_time_outside"
		outside = " Di luar kewenangan kabupaten: diukur, tidak dinilai."
	}
	onlyTheir := fmt.Sprintf(
		`and on (center, opd) max by (center, opd) (monev112_tickets_open{center="$center", scope=%q})`, scope)
	gauge := func(metric, labels string) string {
		return fmt.Sprintf(`sum(max by (center, %s) (%s{center="$center", scope=%q, opd=~"${opd:regex}"}))`, labels, metric,
			scope)
	}
	// What the selection at the top means for a table with these columns.
	// A ticket that no OPD has yet is the centre's own, as on the board.
	filter := here + " AND ifNull(scope, 'own') = '" + scope + "' AND " + chosen("opd", "opd") + " AND " +
		chosen("kecamatan", "kecamatan") + " AND " +
		chosen("priority", "priority") + " AND " + chosen("category", "category")
	ofView := here + " AND " + chosen("opd", "opd")
	if scope == vertical {
		ofView += " AND scope = 'vertical'"
	} else {
		ofView += " AND opd != ''"
	}

	var g grid
	g.add(4, 5, stat("Tiket terbuka",
		"Tiket yang belum selesai ditangani pada "+who+
			" yang dipilih (tickets_open). Hitungan langsung, tidak mengikuti pilihan kecamatan, prioritas dan kategori."+
			outside,
		unitCount, now("", gauge("monev112_tickets_open", "opd, priority"))))
	g.add(4, 5, stat("Mendekati batas waktu",
		"Tiket dengan batas waktu berjalan yang sudah terpakai 75 % atau lebih dan belum terlambat (tickets_at_risk). "+
			"Hitungan langsung."+outside,
		unitCount, now("", gauge("monev112_tickets_at_risk", "opd"))).limits(steps(good, 1, warning)))
	g.add(4, 5, stat("Terlambat",
		"Batas waktu yang sudah lewat dan belum dipenuhi (tickets_overdue). Tiket yang terlambat pada dua batas waktu "+
			"dihitung dua. Hitungan langsung."+outside,
		unitCount, now("", gauge("monev112_tickets_overdue", "opd, clock, priority"))).limits(steps(good, 1, bad)))
	g.add(4, 5, stat("Terlambat terlama",
		"Lama keterlambatan tiket yang paling lama terlambat (ticket_oldest_overdue_seconds); 0 bila tidak ada."+outside,
		unitSeconds, now(
			"", `max(max by (center, opd) (monev112_ticket_oldest_overdue_seconds{center="$center", opd=~"${opd:regex}"}) `+
				onlyTheir+`)`)).limits(steps(good, 1, bad)).decimals(0))
	g.add(8, 5, row("Tepat waktu, dalam rentang",
		"Batas waktu penyelesaian (resolve) yang dimulai dalam rentang dan sudah putus (berhenti atau lewat): yang "+
			"dipenuhi tepat waktu dibagi n. Rentang keyakinan 95 % menurut Wilson. Yang masih berjalan tidak dihitung."+outside,
		unitShare, rows(fmt.Sprintf(`
			SELECT %s AS "tepat waktu", %s AS "batas bawah", %s AS "batas atas", n AS "dari n tiket"
			FROM
			(
				SELECT sum(numerator) AS k, sum(denominator) AS n
				FROM %s(since = %s, until = %s, step = 'all') WHERE clock = 'resolve' AND %s
				HAVING count() > 0
			)`, share("k", "n"), schema.WilsonLow("k", "n"), schema.WilsonHigh("k", "n"), onTime, since, until, ofView))).
		decimals(0).with("dari n tiket", unit(unitCount), colour(grey)).with("batas bawah", colour(grey)).with("batas atas",
		colour(grey)))

	g.heading("Tiket yang terlambat sekarang")
	g.add(24, 10, table("Tiket terlambat",
		"Tiket "+who+" yang dipilih dengan batas waktu yang lewat dan masih berjalan, yang paling lama di atas "+
			"(clocks_now, overdue), seperti angka Terlambat di atas: tanpa tiket yang 180 hari tanpa kabar. Klik nomor tiket "+
			"untuk penjelasan batas waktunya. Paling banyak 200 baris."+outside,
		rows(fmt.Sprintf(`
			SELECT subject AS "Tiket", %s AS "%s", %s AS "Kategori", %s AS "Prioritas", %s AS "Kecamatan", %s AS "Batas waktu",
				due_at AS "Jatuh tempo", late_seconds AS "Terlambat",
				transform(level, ['overdue', 'escalated', 'escalated2'], ['lewat batas', 'eskalasi', 'eskalasi 2'], level) AS "Tingkat"
			FROM clocks_now AS c
			INNER JOIN
			(
				-- The OPD that has the ticket now, as on the board: a clock stays with the OPD it began with.
				SELECT id, opd, category, priority, kecamatan FROM tickets_now
				WHERE %s AND open AND last_event_at >= now() - INTERVAL 180 DAY
			) AS t ON t.id = c.subject
			WHERE %s AND subject_kind = 'ticket' AND stopped_at IS NULL AND NOT void AND overdue
			ORDER BY late_seconds DESC LIMIT 200`, opdName("t.opd"), who, categoryName("t.category"), priorityName("t.priority"), kecamatanName("t.kecamatan"), clockName("clock"), filter, here))).
		with("Tiket", width(235),
			Property{"links", []DataLink{{
				Title: "Mengapa terlambat?", URL: "${collector}/v1/tickets/${__value.raw}", TargetBlank: true,
			}}}).
		with("Jatuh tempo", unit(unitMoment), width(170)).
		with("Terlambat", unit(unitSeconds), digits(1), width(120), Property{"thresholds", steps(warning, 86400, bad)},
			cell("color-text", "")).
		with("Prioritas", width(100)).with("Tingkat", width(100)).with("Kecamatan", width(130)).with("Batas waktu",
		width(160)))

	g.heading("Tepat waktu")
	g.add(14, 9, series("Tepat waktu, 28 hari bergulir",
		"Setiap titik: batas waktu penyelesaian yang dimulai dalam 28 hari sampai hari itu dan sudah putus; yang tepat "+
			"waktu dibagi n. Pita: rentang keyakinan 95 % menurut Wilson. Batang: n."+outside,
		unitShare, points(fmt.Sprintf(`
			SELECT toDateTime(d, '%s') AS time, %s AS "tepat waktu", %s AS "batas bawah", %s AS "batas atas", n
			FROM
			(
				SELECT d, sum(k1) OVER w AS k, sum(n1) OVER w AS n
				FROM
				(
					SELECT period AS d, sum(numerator) AS k1, sum(denominator) AS n1
					FROM %s(since = %s - 27, until = %s, step = 'day') WHERE clock = 'resolve' AND %s
					GROUP BY d
				)
				WINDOW w AS (ORDER BY d RANGE BETWEEN 27 PRECEDING AND CURRENT ROW)
			)
			WHERE d >= %s
			ORDER BY time`, zone, share("k", "n"), schema.WilsonLow("k", "n"), schema.WilsonHigh("k", "n"), onTime, since, until, ofView, since))).
		band("batas bawah", "batas atas", calm).with("tepat waktu", colour(calm), Property{"custom.lineWidth", 3},
		Property{"custom.fillOpacity", 0}).count("n").shares())
	g.add(10, 9, table("Tepat waktu menurut batas waktu",
		"Batas waktu yang dimulai dalam rentang dan sudah putus, menurut jenisnya: yang tepat waktu dibagi n, dengan "+
			"rentang keyakinan 95 %. Kurang dari 20: \"data terbatas\"."+outside,
		rows(fmt.Sprintf(`
			SELECT %s AS "Batas waktu", n AS "n", %s AS "Tepat waktu", %s AS "Dari", %s AS "Sampai", late AS "Terlambat", if(n < 20, 'data terbatas', 'cukup data') AS "Catatan"
			FROM
			(
				SELECT clock, sum(numerator) AS k, sum(denominator) AS n, sum(stopped_late + open_late) AS late
				FROM %s(since = %s, until = %s, step = 'all') WHERE %s
				GROUP BY clock
			)
			ORDER BY n DESC`, clockName("clock"), share("k", "n"), schema.WilsonLow("k", "n"), schema.WilsonHigh("k", "n"), onTime, since, until, ofView))).
		matching("/^(Dari|Sampai)$/", unit(unitShare), digits(0), width(70)).with("Tepat waktu", unit(unitShare), digits(0),
		width(105)).
		with("n", unit(unitCount), width(65)).with("Terlambat", unit(unitCount), width(90)).with("Catatan", width(110)))

	g.heading("Ke mana waktu terpakai")
	g.add(16, 9, table("Rata-rata lama setiap tahap",
		"Rata-rata lama setiap tahap tiket yang dibuka dalam rentang: pusat (disposisi: terjawab sampai diteruskan), "+
			"terima dan berangkat ("+who+"), tempuh (jalan), dan jeda menunggu pihak lain per tiket. Setiap tahap dihitung "+
			"dari tiket yang kedua ujungnya tercatat; n = semua tiket."+outside,
		rows(fmt.Sprintf(`
			SELECT %s AS "%s", any(t.n) AS "n", anyIf(mean, interval = 'dispatch') AS "Pusat", anyIf(mean, interval = 'acknowledge') AS "Terima",
				anyIf(mean, interval = 'turnout') AS "Berangkat", anyIf(mean, interval = 'travel') AS "Tempuh", any(t.paused) AS "Menunggu", anyIf(mean, interval = 'resolve') AS "Selesai"
			FROM monev_intervals_opd(since = %s, until = %s, step = 'all') AS i
			INNER JOIN
			(
				SELECT assumeNotNull(opd) AS opd, count() AS n, avg(paused_s) AS paused
				FROM tickets_now WHERE %s AND scope = '%s' AND state != 'merged' AND opd IS NOT NULL AND %s
				GROUP BY opd
			) AS t ON t.opd = i.opd
			WHERE i.center = '${center}' AND i.scope = '%s' AND %s
			GROUP BY i.opd ORDER BY "n" DESC`, opdName("i.opd"), who, since, until, here, scope, inRange, scope, chosen("i.opd", "opd")))).
		matching("/^(Pusat|Terima|Berangkat|Tempuh|Menunggu|Selesai)$/", unit(unitSeconds), digits(1), width(104)).with("n",
		unit(unitCount), width(60)))
	g.add(8, 9, table("Alasan jeda",
		"Jeda batas waktu pada tiket yang dibuka dalam rentang menurut alasan: banyaknya dan jumlah lamanya; jeda yang "+
			"masih berjalan dihitung sampai sekarang. Hitungan, bukan persentase."+outside,
		rows(fmt.Sprintf(`
			SELECT transform(reason, ['menunggu_pelapor', 'menunggu_pihak_lain', 'cuaca', 'menunggu_material', ''], ['menunggu pelapor', 'menunggu pihak lain', 'cuaca', 'menunggu material', '(tanpa alasan)'], reason) AS "Alasan",
				count() AS "Jeda", uniqExact(id) AS "Tiket", sum(greatest(0, dateDiff('second', begun, ifNull(ended, now64(3))))) AS "Lama seluruhnya"
			FROM tickets_now ARRAY JOIN pauses.since AS begun, pauses.until AS ended, pauses.reason AS reason
			WHERE %s AND %s
			GROUP BY reason ORDER BY "Jeda" DESC`, filter, inRange))).
		with("Lama seluruhnya", unit(unitSeconds), digits(1)).matching("/^(Jeda|Tiket)$/", unit(unitCount), width(80)))
	g.add(8, 6, row("Pantulan dan dibuka kembali",
		"Tiket yang dibuka dalam rentang: yang berpindah "+who+
			" setelah disposisi pertama (pantulan), yang dibuka kembali setelah selesai, yang ditolak (bukan kewenangan); "+
			"dari n tiket."+outside,
		unitCount, rows(fmt.Sprintf(`
			SELECT countIf(bounces > 0) AS "berpindah", countIf(reopened > 0) AS "dibuka kembali", countIf(rejected_at IS NOT NULL) AS "ditolak", count() AS "dari n tiket"
			FROM tickets_now WHERE %s AND %s AND state != 'merged'
			HAVING count() > 0`, filter, inRange))).with("dari n tiket", colour(grey)))
	g.add(16, 6, table("Waktu tanggap setiap tahap",
		"Median, p90 dan p95 (peringkat terdekat, tepat) dari tiket yang dibuka dalam rentang dan kedua ujungnya tercatat "+
			"(n); kelengkapan = n dibagi semua tiket."+outside,
		rows(fmt.Sprintf(`
			SELECT %s AS "Tahap", %s AS "%s", n AS "n", coverage AS "Kelengkapan", median AS "Median", p90 AS "9 dari 10 dalam", p95 AS "19 dari 20 dalam"
			FROM monev_intervals_opd(since = %s, until = %s, step = 'all')
			WHERE %s AND scope = '%s' AND interval IN ('acknowledge', 'turnout', 'travel', 'respond', 'own', 'resolve')
			ORDER BY indexOf(['acknowledge', 'turnout', 'travel', 'respond', 'own', 'resolve'], interval), denominator DESC`, intervalName("interval"), opdName("opd"), who, since, until, ofView, scope))).
		matching("/^(Median|9 dari 10 dalam|19 dari 20 dalam)$/", unit(unitSeconds), digits(1), width(128)).with("Tahap",
		width(115)).with("n", unit(unitCount), width(70)).
		with("Kelengkapan", unit(unitShare), digits(0), width(110)))

	description := "Untuk kepala dan admin OPD: tiket mana yang terlambat, sejak kapan, mengapa."
	if scope == vertical {
		description = "Instansi vertikal (PLN, Telkom, Polresta, ...) di luar kewenangan kabupaten: diukur terpisah, tidak " +
			"dinilai dan tidak ditegur."
	}
	return Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{"monev112", "opd"}, Timezone: zone,
		WeekStart: "monday", GraphTooltip: 1, Refresh: "1m",
		Time:       TimeRange{"now-28d/d", "now"},
		Timepicker: Timepicker{RefreshIntervals: []string{"30s", "1m", "5m", "15m"}, QuickRanges: ranges()},
		Templating: Templating{append(sources(), centre(), opdVariable(scope), kecamatanVariable(), priorityVariable(),
			categoryVariable(),
			fixed("collector", "Alamat kolektor", "http://127.0.0.1:8112"))},
		Annotations: Annotated{List: notes()}, Panels: g.panels, SchemaVersion: SchemaVersion,
	}
}

// shares bounds the axis of a share.
func (p Panel) shares() Panel {
	p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = ptr(0.0), ptr(1.0)
	for i, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options == "n" {
			p.FieldConfig.Overrides[i].Properties = append(o.Properties, Property{"max", nil})
		}
	}
	return p
}

// ranges are the ranges that meetings speak of.
func ranges() []QuickRange {
	return []QuickRange{
		{"28 hari terakhir", "now-28d/d", "now"},
		{"Bulan lalu", "now-1M/M", "now-1M/M"},
		{"Bulan ini", "now/M", "now"},
		{"13 bulan sampai bulan lalu", "now-13M/M", "now-1M/M"},
		{"Tahun ini", "now/y", "now"},
		{"Tahun lalu", "now-1y/y", "now-1y/y"},
	}
}
