package kendala

import "github.com/monev112/monev112/collector/sla"

// Words are what causes are called on screen, in the report and on the dashboards.
func Words() map[string]string {
	return map[string]string{
		Data:        "data tidak lengkap atau bertentangan",
		ShortWait:   "penelepon segera menutup",
		Ringing:     "telepon berdering, tidak diangkat",
		Surge:       "lonjakan panggilan",
		Staff:       "petugas kurang dari dua",
		Hoax:        "petugas tertahan panggilan hoaks",
		Busy:        "semua petugas sibuk",
		Dispatch:    "disposisi terlambat",
		Bounce:      "pantulan antar-OPD",
		Acknowledge: "terlambat diterima OPD",
		Turnout:     "terlambat berangkat",
		Travel:      "waktu tempuh lama",
		Pause:       "jeda melampaui batas",
		Work:        "penanganan lama",
		Unexplained: "tidak terjelaskan",
	}
}

// The reasons that an OPD gives for being late (event.TicketExplained). They stand beside the measured cause and never
// change it. All are defaults of this product.
const (
	DelayStaff     = "personel_terbatas"
	DelayEquipment = "kendaraan_peralatan"
	DelayElsewhere = "kejadian_lain"
	DelayAddress   = "alamat_tidak_jelas"
	DelayTraffic   = "lalu_lintas"
	DelayWeather   = "cuaca"
	DelayOthers    = "pihak_lain"
	DelayMaterial  = "material_anggaran"
	DelayDispatch  = "diteruskan_terlambat"
	DelayUnwritten = "terlambat_dicatat"
	DelayOther     = "lainnya"
)

// DelayReasons are the reasons in the order in which they are offered.
func DelayReasons() []string {
	return []string{DelayStaff, DelayEquipment, DelayElsewhere, DelayAddress, DelayTraffic, DelayWeather, DelayOthers,
		DelayMaterial, DelayDispatch, DelayUnwritten, DelayOther}
}

// DelayWords are what the reasons are called.
func DelayWords() map[string]string {
	return map[string]string{
		DelayStaff:     "personel terbatas",
		DelayEquipment: "kendaraan atau peralatan tidak tersedia",
		DelayElsewhere: "sedang menangani kejadian lain",
		DelayAddress:   "alamat atau keterangan tidak jelas",
		DelayTraffic:   "lalu lintas atau akses jalan",
		DelayWeather:   "cuaca",
		DelayOthers:    "menunggu pihak lain",
		DelayMaterial:  "menunggu material atau anggaran",
		DelayDispatch:  "terlambat atau keliru diteruskan",
		DelayUnwritten: "ditangani tepat waktu, terlambat dicatat",
		DelayOther:     "alasan lain",
	}
}

// IndicatorWords are what the indicators are called.
func IndicatorWords() map[string]string {
	return map[string]string{
		Answer:           "panggilan dijawab dalam sasaran",
		sla.Acknowledge:  "tiket diterima OPD tepat waktu",
		sla.Arrive:       "unit tiba di lokasi tepat waktu",
		sla.Resolve:      "tiket selesai ditangani tepat waktu",
		sla.ResolveTotal: "tiket selesai seluruhnya tepat waktu",
		sla.Confirm:      "pelapor dikonfirmasi tepat waktu",
		sla.Given:        "batas waktu dari sumber ditepati",
	}
}

// DimensionWords are what a change is told by.
func DimensionWords() map[string]string {
	return map[string]string{
		"opd": "OPD", "category": "kategori", "priority": "prioritas", "shift": "sif piket", "kecamatan": "kecamatan",
	}
}

// ofTheCentre are the causes that the centre answers for, and no OPD: those of calls, and what the centre does with a
// ticket before the OPD has it.
func ofTheCentre(indicator, cause string) bool {
	return indicator == Answer || indicator == sla.Confirm || cause == Data || cause == Dispatch || cause == Bounce
}
