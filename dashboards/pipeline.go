package dashboards

import "fmt"

// pipeline is the page of Diskominfo: is the data complete, is a feed silent or is the night quiet.
func pipeline() Dashboard {
	p99 := func(metric, by string) string {
		return fmt.Sprintf("histogram_quantile(0.99, sum by (%s) (rate(%s_bucket[$__rate_interval])))", by, metric)
	}
	var g grid
	g.add(4, 5, stat("Papan lengkap",
		"1 bila papan langsung mengenal semua kasus terbuka dan jendela berjalan (board_complete). Selama 0, angka "+
			"langsung tidak ditampilkan. Bukan persentase.",
		unitNone, now("", "min(monev112_board_complete)")).limits(steps(bad, 1,
		good)).mapped(map[string]Mapped{"0": {Text: "belum lengkap", Index: 0}, "1": {Text: "lengkap", Index: 1}}))
	g.add(4, 5, stat("Ketertinggalan ClickHouse",
		"Umur catatan jurnal tertua yang belum tersimpan di ClickHouse (journal_lag_seconds); 0 bila semua tersimpan. "+
			"Tidak ada kejadian yang hilang, hanya terlambat tampil.",
		unitSeconds, now("", "max(monev112_journal_lag_seconds)")).limits(steps(good, 60, warning, 600, bad)))
	g.add(4, 5, stat("Catatan tersisih",
		"Kejadian yang disisihkan karena nilainya ditolak ClickHouse sejak kolektor berjalan (dead_letters_total); "+
			"kembalikan dengan monev112 journal requeue. Hitungan.",
		unitCount, now("", "max(monev112_dead_letters_total)")).limits(steps(good, 1, bad)))
	g.add(4, 5, stat("Karantina",
		"Kejadian yang ditolak di pintu dan disimpan tersamar untuk diperiksa (quarantine_events). Hitungan.",
		unitCount, now("", "max(monev112_quarantine_events)")).limits(steps(good, 1, warning, 1000, bad)))
	g.add(4, 5, stat("Ruang disk kosong", "Ruang kosong pada sistem berkas jurnal (disk_free_bytes).", unitBytes,
		now("", "min(monev112_disk_free_bytes)")).limits(steps(bad, 1<<30, warning, 5<<30, good)))
	g.add(4, 5, stat("Kalender berlaku sampai",
		"Hari terakhir dengan hari libur yang sudah ditetapkan (calendar_covered_until). Sesudahnya batas waktu dihitung "+
			"tanpa libur nasional.",
		"time:DD MMM YYYY", now("", "1000 * min(monev112_calendar_covered_until_timestamp_seconds)")))

	g.heading("Masuk")
	g.add(12, 8, series("Kejadian menurut hasil",
		"Kejadian per detik di pintu: diterima, ganda, ditolak, bertentangan, susulan (events_total). Susulan adalah "+
			"bagian dari diterima. Bukan persentase.",
		unitEvents, overTime("{{result}}", "sum by (result) (rate(monev112_events_total[$__rate_interval]))")).stackedLines())
	g.add(12, 8, series("Penolakan menurut alasan",
		"Kejadian yang ditolak per detik menurut alasan (events_rejected_total). Tampil hanya alasan yang terjadi. Bukan "+
			"persentase.",
		unitEvents, overTime("{{reason}}", "sum by (reason) (rate(monev112_events_rejected_total[$__rate_interval])) > 0")))
	g.add(8, 8, table("Kesegaran menurut sumber",
		"Kejadian terakhir setiap sumber dan umurnya, termasuk detak data (source_last_event_timestamp_seconds). Sumber "+
			"yang diam tanpa detak berarti data belum masuk, bukan malam yang sepi.",
		nowRows("sort_desc(time() - max by (source) (monev112_source_last_event_timestamp_seconds))")).
		with("Time", hidden()).with("source", Property{"displayName", "Sumber"}).
		with("Value", Property{"displayName", "Umur"}, unit(unitSeconds),
			Property{"thresholds", steps(good, 300, warning, 3600, bad)}, cell("color-text", ""), width(140)))
	g.add(8, 8, series("Permintaan HTTP",
		"Permintaan HTTP per detik menurut kode jawaban (http_requests_total). Bukan persentase.",
		unitEvents, overTime("{{code}}", "sum by (code) (rate(monev112_http_requests_total[$__rate_interval])) > 0")))
	g.add(8, 8, series("Waktu jawab HTTP, p99",
		"99 dari 100 permintaan dijawab dalam waktu ini, menurut rute (http_request_seconds, taksiran dari histogram). n "+
			"ada pada panel permintaan.",
		unitSeconds, overTime("{{route}}", p99("monev112_http_request_seconds", "le, route")+" > 0")))

	g.heading("Jurnal dan ClickHouse")
	g.add(8, 8, series("Jurnal",
		"Ukuran jurnal di disk dan bagian yang belum tersimpan di ClickHouse (journal_bytes, journal_lag_bytes).",
		unitBytes, overTime("jurnal", "max(monev112_journal_bytes)"),
		overTime("belum tersimpan", "max(monev112_journal_lag_bytes)")))
	g.add(8, 8, series("Tulis jurnal dengan fsync, p99",
		"99 dari 100 penulisan jurnal selesai dalam waktu ini (journal_append_seconds, taksiran dari histogram).",
		unitSeconds, overTime("tulis jurnal", p99("monev112_journal_append_seconds", "le"))))
	g.add(8, 8, series("Ketertinggalan", "Umur catatan jurnal tertua yang belum tersimpan (journal_lag_seconds).",
		unitSeconds, overTime("tertinggal", "max(monev112_journal_lag_seconds)")))
	g.add(8, 8, series("Baris tersimpan",
		"Baris per detik yang diterima ClickHouse menurut tabel (store_rows_total). Bukan persentase.",
		"rowsps", overTime("{{table}}", "sum by (table) (rate(monev112_store_rows_total[$__rate_interval]))")))
	g.add(8, 8, series("Simpan ke ClickHouse, p99",
		"99 dari 100 penyimpanan selesai dalam waktu ini menurut tabel (store_insert_seconds, taksiran dari histogram).",
		unitSeconds, overTime("{{table}}", p99("monev112_store_insert_seconds", "le, table"))))
	g.add(8, 8, series("Kegagalan ClickHouse",
		"Permintaan ke ClickHouse yang gagal per detik menurut jenis (store_errors_total). Bukan persentase.",
		unitEvents, overTime("{{kind}}", "sum by (kind) (rate(monev112_store_errors_total[$__rate_interval]))")))

	g.heading("Peringatan")
	g.add(8, 8, table("Peringatan yang menyala",
		"Aturan Prometheus yang sedang menyala (ALERTS). Peringatan per tiket ada pada Alertmanager.",
		nowRows(`max by (alertname, severity, opd) (ALERTS{alertstate="firing"})`)).
		with("Time", hidden()).with("Value", hidden()).
		with("alertname", Property{"displayName", "Peringatan"}).with("severity",
		Property{"displayName", "Tingkat"}).with("opd", Property{"displayName", "OPD"}))
	g.add(4, 8, bars("Peringatan tiket",
		"Peringatan per tiket pada kiriman terakhir ke Alertmanager menurut tingkat (pager_alerts). Hitungan.",
		unitCount, now("{{level}}", "max by (level) (monev112_pager_alerts)")))
	g.add(4, 8, stat("Kiriman ke Alertmanager",
		"Umur kiriman terakhir yang diterima Alertmanager (pager_last_push). Belum ada data bila pengirim dimatikan.",
		unitSeconds, now("", "time() - max(monev112_pager_last_push_timestamp_seconds)")).limits(steps(good, 120, warning,
		300, bad)).decimals(0))
	g.add(8, 8, table("Pemberitahuan terakhir",
		"Lima puluh pemberitahuan terakhir menurut rentang waktu (tabel notifications): kapan, siapa yang diberi tahu, dan "+
			"tentang apa. Satu baris per tiket dalam satu pesan.",
		rows(`
			SELECT told_at AS "Waktu", receiver AS "Penerima", subject AS "Tiket", `+opdName("opd")+` AS "OPD", level AS "Tingkat", alertname AS "Peringatan"
			FROM notifications FINAL
			WHERE told_at >= $__fromTime AND told_at < $__toTime
			ORDER BY told_at DESC, receiver, subject LIMIT 50`)).
		matching("/Waktu/", unit(unitMoment)))
	g.add(12, 7, table("Atribut yang dibuang",
		"Atribut yang tidak diizinkan konfigurasi dan karena itu dibuang, menurut nama (attributes_dropped_total, sejak "+
			"kolektor berjalan). Hitungan.",
		nowRows("sort_desc(sum by (key) (monev112_attributes_dropped_total) > 0)")).
		with("Time", hidden()).with("key", Property{"displayName", "Atribut"}).with("Value",
		Property{"displayName", "Jumlah"}, unit(unitCount)))
	g.add(6, 7, stat("Tiket tanpa kabar 180 hari",
		"Tiket terbuka tanpa kejadian apa pun selama 180 hari (tickets_stale): mutu data, tidak dihitung pada tiket "+
			"terlambat. Hitungan.",
		unitCount, now("", "sum(max by (center) (monev112_tickets_stale))")).limits(steps(good, 1, warning)))
	g.add(6, 7, table("Versi yang berjalan", "Versi kolektor yang berjalan (build_info).",
		nowRows("max by (version, revision, goversion) (monev112_build_info)")).
		with("Time", hidden()).with("Value", hidden()).
		with("version", Property{"displayName", "Versi"}).with("revision",
		Property{"displayName", "Revisi"}).with("goversion", Property{"displayName", "Go"}))

	return Dashboard{
		UID: uidPipeline, Title: "112 Aliran data",
		Description: "Untuk Diskominfo: apakah data lengkap, sumber mana yang diam, apakah ClickHouse dan peringatan " +
			"bekerja.",
		Tags: []string{"monev112", "aliran-data"}, Timezone: zone, WeekStart: "monday", GraphTooltip: 1,
		Refresh: "30s", Time: TimeRange{"now-6h", "now"},
		Templating: Templating{sources()}, Annotations: Annotated{List: []Annotation{}}, Panels: g.panels,
		SchemaVersion: SchemaVersion,
	}
}

// mapped writes values as texts.
func (p Panel) mapped(options map[string]Mapped) Panel {
	p.FieldConfig.Defaults.Mappings = []Mapping{{Type: "value", Options: options}}
	return p
}

// stackedLines fills a little more, for rates that are read together.
func (p Panel) stackedLines() Panel {
	c := p.FieldConfig.Defaults.Custom.(SeriesField)
	c.FillOpacity = 20
	p.FieldConfig.Defaults.Custom = c
	return p
}
