package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/store"
)

// A ticket's clock was late, then its start was corrected: its page shows both verdicts, and so does the list of its
// OPD, of what the database tells, and of no other OPD's.
func TestBothVerdictsOfWhatWasCorrectedAfterItWasLate(t *testing.T) {
	w := newWorld(t)
	opened := testNow.Add(-2 * time.Hour)
	w.now = opened.Add(time.Minute)
	w.say(event.TicketOpened, "T-1", opened, func(d *event.RawEvent) { d.ID, d.Category, d.Priority = "o1", "pju", "darurat" })
	w.say(event.TicketAssigned, "T-1", opened, func(d *event.RawEvent) { d.OPD = "dishub" })
	w.say(event.TicketAcknowledged, "T-1", opened, nil)
	w.now = testNow
	link := w.links.Ticket(center, "dishub", "T-1", testNow)
	if a := w.get(link); a.status != 200 || strings.Contains(a.body, "Dikoreksi setelah terlambat") {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	w.say(event.TicketOpened, "T-1", testNow.Add(-time.Minute), func(d *event.RawEvent) {
		d.ID, d.Replaces, d.Category, d.Priority = "o2", "o1", "pju", "darurat"
	})
	w.now = testNow.Add(time.Minute)
	mustShow(t, w.get(link), 200, "Dikoreksi setelah terlambat", "Tiba di lokasi", "Koreksi diterima",
		"Senin 9 Maret 2026 10.00 WIB", "terlambat; batas waktu Senin 9 Maret 2026 08.15 WIB",
		"berjalan; batas waktu Senin 9 Maret 2026 10.14 WIB",
		"sampai koreksi diterima (Senin 9 Maret 2026 10.00 WIB)") // in the explanation of the clock

	stopped := testNow.Add(-time.Hour)
	w.corrected = []store.Corrected{
		{Center: center, Ticket: "T-1", Clock: "arrive", Seq: 1, OPD: "dishub", CorrectedAt: testNow,
			DueBefore: testNow.Add(-90 * time.Minute), StoppedBefore: &stopped, StateAfter: "met", DueAfter: &w.now,
			StoppedAfter: &stopped},
		{Center: center, Ticket: "T-8", Clock: "resolve", Seq: 1, OPD: "dishub", CorrectedAt: testNow, DueBefore: testNow,
			StateAfter: "none"},
		{Center: center, Ticket: "T-9", Clock: "resolve", Seq: 1, OPD: "dlhk", CorrectedAt: testNow, DueBefore: testNow,
			StateAfter: "none"},
	}
	list := w.links.List(center, "dishub", testNow) + "?lihat=koreksi"
	a := w.get(list)
	mustShow(t, a, 200, "Dikoreksi setelah terlambat", "T-1", "terlambat, berhenti Senin 9 Maret 2026 09.00 WIB",
		"tepat waktu, berhenti Senin 9 Maret 2026 09.00 WIB", "T-8", "tidak dihitung")
	if strings.Contains(a.body, "T-9") {
		t.Error("another OPD's ticket is shown")
	}
	w.away = &store.UnavailableError{Reason: "away"}
	mustShow(t, w.get(list), 200, "basis data belum menjawab", "tiket terbuka")
}
