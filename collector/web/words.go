package web

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/sla"
)

// words renders times as people at the centre say them.
type words struct{ zone *time.Location }

var (
	weekdays = [...]string{"Minggu", "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu"}
	months   = [...]string{
		"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
		"Desember",
	}
)

// instant renders "Senin 16 Maret 2026 10.05 WIB"; empty for a time that is absent.
func (w words) instant(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(w.zone)
	return fmt.Sprintf("%s %d %s %d %s", weekdays[at.Weekday()], at.Day(), months[at.Month()-1], at.Year(),
		at.Format("15.04 MST"))
}

// length renders a duration by its two largest units: "2 jam 10 menit". Seconds are not shown.
func length(d time.Duration) string {
	minutes := int64(d / time.Minute)
	days, hours, rest := minutes/(24*60), minutes/60%24, minutes%60
	join := func(a int64, unitA string, b int64, unitB string) string {
		s := number(a) + " " + unitA
		if b > 0 {
			s += " " + number(b) + " " + unitB
		}
		return s
	}
	switch {
	case days > 0:
		return join(days, "hari", hours, "jam")
	case hours > 0:
		return join(hours, "jam", rest, "menit")
	case rest > 0:
		return number(rest) + " menit"
	}
	return "kurang dari 1 menit"
}

// number renders 40.318.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "." + s[i:]
	}
	return s
}

// percent renders 80,7 % and 5.833,3 %.
func percent(ratio float64) string {
	tenths := int64(math.Round(ratio * 1000))
	return fmt.Sprintf("%s,%d %%", number(tenths/10), tenths%10)
}

func clockName(name string) string {
	switch name {
	case sla.Acknowledge:
		return "Terima OPD"
	case sla.Arrive:
		return "Tiba di lokasi"
	case sla.Resolve:
		return "Penyelesaian pertama"
	case sla.ResolveTotal:
		return "Penyelesaian akhir"
	case sla.Confirm:
		return "Konfirmasi pelapor"
	case sla.Given:
		return "Batas waktu dari sumber"
	}
	return name
}

func clockState(s string) string {
	switch s {
	case sla.Running:
		return "berjalan"
	case sla.Paused:
		return "ditunda"
	case sla.Met:
		return "tepat waktu"
	case sla.Breached:
		return "terlambat"
	}
	return "tidak dihitung"
}

func stateName(s casefile.State) string {
	switch s {
	case casefile.Opened:
		return "Tiket dibuat"
	case casefile.Assigned:
		return "Diteruskan ke OPD"
	case casefile.Acknowledged:
		return "Diterima OPD"
	case casefile.Departed:
		return "Berangkat"
	case casefile.Arrived:
		return "Tiba di lokasi"
	case casefile.Resolved:
		return "Selesai ditangani"
	case casefile.Confirmed:
		return "Sudah dikonfirmasi kepada pelapor"
	case casefile.Closed:
		return "Tiket ditutup"
	case casefile.Rejected:
		return "Ditolak (bukan kewenangan)"
	case casefile.Merged:
		return "Laporan ganda, digabung ke tiket lain"
	}
	return "Belum diketahui"
}

func typeName(t event.Type) string {
	switch t {
	case event.TicketOpened:
		return "Tiket dibuat"
	case event.TicketAssigned:
		return "Diteruskan"
	case event.TicketAcknowledged:
		return "Diterima OPD"
	case event.TicketDeparted:
		return "Berangkat"
	case event.TicketArrived:
		return "Tiba di lokasi"
	case event.TicketPaused:
		return "Ditunda"
	case event.TicketResumed:
		return "Dilanjutkan"
	case event.TicketResolved:
		return "Selesai ditangani"
	case event.TicketConfirmed:
		return "Konfirmasi pelapor"
	case event.TicketClosed:
		return "Tiket ditutup"
	case event.TicketReopened:
		return "Dibuka kembali"
	case event.TicketRejected:
		return "Ditolak (bukan kewenangan)"
	case event.TicketMerged:
		return "Digabung sebagai laporan ganda"
	}
	return "Keterangan lain"
}

func priorityName(p string) string {
	switch p {
	case event.PriorityDarurat:
		return "Darurat"
	case event.PriorityMendesak:
		return "Mendesak"
	case event.PriorityNonDarurat:
		return "Non-darurat"
	case event.PriorityInformasi:
		return "Informasi"
	}
	return "Belum ditetapkan"
}

func pauseReason(code string) string {
	switch code {
	case "menunggu_pelapor":
		return "menunggu pelapor"
	case "menunggu_pihak_lain":
		return "menunggu pihak lain"
	case "cuaca":
		return "cuaca"
	case "menunggu_material":
		return "menunggu material"
	}
	return ""
}

func resultName(code string) string {
	switch code {
	case event.ResultBenar:
		return "benar"
	case event.ResultPalsu:
		return "palsu"
	case event.ResultTidakDitemukan:
		return "tidak ditemukan"
	}
	return ""
}
