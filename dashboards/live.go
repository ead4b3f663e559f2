package dashboards

import "fmt"

// window is an exact count of the board: the same gauge that the alerts use. Several collectors may expose it, so the
// greatest is taken, never the sum.
func window(name, measure string) string {
	return fmt.Sprintf(`max(monev112_window_calls{center="$center", window=%q, measure=%q})`, name, measure)
}

// windowShare is a share of two exact counts; absent while the denominator is 0.
func windowShare(name, numerator, denominator string) string {
	return window(name, numerator) + " / (" + window(name, denominator) + " > 0)"
}

// shareOf is a share with its n beside it.
func shareOf(title, description, window_, numerator, denominator string) Panel {
	return stat(title, description, unitShare,
		now("persen", windowShare(window_, numerator, denominator)), now("dari n panggilan", window(window_, denominator))).
		decimals(0).with("dari n panggilan", unit(unitCount), colour(grey))
}

// within is the share of calls answered within a target over the last quarter of an hour.
func within(target string) string {
	return fmt.Sprintf(
		`sum(increase(monev112_calls_within_target_total{center="$center", target=%q}[15m])) / (sum(increase(monev112_calls_offered_total{center="$center"}[15m])) > 0)`, target)
}

// exactly is the share of a window's calls that were answered within 10, 15 and 20 s: exact counts, with n.
func exactly(title, window_, when string) Panel {
	var targets []Target
	for _, target := range []string{"10", "15", "20"} {
		within := fmt.Sprintf(`max(monev112_window_calls_within_target{center="$center", window=%q, target=%q})`, window_,
			target)
		targets = append(targets, now("≤ "+target+" detik", within+" / ("+window(window_, "offered")+" > 0)"))
	}
	return stat(title, "Panggilan "+when+" yang dijawab dalam 10, 15 dan 20 detik, masing-masing dibagi semua panggilan "+
		when+" yang masuk antrean (n), tanpa yang diblokir dan uji coba. Hitungan tepat (window_calls_within_target). "+
		"Sasaran: 10 detik 90 % (NFPA 1225), 15 detik 90 % dan 20 detik 95 % (NENA-STA-020).",
		unitShare, append(targets, now("dari n panggilan", window(window_, "offered")))...).decimals(0).limits(steps(bad, 0.8,
		warning, 0.9, good)).
		with("≤ 20 detik", Property{"thresholds", steps(bad, 0.85, warning, 0.95, good)}).with("dari n panggilan",
		unit(unitCount), colour(grey))
}

// live is the wall of the call floor: who waits, are we answering, who is there, what is it about.
func live() Dashboard {
	var g grid
	g.add(4, 6, stat("Menunggu dijawab",
		"Penelepon yang sekarang berada dalam antrean dan belum dijawab (calls_waiting). Hitungan langsung, bukan "+
			"persentase.",
		unitCount, now("", `max(monev112_calls_waiting{center="$center"})`)).limits(steps(good, 1, warning, 3, bad)).wall())
	g.add(4, 6, stat("Menunggu terlama",
		"Lama tunggu penelepon yang paling lama menunggu saat ini (call_oldest_waiting_seconds); 0 bila tidak ada yang "+
			"menunggu.",
		unitSeconds, now("", `max(monev112_call_oldest_waiting_seconds{center="$center"})`)).limits(steps(good, 10, warning,
		15, bad)).decimals(0).wall())
	g.add(5, 6, shareOf("Dijawab dalam target, sif ini",
		"Tingkat layanan ketat (kontrak): panggilan sif ini yang dijawab dalam target (bawaan 15 detik) dibagi semua "+
			"panggilan sif ini yang masuk antrean, tanpa yang diblokir dan uji coba. Hitungan tepat dari jendela sif. Sasaran "+
			"90 % (NENA-STA-020).",
		"shift", "within_target", "offered").limits(steps(bad, 0.8, warning, 0.9, good)))
	g.add(5, 6, shareOf("Dijawab dalam target, jam ini",
		"Tingkat layanan ketat jam berjalan: dijawab dalam target (bawaan 15 detik) dibagi panggilan yang masuk antrean "+
			"pada jam ini. Hitungan tepat dari jendela jam. Sasaran 90 % (NENA-STA-020).",
		"hour", "within_target", "offered").limits(steps(bad, 0.8, warning, 0.9, good)))
	g.add(3, 6, stat("Darurat terbuka",
		"Tiket berprioritas darurat yang belum selesai, semua OPD dan instansi (tickets_open). Hitungan langsung, bukan "+
			"persentase.",
		unitCount, now(
			"", `sum(max by (opd, priority, scope) (monev112_tickets_open{center="$center", priority="darurat"}))`)).limits(
		steps(good, 1, warning, 10, bad)).wall())
	fresh := "(time() - max(monev112_source_last_event_timestamp_seconds) < 300)"
	g.add(3, 6, stat("Kesegaran data",
		"Jam kejadian terakhir dari sumber data mana pun, termasuk detak data (source_last_event_timestamp_seconds). "+
			"Abu-abu dan \"TERHENTI\" bila lebih dari 5 menit tanpa data: angka di halaman ini lalu tidak mutakhir.",
		unitTime,
		now("data sampai", "1000 * max(monev112_source_last_event_timestamp_seconds) and "+fresh),
		now("TERHENTI sejak", "1000 * max(monev112_source_last_event_timestamp_seconds) unless "+fresh)).
		with("data sampai", colour(good)).with("TERHENTI sejak", colour(grey)).wall())

	g.heading("Lantai panggilan")
	states := []struct{ id, text, colour string }{
		{"available", "siap", good}, {"busy", "melayani", calm}, {"wrapup", "mencatat", hoaxed}, {"paused", "jeda", grey},
		{"offline", "keluar", grey},
	}
	agents := bars("Petugas menurut keadaan",
		"Jumlah petugas penerima panggilan menurut keadaan terakhirnya (agents). Hitungan langsung; keterisian yang rendah "+
			"wajar di lantai darurat dan tidak diberi warna merah.",
		unitCount, now("{{state}}", `max by (state) (monev112_agents{center="$center", state!="unknown"})`))
	for _, s := range states {
		agents = agents.with(s.id, Property{"displayName", s.text}, colour(s.colour))
	}
	g.add(6, 7, agents)
	g.add(6, 7, stat("Ditinggalkan dan perlu dihubungi balik",
		"Ditinggalkan: penelepon menutup sebelum dijawab, jam ini dan sif ini (jendela tepat). Perlu dihubungi balik: yang "+
			"ditinggalkan dan belum dihubungi (calls_to_call_back). Hitungan, bukan persentase.",
		unitCount,
		now("ditinggalkan, jam ini", window("hour", "abandoned")), now("ditinggalkan, sif ini", window("shift", "abandoned")),
		now("perlu dihubungi balik", `max(monev112_calls_to_call_back{center="$center"})`)).
		with("perlu dihubungi balik", Property{"thresholds", steps(good, 1, warning, 5, bad)}))
	g.add(6, 7, bars("Dering tak terangkat, 15 menit terakhir",
		"Dering yang tidak diangkat menurut posisi meja, 15 menit terakhir (ring_no_answer_recent). Posisi tanpa dering "+
			"tak terangkat tidak tampil. Hitungan, bukan persentase.",
		unitCount, now("{{position}}",
			`max by (position) (monev112_ring_no_answer_recent{center="$center"})`)).limits(steps(calm, 3, warning, 6, bad)))
	g.add(6, 7, table("Kejadian yang mungkin sama",
		"Tiket dengan kategori dan kecamatan yang sama yang dibuka dalam 15 menit terakhir (same_event_tickets). Hitungan, "+
			"bukan persentase.",
		nowRows(`sort_desc(max by (category, kecamatan) (monev112_same_event_tickets{center="$center"}) >= 2)`)).
		with("Time", hidden()).
		with("category", Property{"displayName", "Kategori"}).with("kecamatan", Property{"displayName", "Kecamatan"},
		Property{"mappings", kecamatanMappings()}).
		with("Value", Property{"displayName", "Tiket"}, unit(unitCount), width(80)))

	g.heading("Menjawab panggilan")
	g.add(12, 5, exactly("Dijawab dalam 10, 15 dan 20 detik, jam ini", "hour", "jam ini"))
	g.add(12, 5, exactly("Dijawab dalam 10, 15 dan 20 detik, sif ini", "shift", "sif ini"))
	g.add(10, 8, series("Dijawab dalam 10, 15 dan 20 detik, 15 menit bergulir",
		"Bagian panggilan yang dijawab dalam 10, 15 dan 20 detik dari panggilan yang masuk antrean, 15 menit bergulir, "+
			"dari penghitung (perkiraan di tepi rentang; angka tepat ada pada jendela jam dan sif). Garis putus: sasaran 90 "+
			"%. n = panggilan yang masuk antrean.",
		unitShare, overTime("≤ 10 detik", within("10")), overTime("≤ 15 detik (kontrak)", within("15")),
		overTime("≤ 20 detik", within("20")),
		overTime("n", `round(sum(increase(monev112_calls_offered_total{center="$center"}[15m])))`)).line(steps("transparent",
		0.9, warning)).count("n").
		with("≤ 15 detik (kontrak)", Property{"custom.lineWidth", 4}))
	g.add(6, 8, stat("Panggilan jam ini dibanding biasanya",
		"Panggilan masuk pada jam berjalan (jendela tepat) di samping median jam dan hari yang sama selama 8 minggu "+
			"(calls_expected). Simpangan: median simpangan mutlak. Biasanya baru ada setelah 4 minggu data.",
		unitCount, now("masuk, jam ini", window("hour", "received")),
		now("masuk, jam lalu", window("previous_hour", "received")),
		now("biasanya sejam", `max(monev112_calls_expected{center="$center", stat="median"})`),
		now("simpangan biasa", `max(monev112_calls_expected{center="$center", stat="mad"})`)).decimals(0))
	g.add(8, 8, bars("Jenis panggilan, 60 menit terakhir",
		"Panggilan menurut klasifikasi pertama, 60 menit bergulir, dari penghitung (calls_classified_total, dibulatkan). "+
			"Kosong (ghost) bukan hoaks: penelepon mungkin tidak dapat berbicara. Hitungan, bukan persentase.",
		unitCount, now("{{class}}",
			`sort_desc(round(sum by (class) (increase(monev112_calls_classified_total{center="$center"}[1h]))) > 0)`)).classes())

	g.heading("Hoaks dan klasifikasi")
	g.add(6, 6, shareOf("Rasio hoaks, sif ini",
		"Rasio hoaks: (iseng + laporan palsu) dibagi panggilan terjawab yang sudah diklasifikasi, tanpa uji coba, sif ini. "+
			"Panggilan kosong bukan hoaks. Baca bersama bagian yang belum diklasifikasi.",
		"shift", "hoax", "classified").limits(steps(hoaxed)))
	g.add(6, 6, shareOf("Belum diklasifikasi, sif ini",
		"Panggilan terjawab sif ini yang belum diberi jenis, dibagi semua panggilan terjawab sif ini. Selama bagian ini "+
			"besar, rasio hoaks belum dapat dipakai.",
		"shift", "unclassified", "answered").limits(steps(good, 0.1, warning, 0.25, bad)))
	g.add(6, 6, stat("Belum diklasifikasi hari ini",
		"Panggilan hari ini yang sudah dijawab dan selesai tetapi belum diberi jenis (calls_unclassified). Hitungan, bukan "+
			"persentase.",
		unitCount, now("", `max(monev112_calls_unclassified{center="$center"})`)).limits(steps(good, 5, warning, 20, bad)))
	g.add(6, 6, stat("Sif ini",
		"Hitungan tepat sif berjalan: masuk, masuk antrean, terjawab, ditinggalkan, tidak terlayani (window_calls). Bukan "+
			"persentase.",
		unitCount, now("masuk", window("shift", "received")), now("terjawab", window("shift", "answered")),
		now("tidak terlayani", window("shift", "unserved"))))
	g.add(24, 8, series("Panggilan: masuk, terjawab, ditinggalkan",
		"Panggilan per menit, rata-rata 5 menit, dari penghitung calls_received, calls_answered dan calls_abandoned. Bukan "+
			"persentase.",
		"cpm", overTime("masuk", `60 * sum(rate(monev112_calls_received_total{center="$center"}[5m]))`),
		overTime("terjawab", `60 * sum(rate(monev112_calls_answered_total{center="$center"}[5m]))`),
		overTime("ditinggalkan", `60 * sum(rate(monev112_calls_abandoned_total{center="$center"}[5m]))`)).
		with("masuk", colour(calm)).with("terjawab", colour(good)).with("ditinggalkan", colour(bad)))

	return Dashboard{
		UID: uidLive, Title: "112 Langsung: lantai panggilan",
		Description: "Untuk koordinator piket: siapa menunggu, apakah dijawab tepat waktu, siapa bertugas, tentang apa " +
			"panggilannya.",
		Tags: []string{"monev112", "langsung"}, Timezone: zone, WeekStart: "monday", GraphTooltip: 1, Refresh: "5s",
		Time:       TimeRange{"now-1h", "now"},
		Timepicker: Timepicker{RefreshIntervals: []string{"5s", "10s", "30s", "1m"}},
		Templating: Templating{append(sources(), liveCentre())}, Annotations: Annotated{List: []Annotation{}},
		Panels: g.panels, SchemaVersion: SchemaVersion,
	}
}

// kecamatanMappings writes codes as names.
func kecamatanMappings() []Mapping {
	m := Mapping{
		Type: "value", Options: map[string]Mapped{"none": {Text: "tidak diketahui"}, "unknown": {Text: "tidak dikenal"}},
	}
	for i, k := range names.AllKecamatan(names.DefaultCenter()) {
		m.Options[k.Code] = Mapped{Text: k.Name, Index: i + 1}
	}
	return []Mapping{m}
}

// classes writes the classes of calls in words; Grafana gives the name of a bar a fifth of the width, so they are
// short.
func (p Panel) classes() Panel {
	for _, c := range []struct{ id, text, colour string }{
		{"normal", "valid", good}, {"informasi", "informasi", calm}, {"prank", "iseng (prank)", hoaxed},
		{"prank_palsu", "lap. palsu", bad},
		{"ghost", "kosong", grey}, {"pocket", "tidak sengaja", grey}, {"misrouted", "salah wilayah", grey},
		{"putus", "terputus", grey},
		{"duplikat", "lap. ganda", calm}, {"uji", "uji coba", grey}, {"belum", "belum jelas", warning},
	} {
		p = p.with(c.id, Property{"displayName", c.text}, colour(c.colour))
	}
	return p
}
