package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/monev112/monev112/collector/casefile"
	"github.com/monev112/monev112/collector/event"
	"github.com/monev112/monev112/collector/httpapi/audit"
	"github.com/monev112/monev112/collector/web"
)

func (w *world) state(id string) *casefile.Ticket {
	w.t.Helper()
	row, _, ok := w.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: id})
	if !ok {
		w.t.Fatalf("no ticket %s", id)
	}
	return row.Ticket
}

// press presses a button of the page behind a link.
func (w *world) press(link, step string, more ...string) answer {
	w.t.Helper()
	return w.do(http.MethodPost, path(link), w.get(link).press(step, more...))
}

func TestEachButtonRecordsItsStep(t *testing.T) {
	for _, tt := range []struct {
		step, reason string
		typ          event.Type
		is           func(*casefile.Ticket) bool
		says         string
	}{
		{"diterima", "", event.TicketAcknowledged,
			func(k *casefile.Ticket) bool { return k.AcknowledgedAt.Equal(testNow) }, "Diterima tercatat Senin 9 Maret 2026 " +
				"10.00"},
		{"berangkat", "", event.TicketDeparted,
			func(k *casefile.Ticket) bool {
				return k.DepartedAt.Equal(testNow) && k.State == casefile.Departed
			}, "Berangkat tercatat"},
		{"tiba", "", event.TicketArrived,
			func(k *casefile.Ticket) bool { return k.ArrivedAt.Equal(testNow) }, "Tiba di lokasi tercatat"},
		{"selesai", "", event.TicketResolved,
			func(k *casefile.Ticket) bool {
				return k.ResolvedAt.Equal(testNow) && !k.State.Open()
			}, "Selesai ditangani tercatat"},
		{"bukan_kewenangan", "", event.TicketRejected,
			func(k *casefile.Ticket) bool { return k.RejectedAt.Equal(testNow) && k.OPD == "" }, "Bukan kewenangan tercatat"},
		{"ditunda", "menunggu_material", event.TicketPaused,
			func(k *casefile.Ticket) bool { return k.Paused() && k.Pauses[0].Reason == "menunggu_material" },
			"Ditunda (menunggu material) tercatat"},
		{"alasan", "personel_terbatas", event.TicketExplained,
			func(k *casefile.Ticket) bool { return k.State == casefile.Assigned }, "Alasan terlambat (personel terbatas) " +
				"tercatat"},
	} {
		t.Run(tt.step, func(t *testing.T) {
			w := newWorld(t)
			w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-2*time.Hour)) // late
			link := w.links.Ticket(center, "damkar", "T-1", testNow)
			page := w.get(link)
			form := page.press(tt.step, "alasan", tt.reason)
			var wg sync.WaitGroup
			for range 4 { // a double click, and more
				wg.Go(func() {
					if a := w.do(http.MethodPost, path(link), form); a.status != http.StatusSeeOther ||
						"/p/"+a.header.Get("Location") != path(link) {
						t.Errorf("%d %v", a.status, a.header)
					}
				})
			}
			wg.Wait()
			if len(w.sent) != 1 {
				t.Fatalf("%d events", len(w.sent))
			}
			e := w.sent[0]
			if e.Type != tt.typ || e.Subject != "T-1" || e.Center != center || e.OPD != "damkar" || e.Source != web.Source ||
				!e.Time.Equal(testNow) || e.Reason != tt.reason || !strings.HasPrefix(e.ID, tt.step+"-") {
				t.Errorf("%+v", e)
			}
			if k := w.state("T-1"); !tt.is(k) {
				t.Errorf("%+v", k)
			}
			mustShow(t, w.get(link), 200, tt.says, "lewat tautan pesan", "Batalkan")
			action := audit.Record
			if tt.step == "diterima" {
				action = audit.Acknowledge
			}
			n := 0
			for _, r := range w.record {
				if r.Action == action && r.Filter == tt.step && strings.HasPrefix(r.Who, "link:") {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d in the record: %+v", n, w.record)
			}
			// It can be taken back for ten minutes, once; pressing the old page again brings nothing back.
			w.now = testNow.Add(9 * time.Minute)
			undo := w.get(link).press("batal")
			for range 2 {
				if a := w.do(http.MethodPost, path(link), undo); a.status != http.StatusSeeOther {
					t.Errorf("undo: %d", a.status)
				}
			}
			if len(w.sent) != 2 || w.sent[1].Type != event.EventWithdrawn || w.sent[1].Replaces != e.ID ||
				w.sent[1].Source != web.Source {
				t.Fatalf("%+v", w.sent)
			}
			if k := w.state("T-1"); k.State != casefile.Assigned || k.Paused() || k.OPD != "damkar" || tt.step != "alasan" &&
				tt.is(k) {
				t.Errorf("after the undo: %+v", k)
			}
			mustShow(t, w.do(http.MethodPost, path(link), form), http.StatusConflict, "Keadaan tiket sudah berubah")
			a := w.get(link)
			mustHide(t, a, tt.says)
			if tt.step != "alasan" && !slices.Equal(a.offers(), page.offers()) {
				t.Errorf("%v are offered, before it were %v", a.offers(), page.offers())
			}
			if b := w.do(http.MethodPost, path(link), a.press(tt.step, "alasan", tt.reason)); b.status != http.StatusSeeOther ||
				len(w.sent) != 3 || w.sent[2].ID == e.ID {
				t.Errorf("said anew: %d %+v", b.status, w.sent)
			}
		})
	}
}

func TestAfterTenMinutesNothingIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	w.press(link, "berangkat", "pukul", "09:30")
	undo := w.get(link).press("batal")
	w.now = testNow.Add(10 * time.Minute) // counted from when it was recorded, not from when it happened
	mustHide(t, w.get(link), "Batalkan")
	mustShow(t, w.do(http.MethodPost, path(link), undo), http.StatusUnprocessableEntity, "lebih dari sepuluh menit")
	undo.Set("kejadian", "x")
	mustShow(t, w.do(http.MethodPost, path(link), undo), http.StatusConflict)
	if len(w.sent) != 1 || w.state("T-1").DepartedAt.IsZero() {
		t.Errorf("%+v", w.sent)
	}
}

func TestWhatWentOnIsNotTakenBack(t *testing.T) {
	for typ, opd := range map[event.Type]string{event.TicketReopened: "", event.TicketAssigned: "damkar"} {
		w := newWorld(t)
		w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
		link := w.links.Ticket(center, "damkar", "T-1", testNow)
		w.press(link, "selesai")
		undo := w.get(link).press("batal")
		w.now = testNow.Add(time.Minute)
		if opd != "" {
			w.say(typ, "T-1", w.now.Add(-time.Second), func(d *event.RawEvent) { d.OPD = "bpbd" })
		}
		w.say(typ, "T-1", w.now, func(d *event.RawEvent) { d.OPD = opd })
		a := w.do(http.MethodPost, path(link), undo)
		mustShow(t, a, http.StatusUnprocessableEntity, "sudah diteruskan atau dibuka kembali")
		mustHide(t, a, "sepuluh menit")
	}
}

// What another source said is not the page's to take back, nor what the page said for another OPD.
func TestOnlyItsOwnRecordsAreTakenBack(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
	w.say(event.TicketDeparted, "T-1", testNow.Add(-time.Minute), nil)
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	w.press(link, "tiba")
	arrived := w.sent[0].ID
	mustShow(t, w.get(link), 200, "Berangkat tercatat Senin 9 Maret 2026 09.59 WIB.")
	for _, id := range []string{"T-1-ticket.departed-" + testNow.Add(-time.Minute).Format(time.RFC3339), ""} {
		mustShow(t, w.do(http.MethodPost, path(link), w.get(link).press("batal", "kejadian", id)), http.StatusConflict)
	}
	w.say(event.TicketAssigned, "T-1", testNow, func(d *event.RawEvent) { d.OPD = "bpbd" })
	other := w.links.Ticket(center, "bpbd", "T-1", testNow)
	a := w.do(http.MethodPost, path(other), w.get(other).press("batal", "kejadian", arrived))
	if a.status != http.StatusConflict || len(w.sent) != 0 {
		t.Errorf("%d %+v", a.status, w.sent)
	}
	mustShow(t, w.get(link), 404)
}

func TestTheOrderOfTheButtonsFollowsTheTicket(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Minute*6))
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	order := func(want ...string) {
		t.Helper()
		got := slices.DeleteFunc(w.get(link).offers(), func(s string) bool { return s == "batal" || s == "alasan" })
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	order("diterima", "berangkat", "tiba", "selesai", "ditunda", "bukan_kewenangan")
	w.press(link, "diterima")
	order("berangkat", "tiba", "selesai", "ditunda", "bukan_kewenangan")
	w.press(link, "tiba") // nobody pressed berangkat: it can still be said, with its time
	order("selesai", "berangkat", "ditunda", "bukan_kewenangan")
	w.press(link, "ditunda", "alasan", "cuaca")
	order("dilanjutkan", "selesai", "berangkat", "bukan_kewenangan")
	w.press(link, "dilanjutkan")
	w.press(link, "selesai")
	order()
	w.say(event.TicketReopened, "T-1", testNow.Add(time.Minute), nil)
	w.now = testNow.Add(2 * time.Minute)
	order("berangkat", "tiba", "selesai", "ditunda", "bukan_kewenangan")
}

func TestATimeThatIsStated(t *testing.T) {
	for _, tt := range []struct {
		pukul, want string // instant in WIB; empty: refused
	}{
		{"", "10:00:00"}, {"10:00", "10:00:00"}, {"09.45", "09:45:00"}, {"09:00", "09:00:30"}, // the minute of the assignment
		{"10:01", "10:00:00"}, // a telephone's clock runs ahead
		{"08:59", ""}, {"07:30", ""}, {"10:02", ""}, {"23:50", ""}, {"25:00", ""}, {"besok", ""}, {"09:45:00", ""},
		{"-9:45", ""}, {strings.Repeat("9", 3000), ""},
	} {
		w := newWorld(t)
		w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-64*time.Minute-30*time.Second)) // assigned at 09.00.30
		a := w.press(w.links.Ticket(center, "damkar", "T-1", testNow), "berangkat", "pukul", tt.pukul)
		got := ""
		if len(w.sent) > 0 {
			got = w.sent[0].Time.In(time.FixedZone("WIB", 7*3600)).Format(time.TimeOnly)
		}
		if got != tt.want {
			t.Errorf("%.20q: %q, want %q", tt.pukul, got, tt.want)
		}
		if tt.want == "" {
			mustShow(t, a, http.StatusUnprocessableEntity, "Belum tercatat", "antara 09.00 WIB dan 10.00 WIB")
		}
	}
}

func TestATimeLiesBetweenTheStepsAroundIt(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-5*time.Hour))
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	mustShow(t, w.press(link, "tiba", "pukul", "07:59"), 422, "antara 08.00 WIB dan 10.00 WIB") // two hours back
	w.press(link, "tiba", "pukul", "09:00")
	mustShow(t, w.press(link, "selesai", "pukul", "08:50"), 422)
	mustShow(t, w.press(link, "berangkat"), 422, "antara 08.00 WIB dan 09.00 WIB") // it was before the arrival: when?
	mustShow(t, w.press(link, "berangkat", "pukul", "09:10"), 422)
	if a := w.press(link, "berangkat", "pukul", "08:40"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.press(link, "selesai", "pukul", "09:30"); a.status != http.StatusSeeOther || len(w.sent) != 3 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if k := w.state("T-1"); len(k.Flags) > 0 && slices.Contains(k.Flags, casefile.FlagArrivedBeforeDeparted) {
		t.Errorf("%v", k.Flags)
	}
}

// Midnight lies between the press and what it states.
func TestATimeOfYesterday(t *testing.T) {
	w := newWorld(t)
	w.now = time.Date(2026, 3, 9, 17, 30, 0, 0, time.UTC) // 00.30 WIB
	w.ticket("T-1", "kebakaran", "darurat", "damkar", w.now.Add(-3*time.Hour))
	w.press(w.links.Ticket(center, "damkar", "T-1", w.now), "berangkat", "pukul", "23:10")
	if len(w.sent) != 1 || !w.sent[0].Time.Equal(w.now.Add(-80*time.Minute)) {
		t.Errorf("%+v", w.sent)
	}
}

func TestHostileFormsRecordNothing(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-2*time.Hour))
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	good := w.get(link)
	for name, form := range map[string]url.Values{
		"a step that is none":      good.press("ticket.closed"),
		"another's name":           good.press("DITERIMA"),
		"no reason of a pause":     good.press("ditunda"),
		"a reason of nobody":       good.press("ditunda", "alasan", "malas"),
		"a reason for another":     good.press("ditunda", "alasan", "personel_terbatas"),
		"free text":                good.press("alasan", "alasan", "Pak Budi 081234567890"),
		"script":                   good.press("alasan", "alasan", "<script>alert(1)</script>"),
		"a resumption of no pause": good.press("dilanjutkan"),
		"another's page":           good.press("berangkat", "stay", "0.0"),
		"a page of a later time":   good.press("berangkat", "stay", good.form().Get("stay")+"9"),
		"no form":                  {"catat": {"berangkat"}},
	} {
		a := w.do(http.MethodPost, path(link), form)
		if a.status != http.StatusConflict && a.status != http.StatusUnprocessableEntity || len(w.sent) > 0 {
			t.Errorf("%s: %d, %+v", name, a.status, w.sent)
		}
		mustHide(t, a, "Budi", "<script")
	}
	// Reading never records: messengers and mail servers open links by themselves.
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		w.do(method, path(link)+"?"+good.press("berangkat").Encode(), nil)
	}
	if len(w.sent) > 0 {
		t.Errorf("%+v", w.sent)
	}
}

func TestTwoPeopleAtOneTicket(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
	link, other := w.links.Ticket(center, "damkar", "T-1", testNow), w.person(center, "damkar", "Kepala Bidang Damkar")
	other += "?tiket=T-1"
	one, two := w.get(link), w.get(other)
	if a := w.do(http.MethodPost, path(link), one.press("berangkat")); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	// The second presses the same a moment later, on a page of before: it finds the first.
	if a := w.do(http.MethodPost, path(other), two.press("berangkat")); a.status != http.StatusSeeOther ||
		len(w.sent) != 1 {
		t.Errorf("%d %+v", a.status, w.sent)
	}
	mustShow(t, w.get(other), 200, "Berangkat tercatat Senin 9 Maret 2026 10.00 WIB, lewat tautan pesan")
	// Another step, on that page, is one more event.
	if a := w.do(http.MethodPost, path(other), two.press("tiba")); a.status != http.StatusSeeOther || len(w.sent) != 2 {
		t.Errorf("%d %+v", a.status, w.sent)
	}
	mustShow(t, w.get(link), 200, "Tiba di lokasi tercatat Senin 9 Maret 2026 10.00 WIB, oleh Kepala Bidang Damkar")
	// A step that the ticket has left behind is not taken.
	w.do(http.MethodPost, path(link), w.get(link).press("selesai"))
	for _, step := range []string{"ditunda", "bukan_kewenangan"} {
		mustShow(t, w.do(http.MethodPost, path(other), two.press(step, "alasan", "cuaca")), http.StatusConflict)
	}
	if len(w.sent) != 3 {
		t.Errorf("%+v", w.sent)
	}
}

// A reason is joined with the late clock by the OPD's name, which may be one that the directory did not know then.
func TestAReasonNamesTheOPDAsItsClockDoes(t *testing.T) {
	w := newWorld(t)
	damkar, _ := w.dir.OPD(center, "damkar")
	w.unknown = true
	w.ticket("T-1", "kebakaran", "darurat", damkar.Name, testNow.Add(-2*time.Hour))
	w.unknown = false
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	mustShow(t, w.press(link, "alasan", "alasan", "personel_terbatas"), http.StatusSeeOther)
	row, events, _ := w.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: "T-1"})
	if last := events[len(events)-1]; last.Type != event.TicketExplained || last.OPD != damkar.Name ||
		row.Clocks[0].OPD != damkar.Name {
		t.Errorf("%+v, of %+v", last, row.Clocks)
	}
	mustShow(t, w.press(link, "batal"), http.StatusSeeOther) // whose it is
	if len(w.sent) != 2 || w.sent[1].Type != event.EventWithdrawn {
		t.Errorf("%+v", w.sent)
	}
}

// What the second says otherwise is not as if recorded: they see what stands.
func TestWhoSaysOtherwiseIsTold(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-2*time.Hour)) // late
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	for _, tt := range []struct {
		step, field, first, second, stands string
	}{
		{"alasan", "alasan", "personel_terbatas", "material_anggaran", "Alasan terlambat (personel terbatas) sudah tercatat"},
		{"berangkat", "pukul", "09:20", "09:40", "Berangkat sudah tercatat Senin 9 Maret 2026 09.20"},
		{"tiba", "pukul", "", "09:40", "Tiba di lokasi sudah tercatat Senin 9 Maret 2026 10.00"},
		{"ditunda", "alasan", "cuaca", "menunggu_material", "Ditunda (cuaca"},
	} {
		w.sent = nil
		old := w.get(link)
		for range 2 {
			if a := w.do(http.MethodPost, path(link), old.press(tt.step, tt.field, tt.first)); a.status != http.StatusSeeOther {
				t.Errorf("%+v: %d %s", tt, a.status, a.body)
			}
		}
		mustShow(t, w.do(http.MethodPost, path(link), old.press(tt.step, tt.field, tt.second)), http.StatusConflict, tt.stands,
			"tidak dicatat")
	}
}

// The minute in which something happened is the same, however far its second has gone on.
func TestADoubleClickWithTheTimeOfNow(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	form := w.get(link).press("berangkat", "pukul", "10:01") // a telephone's clock runs ahead
	for range 2 {
		mustShow(t, w.do(http.MethodPost, path(link), form), http.StatusSeeOther)
		w.now = w.now.Add(20 * time.Second)
	}
	if len(w.sent) != 1 {
		t.Errorf("%+v", w.sent)
	}
}

func TestALateClickFindsTheTicketDone(t *testing.T) {
	for name, then := range map[string]func(w *world){
		"resolved": func(w *world) { w.say(event.TicketResolved, "T-1", testNow, nil) },
		"closed":   func(w *world) { w.say(event.TicketClosed, "T-1", testNow, nil) },
		"merged": func(w *world) {
			w.ticket("M", "kebakaran", "darurat", "damkar", testNow.Add(-2*time.Hour))
			w.say(event.TicketMerged, "T-1", testNow, func(d *event.RawEvent) { d.Master = "M" })
		},
	} {
		w := newWorld(t)
		w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
		link := w.links.Ticket(center, "damkar", "T-1", testNow)
		old := w.get(link)
		then(w)
		for _, step := range []string{"diterima", "berangkat", "tiba", "ditunda", "bukan_kewenangan"} {
			a := w.do(http.MethodPost, path(link), old.press(step, "alasan", "cuaca"))
			if a.status != http.StatusConflict || len(w.sent) > 0 {
				t.Errorf("%s, %s: %d %+v", name, step, a.status, w.sent)
			}
		}
	}
	w := newWorld(t)
	w.ticket("T-1", "kebakaran", "darurat", "damkar", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "damkar", "T-1", testNow)
	old := w.get(link)
	w.now = testNow.Add(9 * 24 * time.Hour)
	mustShow(t, w.do(http.MethodPost, path(link), old.press("berangkat")), 404)
	if len(w.sent) > 0 {
		t.Errorf("an expired link: %+v", w.sent)
	}
}

// One page's click makes its own ticket observed, and changes no other ticket's verdict.
func TestAClickIsOfItsTicketAlone(t *testing.T) {
	w := newWorld(t)
	mute := func(d *event.RawEvent) { d.Source, d.Carries = "export", []string{"ticket.opened", "ticket.assigned"} }
	for _, id := range []string{"T-1", "T-2"} {
		w.say(event.TicketOpened, id, testNow.Add(-3*time.Hour), func(d *event.RawEvent) {
			mute(d)
			d.Category, d.Priority = "kebakaran", "darurat"
		})
		w.say(event.TicketAssigned, id, testNow.Add(-3*time.Hour), func(d *event.RawEvent) { mute(d); d.OPD = "damkar" })
	}
	unobserved := func(id string) (n int) {
		row, _, _ := w.board.Case(event.Key{Center: center, Kind: event.KindTicket, ID: id})
		for _, k := range row.Clocks {
			if k.Unobserved {
				n++
			}
		}
		return n
	}
	before := unobserved("T-1")
	w.press(w.links.Ticket(center, "damkar", "T-1", testNow), "tiba")
	if before < 2 || unobserved("T-1") >= before || unobserved("T-2") != before {
		t.Errorf("unobserved before %d, after %d; of the other %d", before, unobserved("T-1"), unobserved("T-2"))
	}
}

func TestNobodyFillsACaseByPressing(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-time.Hour))
	link := w.links.Ticket(center, "dishub", "T-1", testNow)
	var a answer
	for range 40 {
		a = w.press(link, "ditunda", "alasan", "cuaca")
		w.now = w.now.Add(time.Second)
		w.press(link, "dilanjutkan")
		w.now = w.now.Add(time.Second)
	}
	if a.status != http.StatusUnprocessableEntity || len(w.sent) != 60 {
		t.Errorf("%d, %d sent", a.status, len(w.sent))
	}
	mustShow(t, a, 422, "Terlalu banyak")
}

func TestWhyItIsLateIsAskedOfWhoIsLate(t *testing.T) {
	w := newWorld(t)
	w.ticket("T-1", "pju", "non_darurat", "dishub", testNow.Add(-30*time.Minute))
	w.ticket("T-2", "pju", "non_darurat", "dishub", testNow.Add(-40*24*time.Hour))
	w.say(event.TicketResolved, "T-2", testNow.Add(-time.Hour), nil) // done, late
	if a := w.get(w.links.Ticket(center, "dishub", "T-1", testNow)); slices.Contains(a.offers(), "alasan") {
		t.Error("in time, and asked why")
	}
	link := w.links.Ticket(center, "dishub", "T-2", testNow)
	if a := w.get(link); !slices.Equal(a.offers(), []string{"alasan"}) {
		t.Errorf("%v", a.offers())
	}
	w.press(link, "alasan", "alasan", "material_anggaran")
	w.now = testNow.Add(time.Minute)
	w.press(link, "alasan", "alasan", "terlambat_dicatat") // thought better of it
	if len(w.sent) != 2 {
		t.Fatalf("%+v", w.sent)
	}
	mustShow(t, w.get(link), 200, "Alasan terlambat: menunggu material atau anggaran",
		"Alasan terlambat (ditangani tepat waktu, terlambat dicatat) tercatat")
}
