package report

import "strconv"

// figureNames are the words for figures where one is named by itself.
var figureNames = map[string]string{
	"acted": "ditindaklanjuti", "confirmed": "dikonfirmasi", "bounced": "berpindah OPD", "reopened": "dibuka kembali",
	"on_time": "tepat waktu", "unobserved": "tidak tercatat", "service_level": "tingkat layanan", "hoax": "hoaks",
	"funnel": "corong panggilan", "coverage": "kelengkapan", "interval_median": "5 dari 10 dalam, detik",
	"interval_p90": "9 dari 10 dalam, detik", "interval_p95": "19 dari 20 dalam, detik",
	"interval_mean": "rata-rata, detik", "calls_class": "panggilan menurut jenis",
	"calls_hour": "panggilan menurut jam", "calls_day": "panggilan menurut hari",
	"calls_quarter": "seperempat jam tersibuk", "calls_flag": "panggilan bertanda", "tickets_flag": "tiket bertanda",
	"tickets_opd": "tiket menurut OPD", "tickets_category": "tiket menurut kategori",
	"tickets_kecamatan": "tiket menurut kecamatan", "tickets_priority": "tiket menurut prioritas",
	"arrived_within": "kebakaran: unit tiba dalam 15 menit", "fires_opd": "kebakaran: unit tiba dalam 15 menit",
	"hoax_cost": "biaya hoaks", "hoax_callers": "pemusatan penelepon hoaks", "hoax_blocks": "keamanan pemblokiran",
}

// dimOrder has what figures are told by, in the order in which it is named.
var dimOrder = []string{
	"clock", "interval", "measure", "stage", "class", "flag", "hour", "weekday", "at", "day", "target", "opd", "scope",
	"category", "kecamatan", "priority",
}

// dimNames are the words for those whose values have none of their own.
var dimNames = map[string]string{
	"hour": "jam", "day": "tanggal", "at": "pukul", "target": "batas detik",
}

// valueNames are the words for the values of what a figure is told by.
var valueNames = map[string]map[string]string{
	"clock": clockNames, "stage": stageNames, "class": classNames, "flag": FlagWords(),
	"scope": {"vertical": "instansi vertikal", "unknown": "OPD tidak dikenal"},
	"interval": func() map[string]string {
		out := map[string]string{}
		for _, s := range callSpans {
			out[s.id] = s.name
		}
		for _, s := range ticketSpans {
			out[s.id] = s.name
		}
		return out
	}(),
	"measure": {
		"ketat": "ketat", "standar": "standar", "terjawab": "terjawab", "rasio_hoaks": "rasio hoaks",
		"rasio_non_darurat": "rasio non-darurat", "belum": "belum diklasifikasi", "answer_stamp": "cap waktu jawab",
		"class": "jenis panggilan", "agent": "waktu petugas", "crew": "waktu regu", "held": "panggilan yang tertahan",
	},
	"weekday": func() map[string]string {
		out := map[string]string{}
		for i, name := range weekdays {
			out[strconv.Itoa(i+1)] = name
		}
		return out
	}(),
	"priority": {
		"darurat": "darurat", "mendesak": "mendesak", "non_darurat": "non-darurat", "informasi": "informasi",
		"": "tanpa prioritas",
	},
}
