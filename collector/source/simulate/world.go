package simulate

import (
	"time"

	"github.com/monev112/monev112/collector/event"
)

// wib is Western Indonesian Time. A fixed zone needs no time zone database and has no daylight saving, like Sidoarjo.
func wib() *time.Location { return time.FixedZone("WIB", 7*3600) }

const (
	second = int64(1000) // instants and durations inside the package are milliseconds, instants since 1970 UTC
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	wibOffset = 7 * hour
)

// hourOfDay is the hour of the day in WIB.
func hourOfDay(at int64) int { return int((at + wibOffset) % day / hour) }

// dayNumber counts days in WIB since 1970-01-01.
func dayNumber(at int64) int64 { return (at + wibOffset) / day }

// weekday is the day of the week in WIB.
func weekday(dayNumber int64) time.Weekday { return time.Weekday((dayNumber + 4) % 7) } // 1970-01-01 was a Thursday

// Scopes of an OPD: under the regency's own power, or a vertical agency.
const (
	scopeOwn      = "own"
	scopeVertical = "vertical"
)

// kecamatan is a district: Kemendagri code, rough population in thousands (the weight of its calls), place of its
// office in 1/10,000 degree.
type kecamatan struct {
	code     string
	people   int64
	lat, lon int64
}

func sidoarjo() []kecamatan {
	return []kecamatan{
		{"35.15.01", 66, -74476, 1125157}, {"35.15.02", 78, -74645, 1125849}, {"35.15.03", 70, -75159, 1126386},
		{"35.15.04", 68, -75285, 1127080}, {"35.15.05", 56, -75450, 1127974}, {"35.15.06", 90, -75071, 1127223},
		{"35.15.07", 160, -74835, 1127298}, {"35.15.08", 205, -74652, 1127482}, {"35.15.09", 102, -74752, 1126446},
		{"35.15.10", 85, -74294, 1126304}, {"35.15.11", 135, -73997, 1125956}, {"35.15.12", 77, -74184, 1125281},
		{"35.15.13", 215, -73660, 1126732}, {"35.15.14", 122, -73989, 1126735}, {"35.15.15", 100, -74354, 1127558},
		{"35.15.16", 122, -73915, 1127297}, {"35.15.17", 106, -74043, 1128040}, {"35.15.18", 225, -73544, 1127665},
	}
}

// tempo is how fast a kind of work goes: each step measured from the one before.
type tempo struct {
	acknowledge, turnout, travel, work, confirm, closing spread
	field                                                bool // a unit leaves and arrives
	office                                               bool // works in working hours only
	ackShare, confirmShare                               int  // per mille of tickets on which the step is stamped
}

func tempos() map[string]tempo {
	soon := seconds(60, 180, 600, 1800, 7200, 21600)
	later := seconds(60, 600, 3600, 43200, 172800, 432000)
	return map[string]tempo{
		"fire": {
			acknowledge: seconds(5, 12, 30, 75, 240, 420), turnout: seconds(20, 45, 75, 140, 300, 480),
			travel: seconds(90, 200, 380, 620, 1100, 1700), work: seconds(300, 900, 2400, 7200, 18000, 36000),
			confirm: soon, closing: soon, field: true, ackShare: 1000, confirmShare: 950,
		},
		"medical": {
			acknowledge: seconds(5, 15, 40, 120, 400, 900), turnout: seconds(30, 60, 110, 220, 480, 900),
			travel: seconds(120, 240, 480, 900, 1500, 2400), work: seconds(600, 1500, 3000, 6000, 14400, 28800),
			confirm: soon, closing: soon, field: true, ackShare: 1000, confirmShare: 950,
		},
		"field": {
			acknowledge: seconds(20, 60, 180, 600, 2400, 7200), turnout: seconds(60, 180, 480, 1500, 4000, 9000),
			travel: seconds(180, 420, 900, 2100, 4200, 7200), work: seconds(600, 1800, 5400, 18000, 86400, 259200),
			confirm: later, closing: soon, field: true, ackShare: 980, confirmShare: 900,
		},
		"works": {
			acknowledge: seconds(60, 300, 1500, 7200, 28800, 86400), turnout: seconds(900, 3600, 14400, 86400, 259200, 604800),
			travel: seconds(300, 600, 1500, 3000, 5400, 9000), work: seconds(900, 1800, 5400, 21600, 172800, 1209600),
			confirm: later, closing: later, field: true, office: true, ackShare: 960, confirmShare: 850,
		},
		"desk": {
			acknowledge: seconds(60, 300, 1200, 5400, 28800, 86400),
			work:        seconds(600, 3600, 14400, 86400, 259200, 1209600),
			confirm:     later, closing: later, office: true, ackShare: 960, confirmShare: 850,
		},
		"agency": {
			acknowledge: seconds(60, 240, 900, 5400, 43200, 172800),
			work:        seconds(1800, 5400, 14400, 64800, 345600, 2592000),
			confirm:     later, closing: later, ackShare: 700, confirmShare: 600,
		},
	}
}

// work is a kind of ticket: what, whose, how urgent, how often in the ten months of 2023, and which OPD of the same
// scope gets it by mistake.
type work struct {
	category, opd, priority, tempo string
	n2023                          int64
	mistakenFor                    string
	targetMinutes                  int64 // what a source would state as due, counted from the assignment
}

// ownWork sums to 1,597, of which street lights (pju) are 430.
func ownWork() []work {
	return []work{
		{"pju", "dishub", event.PriorityNonDarurat, "works", 430, "dpubmsda", 3 * 1440},
		{"lampu_lalu_lintas", "dishub", event.PriorityMendesak, "works", 52, "satpolpp", 480},
		{"pohon_tumbang", "bpbd", event.PriorityMendesak, "field", 96, "dlhk", 120},
		{"pohon_tumbang", "dlhk", event.PriorityNonDarurat, "works", 58, "bpbd", 1440},
		{"jalan_rusak", "dpubmsda", event.PriorityNonDarurat, "works", 121, "dishub", 5 * 1440},
		{"banjir", "bpbd", event.PriorityMendesak, "field", 74, "dpubmsda", 180},
		{"banjir", "dpubmsda", event.PriorityMendesak, "works", 41, "bpbd", 480},
		{"sampah", "dlhk", event.PriorityNonDarurat, "works", 87, "dpubmsda", 2 * 1440},
		{"kebakaran", "damkar", event.PriorityDarurat, "fire", 118, "bpbd", 15},
		{"evakuasi_hewan", "damkar", event.PriorityNonDarurat, "field", 133, "bpbd", 240},
		{"darurat_medis", "dinkes", event.PriorityDarurat, "medical", 97, "rsud", 20},
		{"darurat_medis", "rsud", event.PriorityDarurat, "medical", 14, "dinkes", 20},
		{"kecelakaan", "dinkes", event.PriorityDarurat, "medical", 63, "dishub", 20},
		{"odgj", "dinsos", event.PriorityMendesak, "field", 49, "satpolpp", 240},
		{"ketertiban", "satpolpp", event.PriorityNonDarurat, "field", 78, "dishub", 480},
		{"kdrt", "dp3akb", event.PriorityDarurat, "field", 11, "dinsos", 120},
		{"administrasi", "disdukcapil", event.PriorityInformasi, "desk", 26, "dpmptsp", 5 * 1440},
		{"info_layanan", "diskominfo", event.PriorityInformasi, "desk", 21, "disdukcapil", 5 * 1440},
		{"info_layanan", "dpmptsp", event.PriorityInformasi, "desk", 7, "diskominfo", 5 * 1440},
		{"lainnya", "diskominfo", event.PriorityNonDarurat, "desk", 21, "dlhk", 5 * 1440},
	}
}

// verticalWork sums to 6,178: what is passed to agencies outside the regency's power.
func verticalWork() []work {
	return []work{
		{"listrik_padam", "pln", event.PriorityNonDarurat, "agency", 3182, "telkom", 480},
		{"air", "pdam", event.PriorityNonDarurat, "agency", 1064, "pln", 1440},
		{"kriminal", "polresta", event.PriorityMendesak, "agency", 871, "kodim0816", 60},
		{"kecelakaan", "polresta", event.PriorityDarurat, "agency", 412, "kodim0816", 30},
		{"ketertiban", "polresta", event.PriorityNonDarurat, "agency", 277, "kodim0816", 240},
		{"lainnya", "telkom", event.PriorityNonDarurat, "agency", 268, "pln", 2880},
		{"lainnya", "pgn", event.PriorityMendesak, "agency", 64, "pln", 240},
		{"kriminal", "kodim0816", event.PriorityMendesak, "agency", 23, "polresta", 60},
		{"lainnya", "basarnas", event.PriorityDarurat, "agency", 17, "polresta", 60},
	}
}

// pauseReasons are the only reasons for which a clock may stand still.
func pauseReasons() []string {
	return []string{"menunggu_pelapor", "menunggu_pihak_lain", "cuaca", "menunggu_material"}
}

// hourWeights is the shape of a day: quiet at night, highest in the evening.
func hourWeights() [24]int64 {
	return [24]int64{22, 15, 11, 9, 11, 17, 28, 38, 46, 52, 56, 55, 52, 52, 54, 58, 62, 66, 76, 88, 90, 78, 56, 36}
}

// weekdayWeights, from Sunday.
func weekdayWeights() [7]int64 { return [7]int64{106, 98, 96, 95, 97, 101, 108} }

// monthWeights, from January.
func monthWeights() [12]int64 {
	return [12]int64{108, 96, 104, 92, 98, 101, 103, 99, 95, 104, 110, 112}
}

// talk says how long calls of a class last, in seconds.
func talk(class string) spread {
	switch class {
	case event.ClassPrank:
		return seconds(3, 7, 16, 48, 170, 420)
	case event.ClassGhost, event.ClassPocket:
		return seconds(3, 5, 12, 28, 60, 120)
	case event.ClassPutus:
		return seconds(2, 3, 8, 20, 45, 90)
	case event.ClassUji:
		return seconds(5, 8, 12, 20, 30, 60)
	case event.ClassInformasi, event.ClassMisrouted:
		return seconds(15, 35, 80, 190, 400, 700)
	}
	return seconds(20, 45, 95, 210, 480, 900)
}

// workingMoment is the first moment from at on in which offices work: Monday to Thursday 07:30 to 16:00, Friday to
// 16:30, WIB. It knows no holidays: a simulated office does not need them.
func workingMoment(at int64) int64 {
	for {
		d := dayNumber(at)
		start := d*day - wibOffset
		closes := start + 16*hour
		switch weekday(d) {
		case time.Saturday, time.Sunday:
			at = start + day
			continue
		case time.Friday:
			closes += 30 * minute
		}
		if opens := start + 7*hour + 30*minute; at < opens {
			return opens
		}
		if at < closes {
			return at
		}
		at = start + day
	}
}
