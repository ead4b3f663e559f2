package dashboards

import (
	"fmt"
	"strings"

	"github.com/monev112/monev112/collector/store/schema"
)

// stages are those of monev_funnel in the order in which they are read.
var stages = []struct{ id, text string }{
	{"hoax", "Hoaks"}, {"own", "Ke OPD"}, {"vertical", "Ke instansi vertikal"}, {"centre", "Ditangani pusat"},
	{"none", "Tanpa tiket"}, {"unclassified", "Belum diklasifikasi"}, {"unanswered", "Tidak terjawab"},
}

// monev is what leadership reads in the meeting: achieved or not, what stood in the way, is it getting better.
func monev() Dashboard {
	var g grid
	g.heading("Lima indikator")
	g.add(24, 9, table("Lima indikator bulan terakhir dalam rentang",
		"Setiap indikator: sasaran, capaian bulan terakhir rentang, bulan sebelumnya, bulan yang sama tahun lalu, dan n "+
			"(penyebut bulan terakhir). "+
			"1: dijawab dalam 15 detik dibagi yang masuk antrean (ketat). 2: kebakaran dengan waktu tanggap paling lama 15 "+
			"menit dibagi kebakaran yang panggilan dan kedatangannya tercatat. "+
			"3 dan 4: batas waktu OPD yang dimulai bulan itu dan sudah putus, yang tepat waktu dibagi n; instansi vertikal "+
			"tidak termasuk. 5: (iseng + laporan palsu) dibagi terjawab dan diklasifikasi; sasarannya lebih rendah daripada "+
			"bulan yang sama tahun lalu.",
		rows(indicators())).high().
		with("No", width(50)).with("Indikator", width(380)).with("Sasaran", Property{"noValue", "di bawah tahun lalu"}).
		matching("/^(Sasaran|Bulan ini|Bulan lalu|Tahun lalu)$/", unit(unitShare), digits(1)).
		with("n", unit(unitCount), width(90)).with("Bulan", width(110)).
		with("Status", cell("color-background", "basic"),
			Property{"mappings", []Mapping{{Type: "value", Options: map[string]Mapped{
				"✔ tercapai":             {Text: "✔ tercapai", Color: good, Index: 0},
				"✘ tidak tercapai":       {Text: "✘ tidak tercapai", Color: bad, Index: 1},
				"– belum ada data":       {Text: "– belum ada data", Color: grey, Index: 2},
				"– belum ada pembanding": {Text: "– belum ada pembanding", Color: grey, Index: 3},
			}}}}))

	g.heading("Ke mana panggilan pergi")
	var columns []string
	for _, s := range stages {
		columns = append(columns, fmt.Sprintf("sumIf(numerator, stage = '%s') AS %q", s.id, s.text))
	}
	funnel := fmt.Sprintf("FROM monev_funnel(since = %s, until = %s, step = 'all') WHERE %s", since, until, here)
	g.add(14, 9, bars("Corong panggilan",
		"Setiap panggilan masuk dalam rentang berada pada tepat satu tahap: hoaks (iseng dan laporan palsu), diteruskan ke "+
			"OPD, diteruskan ke instansi vertikal, ditangani pusat layanan, selesai tanpa tiket, belum diklasifikasi, tidak "+
			"terjawab; jumlah semua tahap sama dengan panggilan diterima (n, penyebut). Hitungan tepat dari monev_funnel.",
		unitCount, rows("SELECT any(denominator) AS \"Diterima\", "+strings.Join(columns, ", ")+"\n"+funnel+
			"\nHAVING count() > 0")).
		with("Diterima", colour(calm)).with(stages[0].text, colour(hoaxed)).with(stages[1].text,
		colour(good)).with(stages[2].text, colour(warning)).
		matching("/^(Ditangani|Tanpa|Belum|Tidak).*/", colour(grey)).
		// short: a bar's name has a fifth of the width
		with(stages[2].text, Property{"displayName", "Ke vertikal"}).with(stages[5].text,
		Property{"displayName", "Belum jelas"}))
	ids, texts := []string{}, []string{}
	for _, s := range stages {
		ids, texts = append(ids, s.id), append(texts, s.text)
	}
	g.add(10, 9, table("Corong: jumlah dan bagian",
		"Tahap corong dengan jumlah, bagian dari semua panggilan diterima, dan n (panggilan diterima dalam rentang).",
		rows("SELECT "+named("stage", ids, texts)+
			" AS \"Tahap\", numerator AS \"Jumlah\", share AS \"Bagian\", n AS \"dari n\"\n"+funnel+
			" AND numerator > 0\nORDER BY numerator DESC")).
		with("Bagian", unit(unitShare), digits(1), width(90)).matching("/^(Jumlah|dari n)$/", unit(unitCount), width(90)))

	g.heading("Hoaks")
	g.add(14, 9, monthly("Tren rasio hoaks",
		"Rasio hoaks per bulan: (iseng + laporan palsu) dibagi panggilan terjawab dan diklasifikasi, dengan rentang "+
			"keyakinan 95 % (Wilson), bagian yang belum diklasifikasi dari panggilan terjawab, dan n = panggilan terjawab dan "+
			"diklasifikasi (batang). Panggilan kosong bukan hoaks.",
		unitShare, points(fmt.Sprintf(`
			SELECT toDateTime(period, '%s') AS time, anyIf(share, measure = 'rasio_hoaks') AS "rasio hoaks", anyIf(low, measure = 'rasio_hoaks') AS "batas bawah", anyIf(high, measure = 'rasio_hoaks') AS "batas atas",
				anyIf(share, measure = 'belum') AS "belum diklasifikasi", anyIf(denominator, measure = 'rasio_hoaks') AS n
			FROM monev_hoax(since = toStartOfMonth(%s), until = %s, step = 'month') WHERE %s
			GROUP BY period ORDER BY time`, zone, since, until, here))).
		band("batas bawah", "batas atas", hoaxed).with("rasio hoaks", colour(hoaxed),
		Property{"custom.lineWidth", 3}).with("belum diklasifikasi", colour(warning)).count("n").shares())
	g.column(10, tall{5, row("Rasio hoaks dan belum diklasifikasi, dalam rentang",
		"Rasio hoaks: (iseng + laporan palsu) dibagi terjawab dan diklasifikasi (n). Belum: terjawab tanpa jenis dibagi "+
			"terjawab. Rasio non darurat menambah kosong, tidak sengaja dan permintaan informasi.",
		unitShare, rows(fmt.Sprintf(`
			SELECT anyIf(share, measure = 'rasio_hoaks') AS "rasio hoaks", anyIf(share, measure = 'rasio_non_darurat') AS "non darurat", anyIf(share, measure = 'belum') AS "belum diklasifikasi",
				anyIf(denominator, measure = 'rasio_hoaks') AS "dari n panggilan"
			FROM monev_hoax(since = %s, until = %s, step = 'all') WHERE %s
			HAVING count() > 0`, since, until, here))).
		decimals(1).with("dari n panggilan", unit(unitCount), digits(0), colour(grey)).with("rasio hoaks",
		colour(hoaxed)).with("belum diklasifikasi", colour(warning))},
		tall{4, row("Penelepon hoaks",
			"Pemusatan penelepon: panggilan hoaks dari 1 % nomor yang paling sering, dibagi panggilan hoaks bernomor (n), "+
				"dalam rentang. Nomor hanya dikenal sebagai sandi; dihitung dalam satu kunci sandi, yang terbanyak. Nomor: nomor "+
				"dengan paling sedikit satu panggilan hoaks; di bawah 100 nomor tidak ada angka.",
			unitShare, rows(fmt.Sprintf(`
			SELECT if(numbers < 100, NULL, share) AS "dari 1 %% nomor teratas", n AS "dari n panggilan hoaks", numbers AS "nomor"
			FROM monev_callers(center = '${center}', since = %s, until = %s)
			ORDER BY n DESC LIMIT 1`, since, until))).
			decimals(1).matching("/^(dari n panggilan hoaks|nomor)$/", unit(unitCount), digits(0),
			colour(grey)).with("dari 1 % nomor teratas", colour(hoaxed))})
	cost := func(measure, value string) string { return fmt.Sprintf("anyIf(%s, measure = '%s')", value, measure) }
	g.add(16, 5, row("Biaya hoaks, dalam rentang",
		"Jam petugas: lama bicara pada panggilan hoaks. Jam regu: berangkat sampai selesai pada tiket palsu (hasil palsu, "+
			"atau dari panggilan laporan palsu). Keduanya dari yang kedua ujungnya tercatat (n). Tertahan: panggilan valid, "+
			"informasi dan laporan ganda yang menunggu lebih dari 15 detik selagi sebuah panggilan hoaks menahan petugas, "+
			"dari yang lama tunggunya tercatat (n).",
		unitCount, rows(fmt.Sprintf(`
			SELECT %s / 3600 AS "jam petugas", %s AS "dari n hoaks", %s / 3600 AS "jam regu", %s AS "dari n tiket palsu", %s AS "panggilan tertahan", %s AS "dari n valid"
			FROM monev_hoax_cost(center = '${center}', since = %s, until = %s, target = 15)
			HAVING count() > 0`, cost("agent", "amount"), cost("agent", "numerator"), cost("crew", "amount"), cost("crew", "numerator"), cost("held", "amount"), cost("held", "numerator"), since, until))).
		matching("/^dari n/", colour(grey), digits(0)).matching("/^jam/", digits(1)).letters(26))
	g.add(8, 5, row("Keamanan pemblokiran",
		"Nomor yang diblokir dalam rentang (n, nomor bersandi) dan dari n itu yang sesudah pemblokiran pertama melaporkan "+
			"kejadian nyata (jenis valid): orang yang hampir tidak terdengar. Hitungan, bukan persentase.",
		unitCount, rows(fmt.Sprintf(`
			SELECT numerator AS "lalu melapor nyata", denominator AS "dari n nomor", calls AS "panggilan diblokir"
			FROM monev_blocks(center = '${center}', since = %s, until = %s)`, since, until))).
		decimals(0).matching("/^(dari n nomor|panggilan diblokir)$/", colour(grey)).limits(steps(good, 1, warning)))

	g.heading("Secepat apa kita merespon")
	g.add(12, 9, monthly("Waktu jawab",
		"Waktu jawab per bulan (antrean sampai dijawab): setengah dan 9 dari 10 panggilan terjawab yang waktunya tercatat "+
			"dijawab dalam waktu ini; peringkat terdekat, tepat. Garis putus: target 15 detik. n = panggilan dengan waktu "+
			"jawab (batang).",
		unitSeconds, points(fmt.Sprintf(`
			SELECT toDateTime(period, '%s') AS time, median AS "5 dari 10 dalam", p90 AS "9 dari 10 dalam", n
			FROM monev_intervals_calls(since = toStartOfMonth(%s), until = %s, step = 'month') WHERE %s AND interval = 'answer'
			ORDER BY time`, zone, since, until, here))).line(steps("transparent", 15, warning)).count("n").
		with("9 dari 10 dalam", Property{"custom.lineWidth", 3}))
	g.add(12, 9, monthly("Tingkat layanan",
		"Bagian panggilan yang dijawab dalam 15 detik per bulan. Ketat (kontrak): dibagi yang masuk antrean; standar: "+
			"tanpa yang ditinggalkan sebelum 5 detik; terjawab: dibagi yang terjawab. Tanpa cap waktu jawab tidak ada angka. "+
			"Garis putus: sasaran 90 %. n = masuk antrean (batang).",
		unitShare, points(fmt.Sprintf(`
			SELECT toDateTime(period, '%s') AS time, anyIf(share, measure = 'ketat') AS "ketat", anyIf(share, measure = 'standar') AS "standar", anyIf(share, measure = 'terjawab') AS "terjawab", any(n) AS n
			FROM monev_service_level(since = toStartOfMonth(%s), until = %s, step = 'month', target = 15, short = 5) WHERE %s
			GROUP BY period ORDER BY time`, zone, since, until, here))).line(steps("transparent", 0.9, warning)).count("n").with("ketat", Property{"custom.lineWidth", 4}).shares())
	g.add(12, 9, monthly("Waktu tanggap darurat",
		"Waktu tanggap per bulan (panggilan masuk sampai unit pertama tiba), tiket darurat OPD kabupaten yang kedua "+
			"ujungnya tercatat: 5 dan 9 dari 10 dalam waktu ini (peringkat terdekat, tepat), dan bagian OPD (diteruskan "+
			"sampai tiba). Garis putus: target 15 menit. n = tiket darurat dengan kedua ujung (batang).",
		unitSeconds, points(fmt.Sprintf(`
			SELECT toDateTime(period, '%s') AS time, respond[intDiv(n * 50 + 99, 100)] AS "5 dari 10 dalam", respond[intDiv(n * 90 + 99, 100)] AS "9 dari 10 dalam",
				if(empty(own), NULL, own[intDiv(length(own) * 50 + 99, 100)]) AS "bagian OPD, 5 dari 10", n
			FROM
			(
				SELECT toStartOfMonth(day) AS period, toInt64(length(respond)) AS n,
					arraySort(groupArrayIf(assumeNotNull(respond_each) / 1000, respond_each IS NOT NULL)) AS respond, arraySort(groupArrayIf(assumeNotNull(own_each) / 1000, own_each IS NOT NULL)) AS own
				FROM tickets_daily FINAL
				ARRAY JOIN priorities AS priority, respond_ms AS respond_each, own_ms AS own_each
				WHERE %s AND scope = 'own' AND priority = 'darurat' AND day >= toStartOfMonth(%s) AND day < %s
				GROUP BY period
			)
			WHERE n > 0
			ORDER BY time`, zone, here, since, until))).line(steps("transparent", 900, warning)).count("n"))
	g.add(12, 9, table("Kebakaran: tiba dalam 15 menit menurut kecamatan",
		"Tiket kebakaran dalam rentang yang panggilan dan kedatangannya tercatat (n): yang tiba dalam 15 menit dibagi n, "+
			"rata-rata (SPM) dan 9 dari 10 (peringkat terdekat). Kurang dari 20: \"data terbatas\". Permendagri 114/2018.",
		rows(fmt.Sprintf(`
			SELECT %s AS "Kecamatan", n AS "n", %s AS "Dalam 15 menit", %s AS "Dari", %s AS "Sampai", mean AS "Rata-rata", v[intDiv(n * 90 + 99, 100)] AS "9 dari 10 dalam", if(n < 20, 'data terbatas', 'cukup data') AS "Catatan"
			FROM
			(
				SELECT kecamatan, toInt64(count(respond_seconds)) AS n, toInt64(countIf(respond_seconds <= 900)) AS k, avg(respond_seconds) AS mean, arraySort(groupArray(assumeNotNull(respond_seconds))) AS v
				FROM tickets_now WHERE %s AND %s AND category = 'kebakaran' AND state != 'merged' AND respond_seconds IS NOT NULL
				GROUP BY kecamatan
			)
			ORDER BY n DESC`, kecamatanName("kecamatan"), share("k", "n"), schema.WilsonLow("k", "n"), schema.WilsonHigh("k", "n"), here, inRange))).
		matching("/^(Dari|Sampai)$/", unit(unitShare), digits(0), width(65)).with("Dalam 15 menit", unit(unitShare),
		digits(0), width(125)).
		with("Rata-rata", unit(unitSeconds), digits(1), width(86)).with("9 dari 10 dalam", unit(unitSeconds), digits(1),
		width(120)).with("n", unit(unitCount), width(45)).with("Catatan", width(110)))

	g.heading("Perangkat daerah")
	g.add(14, 12, table("Tepat waktu menurut OPD",
		"Batas waktu penyelesaian OPD kabupaten yang dimulai dalam rentang dan sudah putus: yang tepat waktu dibagi n, "+
			"dengan rentang keyakinan 95 %. Peringkat hanya bila n paling sedikit 20, selain itu \"data terbatas\"; dua OPD "+
			"yang rentangnya bertindihan tidak dibedakan. Instansi vertikal tidak termasuk.",
		rows(fmt.Sprintf(`
			SELECT if(n >= 20, toString(row_number() OVER (PARTITION BY n >= 20 ORDER BY share DESC, n DESC)), 'data terbatas') AS "Peringkat", %s AS "OPD",
				n AS "n", share AS "Tepat waktu", low AS "Dari", high AS "Sampai", stopped_late + open_late AS "Terlambat", open_late AS "Masih terbuka"
			FROM monev_on_time_tickets(since = %s, until = %s, step = 'all')
			WHERE %s AND clock = 'resolve' AND opd != '' AND n > 0
			ORDER BY n >= 20 DESC, share DESC, n DESC`, opdName("opd"), since, until, here))).
		with("Peringkat", width(105)).with("Tepat waktu", unit(unitShare), digits(0),
		width(105)).matching("/^(Dari|Sampai)$/", unit(unitShare), digits(0), width(70)).
		with("n", unit(unitCount), width(60)).with("Terlambat", unit(unitCount), width(90)).with("Masih terbuka",
		unit(unitCount), width(115)))
	g.column(10, tall{5, row("100 % ditindaklanjuti: tiga angka",
		"Tiket OPD kabupaten yang dibuka dalam rentang, tanpa laporan ganda (n): ditindaklanjuti = diterima, berangkat, "+
			"tiba atau selesai; dikonfirmasi = pelapor dihubungi setelah selesai. Tepat waktu: batas waktu penyelesaian yang "+
			"sudah putus, yang dipenuhi dibagi yang putus.",
		unitShare, rows(fmt.Sprintf(`
			SELECT %s AS "ditindaklanjuti", (SELECT %s FROM (SELECT sum(numerator) AS a, sum(denominator) AS b FROM monev_on_time_tickets(since = %s, until = %s, step = 'all') WHERE %s AND clock = 'resolve' AND opd != '')) AS "tepat waktu",
				%s AS "dikonfirmasi pelapor", n AS "dari n tiket"
			FROM
			(
				SELECT count() AS n, countIf(coalesce(acknowledged_at, departed_at, arrived_at, resolved_at) IS NOT NULL) AS acted, countIf(confirmed_at IS NOT NULL) AS confirmed
				FROM tickets_now WHERE %s AND %s AND scope = 'own' AND state != 'merged'
				HAVING count() > 0
			)`, share("acted", "n"), share("a", "b"), since, until, here, share("confirmed", "n"), here, inRange))).
		decimals(0).with("dari n tiket", unit(unitCount), colour(grey))},
		tall{7, table("Kategori tiket",
			"Tiket yang dibuka dalam rentang menurut kategori, tanpa laporan ganda: jumlah dan bagian dari semua tiket (n). "+
				"Kebanyakan tiket bukan keadaan darurat.",
			rows(fmt.Sprintf(`
			SELECT %s AS "Kategori", count() AS "Tiket", count() / sum(count()) OVER () AS "Bagian", sum(count()) OVER () AS "dari n"
			FROM tickets_now WHERE %s AND %s AND state != 'merged'
			GROUP BY category ORDER BY "Tiket" DESC`, categoryName("category"), here, inRange))).
			with("Bagian", unit(unitShare), digits(1), width(90)).matching("/^(Tiket|dari n)$/", unit(unitCount), width(80))})

	g.heading("Kapan dan di mana")
	var hours []string
	for h := range 24 {
		hours = append(hours, fmt.Sprintf("sumIf(received, h = %d) AS \"%02d\"", h, h))
	}
	g.add(24, 9, table("Panggilan menurut jam dan hari",
		"Panggilan masuk dalam rentang menurut jam (WIB) dan hari; makin pekat makin banyak. Hitungan, bukan persentase; "+
			"jumlah semua sel = panggilan diterima.",
		rows("SELECT arrayElement(['Senin', 'Selasa', 'Rabu', 'Kamis', 'Jumat', 'Sabtu', 'Minggu'], w) AS \"Hari\", "+
			strings.Join(hours, ", ")+`
			FROM (SELECT toDayOfWeek(toTimeZone(hour, '`+zone+`')) AS w, toHour(toTimeZone(hour, '`+zone+`')) AS h, received FROM calls_hourly_now WHERE `+here+" AND "+inRange+`)
			GROUP BY w ORDER BY w`)).
		with("Hari", width(80)).matching("/^[0-9]+$/", unit(unitCount), width(62), cell("color-background", "basic"),
		Property{"color", Color{Mode: "continuous-blues"}}, Property{"custom.align", "center"}))
	g.add(10, 9, geo("Peta tiket menurut kecamatan",
		"Tiket yang dibuka dalam rentang menurut kecamatan, tanpa laporan ganda; titik pada pusat kecamatan, besar titik "+
			"menurut jumlah. Jumlah di bawah 5 tidak ditampilkan. Hitungan, bukan persentase.",
		rows(fmt.Sprintf(`
			SELECT p.k.2 AS "Kecamatan", p.k.3 AS lat, p.k.4 AS lon, t.n AS "Tiket"
			FROM (SELECT arrayJoin([%s]) AS k, k.1 AS code) AS p
			INNER JOIN (SELECT assumeNotNull(kecamatan) AS code, count() AS n FROM tickets_now WHERE %s AND %s AND state != 'merged' AND kecamatan IS NOT NULL GROUP BY kecamatan HAVING n >= 5) AS t ON t.code = p.code
			ORDER BY "Tiket" DESC`, kecamatanPoints(), here, inRange))))

	g.add(14, 9, monthly("Permintaan informasi",
		"Panggilan permintaan informasi layanan publik per bulan dan bagiannya dari panggilan terjawab dan diklasifikasi "+
			"(n, batang): pusat layanan sebagai sumber informasi publik.",
		unitShare, points(fmt.Sprintf(`
			SELECT toDateTime(toStartOfMonth(day), '%s') AS time, %s AS "bagian permintaan informasi", sum(informasi) AS "permintaan informasi", sum(classified) AS n
			FROM calls_hourly_now WHERE %s AND day >= toStartOfMonth(%s) AND day < %s
			GROUP BY time ORDER BY time`, zone, share("sum(informasi)", "sum(classified)"), here, since, until))).count("n").
		with("permintaan informasi", unit(unitCount), digits(0), Property{"custom.axisPlacement", "right"}))
	g.heading("Kelengkapan data")
	g.add(24, 9, table("Kelengkapan data",
		"Untuk setiap ukuran: kasus dengan kedua ujung tercatat dibagi semua kasus yang dapat memilikinya (n), dalam "+
			"rentang. Hari tanpa panggilan: hari dalam rentang yang tidak punya satu pun panggilan, dari hari antara "+
			"panggilan pertama dan terakhir.",
		rows(fmt.Sprintf(`
			SELECT "Ukuran", "Tercatat", "dari n", %[1]s AS "Kelengkapan"
			FROM
			(
				SELECT 1 AS o, 'cap waktu jawab' AS "Ukuran", toInt64(stamped) AS "Tercatat", toInt64(n) AS "dari n"
				FROM monev_service_level(since = %[2]s, until = %[3]s, step = 'all', target = 15, short = 5) WHERE %[4]s AND measure = 'ketat'
				UNION ALL
				SELECT 2, 'jenis panggilan', toInt64(denominator - numerator), toInt64(denominator) FROM monev_hoax(since = %[2]s, until = %[3]s, step = 'all') WHERE %[4]s AND measure = 'belum'
				UNION ALL
				SELECT 3, concat(%[5]s, if(scope = 'own', '', ' (instansi vertikal)')), toInt64(numerator), toInt64(denominator) FROM monev_intervals_tickets(since = %[2]s, until = %[3]s, step = 'all')
				WHERE %[4]s AND scope IN ('own', 'vertical') AND interval IN ('dispatch', 'acknowledge', 'respond', 'resolve', 'confirm')
				UNION ALL
				SELECT 4, 'hari dengan panggilan', toInt64(uniqExact(day)), toInt64(max(day) - min(day) + 1) FROM calls_hourly_now WHERE %[4]s AND %[6]s HAVING count() > 0
			)
			ORDER BY o, "Ukuran"`, share(`"Tercatat"`, `"dari n"`), since, until, here, intervalName("interval"), inRange))).
		with("Kelengkapan", unit(unitShare), digits(1), cell("gauge", "basic"), Property{"min", 0}, Property{"max", 1},
			Property{"thresholds", steps(bad, 0.7, warning, 0.95, good)}).
		matching("/^(Tercatat|dari n)$/", unit(unitCount), width(90)))

	return Dashboard{
		UID: uidMonev, Title: "112 Monev: capaian bulanan",
		Description: "Untuk pimpinan dalam rapat monitoring dan evaluasi: tercapai atau tidak, apa kendalanya, apakah " +
			"membaik.",
		Tags: []string{"monev112", "monev"}, Timezone: zone, WeekStart: "monday", GraphTooltip: 1,
		Time:       TimeRange{"now-13M/M", "now-1M/M"},
		Timepicker: Timepicker{QuickRanges: ranges()},
		Templating: Templating{append(sources(), centre(), fixed("sasaran_jawab", "Sasaran tingkat layanan", "0.90"),
			fixed("sasaran_tanggap", "Sasaran waktu tanggap", "0.90"), fixed("sasaran_tepat", "Sasaran tepat waktu", "0.90"))},
		Annotations: Annotated{List: notes()}, Panels: g.panels, SchemaVersion: SchemaVersion,
	}
}

// indicators asks for the five indicators of a month beside the month before and the same month of the year before.
func indicators() string {
	from, to := "addMonths("+month+", -12)", "addMonths("+month+", 1)"
	onTime := func(no int, title, clock string) string {
		return fmt.Sprintf(`
					SELECT %d, '%s', toNullable(toFloat64('${sasaran_tepat}')), period, %s, toInt64(sum(denominator) AS d)
					FROM monev_on_time_tickets(since = %s, until = %s, step = 'month') WHERE %s AND clock = '%s' AND opd != '' GROUP BY period`, no, title, share("sum(numerator)", "d"), from, to, here, clock)
	}
	facts := fmt.Sprintf(`
					SELECT 1 AS no, 'Panggilan dijawab dalam 15 detik (ketat)' AS title, toNullable(toFloat64('${sasaran_jawab}')) AS goal, period, share AS value, toInt64(n) AS n
					FROM monev_service_level(since = %[1]s, until = %[2]s, step = 'month', target = 15, short = 5) WHERE %[3]s AND measure = 'ketat'
					UNION ALL
					SELECT 2, 'Kebakaran: unit tiba dalam 15 menit', toNullable(toFloat64('${sasaran_tanggap}')), toStartOfMonth(assumeNotNull(day)) AS period, %[4]s, toInt64(count(respond_seconds))
					FROM tickets_now WHERE %[3]s AND day >= %[1]s AND day < %[2]s AND category = 'kebakaran' AND state != 'merged' GROUP BY period
					UNION ALL%[5]s
					UNION ALL%[6]s
					UNION ALL
					SELECT 5, 'Rasio hoaks (makin rendah makin baik)', NULL, period, share, toInt64(denominator)
					FROM monev_hoax(since = %[1]s, until = %[2]s, step = 'month') WHERE %[3]s AND measure = 'rasio_hoaks'`,
		from, to, here, share("countIf(respond_seconds <= 900)", "count(respond_seconds)"),
		onTime(3, "Tiket diterima OPD tepat waktu", "acknowledge"),
		onTime(4, "Tiket selesai ditangani tepat waktu", "resolve"))
	return fmt.Sprintf(`
			SELECT no AS "No", title AS "Indikator", formatDateTime(%[1]s, '%%m/%%Y') AS "Bulan", if(no = 5, y, goal) AS "Sasaran", v AS "Bulan ini",
				multiIf(v IS NULL, '– belum ada data', no = 5 AND y IS NULL, '– belum ada pembanding', if(no = 5, v < y, v >= goal), '✔ tercapai', '✘ tidak tercapai') AS "Status",
				p AS "Bulan lalu", y AS "Tahun lalu", c AS "n"
			FROM
			(
				SELECT no, any(title) AS title, any(goal) AS goal, anyIf(value, period = %[1]s) AS v, anyIf(value, period = addMonths(%[1]s, -1)) AS p,
					anyIf(value, period = addMonths(%[1]s, -12)) AS y, sumIf(n, period = %[1]s) AS c
				FROM
				(%[2]s
				)
				GROUP BY no
			)
			ORDER BY no`, month, facts)
}

// kecamatanPoints lists the kecamatan of the shipped directory as ClickHouse tuples of code, name and place.
func kecamatanPoints() string {
	var out []string
	for _, k := range names.AllKecamatan(names.DefaultCenter()) {
		out = append(out, fmt.Sprintf("('%s', '%s', %.4f, %.4f)", k.Code, k.Name, k.Lat, k.Lon))
	}
	return strings.Join(out, ", ")
}
