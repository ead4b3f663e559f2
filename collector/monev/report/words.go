package report

// The words of the report. Ids that no list knows are shown as they are.

var indicatorNames = map[string]string{
	Answer: "Panggilan dijawab dalam batas waktu", Fire: "Kebakaran: unit tiba dalam 15 menit",
	Acknowledge: "Tiket diterima OPD tepat waktu", Resolve: "Tiket selesai ditangani tepat waktu",
	Hoax: "Rasio hoaks (makin rendah makin baik)",
}

var verdictWords = map[Verdict]string{
	Achieved: "tercapai", NotAchieved: "tidak tercapai", NotRecorded: "tidak tercatat",
	NoTarget: "belum ada pembanding", NoCase: "tidak ada kasus",
}

// Stages of the funnel in the order in which they are read.
var stageOrder = []string{"hoax", "own", "vertical", "centre", "none", "unclassified", "unanswered"}

var stageNames = map[string]string{
	"hoax": "Hoaks (iseng dan laporan palsu)", "own": "Diteruskan ke OPD", "vertical": "Diteruskan ke instansi vertikal",
	"centre": "Ditangani pusat layanan", "none": "Selesai tanpa tiket", "unclassified": "Belum diklasifikasi",
	"unanswered": "Tidak terjawab",
}

var levelOrder = []string{"ketat", "standar", "terjawab"}

var levelNames = map[string]string{
	"ketat": "Ketat (kontrak)", "standar": "Standar", "terjawab": "Terjawab",
}

var levelMeaning = map[string]string{
	"ketat":    "dibagi semua panggilan yang masuk antrean",
	"standar":  "dibagi yang masuk antrean, tanpa yang ditinggalkan sebelum batas pendek",
	"terjawab": "dibagi panggilan yang terjawab saja",
}

// span is an interval of the report: its name, and where it starts and stops.
type span struct{ id, name, from, to string }

var callSpans = []span{
	{"answer", "Waktu jawab", "masuk antrean (panggilan masuk bila antrean tidak tercatat)", "terjawab"},
	{"classify", "Klasifikasi", "terjawab", "klasifikasi pertama"},
	{"talk", "Lama bicara", "terjawab", "selesai bicara"},
}

var ticketSpans = []span{
	{"dispatch", "Disposisi", "terjawab", "diteruskan pertama kali"},
	{"acknowledge", "Terima OPD", "diteruskan ke OPD yang sekarang", "diterima OPD"},
	{"turnout", "Waktu berangkat", "diterima OPD", "unit berangkat"},
	{"travel", "Waktu tempuh", "unit berangkat", "tiba di lokasi"},
	{"respond", "Waktu tanggap", "panggilan masuk", "tiba di lokasi"},
	{"own", "Bagian OPD", "diteruskan pertama kali", "tiba di lokasi"},
	{"resolve", "Penyelesaian", "tiket dibuat", "selesai ditangani"},
	{"resolve_net", "Penyelesaian tanpa jeda", "tiket dibuat, jeda dikurangkan", "selesai ditangani"},
	{"confirm", "Konfirmasi pelapor", "selesai ditangani", "pelapor dihubungi"},
}

var clockOrder = []string{"acknowledge", "arrive", "resolve", "resolve_total", "confirm", "given"}

var clockNames = map[string]string{
	"answer": "jawab panggilan", "acknowledge": "diterima OPD", "arrive": "tiba di lokasi",
	"resolve": "selesai ditangani", "resolve_total": "selesai seluruhnya", "confirm": "konfirmasi pelapor",
	"given": "batas dari sumber",
}

// One usual definition of "hoax" and the figure that has it.
type definition struct{ name, formula, figure, dims string }

var hoaxDefinitions = []definition{
	{"Rasio hoaks (definisi laporan ini)", "(iseng + laporan palsu) / (terjawab dan diklasifikasi)", "hoax",
		"measure=rasio_hoaks"},
	{"Hoaks dari panggilan diterima", "(iseng + laporan palsu) / diterima", hoaxDefinition, "definition=received"},
	{"Hoaks dari panggilan terjawab", "(iseng + laporan palsu) / terjawab", hoaxDefinition, "definition=answered"},
	{"Hoaks dan panggilan kosong", "(iseng + laporan palsu + kosong + tidak sengaja) / diterima", hoaxDefinition,
		"definition=with_silent"},
	{"Hoaks, kosong dan putus", "(iseng + laporan palsu + kosong + tidak sengaja + putus) / diterima", hoaxDefinition,
		"definition=with_dropped"},
	{"Laporan palsu saja", "laporan palsu / (terjawab dan diklasifikasi)", hoaxDefinition, "definition=false_only"},
	{"Rasio non darurat", "(hoaks + kosong + tidak sengaja + informasi) / (terjawab dan diklasifikasi)", "hoax",
		"measure=rasio_non_darurat"},
	{"Belum diklasifikasi", "terjawab tanpa jenis / terjawab", "hoax", "measure=belum"},
}

var classOrder = []string{"normal", "informasi", "prank", "prank_palsu", "ghost", "pocket", "misrouted", "putus",
	"duplikat", "belum", "tidak_terjawab"}

var classNames = map[string]string{
	"normal": "Laporan nyata", "informasi": "Permintaan informasi", "prank": "Panggilan iseng (prank)",
	"prank_palsu": "Laporan palsu (hoaks)", "ghost": "Panggilan kosong (ghost)", "pocket": "Tidak sengaja",
	"misrouted": "Salah wilayah", "putus": "Putus", "duplikat": "Laporan ganda", "belum": "Belum diklasifikasi",
	"tidak_terjawab": "Tidak terjawab",
}

// formulas are the definitions that the last section prints.
var formulas = [][2]string{
	{"Panggilan dijawab dalam batas waktu",
		"dijawab dalam T detik / masuk antrean dan tidak diblokir (ketat); panggilan " +
			"uji tidak dihitung, panggilan iseng dihitung: sifatnya belum diketahui selama telepon berdering"},
	{"Kebakaran: unit tiba dalam 15 menit",
		"tiket kebakaran dengan panggilan masuk sampai unit pertama tiba paling lama " +
			"900 detik / tiket kebakaran yang kedua ujungnya tercatat (Permendagri 114/2018)"},
	{"Tepat waktu", "batas waktu OPD kabupaten dan pusat layanan yang dimulai bulan ini dan sudah putus: yang " +
		"dipenuhi / semua yang putus; " +
		"yang terlambat sekali tetap terlambat; instansi vertikal dihitung terpisah"},
	{"Rasio hoaks", "(iseng + laporan palsu) / (terjawab dan diklasifikasi)"},
	{"Ditindaklanjuti", "tiket yang diterima OPD, berangkat, tiba atau selesai / tiket yang dibuka, tanpa laporan ganda " +
		"dan tanpa yang tidak dicatat siapa pun"},
	{"Dikonfirmasi", "tiket yang pelapornya dihubungi setelah selesai / tiket yang dibuka, tanpa laporan ganda dan " +
		"tanpa yang tidak dicatat siapa pun"},
	{"Selang 95 %", "selang skor Wilson; dua angka yang selangnya bertindihan tidak dibedakan"},
	{"5 dari 10, 9 dari 10 dalam", "peringkat terdekat, tepat: dari n nilai berurutan nilai ke 0,5 n atau 0,9 n, " +
		"dibulatkan ke atas"},
	{"Tidak tercatat", "tidak ada sumber yang mencatat fakta yang menghentikan batas waktu itu; tidak masuk angka mana " +
		"pun"},
}
