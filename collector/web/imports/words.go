package imports

import (
	"strconv"
	"strings"

	"github.com/monev112/monev112/collector/source/importer"
	"github.com/monev112/monev112/collector/source/mapping"
	"github.com/monev112/monev112/collector/source/tabular"
	"github.com/monev112/monev112/collector/web/page"
)

var eventNames = map[string]page.Text{
	"call.received":       both("Panggilan masuk", "Call received"),
	"call.answered":       both("Dijawab", "Answered"),
	"call.ended":          both("Panggilan selesai", "Call ended"),
	"call.classified":     both("Jenis panggilan", "Classified"),
	"ticket.opened":       both("Tiket dibuka", "Ticket opened"),
	"ticket.assigned":     both("Didisposisikan", "Assigned"),
	"ticket.acknowledged": both("Diterima OPD", "Acknowledged"),
	"ticket.departed":     both("Berangkat", "Departed"),
	"ticket.arrived":      both("Tiba di lokasi", "Arrived"),
	"ticket.paused":       both("Ditunda", "Paused"),
	"ticket.resumed":      both("Dilanjutkan", "Resumed"),
	"ticket.resolved":     both("Selesai ditangani", "Resolved"),
	"ticket.confirmed":    both("Dikonfirmasi pelapor", "Confirmed by the caller"),
	"ticket.closed":       both("Tiket ditutup", "Closed"),
	"ticket.reopened":     both("Dibuka kembali", "Reopened"),
	"ticket.rejected":     both("Ditolak OPD", "Rejected by the OPD"),
}

// meanings are what words in a column may mean: classes, priorities and states.
var meanings = map[string]page.Text{
	"normal":       both("laporan sungguhan", "real report"),
	"informasi":    both("permintaan informasi", "request for information"),
	"prank":        both("iseng", "prank"),
	"prank_palsu":  both("laporan palsu", "false report"),
	"ghost":        both("tanpa suara", "silent call"),
	"pocket":       both("tidak sengaja", "pocket call"),
	"misrouted":    both("salah wilayah atau salah sambung", "wrong area or number"),
	"putus":        both("terputus", "cut off"),
	"duplikat":     both("laporan ganda", "duplicate"),
	"uji":          both("uji coba", "test"),
	"belum":        both("belum diklasifikasi", "not yet classified"),
	"darurat":      both("darurat", "emergency"),
	"mendesak":     both("mendesak", "urgent"),
	"non_darurat":  both("non-darurat", "no emergency"),
	"opened":       both("tiket dibuka", "opened"),
	"assigned":     both("didisposisikan", "assigned"),
	"acknowledged": both("diterima OPD", "acknowledged"),
	"departed":     both("berangkat", "departed"),
	"arrived":      both("tiba di lokasi", "arrived"),
	"paused":       both("ditunda", "paused"),
	"resumed":      both("dilanjutkan", "resumed"),
	"resolved":     both("selesai ditangani", "resolved"),
	"closed":       both("ditutup", "closed"),
	"reopened":     both("dibuka kembali", "reopened"),
	"rejected":     both("ditolak OPD", "rejected"),
}

// refusals say in Indonesian why a row is refused.
var refusals = map[tabular.Code]string{
	tabular.CodeQuote:     "tanda kutip tidak ditutup",
	tabular.CodeTooLarge:  "baris, sel atau nomor terlalu panjang",
	tabular.CodeEncoding:  "huruf tidak terbaca; simpan sebagai UTF-8",
	mapping.CodeColumns:   "jumlah sel tidak sama dengan judul kolom",
	mapping.CodeMissing:   "isian wajib kosong (sering baris jumlah)",
	mapping.CodeTime:      "waktu tidak terbaca",
	mapping.CodeTimeRange: "tahun di luar 2000–2099",
	mapping.CodeNumber:    "angka atau lama waktu tidak terbaca",
	mapping.CodeValue:     "kata tidak dikenal; pilih artinya di atas",
	mapping.CodeNoEvent:   "tidak ada yang terjadi menurut baris ini",
	mapping.CodeSameID:    "satu baris memberi dua kejadian yang sama",
	importer.CodeServer:   "ditolak layanan, misalnya waktu di masa depan: periksa hari dan bulan",
	importer.CodeConflict: "dua baris berbeda untuk kejadian yang sama",
}

func both(indonesian, english string) page.Text {
	return page.Text{Indonesian: indonesian, English: english}
}

func say(r *page.Request, table map[string]page.Text, key string) string {
	if t, ok := table[key]; ok {
		return r.Say(t)
	}
	return key
}

func roleOfKey(key string) string {
	role, _, _ := strings.Cut(key, ":")
	return role
}

// numbers writes whole numbers as the reader's language groups them.
type numbers struct{ separator string }

func numbersFor(r *page.Request) numbers { return numbers{r.T(".", ",")} }

// N is for templates.
func (w numbers) N(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + w.separator + s[i:]
	}
	return s
}
