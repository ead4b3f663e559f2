package web

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/internal/indonesian"
	"github.com/monev112/monev112/collector/sla"
)

// instant writes "Senin 16 Maret 2026 10.05 WIB"; empty for a time that is absent.
func (v *visit) instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(v.zone)
	return indonesian.Weekdays[at.Weekday()] + " " + indonesian.Date(at)
}

// percent writes "80,7 %" and "5.833,3 %".
func percent(ratio float64) string {
	tenths := int64(math.Round(ratio * 1000))
	return fmt.Sprintf("%s,%d %%", indonesian.Number(tenths/10), tenths%10)
}

var clockNames = map[string]string{
	sla.Acknowledge:  "Terima OPD",
	sla.Arrive:       "Tiba di lokasi",
	sla.Resolve:      "Penyelesaian pertama",
	sla.ResolveTotal: "Penyelesaian akhir",
	sla.Confirm:      "Konfirmasi pelapor",
	sla.Given:        "Batas waktu dari sumber",
}

func clockName(name string) string { return cmp.Or(clockNames[name], name) }

var clockStates = map[string]string{
	sla.Running:  "berjalan",
	sla.Paused:   "ditunda",
	sla.Met:      "tepat waktu",
	sla.Breached: "terlambat",

	sla.Unobserved: "tidak tercatat",
}

func clockState(state string) string { return cmp.Or(clockStates[state], "tidak dihitung") }

var stateNames = map[casefile.State]string{
	casefile.Opened:       "Tiket dibuat",
	casefile.Assigned:     "Diteruskan ke OPD",
	casefile.Acknowledged: "Diterima OPD",
	casefile.Departed:     "Berangkat",
	casefile.Arrived:      "Tiba di lokasi",
	casefile.Resolved:     "Selesai ditangani",
	casefile.Confirmed:    "Sudah dikonfirmasi kepada pelapor",
	casefile.Closed:       "Tiket ditutup",
	casefile.Rejected:     "Ditolak (bukan kewenangan)",
	casefile.Merged:       "Laporan ganda, digabung ke tiket lain",
}

func stateName(s casefile.State) string { return cmp.Or(stateNames[s], "Belum diketahui") }

var typeNames = map[event.Type]string{
	event.TicketOpened:       "Tiket dibuat",
	event.TicketAssigned:     "Diteruskan",
	event.TicketAcknowledged: "Diterima OPD",
	event.TicketDeparted:     "Berangkat",
	event.TicketArrived:      "Tiba di lokasi",
	event.TicketPaused:       "Ditunda",
	event.TicketResumed:      "Dilanjutkan",
	event.TicketResolved:     "Selesai ditangani",
	event.TicketConfirmed:    "Konfirmasi pelapor",
	event.TicketClosed:       "Tiket ditutup",
	event.TicketReopened:     "Dibuka kembali",
	event.TicketRejected:     "Ditolak (bukan kewenangan)",
	event.TicketMerged:       "Digabung sebagai laporan ganda",
	event.TicketExplained:    "Alasan terlambat",
	event.EventWithdrawn:     "Keterangan ditarik kembali",
}

func typeName(t event.Type) string { return cmp.Or(typeNames[t], "Keterangan lain") }

var priorityNames = map[string]string{
	event.PriorityDarurat:    "Darurat",
	event.PriorityMendesak:   "Mendesak",
	event.PriorityNonDarurat: "Non-darurat",
	event.PriorityInformasi:  "Informasi",
}

func priorityName(p string) string { return cmp.Or(priorityNames[p], "Belum ditetapkan") }

// pauseCodes are the reasons for which a ticket may wait, as they are shown.
var pauseCodes = []string{"menunggu_pelapor", "menunggu_pihak_lain", "menunggu_material", "cuaca"}

// pauseReasons and resultNames leave out what is no code: it may be anybody's text.
var (
	pauseReasons = map[string]string{
		"menunggu_pelapor":    "menunggu pelapor",
		"menunggu_pihak_lain": "menunggu pihak lain",
		"cuaca":               "cuaca",
		"menunggu_material":   "menunggu material",
	}
	resultNames = map[string]string{
		event.ResultBenar:          "benar",
		event.ResultPalsu:          "palsu",
		event.ResultTidakDitemukan: "tidak ditemukan",
	}
)
